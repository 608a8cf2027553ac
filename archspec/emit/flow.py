"""What flows through a body: the sizes of a tensor, or one of two tensors of different rank."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Either:
    """One shape if a condition holds, else another, of another number of axes."""

    condition: Any
    then: Any
    otherwise: Any


def mapped(change: Callable[[Any], Any], flow: Any) -> Any:
    """A shape, or either of two, with every size changed."""
    if isinstance(flow, Either):
        return Either(change(flow.condition), mapped(change, flow.then), mapped(change, flow.otherwise))
    return tuple(map(change, flow))


def sizes(flow: Any) -> tuple[Any, ...]:
    """All sizes and conditions in what flows."""
    if isinstance(flow, Either):
        return (flow.condition, *sizes(flow.then), *sizes(flow.otherwise))
    return tuple(flow or ())
