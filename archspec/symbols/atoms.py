"""Free symbols, the atoms, which keep their meaning until their arguments are numbers, and expressions at numbers."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sympy import Add, Expr, Rational, Symbol, Tuple, expand, sympify
from sympy.core.symbol import Str
from sympy.printing.pretty.stringpict import prettyForm

from archspec import dims
from archspec.errors import ArchspecError
from archspec.symbols.printing import PrintableAtom, closed
from archspec.writing import latex_upright


def symbol(name: str, integer: bool = True, least: Any = 1) -> Symbol:
    """A free symbol for a size (a positive integer) or a multiplier (a positive rational), or for what may be less."""
    sign = {"positive": True} if least > 0 else {"nonnegative": True} if least == 0 else {"real": True}
    return Symbol(name, **sign, **({"integer": True} if integer else {"rational": True}))


def to_sympy(value: Any) -> Expr:
    """An exact number or expression as SymPy has it."""
    if isinstance(value, Fraction):
        return Rational(value.numerator, value.denominator)
    return sympify(value, strict=True)


def from_sympy(value: Expr) -> Any:
    """A SymPy number as an int or Fraction; anything else as it is."""
    if isinstance(value, Rational):
        return int(value) if value.q == 1 else Fraction(int(value.p), int(value.q))
    return value


class Atom(PrintableAtom):
    """A number that is computed, by the rule of the same name in `dims`, as soon as the arguments are numbers."""

    is_finite = True
    is_real = True

    def computed(self, at: Callable[[Expr], Any]) -> Any:
        """The number, where `at` gives that of an argument."""
        return getattr(dims, self.rule)(*map(at, self.args))

    def _sympystr(self, printer: Any) -> str:
        raise NotImplementedError

    @classmethod
    def eval(cls, *args: Expr) -> Expr | None:
        """The number, once all arguments are numbers."""
        if all(isinstance(arg, Rational) for arg in args):
            return to_sympy(getattr(dims, cls.rule)(*map(from_sympy, args)))
        return None


class Rounding(Atom):
    """An atom whose value is an integer."""

    is_integer = True


class CeilDiv(Rounding):
    """⌈a/b⌉."""

    rule = "ceil_div"

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive and self.args[1].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative and self.args[1].is_positive else None

    @property
    def whole(self) -> Expr | None:
        """What it is the quotient of without the remainder, where it is: a of ⌈(a − b + 1)/b⌉ = ⌊a/b⌋, b a symbol."""
        a, b = self.args
        rest = expand(a + b - 1)
        shorter = b.free_symbols and len(Add.make_args(rest)) < len(Add.make_args(a))
        return rest if shorter else None

    @property
    def flat(self) -> Expr:
        """A sum that is kept as one size, without the sums inside that are."""
        return _flat(self)

    def _sympystr(self, printer: Any) -> str:
        a, b = self.args
        if b == 1:
            return f"({printer._print(self.flat)})"
        left, right = "⌈⌉" if self.whole is None else "⌊⌋"
        above = a if self.whole is None else self.whole
        top = f"({printer._print(above)})" if above.is_Add else printer._print(above)
        bottom = f"({printer._print(b)})" if b.is_Add or b.is_Mul else printer._print(b)
        return f"{left}{top}/{bottom}{right}"

    def _in_latex(self, printer: Any) -> str:
        a, b = self.args
        if b == 1:
            return rf"\left({printer._print(self.flat)}\right)"
        end = "ceil" if self.whole is None else "floor"
        top, bottom = printer._print(a if self.whole is None else self.whole), printer._print(b)
        return rf"\left\l{end} \frac{{{top}}}{{{bottom}}} \right\r{end}"

    def _pretty(self, printer: Any) -> prettyForm:
        a, b = map(printer._print, self.args)
        return closed(printer, a / b, "ceil", "lceil", "rceil")


@lru_cache(maxsize=4096)
def _flat(kept: CeilDiv) -> Expr:
    inner = {part: _flat(part) for part in kept.args[0].atoms(CeilDiv) if part.args[1] == 1}
    return expand(kept.args[0].xreplace(inner))


class Bracketed(Rounding):
    """⌊x⌋ or ⌈x⌉ of a rational expression."""

    def _inside(self) -> tuple[Expr, str, str]:
        """What stands in it, and its brackets, by the rules of that name."""
        return self.args[0], self.rule, self.rule

    def _sympystr(self, printer: Any) -> str:
        inside, left, right = self._inside()
        return f"{_BRACKETS[left][0]}{printer._print(inside)}{_BRACKETS[right][1]}"

    def _in_latex(self, printer: Any) -> str:
        inside, left, right = self._inside()
        return rf"\left\l{left} {printer._print(inside)} \right\r{right}"

    def _pretty(self, printer: Any) -> prettyForm:
        return closed(printer, printer._print(self.args[0]), self.rule, f"l{self.rule}", f"r{self.rule}")


_BRACKETS = {"floor": "⌊⌋", "ceil": "⌈⌉"}


class Floor(Bracketed):
    """⌊x⌋ of a rational expression."""

    rule = "floor"

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None

    def _inside(self) -> tuple[Expr, str, str]:
        """Of ⌊x + 1/2⌋ x, which it rounds to the nearest integer, a half upwards."""
        constant, rest = self.args[0].as_coeff_Add()
        nearest = constant == Rational(1, 2) and rest != 0
        return (rest, "floor", "ceil") if nearest else super()._inside()


class Ceil(Bracketed):
    """⌈x⌉ of a rational expression."""

    rule = "ceil"

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive else None


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class MakeDivisible(Rounding):
    """x to the nearest multiple of d, as `dims.make_divisible`; positive whatever x is."""

    rule = shown = "make_divisible"
    is_positive = True

    def _sympystr(self, printer: Any) -> str:
        x, d, *least = (printer._print(arg) for arg in self.args)
        return f"⌊{x}⌉{d.translate(_SUBSCRIPTS)}" + (f"≥{least[0]}" if least else "")

    def _in_latex(self, printer: Any) -> str:
        x, d, *least = (printer._print(arg) for arg in self.args)
        bound = rf" \geq {least[0]}" if least else ""
        return rf"\left\lfloor {x} \right\rceil_{{{d}{bound}}}"

    def _pretty(self, printer: Any) -> prettyForm:
        if not printer._use_unicode:
            return super()._pretty(printer)
        x, d, *least = map(printer._print, self.args)
        bound = f"≥{least[0]}" if least else ""
        return prettyForm(*closed(printer, x, "", "lfloor", "rceil").right(f"{d}".translate(_SUBSCRIPTS) + bound))


class Extreme(Atom):
    """One of its arguments."""

    def _eval_is_integer(self) -> bool | None:
        return True if all(arg.is_integer for arg in self.args) else None

    def _sympystr(self, printer: Any) -> str:
        return f"{self.shown}({', '.join(map(printer._print, self.args))})"

    def _in_latex(self, printer: Any) -> str:
        return rf"\{self.shown}\left({', '.join(map(printer._print, self.args))}\right)"


class Maximum(Extreme):
    """The largest of its arguments."""

    rule = "maximum"
    shown = "max"

    def _eval_is_positive(self) -> bool | None:
        return True if any(arg.is_positive for arg in self.args) else None


class Minimum(Extreme):
    """The smallest of its arguments."""

    rule = "minimum"
    shown = "min"

    def _eval_is_positive(self) -> bool | None:
        return True if all(arg.is_positive for arg in self.args) else None


class TableLookup(Atom):
    """The number of a table that is found by keys; its arguments are the keys, what it is called, and its cells."""

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
        """The cell, once all keys are numbers."""
        keys, label, cells = args
        if not all(isinstance(key, Rational) for key in keys):
            return None
        return to_sympy(_cell(label, cells, list(map(from_sympy, keys))))

    def computed(self, at: Callable[[Expr], Any]) -> Any:
        """The cell, where `at` gives the number of a key."""
        return _cell(self.label, self.args[2], list(map(at, self.keys)))

    @property
    def keys(self) -> Any:
        """What it is found by."""
        return self.args[0]

    @property
    def label(self) -> str:
        """How the specification writes it, with {} for each key."""
        return str(self.args[1])

    @property
    def cells(self) -> list[Expr]:
        """What can be found."""
        return [entry[-1] for entry in self.args[2]]

    def _eval_is_integer(self) -> bool | None:
        return _alike(cell.is_integer for cell in self.cells)

    def _eval_is_positive(self) -> bool | None:
        return _alike(cell.is_positive for cell in self.cells)

    def _eval_is_zero(self) -> bool | None:
        return _alike(cell.is_zero for cell in self.cells)

    def _sympystr(self, printer: Any) -> str:
        return self.label.format(*map(printer._print, self.keys))

    def _in_latex(self, printer: Any) -> str:
        name, _, inside = self.label.rstrip(")").partition("(")
        keys = map(printer._print, self.keys)
        parts = [next(keys) if part == "{}" else _upright(part) for part in inside.split(", ")]
        return rf"{_upright(name)}\left({', '.join(parts)}\right)"

    def _pretty(self, printer: Any) -> prettyForm:
        return prettyForm(self.label.format(*(printer._print(key).render(wrap_line=False) for key in self.keys)))


def _alike(answers: Iterable[bool | None]) -> bool | None:
    """The answer that all give; None if they differ."""
    found = set(answers)
    return found.pop() if len(found) == 1 else None


def _cell(label: Any, cells: Any, keys: list[Any]) -> Any:
    for *places, cell in cells:
        if list(map(from_sympy, places)) == keys:
            return from_sympy(cell)
    raise ArchspecError(f"{label} has no entry for {', '.join(map(str, keys))}")


def _upright(word: str) -> str:
    return latex_upright(word) if word[:1].isalpha() else word


def lookup(name: str, key: Any, column: Any, cells: Mapping[tuple[Any, Any], Any]) -> Any:
    """The atom of a table's cell, found by a key, a column, or both."""
    by = [dims.is_symbolic(place) for place in (key, column)]
    inside = ", ".join("{}" if free else str(place) for place, free in zip((key, column), by, strict=True))
    entries = [
        Tuple(*(to_sympy(place) for place, free in zip(places, by, strict=True) if free), to_sympy(cell))
        for places, cell in cells.items()
    ]
    keys = [to_sympy(place) for place, free in zip((key, column), by, strict=True) if free]
    return from_sympy(TableLookup(Tuple(*keys), Str(f"{name}({inside})"), Tuple(*entries)))


