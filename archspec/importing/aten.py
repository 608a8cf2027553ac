"""What torch.export writes, undecomposed: functions of aten → operators of the language."""

from math import prod
from typing import Any

from archspec.importing.program import UnsupportedError, Value
from archspec.importing.rules import Bound, Reading, ReadNode, Same, elementwise, one_or_pair, rule

_PLAIN = {
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "mish": "mish",
    "exp": "exp",
}
elementwise(
    {f"aten.{name}{place}.default": operator for name, operator in _PLAIN.items() for place in ("", "_")}, "self"
)


@rule(*(f"aten.conv{n}d.{form}" for n in (1, 2, 3) for form in ("default", "padding")))
def conv(call: Bound) -> Reading:
    """A convolution; `padding` is a word in one form."""
    weight = call.array("weight")
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
    return ReadNode(
        f"conv{len(weight.shape) - 2}d", args, call.values("input"), call.arrays(weight="weight", bias="bias")
    )


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
    args = {"out_features": call.array("weight").shape[0], "bias": call.has("bias")}
    return ReadNode("linear", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.batch_norm.default")
def batch_norm(call: Bound) -> Reading:
    """Batch normalisation by its running statistics."""
    if call.get("training", False):
        raise UnsupportedError("normalises by its batch; put the model into evaluation")
    names = {"weight": "weight", "bias": "bias", "running_mean": "running_mean", "running_var": "running_var"}
    args = {"eps": call.get("eps", 1e-5), "momentum": call.get("momentum", 0.1), "affine": call.has("weight")}
    return ReadNode("batch_norm", args, call.values("input"), call.arrays(**names))


@rule("aten.layer_norm.default")
def layer_norm(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    args = {
        "normalized_shape": tuple(call.get("normalized_shape")),
        "eps": call.get("eps", 1e-5),
        "elementwise_affine": call.has("weight"),
        "bias": call.has("bias") or not call.has("weight"),
    }
    return ReadNode("layer_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.group_norm.default")
def group_norm(call: Bound) -> Reading:
    """Over groups of channels."""
    args = {"num_groups": call.get("num_groups"), "eps": call.get("eps", 1e-5), "affine": call.has("weight")}
    return ReadNode("group_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.instance_norm.default")
def instance_norm(call: Bound) -> Reading:
    """Over each channel by itself."""
    if call.has("running_mean") and not call.get("use_input_stats", True):
        raise UnsupportedError("normalises by running statistics; batch_norm does")
    args = {"eps": call.get("eps", 1e-5), "affine": call.has("weight")}
    return ReadNode("instance_norm", args, call.values("input"), call.arrays(weight="weight", bias="bias"))


@rule("aten.rms_norm.default")
def rms_norm(call: Bound) -> Reading:
    """Over the last axis."""
    if len(call.get("normalized_shape")) != 1 or not call.get("eps"):
        raise UnsupportedError("is over several axes, or has an eps that depends on the type of the numbers")
    args = {"eps": call.get("eps"), "elementwise_affine": call.has("weight")}
    return ReadNode("rms_norm", args, call.values("input"), call.arrays(weight="weight"))


@rule("aten.softplus.default")
def softplus(call: Bound) -> Reading:
    """log(1 + eˣ)."""
    return ReadNode(
        "softplus", {"beta": call.get("beta", 1), "threshold": call.get("threshold", 20)}, call.values("self")
    )


@rule("aten.embedding.default")
def embedding(call: Bound) -> Reading:
    """Rows of a table."""
    rows, size = call.array("weight").shape
    args = {"num_embeddings": rows, "embedding_dim": size}
    return ReadNode("embedding", args, call.values("indices"), call.arrays(weight="weight"))


@rule("aten.scaled_dot_product_attention.default")
def attention(call: Bound) -> Reading:
    """Of queries, keys and values."""
    if call.has("attn_mask"):
        raise UnsupportedError("takes a mask of its own")
    names = {"is_causal": False, "enable_gqa": False, "dropout_p": 0, "scale": None}
    args = {name: call.get(name, default) for name, default in names.items()}
    return ReadNode("scaled_dot_product_attention", args, call.values("query", "key", "value"))


@rule("aten.matmul.default", "aten.bmm.default")
def matmul(call: Bound) -> Reading:
    """Of two results."""
    return ReadNode("matmul", {}, call.values("self", "other", "mat2"))


@rule("aten.pixel_shuffle.default", "aten.pixel_unshuffle.default")
def pixel_shuffle(call: Bound) -> Reading:
    """Channels become pixels, or pixels channels."""
    name = call.call.target.split(".")[1]
    factor = "upscale_factor" if name == "pixel_shuffle" else "downscale_factor"
    return ReadNode(name, {factor: call.get(factor)}, call.values("self"))


@rule("aten.prelu.default")
def prelu(call: Bound) -> Reading:
    """A learned slope, one or one a channel."""
    slopes = prod(call.array("weight").shape)
    return ReadNode("prelu", {"num_parameters": slopes}, call.values("self"), call.arrays(weight="weight"))


@rule("aten.leaky_relu.default", "aten.leaky_relu_.default")
def leaky_relu(call: Bound) -> Reading:
    """A slope below zero."""
    return ReadNode("leaky_relu", {"negative_slope": call.get("negative_slope", 0.01)}, call.values("self"))


@rule("aten.elu.default", "aten.elu_.default")
def elu(call: Bound) -> Reading:
    """An exponential below zero."""
    if call.get("scale", 1) != 1 or call.get("input_scale", 1) != 1:
        raise UnsupportedError("scales its result or its input (SELU)")
    return ReadNode("elu", {"alpha": call.get("alpha", 1)}, call.values("self"))


@rule("aten.gelu.default")
def gelu(call: Bound) -> Reading:
    """By erf, or by tanh."""
    return ReadNode("gelu", {"approximate": call.get("approximate", "none")}, call.values("self"))


@rule("aten.hardtanh.default", "aten.hardtanh_.default", "aten.clamp.default", "aten.clamp_.default")
def clip(call: Bound) -> Reading:
    """Between 0 and 6: relu6; others have no operator."""
    low = call.get("min_val", call.get("min", None if "clamp" in call.call.target else -1))
    high = call.get("max_val", call.get("max", None if "clamp" in call.call.target else 1))
    return clipped(call.values("self"), low, high)


def clipped(inputs: tuple[str, ...], low: Any, high: Any) -> ReadNode:
    """What holds numbers between two bounds."""
    if low == 0 and high in {6, None}:
        return ReadNode("relu6" if high == 6 else "relu", {}, inputs)
    raise UnsupportedError(f"holds numbers between {low} and {high}; relu6 between 0 and 6")


@rule("aten.softmax.int", "aten.log_softmax.int")
def softmax(call: Bound) -> Reading:
    """Along an axis."""
    operator = call.call.target.split(".")[1]
    return ReadNode(operator, {"dim": _axis(call)}, call.values("self"))


def _axis(call: Bound, name: str = "dim", default: int = 0) -> int:
    """An axis from the front."""
    dim = int(call.get(name, default))
    return dim if dim >= 0 else dim + len(call.output())


@rule("aten.max_pool1d.default", "aten.max_pool2d.default", "aten.max_pool3d.default")
def max_pool(call: Bound) -> Reading:
    """The largest under a window."""
    return ReadNode(call.call.target.split(".")[1], _window(call, dilation=1), call.values("self"))


@rule("aten.avg_pool1d.default", "aten.avg_pool2d.default")
def avg_pool(call: Bound) -> Reading:
    """The mean under a window."""
    if call.get("divisor_override"):
        raise UnsupportedError("divides by a number of its own")
    args = _window(call, count_include_pad=True)
    return pooled_by_window(args, call.values("self"), call.shape("self"))


def pooled_by_window(args: dict[str, Any], inputs: tuple[str, ...], shape: tuple[int, ...]) -> ReadNode:
    """An average pooling; over the whole image, the global one."""
    kernel, axes = args["kernel_size"], len(shape) - 2
    if (kernel if isinstance(kernel, tuple) else (kernel,) * axes) == shape[2:] and not args["padding"]:
        return ReadNode("global_avg_pool", {"keepdim": True}, inputs)
    if args["padding"] == 0:
        args = {**args, "count_include_pad": True}
    return ReadNode(f"avg_pool{axes}d", args, inputs)


def _window(call: Bound, **more: Any) -> dict[str, Any]:
    kernel = one_or_pair(call.get("kernel_size"))
    stride = one_or_pair(call.get("stride") or kernel)
    sizes = {"kernel_size": kernel, "stride": stride, "padding": one_or_pair(call.get("padding", 0))}
    return {
        **sizes,
        "ceil_mode": call.get("ceil_mode", False),
        **{k: one_or_pair(call.get(k, v)) for k, v in more.items()},
    }


@rule(*(f"aten.adaptive_{kind}_pool{n}d.default" for kind in ("avg", "max") for n in (1, 2, 3)))
def adaptive_pool(call: Bound) -> Reading:
    """To one pixel: the global pooling."""
    kind = "max" if "max" in call.call.target else "avg"
    size = one_or_pair(call.get("output_size"))
    if size == 1:
        return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("self"))
    return ReadNode(call.call.target.split(".")[1], {"output_size": size}, call.values("self"))


@rule("aten.mean.dim")
def mean(call: Bound) -> Reading:
    """Over height and width: the global average pooling."""
    return averaged(call.values("self"), call.shape("self"), call.get("dim"), call.get("keepdim", False))


def averaged(inputs: tuple[str, ...], shape: tuple[int, ...], axes: Any, keepdim: bool) -> ReadNode:
    """A mean over axes, which is the global average pooling where these are height and width."""
    over = sorted(axis % len(shape) for axis in axes or range(len(shape)))
    if len(shape) == 4 and over == [2, 3]:
        return ReadNode("global_avg_pool", {"keepdim": bool(keepdim)}, inputs)
    if 0 in over:
        raise UnsupportedError("is a mean over the batch")
    return ReadNode("mean", {"dim": tuple(over), "keepdim": bool(keepdim)}, inputs)


@rule("aten.dropout.default", "aten.dropout_.default", "aten.feature_dropout.default")
def dropout(call: Bound) -> Reading:
    """Nothing, when evaluating."""
    return ReadNode("dropout", {"p": call.get("p", 0.5)}, call.values("input"))


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


@rule("aten.contiguous.default", "aten.clone.default", "aten.alias.default", "aten.detach.default")
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
    shape, dim = call.shape("self"), _axis(call)
    return sliced(call.values("self"), dim, shape[dim], int(call.get("start")), int(call.get("length")))


@rule("aten.select.int")
def select(call: Bound) -> Reading:
    """One place of an axis."""
    dim = int(call.get("dim")) % len(call.shape("self"))
    if dim == 0:
        raise UnsupportedError("takes one input of the batch")
    return ReadNode("select", {"dim": dim, "index": int(call.get("index"))}, call.values("self"))


@rule("aten.squeeze.dim", "aten.unsqueeze.default", "aten.unflatten.int")
def squeeze(call: Bound) -> Reading:
    """An axis of size 1 goes, or comes."""
    return reshaped(call.values("self"), call.shape("self"), call.output())


def reshaped(inputs: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...]) -> Reading:
    """What a reshaping is: nothing, a flattening, or a `reshape` that patterns read with its neighbours."""
    if before == after:
        return Same(inputs[0])
    if after == (before[0], prod(before[1:])):
        return ReadNode("flatten", {}, inputs)
    return ReadNode("~reshape", {"shape": after}, inputs)


