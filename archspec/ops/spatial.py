"""Operators on the axes behind the channels: what is put around or cut off, pixels and channels exchanged, resizing."""

from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from archspec.dims import Dim, divide, known_less
from archspec.errors import ShapeError
from archspec.ops.base import (
    AXES,
    FREE,
    Domain,
    Free,
    Function,
    Module,
    OneModule,
    Operations,
    Positive,
    PositivePerAxis,
    Real,
    Sight,
    Switch,
    Tensor,
    Weightless,
    any_spatial,
    image,
    natural,
    per_axis,
    quotient,
    same_size,
)
from archspec.ops.window import Sides, pad_call


def _four(value: Any) -> tuple[Dim, ...]:
    if isinstance(value, (list, tuple)) and len(value) == 4:
        return tuple(map(natural, value))
    if isinstance(value, (list, tuple)) and len(value) == 2:
        height, width = map(natural, value)
    elif isinstance(value, (list, tuple)):
        raise ValueError(f"must be one size, [height, width] or [top, bottom, left, right] (got {len(value)} sizes)")
    else:
        height = width = natural(value)
    return height, height, width, width


def _around(value: Any) -> Any:
    return tuple(map(natural, value)) if isinstance(value, (list, tuple)) else natural(value)


Around = Annotated[
    Any,
    BeforeValidator(_around),
    Domain("a whole number from 0, a list of one for each axis, or of two for each axis: before and behind", "size", 0),
]
"""What is put around or cut off the axes behind the channels."""


def around(padding: Any, x: Tensor, operator: str, field: str) -> Sides:
    """What stands before and behind each axis behind the channels.

    Raises:
        ShapeError: There are not as many numbers as axes, or twice as many.
    """
    axes = any_spatial(x, operator)
    if isinstance(padding, tuple) and len(padding) == 2 * axes:
        return tuple(zip(padding[::2], padding[1::2], strict=True))
    if isinstance(padding, tuple) and len(padding) != axes:
        words = f"one number, {axes} or {2 * axes}"
        raise ShapeError(f"{operator} of {x} takes {words} (got {len(padding)})", field)
    return tuple((one, one) for one in per_axis(padding, axes))


