"""The arithmetic of sizes says the same of ints, rationals, arrays and symbols; and its rewriting changes no value."""

import inspect
import math
import operator as op
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from functools import partial
from importlib import import_module
from itertools import pairwise, permutations
from random import Random

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import dims, ops, symbols
from archspec.dims import recording
from archspec.emit.code import Code
from archspec.errors import ArchspecError, DivisibilityError, UndecidableError
from archspec.interval import Interval
from archspec.sweeps.axis import Affine
from archspec.symbols import Ceil, CeilDiv, Condition, Floor, MakeDivisible, Maximum, Minimum, symbol

law = partial(settings, derandomize=True, deadline=None)

wholes = st.integers(-(10**6), 10**6)
sizes = st.integers(1, 10**6)
rationals = st.fractions(-1000, 1000, max_denominator=64)
positives = st.fractions(Fraction(1, 64), 1000, max_denominator=64)


def is_exact(value):
    if isinstance(value, np.ndarray):
        return value.dtype == np.int64
    if isinstance(value, sympy.Basic):
        return not value.has(sympy.Float)
    return type(value) is int or (type(value) is Fraction and value.denominator > 1)


def at(expression, values):
    """An expression with numbers for its symbols, as the number it comes to."""
    result = sympy.sympify(expression).subs(values)
    assert isinstance(result, sympy.Rational), f"{expression} is {result} for {values}"
    return Fraction(int(result.p), int(result.q))


# ------------------------------------------------------------------ one meaning for ints, rationals, arrays, symbols


def by_the_authors(v, divisor, min_value=None):
    """`_make_divisible` of tensorflow/models, research/slim/nets/mobilenet, on numbers without rounding errors."""
    if min_value is None:
        min_value = divisor
    new_v = max(min_value, int(v + Fraction(divisor) / 2) // divisor * divisor)
    if new_v < Fraction(9, 10) * v:
        new_v += divisor
    return new_v


MEANINGS = {
    "floor": (1, math.floor),
    "ceil": (1, math.ceil),
    "round_half_up": (1, lambda x: math.floor(x + Fraction(1, 2))),
    "floor_div": (2, lambda a, b: math.floor(Fraction(a) / b)),
    "ceil_div": (2, lambda a, b: math.ceil(Fraction(a) / b)),
    "floor_mul": (2, lambda a, x: math.floor(a * x)),
    "divide": (2, lambda a, b: Fraction(a) / b),
    "exact_div": (2, lambda a, b: Fraction(a) / b),
    "make_divisible": (2, by_the_authors),
    "maximum": (3, max),
    "minimum": (3, min),
}
"""Every function: how many arguments it has, and what it means."""

DIVIDES = {"floor_div", "ceil_div", "divide", "exact_div", "make_divisible"}


def arguments(name, values, whole):
    """As many arguments as the function takes, within what it takes."""
    if name in DIVIDES:
        values[1] = abs(values[1]) + (1 if whole else Fraction(1, 64))
    if name == "exact_div":
        values[0] = math.floor(values[0]) * values[1]
    if name == "make_divisible":
        values[0], values[1] = abs(values[0]), math.ceil(values[1])
    return values


def drawn(data, name, numbers):
    arity, _ = MEANINGS[name]
    whole = numbers is not rationals and numbers is not positives
    return arguments(name, [data.draw(numbers) for _ in range(arity)], whole)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", MEANINGS)
@pytest.mark.parametrize("numbers", [wholes, rationals])
@law(max_examples=50)
@given(data=st.data())
def test_on_numbers_each_function_is_what_its_name_says(name, numbers, data):
    values = drawn(data, name, numbers)
    result = getattr(dims, name)(*map(dims.exact, values))
    assert result == MEANINGS[name][1](*values)
    assert is_exact(result)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", sorted(MEANINGS.keys() - {"divide"}))
@law(max_examples=30)
@given(data=st.data())
def test_on_arrays_each_function_works_element_by_element(name, data):
    rows = [drawn(data, name, wholes) for _ in range(5)]
    function = getattr(dims, name)
    result = function(*(np.array(column) for column in zip(*rows, strict=True)))
    assert is_exact(result)
    assert result.tolist() == [function(*row) for row in rows]


@pytest.mark.parametrize(
    "name", sorted(name for name in MEANINGS.keys() - {"divide", "exact_div"} if MEANINGS[name][0] > 1)
)
@law(max_examples=30)
@given(data=st.data())
def test_arrays_meet_plain_numbers(name, data):
    rows = [drawn(data, name, sizes) for _ in range(4)]
    function, plain = getattr(dims, name), data.draw(st.integers(0, len(rows[0]) - 1))
    for row in rows:
        row[plain] = rows[0][plain]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    columns[plain] = rows[0][plain]
    assert function(*columns).tolist() == [function(*row) for row in rows]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", MEANINGS)
@pytest.mark.parametrize("numbers", [sizes, positives])
@law(max_examples=25)
@given(data=st.data())
def test_on_symbols_each_function_keeps_its_meaning(name, numbers, data):
    values = drawn(data, name, numbers)
    free = data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1))
    letters = {i: symbol(f"x{i}", isinstance(values[i], int)) for i in free}
    kept = [letters.get(i, dims.exact(value)) for i, value in enumerate(values)]
    result = getattr(dims, name)(*kept)
    assert is_exact(result)
    assert at(result, {letter: values[i] for i, letter in letters.items()}) == MEANINGS[name][1](*values)


