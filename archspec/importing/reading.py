"""From a program to a flat graph: each call read by its rule, then with its neighbours by the patterns."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from archspec.errors import ArchspecError
from archspec.importing.call_reader import CallReader
from archspec.importing.flat import INPUT, FlatGraph, FlatNode
from archspec.importing.patterns import joined
from archspec.importing.patterns.layers import folded
from archspec.importing.program import Program, ProgramCall, references
from archspec.writing import printable

VIEWS = frozenset(
    f"aten.{name}"
    for name in (
        *("view", "reshape", "flatten", "transpose", "permute", "slice", "select", "chunk", "split", "narrow"),
        *("split_with_sizes", "squeeze", "unsqueeze", "expand", "detach", "alias", "contiguous", "t", "unbind"),
        *("unflatten", "movedim", "to"),
    )
)
"""Functions whose results may be their input's memory."""


class ForeignError(ArchspecError):
    """A model has calls that no operator of the language computes; each kind is named with its places and count."""


def read(program: Program) -> FlatGraph:
    """A program as operators of the language, as far as there are any; dead nodes are left out, and named.

    Raises:
        ArchspecError: It has no inputs or outputs, or writes over what is read later.
    """
    _check_ends(program)
    program = replace(program, calls=tuple(call for call in program.calls if call.outputs))  # others only assert
    _check_in_place(program)
    reader = CallReader(program)
    for call in program.calls:
        reader.read(call)
    outputs = [reader.names.get(name, name) for name in program.outputs]
    labels = {INPUT: program.inputs[0], **{name: name for name in program.inputs[1:]}}
    if held := set(outputs) & reader.arrays.keys():
        raise ArchspecError(f"{program.name} gives {min(held)}, which does not depend on its input")
    if set(outputs) & labels.keys() or not reader.nodes:
        raise ArchspecError(f"{program.name} gives its input back: there is nothing to import")
    _check_inputs(program.name, reader.nodes, {INPUT, *program.inputs[1:]}, outputs)
    graph = FlatGraph(
        program.name,
        program.shapes[program.inputs[0]],
        tuple(reader.nodes),
        outputs[0],
        program.notes,
        more_inputs={name: program.shapes[name] for name in program.inputs[1:]},
        more_outputs=tuple(outputs[1:]),
        labels={**labels, **dict(zip(outputs, program.outputs, strict=True))},
    )
    return _with_parameters_placed(folded(joined(graph.live()).live(note=False))).without_idle_inputs()


def _check_in_place(program: Program) -> None:
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


def _check_inputs(name: str, nodes: Sequence[FlatNode], inputs: AbstractSet[str], outputs: Sequence[str]) -> None:
    """See to it that each value which is taken, or is an output, is an input or was made before by a call."""
    made = {*inputs}
    for node in nodes:
        where = f"{name}: {node.operator} at {node.place or node.name}"
        if not node.inputs and not node.foreign:
            raise ArchspecError(f"{where} takes nothing that is computed")
        if unknown := [value for value in node.inputs if value not in made]:
            raise ArchspecError(f"{where} takes {printable(unknown[0], 60)}, which nothing gives before it")
        made.add(node.name)
    if unknown := [output for output in outputs if output not in made]:
        raise ArchspecError(f"{name}: its output {printable(unknown[0], 60)} is not computed")


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
        if not names or len(set(names)) < len(names):
            shown = ", ".join(map(str, names[:6]))
            raise ArchspecError(
                f"{program.name} has {f'the {what} {shown}, one of them twice' if names else f'no {what}'}"
            )


def _with_parameters_placed(graph: FlatGraph) -> FlatGraph:
    """The graph with each `parameter` right before its first user, taking the batch from what it is joined with there.

    A parameter reads nothing of its input but the batch, so that any value will do; the one beside it makes it a branch
    of the join, as a person writes it.
    """
    users, position = graph.users(), {node.name: number for number, node in enumerate(graph.nodes)}
    parameters = {node.name for node in graph.nodes if node.operator == "parameter"}
    moved: dict[str, list[FlatNode]] = {}
    for node in graph.nodes:
        if node.name in parameters and users[node.name]:
            first = min(users[node.name], key=lambda user: position[user.name])
            beside = [name for name in first.inputs if name not in parameters]
            source = beside[0] if beside else node.inputs[0]
            moved.setdefault(first.name, []).append(replace(node, inputs=(source,)))
    gone = {node.name for nodes in moved.values() for node in nodes}
    ordered = [each for node in graph.nodes if node.name not in gone for each in (*moved.get(node.name, ()), node)]
    return replace(graph, nodes=tuple(ordered))
