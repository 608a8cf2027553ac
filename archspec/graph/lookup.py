"""A table of a specification as the function that expressions call."""

from collections.abc import Callable
from typing import Any

from archspec import dims
from archspec.errors import ArchspecError
from archspec.language.document import Lookup


def lookup(name: str, table: Lookup) -> Callable[..., Any]:
    """What finds a row by its first cell, and the column by its header, if there are several."""
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}

    def find(key: Any, column: Any = table.columns[-1]) -> Any:
        if dims.is_array(key) or dims.is_array(column):
            for place in filter(dims.is_array, (key, column)):
                dims.tell_apart(place)
            raise ArchspecError(f"{name} is a table; bind {key} to one value to look it up")
        if dims.is_symbolic(key) or dims.is_symbolic(column):
            kept = _kept(name, table, key, column)
            return find(dims.settled(key), dims.settled(column)) if kept is None else kept
        if isinstance(key, bool) or key not in rows:
            raise ArchspecError(f"{name} has no row {key}; it has {', '.join(map(str, rows))}")
        if isinstance(column, bool) or column not in table.columns[1:]:
            raise ArchspecError(f"{name} has no column {column}; it has {', '.join(map(str, table.columns[1:]))}")
        return rows[key][column]

    return find


def _kept(name: str, table: Lookup, key: Any, column: Any) -> Any:
    """A lookup by a free symbol: a table of the cells that it may find; None if one of them is a word."""
    from archspec import symbols

    cells = {
        (row[0], header): cell
        for row in table.rows
        for header, cell in zip(table.columns[1:], row[1:], strict=True)
        if (dims.is_symbolic(key) or row[0] == key) and (dims.is_symbolic(column) or header == column)
    }
    words = {part for places in cells for part in (*places, cells[places]) if isinstance(part, str)}
    words -= set() if dims.is_symbolic(column) else {column}
    if not cells or words:
        return None
    return symbols.lookup(name, key, column, cells)
