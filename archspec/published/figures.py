"""A paper's printed figures as data: what is printed, where, and from which specification it should follow.

The files stand in specs/published; docs/published.md explains the format, so that a user can hold a table of their own
against their specification. A figure is a mapping (`Figure`); many that follow alike from the rows of a printed table
are a table (`Table`), which stands in the file as it does in the paper:

    tables:
      - id: lenet300
        where: Table 2
        spec: lenet_300_100
        of:
          n: {quantity: weights, layer: "{layer}"}                     # of the layer that the row names
        let:
          kept: n * wpct                                               # of each row
        printed:
          weights: {unit: k, value: n}                                 # a figure of each row, lenet300.fc1.weights
          wpct:    {unit: "%", measured: true}                         # what the others are computed from
        columns: [id,  layer, weights, wpct]
        rows:
          -      [fc1, fc1,       235,    8]
          -      [fc2, fc2,        30,    9]
        figures:                                                       # of all rows
          - {id: lenet300.total.wpct, printed: "8", unit: "%", value: mean(wpct, n)}

Expressions have the functions of `functions.py` besides those of specifications.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from archspec import cost
from archspec.cost import QUANTITIES
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.language import zoo
from archspec.language.document import Source
from archspec.language.expression import Expression
from archspec.language.located import Faults, Located, validated
from archspec.language.reader import Nothing, decode, described, like, parse, read_bytes
from archspec.language.values import Formula, Name, Prose, Text, Value
from archspec.published.verdict import UNITS, Printed, split_unit

OF_LAYERS = ("weights", "biases", "elements", "channels", "height", "layers")
"""What a figure can be of besides the quantities of a count: `weights` and `biases` are those of convolutions and of
linear layers; `elements`, `channels` and `height` are of a layer's result; `layers` counts instances of `kind`."""


def _unit(value: Any) -> str:
    if not isinstance(value, str) or value not in UNITS:
        known = ", ".join(filter(None, UNITS))
        raise SpecError(f"unknown unit {described(value)}; known are {known}")
    return str(value)


def _countable(value: Any) -> str:
    if value in OF_LAYERS:
        return str(value)
    try:
        return cost.quantity(value if isinstance(value, str) else repr(value)).name
    except ArchspecError as error:
        raise SpecError(f"{error}; {', '.join(OF_LAYERS)}") from None


Unit = Annotated[str, PlainValidator(_unit), WithJsonSchema({"enum": list(UNITS)})]
Countable = Annotated[str, PlainValidator(_countable), WithJsonSchema({"enum": [*QUANTITIES, *OF_LAYERS]})]


class SpecQuantity(Located):
    """A figure of a specification: of the whole network, or of some of its layers.

    Attributes:
        spec: A name of the zoo, or a path beside the file of figures.
        bind: Values for its symbols, under the key `set`.
        quantity: One that can be counted (`cost.quantities`), or one of `OF_LAYERS`.
        layer: The name of a layer or of a group of layers, or several.
        kind: An operator or a block: only its instances count.
        convention: How it is counted.
    """

    spec: Text
    bind: dict[Name, Text] = Field(default_factory=dict, alias="set")
    quantity: Countable = "params"
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
        relation: Whether the print is the number itself, a bound on it ("within 3.5 %" is at most 3.5 %), or about it.
        measured: Whether it comes from training or from a clock.
        erratum: What is wrong with the print, where it is known to be wrong.
        note: What else there is to say.
    """

    id: Text
    where: Text = ""
    printed: Text
    unit: Unit = ""
    digits: int | None = None
    of: dict[Name, SpecQuantity] = Field(default_factory=dict)
    given: dict[Name, Text] = Field(default_factory=dict)
    let: dict[Name, Value] = Field(default_factory=dict)
    value: Formula | None = None
    relation: Literal["is", "at most", "at least", "about"] = "is"
    measured: bool = False
    erratum: Prose | None = None
    note: Prose | None = None

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Allow the keys of one quantity beside those of the figure."""
        if not isinstance(raw, dict) or "of" in raw or "spec" not in raw:
            return raw
        keys = {field.alias or name for name, field in SpecQuantity.model_fields.items()}
        quantity = like(raw, {key: value for key, value in raw.items() if key in keys})
        others = {key: value for key, value in raw.items() if key not in keys}
        return like(raw, {**others, "of": like(raw, {"it": quantity})})


