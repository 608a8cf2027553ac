"""One layer, line by line: the rule, the letters, the numbers put in, the result."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from archspec.formula.closed_form import Formula
from archspec.formula.explain import Explanation
from archspec.formula.shapes import NumberLatex, NumberText, ShapeLatex, ShapeText, shape
from archspec.formula.writers import Text
from archspec.report import text

FORMATS = ("text", "markdown", "latex", "json")
NAMES = {"macs": "MACs", "params": "params", "buffers": "buffers", "binary": "one-bit MACs"}

Line = tuple[str, tuple[str, ...]]
"""A quantity, and what it is from letters to numbers."""


def explain(found: Explanation, form: str = "text", *, width: int = 100) -> str:
    """An explanation in one of `FORMATS`."""
    if form == "json":
        return json.dumps(_plain(found), ensure_ascii=False, indent=2) + "\n"
    if form == "latex":
        return _latex(found)
    if form == "markdown":
        return _markdown(found)
    return _text(found, width)


def _text(found: Explanation, width: int) -> str:
    letters = found.form.letters
    names = [ShapeText(_letters(found)).letter(symbol) for symbol in _symbols(found)]
    edge = max((len(f"{name} = {letter.value}") for name, letter in zip(names, letters, strict=True)), default=0)
    lines = [*_wrapped(_head(found), width), *_wrapped(f"  {found.rule}", width), ""]
    for name, letter in zip(names, letters, strict=True):
        lines.append(f"  {f'{name} = {letter.value}':<{edge}}  {letter.means}")
    lines += [f"  {name}: {_said(value)}" for name, value in found.form.settings.items()]
    for name, steps in _steps(found):
        lines += ["", f"{name}", *(line for step in steps for line in _wrapped(f"  = {step}", width, 4))]
    lines += ["", *(line for note in _notes(found) for line in _wrapped(note, width))]
    return "\n".join(lines).rstrip() + "\n"


def _head(found: Explanation) -> str:
    node = found.node
    at = f" ({node.at})" if node.at else ""
    takes = ", ".join(f"{name} ({text.shape(x.shape)})" for name, x in zip(node.inputs, _inputs(found), strict=True))
    return f"{found.network.name} · {node.name} · {node.operator.name}{at}, of {takes}"


def _inputs(found: Explanation) -> tuple[Any, ...]:
    return found.network.inputs_of(found.node)


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _letters(found: Explanation) -> Formula:
    """A formula that has all letters, for how they are written."""
    return next(iter(found.form.figures.values()), found.form.output[0])


def _symbols(found: Explanation) -> list[Any]:
    from archspec.symbols import symbol

    return [symbol(letter.name) for letter in found.form.letters]


def _steps(found: Explanation, latex: bool = False) -> Iterator[Line]:
    """The shape of the result, the arrays, the costs: each in letters, in numbers, and what that comes to."""
    letters, numbers = (ShapeLatex, NumberLatex) if latex else (ShapeText, NumberText)
    sign = r" \times " if latex else " × "
    values = found.values

    def sizes(formulas: tuple[Formula, ...], result: tuple[int, ...]) -> tuple[str, ...]:
        return _distinct(shape(formulas, letters), shape(formulas, numbers, values), sign.join(map(str, result)))

    yield "output", sizes(found.form.output, found.node.output.shape)
    for name, formulas, array in found.weights:
        yield name, sizes(formulas, array)
    for name, value in found.figures.items():
        formula = found.form.figures.get(name)
        result = _number(value, latex)
        if formula is None or found.broken:
            yield NAMES.get(name, name), (result,)
        else:
            written = (letters(formula).sum(formula.terms), numbers(formula, values).sum(formula.terms))
            yield NAMES.get(name, name), _distinct(*written, result)
    if found.factors:
        yield "FLOPs", _distinct(*_flops(found, latex), _number(found.flops, latex))
    yield "activations", _activations(found, latex)


def _activations(found: Explanation, latex: bool) -> tuple[str, ...]:
    """The elements of the result, in letters and in numbers; a view adds none."""
    if found.node.operator.view:
        return ("0",)
    letters, numbers = (ShapeLatex, NumberLatex) if latex else (ShapeText, NumberText)
    formula = found.activations
    written = (letters(formula).sum(formula.terms), numbers(formula, found.values).sum(formula.terms))
    return _distinct(*written, _number(found.node.output.elements, latex))


def _flops(found: Explanation, latex: bool) -> tuple[str, str]:
    """The operations as the convention adds them up, by name and in numbers."""
    times = r" \cdot " if latex else "·"
    in_names, in_numbers = [], []
    for kind, factor in found.factors.items():
        before = "" if factor == 1 else f"{factor}{times}"
        in_names.append(f"{before}" + (rf"\text{{{NAMES.get(kind, kind)}}}" if latex else NAMES.get(kind, kind)))
        in_numbers.append(f"{before}{_number(found.figures[kind], latex)}")
    return " + ".join(in_names), " + ".join(in_numbers)


def _distinct(*steps: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(steps))


def _number(value: int, latex: bool) -> str:
    return text.number(value).replace(",", "{,}") if latex else text.number(value)


def _notes(found: Explanation) -> Iterator[str]:
    if found.broken:
        writer = Text(_letters(found))
        held = "; ".join(writer.condition(condition) for condition in found.broken)
        yield f"A closed form needs that {held}, which is not so here: the costs are those that the operator counts."
    if found.node.operator.view:
        yield "The result is a view of the input: it adds no activations."
    yield f"convention {found.convention.name}: {found.convention.doc}"


def _wrapped(line: str, width: int, indent: int = 2) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


# ------------------------------------------------------------------ pages


def _markdown(found: Explanation) -> str:
    lines = [f"**{found.node.name}**, `{found.node.operator.name}`: {found.rule}", ""]
    lines += ["| letter | value | of |", "|---|---|---|"]
    writer = ShapeLatex(_letters(found))
    for symbol, letter in zip(_symbols(found), found.form.letters, strict=True):
        lines.append(f"| ${writer.letter(symbol)}$ | {letter.value} | {letter.means} |")
    for name, steps in _steps(found, latex=True):
        lines += ["", "$$", rf"\text{{{text.latex_escape(name)}}} = " + " = ".join(steps), "$$"]
    return "\n".join([*lines, "", *_notes(found)]) + "\n"


def _latex(found: Explanation) -> str:
    """An align* environment; needs amsmath."""
    lines = []
    for name, (first, *others) in _steps(found, latex=True):
        lines.append(rf"\text{{{text.latex_escape(name)}}} &= {first}")
        lines += [f"&= {step}" for step in others]
    body = " \\\\\n".join(lines)
    notes = "".join(f"% {note}\n" for note in _notes(found))
    return (
        f"% needs \\usepackage{{amsmath}}\n% {found.node.name}: {found.rule}\n"
        f"\\begin{{align*}}\n{body}\n\\end{{align*}}\n{notes}"
    )


# ------------------------------------------------------------------ json


def _plain(found: Explanation) -> dict[str, Any]:
    values = found.values
    return {
        "spec": found.network.name,
        "node": found.node.name,
        "operator": found.node.operator.name,
        "rule": found.rule,
        "at": str(found.node.at) if found.node.at else None,
        "inputs": {name: list(x.shape) for name, x in zip(found.node.inputs, _inputs(found), strict=True)},
        "settings": dict(found.form.settings),
        "letters": [{"letter": each.name, "value": each.value, "means": each.means} for each in found.form.letters],
        "output": {"formula": shape(found.form.output), "value": list(found.node.output.shape)},
        "weights": [
            {"name": name, "formula": shape(formulas), "value": list(sizes)} for name, formulas, sizes in found.weights
        ],
        "figures": {
            name: {
                "formula": _formula(found, name),
                "numbers": _formula(found, name, values),
                "latex": _formula(found, name, latex=True),
                "value": value,
            }
            for name, value in found.figures.items()
        },
        "flops": found.flops,
        "convention": found.convention.name,
        "assumes": [str(condition) for condition in found.form.conditions],
        "broken": [str(condition) for condition in found.broken],
    }


def _formula(found: Explanation, name: str, values: Any = None, latex: bool = False) -> str | None:
    formula = found.form.figures.get(name)
    if formula is None or found.broken:
        return None
    if values is not None:
        return NumberText(formula, values).sum(formula.terms)
    return (ShapeLatex if latex else ShapeText)(formula).sum(formula.terms)