@rule("aten.transpose.int")
def transpose(call: Bound) -> Reading:
    """Two axes change places."""
    order = list(range(len(call.output())))
    a, b = _axis(call, "dim0"), _axis(call, "dim1")
    order[a], order[b] = b, a
    return ReadNode("~permute", {"order": tuple(order)}, call.values("self"))


@rule("aten.permute.default")
def permute(call: Bound) -> Reading:
    """The axes in another order."""
    return ReadNode(
        "~permute", {"order": tuple(dim % len(call.output()) for dim in call.get("dims"))}, call.values("self")
    )


@rule("aten.channel_shuffle.default", "aten.native_channel_shuffle.default")
def channel_shuffle(call: Bound) -> Reading:
    """The channels of groups, dealt out."""
    return ReadNode("channel_shuffle", {"groups": call.get("groups")}, call.values("self"))


@rule("aten.chunk.default", "aten.split_with_sizes.default", "aten.split.Tensor", "aten.split.sizes")
def split(call: Bound) -> Reading:
    """Parts along an axis: a node each."""
    dim = _axis(call)
    parts = tuple(call.output(number)[dim] for number in range(len(call.call.outputs)))
    return split_into(parts, dim, call.values("self"))


def split_into(parts: tuple[int, ...], dim: int, inputs: tuple[str, ...]) -> list[ReadNode]:
    """The parts of an axis; those of one size are said by their number."""
    sections: Any = len(parts) if len(set(parts)) == 1 else parts
    return [
        ReadNode("split", {"sections": sections, "index": i, "dim": dim}, inputs, output=i) for i in range(len(parts))
    ]


