"""How a cost answers to its symbols: elasticities of the formula, and what the next network really costs.

The elasticity d ln Q / d ln s says by how many percent Q grows when s does by one. It is that of the formula
that holds where sizes divide, and exact: a rational number. Roundings make Q a staircase, so the next step is counted
beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol

from archspec import cost
from archspec.cost import Counting
from archspec.dims import recording
from archspec.errors import ArchspecError, BindingError, did_you_mean
from archspec.formula.closed_form import Formula
from archspec.formula.of_network import formulas
from archspec.graph import Network
from archspec.result import Reported, short
from archspec.sweeps.family import Family, SearchRange, Span, search_range
from archspec.sweeps.survey import Survey
from archspec.symbols import Condition, Log2, Maximum, Minimum, Rounding, TableLookup, from_sympy, to_sympy, value

REACH = Fraction(5, 4)
STEPS = 256
"""How far the next step is looked for: to 5/4 of a multiplier, and among so many whole numbers."""


@dataclass(frozen=True, slots=True)
class NextNetwork:
    """The next network of another cost.

    Attributes:
        span: The values of the symbol that give it.
        cost: What it costs.
    """

    span: Span
    cost: int


@dataclass(frozen=True, slots=True)
class Response:
    """How a cost answers to one symbol, the others being as they are.

    Attributes:
        symbol: Its name.
        value: Where.
        elasticity: d ln Q / d ln s of the formula that holds where sizes divide; None where there is none.
        percent: How much more that formula gives for 1 % more of the symbol, as a part of it.
        reason: Why there is no elasticity.
        assumes: What the formula takes for true, as it is at the value.
        step: The next network of another cost; None where the symbol ends, or nothing near changes the cost.
    """

    symbol: str
    value: Any
    elasticity: Fraction | None
    percent: Fraction | None
    reason: str | None
    step: NextNetwork | None
    assumes: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Sensitivity(Reported):
    """How a cost answers to every symbol.

    Attributes:
        name: The specification's name.
        quantity: Which cost.
        cost: What it is.
        bindings: Where.
        counting: How it is counted.
        responses: One a symbol that is a number, by falling elasticity.
    """

    name: str
    quantity: str
    cost: int
    bindings: Mapping[str, Any]
    counting: Counting
    responses: tuple[Response, ...]

    def __repr__(self) -> str:
        return short(
            self,
            self.name,
            f"{self.quantity} {self.cost}",
            *(f"{each.symbol} {each.elasticity}" for each in self.responses),
        )


def sensitivity(family: Family, quantity: str = "macs", symbols: Iterable[str] | None = None) -> Sensitivity:
    """How a cost answers to the symbols of a specification.

    Args:
        family: The networks; what is held says where.
        quantity: What is counted, as of a formula.
        symbols: Which symbols; by default all that are numbers.

    Raises:
        UnknownNameError: There is no such quantity.
        BindingError: There is no such symbol, it is a word, or stands twice; or none is asked for.

    >>> from archspec.language import load
    >>> found = sensitivity(Family(load("mobilenet")))
    >>> for response in found.responses:
    ...     print(response.symbol, round(float(response.elasticity), 3))
    side 1.996
    alpha 1.949
    classes 0.002
    """
    cost.quantity(quantity)
    document, network = family.document, family.at({})
    values = dict(network.bindings)
    names = [name for name, symbol in document.symbols.items() if not symbol.word]
    usual = [name for name in names if document.symbols[name].usually_free]
    wanted = usual if symbols is None else _wanted(symbols, names, document.name)
    asked = _SensitivityQuestion(replace(family, bindings=values), quantity)
    responses = [asked.response(name) for name in wanted]
    return Sensitivity(
        name=document.name,
        quantity=quantity,
        cost=asked.count(network)[quantity],
        bindings=values,
        counting=family.counting,
        responses=tuple(sorted(responses, key=lambda each: -abs(each.elasticity or Fraction(0)))),
    )


def _wanted(symbols: Iterable[str], names: list[str], of: str) -> tuple[str, ...]:
    """The symbols that were asked for.

    Raises:
        BindingError: There is none of the name, a name stands twice, or there are no names.
    """
    wanted = tuple(symbols)
    if not wanted:
        raise BindingError(f"no symbol of '{of}' is named{_listed(names)}")
    for place, name in enumerate(wanted):
        if name not in names:
            raise BindingError(f"'{of}' has no number '{name}'{did_you_mean(name, names) or _listed(names)}")
        if name in wanted[:place]:
            raise BindingError(f"{name} is asked for twice")
    return wanted


def _listed(names: list[str]) -> str:
    return f"; it has {', '.join(names) or 'none'}"


@dataclass(frozen=True, slots=True)
class _SensitivityQuestion:
    """Of all symbols at some values."""

    family: Family
    quantity: str

    def count(self, network: Network) -> dict[str, Any]:
        return self.family.figures(network, [self.quantity])

    def response(self, name: str) -> Response:
        elasticity = percent = reason = None
        assumes: tuple[Condition, ...] = ()
        try:
            found = self.formula(name)
            assumes = found.assumptions
            elasticity, percent = self.slopes(found, name)
        except ArchspecError as error:
            reason = str(error).splitlines()[0]
        return Response(name, self.family.bindings[name], elasticity, percent, reason, self.step(name), assumes)

    def formula(self, name: str) -> Formula:
        """The formula in one symbol; what that leaves open is decided as its value decides it."""
        others = {key: each for key, each in self.family.bindings.items() if key != name}
        with recording({name: self.family.bindings[name]}):
            family = self.family
            (found,) = formulas(family.document, self.quantity, free=(name,), bindings=others, counting=family.counting)
            return found

    def slopes(self, found: Formula, name: str) -> tuple[Fraction, Fraction]:
        """The slopes of a formula where sizes divide, a maximum being what it is just above the symbol's value.

        Raises:
            ArchspecError: There is no slope: the formula is of one value, or not smooth in its symbol.
        """
        (symbol,) = found.symbols
        if any(each.kind == "equals" for each in found.assumptions):
            only = " and ".join(str(each) for each in found.assumptions if each.kind == "equals")
            raise ArchspecError(f"the network is another one unless {only}; only its steps can be counted")
        for atom, words in ((TableLookup, "is looked up in a table"), (Log2, "stands in a logarithm")):
            if found.exact.has(atom):
                raise ArchspecError(f"{name} {words}; only its steps can be counted")
        above = Fraction(self.family.bindings[name]) * Fraction(10**6 + 1, 10**6)
        smooth = chosen(found.divisible, {name: above})
        if smooth.has(Rounding):
            raise ArchspecError(f"{name} is what a rounded number is divided by; only its steps can be counted")
        return slopes(smooth, symbol, to_sympy(self.family.bindings[name]))

    def step(self, name: str) -> NextNetwork | None:
        """The next network along a symbol that costs something else."""
        here = self.family.bindings[name]
        line = self.line(name)
        if line is None:
            return None
        survey = Survey([line], self.family.at, self.count)
        samples = [sample for sample in survey if sample.values[name] >= here]
        before = self.count(self.family.at({}))[self.quantity]
        for sample in samples:
            if sample.figures[self.quantity] != before:
                return NextNetwork(sample.spans[name], sample.figures[self.quantity])
        return None

    def line(self, name: str) -> SearchRange | None:
        """From a symbol's value to where its next step is looked for; None at its end."""
        document, here = self.family.document, self.family.bindings[name]
        symbol = document.symbols[name]
        if symbol.choices is not None:
            return search_range(document, name)
        most = symbol.range[1] if symbol.range else None
        reach = here + STEPS if symbol.integer else here * REACH
        end = reach if most is None else min(reach, most)
        return search_range(document, name, (here, end)) if end > here else None


