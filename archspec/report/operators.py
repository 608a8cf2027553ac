"""The closed forms of all operators, as a table."""

import json
from collections.abc import Sequence
from typing import Any

from archspec.formula.operators import PRIMED, OperatorForm
from archspec.formula.shapes import ShapeLatex, ShapeText, shape
from archspec.formula.writers import Writer
from archspec.report import text
from archspec.report.text import Column

FORMATS = ("text", "markdown", "latex", "json")


def operators(forms: Sequence[OperatorForm], form: str = "text") -> str:
    """The output shape, the parameters, the multiply-accumulates and the other operations of each operator."""
    if form == "json":
        return json.dumps([_plain(each) for each in forms], ensure_ascii=False, indent=2) + "\n"
    if form == "text":
        return "\n".join(line for each in forms for line in _lines(each)) + f"\n{_legend(forms)}\n"
    if form == "markdown":
        return f"{text.markdown(_columns(forms))}\n\n{_legend(forms)}\n"
    return _latex(forms)


def _lines(form: OperatorForm) -> list[str]:
    costs = [f"{name}: {_written(form, name)}" for name in form.figures]
    assumed = [f"assumes {_assumed(form)}"] if form.conditions else []
    return [_name(form), f"  {_shapes(form)}", *(f"  {line}" for line in (*costs, *assumed)), ""]


def _assumed(form: OperatorForm) -> str:
    """What is taken for true of the letters."""
    written = ShapeText(form.output[0])
    return "; ".join(written.condition(condition) for condition in form.conditions)


def _name(form: OperatorForm) -> str:
    settings = ", ".join(f"{name}: {_said(value)}" for name, value in form.settings.items())
    return f"{form.operator} ({settings})" if settings else form.operator


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shapes(form: OperatorForm, writer: type[Writer] = ShapeText) -> str:
    arrow = r" \to " if writer is ShapeLatex else " → "
    return f"{', '.join(shape(x, writer) for x in form.inputs)}{arrow}{shape(form.output, writer)}"


def _written(form: OperatorForm, name: str, writer: type[Writer] = ShapeText) -> str:
    formula = form.figures[name]
    return writer(formula).sum(formula.terms)


def _others(form: OperatorForm) -> list[str]:
    return [name for name in form.figures if name not in ("params", "buffers", "macs")]


def _columns(forms: Sequence[OperatorForm]) -> list[Column]:
    def figure(name: str) -> list[str]:
        return [_written(form, name) if name in form.figures else "0" for form in forms]

    others = ["; ".join(f"{name}: {_written(form, name)}" for name in _others(form)) or "none" for form in forms]
    return [
        Column("operator", [_name(form) for form in forms], "left"),
        Column("shapes", [_shapes(form) for form in forms], "left"),
        Column("params", figure("params"), "left"),
        Column("buffers", figure("buffers"), "left"),
        Column("MACs", figure("macs"), "left"),
        Column("other operations", others, "left"),
        Column("assumes", [_assumed(form) for form in forms], "left"),
    ]


def _legend(forms: Sequence[OperatorForm]) -> str:
    meanings = dict(item for form in forms for item in ((letter.name, letter.means) for letter in form.letters))
    said = "; ".join(f"{PRIMED.get(name, name)}: {means}" for name, means in meanings.items() if means != name)
    return f"{said}. A switch is 1 where it is true, a word where it is chosen. Joins are of two branches."


def _latex(forms: Sequence[OperatorForm]) -> str:
    rows = []
    for form in forms:
        costs = [rf"\text{{{name}}}: {_written(form, name, ShapeLatex)}" for name in form.figures]
        cells = [text.latex_escape(_name(form)), f"${_shapes(form, ShapeLatex)}$", *(f"${cost}$" for cost in costs)]
        if form.conditions:
            cells.append(f"assumes {text.latex_escape(_assumed(form))}")
        rows.append(r"\item " + r" \\ ".join(cells))
    body = "\n".join(rows)
    return f"% needs \\usepackage{{amsmath}}\n\\begin{{itemize}}\n{body}\n\\end{{itemize}}\n"


def _plain(form: OperatorForm) -> dict[str, Any]:
    return {
        "operator": form.operator,
        "settings": {name: _said(value) for name, value in form.settings.items()},
        "letters": {letter.name: letter.means for letter in form.letters},
        "inputs": [shape(x) for x in form.inputs],
        "output": shape(form.output),
        **{name: {"text": _written(form, name), "latex": _written(form, name, ShapeLatex)} for name in form.figures},
        "assumes": [str(condition) for condition in form.conditions],
    }
