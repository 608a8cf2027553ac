"""A plan: what is done to the weights of each layer, in YAML, as a paper's table prints it.

    plan: 1
    name: lenet_300_100
    columns: [layer, density, weight_bits, weight_huffman, index_bits, index_huffman]
    rows:
      -      [fc1,     8 %,           6,            4.4,          5,           3.7]
      -      [fc2,     9 %,           6,            4.4,          5,           4.3]
      -      [fc3,    26 %,           6,            4.3,          5,           3.2]

or, where few layers differ, as a list of mappings: `layers: [{layer: conv1}, {layer: "*", binary: xnor}]`. A layer is
named by its node, by a part of the network that holds it, or by a pattern of the shell; the first entry that names it
says what is done. Shares are written 8 % or 0.08.
"""

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, model_validator

from archspec.compress.names import (
    BEGINNINGS,
    BINARY,
    CODED,
    INDEX,
    LONGEST,
    MAX_INDEX_BITS,
    MAX_WEIGHT_BITS,
    RULES,
    SCANS,
)
from archspec.dims import exact
from archspec.errors import ArchspecError, SpecError, SpecErrors
from archspec.language import zoo
from archspec.language.document import Source
from archspec.language.domains import Switch, whole, word
from archspec.language.located import Faults, Located, validated
from archspec.language.reader import Mapping as PlacedMapping
from archspec.language.reader import Nothing, Scalar, Sequence, decode, described, parse, read_bytes
from archspec.language.values import Name, Prose, Text, version_of

# ------------------------------------------------------------------ values


def _number(value: Any, unit: str = "") -> Any:
    """An exact number, of a text with the unit behind it."""
    if isinstance(value, (dict, list, tuple, Nothing)):
        raise SpecError(f"expected a number, found {described(value)}")
    try:
        return exact(value.removesuffix(unit).rstrip() if isinstance(value, str) else value)
    except ArchspecError as error:
        raise SpecError(str(error)) from None


def _share(value: Any) -> Any:
    """A share, 8 % or 0.08: above 0, and at most 1."""
    percent = isinstance(value, str) and value.endswith("%")
    found = exact(Fraction(_number(value, "%"), 100 if percent else 1))
    if not 0 < found <= 1:
        raise SpecError(f"a share lies above 0 and is at most 1 (got {value})")
    return found


def _length(value: Any) -> Any:
    """An average code length, or the word for one that is not known."""
    if value == CODED:
        return CODED
    found = _number(value)
    if not 0 < found <= MAX_WEIGHT_BITS:
        raise SpecError(f"an average code length lies above 0 and is at most {MAX_WEIGHT_BITS} (got {value})")
    return found


def _per(value: Any) -> Any:
    """What shares a scale: a word, or a number of weights."""
    if value in ("tensor", "channel"):
        return str(value)
    size = _number(value)
    if type(size) is not int or size < 1:
        raise SpecError(f"scales are per tensor, channel, or a number of weights (got {value})")
    return size


Share = Annotated[Any, PlainValidator(_share)]
Length = Annotated[Any, PlainValidator(_length)]


# ------------------------------------------------------------------ plans


