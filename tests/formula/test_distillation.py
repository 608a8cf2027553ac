"""Distillation: the gradient by differentiation, by finite differences and by torch; its limit; the specialists."""

from functools import cache
from math import exp, log
from random import Random

import pytest
import sympy
import torch

from archspec.errors import ArchspecError
from archspec.formula import distillation
from archspec.formula.distillation import gradient, gradient_of, high_temperature, limit_of, specialists


def softmax(logits, temperature):
    powers = [exp(z / temperature) for z in logits]
    return [power / sum(powers) for power in powers]


def loss(z, p, temperature):
    return -sum(target * log(q) for target, q in zip(p, softmax(z, temperature), strict=True))


limit = cache(high_temperature)


@cache
def closed():
    """(q − p)/T as a function of z, p, R and T."""
    found = gradient()
    letters = {letter.name: letter for letter in found.closed.free_symbols}
    return sympy.lambdify([letters[name] for name in ("z", "p", "R", "T")], found.closed, "math")


def by_the_formula(z, p, temperature):
    """(q − p)/T, by the expression."""
    compute = closed()
    powers = [exp(logit / temperature) for logit in z]
    return [compute(z[k], p[k], sum(powers) - powers[k], temperature) for k in range(len(z))]


def drawn(seed, classes):
    random = Random(seed)  # noqa: S311  # drawn tests need no secrets
    z, v = ([random.gauss(0, 3) for _ in range(classes)] for _ in range(2))
    return z, v, random.uniform(0.5, 20)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("classes", [2, 3, 5, 8])
def test_the_gradient_of_any_class_is_proved_for_a_given_number_of_classes(classes):
    found = gradient_of(classes)
    assert len(found) == classes
    assert all(one.proved for one in found)


def test_the_gradient_is_proved_for_any_number_of_classes():
    found = gradient()
    assert found.proved
    wrong = distillation.Gradient(found.by_rule, found.closed * 2, found.q)
    assert not wrong.proved


@pytest.mark.parametrize("seed", range(8))
def test_the_gradient_is_that_of_finite_differences_and_of_torch(seed):
    z, v, temperature = drawn(seed, 2 + seed)
    p = softmax(v, temperature)
    found = by_the_formula(z, p, temperature)
    step = 1e-5
    for k, slope in enumerate(found):
        up, down = ([x + sign * step * (i == k) for i, x in enumerate(z)] for sign in (1, -1))
        assert slope == pytest.approx((loss(up, p, temperature) - loss(down, p, temperature)) / (2 * step), abs=1e-8)
    logits = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor(p, dtype=torch.float64)
    torch.nn.functional.cross_entropy(logits / temperature, targets).backward()
    assert logits.grad.tolist() == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 4, 7, 12])
def test_the_limit_at_high_temperature_is_the_difference_of_logits_over_their_number(classes):
    z, v = sympy.symbols("z1 v1", real=True)
    assert limit_of(classes) == (z - v) / classes


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_limit_is_that_which_sympy_finds_without_help():
    u = sympy.Symbol("u", positive=True)
    assert sympy.expand(sympy.limit(distillation.scaled_gradient(2, u), u, 0)) == limit_of(2)


def test_for_any_number_of_classes_the_limit_and_what_it_leaves_out():
    found = limit()
    z, v, n, t = sympy.symbols("z"), sympy.symbols("v"), distillation.N, distillation.T
    of_z, of_v, squares_z, squares_v = sympy.symbols("S_z S_v Q_z Q_v")
    assert sympy.expand(found.first - ((z - of_z / n) - (v - of_v / n)) / n) == 0
    assert sympy.cancel(found.zero_mean - (z - v) / (n * t**2)) == 0
    error = ((z**2 - v**2) / n - (squares_z - squares_v) / n**2) / (2 * t**3)
    assert sympy.cancel(found.zero_mean_error - error) == 0


