"""Activations, and sums and products with a number: one number in, one out.

All but the name and the arithmetic of one element is shared.
"""

from fractions import Fraction
from types import MappingProxyType
from typing import ClassVar, Literal

from archspec.dims import Dim, known_less, product
from archspec.errors import ShapeError
from archspec.ops.base import (
    AboveZero,
    Axis,
    Function,
    Module,
    NonNegative,
    OneModule,
    Operations,
    Operator,
    PerElement,
    Positive,
    Real,
    Tensor,
    Unchanged,
    Weight,
    Weightless,
    axis,
    channels,
    is_one,
    may_be_one,
    same_size,
)


class Elementwise(PerElement, OneModule):
    """An activation of each element by itself."""

    in_place = True


class Relu(Elementwise, Weightless, name="relu"):
    """max(x, 0)."""

    torch_class, one = "torch.nn.ReLU", Operations(comparisons=1)
    overwrites = True


class Relu6(Elementwise, Weightless, name="relu6"):
    """min(max(x, 0), 6)."""

    torch_class, one = "torch.nn.ReLU6", Operations(comparisons=2)
    overwrites = True


class LeakyRelu(Elementwise, Weightless, name="leaky_relu"):
    """x, or negative_slope·x below zero."""

    torch_class, one = "torch.nn.LeakyReLU", Operations(comparisons=1, multiplications=1)
    leading = 1
    negative_slope: Real = 0.01


class Elu(Elementwise, Weightless, name="elu"):
    """x, or alpha·(eˣ − 1) below zero."""

    torch_class, one = "torch.nn.ELU", Operations(comparisons=1, transcendentals=1, additions=1, multiplications=1)
    leading = 1
    alpha: NonNegative = 1


class Prelu(Elementwise, name="prelu"):
    """x, or a·x below zero with a learned: one for all channels, or one for each (He et al. 2015, arXiv:1502.01852)."""

    torch_class, one = "torch.nn.PReLU", Operations(comparisons=1, multiplications=1)
    num_parameters: Positive = 1
    init: Real = 0.25

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """num_parameters slopes."""
        slopes = self.num_parameters
        if not (is_one(slopes) or same_size(slopes, c := channels(x, self.name)) or may_be_one(slopes)):
            raise ShapeError(f"{self.name} needs 1 slope or one per channel, {c}, found {slopes}")
        return (Weight("weight", (self.num_parameters,)),)


class Sigmoid(Elementwise, Weightless, name="sigmoid"):
    """1/(1 + e⁻ˣ)."""

    torch_class, one = "torch.nn.Sigmoid", Operations(transcendentals=1, additions=1, divisions=1)


class Tanh(Elementwise, Weightless, name="tanh"):
    """The hyperbolic tangent."""

    torch_class, one = "torch.nn.Tanh", Operations(transcendentals=1)


class Gelu(Elementwise, Weightless, name="gelu"):
    """x·Φ(x) = x/2·(1 + erf(x/√2)), or its approximation by tanh (Hendrycks and Gimpel 2016, arXiv:1606.08415)."""

    torch_class, one = "torch.nn.GELU", Operations(transcendentals=1, additions=1, multiplications=3)
    approximate: Literal["none", "tanh"] = "none"

    def operations(self, x: Tensor) -> Operations:
        """By tanh: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))."""
        by_tanh = Operations(transcendentals=1, additions=2, multiplications=6)
        return (by_tanh if self.approximate == "tanh" else self.one).times(x.elements)


class Silu(Elementwise, Weightless, name="silu"):
    """x·sigmoid(x), also called swish."""

    torch_class, one = "torch.nn.SiLU", Operations(transcendentals=1, additions=1, divisions=1, multiplications=1)


class HardSigmoid(Elementwise, Weightless, name="hard_sigmoid"):
    """min(max(x + 3, 0), 6)/6 (Howard et al. 2019, arXiv:1905.02244)."""

    torch_class, one = "torch.nn.Hardsigmoid", Operations(additions=1, comparisons=2, divisions=1)


class HardSwish(Elementwise, Weightless, name="hard_swish"):
    """x·hard_sigmoid(x) (Howard et al. 2019, arXiv:1905.02244)."""

    torch_class, one = "torch.nn.Hardswish", Operations(additions=1, comparisons=2, divisions=1, multiplications=1)


class Softplus(Elementwise, Weightless, name="softplus"):
    """log(1 + e^(beta·x))/beta; x itself where beta·x is above `threshold`."""

    torch_class = "torch.nn.Softplus"
    one = Operations(comparisons=1, multiplications=1, transcendentals=2, additions=1, divisions=1)
    beta: AboveZero = 1
    threshold: NonNegative = 20


class Mish(Elementwise, Weightless, name="mish"):
    """x·tanh(log(1 + eˣ)) (Misra 2019, arXiv:1908.08681)."""

    torch_class, one = "torch.nn.Mish", Operations(transcendentals=3, additions=1, multiplications=1)


