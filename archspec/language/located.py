"""Models that know their place: each reports its own faults, with where they stand, and leaves a placeholder.

A fault in one part does not hide those of the others: while a text is loaded every model reports to a collector, so
that all of a file's faults come in one run.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import ErrorDetails

from archspec.errors import Mark, SpecError, SpecErrors, did_you_mean
from archspec.language.expression import COMMAS
from archspec.language.reader import Mapping, Nothing, Sequence, described
from archspec.language.synonyms import key_meant
from archspec.result import LONGEST
from archspec.writing import printable


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

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True, defer_build=True
    )

    neighbours: ClassVar[tuple[str, ...]] = ()
    """Keys of its relatives, which a near miss may have meant."""

    like: ClassVar[str] = ""
    """How the plainest of them is written, for whoever writes something else."""

    __slots__ = ("_at", "_broken", "_keys")  # beside the fields: places are no part of what a document says

    def __repr__(self) -> str:
        text = super().__repr__()
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]}…)"

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
        mapping = raw
        try:
            mapping = cls.from_text(raw)
            if cls.like and not isinstance(mapping, (dict, cls)):
                raise SpecError(f"expected a mapping, such as {cls.like}, found {described(raw)}")
            if faults is not None and isinstance(mapping, Mapping):
                mapping = cls._known_keys(mapping, faults)
            model = handler(mapping)
        except ValidationError as error:
            if faults is None:
                raise
            faults.report(fault_of(detail, mapping, at) for detail in error.errors(include_url=False))
            model = cls._placeholder()
        except SpecError as error:
            if faults is None:
                raise
            faults.report([error if error.at else SpecError(error.message, at)])
            model = cls._placeholder()
        return model.placed(at, places_of(raw))

    @classmethod
    def _known_keys(cls, mapping: Mapping, faults: Faults) -> Mapping:
        """A mapping without the keys that the model does not know, which are reported, and without empty ones."""
        known = {field.alias or name: field for name, field in cls.model_fields.items()}
        kept = Mapping(mapping.at)
        for key, value in mapping.items():
            if key not in known:
                suggestion = (
                    key_meant(key, known)
                    or did_you_mean(key, [*known, *cls.neighbours])
                    or f"; known are {', '.join(sorted(known))}"
                )
                faults.report([SpecError(f"unknown key '{printable(key, 80)}'{suggestion}", mapping.key(key))])
            elif not isinstance(value, Nothing) or known[key].is_required():
                kept[key] = value
        return kept

    @classmethod
    def _placeholder(cls) -> "Located":
        model = cls.model_construct()
        object.__setattr__(model, "_broken", True)
        return model


M = TypeVar("M", bound=Located)


def validated(model: type[M], tree: Any, faults: Faults) -> M:
    """What a text says, as a model; its faults are reported.

    Raises:
        SpecErrors: There are more faults than are shown, and the rest was not looked at.
    """
    try:
        return model.model_validate(tree, context=faults)
    except TooManyFaultsError:
        raise SpecErrors(faults) from None


def places_of(raw: Any) -> dict[str, Mark] | None:
    """Where the keys of a mapping stand, their values ("key:"), and the keys and parts of those."""
    if not isinstance(raw, Mapping):
        return None
    places: dict[str, Mark] = {}
    for key, value in raw.items():
        places[key], places[f"{key}:"] = mark_of(key, raw.at), mark_of(value, raw.at)
        if isinstance(value, Mapping):
            places.update((f"{key}.{inner}", mark_of(inner, value.at)) for inner in value)
        elif isinstance(value, Sequence):
            places.update((f"{key}[{i}]", mark_of(part, value.at)) for i, part in enumerate(value))
    return places


def mark_of(value: Any, otherwise: Mark | None) -> Any:
    """Where a value stands; else where what it stands in does (nowhere, if that was built in Python)."""
    return getattr(value, "at", otherwise)


def fault_of(detail: ErrorDetails, mapping: Any, at: Mark | None) -> SpecError:
    """A pydantic error in our words, at the place it speaks of."""
    loc, kind, found = detail["loc"], detail["type"], detail["input"]
    spot = _spot(loc, mapping, at)
    key = next((printable(step, 80) for step in reversed(loc) if isinstance(step, str)), "")
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, SpecError):
        return SpecError(error.message, error.at or spot)
    if kind == "missing" and isinstance(loc[-1], str):
        return SpecError(f"missing key '{key}'", at)
    if kind in {"missing", "too_long"}:
        return SpecError(f"{key}: expected two values, found {len(mapping[key])}", mark_of(mapping[key], spot))
    if kind in _EXPECTED:
        return SpecError(f"expected {_EXPECTED[kind]}, found {described(found)}", spot)
    if kind in _EXPECTED_OF:
        return SpecError(f"{key}: expected {_EXPECTED_OF[kind]}, found {described(found)}", spot)
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


def _spot(loc: tuple[int | str, ...], mapping: Any, at: Mark | None) -> Mark | None:
    """The place that an error's location names: that of the value, else of its key, else of what it stands in."""
    place, spot = mapping, at
    for step in loc:
        if isinstance(place, Mapping) and step in place:
            key_at, place = place.key(str(step)), place[str(step)]
            spot = mark_of(place, key_at)
        elif isinstance(place, Sequence) and isinstance(step, int) and step < len(place):
            place = place[step]
            spot = getattr(place, "at", None) or spot
    return spot


def without_echoes(faults: Iterable[SpecError]) -> list[SpecError]:
    """Faults without those that another one brings about: a comma that ends an expression too early is one fault."""
    faults = list(faults)
    commas = [fault.at for fault in faults if COMMAS in fault.message and fault.at]
    return [fault for fault in faults if COMMAS in fault.message or not any(_echoes(fault, at) for at in commas)]


def _echoes(fault: SpecError, comma: Mark) -> bool:
    """Whether a fault lies between a parenthesis that no comma may follow, and where that is closed."""
    at = fault.at
    if at is None or (at.source, at.line) != (comma.source, comma.line) or at.column < comma.column:
        return False
    line = comma.source.lines[comma.line - 1]
    depth = 0
    for column, sign in enumerate(line[comma.column - 1 :], comma.column):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0:
            return at.column <= column
    return True
