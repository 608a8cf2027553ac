"""Operators that make one number of all that lie along axes."""

from types import MappingProxyType

from archspec.errors import ShapeError
from archspec.ops.base import Axes, Function, Operations, Sight, Switch, Tensor, Weightless, axis


class SumOver(Weightless, name="sum"):
    """The sum over axes, which are gone then, or of size 1 with `keepdim`."""

    example = MappingProxyType({"dim": (2,)})
    dim: Axes
    keepdim: Switch = False

    def output(self, x: Tensor) -> Tensor:
        """The sizes of the other axes."""
        gone = self._gone(x)
        if self.keepdim:
            return Tensor(tuple(1 if dim in gone else size for dim, size in enumerate(x.shape)))
        return Tensor(tuple(size for dim, size in enumerate(x.shape) if dim not in gone))

    def _gone(self, x: Tensor) -> frozenset[int]:
        gone = frozenset(axis(x, dim, self.name) for dim in self.dim)
        if len(gone) < len(self.dim):
            raise ShapeError(f"{self.name} over axes {list(self.dim)} of {x} names one twice", "dim")
        return gone

    def sight(self, x: Tensor) -> Sight:
        """All there is along the axes; taken for all there is, unless it is along the channels alone."""
        return Sight() if self._gone(x) == {1} and len(x.shape) > 3 else Sight(everything=True)

    def operations(self, x: Tensor) -> Operations:
        """One addition per element after the first of each sum."""
        return Operations(additions=x.elements - self.output(x).elements)

    def torch_call(self, x: Tensor) -> Function:
        """The function of torch that is called so."""
        return Function(f"torch.{self.name}", {"dim": self.dim, **({"keepdim": True} if self.keepdim else {})})


class MeanOver(SumOver, name="mean"):
    """The mean over axes, which are gone then, or of size 1 with `keepdim`."""

    def operations(self, x: Tensor) -> Operations:
        """Those of the sum, and one division per result."""
        outputs = self.output(x).elements
        return Operations(additions=x.elements - outputs, divisions=outputs)


class LargestOver(SumOver, name="amax"):
    """The largest over axes, which are gone then, or of size 1 with `keepdim`."""

    def operations(self, x: Tensor) -> Operations:
        """One comparison per element after the first of each axis."""
        return Operations(comparisons=x.elements - self.output(x).elements)
