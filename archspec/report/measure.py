"""A network's layers on this machine: operations saved, the machine's roof, measured."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from archspec.ops.base import per_axis
from archspec.report import numbers
from archspec.report.page import (
    EMPTY,
    Cell,
    Column,
    Name,
    Notes,
    Number,
    Report,
    Section,
    Shape,
    Sizes,
    Table,
    Title,
    exact_texts,
    with_total,
)

if TYPE_CHECKING:
    from archspec.kernels.measuring import FormTime, MeasuredLayer, Measurement


def measurement(found: "Measurement") -> Report:
    """The layers, their sum, and the whole network."""
    return Report(
        (
            Section((Title(_sentence(found)),)),
            Section((Table(_columns(found), [*with_total(len(found.layers)), "aside"]),)),
            Section((Notes(list(_notes(found))),)),
        ),
        data=lambda: _data(found),
        records=lambda: Table(_records(found)),
    )


def _columns(found: "Measurement") -> list[Column]:
    """One line per layer, their sum, and the network as a whole, with what lies between them."""
    layers = found.layers
    floats = sum(layer.real.seconds for layer in layers)
    mixed = sum((layer.bits or layer.real).seconds for layer in layers)
    real, bits = found.whole

    def column(
        heading: str, cell: "Callable[[MeasuredLayer], Cell]", total: Cell, whole: Cell, drop: int = 0
    ) -> Column:
        return Column(heading, [*map(cell, layers), total, whole], drop=drop)

    columns = [
        Column("layer", [*(Name(each.node.name) for each in layers), Name("layers"), Name("network")], least=10),
        column("output", lambda each: Shape(each.node.output.shape), EMPTY, EMPTY, 1),
        column("MACs", lambda each: Number(each.macs), Number(sum(each.macs for each in layers)), EMPTY),
        column("float32 ms", lambda each: _milliseconds(each.real), _ms(floats), _milliseconds(real)),
        column("GFLOP/s", _rate, EMPTY, EMPTY, 3),
        column("of roof", lambda each: _share(each.real), EMPTY, EMPTY, 2),
    ]
    if bits is not None:
        whole = _times(real.seconds / bits.seconds)
        columns += [
            column("one-bit ms", lambda each: _milliseconds(each.bits), _ms(mixed), _milliseconds(bits)),
            column("of roof", lambda each: _share(each.bits), EMPTY, EMPTY, 2),
            column("operations", lambda each: _times(each.operations), EMPTY, EMPTY),
            column("roof", lambda each: _times(each.roof), EMPTY, EMPTY),
            column("measured", lambda each: _times(each.measured), _times(floats / mixed), whole),
        ]
    return [each for each in columns if any(cell.text for cell in each.cells)]


def _sentence(found: "Measurement") -> str:
    real, bits = found.whole
    sentence = f"{found.network.name}: {_ms(real.seconds).text} ms in float32"
    if bits is None:
        return sentence
    return f"{sentence}, {_ms(bits.seconds).text} ms with bits, {_times(real.seconds / bits.seconds).text}"


def _notes(found: "Measurement") -> Iterator[str]:
    bindings = numbers.bindings(found.network.bindings)
    threads = f"{found.threads} thread{'s' * (found.threads > 1)}"
    yield f"batch {found.network.batch}{bindings and f'; {bindings}'}; {threads}"
    yield f"medians of {found.runs} rounds, in each of which every form ran once; float32 in torch's quicker layout"
    real, bits = found.whole
    if bits is not None:
        yield (
            f"parameters and buffers {numbers.exact_size(real.bytes)} in float32, {numbers.exact_size(bits.bytes)} "
            f"with bits: {_times(real.bytes / bits.bytes).text} less; one-bit layers by {found.way}"
        )
        yield "operations: 64·c·N_W/(c·N_W + 64), of one-bit weights alone 2 (additions without products)"
        if any(layer.bits and layer.measured and layer.measured < 1 for layer in found.layers):
            yield "below 1×, a layer is slower with bits than in float32"
    machine = found.machine
    if machine is None:
        yield "without numba the machine's roof is not measured: pip install 'archspec-nn[kernels]'"
        return
    yield (
        f"roof of a thread, by loops on registers: {machine.macs * 2 / 1e9:,.0f} GFLOP/s of float32, "
        f"{machine.products / 1e9:,.0f}·10⁹ products of ±1 a second ({machine.products / machine.macs:.1f} times the "
        f"MACs); or reading the weights, where that takes longer"
    )
    yield f"processor {machine.processor}, vectors of {machine.vector_bits} bits, bits counted by {machine.popcount}"


def _ms(seconds: float) -> Number:
    """Milliseconds to three digits that count.

    >>> _ms(0.0012345).text, _ms(0.123456).text, _ms(0.0000123).text
    ('1.23', '123', '0.0123')
    """
    value = seconds * 1e3
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3 if value >= 0.1 else 4
    return Number(value, f"{value:,.{places}f}")


def _milliseconds(form: "FormTime | None") -> Cell:
    return EMPTY if form is None else _ms(form.seconds)


def _times(ratio: float | None) -> Cell:
    return EMPTY if ratio is None else Number(ratio, f"{ratio:,.{1 if ratio >= 10 else 2}f}×")


def _rate(layer: "MeasuredLayer") -> Cell:
    rate = 2 * layer.macs / layer.real.seconds / 1e9
    return Number(rate, f"{rate:,.1f}")


def _share(form: "FormTime | None") -> Cell:
    if form is None or form.roof is None:
        return EMPTY
    return Number(form.roof / form.seconds, f"{100 * form.roof / form.seconds:.0f} %")


# ------------------------------------------------------------------ machines


def _records(found: "Measurement") -> list[Column]:
    """The layers, each with its description, as tables of latency have them."""
    layers = found.layers

    def column(name: str, of: "Callable[[MeasuredLayer], Any]", cell: Callable[[Any], Cell] = Number) -> Column:
        return Column(name, [cell(of(layer)) for layer in layers])

    def form(name: str, of: "Callable[[FormTime], Any]") -> Iterable[Column]:
        yield column(f"float32_{name}", lambda layer: of(layer.real))
        yield column(f"one_bit_{name}", lambda layer: layer.bits and of(layer.bits))

    return [
        column("layer", lambda layer: layer.node.name, Name),
        column("operator", lambda layer: layer.node.operator.name, Name),
        column("input", lambda layer: layer.given, Sizes),
        column("output", lambda layer: layer.node.output.shape, Sizes),
        *(
            column(name, lambda layer, name=name: _setting(layer, name), Sizes)  # type: ignore[misc]
            for name in ("kernel_size", "stride", "dilation")
        ),
        column("groups", lambda layer: getattr(layer.node.operator, "groups", 1)),
        column("macs", lambda layer: layer.macs),
        column("threads", lambda _: found.threads),
        *form("ms", lambda each: each.seconds * 1e3),
        *form("roof_ms", lambda each: None if each.roof is None else each.roof * 1e3),
        *form("bytes", lambda each: each.bytes),
        column("float32_layout", lambda layer: layer.real.layout, Name),
        column("operations", lambda layer: layer.operations),
        column("roof", lambda layer: layer.roof),
        column("measured", lambda layer: layer.measured),
    ]


def _setting(layer: "MeasuredLayer", name: str) -> tuple[Any, ...]:
    """A setting of a window, once for each axis of its input; 1 of what has none."""
    return per_axis(getattr(layer.node.operator, name, 1), max(len(layer.given) - 2, 1))


def _data(found: "Measurement") -> dict[str, Any]:
    machine = found.machine
    return {
        "spec": found.network.name,
        "bindings": exact_texts(found.network.bindings),
        "batch": found.network.batch,
        "threads": found.threads,
        "runs": found.runs,
        "way": found.way,
        "machine": machine
        and {
            "processor": machine.processor,
            "vector_bits": machine.vector_bits,
            "popcount": machine.popcount,
            "products_per_second": machine.products,
            "macs_per_second": machine.macs,
        },
        "network": {
            name: form and {"ms": form.seconds * 1e3, "bytes": form.bytes}
            for name, form in zip(("float32", "one_bit"), found.whole, strict=True)
        },
        "rows": Table(_records(found)).records(),
    }