class ZeroPad(Free, name="zero_pad"):
    """Rows and columns of zeros: one size, [height, width], or [top, bottom, left, right]."""

    padding: Annotated[
        Any,
        BeforeValidator(_four),
        Domain("a whole number from 0, `[height, width]` or `[top, bottom, left, right]`", "size", 0),
    ]

    def output(self, x: Tensor) -> Tensor:
        """n × c × (h + top + bottom) × (w + left + right)."""
        n, c, h, w = image(x, self.name)
        top, bottom, left, right = self.padding
        return Tensor((n, c, h + top + bottom, w + left + right))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.ZeroPad2d`, whose order is left, right, top, bottom."""
        top, bottom, left, right = self.padding
        return self.module("torch.nn.ZeroPad2d", {"padding": (left, right, top, bottom)}, 1)


class Pad(Free, name="pad"):
    """Rows and columns around: a value, what is next to the border mirrored, the border itself, or the other side."""

    padding: Around
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: Real = 0

    def output(self, x: Tensor) -> Tensor:
        """N × c × (h + before + behind) × …"""
        sides = self._sides(x)
        return Tensor((*x.shape[:2], *(h + a + b for h, (a, b) in zip(x.shape[2:], sides, strict=True))))

    def _sides(self, x: Tensor) -> Sides:
        """What is put before and behind each axis; no more than there is to mirror."""
        sides = around(self.padding, x, self.name, "padding")
        for h, pair, axis in zip(x.shape[2:], sides, AXES[len(sides)], strict=True):
            room = h - 1 if self.mode == "reflect" else h
            if self.mode in {"reflect", "circular"} and any(known_less(room, side) for side in pair):
                words = f"of {axis} {h} can be at most {room}, found {' and '.join(map(str, pair))}"
                raise ShapeError(f"{self.name}: the padding '{self.mode}' {words}", "padding")
        return sides

    def torch_call(self, x: Tensor) -> Function:
        """`torch.nn.functional.pad`."""
        value = {"value": self.value} if self.mode == "constant" else {}
        call = pad_call(self._sides(x))
        return Function(call.target, {**call.kwargs, "mode": self.mode, **value}, leading=1, defaults=_PAD_DEFAULTS)


_PAD_DEFAULTS = {"mode": "constant"}


class Crop(Free, name="crop"):
    """Rows and columns cut off: what `pad` puts around."""

    cropping: Around

    def output(self, x: Tensor) -> Tensor:
        """N × c × (h − before − behind) × …"""
        sides = around(self.cropping, x, self.name, "cropping")
        for h, (before, behind), axis in zip(x.shape[2:], sides, AXES[len(sides)], strict=True):
            if known_less(h, before + behind + 1):
                raise ShapeError(f"{self.name} of {before} and {behind} leaves nothing of {axis} {h}", "cropping")
        return Tensor((*x.shape[:2], *(h - a - b for h, (a, b) in zip(x.shape[2:], sides, strict=True))))

    def torch_call(self, x: Tensor) -> Function:
        """`torch.nn.functional.pad` by less than nothing."""
        sides = around(self.cropping, x, self.name, "cropping")
        return pad_call(tuple((0 - before, 0 - behind) for before, behind in sides))


class PixelShuffle(OneModule, Free, name="pixel_shuffle"):
    """Channels become pixels: c·r² × h × w to c × h·r × w·r (Shi et al. 2016, arXiv:1609.05158)."""

    torch_class, leading = "torch.nn.PixelShuffle", 1
    upscale_factor: Positive

    def output(self, x: Tensor) -> Tensor:
        """N × c/r² × h·r × w·r."""
        n, c, h, w = image(x, self.name)
        r = self.upscale_factor
        return Tensor((n, _part(c, r**2, f"{self.name}: {c} channels", "upscale_factor"), h * r, w * r))

    def sight(self, x: Tensor) -> Sight:
        """One pixel; the next is 1/r further on."""
        return Sight((1, 1), per_axis(divide(1, self.upscale_factor), 2))


class PixelUnshuffle(OneModule, Free, name="pixel_unshuffle"):
    """Pixels become channels: c × h·r × w·r to c·r² × h × w, also called space to depth."""

    torch_class, leading = "torch.nn.PixelUnshuffle", 1
    downscale_factor: Positive

    def output(self, x: Tensor) -> Tensor:
        """N × c·r² × h/r × w/r."""
        n, c, h, w = image(x, self.name)
        r = self.downscale_factor
        h, w = (_part(size, r, f"{self.name}: a side of {size}", "downscale_factor") for size in (h, w))
        return Tensor((n, c * r**2, h, w))

    def sight(self, x: Tensor) -> Sight:
        """A square of r."""
        return Sight(*(per_axis(self.downscale_factor, 2),) * 2)


class Patches(Free, name="patches"):
    """An image as tokens: a row of c·p² numbers for each square of p × p pixels, as a kernel of p × p reads them.

    Dosovitskiy et al. 2020, arXiv:2010.11929, section 3.1. A linear layer of these is a convolution of stride p.

    >>> Patches(patch_size=16).output(Tensor((1, 3, 224, 224))).shape
    (1, 196, 768)
    """

    patch_size: PositivePerAxis

    def output(self, x: Tensor) -> Tensor:
        """N × (h/p)(w/p) × c·p²."""
        n, c, *sizes = image(x, self.name)
        ph, pw = per_axis(self.patch_size, 2)
        rows, columns = (
            _part(h, p, f"{self.name}: the {axis} {h}", "patch_size")
            for h, p, axis in zip(sizes, (ph, pw), AXES[2], strict=True)
        )
        return Tensor((n, rows * columns, c * ph * pw))

    def sight(self, x: Tensor) -> Sight:
        """A square of p."""
        return Sight(*(per_axis(self.patch_size, 2),) * 2)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Unfold`, and its columns as rows."""
        given = {"kernel_size": self.patch_size, "stride": self.patch_size}
        turned = Function("torch.transpose", {"dim0": 1, "dim1": 2})
        return self.module("torch.nn.Unfold", given, 1, after=(turned,))


class FromPatches(Free, name="from_patches"):
    """Tokens as an image, a square of p × p pixels each, in rows and columns of `grid`: what `patches` undoes."""

    example = MappingProxyType({"grid": ("rows", "columns")})
    letters = ("n rows*columns f",)
    grid: PositivePerAxis
    patch_size: PositivePerAxis

    def output(self, x: Tensor) -> Tensor:
        """N × features/p² × rows·p × columns·p."""
        if len(x.shape) != 3:
            raise ShapeError(f"{self.name} takes tokens × features, found {x}")
        n, tokens, features = x.shape
        (rows, columns), (ph, pw) = per_axis(self.grid, 2), per_axis(self.patch_size, 2)
        if not same_size(rows * columns, tokens):
            raise ShapeError(f"{self.name}: {rows} × {columns} patches are not the {tokens} tokens of {x}", "grid")
        channels = _part(features, ph * pw, f"{self.name}: {features} features", "patch_size")
        return Tensor((n, channels, rows * ph, columns * pw))

    def sight(self, x: Tensor) -> Sight:
        """A token each."""
        return Sight((1, 1), tuple(divide(1, p) for p in per_axis(self.patch_size, 2)))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Fold` of the rows as columns."""
        given = {"output_size": self.output(x).shape[2:], "kernel_size": self.patch_size, "stride": self.patch_size}
        turned = Function("torch.transpose", {"dim0": 1, "dim1": 2})
        return self.module("torch.nn.Fold", given, 2, before=(turned,))


