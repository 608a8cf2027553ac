"""Roundings on SymPy expressions, as atoms that keep their meaning; reached through `dims`, which loads this late.

An atom prints as the mathematics does (⌈(side + 1)/2⌉, ⌊32α⌋) and computes as soon as its arguments are numbers, so
substitution gives the integer. Two laws keep atoms few:

* ⌊a/b⌋ = ⌈(a − b + 1)/b⌉ for integers: one kind of atom for every spatial size;
* ⌈(⌈u/s⌉ + b)/t⌉ = ⌈(u + b·s)/(s·t)⌉ for integers b and s, t ≥ 1: a chain of layers is one ceiling, however long.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import Any

import sympy
from sympy import Expr, Function, Integer, Rational, Symbol
from sympy.core.symbol import Str

from archspec import dims
from archspec.dims import Condition, record
from archspec.errors import ArchspecError, DivisibilityError, UndecidableError

__all__ = [
    "alternatives",
    "at_least",
    "at_least_one",
    "ceil",
    "ceil_div",
    "divide",
    "equal",
    "exact_div",
    "floor",
    "floor_div",
    "less",
    "log2",
    "lookup",
    "make_divisible",
    "maximum",
    "minimum",
    "power",
    "sqrt",
    "symbol",
    "value",
]


def symbol(name: str, integer: bool = True, least: Any = 1) -> Symbol:
    """A free symbol for a size (a positive integer) or a multiplier (a positive rational), or for what may be less."""
    sign = {"positive": True} if least > 0 else {"nonnegative": True} if least == 0 else {"real": True}
    return Symbol(name, **sign, **({"integer": True} if integer else {"rational": True}))


def to_sympy(value: Any) -> Expr:
    """An exact number or expression as SymPy has it."""
    if isinstance(value, Fraction):
        return Rational(value.numerator, value.denominator)
    return sympy.sympify(value, strict=True)


def from_sympy(value: Expr) -> Any:
    """A SymPy number as an int or Fraction; anything else as it is."""
    if isinstance(value, Rational):
        return int(value) if value.q == 1 else Fraction(int(value.p), int(value.q))
    return value


class Atom(Function):  # type: ignore[misc]  # SymPy has no types
    """A number that is computed, by the rule of the same name in `dims`, as soon as the arguments are numbers."""

    is_finite = True
    is_real = True

    def computed(self, at: Callable[[Expr], Any]) -> Any:
        """The number, where `at` gives that of an argument."""
        return getattr(dims, self.rule)(*map(at, self.args))

    def _sympystr(self, printer: Any) -> str:
        raise NotImplementedError

    def _latex(self, printer: Any) -> str:
        raise NotImplementedError

    @classmethod
    def eval(cls, *args: Expr) -> Expr | None:
        if all(isinstance(arg, Rational) for arg in args):
            return to_sympy(getattr(dims, cls.rule)(*map(from_sympy, args)))
        return None


class _Rounding(Atom):
    """An atom whose value is an integer."""

    is_integer = True


class CeilDiv(_Rounding):
    """⌈a/b⌉."""

    rule = "ceil_div"

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive and self.args[1].is_positive else None

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative and self.args[1].is_positive else None

    def _sympystr(self, printer: Any) -> str:
        a, b = self.args
        if b == 1:
            return f"({printer._print(a)})"
        top = f"({printer._print(a)})" if a.is_Add else printer._print(a)
        bottom = f"({printer._print(b)})" if b.is_Add or b.is_Mul else printer._print(b)
        return f"⌈{top}/{bottom}⌉"

    def _latex(self, printer: Any) -> str:
        a, b = map(printer._print, self.args)
        return rf"\left({a}\right)" if b == "1" else rf"\left\lceil \frac{{{a}}}{{{b}}} \right\rceil"


class Floor(_Rounding):
    """⌊x⌋ of a rational expression."""

    rule = "floor"

    def _eval_is_nonnegative(self) -> bool | None:
        return True if self.args[0].is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        return f"⌊{printer._print(self.args[0])}⌋"

    def _latex(self, printer: Any) -> str:
        return rf"\left\lfloor {printer._print(self.args[0])} \right\rfloor"


class Ceil(_Rounding):
    """⌈x⌉ of a rational expression."""

    rule = "ceil"

    def _eval_is_positive(self) -> bool | None:
        return True if self.args[0].is_positive else None

    def _sympystr(self, printer: Any) -> str:
        return f"⌈{printer._print(self.args[0])}⌉"

    def _latex(self, printer: Any) -> str:
        return rf"\left\lceil {printer._print(self.args[0])} \right\rceil"


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class MakeDivisible(_Rounding):
    """x to the nearest multiple of d, as `dims.make_divisible`; positive whatever x is."""

    rule = "make_divisible"
    is_positive = True

    def _sympystr(self, printer: Any) -> str:
        x, d, *least = (printer._print(arg) for arg in self.args)
        return f"⌊{x}⌉{d.translate(_SUBSCRIPTS)}" + (f"≥{least[0]}" if least else "")

    def _latex(self, printer: Any) -> str:
        x, d, *least = (printer._print(arg) for arg in self.args)
        bound = rf" \geq {least[0]}" if least else ""
        return rf"\left\lfloor {x} \right\rceil_{{{d}{bound}}}"


class _Extreme(Atom):
    """One of its arguments."""

    def _eval_is_integer(self) -> bool | None:
        return True if all(arg.is_integer for arg in self.args) else None


class Maximum(_Extreme):
    """The largest of its arguments."""

    rule = "maximum"

    def _eval_is_positive(self) -> bool | None:
        return True if any(arg.is_positive for arg in self.args) else None

    def _sympystr(self, printer: Any) -> str:
        return f"max({', '.join(printer._print(arg) for arg in self.args)})"

    def _latex(self, printer: Any) -> str:
        return rf"\max\left({', '.join(printer._print(arg) for arg in self.args)}\right)"


class Minimum(_Extreme):
    """The smallest of its arguments."""

    rule = "minimum"

    def _eval_is_positive(self) -> bool | None:
        return True if all(arg.is_positive for arg in self.args) else None

    def _sympystr(self, printer: Any) -> str:
        return f"min({', '.join(printer._print(arg) for arg in self.args)})"

    def _latex(self, printer: Any) -> str:
        return rf"\min\left({', '.join(printer._print(arg) for arg in self.args)}\right)"


class Lookup(Atom):
    """The number of a table that is found by keys; its arguments are the keys, what it is called, and its cells."""

    @classmethod
    def eval(cls, *args: Any) -> Expr | None:
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

    def _eval_is_integer(self) -> bool:
        return all(cell.is_integer for cell in self.cells)

    def _eval_is_positive(self) -> bool:
        return all(cell.is_positive for cell in self.cells)

    def _sympystr(self, printer: Any) -> str:
        return self.label.format(*map(printer._print, self.keys))

    def _latex(self, printer: Any) -> str:
        name, _, inside = self.label.rstrip(")").partition("(")
        keys = map(printer._print, self.keys)
        parts = [next(keys) if part == "{}" else _upright(part) for part in inside.split(", ")]
        return rf"{_upright(name)}\left({', '.join(parts)}\right)"


def _cell(label: Any, cells: Any, keys: list[Any]) -> Any:
    for *places, cell in cells:
        if list(map(from_sympy, places)) == keys:
            return from_sympy(cell)
    raise ArchspecError(f"{label} has no entry for {', '.join(map(str, keys))}")


def _upright(word: str) -> str:
    escaped = word.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}" if word[:1].isalpha() else word


def lookup(name: str, key: Any, column: Any, cells: Mapping[tuple[Any, Any], Any]) -> Any:
    """The atom of a table's cell, found by a key, a column, or both."""
    by = [dims.is_symbolic(place) for place in (key, column)]
    inside = ", ".join("{}" if free else str(place) for place, free in zip((key, column), by, strict=True))
    entries = [
        sympy.Tuple(*(to_sympy(place) for place, free in zip(places, by, strict=True) if free), to_sympy(cell))
        for places, cell in cells.items()
    ]
    keys = [to_sympy(place) for place, free in zip((key, column), by, strict=True) if free]
    return from_sympy(Lookup(sympy.Tuple(*keys), Str(f"{name}({inside})"), sympy.Tuple(*entries)))


