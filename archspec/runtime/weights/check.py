"""Two models on one input: do they give the same, and if not, where do they part?

The second question is answered layer by layer, each by itself: every layer that has weights is given what the source's
layer was given, and what lies between two such layers starts from what the source's layers gave. So one difference
does not hide the next.
"""

from collections.abc import Iterator, Sequence
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
        layer: The layer of the network that gives something else, or that is given something else.
        inside: Whether it is the layer itself; else it is what lies between it and the layers with weights before it.
        what: In a sentence.
    """

    layer: str
    inside: bool
    what: str


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
        watched, theirs = _watched(matching, source, x)
        ours, before = _output(matching, model, x, theirs)
        partings = tuple(_partings(matching, model, source, x, watched, tolerance))
    if ours.shape != theirs.shape:
        return Check(False, None, _largest(theirs), tolerance, before, partings)
    exact = torch.equal(ours, theirs)
    return Check(exact, _largest(ours - theirs), _largest(theirs), tolerance, before, partings)


def settled(matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> "Matching":
    """See `Matching.settled`."""
    with _evaluated(model, source), torch.no_grad():
        watched, _ = _watched(matching, source, x)

        def parted(tried: "Matching") -> int:
            tried.apply(model)
            return sum(1 for _ in _partings(tried, model, source, x, watched, tolerance))

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


def _watched(matching: "Matching", source: nn.Module, x: Tensor) -> tuple[dict[str, _Seen], Tensor]:
    """What each layer of the source is given and gives, and what comes out in the end."""
    modules = {name: _module(source, name) for name, _ in matching.taken.values()}
    run = _Run()
    with _hooks(run):
        _watch_between(run, source, {*modules.values()})
        for name, module in modules.items():
            given: list[Tensor] = []

            def before(_: nn.Module, inputs: tuple[Tensor, ...], given: list[Tensor] = given) -> None:
                given.append(inputs[0].clone())

            def after(_: nn.Module, __: Any, gave: Tensor, name: str = name, given: list[Tensor] = given) -> None:
                run.seen.setdefault(name, _Seen(given[0], gave.clone(), tuple(run.since)))
                run.since.clear()

            run.handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
        return run.seen, _first(_called(source, x, "the source"))


def _partings(
    matching: "Matching",
    model: nn.Module,
    source: nn.Module,
    x: Tensor,
    watched: dict[str, _Seen],
    tolerance: float,
) -> Iterator[Parting]:
    """Run the model with each layer given what the source's was, and compare what comes between."""
    found: list[Parting] = []
    run = _Run()
    pairs = {here: there for here, (there, _) in matching.taken.items() if there in watched}
    modules = {here: _module(model, here) for here in pairs}
    with _hooks(run):
        _watch_between(run, model, {*modules.values()})
        for here, there in pairs.items():
            compare = _Compare(
                here, there, modules[here], _module(source, there), watched[there], run, tolerance, found
            )
            run.handles += [
                modules[here].register_forward_pre_hook(compare.before, prepend=True),
                modules[here].register_forward_hook(compare.after),
            ]
        _called(model, x, "the model")
    yield from found


@dataclass(slots=True)
class _Compare:
    """The two hooks of a layer: one for what it is given, one for what it gives."""

    here: str
    there: str
    module: nn.Module
    other: nn.Module
    seen: _Seen
    run: _Run
    tolerance: float
    found: list[Parting]
    late: Parting | None = None

    def before(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Compare what comes in, and put what the source's layer was given in its place."""
        since, theirs = tuple(self.run.since), self.seen.given
        self.run.since.clear()
        self.late = None
        if _same(inputs[0], theirs, self.tolerance):
            return (theirs.clone(),)
        by = _apart(inputs[0], theirs)
        what = f"{by}; between: {_listed(since)} here, {_listed(self.seen.since)} in the source"
        parting = Parting(self.here, False, what)
        if inputs[0].shape == theirs.shape:
            self.found.append(parting)
            return (theirs.clone(),)
        self.late = parting  # a padding may stand before the layer on one side and in it on the other
        return inputs

    def after(self, _: nn.Module, __: Any, gave: Tensor) -> Tensor:
        """Compare what comes out, and put what the source's layer gave in its place."""
        self.run.since.clear()
        theirs = self.seen.gave
        if not _same(gave, theirs, self.tolerance):
            settings = "; ".join(_settings(self.module, self.other))
            if self.late is not None and not settings:
                self.found.append(self.late)
            else:
                self.found.append(Parting(self.here, True, settings or _apart(gave, theirs)))
        return theirs.clone()


def _settings(module: nn.Module, other: nn.Module) -> Iterator[str]:
    """The settings in which two layers differ; the padding only where no other does."""
    names = [name for name in SETTINGS if hasattr(module, name) and hasattr(other, name)]
    found = [name for name in names if getattr(module, name) != getattr(other, name)]
    if not found and hasattr(module, "padding") and getattr(other, "padding", module.padding) != module.padding:
        found = ["padding"]
    for name in found:
        yield f"{name} {getattr(module, name)} here, {getattr(other, name)} in the source"


def _output(matching: "Matching", model: nn.Module, x: Tensor, theirs: Tensor) -> tuple[Tensor, str | None]:
    """The model's output as the source has it: before a softmax at the end, unless the source has one too."""
    last = model.get_submodule(matching.last)
    kind = type(last).__name__
    inputs: list[Tensor] = []
    with _hooks(_Run()) as run:
        run.handles.append(last.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone())))
        ours = _first(_called(model, x, "the model"))
    if "softmax" in kind.lower() and not _normalised(theirs, kind):
        return inputs[0].reshape(theirs.shape) if inputs[0].numel() == theirs.numel() else inputs[0], f"the {kind}"
    return ours.reshape(theirs.shape) if ours.numel() == theirs.numel() else ours, None


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
            run.handles.append(module.register_forward_hook(lambda module, _, __: run.since.append(str(module))))


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
    found = next(iter(output.values())) if isinstance(output, dict) else output
    while isinstance(found, Sequence):
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


def _listed(modules: tuple[str, ...]) -> str:
    return ", ".join(modules) or "nothing"
