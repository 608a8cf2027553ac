"""What is known of code before it runs: its names, and its values where those of its names are few.

What a rule decides by (`if top == bottom`) is known where the names have few values, and asked otherwise: `cases` runs
a computation once for each answer.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import reduce
from itertools import product
from math import prod
from typing import Any, Generic, TypeVar

from archspec import dims
from archspec.emit.code.value import Code, choose, compare, junction, multiplied, negation, power, summed
from archspec.errors import ArchspecError, UndecidableError
from archspec.interval import Interval

MAX_COMBINATIONS = 512


def names(value: Any) -> dict[Code, None]:
    """The variables in a value, in order."""
    if isinstance(value, tuple):
        return {found: None for part in value for found in names(part)}
    if not isinstance(value, Code):
        return {}
    return {value: None} if value.head == "name" else names(value.parts)


def variables(value: Any) -> frozenset[str]:
    """The names of the variables in a value."""
    return frozenset(map(str, names(value)))


def is_open(value: Any) -> bool:
    """Whether there is code in a value."""
    return isinstance(value, Code) or (isinstance(value, tuple) and any(map(is_open, value)))


def substituted(value: Any, known: Mapping[Code, Any]) -> Any:
    """The value with some of its names replaced, worked out as far as that makes it plainer."""
    if isinstance(value, tuple):
        return tuple(substituted(part, known) for part in value)
    if not isinstance(value, Code):
        return value
    return known.get(value, value) if value.head == "name" else _substituted(value, known)


def _substituted(value: Code, known: Mapping[Code, Any]) -> Any:
    if value.head in {"and", "or"}:
        return junction(value.head, (substituted(part, known) for part in value.parts))
    if value.head == "if" and isinstance(chosen := substituted(value.parts[0], known), bool):
        return substituted(value.parts[1 if chosen else 2], known)  # the other side may have no meaning
    parts = substituted(value.parts, known)
    if parts == value.parts and names(parts):
        return value
    made = _MADE[value.head](*parts) if value.head in _MADE else None
    return Code(value.head, parts, value.kind) if made is None else made


def rewritten(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with what `change` gives in place of its parts, outer ones first; None leaves a part as it is."""
    changed = change(value)
    if changed is not None:
        return changed
    if isinstance(value, tuple):
        return tuple(rewritten(part, change) for part in value)
    return replace(value, parts=rewritten(value.parts, change)) if isinstance(value, Code) else value


def known_values(value: Any) -> tuple[Any, ...] | None:
    """All values that an expression can have, where the values of its names are known and few."""
    variables = list(names(value))
    if any(variable.values is None for variable in variables):
        return None
    choices = [variable.values or () for variable in variables]
    if prod(map(len, choices)) > MAX_COMBINATIONS:
        return None
    try:
        found = [substituted(value, dict(zip(variables, chosen, strict=True))) for chosen in product(*choices)]
    except (ArchspecError, TypeError):
        return None
    return None if is_open(tuple(found)) else tuple({(type(one), one): one for one in found}.values())


def known_truth(condition: Any) -> bool | None:
    """Whether a condition holds whatever its names stand for; None if that is not known."""
    found = known_values(condition)
    return found[0] if found is not None and len(found) == 1 else None


# ------------------------------------------------------------------ code of other parts


def _compared(*parts: Any) -> Any:
    if is_open(parts):
        return compare(*parts)
    return all(_ORDERS[sign](a, b) for a, sign, b in zip(parts[::2], parts[1::2], parts[2::2], strict=False))


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": dims.equal,
    "!=": lambda a, b: not dims.equal(a, b),
    "<": dims.less,
    "<=": lambda a, b: not dims.less(b, a),
    ">": lambda a, b: dims.less(b, a),
    ">=": lambda a, b: not dims.less(a, b),
}


def _called(function: Any, args: tuple[Any, ...], kwargs: tuple[Any, ...]) -> Any:
    if function in _BUILDERS:
        return _BUILDERS[function](*args)
    if function == "isinstance" and not is_open(args[0]):
        return isinstance(args[0], _TYPES[str(args[1])])
    return None if function not in _FUNCTIONS or kwargs or is_open(args) else _FUNCTIONS[function](*args)


_TYPES: Mapping[str, tuple[type, ...]] = {"bool": (bool,), "int": (int, Interval), "tuple": (tuple,)}

_BUILDERS: Mapping[Any, Callable[..., Any]] = {
    "ceil_div": dims.ceil_div,
    "exact_div": dims.exact_div,
    "max": dims.maximum,
    "min": dims.minimum,
}
"""Functions that are worked out as far as their arguments are known."""

_FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    "floor": dims.floor,
    "ceil": dims.ceil,
    "round_half_up": dims.round_half_up,
    "make_divisible": dims.make_divisible,
    "log2": dims.log2,
    "floor_log2": dims.floor_log2,
    "floor_sqrt": dims.floor_sqrt,
    "round": dims.round_even,
    "whole": dims.exact,
    "Fraction": dims.exact,
    "pair": lambda size: size if isinstance(size, tuple) else (size, size),
}
"""Those of numbers alone."""

