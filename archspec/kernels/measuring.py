"""What one-bit layers save of a network's time on this machine: operations, the machine's roof, measured.

Each layer is measured by itself on random inputs, in float32 (the quicker of torch's two layouts) and with bits; a
round runs each form once, and what counts are the medians over the rounds, so what else the machine does meets all
alike. Beside them stands what counting says, 64·c·N_W/(c·N_W + 64), and what the machine could give at most: the rates
of loops that do nothing else, see `archspec.kernels.roof`.
"""

import copy
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from archspec import kernels
from archspec.compress.progress import Progress, silent
from archspec.compress.rules import xnor_speedup
from archspec.errors import ArchspecError
from archspec.graph import Network, Node
from archspec.graph.names import place_of
from archspec.kernels.layers import PackedLayer
from archspec.kernels.ways import check
from archspec.language import Document
from archspec.result import Reported, short
from archspec.runtime.binary import BinaryConv2d, BinaryLinear
from archspec.runtime.build import build
from archspec.runtime.calls import drawn

RUNS = 15
WARM = 2
"""Rounds that are not counted."""

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)

LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


@dataclass(frozen=True, slots=True)
class FormTime:
    """What a layer, or a network, takes in one form.

    Attributes:
        seconds: The median.
        layout: How images lie in memory; "" of a matrix.
        bytes: Of its parameters and buffers.
        roof: The seconds that the machine needs at least; None where that was not measured.
    """

    seconds: float
    layout: str
    bytes: int
    roof: float | None = None


@dataclass(frozen=True, slots=True)
class MeasuredLayer:
    """A layer.

    Attributes:
        node: Its node.
        given: The shape of its input.
        macs: Its products, one-bit ones among them.
        real: In float32.
        bits: With bits; None where it is none of one bit.
        operations: How many times fewer operations it has; None likewise.
    """

    node: Node
    given: tuple[int, ...]
    macs: int
    real: FormTime
    bits: FormTime | None = None
    operations: float | None = None

    @property
    def measured(self) -> float | None:
        """How many times quicker it is."""
        return None if self.bits is None else self.real.seconds / self.bits.seconds

    @property
    def roof(self) -> float | None:
        """How many times quicker the machine could be at most: float32 at its roof over bits at theirs."""
        if self.bits is None or self.bits.roof is None or self.real.roof is None:
            return None
        return self.real.roof / self.bits.roof


@dataclass(frozen=True, slots=True, repr=False)
class Measurement(Reported):
    """A network, layer by layer and as a whole.

    Attributes:
        network: The network.
        layers: Its convolutions and linear layers.
        whole: The whole network in float32, and with bits where it has one-bit layers.
        threads: How many were used.
        runs: The rounds that were counted.
        way: How one-bit layers were computed.
        machine: The machine's roof; None where numba is not installed, which measures it.
    """

    network: Network
    layers: tuple[MeasuredLayer, ...]
    whole: tuple[FormTime, FormTime | None]
    threads: int
    runs: int
    way: str
    machine: Any

    def __repr__(self) -> str:
        return short(self, self.network.name, f"{len(self.layers)} layers", f"{self.whole[0].seconds * 1e3:.2f} ms")


def measured(
    network: Network,
    document: Document | None,
    *,
    threads: int | None = None,
    runs: int = RUNS,
    way: str | None = None,
    progress: Progress = silent,
) -> Measurement:
    """Measure a network; see `Architecture.measure`."""
    chosen = kernels.best() if way is None else way
    check(chosen)
    model = build(network, document, seed=0).eval()
    one_bit = {id(each): _real(each) for each in model.modules() if isinstance(each, BinaryConv2d | BinaryLinear)}
    packed = kernels.pack(model, chosen) if one_bit else None
    real = copy.deepcopy(model, one_bit).eval()
    machine = _machine()
    with _threads(threads) as used, torch.inference_mode():
        nodes = [node for node in network.nodes if isinstance(_at(model, node), LAYERS)]
        if not nodes:
            raise ArchspecError(f"{network.name} has no convolution or linear layer to measure")
        layers = []
        for number, node in enumerate(nodes):
            progress(node.name, number, len(nodes) + 1)
            bits = _at(packed, node) if packed is not None else None
            bits = bits if isinstance(bits, PackedLayer) else None
            layers.append(_layer(network, node, _at(real, node), bits, machine, used, runs))
        progress(network.name, len(nodes), len(nodes) + 1)
        whole = _forms(real, packed, drawn(network, 0), runs)
        progress(network.name, len(nodes) + 1, len(nodes) + 1)
    return Measurement(network, tuple(layers), whole, used, runs, chosen, machine)


