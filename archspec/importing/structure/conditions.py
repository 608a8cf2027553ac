"""When a step stands in a block: a condition over its arguments and the channels that flow in."""

from collections.abc import Sequence

from archspec import ops
from archspec.importing.items import Item, Leaf, Shape
from archspec.importing.structure.arguments import ANY, Arguments, Column, channels, letter
from archspec.importing.structure.unify import Slot
from archspec.importing.writing_steps import cleaned
from archspec.language.document import REQUIRED
from archspec.language.expression import BUILTINS, CONSTANTS
from archspec.language.rules import FLOWING


def condition(
    slot: Slot, there: Sequence[bool], active: Sequence[int], arguments: Arguments, complement: bool = False
) -> str:
    """What is true in the bodies that have the step, and in no other; an argument of its own where nothing says it.

    Args:
        slot: The step.
        there: Which of the active bodies have it.
        active: The bodies that come as far as to the step.
        arguments: Those of the block, of which there may be one more then.
        complement: Whether a shortcut stands where the step does not: then shapes decide.
    """
    shape = _of_shape(there, [slot.entries[number] for number in active], active, arguments)
    simple = _of_numbers(there, active, arguments)
    item = slot.sample
    shortcut = isinstance(item, Leaf) and item.operator == "identity"
    found = (shape or simple) if shortcut or complement else simple
    if found:
        return found
    column: Column = [ANY] * arguments.count
    for number, stands in zip(active, there, strict=True):
        column[number] = stands
    return arguments.add(_switch(slot), column)


def widening(
    written: Item, slot: Slot, there: Sequence[bool], active: Sequence[int], arguments: Arguments
) -> str | None:
    """A step that makes another number of channels of those that flow in, as its argument says: else it does not stand.

    Args:
        written: The step as the block has it.
        slot: The step.
        there: Which of the active bodies have it.
        active: The bodies that come as far as to the step.
        arguments: Those of the block; the number of channels is as many as flow in where the step does not stand.
    """
    width = written.args.get("c") if isinstance(written, Leaf) else None
    column = arguments.columns.get(width) if isinstance(width, str) and width not in arguments.flowing else None
    if column is None:
        return None
    flowing = {number: channels(slot.entries[number]) for number in active if len(slot.entries[number]) > 1}
    present = dict(zip(active, there, strict=True))
    fits = flowing.keys() == present.keys() and all(
        column[number] != flowing[number] if stands else column[number] in (ANY, flowing[number])
        for number, stands in present.items()
    )
    if not fits:
        return None
    column[:] = [flowing[n] if n in present and not present[n] else each for n, each in enumerate(column)]
    return f"{width} != in_channels"


def _of_numbers(there: Sequence[bool], active: Sequence[int], arguments: Arguments) -> str | None:
    """One argument has a value where the step stands, or where it does not."""
    for name, whole in arguments.columns.items():
        column = [whole[number] for number in active]
        if letter(name) in {"c", "m"} or ANY in column:
            continue
        for value in sorted((each for each in set(column) if isinstance(each, (int, str))), key=str):
            if isinstance(value, bool):
                yes, no = (name, f"not {name}") if value else (f"not {name}", name)
            else:
                yes, no = f"{name} == {value}", f"{name} != {value}"
            if said := _either([given == value for given in column], there, yes, no):
                return said
    return None


def _either(holds: Sequence[bool], there: Sequence[bool], yes: str, no: str) -> str | None:
    """What holds where the step stands and nowhere else, or the contrary; None if it is neither."""
    if list(holds) == list(there):
        return yes
    return no if [not each for each in holds] == list(there) else None


def _of_shape(
    there: Sequence[bool], entries: Sequence[Shape], active: Sequence[int], arguments: Arguments
) -> str | None:
    """The shape stays as it is, so that what flows in can be added to what comes out."""
    flowing = list(map(channels, entries))
    strides = {name: column for name, column in arguments.columns.items() if letter(name) == "s"}
    for name, column in reversed(arguments.columns.items()):
        if letter(name) not in {"c", "m"} or any(column[number] is ANY for number in active):
            continue
        for factor in FACTORS:
            width = f"{factor} * {name}" if factor > 1 else name
            keeps = [factor * column[number] == c for number, c in zip(active, flowing, strict=True)]
            same, other = f"in_channels == {width}", f"in_channels != {width}"
            for stride, steps in strides.items():
                both = [keep and steps[number] == 1 for number, keep in zip(active, keeps, strict=True)]
                if said := _either(both, there, f"{stride} == 1 and {same}", f"{stride} != 1 or {other}"):
                    return said
            if said := _either(keeps, there, same, other):
                return said
    return None


FACTORS = (1, 2, 4, 8)
"""By how much a block may be wider at its end than its argument says."""


def _switch(slot: Slot) -> str:
    """The name of an argument that says whether a step stands."""
    operator = getattr(slot.sample, "operator", "part")
    if operator == "identity":
        return "shortcut"
    name = cleaned(slot.name)
    return name if name and name not in TAKEN and not name[-1].isdigit() else f"has_{operator}"


WORDS = frozenset({*ops.names(), *ops.words(), *BUILTINS, *CONSTANTS, *FLOWING})
"""What the language calls something else: no block may have the name."""

TAKEN = WORDS | {"input", REQUIRED}
"""What no argument may be called."""
