"""What ONNX writes: its operators, of opset 7 to 25 → operators of the language.

Inputs of a node are its arguments input0, input1, …; its attributes have their own names. What older versions say by an
attribute newer ones say by an input: `setting` reads either.
"""

from math import prod
from typing import Any

import numpy as np

from archspec.importing.aten import averaged, clipped, enlarged, padded, pooled_by_window, reshaped, sliced, split_into
from archspec.importing.program import HeldArray, UnsupportedError, Value
from archspec.importing.rules import Bound, Reading, ReadNode, Same, elementwise, one_or_pair, rule

elementwise(
    {
        "onnx.Relu": "relu",
        "onnx.Sigmoid": "sigmoid",
        "onnx.Tanh": "tanh",
        "onnx.HardSwish": "hard_swish",
        "onnx.Swish": "silu",
    },
    "input0",
)


def setting(call: Bound, name: str, number: int, default: Any = None) -> Any:
    """A setting that is an attribute, or the input of that number."""
    return call.get(name) if call.has(name) else call.get(f"input{number}", default)


def sides(call: Bound, kernel: Any) -> tuple[int, int, int, int]:
    """The padding of a window as top, bottom, left, right."""
    word = call.get("auto_pad", "NOTSET")
    if word == "VALID":
        return 0, 0, 0, 0
    if word == "NOTSET":
        top, left, bottom, right = call.get("pads", (0, 0, 0, 0))
        return top, bottom, left, right
    (h, w), strides = call.shape("input0")[2:], call.get("strides", (1, 1))
    found: list[int] = []
    for size, k, s, d in zip((h, w), kernel, strides, call.get("dilations", (1, 1)), strict=True):
        whole = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        found += [less, more] if word == "SAME_UPPER" else [more, less]
    top, bottom, left, right = found
    return top, bottom, left, right


