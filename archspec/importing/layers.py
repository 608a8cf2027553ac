"""A flat graph built layer by layer, for the tables of older programs: each file names what it takes and makes."""

import re
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any

from archspec import ops
from archspec.errors import ArchspecError
from archspec.importing.flat import INPUT, FlatGraph, FlatNode
from archspec.importing.patterns import joined
from archspec.importing.patterns.base import told
from archspec.importing.program import Place
from archspec.language.rules import field_faults
from archspec.ops import Tensor
from archspec.writing import printable

BATCH = 2
MOST_LAYERS = 10_000


class LayerBuilder:
    """The layers of one file, in its order.

    Args:
        path: The file.
        sizes: The input's, batch left out.
        name: What the network is called; by itself as the file.
    """

    def __init__(self, path: str, sizes: tuple[int, ...], name: str = "") -> None:
        self.path, self.name, self.input = path, name or Path(path).stem, (BATCH, *sizes)
        self.nodes: dict[str, FlatNode] = {}

    def shape(self, value: str) -> tuple[int, ...]:
        """The sizes of a result, or of the input."""
        return self.input if value == INPUT else self.nodes[value].shape

    def flat(self, value: str, label: str) -> str:
        """A result as a vector, flattened for a layer if it is none."""
        return self.add("flatten", (value,), f"{label}_flatten") if len(self.shape(value)) > 2 else value

    def add(self, operator: str, inputs: tuple[str, ...], label: str, **args: Any) -> str:
        """A layer; gives the name of its result.

        Args:
            operator: One of the language.
            inputs: The results that it takes.
            label: What the file calls it.
            args: The operator's fields; those at their defaults are left out.

        Raises:
            ArchspecError: It cannot take these inputs, or has no such settings.
        """
        if len(self.nodes) >= MOST_LAYERS:
            raise ArchspecError(f"{self.name}: has more than {MOST_LAYERS:,} layers")
        said, kind = told(operator, args), ops.operator(operator)
        if kind.arity == "one" and len(inputs) > 1:
            raise ArchspecError(f"{self.name}: {label}: {operator} takes one result, not {len(inputs)}")
        for field, reason in field_faults(operator, said):
            raise ArchspecError(f"{self.name}: {label}: {field} {reason}")
        try:
            output = kind(**said).output(*(Tensor(self.shape(value)) for value in inputs))
        except ValueError as error:  # ours and pydantic's
            raise ArchspecError(f"{self.name}: {label}: {str(error).splitlines()[0]}") from None
        name = f"{label}#{len(self.nodes)}"
        place = Place((label,), ("",))
        self.nodes[name] = FlatNode(name, operator, said, inputs, tuple(map(int, output.shape)), place)
        return name

    def graph(self, output: str) -> FlatGraph:
        """The whole network, what does not lead to its output left out."""
        if output == INPUT:
            raise ArchspecError(f"{self.name}: has no layers")
        whole = FlatGraph(self.name, self.input, tuple(self.nodes.values()), output)
        return joined(whole).live()


def whole_number(text: str, key: str, path: str) -> int:
    """A whole number that a file says.

    Raises:
        ArchspecError: It is none, or has more than nine digits.
    """
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise ArchspecError(f"{path}: {key} must be a whole number (got '{printable(text, 40)}')")
    return int(text)


def real_number(text: str, key: str, path: str) -> float:
    """A number that a file says.

    Raises:
        ArchspecError: It is none, or infinite.
    """
    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ArchspecError(f"{path}: {key} must be a number (got '{printable(text, 40)}')")
