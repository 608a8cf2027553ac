"""The expressions of a specification: a small grammar over names, exact numbers, arithmetic, comparisons and functions.

    alpha * c        4/3        s == 1 and in_channels == c        make_divisible(alpha * c, 8)        2 if deep else 1

The text is parsed by `ast` against a whitelist and becomes closures; nothing is ever handed to `eval` or to SymPy.
Length, depth, exponents and the size of numbers are bounded. Values are exact: 0.35 is 7/20, and 1/4 a rational.
Evaluated on ints an expression computes; on SymPy symbols it builds; see `dims`.
"""

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from archspec import dims
from archspec.dims import Dim
from archspec.errors import ArchspecError, Mark, SpecError, UndecidableError, did_you_mean
from archspec.language.reader import described
from archspec.writing import printable

MAX_LENGTH = 1_000
MAX_DEPTH = 50
MAX_EXPONENT = 64
MAX_MAGNITUDE = 10**30
MAX_WORK = 1_000_000
CALL_WORK = 10


class ExpressionError(ArchspecError):
    """An expression that cannot be read or evaluated; `column` is how far into its text."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


@dataclass(slots=True)
class Scope:
    """What the names of an expression stand for.

    Attributes:
        values: Numbers, words and truth values by name.
        functions: The specification's own functions and lookups by name; each takes its arguments.
        words: Names that stand for themselves unless a value has them.
        budget: How much work is still allowed, one unit per part of an expression; all scopes of an expansion share it.
    """

    values: dict[str, Any]
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    budget: list[int] = field(default_factory=lambda: [MAX_WORK])

    def within(self, values: Mapping[str, Any]) -> "Scope":
        """A scope inside this one: its names, and these."""
        return Scope({**self.values, **values}, self.functions, self.words, self.budget)


Evaluate: TypeAlias = Callable[[Scope], Any]


BUILTINS: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    name: (rule, least, most)
    for name, rule, least, most in (
        ("floor", dims.floor, 1, 1),
        ("ceil", dims.ceil, 1, 1),
        ("round", dims.round_half_up, 1, 1),
        ("min", dims.minimum, 1, None),
        ("max", dims.maximum, 1, None),
        ("make_divisible", dims.make_divisible, 1, 3),
        ("ceil_div", dims.ceil_div, 2, 2),
        ("exact_div", dims.exact_div, 2, 2),
        ("log2", dims.log2, 1, 1),
        ("round_even", dims.round_even, 1, 1),
        ("floor_log2", dims.floor_log2, 1, 1),
        ("floor_sqrt", dims.floor_sqrt, 1, 1),
    )
}
"""The functions every specification has, and the least and the most arguments of each.

