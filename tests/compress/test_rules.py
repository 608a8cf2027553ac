"""The closed forms of compression: by hand, on symbols as on numbers, and against what is stored bit by bit."""

import heapq
import math
from fractions import Fraction
from functools import partial
from itertools import product
from random import Random

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import dims
from archspec.compress import huffman, rules
from archspec.compress.closed_forms import CLOSED_FORMS, closed_form
from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.interval import Interval

law = partial(settings, derandomize=True, deadline=None)

DRAWS = {
    "p": st.fractions(Fraction(1, 100), Fraction(99, 100), max_denominator=100),
    "a": st.integers(1, 1000),
    "i": st.integers(1, 5),
    "k": st.sampled_from([2, 4, 16, 256]),
    "H": st.fractions(0, 8, max_denominator=50),
}
"""What letters stand for; others are whole numbers."""


def value_of(expression, numbers):
    """An expression with numbers for its symbols, to 30 digits."""
    known = {letter: sympy.sympify(str(numbers[letter.name])) for letter in sympy.sympify(expression).free_symbols}
    return sympy.sympify(expression).subs(known).evalf(30)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", CLOSED_FORMS)
@law(max_examples=25)
@given(data=st.data())
def test_a_rule_says_the_same_of_symbols_as_of_numbers(name, data):
    form = CLOSED_FORMS[name]
    numbers = {}
    for letter, about in form.letters.items():
        fraction = st.fractions(Fraction(1, 64), 50, max_denominator=64)
        fallback = st.integers(1, 500) if about.integer else fraction
        draw = DRAWS.get(letter, fallback) if about.integer or letter in "pH" else fallback
        numbers[letter] = data.draw(draw)
    exact = form(**numbers)
    free = data.draw(st.sets(st.sampled_from(list(form.letters)), min_size=1))
    kept = {letter: value for letter, value in numbers.items() if letter not in free}
    for values in ({}, kept):
        expression = form.expression(**values)
        assert not sympy.sympify(expression).has(sympy.Float)
        assert abs(value_of(expression, numbers) - sympy.Rational(str(exact))) < 1e-9


@pytest.mark.parametrize(
    ("name", "expression"),
    [
        ("kept_weights", "n*p"),
        ("pruned_flops", "a*p"),
        ("dropout_after_pruning", "sqrt(C_ir)*D_o/sqrt(C_io)"),
        ("compressed_rows", "2*a + n + 1"),
        ("fillers", "(1 - p)**(2**i)/(1 - (1 - p)**(2**i))"),
        ("stored_share", "p/(1 - (1 - p)**(2**i))"),
        ("fillers_between", "⌈gap/2**i⌉ - 1"),
        ("weight_sharing", "b*n/(b*k + n*log₂(k))"),
        ("low_rank_weights", "m*r + n*r"),
        ("break_even_rank", "m*n/(m + n)"),
        ("binary_memory", "b*n/(b*f + n)"),
        ("xnor_speedup", "64*N_W*c/(N_W*c + 64)"),
    ],
)
def test_the_rule_run_on_symbols_gives_the_formula_of_the_paper(name, expression):
    assert str(closed_form(name).expression()) == expression


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("weight_sharing", Fraction(16 * 32, 16 * 2 + 4 * 32)),
        ("xnor_speedup", Fraction(64 * 256 * 9, 256 * 9 + 64)),
        ("fillers_between", 1),
    ],
)
def test_the_papers_examples_follow(name, result):
    form = closed_form(name)
    assert form(**form.example) == result


def test_figures_of_the_slides():
    assert float(closed_form("weight_sharing")(n=16, k=4, b=32)) == 3.2
    assert round(float(closed_form("xnor_speedup")(c=256, N_W=9)), 2) == 62.27
    assert closed_form("binary_memory")(n=1000, f=0, b=32) == 32
    assert closed_form("dropout_after_pruning")(D_o="0.5", C_ir=9, C_io=100) == Fraction(3, 20)


def test_one_letter_alone_stays_a_letter():
    form, k = closed_form("weight_sharing"), dims_symbol("k")
    assert str(form.expression(n=16, b=32)) == "32/(2*k + log₂(k))"
    assert form(n=16, k=k, b=32).subs(k, 4) == sympy.Rational(16, 5)


def dims_symbol(name):
    from archspec.symbols import symbol

    return symbol(name)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"n": 16, "k": 4}, BindingError, "weight_sharing needs a value for b"),
        ({"n": 16, "k": 4, "b": 32, "m": 1}, BindingError, "has no letter 'm'"),
        ({"n": "1/2", "k": 4, "b": 32}, BindingError, "n is weights, a whole number .got 1/2"),
        ({"n": 16, "k": 5, "b": 32}, ArchspecError, "log2 is exact for powers of two alone .got 5"),
        ({"n": 16, "k": "many", "b": 32}, ArchspecError, "expected a number"),
    ],
)
def test_what_a_formula_cannot_take_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        closed_form("weight_sharing")(**values)


