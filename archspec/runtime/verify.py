"""Is what the rules say of a network what torch does?

The model is built and run on the meta device, unless another is named: a tensor has a shape there and no numbers, so
that the largest network is compared in a second.
"""

import ast
import inspect
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archspec.cost import CostRow, count
from archspec.graph import Network, Node
from archspec.graph.names import place_of, state_key
from archspec.ops import Operator
from archspec.runtime.agreement import MEASURED, Agreement, Comparison, NodeFacts, added
from archspec.runtime.build import COUNTER, build
from archspec.runtime.calls import drawn, refusals, results, zeros

RUN = 10**8
"""The multiply-accumulates of the largest network whose numbers are compared, too; of a larger one, the shapes are."""

ASKED = 10**7
"""The elements of the largest tensor that is made to ask a processor."""


def verify(network: Network, device: str = "meta", source: str | None = None) -> Agreement:
    """Compare what is counted with what a model of the network has and does, node by node.

    Args:
        network: Its symbols are all bound to numbers.
        device: Where the model is run; only on "meta" is that free, whatever the size.
        source: Its written source, to be compared as a whole.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> print(verify(expand(load("squeezenet"))).sentence)
    squeezenet: 66 nodes agree
    """
    model = build(network, device=device, inplace=False).eval()
    run = _ForwardPass(network, model, device)
    rows = tuple(
        Comparison(node.name, node.operator.name, _analytic(network, node, row), run.facts(node))
        for node, row in zip(network.nodes, count(network).rows, strict=True)
    )
    output = _one_or_several(tuple(tensor.shape for tensor in network.results))
    expected = added((row.analytic for row in rows), tuple(network.inputs), output)
    total = Comparison(network.name, "total", expected, run.total)
    compared = None if source is None else check_source(network, source, expected, device)
    bindings = {name: str(value) for name, value in network.bindings.items()}
    return Agreement(network.name, bindings, rows, total, compared)


def _one_or_several(shapes: tuple[tuple[int, ...], ...]) -> tuple[Any, ...]:
    """The shape of one output as it is, of several one by one."""
    return shapes[0] if len(shapes) == 1 else shapes


def _analytic(network: Network, node: Node, row: CostRow) -> NodeFacts:
    inputs = network.inputs_of(node)
    weights = network.weights_of(node)
    return NodeFacts(
        inputs=node.inputs,
        output=node.output.shape,
        weights=tuple((state_key(node.name, weight.name), weight.shape, weight.trainable) for weight in weights),
        **{name: row.figure(name) for name in MEASURED if name != "macs"},
        macs=row.macs + _one_bit(node.operator, row, inputs),
    )


def _one_bit(operator: Operator, row: CostRow, inputs: tuple[Any, ...]) -> int:
    """The products that a one-bit layer does without and torch, computing it in real numbers, does not: k²·c_in/g each.

    They are as many for each element of the output.
    """
    if operator.one_bit is None:
        return 0
    kernel = operator.weights(*inputs)[0].shape
    return prod(kernel[1:]) * prod(row.output)


@contextmanager
def _flop_counter(device: str) -> Iterator[FlopCounterMode]:
    """Count the floating-point operations of what is run inside.

    On a processor the fused kernels of attention and of recurrent layers count as nothing (pytorch#195460); there both
    run as the products that they are made of. On the meta device the counter knows them.
    """
    with ExitStack() as stack:
        if device != "meta":
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of other chips
                stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        yield stack.enter_context(FlopCounterMode(display=False))


@dataclass(slots=True)
class _ModuleCall:
    """What a module was seen to take and to give."""

    module: nn.Module
    sources: tuple[str, ...]
    taken: tuple[Tensor, ...]
    given: Tensor

    @property
    def activations(self) -> int:
        """The elements of the result, if that is memory of its own."""
        return 0 if _shares(self.module, self.taken, self.given) else self.given.numel()


