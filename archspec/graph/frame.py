"""What is known while one body is walked: what flows, which names it has, and where its nodes stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from archspec.errors import Mark, SpecError, did_you_mean
from archspec.language.document import Step
from archspec.language.expression import Scope
from archspec.language.rules import FLOWING, block_inputs, flow_sizes, label_of
from archspec.language.values import MAX_PARTS, Value, evaluated
from archspec.ops import Tensor

if TYPE_CHECKING:
    from archspec.graph.expansion import Expansion


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows: the node it comes from, and its shape; `guessed` once the shape is not certain."""

    name: str
    tensor: Tensor
    guessed: bool = False


@dataclass(slots=True)
class BodyFrame:
    """One body being walked.

    Attributes:
        expansion: The walk over the whole specification.
        scope: What the names of expressions stand for.
        flow: What flows into the next step.
        path: Where its nodes go in the tree of names.
        block: The path of the outermost block that it is a part of; None outside of blocks.
        kind: The name of that block.
        depth: How deep it is nested.
        named: The values that `from` can go back to, shared by all parts of the body.
        places: By the same names, where the step stands in the tree of names.
        root: Where the whole body stands in the tree of names.
        taken: How often each name was asked for under this path.
    """

    expansion: "Expansion"
    scope: Scope
    flow: Flow
    path: str
    block: str | None
    kind: str | None
    depth: int
    named: dict[str, Flow] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    root: str = ""

    def inner(self, path: str, values: Mapping[str, Any] | None = None) -> "BodyFrame":
        """A part of the same body under another path: it sees the names, and adds to them."""
        scope = self.scope.within(values or {})
        depth = self.depth + 1
        return BodyFrame(
            self.expansion, scope, self.flow, path, self.block, self.kind, depth, self.named, {}, self.places, self.root
        )

    def part(self) -> "BodyFrame":
        """A part of the same body under the same path."""
        inner = self.inner(self.path)
        inner.taken = self.taken
        return inner

    def see_sizes(self) -> None:
        """Let expressions see the sizes of what flows."""
        values = self.scope.values
        for name in FLOWING:
            values.pop(name, None)
        values.update(flow_sizes(self.flow.tensor.shape))

    def values(self, args: Mapping[str, Value], callee: str = "") -> dict[str, Any]:
        """What arguments come to; of those that are values which a block takes, the names of these."""
        labels = block_inputs(self.expansion.document, callee)
        return {
            name: label_of(value) if name in labels else evaluated(value, self.scope) for name, value in args.items()
        }

    def value_of(self, label: str, key: str, at: Mark | None) -> Flow:
        """The value that has a name, or that a path leads to.

        Raises:
            SpecError: Nothing has it yet.
        """
        found = self.named.get(label)
        if found is None:
            raise SpecError(f"{key}: nothing before this is called '{label}'{did_you_mean(label, self.named)}", at)
        self.expansion.gone_back.setdefault(found.name, set()).add(self.root)
        return replace(found)  # a new value: a branch that only passes this on does something

    def name(self, wanted: str, step: Step | None) -> str:
        """The path of a name that is free here; `step` gave it by `as`, if it did."""
        local = self.local_name(wanted, step)
        return f"{self.path}/{local}" if self.path else local

    def local_name(self, wanted: str, step: Step | None = None) -> str:
        """A name that is free here: as it is, else with _2, _3, … behind it; `step` gave it by `as`, if it did."""
        count = self.taken.get(wanted, 0) + 1
        self.taken[wanted] = count
        if count == 1 and not (wanted in self.expansion.inputs and not self.path):
            return wanted
        if step:
            at = step.value_at("as")
            self.expansion.note(SpecError(f"as: the name '{wanted}' is already taken here; choose another", at), at)
        return self.local_name(f"{wanted}_{max(count, 2)}")

    def place_of(self, label: str, at: Mark | None) -> str:
        """Where the step stands whose weights are shared.

        Raises:
            SpecError: No operator or block before this is called so.
        """
        if label not in self.places:
            hint = did_you_mean(label, self.places)
            raise SpecError(f"share: no operator or block before this is called '{label}'{hint}", at)
        return self.places[label]

    def keep(self, label: str | None, inside: Mapping[str, Flow] | None = None) -> None:
        """Let `from` go back to what flows now, if it has a label; and to the values `inside`, of the block's body."""
        if label:
            self.named[label] = self.flow
            near = ((name, flow) for name, flow in (inside or {}).items() if name.count("/") < MAX_PARTS - 1)
            self.named.update((f"{label}/{name}", flow) for name, flow in near)


def bind_lets(lets: Mapping[str, Value], scope: Scope) -> None:
    """Give a scope the names of a `let`, each of which sees those above it."""
    for name, value in lets.items():
        scope.values[name] = evaluated(value, scope)
