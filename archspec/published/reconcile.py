"""A number from elsewhere, and who counts so: all conventions and counters searched for what rounds to its digits.

The search goes on only while nothing is found, from what is likely to what is less so: the network as it is, in the
unit that the report names; in the other one, FLOPs for MACs; twice or half of it, and the groups of convolutions
forgotten; one multiplier or choice of it, another usual size of its input, or both, as they are counted by default;
larger batches; a multiplier, a choice or another size as anybody else counts it.

The more is tried, the more is explained by chance. How many reports of as many digits all that was tried would explain
is counted, and an explanation among so many is called what it is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

from archspec.architecture import Architecture, Network
from archspec.cost import CONVENTIONS, DEFAULT, DIALECTS, Convention, CostTable, Dialect, Term
from archspec.cost.conventions import TermDifference, difference, total
from archspec.dims import divide
from archspec.errors import ArchspecError
from archspec.language.document import Symbol
from archspec.published.verdict import ReportedNumber, Verdict, judge
from archspec.result import Reported, short

BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
SIDES = (32, 64, 96, 112, 128, 160, 192, 224, 227, 240, 256, 288, 299, 320, 331, 384, 416, 448, 480, 512, 600, 640)
"""Heights of input that reports are made at; those that a network's symbol allows are tried."""

MULTIPLIERS = tuple(Fraction(twentieths, 20) for twentieths in (5, 7, 10, 13, 15, 20, 25, 26, 28, 30, 40))
"""Values of multipliers that reports are made at, 0.25 to 2: of rational symbols that are 1 unless bound."""

LIKELY = Fraction(1, 20)
"""Where of all reports of as many digits so large a part would be explained, one that is explained says little."""


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

    @property
    def unit(self) -> str:
        """What is counted: "params", "MACs" or "FLOPs"; of a tool, what it calls its number."""
        _, who = self.by[0]
        if isinstance(who, Dialect):
            return "FLOPs" if who.prints.upper() == "FLOPS" else "MACs"
        return {"params": "params", "macs": "MACs", "flops": "FLOPs"}[self.base]


@dataclass(frozen=True, slots=True)
class Reconciliation(Reported):
    """What a report can be.

    Attributes:
        network: The network as asked for.
        report: The report.
        matches: The numbers that round to it; if there are none, those that begin with its digits.
        nearest: If there are neither, the nearest numbers.
        tried: How many numbers were held against the report until something was found.
        by_chance: How many reports of as many digits, in the same unit, these would explain.
    """

    network: Network
    report: ReportedNumber
    matches: tuple[Counted, ...]
    nearest: tuple[Counted, ...]
    tried: int
    by_chance: int

    @property
    def chance(self) -> Fraction:
        """The part of all reports of as many digits that would be explained as this one is."""
        return Fraction(self.by_chance, self.report.numbers)

    @property
    def says_little(self) -> bool:
        """Whether so many reports would be explained that the explanation is likely chance."""
        return bool(self.matches) and self.chance >= LIKELY

    def __bool__(self) -> bool:
        return bool(self.matches) and not self.says_little

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
    tried: dict[tuple[Any, str], None] = {}
    chance: set[int] = set()

    def answer(matches: Iterable[Counted], nearest: Iterable[Counted] = ()) -> Reconciliation:
        return Reconciliation(network, report, tuple(matches), tuple(nearest), len(tried), len(chance))

    for tier in _tiers(_ReportSearch(architecture, network, bindings, report)):
        judged = [replace(found, verdict=judge(report.printed, found.value)[0]) for found in tier]
        tried.update({(found.value, found.variant): None for found in judged})
        chance.update(*(report.alike(found.value) for found in judged))
        for verdicts in ((Verdict.EXACT, Verdict.ROUNDS), (Verdict.TRUNCATES,)):
            matches = [found for found in judged if found.verdict in verdicts]
            if matches:
                return answer(matches)
    here = _asked(_numbers(network), report)
    return answer((), sorted(here, key=lambda found: abs(found.value - report.printed.value))[:3])


