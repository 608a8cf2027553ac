"""A number from elsewhere, and who counts so: all conventions and counters searched for what rounds to its digits.

The search goes on only while nothing is found: the network as it is; twice or half of that, for one or two operations
a multiply-accumulate, and the groups of convolutions forgotten; larger batches; then one symbol at a time at another of
its choices, or at another usual size of the input.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from archspec.architecture import Architecture, Network
from archspec.cost import CONVENTIONS, DEFAULT, DIALECTS, Convention, CostTable, Term
from archspec.cost.difference import TermDifference, difference, total
from archspec.dims import ceil, divide, floor
from archspec.errors import ArchspecError
from archspec.published.verdict import Printed, Verdict, judge
from archspec.result import Reported, short

BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
SIDES = (32, 64, 96, 112, 128, 160, 192, 224, 227, 240, 256, 288, 299, 320, 331, 384, 416, 448, 480, 512, 600, 640)
"""Heights of input that reports are made at; those that a network's symbol allows are tried."""


@dataclass(frozen=True, slots=True)
class ReportedNumber:
    """A number as someone reports it.

    Attributes:
        text: The report.
        printed: Its digits.
        quantity: "params" or "operations", if it says so; None otherwise.
    """

    text: str
    printed: Printed
    quantity: str | None

    @classmethod
    def read(cls, text: str) -> "ReportedNumber":
        """Read a number, with K, M, G or T behind it, and a word for what it counts.

        Raises:
            ArchspecError: It is not such a number.

        >>> report = ReportedNumber.read("3.50M params")
        >>> report.quantity, report.low, report.high
        ('params', 3495000, 3505000)
        """
        found = _REPORT.fullmatch(text)
        tail = found["tail"].lower().replace("-", "") if found else "?"
        splits = ((tail[:end].strip(), tail[end:].strip()) for end in range(len(tail) + 1))
        known = next((split for split in splits if split[0] in _UNITS and split[1] in _WORDS), None)
        if found is None or known is None:
            raise ArchspecError(f"expected a number such as 327.55M, 568,740,352 or '3.50M params', found '{text}'")
        digits = re.sub(r"[^\d.]", "", found["digits"])
        printed, unit = Printed.read(digits), _UNITS[known[0]]
        return cls(text.strip(), Printed(printed.value * unit, printed.step * unit), _WORDS[known[1]])

    @property
    def low(self) -> int:
        """The least integer that rounds to it."""
        return int(ceil(Fraction(self.printed.interval.low)))

    @property
    def high(self) -> int:
        """The greatest."""
        return int(floor(Fraction(self.printed.interval.high)))


