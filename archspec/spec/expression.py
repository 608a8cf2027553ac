"""The expressions of a specification: a small grammar over names, exact numbers, arithmetic, comparisons and functions.

    alpha * c        4/3        s == 1 and in_channels == c        make_divisible(alpha * c, 8)

The text is parsed by `ast` against a whitelist and becomes closures; nothing is ever handed to `eval` or to SymPy.
Length, depth, exponents and the size of numbers are bounded. Values are exact: 0.35 is 7/20, and 1/4 a rational.
Evaluated on ints an expression computes; on SymPy symbols it builds; see `dims`.
"""

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from archspec import dims
from archspec.dims import Dim
from archspec.errors import ArchspecError, Mark, SpecError, UndecidableError, did_you_mean

MAX_LENGTH = 1_000
MAX_DEPTH = 50
MAX_EXPONENT = 64
MAX_MAGNITUDE = 10**30
MAX_CALLS = 200_000


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
        calls: How many of those calls are still allowed; shared by all scopes of one expansion.
    """

    values: dict[str, Any]
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    words: frozenset[str] = frozenset()
    calls: list[int] = field(default_factory=lambda: [MAX_CALLS])

    def within(self, values: Mapping[str, Any]) -> "Scope":
        """A scope inside this one: its names, and these."""
        return Scope({**self.values, **values}, self.functions, self.words, self.calls)


Evaluate: TypeAlias = Callable[[Scope], Any]


def _check_numbers(name: str, least: int, most: int | None) -> Callable[[int], None]:
    def check(count: int) -> None:
        if count < least or (most is not None and count > most):
            wanted = str(least) if most == least else f"{least} or more" if most is None else f"{least} to {most}"
            raise ExpressionError(f"{name} takes {wanted} arguments (got {count})")

    return check


BUILTINS: Mapping[str, tuple[Callable[..., Any], Callable[[int], None]]] = {
    name: (rule, _check_numbers(name, least, most))
    for name, rule, least, most in (
        ("floor", dims.floor, 1, 1),
        ("ceil", dims.ceil, 1, 1),
        ("round", dims.round_half_up, 1, 1),
        ("min", dims.minimum, 1, None),
        ("max", dims.maximum, 1, None),
        ("make_divisible", dims.make_divisible, 1, 3),
        ("ceil_div", dims.ceil_div, 2, 2),
        ("exact_div", dims.exact_div, 2, 2),
    )
}
"""The functions every specification has. `round` takes halves upwards."""

CONSTANTS: Mapping[str, bool] = {"true": True, "false": False}


class Expression:
    """A parsed expression.

    Args:
        text: The expression; a number or a truth value is written as it stands.
        at: Where it stands in a file.

    Raises:
        SpecError: It is not an expression of the grammar; says where and why.

    >>> Expression("alpha * 32").evaluate(Scope({"alpha": Fraction(1, 2)}))
    16
    """

    __slots__ = ("_constant", "_evaluate", "at", "called", "names", "text")

    def __init__(self, text: Any, at: Mark | None = None) -> None:
        self.text = _text(text, at)
        self.at = at
        compiler = _Compiler(self.text)
        try:
            self._evaluate = compiler.compile()
        except ExpressionError as error:
            raise SpecError(str(error), self._mark(error.column)) from None
        except (ArchspecError, OverflowError) as error:
            raise SpecError(str(error), at) from None
        self.names: Mapping[str, int] = compiler.names
        self.called: Mapping[str, tuple[int, int]] = compiler.called
        self._constant: Any = None
        if self.constant and isinstance(compiler.root, ast.Constant | ast.Name):
            self._constant = self.evaluate(Scope({}))

    def _mark(self, column: int) -> Mark | None:
        return self.at.shifted(column) if self.at and "\n" not in self.text else self.at

    def mark_of(self, name: str) -> Mark | None:
        """Where in the file a name of this expression stands."""
        column = self.names.get(name, self.called.get(name, (0, 0))[0])
        return self._mark(column)

    def evaluate(self, scope: Scope) -> Any:
        """The value: an int, Fraction, truth value, word, or whatever the names stand for.

        Raises:
            SpecError: A name is not defined, a division is by zero, types do not fit, a number grows too large.
        """
        if self._constant is not None:
            return self._constant
        try:
            value = self._evaluate(scope)
        except ExpressionError as error:
            raise SpecError(str(error), self._mark(error.column)) from None
        except UndecidableError:
            raise
        except ArchspecError as error:
            raise SpecError(f"{error}, in '{self.text}'" if self.text != str(error) else str(error), self.at) from None
        except ZeroDivisionError:
            raise SpecError(f"division by zero in '{self.text}'", self.at) from None
        return _bounded(value, self)

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


def _bounded(value: Any, expression: Expression) -> Any:
    if type(value) is int:
        if not -MAX_MAGNITUDE < value < MAX_MAGNITUDE:
            raise SpecError(f"the value of '{_short(expression.text)}' is too large", expression.at)
    elif isinstance(value, Fraction):
        if not (abs(value.numerator) < MAX_MAGNITUDE and value.denominator < MAX_MAGNITUDE):
            raise SpecError(f"the value of '{_short(expression.text)}' is too large", expression.at)
        if value.denominator == 1:
            return value.numerator
    return value


def _text(value: Any, at: Mark | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = str(value).strip()
    elif isinstance(value, (int, float, Fraction)) or hasattr(value, "as_tuple"):
        text = repr(value) if isinstance(value, float) else str(value)
    else:
        raise SpecError(f"expected a number or an expression, found {_kind(value)}", at)
    if not text:
        raise SpecError("expected a number or an expression, found an empty text", at)
    if len(text) > MAX_LENGTH:
        raise SpecError(f"an expression of {len(text):,} characters; at most {MAX_LENGTH:,} are allowed", at)
    if text.lstrip("+-.").lower() in {"nan", "inf", "infinity"}:
        raise SpecError(f"expected a finite number, found '{text}'", at)
    return text


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {dict: "a mapping", list: "a list", tuple: "a list"}.get(type(value).__mro__[-2], type(value).__name__)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


class _Compiler:
    """Turns the syntax tree of one expression into closures, checking each node against the whitelist."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: dict[str, int] = {}
        self.called: dict[str, tuple[int, int]] = {}
        self.root: ast.expr | None = None

    def compile(self) -> Evaluate:
        if not self.text.isascii():
            column = next(i for i, c in enumerate(self.text) if not c.isascii())
            raise ExpressionError(f"unexpected character {self.text[column]!r}; names are ASCII", column)
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            column = max((error.offset or 1) - 1, 0)
            raise ExpressionError(
                f"'{_short(self.text)}' is not an expression: {error.msg or 'invalid syntax'}",
                min(column, len(self.text)),
            ) from None
        except (ValueError, MemoryError, RecursionError):
            raise ExpressionError(f"'{_short(self.text)}' is not an expression") from None
        self.root = tree.body
        return self._node(tree.body, MAX_DEPTH)

    def _node(self, node: ast.expr, depth: int) -> Evaluate:
        if depth == 0:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep", node.col_offset)
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
            value = dims.exact(written)
        else:
            raise ExpressionError(f"expected a number or a name, found {_short(written)}", node.col_offset)
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
        inner = self._node(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda scope: not _truth(inner(scope), node)
        if isinstance(node.op, ast.USub):
            return lambda scope: -_number(inner(scope), node)
        if isinstance(node.op, ast.UAdd):
            return lambda scope: _number(inner(scope), node)
        raise ExpressionError("'~' is not allowed in an expression", node.col_offset)

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
            return compute(a, b)

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

    def _Call(self, node: ast.Call, depth: int) -> Evaluate:  # noqa: N802
        if not isinstance(node.func, ast.Name) or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise ExpressionError("a call is name(argument, …)", node.col_offset)
        name, column = node.func.id, node.col_offset
        if name in BUILTINS:
            rule, check = BUILTINS[name]
            check(len(node.args))
            parts = [self._node(arg, depth) for arg in node.args]
            return lambda scope: rule(*(_number(part(scope), node) for part in parts))
        self.called.setdefault(name, (column, len(node.args)))
        parts = [self._node(arg, depth) for arg in node.args]

        def call(scope: Scope) -> Any:
            function = scope.functions.get(name)
            if function is None:
                raise ExpressionError(undefined(name, scope.functions, BUILTINS, "function"), column)
            scope.calls[0] -= 1
            if scope.calls[0] < 0:
                raise ExpressionError(f"more than {MAX_CALLS:,} calls of functions", column)
            return function(*(part(scope) for part in parts))

        return call


def undefined(name: str, known: Mapping[str, Any], more: Mapping[str, Any], kind: str = "name") -> str:
    """The sentence about a name that nothing defines."""
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
    if not (type(b) is int and abs(b) <= MAX_EXPONENT):
        raise ExpressionError(
            f"an exponent must be a whole number between −{MAX_EXPONENT} and {MAX_EXPONENT} (got {b})"
        )
    if dims.is_number(a) and max(abs(Fraction(a).numerator), Fraction(a).denominator) > MAX_MAGNITUDE:
        raise ExpressionError("the base of a power is too large")
    return Fraction(a) ** b if b < 0 and dims.is_number(a) else a**b


def _ordered(a: Any, b: Any) -> bool:
    if any(isinstance(value, (bool, str)) for value in (a, b)):
        raise ExpressionError(f"cannot order {a} and {b}")
    return bool(dims.less(a, b))


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
