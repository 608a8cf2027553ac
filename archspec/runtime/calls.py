"""Calls of torch: from one that is data to one that runs, what a network is called with, and what torch refuses."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from importlib import import_module
from typing import Any, Literal, overload

import torch
from torch import Tensor, nn

from archspec.dims import is_array, is_symbolic
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.ops import Function, Module, TorchCall

ROOTS = ("torch", "archspec.runtime")
"""The packages that a target may lie in."""

PLAIN = frozenset({int, bool, float, str, type(None)})
"""The types of settings that torch takes as they are."""

REFUSALS = (RuntimeError, ValueError, TypeError, IndexError, ArithmeticError)
"""What torch raises where it cannot make or run something."""


@overload
def runnable(call: Module, *, filled: bool = True) -> nn.Module: ...
@overload
def runnable(call: Function) -> "Applied": ...
def runnable(call: TorchCall, *, filled: bool = True) -> "nn.Module | Applied":
    """The module, or the function of the inputs, that a call describes.

    The functions before and after a module become forward hooks of it, so that its weights keep their own names.

    Args:
        call: What an operator says.
        filled: Whether torch fills the module's arrays; else they hold whatever stood in memory.

    Raises:
        ArchspecError: The target is not torch's or ours, or a setting is still an expression.

    >>> runnable(Module("torch.nn.ReLU6"))
    ReLU6()
    >>> runnable(Function("torch.flatten", {"start_dim": 1}))(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 12])
    """
    target, settings = resolve(call.target), numbers(call.kwargs)
    if isinstance(call, Function):
        return Applied(target, settings, call.takes)
    module: nn.Module = target(**settings) if filled else _unfilled(target, settings)
    if call.before:
        module.register_forward_pre_hook(_Hook(tuple(runnable(function) for function in call.before)))
    if call.after:
        module.register_forward_hook(_Hook(tuple(runnable(function) for function in call.after)))
    return module


def _unfilled(target: Any, settings: Mapping[str, Any]) -> nn.Module:
    """A module whose constructor's own filling is left out, for one that is filled by rules anyway."""
    module: nn.Module = _without_filling(target)(**settings)
    module.__class__ = target
    return module


@cache
def _without_filling(target: Any) -> type[nn.Module]:
    return type(target.__name__, (target,), {"reset_parameters": lambda _: None})


@dataclass(frozen=True, slots=True)
class Applied:
    """A torch function and its settings, to be called with the inputs."""

    function: Callable[..., Tensor]
    settings: Mapping[str, Any]
    takes: Literal["inputs", "list", "fold"]

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The result: of all inputs, of one list of them, or of two at a time from the left."""
        if self.takes == "list":
            return self.function(list(inputs), **self.settings)
        if self.takes == "fold":
            return reduce(lambda left, right: self.function(left, right, **self.settings), inputs)
        return self.function(*inputs, **self.settings)


@dataclass(frozen=True, slots=True)
class _Hook:
    """A forward hook that sends a module's input, or its result where there is one, through functions."""

    functions: tuple[Applied, ...]

    def __call__(self, _: nn.Module, inputs: tuple[Tensor, ...], *results: Tensor) -> Tensor:
        return reduce(lambda x, function: function(x), self.functions, (*results, *inputs)[0])


@cache
def resolve(target: str) -> Any:
    """What a dotted name below `torch` or `archspec.runtime` names.

    Raises:
        ArchspecError: It lies elsewhere, or there is no such thing.

    >>> resolve("os.system")
    Traceback (most recent call last):
    archspec.errors.ArchspecError: 'os.system' is not in torch or archspec.runtime
    """
    if not target.startswith(tuple(f"{root}." for root in ROOTS)):
        raise ArchspecError(f"{target!r} is not in {' or '.join(ROOTS)}")
    package, _, name = target.rpartition(".")
    try:
        return getattr(import_module(package), name)
    except (ImportError, AttributeError):
        raise ArchspecError(f"there is no {target!r} (torch is {torch.__version__})") from None


def numbers(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as torch takes them.

    Raises:
        ArchspecError: One is an expression.
    """
    return {key: _number(key, value) for key, value in settings.items()}


def _number(key: str, value: Any) -> Any:
    """A setting as torch takes it: exact rationals as floats."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, tuple):
        return tuple(_number(key, part) for part in value)
    if is_symbolic(value) or is_array(value):
        raise ArchspecError(f"{key} is {value}; torch needs one number: bind its symbols")
    return float(value) if isinstance(value, Fraction) else value


# ------------------------------------------------------------------ what a network is called with


def zeros(network: Network, device: torch.device | str | None = None) -> tuple[Tensor, ...]:
    """Inputs of zeros, in the order of the network's inputs.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> [x.shape for x in zeros(expand(load("lenet_5")))]
    [torch.Size([1, 1, 28, 28])]
    """
    return tuple(
        torch.zeros(tensor.shape, device=device, dtype=None if network.below(name) is None else torch.int64)
        for name, tensor in network.inputs.items()
    )


def drawn(network: Network, seed: int) -> tuple[Tensor, ...]:
    """Inputs of random numbers, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(tensor.shape, generator=generator)
        if (below := network.below(name)) is None
        else torch.randint(int(below), tensor.shape, generator=generator)
        for name, tensor in network.inputs.items()
    )


def results(given: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """What a model gave, as a tuple also where it is one tensor."""
    return given if isinstance(given, tuple) else (given,)


# ------------------------------------------------------------------ what torch refuses


@contextmanager
def refusals(place: str | nn.Module) -> Iterator[None]:
    """Turn an error of torch's into one of ours.

    Args:
        place: The name of a node; or a model, whose innermost module that the error passed through is the node.

    Raises:
        ArchspecError: Torch refused something; says which node's, and what torch says.

    >>> with refusals("fc"):
    ...     nn.Linear(2, -1)
    Traceback (most recent call last):
    archspec.errors.ArchspecError: node 'fc': torch refuses it: Trying to create tensor with negative dimension -1
    """
    try:
        yield
    except ArchspecError:
        raise
    except REFUSALS as error:
        node = place if isinstance(place, str) else _innermost(place, error)
        where = f"node '{node}': torch refuses it" if node else "torch refuses the model"
        raise ArchspecError(f"{where}: {(str(error) or type(error).__name__).splitlines()[0]}") from error


def _innermost(model: nn.Module, error: BaseException) -> str:
    """The name of the innermost module of a model in which an error was raised."""
    names = {id(module): name for name, module in model.named_modules()}
    found, step = "", error.__traceback__
    while step is not None:
        found = names.get(id(step.tb_frame.f_locals.get("self")), "") or found
        step = step.tb_next
    return found.replace(".", "/")
