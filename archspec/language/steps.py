"""The steps of a body: calls, branches, conditions, repeats, tables."""

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

from archspec.errors import SpecError, did_you_mean
from archspec.language.expression import Expression
from archspec.language.located import Located, described, places_of
from archspec.language.reader import Mapping, Nothing, Sequence
from archspec.language.values import Cell, Formula, Name, Value
from archspec.writing import printable


class Step(Located):
    """One step of a body: what it is called by `as` is part of its nodes' names, and what `from` finds."""

    as_: Name | None = Field(None, alias="as")


def _body(value: Any) -> Any:
    if value is None or isinstance(value, (list, tuple, Nothing)):
        return value
    single = Sequence(getattr(value, "at", None))  # type: ignore[arg-type]  # unplaced when built in Python
    single.append(value)
    return single


class Call(Step):
    """An operator or a block with its arguments: `relu`, or `conv2d: {out_channels: 64, kernel_size: 3}`."""

    name: Name
    args: dict[Name, Value] = Field(default_factory=dict)

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Read `name`, `{name: {…}}` or `{name: {…}, as: …}`."""
        if isinstance(raw, str):
            form = Mapping(getattr(raw, "at", None))  # type: ignore[arg-type]
            form["name"] = raw
            return form
        if not isinstance(raw, dict):
            raise SpecError(f"expected a step such as relu or conv2d: {{…}}, found {described(raw)}")
        if "name" in raw and not isinstance(raw, Mapping):
            return raw
        names = [key for key in raw if key != "as"]
        if len(names) != 1:
            raise SpecError(f"a step names one operator or block; found {_several(names)}", getattr(raw, "at", None))
        form = Mapping(getattr(raw, "at", None))  # type: ignore[arg-type]
        form.update({"name": names[0], "args": raw[names[0]] or {}})
        if "as" in raw:
            form["as"] = raw["as"]
        return form

    @model_validator(mode="wrap")
    @classmethod
    def _keep_places(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        model = handler(raw)
        if isinstance(raw, Mapping):
            args = next((value for key, value in raw.items() if key != "as"), None)
            model.placed(model.at, {**(places_of(raw) or {}), **(places_of(args) or {})})
        return model

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        plain = handler(self)
        if not self.args and self.as_ is None:
            return self.name
        named = {"as": self.as_} if self.as_ else {}
        return {self.name: plain.get("args"), **named}


def _several(names: list[str]) -> str:
    """The keys of a step that names more than one thing, or nothing, and what one of them may have meant."""
    meant = ((name, did_you_mean(name, STEP_KEYS)) for name in names if len(name) > 1 and name not in STEP_KEYS)
    hint = next((f"{hint[:-1]} for '{printable(name, 40)}'?" for name, hint in meant if hint), "")
    return (", ".join(printable(name, 40) for name in names[:5]) or "none") + hint


class Use(Step):
    """An operator or block whose name is an expression: `use: act`, where `act` is an argument."""

    use: Formula
    args: dict[Name, Value] = Field(default_factory=dict, alias="with")


class From(Step):
    """Go on from a value named by `as` earlier in this body, or from the body's `input`."""

    from_: Name = Field(alias="from")
    as_: None = Field(None, alias="as", exclude=True)


class Group(Step):
    """Steps under one name."""

    let: dict[Name, Value] = Field(default_factory=dict)
    body: "Body"


class When(Step):
    """Steps on a condition."""

    when: Formula
    then: "Body"
    else_: "Body | None" = Field(None, alias="else")
    as_: None = Field(None, alias="as", exclude=True)


class Repeat(Step):
    """Steps n times over, each time under the name unit1, unit2, …; `index` names a counter from 0."""

    repeat: Formula
    index: Name | None = None
    body: "Body"


def _branching(value: Any) -> str:
    return "named" if isinstance(value, dict) else "listed"


class Join(Step):
    """Branches from one value, joined by an operator of several inputs. A branch that does nothing is left out."""

    operator: ClassVar[str]

    @property
    def branches(self) -> "dict[str, Body]":
        """The branches by name: their own, or branch1, branch2, …"""
        found: Any = getattr(self, self.operator)
        return found if isinstance(found, dict) else {f"branch{i}": body for i, body in enumerate(found, 1)}


