"""Counting conventions as named values: what is a parameter, what is an operation, how many bits a number has.

No single rule reproduces the papers. Every figure that is shown names the convention it was counted under.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from archspec.cost.features import Work, macs_on_image
from archspec.dims import Dim, ceil_div, is_number
from archspec.errors import entry
from archspec.ops import KINDS, Operations, Operator, Tensor, registered
from archspec.result import short

WEIGHTS = frozenset({"weight"})
WITH_BIASES = WEIGHTS | {"bias"}
TRAINABLE = WITH_BIASES | {"scale", "shift"}
TOTAL = TRAINABLE | {"statistic"}

MAC_IS_1: Mapping[str, int] = MappingProxyType({"macs": 1})
MAC_IS_1_AND_BINARY: Mapping[str, int] = MappingProxyType({"macs": 1, "binary": 1})
MAC_IS_2: Mapping[str, int] = MappingProxyType({"macs": 2})
ALL_ARITHMETIC: Mapping[str, int] = MappingProxyType({kind: {"macs": 2, "binary": 0}.get(kind, 1) for kind in KINDS})

CORE = tuple(name for name, operator in registered().items() if operator.core)
"""The operators that every counter counts: their multiply-accumulates, and apart from those their biases."""


@dataclass(frozen=True, slots=True)
class Term:
    """A summand of a figure: `factor` times `count`.

    Attributes:
        of: What does it: "macs" and "biases" of layers that every counter counts, else the operator's name.
        what: What is counted: a kind of operation, or a size such as "inputs".
        factor: What each of them is worth.
        count: How many there are.
    """

    of: str
    what: str
    factor: int
    count: Dim

    @property
    def amount(self) -> Dim:
        """What it adds to the figure."""
        return self.factor * self.count


@dataclass(frozen=True, slots=True, repr=False)
class Convention:
    """A way of counting.

    Attributes:
        name: What it is called on the command line and under every figure.
        doc: One sentence that says what is counted.
        params: The roles of the arrays that count as parameters.
        flops: How many FLOPs an operation of each kind is; a kind that is not named is free.
        classifier: Whether the last layer with weights counts, in parameters and in operations.
        padding: Whether a convolution's tap that falls on padding is a multiply-accumulate like any other.
        masked: Whether the scores that a causal mask leaves out are computed.
        bits: Bits a stored number has, where its operator does not say otherwise.
        word: How many one-bit operations are done, and counted, as one.
        source: Who counts so.
    """

    name: str
    doc: str
    params: frozenset[str] = TRAINABLE
    flops: Mapping[str, int] = field(default_factory=lambda: ALL_ARITHMETIC)
    classifier: bool = True
    padding: bool = True
    masked: bool = True
    bits: int = 32
    word: int = 1
    source: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """Its class and its fields; read-only mappings, which cannot be pickled, as plain ones."""
        values = (getattr(self, each.name) for each in fields(self))
        return type(self), tuple(dict(each) if isinstance(each, MappingProxyType) else each for each in values)

    def __repr__(self) -> str:
        return short(self, self.name)

    def flops_of(self, operations: Operations) -> Dim:
        """The FLOPs of operations."""
        counts = zip(KINDS, operations.counts(), strict=True)
        return sum(self.flops[kind] * count for kind, count in counts if self.flops.get(kind))

    def operations(self, operator: Operator, inputs: tuple[Tensor, ...]) -> Operations:
        """The arithmetic of an operator: one-bit operations in words, what is padded or masked only if it counts."""
        operations: Operations = (operator.operations if self.masked else operator.unmasked)(*inputs)
        if self.word > 1:
            operations = replace(operations, binary=ceil_div(operations.binary, self.word))
        if self.padding or operator.taps is None:
            return operations
        return replace(operations, macs=macs_on_image(operator, inputs[0]))

    def flops_at(self, work: Work) -> Dim:
        """The FLOPs of an operator."""
        return self.flops_of(work.operations)

    def terms(self, work: Work) -> tuple[Term, ...]:
        """The summands of an operator's FLOPs."""
        counts = zip(KINDS, work.operations.counts(), strict=True)
        terms = (Term(_doer(work.operator.name, kind), kind, self.flops.get(kind, 0), count) for kind, count in counts)
        return tuple(term for term in terms if term.factor and not is_zero(term.count))


def is_zero(count: Dim) -> bool:
    """Whether a count is the number 0; one of a symbol never is."""
    return is_number(count) and bool(count == 0)


def _doer(operator: str, kind: str) -> str:
    """Of convolutions and linear layers, the products and the biases apart; else the operator."""
    return {"macs": "macs", "additions": "biases"}.get(kind, operator) if operator in CORE else operator


