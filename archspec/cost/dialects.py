"""What the counters print: for each tool a table of operators and sizes, read from its source.

A network is taken to be written as torchvision writes them: a module for every layer, global pooling as
`AdaptiveAvgPool2d(1)`, sums and products as `x + y` and `x * y`. Tools that watch modules, or patch functions, see what
is written and nothing else: a functional twin of a layer can change their number. An operator is counted by a rule, or
known to be free, or it is named and the count refused. The numbers are those of one image, or of a batch where each
image costs the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from archspec.cost.conventions import CONVENTIONS, CORE, Convention, Term, is_zero
from archspec.cost.features import FEATURES, Work
from archspec.dims import Dim
from archspec.errors import ArchspecError, entry
from archspec.ops import registered

Rules: TypeAlias = Mapping[str, Mapping[str, int]]
"""By operator: how often each of its `FEATURES` counts."""


@dataclass(frozen=True, slots=True, repr=False)
class Dialect(Convention):
    """The number that a tool prints, as a convention.

    Attributes:
        version: The version whose source was read.
        prints: What the tool calls its number.
        rules: The number of each operator, as a combination of sizes.
        also: Other tools, or other names, with the same number.
        free: Operators that the tool was tried on and, without a rule, counts as nothing.
    """

    version: str = ""
    prints: str = "MACs"
    rules: Rules = field(default_factory=dict)
    also: tuple[str, ...] = ()
    free: frozenset[str] = frozenset()

    def knows(self, operator: str) -> bool:
        """Whether the tool's number of an operator is known: by a rule, or as nothing."""
        return operator in self.rules or operator in self.free

    def flops_at(self, work: Work) -> Dim:
        """The tool's number of an operator.

        Raises:
            ArchspecError: It is not known.
        """
        return sum(term.amount for term in self.terms(work))

    def terms(self, work: Work) -> tuple[Term, ...]:
        """The summands of the tool's number of an operator."""
        name = work.operator.name
        if not self.knows(name):
            raise ArchspecError(f"what {self.name} {self.version} counts for '{name}' is not known")
        counts = ((what, factor, FEATURES[what][1](work)) for what, factor in self.rules.get(name, {}).items())
        return tuple(
            Term(_doer(name, what), what, factor, count) for what, factor, count in counts if not is_zero(count)
        )


def _doer(operator: str, what: str) -> str:
    if operator not in CORE:
        return operator
    return "biases" if what == "biases" else "macs"


def _each(operators: str, **sizes: int) -> Rules:
    """One rule for several operators."""
    return dict.fromkeys(operators.split(), sizes)


# ------------------------------------------------------------------ what several tools share

_MACS = _each("conv2d conv_transpose2d linear", macs=1)
_MACS_TRANSPOSED_BY_OUTPUTS = {**_MACS, "conv_transpose2d": {"products": 1}}
_BIASED = _each("conv2d conv_transpose2d linear", macs=1, biases=1)
_TWICE = {"conv2d": {"macs": 2, "biases": 1}, "conv_transpose2d": {"macs": 2, "biases": 1}, "linear": {"macs": 2}}

_GLOBAL_AVERAGE = "global_avg_pool adaptive_avg_pool2d"
_POOLINGS = f"max_pool2d avg_pool2d {_GLOBAL_AVERAGE} global_max_pool"
_AFFINE = {"scaled inputs": 2, "plain inputs": 1}
_AFFINE_OR_TRAINED = {**_AFFINE, "untracked inputs": 3}

_TRIED = frozenset(
    {
        "adaptive_avg_pool2d",
        "add",
        "avg_pool2d",
        "batch_norm",
        "channel_shuffle",
        "concat",
        "conv2d",
        "conv_transpose2d",
        "dropout",
        "elu",
        "flatten",
        "gelu",
        "global_avg_pool",
        "global_max_pool",
        "hard_sigmoid",
        "hard_swish",
        "identity",
        "layer_norm",
        "leaky_relu",
        "linear",
        "local_response_norm",
        "log_softmax",
        "max_pool2d",
        "mul",
        "prelu",
        "relu",
        "relu6",
        "sigmoid",
        "silu",
        "softmax",
        "split",
        "tanh",
        "upsample",
        "zero_pad",
    }
)
"""What the tests try each tool on. One-bit layers are not among them: their number depends on how they are written."""

