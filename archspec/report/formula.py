"""Formulas, with what they assume, and as functions of other languages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from archspec.cost import QUANTITIES, USUAL
from archspec.formula.closed_form import Formula, View
from archspec.formula.languages.base import identifier
from archspec.formula.proof import Proof
from archspec.formula.series import Short, shortened
from archspec.formula.writers import Latex, Text
from archspec.graph.single import SIZES
from archspec.ops.opaque import not_counted
from archspec.report import numbers
from archspec.report.page import Column, Equation, Formulas, Math, Name, Notes, Report, Section, Table, Title, raw
from archspec.symbols import Condition, symbol, to_sympy
from archspec.writing import GREEK

MOST_CONDITIONS = 6
"""Conditions that are printed; JSON has all."""


VIEWS: Mapping[View, str] = {
    "exact": "",
    "divisible": ", where sizes divide",
    "asymptotic": ", without roundings",
}
"""What titles say of a view."""


def formulas(found: Sequence[Formula], view: View = "exact", *, proofs: Sequence[Proof] = ()) -> Report:
    """Formulas, one after the other.

    Args:
        found: The formulas.
        view: Which of their views.
        proofs: What came of comparing them with counts, in the same order.
    """

    def data() -> Any:
        plain = [_data(each, view, proof) for each, proof in zip_longest(found, proofs)]
        return plain[0] if len(plain) == 1 else plain

    section = _list(found, view, proofs) if len(found) > 1 else _in_full(found[0], view, proofs[0] if proofs else None)
    return Report(
        (section,),
        data=data,
        records=lambda: Table(
            [
                Column("of", [Name(each.of) for each in found]),
                Column("quantity", [Name(each.quantity) for each in found]),
                Column("view", [Name(view) for _ in found]),
                Column("formula", [Math(each.text(view), each.latex(view)) for each in found]),
                Column("convention", [Name(each.convention) for each in found]),
            ]
        ),
    )


def formula(found: Formula) -> Report:
    """One formula, exact."""
    return formulas([found])


def sources(found: Sequence[Formula], view: View, language: str) -> str:
    """Formulas as functions of a language: python, numpy or javascript."""
    if len(found) == 1:
        return str(getattr(found[0], language)(view))
    names: dict[str, None] = {}
    for each in found:  # each under a name of its own, as they may stand in one file
        name = first = identifier(f"{each.quantity}/{each.of.partition('/')[2]}")
        while name in names:
            name = f"{first}_{len(names)}"
        names[name] = None
    return "\n\n".join(getattr(each, language)(view, name) for each, name in zip(found, names, strict=True))


def _in_full(formula: Formula, view: View, proof: Proof | None) -> Section:
    """One line per term, and what is to be said of it."""
    title = Title(f"{formula.of}: {_name(formula)}{VIEWS[view]}")
    return Section(
        (title, Formulas(tuple(_terms(formula, view)), of=_name(formula)), Notes(_notes(formula, view, proof)))
    )


def _list(found: Sequence[Formula], view: View, proofs: Sequence[Proof]) -> Section:
    """One line per group, and what is to be said of all of them once."""
    first = found[0]
    subject, names = first.of.partition("/")[0], [each.of.partition("/")[2] for each in found]
    lines = [
        Equation(numbers.shorten(name, 40), _equals(each, view), each.text(view), each.latex(view))
        for name, each in zip(names, found, strict=True)
    ]
    notes = [note for note in _notes(first, view, None) if " at " not in note]
    wrong = [f"{name}: {_proof(proof)}" for name, proof in zip(names, proofs, strict=False) if not proof]
    if proofs and not wrong:
        notes.append(f"checked, each: {_proof(proofs[0]).removeprefix('checked: ')}")
    title = Title(f"{subject}: {_name(first)}{VIEWS[view]}")
    return Section((title, Formulas(lines), Notes((*notes, *wrong))))


def _name(formula: Formula) -> str:
    known = QUANTITIES.get(formula.quantity)
    return known.heading if known else formula.quantity


def _equals(formula: Formula, view: View) -> str:
    return "≈" if view == "asymptotic" or formula.rounded else "="


def _terms(formula: Formula, view: View) -> Iterator[Equation]:
    """One line per term, with its sign."""
    text, latex = Text(formula), Latex(formula)
    terms = formula.view(view)
    equals = _equals(formula, view)
    total = to_sympy(sum(terms))
    if total.is_number and not total.is_Integer:
        near = f"{float(total):.6g}"
        same = total.is_Rational and Fraction(near) == Fraction(int(total.p), int(total.q))
        sign, in_latex = ("=", "=") if same else ("≈", r"\approx")
        yield Equation("", equals, f"{text.write(total)} {sign} {near}", f"{latex.write(total)} {in_latex} {near}")
        return
    if (short := _short(formula, terms)) is not None:
        yield from _in_short(formula, short, equals)
        return
    yield from _summed(terms, text, latex, equals)


MUCH = 250
"""In so many characters a formula is long, and is said in short if that saves a tenth of them."""


def _short(formula: Formula, terms: Sequence[Any]) -> Short | None:
    """The terms in short, where that is much shorter."""
    long = len(Text(formula).sum(terms))
    if long < MUCH:
        return None
    taken = {name for each in formula.symbols for name in (each.name, formula.letters.get(each.name, ""))}
    short = shortened(terms, taken)
    lines = _in_short(formula, short, "=")
    return short if 10 * sum(len(line.text) for line in lines) <= 9 * long else None


def _in_short(formula: Formula, short: Short, equals: str) -> Iterator[Equation]:
    """The sums over an index, the other terms, and what each name stands for."""
    known = replace(formula, letters={**formula.letters, **short.letters})
    plain = replace(formula, letters={**formula.letters, **{name: name for name in short.letters}})
    text, latex = Text(plain), Latex(known)
    for number, each in enumerate(short.series):
        first, last = (str(end) for end in (each.first, each.last))
        ends = f"{each.index.name}=".translate(INDEX) + first.translate(BELOW) + last.translate(ABOVE)
        inner, in_latex = text.sum(each.terms), latex.sum(each.terms)
        in_text = f"Σ{ends} ({inner})"
        set_ = rf"\sum_{{{each.index.name}={first}}}^{{{last}}} \left({in_latex}\right)"
        yield Equation("", "+" if number else equals, in_text, set_)
    yield from _summed(short.terms, text, latex, "+" if short.series else equals)
    for number, (name, meaning) in enumerate(short.names):
        in_text, set_ = (f"{writer.letter(name)} = {writer.write(meaning)}" for writer in (text, latex))
        yield Equation("", "and" if number else "where", in_text, set_)


INDEX = str.maketrans("ijlu=", "ᵢⱼₗᵤ₌")
BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ABOVE = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _summed(terms: Sequence[Any], text: Text, latex: Latex, equals: str) -> Iterator[Equation]:
    """One line per term, with its sign."""
    parts = [
        (negative, in_text, in_latex)
        for term in terms
        for (negative, in_text), (_, in_latex) in zip(text.parts(term), latex.parts(term), strict=True)
    ] or [(False, "0", "0")] * (equals != "+")
    for number, (negative, in_text, in_latex) in enumerate(parts):
        if number == 0 and equals != "+":
            yield Equation("", equals, f"{'−' if negative else ''}{in_text}", f"{'-' if negative else ''}{in_latex}")
        else:
            yield Equation("", "−" if negative else "+", in_text, in_latex)


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
    return numbers.request_notes(counting, [formula.quantity])


def conditions(formula: Formula, view: View = "exact") -> list[str]:
    """What a formula assumes, when its view holds, what is bound, and which letter stands for what."""
    writer = Text(formula)
    notes = [*not_counted(formula.opaque)]
    if view == "divisible":
        notes.append(_labelled("valid when", [writer.condition(each) for each in formula.conditions]))
    notes.append(_labelled("assumes", _assumed(formula, writer)))
    if formula.fixed:
        bound = (f"{writer.letter(symbol(name))} = {each}" for name, each in formula.fixed.items())
        notes.append(f"with {', '.join(bound)}")
    roles = {symbol: SIZES.get(role, role) for role, symbol in formula.aliases.items()}
    letters = {roles.get(each.name, each.name): writer.letter(each) for each in _appearing(formula)}
    other = [f"{letter}: {name}" for name, letter in letters.items() if letter not in (name, GREEK.get(name))]
    notes.append("; ".join(other))
    return [note for note in notes if note]


def _assumed(formula: Formula, writer: Text) -> list[str]:
    """What a formula assumes; that several numbers are 1 or more is said once."""
    ones = [each for each in formula.assumptions if each.kind == "at_least" and each.right == 1]
    others = [writer.condition(each) for each in formula.assumptions if len(ones) < 2 or each not in ones]
    if len(ones) < 2:  # of one it is said as of others
        return others
    listed = [writer.write(each.left) for each in ones]
    more = f", and {len(ones) - MOST_CONDITIONS} more (--format json has all)" if len(ones) > MOST_CONDITIONS else ""
    return [*others, f"that each of these is 1 or more: {', '.join(listed[:MOST_CONDITIONS])}{more}"]


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
    counted = numbers.number(formula())
    if formula.holds():
        return f"{counted} at {values}"
    return f"at {values} an assumption does not hold; the network is counted: {counted}"


def _labelled(before: str, conditions: Sequence[str]) -> str:
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


def _data(formula: Formula, view: View, proof: Proof | None) -> dict[str, Any]:
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
        **({"not_counted": list(formula.opaque)} if formula.opaque else {}),
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
        "value_at_defaults": raw(formula()) if counted and len(formula.defaults) >= len(formula.symbols) else None,
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
