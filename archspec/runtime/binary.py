"""One-bit layers for torch (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279, section 3).

The real weights W are kept and learned; what computes is sign(W)·α, with α the mean of |W| of an output channel. A sign
has no useful derivative, so its gradient is handed straight through where |·| ≤ 1 and is zero elsewhere; that of α
follows by the product rule: with g = ∂L/∂(α·sign W), `gradient` "exact" is

    ∂L/∂Wᵢ = sign(Wᵢ)/n·Σⱼ gⱼ·sign(Wⱼ) + α·gᵢ·1[|Wᵢ| ≤ 1]

and "paper" is what section 3.1 prints, gᵢ·(1/n + α·1[|Wᵢ| ≤ 1]), which takes the derivative of α for 1/n alone and so
leaves out what each weight does to all others of its filter. The sign of 0 is +1. Padding stays 0, as in the authors'
code: it is neither sign.

`alpha` is a buffer, what a file stores beside the bits: computed from W while training, read as it is when evaluating.

`archspec.kernels` computes the same numbers with the bits themselves.
"""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional


def sign(x: Tensor) -> Tensor:
    """+1 where x ≥ 0 and −1 elsewhere; the gradient is that of x clipped to [−1, 1]."""
    clipped = x.clamp(-1, 1)
    return (x >= 0).to(x.dtype) * 2 - 1 + (clipped - clipped.detach())


class _Binary(nn.Module):
    """What the two layers share: the factor α and when it is computed."""

    weight: Tensor
    alpha: Tensor
    gradient: str

    def _begin(self, binary_input: bool, input_scale: bool) -> None:
        self.binary_input, self.input_scale = binary_input, input_scale
        self.gradient = "exact"
        self.register_buffer("alpha", self._mean())
        self._learning = False

    def _mean(self) -> Tensor:
        return self.weight.detach().abs().flatten(1).mean(1)

    def _factor(self) -> Tensor:
        """α: of W as it is now while training, else the buffer."""
        if not self.training:
            return self.alpha
        self._learning = True
        self.alpha.copy_(self._mean())
        return self._mean() if self.gradient == "paper" else self.weight.abs().flatten(1).mean(1)

    def _signs(self) -> Tensor:
        """The signs of W; by the paper's rule they stand for α, too: ∂sign(Wᵢ)/∂Wᵢ = 1[|Wᵢ| ≤ 1] + 1/(n·α)."""
        if self.gradient != "paper" or not self.training:
            return sign(self.weight)
        sums = self.weight.detach().abs().flatten(1).sum(1)
        sums = torch.where(sums == 0, torch.ones_like(sums), sums)
        term = self.weight / sums.view([-1] + [1] * (self.weight.ndim - 1))
        return sign(self.weight) + (term - term.detach())

    def train(self, mode: bool = True) -> Self:
        """As torch's; α catches up with the optimiser's last step when training ends."""
        if self._learning and not mode:
            self.alpha.copy_(self._mean())
            self._learning = False
        return super().train(mode)

    def extra_repr(self) -> str:
        """As torch's, and what is binary."""
        return f"{super().extra_repr()}, binary_input={self.binary_input}, input_scale={self.input_scale}"


class BinaryConv2d(_Binary, nn.Conv2d):
    """A convolution of one-bit weights; with `binary_input` of signs, each window times its mean of |x|, K.

    y = (sign(x) ∗ sign(W))·K·α + bias. K is the mean of |x| over all channels, averaged over the window, padding
    included; `input_scale` false leaves it out. Takes what `torch.nn.Conv2d` takes, and as the keyword `padding` also
    (top, bottom, left, right).
    """

    def __init__(self, *args: Any, binary_input: bool = True, input_scale: bool = True, **kwargs: Any) -> None:
        sides: Any = kwargs.get("padding")
        uneven = isinstance(sides, tuple) and len(sides) == 4
        super().__init__(*args, **(kwargs | {"padding": 0} if uneven else kwargs))
        if self.padding_mode != "zeros":
            raise ValueError(f"the padding must be of zeros, found {self.padding_mode!r}")
        top, bottom, left, right = sides if uneven else (0, 0, 0, 0)
        self.sides = (left, right, top, bottom)
        self._begin(binary_input, input_scale)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of the signs, or of x itself, and its factors."""
        y = self._slide(sign(x) if self.binary_input else x, self._signs(), self.groups)
        if self.binary_input and self.input_scale:
            y = y * self.input_factors(x)
        y = y * self._factor().view(-1, 1, 1)
        return y if self.bias is None else y + self.bias.view(-1, 1, 1)

    def input_factors(self, x: Tensor, box: Tensor | None = None) -> Tensor:
        """K: of each window the mean of |x|, padding included."""
        return self._slide(x.abs().mean(-3, keepdim=True), self.box(x.device) if box is None else box, 1)

    def box(self, device: torch.device) -> Tensor:
        """The kernel of a mean."""
        box = torch.ones((1, 1, *self.kernel_size), dtype=self.weight.dtype, device=device)
        return box / box.numel()

    def _slide(self, x: Tensor, kernel: Tensor, groups: int) -> Tensor:
        if any(self.sides):
            x = functional.pad(x, self.sides)
        return functional.conv2d(x, kernel, None, self.stride, self.padding, self.dilation, groups)


class BinaryLinear(_Binary, nn.Linear):
    """A linear layer of one-bit weights; with `binary_input` of signs, each row times its mean of |x|.

    y = sign(x)·sign(W)ᵀ·mean|x|·α + bias. `input_scale` false leaves the mean of |x| out. Takes what
    `torch.nn.Linear` takes.
    """

    def __init__(self, *args: Any, binary_input: bool = True, input_scale: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begin(binary_input, input_scale)

    def forward(self, x: Tensor) -> Tensor:
        """The product of the signs, or of x itself, and its factors."""
        y = functional.linear(sign(x) if self.binary_input else x, self._signs())
        if self.binary_input and self.input_scale:
            y = y * self.input_factors(x)
        y = y * self._factor()
        return y if self.bias is None else y + self.bias

    def input_factors(self, x: Tensor) -> Tensor:
        """Of each row the mean of |x|."""
        return x.abs().mean(-1, keepdim=True)
