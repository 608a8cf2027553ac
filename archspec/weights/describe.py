"""What two models give, compared; modules that run on one side alone, and settings that differ, in words."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from archspec.errors import ArchspecError
from archspec.writing import sizes

SETTINGS = ("stride", "dilation", "groups", "padding_mode", "eps")
"""Settings of a layer that its arrays do not show, and that change what it gives."""


def first(output: Any) -> Tensor:
    """The output, the first where there are several: auxiliary classifiers come behind."""
    found = next(iter(output.values()), None) if isinstance(output, dict) else output
    while isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, Tensor):
        raise ArchspecError(f"the source gives a {type(found).__name__}, not a tensor")
    return found


def same(one: Tensor, other: Tensor, tolerance: float) -> bool:
    """Whether two are equal within a share of the largest number."""
    return one.shape == other.shape and largest(one - other) <= tolerance * largest(other)


def largest(tensor: Tensor) -> float:
    """The largest number, its sign left out."""
    return float(tensor.abs().max()) if tensor.numel() else 0.0


def apart(ours: Tensor, theirs: Tensor) -> str:
    """By how much two are apart, in words."""
    if ours.shape != theirs.shape:
        return f"{sizes(ours.shape)} here, {sizes(theirs.shape)} in the source"
    return f"numbers differ up to {largest(ours - theirs):.1e}, where the largest is {largest(theirs):.1e}"


def normalised(output: Tensor, kind: str) -> bool:
    """Whether each row sums to 1, as a softmax, or a log softmax, leaves it."""
    shares = output.exp() if kind.lower().startswith("log") else output
    sums = shares.flatten(1).sum(1)
    return bool((shares >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)


def differing_settings(module: nn.Module, other: nn.Module) -> Iterator[str]:
    """The settings in which two layers differ; the padding only where no other does."""
    names = [name for name in SETTINGS if hasattr(module, name) and hasattr(other, name)]
    found = [name for name in names if getattr(module, name) != getattr(other, name)]
    if not found and hasattr(module, "padding") and getattr(other, "padding", module.padding) != module.padding:
        found = ["padding"]
    for name in found:
        yield f"{name} {getattr(module, name)} here, {getattr(other, name)} in the source"


def describe(module: nn.Module) -> str:
    """A module and its settings; of a pooling also those that torch does not print."""
    hidden = [name for name in ("ceil_mode", "count_include_pad") if hasattr(module, name) and name not in str(module)]
    settings = [module.extra_repr(), *(f"{name}={getattr(module, name)}" for name in hidden)]
    text = f"{type(module).__name__}({', '.join(filter(None, settings))})"
    return text.replace(", inplace=True", "").replace("inplace=True", "")


def modules_apart(ours: Iterable[str], theirs: Iterable[str]) -> str:
    """The modules without weights that ran on one side alone; functions that are no modules are not seen."""
    here, there = Counter(ours), Counter(theirs)
    one, other = (_without_effect(names) for names in (here - there, there - here))
    if not one and not other:
        return "the same modules here and in the source; what they are given is not"
    sides = (_shortened(one, other), _shortened(other, one))
    return "{} here, {} in the source".format(*(", ".join(side) or "no module" for side in sides))


def _shortened(modules: list[str], others: list[str]) -> list[str]:
    """Modules with all their settings; one whose like is among the others, with those in which it differs."""
    shown = []
    for module in modules:
        kind = _kind(module)
        like = [other for other in others if _kind(other) == kind]
        if len(like) == 1 == [_kind(other) for other in modules].count(kind):
            same = _SETTING.findall(like[0])
            module = f"{kind}({', '.join(x for x in _SETTING.findall(module) if x not in same)})"  # noqa: PLW2901
        shown.append(module)
    return shown


_SETTING = re.compile(r"\w+=(?:\([^)]*\)|[^,)]*)")


def _kind(module: str) -> str:
    return module.partition("(")[0]


def _without_effect(modules: Counter[str]) -> list[str]:
    return [name for name in modules.elements() if _kind(name) not in ("Identity", "Dropout")]