_MADE: Mapping[str, Callable[..., Any]] = {
    "sum": lambda *terms: summed([(factor, 1 if term is None else term) for factor, term in terms]),
    "*": lambda *factors: reduce(multiplied, factors),
    "/": dims.divide,
    "//": dims.floor_div,
    "%": lambda a, b: None if is_open((a, b)) else a % b,
    "**": power,
    "index": lambda value, key: None if is_open((value, key)) else value[key],
    "if": choose,
    "not": negation,
    "compare": _compared,
    "call": _called,
}
"""By head, what makes code, or a number, of other parts; None where they stay as they are."""


def sure_truth(condition: Any) -> bool | None:
    """Whether a condition holds for all numbers that its names can be from the first to the last of; None if not known.

    >>> from archspec.emit.code import compare, name
    >>> n = name("n", values=range(1, 10))
    >>> sure_truth(compare(2 * n + 1, ">", 2)), sure_truth(compare(n, "==", 1)), sure_truth(compare(name("c"), "==", 1))
    (True, None, None)
    """
    spans = {n: Interval(n.values[0], n.values[-1]) for n in names(condition) if isinstance(n.values, range)}
    try:
        found = substituted(condition, spans)
    except (ArchspecError, TypeError):  # it holds of some numbers, or is of what has no rule for spans
        return None
    return found if isinstance(found, bool) else None


# ------------------------------------------------------------------ computations that depend on conditions


T = TypeVar("T")

MAX_QUESTIONS = 12


def equal(a: Any, b: Any) -> bool:
    """Whether a = b."""
    if a == b:
        return True
    for half, rest in ((a, b), (b, a)):
        if isinstance(half, Code) and half.head == "//" and half.parts[1] == 2 and rest == half.parts[0] - half:
            return decide(compare(Code("%", (half.parts[0] + 1, 2)), "==", 1))  # both halves of an even number
    return decide(compare(a, "==", b))


def less(a: Any, b: Any) -> bool:
    """Whether a < b."""
    return decide(compare(a, "<", b))


class _Ask(Exception):  # noqa: N818  # a question, no error
    def __init__(self, condition: Code) -> None:
        self.condition = condition


_answers: ContextVar[Mapping[Code, bool] | None] = ContextVar("answers", default=None)


def decide(condition: Any) -> bool:
    """Whether a condition holds: by what is known of its names, or as `cases` tries it.

    Raises:
        UndecidableError: Nobody says.
    """
    if not isinstance(condition, Code):
        return bool(condition)
    known = known_truth(condition)
    if known is not None:
        return known
    answers = _answers.get()
    if answers is None:
        raise UndecidableError(f"whether {condition} depends on what its names stand for")
    answer = answered(condition, answers)
    if answer is None:
        raise _Ask(condition)
    return answer


def answered(condition: Any, answers: Mapping[Any, bool]) -> bool | None:
    """Whether a condition holds where others do, or do not; None if they do not say."""
    opposite = answers.get(negation(condition))
    return answers.get(condition, None if opposite is None else not opposite)


def one_of(value: Code) -> Any:
    """The values of code that has few, one at a time, as `cases` tries them.

    Raises:
        ArchspecError: They are not known.
    """
    known = known_values(value)
    if known is None:
        raise ArchspecError(f"{value} must be a number that is known when the source is written")
    return next((number for number in known[:-1] if decide(compare(value, "==", number))), known[-1])


@dataclass(frozen=True, slots=True)
class Fork(Generic[T]):
    """What a computation gives if a condition holds, and if not; itself a result or a fork."""

    condition: Code
    then: "Fork[T] | T"
    otherwise: "Fork[T] | T"


def cases(compute: Callable[[], T]) -> "tuple[Fork[T] | T, tuple[Code, ...]]":
    """What a computation gives for each answer to the conditions that it asks about, and what had to be so.

    An answer that leads to a refusal is taken to be impossible: a valid network never comes there.

    Raises:
        ArchspecError: Every answer leads to one.
    """
    return _explored(compute, {})


def _explored(compute: Callable[[], T], answers: dict[Code, bool]) -> "tuple[Fork[T] | T, tuple[Code, ...]]":
    token = _answers.set(answers)
    try:
        return compute(), ()
    except _Ask as ask:
        condition = ask.condition
    finally:
        _answers.reset(token)
    if len(answers) >= MAX_QUESTIONS:
        raise ArchspecError(f"too many conditions decide about one layer, among them {condition}")
    try:
        then, assumed = _explored(compute, {**answers, condition: True})
    except ArchspecError:
        otherwise, assumed = _explored(compute, {**answers, condition: False})
        return otherwise, (negation(condition), *assumed)
    try:
        return Fork(condition, then, _explored(compute, {**answers, condition: False})[0]), ()
    except ArchspecError:
        return then, (condition, *assumed)
