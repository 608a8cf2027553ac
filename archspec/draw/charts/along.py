"""A quantity against a symbol, with its jumps."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from archspec.draw.charts.parts import (
    alt,
    at,
    axis_title,
    beside_lines,
    dotted,
    lined,
    plain,
    rows,
    series,
    short_number,
    titled,
)
from archspec.errors import ArchspecError
from archspec.sweeps.staircase import Staircase


def along(*found: Staircase) -> Any:
    """One panel for each quantity, one line for each network: flat where nothing changes, and every jump where it is.

    A symbol that takes whole numbers, or chooses, has points. A ring is where the network usually is.

    Args:
        found: Of one symbol and the same quantities, one a network.

    Raises:
        ArchspecError: They are along several symbols, or there are more than can be told apart.
    """
    first = found[0]
    if len({each.line.symbol for each in found}) > 1:
        raise ArchspecError(f"one picture is along one symbol, such as {first.line.symbol}")
    names = _names(found)
    panels = [_panel(found, names, quantity) for quantity in first.quantities]
    where = "the other symbols at their usual values"
    if len(found) == 1:
        others = {name: value for name, value in first.bindings.items() if name != first.line.symbol}
        what = "networks" if first.line.kind == "real" else "values"
        where = f"{at(others) or 'no other symbols'}; {len(first.pieces):,} {what}"
    title = f"{' and '.join(names)} along {first.line.symbol}"
    return titled(alt.vconcat(*panels, spacing=16), title, f"{where}; convention {first.counting.convention.name}")


def _names(found: Sequence[Staircase]) -> list[str]:
    """The networks' names; those of the same name with what they are bound to otherwise."""
    names = [each.name for each in found]
    if len(set(names)) == len(names):
        return names
    differ = {key for a, b in pairwise(found) for key in a.bindings if a.bindings[key] != b.bindings.get(key)}
    return [f"{each.name}, {at({k: v for k, v in each.bindings.items() if k in differ})}" for each in found]


def _panel(found: Sequence[Staircase], names: Sequence[str], quantity: str) -> Any:
    points = found[0].line.kind == "choices"
    encodings = series(names, lines=not points)
    words = points and any(isinstance(each, str) for each in found[0].line.values)
    x = (
        alt.X("x:N", sort=None, title=found[0].line.symbol)
        if words
        else alt.X("x:Q", title=found[0].line.symbol, scale=alt.Scale(zero=False, nice=False))
    )
    y = alt.Y("y:Q", title=axis_title(quantity), axis=alt.Axis(format="~s"), scale=alt.Scale(zero=True))
    stairs = [record for each, name in zip(found, names, strict=True) for record in _stairs(each, name, quantity)]
    base = alt.Chart(rows(stairs)).encode(x=x, y=y, tooltip=["series:N", "x:N", alt.Tooltip("y:Q", format=",")])
    if points:
        drawn = base.mark_point(filled=True, size=70).encode(**dotted(encodings))
    else:
        drawn = base.mark_line(interpolate="step-after", strokeWidth=1.8).encode(**lined(encodings), detail="run:N")
    return (drawn + _usual(found, names, quantity)).properties(width=520, height=200)


def _stairs(found: Staircase, name: str, quantity: str) -> Iterator[dict[str, Any]]:
    """The beginnings of the pieces, and the end of each run of them: between two runs there is no network."""
    for run, items in groupby(_numbered(found), lambda item: item[0]):
        pieces = [piece for _, piece in items]
        ends = [(piece.low, piece) for piece in pieces]
        if pieces[-1].high != pieces[-1].low:
            ends.append((pieces[-1].high, pieces[-1]))
        for x, piece in ends:
            value = plain(piece.figures[quantity])
            yield {"series": name, "run": f"{name} {run}", "x": x if isinstance(x, str) else plain(x), "y": value}


def _numbered(found: Staircase) -> Iterator[tuple[int, Any]]:
    """The pieces, each with the number of its run: a new one begins where a piece does not follow the one before."""
    run, last = 0, None
    for piece in found.pieces:
        if last is not None and found.line.kind == "real" and piece.low != last.high:
            run += 1
        yield run, piece
        last = piece


def _usual(found: Sequence[Staircase], names: Sequence[str], quantity: str) -> Any:
    """A ring where each network usually is, with what it costs there."""
    records = []
    for each, name in zip(found, names, strict=True):
        value, cost = each.bindings[each.line.symbol], each.here[quantity]
        inside = isinstance(value, str) or each.line.low <= value <= each.line.high
        if inside and cost is not None:
            x = value if isinstance(value, str) else plain(value)
            records.append({"series": name, "x": x, "y": plain(cost), "label": short_number(cost)})
    kind = "N" if records and isinstance(records[0]["x"], str) else "Q"
    base = alt.Chart(rows(records, names)).encode(x=f"x:{kind}", y="y:Q")
    rings = base.mark_point(filled=False, size=110, strokeWidth=2, fill="white").encode(**beside_lines())
    return rings + base.mark_text(align="right", dx=-9, dy=-7, fontSize=10).encode(text="label:N")
