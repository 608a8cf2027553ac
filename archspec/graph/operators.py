"""Operators made of what a specification says, each once, and the shapes that they give."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from archspec import dims, ops
from archspec.errors import ArchspecError, ShapeError, SpecError, SpecErrors
from archspec.language.document import Step
from archspec.language.rules import MAX_SIZE, field_faults, value_mark
from archspec.ops import Operator, Tensor

MAX_OPERATORS = 4096


def make_operator(callee: str, args: Mapping[str, Any], name: str, step: Step) -> Operator:
    """An operator with its fields checked; one that was made before is the same object.

    Args:
        callee: The operator's name.
        args: Its fields.
        name: The name of the node, for messages.
        step: Where the arguments stand.

    Raises:
        SpecErrors: Fields cannot have their values.
    """
    try:
        key = (callee, tuple([(field, _typed(value)) for field, value in args.items()]))
        found = _operators.get(key)
    except TypeError:  # an array has no hash
        return _operator(callee, args, name, step)
    if found is None:
        if len(_operators) >= MAX_OPERATORS:
            _operators.clear()
        with dims.recording() as conditions:
            operator = _operator(callee, args, name, step)
        found = _operators[key] = operator, tuple(conditions)
    operator, taken = found
    for condition in taken:
        dims.record(condition)
    return operator


_operators: dict[Any, tuple[Operator, tuple[Any, ...]]] = {}
"""Operators made before, by name and fields, each with the conditions under which its fields can have their values:
they never change, and most come in every expansion."""


def _typed(value: Any) -> Any:
    """A key for a value that tells 1 from true."""
    return tuple(map(_typed, value)) if type(value) is tuple else (type(value), value)


def _operator(callee: str, args: Mapping[str, Any], name: str, step: Step) -> Operator:
    try:
        return ops.operator(callee)(**args)
    except ValidationError:
        values = getattr(step, "args", {})
        raise SpecErrors(
            SpecError(f"{name}: {key} {reason}", value_mark(values.get(key)) or step.value_at(key))
            for key, reason in field_faults(callee, args)
        ) from None


def checked_output(operator: Operator, tensors: tuple[Tensor, ...]) -> Tensor:
    """The shape of the result; refuses weights that do not fit, and sizes beyond all networks."""
    output = operator.output(*tensors)
    operator.weights(*tensors)
    for size in output.shape:
        if type(size) is int and not 0 < size <= MAX_SIZE:
            raise ShapeError(f"the result {output} has a size that is not from 1 to {MAX_SIZE}")
        dims.at_least_one(size)
    return output


def guessed_output(operator: Operator, tensors: tuple[Tensor, ...], guessed: bool) -> tuple[Tensor, bool]:
    """The shape to go on with after a fault: certain if only the weights do not fit, else that of the first input."""
    try:
        return operator.output(*tensors), guessed
    except ArchspecError:
        return tensors[0], True
