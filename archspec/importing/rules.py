"""Which operator of the language a function of an exporter is: a table that a new operator joins with one row.

A rule takes a call whose arguments are at hand and gives what it is: a node or several, or another name for a value.

    @rule("aten.leaky_relu.default", "aten.leaky_relu_.default", "onnx.LeakyRelu")
    def leaky_relu(call):
        return ReadNode("leaky_relu", {"negative_slope": call.get("negative_slope", 0.01)}, call.values("self"))

One that says no more than this is entered by `enter_plain`. Calls of ONNX come in torch's words (see `onnx_words`), and
with all that they leave unsaid.

What has no rule, or whose rule raises `UnsupportedError`, is a foreign node; later patterns may still read it together
with its neighbours, and what is left then is reported, all at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

from archspec.importing.arrays import signs_of
from archspec.importing.program import HeldArray, Program, ProgramCall, UnsupportedError, Value, references
from archspec.ops import window
from archspec.ops.base import per_axis


@dataclass(frozen=True, slots=True)
class ReadNode:
    """A node that a call becomes.

    Attributes:
        operator: An operator of the language.
        args: Its fields; those at their defaults may be left out, or not.
        inputs: The values that it takes.
        arrays: Its arrays, by the operator's names of them.
        output: Which result of the call it gives.
    """

    operator: str
    args: Mapping[str, Any]
    inputs: tuple[str, ...]
    arrays: Mapping[str, HeldArray] = field(default_factory=dict)
    output: int = 0


Reading: TypeAlias = ReadNode | list[ReadNode] | str
"""What a call is: nodes, or the value that its result is."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A call together with its program: what a rule reads."""

    call: ProgramCall
    program: Program

    @property
    def function(self) -> str:
        """What the function is called by itself."""
        return self.call.function

    def operands(self) -> list[str]:
        """The names of all that a sum, or what else takes any number of inputs, is of."""
        return [name for name in self.call.arguments if name in {"self", "other"} or name.startswith("input")]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument that is no value; constants are read."""
        found = self.call.arguments.get(name)
        if found is None:
            return default
        if not isinstance(found, Value):
            return found
        held = self.held(found)
        if held is None:
            raise UnsupportedError(f"a setting is computed: {found.name}")
        return as_written(held.load().tolist())

    def has(self, name: str) -> bool:
        """Whether an argument is given."""
        return self.call.arguments.get(name) is not None

    def values(self, *names: str) -> tuple[str, ...]:
        """The results that arguments name, in order; arrays among them become nodes of their own."""
        return tuple(value for name in names for value in references(self.call.arguments.get(name)))

    def arrays(self, *names: str) -> dict[str, HeldArray]:
        """The arrays that arguments name, by these names; what is not given is left out."""
        return {name: self.array(name) for name in names if self.has(name)}

    def learned(self, *names: str) -> dict[str, HeldArray]:
        """The same without constants that do nothing: the zeros of a bias, the ones of a scale."""
        return {name: held for name, held in self.arrays(*names).items() if held.learned or not _is_neutral(name, held)}

    def array(self, argument: str) -> HeldArray:
        """The array that an argument names.

        Raises:
            UnsupportedError: It is computed, not held.
        """
        value = self.call.arguments.get(argument)
        found = self.held(value)
        if found is None or found.made is not None:
            raise UnsupportedError(f"its {argument} is computed, not an array of the model")
        return found

    def signs(self, argument: str) -> HeldArray | None:
        """The array whose signs an argument is, as one-bit layers have their weights; None of other arguments."""
        found = self.held(self.call.arguments.get(argument))
        return signs_of(found) if found is not None else None

    def held(self, value: Any) -> HeldArray | None:
        """The array that an argument is, if it is one."""
        return self.program.arrays.get(value.name) if isinstance(value, Value) else None

    def constant(self, argument: str) -> np.ndarray[Any, Any] | None:
        """The numbers of an argument that is an array which nobody learns; None of others."""
        held = self.held(self.call.arguments.get(argument))
        return held.load() if held is not None and not held.learned else None

    def number(self, argument: str) -> float | None:
        """An argument that is a number, or an array of one that nobody learns; None of others."""
        value = self.call.arguments.get(argument)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        held = self.held(value)
        if held is None or held.learned or prod(held.shape) != 1:
            return None
        found: float = as_written(held.load().reshape(-1)[0].item())
        return found

    def shape(self, argument: str) -> tuple[int, ...]:
        """The sizes of an argument that is a value."""
        value = self.call.arguments[argument]
        found = self.program.arrays.get(value.name)
        return found.shape if found else self.program.shapes[value.name]

    def output(self, number: int = 0) -> tuple[int, ...]:
        """The sizes of a result."""
        return self.program.shapes[self.call.outputs[number]]

    def axis(self, name: str, default: int = 0) -> int:
        """An axis of the result, counted from the front."""
        return int(self.get(name, default)) % len(self.output())


def _is_neutral(name: str, held: HeldArray) -> bool:
    return bool((held.load() == (0 if name == "bias" else 1)).all())


Rule: TypeAlias = Callable[[Bound], Reading]

RULES: dict[str, Rule] = {}
"""The rules by the functions they read."""


def rule(*targets: str) -> Callable[[Rule], Rule]:
    """Enter a rule for some functions."""

    def enter(function: Rule) -> Rule:
        for target in targets:
            if target in RULES:
                raise AssertionError(f"two rules for {target}")
            RULES[target] = function
        return function

    return enter


def enter_plain(operator: str, *targets: str, **settings: Any) -> None:
    """Enter an operator of one input that has the settings of the functions that it is.

    Args:
        operator: One of the language; what begins with a tilde is read by patterns with its neighbours.
        targets: The functions.
        settings: What is so where a function does not say it.
    """

    def read(call: Bound) -> ReadNode:
        args = {name: call.get(name, usual) for name, usual in settings.items()}
        return ReadNode(operator, args, call.values("input", "self"))

    rule(*targets)(read)


def one_or_pair(sizes: Any) -> Any:
    """A size for both axes as one number where it is the same.

    >>> one_or_pair([3, 3]), one_or_pair((1, 7)), one_or_pair(2)
    (3, (1, 7), 2)
    """
    if not isinstance(sizes, (list, tuple)):
        return sizes
    if len(sizes) == 1 or len(set(sizes)) == 1:
        return sizes[0]
    return tuple(sizes)


def few(sides: Sequence[tuple[int, int]]) -> Any:
    """What stands before and behind each axis, in as few numbers as say it.

    >>> few([(1, 1), (1, 1)]), few([(2, 2), (1, 1)]), few([(8, 0)])
    (1, (2, 1), (8, 0))
    """
    if all(a == b for a, b in sides):
        return one_or_pair([a for a, _ in sides])
    return tuple(side for pair in sides for side in pair)


def sides(call: Bound, kernel: tuple[int, ...]) -> Sequence[tuple[int, int]]:
    """The padding of a window, before and behind each axis; ONNX may say it by a word."""
    word, axes = call.get("auto_pad", "NOTSET"), len(kernel)
    if word == "VALID" or call.get("padding") == "valid":
        return [(0, 0)] * axes
    if word == "NOTSET":
        pads = call.get("pads") or per_axis(one_or_pair(call.get("padding", 0)), axes) * 2
        return [*zip(pads[:axes], pads[axes:], strict=True)]
    sizes = call.shape("input" if call.has("input") else "self")[2:]
    pairs = window.sides("tf_same", sizes, kernel, call.get("stride", 1), call.get("dilation", 1))
    return pairs if word == "SAME_UPPER" else [pair[::-1] for pair in pairs]


def is_even(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether as much stands before as behind."""
    return all(before == behind for before, behind in pairs)


def rounded(number: float) -> float:
    """The shortest decimal near a number that was stored with 24 bits.

    >>> rounded(9.999999747378752e-06), rounded(1 - 0.8999999761581421)
    (1e-05, 0.1)
    """
    return float(f"{number:.6g}")


def as_written(number: Any) -> Any:
    """The shortest decimal that is stored with 24 bits as this number is; what has more bits, or is none, as it stands.

    >>> as_written(0.003921568859368563), as_written(0.10000000149011612), as_written(0.1), as_written(3)
    (0.003921569, 0.1, 0.1, 3)
    """
    if not isinstance(number, float):
        return number
    with np.errstate(over="ignore"):
        stored = np.float32(number)
    return float(str(stored)) if float(stored) == number else number