`round` takes halves upwards, `round_even` to the even number.
"""


def miscounted(name: str, count: int, least: int, most: int | None) -> str | None:
    """The sentence about a call with too few or too many arguments; None if the number is right."""
    if least <= count and (most is None or count <= most):
        return None
    wanted = str(least) if most == least else f"{least} or more" if most is None else f"{least} to {most}"
    return f"'{name}' takes {wanted} argument{'' if wanted == '1' else 's'} (got {count})"


CONSTANTS: Mapping[str, bool] = {"true": True, "false": False}


class Expression:
    """A parsed expression.

    Args:
        text: The expression; a number or a truth value is written as it stands.
        at: Where it stands in a file.

    Attributes:
        names: The names it uses, and how far into its text each stands first.
        called: The functions it calls: how far into its text each stands first, and with how many arguments.
        depth: How deep its parts are nested.

    Raises:
        SpecError: It is not an expression of the grammar; says where and why.

    >>> Expression("alpha * 32").evaluate(Scope({"alpha": Fraction(1, 2)}))
    16
    """

    __slots__ = ("_code", "_constant", "_first", "at", "called", "depth", "names", "text")

    def __init__(self, text: Any, at: Mark | None = None) -> None:
        self.text = _text(text, at)
        self.at = at
        first: Mark | None = getattr(text, "first", at)
        blank = len(text) - len(text.lstrip()) if isinstance(text, str) else 0
        self._first = first.shifted(blank) if first else None
        try:
            self._code = _compiled(self.text)
        except ExpressionError as error:
            raise SpecError(str(error), self._mark(error.column)) from None
        self.names, self.called, self.depth = self._code.names, self._code.called, self._code.depth
        self._constant: Any = None
        if self.constant and self._code.weight == 1:
            self._constant = self.evaluate(Scope({}))

    def __reduce__(self) -> tuple[Any, ...]:
        """Its text and its places, from which it is read again."""
        return Expression, (self.text, self.at), (None, {"_first": self._first})

    def _mark(self, column: int) -> Mark | None:
        return self._first.shifted(column) if self._first and column else self.at

    def mark_of(self, name: str) -> Mark | None:
        """Where in the file a name of this expression stands."""
        column = self.names.get(name, self.called.get(name, (0, 0))[0])
        return self._mark(column)

    def evaluate(self, scope: Scope) -> Any:
        """The value: an int, Fraction, truth value, word, or whatever the names stand for.

        Raises:
            SpecError: A name is not defined, a division is by zero, types do not fit, a number grows too large.
        """
        scope.budget[0] -= self._code.weight
        if scope.budget[0] < 0:
            raise SpecError("the expressions of this specification take too long; do they call one another?", self.at)
        if self._constant is not None:
            return self._constant
        try:
            value = self._code.evaluate(scope)
        except ExpressionError as error:
            raise SpecError(str(error), self._mark(error.column)) from None
        except SpecError:  # of a function; it stands where the function does
            raise
        except UndecidableError as error:
            raise SpecError(f"cannot decide '{_short(self.text)}': {error}", self.at) from None
        except ArchspecError as error:
            raise SpecError(f"{error}, in '{_short(self.text)}'", self.at) from None
        if type(value) is Fraction and value.denominator == 1:
            return value.numerator
        return value

    @property
    def constant(self) -> bool:
        """Whether it has no names."""
        return not self.names and not self.called

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __str__(self) -> str:
        return self.text


def _bounded(value: Any, node: ast.expr) -> Any:
    """A result, unless it is larger than any number of a network."""
    if type(value) is int:
        small = -MAX_MAGNITUDE < value < MAX_MAGNITUDE
    elif type(value) is Fraction:
        small = abs(value.numerator) < MAX_MAGNITUDE and value.denominator < MAX_MAGNITUDE
    else:
        return value
    if not small:
        raise ExpressionError("a result is too large", node.col_offset)
    return value


def _text(value: Any, at: Mark | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = str(value).strip()
    elif isinstance(value, (int, float, Fraction, Decimal)):
        text = repr(value) if isinstance(value, float) else str(value)
    else:
        found = described(value) if not value or isinstance(value, (dict, list, tuple)) else type(value).__name__
        raise SpecError(f"expected a number or an expression, found {found}", at)
    if not text:
        raise SpecError("expected a number or an expression, found an empty text", at)
    if len(text) > MAX_LENGTH:
        raise SpecError(f"an expression of {len(text):,} characters; at most {MAX_LENGTH:,} are allowed", at)
    if text.lstrip("+-.").lower() in {"nan", "inf", "infinity"}:
        raise SpecError(f"expected a finite number, found '{text}'", at)
    return text


def _short(text: object) -> str:
    return printable(text, 60)


class _Code:
    """An expression's text as closures: its syntax tree, each node checked against the whitelist.

    Attributes:
        names: See `Expression.names`.
        called: See `Expression.called`.
        weight: How much work it is.
        depth: See `Expression.depth`.
        evaluate: Gives the value.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: dict[str, int] = {}
        self.called: dict[str, tuple[int, int]] = {}
        self.weight = self.depth = 0
        self.evaluate = self._compile()

    def _compile(self) -> Evaluate:
        if not self.text.isascii():
            column = next(i for i, c in enumerate(self.text) if not c.isascii())
            raise ExpressionError(f"unexpected character {self.text[column]!r}; names are ASCII", column)
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            column = len(self.text) if not error.offset else min(error.offset - 1, len(self.text))
            raise ExpressionError(f"'{_short(self.text)}' is not an expression: {_problem(error)}", column) from None
        except (ValueError, MemoryError, RecursionError):
            raise ExpressionError(f"'{_short(self.text)}' is not an expression") from None
        return self._node(tree.body, MAX_DEPTH)

    def _node(self, node: ast.expr, depth: int) -> Evaluate:
        if depth == 0:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", node.col_offset)
        self.weight += 1
        self.depth = max(self.depth, MAX_DEPTH - depth + 1)
        handler = getattr(self, f"_{type(node).__name__}", None)
        if handler is None:
            found = ast.get_source_segment(self.text, node) or type(node).__name__
            raise ExpressionError(f"'{_short(found)}' is not allowed in an expression", node.col_offset)
        compiled: Evaluate = handler(node, depth - 1)
        return compiled

    def _Constant(self, node: ast.Constant, _: int) -> Evaluate:  # noqa: N802  # ast's names
        written = ast.get_source_segment(self.text, node) or ""
        if type(node.value) is int:
            value: Dim = node.value
        elif type(node.value) is float:
            try:
                value = dims.exact(written)
            except ArchspecError as error:
                raise ExpressionError(str(error), node.col_offset) from None
        else:
            hint = f"; write {written.lower()}" if isinstance(node.value, bool) else ""
            raise ExpressionError(f"expected a number or a name, found {_short(written)}{hint}", node.col_offset)
        if abs(value) >= MAX_MAGNITUDE:
            raise ExpressionError(f"the number {_short(written)} is too large", node.col_offset)
        return lambda _: value

    def _Name(self, node: ast.Name, _: int) -> Evaluate:  # noqa: N802
        name, column = node.id, node.col_offset
        if name in CONSTANTS:
            truth = CONSTANTS[name]
            return lambda _: truth
        self.names.setdefault(name, column)

        def look_up(scope: Scope) -> Any:
            try:
                return scope.values[name]
            except KeyError:
                if name in scope.words:
                    return name
                raise ExpressionError(undefined(name, scope.values, scope.functions), column) from None

        return look_up

    def _UnaryOp(self, node: ast.UnaryOp, depth: int) -> Evaluate:  # noqa: N802
        compute = _UNARY.get(type(node.op))
        if compute is None:
            raise ExpressionError("'~' is not allowed in an expression", node.col_offset)
        inner = self._node(node.operand, depth)
        return lambda scope: compute(inner(scope), node)

    def _BinOp(self, node: ast.BinOp, depth: int) -> Evaluate:  # noqa: N802
        compute = _ARITHMETIC.get(type(node.op))
        if compute is None:
            found = ast.get_source_segment(self.text, node) or ""
            raise ExpressionError(f"the operator of '{_short(found)}' is not allowed in an expression", node.col_offset)
        left, right = self._node(node.left, depth), self._node(node.right, depth)

        def binary(scope: Scope) -> Any:
            a, b = left(scope), right(scope)
            if type(a) is not int:
                _number(a, node)
            if type(b) is not int:
                _number(b, node)
            try:
                return _bounded(compute(a, b), node)
            except ExpressionError as error:
                raise ExpressionError(str(error), node.col_offset) from None

        return binary

    def _BoolOp(self, node: ast.BoolOp, depth: int) -> Evaluate:  # noqa: N802
        parts = [self._node(value, depth) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda scope: all(_truth(part(scope), node) for part in parts)
        return lambda scope: any(_truth(part(scope), node) for part in parts)

    def _Compare(self, node: ast.Compare, depth: int) -> Evaluate:  # noqa: N802
        comparisons = [_COMPARISONS.get(type(op)) for op in node.ops]
        operands = [self._node(operand, depth) for operand in (node.left, *node.comparators)]
        if None in comparisons:
            raise ExpressionError("only ==, !=, <, <=, > and >= compare", node.col_offset)

        def compare(scope: Scope) -> bool:
            left = operands[0](scope)
            for decide, operand in zip(comparisons, operands[1:], strict=True):
                right = operand(scope)
                if not decide(left, right):  # type: ignore[misc]  # None was refused above
                    return False
                left = right
            return True

        return compare

    def _IfExp(self, node: ast.IfExp, depth: int) -> Evaluate:  # noqa: N802
        condition, one, other = (self._node(part, depth) for part in (node.test, node.body, node.orelse))
        return lambda scope: one(scope) if _truth(condition(scope), node.test) else other(scope)

    def _Call(self, node: ast.Call, depth: int) -> Evaluate:  # noqa: N802
        if not isinstance(node.func, ast.Name) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise ExpressionError("a call is name(argument, …)", node.col_offset)
        name, column = node.func.id, node.col_offset
        if name in BUILTINS:
            rule, least, most = BUILTINS[name]
            fault = miscounted(name, len(node.args), least, most)
            if fault:
                raise ExpressionError(fault, column)
            parts = [self._node(arg, depth) for arg in node.args]
            return lambda scope: _bounded(rule(*[_number(part(scope), node) for part in parts]), node)
        self.called.setdefault(name, (column, len(node.args)))
        self.weight += CALL_WORK
        parts = [self._node(arg, depth) for arg in node.args]

        def call(scope: Scope) -> Any:
            function = scope.functions.get(name)
            if function is None:
                raise ExpressionError(undefined(name, scope.functions, BUILTINS, "function"), column)
            return function(*[part(scope) for part in parts])

        return call


_compiled = lru_cache(maxsize=4096)(_Code)
"""What a text compiles to: the same for every expression of that text."""


def _problem(error: SyntaxError) -> str:
    """What Python finds wrong, without the advice that it has for programs."""
    message = error.msg.partition(".")[0].partition(";")[0]
    if "never closed" in message:
        return f"{message}; {COMMAS}"
    text = (error.text or "").strip()
    if re.fullmatch(r"\d+\s*[x×*]\s*\d+", text):
        return f"a height and a width are written [{', '.join(re.findall('[0-9]+', text))}]"
    if re.fullmatch(r"[\d.]+\s*%", text):
        return f"a share is a number, {text.rstrip('% ')}/100"
    if message in ("invalid syntax", "invalid decimal literal"):
        return "it takes numbers, names, + − * / // **, comparisons and functions"
    return message[:1].lower() + message[1:]


COMMAS = "inside { } and [ ], an expression with commas needs quotes"


def undefined(name: str, known: Mapping[str, Any], more: Mapping[str, Any], kind: str = "name") -> str:
    """The sentence about a name that nothing defines."""
    if name in {"in_height", "in_width"}:
        return f"what flows in here is not an image and has no {name[3:]}"
    return f"undefined {kind} '{name}'{did_you_mean(name, [*known, *more])}"


def _number(value: Any, node: ast.expr) -> Any:
    if isinstance(value, (bool, str)) or not dims.is_dim(value):
        found = str(value).lower() if isinstance(value, bool) else f"'{value}'"
        raise ExpressionError(f"expected a number, found {found}", node.col_offset)
    return value


def _truth(value: Any, node: ast.expr) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"expected a condition, found {value}", node.col_offset)
    return value


