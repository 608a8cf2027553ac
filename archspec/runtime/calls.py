"""From a torch call that is data to one that runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from importlib import import_module
from typing import Any, Literal, overload

import torch
from torch import nn

from archspec.dims import is_array, is_symbolic
from archspec.errors import ArchspecError
from archspec.ops import Function, Module, TorchCall

ROOTS = ("torch", "archspec.runtime")
"""The packages that a target may lie in."""

PLAIN = frozenset({int, bool, float, str, type(None)})
"""The types of settings that torch takes as they are."""


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
        module.register_forward_pre_hook(_Before(tuple(runnable(function) for function in call.before)))
    if call.after:
        module.register_forward_hook(_After(tuple(runnable(function) for function in call.after)))
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

    function: Callable[..., torch.Tensor]
    settings: Mapping[str, Any]
    takes: Literal["inputs", "list", "fold"]

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """The result: of all inputs, of one list of them, or of two at a time from the left."""
        if self.takes == "list":
            return self.function(list(inputs), **self.settings)
        if self.takes == "fold":
            return reduce(lambda left, right: self.function(left, right, **self.settings), inputs)
        return self.function(*inputs, **self.settings)


@dataclass(frozen=True, slots=True)
class _Before:
    """A forward hook that sends a module's input through functions first."""

    functions: tuple[Applied, ...]

    def __call__(self, _: nn.Module, inputs: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return reduce(lambda x, function: function(x), self.functions, inputs[0])


@dataclass(frozen=True, slots=True)
class _After:
    """A forward hook that sends a module's result through functions."""

    functions: tuple[Applied, ...]

    def __call__(self, _: nn.Module, __: tuple[torch.Tensor, ...], result: torch.Tensor) -> torch.Tensor:
        return reduce(lambda x, function: function(x), self.functions, result)


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
