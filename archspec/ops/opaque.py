"""What an imported model computes and no operator does: kept by the shape of its result, not counted, never run."""

from collections.abc import Sequence
from types import MappingProxyType

from archspec.errors import ArchspecError
from archspec.ops.base import FREE, Natural, Operations, Operator, Sizes, Tensor, TorchCall, Weight


class Opaque(Operator, name="opaque"):
    """A function of a model that was imported which no operator computes: the shape that it gave, and its arrays.

    What it computes is not known, so its arithmetic is in no total, and each total says so. No model and no source can
    be made of it. The step is called after the function: `{opaque: {shape: [64, 56, 56]}, as: deform_conv2d}`.

    >>> Opaque(shape=(64, 56, 56), params=36864).output(Tensor((2, 64, 56, 56))).shape
    (2, 64, 56, 56)
    """

    known = False
    sees_all = True  # for all that is known
    example = MappingProxyType({"shape": ("c", "h", "w")})
    shape: Sizes
    params: Natural = 0
    buffers: Natural = 0

    def output(self, *xs: Tensor) -> Tensor:
        """N × shape, as it was measured."""
        return Tensor((xs[0].shape[0], *self.shape))

    def weights(self, *xs: Tensor) -> tuple[Weight, ...]:
        """The numbers that its arrays have together."""
        both = (Weight("weight", (self.params,)), Weight("buffer", (self.buffers,), "statistic"))
        return tuple(weight for weight in both if weight.shape != (0,))

    def operations(self, *xs: Tensor) -> Operations:
        """None that are known; see `known`."""
        return FREE

    def torch_call(self, *xs: Tensor) -> TorchCall:
        """None.

        Raises:
            ArchspecError: Always: what it computes is not known.
        """
        raise ArchspecError(f"{self.name} stands for what no operator computes: no model and no source can be made")


class OpaqueJoin(Opaque, name="opaque_join"):
    """The same of several values."""

    arity = "many"


def not_counted(nodes: Sequence[str]) -> tuple[str, ...]:
    """What every total says where it is not known what some nodes compute; nothing where there is none.

    >>> not_counted(["roi_align"]), not_counted([])
    (('1 opaque node not counted: what roi_align computes is in no total',), ())
    """
    if not nodes:
        return ()
    several = len(nodes) > 1
    named = f"{', '.join(nodes[:3])}{', …' if len(nodes) > 3 else ''}"
    many = f"{len(nodes):,} opaque node{'s' if several else ''}"
    return (f"{many} not counted: what {named} compute{'' if several else 's'} is in no total",)
