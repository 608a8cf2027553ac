"""A paper's printed figures as data: what is printed, where, and from which specification it should follow.

The files stand in specs/published; docs/published.md explains the format, so that a user can hold a table of their own
against their specification.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from archspec.errors import SpecError, SpecErrors, UnknownNameError, did_you_mean
from archspec.published.verdict import UNITS, Printed
from archspec.spec import zoo
from archspec.spec.document import Formula, Located, Name, Source, Text, Value
from archspec.spec.reader import decode, parse, read_bytes

QUANTITIES = (
    "params",
    "buffers",
    "macs",
    "flops",
    "activations",
    "weight_bytes",
    "weights",
    "biases",
    "elements",
    "channels",
    "height",
    "layers",
)
"""What a figure can be of. The first six are the columns of a count. `weights` and `biases` are those of convolutions and
linear layers; `elements`, `channels` and `height` are of the result of a layer; `layers` counts the instances of `kind`."""


def _unit(value: Any) -> str:
    if value not in UNITS:
        raise SpecError(
            f"unknown unit '{value}'; known are {', '.join(filter(None, UNITS))}", getattr(value, "at", None)
        )
    return str(value)


Unit = Annotated[str, PlainValidator(_unit), WithJsonSchema({"enum": list(UNITS)})]


class Quantity(Located):
    """A figure of a specification: of the whole network, or of some of its layers.

    Attributes:
        spec: A name of the zoo, or a path beside the file of figures.
        bind: Values for its symbols, under the key `set`.
        quantity: One of `QUANTITIES`.
        layer: The name of a layer or of a group of layers, or several.
        kind: An operator or a block: only its instances count.
        convention: How it is counted.
        batch: Inputs at once.
    """

    spec: Text
    bind: dict[Name, Text] = Field(default_factory=dict, alias="set")
    quantity: Literal[QUANTITIES] = "params"  # type: ignore[valid-type]  # mypy wants the literals spelt out
    layer: tuple[Text, ...] = ()
    kind: Text | None = None
    convention: Text = "default"

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Allow one layer without brackets."""
        if isinstance(raw, dict) and isinstance(raw.get("layer"), str):
            raw["layer"] = [raw["layer"]]
        return raw


class Figure(Located):
    """A printed figure.

    Attributes:
        id: What it is called, once in its paper.
        where: The table, figure or section that prints it.
        printed: The digits as they stand, without the unit; for a measured figure any text.
        unit: The unit they are in.
        digits: To how many digits it is printed, where the zeros behind only fill it up (15300 to three).
        of: What it is computed from, by name; one quantity alone needs no `value`.
        given: Printed numbers it is computed from, by name: digits, and a unit behind them (33 %).
        let: Exact numbers and expressions over the names before them.
        value: The expression that gives it.
        relation: Whether the print is the number itself, or a bound on it ("within 3.5 %" is at most 3.5 %).
        measured: Whether it comes from training or from a clock.
        erratum: What is wrong with the print, where it is known to be wrong.
        note: What else there is to say.
    """

    id: Text
    where: Text = ""
    printed: Text
    unit: Unit = ""
    digits: int | None = None
    of: dict[Name, Quantity] = Field(default_factory=dict)
    given: dict[Name, Text] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    value: Formula | None = None
    relation: Literal["is", "at most", "at least"] = "is"
    measured: bool = False
    erratum: Text | None = None
    note: Text | None = None

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Allow the keys of one quantity beside those of the figure."""
        if not isinstance(raw, dict) or "of" in raw or "spec" not in raw:
            return raw
        form = type(raw)(raw.at) if hasattr(raw, "at") else type(raw)()
        quantity = type(raw)(raw.at) if hasattr(raw, "at") else type(raw)()
        keys = {field.alias or name for name, field in Quantity.model_fields.items()}
        for key, value in raw.items():
            (quantity if key in keys else form)[key] = value
        form["of"] = type(raw)(raw.at) if hasattr(raw, "at") else type(raw)()
        form["of"]["it"] = quantity
        return form


class Paper(Located):
    """The figures of one paper."""

    figures_of: Name
    source: Source
    figures: tuple[Figure, ...]


def papers() -> dict[str, Path]:
    """The files of figures that come with the library, by the papers' names."""
    return {path.stem: path for path in sorted((zoo.directory() / "published").glob("*.yaml"))}


def load(paper: str | os.PathLike[str]) -> Paper:
    """Read a file of figures: a path, or the name of a paper that comes with the library.

    Raises:
        SpecErrors: The file cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor the name of a paper.
    """
    name = os.fspath(paper)
    known = papers()
    if name in known:
        name = str(known[name])
    elif not Path(name).exists() and not {"/", "."} & set(name):
        listed = did_you_mean(name, known) or f"; known are {', '.join(known)}"
        raise UnknownNameError(f"no file and no paper is called '{name}'{listed}")
    errors: list[SpecError] = []
    found = Paper.model_validate(parse(decode(read_bytes(name), name), name), context=errors)
    if not found.broken:
        errors.extend(_faults(found))
    if errors:
        raise SpecErrors(errors)
    return found


def _faults(paper: Paper) -> list[SpecError]:
    """Identifiers that stand twice, digits that are none, figures that nothing gives."""
    errors = []
    seen: set[str] = set()
    for figure in paper.figures:
        if figure.broken:
            continue
        if figure.id in seen:
            errors.append(SpecError(f"the figure '{figure.id}' stands here a second time", figure.at))
        seen.add(figure.id)
        if figure.measured:
            continue
        try:
            Printed.read(figure.printed, figure.unit, figure.digits)
        except ValueError as error:
            errors.append(SpecError(f"printed: {error}", figure.key_at("printed")))
        if figure.value is None and len(figure.of) != 1:
            errors.append(SpecError(f"'{figure.id}' needs a value, a spec, or 'measured: true'", figure.at))
    return errors
