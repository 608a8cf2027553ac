"""Which modules are of one class, where a file has their paths alone, as torch's older exporter writes them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from archspec.importing.program import Place, ProgramCall

Path = tuple[str, ...]
HALF = 2
"""Modules of one class have at least half of their members in common: a block with a shortcut, and one without."""


def with_kinds(calls: Sequence[ProgramCall]) -> tuple[ProgramCall, ...]:
    """The calls with a class for each module, where none says its own: those whose members are called alike have one.

    A module whose members have numbers for names holds them in a row, and is nothing by itself.
    """
    if any(kind for call in calls for kind in call.place.kinds):
        return tuple(calls)
    members: dict[Path, dict[str, None]] = {}
    for call in calls:
        names = call.place.names
        for depth in range(1, len(names)):
            members.setdefault(names[:depth], {})[names[depth]] = None
    kinds = _kinds({path: frozenset(inner) for path, inner in members.items() if not all(map(str.isdigit, inner))})
    return tuple(replace(call, place=_of_kinds(call.place, kinds)) for call in calls)


def _kinds(members: Mapping[Path, frozenset[str]]) -> dict[Path, str]:
    """A class for each module, by the names of its members."""
    found: dict[Path, str] = {}
    seen: dict[str, frozenset[str]] = {}
    for path, names in members.items():
        kind = next((kind for kind, known in seen.items() if _are_alike(names, known)), "")
        if not kind:
            kind = _free(_word(path), seen)
        seen[kind] = seen.get(kind, frozenset()) | names
        found[path] = kind
    return found


def _are_alike(names: frozenset[str], known: frozenset[str]) -> bool:
    return HALF * len(names & known) >= max(len(names), len(known))


def _word(path: Path) -> str:
    """What modules are called that hold others: the last word on the way to them, without its number."""
    words = [re.sub(r"[_\d]+\Z", "", name) for name in path]
    return next((word for word in reversed(words) if word.isidentifier()), "block")


def _free(word: str, taken: Mapping[str, object]) -> str:
    name, number = word, 2
    while name in taken:
        name, number = f"{word}{number}", number + 1
    return name


def _of_kinds(place: Place, kinds: Mapping[Path, str]) -> Place:
    paths = (place.names[: depth + 1] for depth in range(len(place.names)))
    return replace(place, kinds=tuple(kinds.get(path, "") for path in paths))
