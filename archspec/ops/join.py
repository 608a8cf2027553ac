"""Operators of several inputs: the joins of branches."""

from types import MappingProxyType

from archspec.errors import ShapeError
from archspec.ops.base import Axis, Free, Function, Operations, Tensor, Weightless, axis, is_one, same_size

_AXES = ("batch", "channels", "height", "width")


class Add(Weightless, name="add"):
    """The sum of tensors of one shape: the residual connection."""

    arity = "many"
    in_place = True
    overwritable = True

    def output(self, *xs: Tensor) -> Tensor:
        """The shape all inputs have."""
        return _alike(xs, self.name)

    def operations(self, *xs: Tensor) -> Operations:
        """One addition per element for each input after the first."""
        return Operations(additions=(len(xs) - 1) * xs[0].elements)

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.add`, two at a time."""
        return Function("torch.add", takes="fold")


class Subtract(Weightless, name="subtract"):
    """The first tensor less the others, all of one shape."""

    arity = "many"
    in_place = True
    overwritable = True

    def output(self, *xs: Tensor) -> Tensor:
        """The shape all inputs have."""
        return _alike(xs, self.name)

    def operations(self, *xs: Tensor) -> Operations:
        """One subtraction per element for each input after the first."""
        return Operations(additions=(len(xs) - 1) * xs[0].elements)

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.sub`, two at a time."""
        return Function("torch.sub", takes="fold")


class Mul(Weightless, name="mul"):
    """The product of tensors; an axis of size 1 is spread over the others' (a gate, as in squeeze and excitation)."""

    arity = "many"

    def output(self, *xs: Tensor) -> Tensor:
        """The shape to which all inputs spread."""
        return _alike(xs, self.name, spread=True)

    def operations(self, *xs: Tensor) -> Operations:
        """One multiplication per output element for each input after the first."""
        return Operations(multiplications=(len(xs) - 1) * self.output(*xs).elements)

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.mul`, two at a time."""
        return Function("torch.mul", takes="fold")


class Concat(Free, name="concat"):
    """The inputs one behind the other along an axis, the channels unless said otherwise."""

    arity = "many"
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


def _alike(xs: tuple[Tensor, ...], operator: str, spread: bool = False) -> Tensor:
    """The shape that all inputs have, or spread to."""
    shape = list(xs[0].shape)
    for number, x in enumerate(xs[1:], 2):
        _check_rank(xs[0], x, number, operator)
        for dim, (a, b) in enumerate(zip(shape, x.shape, strict=True)):
            if spread and is_one(a):
                shape[dim] = b
            elif not (spread and is_one(b)) and not same_size(a, b):
                which = _axis(dim, len(shape))
                raise ShapeError(f"{operator} needs equal {which}: {a} in branch 1, {b} in branch {number}")
    return Tensor(tuple(shape))


def _check_rank(first: Tensor, x: Tensor, number: int, operator: str) -> None:
    if len(first.shape) != len(x.shape):
        raise ShapeError(f"{operator} needs inputs of as many axes: {first} in branch 1, {x} in branch {number}")


def _axis(dim: int, rank: int) -> str:
    return _AXES[dim] if rank in (2, 4) else f"axis {dim}"
