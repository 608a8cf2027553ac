"""What a compressed network weighs, and the file that weighs it: plans, predictions, closed forms, codecs.

>>> import archspec
>>> lenet = archspec.load("lenet_300_100")
>>> archspec.compress.predict(lenet, "lenet_300_100").file.bytes
27734
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.compress.container import unpack
    from archspec.compress.packing import pack, predict, verify

__all__ = ["pack", "predict", "unpack", "verify"]

_HOMES = {"pack": "packing", "predict": "packing", "unpack": "container", "verify": "packing"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec.compress' has no attribute {name!r}")
    value = getattr(import_module(f"archspec.compress.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
