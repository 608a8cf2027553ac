"""Codings read from what a file says of its arrays: only what `Coding.described` writes is accepted."""

import re
from collections.abc import Callable
from typing import Any

from archspec.compress.codecs.base import DamagedError
from archspec.compress.codecs.bitmask import Bitmask
from archspec.compress.codecs.constant import Constant
from archspec.compress.codecs.dense import Dense
from archspec.compress.codecs.factors import Factors
from archspec.compress.codecs.gaps import Gaps
from archspec.compress.codecs.index import Index
from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.codecs.numbers import Numbers
from archspec.compress.codecs.rows import CompressedRows
from archspec.compress.codecs.shared import Codebook
from archspec.compress.codecs.signs import Signs
from archspec.compress.codecs.values import Values
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
        raise DamagedError(f"the description of an array is none that is written: {printable(str(described), 80)}")
    return found


def _values(said: dict[str, Any], filled: bool) -> Values:
    huffman = bool(said.get("coded", False))
    numbers = _one_of(said.get("numbers", 32), 16, 32)
    if "shared" in said:
        return Codebook(_whole(said["shared"], LONGEST if huffman else 16), huffman, numbers, zero=filled)
    if "linear" in said:
        rule, per = _one_of(said["rule"], *RULES), said["per"]
        per = per if per in ("tensor", "channel") else _whole(per, 2**31)
        bits = _whole(said["linear"], LONGEST if huffman else 16, 2)
        return LinearQuantisation(bits, rule, per, _one_of(said.get("scale_bits", 32), 16, 32), huffman)
    if "signs" in said:
        return Signs(_one_of(said["signs"], 0, 16, 32))
    if "rank" in said:
        return Factors(_whole(said["rank"], 2**31), numbers)
    if "constant" in said:
        return Constant(float(said["constant"]))
    return Numbers(numbers)


_INDICES: dict[str, Callable[[dict[str, Any]], Index]] = {
    "gaps": lambda said: Gaps(_whole(said["gaps"], 8), bool(said.get("coded", False))),
    "rows": lambda said: CompressedRows(32 if said["rows"] == 32 else _whole(said["rows"], 16)),
    "bitmask": lambda said: Bitmask(),  # noqa: ARG005  # nothing else is said of it
}


def _index(said: dict[str, Any]) -> tuple[Index, str]:
    name = next((name for name in _INDICES if name in said), None)
    return _INDICES[name](said) if name else Dense(), _one_of(said.get("scan", "rows"), *SCANS)


def _whole(value: Any, most: int, least: int = 1) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{value!r} is not from {least} to {most}")
    return value


def _one_of(value: Any, *known: Any) -> Any:
    if type(value) not in (int, str) or value not in known:
        raise ValueError(f"{value!r} is none of {known}")
    return value
