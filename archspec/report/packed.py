"""What a compressed file has, term by term, and what was found in one."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archspec.report.numbers import decimal
from archspec.report.page import EMPTY, Column, Name, Notes, Number, Report, Section, Table, Title, raw, with_total

if TYPE_CHECKING:  # what they are loads NumPy, which --help does not
    from archspec.compress.checking import Verified
    from archspec.compress.size import FileSize


def size_of_file(found: "FileSize") -> tuple[Section, Section]:
    """The terms of a file: one line per term, with its bytes and its share."""
    kind = "exact, for these weights" if found.exact else "expected, for independent positions"
    ratio = decimal(Fraction(found.dense_bytes) / found.bytes, 2)
    title = f"{found.bytes:,} bytes on disk ({kind}), {ratio}× smaller than {found.dense_bytes:,}"
    return Section((Title(title),)), Section((_terms(found),))


def _terms(found: "FileSize") -> Table:
    total = Fraction(sum(found.terms.values()))
    rows = [(name, Fraction(bits)) for name, bits in found.terms.items() if bits]
    places = 1 if found.exact else 0
    shares = [bits / total for _, bits in rows]
    return Table(
        [
            Column("the file, by term", [*(Name(name.replace("_", " ")) for name, _ in rows), Name("total")], "term"),
            Column("bytes", [*(Number(bits / 8, decimal(bits / 8, places)) for _, bits in rows), Number(found.bytes)]),
            Column("share", [*(Number(share, f"{decimal(100 * share, 2)} %") for share in shares), EMPTY]),
        ],
        with_total(len(rows)),
    )


def size_data(found: "FileSize") -> dict[str, Any]:
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
    return {name: raw(Fraction(bits)) for name, bits in terms.items()}


def verified(found: "Verified") -> Report:
    """What was found in a file: predicted beside actual, one line per term, and what is wrong."""
    compared = (Section((_compared(found),)),) if found.actual else ()
    return Report(
        (*compared, Section((Notes((found.sentence, *found.findings)),))),
        data=lambda: {
            "path": str(found.path),
            "mode": found.mode,
            "bytes": found.bytes,
            "arrays": found.arrays,
            "predicted": dict(found.predicted),
            "actual": dict(found.actual),
            "findings": list(found.findings),
        },
    )


def _compared(found: "Verified") -> Table:
    names = list({**found.predicted, **found.actual})
    return Table(
        [
            Column("term", [Name(name.replace("_", " ")) for name in names]),
            Column("predicted [bits]", [Number(found.predicted.get(name, 0)) for name in names], "predicted"),
            Column("in the file", [Number(found.actual.get(name, 0)) for name in names], "actual"),
        ]
    )
