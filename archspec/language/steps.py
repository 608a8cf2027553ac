"""The steps of a body: calls, branches, conditions, repeats, tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeAlias, Union

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler

from archspec import ops
from archspec.errors import Mark, SpecError, did_you_mean
from archspec.language.located import Located, mark_of, places_of
from archspec.language.reader import Mapping, Nothing, Scalar, Sequence, described
from archspec.language.synonyms import operator_meant
from archspec.language.values import NAME, Cell, Formula, Label, Labels, Name, Value
from archspec.writing import printable


@dataclass(frozen=True, slots=True)
class InnerBody:
    """A body inside a step.

    Attributes:
        body: Its steps.
        called: What a message calls it where it is empty; None where it may be.
        at: Where it stands.
        names: The names that its steps see, besides those that the step itself sees.
    """

    body: "Body"
    called: str | None
    at: Mark | None
    names: frozenset[str] = frozenset()


class Step(Located):
    """One step of a body: what it is called by `as` is part of its nodes' names, and what `from` finds.

    Each kind of step says of itself what it is made of; whoever walks over steps need not know the kinds.
    """

    as_: Name | None = Field(None, alias="as")

    whole: ClassVar[type[Located] | None] = None
    """What steps are of: documents."""

    @classmethod
    def model_rebuild(cls, **settings: Any) -> bool | None:
        """Build the class, once that of documents is: they could not write steps whose class is older than theirs."""
        if cls.whole is not None:
            cls.whole.model_rebuild()
        return super().model_rebuild(**settings)

    def parts(self) -> Iterator[InnerBody]:
        """The bodies inside it."""
        yield from ()

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """Its expressions, each with the names that it sees besides those of the body."""
        yield from ()

    def labels(self) -> Iterator[str]:
        """What `from` can go back to."""
        if self.as_:
            yield self.as_

    def callees(self) -> Iterator[str]:
        """The operators and blocks that it names."""
        yield from ()

    def sources(self) -> Iterator[tuple[str, Mark | None]]:
        """The values that it goes back to, without those that a call names among its arguments; and where."""
        yield from ()


def within(body: "Body") -> Iterator[Step]:
    """The steps of a body, at any depth."""
    for step in body:
        if not step.broken:
            yield step
            for part in step.parts():
                yield from within(part.body)


def inner_bodies(step: Step) -> "tuple[Body, ...]":
    """The bodies that stand inside a step."""
    return tuple(part.body for part in step.parts())


def _all(args: dict[str, Value]) -> Iterator[tuple[Value, frozenset[str]]]:
    yield from ((value, frozenset()) for value in args.values())


def _body(value: Any) -> Any:
    if value is None or isinstance(value, (list, tuple, Nothing)):
        return value
    return Sequence(getattr(value, "at", None), [value])


class Call(Step):
    """An operator or a block with its arguments: `relu`, or `conv2d: {out_channels: 64, kernel_size: 3}`.

    It takes what flows, or the values that are named beside it: `{relu, from: stem}`, `{add, from: [left, right]}`.
    With `share: left` its weights are those of the step of that name.
    """

    name: Name
    args: dict[Name, Value] = Field(default_factory=dict)
    from_: Labels = Field(None, alias="from")
    share: Label | None = None

    def sources(self) -> Iterator[tuple[str, Mark | None]]:
        """Those under `from`."""
        yield from sources_of(self)

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """Its arguments."""
        yield from _all(self.args)

    def callees(self) -> Iterator[str]:
        """What it calls."""
        yield self.name

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Read `name`, `{name: {…}}` or `{name: {…}, from: …, as: …}`."""
        if isinstance(raw, str):
            return Mapping(getattr(raw, "at", None), {"name": raw})
        if not isinstance(raw, dict):
            raise SpecError(f"expected a step such as relu or conv2d: {{…}}, found {described(raw)}")
        if "name" in raw and not isinstance(raw, Mapping):
            return raw
        names = [key for key in raw if key not in BESIDE]
        if len(names) != 1:
            raise SpecError(f"a step names one operator or block; found {_several(names)}")
        beside = {key: raw[key] for key in BESIDE if key in raw}
        args = raw[names[0]] or {}
        if not isinstance(args, dict) and NAME.match(str(names[0])):  # of what is no name that is said
            raise SpecError(_no_arguments(names[0], args), mark_of(args, getattr(raw, "at", None)))
        return Mapping(getattr(raw, "at", None), {"name": names[0], "args": args, **beside})

    @model_validator(mode="wrap")
    @classmethod
    def _keep_places(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(raw)
        if isinstance(raw, Mapping):
            args = next((value for key, value in raw.items() if key not in BESIDE), None)
            model.placed(model.at, {**(places_of(raw) or {}), **(places_of(args) or {})})
        return model

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        plain = handler(self)
        beside = {key: plain[key] for key in BESIDE if plain.get(key) is not None}
        return {self.name: plain.get("args"), **beside} if self.args or beside else self.name


def _no_arguments(name: str, found: Any) -> str:
    """What is wrong with what stands behind the name of an operator or a block in place of its arguments."""
    operator = ops.find(name)
    if operator is None:
        return f"expected a mapping, found {described(found)}{operator_meant(name)}"
    fields = list(operator.model_fields)
    if not fields:
        return f"expected a mapping, found {described(found)}; '{name}' takes no arguments"
    such = f"{name}: {{{fields[0]}: {found if isinstance(found, str) else '…'}}}"
    return f"expected a mapping, such as {such}, found {described(found)}"


BESIDE = ("from", "share", "as")
"""The keys that may stand beside the name of what is called."""


def sources_of(step: "Call | Use") -> Iterator[tuple[str, Mark | None]]:
    """What a call takes in place of what flows, and where each is named."""
    for number, label in enumerate(step.from_ or ()):
        yield label, step.places.get(f"from[{number}]") or step.value_at("from")


def _several(names: list[str]) -> str:
    """The keys of a step that names more than one thing, or nothing, and what one of them may have meant."""
    known = (*STEP_KEYS, *ops.joins())
    meant = ((name, did_you_mean(name, known)) for name in names if len(name) > 1 and name not in known)
    hint = next((f"{hint[:-1]} for '{printable(name, 40)}'?" for name, hint in meant if hint), "")
    return (", ".join(printable(name, 40) for name in names[:5]) or "none") + hint


class Use(Step):
    """An operator or block whose name is an expression: `use: act`, where `act` is an argument."""

    use: Formula
    args: dict[Name, Value] = Field(default_factory=dict, alias="with")
    from_: Labels = Field(None, alias="from")
    share: Label | None = None

    def sources(self) -> Iterator[tuple[str, Mark | None]]:
        """Those under `from`."""
        yield from sources_of(self)

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """The name and the arguments."""
        yield self.use, frozenset()
        yield from _all(self.args)


class From(Step):
    """Go on from a value named by `as` earlier in this body, or from the body's `input`.

    A path goes on into a block that was called by such a name: `encoder/stage3`.
    """

    from_: Label = Field(alias="from")
    as_: None = Field(None, alias="as", exclude=True)

    def sources(self) -> Iterator[tuple[str, Mark | None]]:
        """The value."""
        yield self.from_, self.value_at("from")


class Group(Step):
    """Steps under one name."""

    let: dict[Name, Value] = Field(default_factory=dict)
    body: "Body"

    def parts(self) -> Iterator[InnerBody]:
        """Its body, which sees the names of its `let`."""
        yield InnerBody(self.body, "body:", self.key_at("body"), frozenset(self.let))

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """Those of its `let`, each of which sees the names above it."""
        names = list(self.let)
        yield from ((value, frozenset(names[:number])) for number, value in enumerate(self.let.values()))


class When(Step):
    """Steps on a condition."""

    when: Formula
    then: "Body"
    else_: "Body | None" = Field(None, alias="else")
    as_: None = Field(None, alias="as", exclude=True)

    def parts(self) -> Iterator[InnerBody]:
        """Both sides; `else` may be left out."""
        yield InnerBody(self.then, "then:", self.key_at("then"))
        yield InnerBody(self.else_ or (), None, self.key_at("else"))

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """The condition."""
        yield self.when, frozenset()


class Repeat(Step):
    """Steps n times over, each time under the name unit1, unit2, …; `index` names a counter from 0.

    Where they are `shared`, all units have the weights of the first.
    """

    repeat: Formula
    index: Name | None = None
    shared: bool = False
    body: "Body"

    def parts(self) -> Iterator[InnerBody]:
        """The body of a unit, which sees the unit's number."""
        yield InnerBody(self.body, "body:", self.key_at("body"), frozenset({self.index} if self.index else ()))

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """How often."""
        yield self.repeat, frozenset()


class Join(Step):
    """Branches from one value, joined by an operator of several inputs. A branch that does nothing is left out.

    In YAML the operator is the key of the branches, its arguments stand beside them: `{concat: [[…], […]], dim: 2}`.
    Branches without names are branch1, branch2, …
    """

    operator: Name
    branches: "dict[Name, Body]"
    args: dict[Name, Value] = Field(default_factory=dict)

    def parts(self) -> Iterator[InnerBody]:
        """The branches."""
        for number, (name, body) in enumerate(self.branches.items()):
            at = self.places.get(f"{self.operator}[{number}]") or self.key_at(f"{self.operator}.{name}")
            yield InnerBody(body, f"{name} of {self.operator}", at)

    def values(self) -> Iterator[tuple[Value, frozenset[str]]]:
        """Its arguments."""
        yield from _all(self.args)

    def callees(self) -> Iterator[str]:
        """What joins them."""
        yield self.operator

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Read `{concat: [[…], […]], dim: 2, as: …}`, or `{concat: {left: […], right: […]}}`."""
        if not isinstance(raw, dict):
            return raw
        if "branches" in raw and not isinstance(raw, Mapping):  # built in Python
            return {**raw, "branches": _named(raw["branches"])}
        operator = joining(raw)
        if operator is None:
            return raw
        beside = {key: value for key, value in raw.items() if key != operator and not isinstance(value, Nothing)}
        label = {"as": beside.pop("as")} if "as" in beside else {}
        said = {"operator": operator, "branches": _named(raw[operator]), "args": beside, **label}
        return Mapping(getattr(raw, "at", None), said)

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        plain = handler(self)
        branches = plain["branches"]
        if [*branches] == [_branch(number) for number in range(len(branches))]:
            branches = [*branches.values()]
        return {self.operator: branches, **plain.get("args", {}), **({"as": self.as_} if self.as_ else {})}


def joining(raw: dict[str, Any]) -> str | None:
    """The key of a step that is an operator of several inputs; None where it has none.

    A name that is not ours is looked for in other packages only where branches are listed behind it, which no call has.
    An operator that says `from` which values it joins is a call.
    """
    if "from" in raw:
        return None
    for key, value in raw.items():
        known = ops.registered().get(key)
        if known is None and isinstance(value, (list, tuple)) and key not in _KINDS:
            known = ops.find(key)
        if known is not None and known.arity == "many":
            return key
    return None


def _named(branches: Any) -> Any:
    """Branches by name; those in a list are branch1, branch2, …"""
    if isinstance(branches, Sequence):
        keys = (Scalar(_branch(number), mark_of(body, branches.at)) for number, body in enumerate(branches))
        return Mapping(branches.at, zip(keys, branches, strict=True))
    if isinstance(branches, (list, tuple)):
        return {_branch(number): body for number, body in enumerate(branches)}
    if isinstance(branches, dict):
        return branches
    raise SpecError(f"expected a list, found {described(branches)}", getattr(branches, "at", None))


def _branch(number: int) -> str:
    return f"branch{number + 1}"


CALLEE = ("block", "operator")
"""The columns that say what a row of a table is made of."""


class TableColumn(Located):
    """A column of a table: its name, and what is done to its number on the way to the block."""

    name: Name
    built: Formula | None = None

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Read `c` or `{c: width(c)}`."""
        if isinstance(raw, Mapping) and len(raw) != 1:
            raise SpecError(f"a column is a name, or one such as {{c: width(c)}}; found {_several(list(raw))}")
        if isinstance(raw, str):
            return Mapping(getattr(raw, "at", None), {"name": raw})
        if isinstance(raw, dict) and len(raw) == 1 and (isinstance(raw, Mapping) or "name" not in raw):
            ((name, built),) = raw.items()
            return Mapping(getattr(raw, "at", None), {"name": name, "built": built})
        return raw

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.name if self.built is None else {self.name: handler(self)["built"]}


class TableRows(Located):
    """The table of a paper: a header, and one row per layer.

    Of the columns, `block` (or `operator`) names what a row is made of, `as` names the row, that of `repeat` says how
    often; the others are its arguments. An empty cell (`~`) leaves an argument at its default.
    """

    columns: tuple[TableColumn, ...]
    block: Name | None = None
    repeat: Name | None = None
    after_first: dict[Name, Value] = Field(default_factory=dict)
    rows: tuple[tuple[Cell, ...], ...]

    def cells(self) -> Iterator[dict[str, Value | None]]:
        """The rows that have as many cells as the header, by column."""
        if not self.broken:
            names = [column.name for column in self.columns if not column.broken]
            yield from (dict(zip(names, row, strict=True)) for row in self.rows if len(row) == len(names))


def callee_of(table: TableRows, cells: dict[str, Any]) -> str:
    """What a row of a table is made of."""
    return next((str(cells[key]) for key in CALLEE if key in cells), table.block or "")


class TableStep(Step):
    """A table as a step."""

    table: TableRows
    as_: None = Field(None, alias="as", exclude=True)

    def labels(self) -> Iterator[str]:
        """What its rows are called."""
        yield from (str(cells["as"]) for cells in self.table.cells() if "as" in cells)

    def callees(self) -> Iterator[str]:
        """What its rows are made of."""
        if self.table.block is not None:
            yield self.table.block
        yield from (str(cells[key]) for cells in self.table.cells() for key in CALLEE if key in cells)


_KINDS = ("when", "table", "repeat", "from", "use", "body")
"""The keys that say of which kind a step is."""

STEP_KEYS = (*_KINDS, "then", "else", "index", "shared", "let", "with", "as")
"""The keys of the steps that are no operators."""

Step.neighbours = STEP_KEYS


def _kind(value: Any) -> str:
    if isinstance(value, Step):
        return next(tag for tag, cls in _STEPS.items() if isinstance(value, cls))
    if not isinstance(value, dict):
        return "call"
    if "from" in value:
        return _from_kind([key for key in value if key not in BESIDE])
    kind = next((key for key in _KINDS if key in value), "call")
    return "join" if kind in {"body", "call"} and joining(value) else kind


def _from_kind(others: list[str]) -> str:
    """The kind of a step with `from`, by the other keys: a call that says what it takes, or only that."""
    if "use" in others:
        return "use"
    return "call" if others and not {*others} & {*_KINDS} else "from"


_STEPS: dict[str, type[Step]] = {
    "when": When,
    "table": TableStep,
    "repeat": Repeat,
    "from": From,
    "use": Use,
    "join": Join,
    "body": Group,
    "call": Call,
}

AnyStep = Annotated[
    Union[  # noqa: UP007  # a discriminated union of tagged classes
        Annotated[When, Tag("when")],
        Annotated[TableStep, Tag("table")],
        Annotated[Repeat, Tag("repeat")],
        Annotated[From, Tag("from")],
        Annotated[Use, Tag("use")],
        Annotated[Join, Tag("join")],
        Annotated[Group, Tag("body")],
        Annotated[Call, Tag("call")],
    ],
    Discriminator(_kind),
]

Body: TypeAlias = Annotated[tuple[AnyStep, ...], BeforeValidator(_body)]