def test_a_width_in_an_array_takes_a_rational_multiplier():
    widths = np.array([32, 64, 96])
    assert dims.floor_mul(widths, Fraction(7, 20)).tolist() == [11, 22, 33]
    assert dims.floor_mul(Fraction(7, 20), widths).tolist() == [11, 22, 33]
    assert dims.make_divisible(Fraction(56, 5), np.array([4, 8, 16])).tolist() == [12, 16, 16]


def test_an_array_is_no_quotient_and_holds_exact_numbers():
    with pytest.raises(ArchspecError, match="arrays of sizes hold integers"):
        dims.divide(np.array([4]), 2)
    for one in (np.array([1]), np.array([1.0]), np.array(["1"])):
        assert (dims.exact(one).tolist(), dims.exact(one).dtype) == ([1], np.int64)
    assert dims.exact(np.array([0.35, 1])).tolist() == [Fraction(7, 20), 1]
    for odd in (np.array([True]), np.array([1j])):
        with pytest.raises(ArchspecError, match="an array of sizes holds numbers, found"):
            dims.exact(odd)


@pytest.mark.parametrize("name", sorted(DIVIDES - {"divide"}))
@pytest.mark.parametrize(
    ("a", "divisor"),
    [(a, divisor) for a in (6, symbol("h")) for divisor in (0, -3, Fraction(-1, 2), -symbol("c"))]
    + [(6, np.array([3, 0])), (np.array([6]), 0)],
)
def test_a_divisor_must_be_positive(name, a, divisor):
    with pytest.raises(ArchspecError, match="the divisor must be positive, found"):
        getattr(dims, name)(a, divisor)


@pytest.mark.parametrize("a", [6, Fraction(1, 2), symbol("h")])
def test_a_quotient_may_be_negative_but_nothing_is_divided_by_zero(a):
    c = symbol("c")
    assert dims.divide(a, -3) * -3 == a
    assert at(dims.divide(a, -c), {c: 2, symbol("h"): 5}) == Fraction(at(a, {symbol("h"): 5})) / -2
    for zero in (0, Fraction(0), c - c):
        with pytest.raises(ArchspecError, match="division by zero"):
            dims.divide(a, zero)


def test_a_product_never_wraps():
    assert dims.product([10**12] * 3) == 10**36
    assert dims.product(()) == 1
    assert str(dims.product((2, symbol("h"), 3))) == "6*h"


# ------------------------------------------------------------------ reading numbers


