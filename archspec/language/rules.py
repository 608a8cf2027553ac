"""The rules of the language that checking, expansion and emission share."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from archspec import ops
from archspec.dims import is_number
from archspec.errors import ArchspecError, BindingError, Mark, did_you_mean
from archspec.language.document import Block, Document, Symbol
from archspec.language.expression import Expression
from archspec.language.steps import within
from archspec.language.synonyms import argument_meant
from archspec.language.values import NAME, SIGNATURE, Value
from archspec.writing import printable

FLOWING = ("in_channels", "in_height", "in_width")
"""The sizes of what flows into a step, by the names that expressions use."""

MAX_AXES = 4
MAX_NESTING = 100
MAX_REPEAT = 10_000
MAX_SIZE = 10**12
MOST_VARIANTS = 1000


# ------------------------------------------------------------------ names


def words(document: Document) -> frozenset[str]:
    """The names that stand for themselves: words of fields, operators, blocks, choices, headers of lookups."""
    choices = (c for symbol in document.symbols.values() if not symbol.broken for c in (symbol.choices or ()))
    headers = (c for lookup in document.lookups.values() if not lookup.broken for c in lookup.columns)
    return frozenset(
        word for word in (*ops.words(), *ops.names(), *document.blocks, *choices, *headers) if isinstance(word, str)
    )


def signature(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the parameters of a function's signature.

    >>> signature("width(c, d)")
    ('width', ('c', 'd'))
    """
    found = SIGNATURE.match(text)
    if found is None:
        raise ArchspecError(f"'{text}' is not a signature such as 'width(c)'")
    return found[1], tuple(name.strip() for name in (found[2] or "").split(",") if name.strip())


def arguments(document: Document, callee: str) -> tuple[list[str], list[str]]:
    """All arguments of an operator or block, and those of them that must be given.

    Raises:
        UnknownNameError: There is no such operator or block.
    """
    block = document.blocks.get(callee)
    if block is not None:
        needed = [name for name, value in block.args.items() if Block.is_required(value)]
        return [*block.args, *block.inputs], [*needed, *block.inputs]
    fields = ops.operator(callee).model_fields
    return list(fields), [name for name, field in fields.items() if field.is_required()]


def argument_faults(
    document: Document, callee: str, args: Iterable[str], sources: int
) -> Iterator[tuple[str | None, str]]:
    """What is wrong with the names of the arguments of a call: the name, and why; None of those that are missing.

    Args:
        document: The specification.
        callee: The operator or block.
        args: The names.
        sources: How many values it takes by `from`.
    """
    allowed, required = arguments(document, callee)
    taken = block_inputs(document, callee)[: max(sources - 1, 0)]
    missing = [name for name in required if name not in taken and name not in args]
    for name in args:
        if name in taken:
            yield name, f"'{callee}' takes '{name}' by 'from' already"
        if name not in allowed:
            meant = argument_meant(name, allowed) or did_you_mean(name, missing) or did_you_mean(name, allowed)
            missing = [other for other in missing if f"'{other}'" not in meant]
            takes = meant or (f"; it takes {', '.join(allowed)}" if allowed else "; it takes none")
            yield name, f"'{callee}' has no argument '{name}'{takes}"
    if missing:
        yield None, f"'{callee}' needs {' and '.join(map(repr, missing))}"


def refuse_opaque(document: Document) -> None:
    """See to it that all of a specification is known, before a question is answered that is over many of its totals.

    Raises:
        ArchspecError: It has opaque nodes.
    """
    bodies = (document.network, *(block.body for block in document.blocks.values() if not block.broken))
    callees = (name for body in bodies for step in within(body) for name in step.callees())
    found = sum(name in ops.registered() and not ops.registered()[name].known for name in callees)
    if found:
        raise ArchspecError(
            f"'{document.name}' has opaque steps ({found}): what they compute is in no total, so that this is unknown"
        )


def block_inputs(document: Document, callee: str) -> tuple[str, ...]:
    """The values that a block takes beside what flows in; an operator takes none by name."""
    block = document.blocks.get(callee)
    return () if block is None or block.broken else block.inputs


def any_inputs(document: Document) -> tuple[str, ...]:
    """The names by which blocks take values."""
    return tuple(name for block in document.blocks.values() if not block.broken for name in block.inputs)


def from_fault(document: Document, callee: str, count: int) -> str | None:
    """Why something cannot take so many values by `from`; None if it can."""
    operator = None if callee in document.blocks else ops.find(callee)
    if operator is not None and operator.arity == "many":
        return None if count > 1 else f"from: {callee} joins several values, such as [left, right]"
    most = 1 + len(block_inputs(document, callee))
    if count <= most:
        return None
    return f"from: '{callee}' takes {most} value{'s' if most > 1 else ''} (got {count})"


# ------------------------------------------------------------------ values


