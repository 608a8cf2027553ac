"""The names of the children of a container, as the node names of `graph.expand` have them.

A name that is taken gets a number. Which are taken may depend on conditions; each set of conditions is a world.
"""

from typing import TYPE_CHECKING, Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.finish import SELF
from archspec.errors import ArchspecError

if TYPE_CHECKING:
    from archspec.emit.frame import Frame

MAX_WORLDS = 16

World = tuple[Any, dict[str, int]]
"""A condition, and how often each name was given where it holds."""


def child_name(wanted: str, frame: "Frame") -> Any:
    """A name that is free in a container, as `graph.expand` gives it; code where it depends on conditions."""
    taken = frame.facts.inputs if frame.owner == SELF and frame.scope.top else frozenset[str]()
    found = [(condition, _free(wanted, names, taken)) for condition, names in frame.worlds]
    name: Any = found[-1][1]
    for condition, text in reversed(found[:-1]):
        name = code.choose(condition, text, name)
    frame.given |= {name} if isinstance(name, str) else set()
    return name


def _free(wanted: str, names: dict[str, int], taken: frozenset[str]) -> str:
    count = names.get(wanted, 0) + 1
    names[wanted] = count
    if count == 1 and wanted not in taken:
        return wanted
    return _free(f"{wanted}_{max(count, 2)}", names, taken)


def merge_worlds(worlds: list[World], repeated: frozenset[str]) -> list[World]:
    """The worlds that differ in a name that comes again; those that do not are one."""
    found: dict[Any, World] = {}
    for condition, names in worlds:
        key = tuple(sorted((name, count) for name, count in names.items() if name in repeated))
        known = found.get(key)
        found[key] = (condition, names) if known is None else (code.either(known[0], condition), {**names, **known[1]})
    if len(found) == 1:
        return [(True, names) for _, names in found.values()]
    if len(found) > MAX_WORLDS:
        raise ArchspecError("the names of steps depend on too many conditions; name them by `as`")
    return list(found.values())


def single_name(name: Any, frame: "Frame") -> Any:
    """One name for a module without weights, in place of those that it has on several conditions.

    Its name says nothing to a state dict, but no other child may ever have it.
    """
    if not (isinstance(name, Code) and name.head == "if") and name not in frame.literal:
        return name
    base, number = _last(name)
    while (text := f"{base}_{number}") in frame.literal or text in frame.given:
        number += 1
    frame.literal.add(text)
    return text


def neighbour_name(name: Any, callee: str, kind: str, frame: "Frame") -> Any:
    """A free name for what stands before or behind a child."""
    if isinstance(name, Code) and name.head in {"format", "name"}:
        pieces = name.parts if name.head == "format" else (name,)
        return Code("format", (*pieces, f"_{kind}"), code.WORD)
    wanted = f"{name if isinstance(name, str) else callee}_{kind}"
    text, count = wanted, 1
    while text in frame.literal or text in frame.facts.local_names:
        count += 1
        text = f"{wanted}_{count}"
    frame.literal.add(text)
    return text


def _last(name: Any) -> tuple[str, int]:
    """Of the names that a child may have, the base and the highest number."""
    if isinstance(name, Code):
        return max((_last(part) for part in name.parts[1:]), key=lambda found: found[1])
    base, _, number = str(name).rpartition("_")
    return (base, int(number)) if base and number.isdigit() else (str(name), 1)


def unit_name(number: Any) -> Any:
    """The name of a repetition, counted from 0 in the source and from 1 in the names."""
    return Code("format", ("unit", number + 1), code.WORD) if isinstance(number, Code) else f"unit{number + 1}"
