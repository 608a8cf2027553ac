"""The specification as pydantic models: what YAML loads into, what Python can build, what is dumped back.

The models have the shape of the text: a field is a key. `docs/language.md` explains each form. A fault in one part
does not hide those of the others: while a text is loaded every model reports its own faults to a collector and leaves a
placeholder (`broken`), so that all of a file's faults come in one run.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, Union

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails

from archspec.dims import exact
from archspec.errors import ArchspecError, Mark, SpecError, SpecErrors, did_you_mean
from archspec.spec.expression import Expression
from archspec.spec.reader import Mapping, Nothing, Sequence, printable

REQUIRED = "required"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
SIGNATURE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\(\s*([A-Za-z][A-Za-z0-9_]*(?:\s*,\s*[A-Za-z][A-Za-z0-9_]*)*)?\s*\)\Z")


class TooManyFaultsError(Exception):
    """More faults than anybody reads: the rest of the text is not looked at. No ValueError: it passes pydantic."""


class Faults(list[SpecError]):
    """The faults of one text, collected while it is loaded.

    Attributes:
        unread: The keys of the document whose values could not be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unread: set[str] = set()

    def report(self, found: Iterable[SpecError]) -> None:
        """Add to them.

        Raises:
            TooManyFaultsError: There are more than are shown.
        """
        for fault in found:
            self.append(fault)
            if len(self) > SpecErrors.shown:
                raise TooManyFaultsError


class Located(BaseModel):
    """A model that knows where in the text it stands, and reports its faults with their places."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)

    __slots__ = ("_at", "_broken", "_keys")  # beside the fields: places are no part of what a document says

    @property
    def at(self) -> Mark | None:
        """Where it stands in the text; None when it was built in Python."""
        return getattr(self, "_at", None)

    @property
    def broken(self) -> bool:
        """Whether this only holds the place of a part that could not be read."""
        return getattr(self, "_broken", False)

    def key_at(self, key: str) -> Mark | None:
        """Where a key of it stands: "rows", a key below it ("args.stride"), or a part of its list ("rows[2]")."""
        return self.places.get(key, self.at)

    def value_at(self, key: str) -> Mark | None:
        """Where the value of a key stands."""
        return self.places.get(f"{key}:") or self.key_at(key)

    @property
    def places(self) -> dict[str, Mark]:
        """Where its keys, their values and the parts of those stand; see `key_at`."""
        return getattr(self, "_keys", {})

    def placed(self, at: Mark | None, keys: dict[str, Mark] | None = None) -> Self:
        """Itself, from now on knowing where it stands, and where its keys do."""
        object.__setattr__(self, "_at", at)
        if keys is not None:
            object.__setattr__(self, "_keys", keys)
        return self

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """The keys and values of the model, given what stands in the text; overridden where a short form exists."""
        return raw

    @model_validator(mode="wrap")
    @classmethod
    def _locate(cls, raw: Any, handler: ModelWrapValidatorHandler["Located"], info: ValidationInfo) -> "Located":
        if isinstance(raw, cls):
            return raw
        faults: Faults | None = info.context
        at = getattr(raw, "at", None)
        form = raw
        try:
            form = cls.from_text(raw)
            if faults is not None and isinstance(form, Mapping):
                form = cls._known_keys(form, faults)
            model = handler(form)
        except ValidationError as error:
            if faults is None:
                raise
            faults.report(_fault(detail, form, at) for detail in error.errors(include_url=False))
            model = cls._placeholder()
        except SpecError as error:
            if faults is None:
                raise
            faults.report([error if error.at else SpecError(error.message, at)])
            model = cls._placeholder()
        return model.placed(at, _marks(raw))

    @classmethod
    def _known_keys(cls, form: Mapping, faults: Faults) -> Mapping:
        """A mapping without the keys that the model does not know, which are reported, and without empty ones."""
        known = {field.alias or name: field for name, field in cls.model_fields.items()}
        kept = Mapping(form.at)
        for key, value in form.items():
            if key not in known:
                near = [*known, *(STEP_KEYS if issubclass(cls, Step) else ())]
                suggestion = did_you_mean(key, near) or f"; known are {_listed(known)}"
                faults.report([SpecError(f"unknown key '{printable(key, 80)}'{suggestion}", form.key(key))])
            elif not isinstance(value, Nothing) or known[key].is_required():
                kept[key] = value
        return kept

    @classmethod
    def _placeholder(cls) -> "Located":
        model = cls.model_construct()
        object.__setattr__(model, "_broken", True)
        return model


def _marks(raw: Any) -> dict[str, Mark] | None:
    """Where the keys of a mapping stand, their values ("key:"), and the keys and parts of those."""
    if not isinstance(raw, Mapping):
        return None
    places: dict[str, Mark] = {}
    for key, value in raw.items():
        places[key], places[f"{key}:"] = _mark(key, raw.at), _mark(value, raw.at)
        if isinstance(value, Mapping):
            places.update((f"{key}.{inner}", _mark(inner, value.at)) for inner in value)
        elif isinstance(value, Sequence):
            places.update((f"{key}[{i}]", _mark(part, value.at)) for i, part in enumerate(value))
    return places


def _mark(value: Any, otherwise: Mark | None) -> Any:
    """Where a value stands; else where what it stands in does (nowhere, if that was built in Python)."""
    return getattr(value, "at", otherwise)


def _fault(detail: ErrorDetails, form: Any, at: Mark | None) -> SpecError:
    """A pydantic error in our words, at the place it speaks of."""
    loc, kind, found = detail["loc"], detail["type"], detail["input"]
    spot = _spot(loc, form, at)
    key = next((printable(step, 80) for step in reversed(loc) if isinstance(step, str)), "")
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, SpecError):
        return SpecError(error.message, error.at or spot)
    if kind == "missing" and isinstance(loc[-1], str):
        return SpecError(f"missing key '{key}'", at)
    if kind in {"missing", "too_long"}:
        return SpecError(f"{key}: expected two values, found {len(form[key])}", _mark(form[key], spot))
    if kind in _EXPECTED:
        return SpecError(f"expected {_EXPECTED[kind]}, found {_found(found)}", spot)
    if kind in _EXPECTED_OF:
        return SpecError(f"{key}: expected {_EXPECTED_OF[kind]}, found {_found(found)}", spot)
    message = str(error) if error else detail["msg"][:1].lower() + detail["msg"][1:]
    return SpecError(f"{key}: {message}" if key else message, spot)


_EXPECTED = {
    **dict.fromkeys(("model_type", "dict_type", "model_attributes_type"), "a mapping"),
    **dict.fromkeys(("list_type", "tuple_type", "iterable_type"), "a list"),
}
_EXPECTED_OF = {
    "string_type": "a text",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    "literal_error": "integer or rational",
}


def _spot(loc: tuple[int | str, ...], form: Any, at: Mark | None) -> Mark | None:
    """The place that an error's location names: that of the value, else of its key, else of what it stands in."""
    place, spot = form, at
    for step in loc:
        if isinstance(place, Mapping) and step in place:
            key_at, place = place.key(str(step)), place[str(step)]
            spot = _mark(place, key_at)
        elif isinstance(place, Sequence) and isinstance(step, int) and step < len(place):
            place = place[step]
            spot = getattr(place, "at", None) or spot
    return spot


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _found(value: Any) -> str:
    if value is None or isinstance(value, Nothing):
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f"'{printable(value, 40)}'"