def field_faults(callee: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The fields of an operator that cannot have these values, each with the reason; fields without a value pass.

    >>> field_faults("conv2d", {"out_channels": 0})
    [('out_channels', 'must be at least 1 (got 0)')]
    """
    try:
        ops.operator(callee)(**values)
    except ValidationError as error:
        details = [detail for detail in error.errors(include_url=False) if detail["type"] != "missing"]
        return [(str(detail["loc"][0]), _reason(detail)) for detail in details]
    return []


def _reason(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    return (
        str(error)
        if error
        else f"{detail['msg'][:1].lower()}{detail['msg'][1:]} (got {printable(detail['input'], 40)})"
    )


def symbol_of(document: Document, name: str) -> Symbol:
    """A symbol by its name.

    Raises:
        BindingError: The specification has none of that name.
    """
    symbols = document.symbols
    if name not in symbols:
        known = f"; its symbols are {', '.join(symbols)}" if symbols else "; it has no symbols"
        known += ", and the batch is --batch, or batch=" if name == "batch" else ""
        raise BindingError(f"'{document.name}' has no symbol '{name}'{did_you_mean(name, symbols) or known}")
    return symbols[name]


def value_fault(symbol: Symbol, value: Any) -> str | None:
    """Why a symbol cannot have a value; None if it can."""
    if symbol.truth and not isinstance(value, bool):
        return f"must be true or false (got {value})"
    if symbol.choices is not None:
        return (
            None if value in symbol.choices else f"must be one of {', '.join(map(str, symbol.choices))} (got {value})"
        )
    if isinstance(value, str):
        return None if symbol.word else f"must be a number (got {value})"
    if symbol.integer and not isinstance(value, int):
        cure = "" if symbol.type else "; with 'type: rational' the symbol takes fractions"
        return f"must be a whole number (got {value}){cure}"
    if symbol.range is None:
        return None if value > 0 else f"must be greater than 0 (got {value}); give the symbol a range that holds it"
    least, most = symbol.range
    return None if least <= value <= most else f"must be from {least} to {most} (got {value})"


def variants(document: Document, bound: Container[str] = ()) -> Iterator[dict[str, Any]]:
    """Every combination of the values that symbols choose from, an empty one where none does; at most `MOST_VARIANTS`.

    Symbols in `bound` do not choose.

    >>> from archspec.language import load
    >>> list(variants(load("alexnet")))
    [{'groups': 1}, {'groups': 2}]
    """
    choices = {
        name: symbol.choices for name, symbol in document.symbols.items() if symbol.choices and name not in bound
    }
    for values in islice(product(*choices.values()), MOST_VARIANTS):
        yield dict(zip(choices, values, strict=True))


def repeat_fault(name: str, times: object) -> str | None:
    """Why something cannot be done that often; None if it can."""
    if type(times) is int and 0 <= times <= MAX_REPEAT:
        return None
    return f"{name} must be a whole number from 0 to {MAX_REPEAT:,} (got {printable(times, 40)})"


def flow_sizes(shape: Sequence[Any]) -> dict[str, Any]:
    """The sizes of what flows, by their names: an image has all of them; of anything else the channels are the last.

    >>> flow_sizes((1, 3, 32, 24)), flow_sizes((1, 7, 16))
    ({'in_channels': 3, 'in_height': 32, 'in_width': 24}, {'in_channels': 16})
    """
    return dict(zip(FLOWING, shape[1:] if len(shape) == 4 else shape[-1:], strict=False))


def channels_last(sizes: Sequence[Any]) -> str:
    """A hint where the sizes of an input look like height, width, channels; else nothing.

    >>> channels_last([224, 224, 3])
    'the input is read as 224 channels of 224×3; channels come first: [3, 224, 224]'
    >>> channels_last([3, 224, 224])
    ''
    """
    if len(sizes) != 3 or not all(map(is_number, sizes)):
        return ""
    height, width, channels = sizes
    if channels not in {1, 3, 4} or min(height, width) <= max(4, channels):
        return ""
    read = f"the input is read as {height} channels of {width}×{channels}"
    return f"{read}; channels come first: [{channels}, {height}, {width}]"


# ------------------------------------------------------------------ labels


def label_of(value: Value | None) -> str | None:
    """The name, or the path of names, that an argument or a cell is; None if it is none."""
    text = value.text if isinstance(value, Expression) else ""
    return text if all(map(NAME.match, text.split("/"))) else None


def labels_of(value: Value | None) -> tuple[str, ...]:
    """The names in a cell: one, or a list of them."""
    found = (label_of(part) for part in (value if isinstance(value, tuple) else (value,)))
    return tuple(label for label in found if label is not None)


def written_of(value: Value | None) -> str:
    """A value as a message says it."""
    return "a list" if isinstance(value, tuple) else f"'{printable(value, 40)}'"


# ------------------------------------------------------------------ places


def expressions(value: Value | None) -> Iterator[Expression]:
    """The expressions of a value: itself, or the parts of a list."""
    if isinstance(value, Expression):
        yield value
    elif value is not None:
        for part in value:
            yield from expressions(part)


def value_mark(value: Value | None) -> Mark | None:
    """Where a value, or the first part of a list, stands in the text."""
    return next((expression.at for expression in expressions(value) if expression.at), None)
