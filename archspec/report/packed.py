"""What a compressed file has, term by term, and what was found in one: for a terminal and for machines."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archspec.report import text
from archspec.report.text import Column

if TYPE_CHECKING:  # what they are loads NumPy, which --help does not
    from archspec.compress.checking import Verified
    from archspec.compress.packing import Packed
    from archspec.compress.size import FileSize

FORMATS = ("text", "json")


def size_of_file(found: "FileSize") -> str:
    """The terms of a file as a table: a line per term, with its bytes and its share."""
    total = sum(found.terms.values())
    rows = [(name, float(bits) / 8, float(bits) / float(total)) for name, bits in found.terms.items() if bits]
    places = 1 if found.exact else 0
    columns = [
        Column("the file, by term", [*(name.replace("_", " ") for name, _, _ in rows), "total"], "left"),
        Column("bytes", [*(f"{size:,.{places}f}" for _, size, _ in rows), f"{found.bytes:,}"], "right"),
        Column("share", [*(f"{100 * share:.2f} %" for _, _, share in rows), ""], "right"),
    ]
    header, rule, *lines = (line.rstrip() for line in text.plain(columns))
    kind = "exact, for these weights" if found.exact else "expected, for independent positions"
    ratio = found.dense_bytes / found.bytes
    title = f"{found.bytes:,} bytes on disk ({kind}), {ratio:.2f}× smaller than {found.dense_bytes:,}"
    return "\n".join((title, "", header, rule, *lines[:-1], "─" * len(rule), lines[-1])) + "\n"


def plain_size(found: "FileSize") -> dict[str, Any]:
    """The terms of a file for machines, array by array, in bits."""
    return {
        "bytes": found.bytes,
        "exact": found.exact,
        "dense_bytes": found.dense_bytes,
        "terms": _bits(found.terms),
        "arrays": [
            {"name": part.coding.key, "coding": part.coding.described()[2:], "terms": _bits(part.terms)}
            for part in found.parts
        ],
    }


def _bits(terms: Mapping[str, Any]) -> dict[str, Any]:
    return {name: int(bits) if int(bits) == bits else float(bits) for name, bits in terms.items()}


def packed(found: "Packed", form: str = "text") -> str:
    """What was written."""
    if form == "json":
        plain = {"path": str(found.path), "notes": list(found.notes), "size": plain_size(found.size)}
        return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
    return "\n".join((size_of_file(found.size), f"{found}", *found.notes)) + "\n"


def verified(found: "Verified", form: str = "text") -> str:
    """What was found in a file."""
    if form == "json":
        plain = {
            "path": str(found.path),
            "mode": found.mode,
            "bytes": found.bytes,
            "arrays": found.arrays,
            "predicted": dict(found.predicted),
            "actual": dict(found.actual),
            "findings": list(found.findings),
        }
        return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
    return "\n".join((*_compared(found), str(found), *found.findings)) + "\n"


def _compared(found: "Verified") -> list[str]:
    """Predicted beside actual, a line per term."""
    if not found.actual:
        return []
    names = list({**found.predicted, **found.actual})
    columns = [
        Column("term", [name.replace("_", " ") for name in names], "left"),
        Column("predicted [bits]", [f"{found.predicted.get(name, 0):,}" for name in names], "right"),
        Column("in the file", [f"{found.actual.get(name, 0):,}" for name in names], "right"),
    ]
    return [*(line.rstrip() for line in text.plain(columns)), ""]
