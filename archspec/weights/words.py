"""What the names of layers say: words that two authors would both use, and the order that numbers give."""

import re
from functools import lru_cache
from itertools import zip_longest

SAME = {
    "shortcut": ("downsample", "identity", "projection", "proj", "skip", "resize"),
    "depthwise": ("dw", "dwconv", "dwise"),
    "pointwise": ("pw", "pwconv", "pwise"),
    "double": ("dbl",),
    "expand": ("exp", "expansion"),
    "linear": ("fc", "dense"),
}
"""Words for one thing."""

FIRST = frozenset({"stem", "init", "first", "embed", "embedding", "embeddings"})
"""Words of what comes before all else, when names are sorted."""

LAST = frozenset({"head", "classifier", "fc", "output", "logits", "final", "last", "predictions"})
"""Words of what comes behind."""

_MEANING = {word: meaning for meaning, words in SAME.items() for word in words}
_PLACE = re.compile(r"(stage|unit|layer|block|features|module|model|body|seq|)\d*")
_PIECES = re.compile(r"\d+x\d+|\d+|[^\W\d_]+")


@lru_cache(maxsize=65536)
def words(name: str) -> frozenset[str]:
    """The words of a layer's name; of its last three parts with their numbers too.

    >>> sorted(words("features.stage1.unit2.identity_conv.conv"))
    ['conv', 'shortcut']
    >>> sorted(words("fire2/expand3x3/conv1"))
    ['3x3', 'conv', 'conv1', 'expand', 'expand3x3', 'fire', 'fire2']
    """
    parts = re.split(r"[./]", name.lower())
    found = {piece for part in parts for piece in _PIECES.findall(part)}
    found |= {piece for part in parts[-3:] for piece in part.split("_")}
    return frozenset(_MEANING.get(word, word) for word in found if len(word) > 1 and not _PLACE.fullmatch(word))


def likeness(one: str, other: str) -> int:
    """How many words two names share, 7 at most."""
    return min(len(words(one) & words(other)), 7)


def sorting(name: str) -> tuple[tuple[int, tuple[tuple[int, int, str], ...]], ...]:
    """The key that puts names in the likely order of computation: numbers as numbers, the stem first, heads last.

    >>> sorted(["classifier.1", "features.10", "features.2", "stem"], key=sorting)
    ['stem', 'features.2', 'features.10', 'classifier.1']
    """
    return tuple((_rank(part), tuple(_piece(piece) for piece in _pieces(part))) for part in name.split("."))


def in_order(one: str, other: str) -> bool:
    """Whether two names themselves say which comes first: they part at a number or a letter that counts, or at an end.

    >>> in_order("block1.bn1", "block1.bn2"), in_order("mixed_5a.conv", "mixed_5b.conv")
    (True, True)
    >>> in_order("block1.bn1", "block1.downsample.1")
    False
    """
    for here, there in zip_longest(one.split("."), other.split("."), fillvalue=""):
        if here != there:
            if _rank(here) != _rank(there):
                return True
            pairs = zip_longest(_pieces(here), _pieces(there), fillvalue="")
            return next((all(map(_counts, pair)) for pair in pairs if pair[0] != pair[1]), False)
    return False


def _pieces(part: str) -> list[str]:
    return re.findall(r"\d+|[^\W\d_]+|_", part)


def _piece(piece: str) -> tuple[int, int, str]:
    return (0, int(piece), "") if piece.isdecimal() else (1, 0, piece)


def _counts(piece: str) -> bool:
    return piece.isdecimal() or len(piece) == 1


def _rank(part: str) -> int:
    found = set(_PIECES.findall(part.lower()))
    return -1 if found & FIRST else int(bool(found & LAST))
