"""Which operator of the language a function of an exporter is: a table that a new operator joins with one row.

A rule takes a call whose arguments are at hand and gives what it is: a node or several, or another name for a value.

    @rule("aten.leaky_relu.default", "aten.leaky_relu_.default")
    def leaky_relu(call):
        return ReadNode("leaky_relu", {"negative_slope": call.get("negative_slope", 0.01)}, call.values("self"))

What has no rule, or whose rule raises `UnsupportedError`, is a foreign node; later patterns may still read it together
with its neighbours, and what is left then is reported, all at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from archspec.importing.arrays import signs_of
from archspec.importing.program import HeldArray, Program, ProgramCall, UnsupportedError, Value, references

if TYPE_CHECKING:
    import numpy as np


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


@dataclass(frozen=True, slots=True)
class Same:
    """A call whose result is one of its inputs."""

    value: str


Reading: TypeAlias = ReadNode | Same | list[ReadNode]


@dataclass(frozen=True, slots=True)
class Bound:
    """A call together with its program: what a rule reads."""

    call: ProgramCall
    program: Program

    def get(self, name: str, default: Any = None) -> Any:
        """An argument that is no value; constants are read."""
        found = self.call.arguments.get(name)
        if found is None:
            return default
        return self._constant(found) if isinstance(found, Value) else found

    def has(self, name: str) -> bool:
        """Whether an argument is given."""
        return self.call.arguments.get(name) is not None

    def values(self, *names: str) -> tuple[str, ...]:
        """The results that arguments name, in order; arrays among them become nodes of their own."""
        return tuple(value for name in names for value in references(self.call.arguments.get(name)))

    def arrays(self, **names: str) -> dict[str, HeldArray]:
        """Arrays by the operator's names of them, from the arguments that hold them; what is not given is left out."""
        found = {}
        for name, argument in names.items():
            value = self.call.arguments.get(argument)
            if value is not None:
                found[name] = self.array(argument)
        return found

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

    def constant(self, argument: str) -> "np.ndarray[Any, Any] | None":
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
        found: float = held.load().reshape(-1)[0].item()
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

    def _constant(self, value: Value) -> Any:
        held = self.program.arrays.get(value.name)
        if held is None:
            raise UnsupportedError(f"a setting is computed: {value.name}")
        numbers: np.ndarray[Any, Any] = held.load()
        return numbers.tolist()


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


def elementwise(targets: Mapping[str, str], argument: str) -> None:
    """Enter operators of one input and no settings, by the functions that they are."""
    for target, operator in targets.items():

        def read(call: Bound, operator: str = operator) -> ReadNode:
            return ReadNode(operator, {}, call.values(argument))

        rule(target)(read)


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
