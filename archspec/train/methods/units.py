"""Units that pruning leaves without inputs or without outputs (Han et al. 2015, arXiv:1506.02626, section 3.5).

A unit without inputs is no zero: it gives f(bias) for every image. That constant goes into the biases behind it,
exactly, and the unit can be left out with its outgoing weights; one without outputs with its incoming ones.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archspec.graph.names import state_key

if TYPE_CHECKING:
    from torch import Tensor

    from archspec.graph import Network, Node

LAYERS = ("conv2d", "linear")
FUNCTIONS = ("relu", "relu6", "tanh", "sigmoid")
"""What changes single values, by torch's names; a constant stays one."""
CARRIERS = ("flatten", "dropout", "max_pool2d", "avg_pool2d")
"""What a constant passes unchanged while evaluating; pools that do not pad."""


@dataclass(frozen=True, slots=True)
class Joint:
    """Two layers between which each unit goes its own way.

    Attributes:
        before, after: The prefixes of their arrays.
        functions: What the values pass, in order.
        units: How many units the first has.
        exact: Whether a constant is one for the second layer: not, if it pads with zeros.
        biased: Whether the first and the second have biases.
    """

    before: str
    after: str
    functions: tuple[str, ...]
    units: int
    exact: bool
    biased: tuple[bool, bool]

    def constant(self, arrays: "Mapping[str, Tensor]", units: "Tensor") -> "Tensor":
        """What units without inputs give."""
        import torch

        name = f"{self.before}bias"
        found = arrays[name].detach()[units] if self.biased[0] else torch.zeros(int(units.sum()))
        for function in self.functions:
            found = (torch.nn.functional.relu6 if function == "relu6" else getattr(torch, function))(found)
        return found

    def by_unit(self, array: "Tensor") -> "Tensor":
        """The second layer's weights by output, unit, and where the unit's value stands: out × units × each."""
        return array.reshape(len(array), self.units, -1)


def joints(network: "Network") -> tuple[Joint, ...]:
    """All of a network, in order; a layer whose values several others take has none.

    >>> import archspec
    >>> [(joint.before, joint.after) for joint in joints(archspec.load("lenet_5").expand())]
    [('conv1.', 'conv2.'), ('conv2.', 'fc1.'), ('fc1.', 'fc2.')]
    """
    readers: dict[str, list[Node]] = {}
    for node in network.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    times = Counter({name: len(nodes) for name, nodes in readers.items()})
    times.update(network.outputs.values())
    found = []
    for node in network.nodes:
        if node.operator.name not in LAYERS or node.name in network.sharing:
            continue
        functions: list[str] = []
        here = node
        while times[here.name] == 1 and here.name in readers:
            here = readers[here.name][0]
            if here.name in network.sharing:
                break
            if here.operator.name in LAYERS:
                found += _joint(network, node, here, tuple(functions))
                break
            if here.operator.name in FUNCTIONS:
                functions.append(here.operator.name)
            elif here.operator.name not in CARRIERS or not _bare(here):
                break
    return tuple(found)


def _bare(node: "Node") -> bool:
    return node.operator.settings().get("padding", 0) in (0, (0, 0))


def _joint(network: "Network", before: "Node", after: "Node", functions: tuple[str, ...]) -> list[Joint]:
    if after.operator.settings().get("groups", 1) != 1:
        return []
    biased = [
        any(weight.role == "bias" for weight in node.operator.weights(*network.inputs_of(node)))
        for node in (before, after)
    ]
    keys = state_key(before.name, ""), state_key(after.name, "")
    return [Joint(*keys, functions, before.output.shape[1], _bare(after), (biased[0], biased[1]))]


def left_out(joints: tuple[Joint, ...], masks: "Mapping[str, Tensor]") -> "list[tuple[Joint, Tensor]]":
    """Clear the masks of units without inputs or outputs; gives those without inputs, in the order of folding.

    One pass forwards and one backwards find all: a unit left out can only take others of its own side with it.
    """
    folds = []
    for joint in joints:
        into, out = masks[f"{joint.before}weight"], joint.by_unit(masks[f"{joint.after}weight"])
        units = ~into.flatten(1).any(1) & out.any(2).any(0)
        if bool(units.any()) and joint.exact and joint.biased[1]:
            folds.append((joint, units))
            out[:, units] = False
    for joint in reversed(joints):
        into, out = masks[f"{joint.before}weight"], joint.by_unit(masks[f"{joint.after}weight"])
        units = ~out.any(2).any(0)
        into[units] = False
        if joint.biased[0]:
            masks[f"{joint.before}bias"][units] = False
    return folds


def fold(arrays: "Mapping[str, Tensor]", folds: "list[tuple[Joint, Tensor]]") -> None:
    """Add what units without inputs give to the biases behind them; their weights are left for the masks to clear."""
    for joint, units in folds:
        weights = joint.by_unit(arrays[f"{joint.after}weight"])[:, units].sum(2)
        arrays[f"{joint.after}bias"] += weights @ joint.constant(arrays, units).to(weights)


def counted(joints: tuple[Joint, ...], masks: "Mapping[str, Tensor]") -> dict[str, list[int]]:
    """Of each layer before another the units that are left, and all."""
    found = {}
    for joint in joints:
        left = joint.by_unit(masks[f"{joint.after}weight"]).any(2).any(0)
        found[joint.before.rstrip(".")] = [int(left.sum()), joint.units]
    return found
