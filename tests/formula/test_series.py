"""Formulas in short: sums over an index and names, written out again, are the formulas."""

from itertools import pairwise

import pytest
import sympy
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Add, Symbol

import archspec
from archspec.cli import app
from archspec.formula.series import shortened
from archspec.symbols import CeilDiv, Floor, value

X, Y = Symbol("x", positive=True, rational=True), Symbol("y", positive=True, integer=True)


def short(*terms):
    return shortened(terms, ["x", "y"])


def test_terms_that_differ_by_one_number_are_one_sum():
    found = short(Add(*(Floor(i * X) * Y for i in range(2, 9)), Y, 3))
    (series,) = found.series
    assert (series.index.name, series.first, series.last) == ("i", 2, 8)
    assert found.terms == (Y + 3,)


def test_products_of_neighbours_are_one_sum_and_what_they_share_is_named_once():
    terms = [Floor(i * X + sympy.Rational(1, 3)) for i in range(5)]
    assert short(*terms).series == ()  # i stands in a sum there
    nested = [Floor(Floor(i / Y) * X) for i in range(1, 6)]
    found = short(Add(*(a * b for a, b in pairwise(nested)), *nested))
    assert [(each.first, each.last) for each in found.series] == [(1, 5), (1, 4)]
    assert {name.name for name, _ in found.names} == {"aᵢ"}
    assert sympy.expand(found.written_out() - Add(*(a * b for a, b in pairwise(nested)), *nested)) == 0


@pytest.mark.parametrize("numbers", [[1, 2], [1, 2, 4], [2, 4, 8, 16]])
def test_few_terms_and_such_with_gaps_are_no_sum(numbers):
    assert short(*(Floor(i * X) for i in numbers)).series == ()


def test_what_repeats_is_named_in_order_and_letters_that_are_taken_are_left_alone():
    wide, narrow = Floor(128 * X), Floor(64 * X)
    found = shortened([wide**2 * Y, wide * Y + narrow, wide * narrow, narrow], ["x", "y", "n"])
    assert [(name.name, str(meaning)) for name, meaning in found.names] == [("m₁", "⌊64*x⌋"), ("m₂", "⌊128*x⌋")]
    assert found.letters["m₂"] == "m_{2}"


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from([1, Y, X, CeilDiv(Y, 2)]), st.integers(1, 3)),
        min_size=1,
        max_size=14,
    )
)
@settings(max_examples=60, deadline=None)
def test_written_out_it_is_what_it_was(drawn):
    terms = [Floor(i * X) ** power * other for i, other, power in drawn]
    assert sympy.expand(short(*terms).written_out() - Add(*terms)) == 0
    assert sympy.expand(short(Add(*terms)).written_out() - Add(*terms)) == 0


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("quantity", ["params", "macs"])
@pytest.mark.parametrize(
    "name", ["mobilenet", "mobilenet_v2", "shufflenet", "squeezenet_meta", "resnet50", "googlenet"]
)
def test_of_the_zoo_nothing_is_lost(name, quantity, network):
    form = network(name).formula(quantity)
    found = shortened(form.terms, [each.name for each in form.symbols])
    known = {each.name: form.defaults[each.name] for each in form.symbols}
    assert value(found.written_out(), known) == form()


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_long_formula_is_said_in_short_and_a_short_one_as_it_is():
    lines = CliRunner().invoke(app, ["formula", "squeezenet_meta", "--of", "params"]).stdout.splitlines()
    assert lines[1].startswith("  = Σᵢ₌₁⁷ (")
    assert lines[2] == "  + Σᵢ₌₁⁶ (incr_e·aᵢ₊₁·bᵢ)"
    assert "  and bᵢ = ⌊i/freq⌋" in lines
    assert len(lines) < 25  # and not over 50 terms
    tex = CliRunner().invoke(app, ["formula", "squeezenet_meta", "--of", "params", "--format", "latex"]).stdout
    assert r"\sum_{i=1}^{6} \left(\mathrm{incr\_e} \, a_{i+1} \, b_{i}\right)" in tex
    assert r"&\text{and } b_{i} = \left\lfloor \frac{i}{\mathrm{freq}} \right\rfloor" in tex
    assert "where" not in CliRunner().invoke(app, ["formula", "lenet_5", "--of", "params"]).stdout


def test_sums_of_sizes_are_one_sum_and_quotients_are_written_as_they_were():
    inner = CeilDiv(2 * CeilDiv(Y - 3, 4) + 1, 1)
    outer = CeilDiv(2 * inner - 1, 1)
    assert str(outer) == "(4*⌈(y - 3)/4⌉ + 1)"
    text = """
archspec: 1
name: divided
symbols: {a: {default: 1, range: [1/4, 2]}, d: {default: 64}, h: {default: 8}}
input: [3]
network: [{linear: {out_features: round(32 * a), bias: false}}, {linear: {out_features: d // h, bias: false}}]
"""
    form = archspec.loads(text).formula("params")
    assert form.text() == "⌊32a⌉·⌊d/h⌋ + 3·⌊32a⌉"
    assert r"\left\lfloor \frac{d}{h} \right\rfloor" in form.latex()
    assert form(a="1/3", d=65, h=8) == 3 * 11 + 11 * 8


def test_windows_that_do_not_divide_the_size_are_added_up_one_by_one():
    text = """
archspec: 1
name: windows
symbols: {s: {default: 7, range: [3, 40]}}
input: [2, s, s]
network: [{adaptive_avg_pool2d: {output_size: 2}}]
"""
    arch = archspec.loads(text)
    form = arch.formula("flops")
    assert all(form(s=s) == arch.count(s=s).flops for s in range(3, 41))
    assert all(form.holds(s=s) for s in (3, 7, 39))


def test_conditions_that_numbers_are_one_or_more_are_said_once():
    text = " ".join(CliRunner().invoke(app, ["formula", "squeezenet_meta", "--of", "params"]).stdout.split())
    assert text.count("≥ 1") == 0
    assert text.count("1 or more") == 1
