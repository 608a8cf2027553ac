"""What the numbers of alike bodies are: constants, the channels that flow, or arguments, as few as say it."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from archspec import dims
from archspec.importing.items import Shape
from archspec.importing.varied import instances, is_plain
from archspec.language.document import REQUIRED
from archspec.language.rules import flow_sizes

LETTERS = {
    "out_channels": "c",
    "out_features": "c",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "groups": "g",
    "scale_factor": "factor",
}
"""The letter that papers write for a field."""

WIDTHS = frozenset({"c", "g", "m"})
"""Letters of numbers of channels, which may be said by one another."""

ORDER = ("t", "m", "c", "k", "s", "p", "d", "g")
"""In which order papers list arguments; others come behind."""

MOST_FACTOR = 16
ANY = None
"""What stands where a body has no such number."""

Column: TypeAlias = list[Any]


def letter(name: str) -> str:
    """What an argument is called by kind: c of c1, c2, …

    >>> letter("out_channels"), letter("c2"), letter("first_relu")
    ('c', 'c', 'first_relu')
    """
    return LETTERS.get(name, name.rstrip("0123456789") or name)


def channels(shape: Shape) -> Any:
    """How many channels flow, as the language says `in_channels`; ANY where nothing does."""
    return flow_sizes(shape)["in_channels"] if len(shape) > 1 else ANY


@dataclass(slots=True)
class Arguments:
    """The arguments of a block while its bodies are compared.

    Attributes:
        count: How many bodies there are.
        simple: Whether the block is a single layer, whose width is its argument whatever flows in.
        entries: How many channels flow into each body; ANY where none do.
        exits: How many flow out of each.
        columns: The arguments by their names, each with its value in every body; ANY where it does not matter.
        flowing: What an argument is where a call does not say it, of those that follow the channels that flow in.
    """

    count: int
    simple: bool = False
    entries: Column = field(default_factory=list)
    exits: Column = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)
    flowing: dict[str, str] = field(default_factory=dict)

    def express(self, name: str, values: Column, entries: Sequence[Shape], *, optional: bool = False) -> Any:
        """A number as the body of the block says it; what nothing else says becomes an argument.

        Args:
            name: The field it is of.
            values: It in each body; ANY where the body has no such step.
            entries: The sizes of what flows into the step.
            optional: Whether some bodies have no such step: one that widens is there where the factor is not 1.
        """
        kind = letter(name)
        known = [number for number, value in enumerate(values) if value is not ANY]
        flowing = list(map(channels, entries))
        first = values[known[0]]
        if isinstance(first, str) and all(values[number] == first for number in known):
            return first
        if (
            optional
            and kind == "c"
            and (found := self._of_arguments(kind, values, known) or self._factor(values, flowing, known))
        ):
            return found
        alike = all(values[number] == first for number in known)
        if kind in WIDTHS and not self.simple and (not alike or (kind == "g" and first != 1)):
            found = self._of_channels(values, flowing, known)
            if found is not None:
                return found
        if alike:
            return first
        if isinstance(first, tuple) and (sizes := self._sizes(values, flowing, known)) is not None:
            return sizes
        return (
            self._of_arguments(kind, values, known)
            or self._of_entry(kind, values, known)
            or self._of_exit(kind, values, known)
            or self._as_multiple(kind, values, flowing, known)
            or self.add(kind, values)
        )

    def _sizes(self, values: Column, flowing: Column, known: list[int]) -> tuple[Any, ...] | None:
        """Several sizes, each the same everywhere or said by the channels that flow in; None if one is neither."""
        if len({len(values[number]) if isinstance(values[number], tuple) else 0 for number in known}) > 1:
            return None
        found = list[Any]()
        for place, size in enumerate(values[known[0]]):
            column = [ANY if sizes is ANY else sizes[place] for sizes in values]
            alike = all(column[number] == size for number in known)
            found.append(size if alike else self._of_channels(column, flowing, known))
        return None if None in found else tuple(found)

    def _of_exit(self, kind: str, values: Column, known: list[int]) -> str | None:
        """What the block gives less what flows in, which is joined to it: an argument that need not be given either."""
        if kind != "c" or self.simple or any(not isinstance(each, int) for each in (*self.entries, *self.exits)):
            return None
        joined = [out - into for out, into in zip(self.exits, self.entries, strict=True)]
        if any(joined[number] != values[number] for number in known) or len(set(self.entries)) == 1:
            return None
        every = list(range(self.count))
        whole = self._of_arguments(kind, self.exits, every) or self.add(kind, self.exits)
        name = self.add(kind, joined)
        self.flowing[name] = f"{whole} - in_channels"
        return name

    def _factor(self, values: Column, flowing: Column, known: list[int]) -> str | None:
        """The width of a step that only some bodies have, as an expansion t that is 1 in the others."""
        if self.simple or any(not flowing[n] or values[n] % flowing[n] for n in known):
            return None
        column = [values[n] // flowing[n] if n in known else 1 for n in range(self.count)]
        if not all(map(is_plain, column)) or any(column[n] == 1 for n in known) or max(column) > MOST_FACTOR:
            return None
        return f"{self.add('t', column)} * in_channels"

    def _of_channels(self, values: Column, flowing: Column, known: list[int]) -> str | None:
        """Said by the channels that flow in: a multiple, a part, or a part that is rounded."""
        ratio = _ratio(values, flowing, known)
        return _rounded_part(values, flowing, known) if ratio is None else _times(ratio, "in_channels")

    def _of_entry(self, kind: str, values: Column, known: list[int]) -> str | None:
        """An argument that need not be given: it follows the channels that flow into the block."""
        if kind not in WIDTHS or self.simple or len({self.entries[number] for number in known}) < 2:
            return None
        ratio = _ratio(values, self.entries, known)
        if ratio is None or any(not isinstance(each, int) or (each * ratio[0]) % ratio[1] for each in self.entries):
            return None
        name = self.add(kind, [each * ratio[0] // ratio[1] for each in self.entries])
        self.flowing[name] = _times(ratio, "in_channels")
        return name

    def _of_arguments(self, kind: str, values: Column, known: list[int]) -> str | None:
        """Said by an argument that there is."""
        for name, column in self.columns.items():
            same = letter(name) == kind or (kind in WIDTHS and letter(name) in WIDTHS and not self.simple)
            if same and all(column[number] in (ANY, values[number]) for number in known):
                for number in known:
                    column[number] = values[number]
                return name
        for name, column in self.columns.items() if kind in WIDTHS and not self.simple else ():
            if letter(name) in WIDTHS and (ratio := _ratio(values, column, known)) is not None:
                return _times(ratio, name)
        return None

    def _as_multiple(self, kind: str, values: Column, flowing: Column, known: list[int]) -> str | None:
        """Channels as an expansion of those that flow in: t·in_channels."""
        if kind != "c" or self.simple or any(not flowing[n] or values[n] % flowing[n] for n in known):
            return None
        factors = {number: values[number] // flowing[number] for number in known}
        few = len(set(factors.values())) < len({values[number] for number in known})
        if not few or not all(map(is_plain, factors.values())) or max(factors.values()) < 3:
            return None
        column = [factors.get(number, ANY) for number in range(self.count)]
        return f"{self._of_arguments('t', column, known) or self.add('t', column)} * in_channels"

    def add(self, kind: str, values: Column) -> str:
        """A new argument; the second of a kind is c2, and the first c1 from then on."""
        name, number = kind, 2
        while name in self.columns:
            name, number = f"{kind}{number}", number + 1
        self.columns[name] = list(values)
        return name

    def default(self, name: str) -> Any:
        """What most bodies have, where at least half have it; widths are given, but those that follow what flows in."""
        if name in self.flowing:
            return self.flowing[name]
        counts = Counter(value for value in self.columns[name] if value is not ANY)
        if not counts:
            return REQUIRED
        value, often = counts.most_common(1)[0]
        if letter(name) in {"c", "t", "m"} or 2 * often < sum(counts.values()):
            return REQUIRED
        return value

    def rename(self) -> dict[str, str]:
        """Call those of a kind in the order in which they are listed: c before c2; gives the new names by the old."""
        names: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        for name in self.ordered():
            kind = letter(name)
            numbers[kind] += 1
            names[name] = kind if numbers[kind] == 1 else f"{kind}{numbers[kind]}"
        self.columns = {names[name]: column for name, column in self.columns.items()}
        self.flowing = {names[name]: renamed(text, names) for name, text in self.flowing.items()}
        return names

    def ordered(self) -> dict[str, Any]:
        """The arguments as papers list them, each with its default."""
        names = sorted(
            self.columns,
            key=lambda name: (name in self.flowing, ORDER.index(letter(name)) if letter(name) in ORDER else len(ORDER)),
        )
        return {name: self.default(name) for name in names}

    def called(self, number: int) -> dict[str, Any]:
        """The arguments with which a block stands for one of the bodies; what does not matter stays at its default."""
        found = {}
        for name, column in self.columns.items():
            value = self.flowing.get(name, column[number])
            if value is not ANY:
                found[name] = value
            elif self.default(name) == REQUIRED:
                found[name] = next(each for each in column if each is not ANY)
        return found


def renamed(text: str, names: Mapping[str, str]) -> str:
    """An expression whose arguments are called otherwise.

    >>> renamed("4 * c2 - c", {"c": "c2", "c2": "c"})
    '4 * c - c2'
    """
    return re.sub(r"[A-Za-z_]\w*", lambda word: names.get(word[0], word[0]), text)


def _ratio(values: Column, others: Column, known: list[int]) -> tuple[int, int] | None:
    """The factor and the divisor that make one column of another, if they are small and the same everywhere."""
    if any(not isinstance(values[n], int) or not isinstance(others[n], int) for n in known):
        return None
    a, b = values[known[0]], others[known[0]]
    if not a or not b or any(values[n] * b != others[n] * a for n in known):
        return None
    up, down = a // b, b // a
    if a % b == 0 and is_plain(up) and up <= MOST_FACTOR:
        return up, 1
    return (1, down) if b % a == 0 and is_plain(down) and down <= MOST_FACTOR else None


DIVISORS = (4, 2, 3, 6, 8, 16)
"""By what the channels of a squeeze are fewer, the usual first."""

PARTS: tuple[tuple[str, Callable[[int, int], int]], ...] = (
    ("in_channels // {divisor}", lambda channels, divisor: channels // divisor),
    (
        "make_divisible(in_channels / {divisor}, 8)",
        lambda channels, divisor: int(dims.make_divisible(Fraction(channels, divisor), 8)),
    ),
)
"""How the channels of a squeeze are rounded, the simplest first."""

MOST_ALIKE = 2
"""Numbers of channels so few follow many rules."""


def _rounded_part(values: Column, flowing: Column, known: list[int]) -> str | None:
    """How the channels that flow in are divided and rounded, if that makes every value of at least three."""
    pairs = [
        pair
        for n in known
        if isinstance(values[n], int) and isinstance(flowing[n], int)
        for pair in zip(instances(flowing[n], values[n]), instances(values[n], flowing[n]), strict=True)
    ]
    if len({a for a, _ in pairs}) <= MOST_ALIKE:
        return None
    for text, part in PARTS:
        for divisor in DIVISORS:
            if all(part(a, divisor) == b for a, b in pairs):
                return text.format(divisor=divisor)
    return None


def _times(ratio: tuple[int, int], name: str) -> str:
    factor, divisor = ratio
    if divisor > 1:
        return f"{name} // {divisor}"
    return f"{factor} * {name}" if factor > 1 else name
