"""Numbers that follow a symbol along an axis are, at every value, what plain numbers are."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import dims
from archspec.errors import ArchspecError
from archspec.sweeps.axis import Affine, Axis, MixedError

HALF = Fraction(1, 2)
VALUES = [Fraction(n, 24) for n in range(1, 73)]

ROUNDINGS = {
    "floor": lambda s: dims.floor(10 * s + HALF),
    "ceil": lambda s: dims.ceil(s / 3 if not isinstance(s, Affine) else dims.divide(s, 3)),
    "falling": lambda s: dims.floor(7 - 5 * s),
    "round": lambda s: dims.round_half_up(12 * s),
    "floor_mul": lambda s: dims.floor_mul(12, s),
    "make_divisible": lambda s: dims.make_divisible(40 * s),
    "by 4": lambda s: dims.make_divisible(20 * s, 4),
    "at least 9": lambda s: dims.make_divisible(20 * s, 8, 9),
    "at least 3": lambda s: dims.make_divisible(20 * s, 8, 3),
    "floor_div": lambda s: dims.floor_div(64 * s, 3),
    "ceil_div": lambda s: dims.ceil_div(64 * s, 3),
    "of a power": lambda s: dims.floor((9 * s) ** 1),
    "cancelled": lambda s: dims.floor(s + 2 - s),
}


@pytest.mark.parametrize("rule", ROUNDINGS)
def test_a_rounding_gives_at_each_value_what_the_value_alone_gives(rule):
    compute = ROUNDINGS[rule]
    axis = Axis("s", VALUES)
    found = compute(axis.at(np.arange(len(VALUES))))
    expected = [compute(value) for value in VALUES]
    assert (found.tolist() if isinstance(found, np.ndarray) else [found] * len(VALUES)) == expected
    assert [compute(axis.at(np.array([row]))) for row in range(len(VALUES))] == expected


@pytest.mark.parametrize("rule", ROUNDINGS)
def test_a_rounding_changes_nowhere_but_at_the_breaks(rule):
    compute = ROUNDINGS[rule]
    low, high = Fraction(1, 10), Fraction(4)
    axis = Axis("s", [low, high])
    compute(axis.at(np.arange(2)))
    breaks = sorted(axis.breaks)
    assert (breaks[0], breaks[-1]) == (low, high)
    random = Random(rule)  # noqa: S311  # the same values every time
    for left, right in pairwise(breaks):
        inside = [left + (right - left) * Fraction(random.randint(1, 10**6 - 1), 10**6) for _ in range(6)]
        assert len({compute(value) for value in inside}) == 1


@given(st.integers(1, 40), st.integers(1, 12), st.one_of(st.none(), st.integers(1, 60)))
@settings(max_examples=60, deadline=None)
def test_make_divisible_changes_nowhere_but_at_the_breaks_whatever_its_divisor(slope, divisor, least):
    axis = Axis("s", [Fraction(1, 4), Fraction(3)])
    dims.make_divisible(slope * axis.at(np.arange(2)), divisor, least)
    breaks = sorted(axis.breaks)
    for left, right in pairwise(breaks):
        inside = [left + (right - left) * Fraction(n, 8) for n in range(1, 8)]
        assert len({dims.make_divisible(slope * value, divisor, least) for value in inside}) == 1


COMPARISONS = {
    "less": lambda s: dims.less(2 * s, 3),
    "not less": lambda s: dims.less(3, 2 * s),
    "falling": lambda s: dims.less(1 - s, 0),
    "equal": lambda s: dims.equal(2 * s, 3),
    "known_less": lambda s: dims.known_less(s, 1),
    "cancelled": lambda s: dims.less(s, s + 1) and not dims.equal(s, s - 1),
    "words": lambda s: dims.equal(s, "same"),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_condition_is_decided_at_each_value_and_for_all_where_they_agree(name):
    compute = COMPARISONS[name]
    axis = Axis("s", VALUES)
    expected = [compute(value) for value in VALUES]
    assert [compute(axis.at(np.array([row]))) for row in range(len(VALUES))] == expected
    for answer in set(expected):
        rows = [row for row, one in enumerate(expected) if one == answer]
        assert compute(axis.at(np.array(rows))) == answer
    if len(set(expected)) == 2:
        with pytest.raises(MixedError):
            compute(axis.at(np.arange(len(VALUES))))


def test_the_extremes_are_those_of_each_value():
    axis = Axis("s", VALUES)
    for row, value in enumerate(VALUES):
        s = axis.at(np.array([row]))
        assert dims.floor(dims.maximum(10 * s, 3, 20 * s - 9)) == dims.floor(max(10 * value, 3, 20 * value - 9))
        assert dims.floor(dims.minimum(10 * s, 3, 20 * s - 9)) == dims.floor(min(10 * value, 3, 20 * value - 9))


REFUSED = {
    "squared": lambda s: s * s,
    "power": lambda s: s**2,
    "divisor": lambda s: dims.divide(3, s),
    "exact": lambda s: dims.exact_div(4 * s, 2),
    "rounded to": lambda s: dims.make_divisible(20, s),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_says_so_and_the_axis_remembers(name):
    compute = REFUSED[name]
    axis = Axis("scale", VALUES)
    with pytest.raises(ArchspecError, match="scale"):
        compute(axis.at(np.arange(3)))
    assert axis.fault
    assert "scale" in axis.fault


def test_arrays_and_the_symbol_do_not_mix_but_single_values_do():
    axis = Axis("s", VALUES)
    s = axis.at(np.arange(3))
    for mixed in (lambda: dims.floor(10 * s) * s, lambda: s + dims.floor(10 * s), lambda: s * dims.floor(10 * s)):
        with pytest.raises(MixedError):
            mixed()
    with pytest.raises(MixedError):
        dims.make_divisible(s, dims.floor(s * 100))
    assert axis.fault is None
    one = axis.at(np.array([5]))
    assert dims.floor(dims.floor(10 * one) * one) == dims.floor(10 * VALUES[5]) * VALUES[5] // 1


def test_too_many_breaks_are_refused():
    axis = Axis("s", [Fraction(1), Fraction(2)])
    with pytest.raises(ArchspecError, match="more than 250,000 networks"):
        dims.floor(10**9 * axis.at(np.arange(2)))
