"""Recurrent layers: several of one kind after one another, and what is taken of their sequences and last states."""

from dataclasses import replace
from typing import Any

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of
from archspec.importing.program import HeldArray

TURNED = (1, 0, 2)
"""Time and batch exchanged."""


def last_state(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The last layer's last state alone; of both directions, one beside the other."""
    if node.operator == "concat" and len(node.inputs) == 2 and node.args.get("dim", 1) == len(node.shape) - 1:
        forth, back = (nodes.get(name) for name in node.inputs)
        states = _states(forth, nodes, -2)
        both = states is not None and states.args["bidirectional"] and states is _states(back, nodes, -1)
        return _last(node, states, nodes) if both and states is not None else None
    states = _states(node, nodes, -1)
    return _last(node, states, nodes) if states is not None and not states.args["bidirectional"] else None


def _states(node: FlatNode | None, nodes: Nodes, place: int) -> FlatNode | None:
    """The states of which a node takes one place, counted from the end; the only one also by a reshaping."""
    if node is None:
        return None
    states = before(node, nodes, "~states")
    if states is None:
        return None
    if node.operator == "~reshape":
        return states if states.shape[0] == 1 and node.shape == states.shape[1:] and place == -1 else None
    index = node.args["index"] if node.operator == "~select" else None
    return states if index in {place, states.shape[0] + place} else None


def _last(node: FlatNode, states: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A layer that gives its last state; where its sequence is taken, too, the last place of that."""
    sequence = states.args["sequence"]
    if sequence in nodes:
        taken = nodes[sequence].operator == states.args["operator"] and not states.args["bidirectional"]
        return made_of(node, "select", (sequence,), dim=1, index=-1) if taken else None
    args = {name: value for name, value in states.args.items() if name not in {"operator", "sequence"}}
    found = made_of(node, states.args["operator"], states.inputs, **args, return_sequences=False)
    return found.with_arrays(states.arrays)


# ------------------------------------------------------------------ ONNX: a node a layer, time first


def time_first(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A layer's states of all steps as L × n × directions·h: directions put behind, or, of one, gone."""
    if node.operator != "~reshape" or len(node.shape) != 3:
        return None
    turned = before(node, nodes, "~permute")
    layer = before(turned, nodes, "~layer") if turned is not None and turned.args["order"] == (0, 2, 1, 3) else None
    layer = layer or before(node, nodes, "~layer")
    if layer is None or (turned is None and layer.args["bidirectional"]):
        return None
    return replace(node, operator="~sequence", args=layer.args, inputs=layer.inputs, arrays=layer.arrays)


def sequences(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Layers after one another, the batch put first again: one operator of so many layers."""
    found = before(node, nodes, "~sequence") if node.operator == "~permute" else None
    stack = _stack(found, nodes) if found is not None and node.args["order"] == TURNED else None
    if stack is None or found is None:
        return None
    source, args, arrays = stack
    return made_of(node, found.args["operator"], (source,), **args).with_arrays(arrays)


def states(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The last states of layers after one another, as torch gives them."""
    if node.operator == "~layer_states":
        stack = _stack(node, nodes)
        if stack is None:
            return None
        source, args, arrays = stack
        told = {**args, "operator": node.args["operator"], "sequence": node.args["raw"]}
        return replace(node, operator="~states", args=told, inputs=(source,), arrays=arrays)
    if node.operator != "concat" or node.args.get("dim", 1) != 0:
        return None
    last = nodes.get(node.inputs[-1])
    return replace(node, **_copied(last), foreign=True) if last is not None and last.operator == "~states" else None


def _copied(last: FlatNode) -> dict[str, Any]:
    return {"operator": last.operator, "args": last.args, "inputs": last.inputs, "arrays": last.arrays}


def _stack(top: FlatNode, nodes: Nodes) -> "tuple[str, dict[str, Any], dict[str, HeldArray]] | None":
    """What flows into the first of layers of one kind, the settings of all, and their arrays by torch's names."""
    layers = [top]
    while (below := before(layers[0], nodes, "~sequence")) is not None and _alike(below, top):
        layers.insert(0, below)
    turned = before(layers[0], nodes, "~permute")
    if turned is None or turned.args["order"] != TURNED:
        return None
    args = {name: value for name, value in top.args.items() if name not in {"operator", "raw"}}
    arrays = {_key(name, number): array for number, layer in enumerate(layers) for name, array in layer.arrays.items()}
    return turned.inputs[0], {**args, "num_layers": len(layers)}, arrays


def _alike(one: FlatNode, other: FlatNode) -> bool:
    return all(one.args[name] == other.args[name] for name in one.args if name != "raw")


def _key(name: str, layer: int) -> str:
    """The name of an array of a layer: weight_ih_reverse of the first is weight_ih_l0_reverse."""
    stem, _, end = name.partition("_reverse")
    return f"{stem}_l{layer}{'_reverse' if 'reverse' in name else ''}{end}"
