"""Conditions on code."""

from collections.abc import Iterable
from typing import Any

from archspec.emit.code.value import BOOL, Code, kind_of


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
