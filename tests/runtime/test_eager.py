"""The policy `eager`, proved by counting the storages that are alive while the written model runs."""

from math import prod

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archspec
from archspec.language import zoo
from archspec.ops.window import Convolution
from archspec.runtime.calls import runnable, zeros
from archspec.runtime.verify import source_network

PADDED = {"ds_cnn", "tcn"}
"""Networks with a padding before a convolution that gives its input back, or that the sizes make none of."""

STALE = {"fpn_resnet50", "swin"}
"""Networks whose source has a variable that nothing sets again behind values with names, and so keeps what it was; or a
view of what lies scattered, which torch copies."""


class Live(TorchDispatchMode):
    """The bytes of all storages but the weights', whenever an operator has run: of its results the first.

    The others are indices of a pooling and statistics of a normalisation, which nothing reads: workspace.
    """

    def __init__(self, model: torch.nn.Module, *inputs: torch.Tensor) -> None:
        super().__init__()
        self.weights = {array.untyped_storage()._cdata for array in (*model.parameters(), *model.buffers())}
        self.storages: dict[int, StorageWeakRef] = {}
        self.bytes: dict[int, int] = {}
        self.peak = 0
        for x in inputs:
            self.see(x)

    def see(self, array: torch.Tensor) -> None:
        storage = array.untyped_storage()
        if storage._cdata not in self.weights:
            self.storages[storage._cdata] = StorageWeakRef(storage)
            self.bytes[storage._cdata] = storage.nbytes()
        alive = [key for key, storage in self.storages.items() if not storage.expired()]
        self.storages = {key: self.storages[key] for key in alive}
        self.peak = max(self.peak, sum(self.bytes[key] for key in alive))

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for array in tree_leaves(result)[:1]:
            if isinstance(array, torch.Tensor):
                self.see(array)
        return result


def counted(arch, **bindings):
    """The peak of the written model's storages; on meta nothing is computed, and storages have their sizes."""
    network = arch.expand(bindings)
    with torch.device("meta"):
        model = source_network(arch.source(bindings), network.bindings).eval()
        inputs = zeros(network, "meta")
    live = Live(model, *inputs)
    with torch.no_grad(), live:
        model(*inputs)
    return live.peak


def needed(node, inputs):
    """What an operator of which torch makes several calls needs meanwhile: its own peak, less inputs and result."""
    operator = node.operator
    if operator.view:
        return 0
    if isinstance(operator, Convolution) and padded_apart(operator, *inputs):
        n, c, *sizes = inputs[0].shape
        return 4 * n * c * prod(size + sum(pair) for size, pair in zip(sizes, operator.sides(*inputs), strict=True))
    kind = torch.float32 if operator.below is None else torch.int64
    with torch.device("meta"):
        arrays = [torch.zeros(x.shape, dtype=kind) for x in inputs]
        call = runnable(operator.torch_call(*inputs))
        model = call.eval() if isinstance(call, torch.nn.Module) else torch.nn.Identity()
    live = Live(model, *arrays)
    with torch.no_grad(), live:
        result = call(*arrays)
    return max(0, live.peak - sum(x.untyped_storage().nbytes() for x in (*arrays, result)))


def padded_apart(operator, x):
    """Whether the source pads before a convolution: torch's own padding is the same on both sides."""
    return operator.padding == "tf_same" or any(before != behind for before, behind in operator.sides(x))


def with_workspace(arch):
    """The peak of `eager` with what operators need meanwhile, and with whole numbers of the input as torch's int64."""
    network = arch.expand()
    known = {}

    def meanwhile(node):
        inputs = tuple(map(network.tensor, node.inputs))
        key = node.operator.name, repr(node.operator), tuple(x.shape for x in inputs)
        if key not in known:
            known[key] = needed(node, inputs)
        return known[key]

    whole = sum(x.nbytes - 4 * x.numel() for x in zeros(network, "meta"))
    return whole + max(moment.bytes + meanwhile(moment.node) for moment in arch.memory("eager").timeline)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", sorted({*zoo.names()} - PADDED - STALE))
def test_eager_and_what_operators_need_meanwhile_are_what_the_written_model_holds(name):
    arch = archspec.load(name)
    assert arch.memory("eager").peak <= with_workspace(arch) == counted(arch)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", sorted(PADDED))
def test_a_padding_before_a_convolution_needs_at_most_its_result(name):
    arch = archspec.load(name)
    assert arch.memory("eager").peak <= counted(arch) <= with_workspace(arch)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", sorted(STALE))
def test_what_a_variable_keeps_and_what_is_copied_is_little(name):
    arch = archspec.load(name)
    assert 0.85 * counted(arch) < with_workspace(arch) < counted(arch)


@pytest.mark.parametrize(("name", "bindings"), [("mobilenet", {"side": 64}), ("vit", {"side": 64})])
def test_on_a_processor_it_holds_as_much_and_attention_needs_nothing_besides(name, bindings):
    arch = archspec.load(name)
    network = arch.expand(bindings)
    model, inputs = source_network(arch.source(bindings), network.bindings).eval(), zeros(network)
    live = Live(model, *inputs)
    with torch.no_grad(), live:
        model(*inputs)
    assert arch.memory("eager", **bindings).peak == live.peak


SKIPS = """
archspec: 1
name: skips
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 8, kernel_size: 1}, as: first}
  - add:
      - - {conv2d: {out_channels: 24, kernel_size: 1}}
        - concat:
            a: [{conv2d: {out_channels: 4, kernel_size: 1}}, relu]
            b: [{conv2d: {out_channels: 4, kernel_size: 3, padding: same}}, relu, relu]
      - [identity]
  - {relu, as: second}
  - {conv2d: {out_channels: 16, kernel_size: 1}}
  - concat: [[identity], [{from: second}]]
  - {conv2d: {out_channels: 2, kernel_size: 1}}
"""


def test_joins_and_far_reaching_skips_are_held_as_they_are_written():
    arch = archspec.loads(SKIPS)
    assert arch.memory("eager").peak == counted(arch) > arch.memory("liveness").peak
