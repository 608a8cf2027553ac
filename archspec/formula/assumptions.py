"""What a formula assumes, in as few and as plain conditions as it can be said.

Two sizes that must be equal, 2·⌈(side − 1)/2⌉ and side, are so at certain remainders of the side alone: that is said as
"side is a multiple of 2". Conditions on the remainders of one symbol are one condition together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from itertools import count
from math import lcm
from typing import Any, TypeAlias

from sympy import Add, Expr, Integer, Rational, Symbol, ceiling, count_ops, expand, fraction, together

from archspec.errors import ArchspecError
from archspec.symbols import (
    Ceil,
    CeilDiv,
    Condition,
    Floor,
    MakeDivisible,
    known_whole,
    reduced,
    replaced,
    to_sympy,
    value,
)

ROUNDINGS = (CeilDiv, Floor, Ceil, MakeDivisible)

LONGEST = 1024
"""The longest period over which the remainders of a symbol are tried."""


@dataclass(frozen=True, slots=True)
class Remainder:
    """That a symbol leaves a remainder: symbol ≡ rest modulo `modulus`."""

    symbol: Symbol
    modulus: int
    rest: int

    def __iter__(self) -> Iterator[int]:
        """Some values that do, from the first above the modulus."""
        return count(self.modulus + self.rest, self.modulus)

    @property
    def condition(self) -> Condition:
        """The same as a condition: that a number near the symbol is a multiple of the modulus."""
        rest = self.rest if 2 * self.rest <= self.modulus else self.rest - self.modulus
        return Condition("divides", self.symbol - rest, Integer(self.modulus))

    def put(self, expression: Expr) -> Expr:
        """The expression with those ceilings taken apart that are whole or leave a known rest."""

        def apart(atom: CeilDiv) -> Expr:
            inside, b = atom.args
            a = expand(inside).coeff(self.symbol)
            c = inside - a * self.symbol
            if not (a.is_Integer and b.is_Integer and c.is_Integer) or a * self.modulus % b:
                return atom
            return a * (self.symbol - self.rest) / b + CeilDiv(a * self.rest + c, b)

        return expression.replace(lambda part: isinstance(part, CeilDiv), apart)


@dataclass(frozen=True, slots=True)
class Pinned:
    """That a symbol is a number, or another symbol."""

    symbol: Symbol
    to: Expr

    @property
    def condition(self) -> Condition:
        """The same as a condition."""
        return Condition("equals", self.symbol, self.to)

    def put(self, expression: Expr) -> Expr:
        """The expression without the symbol."""
        return replaced(expression, {self.symbol: self.to})


Known: TypeAlias = Remainder | Pinned


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What conditions come to.

    Attributes:
        conditions: In as few and as plain conditions as it can be said.
        known: What they say of single symbols.
    """

    conditions: tuple[Condition, ...]
    known: tuple[Known, ...] = ()

    def put(self, expression: Any) -> Any:
        """An expression as it is under these."""
        for each in self.known:
            expression = each.put(to_sympy(expression))
        return expression


def assumed(
    conditions: Iterable[Condition],
    least: Callable[[Expr], Expr | None],
    values: Mapping[str, Any] | None = None,
) -> Assumptions:
    """What conditions come to.

    Args:
        conditions: What was recorded.
        least: The least value that a symbol can have; None if it is not bounded.
        values: Values of the symbols at which the conditions hold. Sizes that are equal at several remainders are taken
            to be so at fewer, to which these belong, where that is one remainder: at multiples of 4 in place of 4n and
            4n + 1.
    """
    at = values or {}
    pins: dict[Symbol, Pinned] = {}
    remainders: dict[Symbol, Remainder] = {}
    others: list[Condition] = []
    for condition in conditions:
        under = _under(pins.values(), condition)
        pin = None if under is None else pinned(under)
        found = None if under is None or pin else remainder(under, at)
        both = _together(remainders.get(found.symbol), found) if found else None
        if pin:
            pins = {symbol: Pinned(symbol, pin.put(other.to)) for symbol, other in pins.items()}
            pins[pin.symbol] = pin
        elif both:
            remainders[both.symbol] = both
        elif under is not None:
            others.append(condition)
    left = [each for each in remainders.values() if each.symbol not in pins and each.modulus > 1]
    under_pins = dict.fromkeys(under for each in others if (under := _under(pins.values(), each)) is not None)
    kept = [each for each in under_pins if not any(_says(known, each) for known in left)]
    known: tuple[Known, ...] = (*pins.values(), *left)

    def from_there(symbol: Expr) -> Expr | None:
        """The least value that a symbol can have and leaves its remainder."""
        lowest = least(symbol)
        lowest = Integer(1) if lowest is None and symbol.is_positive and symbol.is_integer else lowest
        rests = [each for each in left if each.symbol == symbol]
        return lowest if lowest is None or not rests else lowest + (rests[0].rest - lowest) % rests[0].modulus

    return Assumptions(merged(bounds((*kept, *(each.condition for each in known)), from_there)), known)


