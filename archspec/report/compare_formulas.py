"""The formulas of networks one below the other, with their ratios."""

from collections.abc import Iterator, Mapping
from typing import Any

from archspec.cost import quantity
from archspec.formula.closed_form import Formula
from archspec.report.compare import ratio
from archspec.report.formula import conditions
from archspec.report.page import Column, Equation, Formulas, Math, Name, Notes, Report, Section, Table

Networks = Mapping[str, Mapping[str, Formula]]
"""The formulas by quantity, by what to call the network."""


def compare_formulas(networks: Networks) -> Report:
    """The formulas of several networks, and each network's as a multiple of the first's, without roundings."""
    lines = {figure: tuple(_lines(figure, networks)) for figure in next(iter(networks.values()))}
    assumed = {
        name: dict.fromkeys(note for formula in formulas.values() for note in conditions(formula))
        for name, formulas in networks.items()
    }
    notes = [f"{name}: {'; '.join(each)}" for name, each in assumed.items() if each]
    convention = next(iter(next(iter(networks.values())).values())).convention
    return Report(
        (
            *(Section((Formulas(each),), heading=quantity(figure).heading) for figure, each in lines.items()),
            Section((Notes((*notes, f"convention {convention}")),)),
        ),
        data=lambda: _data(networks),
        records=lambda: Table(
            [
                Column("quantity", [Name(figure) for figure, each in lines.items() for _ in each]),
                Column("network", [Name(line.name) for each in lines.values() for line in each]),
                Column("formula", [Math(line.text, line.latex) for each in lines.values() for line in each]),
            ]
        ),
    )


def _lines(figure: str, networks: Networks) -> Iterator[Equation]:
    """What is equal to what: each network's formula, then the ratios."""
    (first, reference), *others = networks.items()
    for name, formulas in networks.items():
        yield _line(name, "=", formulas[figure])
    if reference[figure].exact == 0:
        return
    for name, formulas in others:
        rounds = any(each[figure].exact != each[figure].asymptotic for each in (formulas, reference))
        yield _line(f"{name} / {first}", "≈" if rounds else "=", formulas[figure] / reference[figure])


def _line(name: str, sign: str, formula: Formula) -> Equation:
    if formula.exact.is_Rational and formula.counted is None:
        number = ratio(int(formula.exact.p), int(formula.exact.q))
        return Equation(name, sign, number, number)
    return Equation(name, sign, formula.text(), formula.latex())


def _data(networks: Networks) -> dict[str, Any]:
    reference = next(iter(networks.values()))

    def of_first(formulas: Mapping[str, Formula], figure: str) -> str | None:
        return (formulas[figure] / reference[figure]).text() if reference[figure].exact != 0 else None

    return {
        "convention": _any(reference).convention,
        "networks": [
            {
                "name": name,
                "bindings": {symbol: str(value) for symbol, value in _any(formulas).fixed.items()},
                "free": [symbol.name for symbol in _any(formulas).symbols],
                **{figure: formulas[figure].text() for figure in formulas},
                "of_first": {figure: of_first(formulas, figure) for figure in formulas},
            }
            for name, formulas in networks.items()
        ],
    }


def _any(formulas: Mapping[str, Formula]) -> Formula:
    """One of a network's formulas: they share symbols, bindings and convention."""
    return next(iter(formulas.values()))
