"""One container being filled, and what a part of it gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.scope import Scope
from archspec.emit.statements import Lines

TENSOR = frozenset({"tensor"})


@dataclass(slots=True)
class Frame:
    """One container being filled.

    Attributes:
        scope: The class whose constructor is being written.
        owner: The code of the container: self, self.residual, or a variable.
        env: The code of the names that the specification gives.
        flow: The shape of what flows.
        lines: The constructor's statements.
        forward: The forward's statements; None in an `nn.Sequential`, which has its own.
        x: The variable of what flows.
        pinned: The variables that may not be set again, of tensors and of sizes.
        worlds: By condition, how often each name was given in this container.
        named: The shape and the variable of every value that `from` can go back to.
        does: Whether anything happened since the container began.
    """

    scope: Scope
    owner: str
    env: dict[str, Any]
    flow: Any
    lines: Lines
    forward: Lines | None
    x: str = "x"
    pinned: frozenset[str] = frozenset()
    worlds: list[tuple[Any, dict[str, int]]] = field(default_factory=lambda: [(True, {})])
    named: dict[str, tuple[tuple[Any, ...], str]] = field(default_factory=dict)
    does: Any = False

    def inside(self, owner: str, forward: Lines | None, env: Mapping[str, Any] | None = None) -> "Frame":
        """A container in this one."""
        return Frame(
            self.scope, owner, {**self.env, **(env or {})}, self.flow, self.lines, forward, self.x, self.pinned,
            named=self.named,
        )  # fmt: skip

    def written(self) -> Lines:
        """The forward's statements, where there is a forward to be written."""
        if self.forward is None:
            raise AssertionError("an nn.Sequential has a forward of its own")
        return self.forward

    def fork(self) -> "Frame":
        """The same container on one side of a condition."""
        forward = None if self.forward is None else Lines()
        return Frame(
            self.scope, self.owner, dict(self.env), self.flow, Lines(), forward, self.x, self.pinned,
            [(condition, dict(names)) for condition, names in self.worlds], dict(self.named),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a class that is a class of its own: what makes it, and what it gives.

    Attributes:
        made: The code that makes it.
        flow: The shape that flows out of it.
        does: Whether it does anything.
        inputs: The variables of the values that it takes beside what flows.
        given: The values that it gives beside what flows: by name, the shape and the variable outside.
    """

    made: Code
    flow: Any
    does: Any
    inputs: tuple[str, ...]
    given: dict[str, tuple[Any, str]]


def variables(value: Any) -> frozenset[str]:
    """The names of the variables in code."""
    return frozenset(str(name) for name in code.names(value))
