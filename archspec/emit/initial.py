"""How the weights begin, as statements: the rules of a specification, one after the other for every module."""

from collections.abc import Iterator, Mapping
from typing import Any

from archspec import ops
from archspec.emit import code
from archspec.emit.code import BOOL, Code
from archspec.emit.layer import function_code
from archspec.emit.statements import Do, For, If, Statement, Statements
from archspec.graph.names import place_of
from archspec.language.initialisation import Filling, Initialisation, Rule
from archspec.ops import Function

_MODULE = code.name("module")
_STARTS = 'f"{name}.".startswith'

OURS = "truncated_normal_"
"""The filling that is ours: torch's `trunc_normal_` draws all numbers again until the last one fits."""

ONE_ARRAY = frozenset({"LearnedTensor", "TokenEmbedding", "WindowBias", "nn.Embedding", "nn.PReLU", "nn.RMSNorm"})
"""The classes with a weight and no attribute for a bias."""

OTHERS = frozenset({"GruLayers", "LstmLayers", "RnnLayers"})
"""The classes whose arrays have other names."""


def beginning(
    initialisation: Initialisation, classes: Mapping[str, frozenset[str]], labels: frozenset[str]
) -> Statements:
    """The statements that fill the weights of `self`, by the classes of each operator's modules in this source.

    The `labels` are the names that steps were given by `as`, which may be those of operators.
    """
    parts = {
        name for rule in initialisation.rules for name in rule.of if name not in ops.registered() or name in labels
    }
    rules = [step for rule in initialisation.rules for step in _rule(rule, classes, parts)]
    if not rules:
        return ()
    named = any(parts & {*rule.of} for rule in initialisation.rules if rule.fillings())
    over = Code("text", ("self.named_modules()" if named else "self.modules()",))
    return (For(("name", "module") if named else ("module",), over, tuple(rules)),)


def _rule(rule: Rule, classes: Mapping[str, frozenset[str]], known: set[str]) -> Iterator[Statement]:
    """An `if` for the modules that a rule is of, and what it fills."""
    operators = {made for name in rule.of for made in classes.get(name, ())}
    parts = tuple(sorted(f"{place_of(name)}." for name in rule.of if name in known))
    weighted = {made for several in classes.values() for made in several}
    fillings = rule.fillings()
    kinds = (operators | (weighted if parts else set())) - OTHERS
    steps = [
        _filled(array, filling, kinds) for array, filling in fillings.items() if array == "weight" or kinds - ONE_ARRAY
    ]
    if not kinds or not steps:
        return
    if not parts:
        yield _under(_is_one(kinds), steps)
        return
    below = Code("call", (_STARTS, (parts if len(parts) > 1 else parts[0],), ()), BOOL)
    yield If(code.either(_is_one(operators), below) if operators else below, (_under(_is_one(kinds), steps),))


def _under(condition: Any, steps: list[Statement]) -> Statement:
    """Statements on a condition; one `if` in place of two."""
    match steps:
        case [If(inner, then)]:
            return If(code.both(condition, inner), then)
    return If(condition, tuple(steps))


def _filled(array: str, filling: Filling, kinds: set[str]) -> Statement:
    """The statement that fills an array, where there is one."""
    filled = Do(_fill(filling, Code("attr", (_MODULE, array))))
    if array == "weight" and not any("Norm" in kind for kind in kinds):
        return filled
    found = Code("attr", (_MODULE, array))
    if array == "bias" and kinds & ONE_ARRAY:
        found = code.call("getattr", _MODULE, array, None)
    return If(code.compare(found, "is not", None), (filled,))


def _is_one(kinds: set[str]) -> Code:
    types: tuple[Any, ...] = tuple(Code("text", (kind,)) for kind in sorted(kinds))
    return code.call("isinstance", _MODULE, types if len(types) > 1 else types[0], kind=BOOL)


def _fill(filling: Filling, array: Code) -> Code:
    if filling.kind == "truncated_normal":
        return function_code(Function(OURS, {"std": filling.size}), (array,))
    return function_code(filling.call(), (array,))
