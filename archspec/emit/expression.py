"""From an expression of a specification to code: the same formula, with its names as the source has them."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from archspec.dims import exact
from archspec.emit import code
from archspec.emit.code import INT, Code
from archspec.errors import SpecError
from archspec.language.expression import CONSTANTS, Expression
from archspec.language.values import Value


@dataclass(frozen=True, slots=True)
class Translator:
    """What an expression's names become.

    Attributes:
        name: The code of a name; it raises KeyError where there is none.
        function: The code of a call of one of the specification's functions or lookups.
        whole: Told of code that must be a whole number, gives code that is one.
    """

    name: Callable[[str], Any]
    function: Callable[[str, tuple[Any, ...]], Any]
    whole: Callable[[Any], Any]

    def value(self, value: Value) -> Any:
        """The code of an expression, or of a list of them."""
        if isinstance(value, tuple):
            return tuple(map(self.value, value))
        return self.expression(value)

    def expression(self, expression: Expression) -> Any:
        """The code of one expression; a number, truth value or word where it is one."""
        try:
            return self._code(ast.parse(expression.text, mode="eval").body, expression.text)
        except KeyError as error:
            raise SpecError(f"undefined name {error}", expression.at) from None

    def _code(self, node: ast.expr, text: str) -> Any:
        return _READERS[type(node)](self, node, text)

    def _constant(self, node: ast.Constant, text: str) -> Any:
        return exact(ast.get_source_segment(text, node)) if isinstance(node.value, float) else node.value

    def _name(self, node: ast.Name, _: str) -> Any:
        return CONSTANTS[node.id] if node.id in CONSTANTS else self.name(node.id)

    def _unary(self, node: ast.UnaryOp, text: str) -> Any:
        inner = self._code(node.operand, text)
        if isinstance(node.op, ast.Not):
            return code.negation(inner)
        return -inner if isinstance(node.op, ast.USub) else inner

    def _binary(self, node: ast.BinOp, text: str) -> Any:
        a, b = self._code(node.left, text), self._code(node.right, text)
        if isinstance(node.op, ast.Pow):
            return code.power(a, self.whole(b))
        return _plain(_ARITHMETIC[type(node.op)](a, b))

    def _junction(self, node: ast.BoolOp, text: str) -> Any:
        join = code.both if isinstance(node.op, ast.And) else code.either
        return join(*(self._code(value, text) for value in node.values))

    def _comparison(self, node: ast.Compare, text: str) -> Any:
        operands = [self._code(operand, text) for operand in (node.left, *node.comparators)]
        if not any(isinstance(operand, Code) for operand in operands):
            return code.known_truth(code.compare(*_alternating(operands, node.ops)))
        if len(operands) == 2 and _never_equal(*operands) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return isinstance(node.ops[0], ast.NotEq)
        return code.compare(*_alternating(operands, node.ops))

    def _choice(self, node: ast.IfExp, text: str) -> Any:
        condition = self._code(node.test, text)
        sure = code.sure_truth(condition)
        if sure is not None:
            return self._code(node.body if sure else node.orelse, text)
        return code.choose(condition, self._code(node.body, text), self._code(node.orelse, text))

    def _call(self, node: ast.Call, text: str) -> Any:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        args = tuple(self._code(arg, text) for arg in node.args)
        if name not in _BUILTINS:
            return self.function(name, args)
        if name in {"exact_div", "log2"}:
            args = tuple(map(self.whole, args))
        made = _BUILTINS[name](*args)
        values = None if code.names(made) else code.known_values(made)
        return made if values is None else values[0]


def _alternating(operands: list[Any], ops: list[ast.cmpop]) -> list[Any]:
    parts = [operands[0]]
    for op, operand in zip(ops, operands[1:], strict=True):
        parts += [_SIGNS[type(op)], operand]
    return parts


def _never_equal(a: Any, b: Any) -> bool:
    """Whether two values are of kinds that are never equal: a word and a number, true and 1."""
    kinds = [{"int" if kind == "rational" else kind for kind in code.kind_of(value)} for value in (a, b)]
    return not kinds[0] & kinds[1]


def _plain(value: Any) -> Any:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _rest(a: Any, b: Any) -> Any:
    return a % b if not isinstance(a, Code) and not isinstance(b, Code) else Code("%", (a, b), code.value.numeric(a, b))


def _divide(a: Any, b: Any) -> Any:
    return Fraction(a) / b if not isinstance(a, Code) and not isinstance(b, Code) else code.divide(a, b)


def _floor_div(a: Any, b: Any) -> Any:
    return a // b if not isinstance(a, Code) and not isinstance(b, Code) else code.floor_div(a, b)


def _extreme(name: str) -> Callable[..., Any]:
    return lambda *args: args[0] if len(args) == 1 else code.call(name, *args, kind=code.value.numeric(*args))


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: _divide,
    ast.FloorDiv: _floor_div,
    ast.Mod: _rest,
}

_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

_BUILTINS: Mapping[str, Callable[..., Any]] = {
    "floor": code.floor,
    "ceil": code.ceil,
    "round": lambda x: x if code.kind_of(x) == INT else code.call("round_half_up", x),
    "min": _extreme("min"),
    "max": _extreme("max"),
    "make_divisible": lambda *args: code.call("make_divisible", *args),
    "ceil_div": lambda a, b: code.call("ceil_div", a, b),
    "exact_div": code.exact_div,
    "log2": lambda x: code.call("log2", x),
    "round_even": lambda x: x if code.kind_of(x) == INT else code.call("round", x),
    "floor_log2": code.floor_log2,
    "floor_sqrt": code.floor_sqrt,
}

_READERS: Mapping[type[ast.expr], Callable[[Translator, Any, str], Any]] = {
    ast.Constant: Translator._constant,
    ast.Name: Translator._name,
    ast.UnaryOp: Translator._unary,
    ast.BinOp: Translator._binary,
    ast.BoolOp: Translator._junction,
    ast.Compare: Translator._comparison,
    ast.Call: Translator._call,
    ast.IfExp: Translator._choice,
}
