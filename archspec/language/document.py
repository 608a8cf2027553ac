"""The specification as pydantic models: what YAML loads into, what Python can build, what is dumped back.

The models have the shape of the text: a field is a key. `docs/language.md` explains each form.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    field_validator,
    model_serializer,
    model_validator,
)

from archspec.errors import SpecError
from archspec.language.expression import Expression
from archspec.language.initialisation import Initialisation
from archspec.language.located import Faults, Located, fault_of, mark_of
from archspec.language.reader import Mapping
from archspec.language.steps import (
    Body,
    Call,
    From,
    Group,
    Join,
    Repeat,
    Step,
    TableColumn,
    TableRows,
    TableStep,
    Use,
    When,
)
from archspec.language.values import (
    Constant,
    Formula,
    Label,
    Letter,
    Name,
    Prose,
    Signature,
    Source,
    Value,
    version_of,
)

__all__ = [
    "Block",
    "Body",
    "Call",
    "Document",
    "From",
    "Group",
    "Initialisation",
    "Join",
    "Letters",
    "Lookup",
    "Repeat",
    "Source",
    "Step",
    "Symbol",
    "TableColumn",
    "TableRows",
    "TableStep",
    "Use",
    "When",
]

REQUIRED = "required"

INPUT = "input"
"""What the one input of a network or of a block is called."""


class Symbol(Located):
    """A number, a word, or a truth value, that whoever uses the network chooses.

    Of a truth value the choices are true and false. `type` is integer unless the default, the range or the choices hold
    a number that is not; then it is rational.
    """

    like: ClassVar[str] = "{default: 224}"

    default: Constant
    range: tuple[Constant, Constant] | None = None
    choices: tuple[Constant, ...] | None = None
    type: Literal["integer", "rational"] | None = None
    latex: Letter | None = None
    free: bool | None = None
    doc: Prose | None = None

    @property
    def usually_free(self) -> bool:
        """Whether a formula is over it where nobody says over what: numbers are, unless `free: false`."""
        return not self.word and self.free is not False

    @property
    def integer(self) -> bool:
        """Whether only whole numbers are allowed."""
        if self.type is not None:
            return self.type == "integer"
        return all(isinstance(number, int) for number in (self.default, *(self.range or ()), *(self.choices or ())))

    @property
    def word(self) -> bool:
        """Whether it is a word to choose by, or true or false."""
        return isinstance(self.default, (str, bool))

    @property
    def truth(self) -> bool:
        """Whether it is true or false."""
        return isinstance(self.default, bool)

    @model_validator(mode="after")
    def _true_or_false(self) -> "Symbol":
        if not self.broken and self.truth and self.choices is None:
            object.__setattr__(self, "choices", (True, False))
        return self

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> Any:
        plain = handler(self)
        return {key: value for key, value in plain.items() if not (self.truth and key == "choices")}


class Lookup(Located):
    """A table of numbers: the row is found by the first column, the column by its header.

    `channels(g, stage2)` finds the row whose first cell is g; with two columns `stem(width)` needs no header.
    """

    like: ClassVar[str] = "{columns: [g, width], rows: [[1, 24]]}"

    columns: tuple[Constant, ...]
    rows: tuple[tuple[Constant, ...], ...]
    doc: Prose | None = None


class Letters(Located):
    """How a paper writes a block's formula: its letters, and whether as a sum, a product, or by spatial size."""

    names: dict[Name, Letter]
    form: Literal["collected", "sum", "factored"] = "collected"


class Block(Located):
    """A function from tensors to tensors: arguments, names for what is computed from them, and a body.

    An argument is `required`, or has a default, an expression over the symbols, the arguments before it and the
    input's `in_channels`, `in_height` and `in_width`. `inputs` are the values that it takes beside what flows in; a
    call names each among the arguments. `letters` says how arguments are written, by the name of who does.
    """

    like: ClassVar[str] = "{body: [relu]}"

    doc: Prose | None = None
    source: Source | None = None
    letters: dict[Name, Letters] = Field(default_factory=dict)
    inputs: tuple[Name, ...] = ()
    args: dict[Name, Value] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    body: Body

    @classmethod
    def is_required(cls, value: Any) -> bool:
        """Whether an argument's default says that there is none."""
        return isinstance(value, Expression) and value.text == REQUIRED


def _shapes(value: Any) -> Any:
    """The shapes of several inputs by name; a list is the shape of one."""
    if isinstance(value, (list, tuple)):
        raise SpecError(
            "expected names with their shapes, such as {left: [3, 32, 32], right: [3, 32, 32]}, found a list; "
            "one input alone is 'input'",
            getattr(value, "at", None),
        )
    return value


_STAND_INS: dict[str, Any] = {"archspec": 1, "name": "unnamed", "input": (Expression(1),), "network": ()}
"""What stands for a part of a document that is missing or cannot be read, so that the others can be checked."""


class Document(Located):
    """A whole specification."""

    archspec: Annotated[int, PlainValidator(version_of("the language")), WithJsonSchema({"const": 1})]
    name: Name
    doc: Prose | None = None
    source: Source | None = None
    symbols: dict[Name, Symbol] = Field(default_factory=dict)
    functions: dict[Signature, Formula] = Field(default_factory=dict)
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    input: tuple[Formula, ...] | None = None
    inputs: Annotated[dict[Name, tuple[Formula, ...]], BeforeValidator(_shapes)] = Field(default_factory=dict)
    outputs: tuple[Label, ...] = ()
    blocks: dict[Name, Block] = Field(default_factory=dict)
    network: Body
    initialisation: Initialisation | None = None

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
            mapping = Mapping(mark_of(raw, None), {field: raw})
            details = error.errors(include_url=False)
            faults.report(
                fault_of({**detail, "loc": (field, *detail["loc"])}, mapping, mapping.at) for detail in details
            )
            faults.unread.add(field)
            return _STAND_INS.get(field, {INPUT: (Expression(1),)} if field == "inputs" else {})

    @classmethod
    def _known_keys(cls, mapping: Mapping, faults: Faults) -> Mapping:
        kept = super()._known_keys(mapping, faults)
        missing = [key for key in _STAND_INS if key not in kept and not (key == INPUT and "inputs" in mapping)]
        faults.report(SpecError(f"missing key '{key}'", mapping.at) for key in missing)
        kept.update({key: _STAND_INS[key] for key in missing})
        return kept

    @property
    def shapes(self) -> dict[str, tuple[Expression, ...]]:
        """The sizes of every input, by its name, without the batch; one that has no name is the `input`."""
        return dict(self.inputs) or {INPUT: self.input or ()}

    def bodies(self) -> Iterator[tuple[str, Body]]:
        """The blocks' bodies by name, and the network's under the empty name."""
        for name, block in self.blocks.items():
            if not block.broken:
                yield name, block.body
        yield "", self.network


Step.whole = Document