def _layer(  # what one row needs
    network: Network, node: Node, real: nn.Module, bits: PackedLayer | None, machine: Any, threads: int, runs: int
) -> MeasuredLayer:
    given = tuple(int(size) for size in network.inputs_of(node)[0].shape)
    weight: Tensor = real[-1].weight if isinstance(real, nn.Sequential) else real.weight  # type: ignore[assignment]
    products = weight[0].numel()
    macs = int(node.output.elements) * products
    floats, ones = _forms(real, bits, (torch.randn(given),), runs)
    if machine is not None:
        floats = replace(floats, roof=machine.seconds(macs, machine.macs, floats.bytes, threads))
    if bits is None or ones is None:
        return MeasuredLayer(node, given, macs, floats)
    inputs = bits.form.binary_input
    if machine is not None:
        rate = machine.products if inputs else machine.macs
        ones = replace(ones, roof=machine.seconds(macs, rate, ones.bytes, threads))
    taps = weight[0, 0].numel()
    # of real inputs the additions are left: one operation where there were two
    operations = float(xnor_speedup(products // taps, taps)) if inputs else 2.0
    return MeasuredLayer(node, given, macs, floats, ones, operations)


def _forms(
    real: nn.Module, bits: nn.Module | None, given: tuple[Tensor, ...], runs: int
) -> tuple[FormTime, FormTime | None]:
    """The quickest form in float32, and that of bits, measured in turn."""
    images = any(x.dim() == 4 for x in given)
    layouts = LAYOUTS if images else {"": torch.contiguous_format}
    works: dict[str, Callable[[], Any]] = {}
    for layout, format_ in layouts.items():
        model: Any = copy.deepcopy(real) if layout == "channels_last" else real
        model = model.to(memory_format=format_)  # which torch's types do not know of a module
        works[layout] = partial(model, *(x.contiguous(memory_format=format_) if x.dim() == 4 else x for x in given))
    if bits is not None:
        works["bits"] = partial(bits, *given)
    seconds = in_turn(works, runs)
    best = min(layouts, key=seconds.__getitem__)
    floats = FormTime(seconds[best], best, kernels.bytes_of(real))
    return floats, None if bits is None else FormTime(seconds["bits"], "", kernels.bytes_of(bits))


def in_turn(
    works: Mapping[str, Callable[[], Any]], runs: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """The medians of the seconds of some works, each done once in every round, forwards and backwards by turns."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(runs + WARM):
        for name in works if number % 2 else reversed(list(works)):
            begin = clock()
            works[name]()
            taken[name].append(clock() - begin)
    return {name: median(each[WARM:]) for name, each in taken.items()}


def _real(layer: Any) -> nn.Module:
    """The layer of real numbers that a one-bit layer stands for."""
    bias = layer.bias is not None
    if isinstance(layer, BinaryLinear):
        return nn.Linear(layer.in_features, layer.out_features, bias)
    made = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.groups,
        bias,
    )
    return nn.Sequential(nn.ZeroPad2d(layer.sides), made) if any(layer.sides) else made


def _at(model: nn.Module, node: Node) -> nn.Module:
    return model.get_submodule(place_of(node.name))


def _machine() -> Any:
    """The machine's roof, if numba is there to measure it."""
    if kernels.best() != "numba":
        return None
    from archspec.kernels.roof import machine

    return machine()


@contextmanager
def _threads(count: int | None) -> Iterator[int]:
    """So many threads for torch and for bits, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
