"""What is taken of the last states of a recurrent layer."""

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of


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
        return None if states.args["bidirectional"] else made_of(node, "select", (sequence,), dim=1, index=-1)
    hidden = {"operator", "sequence"}
    args = {name: value for name, value in states.args.items() if name not in hidden}
    found = made_of(node, states.args["operator"], states.inputs, **_told(args), return_sequences=False)
    return found.with_arrays(states.arrays)


def _told(args: dict[str, object]) -> dict[str, object]:
    usual = {"num_layers": 1, "bias": True, "bidirectional": False, "dropout": 0, "nonlinearity": "tanh"}
    return {name: value for name, value in args.items() if name not in usual or usual[name] != value}
