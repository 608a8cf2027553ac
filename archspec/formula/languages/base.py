"""What the languages share: infix operators, names, roundings that get one, and checks of what is assumed."""

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sympy import Add, Expr, Symbol, count_ops, preorder_traversal

from archspec.errors import ArchspecError
from archspec.formula.writers import POWER, PRODUCT, SUM, Text, Writer
from archspec.symbols import Atom, Ceil, CeilDiv, Floor, MakeDivisible, TableLookup, to_sympy

if TYPE_CHECKING:
    from archspec.formula.closed_form import Formula, View

NAMED = (CeilDiv, Floor, Ceil, MakeDivisible, TableLookup)
"""The atoms that get names."""

BROKEN: Mapping[str, str] = {
    "divides": "{left} % {right} != 0",
    "differs": "{left} == {right}",
    "equals": "{left} != {right}",
    "at_least": "{left} < {right}",
    "at_most": "{left} > {right}",
    "above": "{left} <= {right}",
    "below": "{left} >= {right}",
}
"""What is so where a condition of each kind is not."""


class Language(Writer):
    """A language that a formula is written in as a function.

    Attributes:
        reserved: What a parameter cannot be called.
        assignment: What stands before a name that gets a value.
        end: What ends a statement.
        heads: What functions are called.
        helpers: The sources of functions that a function may call, by name.
    """

    minus = " - "
    reserved: ClassVar[frozenset[str]] = frozenset()
    assignment: ClassVar[str] = ""
    end: ClassVar[str] = ""
    heads: ClassVar[Mapping[str, str]] = {}
    helpers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, formula: "Formula") -> None:
        super().__init__(formula)
        self.formula = formula
        self.names: dict[Expr, str] = {}
        self.name = identifier(formula.quantity)
        self._letters = self._named(formula.symbols)

    def export(self, view: "View" = "exact", name: str | None = None) -> str:
        """The source of a function of the symbols that returns the formula's value, and raises where it has none."""
        formula, self.name = self.formula, name or self.name
        conditions = {"exact": formula.assumptions, "asymptotic": ()}.get(view)
        if conditions is None:
            conditions = (*formula.assumptions, *formula.conditions)
        return self.function(formula.view(view), whole=view == "exact" and formula.whole, conditions=conditions)

    def function(self, terms: Iterable[Expr], whole: bool, conditions: Iterable[Any] = ()) -> str:
        """The source of a function of the symbols that returns the sum of the terms.

        Args:
            terms: The summands.
            whole: Whether their sum is always an integer.
            conditions: What is checked before: `Condition`s on the symbols, as a formula assumes them.
        """
        terms = tuple(terms)
        checks = [line for condition in conditions for line in self.check(condition)]
        steps = [f"{self.assignment}{name} = {text}{self.end}" for name, text in self._steps(Add(*terms))]
        domains = [line for symbol in self.formula.symbols for line in self.domain(symbol)]
        body = [*self.given(), *domains, *checks, *steps, *self.result(terms, whole)]
        return self.source(body)

    def domain(self, symbol: Symbol) -> list[str]:
        """The lines that raise where a symbol has a value that its specification does not allow."""
        declared = self.formula.declared.get(symbol.name)
        if declared is None:
            return []
        name = self.letter(symbol)
        if declared.choices is not None:
            broken = self.not_among(name, [self.write(to_sympy(choice)) for choice in declared.choices])
            limits = f"one of {', '.join(map(str, declared.choices))}"
        elif declared.range is not None:
            low, high = declared.range
            broken = self.either(f"{name} < {self.write(to_sympy(low))}", f"{name} > {self.write(to_sympy(high))}")
            limits = f"from {low} to {high}"
        else:
            broken, limits = f"{name} <= 0", "greater than 0"
        return self.refuse(broken, f"{symbol.name} must be {limits}")

    @abstractmethod
    def not_among(self, name: str, values: list[str]) -> str:
        """That a parameter has none of the values."""

    @abstractmethod
    def either(self, one: str, other: str) -> str:
        """That one thing is so, or the other."""

    def check(self, condition: Any) -> list[str]:
        """The lines that raise, with the condition in words, where it is not so.

        Raises:
            ArchspecError: The language has no way to ask for a condition of its kind.
        """
        if condition.kind not in BROKEN:
            raise ArchspecError(f"no exported function can check '{condition}'")
        left, right = self.sides(condition)
        broken = BROKEN[condition.kind].format(left=left, right=right)
        message = f"{self.formula.quantity} of {self.formula.of} assumes that {Text(self.formula).condition(condition)}"
        return self.refuse(broken, message)

    def sides(self, condition: Any) -> tuple[str, str]:
        """The two sides of a condition."""
        return self.write(condition.left, PRODUCT), self.write(condition.right, POWER)

    @abstractmethod
    def refuse(self, broken: str, message: str) -> list[str]:
        """The lines that raise with a sentence where something is so."""

    @abstractmethod
    def given(self) -> list[str]:
        """The lines that make exact numbers of the parameters, or raise."""

    @abstractmethod
    def result(self, terms: tuple[Expr, ...], whole: bool) -> list[str]:
        """The lines that return the sum of the terms."""

    @abstractmethod
    def source(self, body: list[str]) -> str:
        """The whole source of a function with these lines."""

    def called(self, lines: Iterable[str]) -> list[str]:
        """The helpers that lines call, and those that these call, in the order in which they are declared."""
        text = "\n".join(lines)
        found = [name for name in self.helpers if re.search(rf"\b{name}\(", text)]
        inner = [name for name in self.helpers if any(re.search(rf"\b{name}\(", self.helpers[of]) for of in found)]
        return [source for name, source in self.helpers.items() if name in found or name in inner]

    def signed(self, terms: tuple[Expr, ...]) -> list[tuple[bool, str]]:
        """The parts of the terms: whether each is negative, and its text."""
        return [part for term in terms for part in self.parts(term)] or [(False, "0")]

    def lines(self, terms: tuple[Expr, ...]) -> list[str]:
        """The sum of the terms, one line per term."""
        (negative, first), *others = self.signed(terms)
        return [f"-({first})" if negative else first, *(f"{'-' if minus else '+'} {text}" for minus, text in others)]

    def sum(self, terms: Iterable[Expr]) -> str:
        """The sum of the terms on one line."""
        return " ".join(self.lines(tuple(terms)))

    def _steps(self, total: Expr) -> list[tuple[str, str]]:
        """The roundings that occur more than once, each with a name; those inside others come first."""
        often: dict[Expr, int] = {}
        for part in preorder_traversal(total):
            if isinstance(part, NAMED):
                often[part] = often.get(part, 0) + 1
        repeated = [atom for atom, times in often.items() if times > 1]
        steps: list[tuple[str, str]] = []
        for atom in sorted(repeated, key=lambda atom: (count_ops(atom), str(atom))):
            text = self.write(atom)
            self.names[atom] = f"n{len(steps) + 1}"
            while self.names[atom] in self.parameters:
                self.names[atom] += "_"
            steps.append((self.names[atom], text))
        return steps

    # -------------------------------------------------------------- names

    def _named(self, symbols: Iterable[Symbol]) -> dict[str, str]:
        """The parameters' names, by their symbols': the same, with _ behind it where the language reserves it."""
        own = {symbol.name for symbol in symbols}
        names: dict[str, str] = {}
        for name in own & self.reserved:
            free = f"{name}_"
            while free in own or free in self.reserved or free in names.values():
                free += "_"
            names[name] = free
        return names

    @property
    def parameters(self) -> list[str]:
        """The function's parameters."""
        return [self.letter(symbol) for symbol in self.formula.symbols]

    @property
    def signature(self) -> str:
        """The function's name and parameters."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def sentences(self) -> list[str]:
        """What the function returns, when, and which parameter has another name than its symbol."""
        formula = self.formula
        where = "; ".join(map(Text(formula).condition, formula.assumptions))
        head = f"{formula.quantity} of {formula.of}{f', where {where}' if where else ''}."
        renamed = (
            f"{self._letters[s.name]} is the symbol {s.name}" for s in formula.symbols if s.name in self._letters
        )
        other = "; ".join(renamed)
        return [head, f"{other}."] if other else [head]

    def letter(self, symbol: Symbol) -> str:
        """The parameter of a symbol."""
        return self._letters.get(str(symbol.name), str(symbol.name))

    # -------------------------------------------------------------- expressions

    def write(self, expression: Expr, place: int = SUM) -> str:
        """As `Writer.write`; what has a name is written by it."""
        return str(self.names.get(expression) or super().write(expression, place).replace("−", "-"))

    def _factors(self, factors: list[Expr]) -> str:
        return " * ".join(self._factor(factor) for factor in factors)

    def power(self, base: Expr, power: Expr) -> str:
        """A power."""
        return f"{self.write(base, POWER)}**{self.write(power, POWER)}"

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A quotient."""
        bottom = self._factors(below)
        return f"{self._factors(above)} / {self.parentheses(bottom) if len(below) > 1 else bottom}"

    def atom(self, atom: Atom) -> str:
        """As the method of its class's name says; else a call of the function that has its rule's name."""
        own = getattr(self, f"_{type(atom).__name__}", None)
        return self.call(self.heads[atom.rule], atom.args) if own is None else str(own(atom))

    def call(self, name: str, parts: Iterable[Expr]) -> str:
        """A call of a function."""
        return f"{name}({', '.join(map(self.write, parts))})"


