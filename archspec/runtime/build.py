"""From a network to an ordinary `torch.nn.Module`, whose tree is that of the specification's names."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from archspec.dims import is_array, is_symbolic
from archspec.errors import ArchspecError
from archspec.graph import Network, Node
from archspec.ops import Module
from archspec.runtime.calls import live
from archspec.runtime.container import Call, applied, container
from archspec.runtime.plan import Part, class_name, plan
from archspec.spec import Document, origin


def build(
    network: Network,
    document: Document | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    seed: int | None = None,
) -> nn.Module:
    """The module that computes a network.

    Node `stage3/unit2/expand/conv2d` has its weights under `stage3.unit2.expand.conv2d`. What a block is made of stands
    in a module whose class is called after the block; functions without weights (add, concat) are modules too.

    Args:
        network: Its symbols are all bound to numbers.
        document: What it was expanded from; the model's `spec` names it.
        device: Where to make it; on "meta" it has shapes and no numbers.
        dtype: The type of its weights.
        seed: The same seed gives the same weights; torch's own state stays as it is.

    Raises:
        ArchspecError: A symbol is free, or has several values.

    >>> from archspec.graph import expand
    >>> from archspec.spec import load
    >>> model = build(expand(load("mobilenet_v2")), device="meta")
    >>> model.bottleneck2.unit1.residual.expand.conv2d
    Conv2d(16, 96, kernel_size=(1, 1), stride=(1, 1), bias=False)
    """
    for name, value in network.bindings.items():
        if is_symbolic(value) or is_array(value):
            raise ArchspecError(f"{name} is {value}; a model needs one number: bind it")
    with _seeded(seed), nullcontext() if device is None else torch.device(device):
        model = _container(network, plan(network))
    if document is not None:
        model.spec = origin(document, network.bindings)  # type: ignore[assignment]  # no tensor: torch lets any stand
    return model if dtype is None else model.to(dtype)


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Random numbers that follow from a seed, and those around it as if none had been drawn."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


def _container(network: Network, part: Part) -> nn.Module:
    module = container(part.plan)()
    if part.made.args:
        module._settings = ", ".join(f"{name}={value}" for name, value in part.made.args.items())
    for name, child in part.children:
        module.add_module(name, _container(network, child) if isinstance(child, Part) else _node(network, child))
    return module


def _node(network: Network, node: Node) -> nn.Module:
    call = node.operator.torch_call(*network.inputs_of(node))
    if isinstance(call, Module):
        return live(call)
    made = Call.of(class_name(node.operator.name), call, len(node.inputs))
    module = applied(made)()
    module._settings = ", ".join(f"{name}={value}" for name, value in made.settings)
    return module
