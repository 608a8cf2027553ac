"""What a matching says: what fills an array, what is left over, which choice is open; what came of a run of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Why: TypeAlias = Literal["key", "only", "order", "names", "index", "norm", "assumed", "run"]

WHY: Mapping[Why, str] = {
    "key": "it has the same key",
    "only": "no other layer of either side has this shape",
    "order": "the shapes, the modules and their indices leave no other",
    "names": "of those that are left, it agrees best in modules and in the words of names",
    "index": "it is one of several parallel branches, and its number is taken for its place in the concatenation",
    "norm": "it normalises the layer that fills the one before",
    "assumed": "nothing says which of several it is; those in the order of the names are taken",
    "run": "the shapes agree, and the models do when they are run",
}
"""Why a layer is filled by one of the source, in sentences."""


@dataclass(frozen=True, slots=True)
class ArrayMatch:
    """One array of the network.

    Attributes:
        key: Its name in the state dict.
        shape: Its shape.
        source: The key of the source's array that fills it; None if none does.
        found: The shape of that, where it is another: it is reshaped then, never transposed.
        why: Why this one, a key of `WHY`; if there is none, what is missing, in a sentence.
    """

    key: str
    shape: tuple[int, ...]
    source: str | None
    found: tuple[int, ...] | None
    why: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """An array of the source that fills nothing."""

    key: str
    shape: tuple[int, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """Layers of the same shapes whose sources could be exchanged.

    Attributes:
        layers: Pairs of layers of the network; all pairs are exchanged together.
        parallel: Whether they stand in parallel branches. If not, the names do not say which of the two comes first.
        settled: By what: "names" (with modules), "index", or "a run" of both models; None if nothing does.
    """

    layers: tuple[tuple[str, str], ...]
    parallel: bool
    settled: str | None = None


@dataclass(frozen=True, slots=True)
class Parting:
    """A place where the models do other things.

    Attributes:
        layer: The layer of the network that gives or is given something else; "" for the output.
        inside: Whether it is the layer itself; else it is what lies between it and the layers with weights before it.
        what: The settings, or the modules without weights, that are not the same.
        apart: By how much that changes what the layer gives, or is given.
        settings: Whether the layer's own settings say why.
    """

    layer: str
    inside: bool
    what: str
    apart: str
    settings: bool = False

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


def _where(layers: list[str], inside: bool) -> str:
    names = [f"'{name}'" if name else "the output" for name in layers]
    first = names[0] if len(names) == 1 else f"{len(names)} layers, first {names[0]}"
    return f"{'in' if inside else 'before'} {first}"
