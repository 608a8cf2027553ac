"""torch.export's functions → operators: joins of results, and sums and products with numbers."""

from math import prod

from archspec.importing.program import UnsupportedError, Value
from archspec.importing.readings import joined_results
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("aten.maximum.default", "aten.minimum.default")
def extreme(call: Bound) -> Reading:
    """The larger, or the smaller, of two results."""
    return joined_results(call.call.target.split(".")[1], call, "self", "other")


@rule("aten.expand_as.default", "aten.expand.default")
def expand(call: Bound) -> Reading:
    """A learned tensor once for each input; axes of size 1 spread over those of another result, as joins do."""
    held, sizes = call.held(call.call.arguments["self"]), call.output()
    if held is not None:
        if sizes[0] != call.program.shapes[call.program.inputs[0]][0] or prod(sizes[1:]) != prod(held.shape):
            raise UnsupportedError("spreads an array by more than the batch")
        arrays = {"weight": held.reshaped(sizes[1:])}
        return ReadNode("parameter", {"shape": sizes[1:]}, call.program.inputs[:1], arrays)
    if call.call.target == "aten.expand.default" and sizes != call.shape("self"):
        raise UnsupportedError("")
    return Same(call.values("self")[0])


@rule("aten.stack.default")
def stack(call: Bound) -> Reading:
    """Side by side along an axis of its own: what patterns read with its neighbours."""
    return ReadNode("~stack", {"dim": call.axis("dim")}, call.values("tensors"))


@rule("aten.neg.default")
def negative(call: Bound) -> Reading:
    """The sign changed: what patterns read with its neighbours."""
    return ReadNode("~neg", {}, call.values("self"))


@rule("aten.cat.default")
def cat(call: Bound) -> Reading:
    """One behind the other."""
    return ReadNode("concat", {"dim": call.axis("dim")}, call.values("tensors"))


@rule(
    "aten.add.Tensor", "aten.add_.Tensor", "aten.mul.Tensor", "aten.mul_.Tensor", "aten.sub.Tensor", "aten.sub_.Tensor"
)
def join(call: Bound) -> Reading:
    """A sum, a product or a difference of results; with a number, what patterns read with its neighbours."""
    name = call.call.target.split(".")[1].rstrip("_")
    other = call.call.arguments.get("other")
    if call.get("alpha", 1) != 1:
        raise UnsupportedError("scales what it adds")
    if not isinstance(other, Value):
        return ReadNode(f"~{name}", {"number": other}, call.values("self"))
    return joined_results({"sub": "subtract"}.get(name, name), call, "self", "other")


@rule("aten.div.Tensor", "aten.div_.Tensor")
def divide(call: Bound) -> Reading:
    """By a number: what patterns read with its neighbours."""
    other = call.call.arguments.get("other")
    if isinstance(other, Value):
        return joined_results("divide", call, "self", "other")
    return ReadNode("~div", {"number": other}, call.values("self"))
