"""What a compressed network weighs, and the closed forms of that: for a terminal, for papers and for machines."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from archspec.compress.closed_forms import ClosedForm
from archspec.dims import is_number
from archspec.report import text
from archspec.report.packed import plain_size, size_of_file
from archspec.report.text import Column

if TYPE_CHECKING:  # what they are loads NumPy, which --help does not
    from archspec.compress.prediction import Prediction, Row, Stored

FORMATS = ("text", "markdown", "latex", "csv", "json")


def prediction(found: "Prediction", form: str = "text", *, width: int = 100, colour: bool = False) -> str:
    """The table of a network under a plan, as one of `FORMATS`."""
    if form == "json":
        return json.dumps(_plain(found), ensure_ascii=False, indent=1) + "\n"
    columns = _columns(found)
    if form == "csv":
        table = zip(*((column.header, *column.cells) for column in columns), strict=True)
        return "".join(",".join(cell.replace(",", "") for cell in line) + "\n" for line in table)
    if form == "markdown":
        return f"{_sentence(found)}\n\n{text.markdown(columns)}\n"
    if form == "latex":
        return text.latex(columns) + "\n"
    header, rule, *rows = (line.rstrip() for line in text.plain(columns))
    title = _sentence(found)
    bold = [f"\x1b[1m{line}\x1b[0m" for line in (title, header)] if colour else [title, header]
    notes = [line for note in _notes(found) for line in textwrap.wrap(note, width, subsequent_indent="  ")]
    printed = "\n".join((bold[0], *notes, "", bold[1], rule, *rows[:-1], "─" * len(rule), rows[-1])) + "\n"
    return printed if found.file is None else f"{printed}\n{size_of_file(found.file)}"


def _columns(found: "Prediction") -> list[Column]:
    """A line a layer, what else there is, and the total."""
    rows = found.rows
    other = found.other_bits != 0
    rest = _kilobytes(found.other_bits)

    def column(header: str, cells: Sequence[str], others: str = "", total: str = "", align: Any = "right") -> Column:
        return Column(header, [*cells, *([others] if other else []), total], align)

    columns = [
        column("layer", [row.node.name for row in rows], "others", "total", "left"),
        column("weights", [text.number(row.weights) for row in rows], "", text.number(sum(r.weights for r in rows))),
        column("kept", [_percent(row.fixed.kept, row.weights) for row in rows], "", _total_kept(found)),
        column("stored as", [_method(row) for row in rows], align="left"),
        column("kB", [_kilobytes(row.fixed.bits) for row in rows], rest, _kilobytes(found.bits)),
        column("rate", [_percent(row.rate) for row in rows], "", _percent(found.bits, found.dense_bits)),
    ]
    if found.coded_bits != found.bits:
        columns += [
            column("Huffman", [_code(row) for row in rows], align="left"),
            column("kB", [_kilobytes(row.coded.bits) for row in rows], rest, _kilobytes(found.coded_bits)),
            column("rate", [_percent(r.coded_rate) for r in rows], "", _percent(found.coded_bits, found.dense_bits)),
        ]
    if found.flops_share != 1:
        columns.append(column("MACs", [_percent(row.flops_share) for row in rows], "", _percent(found.flops_share)))
    return columns


def _total_kept(found: "Prediction") -> str:
    return _percent(found.kept, sum(row.weights for row in found.rows))


def _method(row: "Row") -> str:
    """What a weight is stored as."""
    entry, stored = row.entry, row.fixed
    if entry is not None and entry.rank:
        return f"rank {entry.rank}"
    if entry is not None and entry.binary:
        return "1 bit" if entry.binary == "weights" else "1 bit, inputs too"
    values = f"{stored.weight_bits} bits" + (f", a scale per {_scale(entry)}" if entry and entry.linear_bits else "")
    if entry is None or entry.form == "dense":
        return values
    index = {"gaps": f"{stored.index_bits} of a gap", "rows": f"{stored.index_bits} of a column"}
    return f"{values} + {index.get(entry.form, entry.form)}"


def _scale(entry: Any) -> str:
    return f"{entry.linear_per} weights" if isinstance(entry.linear_per, int) else str(entry.linear_per)


def _code(row: "Row") -> str:
    if row.coded == row.fixed:
        return ""
    index = f" + {_decimal(row.coded.index_bits, 1)}" if row.coded.index_bits else ""
    return f"{_decimal(row.coded.weight_bits, 1)}{index}"


def _sentence(found: "Prediction") -> str:
    sizes = f"{_kilobytes(found.dense_bits)} kB → {_kilobytes(found.bits)} kB, {_decimal(found.compression_ratio, 1)}×"
    if found.coded_bits != found.bits:
        sizes += f"; Huffman coded {_kilobytes(found.coded_bits)} kB, {_decimal(found.coded_ratio, 1)}×"
    return f"{found.network.name}, {found.plan.name}: {sizes}"


def _notes(found: "Prediction") -> list[str]:
    notes = []
    if any(row.fixed.filled != 0 for row in found.rows):
        notes.append("with the zeros that fill long gaps, as many as independent positions need, and with the biases")
    if any(row.entry and row.entry.binary for row in found.rows):
        notes.append(f"{_decimal(found.speedup, 2)}× fewer operations, 64 one-bit ones at once (convention xnor)")
    return notes


# ------------------------------------------------------------------ numbers


def _kilobytes(bits: Any) -> str:
    """Bits in kB of 1000 bytes, to one decimal; an expression as it is."""
    return _decimal(Fraction(bits) / 8000, 1) if is_number(bits) else f"({bits})/8000"


def _percent(part: Any, whole: Any = 1) -> str:
    if not is_number(part) or not is_number(whole):
        return "…"
    return f"{_decimal(Fraction(part) * 100 / whole, 2 if 0 < part < whole else 0)} %"


def _decimal(value: Any, places: int) -> str:
    """A rational to so many places, halves upwards, its thousands apart."""
    if not is_number(value):
        return str(value)
    scaled = (2 * Fraction(value) * 10**places + 1) // 2
    whole, part = divmod(scaled, 10**places)
    return f"{whole:,}" + (f".{part:0{places}}" if places else "")


# ------------------------------------------------------------------ machines


def _plain(found: "Prediction") -> dict[str, Any]:
    return {
        "spec": found.network.name,
        "plan": found.plan.name,
        "bindings": {name: str(value) for name, value in found.network.bindings.items()},
        "dense_bits": _json(found.dense_bits),
        "stored_bits": _json(found.bits),
        "huffman_bits": _json(found.coded_bits),
        "compression_ratio": _json(found.compression_ratio),
        "huffman_ratio": _json(found.coded_ratio),
        "macs_share": _json(found.flops_share),
        "fewer_operations": _json(found.speedup),
        "rows": [_plain_row(row) for row in found.rows],
        "file": None if found.file is None else plain_size(found.file),
    }


def _plain_row(row: "Row") -> dict[str, Any]:
    return {
        "layer": row.node.name,
        "weights": _json(row.weights),
        "density": _json(row.density),
        "dense_bits": _json(row.dense_bits),
        "stored": _plain_stored(row.fixed),
        "huffman": _plain_stored(row.coded),
        "rate": _json(row.rate),
        "huffman_rate": _json(row.coded_rate),
        "macs_share": _json(row.flops_share),
    }


def _plain_stored(stored: "Stored") -> dict[str, Any]:
    parts = {name: _json(bits) for name, bits in stored.parts.items()}
    return {"bits": _json(stored.bits), "without_fillers_and_biases": _json(stored.least_bits), "parts": parts}


def _json(value: Any) -> Any:
    """Whole numbers as they are, others as the nearest float; expressions as text."""
    if not is_number(value):
        return str(value)
    return int(value) if Fraction(value).denominator == 1 else float(value)


# ------------------------------------------------------------------ closed forms


def closed_forms(forms: Sequence[ClosedForm], values: Mapping[str, str], form: str, *, width: int = 100) -> str:
    """Closed forms, with values for some letters, as text, latex or json."""
    if form == "json":
        return json.dumps([_plain_form(each, values) for each in forms], ensure_ascii=False, indent=1) + "\n"
    if form == "latex":
        return "".join(f"{_name(each)} = {each.formula(values).latex()}\n" for each in forms)
    return "\n".join(_printed(each, values, width) for each in forms)


def _printed(form: ClosedForm, values: Mapping[str, str], width: int) -> str:
    about = [form.doc, *(f"{name}: {letter.meaning}" for name, letter in form.letters.items()), form.source]
    lines = [
        line for part in about for line in textwrap.wrap(part, width - 4, initial_indent="  ", subsequent_indent="    ")
    ]
    value = form.expression(values)
    near = f" ≈ {float(value):.12g}" if isinstance(value, Fraction) else ""
    return "\n".join((f"{form.name} = {form.formula(values)}{near}", *lines)) + "\n"


def _name(form: ClosedForm) -> str:
    return rf"\mathrm{{{text.latex_escape(form.name)}}}"


def _plain_form(form: ClosedForm, values: Mapping[str, str]) -> dict[str, Any]:
    value, formula = form.expression(values), form.formula(values)
    return {
        "name": form.name,
        "doc": form.doc,
        "letters": {name: letter.meaning for name, letter in form.letters.items()},
        "set": dict(values),
        "text": formula.text(),
        "latex": formula.latex(),
        "python": formula.python(),
        "javascript": formula.javascript(),
        "value": _json(value) if is_number(value) else None,
        "source": form.source,
    }