_MULTIPLYING = (
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear "
    "matmul scaled_dot_product_attention lstm gru rnn"
)
"""The operators with multiply-accumulates, one-bit layers aside."""

_ALL = frozenset(name for name, each in registered().items() if each.known) - {"binary_conv2d", "binary_linear"}
"""What tests/oracle tries torch's own counter on, on the meta device: every operator of a sample."""

_PLAIN = frozenset({"channel_shuffle", "concat", "dropout", "flatten", "identity", "split", "zero_pad"})

_NEURAL_COST: Rules = {**_each("conv2d linear", macs=2), **_each("batch_norm layer_norm", outputs=5)}

_DEEPSPEED: Rules = {
    **_TWICE,
    "batch_norm": _AFFINE_OR_TRAINED,
    "layer_norm": {"scaled inputs": 5, "plain inputs": 4},
    "local_response_norm": {"inputs": 3, "deepened": 1},  # x·x, its average over channels, ·alpha, + k
    **_each(f"relu leaky_relu prelu elu silu gelu softmax {_POOLINGS}", inputs=1),
    "upsample": {"outputs": 1},
}

_TORCHSTAT: Rules = {
    "conv2d": {"macs": 1, "biases": 1},
    "linear": {"macs": 1},
    "batch_norm": _AFFINE,
    **_each("relu relu6 prelu elu leaky_relu max_pool2d avg_pool2d", inputs=1),
    "upsample": {"pixels": 1},
}

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Dialect(
                "torch",
                "2 per mac, all else free",
                version="2.13.0",
                prints="FLOPs",
                rules=_each(_MULTIPLYING, macs=2),
                also=("FlopCounterMode",),
                free=_ALL,
                source="torch.utils.flop_counter.FlopCounterMode, forward",
            ),
            Dialect(
                "torchlens",
                "1 per mac, all else free",
                version="2.36.1",
                rules=_MACS,
                also=("calflops-macs", "deepspeed-macs"),
                free=_TRIED,
                source="torchlens macs; also the MACs of calflops 0.3.2 and deepspeed 0.19.8",
            ),
            Dialect(
                "calflops",
                "2 per mac, 1 per convolution's bias, 2 per BN element, "
                "1 per input of an activation (not ReLU6) or pooling",
                version="0.3.2",
                prints="FLOPs",
                rules={key: sizes for key, sizes in _DEEPSPEED.items() if key != "conv_transpose2d"}
                | {"upsample": {"inputs": 1}},
                also=("calflops-flops",),
                free=_TRIED - {"conv_transpose2d"},  # where it divides by the groups twice
                source="calflops/pytorch_ops.py",
            ),
            Dialect(
                "deepspeed",
                "2 per mac, 1 per convolution's bias, 2 per BN element, "
                "1 per input of an activation (not ReLU6) or pooling",
                version="0.19.8",
                prints="FLOPs",
                rules=_DEEPSPEED,
                also=("deepspeed-flops",),
                free=_TRIED,
                source="deepspeed/profiling/flops_profiler/profiler.py",
            ),
            Dialect(
                "torchinfo",
                "1 per mac and bias; of any other layer its parameters",
                version="1.8.0",
                rules={
                    **_BIASED,
                    "conv_transpose2d": {"products": 1, "biases": 1},
                    **_each("batch_norm layer_norm prelu", params=1),
                },
                free=_TRIED,
                source="torchinfo/layer_info.py, 'Total mult-adds'",
            ),
            Dialect(
                "ptflops",
                "1 per mac and bias, 2 per BN element; ReLU and poolings twice: as modules and as functions",
                version="0.7.5",
                rules={
                    **_BIASED,
                    "batch_norm": _AFFINE,
                    "layer_norm": {"inputs": 1},
                    "local_response_norm": {"inputs": 3, "deepened": 1},
                    **_each("relu6 leaky_relu silu softmax", inputs=1),
                    **_each(f"relu prelu elu gelu {_POOLINGS}", inputs=2),
                    "upsample": {"outputs": 2},
                },
                also=("ptflops-pytorch",),
                free=_TRIED,
                source="ptflops/pytorch_ops.py, backend 'pytorch', its default",
            ),
            Dialect(
                "ptflops-aten",
                "1 per mac and bias, all else free",
                version="0.7.5",
                rules=_BIASED,
                free=_TRIED,
                source="ptflops/aten_ops.py, backend 'aten'",
            ),
            Dialect(
                "torchprofile",
                "1 per mac, BN element, output of an average and product",
                version="0.1.0",
                rules={
                    **_MACS,
                    "conv_transpose2d": {"first axis": 1},
                    "batch_norm": {"scaled inputs": 1},
                    "layer_norm": {"scaled inputs": 1},
                    "local_response_norm": {"inputs": 3},
                    **_each(f"avg_pool2d {_GLOBAL_AVERAGE} leaky_relu", outputs=1),
                    "mul": {"sums": 1},
                    "upsample": {"bilinear": 4},
                },
                free=_TRIED,
                source="torchprofile/handlers.py",
            ),
            Dialect(
                "fvcore",
                "1 per mac, 2 per BN element, 1 per input of global average pooling",
                version="0.1.5.post20221221",
                prints="FLOPs",
                rules={
                    **_MACS,
                    "batch_norm": _AFFINE_OR_TRAINED,
                    "layer_norm": {"scaled inputs": 5, "plain inputs": 4},
                    **_each(_GLOBAL_AVERAGE, inputs=1),
                    "upsample": {"nearest": 1, "bilinear": 4},
                },
                also=("mmengine", "timm"),
                free=_TRIED,
                source="fvcore/nn/flop_count.py; also mmengine 0.10.7 and timm's table",
            ),
            Dialect(
                "torchscan",
                "1 per mac, 2 per BN element, an average's inputs and outputs, k − 1 per output of max pooling",
                version="0.2.0",
                rules={
                    **_MACS_TRANSPOSED_BY_OUTPUTS,
                    "conv_transpose2d": {"products": 1, "calls": 8},
                    "batch_norm": _AFFINE,
                    "max_pool2d": {"sides": 1, "outputs": -1},
                    "avg_pool2d": {"sides": 1, "outputs": 1},
                    "global_avg_pool": {"inputs": 1, "outputs": 1},
                    "adaptive_avg_pool2d": {"windows": 1, "outputs": 1},
                    "global_max_pool": {"inputs": 1, "outputs": -1},
                },
                free=_TRIED,
                source="torchscan/modules/macs.py",
            ),
            Dialect(
                "torchstat",
                "1 per mac, convolution's bias and input of ReLU and of pooling, 2 per BN element",
                version="0.0.7",
                prints="Flops",
                rules=_TORCHSTAT,
                free=_TRIED,
                source="torchstat/compute_flops.py",
            ),
            Dialect(
                "flopth",
                "as torchstat, and 1 per input of global pooling and of more activations",
                version="0.1.6",
                prints="FLOPs",
                rules={
                    **_TORCHSTAT,
                    "conv_transpose2d": {"products": 1, "biases": 1},
                    "layer_norm": {"inputs": 1},
                    **_each(f"gelu tanh hard_swish hard_sigmoid global_max_pool {_GLOBAL_AVERAGE}", inputs=1),
                },
                free=_TRIED,
                source="flopth/helper.py",
            ),
            Dialect(
                "pthflops",
                "1 per mac and bias, 2 per BN element, ReLU and sum, k² per output of a mean, k² − 1 of a maximum",
                version="0.4.2",
                prints="FLOPs",
                rules={
                    **_BIASED,
                    "conv_transpose2d": {"products": 1, "biases": 1},
                    "batch_norm": {"inputs": 2},
                    "relu": {"outputs": 2},
                    "max_pool2d": {"taps": 1, "outputs": -1},
                    "avg_pool2d": {"taps": 1},
                    **_each(_GLOBAL_AVERAGE, planes=1),
                    **_each("add mul", sums=2),
                },
                free=_TRIED,
                source="pthflops/ops_fx.py",
            ),
            Dialect(
                "thop",
                "1 per mac, 4 per BN element, an average's inputs and outputs",
                version="0.1.1.post2209072238",
                rules={
                    **_MACS_TRANSPOSED_BY_OUTPUTS,
                    "batch_norm": {"scaled inputs": 4, "plain inputs": 2},
                    "layer_norm": {"scaled inputs": 4, "plain inputs": 2},
                    "prelu": {"inputs": 1},
                    "softmax": {"inputs": 3, "rows": -1},
                    "avg_pool2d": {"outputs": 1},
                    "global_avg_pool": {"inputs": 1, "outputs": 1},
                    "adaptive_avg_pool2d": {"mean windows": 1},
                    "upsample": {"nearest": 1, "bilinear": 11},
                },
                also=("ultralytics-thop",),
                free=_TRIED,
                source="thop/vision/basic_hooks.py",
            ),
            Dialect(
                "neural-cost",
                "2 per mac of convolutions and linear layers, 5 per element of a normalisation, all else free",
                version="0.11.1",
                prints="FLOPs",
                rules=_NEURAL_COST,
                free=_TRIED,
                also=("neural-cost-torch",),
                source="neural_cost/estimate.py, adapter 'torch', its default",
            ),
            Dialect(
                "neural-cost-fx",
                "as neural-cost, and 1 per output of an activation, sum, product or adaptive average, k² of a pooling",
                version="0.11.1",
                prints="FLOPs",
                rules={
                    **_NEURAL_COST,
                    **_each(f"relu sigmoid tanh gelu silu {_GLOBAL_AVERAGE}", outputs=1),
                    **_each("max_pool2d avg_pool2d", taps=1),
                    **_each("add mul", sums=1),
                },
                free=_TRIED,
                source="neural_cost/adapters/torch.py, adapter 'torch-fx'",
            ),
            Dialect(
                "aurane",
                "2 per mac, 4 per BN element, k² per output of a pooling",
                version="3.0.0",
                prints="FLOPs",
                rules={
                    **_each("conv2d linear", macs=2),
                    "batch_norm": {"inputs": 4},
                    **_each("max_pool2d avg_pool2d", taps=1),
                },
                free=_TRIED,
                source="aurane/profiler.py; of its own texts, whose kernels are square",
            ),
            Dialect(
                "onnx-tool",
                "of a fresh network's ONNX, BN folded and biases of zero gone: 1 per mac, ReLU and sum, 2 per clip, "
                "k² per output of a pooling, the inputs of a global one, 36 per element of softmax",
                version="1.0.1",
                rules={
                    **_each("conv2d linear", macs=1),
                    **_each("relu", outputs=1),
                    **_each("relu6 leaky_relu prelu", outputs=2),
                    "elu": {"outputs": 35},
                    "sigmoid": {"outputs": 32},
                    "tanh": {"outputs": 76},
                    "gelu": {"outputs": 34},
                    "silu": {"outputs": 33},
                    "hard_sigmoid": {"outputs": 4},
                    "hard_swish": {"outputs": 5},
                    "softmax": {"outputs": 36},
                    "log_softmax": {"outputs": 80},
                    **_each("max_pool2d avg_pool2d", taps=1),
                    **_each("global_avg_pool global_max_pool", inputs=1),
                    **_each("add mul", sums=1),
                    "upsample": {"bilinear": 4},
                    "local_response_norm": {"inputs": 39, "deep windows": 1},
                },
                free=_PLAIN | {"batch_norm"},
                source="onnx_tool/node.py, on what torch.onnx writes",
            ),
        )
    }
)
"""Every dialect by its name."""


NAMES: Mapping[str, Dialect] = MappingProxyType(
    {name: found for found in DIALECTS.values() for name in (found.name, *found.also)}
)
"""Every dialect by each of its names."""


def dialect(name: str) -> Dialect:
    """The dialect of a tool, by its name or another name of it.

    Raises:
        UnknownNameError: There is none.

    >>> dialect("timm").name
    'fvcore'
    """
    return entry(NAMES, name, "counter")


def counter(name: str) -> Convention:
    """The counter or the convention of that name.

    Raises:
        UnknownNameError: There is neither.

    >>> counter("thop").name, counter("mobilenet").name
    ('thop', 'mobilenet')
    """
    known: dict[str, Convention] = {**CONVENTIONS, **NAMES}
    return entry(known, name, "counter or convention")
