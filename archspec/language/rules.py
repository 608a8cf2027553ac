"""The rules of the language that checking, expansion and emission share."""

from collections.abc import Sequence
from typing import Any

from archspec.dims import is_number


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
