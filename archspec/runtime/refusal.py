"""What torch refuses, as a sentence that names the node."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from archspec.errors import ArchspecError

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, ArithmeticError)
"""What torch raises where it cannot make or run something."""


@contextmanager
def refusals(place: str | nn.Module) -> Iterator[None]:
    """Turn an error of torch's into one of ours.

    Args:
        place: The name of a node; or a model, whose innermost module that the error passed through is the node.

    Raises:
        ArchspecError: Torch refused something; says which node's, and what torch says.

    >>> with refusals("fc"):
    ...     nn.Linear(2, -1)
    Traceback (most recent call last):
    archspec.errors.ArchspecError: node 'fc': torch refuses it: Trying to create tensor with negative dimension -1
    """
    try:
        yield
    except ArchspecError:
        raise
    except REFUSALS as error:
        node = place if isinstance(place, str) else _innermost(place, error)
        where = f"node '{node}': torch refuses it" if node else "torch refuses the model"
        raise ArchspecError(f"{where}: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def _innermost(model: nn.Module, error: BaseException) -> str:
    """The name of the innermost module of a model in which an error was raised."""
    names = {id(module): name for name, module in model.named_modules()}
    found, step = "", error.__traceback__
    while step is not None:
        found = names.get(id(step.tb_frame.f_locals.get("self")), "") or found
        step = step.tb_next
    return found.replace(".", "/")
