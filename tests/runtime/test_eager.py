"""The policy `eager`, proved by counting the storages that are alive while the written model runs."""

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import archspec
from archspec.language import zoo
from archspec.runtime.inputs import zeros
from archspec.runtime.source_check import source_network

COMPOSITE = {"alexnet", "googlenet", "binary_convolution", "gru_keywords", "tcn", "vit", "llama", "gpt2"}
"""Networks with operators that torch does in several steps (LRN, a padding before a convolution, recurrence, attention
whose result is flattened where it lies scattered): what these need meanwhile is workspace."""

STALE = {"fpn_resnet50"}
"""Networks whose source has a variable, x, that nothing sets again behind values with names: it keeps what it was."""


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


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", sorted({*zoo.names()} - COMPOSITE - STALE))
def test_eager_is_what_the_written_model_holds(name):
    arch = archspec.load(name)
    assert arch.memory("eager").peak == counted(arch)


@pytest.mark.no_cover
@pytest.mark.parametrize("name", sorted(STALE))
def test_what_a_variable_keeps_is_little(name):
    arch = archspec.load(name)
    assert 0.95 * counted(arch) < arch.memory("eager").peak < counted(arch)


def test_on_a_processor_it_holds_as_much():
    arch, x = archspec.load("mobilenet"), torch.zeros(1, 3, 64, 64)
    model = source_network(arch.source(), arch.expand().bindings).eval()
    live = Live(model, x)
    with torch.no_grad(), live:
        model(x)
    assert arch.memory("eager", side=64).peak == live.peak


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