def identifier(words: str) -> str:
    """Words as the name of a function.

    >>> identifier("macs / params"), identifier("macs/stage1/unit2")
    ('macs_per_params', 'macs_stage1_unit2')
    """
    return re.sub(r"\W+", "_", words.replace(" / ", " per "), flags=re.ASCII)


class Floating(Language):
    """What languages share that have no fractions: before fractions are compared they are rounded."""

    def total(self, terms: tuple[Expr, ...]) -> list[str]:
        """A call that adds up terms whose sum is whole, one line per term, and raises where it cannot."""
        head = "nearest" if divides(Add(*terms)) else "exact"
        lines = [f"-({text})" if negative else text for negative, text in self.signed(terms)]
        if len(lines) == 1:
            return [f"return {head}({lines[0]}){self.end}"]
        return [f"return {head}(", *(f"  {line}," for line in lines), f"){self.end}"]

    def sides(self, condition: Any) -> tuple[str, str]:
        """The two sides; where they are no whole numbers, rounded, and that one divides the other as their quotient."""
        left, right = condition.left, condition.right
        if left.is_integer and right.is_integer:
            return super().sides(condition)
        if condition.whole:
            return f"rounded({self.write(left)})", "1"
        if condition.kind == "divides":
            return f"rounded({self.write(left, PRODUCT)} / {self.write(right, POWER)})", "1"
        return f"rounded({self.write(left)})", f"rounded({self.write(right)})"

    def _Floor(self, atom: Atom) -> str:  # noqa: N802  # SymPy's names
        return f"{self.heads[atom.rule]}(rounded({self.write(atom.args[0])}))"

    _Ceil = _Floor


def divides(expression: Expr) -> bool:
    """Whether a fraction may stand outside of the roundings: a division, or a letter that need not be whole."""
    if isinstance(expression, NAMED):
        return isinstance(expression, TableLookup)
    if expression.is_Pow and expression.exp.is_negative:
        return True
    if not expression.args:
        return not expression.is_integer
    return any(map(divides, expression.args))
