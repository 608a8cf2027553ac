"""The door to torch: what the other layers say as data becomes modules here, and only here is torch imported."""

from archspec.runtime.agreement import Agreement, Comparison
from archspec.runtime.build import build
from archspec.runtime.calls import refusals, runnable
from archspec.runtime.export import ExportRequest, check_ending, export
from archspec.runtime.verify import verify

__all__ = [
    "Agreement",
    "Comparison",
    "ExportRequest",
    "build",
    "check_ending",
    "export",
    "refusals",
    "runnable",
    "verify",
]
