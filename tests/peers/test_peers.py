"""Every dialect against the tool itself: networks as our own source, operators as plain modules, counted by both.

Tools that are not installed are skipped; the extra `peers` brings those that a plain `pip install` puts beside torch.
"""

from contextlib import suppress
from functools import cache, reduce
from importlib import import_module
from itertools import count
from operator import add, mul
from random import Random

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402  # behind the skip
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import archspec  # noqa: E402
from archspec.cost import dialect  # noqa: E402
from archspec.errors import ArchspecError  # noqa: E402
from archspec.runtime import runnable  # noqa: E402
from tests.peers.random_networks import network as drawn  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.*` is deprecated:DeprecationWarning"),  # fvcore, torchprofile
    pytest.mark.filterwarnings("ignore:Converting a tensor to a Python boolean"),  # their trace, of torch's own LRN
    pytest.mark.filterwarnings("ignore:No handlers found:UserWarning"),  # torchprofile, of what it does not count
    pytest.mark.filterwarnings("ignore:Module type not supported:UserWarning"),  # torchscan, likewise
    pytest.mark.filterwarnings("ignore:This API is being deprecated:UserWarning"),  # thop, of its own PReLU
]

NETWORKS = {  # side: smaller than the default where that saves time; odd where the geometry allows it
    "alexnet": 99,
    "googlenet": 67,
    "mobilenet": 75,
    "mobilenet_v2": 97,
    "resnet18": 65,
    "resnet50": 64,
    "shufflenet": 64,
    "squeezenet": 83,
    "squeezenet_bypass": 64,
    "vgg16": 32,
    "xception": 71,
}

OPERATORS = {  # inputs × operator: one row of a table of rules each
    "conv2d: {out_channels: 6, kernel_size: [3, 2], stride: 2, padding: 1, groups: 2}": (4, 9, 8),
    "conv2d: {out_channels: 8, kernel_size: 3, padding: [0, 1, 0, 1], dilation: 2, bias: false}": (4, 9, 8),
    "conv_transpose2d: {out_channels: 6, kernel_size: 3, stride: 2}": (4, 5, 7),
    "conv_transpose2d: {out_channels: 4, kernel_size: [2, 3], groups: 2}": (4, 5, 7),
    "conv_transpose2d: {out_channels: 6, kernel_size: 3, groups: 2, bias: false}": (4, 5, 7),
    "linear: {out_features: 7}": (5,),
    "linear: {out_features: 7, bias: false}": (5,),
    "batch_norm": (4, 5, 5),
    "batch_norm: {affine: false}": (4, 5, 5),
    "batch_norm: {track_running_stats: false}": (4, 5, 5),
    "batch_norm: {affine: false, track_running_stats: false}": (4, 5, 5),
    "layer_norm": (6,),
    "layer_norm: {elementwise_affine: false}": (6,),
    "local_response_norm: {size: 5}": (8, 5, 5),
    "max_pool2d: {kernel_size: 3, stride: 2}": (4, 9, 9),
    "max_pool2d: {kernel_size: [3, 2], padding: 1}": (4, 9, 9),
    "avg_pool2d: {kernel_size: 3, stride: 2, padding: 1}": (4, 9, 9),
    "avg_pool2d: {kernel_size: [3, 2]}": (4, 9, 9),
    "global_avg_pool": (4, 5, 7),
    "global_avg_pool: {keepdim: true}": (4, 5, 7),
    "global_max_pool": (4, 5, 7),
    "adaptive_avg_pool2d: {output_size: [2, 3]}": (4, 6, 6),
    "adaptive_avg_pool2d: {output_size: [3, 4]}": (4, 7, 6),
    "upsample: {scale_factor: 2}": (4, 5, 5),
    "upsample: {scale_factor: 2, mode: bilinear}": (4, 5, 5),
    **{
        f"{name}": (4, 3, 5)
        for name in ("relu", "relu6", "leaky_relu", "elu", "prelu", "sigmoid", "tanh", "gelu", "silu", "hard_sigmoid")
    },
    "hard_swish": (4, 3, 5),
    "softmax": (9,),
    "log_softmax": (9,),
    "channel_shuffle: {groups: 2}": (4, 3, 3),
    "zero_pad: {padding: 1}": (4, 3, 3),
    "flatten": (4, 3, 3),
    "dropout": (9,),
    "identity": (9,),
}

JOINS = ("add", "mul", "concat")

# ------------------------------------------------------------------ the network as torchvision would write it


class Written(nn.Module):
    """The nodes of a network, one module each where torch has one.

    Two kinds of our operators are calls of functions, which tools that watch modules do not see. Global pooling becomes
    `AdaptiveAvgPool2d(1)` and `Flatten`, sums and products become the signs + and *: so are the networks written that
    the tools are tried on, and by which their numbers are known.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.steps = {node.name: written(node.operator, network.inputs_of(node)) for node in network.nodes}
        modules = [step for steps in self.steps.values() for step in steps if isinstance(step, nn.Module)]
        for number, module in enumerate(modules):
            self.add_module(f"m{number}", module)

    def forward(self, x):
        values = {"input": x}
        for node in self.network.nodes:
            first, *others = self.steps[node.name]
            y = first(*(values[name] for name in node.inputs))
            values[node.name] = reduce(lambda y, step: step(y), others, y)
        return values[self.network.output]


def written(operator, inputs):
    """The modules or functions of an operator, one behind the other."""
    pools = {"global_avg_pool": nn.AdaptiveAvgPool2d, "global_max_pool": nn.AdaptiveMaxPool2d}
    if operator.name in pools:
        return [pools[operator.name](1), *(() if operator.keepdim else (nn.Flatten(),))]
    if operator.name in ("add", "mul"):
        sign = {"add": add, "mul": mul}[operator.name]
        return [lambda *x: reduce(sign, x)]
    return [runnable(operator.torch_call(*inputs))]


# ------------------------------------------------------------------ the tools


def torch_count(model, x):
    with FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops()


def fvcore(model, x):
    count = import_module("fvcore.nn").FlopCountAnalysis(model, x)
    return count.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def torchprofile(model, x):
    return import_module("torchprofile").profile_macs(model, x)


def ptflops(model, x, backend="pytorch"):
    count = import_module("ptflops").get_model_complexity_info
    return count(model, tuple(x.shape[1:]), as_strings=False, print_per_layer_stat=False, backend=backend)[0]


def ptflops_aten(model, x):
    return ptflops(model, x, "aten")


def thop(model, x):
    return import_module("thop").profile(model, (x,), verbose=False)[0]


def torchinfo(model, x):
    return import_module("torchinfo").summary(model, input_data=x, verbose=0, device="meta").total_mult_adds


def torchscan(model, x):
    crawl = import_module("torchscan.crawler").crawl_module
    return crawl(model, tuple(x.shape[1:]))["totals"]["macs"]["known_value"]


def neural_cost(model, x, adapter="torch"):
    adapters, estimate = import_module("neural_cost.adapters"), import_module("neural_cost.estimate")
    found = adapters.get_adapter(adapter).operations(model, (x,))
    return estimate.estimate_operations(found).flops if found else 0


def neural_cost_fx(model, x):
    return neural_cost(model, x, "torch-fx")


def pthflops(model, x):
    return import_module("pthflops").count_ops(model, x, print_readable=False, verbose=False)[0]


TOOLS = {
    "torch": torch_count,
    "fvcore": fvcore,
    "torchprofile": torchprofile,
    "ptflops": ptflops,
    "ptflops-aten": ptflops_aten,
    "thop": thop,
    "torchinfo": torchinfo,
    "torchscan": torchscan,
    "pthflops": pthflops,
    "neural-cost": neural_cost,
    "neural-cost-fx": neural_cost_fx,
}

PACKAGES = {"ptflops-aten": "ptflops", "neural-cost": "neural_cost", "neural-cost-fx": "neural_cost"}

WITH_NUMBERS = ("fvcore", "torchprofile", "ptflops", "ptflops-aten", "torchscan", "pthflops", "neural-cost-fx")
"""Tools that trace, that make an input of their own, or that see a linear layer computed in another way on meta."""


def agree(tool, network, make=Written):
    """The number of the tool's dialect is what the tool counts of the module that `make` gives of the network."""
    if tool != "torch":
        pytest.importorskip(PACKAGES.get(tool, tool))
    with torch.device("meta"):
        model, x = make(network).eval(), torch.zeros(network.input.shape)
    if tool in WITH_NUMBERS:
        model, x = model.to_empty(device="cpu"), torch.zeros(x.shape)
    with torch.no_grad():
        found = TOOLS[tool](model, x)
    assert network.count(dialect(tool)).flops == found


@cache
def of_the_zoo(name):
    """A network of the zoo, and the class that its written source has for it."""
    arch, scope = archspec.load(name), {"__name__": "written"}
    exec(compile(arch.source(side=NETWORKS[name]), name, "exec"), scope)  # noqa: S102  # written by our emitter
    classes = [value for value in scope.values() if getattr(value, "__module__", None) == "written"]
    return arch.expand(side=NETWORKS[name]), classes[-1]


def of(step, shape):
    text = f"archspec: 1\nname: one\ninput: [{', '.join(map(str, shape))}]\nnetwork:\n  - {step}\n"
    return archspec.loads(text).expand()


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_written_source_has_the_number_that_like_says(tool, name):
    network, written_class = of_the_zoo(name)
    agree(tool, network, lambda _: written_class())


@pytest.mark.parametrize("tool", TOOLS)
def test_random_networks_have_the_numbers_that_the_tool_gives_them(tool, request):
    wanted, made = (500 if request.config.option.long else 4), 0
    for seed in count():
        with suppress(ArchspecError):  # not every drawing is a network
            network = archspec.loads(drawn(Random(f"{tool}{seed}"))).expand()  # noqa: S311  # the same ones every time
            if not averages_one_number(network):
                agree(tool, network)
                made += 1
        if made == wanted:
            return


def averages_one_number(network):
    """Whether a batch norm would take the statistics of one number, which torch refuses."""
    norms = (node for node in network.nodes if node.operator.name == "batch_norm")
    return any(n.output.elements == n.output.shape[1] for n in norms if not n.operator.track_running_stats)


@pytest.mark.filterwarnings("ignore")  # torch's exporter, of itself
def test_onnx_tool_counts_a_fresh_network_as_its_dialect_says(tmp_path):
    for module in ("onnx_tool", "onnxscript"):
        pytest.importorskip(module)
    network = archspec.loads(FRESH).expand()
    model = archspec.loads(FRESH).to_torch(seed=0).eval()
    torch.onnx.export(model, (torch.zeros(network.input.shape),), str(tmp_path / "fresh.onnx"), verbose=False)
    counted = import_module("onnx_tool").Model(str(tmp_path / "fresh.onnx"))
    counted.graph.shape_infer()
    counted.graph.profile()
    assert network.count(dialect("onnx-tool")).flops == counted.graph.macs[0]


FRESH = """
archspec: 1
name: fresh
input: [3, 33, 32]
network:
  - conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1, bias: false}
  - batch_norm
  - relu6
  - max_pool2d: {kernel_size: 3, stride: 2}
  - add: [[{conv2d: {out_channels: 8, kernel_size: 1, bias: false}}, sigmoid], [identity]]
  - relu
  - mul: [[hard_sigmoid], [identity]]
  - avg_pool2d: {kernel_size: 2}
  - hard_swish
  - global_avg_pool
  - linear: {out_features: 5, bias: false}
  - softmax
"""


@pytest.mark.parametrize("step", OPERATORS)
@pytest.mark.parametrize("tool", TOOLS)
def test_an_operator_has_the_number_that_the_tool_gives_it(tool, step):
    agree(tool, of(step, OPERATORS[step]))