@law(max_examples=150)
@given(st.fractions(max_denominator=1000) | st.integers(-(10**30), 10**30))
def test_a_number_is_read_back_from_its_text(number):
    assert dims.exact(str(number)) == dims.exact(number) == number
    assert is_exact(dims.exact(number))


@law(max_examples=150)
@given(st.integers(-(10**6), 10**6), st.integers(0, 6))
def test_a_float_is_the_decimal_that_it_prints_as(digits, places):
    text = str(Decimal(digits).scaleb(-places))
    assert dims.exact(float(text)) == dims.exact(Decimal(text)) == Fraction(text)


@pytest.mark.parametrize(
    "value", [None, True, "", "x", "1/0", "nan", "inf", math.nan, math.inf, [], 1j, b"1", "9" * 61]
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ArchspecError, match="expected a number"):
        dims.exact(value)


@pytest.mark.parametrize("text", ["1e999", "1e-100", "1E999999999"])
def test_a_number_out_of_the_ordinary_is_refused_before_it_is_computed(text):
    with pytest.raises(ArchspecError, match="expected a number of ordinary size"):
        dims.exact(text)


def test_text_may_carry_an_ordinary_exponent_and_spaces():
    assert (dims.exact(" 1e3 "), dims.exact("2.5E-1")) == (1000, Fraction(1, 4))


def test_a_subclass_of_int_becomes_an_int():
    assert type(dims.exact(type("Width", (int,), {})(3))) is int


def test_a_bool_is_neither_a_number_nor_a_size():
    assert [dims.is_dim(value) for value in (1, Fraction(1, 2), symbol("h"), np.array([1]), True, 1.0, "1")] == [
        *[True] * 4,
        *[False] * 3,
    ]


@pytest.mark.parametrize("bits", [*range(20), 200])
def test_the_logarithm_of_a_power_of_two_is_its_exponent(bits):
    assert dims.log2(2**bits) == bits
    with pytest.raises(ArchspecError, match=f"for powers of two alone .got {2**bits * 3}"):
        dims.log2(2**bits * 3)


@pytest.mark.parametrize("x", [0, -4, Fraction(1, 2), True])
def test_what_is_no_power_of_two_has_no_exact_logarithm(x):
    with pytest.raises(ArchspecError, match=f"got {x}"):
        dims.log2(x)


# ------------------------------------------------------------------ make_divisible