class _ForwardPass:
    """One forward pass of a model, watched at every node."""

    def __init__(self, network: Network, model: nn.Module, device: str) -> None:
        self.seen: dict[str, _ModuleCall] = {}
        self.names: dict[int, str] = {}  # of tensors, which `seen` keeps alive: an id is its own while its tensor lives
        self.arrays: dict[str, list[_StateArray]] = {}
        for array in _arrays(model):
            self.arrays.setdefault(array[0].rpartition(".")[0], []).append(array)
        for node in network.nodes:
            self._watch(node.name, model.get_submodule(place_of(node.name)))
        taken = zeros(network, device)
        self.names.update((id(x), name) for name, x in zip(network.inputs, taken, strict=True))
        with refusals(model), torch.no_grad(), _flop_counter(device) as counter:
            given = results(model(*taken))
        flops = counter.get_flop_counts()
        self.macs = {place.partition(".")[2]: sum(counts.values()) // 2 for place, counts in flops.items()}
        activations = sum(seen.activations for seen in self.seen.values())
        self.total = _whole(network, model, given, self.macs.get("", 0), activations)

    def _watch(self, name: str, module: nn.Module) -> None:
        taken: list[Tensor] = []

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            taken.extend(inputs)

        def after(module: nn.Module, _: tuple[Tensor, ...], given: Tensor) -> Tensor:
            sources = tuple(self.names.get(id(value), "?") for value in taken)
            if id(given) in self.names:
                given = given.view_as(given)  # an object of its own to tell it by
            self.names[id(given)] = name
            self.seen[name] = _ModuleCall(module, sources, tuple(taken), given)
            return given

        module.register_forward_pre_hook(before, prepend=True)  # before a padding, which stands there too
        module.register_forward_hook(after)

    def facts(self, node: Node) -> NodeFacts | None:
        """What the model has and does at a node; None if it was not computed."""
        seen = self.seen.get(node.name)
        if seen is None:
            return None
        weights = tuple(self.arrays.get(place_of(node.name), ()))
        return NodeFacts(
            inputs=seen.sources,
            output=tuple(seen.given.shape),
            weights=weights,
            params=sum(prod(shape) for _, shape, learned in weights if learned),
            buffers=sum(prod(shape) for _, shape, learned in weights if not learned),
            macs=self.macs.get(place_of(node.name), 0),
            activations=seen.activations,
        )


_StateArray = tuple[str, tuple[int, ...], bool]
"""An array as it stands in the state dict: key, shape, and whether it is learned."""


def _arrays(model: nn.Module) -> tuple[_StateArray, ...]:
    learned = {name for name, _ in model.named_parameters()}
    every = model.state_dict().items()
    return tuple((key, tuple(value.shape), key in learned) for key, value in every if not key.endswith(COUNTER))


def _whole(network: Network, model: nn.Module, given: tuple[Tensor, ...], macs: int, activations: int) -> NodeFacts:
    """What a model has and does as a whole."""
    return NodeFacts(
        inputs=tuple(network.inputs),
        output=_one_or_several(tuple(tuple(x.shape) for x in given)),
        weights=_arrays(model),
        params=sum(value.numel() for value in model.parameters()),
        buffers=sum(value.numel() for name, value in model.named_buffers() if not name.endswith(COUNTER)),
        macs=macs,
        activations=activations,
    )


def _shares(module: nn.Module, taken: tuple[Tensor, ...], given: Tensor) -> bool:
    """Whether a result lies in the memory of an input.

    Two answers of the meta device are asked again. A view that torch must copy because its input lies scattered
    (flatten behind split) is a view on an input that does not; and what is a view there may be a copy on a processor
    (a shuffle of one group).
    """
    own = [_memory(parameter) for parameter in module.parameters()]
    if own:
        return _memory(given) in own  # a learned tensor by itself
    if _memory(given) in map(_memory, taken):
        return given.numel() > ASKED or _again(module, taken, "cpu")
    return not all(value.is_contiguous() for value in taken) and _again(module, taken, given.device.type)


@torch.no_grad()
def _again(module: nn.Module, taken: tuple[Tensor, ...], device: str) -> bool:
    """Whether a module's result lies in the memory of an input, if inputs of these shapes lie in one piece."""
    together = tuple(torch.empty(value.shape, device=device) for value in taken)
    return _memory(module.forward(*together)) in map(_memory, together)


def _memory(value: Tensor) -> int:
    address: int = value.untyped_storage()._cdata
    return address


# ------------------------------------------------------------------ the written source


def check_source(network: Network, source: str, expected: NodeFacts, device: str) -> Comparison:
    """Compare what is counted with what the network's written source has and does.

    Args:
        network: Its symbols are all bound to numbers.
        source: Its source; it is run.
        expected: What is counted, of the network as a whole.
        device: Where the source is run; numbers are compared on a processor, if they are few.
    """
    with torch.device(device):
        model = source_network(source, network.bindings).eval()
        taken = zeros(network, device)
    with torch.no_grad(), _flop_counter(device) as counter:
        given = results(model(*taken))
    facts = _whole(network, model, given, counter.get_total_flops() // 2, expected.activations)
    same = facts != expected or expected.macs > RUN or _same_numbers(network, source)
    return Comparison("written source", "source", expected, facts, "" if same else "it computes other numbers")


def source_network(source: str, bindings: Any) -> nn.Module:
    """The network that a source is of: its last class, with those symbols that it takes."""
    scope: dict[str, Any] = {"__name__": "written"}
    exec(compile(source, "<written source>", "exec"), scope)  # noqa: S102  # written by `emit`, from checked names
    name = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)][-1]
    taken = inspect.signature(scope[name]).parameters
    known = {one: symbol for symbol in bindings for one in (symbol, f"{symbol}_") if one in taken}
    model: nn.Module = scope[name](**{one: bindings[symbol] for one, symbol in known.items()})
    return model


@torch.no_grad()
def _same_numbers(network: Network, source: str) -> bool:
    """Whether the source and the model, with the same weights, give the same numbers."""
    model = build(network, device="cpu", seed=0).eval()
    other = source_network(source, network.bindings).eval()
    other.load_state_dict(model.state_dict())
    taken = drawn(network, 1)
    one, two = (results(each(*(x.clone() for x in taken))) for each in (model, other))
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, two, strict=True))
