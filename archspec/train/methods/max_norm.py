"""A bound for the norm of each unit's incoming weights: `max_norm: 2` (Hinton et al. 2012, arXiv:1207.0580)."""

from typing import Annotated, ClassVar

from archspec.graph import Network
from archspec.language.domains import real
from archspec.train.methods.base import Course, Method, torch


class MaxNorm(Method):
    """The weights of a unit, or of a filter, are scaled back to a norm when a step has taken them beyond it.

    Attributes:
        norm: The largest L2 norm.
    """

    key: ClassVar[str] = "max_norm"
    short: ClassVar[str | None] = "norm"

    norm: Annotated[float, real(0, 1e9, open_below=True)]

    def begin(self, model: "torch.nn.Module", network: Network) -> "Bounded":  # noqa: ARG002
        """The weights that the network begins with are not touched."""
        return Bounded(self.norm)


class Bounded(Course):
    """A training whose weights are bounded."""

    def __init__(self, norm: float) -> None:
        self.norm = norm

    def after_step(self, model: "torch.nn.Module", average: "torch.nn.Module | None", step: int) -> None:  # noqa: ARG002
        """Scale what has grown too long; an average of what is within the bound is within it."""
        with torch.no_grad():
            for array in model.parameters():
                if array.ndim > 1 and array.requires_grad:
                    rows = array.flatten(1)
                    long = rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
                    rows.mul_((self.norm / long).clamp_max(1))
