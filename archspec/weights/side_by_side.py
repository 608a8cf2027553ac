"""Two models on one input: do they give the same, and if not, where do they part?

The second question is answered layer by layer, each by itself: every layer that has weights is given what the source's
layer was given, and what lies between two such layers starts from what the source's layers gave. So one difference
does not hide the next.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from archspec.errors import ArchspecError
from archspec.weights.rows import Check, Exchange, Parting
from archspec.writing import sizes

if TYPE_CHECKING:
    from archspec.weights.matching import Matching

SETTINGS = ("stride", "dilation", "groups", "padding_mode", "eps")
"""Settings of a layer that its arrays do not show, and that change what it gives."""

PASSES = 4
"""How often all choices are tried: one exchange may call for the next, where there are more than two branches."""


@dataclass(slots=True)
class _LayerCall:
    """What a layer was given and gave, and which modules without weights ran since the one before it."""

    given: Tensor
    gave: Tensor
    since: tuple[str, ...]


class _WatchedPass(ExitStack):
    """A forward pass that is watched; its hooks are gone when it is left.

    Args:
        model: The model, of which every module without children and weights is noted when it runs.
        layers: Its modules that are not noted.

    Attributes:
        since: The modules that ran since the last layer.
    """

    def __init__(self, model: nn.Module, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.since: list[str] = []
        apart = {*layers}
        for module in model.modules():
            if module not in apart and not any(module.children()):
                self.hold(module.register_forward_hook(lambda module, _, __: self.since.append(describe(module))))

    def hold(self, *handles: RemovableHandle) -> None:
        """Keep hooks until the pass is left."""
        for handle in handles:
            self.enter_context(handle)


def check(matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> Check:
    """See `Matching.check`."""
    with _evaluated(model, source), torch.no_grad():
        run = _SideBySide(matching, model, source, x, tolerance)
        ours, before = run.output()
        partings = tuple(run.partings(matching))
    theirs = run.theirs
    if ours.shape != theirs.shape:
        return Check(False, None, largest(theirs), tolerance, before, partings)
    return Check(torch.equal(ours, theirs), largest(ours - theirs), largest(theirs), tolerance, before, partings)


def settled(matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> "Matching":
    """See `Matching.settled`."""
    tried = replace(matching, assume=True)
    with _evaluated(model, source), torch.no_grad():
        run = _SideBySide(tried, model, source, x, tolerance)

        def partings(those: "Matching") -> list[Parting]:
            those.apply(model, strict=False)
            return run.partings(those)

        fewest = len(partings(tried))
        decided: list[Exchange] = []
        for _ in range(PASSES):
            before = fewest
            for choice in matching.choices:
                exchanged = tried.swapped(choice)
                now = len(partings(exchanged))
                if now != fewest:
                    decided.append(choice)
                if now < fewest:
                    tried, fewest = exchanged, now
            if fewest == before:
                break
        unexplained = [parting for parting in partings(tried) if not parting.settings]
    if not unexplained:
        tried = tried.decided(decided)
    return replace(tried, assume=matching.assume)


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


class _SideBySide:
    """A model that is run beside its source, each of its layers given what the source's was given."""

    def __init__(self, matching: "Matching", model: nn.Module, source: nn.Module, x: Tensor, tolerance: float) -> None:
        self.model, self.source, self.x, self.tolerance = model, source, x, tolerance
        self.last = _module(model, matching.last)
        self.softmax = type(self.last).__name__ if "softmax" in type(self.last).__name__.lower() else None
        self.seen: dict[str, _LayerCall] = {}
        self.theirs = self._watched({name: _module(source, name) for name, _ in matching.taken.values()})
        if self.softmax and normalised(self.theirs, self.softmax):
            self.softmax = None

    def _watched(self, modules: dict[str, nn.Module]) -> Tensor:
        """Note what each layer of the source is given and gives; the source's output."""
        with _WatchedPass(self.source, modules.values()) as run:
            for name, module in modules.items():
                self._watch(name, module, run)
            output = first(_called(self.source, self.x, "the source"))
            self.behind = tuple(run.since)
            return output

    def _watch(self, name: str, module: nn.Module, run: _WatchedPass) -> None:
        """Note what a layer of the source is given, and gives; of one that runs twice, what it was the first time."""
        given: list[Tensor] = []

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given[:] = [inputs[0].clone()]  # a later layer may write over it

        def after(_: nn.Module, __: Any, gave: Tensor) -> None:
            if given:
                self.seen.setdefault(name, _LayerCall(given[0], gave.clone(), tuple(run.since)))
            run.since.clear()

        run.hold(module.register_forward_pre_hook(before), module.register_forward_hook(after))

    def partings(self, matching: "Matching") -> list[Parting]:
        """Where the model, with the weights of a matching applied, does other things than its source."""
        found: list[Parting] = []
        modules = {name: _module(self.model, name) for name in matching.taken}
        with _WatchedPass(self.model, modules.values()) as run:
            for name, module in modules.items():
                there = matching.taken[name][0]
                if there in self.seen:
                    self._compare(name, module, there, run, found)
            ours, _ = self.output()
            if not same(ours, self.theirs, self.tolerance):
                found.append(Parting("", False, modules_apart(run.since, self.behind), apart(ours, self.theirs)))
        return found

    def _compare(self, name: str, module: nn.Module, there: str, run: _WatchedPass, found: list[Parting]) -> None:
        """Compare what a layer is given and gives with what the source's was and did, and go on with the latter."""
        theirs = self.seen[there]
        late: list[Parting] = []

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            given, since = inputs[0], tuple(run.since)
            run.since.clear()
            late.clear()
            if not same(given, theirs.given, self.tolerance):
                parting = Parting(name, False, modules_apart(since, theirs.since), apart(given, theirs.given))
                # of another shape: perhaps a padding, before the layer on one side and in it on the other
                (found if given.shape == theirs.given.shape else late).append(parting)
            if given.shape == theirs.given.shape:
                given.copy_(theirs.given)  # for all that take it too

        def after(_: nn.Module, __: Any, gave: Tensor) -> Tensor:
            run.since.clear()
            if not same(gave, theirs.gave, self.tolerance):
                settings = "; ".join(differing_settings(module, _module(self.source, there)))
                what = settings or "other numbers from the same weights"
                own = Parting(name, True, what, apart(gave, theirs.gave), bool(settings))
                found.append(late[0] if late and not settings else own)
            return theirs.gave.clone()

        run.hold(
            module.register_forward_pre_hook(before, prepend=True),
            module.register_forward_hook(after),
        )

    def output(self) -> tuple[Tensor, str | None]:
        """The model's output as the source has it: before a softmax at the end, unless the source has one too."""
        inputs: list[Tensor] = []
        with ExitStack() as hooks:
            if self.softmax:
                keep = self.last.register_forward_pre_hook(lambda _, given: inputs.append(given[0].clone()))
                hooks.enter_context(keep)
            ours = first(_called(self.model, self.x.clone(), "the model"))
        ours = inputs[-1] if inputs else ours
        before = f"the {self.softmax}" if self.softmax else None
        return ours.reshape(self.theirs.shape) if ours.numel() == self.theirs.numel() else ours, before


def _module(model: nn.Module, name: str) -> nn.Module:
    try:
        return model.get_submodule(name)
    except AttributeError:
        raise ArchspecError(f"there is no module '{name}' in {type(model).__name__}, whose weights it has") from None


def _called(model: nn.Module, x: Tensor, what: str) -> Any:
    try:
        return model(x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ArchspecError(f"{what} cannot take an input of {sizes(x.shape)}: {str(error).splitlines()[0]}") from None


# ------------------------------------------------------------------ in words


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
