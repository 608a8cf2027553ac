"""The arithmetic of sizes, the same for ints, exact rationals, int64 arrays and SymPy symbols.

Cost rules never write `//`, `max`, `round` or `if size > …` themselves; they call these functions. On ints and
rationals each computes, on NumPy arrays it computes element by element, and on SymPy expressions it builds an
atom that keeps its meaning. What is known is always checked: `exact_div(17, 4)` is refused, and on symbols the
condition "4 divides …" is recorded for whoever is `recording()`.

The functions of `RULES` are the interface of every arithmetic: a module that has them all (`symbols`, `interval`,
`sweeps.axis`, `emit.code`). A number names its module as `rules`; that of SymPy's expressions gives itself to `serve`.
This module imports none of them.

No float enters a count: `exact` reads 0.35 as 7/20.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce, wraps
from importlib import import_module
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

from archspec.errors import ArchspecError, DivisibilityError

Dim: TypeAlias = Any
"""A size: an int, a Fraction, an int64 array or a SymPy expression."""

T = TypeVar("T")

Truth: TypeAlias = Any
"""An answer: a bool."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What has been taken for true of symbols, and the values by which what they leave open is decided.

    Attributes:
        conditions: `symbols.Condition`s, each once.
        values: Values of symbols, by name; None where nobody has said.
    """

    conditions: list[Any]
    values: Mapping[str, Dim] | None


_recorded: ContextVar[Recording | None] = ContextVar("recorded", default=None)


@contextmanager
def recording(values: Mapping[str, Dim] | None = None) -> Iterator[list[Any]]:
    """Collect the conditions under which the symbolic results made inside hold.

    Args:
        values: What decides questions that symbols leave open; by default, what does so outside.

    >>> with recording() as conditions:
    ...     exact_div(12, 4)
    3
    >>> conditions
    []
    """
    conditions: list[Any] = []
    token = _recorded.set(Recording(conditions, values_at_hand() if values is None else values))
    try:
        yield conditions
    finally:
        _recorded.reset(token)


def record(condition: Any) -> None:
    """Note a condition for the innermost `recording()`, once."""
    recorded = _recorded.get()
    if recorded is not None and condition not in recorded.conditions:
        recorded.conditions.append(condition)


def values_at_hand() -> Mapping[str, Dim] | None:
    """The values of symbols by which open questions are decided, by name; None where nobody has said."""
    recorded = _recorded.get()
    return None if recorded is None else recorded.values


_differing: ContextVar[list[Any] | None] = ContextVar("differing", default=None)


@contextmanager
def differing() -> Iterator[list[Any]]:
    """Collect what arrays inside leave open: an array each, whose elements answer differently, or are to be told apart.

    What is computed is right for all elements alike where nothing was collected.

    >>> import numpy as np
    >>> with differing() as answers:
    ...     known_less(np.array([3, 5]), 4)
    True
    >>> answers
    [array([ True, False])]
    """
    answers: list[Any] = []
    token = _differing.set(answers)
    try:
        yield answers
    finally:
        _differing.reset(token)


def tell_apart(answers: Any) -> None:
    """Note that the elements of an array are not to be treated alike, for whoever collects what is `differing`."""
    found = _differing.get()
    if found is not None:
        found.append(answers)


def is_number(value: object) -> bool:
    """Whether this is an exact number: an int or a Fraction, not a bool."""
    return type(value) is int or isinstance(value, Fraction)


def is_symbolic(value: object) -> bool:
    """Whether this is a SymPy expression; does not load SymPy to find out."""
    return hasattr(value, "free_symbols")


def is_array(value: object) -> bool:
    """Whether this is a NumPy array; does not load NumPy to find out."""
    return hasattr(value, "__array_interface__")


def has_rules(value: object) -> bool:
    """Whether this is a number whose own module has its rules: an `interval.Interval`, an `axis.Affine`."""
    return hasattr(value, "rules")


def is_dim(value: object) -> bool:
    """Whether this can be a size."""
    return is_number(value) or is_symbolic(value) or is_array(value) or has_rules(value)


def exact(value: Any) -> Dim:
    """Read a number without loss: a float as its shortest decimal, a string as an integer, decimal or fraction.

    >>> exact(0.35), exact("7/20"), exact("2.0")
    (Fraction(7, 20), Fraction(7, 20), 2)
    """
    if is_array(value):
        return _array(value)
    if is_dim(value):
        return _normal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ArchspecError(f"expected a number, found {value!r}")
    if isinstance(value, int):
        return int(value)
    text = repr(value) if isinstance(value, float) else str(value).strip()
    _, _, exponent = text.lower().partition("e")
    if len(text) > 60 or (exponent and len(exponent.lstrip("+-")) > 2):
        raise ArchspecError(f"expected a number of ordinary size, found {text[:40]!r}")
    try:
        return _normal(Fraction(text))
    except (ValueError, ZeroDivisionError):
        raise ArchspecError(f"expected a number such as 3, 0.35 or 7/20, found {text!r}") from None


def exact_each(value: Any) -> Dim:
    """The same, and of a list of numbers an array.

    >>> exact_each([0.5, "1/3", 2]).tolist()
    [Fraction(1, 2), Fraction(1, 3), 2]
    """
    return _read(list(value), (len(value),)) if isinstance(value, (list, tuple)) else exact(value)


def _array(values: Any) -> Dim:
    """An array of sizes as one that never wraps; one of other numbers is read number by number."""
    from archspec.arrays import Whole

    if values.dtype == "int64" and values.shape:
        return values.view(Whole)
    if values.dtype.kind not in "iufOU":
        raise ArchspecError(f"an array of sizes holds numbers, found {values.dtype}")
    flat = [str(each) for each in values.ravel()] if values.dtype.kind == "f" else values.ravel().tolist()
    return _read(flat, values.shape) if values.shape else exact(flat[0])


def _read(values: list[Any], shape: tuple[int, ...]) -> Dim:
    """An array of these numbers.

    Raises:
        ArchspecError: There are none, or one of them is no number.
    """
    from archspec.arrays import narrowed

    if not values:
        raise ArchspecError("an array of sizes holds a number at least, found none")
    found = [exact(value) for value in values]
    if odd := [value for value, number in zip(values, found, strict=True) if not is_number(number)]:
        raise ArchspecError(f"expected a number, found {odd[0]!r:.40}")
    return narrowed(found, shape)


def _normal(value: Dim) -> Dim:
    """A Fraction that is whole becomes an int."""
    if isinstance(value, Fraction) and value.denominator == 1:
        return value.numerator
    return value


def remembered(known: dict[Any, T], key: Any, make: Callable[[], T]) -> T:
    """What is known of a key of sizes, else made now and kept; a key with an array has no hash, and is not kept.

    >>> known = {}
    >>> remembered(known, (3, 224), lambda: 3 * 224), known
    (672, {(3, 224): 672})
    """
    try:
        found = known.get(key)
    except TypeError:
        return make()
    if found is None:
        found = known[key] = make()
    return found


RULES: dict[str, Callable[..., Dim]] = {}
"""The functions that an arithmetic has, by name."""


def _rule(compute: Callable[..., Dim]) -> Callable[..., Dim]:
    """Send a call on symbols, or on numbers with rules, to the function of that name in their module."""
    name = compute.__name__
    RULES[name] = compute

    @wraps(compute)
    def dispatch(*values: Dim) -> Dim:
        for value in values:
            if type(value) is not int and (is_symbolic(value) or has_rules(value)):
                return getattr(_home(value), name)(*values)
        return compute(*values)

    return dispatch


_symbols: list[ModuleType] = []


def serve(arithmetic: ModuleType) -> None:
    """Make a module the arithmetic of SymPy's expressions."""
    _symbols[:] = [arithmetic]


