"""From a network to an ordinary `torch.nn.Module`, whose tree is that of the specification's names.

Its weights at the beginning are as its paper has them, and the same for the same seed. Modules that have the arrays of
another have none of their own: these stand once in the state dict, under the name of their owner.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from archspec.dims import is_array, is_symbolic
from archspec.errors import ArchspecError
from archspec.graph import Network, Node
from archspec.graph.initial import initial
from archspec.graph.names import place_of
from archspec.language import Document, origin
from archspec.language.initialisation import Filling
from archspec.ops import Function
from archspec.runtime.calls import numbers, refusals, runnable
from archspec.runtime.container import FunctionCall, ModuleTree, applied, blank, class_name, container, module_tree


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
            kind, settings = class_name(node.operator.name), tuple(numbers(call.kwargs).items())
            made = FunctionCall(kind, call.target, settings, call.takes, len(node.inputs))
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


# ------------------------------------------------------------------ the weights at the beginning


@torch.no_grad()
def fill(array: Tensor, filling: Filling) -> None:
    """Fill an array with a constant or with random numbers.

    >>> weight = torch.empty(2, 2)
    >>> fill(weight, Filling("constant", 1))
    >>> weight.sum()
    tensor(4.)
    """
    if filling.kind == "truncated_normal" and filling.size is not None:
        truncated_normal_(array, float(filling.size))
    else:
        runnable(filling.call())(array)


def truncated_normal_(array: Tensor, std: float) -> Tensor:
    """Fill with normal numbers that lie within two standard deviations: one uniform draw, and the inverse of erf.

    `torch.nn.init.trunc_normal_` gives the same distribution, and draws all numbers again until the last one fits.
    """
    inside = math.erf(math.sqrt(2))
    array.uniform_(-inside, inside).erfinv_().mul_(math.sqrt(2) * std)
    return array.clamp_(-2 * std, 2 * std)  # at the very edge, rounding may step over it


class Drawing(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's has none
    """Gives what fills arrays at random, on the processor, a generator of its own; torch's own is not touched.

    So what a thread draws inside follows from a seed, whatever other threads draw.

    >>> with Drawing(0):
    ...     one = torch.empty(3).uniform_()
    >>> with Drawing(0):
    ...     two = torch.nn.init.uniform_(torch.empty(3))
    >>> bool((one == two).all())
    True
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call an operation, with the generator where it takes one."""
        given = dict(kwargs or {})
        if any(argument.name == "generator" for argument in func._schema.arguments):
            given["generator"] = self.generator
        return func(*args, **given)


# ------------------------------------------------------------------ arrays of others


COUNTER = "num_batches_tracked"
"""What torch keeps beside a batch normalisation's statistics, and whoever has those has too."""


def share(module: nn.Module, owners: dict[str, nn.Module]) -> None:
    """Let a module have arrays of others, whatever becomes of those.

    Args:
        module: Its own arrays of these names go.
        owners: By the name of an array, the module that has it.

    >>> one, two = nn.Linear(3, 2), nn.Linear(3, 2)
    >>> share(two, {"weight": one, "bias": one})
    >>> two.weight is one.weight, list(two.state_dict())
    (True, [])
    """
    if "running_mean" in owners and hasattr(module, COUNTER):
        owners = {**owners, COUNTER: owners["running_mean"]}
    for name in owners:
        delattr(module, name)
    cls: Any = type(module)
    module.__class__ = _sharing(cls, tuple(owners))
    module.__dict__["_owners"] = {name: (owner,) for name, owner in owners.items()}  # in a tuple it is no child


class Sharing:
    """What a module that shares has beside its class; copied and pickled by that class and the names.

    Attributes:
        _shared: Its class without this, and the names of the arrays.
        _owners: By name, who has an array.
    """

    _shared: tuple[type[nn.Module], tuple[str, ...]]
    _owners: dict[str, tuple[nn.Module]]

    def __reduce__(self) -> tuple[Callable[..., nn.Module], tuple[Any, ...], dict[str, Any]]:
        return blank, (_sharing, *self._shared), self.__dict__

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        """Load what is its own; a normalisation without any would look for a counter, too."""
        if self._parameters or self._buffers:  # type: ignore[attr-defined]  # a module's
            super()._load_from_state_dict(*args, **kwargs)  # type: ignore[misc]  # a module's


@cache
def _sharing(cls: Any, names: tuple[str, ...]) -> Any:
    """The class of modules of a class that have these arrays of others."""
    found = {name: property(partial(_owned, name)) for name in names}
    return type(cls.__name__, (Sharing, cls), {"_shared": (cls, names), **found})


def _owned(name: str, module: Any) -> Any:
    return getattr(module._owners[name][0], name)
