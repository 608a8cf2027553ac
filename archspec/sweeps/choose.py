"""Which of several networks fits budgets best: each searched along the symbols that it has, and held as it is else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from archspec.errors import ArchspecError, BindingError
from archspec.result import Reported, short
from archspec.sweeps.budget import budgets
from archspec.sweeps.family import Family
from archspec.sweeps.solve import Solution, solve


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
    limits: Mapping[str, str | Iterable[str]],
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
    _check_known(families, (*symbols, *held, *(between or {})))
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


def _check_known(families: Iterable[Family], names: Iterable[str]) -> None:
    for name in names:
        if not any(name in family.document.symbols for family in families):
            raise BindingError(f"none of these networks has a symbol '{name}'")


def _own(family: Family, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of symbols that the networks have."""
    return {name: value for name, value in values.items() if name in family.document.symbols}


def _rank(solution: Solution) -> tuple[Any, str]:
    figure: Any = solution.best.figures[solution.goal] if solution.best else 0
    return (figure if solution.smallest else -figure, solution.name)


def _miss(solution: Solution) -> tuple[Any, str]:
    figures = solution.nearest.figures if solution.nearest else {}
    return (max(budget.miss(figures[budget.quantity]) for budget in solution.budgets), solution.name)