@pytest.mark.parametrize("seed", range(6))
def test_the_higher_the_temperature_the_nearer_the_limit_and_the_nearer_with_its_second_term(seed):
    classes = 3 + seed
    z, v, _ = drawn(seed, classes)
    z, v = ([x - sum(xs) / classes for x in xs] for xs in (z, v))
    found = limit()
    values = {"z": z[0], "v": v[0], "Q_z": sum(x * x for x in z), "Q_v": sum(x * x for x in v), "N": classes}
    before = None
    for temperature in (1000, 10_000):
        exact = by_the_formula(z, softmax(v, temperature), temperature)[0]
        known = {**values, "T": temperature}
        first, second = (
            float(form.subs({letter: known[letter.name] for letter in form.free_symbols}))
            for form in (found.zero_mean, found.zero_mean_error)
        )
        off, off_with_second = abs(exact - first), abs(exact - first - second)
        assert off <= 2 * abs(second) + 1e-13
        assert off_with_second <= 0.1 * off + 1e-13
        if before is not None:
            assert off < before / 500  # the error falls with T³
        before = off


@pytest.mark.parametrize("classes", [0, 1, 13])
def test_too_few_or_too_many_classes_are_refused(classes):
    for derive in (limit_of, gradient_of):
        with pytest.raises(ArchspecError, match=f"from 2 to 12 here .got {classes}"):
            derive(classes)


# ------------------------------------------------------------------ specialists


def numbers(found, seed):
    """Distributions for the generalist and the specialists, by letter."""
    random = Random(seed)  # noqa: S311  # likewise
    values = {}
    for letters in (found.generalist, *found.specialists):
        drawn = [random.uniform(0.05, 1) for _ in letters]
        values |= {letter: x / sum(drawn) for letter, x in zip(letters, drawn, strict=True)}
    return values


def divergence(p, q):
    return sum(a * log(a / b) for a, b in zip(p, q, strict=True))


def test_the_objective_sums_the_divergences_with_all_other_classes_as_one():
    found = specialists(4, [1, 2], [0])
    values = numbers(found, 1)
    q = dict(zip(found.q, (0.1, 0.2, 0.3, 0.4), strict=True))
    known = {**values, **q}
    g, (one, two) = ([values[x] for x in found.generalist], ([values[x] for x in s] for s in found.specialists))
    by_hand = divergence(g, q.values()) + divergence(one, (0.2, 0.3, 0.5)) + divergence(two, (0.1, 0.9))
    assert float(found.objective.subs(known)) == pytest.approx(by_hand)


def test_the_objective_is_that_of_torch_and_so_is_its_gradient():
    found = specialists(4, [0, 3])
    values = numbers(found, 2)
    logits = sympy.symbols("x1:5", real=True)
    at = [0.3, -1.0, 0.5, 0.1]
    slopes = [float(slope.subs({**values, **dict(zip(logits, at, strict=True))})) for slope in found.gradient(logits)]
    x = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    q = torch.softmax(x, 0)
    g, s = (
        torch.tensor([values[letter] for letter in p], dtype=torch.float64)
        for p in (found.generalist, found.specialists[0])
    )
    seen = torch.stack((q[0], q[3], q[1] + q[2]))
    (torch.sum(g * torch.log(g / q)) + torch.sum(s * torch.log(s / seen))).backward()
    assert x.grad.tolist() == pytest.approx(slopes, abs=1e-12)
    assert sum(slopes) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("classes", "known"), [(3, [0]), (4, [1, 3]), (6, [0, 2, 5])])
def test_one_specialist_has_its_minimum_in_closed_form(classes, known):
    found = specialists(classes, known)
    answer = found.one_specialist()
    mass = sympy.Add(*answer).subs({found.generalist[-1]: 1 - sympy.Add(*found.generalist[:-1])})
    mass = mass.subs({found.specialists[0][-1]: 1 - sympy.Add(*found.specialists[0][:-1])})
    assert sympy.cancel(mass) == 1
    assert found.stationary(answer)
    assert not found.stationary(found.generalist)


def test_without_specialists_the_generalist_is_the_answer():
    found = specialists(3)
    assert found.stationary(found.generalist)
    with pytest.raises(ArchspecError, match="of one specialist, found 0"):
        found.one_specialist()


@pytest.mark.parametrize("subset", [[], [0, 1, 2], [1, 1], [3], [-1]])
def test_a_specialist_knows_some_classes_and_not_all(subset):
    with pytest.raises(ArchspecError, match="specialist 2 knows some, not all"):
        specialists(3, [0], subset)
