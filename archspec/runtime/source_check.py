"""The written source, held against the model: the same state dict, the same counts, the same numbers."""

import ast
import inspect
from math import prod
from typing import Any

import torch
from torch import nn

from archspec.graph import Network
from archspec.runtime.agreement import Comparison, NodeFacts
from archspec.runtime.build import build
from archspec.runtime.flops import flop_counter
from archspec.runtime.inputs import drawn, results, zeros

UNCOUNTED = "num_batches_tracked"
"""A number that torch keeps beside a batch normalisation's statistics."""

RUN = 10**8
"""The multiply-accumulates of the largest network whose numbers are compared, too; of a larger one, the shapes are."""


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
    with torch.no_grad(), flop_counter(device) as counter:
        shapes = tuple(tuple(x.shape) for x in results(model(*taken)))
    learned = {name for name, _ in model.named_parameters()}
    weights = tuple((key, tuple(value.shape), key in learned) for key, value in model.state_dict().items())
    weights = tuple(found for found in weights if not found[0].endswith(UNCOUNTED))
    facts = NodeFacts(
        inputs=tuple(network.inputs),
        output=shapes[0] if len(shapes) == 1 else shapes,
        weights=weights,
        params=sum(prod(shape) for _, shape, trained in weights if trained),
        buffers=sum(prod(shape) for _, shape, trained in weights if not trained),
        macs=counter.get_total_flops() // 2,
        activations=expected.activations,
    )
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


def _same_numbers(network: Network, source: str) -> bool:
    """Whether the source and the model, with the same weights, give the same numbers."""
    model = build(network, device="cpu", seed=0).eval()
    other = source_network(source, network.bindings).eval()
    other.load_state_dict(model.state_dict())
    taken = drawn(network, 1)
    with torch.no_grad():
        one, two = (results(each(*(x.clone() for x in taken))) for each in (model, other))
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, two, strict=True))
