"""From a flat graph to a document: the plain list, or with the structure recovered; proved to be the same network."""

from dataclasses import dataclass, field
from typing import Any

from archspec.errors import ArchspecError, SpecErrors
from archspec.graph.names import state_key
from archspec.importing.flat import FlatGraph
from archspec.importing.items import Fork, Items, Leaf, flattened
from archspec.importing.program import Array
from archspec.importing.proof import proved
from archspec.importing.reading import shared
from archspec.importing.structure import recovered
from archspec.importing.structure.blocks import FoundBlock
from archspec.importing.wiring import wired
from archspec.importing.writing_steps import cleaned, steps
from archspec.language import Document, check
from archspec.language.document import Block, Symbol

SIDE = "side"


@dataclass(frozen=True, slots=True)
class Imported:
    """A model as a document.

    Attributes:
        document: The specification.
        arrays: The model's arrays by the keys of the specification's state dict.
        notes: What a reader should know of how it was read.
        names: What the document calls the model's nodes.
    """

    document: Document
    arrays: dict[str, Array] = field(repr=False)
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict, repr=False)


def imported(graph: FlatGraph, *, flat: bool = False) -> Imported:
    """The document of a model.

    Args:
        graph: The model, without foreign nodes.
        flat: Whether to list its nodes one after the other, without the structure that is found in them.

    Raises:
        ArchspecError: Two of its layers share an array.
    """
    _refuse_sharing(graph)
    Document.model_rebuild()  # before steps are made: pydantic writes a step otherwise that was made before its document
    why: tuple[str, ...] = ()
    if not flat:
        try:
            return _structured(graph)
        except ArchspecError as error:
            why = (f"no structure was found that gives the same network: {error}",)
    items = _plain(graph)
    return _proved(graph, items, {}, why)


def _structured(graph: FlatGraph) -> Imported:
    found = recovered(wired(graph))
    order = list(flattened(found.items))
    return _proved(graph, found.items, found.blocks, (), order)


def _proved(
    graph: FlatGraph, items: Items, blocks: dict[str, FoundBlock], why: tuple[str, ...], order: Any = None
) -> Imported:
    order = order or list(flattened(items))
    known = {name: block.args for name, block in blocks.items()}
    document = Document(
        archspec=1,
        name=cleaned(graph.name) or "imported",
        blocks={name: Block(args=block.args, body=steps(block.items, known)) for name, block in blocks.items()},
        network=steps(items, known),
        **_input(graph),
    )
    if faults := check(document):
        raise SpecErrors(faults)
    names = proved(document, graph, order)
    return Imported(document, _arrays(graph, names), (*graph.notes, *why), names)


def _refuse_sharing(graph: FlatGraph) -> None:
    for array, nodes in shared(graph):
        places = " and ".join(str(node.place) or node.name for node in nodes[:3])
        raise ArchspecError(
            f"{graph.name} uses {array.key} {len(nodes)} times (at {places}); layers that share weights have no form"
        )


def _plain(graph: FlatGraph) -> Items:
    """The items of one body, each under the whole of its place."""
    items = wired(graph, modules=False)
    _name_by_place(items)
    return items


def _name_by_place(items: Items) -> None:
    for item in items:
        if isinstance(item, Leaf) and item.nodes[0].place.names:
            item.name = "_".join(item.nodes[0].place.names)
        elif isinstance(item, Fork):
            for branch in item.branches:
                _name_by_place(branch.items)


def _input(graph: FlatGraph) -> dict[str, object]:
    """The input's sizes; the side of a square image is a symbol, on which nothing else of a document depends."""
    sizes = graph.input[1:]
    if len(sizes) == 3 and sizes[1] == sizes[2] and sizes[1] > 1:
        return {
            "symbols": {SIDE: Symbol(default=sizes[1], doc="input height and width")},
            "input": (sizes[0], SIDE, SIDE),
        }
    return {"input": sizes}


def _arrays(graph: FlatGraph, names: dict[str, str]) -> dict[str, Array]:
    return {
        state_key(names[node.name], array): held
        for node in graph.nodes
        for array, held in node.arrays.items()
        if node.name in names
    }
