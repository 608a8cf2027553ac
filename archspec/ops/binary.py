"""One-bit convolutions and linear layers (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279).

Weights are +1 or −1, each output channel with one real factor α, the mean of |W|. With `binary_input` the inputs are
signs too, and each window has one real factor, its part of K (section 3.2): the mean of |x| over the channels, averaged
over the window. `input_scale` false leaves K out, as the authors' own code came to do.
"""

from dataclasses import replace
from types import MappingProxyType

from archspec.dims import Dim
from archspec.ops.base import Module, Operations, Operator, Positive, Switch, Tensor, Weight, features
from archspec.ops.window import Convolution


class BinaryConv2d(Convolution, name="binary_conv2d"):
    """A convolution of one-bit weights, and with `binary_input` of one-bit inputs."""

    one_bit = "conv2d"
    torch_defaults = MappingProxyType({"bias": True})
    bias: Switch = False
    binary_input: Switch = True
    input_scale: Switch = True

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """The kernel at one bit per weight, one α per output channel, and a bias if there is one."""
        return _weights(self.kernel(x), self.bias)

    def operations(self, x: Tensor) -> Operations:
        """The kernel's products as one-bit operations (as additions where the inputs are real), and the scaling."""
        y, (_, c, h, w) = self.output(x), x.shape
        _, _, kh, kw = self.kernel(x)
        maps = y.shape[0] * y.shape[2] * y.shape[3]
        done = _scaled(self.products(x), y, x, self)
        if self.binary_input and self.input_scale:
            mean = Operations(additions=c - 1, divisions=1).times(x.shape[0] * h * w)
            done += mean + Operations(macs=kh * kw * maps) + Operations(multiplications=y.elements)
        return done

    def torch_call(self, x: Tensor) -> Module:
        """`archspec.runtime.binary.BinaryConv2d`, which pads the signs itself: a zero before it would count as +1."""
        extra = {"binary_input": self.binary_input, "input_scale": self.input_scale}
        call = self.convolution("archspec.runtime.binary.BinaryConv2d", x, **extra)
        if not call.before:
            return call
        padding = tuple(side for pair in self.sides(x) for side in pair)
        return replace(call, kwargs={**call.kwargs, "padding": padding}, before=())


class BinaryLinear(Operator, name="binary_linear"):
    """A linear layer of one-bit weights, and with `binary_input` of one-bit inputs."""

    one_bit = "linear"
    torch_defaults = MappingProxyType({"bias": True})
    out_features: Positive
    bias: Switch = False
    binary_input: Switch = True
    input_scale: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """X with its last axis of out_features."""
        return Tensor((*x.shape[:-1], self.out_features))

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """The matrix at one bit per weight, one α per output feature, and a bias if there is one."""
        return _weights((self.out_features, features(x, self.name)), self.bias)

    def operations(self, x: Tensor) -> Operations:
        """The matrix's products as one-bit operations (as additions where the inputs are real), and the scaling."""
        y, c = self.output(x), features(x, self.name)
        done = _scaled(y.elements * c, y, x, self)
        if self.binary_input and self.input_scale:
            rows = Tensor(x.shape[:-1]).elements
            done += Operations(additions=c - 1, divisions=1).times(rows) + Operations(multiplications=y.elements)
        return done

    def torch_call(self, x: Tensor) -> Module:
        """`archspec.runtime.binary.BinaryLinear`."""
        kwargs = {"in_features": features(x, self.name), **self.settings()}
        return self.module("archspec.runtime.binary.BinaryLinear", kwargs, 2)


def _weights(shape: tuple[Dim, ...], bias: bool) -> tuple[Weight, ...]:
    stored = (Weight("weight", shape, bits=1), Weight("alpha", shape[:1], "statistic"))
    return (stored[0], Weight("bias", shape[:1], "bias"), stored[1]) if bias else stored


def _scaled(products: Dim, y: Tensor, x: Tensor, operator: BinaryConv2d | BinaryLinear) -> Operations:
    """The products, α on each output, the bias, and one comparison for the sign of each input."""
    after = Operations(multiplications=y.elements, additions=y.elements if operator.bias else 0)
    if operator.binary_input:
        return after + Operations(binary=products, comparisons=x.elements)
    return after + Operations(additions=products)
