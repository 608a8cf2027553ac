"""What not everybody needs: extras of the distribution, and what other packages offer by entry points."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from types import ModuleType
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


class LateModule(ModuleType):
    """A module that is imported when something of it is first asked for.

    >>> LateModule("fractions").Fraction(1, 2)
    Fraction(1, 2)
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what those ask who look at any module, a collector of tests say
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


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


@contextmanager
def quiet(*, prints: bool = False) -> Iterator[None]:
    """Let libraries say nothing of their own while they read or write: no warnings, and no logs of this thread.

    What a person should know of a file is raised, or noted. Other threads log as they did.

    Args:
        prints: Whether what is printed is lost, too; not where a person's own code runs.

    >>> import logging
    >>> with quiet(prints=True):
    ...     logging.getLogger("onnxscript").warning("Evaluation failed")
    ...     print("Evaluation failed")
    """
    import logging  # here alone: `import archspec` needs none of it
    import warnings
    from threading import get_ident

    mine = get_ident()

    def by_others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    known = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = {handler for each in known if isinstance(each, logging.Logger) for handler in each.handlers}
    handlers |= {logging.lastResort} if logging.lastResort else set()
    nowhere = StringIO()
    with warnings.catch_warnings(), ExitStack() as held:
        warnings.simplefilter("ignore")
        for redirected in (redirect_stdout, redirect_stderr) if prints else ():
            held.enter_context(redirected(nowhere))
        for handler in handlers:
            handler.addFilter(by_others)
            held.callback(handler.removeFilter, by_others)
        yield
