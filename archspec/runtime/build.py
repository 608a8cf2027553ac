"""From a network to an ordinary `torch.nn.Module`, whose tree is that of the specification's names."""

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import nn

from archspec.dims import is_array, is_symbolic
from archspec.errors import ArchspecError
from archspec.graph import Network, Node
from archspec.graph.initial import initial
from archspec.graph.names import place_of
from archspec.language import Document, origin
from archspec.language.initialisation import Filling
from archspec.ops import Function
from archspec.runtime.calls import runnable
from archspec.runtime.container import FunctionCall, applied, container
from archspec.runtime.initialise import Drawing, fill
from archspec.runtime.plan import ModuleTree, class_name, module_tree
from archspec.runtime.refusal import refusals
from archspec.runtime.shared import share


def build(
    network: Network,
    document: Document | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    seed: int | None = None,
    inplace: bool = True,
) -> nn.Module:
    """The module that computes a network.

    Node `stage3/unit2/expand/conv2d` has its weights under `stage3.unit2.expand.conv2d`. What a block is made of stands
    in a module whose class is called after the block; functions without weights (add, concat) are modules too.

    Args:
        network: Its symbols are all bound to numbers.
        document: What it was expanded from: says how the weights begin, and the model's `spec` names it.
        device: Where to make it; on "meta" it has shapes and no numbers.
        dtype: The type of its weights.
        seed: The same seed gives the same weights, on any device; torch's own state stays as it is.
        inplace: Whether a ReLU may write over its input, where nothing else needs that: as hand-written models do. A
            hook that keeps the result of the layer before it then finds the ReLU's.

    Raises:
        ArchspecError: A symbol is free, or has several values.
        SpecError: The document's initialisation does not fit the network.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> model = build(expand(load("mobilenet_v2")), device="meta")
    >>> model.bottleneck2.unit1.residual.expand.conv2d
    Conv2d(16, 96, kernel_size=(1, 1), stride=(1, 1), bias=False)
    """
    for name, value in network.bindings.items():
        if is_symbolic(value) or is_array(value):
            raise ArchspecError(f"{name} is {value}; a model needs one number: bind it")
    target = torch.get_default_device() if device is None else torch.device(device)
    place = target if target.type == "meta" else torch.device("cpu")  # where a seed means the same everywhere
    drawing = nullcontext() if seed is None else Drawing(seed)
    with drawing, nullcontext() if place == torch.get_default_device() else place:
        model = _ModuleBuilder(network, document, place.type == "meta", inplace).container(module_tree(network))
    for node in network.nodes:
        if node.shared:
            share(
                model.get_submodule(place_of(node.name)),
                {a: model.get_submodule(place_of(o)) for a, o in node.shared.items()},
            )
    if document is not None:
        model.spec = origin(document, network.bindings)  # type: ignore[assignment]  # no tensor: torch lets any stand
    return model if target == place and dtype is None else model.to(device=target, dtype=dtype)


class _ModuleBuilder:
    """The walk over the tree of containers."""

    def __init__(self, network: Network, document: Document | None, meta: bool, inplace: bool) -> None:
        self.network, self.meta, self.inplace = network, meta, inplace
        self.uses = Counter(name for node in network.nodes for name in node.inputs)
        self.uses.update(network.outputs.values())
        self.fillings: dict[str, dict[str, Filling]] = {}
        if document is not None and document.initialisation is not None:
            for (node, array), filling in initial(network, document.initialisation).items():
                self.fillings.setdefault(node, {})[array] = filling

    def container(self, part: ModuleTree) -> nn.Module:
        """The module of a container, with all that stands in it."""
        module = container(part.plan)()
        if part.made.args:
            module._settings = _written(part.made.args.items())
        for name, child in part.children:
            module.add_module(name, self.container(child) if isinstance(child, ModuleTree) else self.node(child))
        return module

    def node(self, node: Node) -> nn.Module:
        """The module of a node, its arrays filled as the rules say, else as torch does."""
        call = node.operator.torch_call(*self.network.inputs_of(node))
        if isinstance(call, Function):
            made = FunctionCall.of(class_name(node.operator.name), call, len(node.inputs))
            module = applied(made)()
            module._settings = _written(made.settings)
            return module
        if self.inplace and self._may_overwrite(node):
            call = replace(call, kwargs={**call.kwargs, "inplace": True})
        fillings = self.fillings.get(node.name, {})
        arrays = [array.name for array in self.network.weights_of(node)]
        with refusals(node.name):
            built = runnable(call, filled=not (arrays and fillings.keys() >= {*arrays}))
        if not self.meta:
            for name, filling in fillings.items():
                fill(built.get_parameter(name), filling)
        return built

    def _may_overwrite(self, node: Node) -> bool:
        """Whether a node can write over its input: nothing else takes that, and nothing shares its memory."""
        taken = node.inputs[0]
        if not node.operator.overwrites or self.uses[taken] != 1 or taken in self.network.inputs:
            return False
        return self.network.node(taken).operator.overwritable


def _written(settings: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings)