def test_an_unknown_formula_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="did you mean 'weight_sharing'"):
        closed_form("weight_shering")


def test_every_formula_says_what_it_is_and_where_it_stands():
    for form in CLOSED_FORMS.values():
        assert form.doc.endswith(".")
        assert "arXiv" in form.source or form.source[-4:].isdigit()
        assert all(letter.meaning for letter in form.letters.values())


# ------------------------------------------------------------------ roots and logarithms


@law(max_examples=100)
@given(st.fractions(0, 1000, max_denominator=1000))
def test_a_root_is_exact_of_squares_and_near_of_others(x):
    assert dims.sqrt(dims.exact(x * x)) == x
    near = dims.sqrt(dims.exact(x))
    assert abs(near * near - x) <= Fraction(1, 10**12) * (2 * abs(near) + 1)


@pytest.mark.parametrize("x", [-1, Fraction(-1, 4), "4", True])
def test_the_root_of_what_has_none_is_refused(x):
    with pytest.raises(ArchspecError, match="not negative"):
        dims.sqrt(x)


def test_roots_and_logarithms_of_intervals_are_those_of_their_ends():
    assert dims.sqrt(Interval(4, 9)) == Interval(2, 3)
    assert dims.log2(Interval(4, 8)) == Interval(2, 3)


def test_a_power_of_a_fraction_by_a_symbol_is_no_float():
    i = dims_symbol("i")
    assert dims.power(Fraction(99, 100), i) == sympy.Rational(99, 100) ** i
    assert dims.power(Interval(Fraction(1, 2), 2), 2) == Interval(Fraction(1, 4), 4)
    for base, exponent in ((2, -1), (2, Fraction(1, 2)), (Interval(-1, 1), 2)):
        with pytest.raises(ArchspecError):
            dims.power(base, exponent)


def test_a_logarithm_of_a_symbol_waits_for_a_power_of_two():
    k = dims_symbol("k")
    waiting = dims.log2(k)
    assert str(waiting) == "log₂(k)"
    assert sympy.latex(waiting) == r"\log_2 k"
    assert sympy.latex(waiting**2) == r"\log_2^{2} k"
    assert waiting.is_nonnegative
    assert waiting.subs(k, 16) == 4
    with pytest.raises(ArchspecError, match="powers of two alone"):
        waiting.subs(k, 5)


# ------------------------------------------------------------------ gaps


@pytest.mark.parametrize("bits", [0, 1, 2, 3])
def test_the_expected_fillers_are_those_of_all_gaps_weighed_by_how_likely_they_are(bits):
    p = Fraction(1, 3)
    last = 400
    summed = sum(p * (1 - p) ** (gap - 1) * rules.fillers_between(gap, bits) for gap in range(1, last))
    tail = (1 - p) ** (last - 1) * (last + 1)  # gaps of `last` on have fewer fillers than that, each in turn
    assert 0 <= rules.fillers(p, bits) - summed <= 3 * tail


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_the_fillers_of_all_patterns_are_counted_right(bits):
    """Every pattern of 9 weights, its stream of gaps written out and read again."""
    for pattern in product((0, 1), repeat=9):
        positions = [i for i, kept in enumerate(pattern) if kept]
        stream = list(written(positions, 2**bits))
        assert read(stream) == positions
        assert all(1 <= gap <= 2**bits for gap, _ in stream)
        assert len(stream) == len(positions) + rules.fillers_of(positions, bits)
        assert rules.gap_bits(positions, bits, 8) == len(stream) * (bits + 8)


def written(positions, longest):
    """Gaps and whether a weight stands behind each."""
    before = -1
    for position in positions:
        while position - before > longest:
            before += longest
            yield longest, False
        yield position - before, True
        before = position


def read(stream):
    at, found = -1, []
    for gap, weight in stream:
        at += gap
        found += [at] * weight
    return found


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_of_many_independent_weights_as_many_fillers_are_there_as_expected():
    random = Random(2016)  # noqa: S311  # the same pattern every time
    p, count = Fraction(9, 100), 200_000
    positions = [i for i in range(count) if random.random() < p]
    found = rules.fillers_of(positions, 4) / len(positions)
    assert found == pytest.approx(float(rules.fillers(p, 4)), rel=0.03)


@pytest.mark.parametrize("positions", [[3, 3], [4, 2], [-1]])
def test_positions_rise(positions):
    with pytest.raises(ArchspecError, match="positions rise from 0 on"):
        rules.fillers_of(positions, 3)


@pytest.mark.parametrize(("p", "i"), [(0, 4), (2, 4), (-1, 4), (Fraction(1, 2), 17), (Fraction(1, 2), -1)])
def test_what_is_no_density_or_no_number_of_bits_is_refused(p, i):
    with pytest.raises(ArchspecError):
        rules.fillers(p, i)


