"""Each rewrite by itself: what it makes of an expression is the same number, in ten thousand random cases."""

from fractions import Fraction
from random import Random

import pytest
import sympy
from sympy import Integer

from archspec import dims, symbols
from archspec.formula.assumptions import bounds, merged
from archspec.formula.collected import asymptotic, collected, divisible, polynomial, summed
from archspec.symbols import Ceil, CeilDiv, Condition, Floor, MakeDivisible, reduced, symbol, value

pytestmark = pytest.mark.no_cover  # other tests cover what these laws run; tracing doubles their time

FEW, CASES = 3_000, 10_000
"""Of every run, and by --long."""
EACH = 50
"""Bindings at which one random expression is tried."""

H, W, A = symbol("h"), symbol("w"), symbol("a", integer=False)


def bindings(random):
    return {
        "h": random.randint(1, 700),
        "w": random.randint(1, 90),
        "a": Fraction(random.randint(1, 300), random.choice((1, 2, 3, 7, 10, 64, 100))),
    }


@pytest.fixture
def tries(request):
    return CASES if request.config.option.long else FEW


def cases(seed, make, tries):
    """Pairs of an expression and what it should equal, each at `EACH` bindings."""
    random = Random(seed)  # noqa: S311
    for _ in range(tries // EACH):
        found, expected = make(random)
        for _ in range(EACH):
            at = bindings(random)
            yield found, expected, at


def ceiling(a, b):
    return -(-a // b)


def nested(random):
    s, t, c, d = random.randint(1, 9), random.randint(1, 9), random.randint(-70, 70), random.randint(-40, 40)
    found = dims.ceil_div(dims.ceil_div(H + c, s) + d, t)
    return found, lambda at: ceiling(ceiling(at["h"] + c, s) + d, t)


def floors(random):
    b, c = random.randint(1, 40), random.randint(-90, 90)
    return dims.floor_div(H + c, b), lambda at: (at["h"] + c) // b


def wholes(random):
    b, k, c = random.randint(1, 12), random.randint(-9, 9), random.randint(-99, 99)
    return dims.ceil_div(b * k * W + H + c, b), lambda at: ceiling(b * k * at["w"] + at["h"] + c, b)


def roundings(random):
    k, c = Fraction(random.randint(1, 90), random.randint(1, 9)), Fraction(random.randint(-9, 9), random.randint(1, 6))
    rule = random.choice((dims.floor, dims.ceil, dims.round_half_up))
    return rule(symbols.to_sympy(k) * A + H + symbols.to_sympy(c)), lambda at: rule(k * at["a"] + at["h"] + c)


def nearest(random):
    k, d = random.randint(1, 99), random.choice((1, 4, 8, 16))
    least = random.choice((None, 8, 24))
    return dims.make_divisible(k * A, d, least), lambda at: dims.make_divisible(k * at["a"], d, least)


def extremes(random):
    k, c, d = random.randint(0, 4), random.randint(0, 50), random.randint(0, 50)
    rule = random.choice((dims.maximum, dims.minimum))
    parts = lambda h, w, number: (number(k) * h + c, h * w + d, w + c, c * w)  # noqa: E731
    return rule(*parts(H, W, Integer)), lambda at: rule(*parts(at["h"], at["w"], int))


def canonical(random):
    b, c = random.randint(1, 40), random.randint(-200, 200)
    return reduced(CeilDiv(H + c, Integer(b)) * W), lambda at: ceiling(at["h"] + c, b) * at["w"]


def grouped(random):
    sizes = tuple(dims.ceil_div(H + random.randint(-9, 9), 2**n) for n in range(1, 4))
    numbers = [random.randint(-50, 50) for _ in range(8)]
    often = [random.randint(1, 5) for _ in range(8)]
    parts = [n * random.choice(sizes) ** random.choice((0, 1, 2)) * random.choice((W, W + 3, 1, W**2)) for n in numbers]
    plain = [part for part, times in zip(parts, often, strict=True) for _ in range(times)]
    total = sympy.Add(*collected(summed(plain), by=sizes))
    return total, lambda at: sum(value(part, at) for part in plain)


def taken_out(random):
    terms = {H**i * W**j: Integer(random.randint(1, 30)) for i in range(3) for j in range(3) if random.random() < 0.6}
    terms = terms or {H: Integer(1)}
    plain = sum(value(m, {"h": 1, "w": 1}) * c for m, c in terms.items())
    found = polynomial({m * H * W: c for m, c in terms.items()})
    assert value(found, {"h": 1, "w": 1}) == plain
    return found, lambda at: sum(c * value(m * H * W, at) for m, c in terms.items())


@pytest.mark.parametrize(
    "make",
    [nested, floors, wholes, roundings, nearest, extremes, canonical, grouped, taken_out],
    ids=lambda m: m.__name__,
)
def test_a_rewritten_expression_is_the_same_number(make, tries):
    tried = 0
    for found, expected, at in cases(7, make, tries):
        assert value(found, at) == expected(at), (found, at)
        tried += 1
    assert tried == tries


def test_a_view_without_roundings_is_the_same_number_wherever_its_conditions_hold(tries):
    random, held = Random(8), 0  # noqa: S311
    while held < tries:
        c, b, k = random.randint(-60, 60), random.choice((2, 4, 8, 32)), random.randint(1, 64)
        x = (
            CeilDiv(H + c, Integer(b)) ** 2 * Floor(k * A)
            + Ceil(A * k + Integer(1) / 2)
            + MakeDivisible(8 * A, Integer(8))
        )
        view, conditions = divisible(x)
        for _ in range(EACH):
            at = bindings(random) | {"h": b * random.randint(1, 30), "a": random.choice((1, 2, 3, Fraction(1, k)))}
            if all(condition.holds(at) for condition in conditions):
                assert value(view, at) == value(x, at), (x, at)
                held += 1


def test_fewer_conditions_hold_exactly_where_all_of_them_do(tries):
    random = Random(9)  # noqa: S311
    for _ in range(tries // EACH):
        numbers = [(random.randint(1, 40), random.choice((1, 2, 3, 8, 32))) for _ in range(random.randint(1, 6))]
        many = [Condition("divides", k * A, Integer(b)) for k, b in numbers]
        many += [Condition("divides", H, Integer(2**n)) for n in range(random.randint(1, 5))]
        few = merged(many)
        assert len(few) <= 2
        for _ in range(EACH):
            at = bindings(random)
            assert all(c.holds(at) for c in many) == all(c.holds(at) for c in few), (many, few, at)


def test_the_least_value_of_a_symbol_is_where_all_sizes_are_at_least_one(tries):
    random = Random(10)  # noqa: S311
    for _ in range(tries // EACH):
        sizes = [dims.ceil_div(H - random.randint(0, 300), random.choice((1, 2, 4, 32))) for _ in range(4)]
        many = [Condition("at_least", size, Integer(1)) for size in sizes]
        many += [Condition("at_least", dims.floor(random.randint(1, 64) * A), Integer(1)) for _ in range(2)]
        few = bounds(many, {}.get)
        assert len(few) == 2
        for _ in range(EACH):
            at = bindings(random)
            assert all(c.holds(at) for c in many) == all(c.holds(at) for c in few), (many, few, at)


def test_two_ceilings_that_are_always_equal_are_found_to_be():
    assert dims.equal(CeilDiv(H + 1, Integer(2)), CeilDiv(H - 1, Integer(2)) + 1)
    assert not dims.equal(CeilDiv(H + 1, Integer(2)), CeilDiv(H, Integer(2)))


def test_what_grows_slower_than_a_size_is_left_out_of_its_leading_part():
    ratio = sympy.Rational(1, 32)
    assert asymptotic(CeilDiv(H - 62, Integer(32)) * Floor(32 * A)) == ratio * H * 32 * A
    assert asymptotic(MakeDivisible(24 * A, Integer(8))) == 24 * A
    assert asymptotic(H + 3) == H + 3


def test_divisible_keeps_the_whole_part_of_a_constant():
    view, (condition,) = divisible(CeilDiv(H - 62, Integer(32)))
    assert view == H / 32 - 1
    assert str(condition) == "h is a multiple of 32"
    assert str(merged([Condition("divides", 32 * A, Integer(1))])[0]) == "32*a is whole"
