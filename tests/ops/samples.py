"""Samples of every operator: settings, what goes in, and what must come out, each figure written as its derivation.

This one list feeds the tests of the facts (tests/ops), those against torch (tests/oracle), the laws over symbols and
arrays (tests/laws), the examples of docs/operators.md and the promise of CONTRIBUTING.md.
"""

from dataclasses import dataclass
from typing import Any

from archspec.ops import FREE, Operations, Tensor, operator
from archspec.ops.base import Operator


@dataclass(frozen=True)
class Sample:
    """A row: an operator with its settings, what goes in, and what must come out."""

    name: str
    settings: dict[str, Any]
    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    params: int = 0
    operations: Operations = FREE

    @property
    def operator(self) -> Operator:
        return operator(self.name)(**self.settings)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(map(Tensor, self.inputs))

    def __str__(self) -> str:
        return f"{self.name}-{'-'.join(map(str, self.settings.values()))}-{self.inputs[0]}"


def image(name, settings, x, y, params=0, operations=FREE):
    return Sample(name, settings, (x,), y, params, operations)


X = (1, 8, 6, 5)
ELEMENTS = 8 * 6 * 5


def elementwise(name, one, params=0, **settings):
    return Sample(name, settings, (X,), X, params, one.times(ELEMENTS))


