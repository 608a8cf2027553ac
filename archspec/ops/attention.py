"""Products of tensors with each other, attention, which is made of two of them, and what it knows of places.

Attention of n inputs with h heads of L queries and S keys is softmax(QKᵀ/√d)·V: 2·n·h·L·S·d multiply-accumulates, which
is 2·L²·width of L tokens (Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1). A causal mask leaves half of the
products out of use; kernels may skip them, but they are counted whole, as FlopCounterMode and the papers' tables do,
unless the convention `causal` is asked for.
"""

from types import MappingProxyType

from archspec.dims import Dim, equal, minimum, product, triangle
from archspec.errors import ShapeError
from archspec.ops.base import (
    AXES,
    FREE,
    AboveZero,
    Function,
    Module,
    NaturalPerAxis,
    OneModule,
    Operations,
    Operator,
    PerElement,
    Positive,
    PositivePerAxis,
    Probability,
    Switch,
    Tensor,
    Weight,
    Weightless,
    image,
    is_one,
    may_be_one,
    per_axis,
    quotient,
    same_size,
    spread,
)


class Matmul(Weightless, name="matmul"):
    """The matrix product of the last two axes of two tensors; the axes before them are equal, or 1 and spread.

    >>> Matmul().output(Tensor((1, 12, 197, 64)), Tensor((1, 12, 64, 197))).shape
    (1, 12, 197, 197)
    """

    arity = "many"
    sees_all = True
    letters = ("n heads l_q d_k", "n heads d_k l_k")

    def output(self, *xs: Tensor) -> Tensor:
        """… × l × s of … × l × d and … × d × s."""
        if len(xs) != 2:
            raise ShapeError(f"{self.name} takes two tensors, found {len(xs)}")
        x, y = xs
        if len(x.shape) != len(y.shape) or len(x.shape) < 3:
            raise ShapeError(f"{self.name} needs matrices of as many axes: {x} in branch 1, {y} in branch 2")
        *before, length, inner = x.shape
        *others, rows, columns = y.shape
        if not same_size(inner, rows):
            raise ShapeError(
                f"{self.name} of {x} and {y}: the {inner} columns of one are not the {rows} rows of the other"
            )
        return Tensor((*spread_sizes(before, others, x, y, self.name), length, columns))

    def operations(self, *xs: Tensor) -> Operations:
        """One multiply-accumulate per result and inner element."""
        return Operations(macs=self.output(*xs).elements * xs[0].shape[-1])

    def torch_call(self, *xs: Tensor) -> Function:
        """`torch.matmul`."""
        return Function("torch.matmul")