def _power(a: Dim, b: Dim) -> Dim:
    if dims.is_symbolic(b) and dims.is_whole(b) and dims.reaches(b, 0):
        return dims.power(a, b)
    if dims.is_array(b):
        dims.tell_apart(b)
    if not (type(b) is int and abs(b) <= MAX_EXPONENT):
        raise ExpressionError(
            f"an exponent must be a whole number between −{MAX_EXPONENT} and {MAX_EXPONENT} (got {b})"
        )
    if b < 0 and dims.is_number(a) and a == 0:
        raise ExpressionError("division by zero")
    return Fraction(a) ** b if b < 0 and dims.is_number(a) else a**b


def _ordered(a: Any, b: Any) -> bool:
    if any(isinstance(value, (bool, str)) for value in (a, b)):
        raise ExpressionError(f"cannot order {a} and {b}")
    return bool(dims.less(a, b))


_UNARY: Mapping[type[ast.unaryop], Callable[[Any, ast.expr], Any]] = {
    ast.Not: lambda value, node: not _truth(value, node),
    ast.USub: lambda value, node: -_number(value, node),
    ast.UAdd: _number,
}

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Dim, Dim], Dim]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: dims.divide,
    ast.FloorDiv: dims.floor_div,
    ast.Mod: lambda a, b: a - b * dims.floor_div(a, b),
    ast.Pow: _power,
}

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: dims.equal,
    ast.NotEq: lambda a, b: not dims.equal(a, b),
    ast.Lt: _ordered,
    ast.GtE: lambda a, b: not _ordered(a, b),
    ast.Gt: lambda a, b: _ordered(b, a),
    ast.LtE: lambda a, b: not _ordered(b, a),
}
