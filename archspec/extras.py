"""What not everybody needs is an extra of the distribution; where it is missing, one sentence says how to get it."""

from importlib.util import find_spec

from archspec.errors import MissingExtraError


def need(extra: str, *modules: str) -> None:
    """Make sure that an extra is installed, without loading it.

    Args:
        extra: Its name, as in `archspec-nn[onnx]`.
        modules: What it brings.

    Raises:
        MissingExtraError: A module is not there.

    >>> need("torch", "no_such_module")
    Traceback (most recent call last):
    archspec.errors.MissingExtraError: this needs no_such_module: pip install 'archspec-nn[torch]'
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingExtraError(f"this needs {' and '.join(missing)}: pip install 'archspec-nn[{extra}]'")
