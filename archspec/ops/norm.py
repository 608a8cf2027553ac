"""Normalisations."""

from archspec.dims import Dim, product
from archspec.errors import ShapeError
from archspec.ops.base import (
    Module,
    Operations,
    Operator,
    Positive,
    Real,
    Switch,
    Tensor,
    Weight,
    Weightless,
    image,
    same_size,
)


class BatchNorm(Operator, name="batch_norm"):
    """Batch normalisation of the channels: (x − mean)/√(variance + eps)·γ + β (Ioffe and Szegedy 2015).

    arXiv:1502.03167. Its arithmetic is that of inference, where the four numbers a channel are one scale and one shift.
    """

    in_place = True
    eps: Real = 1e-5
    momentum: Real = 0.1
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
        """A multiplication and an addition an element."""
        return Operations(multiplications=x.elements, additions=x.elements)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.BatchNorm2d`, or `BatchNorm1d` on vectors."""
        dimensions = len(self.output(x).shape) // 2
        return Module(f"torch.nn.BatchNorm{dimensions}d", {"num_features": x.shape[1], **self.settings()})


class LayerNorm(Operator, name="layer_norm"):
    """Layer normalisation over the last axes (Ba et al. 2016, arXiv:1607.06450).

    `normalized_shape` are the sizes of those axes; without it, the last axis alone.
    """

    normalized_shape: tuple[Positive, ...] | None = None
    eps: Real = 1e-5
    elementwise_affine: Switch = True
    bias: Switch = True

    def output(self, x: Tensor) -> Tensor:
        """X."""
        self._axes(x)
        return x

    def _axes(self, x: Tensor) -> tuple[Dim, ...]:
        if self.normalized_shape is None:
            return x.shape[-1:]
        last = x.shape[len(x.shape) - len(self.normalized_shape) :]
        if not last or len(last) != len(self.normalized_shape) or not all(map(same_size, last, self.normalized_shape)):
            wanted = "×".join(map(str, self.normalized_shape)) or "no axes"
            raise ShapeError(f"{self.name} over {wanted} does not fit the last axes of its input {x}")
        return self.normalized_shape

    def weights(self, x: Tensor) -> tuple[Weight, ...]:
        """γ and β, an element of the normalised axes each."""
        if not self.elementwise_affine:
            return ()
        scale = Weight("weight", self._axes(x), "scale")
        return (scale, Weight("bias", self._axes(x), "shift")) if self.bias else (scale,)

    def operations(self, x: Tensor) -> Operations:
        """For each group of m elements the mean, the variance, one root, then a scaling of each element."""
        m = product(self._axes(x))
        groups = product(x.shape[: len(x.shape) - len(self._axes(x))])
        affine, shifted = int(self.elementwise_affine), int(self.elementwise_affine and self.bias)
        one = Operations(
            additions=(m - 1) + m + (m - 1) + 1 + m * shifted,
            multiplications=m + m + m * affine,
            divisions=3,
            transcendentals=1,
        )
        return one.times(groups)

    def torch_call(self, x: Tensor) -> Module:
        """`torch.nn.LayerNorm`."""
        settings = {key: value for key, value in self.settings().items() if key != "normalized_shape"}
        return Module("torch.nn.LayerNorm", {"normalized_shape": self._axes(x), **settings})


class LocalResponseNorm(Weightless, name="local_response_norm"):
    """x / (k + alpha/size · Σ x²)^beta, the sum over `size` neighbouring channels.

    Krizhevsky, Sutskever and Hinton 2012, section 3.3.
    """

    size: Positive
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1

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
        return Module("torch.nn.LocalResponseNorm", self.settings())