def chosen(expression: Expr, values: Mapping[str, Any]) -> Expr:
    """The expression with each maximum and minimum as the argument that it is at some values."""
    if not expression.has(Maximum, Minimum):
        return expression
    args = [chosen(arg, values) for arg in expression.args]
    if not isinstance(expression, (Maximum, Minimum)):
        return expression.func(*args)
    pick = max if isinstance(expression, Maximum) else min
    return pick(args, key=lambda arg: Fraction(value(arg, values)))


def slopes(smooth: Expr, symbol: Symbol, at: Expr) -> tuple[Fraction, Fraction]:
    """The elasticity of an expression, and by what part it grows when its symbol grows by 1 %; exact.

    >>> from archspec.symbols import symbol
    >>> s = symbol("s")
    >>> slopes(3 * s**2, s, sympy.Integer(224))
    (Fraction(2, 1), Fraction(201, 10000))

    Raises:
        ArchspecError: The expression is zero, or its slope no rational number.
    """
    here = smooth.xreplace({symbol: at})
    if here == 0:
        raise ArchspecError("there is nothing that could grow")
    rise = sympy.diff(smooth, symbol).xreplace({symbol: at})
    more = smooth.xreplace({symbol: at * sympy.Rational(101, 100)})
    if not (rise.is_Rational and more.is_Rational and here.is_Rational):
        raise ArchspecError(f"how it grows with {symbol} is no rational number; only its steps can be counted")
    return Fraction(from_sympy(at * rise / here)), Fraction(from_sympy(more / here)) - 1
