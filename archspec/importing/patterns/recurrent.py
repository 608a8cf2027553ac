"""Recurrent layers: several of one kind after one another, and what is taken of their sequences and last states."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, without
from archspec.importing.program import HeldArray


def last_state(node: Seen) -> Iterator[FlatNode]:
    """The last layer's last state alone; of both directions, one beside the other."""
    match node:
        case Seen("concat", [forth, back]) if node.args.get("dim", 1) == len(node.shape) - 1:
            states, other = _states(forth, -2), _states(back, -1)
            whole = states is not None and states == other and states.args["bidirectional"]
        case _:
            states = _states(node, -1)
            whole = states is not None and not states.args["bidirectional"]
    if states is not None and whole:
        yield from _last(node, states)


def _states(node: Seen, place: int) -> Seen | None:
    """The states of which a node takes one place, counted from the end; the only one also by a reshaping."""
    match node:
        case Seen("~select", [Seen("~states") as states], args={"index": index}):
            return states if index in {place, states.shape[0] + place} else None
        case Seen("~reshape", [Seen("~states", shape=(1, *sizes)) as states]):
            return states if place == -1 and node.shape == tuple(sizes) else None
    return None


def _last(node: Seen, states: Seen) -> Iterator[FlatNode]:
    """A layer that gives its last state; where its sequence is taken, too, the last place of that."""
    operator, sequence = states.args["operator"], node.before.get(states.args["sequence"])
    if sequence is None:
        args = without(states.args, "operator", "sequence")
        yield node.made(operator, *states.of, **args, return_sequences=False).with_arrays(states.arrays)
    elif sequence.operator == operator and not states.args["bidirectional"]:
        yield node.made("select", sequence, dim=1, index=-1)


# ------------------------------------------------------------------ ONNX: a node a layer, time first


def time_first(node: Seen) -> Iterator[FlatNode]:
    """A layer's states of all steps as L × n × directions·h: directions put behind, or, of one, gone."""
    match node:
        case Seen("~reshape", [Seen("~permute", [Seen("~layer") as layer], args={"order": (0, 2, 1, 3)})]):
            pass
        case Seen("~reshape", [Seen("~layer") as layer]) if not layer.args["bidirectional"]:
            pass
        case _:
            return
    if len(node.shape) == 3:
        inputs, arrays = layer.flat.inputs, layer.arrays
        yield replace(node.flat, operator="~sequence", args=layer.args, inputs=inputs, arrays=arrays)


def sequences(node: Seen) -> Iterator[FlatNode]:
    """Layers after one another, the batch put first again: one operator of so many layers."""
    match node:
        case Seen("~permute", [Seen("~sequence") as found], args={"order": (1, 0, 2)}):
            stack = _stack(found)
            if stack is not None:
                source, args, arrays = stack
                yield node.made(found.args["operator"], source, **args).with_arrays(arrays)


def states(node: Seen) -> Iterator[FlatNode]:
    """The last states of layers after one another, as torch gives them."""
    match node:
        case Seen("~layer_states"):
            stack = _stack(node)
            if stack is not None:
                source, args, arrays = stack
                told = {**args, "operator": node.args["operator"], "sequence": node.args["raw"]}
                yield replace(node.flat, operator="~states", args=told, inputs=(source.name,), arrays=arrays)
        case Seen("~concat", [*_, Seen("~states") as last]):
            yield replace(last.flat, name=node.name, shape=node.shape, place=node.flat.place, foreign=True)


def _stack(top: Seen) -> "tuple[Seen, dict[str, Any], dict[str, HeldArray]] | None":
    """What flows into the first of layers of one kind, the settings of all, and their arrays by torch's names."""
    layers, below = [top], top.of
    while len(below) == 1 and below[0].operator == "~sequence" and _alike(below[0], top):
        layers.insert(0, below[0])
        below = below[0].of
    match below:
        case [Seen("~permute", [source], args={"order": (1, 0, 2)})]:
            args = {**without(top.args, "operator", "raw"), "num_layers": len(layers)}
            keyed = (
                (number, name, array) for number, layer in enumerate(layers) for name, array in layer.arrays.items()
            )
            return source, args, {_key(name, number): array for number, name, array in keyed}
    return None


def _alike(one: Seen, other: Seen) -> bool:
    return all(one.args[name] == other.args[name] for name in one.args if name != "raw")


def _key(name: str, layer: int) -> str:
    """The name of an array of a layer: weight_ih_reverse of the first is weight_ih_l0_reverse."""
    stem, _, end = name.partition("_reverse")
    return f"{stem}_l{layer}{'_reverse' if 'reverse' in name else ''}{end}"
