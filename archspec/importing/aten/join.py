"""torch.export's functions → operators: joins of results, and sums and products with numbers."""

from archspec.importing.program import UnsupportedError, Value
from archspec.importing.readings import joined_results
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("aten.maximum.default", "aten.minimum.default")
def extreme(call: Bound) -> Reading:
    """The larger, or the smaller, of two results."""
    return joined_results(call.call.target.split(".")[1], call, "self", "other")


@rule("aten.expand_as.default", "aten.expand.default")
def expand(call: Bound) -> Reading:
    """Axes of size 1 spread over those of another result: joins do this by themselves."""
    if call.call.target == "aten.expand.default":
        raise UnsupportedError("")
    return Same(call.values("self")[0])


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
