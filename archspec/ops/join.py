"""Operators of several inputs: the joins of branches."""

from archspec.dims import Dim, is_number
from archspec.errors import ShapeError
from archspec.ops.base import Free, Function, Operations, Tensor, Weightless, same_size

_AXES = ("batch", "channels", "height", "width")


class Add(Weightless, name="add"):
    """The sum of tensors of one shape: the residual connection."""

    arity = "many"

    def output(self, *xs: Tensor) -> Tensor:
        """The shape all inputs have."""
        return _alike(xs, self.name)

    def operations(self, *xs: Tensor) -> Operations:
        """An addition an element for each input after the first."""
        return Operations(additions=(len(xs) - 1) * xs[0].elements)

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.add`, two at a time."""
        return Function("torch.add", takes="fold")


class Mul(Weightless, name="mul"):
    """The product of tensors; an axis of size 1 is spread over the others' (a gate, as in squeeze and excitation)."""

    arity = "many"

    def output(self, *xs: Tensor) -> Tensor:
        """The shape to which all inputs spread."""
        return _alike(xs, self.name, spread=True)

    def operations(self, *xs: Tensor) -> Operations:
        """A multiplication an output element for each input after the first."""
        return Operations(multiplications=(len(xs) - 1) * self.output(*xs).elements)

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.mul`, two at a time."""
        return Function("torch.mul", takes="fold")


class Concat(Free, name="concat"):
    """The inputs one behind the other along an axis, the channels unless said otherwise."""

    arity = "many"
    dim: int = 1

    def output(self, *xs: Tensor) -> Tensor:
        """The shape of the first with the sizes along `dim` added up."""
        first = xs[0].shape
        if not 1 <= self.dim < len(first):
            raise ShapeError(f"{self.name} along axis {self.dim} needs inputs of more axes than {xs[0]}")
        for number, x in enumerate(xs[1:], 2):
            _check_rank(xs[0], x, number, self.name)
            for axis, (a, b) in enumerate(zip(first, x.shape, strict=True)):
                if axis != self.dim and not same_size(a, b):
                    joined = _axis(self.dim, len(first))
                    differs = _axis(axis, len(first))
                    raise ShapeError(f"{self.name} joins {joined}; {differs} differs: {a} in branch 1, {b} in {number}")
        joined = sum((x.shape[self.dim] for x in xs[1:]), first[self.dim])
        return Tensor((*first[: self.dim], joined, *first[self.dim + 1 :]))

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.cat`."""
        return Function("torch.cat", {"dim": self.dim}, takes="list")


def _alike(xs: tuple[Tensor, ...], operator: str, spread: bool = False) -> Tensor:
    """The shape that all inputs have, or spread to."""
    shape = list(xs[0].shape)
    for number, x in enumerate(xs[1:], 2):
        _check_rank(xs[0], x, number, operator)
        for axis, (a, b) in enumerate(zip(shape, x.shape, strict=True)):
            if same_size(a, b) or (spread and _is_one(b)):
                continue
            if not (spread and _is_one(a)):
                which = _axis(axis, len(shape))
                raise ShapeError(f"{operator} needs equal {which}: {a} in branch 1, {b} in branch {number}")
            shape[axis] = b
    return Tensor(tuple(shape))


def _is_one(size: Dim) -> bool:
    return is_number(size) and size == 1


def _check_rank(first: Tensor, x: Tensor, number: int, operator: str) -> None:
    if len(first.shape) != len(x.shape):
        raise ShapeError(f"{operator} needs inputs of as many axes: {first} in branch 1, {x} in branch {number}")


def _axis(axis: int, rank: int) -> str:
    return _AXES[axis] if rank in (2, 4) else f"axis {axis}"