@rule("aten.slice.Tensor")
def part(call: Bound) -> Reading:
    """A part of an axis."""
    before, after = call.shape("self"), call.output()
    if before == after:
        return Same(call.values("self")[0])
    if call.get("step", 1) != 1:
        raise UnsupportedError(f"takes every {call.get('step')}th element")
    dim = int(call.get("dim", 0)) % len(before)
    start = int(call.get("start") or 0)
    start += before[dim] if start < 0 else 0
    return sliced(call.values("self"), dim, before[dim], start, after[dim])


def sliced(inputs: tuple[str, ...], dim: int, size: int, start: int, length: int) -> ReadNode:
    """A part of an axis as one of the sections that it leaves."""
    sections = [part for part in (start, length, size - start - length) if part]
    if dim == 0:
        raise UnsupportedError("takes a part of the batch")
    index = 1 if start else 0
    equal: Any = len(sections) if len(set(sections)) == 1 else tuple(sections)
    if size % length == 0 and start % length == 0:
        equal, index = size // length, start // length
    return ReadNode("split", {"sections": equal, "index": index, "dim": dim}, inputs)


@rule("aten.cat.default")
def cat(call: Bound) -> Reading:
    """One behind the other."""
    return ReadNode("concat", {"dim": _axis(call)}, call.values("tensors"))


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


