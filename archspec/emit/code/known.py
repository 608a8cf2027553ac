"""What is known of code before it runs: its names, and its values where those of its names are few."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod
from typing import Any

from archspec import dims
from archspec.emit.code import rules
from archspec.emit.code.value import Code, multiplied, summed
from archspec.errors import ArchspecError

MAX_COMBINATIONS = 512


class _UnknownError(Exception):
    """A part whose value only running tells."""


def names(value: Any) -> dict[Code, None]:
    """The variables in a value, in order."""
    if isinstance(value, tuple):
        return {found: None for part in value for found in names(part)}
    if not isinstance(value, Code):
        return {}
    return {value: None} if value.head == "name" else names(value.parts)


def substituted(value: Any, known: Mapping[Code, Any]) -> Any:
    """The value with some of its names replaced, worked out as far as that makes it plainer."""
    if isinstance(value, tuple):
        return tuple(substituted(part, known) for part in value)
    if not isinstance(value, Code):
        return value
    if value.head == "name":
        return known.get(value, value)
    return _substituted(value, known)


def _substituted(value: Code, known: Mapping[Code, Any]) -> Any:
    if value.head == "if":
        condition, a, b = value.parts
        chosen = substituted(condition, known)
        if isinstance(chosen, bool):  # the other side may have no meaning
            return substituted(a if chosen else b, known)
    parts = substituted(value.parts, known)
    if parts != value.parts and not names(parts):
        with suppress(_UnknownError, TypeError):
            return evaluated(Code(value.head, parts), {})
    rule = _REBUILT.get(value.head) or (_REBUILT.get(parts[0]) if value.head == "call" else None)
    if parts == value.parts or rule is None:
        return Code(value.head, parts, value.kind)
    return rule(*(parts[1] if value.head == "call" else parts))


_REBUILT: Mapping[str, Callable[..., Any]] = {
    "sum": lambda *terms: summed([(factor, 1 if term is None else term) for factor, term in terms]),
    "*": lambda *factors: reduce(multiplied, factors),
    "//": rules.floor_div,
    "max": rules.maximum,
    "min": rules.minimum,
    "ceil_div": rules.ceil_div,
    "exact_div": rules.exact_div,
}


def known_values(value: Any) -> tuple[Any, ...] | None:
    """All values that an expression can have, where the values of its names are known and few."""
    variables = list(names(value))
    if any(variable.values is None for variable in variables):
        return None
    choices = [variable.values or () for variable in variables]
    if prod(map(len, choices)) > MAX_COMBINATIONS:
        return None
    try:
        found = [evaluated(value, dict(zip(variables, chosen, strict=True))) for chosen in product(*choices)]
    except (_UnknownError, ArchspecError, TypeError):
        return None
    return tuple({(type(one), one): one for one in found}.values())


def known_truth(condition: Any) -> bool | None:
    """Whether a condition holds whatever its names stand for; None if that is not known."""
    found = known_values(condition)
    return found[0] if found is not None and len(found) == 1 else None


def evaluated(value: Any, known: Mapping[Code, Any]) -> Any:
    """The value with its names replaced by what is known of them."""
    if isinstance(value, tuple):
        return tuple(evaluated(part, known) for part in value)
    if not isinstance(value, Code):
        return value
    if value.head == "name":
        return known[value]
    rule = _EVALUATIONS.get(value.head)
    if rule is None:
        raise _UnknownError
    return rule(lambda part: evaluated(part, known), *value.parts)


_RULES: Mapping[str, Callable[..., Any]] = {
    "floor": dims.floor,
    "ceil": dims.ceil,
    "round_half_up": dims.round_half_up,
    "ceil_div": dims.ceil_div,
    "exact_div": dims.exact_div,
    "make_divisible": dims.make_divisible,
    "log2": dims.log2,
    "floor_log2": dims.floor_log2,
    "floor_sqrt": dims.floor_sqrt,
    "round": dims.round_even,
    "max": dims.maximum,
    "min": dims.minimum,
    "whole": dims.exact,
    "Fraction": Fraction,
    "pair": lambda size: size if isinstance(size, tuple) else (size, size),
}


def _called(value: Callable[[Any], Any], function: str, args: tuple[Any, ...], kwargs: Any) -> Any:
    if function == "isinstance":
        kinds = {"int": int, "tuple": tuple, "str": str}
        return isinstance(value(args[0]), kinds[str(args[1])])
    if function not in _RULES or kwargs:
        raise _UnknownError
    return _RULES[function](*map(value, args))


def _compared(value: Callable[[Any], Any], *parts: Any) -> bool:
    left = value(parts[0])
    for sign, part in zip(parts[1::2], parts[2::2], strict=True):
        right = value(part)
        if not _ORDERS[sign](left, right):
            return False
        left = right
    return True


def _same(a: Any, b: Any) -> bool:
    alike = type(a) is type(b) or not (isinstance(a, bool | str) or isinstance(b, bool | str))
    return alike and bool(a == b)


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": _same,
    "!=": lambda a, b: not _same(a, b),
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

_EVALUATIONS: Mapping[str, Callable[..., Any]] = {
    "sum": lambda value, *terms: sum(factor * (1 if term is None else value(term)) for factor, term in terms),
    "*": lambda value, *factors: dims.product(map(value, factors)),
    "/": lambda value, a, b: dims.divide(value(a), value(b)),
    "//": lambda value, a, b: dims.floor_div(value(a), value(b)),
    "%": lambda value, a, b: value(a) % value(b),
    "**": lambda value, a, b: dims.exact(Fraction(value(a)) ** value(b)),
    "index": lambda value, code, key: value(code)[key],
    "if": lambda value, condition, a, b: value(a) if value(condition) else value(b),
    "and": lambda value, *parts: all(map(value, parts)),
    "or": lambda value, *parts: any(map(value, parts)),
    "not": lambda value, part: not value(part),
    "compare": _compared,
    "call": _called,
}


# ------------------------------------------------------------------ sizes are positive


def sure_truth(condition: Any) -> bool | None:
    """Whether a condition holds for all sizes, which are from 1; None if it depends on them.

    >>> from archspec.emit.code import compare, name
    >>> sure_truth(compare(2 * name("in_channels") + 1, ">", 2)), sure_truth(compare(name("c"), "==", 1))
    (True, None)
    """
    if not isinstance(condition, Code):
        return bool(condition)
    if condition.head == "not":
        inner = sure_truth(condition.parts[0])
        return None if inner is None else not inner
    if condition.head in {"and", "or"}:
        found = [sure_truth(part) for part in condition.parts]
        decisive = condition.head == "or"
        if decisive in found:
            return decisive
        return None if None in found else not decisive
    if condition.head == "compare" and len(condition.parts) == 3 and type(condition.parts[2]) is int:
        least, (_, sign, number) = _least(condition.parts[0]), condition.parts
        if least is not None:
            above = least > number or (least == number and sign in {"<", ">="})
            return {"<": False, "<=": False, ">": True, ">=": True, "==": False, "!=": True}[sign] if above else None
    return None


def _least(value: Any) -> Any:
    """A number that a size is not below; None if nothing is known."""
    if not isinstance(value, Code):
        return value
    if value.head == "name":
        return value.values[0] if isinstance(value.values, range) else 1 if str(value).startswith("in_") else None
    if value.head == "sum" and all(factor > 0 or term is None for factor, term in value.parts):
        parts = [(factor, 1 if term is None else _least(term)) for factor, term in value.parts]
        return None if any(least is None for _, least in parts) else sum(factor * least for factor, least in parts)
    return None
