"""A value that is an expression of Python: its arithmetic, the functions of `dims` on it, and conditions.

A sum is kept as its terms, so that `h + 2 - 2` is `h`; little else is rewritten, so that code reads as it was written.
Python's own operators ask the rules that stand above this file (a comparison what is known, `str` the text): the circle
of this room.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

from archspec import dims
from archspec.errors import ArchspecError

Kind: TypeAlias = frozenset[Any]
"""What a value may be: "int", "rational", "bool", "str", "none", or a tuple of kinds."""

INT: Kind = frozenset({"int"})
RATIONAL: Kind = frozenset({"rational"})
FLOAT: Kind = frozenset({"float"})
BOOL: Kind = frozenset({"bool"})
WORD: Kind = frozenset({"str"})
NONE: Kind = frozenset({"none"})
OTHER: Kind = frozenset({"other"})


@dataclass(frozen=True, slots=True)
class Code:
    """An expression of Python.

    Attributes:
        head: What it is: "name", "attr", "sum", "call", "index", "if", "text", or an operator.
        parts: What it is made of: codes, numbers, truth values, texts, tuples of them.
        kind: What its value may be.
        values: All values that a name can have, in order, where they are known.
    """

    head: str
    parts: tuple[Any, ...]
    kind: Kind = field(default=INT, compare=False)
    values: Sequence[Any] | None = field(default=None, compare=False)

    rules: ClassVar[str] = "archspec.emit.code"

    def __add__(self, other: Any) -> Any:
        return summed([(1, self), (1, other)])

    def __radd__(self, other: Any) -> Any:
        return summed([(1, other), (1, self)])

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, Code) and other.head == "//" and other.parts == (self, 2):
            return halved(self + 1)  # x − ⌊x/2⌋ = ⌊(x + 1)/2⌋
        return summed([(1, self), (-1, other)])

    def __rsub__(self, other: Any) -> Any:
        return summed([(1, other), (-1, self)])

    def __neg__(self) -> Any:
        return summed([(-1, self)])

    def __mul__(self, other: Any) -> Any:
        return multiplied(self, other)

    def __rmul__(self, other: Any) -> Any:
        return multiplied(other, self)

    def __pow__(self, exponent: Any) -> Any:
        return power(self, exponent)

    def __lt__(self, other: Any) -> bool:
        """Whether it is less for certain, as `dims.known_less` asks."""
        from archspec.emit.code.known import sure_truth

        return sure_truth(Code("compare", (self, "<", other), BOOL)) is True

    def __gt__(self, other: Any) -> bool:
        from archspec.emit.code.known import sure_truth

        return sure_truth(Code("compare", (self, ">", other), BOOL)) is True

    def __index__(self) -> int:
        """Where in a list: each place that it can be, one at a time."""
        from archspec.emit.code.known import one_of

        return int(one_of(self))

    def __repr__(self) -> str:
        from archspec.emit.code.text import written

        return written(self)

    __str__ = __repr__


def name(text: str, kind: Kind = INT, values: Sequence[Any] | None = None) -> Code:
    """A variable."""
    return Code("name", (text,), kind, values)


def call(function: str, *args: Any, kind: Kind = INT, **kwargs: Any) -> Code:
    """A call of a function by its name in the text."""
    return Code("call", (function, args, tuple(kwargs.items())), kind)


def kind_of(value: Any) -> Kind:
    """What a value is."""
    if isinstance(value, Code):
        return value.kind
    if isinstance(value, tuple):
        return frozenset({tuple(map(kind_of, value))})
    names = {bool: BOOL, int: INT, Fraction: RATIONAL, float: FLOAT, str: WORD, type(None): NONE}
    return next((kind for known, kind in names.items() if isinstance(value, known)), OTHER)


def numeric(*values: Any) -> Kind:
    """The kind of a number computed from these."""
    return RATIONAL if any("rational" in kind_of(value) for value in values) else INT


def terms_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """The terms of a sum, each with its factor; the term None is 1."""
    if not isinstance(value, Code):
        yield value, None
    elif value.head == "sum":
        yield from value.parts
    else:
        yield 1, value


def summed(weighted: list[tuple[Any, Any]]) -> Any:
    """The sum of values, each times its factor."""
    terms: dict[Any, Any] = {}
    for weight, value in weighted:
        for factor, term in terms_of(value):
            terms[term] = terms.get(term, 0) + weight * factor
    constant = terms.pop(None, 0)
    kept = [(dims.exact(factor), term) for term, factor in terms.items() if factor]
    if constant:
        kept.append((dims.exact(constant), None))
    if not kept:
        return 0
    if len(kept) == 1 and (kept[0][0] == 1 or kept[0][1] is None):
        return kept[0][0] if kept[0][1] is None else kept[0][1]
    kind = numeric(*(part for pair in kept for part in pair if part is not None))
    return Code("sum", tuple(kept), kind)


def multiplied(a: Any, b: Any) -> Any:
    """a·b; a number times a sum is left as it is."""
    for one, other in ((a, b), (b, a)):
        if not isinstance(one, Code):
            scaled = isinstance(other, Code) and other.head == "sum" and len(other.parts) > 1 and one not in (0, 1)
            if not scaled:
                return summed([(one, other)])
    factors = [*_factors(a), *_factors(b)]
    number = 1
    for value in (a, b):
        if isinstance(value, Code) and value.head == "sum" and len(value.parts) == 1:
            number *= value.parts[0][0]
    made = Code("*", tuple(factors), numeric(*factors))
    return made if number == 1 else summed([(number, made)])


def _factors(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Code) and value.head == "sum" and len(value.parts) == 1:
        return _factors(value.parts[0][1])
    return value.parts if isinstance(value, Code) and value.head == "*" else (value,)


def halved(x: Any) -> Any:
    """⌊x/2⌋."""
    return Code("//", (x, 2)) if isinstance(x, Code) else x // 2


def power(a: Any, b: Any) -> Any:
    """a to the power of b; rational where b may be negative."""
    if not isinstance(a, Code) and not isinstance(b, Code):
        return dims.exact(Fraction(a) ** b)
    if isinstance(b, int) and b in {0, 1}:
        return a if b else 1
    sure = isinstance(b, int) and b > 0
    sure = sure or (isinstance(b, Code) and b.values is not None and all(value >= 0 for value in b.values[:64]))
    if sure:
        return Code("**", (a, b), numeric(a))
    return Code("**", (call("Fraction", a, kind=RATIONAL), b), RATIONAL)


# ------------------------------------------------------------------ conditions


def compare(*parts: Any) -> Any:
    """A chain of comparisons: a, "<", b, "<=", c."""
    return Code("compare", parts, BOOL)


def both(*conditions: Any) -> Any:
    """All of them."""
    return junction("and", conditions)


def either(*conditions: Any) -> Any:
    """One of them."""
    return junction("or", conditions)


def junction(head: str, conditions: Iterable[Any]) -> Any:
    """All ("and") or one ("or") of conditions, taken one after another until it is decided."""
    decisive, kept = head == "or", dict[Any, None]()
    for condition in conditions:
        for part in condition.parts if isinstance(condition, Code) and condition.head == head else (condition,):
            if part is decisive:
                return decisive
            if not isinstance(part, bool):
                kept[part] = None
    if len(kept) > 1:
        return Code(head, tuple(kept), BOOL)
    return next(iter(kept), not decisive)


_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def negation(condition: Any) -> Any:
    """Its opposite."""
    if not isinstance(condition, Code):
        return not condition
    if condition.head == "not":
        return condition.parts[0]
    if condition.head == "compare" and len(condition.parts) == 3:
        a, sign, b = condition.parts
        return compare(a, _OPPOSITE[sign], b)
    return Code("not", (condition,), BOOL)


def truth_of(condition: Any, a: Any, b: Any) -> Any:
    """Of truth values, a if the condition holds, else b."""
    if isinstance(a, bool) and isinstance(b, bool):
        return choose(condition, a, b)
    return either(both(condition, a), both(negation(condition), b))


def choose(condition: Any, a: Any, b: Any) -> Any:
    """a if the condition holds, else b."""
    if not isinstance(condition, Code):
        return a if condition else b
    if (a == b and type(a) is type(b)) or condition.parts in ((a, "==", b), (b, "==", a)):
        return b
    if a is True and b is False:
        return condition
    if a is False and b is True:
        return negation(condition)
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(choose(condition, one, other) for one, other in zip(a, b, strict=True))
    return Code("if", (condition, a, b), kind_of(a) | kind_of(b))


# ------------------------------------------------------------------ the functions of `dims`


def floor(x: Any) -> Any:
    """⌊x⌋."""
    if kind_of(x) == INT:
        return x
    return floor_div(*x.parts) if isinstance(x, Code) and x.head == "/" else call("floor", x)


def ceil(x: Any) -> Any:
    """⌈x⌉."""
    return x if kind_of(x) == INT else call("ceil", x)


def floor_div(a: Any, b: Any) -> Any:
    """⌊a/b⌋, a division of a division by numbers as one: ⌊(⌊u/s⌋ + c)/b⌋ = ⌊(u + c·s)/(s·b)⌋."""
    if type(b) is int and kind_of(a) == INT:
        if b == 1:
            return a
        if _divides(b, a):
            return exact_div(a, b)
        inner = [(factor, term) for factor, term in terms_of(a) if term is not None]
        constant = sum(factor for factor, term in terms_of(a) if term is None)
        if len(inner) == 1 and inner[0][0] == 1 and inner[0][1].head == "//" and type(inner[0][1].parts[1]) is int:
            u, s = inner[0][1].parts
            return floor_div(u + constant * s, s * b)
    return Code("//", (a, b))


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉ = ⌊(a + b − 1)/b⌋ for whole numbers."""
    return floor_div(a + (b - 1), b) if type(b) is int and kind_of(a) == INT else call("ceil_div", a, b)


