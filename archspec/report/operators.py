"""The closed forms of all operators, as a table."""

from collections.abc import Sequence
from typing import Any

from archspec.formula.operators import FIGURES, PRIMED, OperatorForm
from archspec.formula.writers import ShapeLatex, ShapeText, Writer, shape
from archspec.report.numbers import exactly
from archspec.report.page import EMPTY, Cell, Column, Math, Name, Notes, Report, Section, Table


def operators(forms: Sequence[OperatorForm]) -> Report:
    """The output shape, the parameters, the multiply-accumulates and the other operations of each operator."""
    known = {name for form in forms for name in form.figures}
    columns = [
        Column("operator", [Name(_name(form)) for form in forms]),
        Column("shapes", [Math(_shapes(form), _shapes(form, ShapeLatex)) for form in forms]),
        *(Column(name, [_figure(form, name) for form in forms]) for name in FIGURES if name in known),
        Column("assumes", [Name(_assumed(form)) for form in forms]),
    ]
    return Report(
        (Section((Table(columns, wide="records"),)), Section((Notes((_legend(forms),)),))),
        data=lambda: [_data(each) for each in forms],
    )


def _figure(form: OperatorForm, name: str) -> Cell:
    if name not in form.figures:
        return EMPTY
    return Math(_written(form, name), _written(form, name, ShapeLatex))


def _assumed(form: OperatorForm) -> str:
    """What is taken for true of the letters."""
    written = ShapeText(form.output[0])
    return "; ".join(written.condition(condition) for condition in form.conditions)


def _name(form: OperatorForm) -> str:
    settings = ", ".join(f"{name}: {exactly(value)}" for name, value in form.settings.items())
    return f"{form.operator} ({settings})" if settings else form.operator


def _shapes(form: OperatorForm, writer: type[Writer] = ShapeText) -> str:
    arrow = r" \to " if writer is ShapeLatex else " → "
    return f"{', '.join(shape(x, writer) for x in form.inputs)}{arrow}{shape(form.output, writer)}"


def _written(form: OperatorForm, name: str, writer: type[Writer] = ShapeText) -> str:
    formula = form.figures[name]
    return writer(formula).sum(formula.terms)


def _legend(forms: Sequence[OperatorForm]) -> str:
    meanings = dict(item for form in forms for item in ((letter.name, letter.means) for letter in form.letters))
    listed = "; ".join(f"{PRIMED.get(name, name)}: {means}" for name, means in meanings.items() if means != name)
    return f"{listed}. A switch is 1 where it is true, a word where it is chosen. Joins are of two branches."


def _data(form: OperatorForm) -> dict[str, Any]:
    return {
        "operator": form.operator,
        "settings": {name: exactly(value) for name, value in form.settings.items()},
        "letters": {letter.name: letter.means for letter in form.letters},
        "inputs": [shape(x) for x in form.inputs],
        "output": shape(form.output),
        **{name: {"text": _written(form, name), "latex": _written(form, name, ShapeLatex)} for name in form.figures},
        "assumes": [str(condition) for condition in form.conditions],
    }