_REPORT = re.compile(
    r"\s*[~≈]?\s*(?P<digits>\d{1,3}(?:[,_ '\u202f\u00a0]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"\s*(?P<tail>[A-Za-z -]*)"
)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_UNITS |= {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORDS: dict[str, str | None] = {
    "": None,
    **dict.fromkeys(("param", "params", "parameter", "parameters", "weights"), "params"),
    **dict.fromkeys(("mac", "macs", "macc", "maccs", "adds", "madds", "multadds", "multiplyadds"), "operations"),
    **dict.fromkeys(("flop", "flops", "op", "ops", "operations"), "operations"),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of a network, and all who give it.

    Attributes:
        by: The conventions and counters that give it, each with what it is there: "params", "macs" or "flops".
        variant: How the network or the number differs from what is asked for, in words; empty if it does not.
        value: The number; half of an odd one is a Fraction.
        base: The figure of the default convention that it is held against: "params", "macs" or "flops".
        parts: The difference to that, term by term; where the number was doubled or halved, before that.
        verdict: How the report stands to it.
    """

    by: tuple[tuple[str, Convention], ...]
    variant: str
    value: Any
    base: str
    parts: tuple[TermDifference, ...]
    verdict: Verdict = Verdict.OFF

    @property
    def of_params(self) -> bool:
        """Whether it counts parameters; else it counts operations."""
        return self.base == "params"


@dataclass(frozen=True, slots=True)
class Reconciliation(Reported):
    """What a report can be.

    Attributes:
        network: The network as asked for.
        report: The report.
        matches: The numbers that round to it; if there are none, those that begin with its digits.
        nearest: If there are neither, the nearest numbers.
    """

    network: Network
    report: ReportedNumber
    matches: tuple[Counted, ...]
    nearest: tuple[Counted, ...]

    def __repr__(self) -> str:
        return short(self, self.network.name, f"{len(self.matches)} matches")


def reconcile(
    architecture: Architecture, reported: str, bindings: Mapping[str, Any] | None = None, /, **symbols: Any
) -> Reconciliation:
    """Search for who counts a network to a reported number.

    Args:
        architecture: The network.
        reported: The number as printed: its digits decide what rounds to it.
        bindings: Values for symbols, by name.
        symbols: Values for symbols, in place of a mapping.

    Raises:
        ArchspecError: The report is no number, or the network cannot be built.

    >>> from archspec.architecture import load
    >>> [who.name for found in reconcile(load("mobilenet_v2"), "327.55M").matches for _, who in found.by]
    ['thop']
    """
    report = ReportedNumber.read(reported)
    bindings = {**(bindings or {}), **symbols}
    network = architecture.expand(bindings)
    here = _wanted(_numbers(network), report)
    tiers: tuple[Callable[[], Iterable[Counted]], ...] = (
        lambda: here,
        lambda: (*_scaled(here), *_wanted(_without_groups(network), report)),
        lambda: _batched(here),
        lambda: _wanted(_elsewhere(architecture, network, bindings), report),
    )
    for tier in tiers:
        judged = [replace(found, verdict=judge(report.printed, found.value)[0]) for found in tier()]
        for verdicts in ((Verdict.EXACT, Verdict.ROUNDS), (Verdict.TRUNCATES,)):
            matches = tuple(found for found in judged if found.verdict in verdicts)
            if matches:
                return Reconciliation(network, report, matches, ())
    near = sorted(here, key=lambda found: abs(found.value - report.printed.value))
    return Reconciliation(network, report, (), tuple(near[:3]))


def _wanted(numbers: Iterable[Counted], report: ReportedNumber) -> list[Counted]:
    """Those of the quantity that the report names; each value once, with all who give it."""
    groups: dict[tuple[Any, ...], Counted] = {}
    for found in numbers:
        if report.quantity is None or (report.quantity == "params") == found.of_params:
            key = (found.value, found.of_params, found.variant)
            other = groups.get(key)
            groups[key] = found if other is None else replace(other, by=(*other.by, *found.by))
    return list(groups.values())


def _numbers(network: Network, variant: str = "") -> Iterator[Counted]:
    """All that is counted of a network; of a convention what differs from the default."""
    default = network.count()
    bases = {"params": default.param_terms, "macs": _macs(default), "flops": default.terms}

    def number(quantity: str, by: Convention, terms: tuple[Term, ...]) -> Counted:
        doubled = any(term.of == "macs" and term.factor == 2 for term in terms)
        base = "macs" if quantity == "flops" and not doubled else quantity
        return Counted(((quantity, by),), variant, total(terms), base, difference(terms, bases[base]))

    for name, terms in bases.items():
        yield number(name, DEFAULT, terms)
    for convention in CONVENTIONS.values():
        table = network.count(convention)
        for name, terms in {"params": table.param_terms, "macs": _macs(table), "flops": table.terms}.items():
            if total(terms) != total(bases[name]):
                yield number(name, convention, terms)
    operators = {node.operator.name for node in network.nodes}
    for dialect in DIALECTS.values():
        if all(map(dialect.knows, operators)):
            yield number("flops", dialect, network.count(dialect).terms)


def _macs(table: CostTable) -> tuple[Term, ...]:
    return (Term("macs", "macs", 1, table.macs),)


def _scaled(numbers: Iterable[Counted]) -> Iterator[Counted]:
    """Operations twice and half."""
    for found in numbers:
        if not found.of_params:
            yield replace(found, variant="twice", value=2 * found.value)
            yield replace(found, variant="half", value=divide(found.value, 2))


def _without_groups(network: Network) -> Iterator[Counted]:
    """The multiply-accumulates of a counter that takes every convolution for a dense one."""
    table = network.count()
    groups = (getattr(node.operator, "groups", 1) for node in network.nodes)
    dense = Term("macs", "macs", 1, sum(row.macs * g for row, g in zip(table.rows, groups, strict=True)))
    yield Counted((("macs", DEFAULT),), "with groups = 1", dense.count, "macs", difference([dense], _macs(table)))


def _batched(numbers: Iterable[Counted]) -> Iterator[Counted]:
    """Operations of several inputs at once."""
    for found, batch in product(numbers, BATCHES):
        if not found.of_params:
            parts = tuple(
                TermDifference(part.of, _times(part.left, batch), _times(part.right, batch)) for part in found.parts
            )
            value = sum(total(part.left) for part in parts)
            yield replace(found, variant=f"at batch {batch}", value=value, parts=parts)


def _times(terms: Iterable[Term], batch: int) -> tuple[Term, ...]:
    return tuple(replace(term, count=term.count * (1 if term.what == "calls" else batch)) for term in terms)


def _elsewhere(architecture: Architecture, network: Network, bindings: Mapping[str, Any]) -> Iterator[Counted]:
    """The network with one symbol at another value."""
    for name, symbol in architecture.document.symbols.items():
        sides = SIDES if network.bindings[name] in network.input.shape[2:] else ()
        for value in symbol.choices or sides:
            if value == network.bindings[name]:
                continue
            try:
                other = architecture.expand({**bindings, name: value})
            except ArchspecError:  # not every value of a symbol is a network
                continue
            yield from _numbers(other, f"at {name} = {value}")
