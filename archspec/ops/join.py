"""Operators of several inputs: the joins of branches."""

from types import MappingProxyType
from typing import ClassVar

from archspec.errors import ShapeError
from archspec.ops.base import (
    FREE,
    Axis,
    Free,
    Function,
    Operations,
    Switch,
    Tensor,
    Weightless,
    axis,
    same_size,
    spread,
)

_AXES = ("batch", "channels", "height", "width")


class _Folded(Weightless):
    """What is done to two tensors at a time, from the left; `one` is the arithmetic of one element."""

    arity = "many"
    in_turn = True
    one: ClassVar[Operations]
    function_name: ClassVar[str]

    def output(self, *xs: Tensor) -> Tensor:
        """The shape that all inputs have, or spread to."""
        shape, broadcast = list(xs[0].shape), getattr(self, "broadcast", True)
        for number, x in enumerate(xs[1:], 2):
            _check_rank(xs[0], x, number, self.name)
            for dim, (a, b) in enumerate(zip(shape, x.shape, strict=True)):
                size = spread(a, b) if broadcast else a if same_size(a, b) else None
                if size is None:
                    which = _axis(dim, len(shape))
                    both = f"; {Tensor(tuple(shape))} and {x} cannot be broadcast" if broadcast else ""
                    raise ShapeError(f"{self.name} needs equal {which}: {a} in branch 1, {b} in branch {number}{both}")
                shape[dim] = size
        return Tensor(tuple(shape))

    def operations(self, *xs: Tensor) -> Operations:
        """That of one element, for each element of what comes of an input after the first."""
        done = FREE
        for number in range(2, len(xs) + 1):
            done += self.one.times(self.output(*xs[:number]).elements)
        return done

    def torch_call(self, *xs: Tensor) -> Function:
        """The function of torch, two at a time."""
        return Function(f"torch.{self.function_name}", takes="fold")


class Add(_Folded, name="add"):
    """The sum of tensors of one shape: the residual connection; with `broadcast` an axis of size 1 is spread."""

    in_place = True
    overwritable = True
    one, function_name = Operations(additions=1), "add"
    broadcast: Switch = False


class Subtract(_Folded, name="subtract"):
    """The first tensor less the others, all of one shape; with `broadcast` an axis of size 1 is spread."""

    in_place = True
    overwritable = True
    one, function_name = Operations(additions=1), "sub"
    broadcast: Switch = False


class Mul(_Folded, name="mul"):
    """The product of tensors; an axis of size 1 is spread over the others' (a gate, as in squeeze and excitation)."""

    one, function_name = Operations(multiplications=1), "mul"


class Divide(_Folded, name="divide"):
    """The first tensor over the others; an axis of size 1 is spread over the others'."""

    one, function_name = Operations(divisions=1), "div"


class ElementwiseMaximum(_Folded, name="maximum"):
    """The larger of elements of tensors of one shape; with `broadcast` an axis of size 1 is spread."""

    one, function_name = Operations(comparisons=1), "maximum"
    broadcast: Switch = False


class ElementwiseMinimum(_Folded, name="minimum"):
    """The smaller of elements of tensors of one shape; with `broadcast` an axis of size 1 is spread."""

    one, function_name = Operations(comparisons=1), "minimum"
    broadcast: Switch = False


class Concat(Free, name="concat"):
    """The inputs one behind the other along an axis, the channels unless said otherwise."""

    arity = "many"
    in_turn = True
    overwritable = True
    torch_defaults = MappingProxyType({"dim": 0})
    dim: Axis = 1

    def output(self, *xs: Tensor) -> Tensor:
        """The shape of the first with the sizes along `dim` added up."""
        first, dim = xs[0].shape, axis(xs[0], self.dim, self.name)
        for number, x in enumerate(xs[1:], 2):
            _check_rank(xs[0], x, number, self.name)
            for other, (a, b) in enumerate(zip(first, x.shape, strict=True)):
                if other != dim and not same_size(a, b):
                    joined, differs = _axis(dim, len(first)), _axis(other, len(first))
                    raise ShapeError(f"{self.name} joins {joined}; {differs} differs: {a} in branch 1, {b} in {number}")
        joined = sum((x.shape[dim] for x in xs[1:]), first[dim])
        return Tensor((*first[:dim], joined, *first[dim + 1 :]))

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.cat`."""
        return self.function("torch.cat", {"dim": self.dim}, takes="list")


def _check_rank(first: Tensor, x: Tensor, number: int, operator: str) -> None:
    if len(first.shape) != len(x.shape):
        raise ShapeError(f"{operator} needs inputs of as many axes: {first} in branch 1, {x} in branch {number}")


def _axis(dim: int, rank: int) -> str:
    return _AXES[dim] if rank in (2, 4) else f"axis {dim}"
