"""What is in memory while each node of a network runs."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from archspec.draw.charts.parts import alt, at, beside_lines, lined, plain, rows, series, short_number, titled
from archspec.draw.style import FAINT, GRID, SKY
from archspec.errors import ArchspecError
from archspec.memory.peak import Memory
from archspec.ops.opaque import not_counted

APART = 50
"""The names of two stages are a fiftieth of the width apart at least; of stages that begin closer one is named."""


def memory(*found: Memory) -> Any:
    """The bytes in memory, node by node, with the peak; of several policies one line each.

    Args:
        found: Of one network, one a policy.

    Raises:
        ArchspecError: Symbols are free, or there are more policies than can be told apart.
    """
    names = [_named(each) for each in found]
    encodings = series(names, offset=84)
    x = alt.X("place:Q", title=None, axis=alt.Axis(labels=False, ticks=False, grid=False), scale=alt.Scale(nice=False))
    y = alt.Y("bytes:Q", title="in memory [B]", axis=alt.Axis(format="~s"), scale=alt.Scale(zero=True))
    base = alt.Chart(rows(_moments(found, names))).encode(x=x, y=y)
    lines = base.mark_line(interpolate="step-after", strokeWidth=2).encode(**lined(encodings))
    layers = [_stages(found[0]), lines, _peaks(found, names)]
    if len(found) == 1:
        layers.insert(1, base.mark_area(interpolate="step-after", color=SKY, opacity=0.35))
    first = found[0]
    return titled(
        alt.layer(*layers).properties(width=620, height=240),
        f"{first.network.name}: memory while each node runs",
        f"{at(first.network.bindings)}; batch {first.network.batch}; {first.dtype}"
        + (f"; {names[0]}" if len(found) == 1 else "")
        + ("; written in place where nothing else reads" if first.in_place else "")
        + (f"; weights {short_number(first.weight_bytes)}B of it" if first.weight_bytes else ""),
        *not_counted(first.network.opaque),
    )


def _named(found: Memory) -> str:
    given = found.order == tuple(node.name for node in found.network.nodes)
    return found.policy if given else f"{found.policy}, order of its own"


def _moments(found: Sequence[Memory], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The moments, and at the end the last once more, where its step ends."""
    for each, name in zip(found, names, strict=True):
        for place, moment in enumerate((*each.timeline, each.timeline[-1])):
            yield {"series": name, "place": place, "bytes": plain(moment.bytes), "node": moment.node.name}


def _peaks(found: Sequence[Memory], names: Sequence[str]) -> Any:
    records: list[dict[str, Any]] = []
    for each, name in zip(found, names, strict=True):
        if not each.at:
            raise ArchspecError(f"{each.network.name} has no peak to be marked")
        place = each.order.index(each.at[0])
        late = place > len(each.order) / 2
        label = f"{short_number(each.peak)}B at {each.at[0]}"
        if any((place + 0.5, plain(each.peak)) == (other["place"], other["bytes"]) for other in records):
            label = ""
        records.append({"series": name, "place": place + 0.5, "bytes": plain(each.peak), "label": label, "late": late})
    base = alt.Chart(rows(records, names)).encode(x="place:Q", y="bytes:Q")
    left = base.mark_text(align="left", dx=6, dy=-6, fontSize=10).encode(text="label:N")
    right = base.mark_text(align="right", dx=-6, dy=-6, fontSize=10).encode(text="label:N")
    points = base.mark_point(size=60, filled=True).encode(**beside_lines())
    return points + left.transform_filter("!datum.late") + right.transform_filter("datum.late")


def _stages(found: Memory) -> Any:
    """Where each stage begins: a line, and the stage's name below the axis."""
    shown: list[dict[str, Any]] = []
    for stage, run in groupby(enumerate(found.timeline), lambda item: item[1].node.stage):
        place = next(run)[0]
        if not shown or (place - shown[-1]["place"]) * APART >= len(found.timeline):
            shown.append({"stage": stage, "place": place})
    base = alt.Chart(rows(shown)).encode(x="place:Q")
    names = base.mark_text(angle=270, align="right", baseline="middle", dx=-4, fontSize=9, color=FAINT, limit=120)
    return base.mark_rule(color=GRID) + names.encode(text="stage:N", y=alt.YValue(240))
