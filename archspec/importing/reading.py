"""From a program to a flat graph: each call read by its rule, then with its neighbours by the patterns."""

from archspec.errors import ArchspecError
from archspec.importing.call_reader import CallReader
from archspec.importing.flat import INPUT, FlatGraph
from archspec.importing.in_place import check_in_place
from archspec.importing.patterns import joined
from archspec.importing.patterns.joins import folded
from archspec.importing.placing import with_parameters_placed
from archspec.importing.program import Program
from archspec.writing import printable


class ForeignError(ArchspecError):
    """A model has calls that no operator of the language computes; each kind is named with its places and count."""


def read(program: Program) -> FlatGraph:
    """A program as operators of the language, as far as there are any; dead nodes are left out, and named.

    Raises:
        ArchspecError: It has no inputs or outputs, or writes over what is read later.
    """
    _check_ends(program)
    check_in_place(program)
    reader = CallReader(program)
    for call in program.calls:
        reader.read(call)
    outputs = [reader.names.get(name, name) for name in program.outputs]
    labels = {INPUT: program.inputs[0], **{name: name for name in program.inputs[1:]}}
    if held := set(outputs) & reader.arrays.keys():
        raise ArchspecError(f"{program.name} gives {min(held)}, which does not depend on its input")
    if set(outputs) & labels.keys() or not reader.nodes:
        raise ArchspecError(f"{program.name} gives its input back: there is nothing to import")
    graph = FlatGraph(
        program.name,
        program.shapes[program.inputs[0]],
        tuple(reader.nodes),
        outputs[0],
        program.notes,
        more_inputs={name: program.shapes[name] for name in program.inputs[1:]},
        more_outputs=tuple(outputs[1:]),
        labels={**labels, **dict(zip(outputs, program.output_labels or program.outputs, strict=True))},
    )
    return with_parameters_placed(folded(joined(graph.live()).live(note=False))).without_idle_inputs()


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
