"""From a flat graph to a document: the plain list, or with the structure recovered; proved to be the same network."""

from dataclasses import dataclass, field
from typing import Any

from archspec.errors import ArchspecError, SpecErrors
from archspec.graph import expand
from archspec.graph.names import state_key
from archspec.importing.flat import FlatGraph
from archspec.importing.grammar import with_units
from archspec.importing.growing import grown
from archspec.importing.items import ForkItem, Items, Leaf, flattened
from archspec.importing.listing import Listing
from archspec.importing.program import HeldArray
from archspec.importing.proof import proved
from archspec.importing.sharing import sharing
from archspec.importing.structure.blocks import FoundBlock, recovered
from archspec.importing.tensorflow import told_apart_by
from archspec.importing.wiring import wired
from archspec.importing.writing_steps import Text, cleaned, steps, written
from archspec.language import Document, check, dumps
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
    arrays: dict[str, HeldArray] = field(repr=False)
    notes: tuple[str, ...] = ()
    names: dict[str, str] = field(default_factory=dict, repr=False)


def imported(graph: FlatGraph, *, flat: bool = False) -> Imported:
    """The document of a model.

    Args:
        graph: The model, without foreign nodes.
        flat: Whether to list its nodes one after the other, without the structure that is found in them.

    Raises:
        ArchspecError: Two of its layers have some of their arrays in common, and not all.
    """
    if graph.more_inputs or graph.more_outputs or sharing(graph):
        return _listed(graph)
    why: tuple[str, ...] = ()
    if not flat:
        try:
            return _structured(graph)
        except ArchspecError as error:
            why = (f"no structure was found that gives the same network: {error}",)
    items = wired(graph, modules=False)
    _name_by_place(items)
    return _proved(graph, items, {}, why)


def _structured(graph: FlatGraph) -> Imported:
    """With the blocks of its modules; where nothing is said of these, of its units, if that is shorter."""
    graph = grown(graph)
    units = with_units(graph)
    if units is None:
        return _of_modules(graph)
    try:
        several = [_of_modules(units), _of_modules(graph)]
    except ArchspecError:
        return _of_modules(graph)
    return min(several, key=lambda found: len(dumps(found.document)))


def _of_modules(graph: FlatGraph) -> Imported:
    found = recovered(wired(graph))
    return _proved(graph, found.items, found.blocks)


def _proved(graph: FlatGraph, items: Items, blocks: dict[str, FoundBlock], why: tuple[str, ...] = ()) -> Imported:
    sizes, symbols = _input(graph)
    document = document_from(graph, items, blocks, sizes=sizes, symbols=symbols)
    names = proved(document, graph, list(flattened(items)))
    if symbols and not _holds_elsewhere(document, graph):
        document = document_from(graph, items, blocks)
    padded = told_apart_by(graph) if document.symbols else ""
    return Imported(document, arrays_of(graph, names), (*graph.notes, *why, *filter(None, [padded])), names)


def document_from(
    graph: FlatGraph,
    items: Items,
    blocks: dict[str, FoundBlock],
    text: Text = int,
    *,
    sizes: tuple[Any, ...] = (),
    symbols: dict[str, Symbol] | None = None,
    functions: dict[str, str] | None = None,
) -> Document:
    """A document of items and the blocks that they call.

    Args:
        graph: The model that they are of.
        items: The network's body.
        blocks: What it calls.
        text: What stands for a number that differs between instances.
        sizes: The input's, those of the graph by default.
        symbols: The symbols.
        functions: The functions.

    Raises:
        SpecErrors: It is no document of the language.
    """
    known = {name: block.args for name, block in blocks.items()}
    return _checked(
        graph,
        symbols=symbols or {},
        functions=functions or {},
        input=sizes or tuple(map(int, graph.input[1:])),
        blocks={
            name: Block(args=written(block.args, text), body=steps(block.items, known, text))
            for name, block in blocks.items()
        },
        network=steps(items, known, text),
    )


def _checked(graph: FlatGraph, **parts: Any) -> Document:
    document = Document(archspec=1, name=cleaned(graph.name) or "imported", **parts)
    if faults := check(document):
        raise SpecErrors(faults)
    return document


def refuse_sharing(graph: FlatGraph) -> None:
    """Refuse a model that has a form as a list of steps alone.

    Raises:
        ArchspecError: It has several inputs or outputs, or layers that share weights.
    """
    if graph.more_inputs or graph.more_outputs or sharing(graph):
        raise ArchspecError(
            f"{graph.name} has several inputs or outputs, or layers that share weights; --vary is of models without"
        )


def _listed(graph: FlatGraph) -> Imported:
    """A model with several inputs or outputs, or with weights that are used twice: each step says what it takes."""
    listing = Listing(graph)
    document = _listed_document(graph, listing, *_input(graph))
    names = proved(document, graph, list(graph.nodes))
    if document.symbols and not _holds_elsewhere(document, graph):
        document = _listed_document(graph, listing, tuple(map(int, graph.input[1:])), {})
    return Imported(document, arrays_of(graph, names), graph.notes, names)


def _listed_document(
    graph: FlatGraph, listing: Listing, sizes: tuple[Any, ...], symbols: dict[str, Symbol]
) -> Document:
    ends = {"inputs": listing.inputs} if listing.inputs else {"input": sizes, "symbols": symbols}
    return _checked(graph, outputs=listing.outputs, network=listing.steps, **ends)


def _name_by_place(items: Items) -> None:
    """Call each item of one body by the whole of its place."""
    for item in items:
        if isinstance(item, Leaf) and item.nodes[0].place.names:
            item.name = "_".join(item.nodes[0].place.names)
        elif isinstance(item, ForkItem):
            for branch in item.branches:
                _name_by_place(branch.items)


SIZED = frozenset({"parameter", "reshape", "unflatten", "from_patches", "resize", "relative_position_bias", "narrow"})
"""Operators whose settings may be sizes that an image's side makes."""


def _holds_elsewhere(document: Document, graph: FlatGraph) -> bool:
    """Whether the network is one at another side, too: of one instance nobody knows what a size depends on."""
    if not any(node.operator in SIZED for node in graph.nodes):
        return True
    try:
        expand(document, {SIDE: 2 * graph.input[2]})
    except ArchspecError:
        return False
    return True


def _input(graph: FlatGraph) -> tuple[tuple[Any, ...], dict[str, Symbol]]:
    """The input's sizes; the side of a square image is a symbol, on which nothing else of a document depends."""
    sizes = graph.input[1:]
    measured = any(node.function for node in graph.nodes)  # shapes that no other side has
    if not measured and len(sizes) == 3 and sizes[1] == sizes[2] and sizes[1] > 1:
        return (sizes[0], SIDE, SIDE), {SIDE: Symbol(default=sizes[1], doc="input height and width")}
    return sizes, {}


def arrays_of(graph: FlatGraph, names: dict[str, str]) -> dict[str, HeldArray]:
    """The arrays of a model by the keys of its document's state dict.

    Args:
        graph: The model.
        names: What the document calls its nodes.
    """
    again = sharing(graph)
    return {
        state_key(names[node.name], array): held
        for node in graph.nodes
        for array, held in node.arrays.items()
        if node.name in names and node.name not in again
    }
