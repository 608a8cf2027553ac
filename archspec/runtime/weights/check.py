"""Two models on one input: do they give the same, and if not, where do they part?

The second question is answered layer by layer, each by itself: every layer that has weights is given what the source's
layer was given, and what lies between two such layers starts from what the source's layers gave. So one difference
does not hide the next.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from archspec.errors import ArchspecError

if TYPE_CHECKING:
    from archspec.runtime.weights.matching import Matching

SETTINGS = ("stride", "dilation", "groups", "padding_mode", "eps")
"""Settings of a layer that its arrays do not show, and that change what it gives."""


@dataclass(frozen=True, slots=True)
class Parting:
    """A place where the models do other things.

    Attributes:
        layer: The layer of the network that gives or is given something else; "" for the output.
        inside: Whether it is the layer itself; else it is what lies between it and the layers with weights before it.
        what: The settings, or the modules without weights, that are not the same.
        apart: By how much that changes what the layer gives, or is given.
    """

    layer: str
    inside: bool
    what: str
    apart: str

    def __str__(self) -> str:
        where = f"{'in' if self.inside else 'before'} '{self.layer}'" if self.layer else "before the output"
        return f"{where}: {self.what}; {self.apart}"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of running a network's model and its source on one input; true when they give the same.

    Attributes:
        exact: Whether all numbers of the outputs are equal, to the bit.
        largest: The largest difference of two numbers of the outputs; None if the outputs have other shapes.
        scale: The largest number of the source's output.
        tolerance: What is allowed, as a share of the scale.
        before: The last function of the network that the source has not, such as a softmax; its inputs were compared.
        partings: Where they do other things.
    """

    exact: bool
    largest: float | None
    scale: float
    tolerance: float
    before: str | None
    partings: tuple[Parting, ...]

    def __bool__(self) -> bool:
        return self.exact or (self.largest is not None and self.largest <= self.tolerance * self.scale)

    @property
    def differences(self) -> tuple[str, ...]:
        """The partings, those of one kind in one sentence."""
        kinds: dict[tuple[bool, str], list[str]] = {}
        for parting in self.partings:
            kinds.setdefault((parting.inside, parting.what), []).append(parting.layer)
        return tuple(f"{_where(layers, inside)}: {what}" for (inside, what), layers in kinds.items())

    def __str__(self) -> str:
        before = f" (before {self.before}, which the source has not)" if self.before else ""
        if self.exact:
            return f"the outputs are equal, to the bit{before}"
        if self.largest is None:
            return f"the outputs have other shapes{before}"
        share = f"{self.largest:.1e}, where the largest number is {self.scale:.1e}"
        return f"the outputs {'are equal' if self else 'differ'} up to {share}{before}"


@dataclass(slots=True)
class _Seen:
    """What a layer was given and gave, and which modules without weights ran since the one before it."""

    given: Tensor
    gave: Tensor
    since: tuple[str, ...]


@dataclass(slots=True)
class _Run:
    """A forward pass that is watched."""

    seen: dict[str, _Seen] = field(default_factory=dict)
    since: list[str] = field(default_factory=list)
    handles: list[RemovableHandle] = field(default_factory=list)


