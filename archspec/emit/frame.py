"""One container being filled, and what a part of it gives."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.scope import TENSOR, ClassScope
from archspec.emit.statements import SELF, Assign, Lines
from archspec.errors import ArchspecError
from archspec.language.values import Value

if TYPE_CHECKING:
    from archspec.emit.facts import SpecFacts

X = code.name("x", TENSOR)
"""What flows into a forward."""

UNTOLD = code.name("?", code.BOOL)
"""Whether a part does anything, where that depends on what only the part knows."""

Named = tuple[Any, Code]
"""A value that `from` can go back to: its shape and its variable."""


@dataclass(frozen=True, slots=True)
class Either:
    """One shape if a condition holds, else another, of another number of axes."""

    condition: Any
    then: Any
    otherwise: Any


def mapped(change: Callable[[Any], Any], flow: Any) -> Any:
    """A shape, or either of two, with every size changed; one of the two where the condition is known then."""
    if isinstance(flow, Either):
        condition, then, otherwise = change(flow.condition), mapped(change, flow.then), mapped(change, flow.otherwise)
        if isinstance(condition, bool):
            return then if condition else otherwise
        return Either(condition, then, otherwise)
    return tuple(map(change, flow))


def sizes(flow: Any) -> tuple[Any, ...]:
    """All sizes and conditions in what flows."""
    if isinstance(flow, Either):
        return (flow.condition, *sizes(flow.then), *sizes(flow.otherwise))
    return tuple(flow or ())


@dataclass(frozen=True, slots=True)
class Called:
    """A module that was made under a name, for the steps that share its weights.

    Attributes:
        callee: The operator or block.
        args: Its arguments.
        module: The code that reaches it from the class.
        given: The values of its inside that it gives.
        written: The arguments as the specification writes them, if they mean the same anywhere in the body.
    """

    callee: str
    args: Mapping[str, Any]
    module: Code
    given: tuple[str, ...] = ()
    written: Mapping[str, Any] | None = None

    def inside(self, owner: Code) -> "Called":
        """The same, reached from a class that has the class as `owner`."""
        return replace(self, module=code.substituted(self.module, {SELF: owner}))


@dataclass(slots=True)
class Frame:
    """One container being filled.

    Attributes:
        scope: The class whose constructor is being written.
        flow: The shape of what flows.
        env: The code of the names that the specification gives.
        lines: The constructor's statements.
        forward: The forward's statements; None in an `nn.Sequential`, which has its own.
        owner: The code of the container: self, self.residual, or a variable.
        x: The variable of what flows.
        worlds: By condition, how often each name was given in this container.
        given: The names that children have, one for all conditions.
        literal: Those that are not the names of nodes.
        named: The values that `from` can go back to.
        modules: By name the modules whose weights a step can share.
        does: Whether anything happened since the container began.
        answers: The conditions around it, and whether they hold.
    """

    scope: ClassScope
    flow: Any
    env: dict[str, Any]
    lines: Lines
    forward: Lines | None
    owner: Code = SELF
    x: Code = X
    worlds: list[tuple[Any, dict[str, int]]] = field(default_factory=lambda: [(True, {})])
    given: set[str] = field(default_factory=set)
    literal: set[str] = field(default_factory=set)
    named: dict[str, Named] = field(default_factory=dict)
    modules: dict[str, Called] = field(default_factory=dict)
    does: Any = False
    answers: Mapping[Any, bool] = field(default_factory=dict)

    @property
    def facts(self) -> "SpecFacts":
        """What is known of the whole specification."""
        return self.scope.facts

    def known(self, condition: Any) -> bool | None:
        """Whether a condition holds here: for all sizes, or by the conditions around it; None if neither says."""
        sure = code.sure_truth(condition)
        return code.answered(condition, self.answers) if sure is None else sure

    def read(self, value: Value, flow: Any = None, env: Mapping[str, Any] | None = None) -> Any:
        """The code of an expression, or of a list of them; by other sizes than those that flow, and with more names."""
        return self.scope.read(value, {**self.env, **(env or {})}, self.flow if flow is None else flow)

    def value_of(self, label: str) -> Named:
        """The value of a name.

        Raises:
            ArchspecError: Nothing has it yet.
        """
        if label not in self.named:
            raise ArchspecError(f"from: nothing before this is called '{label}'")
        return self.named[label]

    def keep(self, label: str | None) -> None:
        """Give what flows a name, for the steps that go back to it."""
        if label is None:
            return
        if self.forward is not None and self.scope.from_uses[label]:
            self.x = self.set(self.x, want=label)
        self.named[label] = (self.flow, self.x)

    def inside(self, owner: Code) -> "Frame":
        """A container in this one, with a forward of its own."""
        made = replace(self, owner=owner, env=dict(self.env), forward=None, does=False)
        made.worlds, made.given, made.literal = [(True, {})], set(), set()
        return made

    def fork(self, condition: Any, answer: bool) -> "Frame":
        """The same container where a condition holds, or where it does not."""
        return replace(
            self,
            env=dict(self.env),
            lines=Lines(),
            forward=None if self.forward is None else Lines(),
            worlds=[(condition, dict(names)) for condition, names in self.worlds],
            named=dict(self.named),
            modules=dict(self.modules),
            does=False,
            answers={**self.answers, condition: answer},
        )

    def written(self) -> Lines:
        """The forward's statements, where there is a forward to be written."""
        if self.forward is None:
            raise AssertionError("an nn.Sequential has a forward of its own")
        return self.forward

    def flow_into(self, value: Any) -> None:
        """In a forward, what flows from now on."""
        self.x = self.set(value, near=self.x)

    def variable_sizes(
        self, shape: tuple[Any, ...], which: Callable[[Any], Any] = lambda _: True, prefix: str = ""
    ) -> tuple[Any, ...]:
        """A shape with a new variable for each size, or for `which` of them."""
        return tuple(
            self.scope.size(axis, len(shape), size, self.lines, prefix) if which(size) else size
            for axis, size in enumerate(shape)
        )

    def arrive(self, x: Code) -> None:
        """In a forward, what flows from now on: a variable as it is, else a new one."""
        self.x = x if x.head == "name" else self.set(x, near=self.x)

    def set(self, value: Any, near: Code | None = None, want: str = "") -> Code:
        """In a forward, a new variable for a tensor."""
        made = self.scope.tensor(near, want)
        self.written().set(made, value)
        return made

    def unpack(self, near: Code, others: Iterable[Code], value: Any) -> Code:
        """In a forward, a new variable for what flows, which comes with other values."""
        made = self.scope.tensor(near)
        self.written().add(Assign((str(made), *map(str, others)), value))
        return made


def call_module(module: Code, *tensors: Any) -> Code:
    """The call of a module, or of a function, on tensors."""
    return Code("call", (module, tensors, ()), TENSOR)