def exact_div(a: Any, b: Any) -> Any:
    """a/b, which must come out even."""
    if type(b) is int and b > 0 and kind_of(a) == INT and _divides(b, a):
        return summed([(factor // b, 1 if term is None else term) for factor, term in terms_of(a)])
    return call("exact_div", a, b)


def _divides(b: int, a: Any) -> bool:
    """Whether every term of a sum is a multiple of b."""
    return all(factor % b == 0 for factor, _ in terms_of(a))


def divide(a: Any, b: Any) -> Any:
    """a/b."""
    if isinstance(b, Code):
        return Code("/", (a, b), RATIONAL)
    if b == 0:
        raise ArchspecError("division by zero")
    return multiplied(Fraction(1) / b, a)


def sqrt(x: Any) -> Any:
    """Refused: no size is a root."""
    raise ArchspecError(f"the root of {x} cannot be written")


def _function(name: str) -> Callable[..., Any]:
    """A function that stays a call."""
    return lambda *values: call(name, *values)


log2, floor_log2, floor_sqrt, make_divisible = map(_function, ("log2", "floor_log2", "floor_sqrt", "make_divisible"))


def _extreme(name: str) -> Callable[..., Any]:
    """A function that of equal values is this value."""
    return lambda *values: values[0] if len(set(values)) == 1 else call(name, *values, kind=numeric(*values))


maximum, minimum = _extreme("max"), _extreme("min")
