"""Normalisations."""

from types import MappingProxyType

from archspec.dims import Dim, product
from archspec.errors import ShapeError
from archspec.ops.base import (
    AboveZero,
    Module,
    NonNegative,
    OneModule,
    Operations,
    PerElement,
    Positive,
    Sizes,
    Switch,
    Tensor,
    Unchanged,
    UpToOne,
    Weight,
    Weightless,
    any_spatial,
    channels,
    features,
    image,
    is_one,
    quotient,
    same_size,
)
from archspec.writing import sizes


class BatchNorm(PerElement, name="batch_norm"):
    """Batch normalisation of the channels: (x − mean)/√(variance + eps)·γ + β (Ioffe and Szegedy 2015).

    arXiv:1502.03167. Its arithmetic is that of inference: the four numbers per channel are one scale and one shift.
    """

    in_place = True
    overwritable = True
    one = Operations(multiplications=1, additions=1)
    eps: NonNegative = 1e-5
    momentum: UpToOne = 0.1
    affine: Switch = True
    track_running_stats: Switch = True

    def check(self, x: Tensor) -> None:
        """It has channels."""
        channels(x, self.name)
        if len(x.shape) > 2:
            any_spatial(x, self.name)

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, and the running mean and variance, a channel each."""
        shape = (channels(x, self.name),)
        learned = scale_and_shift(shape)
        kept = (Weight("running_mean", shape, "statistic"), Weight("running_var", shape, "statistic"))
        return (learned if self.affine else ()) + (kept if self.track_running_stats else ())

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.BatchNorm2d`, or `BatchNorm1d` on vectors and sequences, `BatchNorm3d` on volumes."""
        axes = max(len(self.output(x).shape) - 2, 1)
        return self.module(f"torch.nn.BatchNorm{axes}d", {"num_features": x.shape[1], **self.settings()}, 1)


class LayerNorm(Unchanged, name="layer_norm"):
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

    def check(self, x: Tensor) -> None:
        """It has the axes that are normalised."""
        self._axes(x)

    def _axes(self, x: Tensor) -> tuple[Dim, ...]:
        """The sizes of the axes that are normalised together."""
        if self.over_channels:
            if self.normalized_shape is not None:
                raise ShapeError(f"{self.name} is over the channels or over normalized_shape; give one of them")
            any_spatial(x, self.name)
            return x.shape[1:2]
        if self.normalized_shape is None:
            if len(x.shape) == 4:
                cure = "give over_channels: true, or normalized_shape"
                raise ShapeError(f"{self.name} would be over the width of an image; {cure}")
            return (features(x, self.name),)
        wanted: tuple[Dim, ...] = self.normalized_shape
        last = x.shape[len(x.shape) - len(wanted) :]
        if not last or len(last) != len(wanted) or not all(map(same_size, last, wanted)):
            over = sizes(wanted, "no axes")
            raise ShapeError(f"{self.name} over {over} does not fit the last axes of its input {x}")
        return wanted

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, an element of the normalised axes each."""
        if not self.elementwise_affine:
            return ()
        arrays = scale_and_shift(self._axes(x))
        return arrays if self.bias else arrays[:1]

    def operations(self, x: Tensor) -> Operations:
        """For each group of m elements the mean, the variance, one root, then a scaling of each element."""
        m, affine = product(self._axes(x)), self.elementwise_affine
        return normalised(m, scaled=affine, shifted=affine and self.bias).times(self._groups(x))

    def _groups(self, x: Tensor) -> Dim:
        """How many groups of elements are normalised, each by itself."""
        if self.over_channels:
            return product((x.shape[0], *x.shape[2:]))
        return product(x.shape[: len(x.shape) - len(self._axes(x))])

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.LayerNorm`; over the channels, one that moves them to the end and back."""
        target = "archspec.runtime.modules.LayerNorm2d" if self.over_channels else "torch.nn.LayerNorm"
        settings = {key: getattr(self, key) for key in ("eps", "elementwise_affine", "bias")}
        return self.module(target, {"normalized_shape": self._axes(x), **settings}, 1)


