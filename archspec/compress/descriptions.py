"""Codings read from what a file says of its arrays: only what `Coding.described` writes is accepted."""

import re
from collections.abc import Callable
from typing import Any

from archspec.compress.codecs import (
    Bitmask,
    Codebook,
    CompressedRows,
    Constant,
    Dense,
    Factors,
    Gaps,
    Index,
    LinearQuantisation,
    Numbers,
    Signs,
    Values,
)
from archspec.compress.codecs.base import DamagedError
from archspec.compress.coding import Coding, sparse
from archspec.compress.names import LONGEST, RULES, SCANS
from archspec.writing import printable

KEY = re.compile(r"[A-Za-z0-9_]{1,100}(\.[A-Za-z0-9_]{1,100}){0,30}\Z")
"""The names of arrays; they are shown in errors."""


def read(described: Any) -> Coding:
    """The coding that a description speaks of.

    Raises:
        DamagedError: It is no description that is written.
    """
    try:
        key, shape, *how = described
        values, index = [*how, {}, {}][:2]
        found = Coding(str(key), tuple(shape), _values(dict(values), "gaps" in index), *_index(dict(index)))
        if not found.dense and not sparse(found.values):
            raise ValueError(f"{found.values.name} are of all weights")
    except (TypeError, ValueError, KeyError) as error:
        raise DamagedError(f"the description of an array cannot be read: {printable(str(error), 100)}") from None
    sizes = [size for size in found.shape if type(size) is not int or size < 1]
    if sizes or not KEY.match(found.key) or type(key) is not str or found.described() != described:
        raise DamagedError(
            f"the description of an array is not one that this library writes: {printable(str(described), 80)}"
        )
    return found


def _values(description: dict[str, Any], filled: bool) -> Values:
    huffman = bool(description.get("coded", False))
    numbers = _one_of(description.get("numbers", 32), 16, 32)
    if "shared" in description:
        return Codebook(_whole(description["shared"], LONGEST if huffman else 16), huffman, numbers, zero=filled)
    if "linear" in description:
        rule, per = _one_of(description["rule"], *RULES), description["per"]
        per = per if per in ("tensor", "channel") else _whole(per, 2**31)
        bits = _whole(description["linear"], LONGEST if huffman else 16, 2)
        return LinearQuantisation(bits, rule, per, _one_of(description.get("scale_bits", 32), 16, 32), huffman)
    if "signs" in description:
        return Signs(_one_of(description["signs"], 0, 16, 32))
    if "rank" in description:
        return Factors(_whole(description["rank"], 2**31), numbers)
    if "constant" in description:
        return Constant(float(description["constant"]))
    return Numbers(numbers)


_INDICES: dict[str, Callable[[dict[str, Any]], Index]] = {
    "gaps": lambda description: Gaps(_whole(description["gaps"], 8), bool(description.get("coded", False))),
    "rows": lambda description: CompressedRows(32 if description["rows"] == 32 else _whole(description["rows"], 16)),
    "bitmask": lambda description: Bitmask(),  # noqa: ARG005  # nothing else is said of it
}


def _index(description: dict[str, Any]) -> tuple[Index, str]:
    name = next((name for name in _INDICES if name in description), None)
    return _INDICES[name](description) if name else Dense(), _one_of(description.get("scan", "rows"), *SCANS)


def _whole(value: Any, most: int, least: int = 1) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{value!r} is not from {least} to {most}")
    return value


def _one_of(value: Any, *known: Any) -> Any:
    if type(value) not in (int, str) or value not in known:
        raise ValueError(f"{value!r} is not one of {known}")
    return value
