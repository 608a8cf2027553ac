"""From an expression of a specification to code: the same formula, with its names as the source has them."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archspec import dims
from archspec.emit import code
from archspec.emit.code import INT, Code
from archspec.errors import SpecError
from archspec.language.expression import BUILTINS, CONSTANTS, Expression
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
        return tuple(map(self.value, value)) if isinstance(value, tuple) else self.expression(value)

    def expression(self, expression: Expression) -> Any:
        """The code of one expression; a number, truth value or word where it is one."""
        tree = ast.parse(expression.text, mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                node.value = dims.exact(ast.get_source_segment(expression.text, node))
        try:
            return self._code(tree.body)
        except KeyError as error:
            raise SpecError(f"undefined name {error}", expression.at) from None

    def _code(self, node: ast.expr) -> Any:
        return _READERS[type(node)](self, node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return CONSTANTS[node.id] if node.id in CONSTANTS else self.name(node.id)

    def _unary(self, node: ast.UnaryOp) -> Any:
        inner = self._code(node.operand)
        if isinstance(node.op, ast.Not):
            return code.negation(inner)
        return -inner if isinstance(node.op, ast.USub) else inner

    def _binary(self, node: ast.BinOp) -> Any:
        a, b = self._code(node.left), self._code(node.right)
        return code.power(a, self.whole(b)) if isinstance(node.op, ast.Pow) else _ARITHMETIC[type(node.op)](a, b)

    def _junction(self, node: ast.BoolOp) -> Any:
        join = code.both if isinstance(node.op, ast.And) else code.either
        return join(*map(self._code, node.values))

    def _comparison(self, node: ast.Compare) -> Any:
        operands = [self._code(operand) for operand in (node.left, *node.comparators)]
        signs = [_SIGNS[type(op)] for op in node.ops]
        if len(operands) == 2 and signs[0] in {"==", "!="} and _never_equal(*operands):
            return signs[0] == "!="
        parts = [part for pair in zip(signs, operands[1:], strict=True) for part in pair]
        made = code.compare(operands[0], *parts)
        return made if code.is_open(tuple(operands)) else code.known_truth(made)

    def _choice(self, node: ast.IfExp) -> Any:
        condition = self._code(node.test)
        sure = code.sure_truth(condition)
        if sure is not None:
            return self._code(node.body if sure else node.orelse)
        return code.choose(condition, self._code(node.body), self._code(node.orelse))

    def _call(self, node: ast.Call) -> Any:
        name, args = ast.unparse(node.func), tuple(map(self._code, node.args))
        if name not in BUILTINS:
            return self.function(name, args)
        if name in {"exact_div", "log2"}:
            args = tuple(map(self.whole, args))
        if name in _ROUNDED and code.is_open(args):
            return args[0] if code.kind_of(args[0]) == INT else code.call(_ROUNDED[name], *args)
        return BUILTINS[name][0](*args)


def _never_equal(a: Any, b: Any) -> bool:
    """Whether two values are of kinds that are never equal: a word and a number, true and 1."""
    kinds = [{"int" if kind == "rational" else kind for kind in code.kind_of(value)} for value in (a, b)]
    return not kinds[0] & kinds[1]


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: dims.exact(a + b),
    ast.Sub: lambda a, b: dims.exact(a - b),
    ast.Mult: lambda a, b: dims.exact(a * b),
    ast.Div: dims.divide,
    ast.FloorDiv: dims.floor_div,
    ast.Mod: lambda a, b: Code("%", (a, b), code.value.numeric(a, b)) if code.is_open((a, b)) else dims.exact(a % b),
}

_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

_ROUNDED: Mapping[str, str] = {"round": "round_half_up", "round_even": "round"}
"""What rounds in the source; `dims` has these as formulas of `floor`."""

_READERS: Mapping[type[ast.expr], Callable[[Translator, Any], Any]] = {
    ast.Constant: Translator._constant,
    ast.Name: Translator._name,
    ast.UnaryOp: Translator._unary,
    ast.BinOp: Translator._binary,
    ast.BoolOp: Translator._junction,
    ast.Compare: Translator._comparison,
    ast.Call: Translator._call,
    ast.IfExp: Translator._choice,
}
