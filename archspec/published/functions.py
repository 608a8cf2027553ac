"""The functions that expressions of figures have besides those of specifications.

    stored(density, bits)    the share of the weights that a sparse format stores, with the zeros that fill long gaps
    either(a, b)             what a rule gives; the print may mean anything from that to what another reading gives
    sum(name)                over the rows of a table
    mean(name, weight)       over the rows of a table, weighted

Each is there twice: for the numbers as printed, and for all numbers that round to them. The closed forms of compression
(`compress/closed_forms.py`) are functions too, by their names.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from operator import mul
from typing import Any

from archspec.compress.closed_forms import CLOSED_FORMS
from archspec.compress.rules import stored_share
from archspec.dims import divide
from archspec.errors import ArchspecError
from archspec.interval import Interval, interval
from archspec.language.expression import miscounted

PRECISION = 10**12

Functions = Mapping[str, Callable[..., Any]]


def functions(columns: Mapping[str, Sequence[Any]], rounded: bool) -> Functions:
    """The functions, of numbers as printed or of intervals.

    Args:
        columns: What the names of a table are in its rows.
        rounded: Whether for all numbers that round to those printed.
    """

    def column(name: Any) -> Sequence[Any]:
        if not isinstance(name, str) or name not in columns:
            raise ArchspecError(f"expected the name of a column, found {name}")
        return columns[name]

    def total(name: str) -> Any:
        return sum(column(name))

    def mean(name: str, weight: str) -> Any:
        values, weights = column(name), column(weight)
        if not rounded:
            return divide(sum(map(mul, values, weights)), sum(weights))
        return weighted_mean([interval(v) for v in values], [interval(w) for w in weights])

    def either(a: Any, b: Any) -> Any:
        if not rounded:
            return a
        a, b = interval(a), interval(b)
        return Interval(min(a.low, b.low), max(a.high, b.high))

    return {
        "stored": _taking("stored", 2, stored),
        "either": _taking("either", 2, either),
        "sum": _taking("sum", 1, total),
        "mean": _taking("mean", 2, mean),
        **{name: _taking(name, len(form.letters), form.rule) for name, form in CLOSED_FORMS.items()},
    }


def _taking(name: str, count: int, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A function that refuses another number of arguments."""

    def call(*values: Any) -> Any:
        fault = miscounted(name, len(values), count, count)
        if fault:
            raise ArchspecError(fault)
        return rule(*values)

    return call


def stored(density: Any, bits: Any) -> Any:
    """The share of the weights stored where each has the gap to the one before, in so many bits, behind it.

    That of `compress.rules`, for numbers that are rounded too. Exact to twelve digits.

    >>> stored(1, 4), float(stored(Fraction(9, 100), 4))
    (Fraction(1, 1), 0.115553121424)
    """
    if isinstance(density, Interval):
        return Interval(stored(max(density.low, 0), bits), stored(min(density.high, 1), bits))
    share = stored_share(density, bits) if density else divide(1, 2**bits)  # of none kept, the limit: a zero a span
    return Fraction(round(Fraction(share) * PRECISION), PRECISION)


def weighted_mean(values: Sequence[Interval], weights: Sequence[Interval]) -> Interval:
    """All weighted means of values and weights in these intervals; none wider than that.

    The mean is largest where the values above it have their largest weights and the others their smallest.

    >>> weighted_mean([Interval(4, 4), Interval(8, 8)], [Interval(1, 3), Interval(1, 1)])
    Interval(low=Fraction(5, 1), high=Fraction(6, 1))
    """
    return Interval(
        -_largest([(-value.low, weight) for value, weight in zip(values, weights, strict=True)]),
        _largest([(value.high, weight) for value, weight in zip(values, weights, strict=True)]),
    )


def _largest(parts: list[tuple[Any, Interval]]) -> Fraction:
    """The largest mean of numbers whose weights lie in intervals."""
    parts = sorted(parts, key=lambda part: part[0], reverse=True)
    means: list[Fraction] = []
    for count in range(len(parts) + 1):
        weights = [weight.high if i < count else weight.low for i, (_, weight) in enumerate(parts)]
        whole = Fraction(sum(weights))
        if whole <= 0:
            raise ArchspecError("the weights of a mean could be 0")
        means.append(sum(value * weight for (value, _), weight in zip(parts, weights, strict=True)) / whole)
    return max(means)
