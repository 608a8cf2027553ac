"""torch.export's functions → operators: what hands on or rearranges elements."""

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import permuted, reshaped, sliced, split_into
from archspec.importing.rules import Bound, Reading, ReadNode, Same, rule


@rule(
    *(f"aten.{name}.default" for name in ("contiguous", "clone", "alias", "detach", "lift_fresh_copy", "_to_copy")),
    *(f"aten.to.{form}" for form in ("dtype", "dtype_layout", "device")),
)
def same(call: Bound) -> Reading:
    """The same numbers, elsewhere in memory."""
    return Same(call.values("self")[0])


@rule(
    "aten.flatten.using_ints", "aten.view.default", "aten.reshape.default", "aten.squeeze.dims", "aten.squeeze.default"
)
def reshape(call: Bound) -> Reading:
    """Other axes for the same elements."""
    return reshaped(call.values("self"), call.shape("self"), call.output())


@rule("aten.narrow.default")
def narrow(call: Bound) -> Reading:
    """A piece of an axis."""
    shape, dim = call.shape("self"), call.axis("dim")
    if shape == call.output():
        return Same(call.values("self")[0])
    return sliced(call.values("self"), dim, shape[dim], int(call.get("start")), int(call.get("length")))


@rule("aten.select.int")
def select(call: Bound) -> Reading:
    """One place of an axis."""
    dim, index = int(call.get("dim")) % len(call.shape("self")), int(call.get("index"))
    return ReadNode("select" if dim else "~select", {"dim": dim, "index": index}, call.values("self"))


@rule("aten.unbind.int")
def unbind(call: Bound) -> Reading:
    """The places of an axis, one by one."""
    dim = int(call.get("dim", 0)) % len(call.shape("self"))
    return [
        ReadNode("select" if dim else "~select", {"dim": dim, "index": index}, call.values("self"), output=index)
        for index in range(len(call.call.outputs))
    ]


@rule("aten.squeeze.dim", "aten.unsqueeze.default", "aten.unflatten.int")
def squeeze(call: Bound) -> Reading:
    """An axis of size 1 goes, or comes."""
    return reshaped(call.values("self"), call.shape("self"), call.output())


@rule("aten.transpose.int")
def transpose(call: Bound) -> Reading:
    """Two axes change places."""
    order = list(range(len(call.output())))
    a, b = call.axis("dim0"), call.axis("dim1")
    order[a], order[b] = b, a
    return permuted(call.values("self"), order)


@rule("aten.movedim.int")
def movedim(call: Bound) -> Reading:
    """An axis stands elsewhere."""
    order = list(range(len(call.output())))
    order.insert(call.axis("destination"), order.pop(call.axis("source")))
    return permuted(call.values("self"), order)


@rule("aten.roll.default")
def roll(call: Bound) -> Reading:
    """Axes moved round."""
    dims = tuple(dim % len(call.output()) for dim in call.get("dims", ()))
    if not dims or 0 in dims:
        raise UnsupportedError("rolls the batch, or all axes as one")
    return ReadNode("roll", {"shifts": tuple(call.get("shifts")), "dims": dims}, call.values("self"))


@rule("aten.permute.default")
def permute(call: Bound) -> Reading:
    """The axes in another order."""
    return permuted(call.values("self"), [dim % len(call.output()) for dim in call.get("dims")])


@rule("aten.channel_shuffle.default", "aten.native_channel_shuffle.default")
def channel_shuffle(call: Bound) -> Reading:
    """The channels of groups, dealt out."""
    return ReadNode("channel_shuffle", {"groups": call.get("groups")}, call.values("self"))


@rule("aten.chunk.default", "aten.split_with_sizes.default", "aten.split.Tensor", "aten.split.sizes")
def split(call: Bound) -> Reading:
    """Parts along an axis: a node each."""
    dim = call.axis("dim")
    parts = tuple(call.output(number)[dim] for number in range(len(call.call.outputs)))
    return split_into(parts, dim, call.values("self"))


@rule("aten.slice.Tensor")
def part(call: Bound) -> Reading:
    """A part of an axis."""
    before, after = call.shape("self"), call.output()
    if before == after:
        return Same(call.values("self")[0])
    dim = int(call.get("dim", 0)) % len(before)
    start, step = int(call.get("start") or 0), int(call.get("step", 1))
    if step != 1:
        return ReadNode("~every", {"dim": dim, "step": step, "start": start}, call.values("self"))
    start += before[dim] if start < 0 else 0
    return sliced(call.values("self"), dim, before[dim], start, after[dim])
