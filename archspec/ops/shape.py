"""Operators that hand on or rearrange what flows without computing on it."""

from operator import index as as_index
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator

from archspec.dims import Dim, exact, is_whole, product, reaches, settled
from archspec.errors import ShapeError
from archspec.ops.base import (
    Axes,
    Axis,
    Domain,
    Free,
    Function,
    Module,
    Natural,
    OneModule,
    Positive,
    Probability,
    Sight,
    SizesOrRest,
    Tensor,
    Unchanged,
    any_spatial,
    axis,
    divided,
    positive,
    quotient,
    same_size,
    whole_image,
)


def _sections(value: Any) -> Any:
    return tuple(map(positive, value)) if isinstance(value, (list, tuple)) else positive(value)


def _place(value: Any) -> int:
    number = settled(value)
    if type(number) is not int:
        raise ValueError(f"must be a whole number (got {value})")
    return number


def _places(value: Any) -> tuple[Any, ...]:
    listed = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(map(exact, listed))
    if not found or not all(map(is_whole, found)):
        raise ValueError(f"must be whole numbers (got {list(listed)})")
    return found


class Identity(Unchanged, Free, name="identity"):
    """x: the shortcut of a residual block."""

    view = True

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Identity`."""
        return Module("torch.nn.Identity")


class Dropout(OneModule, Unchanged, Free, name="dropout"):
    """Sets elements to zero with probability p while training; does nothing otherwise (Srivastava et al. 2014)."""

    torch_class, leading = "torch.nn.Dropout", 1
    view = True
    p: Probability = 0.5


class StochasticDepth(OneModule, Unchanged, Free, name="stochastic_depth"):
    """Sets an input as a whole to zero with probability p while training, each of the batch by itself.

    What is kept is divided by 1 − p (Huang et al. 2016, arXiv:1603.09382; "drop path"). It stands at the end of a
    residual branch, and does nothing when evaluating.
    """

    torch_class, leading = "archspec.runtime.modules.DropPath", 1
    view = True
    example = MappingProxyType({"p": 0})
    p: Probability


class Flatten(OneModule, Free, name="flatten"):
    """All axes but the batch as one, or those from `start_dim` to `end_dim`.

    >>> Flatten().output(Tensor((1, 50, 4, 4))).shape
    (1, 800)
    >>> Flatten(start_dim=2).output(Tensor((1, 768, 14, 14))).shape
    (1, 768, 196)
    """

    torch_class, leading = "torch.nn.Flatten", 2
    view = True
    start_dim: Axis = 1
    end_dim: Axis = -1

    def output(self, x: Tensor) -> Tensor:
        """n × (c·h·w), or the sizes of the axes between as one."""
        start, end = (axis(x, dim, self.name) for dim in (self.start_dim, self.end_dim))
        if start > end:
            raise ShapeError(f"{self.name} from axis {start} to {end}: there is none between", "end_dim")
        return Tensor((*x.shape[:start], product(x.shape[start : end + 1]), *x.shape[end + 1 :]))

    def sight(self, x: Tensor) -> Sight:
        """Everything, as whoever reads a vector does; else each element is still of its place."""
        return whole_image(x) if len(self.output(x).shape) == 2 else Sight()


class Unflatten(Free, name="unflatten"):
    """One axis as several: `unflatten: {dim: -1, unflattened_size: [heads, 64]}`; one size may be -1.

    >>> Unflatten(dim=-1, unflattened_size=(12, -1)).output(Tensor((1, 197, 768))).shape
    (1, 197, 12, 64)
    """

    view = True
    example = MappingProxyType({"dim": 1, "unflattened_size": ("q", -1)})
    dim: Axis
    unflattened_size: SizesOrRest

    def output(self, x: Tensor) -> Tensor:
        """The sizes in place of that of the axis."""
        dim = axis(x, self.dim, self.name)
        return Tensor((*x.shape[:dim], *self._sizes(x), *x.shape[dim + 1 :]))

    def _sizes(self, x: Tensor) -> tuple[Dim, ...]:
        size = x.shape[axis(x, self.dim, self.name)]
        return divided(size, self.unflattened_size, f"{self.name}: the {size} of axis {self.dim} of {x}")

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Unflatten`."""
        kwargs = {"dim": self.dim, "unflattened_size": self._sizes(x)}
        return self.module("torch.nn.Unflatten", kwargs, 2)


class Reshape(Free, name="reshape"):
    """The same elements in the same order with other sizes behind the batch, of which one may be -1.

    >>> Reshape(shape=(49, -1)).output(Tensor((1, 8, 7, 7))).shape
    (1, 49, 8)
    """

    view = True
    example = MappingProxyType({"shape": ("q", -1)})
    shape: SizesOrRest

    def output(self, x: Tensor) -> Tensor:
        """n × shape."""
        return Tensor((x.shape[0], *self._sizes(x)))

    def _sizes(self, x: Tensor) -> tuple[Dim, ...]:
        elements = product(x.shape[1:])
        return divided(elements, self.shape, f"{self.name}: the {elements} elements of {x}")

    def sight(self, x: Tensor) -> Sight:
        """Everything where a vector comes of it; else each element is still of its place."""
        return whole_image(x) if len(self.shape) == 1 else Sight()

    def torch_call(self, x: Tensor) -> Function:
        """`torch.reshape`, whose first size is what is left: the batch."""
        return self.function("torch.reshape", {"shape": (-1, *self._sizes(x))})


class Transpose(Free, name="transpose"):
    """Two axes exchanged: by default the first two behind the batch.

    >>> Transpose().output(Tensor((1, 768, 196))).shape
    (1, 196, 768)
    """

    view = True
    example = MappingProxyType({"dim0": 1, "dim1": 2})
    dim0: Axis = 1
    dim1: Axis = 2

    def output(self, x: Tensor) -> Tensor:
        """X with the sizes of the two axes exchanged."""
        one, other = (axis(x, dim, self.name) for dim in (self.dim0, self.dim1))
        shape = list(x.shape)
        shape[one], shape[other] = shape[other], shape[one]
        return Tensor(tuple(shape))

    def torch_call(self, x: Tensor) -> Function:
        """`torch.transpose`."""
        return Function("torch.transpose", {"dim0": self.dim0, "dim1": self.dim1})


class Permute(Free, name="permute"):
    """All axes behind the batch in another order: `permute: {dims: [2, 3, 1]}` puts channels last.

    >>> Permute(dims=(2, 3, 1)).output(Tensor((1, 3, 224, 200))).shape
    (1, 224, 200, 3)
    """

    view = True
    example = MappingProxyType({"dims": (2, 3, 1)})
    dims: Axes

    def output(self, x: Tensor) -> Tensor:
        """The sizes in that order."""
        return Tensor(tuple(x.shape[dim] for dim in self._order(x)))

    def _order(self, x: Tensor) -> tuple[int, ...]:
        order = tuple(axis(x, dim, self.name) for dim in self.dims)
        if sorted(order) != [*range(1, len(x.shape))]:
            wanted = f"1 to {len(x.shape) - 1}"
            raise ShapeError(f"{self.name} of {x} names each axis from {wanted} once, found {list(self.dims)}", "dims")
        return (0, *order)

    def torch_call(self, x: Tensor) -> Function:
        """`torch.permute`."""
        return Function("torch.permute", {"dims": self._order(x)})


class ChannelShuffle(OneModule, Unchanged, Free, name="channel_shuffle"):
    """Reshape the channels to (g, n), transpose, flatten (Zhang et al. 2017, arXiv:1707.01083, section 3.1)."""

    torch_class, leading = "torch.nn.ChannelShuffle", 1
    groups: Positive

    def check(self, x: Tensor) -> None:
        """Its channels divide into the groups."""
        any_spatial(x, self.name)
        quotient(x.shape[1], self.groups, f"{x.shape[1]} channels do not divide into {self.groups} groups", "groups")


class Split(Free, name="split"):
    """One part of the channels: `sections` equal parts, or parts of the given sizes; `index` counts from 0.

    >>> Split(sections=2, index=1).output(Tensor((1, 116, 28, 28))).shape
    (1, 58, 28, 28)
    """

    view = True
    sections: Annotated[
        Any, BeforeValidator(_sections), Domain("a whole number from 1, or a list of the parts' sizes", "size")
    ]
    index: Natural
    dim: Axis = 1

    def output(self, x: Tensor) -> Tensor:
        """X with the channels of that part."""
        dim, _, length = self._part(x)
        return Tensor((*x.shape[:dim], length, *x.shape[dim + 1 :]))

    def _part(self, x: Tensor) -> tuple[int, Dim, Dim]:
        """Along which axis the part lies, where it begins, and its length."""
        dim = axis(x, self.dim, self.name)
        channels, sections = x.shape[dim], self.sections
        listed = isinstance(sections, tuple)
        parts, index = (len(sections), as_index(settled(self.index))) if listed else (sections, self.index)
        if not reaches(parts, index + 1):
            raise ShapeError(f"there is no part {index} of {parts}; parts count from 0", "index")
        if listed:
            if not same_size(sum(sections), channels):
                raise ShapeError(f"the sections add up to {sum(sections)}, not to the {channels} channels of the input")
            return dim, sum(sections[:index]), sections[index]
        length = quotient(
            channels, sections, f"{channels} channels do not split into {sections} equal parts", "sections"
        )
        return dim, index * length, length

    def torch_call(self, x: Tensor) -> Function:
        """`torch.narrow`."""
        dim, start, length = self._part(x)
        return Function("torch.narrow", {"dim": dim, "start": start, "length": length})


class Narrow(Free, name="narrow"):
    """A piece of one axis: `length` of it, from `start` on."""

    view = True
    example = MappingProxyType({"dim": 1})
    start: Natural = 0
    length: Positive
    dim: Axis = 1

    def output(self, x: Tensor) -> Tensor:
        """X with `length` in place of the axis' size."""
        dim = axis(x, self.dim, self.name)
        if not reaches(x.shape[dim], self.start + self.length):
            end = self.start + self.length
            raise ShapeError(f"{self.name} takes up to {end} of axis {dim} of {x}, which has {x.shape[dim]}", "length")
        return Tensor((*x.shape[:dim], self.length, *x.shape[dim + 1 :]))

    def torch_call(self, x: Tensor) -> Function:
        """`torch.narrow`."""
        return Function("torch.narrow", {"dim": self.dim, "start": self.start, "length": self.length})