def at_least_one(a: Expr) -> None:
    """Record that a size, or each factor of a product of sizes, is at least 1, unless it is plain."""
    if a.is_Mul and all(factor.is_integer for factor in a.args):
        for factor in a.args:
            at_least_one(factor)
    elif a.is_Pow and a.base.is_integer:
        at_least_one(a.base)
    elif not (a.is_integer and a.is_positive):
        record(Condition("at_least", a, Integer(1)))


def value(x: Any, values: Mapping[str, Any]) -> Any:
    """The number that an expression is at exact values of its symbols, worked out on ints and fractions.

    Raises:
        ArchspecError: A symbol has no value, or there is a division by zero.

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


class Log2(Atom):
    """log₂ x; a number, and so whole, of a power of two alone."""

    rule = "log2"

    def _eval_is_nonnegative(self) -> bool | None:
        return True if (self.args[0] - 1).is_nonnegative else None

    def _sympystr(self, printer: Any) -> str:
        return f"log₂({printer._print(self.args[0])})"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\log_2{power} {printer._print(self.args[0])}"


def log2(x: Any) -> Any:
    """log₂ x."""
    return from_sympy(Log2(to_sympy(x)))


def power(base: Any, exponent: Any) -> Any:
    """The base to the exponent."""
    return from_sympy(to_sympy(base) ** to_sympy(exponent))


def sqrt(x: Any) -> Any:
    """√x."""
    return from_sympy(sympy.sqrt(to_sympy(x)))


def floor(x: Any) -> Any:
    """⌊x⌋; integers and integer terms stand outside."""
    return _outside(Floor, to_sympy(x))


def ceil(x: Any) -> Any:
    """⌈x⌉; integers and integer terms stand outside."""
    return _outside(Ceil, to_sympy(x))


def _outside(atom: type[_Rounding], x: Expr) -> Any:
    inside: list[Expr] = []
    outside: list[Expr] = []
    for term in sympy.Add.make_args(sympy.expand(x)):
        (outside if term.is_integer else inside).append(term)
    rest = sympy.Add(*inside)
    return from_sympy(sympy.Add(*outside, atom(rest) if inside else Integer(0)))


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋ = ⌈(a − b + 1)/b⌉ for integers."""
    a, b = to_sympy(a), _divisor(b)
    if a.is_integer and b.is_integer:
        return ceil_div(a - b + 1, b)
    return floor(a / b)


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉, with a nested ceiling folded into one and whole quotients of symbols taken out."""
    a, b = sympy.expand(to_sympy(a)), _divisor(b)
    if not (a.is_integer and b.is_integer):
        return ceil(a / b)
    folded = _fold(a, b)
    if folded is not None:
        return ceil_div(*folded)
    if b == 1:  # a sum stays one atom, which no product takes apart
        return CeilDiv(a, b) if a.is_Add else from_sympy(a)
    whole: list[Expr] = []
    rest: list[Expr] = []
    for term in sympy.Add.make_args(a):
        quotient = term / b
        outside = quotient.is_integer and not term.is_Number
        (whole if outside else rest).append(quotient if outside else term)
    if not rest:
        return from_sympy(sympy.Add(*whole))
    if all(term.is_Number for term in rest):
        return from_sympy(sympy.Add(*whole, CeilDiv(sympy.Add(*rest), b)))
    return from_sympy(sympy.Add(*whole) + CeilDiv(sympy.Add(*rest), b))


def _fold(a: Expr, b: Expr) -> tuple[Expr, Expr] | None:
    """⌈(⌈u/s⌉ + c)/b⌉ as the pair (u + c·s, s·b), where a = ⌈u/s⌉ + c and c is an integer; None if a is not so."""
    terms = sympy.Add.make_args(a)
    inner = [term for term in terms if isinstance(term, CeilDiv)]
    others = [term for term in terms if not isinstance(term, CeilDiv)]
    if len(inner) != 1 or not all(term.is_Integer for term in others):
        return None
    u, s = inner[0].args
    return u + sympy.Add(*others) * s, s * b


def exact_div(a: Any, b: Any) -> Any:
    """a/b; that b divides a is recorded unless it is plain.

    Raises:
        DivisibilityError: It is plain that b does not divide a.
    """
    quotient = sympy.expand(to_sympy(a) / _divisor(b))
    if quotient.is_integer is False:
        raise DivisibilityError(f"{a} is not divisible by {b}")
    if not quotient.is_integer:
        record(Condition("divides", to_sympy(a), to_sympy(b)))
    return from_sympy(quotient)


def divide(a: Any, b: Any) -> Any:
    """a/b."""
    divisor = to_sympy(b)
    if divisor.is_zero:
        raise ArchspecError("division by zero")
    return from_sympy(to_sympy(a) / divisor)


def _divisor(b: Any) -> Expr:
    divisor = to_sympy(b)
    if divisor.is_nonpositive:
        raise ArchspecError(f"the divisor must be positive, found {b}")
    return divisor


def make_divisible(x: Any, divisor: Any = 8, minimum: Any = None) -> Any:
    """The atom of `dims.make_divisible`."""
    args = (x, _divisor(divisor)) if minimum is None else (x, _divisor(divisor), minimum)
    return from_sympy(MakeDivisible(*map(to_sympy, args)))


def maximum(*values: Any) -> Any:
    """The largest, without the arguments that are plainly no larger than another."""
    return _extreme(Maximum, values, at_least)


def minimum(*values: Any) -> Any:
    """The smallest, without the arguments that are plainly no smaller than another."""
    return _extreme(Minimum, values, lambda a, b: at_least(b, a))


def _extreme(atom: type[_Extreme], values: tuple[Any, ...], covers: Callable[[Expr, Expr], bool]) -> Any:
    kept: list[Expr] = []
    for value in dict.fromkeys(map(to_sympy, values)):
        if not any(covers(other, value) for other in kept):
            kept = [other for other in kept if not covers(value, other)] + [value]
    for value in [value for value in kept if value.is_Add]:
        others = combinations([other for other in kept if other != value], 2)
        if any(covers((p + q) / 2, value) for p, q in others):  # x + y is no more than the larger of 2x and 2y
            kept.remove(value)
    return from_sympy(kept[0] if len(kept) == 1 else atom(*sorted(kept, key=sympy.default_sort_key)))


def alternatives(value: Expr) -> tuple[Any, ...]:
    """The values of which an expression is the largest or the smallest; itself alone if it is neither."""
    return tuple(map(from_sympy, value.args)) if isinstance(value, _Extreme) else (value,)


def at_least(a: Expr, b: Expr) -> bool:
    """Whether a ≥ b is plain; False says nothing.

    It is where no term of a − b can be negative, or each that can has another that covers it factor by factor:
    2·⌊64α⌋·⌈h/2⌉² is at least ⌊32α⌋·⌈h/4⌉² + ⌊64α⌋·⌈h/2⌉².
    """
    difference = dict(_terms(a))
    for term, count in _terms(b).items():
        difference[term] = difference.get(term, Integer(0)) - count
    above = {term: count for term, count in difference.items() if count > 0}
    below = {term: -count for term, count in difference.items() if count < 0}
    return all(map(_is_nonnegative, above)) and all(_covered(term, count, above) for term, count in below.items())


@lru_cache(maxsize=4096)
def _terms(value: Expr) -> dict[Expr, Expr]:
    """The terms of a sum, multiplied out, and how often each stands there."""
    return dict(sympy.expand(value).as_coefficients_dict())


@lru_cache(maxsize=4096)
def _is_nonnegative(term: Expr) -> bool:
    return bool(term.is_nonnegative)


def _covered(term: Expr, count: Expr, above: dict[Expr, Expr]) -> bool:
    """Whether so many of a term are no more than what there is of others, which is used up."""
    for other, left in above.items():
        worth = _worth(other, term)
        if worth:
            used = min(left, count / worth)
            above[other] = left - used
            count -= used * worth
        if count == 0:
            return True
    return False


@lru_cache(maxsize=4096)
def _worth(a: Expr, b: Expr) -> Expr:
    """A number n for which a ≥ n·b is plain, factor by factor; 0 if there is none."""
    left, worth = _factors(a), Integer(1)
    for factor in _factors(b):
        best = max(left, key=lambda other: (other == factor, _ratio(other, factor)), default=None)
        if best is None or not (ratio := _ratio(best, factor)):
            return Integer(0)
        left.remove(best)
        worth *= ratio
    return worth if all((other - 1).is_nonnegative for other in left) else Integer(0)


def _factors(term: Expr) -> list[Expr]:
    """The factors of a product without its number, powers written out."""
    factors: list[Expr] = []
    for base, exponent in term.as_powers_dict().items():
        whole = exponent.is_Integer and 0 < exponent <= 8
        factors.extend([base] * int(exponent) if whole else [] if base.is_Number else [base**exponent])
    return factors


def _ratio(a: Expr, b: Expr) -> Expr:
    """A whole number n for which a ≥ n·b ≥ 0 is plain, of two factors; 0 if there is none."""
    if not b.is_nonnegative:
        return Integer(0)
    if (a - b).is_nonnegative:
        return Integer(1)
    if isinstance(a, Floor) and isinstance(b, Floor):  # ⌊n·x⌋ ≥ n·⌊x⌋
        times = a.args[0] / b.args[0]
        return sympy.floor(times) if times.is_Rational and times >= 1 else Integer(_rises(a.args[0], b.args[0]))
    if isinstance(a, Ceil | MakeDivisible) and type(a) is type(b) and a.args[1:] == b.args[1:]:
        return Integer(_rises(a.args[0], b.args[0]))
    if isinstance(b, CeilDiv) and a.is_integer:  # ⌈u/s⌉ ≥ ⌈v/t⌉ if u ≥ v ≥ 0 and s ≤ t; a size itself is u/1
        (u, s), (v, t) = (a.args if isinstance(a, CeilDiv) else (a, Integer(1))), b.args
        return Integer(_rises(u, v) and _rises(t, s) and bool(v.is_nonnegative))
    return Integer(0)


def _rises(a: Expr, b: Expr) -> bool:
    return bool((a - b).is_nonnegative)


def equal(a: Any, b: Any) -> bool:
    """Whether the two are one expression; if not, that they differ is recorded unless it is plain."""
    if isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return False
    difference = sympy.expand(to_sympy(a) - to_sympy(b))
    if difference.is_zero or (difference.has(CeilDiv) and sympy.expand(reduced(difference)).is_zero):
        return True
    if not difference.is_nonzero:
        record(Condition("differs", to_sympy(a), to_sympy(b)))
    return False


def reduced(x: Expr) -> Expr:
    """The same with ⌈(u + c)/b⌉ as ⌈(u + r)/b⌉ + q, where c = q·b + r: two that are equal are then one expression."""
    x = x.func(*map(reduced, x.args)) if x.args else x
    if not (isinstance(x, CeilDiv) and x.args[1].is_Integer):
        return x
    if x.args[1] == 1:
        return x.args[0]
    c, u = x.args[0].as_coeff_Add()
    return CeilDiv(u + c % x.args[1], x.args[1]) + c // x.args[1] if c.is_Integer else x


def less(a: Any, b: Any) -> bool:
    """Whether a < b, from the signs of the symbols.

    Raises:
        UndecidableError: They leave it open.
    """
    difference = to_sympy(a) - to_sympy(b)
    if difference.is_negative:
        return True
    if difference.is_nonnegative:
        return False
    names = ", ".join(sorted(str(free) for free in difference.free_symbols))
    raise UndecidableError(f"whether {a} < {b} depends on the free symbols {names}; bind one of them")


def factored(value: Any) -> Any:
    """A polynomial as a product, as one would write it; an expression with roundings as it is."""
    return sympy.factor(value) if isinstance(value, Expr) else value


def cleared(value: Any) -> Any:
    """The same as one fraction, its powers as they are."""
    return sympy.together(to_sympy(value))


def quotient(a: Any, b: Any) -> Any:
    """a/b with common factors taken out, as a sum of simple terms where that is shorter."""
    cancelled = sympy.cancel(to_sympy(a) / to_sympy(b))
    return min(
        (cancelled, sympy.expand(cancelled), sympy.factor(cancelled)), key=lambda form: (len(str(form)), str(form))
    )
