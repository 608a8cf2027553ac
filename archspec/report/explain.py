"""One layer, line by line: the rule, the letters, the numbers put in, the result; and the rules of all operators."""

from collections.abc import Iterator, Sequence
from typing import Any

from archspec.cost import QUANTITIES
from archspec.formula.closed_form import Formula
from archspec.formula.explain import Explanation
from archspec.formula.operators import FIGURES, PRIMED, OperatorForm
from archspec.formula.writers import NumberLatex, NumberText, ShapeLatex, ShapeText, Text, Writer, shape
from archspec.ops.opaque import not_counted
from archspec.report import numbers
from archspec.report.page import (
    EMPTY,
    Cell,
    Column,
    Equation,
    Formulas,
    Math,
    Name,
    Notes,
    Report,
    Section,
    Table,
    Title,
)

Steps = tuple[tuple[str, str], ...]
"""What something is, from letters to numbers: each as text and as LaTeX."""


def explain(found: Explanation) -> Report:
    """An explanation: the rule, the letters, and each quantity from letters to numbers."""
    settings = [f"{name}: {numbers.exactly(value)}" for name, value in found.closed_forms.settings.items()]
    letters = (Table(_letters_of(found), headed=False),) if found.closed_forms.letters else ()
    quantities = list(_quantities(found))
    return Report(
        (
            Section((Title(_head(found)), Notes((found.rule,), inset=True))),
            *(
                (Section((*letters, *((Notes(settings),) if settings else ())), nested=True),)
                if letters or settings
                else ()
            ),
            *(Section((_formulas(name, steps),)) for name, steps in quantities),
            Section((Notes(tuple(_notes(found))),)),
        ),
        data=lambda: _data(found),
        records=lambda: Table(
            [
                Column("quantity", [Name(name) for name, _ in quantities]),
                Column("formula", [Math(*steps[0]) for _, steps in quantities]),
                Column("value", [Math(*steps[-1]) for _, steps in quantities]),
            ]
        ),
    )


def _formulas(name: str, steps: Steps) -> Formulas:
    """A quantity, and below it what it is."""
    return Formulas([Equation("" if number else name, "=", *step) for number, step in enumerate(steps)])


def _letters_of(found: Explanation) -> list[Column]:
    from archspec.symbols import symbol

    text, latex = ShapeText(_letters(found)), ShapeLatex(_letters(found))
    pairs = [(symbol(letter.name), letter) for letter in found.closed_forms.letters]
    equations = [
        Math(f"{text.letter(s)} = {letter.value}", f"{latex.letter(s)} = {letter.value}") for s, letter in pairs
    ]
    return [Column("letter", equations), Column("of", [Name(letter.means) for _, letter in pairs])]


def _head(found: Explanation) -> str:
    node = found.node
    at = f" ({node.at})" if node.at else ""
    inputs = zip(node.inputs, found.network.inputs_of(node), strict=True)
    takes = ", ".join(f"{name} ({numbers.shape(x.shape)})" for name, x in inputs)
    return f"{found.network.name} · {node.name} · {node.operator.name}{at}, of {takes}"


def _letters(found: Explanation) -> Formula:
    """A formula that has all letters, for how they are written."""
    return next(iter(found.closed_forms.figures.values()), found.closed_forms.output[0])


def _quantities(found: Explanation) -> Iterator[tuple[str, Steps]]:
    """The shape of the result, the arrays, the costs: each in letters, in numbers, and what that comes to."""
    yield "output", _sizes(found, found.closed_forms.output, found.node.output.shape)
    for name, formulas, array in found.weights:
        yield name, _sizes(found, formulas, array)
    for name, value in found.figures.items():
        yield _heading(name), _distinct(*_figure(found, name), _number(value))
    if found.factors:
        yield _heading("flops"), _distinct(*_flops(found), _number(found.flops))
    if found.node.operator.view:
        yield "activations", (("0", "0"),)
    else:
        yield "activations", _distinct(*_written(found, found.activations), _number(found.node.output.elements))


def _sizes(found: Explanation, formulas: tuple[Formula, ...], result: tuple[int, ...]) -> Steps:
    values = found.values
    return _distinct(
        (shape(formulas, ShapeText), shape(formulas, ShapeLatex)),
        (shape(formulas, NumberText, values), shape(formulas, NumberLatex, values)),
        (" × ".join(map(str, result)), r" \times ".join(map(str, result))),
    )


def _figure(found: Explanation, name: str) -> Steps:
    """A figure in letters, and in numbers; nothing where no formula says it."""
    known = {} if found.broken else found.closed_forms.figures
    return _written(found, known.get(name))


def _written(found: Explanation, formula: Formula | None) -> Steps:
    """A formula in letters, and in numbers; nothing where there is none."""
    if formula is None:
        return ()
    terms, values = formula.terms, found.values
    return (
        (ShapeText(formula).sum(terms), ShapeLatex(formula).sum(terms)),
        (NumberText(formula, values).sum(terms), NumberLatex(formula, values).sum(terms)),
    )