class Exp(Elementwise, Weightless, name="exp"):
    """eˣ."""

    one = Operations(transcendentals=1)

    def torch_call(self, x: Tensor) -> Function:
        """`torch.exp`."""
        return Function("torch.exp")


class Power(Elementwise, Weightless, name="power"):
    """x to the power of `exponent`."""

    one = Operations(transcendentals=1)
    example = MappingProxyType({"exponent": 2})
    exponent: Real

    def torch_call(self, x: Tensor) -> Function:
        """`torch.pow`."""
        return Function("torch.pow", {"exponent": self.exponent})


class WithNumber(Elementwise, Weightless):
    """What is done to each element with one number; `function_name` is torch's."""

    function_name: ClassVar[str]
    value: Real

    def torch_call(self, x: Tensor) -> Function:
        """The function of torch, with the number as the other of two."""
        return Function(f"torch.{self.function_name}", {"other": self.value})


class AddScalar(WithNumber, name="add_scalar"):
    """x + value: the sum with a number, the same for all elements."""

    function_name, one = "add", Operations(additions=1)
    example = MappingProxyType({"value": 3})


class MulScalar(WithNumber, name="mul_scalar"):
    """x·value: the product with a number, the same for all elements; `value: 1/255` divides by 255.

    It scales the residual of a block, as in Inception-ResNet (Szegedy et al. 2016, arXiv:1602.07261, section 3.3), or
    pixels.
    """

    function_name, one = "mul", Operations(multiplications=1)
    example = MappingProxyType({"value": 2})


class Clamp(Elementwise, Weightless, name="clamp"):
    """min(max(x, `min`), `max`): numbers held between two bounds, of which one may be left out.

    >>> Clamp(min=-1, max=1).operations(Tensor((1, 8)))
    Operations(comparisons=16)
    """

    example = MappingProxyType({"min": -1, "max": 1})
    min: Real | None = None
    max: Real | None = None

    @property
    def _bounds(self) -> dict[str, Dim]:
        return {name: value for name, value in self.settings().items() if value is not None}

    def check(self, x: Tensor) -> None:
        """There is a bound, and no more below than above."""
        if not self._bounds:
            raise ShapeError(f"{self.name} takes a bound; give min, max or both")
        if len(self._bounds) == 2 and known_less(self.max, self.min):
            raise ShapeError(f"{self.name}: min is at most max (got {self.min} and {self.max})", "min")

    def operations(self, x: Tensor) -> Operations:
        """A comparison with each bound."""
        return Operations(comparisons=len(self._bounds)).times(x.elements)

    def torch_call(self, x: Tensor) -> Function:
        """`torch.clamp`; its exporter wants both bounds whole, or none."""
        bounds = self._bounds
        if len({*map(type, bounds.values())}) > 1:
            bounds = {name: Fraction(at) if type(at) is int else at for name, at in bounds.items()}
        return Function("torch.clamp", bounds)


class Softmax(Unchanged, Weightless, name="softmax"):
    """eˣ / Σ eˣ along an axis (not the batch), after its largest element is taken away."""

    torch_defaults = MappingProxyType({"dim": None})
    torch_class: ClassVar[str] = "Softmax"
    dim: Axis = 1

    def check(self, x: Tensor) -> None:
        """It has the axis."""
        axis(x, self.dim, self.name)

    def operations(self, x: Tensor) -> Operations:
        """For m elements: m − 1 comparisons, m subtractions, m exponentials, m − 1 additions, m divisions."""
        m, rows = self._rows(x)
        return Operations(comparisons=m - 1, additions=m + m - 1, transcendentals=m, divisions=m).times(rows)

    def _rows(self, x: Tensor) -> tuple[Dim, Dim]:
        """How many elements are summed, and how often."""
        dim = axis(x, self.dim, self.name)
        return x.shape[dim], product((*x.shape[:dim], *x.shape[dim + 1 :]))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.Softmax`."""
        return self.module(f"torch.nn.{self.torch_class}", {"dim": self.dim})


class LogSoftmax(Softmax, name="log_softmax"):
    """The logarithm of softmax: x less its largest element, less log Σ eˣ."""

    torch_class: ClassVar[str] = "LogSoftmax"

    def operations(self, x: Tensor) -> Operations:
        """As softmax, one subtraction per element in place of the division, and one logarithm per row."""
        m, rows = self._rows(x)
        return Operations(comparisons=m - 1, additions=m + m - 1 + m, transcendentals=m + 1).times(rows)


def activates(operator: type[Operator]) -> bool:
    """Whether it is what stands behind a layer as its activation; a sum or a product with a number does not.

    >>> activates(Relu), activates(MulScalar), activates(Softmax)
    (True, False, False)
    """
    return issubclass(operator, Elementwise) and not issubclass(operator, WithNumber)
