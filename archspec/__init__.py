"""archspec: a network as its paper prints it, and from that one declaration its costs, exactly.

>>> import archspec
>>> archspec.load("mobilenet").count().params
4231976
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archspec.name_clash import refuse_other_distribution
from archspec.result import report_by

if TYPE_CHECKING:
    from archspec import compress, train
    from archspec.architecture import Architecture, Network, load, loads
    from archspec.cost import Convention, CostTable
    from archspec.errors import ArchspecError
    from archspec.importing import from_onnx, from_torch
    from archspec.language import zoo
    from archspec.language.document import Document

__all__ = [
    "Architecture",
    "ArchspecError",
    "Convention",
    "CostTable",
    "Document",
    "Network",
    "compress",
    "from_onnx",
    "from_torch",
    "load",
    "loads",
    "train",
    "zoo",
]

_HOMES = {
    "Architecture": "archspec.architecture",
    "ArchspecError": "archspec.errors",
    "compress": "archspec.compress",
    "Convention": "archspec.cost",
    "CostTable": "archspec.cost",
    "Document": "archspec.language.document",
    "from_onnx": "archspec.importing",
    "from_torch": "archspec.importing",
    "Network": "archspec.architecture",
    "load": "archspec.architecture",
    "loads": "archspec.architecture",
    "train": "archspec.train",
    "zoo": "archspec.language.zoo",
}


refuse_other_distribution()
report_by(lambda result, format_name: import_module("archspec.report").shown(result, format_name))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = home if _HOMES[name].endswith(f".{name}") else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