def _part(a: Dim, b: Dim, what: str, field: str) -> Dim:
    return quotient(a, b, f"{what} does not divide by {b}", field)


class Upsample(Weightless, name="upsample"):
    """Enlarges height and width by a whole factor."""

    scale_factor: PositivePerAxis
    mode: Literal["nearest", "bilinear"] = "nearest"
    align_corners: Switch = False
    torch_defaults = MappingProxyType({"align_corners": None})

    def output(self, x: Tensor) -> Tensor:
        """n × c × factor·h × factor·w."""
        n, c, h, w = image(x, self.name)
        up, across = per_axis(self.scale_factor, 2)
        return Tensor((n, c, h * up, w * across))

    def sight(self, x: Tensor) -> Sight:
        """Nearest: one pixel; bilinear: two. A pixel further on is a fraction of one."""
        span = 1 if self.mode == "nearest" else 2
        up, across = per_axis(self.scale_factor, 2)
        return Sight((span, span), (divide(1, up), divide(1, across)))

    def operations(self, x: Tensor) -> Operations:
        """Nearest: none. Bilinear: four products and three sums per output."""
        if self.mode == "nearest":
            return FREE
        return Operations(multiplications=4, additions=3).times(self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Upsample`."""
        corners = {"align_corners": self.align_corners} if self.mode == "bilinear" else {}
        return self.module("torch.nn.Upsample", {"scale_factor": self.scale_factor, "mode": self.mode, **corners})


class Resize(Weightless, name="resize"):
    """Height and width made `size`, larger or smaller: each result between the pixels around its place."""

    size: PositivePerAxis
    mode: Literal["nearest", "bilinear", "bicubic"] = "nearest"
    align_corners: Switch = False
    torch_defaults = MappingProxyType({"size": None, "align_corners": None})

    def output(self, x: Tensor) -> Tensor:
        """N × c × size."""
        n, c, _, _ = image(x, self.name)
        return Tensor((n, c, *per_axis(self.size, 2)))

    def sight(self, x: Tensor) -> Sight:
        """Nearest: one pixel; bilinear: two; bicubic: four."""
        span = {"nearest": 1, "bilinear": 2, "bicubic": 4}[self.mode]
        sizes = zip(x.shape[2:], per_axis(self.size, 2), strict=True)
        return Sight((span, span), tuple(divide(h, o) for h, o in sizes))

    def operations(self, x: Tensor) -> Operations:
        """Of the t pixels around: t products and t − 1 sums per output; to the nearest none."""
        around = {"nearest": 0, "bilinear": 4, "bicubic": 16}[self.mode]
        if not around:
            return FREE
        return Operations(multiplications=around, additions=around - 1).times(self.output(x).elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Upsample`, which takes a size, too."""
        corners = {} if self.mode == "nearest" else {"align_corners": self.align_corners}
        return self.module("torch.nn.Upsample", {"size": per_axis(self.size, 2), "mode": self.mode, **corners}, 1)