@pytest.mark.parametrize("multiplier", ["0.25", "0.35", "0.5", "0.75", "1.0", "1.3", "1.4"])
@pytest.mark.parametrize("divisor", [1, 2, 4, 8, 16])
def test_make_divisible_is_the_authors_code_on_their_multipliers(multiplier, divisor):
    def literally(v, divisor, min_value=None):
        if min_value is None:
            min_value = divisor
        new_v = max(min_value, int(v + divisor / 2) // divisor * divisor)
        if new_v < 0.9 * v:
            new_v += divisor
        return new_v

    for channels in (3, 16, 24, 32, 40, 48, 64, 80, 96, 112, 160, 192, 320, 576, 960, 1024, 1280):
        for least in (None, 8, 32):
            ours = dims.make_divisible(channels * dims.exact(multiplier), divisor, least)
            assert ours == literally(channels * float(multiplier), divisor, least)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@law(max_examples=400)
@given(positives, st.integers(1, 64), st.none() | st.integers(1, 200))
def test_make_divisible_is_a_multiple_near_enough(x, divisor, least):
    result = dims.make_divisible(x, divisor, least)
    assert result == by_the_authors(x, divisor, least)
    assert type(result) is int
    assert 10 * result >= 9 * x
    assert result >= (divisor if least is None else least)
    if least is None:
        assert result % divisor == 0
    assert (
        symbols.from_sympy(MakeDivisible(*map(symbols.to_sympy, (x, divisor, *([least] if least else []))))) == result
    )


def test_make_divisible_may_lose_a_tenth_but_no_more():
    assert dims.make_divisible(20, 18) == 18 == 20 * Fraction(9, 10)
    assert dims.make_divisible(Fraction(201, 10), 18) == 36


def test_make_divisible_prints_its_divisor_and_its_least():
    alpha = symbol("alpha", integer=False)
    plain, least = dims.make_divisible(32 * alpha, 8), dims.make_divisible(32 * alpha, 8, 16)
    assert (str(plain), str(least)) == ("⌊32*alpha⌉₈", "⌊32*alpha⌉₈≥16")
    assert sympy.latex(plain) == r"\left\lfloor 32 \alpha \right\rceil_{8}"
    assert sympy.latex(least) == r"\left\lfloor 32 \alpha \right\rceil_{8 \geq 16}"
    assert plain.is_integer
    assert plain.is_positive


# ------------------------------------------------------------------ exact division


@law(max_examples=200)
@given(wholes, sizes)
def test_a_division_that_does_not_come_out_even_is_refused(a, b):
    if a % b:
        with pytest.raises(DivisibilityError, match=f"{a} is not divisible by {b}"):
            dims.exact_div(a, b)
    else:
        assert dims.exact_div(a, b) * b == a


def test_one_element_that_does_not_divide_refuses_the_array():
    with pytest.raises(DivisibilityError, match=r"\[ 8 10\] is not divisible by 4"):
        dims.exact_div(np.array([8, 10]), 4)


def test_that_a_symbol_divides_is_recorded_once_and_only_where_it_is_open():
    c, g = symbol("c"), symbol("g")
    with recording() as conditions:
        assert dims.exact_div(4 * c, 2) == 2 * c
        assert dims.exact_div(c * g, g) == c
        assert dims.exact_div(c, c) == 1
        assert conditions == []
        for _ in range(2):
            assert dims.exact_div(c, 4) == c / 4
        dims.exact_div(12, g)
    assert conditions == [Condition("divides", c, sympy.Integer(4)), Condition("divides", sympy.Integer(12), g)]
    assert [str(condition) for condition in conditions] == ["c is a multiple of 4", "12 is a multiple of g"]


def test_a_symbolic_division_that_plainly_leaves_a_rest_is_refused():
    c = symbol("c")
    with recording() as conditions, pytest.raises(DivisibilityError, match=r"2\*c \+ 1 is not divisible by 2"):
        dims.exact_div(2 * c + 1, 2)
    assert conditions == []


def test_the_innermost_recording_gets_the_condition_and_without_one_nobody_does():
    c = symbol("c")
    with recording() as outer:
        with recording() as inner:
            dims.exact_div(c, 2)
        dims.exact_div(c, 3)
    dims.exact_div(c, 5)
    assert [str(condition) for condition in inner] == ["c is a multiple of 2"]
    assert [str(condition) for condition in outer] == ["c is a multiple of 3"]


# ------------------------------------------------------------------ one interface

ARITHMETICS = ("archspec.symbols", "archspec.interval", "archspec.sweeps.axis", "archspec.emit.code")


@pytest.mark.parametrize("home", ARITHMETICS)
@pytest.mark.parametrize("rule", dims.RULES)
def test_every_arithmetic_has_every_rule_and_takes_its_arguments(home, rule):
    found, wanted = getattr(import_module(home), rule, None), inspect.signature(dims.RULES[rule])
    assert callable(found), f"{home} lacks {rule}"
    given = [each for each in wanted.parameters.values() if each.default is inspect.Parameter.empty]
    if any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in given):
        inspect.signature(found).bind(1, 2, 3)
    else:
        inspect.signature(found).bind(*range(len(given)))
        inspect.signature(found).bind(*range(len(wanted.parameters)))


def test_every_kind_of_number_names_an_arithmetic_that_is_tested():
    kinds = (Interval, Affine, Code)
    assert {kind.rules for kind in kinds} | {symbols.__name__} == set(ARITHMETICS)


# ------------------------------------------------------------------ questions