class Select(Free, name="select"):
    """One place of an axis, which is gone then: the first token, the last step of a sequence (`index: -1`)."""

    view = True
    example = MappingProxyType({"dim": 1, "index": 0})
    index: Annotated[Any, BeforeValidator(_place), Domain("a whole number from 0, or one below 0 from the end", "axis")]
    dim: Axis = 1

    def output(self, x: Tensor) -> Tensor:
        """X without that axis."""
        dim = axis(x, self.dim, self.name)
        if not reaches(x.shape[dim], self.index + 1 if self.index >= 0 else -self.index):
            raise ShapeError(f"{self.name}: axis {dim} of {x} has no place {self.index}", "index")
        return Tensor((*x.shape[:dim], *x.shape[dim + 1 :]))

    def torch_call(self, x: Tensor) -> Function:
        """`torch.select`."""
        return Function("torch.select", {"dim": self.dim, "index": self.index})


class Roll(Unchanged, Free, name="roll"):
    """Axes moved round: what leaves at the end comes in at the beginning (Swin; Liu et al. 2021, arXiv:2103.14030)."""

    example = MappingProxyType({"shifts": (1,), "dims": (2,)})
    shifts: Annotated[Any, BeforeValidator(_places), Domain("a whole number, or a list of one for each axis", "sizes")]
    dims: Axes

    def check(self, x: Tensor) -> None:
        """It has the axes, each with a shift."""
        for dim in self.dims:
            axis(x, dim, self.name)
        if len(self.shifts) != len(self.dims):
            raise ShapeError(
                f"{self.name} needs a shift for each axis: {len(self.shifts)} for {len(self.dims)}", "dims"
            )

    def torch_call(self, x: Tensor) -> Function:
        """`torch.roll`."""
        return Function("torch.roll", {"shifts": self.shifts, "dims": self.dims})