def check(matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> Check:
    """See `Matching.check`."""
    with _evaluated(model, source), torch.no_grad():
        run = _Guided(matching, model, source, x, tolerance)
        ours, before = run.output()
        partings = tuple(run.partings(matching))
    theirs = run.theirs
    if ours.shape != theirs.shape:
        return Check(False, None, _largest(theirs), tolerance, before, partings)
    return Check(torch.equal(ours, theirs), _largest(ours - theirs), _largest(theirs), tolerance, before, partings)


def settled(matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> "Matching":
    """See `Matching.settled`."""
    with _evaluated(model, source), torch.no_grad():
        run = _Guided(matching, model, source, x, tolerance)

        def parted(tried: "Matching") -> int:
            tried.apply(model)
            return len(run.partings(tried))

        fewest = parted(matching)
        for choice in matching.choices:
            exchanged = matching.swapped(choice)
            now = parted(exchanged)
            if now != fewest:
                matching = (exchanged if now < fewest else matching).decided(choice)
                fewest = min(now, fewest)
        matching.apply(model)
    return matching


@contextmanager
def _evaluated(*models: nn.Module) -> Iterator[None]:
    """Models as they are when not training, and as they were afterwards."""
    before = [(module, module.training) for model in models for module in model.modules()]
    try:
        for model in models:
            model.eval()
        yield
    finally:
        for module, training in before:
            module.training = training


class _Guided:
    """A model that is run beside its source, each of its layers given what the source's was given."""

    def __init__(self, matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> None:
        self.model, self.source, self.x, self.tolerance = model, source, x, tolerance
        self.last = _module(model, matching.last)
        self.softmax = type(self.last).__name__ if "softmax" in type(self.last).__name__.lower() else None
        self.seen: dict[str, _Seen] = {}
        self.theirs = self._watched({name: _module(source, name) for name, _ in matching.taken.values()})
        if self.softmax and _normalised(self.theirs, self.softmax):
            self.softmax = None

    def _watched(self, modules: dict[str, nn.Module]) -> Tensor:
        """Note what each layer of the source is given and gives; the source's output."""
        with _hooks(_Run()) as run:
            _watch_between(run, self.source, {*modules.values()})
            for name, module in modules.items():
                watch = _Watch(name, run, self.seen)
                run.handles += [
                    module.register_forward_pre_hook(watch.before),
                    module.register_forward_hook(watch.after),
                ]
            output = _first(_called(self.source, self.x, "the source"))
            self.behind = tuple(run.since)
            return output

    def partings(self, matching: "Matching") -> list[Parting]:
        """Where the model, with the weights of a matching applied, does other things than its source."""
        found: list[Parting] = []
        with _hooks(_Run()) as run:
            modules = {name: _module(self.model, name) for name in matching.taken}
            _watch_between(run, self.model, {*modules.values()})
            for name, module in modules.items():
                there = matching.taken[name][0]
                if there in self.seen:
                    other = _module(self.source, there)
                    compare = _Compare(name, module, other, self.seen[there], run, self.tolerance, found)
                    run.handles += [
                        module.register_forward_pre_hook(compare.before, prepend=True),
                        module.register_forward_hook(compare.after),
                    ]
            ours, _ = self.output()
            if not _same(ours, self.theirs, self.tolerance):
                found.append(Parting("", False, _between(run.since, self.behind), _apart(ours, self.theirs)))
        return found

    def output(self) -> tuple[Tensor, str | None]:
        """The model's output as the source has it: before a softmax at the end, unless the source has one too."""
        inputs: list[Tensor] = []
        with _hooks(_Run()) as run:
            if self.softmax:
                hook = self.last.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
                run.handles.append(hook)
            ours = _first(_called(self.model, self.x.clone(), "the model"))
        ours = inputs[-1] if inputs else ours
        before = f"the {self.softmax}" if self.softmax else None
        return ours.reshape(self.theirs.shape) if ours.numel() == self.theirs.numel() else ours, before


@dataclass(slots=True)
class _Watch:
    """The two hooks of a source's layer."""

    name: str
    run: _Run
    seen: dict[str, _Seen]
    given: Tensor | None = None

    def before(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Keep what comes in, which a later layer may write over."""
        self.given = inputs[0].clone()

    def after(self, _: nn.Module, __: Any, gave: Tensor) -> None:
        """Keep what comes out; of a layer that runs twice, what came the first time."""
        if self.given is not None:
            self.seen.setdefault(self.name, _Seen(self.given, gave.clone(), tuple(self.run.since)))
        self.run.since.clear()


@dataclass(slots=True)
class _Compare:
    """The two hooks of a model's layer: one for what it is given, one for what it gives."""

    name: str
    module: nn.Module
    other: nn.Module
    seen: _Seen
    run: _Run
    tolerance: float
    found: list[Parting]
    late: Parting | None = None

    def before(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Compare what comes in, and write what the source's layer was given over it, for all that take it too."""
        given, theirs = inputs[0], self.seen.given
        since = tuple(self.run.since)
        self.run.since.clear()
        self.late = None
        if given.shape != theirs.shape:  # perhaps a padding, before the layer on one side and in it on the other
            self.late = Parting(self.name, False, _between(since, self.seen.since), _apart(given, theirs))
            return
        if not _same(given, theirs, self.tolerance):
            self.found.append(Parting(self.name, False, _between(since, self.seen.since), _apart(given, theirs)))
        given.copy_(theirs)

    def after(self, _: nn.Module, __: Any, gave: Tensor) -> Tensor:
        """Compare what comes out, and put what the source's layer gave in its place."""
        self.run.since.clear()
        theirs = self.seen.gave
        if not _same(gave, theirs, self.tolerance):
            settings = "; ".join(_settings(self.module, self.other))
            late = None if settings else self.late
            what = settings or "other numbers from the same weights"
            self.found.append(late or Parting(self.name, True, what, _apart(gave, theirs)))
        return theirs.clone()


def _settings(module: nn.Module, other: nn.Module) -> Iterator[str]:
    """The settings in which two layers differ; the padding only where no other does."""
    names = [name for name in SETTINGS if hasattr(module, name) and hasattr(other, name)]
    found = [name for name in names if getattr(module, name) != getattr(other, name)]
    if not found and hasattr(module, "padding") and getattr(other, "padding", module.padding) != module.padding:
        found = ["padding"]
    for name in found:
        yield f"{name} {getattr(module, name)} here, {getattr(other, name)} in the source"


def _normalised(output: Tensor, kind: str) -> bool:
    shares = output.exp() if kind.lower().startswith("log") else output
    sums = shares.flatten(1).sum(1)
    return bool((shares >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)


@contextmanager
def _hooks(run: _Run) -> Iterator[_Run]:
    try:
        yield run
    finally:
        for handle in run.handles:
            handle.remove()


def _watch_between(run: _Run, model: nn.Module, layers: set[nn.Module]) -> None:
    """Note every module without children and weights that runs."""
    for module in model.modules():
        if module not in layers and not any(module.children()):
            run.handles.append(module.register_forward_hook(lambda module, _, __: run.since.append(_said(module))))


def _module(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        raise ArchspecError(f"there is no module '{name}' in {type(model).__name__}, whose weights it has") from None


def _called(model: nn.Module, x: Tensor, what: str) -> Any:
    try:
        return model(x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ArchspecError(f"{what} cannot take an input of {_shape(x)}: {str(error).splitlines()[0]}") from None


def _first(output: Any) -> Tensor:
    """The output, the first where there are several: auxiliary classifiers come behind."""
    found = next(iter(output.values()), None) if isinstance(output, dict) else output
    while isinstance(found, list | tuple) and found:
        found = found[0]
    if not isinstance(found, Tensor):
        raise ArchspecError(f"the source gives a {type(found).__name__}, not a tensor")
    return found


def _same(one: Tensor, other: Tensor, tolerance: float) -> bool:
    return one.shape == other.shape and _largest(one - other) <= tolerance * _largest(other)


def _largest(tensor: Tensor) -> float:
    return float(tensor.abs().max()) if tensor.numel() else 0.0


def _apart(ours: Tensor, theirs: Tensor) -> str:
    if ours.shape != theirs.shape:
        return f"{_shape(ours)} here, {_shape(theirs)} in the source"
    return f"numbers differ up to {_largest(ours - theirs):.1e}, where the largest is {_largest(theirs):.1e}"


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))


def _where(layers: list[str], inside: bool) -> str:
    names = [f"'{name}'" if name else "the output" for name in layers]
    first = names[0] if len(names) == 1 else f"{len(names)} layers, first {names[0]}"
    return f"{'in' if inside else 'before'} {first}"


def _said(module: nn.Module) -> str:
    """A module and its settings; of a pooling also those that torch does not print."""
    hidden = [name for name in ("ceil_mode", "count_include_pad") if hasattr(module, name) and name not in str(module)]
    settings = [module.extra_repr(), *(f"{name}={getattr(module, name)}" for name in hidden)]
    said = f"{type(module).__name__}({', '.join(filter(None, settings))})"
    return said.replace(", inplace=True", "").replace("inplace=True", "")


def _between(ours: Iterable[str], theirs: Iterable[str]) -> str:
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
