"""What names stand for: the values of symbols, given, free, or their defaults; and tables, as functions."""

from collections.abc import Callable, Mapping
from typing import Any

from archspec import dims
from archspec.errors import ArchspecError, BindingError
from archspec.language.document import Document, Lookup, Symbol
from archspec.language.expression import CONSTANTS
from archspec.language.rules import MAX_SIZE, symbol_of, value_fault


def bind(document: Document, bindings: Mapping[str, Any], free: tuple[str, ...]) -> dict[str, Any]:
    """The value of every symbol: given, free, or its default.

    Raises:
        BindingError: A symbol that does not exist, or a value that it cannot have.
    """
    for name in (*bindings, *free):
        symbol_of(document, name)
    return {name: _bound(name, symbol, bindings, name in free) for name, symbol in document.symbols.items()}


def _bound(name: str, symbol: Symbol, bindings: Mapping[str, Any], free: bool) -> Any:
    if free:
        if name in bindings:
            raise BindingError(f"the symbol '{name}' cannot be both bound and free")
        if symbol.word:
            kind = "is true or false" if symbol.truth else "chooses between words"
            raise BindingError(f"the symbol '{name}' {kind} and cannot be free")
        from archspec import symbols

        numbers = symbol.range or symbol.choices
        return symbols.symbol(name, symbol.integer, 1 if numbers is None else min(numbers))
    value = bindings.get(name, symbol.default)
    if symbol.truth and isinstance(value, str):
        value = CONSTANTS.get(value.strip().lower(), value)
    if not symbol.word:
        value = _exact(name, value)
    if dims.is_symbolic(value) or dims.has_rules(value):
        return value
    for one in value.ravel().tolist() if dims.is_array(value) else (value,):
        fault = value_fault(symbol, one)
        if fault:
            raise BindingError(f"{name} {fault}")
    return value


def batch_size(batch: Any) -> Any:
    """How many inputs at once, as a number.

    Raises:
        BindingError: It cannot be so many.
    """
    value = _exact("batch", batch)
    if dims.is_number(value) and not (isinstance(value, int) and 0 < value <= MAX_SIZE):
        raise BindingError(f"the batch must be a whole number from 1 to {MAX_SIZE} (got {value})")
    return value


def _exact(name: str, value: Any) -> Any:
    if dims.is_symbolic(value):
        from archspec import symbols  # SymPy's expressions may come from elsewhere

        return symbols.to_sympy(value)
    try:
        return dims.exact_each(value)
    except ArchspecError as error:
        raise BindingError(f"{name}: {error}") from None


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
