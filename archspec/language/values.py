"""The types of a specification's fields: names, expressions, numbers, each with how YAML writes it."""

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from archspec.dims import exact
from archspec.errors import ArchspecError, SpecError
from archspec.language.alphabet import letter_fault, line_fault, prose_fault
from archspec.language.expression import CONSTANTS, Expression, Scope
from archspec.language.located import Located
from archspec.language.reader import Nothing, described
from archspec.writing import printable

MAX_PARTS = 20
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
SIGNATURE = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\(\s*([A-Za-z][A-Za-z0-9_]*(?:\s*,\s*[A-Za-z][A-Za-z0-9_]*)*)?\s*\)\Z")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        called = re.match(r"([A-Za-z]\w*) *\(", value) if isinstance(value, str) else None
        cure = f"; arguments stand behind a colon: {called[1]}: {{…}}" if called else ""
        raise SpecError(
            f"expected a name (letters, digits and _, beginning with a letter), found {described(value)}{cure}",
            getattr(value, "at", None),
        )
    if len(value) > 80:
        raise SpecError(f"a name of {len(value)} characters; at most 80 are allowed", getattr(value, "at", None))
    return str(value)


def _label(value: Any) -> str:
    """What `from` goes back to: a name given by `as`, or, inside a block that was called by such a name, a path."""
    if not isinstance(value, str):
        raise SpecError(f"expected a name, found {described(value)}", getattr(value, "at", None))
    parts = value.split("/")
    if len(parts) > MAX_PARTS:
        raise SpecError(f"a path of {len(parts)} names; at most {MAX_PARTS} are allowed", getattr(value, "at", None))
    for part in parts:
        if not NAME.match(part):
            raise SpecError(
                f"expected a name, or a path such as encoder/stage3, found {described(value)}",
                getattr(value, "at", None),
            )
    return str(value)


def _labels(value: Any) -> tuple[str, ...] | None:
    if value is None or isinstance(value, Nothing):
        return None
    if not isinstance(value, (list, tuple)):
        return (_label(value),)
    if not value:
        raise SpecError("expected a name, or several, found an empty list", getattr(value, "at", None))
    return tuple(map(_label, value))


def _one_or_several(labels: tuple[str, ...] | None) -> Any:
    return labels if labels is None or len(labels) != 1 else labels[0]


def _signature(value: Any) -> str:
    if not isinstance(value, str) or not SIGNATURE.match(value):
        raise SpecError(
            f"expected a signature such as 'width(c)', found {described(value)}", getattr(value, "at", None)
        )
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
    """An exact number, a truth value, or a word to choose by."""
    if isinstance(value, bool) or (isinstance(value, str) and value in CONSTANTS):
        return value if isinstance(value, bool) else CONSTANTS[value]
    if isinstance(value, str) and NAME.match(value):
        return str(value)
    if isinstance(value, (list, tuple, dict, Nothing)):
        raise SpecError(f"expected a number or a word, found {described(value)}", getattr(value, "at", None))
    try:
        return exact(str(value) if isinstance(value, str) else value)
    except ArchspecError as error:
        raise SpecError(str(error), getattr(value, "at", None)) from None


def _written(value: Any) -> Any:
    """An expression as YAML writes it: a plain number where it is one."""
    if isinstance(value, bool):
        return value
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


def _checked(fault_of: Callable[[str], str | None]) -> Callable[[Any], Any]:
    """A validator of texts of an alphabet; blanks and line ends around them are left out."""

    def check(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        text = str(value).strip()
        fault = fault_of(text)
        if fault is not None:
            raise SpecError(f"a text holds {fault} (got '{printable(text, 40)}')", getattr(value, "at", None))
        return text

    return check


_VALUE_SCHEMA: dict[str, Any] = {"type": ["integer", "number", "string", "boolean"]}

NAME_SCHEMA = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}
LABEL_SCHEMA = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*$"}
LABELS_SCHEMA = {"anyOf": [LABEL_SCHEMA, {"type": "array", "items": LABEL_SCHEMA, "minItems": 1}]}

Name = Annotated[str, PlainValidator(_name), WithJsonSchema(NAME_SCHEMA)]
Label = Annotated[str, PlainValidator(_label), WithJsonSchema(LABEL_SCHEMA)]
Labels = Annotated[Any, PlainValidator(_labels), PlainSerializer(_one_or_several), WithJsonSchema(LABELS_SCHEMA)]
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
Text = Annotated[str, BeforeValidator(_checked(line_fault))]
Prose = Annotated[str, BeforeValidator(_checked(prose_fault))]
Letter = Annotated[str, BeforeValidator(_checked(letter_fault))]


class Source(Located):
    """Where a network, a block or an initialisation was published."""

    like: ClassVar[str] = "{title: Deep Residual Learning, year: 2015}"

    title: Text
    authors: Text | None = None
    year: int | None = None
    arxiv: Text | None = None
    doi: Text | None = None
    url: Text | None = None
    section: Text | None = None
    table: Text | None = None
    note: Prose | None = None


def evaluated(value: Value, scope: Scope) -> Any:
    """What a value comes to: an expression, or a list of them."""
    if isinstance(value, tuple):
        return tuple(evaluated(part, scope) for part in value)
    return value.evaluate(scope)


def version_of(what: str) -> Callable[[Any], int]:
    """What reads the version of a language, of which there is one so far."""

    def read(value: Any) -> int:
        if str(value) != "1":
            at = getattr(value, "at", None)
            raise SpecError(f"this library reads version 1 of {what} (got {described(value)})", at)
        return 1

    return read
