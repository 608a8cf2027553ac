"""Operators of ONNX one by one, in files that no exporter wrote: each is its operator with its settings, or is refused.

Exporters write few of the settings that a file can have; those of other frameworks, and older ones, write the others.
"""

from math import nan

import numpy as np
import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand

onnx = pytest.importorskip("onnx")

IMAGE, VECTOR, WORDS = (None, 4, 6, 6), (None, 4), (None, 5, 4)
OPSET = 21
TWICE = (np.zeros(0, np.float32), [1.0, 1.0, 2.0, 2.0])
"""No region, and the factor of each axis."""


def node(kind, *shapes, inputs=("x",), **attributes):
    """A node of x and learned arrays of these shapes; None is an input that is not there."""
    names = [*inputs, *("" if shape is None else f"a{i}" for i, shape in enumerate(shapes))]
    arrays = {f"a{i}": np.arange(1.0, 1 + np.prod(s)).reshape(s) for i, s in enumerate(shapes) if s is not None}
    return onnx.helper.make_node(kind, names, ["y"], **attributes), arrays


def numbers(kind, *values, inputs=("x",), **attributes):
    """A node of x and constants."""
    made, _ = node(kind, *(() for _ in values), inputs=inputs, **attributes)
    return made, {f"a{i}": np.asarray(value) for i, value in enumerate(values)}


def saved(folder, given, sizes, opset=OPSET):
    (made, arrays), info = given, onnx.helper.make_tensor_value_info
    kinds = {"f": np.float32, "i": np.int64, "b": bool}
    held = [onnx.numpy_helper.from_array(value.astype(kinds[value.dtype.kind]), k) for k, value in arrays.items()]
    graph = onnx.helper.make_graph([made], "g", [info("x", 1, list(sizes))], [info("y", 1, None)], held)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    return folder / "net.onnx"


def of(step, sizes):
    """The operators of steps of the language."""
    text = f"archspec: 1\nname: n\ninput: {list(sizes[1:])}\nnetwork: [{step}]"
    return [found.operator for found in expand(archspec.loads(text).document).nodes]


