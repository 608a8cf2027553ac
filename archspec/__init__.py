"""archspec: a network as its paper prints it, and from that one declaration its costs, exactly.

>>> import archspec
>>> archspec.load("mobilenet").count().params
4231976
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archspec.name_clash import refuse_other_distribution
from archspec.result import plot_by, report_by

if TYPE_CHECKING:
    from archspec import compress, kernels, train
    from archspec.architecture import Architecture, Network, load, loads, sweep
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
    "kernels",
    "load",
    "loads",
    "sweep",
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
    "kernels": "archspec.kernels",
    "load": "archspec.architecture",
    "loads": "archspec.architecture",
    "sweep": "archspec.architecture",
    "train": "archspec.train",
    "zoo": "archspec.language.zoo",
}


refuse_other_distribution()
report_by(lambda result, format_name: import_module("archspec.report").shown(result, format_name))
plot_by(lambda result, name, options: import_module("archspec.draw").plotted(result, name, options))


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = home if _HOMES[name].endswith(f".{name}") else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
