"""A formula: what a network, a part of it or a block costs, in its symbols."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, TypeAlias

from sympy import Add, Expr, Mul, Symbol, expand, factor, fraction

from archspec.cost import Counting
from archspec.dims import exact_each, is_array
from archspec.errors import ArchspecError, UnknownNameError, did_you_mean
from archspec.formula.collected import asymptotic, collected, divisible, summed
from archspec.formula.languages import JavaScript, Numpy, Python
from archspec.formula.writers import Latex, Text
from archspec.language.document import Symbol as Declared
from archspec.language.rules import value_fault
from archspec.result import Reported, short
from archspec.symbols import Condition, quotient, replaced, to_sympy, value

View: TypeAlias = Literal["exact", "divisible", "asymptotic"]
VIEWS: tuple[View, ...] = ("exact", "divisible", "asymptotic")

Arrangement: TypeAlias = Literal["collected", "sum", "factored", "quotient", "ratio"]
"""collected: a term for each spatial size; sum: monomials, as they come; factored: one product; quotient: one of two
that are collected; ratio: the shortest of a fraction, a sum and a product."""


@dataclass(frozen=True, repr=False)
class Formula(Reported):
    """A closed form.

    Attributes:
        of: What it is of: a network, one of its parts, or a block.
        quantity: What is counted: macs, params, …
        terms: The summands of the exact expression.
        symbols: Its letters, in the order in which one writes them.
        assumptions: What the exact expression takes for true of them.
        sizes: The spatial sizes that its terms are grouped by.
        arrangement: How it is written.
        letters: How symbols are written, by name, where not by their names.
        convention: The name of the convention it is counted under.
        counting: How it is counted; None of a formula that is not of a network.
        fixed: The values of the symbols that are not free.
        defaults: The values of symbols that are not given when it is called.
        declared: What a specification says of the symbols: the values that they can have.
        aliases: Of a block, the symbol of each argument and of each size that flows in: other names of the symbols.
        rounded: Whether it leaves out roundings that what it is of has; then it holds nearly.
        counted: Counts the same on numbers; None of a formula that is not of a network.
        opaque: The nodes of which it is not known what they compute, and which it has nothing of.
    """

    of: str
    quantity: str
    terms: tuple[Expr, ...]
    symbols: tuple[Symbol, ...]
    assumptions: tuple[Condition, ...] = ()
    sizes: tuple[Expr, ...] = ()
    times: tuple[Symbol, ...] = ()
    arrangement: Arrangement = "collected"
    letters: Mapping[str, str] = field(default_factory=dict)
    convention: str = "default"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    declared: Mapping[str, Declared] = field(default_factory=dict, repr=False, compare=False)
    aliases: Mapping[str, str] = field(default_factory=dict, repr=False)
    rounded: bool = False
    counting: Counting | None = None
    counted: Callable[[Mapping[str, Any]], Any] | None = field(default=None, repr=False, compare=False)
    opaque: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def exact(self) -> Expr:
        """The expression with its roundings: a SymPy expression that equals the count wherever `assumptions` hold."""
        return Add(*self.terms)

    @property
    def divisible(self) -> Expr:
        """The expression without roundings, exact where `conditions` hold."""
        return Add(*self.view("divisible"))

    @property
    def asymptotic(self) -> Expr:
        """What the expression grows like: without roundings, and without the constants inside them."""
        return Add(*self.view("asymptotic"))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """When `divisible` holds, besides the assumptions: which numbers divide which, as data.

        >>> import archspec
        >>> print(*archspec.load("mobilenet").formula("macs", free=["side"]).conditions)
        side is a multiple of 32
        """
        return self._divisible[1]

    @cached_property
    def _divisible(self) -> tuple[Expr, tuple[Condition, ...]]:
        return divisible(self.exact)

    def view(self, name: View = "exact") -> tuple[Expr, ...]:
        """The terms of a view: "exact", "divisible" or "asymptotic".

        Raises:
            UnknownNameError: There is no such view.
        """
        if name == "exact":
            return self.terms
        if name not in VIEWS:
            raise UnknownNameError(f"a formula has no view '{name}'{did_you_mean(name, VIEWS) or _listed(VIEWS)}")
        return self._divisible_terms if name == "divisible" else self._asymptotic_terms

    @cached_property
    def _divisible_terms(self) -> tuple[Expr, ...]:
        return self._arranged(self._divisible[0])

    @cached_property
    def _asymptotic_terms(self) -> tuple[Expr, ...]:
        return self._arranged(asymptotic(self.exact))

    def _arranged(self, expression: Expr) -> tuple[Expr, ...]:
        sides = tuple(symbol for symbol in self.symbols if any(symbol in size.free_symbols for size in self.sizes))
        return written({expression: 1}, sides, self.arrangement, self.times)

    def __call__(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """The exact count at values of its symbols, the others at their defaults.

        Where an assumption does not hold, the network itself is counted.

        Raises:
            UnknownNameError: It has no such symbol.
            ArchspecError: A symbol has no value; or an assumption does not hold, and there is nothing to count.

        >>> import archspec
        >>> archspec.load("mobilenet").formula("macs", free=["alpha", "side"])(alpha=1, side=224)
        568740352
        """
        known = self._bound({**(values or {}), **named})
        broken = self._broken(known)
        if broken is None:
            return value(self.exact, known)
        if self.counted is None:
            raise ArchspecError(f"the formula of {self.of} assumes that {broken}")
        return self.counted(known)

    def holds(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> bool:
        """Whether the symbols can have these values, and everything that the exact expression assumes is so of them."""
        return self._broken(self._bound({**(values or {}), **named})) is None

    def _broken(self, known: Mapping[str, Any]) -> str | None:
        """What is assumed and not so of some values, in words; None if there is nothing."""
        for name, number in known.items():
            for one in number.tolist() if is_array(number) else (number,):
                if name in self.declared and (fault := value_fault(self.declared[name], one)):
                    return f"{name} {fault}"
        broken = next((condition for condition in self.assumptions if not condition.holds(known)), None)
        if broken is None:
            return None
        return Text(self).condition(broken)

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        names = [symbol.name for symbol in self.symbols]
        values = {self.named(name): each for name, each in values.items()}
        known = {**self.defaults, **values}
        missing = [name for name in names if name not in known]
        if missing:
            raise ArchspecError(f"the formula of {self.of} needs a value of {', '.join(missing)}")
        return {name: exact_each(known[name]) for name in names}

    def named(self, name: str) -> str:
        """The symbol of a name: itself, its letter as it is printed, or another name of it.

        Raises:
            UnknownNameError: It has no such symbol.
        """
        names = [symbol.name for symbol in self.symbols]
        letters = {self.letters[each]: each for each in names if each in self.letters}
        found = name if name in names else letters.get(name, self.aliases.get(name, name))
        if found not in names:
            hint = did_you_mean(name, names) or _listed(names)
            raise UnknownNameError(f"the formula of {self.of} has no free symbol '{name}'{hint}")
        return found

    @property
    def whole(self) -> bool:
        """Whether it is a count, and so an integer."""
        return self.counted is not None and self.arrangement != "quotient"

    def __truediv__(self, other: "Formula") -> "Formula":
        """How much this is for each of the other, without roundings: one simplified formula.

        >>> import archspec
        >>> separable = archspec.load("mobilenet:separable").formula("macs", letters="paper")
        >>> standard = archspec.load("mobilenet_full:separable").formula("macs", letters="paper")
        >>> print(separable / standard)
        1/N + 1/D_K²
        """
        above = _squared(self, other)
        below = _in_letters_of(above, _squared(other, self))
        ratio = quotient(above.asymptotic, below.asymptotic)
        symbols = tuple(dict.fromkeys((*above.symbols, *below.symbols)))
        return Formula(
            of=f"{self.of} / {other.of}",
            quantity=" / ".join(dict.fromkeys((self.quantity, other.quantity))),
            terms=_monomials(ratio, symbols),
            symbols=tuple(symbol for symbol in symbols if symbol in ratio.free_symbols),
            assumptions=tuple(dict.fromkeys((*above.assumptions, *below.assumptions))),
            arrangement="ratio",
            letters={**other.letters, **self.letters},
            convention=" / ".join(dict.fromkeys((self.convention, other.convention))),
            fixed={**other.fixed, **self.fixed},
            aliases={**other.aliases, **self.aliases},
            opaque=tuple(dict.fromkeys((*self.opaque, *other.opaque))),
            rounded=any(each.exact != each.asymptotic for each in (above, below)),
        )

    def where(self, expressions: Mapping[str, Any] | None = None, /, **named: Any) -> "Formula":
        """The same with expressions for some symbols, such as M = αM."""
        expressions = {**(expressions or {}), **named}
        rule = {symbol: to_sympy(expressions[symbol.name]) for symbol in self.symbols if symbol.name in expressions}
        put = partial(replaced, rule=rule)
        sizes = tuple(size for size in map(put, self.sizes) if size.free_symbols)
        times = tuple(symbol for symbol in map(put, self.times) if isinstance(symbol, Symbol))
        terms = written(summed(map(put, self.terms)), sizes, self.arrangement, times)
        conditions = (replace(each, left=put(each.left), right=put(each.right)) for each in self.assumptions)
        there = {free for expression in rule.values() for free in expression.free_symbols}
        left = [symbol for symbol in self.symbols if symbol not in rule or symbol in there]
        new = sorted(there - {*self.symbols}, key=str)
        kept = tuple(symbol.name for symbol in left if symbol not in rule)
        return replace(
            self,
            terms=terms,
            symbols=(*left, *new),
            sizes=sizes,
            times=times,
            assumptions=tuple(each for each in conditions if each.left.free_symbols or each.right.free_symbols),
            defaults={symbol.name: self.defaults[symbol.name] for symbol in left if symbol.name in self.defaults},
            counted=partial(_counted_elsewhere, self.counted, rule, kept) if self.counted else None,
        )

    def text(self, view: View = "exact") -> str:
        """The formula as one line of text."""
        return Text(self).sum(self.view(view))

    def latex(self, view: View = "exact") -> str:
        """The formula for a LaTeX document, in math mode."""
        return Latex(self).sum(self.view(view))

    def python(self, view: View = "exact", name: str | None = None) -> str:
        """A Python function of the symbols, in text, that needs nothing but Python and gives exact integers.

        It is called after the quantity, unless it gets a name.
        """
        return Python(self).export(view, name)

    def numpy(self, view: View = "exact", name: str | None = None) -> str:
        """The same over NumPy arrays."""
        return Numpy(self).export(view, name)

    def javascript(self, view: View = "exact", name: str | None = None) -> str:
        """The same in JavaScript."""
        return JavaScript(self).export(view, name)

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return short(self, self.of, f"{self.quantity} = {self}")


def _counted_elsewhere(
    counted: Callable[[Mapping[str, Any]], Any],
    rule: Mapping[Symbol, Expr],
    kept: tuple[str, ...],
    values: Mapping[str, Any],
) -> Any:
    """Count where some symbols are expressions of others.

    Args:
        counted: Counts at values of all symbols.
        rule: The expressions.
        kept: The names of symbols that are still there.
        values: The values of those, and of the symbols of the expressions.
    """
    put = {symbol.name: value(expression, values) for symbol, expression in rule.items()}
    return counted({**{name: values[name] for name in kept}, **put})


def written(
    summands: Mapping[Expr, int], sizes: Iterable[Expr], arrangement: Arrangement, times: Iterable[Symbol] = ()
) -> tuple[Expr, ...]:
    """The terms of a sum in a form."""
    if arrangement == "collected":
        return collected(summands, sizes, times)
    if arrangement == "quotient":
        (quotient_,) = summands
        if not fraction(quotient_)[1].is_Add:
            return collected({quotient_: 1}, sizes, times)
        above, below = (Add(*collected({part: 1}, sizes, times)) for part in fraction(quotient_))
        return (above / below,)
    if arrangement == "ratio":
        ratio = quotient(Add(*(often * summand for summand, often in summands.items())), 1)
        return _monomials(ratio, sorted(ratio.free_symbols, key=str))
    monomials: dict[Expr, Expr] = {}
    for summand, often in summands.items():
        for term in Add.make_args(expand(summand)):
            coefficient, rest = term.as_coeff_Mul()
            monomials[rest] = monomials.get(rest, 0) + often * coefficient
    terms = tuple(coefficient * rest for rest, coefficient in monomials.items() if coefficient != 0)
    return (factor(Add(*terms)),) if arrangement == "factored" else terms


def _squared(formula: Formula, other: Formula) -> Formula:
    """The formula of a block with its width for its height, if the other has one letter for both."""
    height, width = (formula.aliases.get(size) for size in ("in_height", "in_width"))
    others = {other.aliases.get(size) for size in ("in_height", "in_width")}
    if height == width or len(others) != 1 or None in others:
        return formula
    letter = next((symbol for symbol in formula.symbols if symbol.name == height), None)
    squared = formula if letter is None or width is None else formula.where({width: letter})
    return replace(squared, aliases={**formula.aliases, "in_width": str(height)})


def _in_letters_of(formula: Formula, other: Formula) -> Formula:
    """The other formula with this one's letters for what both blocks take: their arguments, and what flows in."""
    letters = {symbol.name: symbol for symbol in formula.symbols}
    theirs = {symbol.name for symbol in other.symbols}
    both = [role for role in other.aliases if role in formula.aliases]
    rule = {
        other.aliases[role]: letters[formula.aliases[role]]
        for role in both
        if other.aliases[role] in theirs and formula.aliases[role] in letters
    }
    return other.where(rule) if rule else other


def _monomials(expression: Expr, symbols: Sequence[Symbol]) -> tuple[Expr, ...]:
    """The summands of an expression, by falling degree and in the order of their letters."""

    def place(term: Expr) -> tuple[Any, ...]:
        powers = [factor.as_base_exp()[1] for factor in Mul.make_args(term) if factor.free_symbols]
        return (-Add(*powers), [symbol not in term.free_symbols for symbol in symbols], str(term))

    return tuple(sorted(Add.make_args(expression), key=place))


def _listed(names: Iterable[str]) -> str:
    return f"; it has {', '.join(names) or 'none'}"