SAMPLES = [
    # convolutions: MobileNet's first layer, AlexNet's, a depthwise one, a transposed one
    image(
        "conv2d",
        {"out_channels": 32, "kernel_size": 3, "stride": 2, "padding": 1, "bias": False},
        (1, 3, 224, 224),
        (1, 32, 112, 112),
        32 * 3 * 9,
        Operations(macs=32 * 112 * 112 * 3 * 9),
    ),
    image(
        "conv2d",
        {"out_channels": 96, "kernel_size": 11, "stride": 4},
        (2, 3, 227, 227),
        (2, 96, 55, 55),
        96 * 3 * 121 + 96,
        Operations(macs=2 * 96 * 55 * 55 * 3 * 121, additions=2 * 96 * 55 * 55),
    ),
    image(
        "conv2d",
        {"out_channels": 32, "kernel_size": 3, "padding": "same", "groups": 32, "bias": False},
        (1, 32, 112, 112),
        (1, 32, 112, 112),
        32 * 1 * 9,
        Operations(macs=32 * 112 * 112 * 1 * 9),
    ),
    image(
        "conv2d",
        {"out_channels": 6, "kernel_size": (1, 7), "padding": (0, 3), "dilation": (1, 2), "groups": 2},
        (1, 4, 5, 17),
        (1, 6, 5, 17 + 2 * 3 - 2 * 6),
        6 * 2 * 7 + 6,
        Operations(macs=6 * 5 * 11 * 2 * 7, additions=6 * 5 * 11),
    ),
    image(
        "conv2d",
        {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": (0, 1, 0, 1), "bias": False},
        (1, 3, 8, 10),
        (1, 4, 4, 5),
        4 * 3 * 9,
        Operations(macs=4 * 4 * 5 * 3 * 9),
    ),
    image(
        "conv_transpose2d",
        {"out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1, "groups": 2},
        (1, 4, 7, 5),
        (1, 6, (7 - 1) * 2 - 2 + 3 + 1, (5 - 1) * 2 - 2 + 3 + 1),
        4 * 3 * 9 + 6,
        Operations(macs=(4 * 7 * 5) * 3 * 9, additions=6 * 14 * 10),
    ),
    image(
        "conv_transpose2d",
        {"out_channels": 2, "kernel_size": (2, 3), "dilation": 2, "bias": False},
        (1, 4, 7, 5),
        (1, 2, 7 + 2, 5 + 4),
        4 * 2 * 6,
        Operations(macs=(4 * 7 * 5) * 2 * 6),
    ),
    # one-bit layers: products are XNORs, α once an output; K is a mean a pixel, a window sum a map, once an output
    image(
        "binary_conv2d",
        {"out_channels": 16, "kernel_size": 3, "padding": 1},
        X,
        (1, 16, 6, 5),
        16 * 8 * 9,
        Operations(
            binary=16 * 6 * 5 * 8 * 9,
            comparisons=8 * 6 * 5,
            additions=(8 - 1) * 6 * 5,
            divisions=6 * 5,
            macs=9 * 6 * 5,
            multiplications=2 * 16 * 6 * 5,
        ),
    ),
    image(
        "binary_conv2d",
        {"out_channels": 16, "kernel_size": 3, "input_scale": False, "groups": 4, "bias": True},
        X,
        (1, 16, 4, 3),
        16 * 2 * 9 + 16,
        Operations(
            binary=16 * 4 * 3 * 2 * 9,
            comparisons=8 * 6 * 5,
            additions=16 * 4 * 3,
            multiplications=16 * 4 * 3,
        ),
    ),
    image(
        "binary_conv2d",
        {"out_channels": 16, "kernel_size": 3, "binary_input": False, "padding": "same", "stride": 2},
        X,
        (1, 16, 3, 3),
        16 * 8 * 9,
        Operations(additions=16 * 3 * 3 * 8 * 9, multiplications=16 * 3 * 3),
    ),
    image(
        "binary_linear",
        {"out_features": 10, "bias": True},
        (2, 32),
        (2, 10),
        10 * 32 + 10,
        Operations(
            binary=2 * 10 * 32,
            comparisons=2 * 32,
            additions=2 * (32 - 1) + 2 * 10,
            divisions=2,
            multiplications=2 * 2 * 10,
        ),
    ),
    image(
        "binary_linear",
        {"out_features": 10, "binary_input": False},
        (2, 32),
        (2, 10),
        10 * 32,
        Operations(additions=2 * 10 * 32, multiplications=2 * 10),
    ),
    image(
        "linear",
        {"out_features": 1000},
        (4, 1024),
        (4, 1000),
        1000 * 1024 + 1000,
        Operations(macs=4 * 1000 * 1024, additions=4 * 1000),
    ),
    image(
        "linear",
        {"out_features": 10, "bias": False},
        (2, 7, 16),
        (2, 7, 10),
        10 * 16,
        Operations(macs=2 * 7 * 10 * 16),
    ),
    # normalisations: two learned numbers a channel
    image("batch_norm", {}, X, X, 2 * 8, Operations(multiplications=ELEMENTS, additions=ELEMENTS)),
    image("batch_norm", {"eps": 0.001, "momentum": 0.01}, X, X, 16, Operations(multiplications=240, additions=240)),
    image("batch_norm", {"affine": False}, (2, 9), (2, 9), 0, Operations(multiplications=18, additions=18)),
    image("batch_norm", {"track_running_stats": False}, X, X, 16, Operations(multiplications=240, additions=240)),
    image(
        "layer_norm",
        {},
        (2, 7, 16),
        (2, 7, 16),
        2 * 16,
        # a row: 15 sums, a division; 16 differences, 16 squares, 15 sums, a division; + eps, a root, its inverse; γ, β
        Operations(
            additions=15 + 16 + 15 + 1 + 16, multiplications=16 + 16 + 16, divisions=1 + 1 + 1, transcendentals=1
        ).times(2 * 7),
    ),
    image(
        "layer_norm",
        {"normalized_shape": (8, 6, 5), "bias": False},
        (2, *X[1:]),
        (2, *X[1:]),
        240,
        Operations(additions=239 + 240 + 239 + 1, multiplications=3 * 240, divisions=3, transcendentals=1).times(2),
    ),
    image(
        "layer_norm",
        {"elementwise_affine": False},
        (2, 16),
        (2, 16),
        0,
        Operations(additions=15 + 16 + 15 + 1, multiplications=2 * 16, divisions=3, transcendentals=1).times(2),
    ),
    image(
        "layer_norm",  # each of 2·30 pixels over its 8 channels
        {"over_channels": True, "eps": 1e-6},
        (2, *X[1:]),
        (2, *X[1:]),
        2 * 8,
        Operations(additions=7 + 8 + 7 + 1 + 8, multiplications=3 * 8, divisions=3, transcendentals=1).times(2 * 30),
    ),
    image(
        "rms_norm",
        {"eps": 1e-5},
        (2, 7, 16),
        (2, 7, 16),
        16,
        # a row: 16 squares, 15 sums, a division; + eps, a root, its inverse; 16 times that, 16 times γ
        Operations(additions=15 + 1, multiplications=16 + 16 + 16, divisions=1 + 1, transcendentals=1).times(2 * 7),
    ),
    image(
        "local_response_norm",
        {"size": 3, "alpha": 1e-3, "beta": 0.5},
        X,
        X,
        0,
        Operations(multiplications=2, additions=2 + 1, transcendentals=1, divisions=1).times(ELEMENTS),
    ),
    image(
        "local_response_norm",
        {"size": 5, "k": 2},
        X,
        X,
        0,
        # the square and alpha/size times the sum; four sums and k; one power; one division
        Operations(multiplications=2, additions=4 + 1, transcendentals=1, divisions=1).times(ELEMENTS),
    ),
    # activations
    elementwise("relu", Operations(comparisons=1)),
    elementwise("relu6", Operations(comparisons=2)),
    elementwise("leaky_relu", Operations(comparisons=1, multiplications=1)),
    elementwise("leaky_relu", Operations(comparisons=1, multiplications=1), negative_slope=0.1),
    elementwise("elu", Operations(comparisons=1, transcendentals=1, additions=1, multiplications=1)),
    elementwise("elu", Operations(comparisons=1, transcendentals=1, additions=1, multiplications=1), alpha=2),
    elementwise("prelu", Operations(comparisons=1, multiplications=1), params=1),
    elementwise("prelu", Operations(comparisons=1, multiplications=1), params=1, init=0.1),
    elementwise("prelu", Operations(comparisons=1, multiplications=1), params=8, num_parameters=8),
    elementwise("sigmoid", Operations(transcendentals=1, additions=1, divisions=1)),
    elementwise("tanh", Operations(transcendentals=1)),
    elementwise("gelu", Operations(transcendentals=1, additions=1, multiplications=1 + 1 + 1)),
    elementwise("gelu", Operations(transcendentals=1, additions=2, multiplications=2 + 1 + 1 + 2), approximate="tanh"),
    elementwise("silu", Operations(transcendentals=1, additions=1, divisions=1, multiplications=1)),
    elementwise("hard_sigmoid", Operations(additions=1, comparisons=2, divisions=1)),
    elementwise("hard_swish", Operations(additions=1, comparisons=2, divisions=1, multiplications=1)),
    image(
        "softmax",
        {},
        (2, 10),
        (2, 10),
        0,
        Operations(comparisons=9, additions=10 + 9, transcendentals=10, divisions=10).times(2),
    ),
    image(
        "softmax",
        {"dim": -1},
        X,
        X,
        0,
        Operations(comparisons=4, additions=5 + 4, transcendentals=5, divisions=5).times(8 * 6),
    ),
    image(
        "log_softmax",
        {"dim": 2},
        X,
        X,
        0,
        Operations(comparisons=5, additions=6 + 5 + 6, transcendentals=6 + 1).times(8 * 5),
    ),
    # poolings: k² − 1 comparisons or additions an output
    image(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2},
        (1, 96, 55, 55),
        (1, 96, 27, 27),
        0,
        Operations(comparisons=96 * 27 * 27 * 8),
    ),
    image(
        "max_pool2d",  # SqueezeNet: ⌈(112 − 3)/2⌉ + 1 = 56, where rounding down gives 55
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        (1, 4, 112, 112),
        (1, 4, 56, 56),
        0,
        Operations(comparisons=4 * 56 * 56 * 8),
    ),
    image(
        "max_pool2d",  # the only window reaches out of the input
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        (1, 4, 2, 2),
        (1, 4, 1, 1),
        0,
        Operations(comparisons=4 * 8),
    ),
    image(
        "max_pool2d",
        {"kernel_size": (2, 3), "padding": (1, 0), "dilation": 2},
        (1, 4, 9, 9),
        (1, 4, (9 + 2 - 2 - 1) // 2 + 1, (9 - 4 - 1) // 3 + 1),
        0,
        Operations(comparisons=4 * 5 * 2 * (6 - 1)),
    ),
    image(
        "avg_pool2d",
        {"kernel_size": 2, "count_include_pad": False},
        X,
        (1, 8, 3, 2),
        0,
        Operations(additions=8 * 3 * 2 * 3, divisions=8 * 3 * 2),
    ),
    image("global_avg_pool", {}, X, (1, 8), 0, Operations(additions=8 * (30 - 1), divisions=8)),
    image("global_avg_pool", {"keepdim": True}, X, (1, 8, 1, 1), 0, Operations(additions=8 * 29, divisions=8)),
    image("global_max_pool", {}, X, (1, 8), 0, Operations(comparisons=8 * (30 - 1))),
    image("global_max_pool", {"keepdim": True}, X, (1, 8, 1, 1), 0, Operations(comparisons=8 * 29)),
    image(
        "adaptive_avg_pool2d",
        {"output_size": (3, 1)},
        X,
        (1, 8, 3, 1),
        0,
        Operations(additions=8 * 3 * (2 * 5 - 1), divisions=8 * 3),
    ),
    image(
        "adaptive_avg_pool2d",
        {"output_size": 4},
        X,
        (1, 8, 4, 4),
        0,
        # windows of 6 rows for 4: 0–1, 1–2, 3–4, 4–5, of 2 rows each; of 5 columns: 0–1, 1–2, 2–3, 3–4
        Operations(additions=8 * 16 * (2 * 2 - 1), divisions=8 * 16),
    ),
    # what moves data
    image("identity", {}, X, X),
    image("dropout", {}, X, X),
    image("dropout", {"p": 0.2}, X, X),
    image("flatten", {}, X, (1, 8 * 6 * 5)),
    image("channel_shuffle", {"groups": 2}, X, X),
    image("channel_shuffle", {"groups": 4}, X, X),
    image("zero_pad", {"padding": 1}, X, (1, 8, 6 + 2, 5 + 2)),
    image("zero_pad", {"padding": (1, 0)}, X, (1, 8, 6 + 2, 5)),
    image("zero_pad", {"padding": (0, 1, 2, 3)}, X, (1, 8, 6 + 0 + 1, 5 + 2 + 3)),
    image("split", {"sections": 4, "index": 3}, X, (1, 2, 6, 5)),
    image("split", {"sections": (5, 3), "index": 1}, X, (1, 3, 6, 5)),
    image("split", {"sections": 1, "index": 0, "dim": 2}, X, X),
    image("split", {"sections": 5, "index": 0, "dim": -1}, X, (1, 8, 6, 1)),
    image("upsample", {"scale_factor": 2}, X, (1, 8, 12, 10)),
    image(
        "upsample",
        {"scale_factor": 2, "mode": "bilinear", "align_corners": True},
        X,
        (1, 8, 12, 10),
        0,
        Operations(multiplications=4, additions=3).times(8 * 12 * 10),
    ),
    image(
        "upsample",
        {"scale_factor": (1, 3), "mode": "bilinear"},
        X,
        (1, 8, 6, 15),
        0,
        Operations(multiplications=4, additions=3).times(8 * 6 * 15),
    ),
    # windows over one and three axes, and TensorFlow's padding
    image(
        "conv1d",  # causal: what is before, not what is behind
        {"out_channels": 6, "kernel_size": 3, "padding": (8, 0), "dilation": 4, "groups": 2},
        (2, 4, 17),
        (2, 6, 17),
        6 * 2 * 3 + 6,
        Operations(macs=2 * 6 * 17 * 2 * 3, additions=2 * 6 * 17),
    ),
    image(
        "conv1d",
        {"out_channels": 40, "kernel_size": 10, "stride": 2, "padding": "tf_same", "bias": False},
        (1, 8, 49),
        (1, 40, 25),
        40 * 8 * 10,
        Operations(macs=40 * 25 * 8 * 10),
    ),
    image(
        "conv3d",
        {"out_channels": 4, "kernel_size": (1, 3, 2), "stride": (1, 2, 2), "padding": (0, 1, 0)},
        (1, 3, 4, 7, 8),
        (1, 4, 4, 4, 4),
        4 * 3 * 6 + 4,
        Operations(macs=4 * 4 * 4 * 4 * 3 * 6, additions=4 * 4 * 4 * 4),
    ),
    image(
        "conv3d",
        {"out_channels": 4, "kernel_size": 3, "padding": "tf_same", "stride": 2, "bias": False},
        (1, 2, 4, 5, 6),
        (1, 4, 2, 3, 3),
        4 * 2 * 27,
        Operations(macs=4 * 2 * 3 * 3 * 2 * 27),
    ),
    image(
        "conv2d",  # 224 at stride 2: one pixel, and behind
        {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": "tf_same", "bias": False},
        (1, 3, 8, 9),
        (1, 4, 4, 5),
        4 * 3 * 9,
        Operations(macs=4 * 4 * 5 * 3 * 9),
    ),
    image(
        "conv_transpose1d",
        {"out_channels": 6, "kernel_size": 4, "stride": 3, "padding": 1, "output_padding": 1},
        (1, 4, 7),
        (1, 6, (7 - 1) * 3 - 2 + 3 + 1 + 1),
        4 * 6 * 4 + 6,
        Operations(macs=(4 * 7) * 6 * 4, additions=6 * 21),
    ),
    image(
        "conv_transpose3d",
        {"out_channels": 2, "kernel_size": (2, 3, 1), "stride": (1, 2, 1), "groups": 2, "bias": False},
        (1, 4, 3, 4, 5),
        (1, 2, 4, 9, 5),
        4 * 1 * 6,
        Operations(macs=(4 * 3 * 4 * 5) * 1 * 6),
    ),
    image(
        "max_pool1d",
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        (1, 4, 10),
        (1, 4, 6),
        0,
        Operations(comparisons=4 * 6 * 2),
    ),
    image(
        "max_pool3d", {"kernel_size": (1, 2, 2)}, (1, 4, 3, 6, 8), (1, 4, 3, 3, 4), 0, Operations(comparisons=144 * 3)
    ),
    image(
        "max_pool2d",
        {"kernel_size": 3, "stride": 2, "padding": "tf_same"},
        (1, 4, 8, 9),
        (1, 4, 4, 5),
        0,
        Operations(comparisons=4 * 4 * 5 * 8),
    ),
    image(
        "max_pool1d",
        {"kernel_size": 2, "stride": 1, "padding": "tf_same", "dilation": 2},
        (1, 4, 9),
        (1, 4, 9),
        0,
        Operations(comparisons=4 * 9),
    ),
    image("avg_pool1d", {"kernel_size": 4}, (1, 4, 10), (1, 4, 2), 0, Operations(additions=4 * 2 * 3, divisions=4 * 2)),
    image(
        "avg_pool2d",
        {"kernel_size": (2, 3), "stride": (1, 2), "padding": "tf_same"},
        (1, 4, 8, 9),
        (1, 4, 8, 5),
        0,
        Operations(additions=4 * 8 * 5 * 5, divisions=4 * 8 * 5),
    ),
    image(
        "avg_pool3d",
        {"kernel_size": 2, "stride": 1, "padding": 1, "count_include_pad": False},
        (1, 2, 3, 4, 5),
        (1, 2, 4, 5, 6),
        0,
        Operations(additions=240 * 7, divisions=240),
    ),
    image(
        "avg_pool3d",
        {"kernel_size": 2, "padding": "tf_same"},
        (1, 2, 3, 4, 5),
        (1, 2, 2, 2, 3),
        0,
        Operations(additions=24 * 7, divisions=24),
    ),
    image("global_avg_pool", {}, (2, 4, 9), (2, 4), 0, Operations(additions=2 * 4 * 8, divisions=8)),
    image("global_max_pool", {}, (1, 4, 2, 3, 5), (1, 4), 0, Operations(comparisons=4 * 29)),
    image("adaptive_avg_pool1d", {"output_size": 2}, (1, 4, 6), (1, 4, 2), 0, Operations(additions=16, divisions=8)),
    image(
        "adaptive_avg_pool3d",
        {"output_size": (1, 2, 3)},
        (1, 4, 2, 4, 6),
        (1, 4, 1, 2, 3),
        0,
        Operations(additions=4 * 6 * (8 - 1), divisions=4 * 6),
    ),
    image("adaptive_max_pool1d", {"output_size": 2}, (1, 4, 6), (1, 4, 2), 0, Operations(comparisons=4 * 2 * 2)),
    image("adaptive_max_pool2d", {"output_size": (3, 5)}, X, (1, 8, 3, 5), 0, Operations(comparisons=8 * 15 * 1)),
    image(
        "adaptive_max_pool3d", {"output_size": 1}, (1, 4, 2, 3, 5), (1, 4, 1, 1, 1), 0, Operations(comparisons=4 * 29)
    ),
    # more normalisations
    image("batch_norm", {}, (2, 4, 9), (2, 4, 9), 8, Operations(multiplications=72, additions=72)),
    image(
        "group_norm",
        {"num_groups": 4},
        X,
        X,
        2 * 8,
        # a group of 2 channels: m = 60
        Operations(additions=59 + 60 + 59 + 1 + 60, multiplications=3 * 60, divisions=3, transcendentals=1).times(4),
    ),
    image(
        "group_norm",
        {"num_groups": 1, "eps": 0.001, "affine": False},
        (2, 7, 6),
        (2, 7, 6),
        0,
        Operations(additions=41 + 42 + 41 + 1, multiplications=2 * 42, divisions=3, transcendentals=1).times(2),
    ),
    image(
        "instance_norm",
        {"affine": True},
        X,
        X,
        2 * 8,
        Operations(additions=29 + 30 + 29 + 1 + 30, multiplications=3 * 30, divisions=3, transcendentals=1).times(8),
    ),
    image(
        "instance_norm",
        {"eps": 0.001},
        (2, 3, 9),
        (2, 3, 9),
        0,
        Operations(additions=8 + 9 + 8 + 1, multiplications=2 * 9, divisions=3, transcendentals=1).times(2 * 3),
    ),
    image(
        "layer_norm",
        {"over_channels": True, "bias": False},
        (2, 8, 9),
        (2, 8, 9),
        8,
        Operations(additions=7 + 8 + 7 + 1, multiplications=3 * 8, divisions=3, transcendentals=1).times(2 * 9),
    ),
    # more activations
    elementwise(
        "softplus", Operations(comparisons=1, multiplications=1, transcendentals=2, additions=1, divisions=1), beta=2
    ),
    elementwise("mish", Operations(transcendentals=3, additions=1, multiplications=1)),
    elementwise("exp", Operations(transcendentals=1)),
    elementwise("power", Operations(transcendentals=1), exponent=2),
    elementwise("add_scalar", Operations(additions=1), value=3),
    elementwise("add_scalar", Operations(additions=1), value=-0.5),
    elementwise("mul_scalar", Operations(multiplications=1), value=0.17),
    elementwise("mul_scalar", Operations(multiplications=1), value="1/255"),
    elementwise("clamp", Operations(comparisons=2), min=-1, max=0.5),
    elementwise("clamp", Operations(comparisons=1), min=0.25),
    elementwise("clamp", Operations(comparisons=1), max=6),
    # over axes
    image("mean", {"dim": 1}, (2, 7, 16), (2, 16), 0, Operations(additions=2 * 16 * 6, divisions=2 * 16)),
    image("mean", {"dim": (2, 3), "keepdim": True}, X, (1, 8, 1, 1), 0, Operations(additions=8 * 29, divisions=8)),
    image("amax", {"dim": 1}, (2, 7, 16), (2, 16), 0, Operations(comparisons=2 * 16 * 6)),
    image("amax", {"dim": (1, 3), "keepdim": True}, X, (1, 1, 6, 1), 0, Operations(comparisons=6 * 39)),
    image("sum", {"dim": (-1, 1)}, X, (1, 6), 0, Operations(additions=6 * (40 - 1))),
    # learned tensors and tables
    image("parameter", {"shape": (7, 16), "std": 0.02}, (2, 3, 8, 8), (2, 7, 16), 7 * 16),
    image("parameter", {"shape": (8, 1, 1), "fill": 1e-6}, X, (1, 8, 1, 1), 8),
    image("embedding", {"num_embeddings": 50, "embedding_dim": 16}, (2, 7), (2, 7, 16), 50 * 16),
    # tokens
    image("patches", {"patch_size": (3, 5)}, X, (1, 2, 8 * 15)),
    image("from_patches", {"grid": (2, 1), "patch_size": (3, 5)}, (1, 2, 8 * 15), X),
    image("flatten", {"start_dim": 2}, X, (1, 8, 30)),
    image("flatten", {"start_dim": 1, "end_dim": 2}, X, (1, 48, 5)),
    image("unflatten", {"dim": -1, "unflattened_size": (4, -1)}, (2, 7, 16), (2, 7, 4, 4)),
    image("unflatten", {"dim": 1, "unflattened_size": (2, 4)}, X, (1, 2, 4, 6, 5)),
    image("reshape", {"shape": (-1, 10)}, X, (1, 24, 10)),
    image("transpose", {}, (2, 16, 7), (2, 7, 16)),
    image("transpose", {"dim0": 1, "dim1": -1}, X, (1, 5, 6, 8)),
    image("permute", {"dims": (2, 3, 1)}, X, (1, 6, 5, 8)),
    image("narrow", {"length": 3, "start": 2}, X, (1, 3, 6, 5)),
    image("narrow", {"length": 4, "dim": -2}, X, (1, 8, 4, 5)),
    image("select", {"index": 0}, (2, 7, 16), (2, 16)),
    image("select", {"index": -1, "dim": 2}, X, (1, 8, 5)),
    image("roll", {"shifts": (3, -1), "dims": (2, 3)}, X, X),
    Sample("matmul", {}, ((2, 3, 7, 4), (2, 3, 4, 5)), (2, 3, 7, 5), 0, Operations(macs=2 * 3 * 7 * 5 * 4)),
    Sample(
        "scaled_dot_product_attention",
        {"is_causal": True},
        ((2, 3, 7, 4),) * 3,
        (2, 3, 7, 4),
        0,
        # 2·3·7 rows of 7 scores: the products, the scale, and a softmax of each row
        Operations(
            macs=2 * 42 * 7 * 4,
            multiplications=42 * 7,
            comparisons=42 * 6,
            additions=42 * (7 + 6),
            transcendentals=42 * 7,
            divisions=42 * 7,
        ),
    ),
    Sample(
        "scaled_dot_product_attention",
        {"enable_gqa": True, "scale": 0.125},
        ((2, 6, 7, 4), (2, 2, 9, 4), (2, 2, 9, 5), (2, 1, 7, 9)),
        (2, 6, 7, 5),
        0,
        Operations(
            macs=84 * 9 * (4 + 5),
            multiplications=84 * 9,
            comparisons=84 * 8,
            additions=84 * (9 + 9 + 8),
            transcendentals=84 * 9,
            divisions=84 * 9,
        ),
    ),
    Sample(
        "scaled_dot_product_attention",
        {"dropout_p": 0.1},
        ((1, 1, 5, 4),) * 3,
        (1, 1, 5, 4),
        0,
        Operations(macs=200, multiplications=25, comparisons=20, additions=45, transcendentals=25, divisions=25),
    ),
    Sample(
        "scaled_dot_product_attention",
        {"is_causal": True, "window": 3},
        ((2, 5, 4),) * 3,
        (2, 5, 4),
        0,
        Operations(
            macs=2 * 10 * 5 * 4,
            multiplications=50,
            comparisons=40,
            additions=50 + 40,
            transcendentals=50,
            divisions=50,
        ),
    ),
    # 3·5 offsets of two pixels of a window of 2 × 3, for each of four heads; 3·2 windows of an image that was moved
    image("relative_position_bias", {"window_size": (2, 3), "num_heads": 4}, (2, 8, 6, 6), (2, 1, 4, 6, 6), 3 * 5 * 4),
    image(
        "relative_position_bias",
        {"window_size": 2, "num_heads": 4, "shift_size": 1},
        (*X[:3], 4),
        (1, 3 * 2, 4, 4, 4),
        3 * 3 * 4,
    ),
    image("rotary", {}, (2, 3, 7, 8), (2, 3, 7, 8), 0, Operations(multiplications=2, additions=1).times(336)),
    image(
        "rotary",
        {"base": 500000, "interleaved": True},
        (2, 7, 8),
        (2, 7, 8),
        0,
        Operations(multiplications=2, additions=1).times(112),
    ),
    # recurrent layers: a product of the input and one of the state, for each gate
    image(
        "lstm",
        {"hidden_size": 6},
        (3, 5, 8),
        (3, 5, 6),
        4 * 6 * (8 + 6 + 2),
        Operations(
            macs=3 * 5 * 4 * 6 * (8 + 6),
            additions=90 * (4 * 3 + 4),
            transcendentals=90 * 5,
            divisions=90 * 3,
            multiplications=90 * 3,
        ),
    ),
    image(
        "lstm",  # the state of 6 is made one of 4: for the next step, and for the second layer
        {"hidden_size": 6, "proj_size": 4, "num_layers": 2},
        (3, 5, 8),
        (3, 5, 4),
        4 * 6 * (8 + 4 + 2) + 4 * 6 + 4 * 6 * (4 + 4 + 2) + 4 * 6,
        Operations(
            macs=3 * 5 * (4 * 6 * (8 + 4) + 4 * 6 + 4 * 6 * (4 + 4) + 4 * 6),
            additions=2 * 90 * (4 * 3 + 4),
            transcendentals=2 * 90 * 5,
            divisions=2 * 90 * 3,
            multiplications=2 * 90 * 3,
        ),
    ),
    image(
        "gru",
        {"hidden_size": 6, "num_layers": 2, "bidirectional": True, "bias": False, "return_sequences": False},
        (3, 5, 8),
        (3, 12),
        2 * 3 * 6 * (8 + 6) + 2 * 3 * 6 * (12 + 6),
        Operations(
            macs=3 * 5 * (2 * 3 * 6 * (8 + 6) + 2 * 3 * 6 * (12 + 6)),
            additions=4 * 90 * (3 + 4),
            transcendentals=4 * 90 * 3,
            divisions=4 * 90 * 2,
            multiplications=4 * 90 * 3,
        ),
    ),
    image(
        "rnn",
        {"hidden_size": 6, "nonlinearity": "relu", "return_sequences": False},
        (3, 5, 8),
        (3, 6),
        6 * (8 + 6 + 2),
        Operations(macs=3 * 5 * 6 * (8 + 6), additions=90 * 3, comparisons=90),
    ),
    image(
        "rnn",
        {"hidden_size": 6, "num_layers": 2, "dropout": 0.5},
        (3, 5, 8),
        (3, 5, 6),
        6 * (8 + 6 + 2) + 6 * (6 + 6 + 2),
        Operations(macs=3 * 5 * 6 * (8 + 6 + 6 + 6), additions=2 * 90 * 3, transcendentals=2 * 90),
    ),
    # around images
    image("stochastic_depth", {"p": 0.1}, X, X),
    image("pad", {"padding": (1, 0, 2, 3), "value": 1}, X, (1, 8, 7, 10)),
    image("pad", {"padding": (2, 1), "mode": "reflect"}, X, (1, 8, 10, 7)),
    image("pad", {"padding": 2, "mode": "replicate"}, (2, 4, 9), (2, 4, 13)),
    image("pad", {"padding": 1, "mode": "circular"}, (2, 4, 3, 4, 5), (2, 4, 5, 6, 7)),
    image("crop", {"cropping": (1, 0, 2, 1)}, X, (1, 8, 5, 2)),
    image("crop", {"cropping": (0, 3)}, (2, 4, 9), (2, 4, 6)),
    image("pixel_shuffle", {"upscale_factor": 2}, X, (1, 2, 12, 10)),
    image("pixel_unshuffle", {"downscale_factor": 2}, (1, 2, 12, 10), X),
    image("resize", {"size": (9, 4)}, X, (1, 8, 9, 4)),
    image(
        "resize",
        {"size": 7, "mode": "bilinear", "align_corners": True},
        X,
        (1, 8, 7, 7),
        0,
        Operations(multiplications=4, additions=3).times(8 * 49),
    ),
    image(
        "resize",
        {"size": 3, "mode": "bicubic"},
        X,
        (1, 8, 3, 3),
        0,
        Operations(multiplications=16, additions=15).times(8 * 9),
    ),
    # few bits
    image(
        "quantise",
        {"scale": 0.25, "bits": 4, "signed": False, "zero_point": 3},
        X,
        X,
        0,
        Operations(divisions=1, additions=1, comparisons=2).times(240),
    ),
    image("quantise", {"scale": 1}, (2, 9), (2, 9), 0, Operations(divisions=18, additions=18, comparisons=36)),
    image(
        "dequantise", {"scale": 0.25, "zero_point": 3}, (2, 9), (2, 9), 0, Operations(additions=18, multiplications=18)
    ),
    # what no operator computes
    image("opaque", {"shape": [8, 6, 5], "params": 36, "buffers": 2}, X, X, 36),
    Sample("opaque_join", {"shape": [4]}, (X, (1, 9)), (1, 4)),
    # joins
    Sample("add", {"broadcast": True}, ((1, 8, 1, 1), X), X, 0, Operations(additions=ELEMENTS)),
    Sample("divide", {}, (X, (1, 8, 1, 1)), X, 0, Operations(divisions=ELEMENTS)),
    Sample("maximum", {}, (X, X), X, 0, Operations(comparisons=ELEMENTS)),
    Sample("minimum", {"broadcast": True}, (X, (1, 8, 1, 1), X), X, 0, Operations(comparisons=2 * ELEMENTS)),
    Sample("add", {}, (X, X, X), X, 0, Operations(additions=2 * ELEMENTS)),
    Sample("subtract", {}, (X, X, X), X, 0, Operations(additions=2 * ELEMENTS)),
    Sample("mul", {}, (X, (1, 8, 1, 1)), X, 0, Operations(multiplications=ELEMENTS)),
    Sample("mul", {}, ((1, 8, 1, 5), (1, 1, 6, 1), X), X, 0, Operations(multiplications=2 * ELEMENTS)),
    Sample("concat", {}, (X, (1, 2, 6, 5), (1, 3, 6, 5)), (1, 8 + 2 + 3, 6, 5)),
    Sample("concat", {"dim": 2}, (X, (1, 8, 1, 5)), (1, 8, 6 + 1, 5)),
    Sample("concat", {}, ((2, 8),), (2, 8)),
    Sample("add", {}, ((2, 8),) * 3, (2, 8), 0, Operations(additions=2 * 2 * 8)),
    Sample("concat", {"dim": -1}, ((2, 3, 4), (2, 3, 5)), (2, 3, 4 + 5)),
]