def pinned(condition: Condition) -> Pinned | None:
    """A condition as that a symbol is a number, or another symbol; None if it is no such."""
    left, right = condition.left, condition.right
    if condition.kind != "equals" or not (left.is_Symbol and (right.is_number or right.is_Symbol)):
        return None
    return Pinned(right, left) if right.is_Symbol else Pinned(left, right)


def _under(pins: Iterable[Pinned], condition: Condition) -> Condition | None:
    """A condition without the symbols that are known; None if it is then plain."""
    left, right = condition.left, condition.right
    for pin in pins:
        left, right = pin.put(left), pin.put(right)
    if not (left.free_symbols or right.free_symbols) or (condition.kind == "equals" and left == right):
        return None
    return Condition(condition.kind, left, right)


def remainder(condition: Condition, values: Mapping[str, Any] | None = None) -> Remainder | None:
    """A condition as one on the remainder of its only symbol; None if it is no such.

    Args:
        condition: The condition.
        values: Values at which it holds; sizes that are equal are taken to be so at a remainder that these leave.

    >>> from archspec.symbols import ceil_div, symbol
    >>> side = symbol("side")
    >>> remainder(Condition("equals", 2 * ceil_div(side - 1, 2), side)).condition
    Condition(kind='divides', left=side, right=2)
    """
    period = _period(condition)
    if period is None:
        return None
    (symbol,) = condition.left.free_symbols | condition.right.free_symbols
    rests = {rest for rest in range(period) if condition.holds({symbol.name: period + rest})}
    modulus = period // len(rests) if rests and period % len(rests) == 0 else 0
    if modulus and rests == set(range(min(rests), period, modulus)):
        return Remainder(symbol, modulus, min(rests))
    here = (values or {}).get(symbol.name)
    if condition.kind != "equals" or here is None:
        return None
    for modulus in (each for each in range(2, period + 1) if period % each == 0):
        if rests.issuperset(range(here % modulus, period, modulus)):
            return Remainder(symbol, modulus, here % modulus)
    return None


def _period(condition: Condition) -> int | None:
    """After how much of its only symbol a condition repeats itself; None if it does not, or after too long."""
    free = condition.left.free_symbols | condition.right.free_symbols
    if len(free) != 1 or condition.kind not in ("equals", "differs", "divides"):
        return None
    (symbol,) = free
    if not symbol.is_integer:
        return None
    if condition.kind == "divides":
        above, below = fraction(together(condition.left / condition.right))
        step = _steps(above, symbol) if below.is_Integer else None
        return step * int(below) if step is not None and step * below <= LONGEST else None
    steps = [_steps(side, symbol) for side in (condition.left, condition.right)]
    if None in steps:
        return None
    period = lcm(*(step for step in steps if step is not None))
    difference = condition.left - condition.right
    rise = difference.xreplace({symbol: Integer(3 * period)}) - difference.xreplace({symbol: Integer(2 * period)})
    return period if rise == 0 and period <= LONGEST else None


def _steps(x: Expr, symbol: Symbol) -> int | None:
    """What must be added to a symbol for an expression to rise by the same everywhere; None if there is no such."""
    step = 1
    for term in Add.make_args(expand(x)):
        coefficient, factor = term.as_coeff_Mul()
        if isinstance(factor, CeilDiv) and factor.args[1].is_Integer and _linear_in(factor.args[0], symbol):
            step = lcm(step, int(factor.args[1]))
        elif not (coefficient.is_Integer and factor in {symbol, Integer(1)}):
            return None
    return step


def _linear_in(x: Expr, symbol: Symbol) -> bool:
    slope = expand(x).coeff(symbol)
    return bool(slope.is_Integer and (x - slope * symbol).expand().is_Integer)


def _together(one: Remainder | None, other: Remainder) -> Remainder | None:
    """Two remainders of a symbol as one; None if no number leaves both."""
    if one is None:
        return other
    modulus = lcm(one.modulus, other.modulus)
    rests = range(one.rest, modulus, one.modulus)
    rest = next((rest for rest in rests if rest % other.modulus == other.rest), None)
    return None if rest is None or modulus > 2**20 else Remainder(one.symbol, modulus, rest)


def _says(known: Remainder, condition: Condition) -> bool:
    """Whether a condition follows from the remainder of its symbol."""
    period = _period(condition) if known.symbol.name in condition.names else None
    if period is None:
        return False
    turns = lcm(period, known.modulus) // known.modulus
    return all(condition.holds({known.symbol.name: number}) for number, _ in zip(known, range(turns), strict=False))