class ScaledDotProductAttention(Weightless, name="scaled_dot_product_attention"):
    """softmax(QKᵀ·scale + mask)·V of branches Q, K, V and perhaps a mask that is added (Vaswani et al. 2017).

    arXiv:1706.03762, equation 1. Q is … × L × d, K … × S × d, V … × S × e; `scale` is 1/√d unless given. `is_causal`
    lets a query see the keys up to its own place. With `enable_gqa` the heads (the axis before L) of Q are a multiple
    of those of K and V (Ainslie et al. 2023, arXiv:2305.13245); nothing is computed twice for the keys' sake, but all
    query heads are counted. With a `window` of W, which is causal, a query sees the W keys up to its own place (Beltagy
    et al. 2020, arXiv:2004.05150); its scores are counted whole, as they are computed, but only W keys are kept.

    >>> attention = ScaledDotProductAttention(is_causal=True, enable_gqa=True)
    >>> attention.output(Tensor((1, 32, 100, 128)), *[Tensor((1, 8, 100, 128))] * 2).shape
    (1, 32, 100, 128)
    """

    arity = "many"
    sees_all = True
    letters = ("n heads l_q d_k", "n heads l_k d_k", "n heads l_k d_v")
    example = MappingProxyType({"window": None})
    torch_defaults = MappingProxyType({"scale": None, "dropout_p": 0.0, "window": None})
    is_causal: Switch = False
    enable_gqa: Switch = False
    scale: AboveZero | None = None
    dropout_p: Probability = 0
    window: Positive | None = None

    def output(self, *xs: Tensor) -> Tensor:
        """… × L × e."""
        if len(xs) not in (3, 4):
            raise ShapeError(f"{self.name} takes the branches q, k, v and perhaps a mask, found {len(xs)}")
        q, k, v = xs[:3]
        rank = len(q.shape)
        if any(len(x.shape) != rank for x in xs) or rank < 3:
            shapes = ", ".join(map(str, xs))
            raise ShapeError(f"{self.name} needs q, k, v and mask of as many axes, three or more, found {shapes}")
        if not same_size(q.shape[-1], k.shape[-1]):
            raise ShapeError(
                f"{self.name}: a query of {q.shape[-1]} and a key of {k.shape[-1]} have no product ({q}, {k})"
            )
        if not same_size(k.shape[-2], v.shape[-2]):
            raise ShapeError(
                f"{self.name} needs as many keys as values, found {k.shape[-2]} and {v.shape[-2]} ({k}, {v})"
            )
        if self.window is not None and not self.is_causal:
            raise ShapeError(f"{self.name}: a window is of the keys before a query; give is_causal: true", "window")
        self._check_heads(q, k, v)
        if len(xs) == 4:
            self._check_mask(q, k, xs[3])
        return Tensor((*q.shape[:-1], v.shape[-1]))

    def _check_heads(self, q: Tensor, k: Tensor, v: Tensor) -> None:
        """The axes before the queries are the same; of grouped queries, the heads a multiple."""
        grouped = self.enable_gqa and len(q.shape) > 3
        until = -3 if grouped else -2
        for other in (k, v):
            if not all(map(same_size, q.shape[:until], other.shape[:until])):
                cure = "" if self.enable_gqa else "; with enable_gqa: true the heads of q may be a multiple"
                raise ShapeError(f"{self.name} needs as many heads of q as of k and v, found {q} and {other}{cure}")
        if grouped:
            fault = f"{q.shape[-3]} query heads do not divide into groups for {k.shape[-3]} key heads"
            quotient(q.shape[-3], k.shape[-3], f"{self.name}: {fault} ({q}, {k})", "enable_gqa")
            if not same_size(k.shape[-3], v.shape[-3]):
                raise ShapeError(f"{self.name} needs as many key heads as value heads, found {k} and {v}")

    def _check_mask(self, q: Tensor, k: Tensor, mask: Tensor) -> None:
        scores = (*q.shape[:-1], k.shape[-2])
        if self.is_causal:
            raise ShapeError(f"{self.name} is causal or takes a mask; leave out one of them", "is_causal")
        sizes = zip(mask.shape, scores, strict=True)
        if not all(is_one(a) or same_size(a, b) or may_be_one(a) for a, b in sizes):
            raise ShapeError(f"{self.name}: a mask of {mask} cannot be broadcast to the scores, {Tensor(scores)}")

    def cached(self, *xs: Tensor) -> Dim:
        """Of causal attention the keys and values, those in the window: n·kv_heads·min(S, W)·(d + e)."""
        if not self.is_causal:
            return 0
        _, k, v = xs[:3]
        kept = k.shape[-2] if self.window is None else minimum(k.shape[-2], self.window)
        return product(k.shape[:-2]) * kept * (k.shape[-1] + v.shape[-1])

    def operations(self, *xs: Tensor) -> Operations:
        """The products QKᵀ and that with V; the scores' scale, a mask and a softmax; a causal mask is counted whole."""
        return self._arithmetic(product(xs[0].shape[:-1]) * xs[1].shape[-2], *xs)

    def unmasked(self, *xs: Tensor) -> Operations:
        """The same of the scores that a causal mask leaves: L·(L + 1)/2 of L², with a window the last W of a row.

        Raises:
            ShapeError: There are more keys than queries, or fewer, and a window.
        """
        if not self.is_causal:
            return self.operations(*xs)
        queries, keys = xs[0].shape[-2], xs[1].shape[-2]
        if self.window is not None and not same_size(queries, keys):
            raise ShapeError(f"{self.name} with a window is counted of as many keys as queries: {xs[0]}, {xs[1]}")
        wide = keys if self.window is None else self.window
        rising = minimum(queries, wide) if self.window is not None or not same_size(queries, keys) else queries
        return self._arithmetic(product(xs[0].shape[:-2]) * (triangle(rising) + (queries - rising) * wide), *xs)

    def _arithmetic(self, scores: Dim, *xs: Tensor) -> Operations:
        """That of so many scores."""
        q, _, v = xs[:3]
        rows = product(q.shape[:-1])
        return Operations(
            macs=scores * q.shape[-1] + scores * v.shape[-1],
            multiplications=scores,
            comparisons=scores - rows,
            additions=scores * (1 + int(len(xs) == 4)) + scores - rows,
            transcendentals=scores,
            divisions=scores,
        )

    def torch_call(self, *xs: Tensor) -> Function | Module:
        """Torch's function of four axes; with others, a dropout or a window, a module that takes them."""
        given = {"is_causal": self.is_causal, "enable_gqa": self.enable_gqa, "scale": self.scale}
        plain = self.window is None and isinstance(self.dropout_p, int) and self.dropout_p == 0
        if plain and len(xs[0].shape) == 4:
            return self.function("torch.nn.functional.scaled_dot_product_attention", given)
        given |= {"dropout_p": self.dropout_p, "window": self.window}
        return self.module("archspec.runtime.modules.DotProductAttention", given)