def test_the_same_expression_is_equal_and_another_is_recorded_to_differ():
    c, d = symbol("c"), symbol("d")
    with recording() as conditions:
        assert dims.equal(2 * (c + d), 2 * c + 2 * d)
        assert not dims.equal(c, c + 1)
        assert not dims.equal(c, 0)
        assert not dims.equal(c, "same")
        assert not dims.equal(True, c)
        assert conditions == []
        assert not dims.equal(c, d)
        assert not dims.equal(64, c)
    assert [str(condition) for condition in conditions] == ["c ≠ d", "c ≠ 64"]


def test_words_and_switches_are_equal_only_to_their_own_kind():
    assert dims.equal("same", "same")
    assert dims.equal(True, True)
    assert not dims.equal("same", "none")
    assert not dims.equal(True, 1)
    assert not dims.equal(1, "1")
    assert dims.equal(Fraction(4, 2), 2)


def test_the_elements_of_an_array_must_answer_alike():
    a = np.array([3, 5])
    assert dims.equal(a, a)
    assert not dims.equal(a, 4)
    assert dims.less(a, 6)
    assert not dims.less(a, 3)
    for question in (partial(dims.equal, a, 5), partial(dims.less, a, 4)):
        with pytest.raises(ArchspecError, match="answer a condition differently; count them one by one"):
            question()


@law(max_examples=100)
@given(rationals, rationals)
def test_numbers_are_compared_as_numbers(a, b):
    assert (dims.less(a, b), dims.equal(a, b), dims.known_less(a, b)) == (a < b, a == b, a < b)


def test_the_signs_of_symbols_decide_what_they_can():
    c, d, alpha = symbol("c"), symbol("d"), symbol("alpha", integer=False)
    assert dims.less(0, c)
    assert dims.less(c, c + 1)
    assert dims.less(Fraction(-1, 2), alpha)
    assert not dims.less(c, 1)
    assert not dims.less(c + d, d)
    assert dims.known_less(c, c + 1)
    assert not dims.known_less(c, c)
    assert not dims.known_less(c, 1)
    assert not dims.known_less(c, 2)
    assert not dims.known_less(2, c)


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        (symbol("d"), symbol("c"), "symbols c, d; bind one of them"),
        (symbol("c"), 2, "symbol c; bind it"),
        (1, symbol("x", False), "symbol x; bind it"),
    ],
)
def test_what_symbols_leave_open_names_them(a, b, names):
    with pytest.raises(UndecidableError, match=f"whether {a} < {b} depends on the free {names}"):
        dims.less(a, b)


def test_an_array_is_known_to_be_less_where_any_element_is():
    assert dims.known_less(np.array([1, 5]), 2)
    assert not dims.known_less(np.array([2, 5]), 2)


# ------------------------------------------------------------------ extremes


def test_an_extreme_drops_what_another_argument_dominates():
    c, d = symbol("c"), symbol("d")
    assert dims.maximum(c, c + 1, 1) == c + 1
    assert dims.minimum(c, c + 1, 0) == 0
    assert dims.maximum(c, 0) == c
    assert dims.maximum(c, c) == c
    assert str(dims.maximum(c, d, c + d)) == "c + d"
    assert str(dims.maximum(d, 3, c, 2)) == "max(3, c, d)"
    assert str(dims.minimum(d, 3, c, 4)) == "min(3, c, d)"
    assert sympy.latex(dims.maximum(c, 3)) == r"\max\left(3, c\right)"
    assert sympy.latex(dims.minimum(c, 3)) == r"\min\left(3, c\right)"


def test_an_extreme_of_rationals_is_not_taken_for_an_integer():
    alpha, c = symbol("alpha", integer=False), symbol("c")
    half = dims.maximum(alpha, Fraction(1, 2))
    assert half.is_integer is None
    assert at(half, {alpha: Fraction(1, 4)}) == Fraction(1, 2)
    assert at(dims.minimum(alpha, Fraction(1, 2)), {alpha: Fraction(1, 4)}) == Fraction(1, 4)
    assert isinstance(dims.floor(half), Floor)
    assert dims.maximum(c, 3).is_integer
    assert dims.floor(dims.maximum(c, 3)) == dims.maximum(c, 3)