READ = [
    (node("Relu"), IMAGE, "relu"),
    (node("LeakyRelu", alpha=0.2), IMAGE, "{leaky_relu: {negative_slope: 0.2}}"),
    (node("LeakyRelu"), IMAGE, "{leaky_relu: {negative_slope: 0.01}}"),
    (node("Elu", alpha=0.5), IMAGE, "{elu: {alpha: 0.5}}"),
    (node("PRelu", (4, 1, 1)), IMAGE, "{prelu: {num_parameters: 4}}"),
    (node("PRelu", (1,)), VECTOR, "{prelu: {num_parameters: 1}}"),
    (node("GroupNormalization", (4,), (4,), num_groups=2), IMAGE, "{group_norm: {num_groups: 2}}"),
    (node("Gelu", approximate="tanh"), VECTOR, "{gelu: {approximate: tanh}}"),
    (node("HardSigmoid", alpha=1 / 6), IMAGE, "hard_sigmoid"),
    (
        node("HardSigmoid"),
        IMAGE,
        "{mul_scalar: {value: 1/5}}, {add_scalar: {value: 1/2}}, {clamp: {min: 0, max: 1}}",
    ),
    (node("Softplus"), IMAGE, "softplus"),
    (numbers("Max", 0.5), IMAGE, "{clamp: {min: 1/2}}"),
    (node("Softmax", axis=1), VECTOR, "{softmax: {dim: 1}}"),
    (node("LogSoftmax", axis=-1), WORDS, "{log_softmax: {dim: 2}}"),
    (node("Sqrt"), IMAGE, "{power: {exponent: 1/2}}"),
    (node("Reciprocal"), IMAGE, "{power: {exponent: -1}}"),
    (numbers("Pow", 3.0), IMAGE, "{power: {exponent: 3}}"),
    (
        node("BatchNormalization", *[(4,)] * 4, epsilon=1e-3, momentum=0.99),
        IMAGE,
        "{batch_norm: {eps: 0.001, momentum: 0.01}}",
    ),
    (node("LayerNormalization", (4,), (4,), epsilon=1e-6), WORDS, "{layer_norm: {eps: 0.000001}}"),
    (node("LayerNormalization", (4,)), WORDS, "{layer_norm: {bias: false}}"),
    (node("LayerNormalization", (4, 6, 6), (4, 6, 6), axis=1), IMAGE, "{layer_norm: {normalized_shape: [4, 6, 6]}}"),
    (node("InstanceNormalization", (4,), (4,)), IMAGE, "{instance_norm: {affine: true}}"),
    (
        node("LRN", size=5, alpha=1e-3, beta=0.5, bias=2.0),
        IMAGE,
        "{local_response_norm: {size: 5, alpha: 0.001, beta: 0.5, k: 2}}",
    ),
    (
        node("Conv", (8, 2, 3, 3), (8,), group=2, strides=[2, 1], pads=[1, 1, 1, 1]),
        IMAGE,
        "{conv2d: {out_channels: 8, kernel_size: 3, stride: [2, 1], padding: same, groups: 2}}",
    ),
    (
        node("Conv", (8, 5, 2), dilations=[2]),
        WORDS,
        "{conv1d: {out_channels: 8, kernel_size: 2, dilation: 2, bias: false}}",
    ),
    (
        node("ConvTranspose", (4, 3, 2, 2), (3,), strides=[2, 2]),
        IMAGE,
        "{conv_transpose2d: {out_channels: 3, kernel_size: 2, stride: 2}}",
    ),
    (
        node("ConvTranspose", (4, 1, 3, 3), group=4, strides=[2, 2], output_padding=[1, 1]),
        IMAGE,
        "{conv_transpose2d: {out_channels: 4, kernel_size: 3, stride: 2, output_padding: 1, groups: 4, bias: false}}",
    ),
    (node("Gemm", (7, 4), (7,), transB=1), VECTOR, "{linear: {out_features: 7}}"),
    (node("Gemm", (4, 7)), VECTOR, "{linear: {out_features: 7, bias: false}}"),
    (node("MatMul", (4, 7)), WORDS, "{linear: {out_features: 7, bias: false}}"),
    (numbers("Gather", 2, axis=1), WORDS, "{select: {dim: 1, index: 2}}"),
    (node("DepthToSpace", blocksize=2, mode="CRD"), IMAGE, "{pixel_shuffle: {upscale_factor: 2}}"),
    (numbers("Pad", [0, 0, 1, 2, 0, 0, 1, 2], mode="reflect"), IMAGE, "{pad: {padding: [1, 2], mode: reflect}}"),
    (
        numbers("Resize", *TWICE, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"),
        IMAGE,
        "{upsample: {scale_factor: 2}}",
    ),
    (numbers("Resize", *TWICE, mode="linear"), IMAGE, "{upsample: {scale_factor: 2, mode: bilinear}}"),
]


@pytest.mark.parametrize(("given", "sizes", "step"), READ, ids=lambda value: value if isinstance(value, str) else "")
def test_a_node_is_its_operator_with_its_settings(given, sizes, step, tmp_path):
    found = expand(archspec.from_onnx(saved(tmp_path, given, sizes))).nodes
    assert [each.operator for each in found] == of(step, sizes)


REFUSED = {
    "batch": (node("BatchNormalization", *[(4,)] * 4, training_mode=1), IMAGE, "normalises by its batch"),
    "groups": (node("GroupNormalization", (2,), (2,), num_groups=2), IMAGE, "a scale for each group"),
    "exponent": (node("Pow", inputs=("x", "x")), IMAGE, "an exponent that is no number"),
    "transposed": (node("Gemm", (4, 7), transA=1), (4, 4), "scales or transposes"),
    "scaled": (node("Gemm", (4, 7), alpha=0.5), VECTOR, "scales or transposes"),
    "bias": (node("Gemm", (4, 7), (1,)), VECTOR, "a bias that is not one number for each feature"),
    "uneven": (node("ConvTranspose", (4, 3, 2, 2), pads=[0, 0, 1, 1]), IMAGE, "torch's transposed convolution"),
    "same": (node("ConvTranspose", (4, 3, 2, 2), auto_pad="SAME_UPPER"), IMAGE, "torch's transposed convolution"),
    "order": (node("DepthToSpace", blocksize=2), IMAGE, r"in another order than pixel_shuffle \(DCR\)"),
    "cubes": (numbers("Resize", *TWICE, mode="cubic", cubic_coeff_a=-0.5), IMAGE, "enlarges by cubic"),
    "nearest": (numbers("Resize", *TWICE, mode="nearest"), IMAGE, "enlarges by nearest half_pixel"),
    "gaps": (node("AveragePool", kernel_shape=[2, 2], dilations=[2, 1]), IMAGE, "the mean of pixels that stand apart"),
    "words": (node("LeakyRelu", alpha="in_channels"), IMAGE, "negative_slope must be a number"),
    "words of a rate": (node("BatchNormalization", *[(4,)] * 4, momentum="x"), IMAGE, "momentum must be a number"),
    "words of a pattern": (node("HardSigmoid", beta="a"), IMAGE, "arguments that cannot be read"),
    "no number": (node("Elu", alpha=nan), IMAGE, r"alpha must be a number \(got nan\)"),
    "no slope": (node("HardSigmoid", alpha=nan), IMAGE, "slope must be a finite number"),
    "no bound": (numbers("Max", nan), IMAGE, "min must be a number"),
    "turned": (numbers("Slice", [5], [-100], [2], [-1]), IMAGE, "goes along an axis backwards"),
    "empty": (numbers("Slice", [5], [5], [2]), IMAGE, "arguments that cannot be read"),
    "of nothing": (node("DequantizeLinear", inputs=("", "")), IMAGE, "arguments that cannot be read"),
    "of a number": (node("DequantizeLinear", (1,), scale=3), IMAGE, "arguments that cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_language_has_not_is_refused_with_the_reason(name, tmp_path):
    given, sizes, reason = REFUSED[name]
    with pytest.raises(ArchspecError, match=reason):
        archspec.from_onnx(saved(tmp_path, given, sizes))


LSTM = {"hidden_size": 3}
LAYERS = {
    "backwards": (node("LSTM", (1, 12, 4), (1, 12, 3), direction="reverse", **LSTM), "backwards alone"),
    "clip": (node("LSTM", (1, 12, 4), (1, 12, 3), clip=2.0, **LSTM), "has clip 2"),
    "reset": (node("GRU", (1, 9, 4), (1, 9, 3), **LSTM), "resets the state before its product"),
    "peepholes": (node("LSTM", (1, 12, 4), (1, 12, 3), None, None, None, None, (1, 9), **LSTM), "peepholes"),
    "states": (node("RNN", (1, 3, 4), (1, 3, 3), None, None, (1, 5, 3), **LSTM), "states other than zeros"),
    "activations": (node("RNN", (1, 3, 4), (1, 3, 3), activations=["Elu"], **LSTM), "has the activations Elu"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_recurrent_layer_that_torch_has_not_is_refused_with_the_reason(name, tmp_path):
    given, reason = LAYERS[name]
    with pytest.raises(ArchspecError, match=reason):
        archspec.from_onnx(saved(tmp_path, given, (7, 5, 4)))


def test_a_swish_is_silu_if_it_multiplies_by_nothing(tmp_path):
    (found,) = expand(archspec.from_onnx(saved(tmp_path, node("Swish"), IMAGE, 24))).nodes
    assert found.operator.name == "silu"
    with pytest.raises(ArchspecError, match=r"multiplies by 0\.5 before its sigmoid"):
        archspec.from_onnx(saved(tmp_path, node("Swish", alpha=0.5), IMAGE, 24))


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
def test_until_opset_13_an_axis_stands_for_all_behind_it(kind, tmp_path):
    operator = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[kind]
    for sizes, dim in (((None, 4, 1, 1), 1), ((None, 1, 1, 6), 3), (VECTOR, 1)):
        (found,) = expand(archspec.from_onnx(saved(tmp_path, node(kind), sizes, 11))).nodes
        assert (found.operator.name, found.operator.dim) == (operator, dim)
    with pytest.raises(ArchspecError, match="over several axes as one"):
        archspec.from_onnx(saved(tmp_path, node(kind, axis=1), IMAGE, 11))


def test_a_scale_that_does_nothing_stands_beside_a_shift_that_does(tmp_path):
    from archspec.importing import document_of
    from archspec.importing.onnx_file import read_onnx

    given, arrays = node("BatchNormalization", *[(1,)] * 4)  # each of one number, 1
    found = document_of(read_onnx(saved(tmp_path, (given, arrays), (None, 1, 6, 6))))
    assert {key.rpartition(".")[2] for key in found.arrays} == {"weight", "bias", "running_mean", "running_var"}