def test_compressed_rows_are_those_of_scipy():
    from scipy.sparse import csr_array

    random = Random(3)  # noqa: S311  # likewise
    dense = [[random.choice([0, 0, 0, 1.5]) for _ in range(7)] for _ in range(5)]
    stored = csr_array(dense)
    numbers = stored.data.size + stored.indices.size + stored.indptr.size
    assert rules.compressed_rows(stored.nnz, 5) == numbers


# ------------------------------------------------------------------ Huffman


def shortest(frequencies):
    """The bits of the best prefix code: of all trees, the sum of the joins (Huffman's merging, checked below)."""
    queue = [f for f in frequencies if f]
    heapq.heapify(queue)
    total = queue[0] if len(queue) == 1 else 0
    while len(queue) > 1:
        joined = heapq.heappop(queue) + heapq.heappop(queue)
        total += joined
        heapq.heappush(queue, joined)
    return total


def best_by_trial(frequencies, longest=5):
    """The bits of the best prefix code: of all lengths that Kraft's inequality allows."""
    return min(
        sum(f * length for f, length in zip(frequencies, lengths, strict=True))
        for lengths in product(range(1, longest + 1), repeat=len(frequencies))
        if sum(Fraction(1, 2**length) for length in lengths) <= 1
    )


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@law(max_examples=60)
@given(st.lists(st.integers(1, 50), min_size=2, max_size=5))
def test_no_prefix_code_is_shorter_than_huffmans(frequencies):
    assert huffman.coded_bits(frequencies) == best_by_trial(frequencies)


frequency_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=60).filter(any)


@law(max_examples=150)
@given(frequency_lists)
def test_a_huffman_code_is_a_complete_prefix_code_as_short_as_the_joins(frequencies):
    lengths = huffman.code_lengths(frequencies)
    used = [length for length, frequency in zip(lengths, frequencies, strict=True) if frequency]
    assert all(not length for length, frequency in zip(lengths, frequencies, strict=True) if not frequency)
    assert sum(Fraction(1, 2**length) for length in used) == (1 if len(used) > 1 else Fraction(1, 2))
    assert huffman.coded_bits(frequencies) == shortest(frequencies)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@law(max_examples=150)
@given(frequency_lists)
def test_entropy_bounds_the_code(frequencies):
    bits, bounds = huffman.coded_bits(frequencies), huffman.bounds(frequencies)
    assert bounds.low <= bits
    assert bits < bounds.high or (len([f for f in frequencies if f]) == 1 and bits <= bounds.high)
    used = [f / sum(frequencies) for f in frequencies if f]
    assert float(huffman.entropy(frequencies).low) == pytest.approx(-sum(p * math.log2(p) for p in used), abs=1e-9)


@pytest.mark.parametrize("count", [2, 4, 64])
def test_where_all_probabilities_are_powers_of_a_half_the_bound_is_reached(count):
    frequencies = [7] * count
    assert huffman.entropy(frequencies) == Interval(int(math.log2(count)), int(math.log2(count)))
    assert huffman.coded_bits(frequencies) == huffman.bounds(frequencies).low


def test_the_code_agrees_with_bitarray():
    from bitarray.util import canonical_huffman

    random = Random(5)  # noqa: S311  # likewise
    frequencies = {symbol: random.randint(1, 1000) for symbol in range(40)}
    codes, _, _ = canonical_huffman(frequencies)
    assert sum(len(codes[s]) * f for s, f in frequencies.items()) == huffman.coded_bits(list(frequencies.values()))


@pytest.mark.parametrize(("frequencies", "message"), [([], "no symbol"), ([0, 0], "no symbol"), ([3, -1], "got -1")])
def test_frequencies_that_are_none_are_refused(frequencies, message):
    for rule in (huffman.coded_bits, huffman.entropy):
        with pytest.raises(ArchspecError, match=message):
            rule(frequencies)


# ------------------------------------------------------------------ low rank, sharing


@law(max_examples=60)
@given(st.integers(1, 300), st.integers(1, 300))
def test_at_the_break_even_rank_nothing_is_saved_and_below_something_is(m, n):
    rank = math.floor(rules.break_even_rank(m, n))
    assert rules.low_rank_weights(m, n, rank) <= m * n < rules.low_rank_weights(m, n, rank + 1)
    if rank:
        assert rules.low_rank_rate(m, n, rank) >= 1


@law(max_examples=60)
@given(st.integers(1, 10_000), st.integers(0, 8), st.integers(1, 64))
def test_shared_weights_are_their_codes_and_the_codebook(n, bits, b):
    k = 2**bits
    assert rules.shared_bits(n, k, b) == rules.layer_bits(n, bits, 0, k, b, 0) == n * bits + k * b
    assert rules.weight_sharing(n, k, b) * rules.shared_bits(n, k, b) == n * b
