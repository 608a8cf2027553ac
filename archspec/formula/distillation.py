"""Distillation (Hinton, Vinyals and Dean 2015, arXiv:1503.02531): its gradient, the limit of that, and specialists.

Everything is derived: the gradient by differentiating the cross-entropy, its limit at high temperature by a limit for
any given number of classes N, and for N left open by the first terms of the series. What is left open is one class k:
of all others only sums enter (of eᶻ, of z, of z²), which therefore stand for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Symbol, exp, log

from archspec.errors import ArchspecError

T = Symbol("T", positive=True)
"""The temperature."""
N = Symbol("N", positive=True, integer=True)
"""The number of classes."""

MAX_CLASSES = 12


def softmax(logits: Sequence[Any], temperature: Any = T) -> tuple[Expr, ...]:
    """The probabilities qᵢ = exp(zᵢ/T) / Σ exp(zⱼ/T).

    >>> print(*softmax(sympy.symbols("a b"), 1))
    exp(a)/(exp(a) + exp(b)) exp(b)/(exp(a) + exp(b))
    """
    powers = [exp(logit / temperature) for logit in logits]
    return tuple(power / sympy.Add(*powers) for power in powers)


def cross_entropy(targets: Sequence[Any], logits: Sequence[Any], temperature: Any = T) -> Expr:
    """C = −Σ pᵢ·log qᵢ, with log qᵢ = zᵢ/T − log Σ exp(zⱼ/T)."""
    normaliser = log(sympy.Add(*(exp(logit / temperature) for logit in logits)))
    return sympy.Add(*(-p * (z / temperature - normaliser) for p, z in zip(targets, logits, strict=True)))


@dataclass(frozen=True, slots=True)
class Gradient:
    """The derivative of the cross-entropy by the logit of one class, in any number of classes.

    Attributes:
        by_rule: What differentiation gives.
        closed: (q − p)/T, with q the softmax.
        q: The softmax of that class.
    """

    by_rule: Expr
    closed: Expr
    q: Expr

    @property
    def proved(self) -> bool:
        """Whether the two are the same function."""
        return _same(self.by_rule, self.closed)


def gradient() -> Gradient:
    """dC/dz of one class with target p, for any number of classes: (q − p)/T.

    The others enter by R = Σ exp(zⱼ/T) over them, and by their targets, which add up to 1 − p: what is added to C for
    them, beside terms without z, is (1 − p)·log(exp(z/T) + R).

    >>> found = gradient()
    >>> found.proved, found.closed.subs({found.q: Symbol("q")})
    (True, (-p + q)/T)
    """
    z, p = Symbol("z", real=True), Symbol("p", nonnegative=True)
    rest = Symbol("R", positive=True)
    whole = exp(z / T) + rest
    loss = -p * (z / T - log(whole)) + (1 - p) * log(whole)
    q = exp(z / T) / whole
    return Gradient(sympy.diff(loss, z), (q - p) / T, q)


def gradient_of(classes: int) -> tuple[Gradient, ...]:
    """The same for a given number of classes, by each logit, differentiating the whole cross-entropy.

    Raises:
        ArchspecError: The number of classes is not from 2 to `MAX_CLASSES`.

    >>> all(found.proved for found in gradient_of(3))
    True
    """
    _check(classes)
    z, p = _letters("z", classes), _letters("p", classes - 1)
    p = (*p, 1 - sympy.Add(*p))
    loss, q = cross_entropy(p, z), softmax(z)
    return tuple(Gradient(sympy.diff(loss, z[k]), (q[k] - p[k]) / T, q[k]) for k in range(classes))


def _check(classes: int) -> None:
    if not 2 <= classes <= MAX_CLASSES:
        raise ArchspecError(f"the number of classes is from 2 to {MAX_CLASSES} here (got {classes})")


def _letters(name: str, count: int) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"{name}{i}", real=True) for i in range(1, count + 1))


def _same(a: Expr, b: Expr) -> bool:
    """Whether two expressions are the same rational function of exponentials, each taken for a letter of its own."""
    difference = sympy.expand_power_exp(a - b)
    powers = {power: sympy.Dummy(positive=True) for power in difference.atoms(exp)}
    return bool(sympy.cancel(difference.xreplace(powers)) == 0)


# ------------------------------------------------------------------ high temperature


def limit_of(classes: int) -> Expr:
    """T²·dC/dz₁ as T → ∞, for a given number of classes whose logits z and v add up to 0 each: (z₁ − v₁)/N.

    With u = 1/T it is the limit of (q₁ − p₁)/u as u → 0, both being softmaxes. They are the same at u = 0, so that the
    limit is the derivative of their difference there.

    Raises:
        ArchspecError: The number of classes is not from 2 to `MAX_CLASSES`.

    >>> print(limit_of(3))
    -v1/3 + z1/3
    """
    _check(classes)
    u = Symbol("u", positive=True)
    difference = scaled_gradient(classes, u) * u
    return sympy.expand(sympy.diff(difference, u).subs(u, 0))


def scaled_gradient(classes: int, u: Symbol) -> Expr:
    """T²·dC/dz₁ at the temperature T = 1/u, for logits z and v that add up to 0 each."""
    z, v = (_zero_sum(letter, classes) for letter in "zv")
    return (softmax(z, 1 / u)[0] - softmax(v, 1 / u)[0]) / u


def _zero_sum(name: str, count: int) -> tuple[Expr, ...]:
    letters = _letters(name, count - 1)
    return (*letters, -sympy.Add(*letters))


@dataclass(frozen=True, slots=True)
class HighTemperature:
    """The gradient at high temperature, in powers of 1/T, for any number N of classes.

    z and v are the logits of one class, of the student and of the teacher; S_z and Q_z the sums of all z and of all z²,
    S_v and Q_v those of v.

    Attributes:
        first: The coefficient of 1/T²: ((z − S_z/N) − (v − S_v/N))/N.
        second: The coefficient of 1/T³: by how much the first term is off.
    """

    first: Expr
    second: Expr

    @property
    def zero_mean(self) -> Expr:
        """The first term where both kinds of logits add up to 0: (z − v)/(N·T²)."""
        return sympy.factor(self.first.subs({Symbol("S_z"): 0, Symbol("S_v"): 0})) / T**2

    @property
    def zero_mean_error(self) -> Expr:
        """The second term, likewise."""
        return sympy.factor(self.second.subs({Symbol("S_z"): 0, Symbol("S_v"): 0})) / T**3


def high_temperature() -> HighTemperature:
    """The first two terms of dC/dz in 1/T, for any number of classes.

    With u = 1/T, Σ exp(u·zⱼ) = N + u·S + u²·Q/2 + O(u³) by the series of exp, term by term; what is left out enters
    from u⁴ on. So the two terms are exact.

    >>> print(high_temperature().zero_mean)
    (-v + z)/(N*T**2)
    """
    u = Symbol("u")
    student, teacher = (_softmax_series(letter, u) for letter in "zv")
    series = sympy.expand(sympy.series(u * (student - teacher), u, 0, 4).removeO())
    return HighTemperature(series.coeff(u, 2), series.coeff(u, 3))


def _softmax_series(letter: str, u: Symbol) -> Expr:
    """The softmax of one class with logit z, its numerator and its denominator to u²."""
    z, total, squares = Symbol(letter), Symbol(f"S_{letter}"), Symbol(f"Q_{letter}")
    return (1 + u * z + u**2 * z**2 / 2) / (N + u * total + u**2 * squares / 2)


# ------------------------------------------------------------------ specialists


@dataclass(frozen=True, slots=True)
class SpecialistsObjective:
    """What a distribution q is fitted to when specialists help a generalist: KL(p_g, q) + Σ KL(p_m, q).

    A specialist knows some classes, and one for all others ("dustbin"), for which q is summed over those.

    Attributes:
        q: The probabilities that are looked for, one per class.
        generalist: p_g, one per class.
        known: For each specialist the classes it knows, from 0.
        specialists: For each its p_m: one per class it knows, and one for all others.
    """

    q: tuple[Expr, ...]
    generalist: tuple[Expr, ...]
    known: tuple[tuple[int, ...], ...]
    specialists: tuple[tuple[Expr, ...], ...]

    @property
    def objective(self) -> Expr:
        """KL(p_g, q) + Σ KL(p_m, q)."""
        return sympy.Add(
            _divergence(self.generalist, self.q),
            *(_divergence(p, self._seen_by(known)) for p, known in zip(self.specialists, self.known, strict=True)),
        )

    def _seen_by(self, known: tuple[int, ...]) -> tuple[Expr, ...]:
        others = (q for k, q in enumerate(self.q) if k not in known)
        return (*(self.q[k] for k in known), sympy.Add(*others))

    def gradient(self, logits: Sequence[Symbol]) -> tuple[Expr, ...]:
        """The derivative of the objective by each logit, q being their softmax."""
        objective = self.objective.subs(dict(zip(self.q, softmax(logits, 1), strict=True)), simultaneous=True)
        return tuple(sympy.diff(objective, logit) for logit in logits)

    def stationary(self, answer: Sequence[Expr]) -> bool:
        """Whether the objective has its minimum over all distributions at these probabilities.

        It is convex, so that it is enough that its derivatives by all of q are the same there (Lagrange).
        """
        at = dict(zip(self.q, answer, strict=True))
        slopes = [sympy.diff(self.objective, q).subs(at, simultaneous=True) for q in self.q]
        return all(_same(slopes[0], slope) for slope in slopes[1:])

    def one_specialist(self) -> tuple[Expr, ...]:
        """The minimum where one specialist is active, in closed form.

        On the classes it knows qᵢ = (p_g,i + p_m,i)/2; the others share what is left, (P_g + p_m,others)/2 with P_g
        their part of p_g, in proportion to p_g.

        Raises:
            ArchspecError: There is not one specialist.
        """
        if len(self.known) != 1:
            raise ArchspecError(f"the closed form is of one specialist, found {len(self.known)}")
        (known,), (p,) = self.known, self.specialists
        others = sympy.Add(*(g for k, g in enumerate(self.generalist) if k not in known))
        mine = {k: (self.generalist[k] + p[i]) / 2 for i, k in enumerate(known)}
        return tuple(mine.get(k, (others + p[-1]) / 2 * g / others) for k, g in enumerate(self.generalist))


def specialists(classes: int, *known: Sequence[int]) -> SpecialistsObjective:
    """The specialists' objective over so many classes, of a generalist and specialists that know these, from 0.

    Raises:
        ArchspecError: A specialist knows no class, all of them, one twice, or one that there is not.

    >>> print(specialists(2, [0]).objective)
    g1*log(g1/q1) + g2*log(g2/q2) + s1_1*log(s1_1/q1) + s1_others*log(s1_others/q2)
    """
    for number, subset in enumerate(known, 1):
        if not 0 < len(set(subset)) == len(subset) < classes or not all(0 <= k < classes for k in subset):
            raise ArchspecError(f"specialist {number} knows some, not all, of the classes 0 to {classes - 1}: {subset}")
    return SpecialistsObjective(
        q=_positive("q", range(1, classes + 1)),
        generalist=_positive("g", range(1, classes + 1)),
        known=tuple(tuple(subset) for subset in known),
        specialists=tuple(
            _positive(f"s{number}_", [*(k + 1 for k in subset), "others"]) for number, subset in enumerate(known, 1)
        ),
    )


def _positive(name: str, indices: Sequence[Any]) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"{name}{index}", positive=True) for index in indices)


def _divergence(p: Sequence[Expr], q: Sequence[Expr]) -> Expr:
    """KL(p, q) = Σ p·log(p/q)."""
    return sympy.Add(*(a * log(a / b) for a, b in zip(p, q, strict=True)), Integer(0))
