"""The formulas of networks one below the other, with their ratios."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

from archspec.cost import quantity
from archspec.formula.closed_form import Formula
from archspec.report.compare import ratio
from archspec.report.formula import conditions
from archspec.report.text import latex_escape

FORMATS = ("text", "markdown", "latex", "json")


def compare_formulas(networks: Mapping[str, Mapping[str, Formula]], form: str = "text", *, width: int = 100) -> str:
    """The formulas of several networks, and each network's as a multiple of the first's, without roundings.

    Args:
        networks: The formulas by quantity, by what to call the network; the others are held against the first.
        form: One of `FORMATS`.
        width: Characters to a line, for text.
    """
    if form == "json":
        return json.dumps(_plain(networks), ensure_ascii=False, indent=2) + "\n"
    pages = [_figure(figure, networks, form, width) for figure in next(iter(networks.values()))]
    said = [f"{name}: {'; '.join(each)}" for name, formulas in networks.items() if (each := _said(formulas))]
    notes = [*said, f"convention {next(iter(next(iter(networks.values())).values())).convention}"]
    if form == "text":
        notes = [line for note in notes for line in textwrap.wrap(note, width, subsequent_indent="  ")]
    return "\n".join([*pages, *(f"% {note}" if form == "latex" else note for note in notes)]) + "\n"


def _said(formulas: Mapping[str, Formula]) -> list[str]:
    """What a network's formulas assume, all together, and what is bound in them."""
    return list(dict.fromkeys(note for formula in formulas.values() for note in conditions(formula)))


def _lines(figure: str, networks: Mapping[str, Mapping[str, Formula]], latex: bool) -> list[tuple[str, str, str]]:
    """What is equal to what: each network's formula, then the ratios."""

    def written(formula: Formula) -> str:
        if formula.exact.is_Rational:
            return ratio(int(formula.exact.p), int(formula.exact.q)) if formula.counted is None else formula.text()
        return formula.latex() if latex else formula.text()

    (first, reference), *others = networks.items()
    lines = [(name, "=", written(formulas[figure])) for name, formulas in networks.items()]
    if reference[figure].exact == 0:
        return lines
    for name, formulas in others:
        rounds = any(each[figure].exact != each[figure].asymptotic for each in (formulas, reference))
        lines.append((f"{name} / {first}", "≈" if rounds else "=", written(formulas[figure] / reference[figure])))
    return lines


def _figure(figure: str, networks: Mapping[str, Mapping[str, Formula]], form: str, width: int) -> str:
    lines = _lines(figure, networks, latex=form != "text")
    title = quantity(figure).heading
    if form == "text":
        edge = min(max(len(name) for name, _, _ in lines), width // 3)
        wrapped = [
            line
            for name, sign, written in lines
            for line in textwrap.wrap(
                f"  {name:<{edge}} {sign} {written}",
                width,
                subsequent_indent=" " * (edge + 5),
                break_long_words=False,
                break_on_hyphens=False,
            )
        ]
        return "\n".join([title, *wrapped]) + "\n"
    signs = {"=": "&=", "≈": r"&\approx"}
    rows = " \\\\\n".join(rf"\text{{{latex_escape(name)}}} {signs[sign]} {written}" for name, sign, written in lines)
    if form == "markdown":
        return f"**{title}**\n\n$$\n\\begin{{aligned}}\n{rows}\n\\end{{aligned}}\n$$\n"
    return f"% {title}; needs \\usepackage{{amsmath}}\n\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"


def _plain(networks: Mapping[str, Mapping[str, Formula]]) -> dict[str, Any]:
    reference = next(iter(networks.values()))
    convention = _any(reference).convention

    def of_first(formulas: Mapping[str, Formula], figure: str) -> str | None:
        return (formulas[figure] / reference[figure]).text() if reference[figure].exact != 0 else None

    return {
        "convention": convention,
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
