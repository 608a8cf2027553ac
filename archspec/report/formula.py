"""Formulas as text, Markdown, LaTeX, JSON and as functions of other languages."""

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from archspec.cost import QUANTITIES, USUAL
from archspec.formula.closed_form import Formula, View
from archspec.formula.proof import Proof
from archspec.formula.writers import Text
from archspec.graph.single import SIZES
from archspec.report import text
from archspec.symbols import Condition, symbol, to_sympy
from archspec.writing import GREEK

MOST_CONDITIONS = 6
"""Conditions that are printed; JSON has all."""


def formulas(found: Sequence[Formula], view: View, form: str, *, proofs: Sequence[Proof] = (), width: int = 100) -> str:
    """Formulas, one after the other.

    Args:
        found: The formulas.
        view: Which of their views.
        form: text, markdown, latex, python, numpy, javascript or json.
        proofs: What came of comparing them with counts, in the same order.
        width: Characters to a line, for text.
    """
    if form == "json":
        plain = [_plain(each, view, proof) for each, proof in _paired(found, proofs)]
        return json.dumps(plain[0] if len(plain) == 1 else plain, ensure_ascii=False, indent=2) + "\n"
    if form in ("python", "numpy", "javascript"):
        return "\n\n".join(getattr(each, form)(view) for each in found)
    if form == "latex":
        return "% needs \\usepackage{amsmath}\n" + "\n".join(_latex(each, view) for each in found)
    if form == "markdown":
        return "\n".join(_markdown(each, view) for each in found)
    if len(found) > 1:
        return _list(found, view, proofs, width)
    return _text(found[0], view, proofs[0] if proofs else None, width)


def _paired(found: Sequence[Formula], proofs: Sequence[Proof]) -> list[tuple[Formula, Proof | None]]:
    return [(each, proofs[number] if number < len(proofs) else None) for number, each in enumerate(found)]


def _text(formula: Formula, view: View, proof: Proof | None, width: int) -> str:
    lines = [f"{formula.of}: {_name(formula)}{_views(view)}", *_terms(formula, view, width)]
    for note in _notes(formula, view, proof):
        lines += _wrapped(note, width, 2)
    return "\n".join(lines) + "\n"


def _list(found: Sequence[Formula], view: View, proofs: Sequence[Proof], width: int) -> str:
    """A line or more a group, and what is to be said of all of them once."""
    first = found[0]
    subject, names = first.of.partition("/")[0], [each.of.partition("/")[2] for each in found]
    edge = min(max(map(len, names)), 40)
    lines = [f"{subject}: {_name(first)}{_views(view)}"]
    for name, each in zip(names, found, strict=True):
        head = f"  {text.shorten(name, edge):<{edge}}  {_equals(each, view)} "
        lines += _wrapped(f"{head}{each.text(view)}", width, len(head))
    notes = [note for note in _notes(first, view, None) if " at " not in note]
    wrong = [f"{name}: {_proof(proof)}" for name, proof in zip(names, proofs, strict=False) if not proof]
    if proofs and not wrong:
        notes.append(f"checked, each: {_proof(proofs[0]).removeprefix('checked: ')}")
    return "\n".join([*lines, *(line for note in notes + wrong for line in _wrapped(note, width, 2))]) + "\n"