def _flops(found: Explanation) -> Steps:
    """The operations as the convention adds them up, by name and in numbers."""
    names, figures = [], []
    for kind, factor in found.factors.items():
        text, latex = ("", "") if factor == 1 else (f"{factor}·", rf"{factor} \cdot ")
        name = _heading(kind)
        names.append((f"{text}{name}", rf"{latex}\text{{{name}}}"))
        number, in_latex = _number(found.figures[kind])
        figures.append((f"{text}{number}", f"{latex}{in_latex}"))
    return tuple(
        (" + ".join(text for text, _ in terms), " + ".join(latex for _, latex in terms)) for terms in (names, figures)
    )


def _heading(name: str) -> str:
    return "one-bit MACs" if name == "binary" else QUANTITIES[name].heading


def _distinct(*steps: tuple[str, str]) -> Steps:
    return tuple({text: (text, latex) for text, latex in reversed(steps)}.values())[::-1]


def _number(value: int) -> tuple[str, str]:
    text = numbers.number(value)
    return text, text.replace(",", "{,}")


def _notes(found: Explanation) -> Iterator[str]:
    if found.broken:
        writer = Text(_letters(found))
        held = "; ".join(writer.condition(condition) for condition in found.broken)
        yield f"A closed form needs that {held}, which is not so here: the costs are those that the operator counts."
    for name, owner in found.node.shared.items():
        yield f"The {name} is that of {owner}, and counted there."
    yield from not_counted(() if found.node.operator.known else (found.node.name,))
    if found.node.operator.view:
        yield "The result is a view of the input: it adds no activations."
    yield f"convention {found.convention.name}: {found.convention.doc}"


# ------------------------------------------------------------------ json


def _data(found: Explanation) -> dict[str, Any]:
    inputs = zip(found.node.inputs, found.network.inputs_of(found.node), strict=True)

    def figure(name: str, value: int) -> dict[str, Any]:
        (formula, latex), (in_numbers, _) = _figure(found, name) or ((None, None), (None, None))
        return {"formula": formula, "numbers": in_numbers, "latex": latex, "value": value}

    return {
        "spec": found.network.name,
        "node": found.node.name,
        "operator": found.node.operator.name,
        "rule": found.rule,
        "at": str(found.node.at) if found.node.at else None,
        "inputs": {name: list(x.shape) for name, x in inputs},
        "settings": dict(found.closed_forms.settings),
        "letters": [{"letter": one.name, "value": one.value, "means": one.means} for one in found.closed_forms.letters],
        "output": {"formula": shape(found.closed_forms.output), "value": list(found.node.output.shape)},
        "weights": [
            {"name": name, "formula": shape(formulas), "value": list(sizes)} for name, formulas, sizes in found.weights
        ],
        "figures": {name: figure(name, value) for name, value in found.figures.items()},
        "flops": found.flops,
        "convention": found.convention.name,
        "assumes": [str(condition) for condition in found.closed_forms.conditions],
        "broken": [str(condition) for condition in found.broken],
    }


def operators(forms: Sequence[OperatorForm]) -> Report:
    """The output shape, the parameters, the multiply-accumulates and the other operations of each operator."""
    known = {name for form in forms for name in form.figures}
    columns = [
        Column("operator", [Name(_name(form)) for form in forms]),
        Column("shapes", [Math(_shapes(form), _shapes(form, ShapeLatex)) for form in forms]),
        *(Column(name, [_figure_of(form, name) for form in forms]) for name in FIGURES if name in known),
        Column(
            "assumes", [Name("; ".join(map(ShapeText(form.output[0]).condition, form.conditions))) for form in forms]
        ),
    ]
    return Report(
        (Section((Table(columns, wide="records"),)), Section((Notes((_legend(forms),)),))),
        data=lambda: [
            {
                "operator": form.operator,
                "settings": {name: numbers.exactly(value) for name, value in form.settings.items()},
                "letters": {letter.name: letter.means for letter in form.letters},
                "inputs": [shape(x) for x in form.inputs],
                "output": shape(form.output),
                **{name: {"text": _sum(form, name), "latex": _sum(form, name, ShapeLatex)} for name in form.figures},
                "assumes": [str(condition) for condition in form.conditions],
            }
            for form in forms
        ],
    )


def _figure_of(form: OperatorForm, name: str) -> Cell:
    if name not in form.figures:
        return EMPTY
    return Math(_sum(form, name), _sum(form, name, ShapeLatex))


def _name(form: OperatorForm) -> str:
    settings = ", ".join(f"{name}: {numbers.exactly(value)}" for name, value in form.settings.items())
    return f"{form.operator} ({settings})" if settings else form.operator


def _shapes(form: OperatorForm, writer: type[Writer] = ShapeText) -> str:
    arrow = r" \to " if writer is ShapeLatex else " → "
    return f"{', '.join(shape(x, writer) for x in form.inputs)}{arrow}{shape(form.output, writer)}"


def _sum(form: OperatorForm, name: str, writer: type[Writer] = ShapeText) -> str:
    formula = form.figures[name]
    return writer(formula).sum(formula.terms)


def _legend(forms: Sequence[OperatorForm]) -> str:
    meanings = dict(item for form in forms for item in ((letter.name, letter.means) for letter in form.letters))
    listed = "; ".join(f"{PRIMED.get(name, name)}: {means}" for name, means in meanings.items() if means != name)
    return f"{listed}. A switch is 1 where it is true, a word where it is chosen. Joins are of two branches."
