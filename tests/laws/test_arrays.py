"""Arrays of sizes never wrap: int64 while the numbers fit, Python's integers beyond."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec import dims
from archspec.arrays import LARGEST, Whole

HALF = Fraction(1, 2)


def whole(*values):
    return np.array(values, dtype=np.int64).view(Whole)


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=4), st.integers(0, 2**40), st.integers(1, 3))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_sums_and_products_are_those_of_ints(values, factor, power):
    for compute in (lambda a: a * factor, lambda a: a + factor, lambda a: factor - a, lambda a: a**power * factor):
        assert compute(whole(*values)).tolist() == [compute(value) for value in values]
    assert whole(*values).sum() * factor == sum(values) * factor
    assert (whole(*values) * 2**30).sum() == sum(values) * 2**30


def test_what_fits_stays_int64_and_what_does_not_becomes_integers_of_python():
    assert (whole(2**40) * 2**20).dtype == np.int64
    assert (whole(2**40) * 2**40).dtype == object
    assert (whole(2**40) * 2**40 // 2**20).dtype == np.int64
    small = whole(2**40) - whole(2**40) + 3  # a bound that grew too large is looked at again
    assert (small * 2**30).dtype == np.int64
    assert whole(2**40, 3)[0] * 2**40 == 2**80
    assert (whole(LARGEST) + 1).tolist() == [LARGEST + 1]


def test_a_rounding_of_large_numbers_is_exact():
    large = whole(2**62 + 1, 5) * 3
    assert dims.ceil_div(large, 2).tolist() == [(3 * (2**62 + 1) + 1) // 2, 8]
    assert dims.maximum(large, 16).tolist() == [3 * (2**62 + 1), 16]
    assert dims.exact_div(large * 4, 4).tolist() == large.tolist()
    assert dims.equal(large, large)
    assert not dims.known_less(large, 1)


@pytest.mark.parametrize("name", ["vgg16", "mobilenet", "alexnet"])
def test_the_count_of_arrays_is_the_count_of_each_however_large(name):
    arch, batch = archspec.load(name), 2**33
    sides = [224, 1000, 4096]
    table = arch.count(side=np.array(sides), batch=batch)
    each = [arch.count(side=side, batch=batch) for side in sides]
    for quantity in ("macs", "flops", "params", "activations", "weight_bytes"):
        found = getattr(table, quantity)
        expected = [getattr(one, quantity) for one in each]
        assert (found.tolist() if isinstance(found, np.ndarray) else [found] * 3) == expected
    assert max(one.flops for one in each) > LARGEST
    assert arch.formula("flops", free=["side", "batch"])(side=np.array(sides), batch=batch).tolist() == [
        one.flops for one in each
    ]


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=4), st.integers(1, 2**62))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_network_of_any_size_is_counted_without_wrapping(batches, classes):
    head = "archspec: 1\nname: x\nsymbols: {classes: {default: 10}}\ninput: [7]\n"
    text = head + "network: [linear: {out_features: classes}]"
    classes = min(classes, 10**12)
    batches = [min(batch, 10**12) for batch in batches]
    table = archspec.loads(text).count(batch=np.array(batches), classes=classes)
    assert table.flops.tolist() == [batch * classes * (2 * 7 + 1) for batch in batches]


@pytest.mark.parametrize("values", [[0.5, 1], ["1/2", "1"], [Fraction(1, 2), 1], np.array([0.5, 1.0]), (0.5, "1.0")])
def test_multipliers_in_any_form_are_read_exactly(values):
    arch = archspec.load("mobilenet_v2")
    table, each = arch.count(alpha=values, side=[224, 160]), [arch.count(alpha=0.5), arch.count(alpha=1, side=160)]
    for quantity in ("params", "macs", "memory", "traffic", "intensity"):
        assert list(table.figure(quantity)) == [one.figure(quantity) for one in each]
    formula = arch.formula("flops", free=["alpha", "side"])
    assert formula(alpha=values, side=[224, 160]).tolist() == [one.flops for one in each]
    assert arch.count(alpha=np.float32(0.35)).macs == arch.count(alpha="0.35").macs


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "a number at least"),
        ([[1, 2]], r"expected a number, found \[1, 2\]"),
        ([1, "x"], "found 'x'"),
        ([1, 99], "must be from 1/10 to 3"),
        (np.array([True]), "found bool"),
        (np.array([np.nan]), "found 'nan'"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(value, said):
    with pytest.raises(archspec.ArchspecError, match=said):
        archspec.load("mobilenet_v2").count(alpha=value)


def test_fractions_are_held_until_they_are_rounded():
    scaled = whole(3, 5, 8) * HALF
    assert dims.floor(scaled).tolist() == [1, 2, 4]
    assert dims.ceil(scaled).tolist() == [2, 3, 4]
    assert dims.round_half_up(scaled).tolist() == [2, 3, 4]
    assert isinstance(dims.floor(scaled), Whole)
    assert dims.maximum(whole(1, 9), 4, whole(2, 3)).tolist() == [4, 9]
    assert isinstance(dims.maximum(whole(1, 9), 4), Whole)


def test_a_sum_in_place_leaves_the_array_alone_as_it_leaves_an_int():
    sizes = whole(3, 5)
    total = sizes
    total += 1
    total *= whole(2, 2)
    total -= sizes
    assert total.tolist() == [5, 7]
    assert sizes.tolist() == [3, 5]
