"""Normalisations that are written as arithmetic, or by others."""

from dataclasses import replace
from math import prod

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of
from archspec.importing.program import HeldArray


def root_mean_square(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """x over the root of the mean of its squares along the last axis."""
    if node.operator != "mul" or len(node.inputs) != 2:
        return None
    for x, factor in (node.inputs, node.inputs[::-1]):
        inverse = nodes.get(factor)
        shifted = _below_root(inverse, nodes)
        mean = before(shifted, nodes, "mean") if shifted is not None else None
        square = before(mean, nodes, "power") if mean is not None else None
        if mean is None or square is None or shifted is None or square.inputs != (x,):
            continue
        last = {"dim": (len(node.shape) - 1,), "keepdim": True}
        if square.args == {"exponent": 2} and dict(mean.args) == last:
            return made_of(node, "rms_norm", (x,), eps=shifted.args["number"], elementwise_affine=False)
    return None


def _below_root(node: FlatNode | None, nodes: Nodes) -> FlatNode | None:
    """The sum of which a node is the inverse root."""
    if node is None or node.operator != "power":
        return None
    if node.args["exponent"] == -0.5:
        return before(node, nodes, "~add")
    root = before(node, nodes, "power") if node.args["exponent"] == -1 else None
    return before(root, nodes, "~add") if root is not None and root.args["exponent"] == 0.5 else None


def layer(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """(x − mean)/√(mean of (x − mean)² + eps) over the last axis, or over the channels of each pixel."""
    centred, shift = _over_root(node, nodes)
    square = before(shift, nodes, "mean") if shift is not None else None
    power = before(square, nodes, "power") if square is not None else None
    if centred is None or shift is None or square is None or power is None or power.args != {"exponent": 2}:
        return None
    x, mean = centred.inputs[0], nodes.get(centred.inputs[-1])
    if mean is None or mean.operator != "mean" or mean.inputs != (x,) or mean.args != square.args:
        return None
    inner = nodes.get(power.inputs[0])
    if inner is None or (inner.operator, inner.inputs) != ("subtract", centred.inputs) or not mean.args.get("keepdim"):
        return None
    rank = len(node.shape)
    dims = tuple(mean.args["dim"])
    if dims != (rank - 1,) and (dims != (1,) or rank < 4):
        return None
    image = {"over_channels": True} if dims == (1,) else {"normalized_shape": node.shape[-1:]}
    args = {"eps": shift.args["number"], "elementwise_affine": False, **(image if rank > 3 else {})}
    return made_of(node, "layer_norm", (x,), **args)


def _over_root(node: FlatNode, nodes: Nodes) -> tuple[FlatNode | None, FlatNode | None]:
    """A difference and the sum whose root divides it."""
    pairs = [node.inputs] if node.operator == "divide" else [node.inputs, node.inputs[::-1]]
    for x, other in pairs if node.operator in {"divide", "mul"} and len(node.inputs) == 2 else ():
        centred, root = nodes.get(x), nodes.get(other)
        if centred is None or root is None or centred.operator != "subtract" or root.operator != "power":
            continue
        plain = before(root, nodes, "~add") if root.args["exponent"] == 0.5 else None
        return centred, plain if node.operator == "divide" else _below_root(root, nodes)
    return None, None


def in_groups(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Groups of channels as the channels of another normalisation, and back."""
    norm = before(node, nodes, "instance_norm") if node.operator == "~reshape" else None
    first = before(norm, nodes, "~reshape") if norm is not None and not norm.args.get("affine") else None
    if norm is None or first is None or first.args["before"] != node.shape or len(first.shape) != 3:
        return None
    args = {"num_groups": first.shape[1], "eps": norm.args.get("eps", 1e-5), "affine": False}
    return made_of(node, "group_norm", first.inputs, **args)


def scaled(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A learned scale behind a normalisation that has none; of groups a shift must follow, which torch's has too."""
    for x in node.inputs if node.operator == "mul" else ():
        norm = nodes.get(x)
        if norm is None or norm.operator not in {"rms_norm", "group_norm", "layer_norm"} or norm.arrays:
            continue
        held = _learned(node, norm, nodes)
        if held is None:
            continue
        args = {name: value for name, value in norm.args.items() if "affine" not in name}
        found = replace(norm, name=node.name, args=args, arrays={"weight": held})
        if norm.operator == "layer_norm":
            return replace(found, args={**args, "bias": False})
        return found if norm.operator == "rms_norm" else replace(found, operator="~group_norm", foreign=True)
    return None


def shifted(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The learned shift behind the scale of a normalisation of groups, or of a layer."""
    for x in node.inputs if node.operator in {"add", "~bias"} else ():
        norm = nodes.get(x)
        if norm is None or not (norm.operator == "~group_norm" or (norm.operator == "layer_norm" and norm.arrays)):
            continue
        held = node.arrays["bias"] if node.operator == "~bias" else _learned(node, norm, nodes)
        if held is None or "bias" in norm.arrays or held.shape != norm.arrays["weight"].shape:
            continue
        args = {name: value for name, value in norm.args.items() if name != "bias"}
        arrays = {**norm.arrays, "bias": held}
        return replace(norm, name=node.name, operator=norm.operator.strip("~"), foreign=False, args=args, arrays=arrays)
    return None


def _learned(node: FlatNode, norm: FlatNode, nodes: Nodes) -> HeldArray | None:
    """The array of as many numbers as a normalisation has channels or features, if that is the other one joined."""
    others = [nodes[name] for name in node.inputs if name != norm.name and name in nodes]
    last = norm.operator == "rms_norm" or (norm.operator == "layer_norm" and not norm.args.get("over_channels"))
    size, axis = (norm.shape[-1], -1) if last else (norm.shape[1], 1)
    if len(others) != 1 or others[0].operator != "parameter":
        return None
    held = others[0].arrays["weight"]
    aligned = (1, *held.shape) if len(held.shape) == len(node.shape) - 1 else ()
    if not aligned or aligned[axis] != size or prod(aligned) != size:
        return None
    return held.reshaped((size,))