def test_the_sign_of_an_atom_follows_from_those_of_its_arguments():
    c, d = symbol("c"), symbol("d")
    free = sympy.Symbol("free", integer=True)
    assert [atom.is_positive for atom in (Maximum(c, free), Maximum(free, -free))] == [True, None]
    assert [atom.is_positive for atom in (Minimum(c, d), Minimum(c, free))] == [True, None]
    assert [atom.is_positive for atom in (CeilDiv(c, d), CeilDiv(c - d, d))] == [True, None]


def test_an_extreme_drops_what_is_covered_factor_by_factor():
    alpha, h = symbol("alpha", integer=False), symbol("h")
    half, quarter = dims.ceil_div(h, 2), dims.ceil_div(h, 4)
    wide, narrow = dims.floor_mul(64, alpha), dims.floor_mul(32, alpha)
    assert dims.maximum(wide * half**2, narrow * quarter**2) == wide * half**2
    assert dims.maximum(2 * wide * half, narrow * quarter + wide * half) == 2 * wide * half
    assert dims.maximum(wide * h, 2 * narrow * h) == wide * h  # ⌊64α⌋ ≥ 2·⌊32α⌋
    assert dims.maximum(2 * wide, 2 * h, wide + h) == dims.maximum(2 * wide, 2 * h)  # no mean is above both
    assert dims.minimum(2 * wide, 2 * h, wide + h) == dims.minimum(2 * wide, 2 * h)
    assert len(dims.maximum(wide * quarter**2, narrow * half**2).args) == 2
    assert len(dims.maximum(half - 3, half * quarter - 3 * half).args) == 2
    assert dims.alternatives(dims.maximum(wide, h)) == (h, wide)
    assert dims.alternatives(wide) == (wide,)


def sizes_of(alpha, h, c):
    """What the sizes of networks are made of."""
    return [
        1,
        h,
        c,
        *(dims.ceil_div(h + shift, stride) for stride in (2, 4, 8) for shift in (0, 1, -2)),
        *(dims.floor_mul(width, alpha) for width in (8, 16, 24, 48)),
        *(dims.ceil(width * alpha) for width in (8, 16)),
        *(dims.make_divisible(width * alpha, 8) for width in (16, 24)),
    ]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_what_an_extreme_drops_changes_no_value_in_ten_thousand_cases():
    random = Random(2018)  # noqa: S311  # the same cases every time
    atoms = sizes_of(symbol("alpha", integer=False), symbol("h"), symbol("c"))
    draws = [
        (dims.exact(Fraction(random.randint(1, 64), 32)), random.randint(1, 40), random.randint(1, 9))
        for _ in range(25)
    ]
    numbers = [sizes_of(*draw) for draw in draws]
    covered = dropped = 0
    for _ in range(400):
        drawn = [
            [(random.randint(-1, 4), random.randrange(len(atoms)), random.randrange(len(atoms))) for _ in range(2)]
            for _ in range(3)
        ]
        values = [sympy.Add(*(n * atoms[i] * atoms[j] for n, i, j in terms)) for terms in drawn]
        exact = [[sum(n * known[i] * known[j] for n, i, j in terms) for terms in drawn] for known in numbers]
        for one, other in permutations(range(3), 2):
            if symbols.at_least(values[one], values[other]):
                covered += 1
                assert all(row[one] >= row[other] for row in exact)
        for name, extreme in (("maximum", max), ("minimum", min)):
            kept = [values.index(sympy.sympify(value)) for value in dims.alternatives(getattr(dims, name)(*values))]
            dropped += 3 - len(kept)
            assert all(extreme(row[i] for i in kept) == extreme(row) for row in exact)
    assert covered > 100
    assert dropped > 100


# ------------------------------------------------------------------ ceilings and floors


