"""Modules that have the arrays of another: these stand once in the state dict, under the name of their owner."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from torch import nn

COUNTER = "num_batches_tracked"
"""What torch keeps beside a batch normalisation's statistics, and whoever has those has too."""


def share(module: nn.Module, owners: dict[str, nn.Module]) -> None:
    """Let a module have arrays of others, whatever becomes of those.

    Args:
        module: Its own arrays of these names go.
        owners: By the name of an array, the module that has it.

    >>> one, two = nn.Linear(3, 2), nn.Linear(3, 2)
    >>> share(two, {"weight": one, "bias": one})
    >>> two.weight is one.weight, list(two.state_dict())
    (True, [])
    """
    if "running_mean" in owners and hasattr(module, COUNTER):
        owners = {**owners, COUNTER: owners["running_mean"]}
    for name in owners:
        delattr(module, name)
    cls: Any = type(module)
    module.__class__ = _sharing(cls, tuple(owners))
    module.__dict__["_owners"] = {name: (owner,) for name, owner in owners.items()}  # in a tuple it is no child


class Sharing:
    """What a module that shares has beside its class; copied and pickled by that class and the names.

    Attributes:
        _shared: Its class without this, and the names of the arrays.
        _owners: By name, who has an array.
    """

    _shared: tuple[type[nn.Module], tuple[str, ...]]
    _owners: dict[str, tuple[nn.Module]]

    def __reduce__(self) -> tuple[Callable[..., nn.Module], tuple[Any, ...], dict[str, Any]]:
        return _blank, self._shared, self.__dict__

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Load what is its own; a normalisation without any would look for a counter, too."""
        if self._parameters or self._buffers:  # type: ignore[attr-defined]  # a module's
            super()._load_from_state_dict(*args, **kwargs)  # type: ignore[misc]  # a module's


def _blank(cls: Any, names: tuple[str, ...]) -> nn.Module:
    made = _sharing(cls, names)
    blank: nn.Module = made.__new__(made)
    return blank


@cache
def _sharing(cls: Any, names: tuple[str, ...]) -> Any:
    """The class of modules of a class that have these arrays of others."""
    found = {name: property(partial(_owned, name)) for name in names}
    return type(cls.__name__, (Sharing, cls), {"_shared": (cls, names), **found})


def _owned(name: str, module: Any) -> Any:
    return getattr(module._owners[name][0], name)
