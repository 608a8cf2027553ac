"""Arithmetic on intervals holds whatever the numbers inside."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import dims
from archspec.errors import ArchspecError
from archspec.interval import Interval, interval
from archspec.language.expression import Expression, Scope

numbers = st.fractions(-50, 50, max_denominator=12)
intervals = st.tuples(numbers, numbers).map(lambda ends: Interval(min(ends), max(ends)))
parts = st.fractions(0, 1, max_denominator=8)


def inside(box, part):
    return box.low + (box.high - box.low) * part


def holds(box, number):
    return box.low <= number <= box.high


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@given(intervals, intervals, parts, parts)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_result_holds_every_result(a, b, s, t):
    x, y = inside(a, s), inside(b, t)
    assert holds(a + b, x + y)
    assert holds(a - b, x - y)
    assert holds(a * b, x * y)
    assert holds(3 - a, 3 - x)
    assert holds(a**3, x**3)
    assert holds(dims.floor(a), dims.floor(x))
    assert holds(dims.ceil(a), dims.ceil(x))
    assert holds(dims.round_half_up(a), dims.round_half_up(x))
    assert holds(dims.maximum(a, b), max(x, y))
    assert holds(dims.minimum(a, 7), min(x, 7))
    if not b.low <= 0 <= b.high:
        assert holds(dims.divide(a, b), x / y)


def test_expressions_take_intervals():
    value = Expression("ceil(weights * density) + 4").evaluate(
        Scope({"weights": 1000, "density": Interval(Fraction(325, 1000), Fraction(335, 1000))})
    )
    assert value == Interval(329, 339)


def test_division_by_what_could_be_zero_is_refused():
    with pytest.raises(ArchspecError, match="could be 0"):
        dims.divide(1, Interval(-1, 1))


def test_an_interval_begins_before_it_ends():
    with pytest.raises(ArchspecError, match="ends above"):
        Interval(2, 1)


def test_order_is_decided_only_where_all_numbers_agree():
    assert dims.less(Interval(1, 2), 3)
    assert not dims.less(Interval(3, 4), 3)
    with pytest.raises(ArchspecError, match="open"):
        dims.less(Interval(1, 4), 3)


def test_a_number_is_an_interval_of_itself():
    assert interval(3) == Interval(3, 3)
    assert Interval(1, 2).meets(Interval(2, 3))
    assert not Interval(1, 2).meets(Interval(3, 4))


def test_log2_is_exact():
    assert [dims.log2(k) for k in (1, 2, 256)] == [0, 1, 8]
    for wrong in (0, 3, -2, Fraction(1, 2)):
        with pytest.raises(ArchspecError, match="powers of two"):
            dims.log2(wrong)
