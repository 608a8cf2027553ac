"""How numbers, sums, shapes and sources are read."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from archspec import writing
from archspec.cost import USUAL, CostTable, Counting, Term, quantity
from archspec.dims import is_number
from archspec.graph import Network
from archspec.language.document import Document
from archspec.ops.opaque import not_counted

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def number(value: Any) -> str:
    """An integer with its thousands apart; a fraction to four digits, an expression as it is, what is undefined as –.

    >>> number(568740352), number(Fraction(1, 3)), number(None)
    ('568,740,352', '0.3333', '–')
    """
    if isinstance(value, Fraction):
        return f"{float(value):,.{0 if abs(value) >= 1000 else 4}{'f' if abs(value) >= 1000 else 'g'}}"
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)


def signed(gap: Any) -> str:
    """A difference with its sign; what is undefined as –.

    >>> signed(568740352), signed(-25), signed(0), signed(None)
    ('+568,740,352', '−25', '0', '–')
    """
    return f"{'+' if gap > 0 else '−'}{number(abs(gap))}" if gap else number(gap)


def request_notes(counting: Counting, quantities: Iterable[str]) -> list[str]:
    """What of a request decides some quantities, besides the convention and the batch, where it must be said.

    >>> request_notes(Counting(dtype="int8", in_place=True, weight_bits=4), ["memory", "weight_bytes"])
    ['memory layerwise, int8, in place', '4-bit weights']
    """
    kinds = {quantity(name).kind for name in quantities}
    how = (
        counting.policy,
        counting.dtype,
        *["best order"] * (counting.order == "best"),
        *["in place"] * counting.in_place,
    )
    notes = [f"memory {', '.join(how)}"] if "peak" in kinds else []
    if counting.dtype != USUAL.dtype and not notes:
        notes.append(f"{counting.dtype} activations")
    return [*notes, f"{counting.bits}-bit weights"] if counting.weight_bits is not None else notes


def request(counting: Counting) -> dict[str, Any]:
    """A request to count as JSON has it."""
    asked = {name: getattr(counting, name) for name in ("batch", "policy", "dtype", "order", "in_place")}
    return {"convention": counting.convention.name, **asked, "weight_bits": counting.bits}


def convention_note(counting: Counting, quantities: Iterable[str] = ()) -> str:
    """The convention, and what else of a request decides some quantities.

    >>> convention_note(Counting(weight_bits=4)).split("; ")[0::5]
    ['convention default: params: weights, biases, scales and shifts of normalisations', '4-bit weights']
    """
    convention = counting.convention
    return "; ".join((f"convention {convention.name}: {convention.doc}", *request_notes(counting, quantities)))


def compared_note(tables: Iterable[tuple[str, CostTable]], quantities: Iterable[str]) -> str:
    """What the totals of networks leave out, by what each is called, and the convention of the first."""
    named = [*tables]
    missing = (f"{name}: {note}" for name, table in named for note in not_counted(table.network.opaque))
    return "; ".join((*missing, convention_note(named[0][1].counting, quantities)))


def decimal(value: Any, places: int) -> str:
    """A rational number to some places, halves away from 0, its thousands apart; an expression as it is.

    >>> decimal(Fraction(-12345, 10), 0), decimal(Fraction(1, 8), 2), decimal(0, 1)
    ('−1,235', '0.13', '0.0')
    """
    if not is_number(value):
        return str(value)
    scaled = (2 * abs(Fraction(value)) * 10**places + 1) // 2
    whole, part = divmod(scaled, 10**places)
    return f"{'−' if value < 0 and scaled else ''}{whole:,}" + (f".{part:0{places}}" if places else "")


def bindings(values: Mapping[str, Any]) -> str:
    """The values of symbols, as notes say them.

    >>> bindings({"alpha": Fraction(1, 2), "side": 224})
    'alpha = 1/2, side = 224'
    """
    return ", ".join(f"{name} = {exactly(value)}" for name, value in values.items())


def exactly(value: Any) -> str:
    """A value of a symbol or a setting as a specification writes it.

    >>> exactly(True), exactly(Fraction(1, 2)), exactly((2, "relu"))
    ('true', '1/2', '[2, relu]')
    """
    if isinstance(value, tuple):
        return f"[{', '.join(map(exactly, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def terms(summands: Iterable[Term], of: str = "macs") -> str:
    """A sum, each factor before what it multiplies; the operator `of` need not be named.

    >>> terms([Term("macs", "macs", 2, 9000), Term("max_pool2d", "outputs", -1, 5)])
    '2·9,000 macs − 5 max_pool2d outputs'
    """
    written = ""
    for term in summands:
        sign = (" − " if term.factor < 0 else " + ") if written else "−" if term.factor < 0 else ""
        factor = f"{abs(term.factor)}·" if abs(term.factor) > 1 else ""
        name = term.what if term.of in (term.what, of, "macs", "biases") else f"{term.of} {term.what}"
        written += f"{sign}{factor}{number(term.count)} {name}"
    return written or "0"


def inputs(network: Network) -> str:
    """What a network takes, of one element of the batch; several inputs by their names."""
    if len(network.inputs) == 1:
        return f"input {shape(network.input.shape)}"
    return f"inputs {', '.join(f'{name} {shape(tensor.shape)}' for name, tensor in network.inputs.items())}"


def shape(sizes: Sequence[Any]) -> str:
    """The sizes of one element of the batch.

    >>> shape((1, 32, 112, 112))
    '32×112×112'
    """
    return writing.sizes(sizes[1:])


def share(part: int, whole: int) -> str:
    """A part in percent, to one decimal, halves upwards.

    >>> share(1, 3)
    '33.3 %'
    """
    tenths = (2000 * part + whole) // (2 * whole) if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


def bar(part: int, whole: int, cells: int) -> str:
    """A part of a whole as a bar of eighths of characters; never empty for what is not nothing.

    >>> bar(5, 16, 4)
    '█▎  '
    """
    eighths = min((16 * cells * part + whole) // (2 * whole), 8 * cells) if whole else 0
    eighths = max(eighths, 1) if part else 0
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(cells)


def binary_size(count: int) -> str:
    """A number of bytes in KiB or MiB, to one decimal.

    >>> binary_size(17015456)
    '16.2 MiB'
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            tenths = (20 * count + size) // (2 * size)
            return f"{tenths // 10}.{tenths % 10} {unit}"
    return f"{count} B"


