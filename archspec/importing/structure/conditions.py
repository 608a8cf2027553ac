"""When a step stands in a block: a condition over its arguments and the channels that flow in."""

from collections.abc import Sequence

from archspec.importing.items import Leaf, Shape
from archspec.importing.structure.arguments import ANY, Arguments, letter
from archspec.importing.structure.unify import Slot


def condition(slot: Slot, arguments: Arguments) -> str:
    """What is true in the bodies that have the step, and in no other; an argument of its own where nothing says it."""
    there = slot.present
    shape = _of_shape(there, slot.entries, arguments)
    simple = _of_numbers(there, arguments)
    item = slot.sample
    shortcut = isinstance(item, Leaf) and item.operator == "identity"
    found = (shape or simple) if shortcut else (simple or shape)
    return found or arguments.add(_switch(item, arguments), list(there))


def _of_numbers(there: Sequence[bool], arguments: Arguments) -> str | None:
    """One argument has a value where the step stands, or where it does not."""
    for name, column in arguments.columns.items():
        if letter(name) in {"c", "m"} or ANY in column:
            continue
        for value in sorted(set(column), key=str):
            if not isinstance(value, (int, str)):
                continue
            word = str(value).lower() if isinstance(value, bool) else value
            if all((given == value) == present for given, present in zip(column, there, strict=True)):
                return name if value is True else f"not {name}" if value is False else f"{name} == {word}"
            if all((given != value) == present for given, present in zip(column, there, strict=True)):
                return f"not {name}" if value is True else name if value is False else f"{name} != {word}"
    return None


def _of_shape(there: Sequence[bool], entries: Sequence[Shape], arguments: Arguments) -> str | None:
    """The shape stays as it is, so that what flows in can be added to what comes out."""
    channels = [entry[1] if len(entry) > 1 else None for entry in entries]
    widths = [name for name in arguments.columns if letter(name) == "c"]
    for name in reversed(widths):
        keeps = [given == c for given, c in zip(arguments.columns[name], channels, strict=True)]
        strides = [each for each in arguments.columns if letter(each) == "s"]
        for stride in strides:
            both = [keep and s == 1 for keep, s in zip(keeps, arguments.columns[stride], strict=True)]
            if both == list(there):
                return f"{stride} == 1 and in_channels == {name}"
            if [not each for each in both] == list(there):
                return f"{stride} != 1 or in_channels != {name}"
        if keeps == list(there):
            return f"in_channels == {name}"
        if [not keep for keep in keeps] == list(there):
            return f"in_channels != {name}"
    return None


def _switch(item: object, arguments: Arguments) -> str:
    """The name of an argument that says whether a step stands."""
    operator = getattr(item, "operator", "")
    name = "shortcut" if operator == "identity" else f"has_{operator or 'part'}"
    return name if name not in arguments.columns else f"{name}_too"
