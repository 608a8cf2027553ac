"""torch.export's functions → operators: joins of results, and sums and products with numbers."""

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import clipped, joined_results, spread_out, with_number
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule("aten.maximum.default", "aten.minimum.default")
def extreme(call: Bound) -> Reading:
    """The larger, or the smaller, of two results; of a result and a number, which is a bound."""
    word = call.call.target.split(".")[1]
    for number, other in (("other", "self"), ("self", "other")):
        if (found := call.number(number)) is not None:
            return clipped(call.values(other), *((found, None) if word == "maximum" else (None, found)))
    return joined_results(word, call, "self", "other")


@rule("aten.expand.default")
def expand(call: Bound) -> Reading:
    """A learned tensor once for each input."""
    return spread_out(call, "self")


@rule("aten.expand_as.default")
def expand_as(call: Bound) -> Reading:
    """Axes of size 1 spread over those of another result: joins do this by themselves."""
    return Same(call.values("self")[0])


@rule("aten.stack.default")
def stack(call: Bound) -> Reading:
    """Side by side along an axis of its own: what patterns read with its neighbours."""
    return ReadNode("~stack", {"dim": call.axis("dim")}, call.values("tensors"))


@rule("aten.neg.default", "aten.neg_.default")
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
    if call.get("alpha", 1) != 1:
        raise UnsupportedError("scales what it adds")
    name = {"sub": "subtract"}.get(name, name)
    for number, other in (("other", "self"), ("self", "other")):
        if (found := call.number(number)) is not None and call.number(other) is None:
            if name == "subtract" and number == "self":
                return ReadNode("~from_subtract", {"number": found}, call.values(other))
            return with_number(name, found, call.values(other))
    return joined_results(name, call, "self", "other")


@rule("aten.rsub.Scalar")
def rsub(call: Bound) -> Reading:
    """A number less a result."""
    if call.get("alpha", 1) != 1:
        raise UnsupportedError("scales what it takes away")
    return ReadNode("~from_subtract", {"number": call.get("other")}, call.values("self"))


@rule("aten.div.Tensor", "aten.div_.Tensor")
def divide(call: Bound) -> Reading:
    """By a number: what patterns read with its neighbours."""
    number = call.number("other")
    if number is None:
        return joined_results("divide", call, "self", "other")
    return with_number("divide", number, call.values("self"))
