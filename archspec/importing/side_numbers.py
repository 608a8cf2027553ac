"""Numbers that follow the side of the input: of places, patches and tokens."""

from collections.abc import Iterator, Sequence

MOST_STRIDE = 64
"""By how much a side is divided at most."""


def of_side(values: Sequence[tuple[int, int]], name: str = "side") -> list[str]:
    """The expressions over the side that make a number, from the simplest on; divided, it may be rounded up, too.

    Args:
        values: The number at several sides.
        name: What the side is called.

    >>> of_side([(224, 224), (192, 192)]), of_side([(224, 197), (192, 145)])
    (['side'], ['(side // 16) ** 2 + 1', 'ceil(side / 16) ** 2 + 1'])
    >>> of_side([(224, 7), (225, 8)]), of_side([(224, 7), (192, 9)])
    (['ceil(side / 32)'], [])
    """
    whole = sorted(range(1, MOST_STRIDE + 1), key=lambda stride: any(side % stride for side, _ in values))
    for power, more in ((1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2)):
        for stride in whole:
            found = [_said(text, power, more) for text, of in _parts(name, stride) if _fits(values, of, power, more)]
            if found:
                return found
    return []


def _parts(name: str, stride: int) -> Iterator[tuple[str, int]]:
    """The side divided, as text, and by what; a negative stride rounds up."""
    if stride == 1:
        yield name, 1
    else:
        yield f"({name} // {stride})", stride
        yield f"ceil({name} / {stride})", -stride


def _fits(values: Sequence[tuple[int, int]], stride: int, power: int, more: int) -> bool:
    made = ((side // stride if stride > 0 else -(side // stride)) for side, _ in values)
    return all(part**power + more == value for part, (_, value) in zip(made, values, strict=True))


def _said(part: str, power: int, more: int) -> str:
    said = f"{part} ** {power}" if power > 1 else part.removeprefix("(").removesuffix(")") if part[0] == "(" else part
    return f"{said} + {more}" if more else said
