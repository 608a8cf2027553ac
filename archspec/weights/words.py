"""What the names of layers say: words that two authors would both use, and the order that an index gives."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

SAME = {
    "shortcut": ("downsample", "identity", "projection", "proj", "skip", "resize"),
    "depthwise": ("dw", "dwconv", "dwise"),
    "pointwise": ("pw", "pwconv", "pwise"),
    "double": ("dbl",),
    "expand": ("exp", "expansion"),
    "project": ("pwl",),
    "linear": ("fc", "dense"),
}
"""Words for one thing."""

LONGEST = 64
"""How many pieces of a name are looked at."""

_MEANING = {word: meaning for meaning, words in SAME.items() for word in words}
_PLACE = re.compile(
    r"(stage|unit|layer|block|features|module|model|body|seq|)\d*|conv(2d|olution)?|norm(alization)?|bn"
)
_PIECES = re.compile(r"[0-9]+x[0-9]+|[0-9]+|[^\W\d_]+")
_LABEL = re.compile(r"[0-9]+x[0-9]+|[0-9]+|[^\W\d_]+|.")

Index: TypeAlias = tuple[int, str]
"""A number, however long, or a letter behind one: by length, then by its digits."""


@lru_cache(maxsize=65536)
def words(name: str) -> frozenset[str]:
    """The words of a layer's name; of its last three parts with their numbers too.

    >>> sorted(words("features.stage1.unit2.identity_conv.conv"))
    ['shortcut']
    >>> sorted(words("fire2/expand3x3/conv1"))
    ['3x3', 'conv1', 'expand', 'expand3x3', 'fire', 'fire2']
    """
    parts = re.split(r"[./]", name.lower())[-LONGEST:]
    found = {piece for part in parts for piece in _PIECES.findall(part)}
    found |= {piece for part in parts[-3:] for piece in part.split("_")}
    return frozenset(_MEANING.get(word, word) for word in found if len(word) > 1 and not _PLACE.fullmatch(word))


def likeness(one: str, other: str) -> int:
    """How many words two names share, 7 at most."""
    return min(len(words(one) & words(other)), 7)


@lru_cache(maxsize=65536)
def pieces(label: str) -> tuple[str | Index, ...]:
    """A label's words as text and its indices as numbers; the 5 and the b of `5b` are indices, 3x3 is a word.

    >>> pieces("conv3x3_10"), pieces("mixed5b")
    (('conv', '3x3', '_', (2, '10')), ('mixed', (1, '5'), (1, 'b')))
    """
    found: list[str | Index] = []
    for piece in _LABEL.findall(label)[:LONGEST]:
        if piece.isdecimal():
            digits = piece.lstrip("0")
            found.append((len(digits), digits))
        elif len(piece) == 1 and piece.isalpha() and found and not isinstance(found[-1], str):
            found.append((1, piece))
        else:
            found.append(piece)
    return tuple(found)


def before(labels: Sequence[str]) -> list[int]:
    """For each label, as bits, the labels that an index says come before it: the first piece in which they differ.

    >>> before(["conv10", "conv9", "bn1"])
    [2, 0, 0]
    """
    found = [0] * len(labels)

    def compare(those: list[int], depth: int) -> None:
        groups: dict[str | Index, list[int]] = {}
        for label in those:
            if depth < len(split[label]):
                groups.setdefault(split[label][depth], []).append(label)
        earlier = 0
        for index in sorted(piece for piece in groups if not isinstance(piece, str)):
            for label in groups[index]:
                found[label] |= earlier
            earlier |= sum(1 << label for label in groups[index])
        for group in groups.values():
            if len(group) > 1:
                compare(group, depth + 1)

    split = [pieces(label) for label in labels]
    compare(list(range(len(labels))), 0)
    return found


def modules(name: str, separator: str = ".") -> Iterator[str]:
    """The modules that a layer is in, the smallest first, the whole last.

    >>> list(modules("stage3.unit2.conv"))
    ['stage3.unit2', 'stage3', '']
    """
    while name:
        name = name.rpartition(separator)[0]
        yield name


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """The key that sorts names with their numbers as numbers; it makes a page readable, and is no evidence.

    >>> sorted(["features.10", "features.2"], key=natural)
    ['features.2', 'features.10']
    """
    split = (piece for label in name.split(".")[:LONGEST] for piece in (*pieces(label), ""))
    return *((1, 0, piece) if isinstance(piece, str) else (0, *piece) for piece in split), (2, 0, name)
