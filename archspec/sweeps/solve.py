"""The largest network within a budget, or the smallest: over all networks that a symbol, or two, can give.

The networks are all counted (`survey`), so nothing is taken for granted: neither that a cost grows with a symbol, nor
that a formula holds. What is reported is counted once more in plain integers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from archspec import cost
from archspec.cost import Counting
from archspec.errors import ArchspecError, BindingError
from archspec.graph import Network
from archspec.result import Reported, short
from archspec.sweeps.budget import Budget, budgets
from archspec.sweeps.family import Family, SearchRange, Span, coarser, search_ranges
from archspec.sweeps.survey import Sample, Survey, TooManyError

SHOWN = ("macs", "flops", "params", "activations", "weight_bytes")
"""What is said of every network, besides what is asked."""


CLOSE, MOST_CLOSE = Fraction(1, 100), 8
"""How far from the best a network is close to it, as a part of its goal; and how many of those are named."""


@dataclass(frozen=True, slots=True)
class Found:
    """A network, by the values that give it.

    Attributes:
        spans: Of each symbol, the values around those found that give this network while the others are as they are.
        figures: What it costs, by quantity.
        everywhere: Of each symbol, all values that do, in ascending order; of the largest network alone.
    """

    spans: Mapping[str, Span]
    figures: Mapping[str, int]
    everywhere: Mapping[str, tuple[Span, ...]] = field(default_factory=dict, compare=False)

    @property
    def values(self) -> dict[str, Any]:
        """A short value of every symbol that gives it."""
        return {name: span.short for name, span in self.spans.items()}


@dataclass(frozen=True, slots=True)
class Solution(Reported):
    """The answer to: which is the largest network within these budgets, or the smallest?

    Attributes:
        name: The specification's name.
        bindings: The symbols that were given; the others are at their defaults.
        lines: The symbols that were searched, and where.
        budgets: What the quantities may be.
        goal: The quantity of which the largest network has the most, and the smallest the least.
        smallest: Whether the smallest network is asked for.
        counting: How they were counted.
        best: The largest network within all budgets, or the smallest; None if there is none.
        next: The smallest of those that are larger, all of which break a budget, or the largest of those that are
            smaller; None if there is none.
        nearest: Where no network is within the budgets, the one that misses them by least.
        close: How many other networks within the budgets have a goal within 1 % of the best's; networks that cost the
            same in all figures are one.
        closest: The nearest of those, 8 at most.
        frontier: With two symbols, every network within the budgets that no other outdoes in one symbol without falling
            behind in the other; from the largest value of the first symbol down, or from the smallest up.
        unbuilt: How many values give no network, with the first reason.
    """

    name: str
    bindings: Mapping[str, Any]
    lines: tuple[SearchRange, ...]
    budgets: tuple[Budget, ...]
    goal: str
    smallest: bool
    counting: Counting
    best: Found | None
    next: Found | None
    nearest: Found | None
    frontier: tuple[Found, ...]
    unbuilt: tuple[int, str]
    close: int = 0
    closest: tuple[Found, ...] = ()

    def __bool__(self) -> bool:
        return self.best is not None

    def __repr__(self) -> str:
        return short(self, self.name, f"best {self.best.values if self.best else None}")


def solve(
    family: Family,
    symbols: str | Iterable[str],
    limits: Mapping[str, str | float | Iterable[str]],
    *,
    between: Mapping[str, Iterable[Any]] | None = None,
    maximise: str | None = None,
    minimise: str | None = None,
) -> Solution:
    """The largest network within budgets, or the smallest, over all values of one symbol or two.

    Args:
        family: The networks.
        symbols: What to solve for; nothing, to hold the network as it is against the budgets.
        limits: The budgets by quantity, such as {"macs": "<=300M"}; more than one bound in a list.
        between: Where to search a symbol, instead of its whole range: from, to, and for whole numbers the step.
        maximise: The quantity of which to have the most; the first with a budget unless given. Among networks with the
            same, the one with the larger value of the symbol is larger.
        minimise: The quantity of which to have the least instead; so of the first where all bounds are the least.

    Raises:
        BindingError: A symbol or its bounds cannot be; bounds contradict each other; there are too many networks; both
            the most and the least are asked for.
        UnknownNameError: There is no such quantity or convention.

    >>> from archspec.language import load
    >>> found = solve(Family(load("mobilenet")), "alpha", {"macs": "<=300M"})
    >>> print(found.best.spans["alpha"].written("alpha"), found.best.figures["macs"], found.next.figures["macs"])
    737/1024 ≤ alpha < 369/512 299816242 300711737
    """
    names = (symbols,) if isinstance(symbols, str) else tuple(symbols)
    wanted = budgets(limits)
    if maximise is not None and minimise is not None:
        raise BindingError("the largest network and the smallest are two questions; give maximise or minimise")
    smallest = minimise is not None or (maximise is None and all(budget.most is None for budget in wanted))
    goal = minimise or maximise or wanted[0].quantity
    cost.quantity(goal)
    if both := [name for name in names if name in family.bindings]:
        raise BindingError(f"the symbol '{both[0]}' cannot be both bound and solved for")
    question = _Question(family, names, wanted, goal, smallest)
    searched, survey = _surveyed(search_ranges(family.document, names, between or {}), between or {}, question)
    faults = survey.faults
    return Solution(
        name=family.document.name,
        bindings=family.bindings,
        lines=searched,
        budgets=wanted,
        goal=goal,
        smallest=smallest,
        counting=family.counting,
        unbuilt=(len(faults), next((f"{at}: {fault}" for at, fault in faults.items()), "")),
        **question.answers(survey),
    )


def _surveyed(
    searched: tuple[SearchRange, ...], between: Mapping[str, Any], question: "_Question"
) -> tuple[tuple[SearchRange, ...], Survey]:
    """The networks along lines; in longer steps where there are too many, unless the caller gave the step."""
    while True:
        try:
            return searched, Survey(searched, question.family.at, question.count)
        except TooManyError:
            fewer = tuple(line if line.symbol in between else coarser(line) for line in searched)
            if len(searched) == 1 or fewer == searched:
                raise
            searched = fewer


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, and the answers to its parts."""

    family: Family
    names: tuple[str, ...]
    budgets: tuple[Budget, ...]
    goal: str
    smallest: bool

    def count(self, network: Network) -> dict[str, Any]:
        """What a network costs, by quantity."""
        asked = (self.goal, *(budget.quantity for budget in self.budgets))
        return self.family.figures(network, dict.fromkeys((*SHOWN, *asked)))

    def answers(self, survey: Survey) -> dict[str, Any]:
        """The parts of the solution that the samples decide."""
        samples = list(survey)
        within = [sample for sample in samples if not any(b.excess(sample.figures[b.quantity]) for b in self.budgets)]
        if not within:
            nearest = min(samples, key=lambda sample: max(b.miss(sample.figures[b.quantity]) for b in self.budgets))
            return {"best": None, "next": None, "nearest": self.found(nearest), "frontier": ()}
        best = self.outermost(max, within)
        close = self.close(within, best)
        beyond = [sample for sample in samples if self.size(sample) > self.size(best)]
        return {
            "best": replace(self.found(best), everywhere=survey.everywhere(best)),
            "next": self.found(self.outermost(min, beyond)) if beyond else None,
            "nearest": None,
            "frontier": self.frontier(within) if len(self.names) == 2 else (),
            "close": len(close),
            "closest": tuple(map(self.found, close[:MOST_CLOSE])),
        }

    def close(self, within: list[Sample], best: Sample) -> list[Sample]:
        """The samples whose goal is within 1 % of the best's, one for each set of figures; the nearest first."""
        goal = best.figures[self.goal]
        near = [sample for sample in within if abs(sample.figures[self.goal] - goal) <= CLOSE * abs(goal)]
        known = {tuple(best.figures.values())}
        found: list[Sample] = []
        for sample in sorted(near, key=lambda sample: (self.size(sample), *self.rank(sample)), reverse=True):
            if (figures := tuple(sample.figures.values())) not in known:
                known.add(figures)
                found.append(sample)
        return found

    def outermost(self, choose: Callable[..., Any], samples: Sequence[Sample]) -> Sample:
        """The sample with the most (max) or the least (min) of the goal; of several, by the values of the symbols."""
        edge = choose(map(self.size, samples))
        found: Sample = choose((sample for sample in samples if self.size(sample) == edge), key=self.rank)
        return found

    def size(self, sample: Sample) -> Any:
        """What samples are ordered by, the best last: what is to be most or least."""
        figure = sample.figures[self.goal]
        return -figure if self.smallest else figure

    def rank(self, sample: Sample) -> tuple[Any, ...]:
        """The values of the symbols, words by their place among the choices; less of them for the smallest."""
        values, symbols = sample.values, self.family.document.symbols
        choices = {name: symbols[name].choices or () for name in self.names if symbols[name].word}
        places = (choices[n].index(values[n]) if n in choices else values[n] for n in self.names)
        return tuple(-place if self.smallest else place for place in places)

    def frontier(self, within: list[Sample]) -> tuple[Found, ...]:
        """The samples that none exceeds in one symbol without being less in the other, one for each network."""
        found: list[Found] = []
        most: Any = None
        for sample in sorted(within, key=self.rank, reverse=True):
            second = self.rank(sample)[1]
            if most is None or second > most:
                most = second
                found.append(self.found(sample))
        return tuple(found)

    def found(self, sample: Sample) -> Found:
        """A sample with all values that give it; counted once more, in plain integers.

        Raises:
            ArchspecError: The two counts differ, which is a fault of this library.
        """
        network = Found(sample.spans, sample.figures)
        again = self.count(self.family.at(network.values))
        if again != dict(network.figures):
            raise ArchspecError(f"the networks at {network.values} were counted as {network.figures}, and as {again}")
        return network