DEFAULT = Convention(
    "default",
    "params: weights, biases, scales and shifts of normalisations; buffers apart; "
    "macs: products of convolutions, linear and recurrent layers, and of matrices (attention); "
    "flops: 2 per mac, 1 per other operation, one-bit operations apart; 32-bit numbers",
)

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            DEFAULT,
            Convention(
                "weights",
                "params: weights alone; flops: 1 per mac, all else free",
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
                "on-image",
                "a convolution's taps on padding are no macs: (3h − 2)(3w − 2) for 3×3, stride 1, padding 1; "
                "all else as by default",
                padding=False,
                source="XLA, HloCostAnalysis, of convolutions",
            ),
            Convention(
                "causal",
                "scores that a causal mask leaves out are not computed: L(L + 1)/2 for L²; all else as by default",
                masked=False,
                source="Dao 2023, arXiv:2307.08691, section 4.1, which takes half",
            ),
            Convention(
                "mobilenet",
                "params: weights alone; flops: 1 per mac, all else free",
                params=WEIGHTS,
                flops=MAC_IS_1,
                source="Howard et al. 2017, arXiv:1704.04861, Tables 2 to 13 ('Mult-Adds')",
            ),
            Convention(
                "mobilenet-v2",
                "params: weights and biases, no BN; flops: 1 per mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_1,
                source="Sandler et al. 2018, arXiv:1801.04381, Table 4 ('MAdds')",
            ),
            Convention(
                "shufflenet-table1",
                "all but the classifier; params: weights, biases, BN scale and shift; flops: 1 per mac, all else free",
                flops=MAC_IS_1,
                classifier=False,
                source="Zhang et al. 2017, arXiv:1707.01083, Table 1 ('FLOPs' are multiply-adds)",
            ),
            Convention(
                "shufflenet",
                "params: weights, biases, BN scale and shift; flops: 1 per mac, all else free, the classifier counted",
                flops=MAC_IS_1,
                source="Zhang et al. 2017, arXiv:1707.01083, Tables 5, 6 and 8",
            ),
            Convention(
                "han2015",
                "params: weights alone; flops: 2 per mac, all else free",
                params=WEIGHTS,
                flops=MAC_IS_2,
                source="Han et al. 2015, arXiv:1506.02626, Tables 3 to 5",
            ),
            Convention(
                "deep-compression",
                "params: weights and biases; flops: 2 per mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_2,
                source="Han et al. 2016, arXiv:1510.00149, Tables 2 to 5",
            ),
            Convention(
                "squeezenet",
                "params: weights and biases; flops: 2 per mac, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_2,
                source="Iandola et al. 2016, arXiv:1602.07360, Table 1 and the authors' README",
            ),
            Convention(
                "xception",
                "params: weights, biases, BN scale and shift; flops: 1 per mac, all else free",
                flops=MAC_IS_1,
                source="Chollet 2016, arXiv:1610.02357, Table 3",
            ),
            Convention(
                "xnor",
                "params: weights and biases; flops: 1 per mac, 1 for 64 one-bit operations, all else free",
                params=WITH_BIASES,
                flops=MAC_IS_1_AND_BINARY,
                word=64,
                source="Rastegari et al. 2016, arXiv:1603.05279, section 3.2: one XNOR of 64 bits a clock",
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
    return name if isinstance(name, Convention) else entry(CONVENTIONS, name, "convention")


# ------------------------------------------------------------------ why two counts of one network disagree


@dataclass(frozen=True, slots=True)
class TermDifference:
    """What one doer adds to two figures, and so to their difference.

    Attributes:
        of: What does it, as in `Term`.
        left: Its summands in the one figure; none if it is free there.
        right: Its summands in the other.
    """

    of: str
    left: tuple[Term, ...]
    right: tuple[Term, ...]

    @property
    def difference(self) -> Dim:
        """The left less the right; over all parts this adds up to the difference of the figures."""
        return total(self.left) - total(self.right)


def total(terms: Iterable[Term]) -> Dim:
    """What summands add up to."""
    return sum(term.amount for term in terms)


def difference(left: Iterable[Term], right: Iterable[Term]) -> tuple[TermDifference, ...]:
    """Two figures held against each other, as a part for each that adds to either of them.

    >>> two, one = Term("macs", "macs", 2, 500), Term("macs", "macs", 1, 500)
    >>> [(part.of, part.difference) for part in difference([two, Term("relu", "inputs", 1, 7)], [one])]
    [('macs', 500), ('relu', 7)]
    """
    left, right = tuple(left), tuple(right)
    doers = dict.fromkeys(term.of for term in (*left, *right))
    return tuple(
        TermDifference(
            doer, tuple(term for term in left if term.of == doer), tuple(term for term in right if term.of == doer)
        )
        for doer in sorted(doers, key=lambda doer: _FIRST.index(doer) if doer in _FIRST else len(_FIRST))
    )


_FIRST = ("macs", "biases")