def _wrapped(line: str, width: int, indent: int) -> list[str]:
    """The line in several, none of which ends inside ⌈ ⌉, ⌊ ⌋ or a call."""
    kept = re.sub(r"⌈[^⌈⌉⌊⌋]*[⌉⌋]|⌊[^⌈⌉⌊⌋]*[⌉⌋]|\w\([^()]*\)", lambda part: part[0].replace(" ", "\0"), line)
    lines = textwrap.wrap(kept, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
    return [part.replace("\0", " ") for part in lines]


def _name(formula: Formula) -> str:
    known = QUANTITIES.get(formula.quantity)
    return known.heading if known else formula.quantity


def _equals(formula: Formula, view: View) -> str:
    return "≈" if view == "asymptotic" or formula.rounded else "="


def _views(view: View) -> str:
    return {"exact": "", "divisible": ", where sizes divide", "asymptotic": ", without roundings"}[view]


def _terms(formula: Formula, view: View, width: int) -> list[str]:
    """A line a term, with its sign; a term that is too long goes on below."""
    writer = Text(formula)
    terms = [part for term in formula.view(view) for part in writer.parts(term)]
    equals = _equals(formula, view)
    total = to_sympy(sum(formula.view(view)))
    if total.is_number and not total.is_Integer:
        return [f"  {equals} {writer.write(total)} ≈ {float(total):.6g}"]
    lines: list[str] = []
    for number, (negative, term) in enumerate(terms or [(False, "0")]):
        sign = f"{equals} {'−' if negative else ''}" if number == 0 else "− " if negative else "+ "
        lines += _wrapped(f"  {sign}{term}", width, 6)
    return lines


def _notes(formula: Formula, view: View, proof: Proof | None) -> list[str]:
    notes = [*conditions(formula, view), _at_defaults(formula) if view == "exact" else ""]
    notes.append("; ".join((f"convention {formula.convention}", *_asked(formula))))
    if proof is not None:
        notes.append(_proof(proof))
    return [note for note in notes if note]


def _asked(formula: Formula) -> list[str]:
    """What of the request decides its numbers and is not as usual."""
    counting = formula.counting
    if counting is None or counting == replace(USUAL, convention=counting.convention, batch=counting.batch):
        return []
    return text.asked(counting, [formula.quantity])


def conditions(formula: Formula, view: View = "exact") -> list[str]:
    """What a formula assumes, when its view holds, what is bound, and which letter stands for what."""
    writer = Text(formula)
    notes = []
    if view == "divisible":
        notes.append(_said("valid when", [writer.condition(each) for each in formula.conditions]))
    notes.append(_said("assumes", [writer.condition(each) for each in formula.assumptions]))
    if formula.fixed:
        bound = (f"{writer.letter(symbol(name))} = {each}" for name, each in formula.fixed.items())
        notes.append(f"with {', '.join(bound)}")
    roles = {symbol: SIZES.get(role, role) for role, symbol in formula.aliases.items()}
    letters = {roles.get(each.name, each.name): writer.letter(each) for each in _appearing(formula)}
    other = [f"{letter}: {name}" for name, letter in letters.items() if letter not in (name, GREEK.get(name))]
    notes.append("; ".join(other))
    return [note for note in notes if note]


def _appearing(formula: Formula) -> list[Any]:
    return [each for each in formula.symbols if any(each in term.free_symbols for term in formula.terms)]


def _at_defaults(formula: Formula) -> str:
    """The count at the defaults of the symbols that the formula has; nothing if one has none."""
    if formula.counted is None or any(each.name not in formula.defaults for each in formula.symbols):
        return ""
    writer = Text(formula)
    values = ", ".join(f"{writer.letter(each)} = {formula.defaults[each.name]}" for each in _appearing(formula))
    if not values:
        return ""
    counted = text.number(formula())
    if formula.holds():
        return f"{counted} at {values}"
    return f"at {values} an assumption does not hold; the network is counted: {counted}"


def _said(before: str, conditions: Sequence[str]) -> str:
    if not conditions:
        return ""
    more = len(conditions) - MOST_CONDITIONS
    shown = "; ".join(conditions[:MOST_CONDITIONS])
    return f"{before} {shown}" + (f"; and {more} more (--format json has all)" if more > 0 else "")


def _proof(proof: Proof) -> str:
    if proof.against is not None:
        bindings, found, counted = proof.against
        return f"WRONG at {_bound(bindings)}: the formula gives {found}, the count {counted}"
    refused = ""
    if proof.refusal is not None:
        bindings, reason = proof.refusal
        refused = f"; refused at {proof.refused}, first at {_bound(bindings)}: {reason}"
    if proof.tried == 0:
        at = f"at none of {proof.apart + proof.refused} random bindings does every assumption hold"
        at = f"{at} and the count give a number" if proof.refused else at
        return f"not checked: {at} (seed {proof.seed}){refused}"
    apart = f"; at {proof.apart} more an assumption does not hold" if proof.apart else ""
    return f"checked: equal to the count at {proof.tried} random bindings (seed {proof.seed}){apart}{refused}"


def _bound(bindings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {each}" for name, each in bindings.items())


def _markdown(formula: Formula, view: View) -> str:
    notes = _notes(formula, view, None)
    head = f"**{formula.of}**, {_name(formula)}{_views(view)}:\n\n$$\n{_sum(formula, view)}\n$$\n"
    return head + "".join(f"\n{note}\n" for note in notes)


def _sum(formula: Formula, view: View) -> str:
    equals = _equals(formula, view).replace("≈", r"\approx")
    return rf"\text{{{_name(formula)}}} {equals} {formula.latex(view)}"


def _latex(formula: Formula, view: View) -> str:
    """An align* environment, a line a term."""
    from archspec.formula.writers import Latex

    writer = Latex(formula)
    equals = _equals(formula, view).replace("≈", r"\approx")
    parts = [part for term in formula.view(view) for part in writer.parts(term)] or [(False, "0")]
    (negative, first), *others = parts
    lines = [rf"\text{{{text.latex_escape(_name(formula))}}} &{equals} {'-' if negative else ''}{first}"]
    lines += [rf"&\quad {'-' if minus else '+'} {term}" for minus, term in others]
    notes = "".join(f"% {note}\n" for note in _notes(formula, view, None))
    return f"% {formula.of}\n{notes}\\begin{{align*}}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def _plain(formula: Formula, view: View, proof: Proof | None) -> dict[str, Any]:
    writer = Text(formula)

    def condition(each: Condition) -> dict[str, str]:
        return {"kind": each.kind, "left": str(each.left), "right": str(each.right), "text": writer.condition(each)}

    counted = formula.counted is not None
    return {
        "of": formula.of,
        "quantity": formula.quantity,
        "view": view,
        "free": [symbol.name for symbol in formula.symbols],
        "bindings": {name: str(each) for name, each in formula.fixed.items()},
        "convention": formula.convention,
        "approximate": _equals(formula, view) == "≈",
        "text": formula.text(view),
        "latex": formula.latex(view),
        "python": formula.python(view),
        "javascript": formula.javascript(view),
        "terms": [writer.write(term) for term in formula.view(view)],
        "assumptions": [condition(each) for each in formula.assumptions],
        "conditions": [condition(each) for each in formula.conditions] if view == "divisible" else [],
        "defaults": {name: str(each) for name, each in formula.defaults.items()},
        "value_at_defaults": text.raw(formula()) if counted and len(formula.defaults) >= len(formula.symbols) else None,
        **({} if proof is None else {"proof": _verdict(proof)}),
    }


def _verdict(proof: Proof) -> dict[str, Any]:
    against = None
    if proof.against is not None:
        bindings, found, counted = proof.against
        against = {
            "bindings": {name: str(each) for name, each in bindings.items()},
            "formula": str(found),
            "count": str(counted),
        }
    refused = {"refused": proof.refused} if proof.refused else {}
    return {
        "equal": bool(proof),
        "tried": proof.tried,
        "apart": proof.apart,
        "seed": proof.seed,
        **refused,
        "against": against,
    }
