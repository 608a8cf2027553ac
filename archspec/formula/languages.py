"""Formulas as functions of Python, NumPy and JavaScript, in text that needs nothing of this library.

A rounding that occurs more than once has a name of its own. Python's integers and fractions are exact, and 0.35 is
read as 7/20. NumPy and JavaScript have no fractions: what they round down, they round to nine decimals first, so that
0.29·100 is 29 and not 28.999…; their counts are exact up to 2⁵³.
"""

import json
import keyword
from collections.abc import Iterable
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

import sympy
from sympy import Add, Expr, Pow, Rational, Symbol

from archspec.formula.writers import POWER, PRODUCT, SUM, Text, Writer
from archspec.symbols import Atom, Ceil, CeilDiv, Floor, Log2, Lookup, MakeDivisible

if TYPE_CHECKING:
    from archspec.formula.closed_form import Formula

NAMED = (CeilDiv, Floor, Ceil, MakeDivisible, Lookup)
"""The atoms that get names."""

_RESERVED = "Fraction function math Math np var let const new this make_divisible makeDivisible"
RESERVED = frozenset(_RESERVED.split())
"""What a parameter cannot be called, besides Python's keywords."""


class Language(Writer):
    """What the languages share: infix operators, and names for roundings."""

    minus = " - "
    assignment: ClassVar[str] = ""
    end: ClassVar[str] = ""
    heads: ClassVar[dict[str, str]] = {}

    def __init__(self, formula: "Formula") -> None:
        super().__init__(formula)
        self.formula = formula
        self.names: dict[Expr, str] = {}

    def function(self, terms: Iterable[Expr], whole: bool) -> str:
        """The source of a function of the symbols that returns the sum of the terms.

        Args:
            terms: The summands.
            whole: Whether their sum is always an integer.
        """
        terms = tuple(terms)
        total = Add(*terms)
        steps = [f"{self.assignment}{name} = {text}{self.end}" for name, text in self._steps(total)]
        result = self._lines(terms)
        if whole and _divides(total):
            result = self.integer(result)
        elif "\n" in result:
            result = self.parentheses(result)
        return self.source(total, [*steps, *f"return {result}{self.end}".split("\n")])

    def _lines(self, terms: tuple[Expr, ...]) -> str:
        """The sum of the terms, a line each if there are several."""
        signed = [("- " if negative else "+ ", text) for term in terms for negative, text in self.parts(term)]
        if len(signed) < 2:
            return self.sum(terms)
        first = f"{signed[0][0].strip('+ ')}{signed[0][1]}"
        return "\n    ".join(["", first, *(f"{sign}{text}" for sign, text in signed[1:])]) + "\n"

    def _steps(self, total: Expr) -> list[tuple[str, str]]:
        """The roundings that occur more than once, each with a name; those inside others come first."""
        often: dict[Expr, int] = {}
        for part in sympy.preorder_traversal(total):
            if isinstance(part, NAMED):
                often[part] = often.get(part, 0) + 1
        repeated = [atom for atom, times in often.items() if times > 1]
        steps: list[tuple[str, str]] = []
        for atom in sorted(repeated, key=lambda atom: (sympy.count_ops(atom), str(atom))):
            text = self.write(atom)
            self.names[atom] = f"n{len(steps) + 1}"
            while self.names[atom] in self.parameters:
                self.names[atom] += "_"
            steps.append((self.names[atom], text))
        return steps

    @property
    def parameters(self) -> list[str]:
        """The function's parameters."""
        return [self.letter(symbol) for symbol in self.formula.symbols]

    @property
    def signature(self) -> str:
        """The function's name and parameters."""
        return f"{self.formula.quantity.replace('/', '_per_')}({', '.join(self.parameters)})"

    @property
    def sentence(self) -> str:
        """What the function returns, and when."""
        formula = self.formula
        where = "; ".join(map(Text(formula).condition, formula.assumptions))
        return f"{formula.quantity} of {formula.of}{f', where {where}' if where else ''}."

    def source(self, total: Expr, lines: list[str]) -> str:
        """The whole source of a function with these lines."""
        raise NotImplementedError

    def integer(self, text: str) -> str:
        """A number that is whole as an integer."""
        raise NotImplementedError

    def write(self, expression: Expr, place: int = SUM) -> str:
        """As `Writer.write`; what has a name is written by it."""
        return self.names.get(expression) or super().write(expression, place).replace("−", "-")

    def letter(self, symbol: Symbol) -> str:
        """A name that the language allows."""
        return f"{symbol.name}_" if keyword.iskeyword(symbol.name) or symbol.name in RESERVED else symbol.name

    def _factors(self, factors: list[Expr]) -> str:
        return " * ".join(self._factor(factor) for factor in factors)

    def power(self, base: Expr, power: Expr) -> str:
        """A power."""
        return f"{self.write(base, POWER)}**{self.write(power, POWER)}"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A quotient."""
        bottom = self._factors(below)
        return f"{self._factors(above)} / {self.parentheses(bottom) if len(below) > 1 else bottom}"

    def atom(self, atom: Atom) -> str:
        """As the method of its name says."""
        written: str = getattr(self, f"_{type(atom).__name__}")(atom)
        return written

    def call(self, name: str, parts: Iterable[Expr]) -> str:
        """A call of a function."""
        return f"{name}({', '.join(map(self.write, parts))})"

    def _MakeDivisible(self, atom: Expr) -> str:  # noqa: N802  # SymPy's names
        return self.call(self.heads["make_divisible"], atom.args)

    def _Maximum(self, atom: Expr) -> str:  # noqa: N802
        return self._extreme("max", atom)

    def _Minimum(self, atom: Expr) -> str:  # noqa: N802
        return self._extreme("min", atom)

    def _extreme(self, name: str, atom: Expr) -> str:
        return self.call(self.heads[name], atom.args)

    def _Log2(self, atom: Expr) -> str:  # noqa: N802
        return self.call(self.heads["log2"], atom.args)


def _irrational(expression: Expr) -> bool:
    """Whether an expression has a logarithm or a root."""
    roots = (power.exp for power in expression.atoms(Pow) if power.exp.is_Rational and not power.exp.is_Integer)
    return expression.has(Log2) or any(True for _ in roots)


class Python(Language):
    """A function of Python's own integers and fractions: exact."""

    heads: ClassVar[dict[str, str]] = {
        "make_divisible": "make_divisible",
        "max": "max",
        "min": "min",
        "log2": "math.log2",
    }

    def integer(self, text: str) -> str:
        """A fraction that is whole as an int."""
        return f"int({text})"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """An exact quotient; a plain one where roots or logarithms make it no fraction."""
        if any(_irrational(factor) for factor in (*above, *below)):
            return super().quotient(above, below)
        return f"Fraction({self._factors(above)}, {self._factors(below)})"

    def source(self, total: Expr, lines: list[str]) -> str:
        """Imports, then the function."""
        rationals = [self.letter(symbol) for symbol in self.formula.symbols if not symbol.is_integer]
        body = [f'"""{self.sentence}"""', *(f"{name} = Fraction(str({name}))" for name in rationals), *lines]
        helpers = [MAKE_DIVISIBLE] if total.has(MakeDivisible) else []
        function = "\n    ".join([f"def {self.signature}:", *body])
        code = "\n\n\n".join([*helpers, function])
        modules = [
            "import math" if "math." in code else "",
            "from fractions import Fraction" if "Fraction(" in code else "",
        ]
        imports = "\n".join(filter(None, modules))
        return f"{imports}\n\n\n{code}\n" if imports else f"{code}\n"

    def _CeilDiv(self, atom: Expr) -> str:  # noqa: N802
        a, b = atom.args
        if b == 1:
            return self.parentheses(self.write(a))
        return f"(-(-{self.write(a, POWER)} // {self.write(b, POWER)}))"

    def _Floor(self, atom: Expr) -> str:  # noqa: N802
        return self.call("math.floor", atom.args)

    def _Ceil(self, atom: Expr) -> str:  # noqa: N802
        return self.call("math.ceil", atom.args)

    def _Lookup(self, atom: Any) -> str:  # noqa: N802
        return f"{self._table(atom)}[{', '.join(map(self.write, atom.keys))}]"

    def _table(self, atom: Any) -> str:
        entries = (f"{self._key(places)}: {self._number(cell)}" for *places, cell in atom.args[2])
        return f"{{{', '.join(entries)}}}"

    def _key(self, places: list[Expr]) -> str:
        keys = ", ".join(map(self._number, places))
        return keys if len(places) == 1 else f"({keys})"

    def _number(self, number: Rational) -> str:
        return str(number) if number.is_Integer else f"Fraction({number.p}, {number.q})"