@dataclass(frozen=True, slots=True)
class _ReportSearch:
    """What is asked."""

    architecture: Architecture
    network: Network
    bindings: Mapping[str, Any]
    report: ReportedNumber

    def at(self, *changes: Mapping[str, Any], by_default: bool = False) -> list[Counted]:
        """What is counted of the network with some symbols at other values; not all of those are networks."""
        found: list[Counted] = []
        for change in changes:
            try:
                other = self.architecture.expand({**self.bindings, **change})
            except ArchspecError:
                continue
            variant = "at " + ", ".join(f"{name} = {value}" for name, value in change.items())
            found += (_by_default if by_default else _numbers)(other, variant)
        return found

    def free(self) -> Iterator[tuple[str, Symbol, Any]]:
        """The symbols that nobody has bound, each with its value."""
        for name, symbol in self.architecture.document.symbols.items():
            if name not in self.bindings:
                yield name, symbol, self.network.bindings[name]

    def multiplied(self) -> list[dict[str, Any]]:
        """One multiplier at another usual value, or one symbol at another of its choices."""
        return [
            {name: value}
            for name, symbol, usual in self.free()
            for value in symbol.choices or (MULTIPLIERS if usual == 1 and not symbol.integer else ())
            if value != usual
        ]

    def resized(self) -> list[dict[str, Any]]:
        """The input at another usual size."""
        sizes = self.network.input.shape[2:]
        return [{name: side} for name, _, usual in self.free() if usual in sizes for side in SIDES if side != usual]


def _tiers(search: _ReportSearch) -> Iterator[list[Counted]]:
    """What is held against a report, from the likely to the less likely."""
    here = list(_numbers(search.network))
    report, multiplied, resized = search.report, search.multiplied(), search.resized()
    asked = _asked(here, report)
    yield asked
    yield _mistaken(here, report)
    yield [*_scaled(asked), *_asked(_without_groups(search.network), report)]
    for by_default in (True, False):
        for changes in (multiplied, resized):
            there = search.at(*changes, by_default=by_default)
            yield _asked(there, report)
            yield _mistaken(there, report)
        if by_default and report.quantity != "params":  # which no size of the input changes
            both = ({**one, **other} for one, other in product(multiplied, resized))
            yield _asked(search.at(*both, by_default=True), report)
        if by_default:
            yield list(_batched(asked))


def _asked(numbers: Iterable[Counted], report: ReportedNumber) -> list[Counted]:
    """Those in the unit that the report names; each value once, with all who give it."""
    units = {None: ("params", "MACs", "FLOPs"), "operations": ("MACs", "FLOPs")}.get(
        report.quantity, (report.quantity,)
    )
    return _merged(found for found in numbers if found.unit in units)


def _mistaken(numbers: Iterable[Counted], report: ReportedNumber) -> list[Counted]:
    """Those in the unit that the report's is often mistaken for."""
    other = {"MACs": "FLOPs", "FLOPs": "MACs"}.get(report.quantity or "")
    mistaken = (found for found in numbers if found.unit == other)
    return _merged(
        replace(found, variant=f"{found.variant}, {other} and not {report.quantity}".removeprefix(", "))
        for found in mistaken
    )


def _merged(numbers: Iterable[Counted]) -> list[Counted]:
    groups: dict[tuple[Any, ...], Counted] = {}
    for found in numbers:
        key = (found.value, found.of_params, found.variant)
        other = groups.get(key)
        groups[key] = found if other is None else replace(other, by=(*other.by, *found.by))
    return list(groups.values())


def _by_default(network: Network, variant: str) -> Iterator[Counted]:
    """What is counted of a network by default."""
    for name, terms in _figures(network.count()).items():
        yield Counted(((name, DEFAULT),), variant, total(terms), name, difference(terms, terms))


def _numbers(network: Network, variant: str = "") -> Iterator[Counted]:
    """All that is counted of a network; of a convention what differs from the default."""
    bases = _figures(network.count())

    def number(quantity: str, by: Convention, terms: tuple[Term, ...]) -> Counted:
        doubled = any(term.of == "macs" and term.factor == 2 for term in terms)
        base = "macs" if quantity == "flops" and not doubled else quantity
        return Counted(((quantity, by),), variant, total(terms), base, difference(terms, bases[base]))

    for name, terms in bases.items():
        yield number(name, DEFAULT, terms)
    for convention in CONVENTIONS.values():
        for name, terms in _figures(network.count(convention)).items():
            if total(terms) != total(bases[name]):
                yield number(name, convention, terms)
    operators = {node.operator.name for node in network.nodes}
    for dialect in DIALECTS.values():
        if all(map(dialect.knows, operators)):
            yield number("flops", dialect, network.count(dialect).terms)


def _figures(table: CostTable) -> dict[str, tuple[Term, ...]]:
    """What is counted, term by term."""
    return {"params": table.param_terms, "macs": (Term("macs", "macs", 1, table.macs),), "flops": table.terms}


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
    yield Counted(
        (("macs", DEFAULT),), "with groups = 1", dense.count, "macs", difference([dense], _figures(table)["macs"])
    )


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
