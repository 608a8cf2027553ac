"""What not everybody needs is an extra of the distribution; where it is missing, one sentence says how to get it."""

from importlib.util import find_spec

from archspec.errors import MissingExtraError

EXTRAS = {
    "torch": ("torch",),
    "train": ("accelerate", "safetensors", "sklearn", "PIL"),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "compress": ("bitarray", "scipy"),
    "plot": ("altair", "vl_convert"),
    "report": ("jinja2", "latex2mathml"),
    "sweep": ("duckdb", "joblib", "optuna"),
}
"""The modules that each extra brings."""


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


def extra_of(error: ModuleNotFoundError) -> MissingExtraError | None:
    """What says how to get the module that was not found; None if no extra brings it.

    >>> print(extra_of(ModuleNotFoundError(name="torch.nn")))
    this needs torch: pip install 'archspec-nn[torch]'
    """
    module = (error.name or "").partition(".")[0]
    extra = next((extra for extra, modules in EXTRAS.items() if module in modules), None)
    return None if extra is None else MissingExtraError(f"this needs {module}: pip install 'archspec-nn[{extra}]'")
