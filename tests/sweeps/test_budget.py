"""What a budget may be written as, and all values that give one network."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.sweeps.budget import Budget, budget, budgets
from archspec.sweeps.family import Span, decimal


@pytest.mark.parametrize(
    ("quantity", "text", "least", "most"),
    [
        ("macs", "<=300M", None, 300 * 10**6),
        ("macs", "300M", None, 300 * 10**6),
        ("macs", " ≤ 2.5 M ", None, 2_500_000),
        ("macs", "<300M", None, 300 * 10**6 - 1),
        ("flops", ">=1.5G", 1_500_000_000, None),
        ("flops", ">1e9", 10**9 + 1, None),
        ("params", "<=1,234,567", None, 1_234_567),
        ("params", "≥1_000k", 10**6, None),
        ("params", "<=2.7", None, 2),
        ("params", ">=2.7", 3, None),
        ("params", "<2.7", None, 2),
        ("params", ">2.7", 3, None),
        ("weight_bytes", "<=64KiB", None, 64 * 1024),
        ("weight_bytes", "<=320kB", None, 320 * 1000),
        ("weight_bytes", "<=4M", None, 4 * 10**6),
        ("memory", "<1GiB", None, 2**30 - 1),
    ],
)
def test_a_bound_is_read_exactly(quantity, text, least, most):
    assert budget(quantity, [text]) == Budget(quantity, least, most)


@pytest.mark.parametrize("text", ["", "<=", "many", "<=-3", "<=3 M M", "=3", "<=1.2.3", "<=1e999", "3..4", "<=3MM"])
def test_what_is_no_bound_is_refused_and_the_right_form_is_shown(text):
    with pytest.raises(ArchspecError, match=r"300M|unit|ordinary"):
        budget("macs", [text])


def test_a_unit_of_bytes_is_none_of_macs_and_kilobytes_are_spelt_out():
    with pytest.raises(BindingError, match="no unit 'KiB' of macs"):
        budget("macs", ["64KiB"])
    with pytest.raises(BindingError, match=r"no unit 'KB' .*did you mean"):
        budget("memory", ["64KB"])


def test_bounds_on_one_quantity_are_taken_together():
    assert budget("macs", ["<=300M", "<=2G", ">=1M"]) == Budget("macs", 10**6, 300 * 10**6)
    with pytest.raises(BindingError, match=r"at least 3,000 and at most 2,000; the bounds contradict"):
        budget("macs", ["<=2k", ">=3k"])


def test_a_number_is_the_most():
    assert budgets({"macs": 5_000_000, "memory": 3.2e5}) == (
        Budget("macs", most=5 * 10**6),
        Budget("memory", most=320_000),
    )
    found = budgets({"macs": np.int64(7), "params": Fraction(7, 2), "memory": 1e-7, "intensity": Fraction(1, 3)})
    assert [each.most for each in found] == [7, 3, 0, Fraction(1, 3)]


@pytest.mark.parametrize("value", [True, -3, float("nan"), float("inf"), None, b"3", [None]])
def test_what_is_no_bound_is_refused(value):
    with pytest.raises(BindingError, match="a budget of macs is written '<=300M'"):
        budgets({"macs": value})


def test_an_unknown_quantity_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="did you mean 'params'"):
        budgets({"parms": "<=3"})
    with pytest.raises(ArchspecError, match="what is the budget"):
        budgets({})


def test_an_excess_is_counted_from_the_bound_that_is_broken():
    both = Budget("macs", 10, 20)
    assert [both.excess(value) for value in (7, 10, 15, 20, 26)] == [3, 0, 0, 0, 6]
    assert [both.miss(value) for value in (7, 15, 26)] == [Fraction(3, 10), 0, Fraction(6, 20)]
    assert Budget("macs", None, 0).miss(5) == 5


# ------------------------------------------------------------------ spans

ends = st.fractions(min_value=0, max_value=4, max_denominator=3000)


@given(ends, ends, st.booleans(), st.booleans())
def test_the_short_value_lies_within_and_no_shorter_decimal_does(a, b, left, right):
    low, high = sorted((a, b))
    if low == high:
        assert Span(low, high).short == low
        return
    span = Span(low, high, (left, right))
    assert span.short in span
    places = next((n for n in range(13) if (Fraction(span.short) * 10**n).denominator == 1), None)
    if places:
        scale = 10 ** (places - 1)
        candidates = range(int(low * scale), int(high * scale) + 2)
        assert not any(Fraction(n, scale) in span for n in candidates)


def test_a_span_that_no_short_decimal_is_in_gives_its_middle():
    low = Fraction(1, 3)
    high = low + Fraction(1, 10**15)
    assert Span(low, high).short == (low + high) / 2


def test_a_span_says_which_of_its_ends_belong_to_it():
    assert Span(Fraction(1, 3), 1, (False, True)).written("a") == "1/3 < a ≤ 1"
    assert Span(192, 192).written("side") == "side = 192"
    assert str(Span("v1", "v1")) == "· = v1"
    assert decimal(Fraction(-3, 4)) == "-0.75"
    assert decimal(Fraction(1, 10**9)) == "1/1000000000"