class LayerPlan(Located):
    """What is done to the weights of a layer, or of all whose names fit a pattern; nothing, if only they are named.

    Attributes:
        layer: The name of a node, of a part of the network, or a pattern of the shell.
        density: The share of the weights that is kept.
        weight_bits: The bits of a code for one of 2^bits shared numbers; without it, weights stay numbers.
        index_bits: The bits of a gap; without it, what is pruned is in compressed sparse rows, of 32-bit indices.
        weight_huffman: The average length of the Huffman code of a weight, measured.
        index_huffman: The average length of the Huffman code of a gap, measured.
        activations: The share of what comes out of the layer, and of the pooling behind it, that is not zero, measured.
        rank: The rank of the two matrices that stand for the weights.
        binary: One-bit weights with one real factor per filter, alone ("weights") or with one-bit inputs ("xnor").
        input_scale: Whether one-bit inputs keep their real factors; the authors' own code came to leave them out.
        index: How it is said which weights are kept; by default in gaps if `index_bits` are given, else in rows.
        scan: In which order weights are scanned for gaps: rows (output channels), columns, or the smaller of both.
        codebook: How k-means begins that finds the shared numbers.
        linear_bits: The bits of a level of a scale, w ≈ scale·level.
        linear_rule: How levels are laid; see `names.RULES`.
        linear_per: What shares a scale: the tensor, an output channel, or so many weights of one.
        scale_bits: The bits of a scale.
    """

    layer: Text
    density: Share = 1
    weight_bits: Annotated[int | None, whole(1, MAX_WEIGHT_BITS)] = None
    index_bits: Annotated[int | None, whole(1, MAX_INDEX_BITS)] = None
    weight_huffman: Length | None = None
    index_huffman: Length | None = None
    activations: Share | None = None
    rank: Annotated[int | None, whole(1, 2**31)] = None
    binary: Annotated[str | None, word(BINARY)] = None
    input_scale: Switch = True
    index: Annotated[str | None, word(INDEX)] = None
    scan: Annotated[str, word((*SCANS, "auto"))] = "rows"
    codebook: Annotated[str, word(BEGINNINGS)] = "linear"
    linear_bits: Annotated[int | None, whole(2, MAX_WEIGHT_BITS)] = None
    linear_rule: Annotated[str, word(RULES)] = "symmetric"
    linear_per: Annotated[Any, PlainValidator(_per)] = "channel"
    scale_bits: Annotated[int, word(("16", "32")), AfterValidator(int)] = 32

    @model_validator(mode="after")
    def _fits_together(self) -> "LayerPlan":
        for fault in self._faults():
            raise fault
        return self

    def _code_faults(self) -> Iterator[SpecError]:
        """Faults of the average lengths of codes: of what, and not longer than it."""
        replaced = {"weight_huffman": self.weight_bits or self.linear_bits, "index_huffman": self.index_bits}
        for name, width in replaced.items():
            length, kind = getattr(self, name), name.partition("_")[0]
            if length is not None and width is None:
                message = f"{name} is the average of a code for {kind}_bits, which are not given"
                yield SpecError(message, self.key_at(name))
            elif length not in (None, CODED) and length > width:
                message = f"an average code length is at most the bits that it replaces, {width} (got {length})"
                yield SpecError(message, self.key_at(name))
        if self.weight_huffman is not None and max(self.weight_bits or 0, self.linear_bits or 0) > LONGEST:
            yield SpecError(f"Huffman codes are of symbols of {LONGEST} bits at most", self.key_at("weight_huffman"))

    def _faults(self) -> Iterator[SpecError]:
        pruned = self.density != 1 or self.weight_bits or self.index_bits or self.index or self.linear_bits
        methods = [name for name, used in (("rank", self.rank), ("binary", self.binary)) if used]
        if len(methods) + bool(pruned) > 1:
            others = "density, bits and index" if pruned else methods[0]
            yield SpecError(f"{methods[-1]} stands by itself, without {others}", self.key_at(methods[-1]))
        if self.weight_bits and self.linear_bits:
            message = "linear_bits are of levels, weight_bits of shared numbers; a layer has one of them"
            yield SpecError(message, self.key_at("linear_bits"))
        yield from self._code_faults()
        if self.index_bits and self.index in ("dense", "rows", "bitmask"):
            yield SpecError(f"index_bits are those of a gap; the index is {self.index}", self.key_at("index_bits"))
        if self.index == "gaps" and not self.index_bits:
            yield SpecError("gaps need index_bits, the bits of one", self.key_at("index"))
        if self.index == "dense" and self.density != 1:
            yield SpecError("a dense index is of all weights, and the density is not 1", self.key_at("index"))
        if self.linear_rule == "zero_point" and self.linear_bits and self.index_form != "dense":
            yield SpecError("levels with zero points are of all weights: density 1", self.key_at("linear_rule"))

    @property
    def index_form(self) -> str:
        """The index, as said or as it follows."""
        return self.index or ("dense" if self.density == 1 else "gaps" if self.index_bits else "rows")

    def names(self, node: str) -> bool:
        """Whether it speaks of the node of that name."""
        return node == self.layer or node.startswith(f"{self.layer}/") or fnmatchcase(node, self.layer)


