"""Formulas as functions of arrays: float64 inside, which counts exactly up to 2⁵³ and never wraps; int64 comes out."""

from collections.abc import Mapping
from functools import reduce
from typing import Any, ClassVar

from sympy import Expr, Rational

from archspec.formula.languages.base import Floating, Language
from archspec.formula.languages.python import Python


class Numpy(Floating, Python):
    """A function of arrays."""

    reserved = Python.reserved | {"np", "whole", "exact", "nearest", "rounded"}
    heads: ClassVar[Mapping[str, str]] = {
        "make_divisible": "make_divisible",
        "maximum": "np.maximum",
        "minimum": "np.minimum",
        "log2": "np.log2",
        "floor": "np.floor",
        "ceil": "np.ceil",
    }
    helpers: ClassVar[Mapping[str, str]] = {
        "whole": '''def whole(x):
    """x as float64, which has every whole number up to 2**53; int32 and int64 would wrap."""
    x = np.asarray(x, dtype=np.float64)
    if not np.all((x == np.rint(x)) & (np.abs(x) <= 2**53)):
        raise ValueError("a whole number up to 2**53 is needed")
    return x''',
        "exact": '''def exact(*terms):
    """The sum of the terms as int64; beyond 2**53 float64 skips whole numbers, and this raises."""
    if np.any(sum(map(np.abs, terms)) > 2**53):
        raise OverflowError("above 2**53: the Python function counts on")
    return np.rint(sum(terms)).astype(np.int64)''',
        "nearest": '''def nearest(*terms):
    """The sum of the terms as int64; with fractions in it, float64 tells it up to 2**46, and beyond this raises."""
    if np.any(sum(map(np.abs, terms)) > 2**46):
        raise OverflowError("above 2**46: the Python function counts on")
    return np.rint(sum(terms)).astype(np.int64)''',
        "rounded": '''def rounded(x):
    """x to nine decimals: right below 10**6 and for fractions of fewer than nine decimals; else this raises."""
    apart = np.abs(x - np.rint(x))
    if np.any((np.abs(x) > 10**6) | ((apart > 5e-10) & (apart < 5e-9))):
        raise OverflowError("float64 does not tell this fraction from a whole number: the Python function does")
    return np.round(x, 9)''',
        "make_divisible": '''def make_divisible(x, divisor, minimum=None):
    """x to the nearest multiple of divisor, never below 9/10 of x."""
    nearest = np.floor(rounded((2 * x + divisor) / (2 * divisor))) * divisor
    nearest = np.maximum(divisor if minimum is None else minimum, nearest)
    return nearest + divisor * (10 * nearest < np.round(9 * rounded(x), 8))''',
    }

    def _exact(self, name: str, whole: bool) -> str:
        return f"whole({name})" if whole else f"np.asarray({name}, dtype=np.float64)"

    def refuse(self, broken: str, message: str) -> list[str]:
        """An if over all elements, and a ValueError."""
        return super().refuse(f"np.any({broken})", message)

    def not_among(self, name: str, values: list[str]) -> str:
        """An array of truth values."""
        return f"~np.isin({name}, [{', '.join(values)}])"

    def either(self, one: str, other: str) -> str:
        """An array of truth values."""
        return f"({one}) | ({other})"

    def result(self, terms: tuple[Expr, ...], whole: bool) -> list[str]:
        """The sum, one line per term, with its sum checked where it is whole."""
        return self.total(terms) if whole else super().result(terms, whole)

    def imports(self, code: str) -> list[str]:  # noqa: ARG002  # every code of arrays imports the same
        """NumPy alone."""
        return ["import numpy as np"]

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A quotient of floats."""
        return Language.quotient(self, above, below)

    def _Maximum(self, atom: Expr) -> str:  # noqa: N802  # SymPy's names
        return reduce(lambda left, right: f"{self.heads[atom.rule]}({left}, {right})", map(self.write, atom.args))

    _Minimum = _Maximum

    def _TableLookup(self, atom: Any) -> str:  # noqa: N802
        found = f"np.vectorize({self._table(atom)}.__getitem__, otypes=[float])"
        if len(atom.keys) > 1:
            found = f"np.vectorize(lambda *key: {self._table(atom)}[key], otypes=[float])"
        return self.call(found, atom.keys)

    def _number(self, number: Rational) -> str:
        return str(number) if number.is_Integer else repr(float(number))