# ------------------------------------------------------------------ the small types


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        raise SpecError(
            f"expected a name (letters, digits and _, beginning with a letter), found {_found(value)}",
            getattr(value, "at", None),
        )
    if len(value) > 80:
        raise SpecError(f"a name of {len(value)} characters; at most 80 are allowed", getattr(value, "at", None))
    return str(value)


def _signature(value: Any) -> str:
    if not isinstance(value, str) or not SIGNATURE.match(value):
        raise SpecError(f"expected a signature such as 'width(c)', found {_found(value)}", getattr(value, "at", None))
    return str(value)


def _expression(value: Any) -> Expression:
    return value if isinstance(value, Expression) else Expression(value, getattr(value, "at", None))


def _value(value: Any) -> "Value":
    if isinstance(value, (list, tuple)):
        return tuple(map(_value, value))
    return _expression(value)


def _cell(value: Any) -> "Value | None":
    return None if value is None or isinstance(value, Nothing) else _value(value)


def _constant(value: Any) -> Any:
    """An exact number, or a word to choose by."""
    if isinstance(value, str) and NAME.match(value):
        return str(value)
    if isinstance(value, (list, tuple, dict, Nothing)):
        raise SpecError(f"expected a number or a word, found {_found(value)}", getattr(value, "at", None))
    try:
        return exact(str(value) if isinstance(value, str) else value)
    except ArchspecError as error:
        raise SpecError(str(error), getattr(value, "at", None)) from None


def _written(value: Any) -> Any:
    """An expression as YAML writes it: a plain number where it is one."""
    if isinstance(value, tuple):
        return list(map(_written, value))
    if isinstance(value, Expression):
        return _plain(value.text)
    return _plain(str(value)) if value is not None else None


def _plain(text: str) -> Any:
    if re.match(r"-?(0|[1-9][0-9]{0,17})\Z", text):
        return int(text)
    if re.match(r"-?[0-9]{1,9}\.[0-9]{1,9}\Z", text) and repr(float(text)) == text:
        return float(text)  # only so that YAML writes it without quotes; it is read as the text it is
    return {"true": True, "false": False}.get(text, text)


_VALUE_SCHEMA: dict[str, Any] = {"type": ["integer", "number", "string", "boolean"]}

