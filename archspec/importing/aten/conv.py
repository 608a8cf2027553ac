"""torch.export's functions → operators: convolutions and fully connected layers."""

from archspec.importing.readings import one_bit
from archspec.importing.rules import Bound, Reading, ReadNode, one_or_pair, rule


@rule(*(f"aten.conv{n}d.{form}" for n in (1, 2, 3) for form in ("default", "padding")))
def conv(call: Bound) -> Reading:
    """A convolution; `padding` is a word in one form."""
    signs = call.signs("weight")
    weight = signs or call.array("weight")
    stride, dilation = one_or_pair(call.get("stride", 1)), one_or_pair(call.get("dilation", 1))
    padding = call.get("padding", 0)
    args = {
        "out_channels": weight.shape[0],
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": stride,
        "padding": {"valid": 0}.get(padding, padding) if isinstance(padding, str) else one_or_pair(padding),
        "dilation": dilation,
        "groups": call.get("groups", 1),
        "bias": call.has("bias"),
    }
    word = f"conv{len(weight.shape) - 2}d"
    if signs:
        return one_bit(word, args, call.values("input"), signs)
    return ReadNode(word, args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.conv_transpose1d.default", "aten.conv_transpose2d.input", "aten.conv_transpose3d.input")
def conv_transpose(call: Bound) -> Reading:
    """A transposed convolution, whose weight is in × out/g × k × k."""
    weight, groups = call.array("weight"), call.get("groups", 1)
    settings = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
    args = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": one_or_pair(weight.shape[2:]),
        **{name: one_or_pair(call.get(name, default)) for name, default in settings.items()},
        "groups": groups,
        "bias": call.has("bias"),
    }
    return ReadNode(
        f"conv_transpose{len(weight.shape) - 2}d", args, call.values("input"), call.arrays(weight="weight", bias="bias")
    )


@rule("aten.linear.default")
def linear(call: Bound) -> Reading:
    """A fully connected layer."""
    if signs := call.signs("weight"):
        args = {"out_features": signs.shape[0], "bias": call.has("bias")}
        return one_bit("linear", args, call.values("input"), signs)
    args = {"out_features": call.array("weight").shape[0], "bias": call.has("bias")}
    return ReadNode("linear", args, call.values("input"), call.arrays(weight="weight", bias="bias"))
