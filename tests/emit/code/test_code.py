"""Values that are code: what they print, and that running the text gives what the numbers give."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec import dims
from archspec.emit import code
from archspec.emit.code import BOOL, RATIONAL, Code, Fork, name, written
from archspec.errors import ArchspecError, DivisibilityError, UndecidableError

H, S, C = name("h"), name("s"), name("c")
K = name("k", values=(1, 3, 5))
ALPHA = name("alpha", RATIONAL)

TEXTS = [
    (H + 2 - 2, "h"),
    (H - H, "0"),
    (2 * H + H, "3 * h"),
    (-H + 2 * S, "2 * s - h"),
    (-H, "-h"),
    (-H - 3, "-h - 3"),
    (H * (S + 1) * 2, "2 * h * (s + 1)"),
    (3 * (H + 1), "3 * (h + 1)"),
    (H * H * 2, "2 * h**2"),
    ((H + 1) ** 2, "(h + 1) ** 2"),
    (H**1, "h"),
    (2**0 * H, "h"),
    (code.power(2, S), "Fraction(2) ** s"),
    (code.power(2, name("i", values=range(9))), "2**i"),
    (H * Fraction(1, 2), "Fraction(1, 2) * h"),
    (H + Fraction(1, 2), "h + Fraction(1, 2)"),
    (dims.floor(ALPHA * C), "floor(alpha * c)"),
    (dims.floor(H), "h"),
    (dims.floor(dims.divide(H, S)), "h // s"),
    (dims.ceil(ALPHA), "ceil(alpha)"),
    (dims.divide(H, 4), "Fraction(1, 4) * h"),
    (dims.divide(H, S), "Fraction(h, s)"),
    (dims.floor_div(H, 1), "h"),
    (dims.floor_div(4 * H + 8, 4), "h + 2"),
    (dims.floor_div(dims.floor_div(H - 4, 2) - 4, 2), "(h - 12) // 4"),
    (dims.ceil_div(H, 2), "(h + 1) // 2"),
    (dims.ceil_div(H, S), "ceil_div(h, s)"),
    (dims.exact_div(6 * H, 3), "2 * h"),
    (dims.exact_div(H, 4), "exact_div(h, 4)"),
    ((H - 1) - dims.floor_div(H - 1, 2), "h // 2"),
    (dims.maximum(H, H), "h"),
    (dims.maximum(H, S), "max(h, s)"),
    (dims.minimum(H, 0), "min(h, 0)"),
    (dims.minimum(H, H), "h"),
    (dims.make_divisible(ALPHA * C, 8), "make_divisible(alpha * c, 8)"),
    (2 * dims.floor_div(H, S), "2 * (h // s)"),
    (-dims.floor_div(4 * H, 3), "-(4 * h // 3)"),
    (1 - dims.floor_div(H, 3), "1 - h // 3"),
    (-2 * dims.floor_div(H, 3), "-2 * (h // 3)"),
    (code.choose(code.compare(H, "<", S), H, 1) + 1, "(h if h < s else 1) + 1"),
    (code.both(code.compare(H, "<", 2), code.either(name("a", BOOL), name("b", BOOL))), "h < 2 and (a or b)"),
    (code.negation(code.compare(H, "<", S)), "h >= s"),
    (code.negation(code.negation(name("a", BOOL))), "a"),
    (code.negation(code.compare(1, "<=", H, "<", S)), "not 1 <= h < s"),
    (code.both(True, True), "True"),
    (code.both(name("a", BOOL), False), "False"),
    (code.either(name("a", BOOL), name("a", BOOL)), "a"),
    (code.choose(name("a", BOOL), True, False), "a"),
    (code.choose(name("a", BOOL), False, True), "not a"),
    (code.choose(name("a", BOOL), (1, H), (1, S)), "(1, h if a else s)"),
    (code.choose(True, 1, 2), "1"),
    (code.choose(code.compare(H, "==", 16), H, 16), "16"),
    (code.choose(code.compare(H, "==", S), S, H), "h"),
    (Code("index", (H, 0)), "h[0]"),
    ((1,), "(1,)"),
    (-3, "-3"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_an_expression_is_written_without_what_it_does_not_need(value, text):
    assert written(value) == text
    assert str(value) == text or not isinstance(value, Code)


PIECES = [
    (2 * H - S + 1, ["2 * h", "- s", "+ 1"]),
    (code.compare(1, "<=", H, "<", S), ["1", "<= h", "< s"]),
    (code.either(name("a", BOOL), code.both(name("b", BOOL), name("d", BOOL))), ["a", "or (b and d)"]),
    (Code("if", (name("a", BOOL), 1, Code("if", (name("b", BOOL), H, S)))), ["1", "if a", "else h", "if b", "else s"]),
    (Code("plus", (H, S, -3)), ["h", "+ s", "- 3"]),
    (code.call("f", H, S), ["f(h, s)"]),
]


@pytest.mark.parametrize(("value", "pieces"), PIECES, ids=[str(value) for value, _ in PIECES])
def test_a_line_can_be_broken_before_an_operator(value, pieces):
    assert code.pieces(value) == pieces
    assert written(value) == " ".join(pieces)


NUMBERS = st.integers(1, 40)
LEAVES = st.one_of(st.sampled_from([H, S, C]), st.integers(-6, 6))
WAYS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: dims.floor_div(a, 3) + b,
    lambda a, b: dims.ceil_div(a + b, 2),
    dims.maximum,
    lambda a, b: -dims.minimum(a, b, 2),
    lambda a, b: dims.floor_div(dims.floor_div(a, 2) + 3, 4) - b,
    lambda a, b: a - dims.floor_div(a, 2) + 0 * b,
]


@given(st.lists(st.tuples(st.sampled_from(range(len(WAYS))), LEAVES), min_size=1, max_size=5), LEAVES, NUMBERS, NUMBERS)
def test_running_the_text_gives_what_the_numbers_give(ways, start, h, s):
    known = {H: h, S: s, C: 5}
    made, expected = start, known.get(start, start) if isinstance(start, Code) else start
    for way, leaf in ways:
        made = WAYS[way](made, leaf)
        expected = WAYS[way](expected, known[leaf] if isinstance(leaf, Code) else leaf)
    helpers = {"ceil_div": dims.ceil_div, "Fraction": Fraction, "floor": math.floor}
    assert eval(written(made), helpers | {str(name): value for name, value in known.items()}) == expected  # noqa: S307
    assert code.substituted(made, known) == expected


def test_what_is_known_of_names_decides():
    assert code.known_values(2 * K + 1) == (3, 7, 11)
    assert code.known_truth(code.compare((K - 1) - dims.floor_div(K - 1, 2), "==", dims.floor_div(K - 1, 2))) is True
    assert code.known_truth(code.compare(K, "==", 3)) is None
    assert code.known_values(H) is None
    assert code.known_values(name("n", values=range(10**12))) is None
    assert code.decide(code.compare(K, "<", 6)) is True
    assert dims.equal(H, H)
    assert not dims.known_less(H, 3)
    assert dims.known_less(name("n", values=range(1, 10**12)) + 2, 3) is False
    assert dims.known_less(2, name("n", values=range(3, 10**12))) is True
    assert code.known_truth(code.compare(name("w", values=("a",)), "==", "a")) is True
    assert code.known_truth(code.compare(name("w", values=(1,)), "==", True)) is False


def test_an_open_question_has_nobody_to_ask():
    with pytest.raises(UndecidableError, match="whether h == s depends"):
        dims.equal(H, S)


def test_cases_are_tried_one_by_one():
    def compute():
        if dims.equal(H, 3):
            return "three"
        return "less" if dims.less(H, 3) else "more"

    found, assumed = code.cases(compute)
    assert found == Fork(code.compare(H, "==", 3), "three", Fork(code.compare(H, "<", 3), "less", "more"))
    assert assumed == ()


def test_an_answer_that_is_refused_is_impossible():
    def compute():
        if not dims.equal(H, S):
            raise DivisibilityError("differs")
        return "same"

    assert code.cases(compute) == ("same", (code.compare(H, "==", S),))

    def other():
        if dims.equal(H, S):
            raise DivisibilityError("same")
        return "differs"

    assert code.cases(other) == ("differs", (code.compare(H, "!=", S),))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_cases_have_an_end():
    def compute():
        return [dims.equal(H, number) for number in range(20)]

    with pytest.raises(ArchspecError, match="too many conditions"):
        code.cases(compute)


def test_both_halves_of_a_number_are_equal_where_it_is_even():
    k = name("k")
    half = dims.floor_div(k - 1, 2)
    found, _ = code.cases(lambda: dims.equal(half, (k - 1) - half))
    assert str(found.condition) == "k % 2 == 1"


SIZES = range(1, 10**12)

SURE = [
    (code.compare(name("in_channels", values=SIZES), ">=", 1), True),
    (code.compare(name("in_channels", values=SIZES), "<", 1), False),
    (code.compare(2 * name("in_height", values=SIZES) + 1, "==", 2), False),
    (code.compare(name("in_channels", values=SIZES) - 1, ">=", 1), None),
    (code.compare(name("c"), ">=", 1), None),
    (Code("not", (code.compare(name("in_channels", values=SIZES), "<=", 0, "<", 3),)), True),
    (Code("not", (name("a", BOOL),)), None),
    (code.either(code.compare(name("in_width", values=SIZES), "!=", 0), name("a", BOOL)), True),
    (code.both(code.compare(name("in_width", values=SIZES), "!=", 0), name("a", BOOL)), None),
    (code.both(code.compare(name("in_width", values=SIZES), "<=", 0), name("a", BOOL)), False),
    (code.compare(name("in_channels"), ">=", 1), None),
    (code.compare(name("n", values=range(1, 10)), "<", 10), True),
    (code.compare(name("n", values=range(1, 10)), "<", 9), None),
    (code.compare(Code("%", (name("n", values=range(1, 10)), 2)), "<", 9), None),
    (code.compare((name("n", values=range(1, 10)), 1), "==", (1, 1)), None),
    (code.compare((name("n", values=range(1, 10)), 1), "==", (10, 1)), False),
    (True, True),
]


@pytest.mark.parametrize(("condition", "expected"), SURE, ids=[str(condition) for condition, _ in SURE])
def test_sizes_are_positive(condition, expected):
    assert code.sure_truth(condition) is expected


def test_a_division_by_nothing_is_refused():
    with pytest.raises(ArchspecError, match="division by zero"):
        dims.divide(H, 0)


def test_a_name_is_replaced_where_the_rest_may_have_no_meaning():
    p = name("p", code.WORD | code.INT)
    padded = code.choose(code.compare(p, "==", "same"), 0, 2 * p)
    assert code.substituted(padded, {p: "same"}) == 0
    assert code.substituted(padded, {p: 3}) == 6
