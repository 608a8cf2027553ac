"""Sums, differences, products and quotients with a number that are no part of anything else: steps of their own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import made_of
from archspec.importing.rules import as_written

Step: TypeAlias = tuple[str, dict[str, Any]]

FEW, MOST = 6, 10**6
"""In so many characters a number is written as a decimal; one over what is less than that may be a fraction."""


def arithmetic(node: FlatNode) -> list[FlatNode]:
    """What is computed with a number, in one or several steps; another node as it is."""
    steps = _STEPS.get(node.operator)
    if steps is None:
        return [node]
    made, inputs = list[FlatNode](), node.inputs
    (*first, last) = steps(node.args)
    for operator, args in (*first, last):
        name = node.name if operator == last[0] else f"{node.name}@{operator}"
        made.append(replace(made_of(node, operator, inputs, **args), name=name))
        inputs = (name,)
    return made


def inverse(number: float) -> Any:
    """What to multiply by instead of dividing.

    >>> inverse(8.0), inverse(255), inverse(0.5)
    (0.125, '1/255', 2)
    """
    return plain(1 / number)


def plain(number: float) -> Any:
    """A number as a person would write it: whole, as a short decimal, as one over a whole number, or as it is.

    >>> plain(3.0), plain(0.17), plain(0.0039215686274509803), plain(-0.16666667), plain(2.718281828)
    (3, 0.17, '1/255', '-1/6', 2.718281828)
    """
    if abs(number) < MOST and number == int(number):
        return int(number)
    divisor = round(1 / number) if abs(number) * MOST > 1 else 0
    if len(repr(number)) <= FEW or not divisor:
        return number
    sign = "-" if divisor < 0 else ""
    return f"{sign}1/{abs(divisor)}" if number in {1 / divisor, as_written(np.float32(1 / divisor).item())} else number


def _added(number: float) -> Step:
    return "add_scalar", {"value": plain(number)}


def _times(number: float) -> Step:
    return "mul_scalar", {"value": plain(number)}


_STEPS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Step, ...]]] = {
    "~add": lambda args: (_added(args["number"]),),
    "~sub": lambda args: (_added(-args["number"]),),
    "~mul": lambda args: (_times(args["number"]),),
    "~div": lambda args: (("mul_scalar", {"value": inverse(args["number"])}),),
    "~neg": lambda _: (_times(-1),),
    "~from_subtract": lambda args: (_times(-1), _added(args["number"])),
    "~from_divide": lambda args: (("power", {"exponent": -1}), _times(args["number"])),
    "~hard_sigmoid": lambda args: (_times(args["slope"]), _added(args["offset"]), ("clamp", {"min": 0, "max": 1})),
}
"""What each is, from the first step to the last; no two of them are the same operator."""