def joined_results(operator: str, call: Bound, *names: str) -> ReadNode:
    """A join of results, of which one may have axes of size 1."""
    alike = len({call.shape(name) for name in names}) == 1
    args = {} if alike or operator not in {"add", "subtract"} else {"broadcast": True}
    return ReadNode(operator, args, call.values(*names))


@rule("aten.div.Tensor", "aten.div_.Tensor")
def divide(call: Bound) -> Reading:
    """By a number: what patterns read with its neighbours."""
    other = call.call.arguments.get("other")
    if isinstance(other, Value):
        return joined_results("divide", call, "self", "other")
    return ReadNode("~div", {"number": other}, call.values("self"))


@rule("aten.pad.default", "aten.constant_pad_nd.default")
def pad(call: Bound) -> Reading:
    """Zeros around an image."""
    sizes = list(call.get("pad"))
    if call.get("mode", "constant") != "constant" or call.get("value") or len(sizes) > 4 or min(sizes) < 0:
        raise UnsupportedError("pads by something other than zeros around height and width")
    left, right, top, bottom = [*sizes, 0, 0][:4]
    if not any(sizes):
        return Same(call.values("self")[0])
    if len(call.shape("self")) == 3 and len(sizes) == 2:
        return ReadNode("pad", {"padding": (left, right)}, call.values("self"))
    return ReadNode("zero_pad", {"padding": padded(top, bottom, left, right)}, call.values("self"))


def padded(top: int, bottom: int, left: int, right: int) -> Any:
    """A padding in as few numbers as say it.

    >>> padded(1, 1, 1, 1), padded(0, 0, 3, 3), padded(0, 1, 0, 1)
    (1, (0, 3), (0, 1, 0, 1))
    """
    if (top, left) == (bottom, right):
        return top if top == left else (top, left)
    return top, bottom, left, right


@rule(
    "aten.upsample_nearest2d.vec",
    "aten.upsample_bilinear2d.vec",
    "aten.upsample_nearest2d.default",
    "aten.upsample_bilinear2d.default",
)
def upsample(call: Bound) -> Reading:
    """By a whole factor."""
    mode = "bilinear" if "bilinear" in call.call.target else "nearest"
    return enlarged(
        call.values("input", "self"),
        call.shape("input" if call.has("input") else "self"),
        call.output(),
        mode,
        call.get("align_corners", False),
    )


def enlarged(
    inputs: tuple[str, ...], before: tuple[int, ...], after: tuple[int, ...], mode: str, corners: bool
) -> Reading:
    """An enlargement, whose factors must be whole."""
    if before == after:
        return Same(inputs[0])
    factors = [big / small for big, small in zip(after[2:], before[2:], strict=True)]
    if any(factor != int(factor) for factor in factors):
        raise UnsupportedError(f"enlarges {before[2]}×{before[3]} to {after[2]}×{after[3]}, by no whole factor")
    args = {"scale_factor": one_or_pair([int(factor) for factor in factors]), "mode": mode, "align_corners": corners}
    return ReadNode("upsample", args, inputs)


@rule("aten.local_response_norm.default")
def local_response_norm(call: Bound) -> Reading:
    """By neighbouring channels."""
    args = {
        "size": call.get("size"),
        "alpha": call.get("alpha", 1e-4),
        "beta": call.get("beta", 0.75),
        "k": call.get("k", 1),
    }
    return ReadNode("local_response_norm", args, call.values("input"))
