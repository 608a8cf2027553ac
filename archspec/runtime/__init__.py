"""The door to torch: what the other layers say as data becomes modules here, and only here is torch imported."""

from archspec.runtime.build import build
from archspec.runtime.calls import live

__all__ = ["build", "live"]