class Log2(Atom):
    """log₂ x; a number, and so whole, of a power of two alone."""

    rule = "log2"
    shown = "log₂"

    def _eval_is_nonnegative(self) -> bool | None:
        return True if (self.args[0] - 1).is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        return f"log₂({printer._print(self.args[0])})"

    def _in_latex(self, printer: Any) -> str:
        return rf"\log_2 {printer._print(self.args[0])}"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        """The power stands before the number, as mathematicians have it."""
        return self._in_latex(printer) if exp is None else rf"\log_2^{{{exp}}} {printer._print(self.args[0])}"


# ------------------------------------------------------------------ expressions at numbers


def value(x: Any, values: Mapping[str, Any]) -> Any:
    """The number that an expression is at exact values of its symbols, worked out on ints and fractions.

    Raises:
        ArchspecError: A symbol has no value, or there is a division by zero.

    >>> from archspec.symbols import ceil_div, symbol
    >>> value(ceil_div(symbol("side") - 62, 32), {"side": 224})
    6
    """
    known: dict[Expr, Any] = {}

    def at(part: Expr) -> Any:
        if part not in known:
            known[part] = _computed(part, at, values)
        return known[part]

    return at(to_sympy(x))


def _computed(part: Expr, at: Callable[[Expr], Any], values: Mapping[str, Any]) -> Any:
    if part.is_Rational:
        return from_sympy(part)
    if part.is_Symbol:
        if part.name not in values:
            raise ArchspecError(f"{part} has no value")
        return values[part.name]
    if part.is_Add or part.is_Mul:
        numbers = map(at, part.args)
        return dims.exact(sum(numbers) if part.is_Add else dims.product(numbers))
    if isinstance(part, Atom):
        return part.computed(at)
    if part.is_Pow:
        return _raised(at(part.base), at(part.exp))
    return from_sympy(part.xreplace({free: to_sympy(at(free)) for free in part.free_symbols}))


def _raised(base: Any, power: Any) -> Any:
    if type(power) is int and power >= 0:
        return base**power
    if base == 0:
        raise ArchspecError("division by zero")
    return dims.exact(Fraction(base) ** power) if type(power) is int else from_sympy(to_sympy(base) ** to_sympy(power))
