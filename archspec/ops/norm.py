"""Normalisations."""

from types import MappingProxyType

from archspec.dims import Dim, product
from archspec.errors import ShapeError
from archspec.ops.base import (
    AboveZero,
    Module,
    NonNegative,
    Operations,
    Operator,
    Positive,
    Sizes,
    Switch,
    Tensor,
    UpToOne,
    Weight,
    Weightless,
    features,
    image,
    same_size,
)


class BatchNorm(Operator, name="batch_norm"):
    """Batch normalisation of the channels: (x − mean)/√(variance + eps)·γ + β (Ioffe and Szegedy 2015).

    arXiv:1502.03167. Its arithmetic is that of inference: the four numbers per channel are one scale and one shift.
    """

    in_place = True
    overwritable = True
    eps: NonNegative = 1e-5
    momentum: UpToOne = 0.1
    affine: Switch = True
    track_running_stats: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """X."""
        if len(x.shape) not in (2, 4):
            raise ShapeError(f"{self.name} takes an image or a vector, found {x}")
        return x

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, and the running mean and variance, a channel each."""
        channels = (x.shape[1],)
        learned = (Weight("weight", channels, "scale"), Weight("bias", channels, "shift"))
        kept = (Weight("running_mean", channels, "statistic"), Weight("running_var", channels, "statistic"))
        return (learned if self.affine else ()) + (kept if self.track_running_stats else ())

    def operations(self, x: Tensor) -> Operations:
        """One multiplication and one addition per element."""
        return Operations(multiplications=x.elements, additions=x.elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.BatchNorm2d`, or `BatchNorm1d` on vectors."""
        dimensions = len(self.output(x).shape) // 2
        return self.module(f"torch.nn.BatchNorm{dimensions}d", {"num_features": x.shape[1], **self.settings()}, 1)


class LayerNorm(Operator, name="layer_norm"):
    """(x − mean)/√(variance + eps)·γ + β over the last axes, or over the channels of each pixel (Ba et al. 2016).

    arXiv:1607.06450. `normalized_shape` are the sizes of the last axes; without it, the last axis of vectors and
    sequences. On an image, `over_channels` normalises each pixel by itself, as ConvNeXt does (Liu et al. 2022,
    arXiv:2201.03545).
    """

    normalized_shape: Sizes | None = None
    eps: NonNegative = 1e-5
    elementwise_affine: Switch = True
    bias: Switch = True
    over_channels: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """X."""
        self._axes(x)
        return x

    def _axes(self, x: Tensor) -> tuple[Dim, ...]:
        """The sizes of the axes that are normalised together."""
        if self.over_channels:
            if self.normalized_shape is not None:
                raise ShapeError(f"{self.name} is over the channels or over normalized_shape; give one of them")
            return (image(x, self.name)[1],)
        if self.normalized_shape is None:
            if len(x.shape) == 4:
                cure = "give over_channels: true, or normalized_shape"
                raise ShapeError(f"{self.name} would be over the width of an image; {cure}")
            return x.shape[-1:]
        wanted: tuple[Dim, ...] = self.normalized_shape
        last = x.shape[len(x.shape) - len(wanted) :]
        if not last or len(last) != len(wanted) or not all(map(same_size, last, wanted)):
            over = "×".join(map(str, wanted)) or "no axes"
            raise ShapeError(f"{self.name} over {over} does not fit the last axes of its input {x}")
        return wanted

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, an element of the normalised axes each."""
        if not self.elementwise_affine:
            return ()
        scale = Weight("weight", self._axes(x), "scale")
        return (scale, Weight("bias", self._axes(x), "shift")) if self.bias else (scale,)

    def operations(self, x: Tensor) -> Operations:
        """For each group of m elements the mean, the variance, one root, then a scaling of each element."""
        m = product(self._axes(x))
        affine, shifted = int(self.elementwise_affine), int(self.elementwise_affine and self.bias)
        one = Operations(
            additions=(m - 1) + m + (m - 1) + 1 + m * shifted,
            multiplications=m + m + m * affine,
            divisions=3,
            transcendentals=1,
        )
        return one.times(self._groups(x))

    def _groups(self, x: Tensor) -> Dim:
        """How many groups of elements are normalised, each by itself."""
        if self.over_channels:
            return product((x.shape[0], *x.shape[2:]))
        return product(x.shape[: len(x.shape) - len(self._axes(x))])

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.LayerNorm`; over the channels, one that moves them to the end and back."""
        target = "archspec.runtime.norm.LayerNorm2d" if self.over_channels else "torch.nn.LayerNorm"
        settings = {key: getattr(self, key) for key in ("eps", "elementwise_affine", "bias")}
        return self.module(target, {"normalized_shape": self._axes(x), **settings}, 1)


class RmsNorm(Operator, name="rms_norm"):
    """x/√(mean of x² + eps)·γ over the last axis of vectors or sequences (Zhang and Sennrich 2019).

    arXiv:1910.07467.
    """

    torch_defaults = MappingProxyType({"eps": None})
    eps: AboveZero = 1e-6
    elementwise_affine: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """X."""
        features(x, self.name)
        return x

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ, an element of the last axis each."""
        return (Weight("weight", x.shape[-1:], "scale"),) if self.elementwise_affine else ()

    def operations(self, x: Tensor) -> Operations:
        """For each row of m elements the mean of their squares, plus eps, one root, then a scaling of each element."""
        m, affine = features(x, self.name), int(self.elementwise_affine)
        one = Operations(additions=m, multiplications=m + m + m * affine, divisions=2, transcendentals=1)
        return one.times(product(x.shape[:-1]))

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.RMSNorm`."""
        return self.module("torch.nn.RMSNorm", {"normalized_shape": features(x, self.name), **self.settings()}, 1)


class LocalResponseNorm(Weightless, name="local_response_norm"):
    """x / (k + alpha/size · Σ x²)^beta, the sum over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton 2012, section 3.3.
    """

    size: Positive
    alpha: NonNegative = 1e-4
    beta: NonNegative = 0.75
    k: AboveZero = 1

    def output(self, x: Tensor) -> Tensor:
        """X."""
        image(x, self.name)
        return x

    def operations(self, x: Tensor) -> Operations:
        """An element: its square, the sum of `size` squares, a scale and an offset, a power, a division."""
        one = Operations(multiplications=2, additions=self.size, transcendentals=1, divisions=1)
        return one.times(x.elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.LocalResponseNorm`."""
        return self.module("torch.nn.LocalResponseNorm", self.settings(), 1)
