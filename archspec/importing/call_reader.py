"""The walk over a program's calls: each is an operator, an array, the same as before, or foreign."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from archspec.errors import ArchspecError
from archspec.importing import functions  # noqa: F401  # importing the rules enters them
from archspec.importing.arrays import computed, dequantised, viewed
from archspec.importing.constants import constant
from archspec.importing.flat import INPUT, FlatNode
from archspec.importing.patterns.base import told
from archspec.importing.program import Program, ProgramCall, UnsupportedError, references
from archspec.importing.rules import RULES, Bound, Reading, ReadNode
from archspec.language.rules import field_faults

CONSTANT = "~constant"
"""An array that nobody learns, as it stands among results: patterns read it with its neighbours."""


_INFINITE = frozenset({"~masked_fill", "~pad"})
"""What may have −∞, which counts for nothing behind it."""

_OF_ARRAYS = (dequantised, computed, constant, viewed)
"""What reads calls that take arrays alone."""


class CallReader:
    """The walk, which keeps what has been read.

    Attributes:
        names: What nodes call values that are no node of their own.
        nodes: What was read.
    """

    def __init__(self, program: Program) -> None:
        self.arrays = dict(program.arrays)
        self.program = replace(program, arrays=self.arrays)
        self.names = {program.inputs[0]: INPUT}
        self.nodes: list[FlatNode] = []
        self._taken = {
            *program.outputs,
            *(v for call in program.calls for v in references((*call.arguments.values(),))),
        }

    def read(self, call: ProgramCall) -> None:
        """A call by its rule, or as a foreign node."""
        if call.target.startswith("aten._assert"):
            return
        rule = RULES.get(call.target)
        try:
            held = next((found for read in _OF_ARRAYS if (found := read(call, self.program)) is not None), None)
            if held is not None:
                self.arrays[call.outputs[0]] = held
            elif rule is None:
                raise UnsupportedError("")
            else:
                self._take(call, rule(Bound(call, self.program)))
        except UnsupportedError as reason:
            self._foreign(call, str(reason))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            if isinstance(error, ArchspecError):
                raise
            self._foreign(call, f"has arguments that cannot be read ({type(error).__name__})")

    def _take(self, call: ProgramCall, found: Reading) -> None:
        if isinstance(found, str):
            if found in self.arrays:
                self.arrays[call.outputs[0]] = self.arrays[found]
            else:
                self.names[call.outputs[0]] = self.names.get(found, found)
            return
        read = found if isinstance(found, list) else [found]
        left = {*call.outputs} - {call.outputs[made.output] for made in read if made.output < len(call.outputs)}
        if left & self._taken:
            raise UnsupportedError("gives several results, and one is used that no operator gives")
        for made in read:
            self._add(call, made)

    def _add(self, call: ProgramCall, made: ReadNode) -> None:
        if made.output >= len(call.outputs):
            raise ArchspecError(f"{self.program.name}: {call.target} at {call.place or call.outputs[0]} gives too few")
        name = call.outputs[made.output]
        sources = [self._source(value, made, call) for value in made.inputs]
        new = {each.name: each for each in sources if isinstance(each, FlatNode)}
        self.nodes += [node for name, node in new.items() if all(each.name != name for each in self.nodes[-8:])]
        inputs = tuple(each.name if isinstance(each, FlatNode) else each for each in sources)
        raw, args = made.operator.startswith("~"), told(made.operator, made.args)
        for fault in _faults(made.operator, args):
            raise UnsupportedError(f"has settings that {made.operator.strip('~')} cannot have: {fault}")
        shape = self.program.shapes.get(name, ())
        self.nodes.append(
            FlatNode(name, made.operator, args, inputs, shape, call.place, dict(made.arrays), foreign=raw)
        )

    def _source(self, value: str, made: ReadNode, call: ProgramCall) -> FlatNode | str:
        """What gives an input: the name of a result, or an array as a node of its own."""
        if value not in self.arrays:
            return self.names.get(value, value)
        array, name = self.arrays[value], f"{value}@{call.outputs[0]}"
        if not array.learned:
            reason = f"takes {array.key}, which nobody learns, as it takes a result"
            return FlatNode(
                name, CONSTANT, {}, (), array.shape, call.place, {"value": array}, foreign=True, reason=reason
            )
        other = next((each for each in made.inputs if each not in self.arrays), self.program.inputs[0])
        shape = _of_each_input(array.shape, len(self.program.shapes[call.outputs[made.output]]))
        batch = self.program.shapes[self.program.inputs[0]][0]
        inputs, held = (self.names.get(other, other),), {"weight": array.reshaped(shape)}
        return FlatNode(name, "parameter", {"shape": shape}, inputs, (batch, *shape), call.place, held)

    def _foreign(self, call: ProgramCall, reason: str) -> None:
        values = references(tuple(call.arguments.values()))
        arrays = {f"array{n}": self.arrays[v] for n, v in enumerate(values) if v in self.arrays}
        inputs = tuple(self.names.get(v, v) for v in values if v not in self.arrays)
        for number, output in enumerate(call.outputs):
            shape = self.program.shapes.get(output, ())
            held = arrays if number == 0 else {}
            settings = {key: value for key, value in call.arguments.items() if not references(value)}
            node = FlatNode(output, call.target, settings, inputs, shape, call.place, held, foreign=True, reason=reason)
            self.nodes.append(node)


def _faults(operator: str, args: Mapping[str, Any]) -> Iterator[str]:
    """What an operator cannot have; of what patterns read, numbers that are not finite."""
    if not operator.startswith("~"):
        yield from (f"{field} {reason}" for field, reason in field_faults(operator, args))
    elif operator not in _INFINITE:
        for name, value in args.items():
            if isinstance(value, float) and not isfinite(value):
                yield f"{name} must be a finite number (got {value})"


def _of_each_input(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The sizes of an array behind the batch, so that it spreads over a result of that rank.

    >>> _of_each_input((1, 197, 768), 3), _of_each_input((768,), 3), _of_each_input((8, 1, 1), 4)
    ((197, 768), (1, 768), (8, 1, 1))
    """
    if len(shape) < rank:
        return (*(1,) * (rank - 1 - len(shape)), *shape)
    if len(shape) > rank or shape[0] != 1:
        raise UnsupportedError(f"takes an array of {'×'.join(map(str, shape))}, which is not the same for each input")
    return shape[1:]