def exact_size(count: int) -> str:
    """A number of bytes, and in KiB or MiB where it is large.

    >>> exact_size(17015456), exact_size(184)
    ('17,015,456 B = 16.2 MiB', '184 B')
    """
    exact = f"{number(count)} B"
    return exact if count < 2**10 else f"{exact} = {binary_size(count)}"


def shorten(text: str, width: int, tail: int | None = None) -> str:
    """A text of at most `width` characters, what is before the last `tail` left out if need be; or else the middle.

    >>> shorten("bottleneck2/unit1/expand", 15), shorten("bottleneck2/unit1/expand", 15, 11)
    ('bottlen…/expand', 'bot…nit1/expand')
    """
    if len(text) <= width:
        return text
    tail = (width - 1) // 2 if tail is None else tail
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def network_title(network: Network) -> str:
    """The name of a network, and the paper of its specification."""
    source = cite(network.document) if network.document else ""
    return f"{network.name}: {source}" if source else network.name


def cite(document: Document) -> str:
    """The paper of a specification, on one line."""
    source = document.source
    if source is None:
        return document.doc or ""
    where = (
        f"arXiv:{source.arxiv}" if source.arxiv else f"doi:{source.doi}" if source.doi else source.url,
        source.table or (source.section and f"section {source.section}"),
    )
    year = f" ({source.year})" if source.year else ""
    return ", ".join((f"{source.title}{year}", *(part for part in where if part)))