def merged(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The same conditions in fewer: that 2, 4 and 32 divide a side is that 32 does.

    That q₁·m, q₂·m, … are whole, for rationals q, is that gcd(q₁, q₂, …)·m is.

    >>> from archspec.symbols import symbol
    >>> side = symbol("side")
    >>> print(*merged(Condition("divides", side, Integer(n)) for n in (2, 4, 32)))
    side is a multiple of 32
    """
    shares: dict[Expr, list[Rational]] = {}
    others: dict[Condition, None] = {}
    for condition in conditions:
        coefficient, monomial = (condition.left / condition.right).as_coeff_Mul()
        if condition.kind == "divides" and not monomial.is_Add:
            shares.setdefault(monomial, []).append(coefficient)
        else:
            others[condition] = None
    whole = [_whole(monomial, reduce(Rational.gcd, quotients)) for monomial, quotients in shares.items()]
    kept = [condition for condition in whole if condition is not None]
    return (*others, *(each for each in kept if not any(_follows(each, other) for other in kept if other != each)))


def _follows(condition: Condition, other: Condition) -> bool:
    """Whether a quotient is whole because it is a whole multiple of another that is."""
    return bool(known_whole((condition.left / condition.right) / (other.left / other.right)))


def _whole(monomial: Expr, share: Rational) -> Condition | None:
    """That the share of the monomial is whole; None if that is plain."""
    if known_whole(share * monomial):
        return None
    over, under = fraction(monomial)
    return Condition("divides", share.p * over, share.q * under)


def bounds(conditions: Iterable[Condition], least: Callable[[Expr], Expr | None]) -> tuple[Condition, ...]:
    """The conditions, with those on sizes as the least value of the symbol that they come from.

    Args:
        conditions: What a formula assumes.
        least: The least value that a symbol can have; None if it is not bounded.
    """
    kept: dict[Condition, None] = {}
    needed: dict[Expr, Expr] = {}
    sizes: list[Condition] = []
    for condition in sorted(conditions, key=lambda condition: count_ops(condition.left)):
        if condition.kind != "at_least":
            kept[condition] = None
            continue
        if any(_implies(other, condition) for other in sizes):
            continue
        sizes.append(condition)
        solved = _least(condition)
        if solved is None:
            kept[condition] = None
        else:
            needed[solved[0]] = max(needed.get(solved[0], solved[1]), solved[1])
    for free, number in needed.items():
        known = least(free)
        if known is None or known < number:
            kept[Condition("at_least", free, number)] = None
    return tuple(kept)


def _implies(other: Condition, condition: Condition) -> bool:
    """Whether a size is at least a number because another is that is plainly no larger."""
    if other.right != condition.right:
        return False
    a, b = reduced(other.left), reduced(condition.left)
    if isinstance(a, ROUNDINGS) and type(a) is type(b) and a.args[1:] == b.args[1:]:
        a, b = a.args[0], b.args[0]
    return not _negative_somewhere(b - a) and bool((b - a).is_nonnegative)


def _negative_somewhere(difference: Expr) -> bool:
    """Whether one of a few numbers shows it; SymPy looks long for a reason why it cannot be."""
    ones = dict.fromkeys((symbol.name for symbol in difference.free_symbols), 1)
    with suppress(ArchspecError):
        return any(value(difference, ones | large) < 0 for large in ({}, *({name: 10**6} for name in ones)))
    return False


def _least(condition: Condition) -> tuple[Expr, Expr] | None:
    """The symbol, and its least value for which a size is at least a number; None if that is not plain.

    For integers ⌈u/b⌉ + w ≥ 1 is u ≥ 1 − w·b, and for any x ⌊x⌋ + w ≥ 1 is x ≥ 1 − w.
    """
    if not condition.right.is_number:
        return None
    atoms = [term for term in Add.make_args(condition.left) if term.free_symbols]
    if len(atoms) != 1:
        return None
    bound = condition.right - (condition.left - atoms[0])
    coefficient, atom = atoms[0].as_coeff_Mul()
    if coefficient != 1 and isinstance(atom, ROUNDINGS):
        return None
    if isinstance(atom, CeilDiv) and atom.args[1].is_Integer:
        return _linear(atom.args[0], (bound - 1) * atom.args[1] + 1)
    if isinstance(atom, Floor):
        return _linear(atom.args[0], bound)
    return _linear(atoms[0], bound)


def _linear(x: Expr, bound: Expr) -> tuple[Expr, Expr] | None:
    """The least s for which a·s + c ≥ bound."""
    constant, rest = expand(x).as_coeff_Add()
    coefficient, symbol = rest.as_coeff_Mul()
    if not symbol.is_Symbol or coefficient <= 0:
        return None
    number = (bound - constant) / coefficient
    return symbol, ceiling(number) if symbol.is_integer else number