UNTOUCHED = LayerPlan(layer="*")
"""What is done to a layer of which a plan says nothing."""


class Plan(Located):
    """What is done to the layers of a network.

    Attributes:
        plan: The version of the language.
        name: What the plan is called.
        doc: One sentence about it.
        source: Where it was published.
        network: The specification it is for.
        number_bits: The bits of a number that stays as it is, and of one in a codebook.
        batch_norm: Whether normalisations are kept, or folded into the layer before; one shift per channel is left.
        normalise: Whether a network that is rewritten with one-bit inputs has a batch normalisation before each.
        other_bits: The bits of a level, where biases and other arrays have levels of one scale per array; else numbers.
        layers: What is done, in the order in which it is looked for.
    """

    plan: Annotated[int, PlainValidator(version_of("plans"))] = 1
    name: Name
    doc: Prose | None = None
    source: Source | None = None
    network: Text | None = None
    number_bits: Annotated[int, whole(1, 64)] = 32
    batch_norm: Annotated[str, word(("keep", "fold"))] = "keep"
    normalise: Switch = False
    other_bits: Annotated[int | None, whole(2, MAX_WEIGHT_BITS)] = None
    layers: tuple[LayerPlan, ...] = ()

    neighbours = ("columns", "rows")

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """The rows of a table as mappings of its columns; an empty cell is a key left out."""
        if not isinstance(raw, PlacedMapping) or "rows" not in raw:
            return raw
        columns, rows, before = raw.get("columns"), raw["rows"], raw.get("layers")
        if not isinstance(columns, Sequence) or not all(isinstance(column, str) for column in columns):
            raise SpecError("rows need columns: a list of keys, the first of them 'layer'", raw.key("rows"))
        if not isinstance(rows, Sequence):
            raise SpecError(f"rows: expected a list, found {described(rows)}", raw.key("rows"))
        others = {key: value for key, value in raw.items() if key not in ("columns", "rows", "layers")}
        layers = [*(before if isinstance(before, Sequence) else ()), *(_row(row, columns) for row in rows)]
        return PlacedMapping(raw.at, {**others, Scalar("layers", rows.at): Sequence(rows.at, layers)})

    def entry(self, node: str) -> LayerPlan:
        """What it says of the node of that name; `UNTOUCHED` if nothing."""
        return next((layer for layer in self.layers if layer.names(node)), UNTOUCHED)


def _row(row: Any, columns: Sequence) -> PlacedMapping:
    if not isinstance(row, Sequence):
        raise SpecError(f"a row is a list of cells, found {described(row)}", getattr(row, "at", None))
    if len(row) != len(columns):
        raise SpecError(f"a row of {len(row)} cells, for {len(columns)} columns", row.at)
    cells = zip(columns, row, strict=True)
    return PlacedMapping(row.at, ((key, cell) for key, cell in cells if not isinstance(cell, Nothing)))


def plans() -> Mapping[str, Path]:
    """The files of the plans that come with the library, by name."""
    return zoo.beside("plans")


def load(plan: str | os.PathLike[str] | Plan) -> Plan:
    """Read a plan: a path, "-" for standard input, or the name of one that comes with the library; a plan is itself.

    Raises:
        SpecErrors: It cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor the name of a plan.

    >>> [layer.density for layer in load("lenet_300_100").layers]
    [Fraction(2, 25), Fraction(9, 100), Fraction(13, 50)]
    """
    if isinstance(plan, Plan):
        return plan
    name = zoo.file_of(plan, "plans", "plan")
    shown = "<stdin>" if name == "-" else name
    return loads(decode(read_bytes(name), shown), shown)


def loads(text: str, name: str = "<text>") -> Plan:
    """Read a plan from text; `name` is what its faults call it.

    Raises:
        SpecErrors: It has faults; all of them are named, each with its place.
    """
    faults = Faults()
    found = validated(Plan, parse(text, name, wanted="a plan is a mapping that begins with 'plan: 1'"), faults)
    if not faults and not found.layers:
        faults.report([SpecError("a plan says what is done to some layer; it has no layers and no rows", found.at)])
    if faults:
        raise SpecErrors(faults)
    return found
