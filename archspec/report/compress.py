"""What a compressed network weighs, term by term, what was found in its file, and the closed forms of both."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archspec.compress.closed_forms import ClosedForm
from archspec.dims import is_number
from archspec.graph.names import state_key
from archspec.report.numbers import decimal
from archspec.report.page import (
    EMPTY,
    Cell,
    Column,
    Equation,
    Formulas,
    Math,
    Name,
    Notes,
    Number,
    Report,
    Section,
    Table,
    Title,
    exact_texts,
    raw,
    with_total,
)

if TYPE_CHECKING:  # what they are loads NumPy, which --help does not
    from archspec.compress.layout import FileSize
    from archspec.compress.packing import Packed, Verified
    from archspec.compress.prediction import LayerPrediction, Prediction, Stored


def prediction(found: "Prediction") -> Report:
    """The table of a network under a plan."""
    notes = _notes(found)
    return Report(
        (
            Section((Title(_sentence(found)), *([Notes(notes)] if notes else []))),
            Section((_layers(found),)),
            *(() if found.file is None else _size_of_file(found.file)),
        ),
        data=lambda: {
            "spec": found.network.name,
            "plan": found.plan.name,
            "bindings": exact_texts(found.network.bindings),
            "dense_bits": raw(found.dense_bits),
            "stored_bits": raw(found.bits),
            "huffman_bits": raw(found.coded_bits),
            "compression_ratio": raw(found.compression_ratio),
            "huffman_ratio": raw(found.coded_ratio),
            "macs_share": raw(found.flops_share),
            "fewer_operations": raw(found.speedup),
            "rows": [
                {
                    "layer": row.node.name,
                    "weights": raw(row.weights),
                    "density": raw(row.density),
                    "dense_bits": raw(row.dense_bits),
                    "stored": _stored_data(row.fixed),
                    "huffman": _stored_data(row.coded),
                    "rate": raw(row.rate),
                    "huffman_rate": raw(row.coded_rate),
                    "macs_share": raw(row.flops_share),
                }
                for row in found.rows
            ],
            "file": None if found.file is None else _size_data(found.file),
        },
        records=lambda: _records(found),
    )


def packed(found: "Packed") -> Report:
    """What was written, beside what was predicted."""
    return Report(
        (
            Section((_layers(found.prediction),)),
            *_size_of_file(found.size),
            Section((Notes((found.sentence, *found.notes)),)),
        ),
        data=lambda: {"path": str(found.path), "notes": list(found.notes), "size": _size_data(found.size)},
    )


def _layers(found: "Prediction") -> Table:
    return Table(_columns(found), with_total(len(found.rows) + bool(found.other_bits != 0)))


def _columns(found: "Prediction") -> list[Column]:
    """One line per layer, what else there is, and the total."""
    rows = found.rows
    others = [EMPTY] if found.other_bits != 0 else []

    def column(heading: str, cells: Iterable[Cell], total: Cell = EMPTY, rest: Cell = EMPTY) -> Column:
        return Column(heading, [*cells, *(rest for _ in others), total])

    weights = sum(row.weights for row in rows)
    rest = _kilobytes(found.other_bits)
    columns = [
        column("layer", (Name(row.node.name) for row in rows), Name("total"), Name("others")),
        column("weights", (Number(row.weights) for row in rows), Number(weights)),
        column("kept", (_percent(row.fixed.kept, row.weights) for row in rows), _percent(found.kept, weights)),
        column("stored as", (Name(_method(row)) for row in rows)),
        column("kB", (_kilobytes(row.fixed.bits) for row in rows), _kilobytes(found.bits), rest),
        column("rate", (_percent(row.rate) for row in rows), _percent(found.bits, found.dense_bits)),
    ]
    if found.coded_bits != found.bits:
        columns += [
            column("Huffman", (Name(_code(row)) for row in rows)),
            column("kB", (_kilobytes(row.coded.bits) for row in rows), _kilobytes(found.coded_bits), rest),
            column("rate", (_percent(row.coded_rate) for row in rows), _percent(found.coded_bits, found.dense_bits)),
        ]
    if found.flops_share != 1:
        columns.append(column("MACs", (_percent(row.flops_share) for row in rows), _percent(found.flops_share)))
    if found.measured is not None:
        sizes, rest = _measured(found)
        total = _kilobytes(sum(sizes) + rest)
        columns.append(column("measured kB", map(_kilobytes, sizes), total, _kilobytes(rest)))
        columns.append(
            column(
                "rate",
                (_percent(size, row.dense_bits) for size, row in zip(sizes, rows, strict=True)),
                _percent(sum(sizes) + rest, found.dense_bits),
            )
        )
    return columns


def _measured(found: "Prediction") -> tuple[list[Any], Any]:
    """The bits of each layer in the file of given weights, and those of all other arrays; the frame apart."""
    parts = [] if found.measured is None else list(found.measured.parts)
    prefixes = [state_key(row.node.name, "") for row in found.rows]
    sizes = [sum(part.bits for part in parts if part.coding.key.startswith(prefix)) for prefix in prefixes]
    return sizes, sum(part.bits for part in parts) - sum(sizes)


def _records(found: "Prediction") -> Table:
    """The layers for machines."""
    rows = found.rows

    def figure(name: str, of: "Callable[[LayerPrediction], Any]") -> Column:
        return Column(name, [Number(of(row)) for row in rows])

    return Table(
        [
            Column("layer", [Name(row.node.name) for row in rows]),
            figure("weights", lambda row: row.weights),
            figure("kept", lambda row: row.fixed.kept),
            figure("density", lambda row: row.density),
            figure("dense_bits", lambda row: row.dense_bits),
            figure("stored_bits", lambda row: row.fixed.bits),
            figure("rate", lambda row: row.rate),
            figure("huffman_bits", lambda row: row.coded.bits),
            figure("huffman_rate", lambda row: row.coded_rate),
            figure("macs_share", lambda row: row.flops_share),
        ]
    )


def _method(row: "LayerPrediction") -> str:
    """What a weight is stored as."""
    entry, stored = row.entry, row.fixed
    if entry.rank:
        return f"rank {entry.rank}"
    if entry.binary:
        return "1 bit" if entry.binary == "weights" else "1 bit, inputs too"
    values = f"{stored.weight_bits} bits" + (f", a scale per {_scale(entry)}" if entry.linear_bits else "")
    if entry.index_form == "dense":
        return values
    index = {"gaps": f"{stored.index_bits} of a gap", "rows": f"{stored.index_bits} of a column"}
    return f"{values} + {index.get(entry.index_form, entry.index_form)}"


def _scale(entry: Any) -> str:
    return f"{entry.linear_per} weights" if isinstance(entry.linear_per, int) else str(entry.linear_per)


def _code(row: "LayerPrediction") -> str:
    if row.coded == row.fixed:
        return ""
    index = f" + {decimal(row.coded.index_bits, 1)}" if row.coded.index_bits else ""
    return f"{decimal(row.coded.weight_bits, 1)}{index}"


def _sentence(found: "Prediction") -> str:
    dense, stored, coded = (_kilobytes(bits).text for bits in (found.dense_bits, found.bits, found.coded_bits))
    sizes = f"{dense} kB → {stored} kB, {decimal(found.compression_ratio, 1)}×"
    if found.coded_bits != found.bits:
        sizes += f"; Huffman coded {coded} kB, {decimal(found.coded_ratio, 1)}×"
    return f"{found.network.name}, {found.plan.name}: {sizes}"


def _notes(found: "Prediction") -> list[str]:
    notes = []
    if any(row.fixed.filled != 0 for row in found.rows):
        notes.append("with the zeros that fill long gaps, as many as independent positions need, and with the biases")
    if any(row.entry.binary for row in found.rows) and found.speedup is not None:
        notes.append(f"{decimal(found.speedup, 2)}× fewer operations, 64 one-bit ones at once (convention xnor)")
    return notes


# ------------------------------------------------------------------ numbers


def _kilobytes(bits: Any) -> Number:
    """Bits in kB of 1000 bytes, to one decimal; an expression as it is."""
    if not is_number(bits):
        return Number(bits, f"({bits})/8000")
    return Number(Fraction(bits) / 8000, decimal(Fraction(bits) / 8000, 1))


def _percent(part: Any, whole: Any = 1) -> Number:
    if not is_number(part) or not is_number(whole):
        return Number(None, "…")
    share = Fraction(part) / whole
    return Number(share, f"{decimal(100 * share, 2 if 0 < part < whole else 0)} %")


# ------------------------------------------------------------------ machines


def _stored_data(stored: "Stored") -> dict[str, Any]:
    parts = {name: raw(bits) for name, bits in stored.parts.items()}
    return {"bits": raw(stored.bits), "without_fillers_and_biases": raw(stored.least_bits), "parts": parts}


# ------------------------------------------------------------------ files


def _size_of_file(found: "FileSize") -> tuple[Section, Section]:
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


def _size_data(found: "FileSize") -> dict[str, Any]:
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
    names = list({**found.predicted, **found.actual})
    compared = [
        Column("term", [Name(name.replace("_", " ")) for name in names]),
        Column("predicted [bits]", [Number(found.predicted.get(name, 0)) for name in names], "predicted"),
        Column("in the file", [Number(found.actual.get(name, 0)) for name in names], "actual"),
    ]
    return Report(
        (
            *([Section((Table(compared),))] if found.actual else []),
            Section((Notes((found.sentence, *found.findings)),)),
        ),
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


# ------------------------------------------------------------------ closed forms


def closed_forms(forms: Sequence[ClosedForm], values: Mapping[str, str]) -> Report:
    """Closed forms, with values for some letters."""
    return Report(
        tuple(_section(form, values) for form in forms),
        data=lambda: [_form_data(form, values) for form in forms],
        records=lambda: Table(
            [
                Column("name", [Name(form.name) for form in forms]),
                Column("formula", [_math(form, values) for form in forms]),
                Column("value", [Number(_value(form, values)) for form in forms]),
                Column("doc", [Name(form.doc) for form in forms]),
                Column("source", [Name(form.source) for form in forms]),
            ]
        ),
    )


def _section(form: ClosedForm, values: Mapping[str, str]) -> Section:
    value, math = _value(form, values), _math(form, values)
    near = f" ≈ {float(value):.12g}" if isinstance(value, Fraction) else ""
    line = Equation(form.name, "=", f"{math.text}{near}", math.latex + near.replace("≈", r"\approx"))
    about = (form.doc, *(f"{name}: {letter.meaning}" for name, letter in form.letters.items()), form.source)
    return Section((Formulas((line,)), Notes(about, inset=True)))


def _value(form: ClosedForm, values: Mapping[str, str]) -> Any:
    """The number, once every letter has one; None before."""
    value = form.expression(values)
    return value if is_number(value) else None


def _math(form: ClosedForm, values: Mapping[str, str]) -> Math:
    formula = form.formula(values)
    return Math(formula.text(), formula.latex())


def _form_data(form: ClosedForm, values: Mapping[str, str]) -> dict[str, Any]:
    formula = form.formula(values)
    return {
        "name": form.name,
        "doc": form.doc,
        "letters": {name: letter.meaning for name, letter in form.letters.items()},
        "set": dict(values),
        "text": formula.text(),
        "latex": formula.latex(),
        "python": formula.python(),
        "javascript": formula.javascript(),
        "value": raw(_value(form, values)),
        "source": form.source,
    }
