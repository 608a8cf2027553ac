"""Layers whose sources could be exchanged, those of two branches together."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from archspec.weights.layers import Layer
from archspec.weights.rows import Exchange

if TYPE_CHECKING:
    from archspec.weights.match import Matcher

NEAREST = 16
"""With how many others a layer is compared."""


def exchanges(layers: Sequence[Layer], matched: "Matcher") -> tuple[Exchange, ...]:
    """The exchanges that shapes, modules and indices allow."""
    found = _found([layer for layer in layers if len(matched.possible.get(layer.name, ())) > 1], matched)
    return tuple(_with_norms(choice, matched) for choice in found)


def _found(layers: Sequence[Layer], matched: "Matcher") -> Iterator[Exchange]:
    branches: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    attached = {layer.name for layer in matched.wiring.behind.values()}
    for index, one in enumerate(layers):
        for other in islice((each for each in layers[index + 1 :] if _exchangeable(one, each, matched)), NEAREST):
            if matched.wiring.parallel(one, other):
                branches.setdefault(_branches(one.path, other.path), []).append((one.name, other.name))
            elif one.name not in attached:
                yield _choice(((one.name, other.name),), matched, parallel=False)
    for pairs in branches.values():
        yield from _together(pairs, matched)


def _exchangeable(one: Layer, other: Layer, matched: "Matcher") -> bool:
    ours, theirs = matched.taken[one.name][0], matched.taken[other.name][0]
    return theirs in matched.possible[one.name] or ours in matched.possible[other.name]


def _branches(one: str, other: str) -> tuple[str, str, str]:
    """Where two paths part, and the first part of each from there."""
    here, there = one.split("/"), other.split("/")
    same = next(index for index, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1])
    return "/".join(here[:same]), here[same], there[same]


def _together(pairs: list[tuple[str, str]], matched: "Matcher") -> Iterator[Exchange]:
    """The choices of two branches: one, if each layer of the one has its like in the other; else each pair its own."""
    ones, others = (list(dict.fromkeys(side)) for side in zip(*pairs, strict=True))
    if len(ones) == len(others):
        matching = [pair for pair in zip(ones, others, strict=True) if pair in pairs]
        if len(matching) == len(ones):
            yield _choice(tuple(matching), matched, parallel=True)
            return
    for pair in pairs:
        yield _choice((pair,), matched, parallel=True)


def _choice(pairs: tuple[tuple[str, str], ...], matched: "Matcher", *, parallel: bool) -> Exchange:
    names = [name for pair in pairs for name in pair]
    if any(name in matched.open for name in names):
        return Exchange(pairs, parallel)
    numbered = any(matched.taken[name][1] == "index" for name in names)
    return Exchange(pairs, parallel, "index" if numbered else "names")


def _with_norms(choice: Exchange, matched: "Matcher") -> Exchange:
    """The choice with the normalisations behind its layers, which go with them."""
    behind: Mapping[str, Layer] = matched.wiring.behind
    norms = [(behind[one].name, behind[two].name) for one, two in choice.layers if one in behind and two in behind]
    whole = [pair for pair in norms if all(name in matched.taken for name in pair) and pair not in choice.layers]
    return Exchange((*choice.layers, *whole), choice.parallel, choice.settled)
