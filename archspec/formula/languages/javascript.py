"""Formulas as functions of JavaScript's numbers, which count exactly up to 2⁵³."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sympy import Expr, Rational

from archspec.formula.languages.base import Floating
from archspec.formula.writers import POWER, PRODUCT
from archspec.writing import javascript_comment, javascript_value

INDENT = "  "

_WORDS = """abstract arguments as async await boolean break byte case catch char class const continue debugger default
    delete do double else enum eval export extends false final finally float for from function get goto if implements
    import in instanceof int interface let long native new null of package private protected public return set short
    static super switch synchronized this throw throws transient true try typeof undefined var void volatile while
    with yield Array Infinity Math NaN Number Object RangeError String globalThis
    whole exact nearest rounded makeDivisible"""
RESERVED = frozenset(_WORDS.split())
"""The words of the language, also of its older and its strict forms, and what the functions call."""


class JavaScript(Floating):
    """A function of numbers."""

    reserved = RESERVED
    assignment = "const "
    end = ";"
    heads: ClassVar[Mapping[str, str]] = {
        "make_divisible": "makeDivisible",
        "maximum": "Math.max",
        "minimum": "Math.min",
        "log2": "Math.log2",
        "floor": "Math.floor",
        "ceil": "Math.ceil",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "whole": """// refuses what is no whole number, and whole numbers above 2**53, which are not all there
function whole(x) {
  if (!Number.isSafeInteger(x)) throw new RangeError("a whole number up to 2**53 is needed");
}""",
        "exact": """// the sum of the terms; beyond 2**53 numbers skip whole ones, and this throws
function exact(...terms) {
  if (terms.reduce((sum, term) => sum + Math.abs(term), 0) > Number.MAX_SAFE_INTEGER)
    throw new RangeError("above 2**53: the Python function counts on");
  return Math.round(terms.reduce((sum, term) => sum + term, 0));
}""",
        "nearest": """// the sum of the terms; with fractions in it told up to 2**46; beyond, this throws
function nearest(...terms) {
  if (terms.reduce((sum, term) => sum + Math.abs(term), 0) > 2**46)
    throw new RangeError("above 2**46: the Python function counts on");
  return Math.round(terms.reduce((sum, term) => sum + term, 0));
}""",
        "rounded": """// x to nine decimals: right below 10**6 and for fractions of fewer decimals; else this throws
function rounded(x) {
  const apart = Math.abs(x - Math.round(x));
  if (Math.abs(x) > 1e6 || (apart > 5e-10 && apart < 5e-9))
    throw new RangeError("no number tells this fraction from a whole one: the Python function does");
  return +x.toFixed(9);
}""",
        "makeDivisible": """// x to the nearest multiple of divisor, never below 9/10 of x
function makeDivisible(x, divisor, minimum = divisor) {
  const nearest = Math.max(minimum, Math.floor(rounded((2 * x + divisor) / (2 * divisor))) * divisor);
  return 10 * nearest < +(9 * rounded(x)).toFixed(8) ? nearest + divisor : nearest;
}""",
    }

    def given(self) -> list[str]:
        """Calls that refuse what is not whole."""
        return [f"whole({self.letter(symbol)});" for symbol in self.formula.symbols if symbol.is_integer]

    def refuse(self, broken: str, message: str) -> list[str]:
        """An if, and a RangeError."""
        return [f"if ({broken}) throw new RangeError({javascript_value(message)});"]

    def not_among(self, name: str, values: list[str]) -> str:
        """An expression that is true or false."""
        return f"![{', '.join(values)}].includes({name})"

    def either(self, one: str, other: str) -> str:
        """An expression that is true or false."""
        return f"{one} || {other}"

    def result(self, terms: tuple[Expr, ...], whole: bool) -> list[str]:
        """The sum, one line per term, checked where it is whole."""
        if whole:
            return self.total(terms)
        lines = self.lines(terms)
        if len(lines) == 1:
            return [f"return {lines[0]};"]
        return ["return (", *(f"{INDENT}{line}" for line in lines), ");"]

    def source(self, body: list[str]) -> str:
        """The helpers that are needed, and the function."""
        comments = map(javascript_comment, self.sentences)
        lines = [f"function {self.signature} {{", *(f"{INDENT}{line}" for line in body), "}"]
        return "\n\n".join([*self.called(body), "\n".join([*comments, *lines])]) + "\n"

    def _CeilDiv(self, atom: Expr) -> str:  # noqa: N802  # SymPy's names
        a, b = atom.args
        if b == 1:
            return self.parentheses(self.write(a))
        return f"Math.ceil({self.write(a, PRODUCT)} / {self.write(b, POWER)})"

    def _TableLookup(self, atom: Any) -> str:  # noqa: N802
        entries = (
            f"{javascript_value(','.join(str(_double(place)) for place in places))}: {_double(cell)}"
            for *places, cell in atom.args[2]
        )
        return f"{{{', '.join(entries)}}}[[{', '.join(map(self.write, atom.keys))}].join()]"


def _double(number: Rational) -> int | float:
    return int(number) if number.is_Integer else float(number)