@dataclass(frozen=True, slots=True)
class Choice(Reported):
    """The networks within budgets, the best first.

    Attributes:
        fitting: Of each network that has one within the budgets, which; the largest (or the smallest) first.
        missing: Of each other network the nearest, that which misses least first.
        refused: The networks that cannot be searched or counted, each with the reason.
    """

    fitting: tuple[Solution, ...]
    missing: tuple[Solution, ...]
    refused: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.fitting)

    def __repr__(self) -> str:
        return short(self, *(solution.name for solution in self.fitting[:1]), f"{len(self.fitting)} fit")


def choose(
    families: Iterable[Family],
    symbols: Iterable[str],
    limits: Mapping[str, str | float | Iterable[str]],
    *,
    between: Mapping[str, Iterable[Any]] | None = None,
    maximise: str | None = None,
    minimise: str | None = None,
) -> Choice:
    """The networks that fit budgets, the best first; a network without a symbol is searched without it.

    Args:
        families: The networks of each specification; what it holds without having it is held of the others.
        symbols: What to solve for; see `solve`, of which the others are too.
        limits: The budgets by quantity.
        between: Where to search a symbol.
        maximise: The quantity of which to have the most.
        minimise: The quantity of which to have the least.

    Raises:
        BindingError: No network has a symbol that is searched or bound; a budget cannot be.

    >>> from archspec.language import load
    >>> both = [Family(load(name)) for name in ("mobilenet", "mobilenet_v2", "squeezenet")]
    >>> found = choose(both, ["alpha"], {"macs": "<=400M", "params": "<=3M"})
    >>> [(each.name, each.best.values) for each in found.fitting]
    [('mobilenet', {'alpha': Fraction(41, 50)}), ('mobilenet_v2', {'alpha': Fraction(87, 100)})]
    >>> found.missing[0].name
    'squeezenet'
    """
    families, symbols = tuple(families), tuple(symbols)
    budgets(limits)
    held = (name for family in families for name in family.bindings)
    for name in (*symbols, *held, *(between or {})):
        if not any(name in family.document.symbols for family in families):
            raise BindingError(f"none of these networks has a symbol '{name}'")
    fitting: list[Solution] = []
    missing: list[Solution] = []
    refused: dict[str, str] = {}
    for family in families:
        document = family.document
        try:
            found = solve(
                replace(family, bindings=_own(family, family.bindings)),
                [name for name in symbols if name in document.symbols],
                limits,
                between=_own(family, between or {}),
                maximise=maximise,
                minimise=minimise,
            )
        except ArchspecError as error:
            refused[document.name] = str(error).splitlines()[0]
            continue
        (fitting if found else missing).append(found)
    return Choice(tuple(sorted(fitting, key=_rank)), tuple(sorted(missing, key=_miss)), refused)


def _own(family: Family, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of symbols that the networks have."""
    return {name: value for name, value in values.items() if name in family.document.symbols}


def _rank(solution: Solution) -> tuple[Any, str]:
    figure: Any = solution.best.figures[solution.goal] if solution.best else 0
    return (figure if solution.smallest else -figure, solution.name)


def _miss(solution: Solution) -> tuple[Any, str]:
    figures = solution.nearest.figures if solution.nearest else {}
    return (max(budget.miss(figures[budget.quantity]) for budget in solution.budgets), solution.name)