class GroupNorm(Unchanged, name="group_norm"):
    """(x − mean)/√(variance + eps)·γ + β over each of `num_groups` groups of channels (Wu and He 2018).

    arXiv:1803.08494. With one group it is over all of an input, with as many as channels an instance norm.
    """

    sees_all = True  # through the mean
    num_groups: Positive
    eps: NonNegative = 1e-5
    affine: Switch = True

    def check(self, x: Tensor) -> None:
        """Its channels divide into groups of more than one element."""
        several(self._length(x), x, self.name)

    def _length(self, x: Tensor) -> Dim:
        """The elements that are normalised together."""
        c = channels(x, self.name)
        fault = f"{c} channels do not divide into {self.num_groups} groups"
        return quotient(c, self.num_groups, fault, "num_groups") * product(x.shape[2:])

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, a channel each."""
        return scale_and_shift(x.shape[1:2]) if self.affine else ()

    def operations(self, x: Tensor) -> Operations:
        """As layer_norm, over the groups."""
        one = normalised(self._length(x), scaled=self.affine, shifted=self.affine)
        return one.times(x.shape[0] * self.num_groups)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.GroupNorm`."""
        settings = {"eps": self.eps, "affine": self.affine}
        return self.module(
            "torch.nn.GroupNorm", {"num_groups": self.num_groups, "num_channels": x.shape[1], **settings}, 2
        )


class InstanceNorm(Unchanged, name="instance_norm"):
    """(x − mean)/√(variance + eps)·γ + β of each channel of each input (Ulyanov et al. 2016, arXiv:1607.08022)."""

    sees_all = True  # through the mean
    torch_defaults = MappingProxyType({"affine": False})
    eps: NonNegative = 1e-5
    affine: Switch = False

    def check(self, x: Tensor) -> None:
        """Its channels have more than one element."""
        any_spatial(x, self.name)
        several(product(x.shape[2:]), x, self.name)

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, a channel each."""
        return scale_and_shift(x.shape[1:2]) if self.affine else ()

    def operations(self, x: Tensor) -> Operations:
        """As layer_norm, over the pixels of each channel."""
        one = normalised(product(x.shape[2:]), scaled=self.affine, shifted=self.affine)
        return one.times(x.shape[0] * x.shape[1])

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.InstanceNorm2d`, or that of sequences or volumes."""
        target = f"torch.nn.InstanceNorm{any_spatial(x, self.name)}d"
        return self.module(target, {"num_features": x.shape[1], **self.settings()}, 1)


def several(elements: Dim, x: Tensor, operator: str) -> None:
    """That more than one element is normalised together: one by itself is its own mean."""
    if is_one(elements):
        raise ShapeError(f"{operator} of {x} would normalise each element by itself, to 0")


def scale_and_shift(shape: tuple[Dim, ...]) -> tuple[Weight, ...]:
    """γ and β."""
    return Weight("weight", shape, "scale"), Weight("bias", shape, "shift")


def normalised(m: Dim, *, scaled: bool, shifted: bool) -> Operations:
    """The arithmetic of m elements: the mean, the variance, one root, then a scaling of each element."""
    return Operations(
        additions=(m - 1) + m + (m - 1) + 1 + m * int(shifted),
        multiplications=m + m + m * int(scaled),
        divisions=3,
        transcendentals=1,
    )


class RmsNorm(Unchanged, name="rms_norm"):
    """x/√(mean of x² + eps)·γ over the last axis of vectors or sequences (Zhang and Sennrich 2019).

    arXiv:1910.07467.
    """

    torch_defaults = MappingProxyType({"eps": None})
    eps: AboveZero = 1e-6
    elementwise_affine: Switch = True

    def check(self, x: Tensor) -> None:
        """It is of vectors or sequences."""
        features(x, self.name)

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


class LocalResponseNorm(OneModule, Unchanged, Weightless, name="local_response_norm"):
    """x / (k + alpha/size · Σ x²)^beta, the sum over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton 2012, section 3.3.
    """

    torch_class, leading = "torch.nn.LocalResponseNorm", 1
    size: Positive
    alpha: NonNegative = 1e-4
    beta: NonNegative = 0.75
    k: AboveZero = 1

    def check(self, x: Tensor) -> None:
        """It is an image."""
        image(x, self.name)

    def operations(self, x: Tensor) -> Operations:
        """An element: its square, the sum of `size` squares, a scale and an offset, a power, a division."""
        one = Operations(multiplications=2, additions=self.size, transcendentals=1, divisions=1)
        return one.times(x.elements)