class Numpy(Python):
    """A function of arrays: of int64, and of floats for what need not be whole."""

    heads: ClassVar[dict[str, str]] = {
        "make_divisible": "make_divisible",
        "max": "np.maximum",
        "min": "np.minimum",
        "log2": "np.log2",
    }

    def integer(self, text: str) -> str:
        """A float that is whole as an int64."""
        return f"np.rint({text}).astype(np.int64)"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A quotient of floats."""
        return Language.quotient(self, above, below)

    def source(self, total: Expr, lines: list[str]) -> str:
        """The import, then the function; its parameters become arrays."""
        arrays = [f"{self.letter(symbol)} = np.asarray({self.letter(symbol)})" for symbol in self.formula.symbols]
        helpers = [MAKE_DIVISIBLE_ARRAYS] if total.has(MakeDivisible) else []
        function = "\n    ".join([f"def {self.signature}:", f'"""{self.sentence}"""', *arrays, *lines])
        return "\n\n\n".join(["import numpy as np", *helpers, function]) + "\n"

    def _rounded(self, name: str, atom: Expr) -> str:
        return f"{name}(np.round({self.write(atom.args[0])}, 9)).astype(np.int64)"

    def _Floor(self, atom: Expr) -> str:  # noqa: N802
        return self._rounded("np.floor", atom)

    def _Ceil(self, atom: Expr) -> str:  # noqa: N802
        return self._rounded("np.ceil", atom)

    def _extreme(self, name: str, atom: Expr) -> str:
        return reduce(lambda left, right: f"{self.heads[name]}({left}, {right})", map(self.write, atom.args))

    def _Lookup(self, atom: Any) -> str:  # noqa: N802
        found = f"np.vectorize({self._table(atom)}.__getitem__, otypes=[float])"
        if len(atom.keys) > 1:
            found = f"np.vectorize(lambda *key: {self._table(atom)}[key], otypes=[float])"
        return self.call(found, atom.keys)

    def _number(self, number: Rational) -> str:
        return str(number) if number.is_Integer else repr(float(number))


class JavaScript(Language):
    """A function of numbers."""

    assignment = "const "
    end = ";"
    heads: ClassVar[dict[str, str]] = {
        "make_divisible": "makeDivisible",
        "max": "Math.max",
        "min": "Math.min",
        "log2": "Math.log2",
    }

    def integer(self, text: str) -> str:
        """A number that is whole but for its last bits."""
        return f"Math.round({text})"

    def source(self, total: Expr, lines: list[str]) -> str:
        """The helper, if it is needed, and the function."""
        helpers = [MAKE_DIVISIBLE_JS] if total.has(MakeDivisible) else []
        function = "\n  ".join([f"// {self.sentence}\nfunction {self.signature} {{", *lines])
        return "\n\n".join([*helpers, f"{function}\n}}"]) + "\n"

    def _CeilDiv(self, atom: Expr) -> str:  # noqa: N802
        a, b = atom.args
        if b == 1:
            return self.parentheses(self.write(a))
        return f"Math.ceil({self.write(a, PRODUCT)} / {self.write(b, POWER)})"

    def _Floor(self, atom: Expr) -> str:  # noqa: N802
        return f"Math.floor(+({self.write(atom.args[0])}).toFixed(9))"

    def _Ceil(self, atom: Expr) -> str:  # noqa: N802
        return f"Math.ceil(+({self.write(atom.args[0])}).toFixed(9))"

    def _Lookup(self, atom: Any) -> str:  # noqa: N802
        table = {",".join(str(_double(place)) for place in places): _double(cell) for *places, cell in atom.args[2]}
        return f"{json.dumps(table)}[[{', '.join(map(self.write, atom.keys))}].join()]"


def _double(number: Rational) -> int | float:
    return int(number) if number.is_Integer else float(number)


def _divides(expression: Expr) -> bool:
    """Whether a fraction may stand outside of the roundings: a division, or a letter that need not be whole."""
    if isinstance(expression, NAMED):
        return isinstance(expression, Lookup)
    if expression.is_Pow and expression.exp.is_negative:
        return True
    if not expression.args:
        return not expression.is_integer
    return any(map(_divides, expression.args))


MAKE_DIVISIBLE = '''def make_divisible(x, divisor, minimum=None):
    """x to the nearest multiple of divisor, never below 9/10 of x."""
    nearest = math.floor(Fraction(2 * x + divisor, 2 * divisor)) * divisor
    nearest = max(divisor if minimum is None else minimum, nearest)
    return nearest + divisor if 10 * nearest < 9 * x else nearest'''

MAKE_DIVISIBLE_ARRAYS = '''def make_divisible(x, divisor, minimum=None):
    """x to the nearest multiple of divisor, never below 9/10 of x."""
    x = np.round(x, 9)
    nearest = np.floor(np.round((2 * x + divisor) / (2 * divisor), 9)).astype(np.int64) * divisor
    nearest = np.maximum(divisor if minimum is None else minimum, nearest)
    return nearest + divisor * (10 * nearest < np.round(9 * x, 8))'''

MAKE_DIVISIBLE_JS = """// x to the nearest multiple of divisor, never below 9/10 of x
function makeDivisible(x, divisor, minimum = divisor) {
  x = +x.toFixed(9);
  const nearest = Math.max(minimum, Math.floor(+((2 * x + divisor) / (2 * divisor)).toFixed(9)) * divisor);
  return 10 * nearest < +(9 * x).toFixed(8) ? nearest + divisor : nearest;
}"""
