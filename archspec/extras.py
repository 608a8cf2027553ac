"""What not everybody needs: extras of the distribution, and what other packages offer by entry points."""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError, MissingExtraError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

EXTRAS = {
    "torch": ("torch",),
    "train": ("accelerate", "safetensors", "sklearn", "PIL"),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "compress": ("bitarray", "scipy"),
    "plot": ("altair", "vl_convert"),
    "report": ("jinja2", "latex2mathml"),
    "kernels": ("numba", "llvmlite"),
    "sweep": ("duckdb", "joblib", "optuna"),
    "cluster": ("distributed",),
}
"""The modules that each extra brings."""


def need(extra: str, *modules: str) -> None:
    """Make sure that an extra is installed, without loading it.

    Args:
        extra: Its name, as in `archspec-nn[onnx]`.
        modules: What it brings.

    Raises:
        MissingExtraError: A module is not there.

    >>> need("torch", "no_such_module")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    archspec.errors.MissingExtraError: this needs no_such_module: pip install 'archspec-nn[torch]'; in a checkout: ...
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingExtraError(f"this needs {' and '.join(missing)}: {installed_by(extra)}")


def data_frame(content: Any) -> Any:
    """Records, or columns, as a data frame.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise MissingExtraError("to_pandas needs pandas: pip install pandas; records() needs nothing") from None
    return pandas.DataFrame(content)


def installed_by(extra: str) -> str:
    """What installs an extra: from an index, and from a checkout, whose constraints keep torch small.

    >>> installed_by("onnx")
    "pip install 'archspec-nn[onnx]'; in a checkout: pip install -c constraints.txt '.[onnx]'"
    """
    return f"pip install 'archspec-nn[{extra}]'; in a checkout: pip install -c constraints.txt '.[{extra}]'"


def entry_point(group: str, name: str) -> Any:
    """What an installed package offers under a name, loaded now; None where none does.

    Args:
        group: What is looked for: "archspec.operators", "archspec.quantities" or "archspec.formats".
        name: A name that is not one of ours.

    Raises:
        ArchspecError: Several packages offer it, or the one that does cannot be loaded.

    >>> entry_point("archspec.operators", "no_such_operator")
    """
    offers = _offered(group, tuple(sys.path)).get(name, ())
    if len(offers) > 1:
        packages = " and ".join(sorted(_package(offer) for offer in offers))
        raise ArchspecError(f"'{name}' is offered by {packages}; uninstall one")
    try:
        return offers[0].load() if offers else None
    except Exception as error:  # whatever the other package raises while it is imported
        raise ArchspecError(f"'{name}' of {_package(offers[0])} cannot be loaded: {error}") from error


@cache
def _offered(group: str, path: tuple[str, ...]) -> Mapping[str, tuple["EntryPoint", ...]]:  # noqa: ARG001  # the key
    """What the packages on a path offer, by name; the metadata of all of them are read once."""
    from importlib.metadata import entry_points

    found: dict[str, tuple[EntryPoint, ...]] = {}
    for offer in entry_points(group=group):
        found[offer.name] = (*found.get(offer.name, ()), offer)
    return found


def _package(offer: "EntryPoint") -> str:
    return offer.dist.name if offer.dist else offer.value


def extra_of(error: ModuleNotFoundError) -> MissingExtraError | None:
    """What says how to get the module that was not found; None if no extra brings it.

    >>> print(extra_of(ModuleNotFoundError(name="torch.nn")))
    this needs torch: pip install 'archspec-nn[torch]'; in a checkout: pip install -c constraints.txt '.[torch]'
    """
    module = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in EXTRAS.items() if module in modules), None)
    return None if extra is None else MissingExtraError(f"this needs {module}: {installed_by(extra)}")