steps = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 7), st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=8
)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@law(max_examples=150)
@given(steps)
def test_a_chain_of_windows_is_one_ceiling_over_the_product_of_the_strides(chain):
    h = symbol("h")
    size, stride = h, 1
    for padding, kernel, dilation, step in chain:
        size, stride = dims.ceil_div(size + padding - dilation * (kernel - 1), step), stride * step
    ceilings = sympy.sympify(size).atoms(CeilDiv)
    assert [ceiling.args[1] for ceiling in ceilings] == ([stride] if stride > 1 or size != h else [])
    for side in (*range(1, 2 * min(stride, 40)), 224, 227, 1000):
        expected = side
        for padding, kernel, dilation, step in chain:
            expected = math.ceil(Fraction(expected + padding - dilation * (kernel - 1), step))
        assert at(size, {h: side}) == expected


def test_the_last_pooling_of_alexnet_is_one_ceiling():
    conv, pool = ops.operator("conv2d"), ops.operator("max_pool2d")(kernel_size=3, stride=2)
    x = ops.Tensor((1, 3, symbol("side"), 224))
    for layer in (
        conv(out_channels=64, kernel_size=11, stride=4, padding=2),
        pool,
        conv(out_channels=192, kernel_size=5, padding=2),
        pool,
        conv(out_channels=384, kernel_size=3, padding=1),
        conv(out_channels=256, kernel_size=3, padding=1),
        conv(out_channels=256, kernel_size=3, padding=1),
        pool,
    ):
        x = layer.output(x)
    assert str(x.shape[2]) == "⌈(side - 62)/32⌉"
    assert sympy.latex(x.shape[2]) == r"\left\lceil \frac{side - 62}{32} \right\rceil"
    assert x.shape[3] == at(x.shape[2], {symbol("side"): 224}) == 6