@rule("onnx.Conv")
def conv(call: Bound) -> Reading:
    """A convolution."""
    weight = call.array("input1")
    if len(weight.shape) != 4:
        raise UnsupportedError(f"is over {len(weight.shape) - 2} axes, not over height and width")
    args = {
        "out_channels": weight.shape[0],
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": padded(*sides(call, weight.shape[2:])),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": call.get("group", 1),
        "bias": call.has("input2"),
    }
    return ReadNode("conv2d", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


@rule("onnx.ConvTranspose")
def conv_transpose(call: Bound) -> Reading:
    """A transposed convolution."""
    weight, groups = call.array("input1"), call.get("group", 1)
    padding = padded(*sides(call, weight.shape[2:])) if call.get("auto_pad", "NOTSET") == "NOTSET" else None
    if (
        len(weight.shape) != 4
        or padding is None
        or (isinstance(padding, tuple) and len(padding) == 4)
        or call.has("output_shape")
    ):
        raise UnsupportedError("has a padding that torch's transposed convolution cannot have")
    args = {
        "out_channels": weight.shape[1] * groups,
        "kernel_size": one_or_pair(weight.shape[2:]),
        "stride": one_or_pair(call.get("strides", 1)),
        "padding": padding,
        "output_padding": one_or_pair(call.get("output_padding", 0)),
        "dilation": one_or_pair(call.get("dilations", 1)),
        "groups": groups,
        "bias": call.has("input2"),
    }
    return ReadNode("conv_transpose2d", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


@rule("onnx.Gemm")
def gemm(call: Bound) -> Reading:
    """A fully connected layer; its weight may be stored either way."""
    if call.get("alpha", 1.0) != 1 or call.get("beta", 1.0) != 1 or call.get("transA", 0):
        raise UnsupportedError("scales or transposes what it takes")
    weight = call.array("input1")
    held = weight if call.get("transB", 0) else transposed(weight)
    bias = call.arrays(bias="input2")
    if bias and prod(bias["bias"].shape) != held.shape[0]:
        raise UnsupportedError("adds a bias that is not one number for each feature")
    args = {"out_features": held.shape[0], "bias": bool(bias)}
    return ReadNode("linear", args, call.values("input0"), {"weight": held, **bias})


def transposed(weight: HeldArray) -> HeldArray:
    """An in × out array as torch's out × in."""
    return HeldArray(weight.key, weight.shape[::-1], lambda: weight.load().T)


@rule("onnx.MatMul")
def matmul(call: Bound) -> Reading:
    """By an array: a fully connected layer without bias."""
    weight = call.array("input1")
    if len(weight.shape) != 2:
        raise UnsupportedError("multiplies by an array that is no matrix")
    return ReadNode(
        "linear",
        {"out_features": weight.shape[1], "bias": False},
        call.values("input0"),
        {"weight": transposed(weight)},
    )


@rule("onnx.BatchNormalization")
def batch_normalization(call: Bound) -> Reading:
    """Batch normalisation; its momentum is one less torch's."""
    if call.get("training_mode", 0):
        raise UnsupportedError("normalises by its batch; export the model in evaluation")
    arrays = call.arrays(weight="input1", bias="input2", running_mean="input3", running_var="input4")
    args = {"eps": rounded(call.get("epsilon", 1e-5)), "momentum": rounded(1 - call.get("momentum", 0.9))}
    return ReadNode("batch_norm", args, call.values("input0"), arrays)


def rounded(number: float) -> float:
    """The shortest decimal near a number that was stored with 24 bits.

    >>> rounded(9.999999747378752e-06), rounded(1 - 0.8999999761581421)
    (1e-05, 0.1)
    """
    return float(f"{number:.6g}")


@rule("onnx.LayerNormalization")
def layer_normalization(call: Bound) -> Reading:
    """Layer normalisation over the last axes."""
    shape = call.shape("input0")
    axis = int(call.get("axis", -1)) % len(shape)
    args = {"normalized_shape": shape[axis:], "eps": rounded(call.get("epsilon", 1e-5)), "bias": call.has("input2")}
    return ReadNode("layer_norm", args, call.values("input0"), call.arrays(weight="input1", bias="input2"))


@rule("onnx.Clip")
def clip(call: Bound) -> Reading:
    """Between 0 and 6."""
    return clipped(call.values("input0"), setting(call, "min", 1), setting(call, "max", 2))


@rule("onnx.LeakyRelu")
def leaky_relu(call: Bound) -> Reading:
    """A slope below zero."""
    return ReadNode("leaky_relu", {"negative_slope": rounded(call.get("alpha", 0.01))}, call.values("input0"))


@rule("onnx.Elu")
def elu(call: Bound) -> Reading:
    """An exponential below zero."""
    return ReadNode("elu", {"alpha": rounded(call.get("alpha", 1))}, call.values("input0"))


@rule("onnx.PRelu")
def prelu(call: Bound) -> Reading:
    """A learned slope, one or one a channel."""
    slope = call.array("input1")
    count = prod(slope.shape)
    flat = HeldArray(slope.key, (count,), lambda: slope.load().reshape(-1))
    return ReadNode("prelu", {"num_parameters": count}, call.values("input0"), {"weight": flat})


@rule("onnx.Gelu")
def gelu(call: Bound) -> Reading:
    """By erf, or by tanh."""
    return ReadNode("gelu", {"approximate": call.get("approximate", "none")}, call.values("input0"))


@rule("onnx.HardSigmoid")
def hard_sigmoid(call: Bound) -> Reading:
    """x/6 + 1/2 between 0 and 1."""
    if abs(call.get("alpha", 0.2) - 1 / 6) > 1e-5 or abs(call.get("beta", 0.5) - 0.5) > 1e-5:
        raise UnsupportedError("has a slope other than 1/6")
    return ReadNode("hard_sigmoid", {}, call.values("input0"))


@rule("onnx.Softmax", "onnx.LogSoftmax")
def softmax(call: Bound) -> Reading:
    """Along an axis; older versions flattened what stands behind it, which is the same on vectors."""
    operator = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[call.call.target.rpartition(".")[2]]
    rank = len(call.output())
    return ReadNode(operator, {"dim": int(call.get("axis", -1 if rank != 2 else 1)) % rank}, call.values("input0"))


@rule("onnx.MaxPool", "onnx.AveragePool")
def pool(call: Bound) -> Reading:
    """Under a window."""
    kernel = call.get("kernel_shape")
    args: dict[str, Any] = {"kernel_size": one_or_pair(kernel), "stride": one_or_pair(call.get("strides", (1, 1)))}
    padding = padded(*sides(call, kernel))
    args |= {"padding": padding, "ceil_mode": bool(call.get("ceil_mode", 0))}
    if isinstance(padding, tuple) and len(padding) == 4:
        raise UnsupportedError(f"pads its sides by {padding}, not both alike")
    if call.call.target == "onnx.MaxPool":
        return ReadNode(
            "max_pool2d", {**args, "dilation": one_or_pair(call.get("dilations", 1))}, call.values("input0")
        )
    args["count_include_pad"] = bool(call.get("count_include_pad", 0))
    return pooled_by_window(args, call.values("input0"), call.shape("input0"))


@rule("onnx.GlobalAveragePool", "onnx.GlobalMaxPool")
def global_pool(call: Bound) -> Reading:
    """To one pixel."""
    kind = "max" if call.call.target.endswith("MaxPool") else "avg"
    return ReadNode(f"global_{kind}_pool", {"keepdim": True}, call.values("input0"))


@rule("onnx.ReduceMean")
def reduce_mean(call: Bound) -> Reading:
    """Over height and width: the global average pooling."""
    axes = setting(call, "axes", 1)
    return averaged(call.values("input0"), call.shape("input0"), axes, bool(call.get("keepdims", 1)))


@rule("onnx.Dropout")
def dropout(call: Bound) -> Reading:
    """Nothing, when evaluating."""
    return ReadNode("dropout", {"p": rounded(float(setting(call, "ratio", 1, 0.5)))}, call.values("input0"))


@rule("onnx.Identity", "onnx.Cast", "onnx.CastLike")
def same(call: Bound) -> Reading:
    """The same numbers."""
    return Same(call.values("input0")[0])


@rule("onnx.Reshape", "onnx.Flatten", "onnx.Squeeze", "onnx.Unsqueeze")
def reshape(call: Bound) -> Reading:
    """Other axes for the same elements."""
    return reshaped(call.values("input0"), call.shape("input0"), call.output())


@rule("onnx.Transpose")
def transpose(call: Bound) -> Reading:
    """The axes in another order."""
    rank = len(call.output())
    return ReadNode("~permute", {"order": tuple(call.get("perm", range(rank)[::-1]))}, call.values("input0"))


@rule("onnx.Split")
def split(call: Bound) -> Reading:
    """Parts along an axis."""
    dim = int(call.get("axis", 0)) % len(call.output())
    parts = tuple(call.output(number)[dim] for number in range(len(call.call.outputs)))
    return split_into(parts, dim, call.values("input0"))


@rule("onnx.Slice")
def part(call: Bound) -> Reading:
    """A part of an axis."""
    shape, after = call.shape("input0"), call.output()
    starts, steps = setting(call, "starts", 1), call.get("input4", (1,))
    if shape == after:
        return Same(call.values("input0")[0])
    axes = setting(call, "axes", 3, tuple(range(len(starts))))
    cut = [n for n, axis in enumerate(axes) if shape[axis] != after[axis]]
    if len(cut) != 1 or any(step != 1 for step in steps):
        raise UnsupportedError("cuts several axes, or takes not every element")
    dim, start = axes[cut[0]] % len(shape), starts[cut[0]]
    return sliced(call.values("input0"), dim, shape[dim], start + (shape[dim] if start < 0 else 0), after[dim])


@rule("onnx.Concat")
def concat(call: Bound) -> Reading:
    """One behind the other."""
    names = sorted((name for name in call.call.arguments if name.startswith("input")), key=lambda name: int(name[5:]))
    return ReadNode("concat", {"dim": int(call.get("axis", 1)) % len(call.output())}, call.values(*names))


@rule("onnx.Add", "onnx.Sum", "onnx.Mul", "onnx.Sub", "onnx.Div", "onnx.Pow")
def join(call: Bound) -> Reading:
    """A sum, product or difference of results; with a number, what patterns read with its neighbours."""
    word = call.call.target.rpartition(".")[2]
    name = {"Add": "add", "Sum": "add", "Mul": "mul", "Sub": "subtract"}.get(word, word.lower())
    held = [
        key
        for key, value in call.call.arguments.items()
        if isinstance(value, Value) and value.name in call.program.arrays
    ]
    if held:
        array = call.array(held[0])
        others = call.values(*(key for key in call.call.arguments if key.startswith("input") and key not in held))
        if prod(array.shape) != 1 or (held[0] != "input1" and word not in {"Add", "Mul"}):
            return _biased(call, word, array, others)
        return ReadNode(f"~{name}", {"number": rounded(float(array.load().reshape(-1)[0]))}, others)
    if word in {"Div", "Pow"}:
        raise UnsupportedError("takes two results")
    inputs = sorted(key for key in call.call.arguments if key.startswith("input"))
    return ReadNode(name, {}, call.values(*inputs))


def _biased(call: Bound, word: str, array: HeldArray, others: tuple[str, ...]) -> ReadNode:
    """A sum with an array: the bias of the linear layer before it, which a pattern puts there."""
    if word == "Add" and len(array.shape) == 1 and array.shape == call.output()[-1:]:
        return ReadNode("~bias", {}, others, {"bias": array})
    raise UnsupportedError(f"takes an array of the model, {'×'.join(map(str, array.shape))}, as it takes a result")


@rule("onnx.Pad")
def pad(call: Bound) -> Reading:
    """Zeros around an image."""
    pads = setting(call, "pads", 1)
    if (
        call.get("mode", "constant") != "constant"
        or setting(call, "value", 2, 0)
        or len(pads) != 8
        or any((*pads[:2], *pads[4:6]))
    ):
        raise UnsupportedError("pads by something other than zeros around height and width")
    top, left, bottom, right = [int(size) for size in (*pads[2:4], *pads[6:8])]
    if min(pads) < 0:
        raise UnsupportedError("cuts rows or columns off")
    if not any(pads):
        return Same(call.values("input0")[0])
    return ReadNode("zero_pad", {"padding": padded(top, bottom, left, right)}, call.values("input0"))


@rule("onnx.Resize", "onnx.Upsample")
def resize(call: Bound) -> Reading:
    """An enlargement by a whole factor."""
    mode = {"nearest": "nearest", "linear": "bilinear"}.get(call.get("mode", "nearest"))
    how = call.get("coordinate_transformation_mode", "half_pixel")
    fits = (
        how in {"half_pixel", "pytorch_half_pixel", "align_corners"}
        if mode == "bilinear"
        else call.call.target == "onnx.Upsample" or (how == "asymmetric" and call.get("nearest_mode") == "floor")
    )
    if mode is None or not fits:
        raise UnsupportedError(f"enlarges by {call.get('mode')} {how}")
    return enlarged(call.values("input0"), call.shape("input0"), call.output(), mode, how == "align_corners")


@rule("onnx.DepthToSpace")
def depth_to_space(call: Bound) -> Reading:
    """Channels become pixels: there is no such operator in the language yet."""
    raise UnsupportedError(f"is a pixel shuffle by {call.get('blocksize')}")


@rule("onnx.LRN")
def lrn(call: Bound) -> Reading:
    """By neighbouring channels."""
    args = {
        "size": call.get("size"),
        "alpha": rounded(call.get("alpha", 1e-4)),
        "beta": rounded(call.get("beta", 0.75)),
        "k": rounded(call.get("bias", 1.0)),
    }
    return ReadNode("local_response_norm", args, call.values("input0"))


LINEAR = frozenset(f"onnx.{name}" for name in ("Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "BatchNormalization"))
"""What gives numbers below zero."""


@rule("onnx.QuantizeLinear")
def quantise(call: Bound) -> Reading:
    """The same numbers, but that a quantiser takes activations away which its range does: these come back.

    Where the zero point is the least number of the type nothing below zero is left, which is what relu does.
    """
    inputs = call.values("input0")
    maker = next((each.target for each in call.program.calls if inputs[0] in each.outputs), "")
    if maker in LINEAR and call.has("input2"):
        zero = call.array("input2").load()
        if zero.dtype.kind in "iu" and (zero == np.iinfo(zero.dtype).min).all():
            return ReadNode("relu", {}, inputs)
    return Same(inputs[0])


@rule("onnx.DequantizeLinear")
def dequantise(call: Bound) -> Reading:
    """Results go through as they are; what arrays stand for is known before."""
    return Same(call.values("input0")[0])
