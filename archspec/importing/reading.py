"""From a program to a flat graph: each call read by its rule, then with its neighbours by the patterns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from archspec import ops
from archspec.errors import ArchspecError
from archspec.importing import aten, onnx_rules  # noqa: F401  # importing a table of rules enters them
from archspec.importing.flat import INPUT, FlatGraph, FlatNode
from archspec.importing.patterns import joined
from archspec.importing.program import HeldArray, Program, ProgramCall, UnsupportedError, references
from archspec.importing.rules import RULES, Bound, ReadNode, Same
from archspec.writing import printable

VIEWS = frozenset(
    f"aten.{name}"
    for name in (
        *(
            "view",
            "reshape",
            "flatten",
            "transpose",
            "permute",
            "slice",
            "select",
            "chunk",
            "split",
            "narrow",
            "unbind",
        ),
        *("split_with_sizes", "squeeze", "unsqueeze", "expand", "detach", "alias", "contiguous", "t"),
    )
)
"""Functions whose results may be their input's memory."""


class ForeignError(ArchspecError):
    """A model has calls that no operator of the language computes; each kind is named with its places and count."""


def read(program: Program) -> FlatGraph:
    """A program as operators of the language, as far as there are any; dead nodes are left out, and named.

    Raises:
        ArchspecError: It has several inputs or outputs, or writes over what is read later.
    """
    _check_ends(program)
    program = replace(program, calls=tuple(call for call in program.calls if call.outputs))  # others only assert
    check_in_place(program)
    reader = _CallReader(program)
    for call in program.calls:
        reader.read(call)
    output = reader.names.get(program.outputs[0], program.outputs[0])
    if output == INPUT or not reader.nodes:
        raise ArchspecError(f"{program.name} gives its input back: there is nothing to import")
    _check_inputs(program.name, reader.nodes, output)
    graph = FlatGraph(program.name, program.shapes[program.inputs[0]], tuple(reader.nodes), output, program.notes)
    return joined(graph.live()).live(note=False)


def _check_inputs(name: str, nodes: Sequence[FlatNode], output: str) -> None:
    """See to it that each value which is taken is the input, or made before by a call."""
    made = {INPUT}
    for node in nodes:
        if not node.inputs and not node.foreign:
            raise ArchspecError(f"{name}: {node.operator} at {node.place or node.name} takes nothing that is computed")
        if unknown := [value for value in node.inputs if value not in made]:
            raise ArchspecError(
                f"{name}: {node.operator} at {node.place or node.name} takes {printable(unknown[0], 60)}, "
                "which nothing gives before it"
            )
        made.add(node.name)
    if output not in made:
        raise ArchspecError(f"{name}: its output {printable(output, 60)} is not computed")


def refuse_foreign(graph: FlatGraph) -> None:
    """Say all that is not known, at once.

    Raises:
        ForeignError: There is something.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for node in graph.nodes:
        if node.foreign:
            found.setdefault((node.operator, node.reason), []).append(str(node.place) or node.name)
    if found:
        lines = [
            f"{operator} ({len(places)}×, first at {printable(places[0], 80)})" + (f": {reason}" if reason else "")
            for (operator, reason), places in found.items()
        ]
        head = f"{graph.name} has calls that no operator of the language computes"
        raise ForeignError("\n    ".join([head, *lines]))


def _check_ends(program: Program) -> None:
    for what, names in (("inputs", program.inputs), ("outputs", program.outputs)):
        if len(names) != 1:
            shown = ", ".join(map(str, names[:6])) or "none"
            raise ArchspecError(f"{program.name} has {len(names)} {what} ({shown}); a specification has one")


def check_in_place(program: Program) -> None:
    """See to it that no call writes over numbers that are read under another name later.

    Raises:
        ArchspecError: One does.
    """
    root: dict[str, str] = {}
    stale: dict[str, ProgramCall] = {}
    for call in program.calls:
        taken = references(tuple(call.arguments.values()))
        _refuse_stale(taken, stale, f"{call.target} at {call.place or call.outputs[0]}")
        function = call.target.rpartition(".")[0]
        writes = call.target.startswith("aten.") and function.endswith("_") and bool(taken)
        if taken and (writes or function in VIEWS):
            origin = root.get(taken[0], taken[0])
            if writes:
                stale.update((name, call) for name, of in [*root.items(), (origin, origin)] if of == origin)
            root.update((output, origin) for output in call.outputs)
    _refuse_stale(list(program.outputs), stale, "the output")


def _refuse_stale(names: list[str], stale: Mapping[str, ProgramCall], reader: str) -> None:
    for name in names:
        if name in stale:
            writer = stale[name]
            raise ArchspecError(
                f"{writer.target} at {writer.place or writer.outputs[0]} writes over numbers that {reader} reads by "
                "another name; write it without in place"
            )


class _CallReader:
    """The walk over a program's calls."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = {program.inputs[0]: INPUT}
        self.nodes: list[FlatNode] = []

    def read(self, call: ProgramCall) -> None:
        """A call by its rule, or as a foreign node."""
        rule = RULES.get(call.target)
        try:
            if rule is None:
                raise UnsupportedError("")
            found = rule(Bound(call, self.program))
        except UnsupportedError as reason:
            self._foreign(call, str(reason))
            return
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ArchspecError):
                raise
            self._foreign(call, f"has arguments that cannot be read ({type(error).__name__})")
            return
        if isinstance(found, Same):
            self.names[call.outputs[0]] = self.names.get(found.value, found.value)
            return
        for made in found if isinstance(found, list) else [found]:
            self._add(call, made)

    def _add(self, call: ProgramCall, made: ReadNode) -> None:
        if made.output >= len(call.outputs):
            raise ArchspecError(f"{self.program.name}: {call.target} at {call.place or call.outputs[0]} gives too few")
        name = call.outputs[made.output]
        inputs = tuple(self.names.get(value, value) for value in made.inputs)
        raw = made.operator.startswith("~")
        operator, args = made.operator, dict(made.args) if raw else _told(made)
        foreign = {"foreign": True, "reason": ""} if raw else {}
        shape = self.program.shapes.get(name, ())
        self.nodes.append(FlatNode(name, operator, args, inputs, shape, call.place, dict(made.arrays), **foreign))  # type: ignore[arg-type]

    def _foreign(self, call: ProgramCall, reason: str) -> None:
        values = references(tuple(call.arguments.values()))
        arrays = {f"array{n}": self.program.arrays[v] for n, v in enumerate(values) if v in self.program.arrays}
        inputs = tuple(self.names.get(v, v) for v in values if v not in self.program.arrays)
        for number, output in enumerate(call.outputs):
            shape = self.program.shapes.get(output, ())
            held = arrays if number == 0 else {}
            settings = {key: value for key, value in call.arguments.items() if not references(value)}
            node = FlatNode(output, call.target, settings, inputs, shape, call.place, held, foreign=True, reason=reason)
            self.nodes.append(node)


def _told(made: ReadNode) -> dict[str, object]:
    """The arguments of a node that are not the operator's defaults."""
    fields = ops.operator(made.operator).model_fields
    return {
        name: value for name, value in made.args.items() if fields[name].is_required() or fields[name].default != value
    }


def shared(graph: FlatGraph) -> Iterator[tuple[HeldArray, list[FlatNode]]]:
    """The arrays that several nodes have, with these."""
    found: dict[str, tuple[HeldArray, list[FlatNode]]] = {}
    for node in graph.nodes:
        for array in node.arrays.values():
            found.setdefault(array.key, (array, []))[1].append(node)
    yield from ((array, nodes) for array, nodes in found.values() if len(nodes) > 1)