def test_a_floor_of_a_quotient_of_integers_is_a_ceiling():
    h, s = symbol("h"), symbol("s")
    assert dims.floor_div(h + 1, 2) == dims.ceil_div(h, 2) == CeilDiv(h, 2)
    assert str(dims.floor_div(h, s)) == "⌊h/s⌋"  # one atom, as it was written
    assert dims.floor_div(h * s + 3 * s + h, s) == h + 3 + dims.floor_div(h, s)
    assert all(at(dims.floor_div(h, s), {h: a, s: b}) == a // b for a in range(1, 9) for b in range(1, 9))
    assert dims.floor_div(4 * h + 3, 4) == h
    assert dims.floor_div(4 * h + 2, 2) == 2 * h + 1
    assert dims.floor_div(symbol("a", False), 2) == Floor(symbol("a", False) / 2)


def test_whole_quotients_of_symbols_stand_outside_and_numbers_inside():
    h, k = symbol("h"), symbol("k")
    assert dims.ceil_div(6 * h, 3) == 2 * h
    assert dims.ceil_div(4 * h + k + 8, 4) == h + CeilDiv(k + 8, 4)
    assert dims.ceil_div(h, 1) == h
    assert dims.ceil_div(h * k, k) == h
    assert dims.floor(h + Fraction(5, 2)) == h + 2
    assert dims.ceil(h + Fraction(5, 2)) == h + 3
    assert dims.floor(h) == h


def test_what_comes_to_a_number_is_a_number():
    h = symbol("h")
    assert type(dims.ceil_div(h - h + 7, 2)) is int
    assert type(dims.divide(3 * h, 6 * h)) is Fraction
    assert type(dims.exact_div(2 * h, h)) is int
    assert type(dims.floor(sympy.Rational(7, 2))) is int


def test_the_atoms_print_as_the_mathematics_does():
    h, s, t, alpha = symbol("h"), symbol("s"), symbol("t"), symbol("alpha", integer=False)
    printed = {
        dims.ceil_div(h, 2): ("⌈h/2⌉", r"\left\lceil \frac{h}{2} \right\rceil"),
        dims.ceil_div(dims.ceil_div(h, s), t): ("⌈h/(s*t)⌉", r"\left\lceil \frac{h}{s t} \right\rceil"),
        CeilDiv(h, s + 1): ("⌈h/(s + 1)⌉", r"\left\lceil \frac{h}{s + 1} \right\rceil"),
        dims.floor(32 * alpha): ("⌊32*alpha⌋", r"\left\lfloor 32 \alpha \right\rfloor"),
        dims.ceil(32 * alpha): ("⌈32*alpha⌉", r"\left\lceil 32 \alpha \right\rceil"),
    }
    assert {atom: (str(atom), sympy.latex(atom)) for atom in printed} == printed
    assert isinstance(dims.ceil(32 * alpha), Ceil)


# ------------------------------------------------------------------ ten thousand expressions

LEAVES = ("h", "k", "α")


def tree(random, depth):
    """A random expression as nested tuples: numbers, symbols, sums, multiples, quotients and roundings."""
    if depth == 0 or random.random() < 0.1:
        return random.choice([*LEAVES, *LEAVES, random.randint(-9, 9)])
    kind = random.choice(["ceil_div", "ceil_div", "floor_div", "floor_div", "+", "+", "*", "*", *OURS])
    inner = tree(random, depth - 1)
    if kind in ("floor", "ceil"):
        return kind, inner
    seconds = {
        "+": [random.randint(-9, 9), tree(random, depth - 2) if depth > 1 else "h"],
        "*": [random.randint(1, 8), random.randint(1, 8), "α"],
        "max": range(-4, 10),
        "min": range(-4, 10),
    }
    return kind, inner, random.choice(seconds.get(kind, [1, 2, 2, 3, 4, 8]))


TRUE = {name: MEANINGS[name][1] for name in ("floor", "ceil", "floor_div", "ceil_div")}
TRUE |= {"max": max, "min": min, "+": op.add, "*": op.mul}
OURS = TRUE | {name: getattr(dims, name) for name in ("floor", "ceil", "floor_div", "ceil_div")}
OURS |= {"max": dims.maximum, "min": dims.minimum}


def evaluate(expression, values, functions):
    if isinstance(expression, tuple):
        kind, *args = expression
        return functions[kind](*(evaluate(arg, values, functions) for arg in args))
    return values.get(expression, expression)


def kinds(expression):
    if isinstance(expression, tuple):
        yield expression[0]
        for arg in expression[1:]:
            yield from kinds(arg)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_rewriting_changes_the_value_of_no_expression_in_ten_thousand_cases():
    random = Random(2016)  # noqa: S311  # the same cases every time
    letters = {"h": symbol("h"), "k": symbol("k"), "α": symbol("α", integer=False)}
    seen, cases = Counter(), 0
    while cases < 10_000:
        expression = tree(random, random.randint(1, 5))
        if not any(kind in ("ceil_div", "floor_div", "floor", "ceil") for kind in kinds(expression)):
            continue
        ours = evaluate(expression, letters, OURS)
        assert is_exact(ours), expression
        for _ in range(5):
            values = {
                "h": random.randint(1, 300),
                "k": random.randint(1, 40),
                "α": Fraction(random.randint(1, 40), random.choice([1, 2, 3, 20])),
            }
            expected = evaluate(expression, values, TRUE)
            assert at(ours, {letters[name]: value for name, value in values.items()}) == expected, (expression, values)
            assert evaluate(expression, values, OURS) == expected, (expression, values)
            cases += 1
        seen.update(kinds(expression))
        seen.update("nested" for a, b in pairwise(kinds(expression)) if a == b == "ceil_div")
    assert min(seen[kind] for kind in (*OURS, "nested")) > 100, seen


def test_the_letters_of_free_symbols_are_positive():
    assert symbol("h").is_integer
    assert symbol("h").is_positive
    assert symbol("α", integer=False).is_integer is None
    assert symbol("α", integer=False).is_positive
    assert symbols.to_sympy(Fraction(1, 3)) == sympy.Rational(1, 3)
