"""Formulas as functions of Python's own integers and fractions: exact."""

import builtins
import keyword
from collections.abc import Mapping
from typing import Any, ClassVar

from sympy import Add, Expr, Pow, Rational

from archspec.formula.languages.base import Language, divides
from archspec.formula.writers import POWER
from archspec.symbols import Log2
from archspec.writing import python_docstring, python_string

INDENT = "    "


class Python(Language):
    """A function of ints and Fractions."""

    reserved = frozenset(
        {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "math", "index", "Fraction", "make_divisible"}
    )
    heads: ClassVar[Mapping[str, str]] = {
        "make_divisible": "make_divisible",
        "maximum": "max",
        "minimum": "min",
        "log2": "math.log2",
        "floor": "math.floor",
        "ceil": "math.ceil",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "make_divisible": '''def make_divisible(x, divisor, minimum=None):
    """x to the nearest multiple of divisor, never below 9/10 of x."""
    nearest = math.floor(Fraction(2 * x + divisor, 2 * divisor)) * divisor
    nearest = max(divisor if minimum is None else minimum, nearest)
    return nearest + divisor if 10 * nearest < 9 * x else nearest'''
    }

    def given(self) -> list[str]:
        """Whole numbers as ints, whatever integers they are; others as Fractions."""
        return [f"{self.letter(s)} = {self._exact(self.letter(s), s.is_integer)}" for s in self.formula.symbols]

    def _exact(self, name: str, whole: bool) -> str:
        return f"index({name})" if whole else f"Fraction(str({name}))"

    def refuse(self, broken: str, message: str) -> list[str]:
        """An if, and a ValueError."""
        return [f"if {broken}:", f"{INDENT}raise ValueError({python_string(message)})"]

    def not_among(self, name: str, values: list[str]) -> str:
        """An expression that is true or false."""
        return f"{name} not in [{', '.join(values)}]"

    def either(self, one: str, other: str) -> str:
        """An expression that is true or false."""
        return f"{one} or {other}"

    def result(self, terms: tuple[Expr, ...], whole: bool) -> list[str]:
        """The sum, one line per term; as an int where it is whole."""
        lines = self.lines(terms)
        before, after = ("int(", ")") if whole and divides(Add(*terms)) else ("(", ")") if len(lines) > 1 else ("", "")
        if len(lines) == 1:
            return [f"return {before}{lines[0]}{after}"]
        return [f"return {before}", *(f"{INDENT}{line}" for line in lines), after]

    def source(self, body: list[str]) -> str:
        """Imports, helpers, then the function."""
        lines = [*python_docstring(self.sentences, INDENT), *(f"{INDENT}{line}" for line in body)]
        function = "\n".join([f"def {self.signature}:", *lines])
        code = "\n\n\n".join([*self.called(body), function])
        imports = "\n".join(self.imports(code))
        return f"{imports}\n\n\n{code}\n" if imports else f"{code}\n"

    def imports(self, code: str) -> list[str]:
        """What code imports."""
        lines = {
            "math.": "import math",
            "Fraction(": "from fractions import Fraction",
            "index(": "from operator import index",
        }
        return [line for call, line in lines.items() if call in code]

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """An exact quotient; a plain one where roots or logarithms make it no fraction."""
        if any(_irrational(factor) for factor in (*above, *below)):
            return super().quotient(above, below)
        return f"Fraction({self._factors(above)}, {self._factors(below)})"

    def _CeilDiv(self, atom: Expr) -> str:  # noqa: N802  # SymPy's names
        a, b = atom.args
        if b == 1:
            return self.parentheses(self.write(a))
        return f"(-(-{self.write(a, POWER)} // {self.write(b, POWER)}))"

    def _TableLookup(self, atom: Any) -> str:  # noqa: N802
        return f"{self._table(atom)}[{', '.join(map(self.write, atom.keys))}]"

    def _table(self, atom: Any) -> str:
        entries = (f"{self._key(places)}: {self._number(cell)}" for *places, cell in atom.args[2])
        return f"{{{', '.join(entries)}}}"

    def _key(self, places: list[Expr]) -> str:
        keys = ", ".join(map(self._number, places))
        return keys if len(places) == 1 else f"({keys})"

    def _number(self, number: Rational) -> str:
        return str(number) if number.is_Integer else f"Fraction({number.p}, {number.q})"


def _irrational(expression: Expr) -> bool:
    """Whether an expression has a logarithm or a root."""
    roots = (power.exp for power in expression.atoms(Pow) if power.exp.is_Rational and not power.exp.is_Integer)
    return expression.has(Log2) or any(True for _ in roots)