class PrintedColumn(Located):
    """What a column of a table prints: figures, if it has a value or is measured; else inputs of the other columns.

    Attributes:
        unit: The unit of its cells; a cell may have another behind its digits (38 M).
        value: The expression that gives its cells.
        measured: Whether it comes from training or from a clock.
        exact: Whether its cells are exact, such as a number of bits, and not rounded to their digits.
    """

    unit: Unit = ""
    value: Formula | None = None
    measured: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class RowInputs:
    """What the figures of one row are computed from, by name; see `Figure`."""

    of: Mapping[str, SpecQuantity]
    given: Mapping[str, str]
    let: Mapping[str, Expression]

    def behind(self, names: Iterable[str]) -> "RowInputs":
        """Those alone that these names stand for or are computed from."""
        used = set(names)
        for name in reversed([*self.let]):
            used.update(self.let[name].names if name in used else ())
        return RowInputs(
            {name: quantity for name, quantity in self.of.items() if name in used},
            {name: text for name, text in self.given.items() if name in used},
            {name: expression for name, expression in self.let.items() if name in used},
        )


Cell = Annotated[Text | None, BeforeValidator(lambda value: None if isinstance(value, Nothing) else value)]


class PrintedTable(Located):
    """A printed table whose rows give their figures alike.

    Attributes:
        id: What the figures' ids begin with: the cell "weights" in the row "fc1" of "lenet300" is lenet300.fc1.weights.
        where: The table, figure or section that prints it.
        spec: The specification of its quantities, where they do not name another.
        of: The quantities of a row; {column} in the name of a specification or layer, or in the value of a symbol, is
            what the row has there.
        above: Columns whose cell of the row above a row uses too, as above_<column>, and what stands above the first.
        let: Expressions over the names of a row and those before them.
        printed: What the columns with numbers print; a column's name stands for its printed number.
        columns: The columns' names; the first names the rows.
        rows: The cells, as printed.
        notes: What else there is to say of a cell, by row.column.
        errata: What is wrong with a cell, by row.column.
        figures: Figures of all rows: their expressions have sum(name) and mean(name, weight) over the rows.
    """

    id: Text = ""
    where: Text = ""
    spec: Text | None = None
    of: dict[Name, SpecQuantity] = Field(default_factory=dict)
    above: dict[Name, Formula] = Field(default_factory=dict)
    let: dict[Name, Formula] = Field(default_factory=dict)
    printed: dict[Name, PrintedColumn]
    columns: tuple[Name, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: dict[Text, Prose] = Field(default_factory=dict)
    errata: dict[Text, Prose] = Field(default_factory=dict)
    figures: tuple[Figure, ...] = ()

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """Give its specification to the quantities that name none."""
        if not isinstance(raw, dict) or "spec" not in raw or not isinstance(raw.get("of"), dict):
            return raw
        of = {
            name: like(quantity, {"spec": raw["spec"], **quantity}) if isinstance(quantity, dict) else quantity
            for name, quantity in raw["of"].items()
        }
        return like(raw, {**raw, "of": like(raw["of"], of)})

    def inputs(self, index: int) -> RowInputs:
        """What the row of that number has to compute with."""
        row = dict(zip(self.columns, self.rows[index], strict=True))
        given, let = {}, {}
        for name, column in self.printed.items():
            cell = row[name]
            if cell is not None and column.exact:
                let[name] = Expression(Printed.read(*split_unit(cell, column.unit)).value)
            elif cell is not None and not split_unit(cell, column.unit)[0].strip("-~0123456789.,"):
                given[name] = " ".join(split_unit(cell, column.unit))
        for name, first in self.above.items():
            cell = self.rows[index - 1][self.columns.index(name)] if index else None
            if cell is not None:
                given[f"above_{name}"] = " ".join(split_unit(cell, self.printed[name].unit))
            else:
                let[f"above_{name}"] = first
        return RowInputs({name: _at_row(quantity, row) for name, quantity in self.of.items()}, given, let | self.let)

    def cells(self) -> Iterator[Figure]:
        """The figures of its rows."""
        for index, row in enumerate(self.rows):
            inputs = self.inputs(index)
            for name, cell in zip(self.columns, row, strict=True):
                column = self.printed.get(name)
                if cell is None or column is None or not (column.measured or column.value):
                    continue
                used = inputs.behind(column.value.names if column.value and not column.measured else ())
                digits, unit = (cell, column.unit) if column.measured else split_unit(cell, column.unit)
                place = f"{row[0]}.{name}"
                yield Figure(
                    id=f"{self.id}.{place}" if self.id else place,
                    where=self.where,
                    printed=digits,
                    unit=unit,
                    of=used.of,
                    given=used.given,
                    let=used.let,
                    value=column.value,
                    measured=column.measured,
                    erratum=self.errata.get(place),
                    note=self.notes.get(place),
                ).placed(self.key_at(f"rows[{index}]"))


def _at_row(quantity: SpecQuantity, row: Mapping[str, str | None]) -> SpecQuantity:
    """A quantity with the cells of a row in its names and values; a symbol whose cell is empty keeps its default."""
    if quantity.broken:
        return quantity

    def filled(text: str) -> str:
        for column, cell in row.items():
            text = text.replace(f"{{{column}}}", cell or "")
        return text

    bound = {name: filled(value) for name, value in quantity.bind.items()}
    found = {
        "spec": filled(quantity.spec),
        "layer": tuple(map(filled, quantity.layer)),
        "bind": {name: value for name, value in bound.items() if value},
    }
    return quantity.model_copy(update=found).placed(quantity.at)


class Paper(Located):
    """The figures of one paper: tables, and figures by themselves."""

    figures_of: Name
    source: Source
    tables: tuple[PrintedTable, ...] = ()
    figures: tuple[Figure, ...] = ()

    def all_figures(self) -> Iterator[Figure]:
        """Those of the tables' cells, those of their rows together, and those by themselves."""
        for table in self.tables:
            yield from table.cells()
            yield from table.figures
        yield from self.figures


def papers() -> dict[str, Path]:
    """The files of figures that come with the library, by the papers' names."""
    return zoo.beside("published")


def load(paper: str | os.PathLike[str]) -> Paper:
    """Read a file of figures: a path, "-" for standard input, or the name of a paper that comes with the library.

    Raises:
        SpecErrors: The file cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor the name of a paper.
    """
    name = zoo.file_of(paper, "published", "paper")
    shown, errors = "<stdin>" if name == "-" else name, Faults()
    wanted = "a file of figures is a mapping that begins with 'figures_of'"
    found = validated(Paper, parse(decode(read_bytes(name), shown), shown, wanted=wanted), errors)
    if not found.broken:
        errors.extend(_faults(found))
    if errors:
        raise SpecErrors(errors)
    return found


def _faults(paper: Paper) -> Iterator[SpecError]:
    """Identifiers that stand twice, digits that are none, figures that nothing gives, rows that do not fit."""
    misfits = [fault for table in paper.tables if not table.broken for fault in _misfits(table)]
    yield from misfits
    if misfits or any(table.broken for table in paper.tables):
        return
    seen: set[str] = set()
    for figure in paper.all_figures():
        if figure.broken:
            continue
        if figure.id in seen:
            yield SpecError(f"the figure '{figure.id}' stands here a second time", figure.at)
        seen.add(figure.id)
        if figure.measured:
            continue
        try:
            Printed.read(figure.printed, figure.unit, figure.digits)
        except ValueError as error:
            yield SpecError(f"printed: {error}", figure.key_at("printed"))
        if figure.value is None and len(figure.of) != 1:
            yield SpecError(f"'{figure.id}' needs a value, a spec, or 'measured: true'", figure.at)


def _misfits(table: PrintedTable) -> Iterator[SpecError]:
    """Columns and rows of a table that do not fit each other."""
    for name in [*table.printed, *table.above]:
        if name not in table.columns:
            yield SpecError(f"the table has no column '{name}'", table.key_at(f"printed.{name}"))
        elif name not in table.printed:
            yield SpecError(f"the column '{name}' prints no numbers", table.key_at(f"above.{name}"))
    for index, row in enumerate(table.rows):
        at = table.key_at(f"rows[{index}]")
        if len(row) != len(table.columns):
            yield SpecError(f"a row of {len(row)} cells, for {len(table.columns)} columns", at)
        elif row[0] is None:
            yield SpecError("the first cell of a row is its name", at)
    places = {f"{row[0]}.{column}" for row in table.rows for column in table.columns}
    for key in ("notes", "errata"):
        strays = (place for place in getattr(table, key) if place not in places)
        yield from (SpecError(f"the table has no cell '{place}'", table.key_at(f"{key}.{place}")) for place in strays)