def _home(value: Dim) -> ModuleType:
    """The module with the arithmetic of a symbol, or that a number names as its own."""
    if not is_symbolic(value):
        return import_module(value.rules)
    if not _symbols:
        raise ArchspecError(f"the arithmetic of {value} is not loaded; import archspec.symbols")
    return _symbols[0]


@_rule
def floor(x: Dim) -> Dim:
    """⌊x⌋, the largest integer that is not above x.

    >>> floor(Fraction(7, 2)), floor(-2)
    (3, -2)
    """
    return x if type(x) is int else x // 1


@_rule
def ceil(x: Dim) -> Dim:
    """⌈x⌉, the smallest integer that is not below x.

    >>> ceil(Fraction(7, 2))
    4
    """
    return x if type(x) is int else -(-x // 1)


@_rule
def floor_div(a: Dim, b: Dim) -> Dim:
    """⌊a / b⌋.

    >>> floor_div(7, 2)
    3
    """
    _check_divisor(b)
    return a // b


@_rule
def ceil_div(a: Dim, b: Dim) -> Dim:
    """⌈a / b⌉: every spatial size of a network is one of these.

    >>> ceil_div(227 - 6, 2)
    111
    """
    _check_divisor(b)
    return -(-a // b)


@_rule
def exact_div(a: Dim, b: Dim) -> Dim:
    """a / b, refused unless b divides a.

    Raises:
        DivisibilityError: b does not divide a.

    >>> exact_div(32, 4)
    8
    >>> exact_div(17, 4)
    Traceback (most recent call last):
    archspec.errors.DivisibilityError: 17 is not divisible by 4
    """
    _check_divisor(b)
    rest = a % b
    if _any(rest != 0):
        raise DivisibilityError(f"{a} is not divisible by {b}")
    return a // b


@_rule
def divide(a: Dim, b: Dim) -> Dim:
    """a / b as an exact rational.

    >>> divide(1, 4), divide(8, 4)
    (Fraction(1, 4), 2)
    """
    if is_number(b) and b == 0:
        raise ArchspecError("division by zero")
    if is_array(a) or is_array(b):
        _each_apart(a, b)
        raise ArchspecError("arrays of sizes hold integers; use floor_div, ceil_div or exact_div")
    return _normal(Fraction(a) / b)


def floor_mul(a: Dim, x: Dim) -> Dim:
    """⌊a·x⌋: a width under a multiplier.

    >>> floor_mul(32, Fraction(7, 20))
    11
    """
    if is_array(a) and isinstance(x, Fraction):
        return a * x.numerator // x.denominator
    if is_array(x) and isinstance(a, Fraction):
        return x * a.numerator // a.denominator
    return floor(a * x)


def round_half_up(x: Dim) -> Dim:
    """The nearest integer, halves upwards: ⌊x + 1/2⌋.

    >>> round_half_up(Fraction(5, 2)), round_half_up(Fraction(12, 5))
    (3, 2)
    """
    return x if is_array(x) and x.dtype == "int64" else floor(x + Fraction(1, 2))


def round_even(x: Dim) -> Dim:
    """The nearest integer, of two that are as near the even one: what Python's and NumPy's `round` give.

    >>> round_even(Fraction(5, 2)), round_even(Fraction(7, 2)), round_even(Fraction(12, 5))
    (2, 4, 2)
    """
    if is_array(x) and x.dtype == "int64":
        return x
    up, down = floor(x + Fraction(1, 2)), ceil(x - Fraction(1, 2))  # the same, but for halves
    return floor_div(up, 2) + ceil_div(down, 2)


@_rule
def floor_log2(x: Dim) -> Dim:
    """⌊log₂ x⌋ of a number from 1.

    Raises:
        ArchspecError: x is less than 1.

    >>> floor_log2(16), floor_log2(Fraction(31, 2))
    (4, 3)
    """
    return _each(x, lambda one: (one // 1).bit_length() - 1, 1, "logarithm")


@_rule
def floor_sqrt(x: Dim) -> Dim:
    """⌊√x⌋ of a number from 0.

    Raises:
        ArchspecError: x is negative.

    >>> floor_sqrt(16), floor_sqrt(Fraction(31, 2))
    (4, 3)
    """
    return _each(x, lambda one: math.isqrt(one // 1), 0, "root")


def _each(x: Dim, compute: Callable[[Any], int], least: int, name: str) -> Dim:
    """What is computed of a number, or of each of an array, that is not below the least."""
    if is_array(x):
        _any(x < least)
        return exact_each([_each(one, compute, least, name) for one in x.ravel().tolist()]).reshape(x.shape)
    if not is_number(x) or x < least:
        raise ArchspecError(f"the {name} is of a number from {least} (got {x})")
    return compute(x)


@_rule
def log2(x: Dim) -> Dim:
    """The logarithm of a power of two: the bits that tell x things apart.

    Raises:
        ArchspecError: x is no power of two; its logarithm is no rational number.

    >>> log2(16)
    4
    """
    _each_apart(x)
    if type(x) is not int or x < 1 or x & (x - 1):
        raise ArchspecError(f"log2 is exact for powers of two alone (got {x})")
    return x.bit_length() - 1


@_rule
def power(base: Dim, exponent: Dim) -> Dim:
    """The base to a whole exponent from 0: exact, where Python's ** makes a float of a fraction and a symbol.

    >>> power(Fraction(1, 2), 3), power(2, 5)
    (Fraction(1, 8), 32)
    """
    _each_apart(exponent)
    if is_number(exponent) and not (type(exponent) is int and exponent >= 0):
        raise ArchspecError(f"an exponent is a whole number from 0 (got {exponent})")
    return _normal(base**exponent)


SQRT_PLACES = 12
"""The decimal places to which a root is rounded that is no rational number."""


@_rule
def sqrt(x: Dim) -> Dim:
    """The square root: exact of the square of a rational number, of any other to `SQRT_PLACES` places.

    Raises:
        ArchspecError: x is negative, or no single number.

    >>> sqrt(Fraction(1, 4)), float(sqrt(Fraction(2)))
    (Fraction(1, 2), 1.414213562373)
    """
    _each_apart(x)
    if not is_number(x) or x < 0:
        raise ArchspecError(f"the root is of a number that is not negative (got {x})")
    over, under = math.isqrt(x.numerator), math.isqrt(x.denominator)
    if over * over == x.numerator and under * under == x.denominator:
        return _normal(Fraction(over, under))
    scale: int = 10**SQRT_PLACES
    doubled = math.isqrt(4 * x.numerator * scale * scale // x.denominator)  # ⌊2·scale·√x⌋, to round halves upwards
    return _normal(Fraction((doubled + 1) // 2, scale))


@_rule
def make_divisible(x: Dim, divisor: Dim = 8, minimum: Dim | None = None) -> Dim:
    """X to the nearest multiple of `divisor`, at least `minimum` (else `divisor`), never below 9/10 of x.

    The rounding of the authors' MobileNetV2 code: max(minimum, ⌊(x + d/2)/d⌋·d), and one step more if that loses
    over a tenth.

    >>> [make_divisible(c * Fraction(7, 20), 8) for c in (16, 24, 32, 1280)]
    [8, 8, 16, 448]
    """
    over, under = (x.numerator, x.denominator) if isinstance(x, Fraction) else (x, 1)
    return multiple_near(over, under, divisor, minimum)


def multiple_near(over: Dim, under: Dim, divisor: Dim = 8, minimum: Dim | None = None) -> Dim:
    """`make_divisible` of over/under, which may be arrays."""
    _check_divisor(divisor)
    nearest = (2 * over + divisor * under) // (2 * divisor * under) * divisor
    rounded = maximum(divisor if minimum is None else minimum, nearest)
    return rounded + divisor * (10 * rounded * under < 9 * over)


def triangle(n: Dim) -> Dim:
    """1 + 2 + … + n = n·(n + 1)/2.

    >>> triangle(4), triangle(0)
    (10, 0)
    """
    return n * (n + 1) / 2 if is_symbolic(n) else floor_div(n * (n + 1), 2)


@_rule
def maximum(*values: Dim) -> Dim:
    """The largest.

    >>> maximum(1280, 1792)
    1792
    """
    if any(is_array(value) for value in values):
        import numpy as np

        return reduce(np.maximum, values)
    return max(values)


@_rule
def minimum(*values: Dim) -> Dim:
    """The smallest.

    >>> minimum(0, -3)
    -3
    """
    if any(is_array(value) for value in values):
        import numpy as np

        return reduce(np.minimum, values)
    return min(values)


def largest(values: Iterable[Dim]) -> Dim:
    """The largest of some values, those that are the same taken once.

    >>> largest([3, 4, 4])
    4
    """
    found = list(values)
    return maximum(*(found if any(map(is_array, found)) else dict.fromkeys(found)))


def alternatives(value: Dim) -> tuple[Dim, ...]:
    """The values of which this is the largest or the smallest; a number, or an expression of another kind, by itself.

    >>> alternatives(7)
    (7,)
    """
    return _home(value).alternatives(value) if is_symbolic(value) else (value,)


def product(values: Iterable[Dim]) -> Dim:
    """The product, never wrapped as `np.prod` wraps.

    >>> product((2, 3, 4)), product(())
    (24, 1)
    """
    return math.prod(values)


@_rule
def equal(a: Dim, b: Dim) -> Truth:
    """Whether a = b; what symbols leave open is decided by the values at hand, and recorded. Lists are so by element.

    >>> equal((3, 1), (3, 1)), equal((3, 1), 3)
    (True, False)
    """
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, str) or isinstance(b, str) or isinstance(a, bool) or isinstance(b, bool):
        return type(a) is type(b) and a == b
    return _unanimous(a == b)


@_rule
def less(a: Dim, b: Dim) -> Truth:
    """Whether a < b; what symbols leave open is decided by the values at hand, and recorded.

    Raises:
        UndecidableError: Free symbols leave it open, and they have no values.
    """
    return _unanimous(a < b)


def known_less(a: Dim, b: Dim) -> bool:
    """Whether a < b for certain: False when free symbols leave it open. For checks that must not refuse a symbol."""
    if type(a) is int and type(b) is int:
        return a < b
    if is_symbolic(a) or is_symbolic(b):
        return bool((a - b).is_negative)
    return _any(a < b)


# ------------------------------------------------------------------ what must be so; on symbols it is recorded


def agree(a: Dim, b: Dim) -> Truth:
    """Whether a = b, as it must be.

    >>> agree(55, 54)
    False
    """
    if a is b or not (is_symbolic(a) or is_symbolic(b)):
        return a is b or equal(a, b)
    return _home(a if is_symbolic(a) else b).agree(a, b)


def is_whole(x: Dim) -> Truth:
    """Whether x is an integer, as it must be.

    >>> is_whole(Fraction(33, 2))
    False
    """
    if is_array(x):
        return x.dtype != "object" or not _any(x % 1 != 0)
    return _home(x).is_whole(x) if is_symbolic(x) else not isinstance(x, Fraction)


def reaches(x: Dim, least: Dim) -> Truth:
    """Whether x ≥ least, as it must be.

    >>> reaches(0, 1)
    False
    """
    if is_symbolic(x) or is_symbolic(least):
        return _home(x if is_symbolic(x) else least).reaches(x, least)
    return not known_less(x, least)


def settled(x: Dim) -> Dim:
    """The one number that x is, for what no expression can stand: the place in a list, the number of an axis.

    Raises:
        ArchspecError: It is an array of several.
    """
    if is_array(x):
        if (x == x.flat[0]).all():
            return exact(x.flat[0])
        tell_apart(x)
        raise ArchspecError("the values of one array are to be one number here; count them one by one")
    return _home(x).settled(x) if is_symbolic(x) else x


def parts(x: Dim) -> int:
    """How many parts the expression of a size is made of; 1 of a number."""
    return int(_home(x).parts(x)) if is_symbolic(x) else 1


def at_least_one(a: Dim) -> None:
    """Record of a size with symbols that it is at least 1, unless that is plain."""
    if type(a) is not int and is_symbolic(a):
        _home(a).at_least_one(a)


def _unanimous(answer: Any) -> bool:
    if is_array(answer):
        if answer.all() or not answer.any():
            return bool(answer.all())
        tell_apart(answer)
        raise ArchspecError("the values of one array answer a condition differently; count them one by one")
    return bool(answer)


def _any(answer: Any) -> bool:
    """Whether it is so anywhere; where it is so of some elements of an array alone, these are to be told apart."""
    if not is_array(answer):
        return bool(answer)
    if answer.any() and not answer.all():
        tell_apart(answer)
    return bool(answer.any())


def _each_apart(*values: Dim) -> None:
    """Note that no array can stand here, so that every number is for itself."""
    for value in filter(is_array, values):
        tell_apart(value)


def _check_divisor(b: Dim) -> None:
    if type(b) is int and b > 0:
        return
    if (is_number(b) or is_array(b)) and _any(b <= 0):
        raise ArchspecError(f"the divisor must be positive, found {b}")