Name = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"})]
Signature = Annotated[str, PlainValidator(_signature), WithJsonSchema({"type": "string"})]
Formula = Annotated[Expression, PlainValidator(_expression), PlainSerializer(_written), WithJsonSchema(_VALUE_SCHEMA)]
Value = Annotated[
    Any,
    PlainValidator(_value),
    PlainSerializer(_written),
    WithJsonSchema({"anyOf": [_VALUE_SCHEMA, {"type": "array", "items": _VALUE_SCHEMA}]}),
]
Cell = Annotated[
    Any,
    PlainValidator(_cell),
    PlainSerializer(_written),
    WithJsonSchema({"anyOf": [{"type": "null"}, _VALUE_SCHEMA, {"type": "array", "items": _VALUE_SCHEMA}]}),
]
Constant = Annotated[Any, PlainValidator(_constant), PlainSerializer(_written), WithJsonSchema(_VALUE_SCHEMA)]
Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, str) else value)]


class Source(Located):
    """Where the network was published."""

    title: Text
    authors: Text | None = None
    year: int | None = None
    arxiv: Text | None = None
    doi: Text | None = None
    url: Text | None = None
    section: Text | None = None
    table: Text | None = None
    note: Text | None = None


class Symbol(Located):
    """A number, or a word, that whoever uses the network chooses.

    `type` is integer unless the default, the range or the choices hold a number that is not; then it is rational.
    """

    default: Constant
    range: tuple[Constant, Constant] | None = None
    choices: tuple[Constant, ...] | None = None
    type: Literal["integer", "rational"] | None = None
    latex: Text | None = None
    doc: Text | None = None

    @property
    def integer(self) -> bool:
        """Whether only whole numbers are allowed."""
        if self.type is not None:
            return self.type == "integer"
        return all(isinstance(number, int) for number in (self.default, *(self.range or ()), *(self.choices or ())))

    @property
    def word(self) -> bool:
        """Whether it is a word to choose by."""
        return isinstance(self.default, str)


class Lookup(Located):
    """A table of numbers: the row is found by the first column, the column by its header.

    `channels(g, stage2)` finds the row whose first cell is g; with two columns `stem(width)` needs no header.
    """

    columns: tuple[Constant, ...]
    rows: tuple[tuple[Constant, ...], ...]
    doc: Text | None = None


# ------------------------------------------------------------------ steps


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
            raise SpecError(f"expected a step such as relu or conv2d: {{…}}, found {_found(raw)}")
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
            model.placed(model.at, {**(_marks(raw) or {}), **(_marks(args) or {})})
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

for _step in (Group, When, Repeat, AddStep, MulStep, ConcatStep):
    _step.model_rebuild()


class Block(Located):
    """A function from tensors to tensors: arguments, names for what is computed from them, and a body.

    An argument is `required`, or has a default, an expression over the symbols, the arguments before it and the
    input's `in_channels`, `in_height` and `in_width`.
    """

    doc: Text | None = None
    source: Source | None = None
    args: dict[Name, Value] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    body: Body

    @classmethod
    def is_required(cls, value: Any) -> bool:
        """Whether an argument's default says that there is none."""
        return isinstance(value, Expression) and value.text == REQUIRED


def _version(value: Any) -> int:
    if str(value) != "1":
        raise SpecError(
            f"this library reads version 1 of the language (got {_found(value)})", getattr(value, "at", None)
        )
    return 1


_STAND_INS: dict[str, Any] = {"archspec": 1, "name": "unnamed", "input": (Expression(1),), "network": ()}
"""What stands for a part of a document that is missing or cannot be read, so that the others can be checked."""


class Document(Located):
    """A whole specification."""

    archspec: Annotated[int, PlainValidator(_version), WithJsonSchema({"const": 1})]
    name: Name
    doc: Text | None = None
    source: Source | None = None
    symbols: dict[Name, Symbol] = Field(default_factory=dict)
    functions: dict[Signature, Formula] = Field(default_factory=dict)
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    input: tuple[Formula, ...]
    blocks: dict[Name, Block] = Field(default_factory=dict)
    network: Body

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_others(cls, raw: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        """A part that cannot be read is reported and leaves the others to be checked."""
        faults: Faults | None = info.context
        try:
            return handler(raw)
        except ValidationError as error:
            if faults is None:
                raise
            field = str(info.field_name)
            form = Mapping(_mark(raw, None))
            form[field] = raw
            details = error.errors(include_url=False)
            faults.report(_fault({**detail, "loc": (field, *detail["loc"])}, form, form.at) for detail in details)
            faults.unread.add(field)
            return _STAND_INS.get(field, {})

    @classmethod
    def _known_keys(cls, form: Mapping, faults: Faults) -> Mapping:
        kept = super()._known_keys(form, faults)
        missing = [key for key in _STAND_INS if key not in kept]
        faults.report(SpecError(f"missing key '{key}'", form.at) for key in missing)
        kept.update({key: _STAND_INS[key] for key in missing})
        return kept

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """The blocks' bodies by name, and the network's under the empty name."""
        for name, block in self.blocks.items():
            if not block.broken:
                yield name, block.body
        yield "", self.network


Document.model_rebuild()
