"""Arrays of whole numbers that never wrap: int64 while every result fits, Python's integers beyond."""

from typing import Any

import numpy as np

LARGEST = 2**63 - 1


class Whole(np.ndarray):
    """An array of whole numbers with exact sums and products: what could leave 64 bits is computed in Python's ints.

    A product with a Fraction holds Fractions, until it is rounded.

    >>> np.array([3, 2**40]).view(Whole) * 2**40
    Whole([3298534883328, 1208925819614629174706176], dtype=object)
    """

    bound: int | None = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        bound = _bound(ufunc, method, inputs)
        if bound is not None and bound > LARGEST:  # computed with Python's integers
            plain = [np.asarray(value, dtype=object) for value in inputs]
        else:
            plain = [value.view(np.ndarray) if isinstance(value, Whole) else value for value in inputs]
        compute = ufunc if method == "__call__" else getattr(ufunc, method)
        result = compute(*plain, **kwargs)
        if not isinstance(result, np.ndarray) or result.dtype == np.bool_:
            return int(result) if isinstance(result, np.integer) else result
        if result.dtype == object and ufunc is np.floor_divide:
            result = _narrow(result)
        found = result.view(Whole)
        found.bound = bound if found.dtype == np.int64 else None
        return found

    def __getitem__(self, key: Any) -> Any:
        """A part of it; one number is an int."""
        found = super().__getitem__(key)
        return int(found) if isinstance(found, np.integer) else found

    # nothing is done in place: the sizes of a network are shared, as ints are
    __iadd__: Any = np.ndarray.__add__
    __isub__: Any = np.ndarray.__sub__
    __imul__: Any = np.ndarray.__mul__


def narrowed(numbers: list[Any], shape: tuple[int, ...]) -> Whole:
    """Numbers as an array: of int64 where all are whole and fit, of Python's integers and Fractions else.

    >>> narrowed([2, 3], (2,))
    Whole([2, 3])
    """
    found = np.empty(len(numbers), dtype=object)
    found[:] = numbers
    whole = all(type(number) is int for number in numbers)
    return (_narrow(found) if whole else found).reshape(shape).view(Whole)


def _narrow(result: Any) -> Any:
    """Integers as int64 where they all fit: quotients that were rounded down."""
    try:
        return result.astype(np.int64)
    except OverflowError:
        return result


def _bound(ufunc: Any, method: str, inputs: tuple[Any, ...]) -> int | None:
    """What no absolute value of a result exceeds; None where none can grow, or where there are no whole numbers."""
    called = method == "__call__"
    compute = (_GROWING if called else _FOLDED).get(ufunc)
    if compute is None:
        return None
    bounds = []
    for value in inputs:
        largest = value.bound if type(value) is Whole else None
        if largest is None and (largest := _largest(value)) is None:
            return None
        bounds.append(largest)
    sizes = () if called else (np.size(inputs[0]),)
    bound: int = compute(*bounds, *sizes)
    if bound > LARGEST:
        bound = compute(*(_largest(np.asarray(value)) for value in inputs), *sizes)
    return bound


def _largest(value: Any) -> int | None:
    """What no absolute value of an array exceeds, kept with it; None where the values are not whole."""
    if isinstance(value, int):
        return abs(value)
    if getattr(value, "dtype", None) != np.int64:
        return None
    largest = max(int(value.max()), -int(value.min())) if value.size else 0
    if type(value) is Whole:
        value.bound = largest
    return largest


_GROWING: dict[Any, Any] = {
    np.add: lambda a, b: a + b,
    np.subtract: lambda a, b: a + b,
    np.multiply: lambda a, b: a * b,
    np.square: lambda a: a * a,
    np.power: lambda a, b: max(a, 1) ** b,
}

_FOLDED: dict[Any, Any] = {
    np.add: lambda a, size: a * size,
    np.multiply: lambda a, size: max(a, 1) ** size,
}
"""Sums and products of the elements of one array."""