class AddStep(Join):
    """The sum of branches."""

    operator = "add"
    add: "Branches"


class MulStep(Join):
    """The product of branches."""

    operator = "mul"
    mul: "Branches"


class ConcatStep(Join):
    """Branches one behind the other, along the channels unless `dim` says otherwise."""

    operator = "concat"
    concat: "Branches"
    dim: Formula = Field(default_factory=lambda: Expression(1))


class Column(Located):
    """A column of a table: its name, and what is done to its number on the way to the block."""

    name: Name
    built: Formula | None = None

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Read `c` or `{c: width(c)}`."""
        if isinstance(raw, Mapping) and len(raw) != 1:
            raise SpecError(f"a column is a name, or one such as {{c: width(c)}}; found {_several(list(raw))}", raw.at)
        if isinstance(raw, dict) and len(raw) == 1 and (isinstance(raw, Mapping) or "name" not in raw):
            ((name, built),) = raw.items()
            raw = Mapping(getattr(raw, "at", None))  # type: ignore[arg-type]
            raw.update({"name": name, "built": built})
        elif isinstance(raw, str):
            name, raw = raw, Mapping(getattr(raw, "at", None))  # type: ignore[arg-type]
            raw["name"] = name
        return raw

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        return self.name if self.built is None else {self.name: handler(self)["built"]}


class Rows(Located):
    """The table of a paper: a header, and a row a layer.

    Of the columns, `block` (or `operator`) names what a row is made of, `as` names the row, that of `repeat` says how
    often; the others are its arguments. An empty cell (`~`) leaves an argument at its default.
    """

    columns: tuple[Column, ...]
    block: Name | None = None
    repeat: Name | None = None
    after_first: dict[Name, Value] = Field(default_factory=dict)
    rows: tuple[tuple[Cell, ...], ...]


class Table(Step):
    """A table as a step."""

    table: Rows
    as_: None = Field(None, alias="as", exclude=True)


_KINDS: dict[str, str] = {
    "when": "when",
    "table": "table",
    "repeat": "repeat",
    "from": "from",
    "use": "use",
    "add": "add",
    "mul": "mul",
    "concat": "concat",
    "body": "body",
}


STEP_KEYS = (*_KINDS, "then", "else", "index", "let", "with", "dim", "as")
"""The keys of the steps that are no calls."""

Step.neighbours = STEP_KEYS


def _kind(value: Any) -> str:
    if isinstance(value, Step):
        return next(tag for tag, cls in _STEPS.items() if isinstance(value, cls))
    if isinstance(value, dict):
        return next((kind for key, kind in _KINDS.items() if key in value), "call")
    return "call"


_STEPS: dict[str, type[Step]] = {
    "when": When,
    "table": Table,
    "repeat": Repeat,
    "from": From,
    "use": Use,
    "add": AddStep,
    "mul": MulStep,
    "concat": ConcatStep,
    "body": Group,
    "call": Call,
}

AnyStep = Annotated[
    Union[  # noqa: UP007  # a discriminated union of tagged classes
        Annotated[When, Tag("when")],
        Annotated[Table, Tag("table")],
        Annotated[Repeat, Tag("repeat")],
        Annotated[From, Tag("from")],
        Annotated[Use, Tag("use")],
        Annotated[AddStep, Tag("add")],
        Annotated[MulStep, Tag("mul")],
        Annotated[ConcatStep, Tag("concat")],
        Annotated[Group, Tag("body")],
        Annotated[Call, Tag("call")],
    ],
    Discriminator(_kind),
]

Body: TypeAlias = Annotated[tuple[AnyStep, ...], BeforeValidator(_body)]
Branches: TypeAlias = Annotated[
    Union[  # noqa: UP007
        Annotated[dict[Name, Body], Tag("named")],
        Annotated[tuple[Body, ...], Tag("listed")],
    ],
    Discriminator(_branching),
]
