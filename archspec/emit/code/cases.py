"""Computations on code that depend on conditions.

What a rule decides by (`if top == bottom`) is known where the names have few values, and asked otherwise: `cases` runs
a computation once for each answer.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from archspec.emit.code.condition import compare, negation
from archspec.emit.code.known import known_truth, known_values
from archspec.emit.code.value import Code
from archspec.errors import ArchspecError, UndecidableError

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