class RelativePositionBias(Operator, name="relative_position_bias"):
    """What is added to the scores of attention in windows of an image: a learned number for each offset and head.

    Liu et al. 2021, arXiv:2103.14030, section 3.2 and equation 4. For each window of an image, as `patches` cuts them,
    heads × M² × M². Of an image that was moved round by `shift_size` (`roll` of as much, with a minus), pixels of a
    window that were no neighbours before see nothing of each other: −∞.

    >>> RelativePositionBias(window_size=7, num_heads=3).output(Tensor((8, 96, 56, 56))).shape
    (8, 1, 3, 49, 49)
    >>> RelativePositionBias(window_size=7, num_heads=3, shift_size=3).output(Tensor((8, 96, 56, 56))).shape
    (8, 64, 3, 49, 49)
    """

    torch_defaults = MappingProxyType({"shift_size": (0, 0)})
    window_size: PositivePerAxis
    num_heads: Positive
    shift_size: NaturalPerAxis = 0

    def output(self, x: Tensor) -> Tensor:
        """N × windows × heads × M² × M²; one window stands for all if nothing was moved."""
        n, _, *sizes = image(x, self.name)
        window = per_axis(self.window_size, 2)
        rows, columns = map(self._windows, sizes, window, AXES[2])
        still = all(equal(shift, 0) for shift in per_axis(self.shift_size, 2))
        pixels = product(window)
        return Tensor((n, 1 if still else rows * columns, self.num_heads, pixels, pixels))

    def _windows(self, size: Dim, window: Dim, axis: str) -> Dim:
        """How many windows there are along an axis."""
        fault = f"{self.name}: the {axis} {size} does not divide into windows of {window}"
        return quotient(size, window, fault, "window_size")

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """(2M − 1)² offsets × heads."""
        height, width = per_axis(self.window_size, 2)
        return (Weight("weight", ((2 * height - 1) * (2 * width - 1), self.num_heads)),)

    def operations(self, x: Tensor) -> Operations:
        """None: numbers are looked up."""
        return FREE

    def torch_call(self, x: Tensor) -> Module:
        """`archspec.runtime.modules.WindowBias`."""
        window, shift = per_axis(self.window_size, 2), per_axis(self.shift_size, 2)
        given = {"window_size": window, "num_heads": self.num_heads, "shift_size": shift}
        return self.module("archspec.runtime.modules.WindowBias", given, 2)


class Rotary(OneModule, PerElement, Weightless, name="rotary"):
    """Rotary position embedding of … × L × d: pairs of elements turned by their place (Su et al. 2021).

    arXiv:2104.09864, equation 34: pair i of place m by m·base^(−2i/d). `interleaved` pairs neighbours, as the paper
    does; otherwise element i goes with i + d/2, as LLaMA's weights on the hub have it. The angles are taken as known.
    """

    torch_class, leading = "archspec.runtime.modules.RotaryEmbedding", 1
    letters = ("n heads l_q d_k",)
    one = Operations(multiplications=2, additions=1)  # x·cos + x′·sin
    base: AboveZero = 10000
    interleaved: Switch = False

    def check(self, x: Tensor) -> None:
        """Its features are pairs."""
        if len(x.shape) < 3:
            raise ShapeError(f"{self.name} takes … × length × features, found {x}")
        quotient(x.shape[-1], 2, f"{self.name} turns pairs, and {x} has {x.shape[-1]} features")


def spread_sizes(one: list[Dim], other: list[Dim], x: Tensor, y: Tensor, operator: str) -> tuple[Dim, ...]:
    """The sizes to which two lists of sizes spread, where 1 goes with any."""
    found = []
    for a, b in zip(one, other, strict=True):
        size = spread(a, b)
        if size is None:
            raise ShapeError(f"{operator}: {x} and {y} cannot be broadcast, {a} is not {b}")
        found.append(size)
    return tuple(found)
