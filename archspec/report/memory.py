"""A network's memory over time."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from archspec.errors import ArchspecError
from archspec.memory import POLICIES
from archspec.memory.peak import Memory, Moment, peak_bytes
from archspec.ops.opaque import not_counted
from archspec.report import numbers
from archspec.report.page import (
    Bar,
    Column,
    Name,
    Notes,
    Number,
    Report,
    Section,
    Shape,
    Table,
    Title,
    exact_texts,
    raw,
)

GROUPINGS = ("layer", "block")


def memory(found: Memory, by: str = "block") -> Report:
    """The memory of a network; one row per layer or per block."""
    lines = _lines(found, by)
    return Report(
        (
            Section((Title(_sentence(found)), Notes(_notes(found)))),
            Section(
                (
                    Table(
                        [
                            Column("node", [Name(name) for name, _ in lines]),
                            Column("largest at", [Name(moment.node.operator.name) for _, moment in lines]),
                            Column("output", [Shape(moment.node.output.shape) for _, moment in lines]),
                            Column("bytes", [Number(moment.bytes) for _, moment in lines]),
                            Column("", [Bar(moment.bytes, found.peak) for _, moment in lines], "share"),
                        ]
                    ),
                )
            ),
        ),
        data=lambda: {
            "spec": found.network.name,
            "bindings": exact_texts(found.network.bindings),
            "batch": raw(found.network.batch),
            **({"not_counted": list(found.network.opaque)} if found.network.opaque else {}),
            "policy": found.policy,
            "dtype": found.dtype,
            "in_place": found.in_place,
            "optimal": found.optimal,
            "weight_bytes": raw(found.weight_bytes),
            "peak": raw(found.peak),
            "at": list(found.at),
            "timeline": _records(found.timeline).records(),
        },
        records=lambda: _records(found.timeline),
    )


def _lines(found: Memory, by: str) -> list[tuple[str, Moment]]:
    """The nodes, or those of each block that run one behind the other, by the one among them that needs most."""
    if by == "layer":
        return [(moment.node.name, moment) for moment in found.timeline]
    blocks = groupby(found.timeline, lambda moment: moment.node.block)
    return [(name, max(moments, key=lambda moment: moment.bytes)) for name, moments in blocks]


def _records(timeline: Sequence[Moment]) -> Table:
    return Table(
        [
            Column("node", [Name(moment.node.name) for moment in timeline]),
            Column("operator", [Name(moment.node.operator.name) for moment in timeline]),
            Column("output", [Shape(moment.node.output.shape) for moment in timeline]),
            Column("bytes", [Number(moment.bytes) for moment in timeline]),
        ]
    )


def _sentence(found: Memory) -> str:
    where = ", ".join(found.at[:2]) + (" …" if len(found.at) > 2 else "")
    size = f" ({numbers.binary_size(found.peak)})" if isinstance(found.peak, int) else ""
    return f"{found.network.name}: {numbers.number(found.peak)} bytes{size} at {where}"


def _notes(found: Memory) -> list[str]:
    bindings = "".join(f"; {name} = {value}" for name, value in found.network.bindings.items())
    order = (
        "the network's order" if found.order == tuple(n.name for n in found.network.nodes) else "an order of its own"
    )
    proved = ", no order needs less" if found.optimal else ""
    weights = f"; weights {numbers.number(found.weight_bytes)} bytes" if found.weight_bytes else ""
    written = "; written in place where nothing else reads" if found.in_place else ""
    return [
        f"{numbers.inputs(found.network)}, batch {found.network.batch}{bindings}",
        *not_counted(found.network.opaque),
        f"{found.policy}: {POLICIES[found.policy]}; {found.dtype}; {order}{proved}{weights}{written}",
        *_besides(found),
    ]


NEXT: Mapping[str, tuple[str, str]] = {
    "layerwise": ("liveness", "with what lives across nodes, such as a shortcut"),
    "liveness": ("eager", "in PyTorch, whose modules hold their inputs while they run"),
}
"""What a policy leaves out, by the policy that has it."""


def _besides(found: Memory) -> Iterator[str]:
    """What the next policy has besides, if that is more."""
    if found.policy not in NEXT or found.order != tuple(node.name for node in found.network.nodes):
        return
    policy, what = NEXT[found.policy]
    try:
        more = peak_bytes(found.network, policy, found.dtype, in_place=found.in_place, weights=bool(found.weight_bytes))
    except ArchspecError:  # the units of a repeat whose number is free
        return
    if isinstance(more, int) and isinstance(found.peak, int) and more > found.peak:
        yield f"{numbers.number(more)} bytes {what} (--policy {policy})"
