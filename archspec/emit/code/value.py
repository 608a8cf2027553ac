"""A value that is an expression of Python, and its sums, products and powers.

A sum is kept as its terms, so that `h + 2 - 2` is `h`; nothing else is rewritten, so that code reads as it was written.
Python's own operators ask the rules that stand above this file (a comparison what is known, `str` the text): the circle
of this room.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, TypeAlias

from archspec import dims

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
        from archspec.emit.code.cases import one_of

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
