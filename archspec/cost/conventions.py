"""Counting conventions as named values: what is a parameter, what is an operation, how many bits a number has.

No single rule reproduces the papers. Every figure that is shown names the convention it was counted under.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from archspec.dims import Dim
from archspec.errors import UnknownNameError, did_you_mean
from archspec.ops import KINDS, Operations

WEIGHTS = frozenset({"weight"})
WITH_BIASES = WEIGHTS | {"bias"}
TRAINABLE = WITH_BIASES | {"scale", "shift"}
TOTAL = TRAINABLE | {"statistic"}

MAC_IS_1: Mapping[str, int] = MappingProxyType({"macs": 1})
MAC_IS_2: Mapping[str, int] = MappingProxyType({"macs": 2})
ALL_ARITHMETIC: Mapping[str, int] = MappingProxyType({kind: {"macs": 2, "binary": 0}.get(kind, 1) for kind in KINDS})


@dataclass(frozen=True, slots=True)
class Convention:
    """A way of counting.

    Attributes:
        name: What it is called on the command line and under every figure.
        doc: One sentence that says what is counted.
        params: The roles of the arrays that count as parameters.
        flops: How many FLOPs an operation of each kind is; a kind that is not named is free.
        classifier: Whether the last layer with weights counts, in parameters and in operations.
        bits: Bits a stored number has, where its operator does not say otherwise.
        source: Who counts so.
    """

    name: str
    doc: str
    params: frozenset[str] = TRAINABLE
    flops: Mapping[str, int] = field(default_factory=lambda: ALL_ARITHMETIC)
    classifier: bool = True
    bits: int = 32
    source: str = ""

    def flops_of(self, operations: Operations) -> Dim:
        """The FLOPs of operations."""
        counts = zip(KINDS, operations.counts(), strict=True)
        return sum(self.flops[kind] * count for kind, count in counts if self.flops.get(kind))


DEFAULT = Convention(
    "default",
    "params: weights, biases, BN scale and shift; buffers apart; macs: convolutions and linear layers; "
    "flops: 2 a mac, 1 any other arithmetic; 32-bit numbers",
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            DEFAULT,
            Convention(
                "weights",
                "params: weights alone; flops: 1 a mac, all else free",
                params=WEIGHTS,
                flops=MAC_IS_1,
            ),
            Convention(
                "total",
                "params: all stored arrays, BN statistics among them; flops as by default",
                params=TOTAL,
                source="Keras, 'Total params'",
            ),
            Convention(
                "mobilenet",
                "params: weights alone; flops: 1 a mac, all else free",
                params=WEIGHTS,
                flops=MAC_IS_1,
                source="Howard et al. 2017, arXiv:1704.04861, Tables 2 to 13 ('Mult-Adds')",
            ),
            Convention(
                "mobilenet-v2",
                "params: weights and biases, no BN; flops: 1 a mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_1,
                source="Sandler et al. 2018, arXiv:1801.04381, Table 4 ('MAdds')",
            ),
            Convention(
                "shufflenet-table1",
                "the classifier is not counted; flops: 1 a mac, all else free",
                flops=MAC_IS_1,
                classifier=False,
                source="Zhang et al. 2017, arXiv:1707.01083, Table 1 ('FLOPs' are multiply-adds)",
            ),
            Convention(
                "shufflenet",
                "flops: 1 a mac, all else free, the classifier counted",
                flops=MAC_IS_1,
                source="Zhang et al. 2017, arXiv:1707.01083, Tables 5, 6 and 8",
            ),
            Convention(
                "han2015",
                "params: weights alone; flops: 2 a mac, all else free",
                params=WEIGHTS,
                flops=MAC_IS_2,
                source="Han et al. 2015, arXiv:1506.02626, Tables 3 to 5",
            ),
            Convention(
                "deep-compression",
                "params: weights and biases; flops: 2 a mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_2,
                source="Han et al. 2016, arXiv:1510.00149, Tables 2 to 5",
            ),
            Convention(
                "squeezenet",
                "params: weights and biases; flops: 2 a mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_2,
                source="Iandola et al. 2016, arXiv:1602.07360, Table 1 and the authors' README",
            ),
            Convention(
                "xception",
                "params: weights, biases, BN scale and shift",
                flops=MAC_IS_1,
                source="Chollet 2016, arXiv:1610.02357, Table 3",
            ),
        )
    }
)
"""Every convention by its name."""


def convention(name: str | Convention) -> Convention:
    """The convention of that name.

    Raises:
        UnknownNameError: There is none.

    >>> convention("han2015").flops_of(Operations(macs=10, additions=3))
    20
    """
    if isinstance(name, Convention):
        return name
    found = CONVENTIONS.get(name)
    if found is None:
        known = did_you_mean(name, CONVENTIONS) or f"; known are {', '.join(CONVENTIONS)}"
        raise UnknownNameError(f"unknown convention '{name}'{known}")
    return found
