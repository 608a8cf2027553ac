"""Expressions as text and as LaTeX: the products and powers that formulas are made of, and nothing else."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sympy import Expr, Integer, Mul, Pow, Rational, Symbol

from archspec.errors import ArchspecError
from archspec.language.alphabet import latex_letter
from archspec.symbols import SIGNS, Atom, Condition, Log2
from archspec.writing import GREEK

if TYPE_CHECKING:
    from archspec.formula.closed_form import Formula

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

SUM, PRODUCT, POWER = range(3)
"""How tightly a text holds together; a part that holds less tightly than its place needs parentheses."""


class Writer(ABC):
    """Writes expressions; a subclass says how products, quotients, powers and roundings look.

    Args:
        formula: Gives the letters, and their order.
    """

    minus, plus = " − ", " + "

    def __init__(self, formula: "Formula | None" = None) -> None:
        self.order = {symbol: number for number, symbol in enumerate(formula.symbols)} if formula else {}
        self.letters: Mapping[str, str] = formula.letters if formula else {}

    def sum(self, terms: Iterable[Expr]) -> str:
        """Terms with their signs, in the order in which they are given."""
        parts = [part for term in terms for part in self.parts(term)]
        if not parts:
            return "0"
        first, *others = parts
        joined = "".join(f"{self.minus if negative else self.plus}{text}" for negative, text in others)
        return f"{'−' if first[0] and self.minus == ' − ' else '-' if first[0] else ''}{first[1]}{joined}"

    def parts(self, term: Expr) -> list[tuple[bool, str]]:
        """A term as whether it is negative and its text; a sum as several."""
        return [self._signed(summand) for summand in (self._summands(term) if term.is_Add else [term])]

    def _summands(self, total: Expr) -> list[Expr]:
        """The terms of a sum by falling degree; one that is not negative stands first, if there is any."""
        ordered = sorted(total.args, key=self._degree)
        first = next((term for term in ordered if not term.as_coeff_Mul()[0].is_negative), ordered[0])
        return [first, *(term for term in ordered if term is not first)]

    def _signed(self, term: Expr) -> tuple[bool, str]:
        coefficient, _ = term.as_coeff_Mul()
        negative = bool(coefficient.is_negative)
        return negative, self.write(-term if negative else term, PRODUCT if negative else SUM)

    def write(self, expression: Expr, place: int = SUM) -> str:
        """An expression, in parentheses if its place needs them.

        Raises:
            ArchspecError: It has a part that no formula has.
        """
        if expression.is_Add:
            return self._held(self.sum([expression]), SUM, place)
        if expression.is_Mul or expression.is_Pow or (expression.is_Rational and not expression.is_Integer):
            text, holds = self._product(expression)
            return self._held(text, holds, place)
        if expression.is_Integer:
            return self._held(str(expression).replace("-", "−"), SUM if expression < 0 else POWER, place)
        if expression.is_Symbol:
            return self.letter(expression)
        if not isinstance(expression, Atom):
            raise ArchspecError(f"a formula with {type(expression).__name__} cannot be written")
        return self.atom(expression)

    @abstractmethod
    def atom(self, atom: Atom) -> str:
        """A rounding, or another atom of `symbols`."""

    def _print(self, expression: Expr) -> str:
        """How atoms, which SymPy's printers can print too, ask for their arguments."""
        return self.write(expression)

    def _held(self, text: str, holds: int, place: int) -> str:
        return text if holds >= place else self.parentheses(text)

    def parentheses(self, text: str) -> str:
        """A text in parentheses."""
        return f"({text})"

    def _degree(self, term: Expr) -> tuple[Any, ...]:
        """Where a term stands in a sum: by falling degree, then by its letters."""
        _, rest = term.as_coeff_Mul()
        powers = [factor.as_base_exp()[1] for factor in Mul.make_args(rest) if factor.free_symbols]
        degree = sum(int(power) for power in powers if power.is_Integer)
        return (-degree, [self._place(factor) for factor in self._sorted(Mul.make_args(rest))], natural(rest))

    def _sorted(self, factors: Iterable[Expr]) -> list[Expr]:
        return sorted(factors, key=self._place)

    def _place(self, factor: Expr) -> tuple[Any, ...]:
        """Where a factor stands in a product: numbers, letters in their order, then sums."""
        base, _ = factor.as_base_exp()
        free = sorted(self.order.get(symbol, len(self.order)) for symbol in base.free_symbols)
        return (not base.is_number, base.is_Add, isinstance(base, Log2), free, natural(base))

    def _split(self, product: Expr) -> tuple[list[Expr], list[Expr]]:
        """The factors above and below the line, numbers first."""
        coefficient, rest = product.as_coeff_Mul()
        above: list[Expr] = []
        below: list[Expr] = []
        for factor in self._sorted(Mul.make_args(rest)):
            base, power = factor.as_base_exp()
            if power.is_Rational and power < 0:
                below.append(Pow(base, -power))
            elif factor != 1:
                above.append(factor)
        if coefficient.p != 1 or not above:
            above.insert(0, Integer(coefficient.p))
        if coefficient.q != 1:
            below.insert(0, Integer(coefficient.q))
        return above, below

    def _product(self, product: Expr) -> tuple[str, int]:
        above, below = self._split(product)
        if not below:
            return self._factors(above), PRODUCT if len(above) > 1 else POWER
        return self.quotient(above, below), PRODUCT

    @abstractmethod
    def _factors(self, factors: list[Expr]) -> str:
        """A product of factors."""

    @abstractmethod
    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A quotient of two products."""

    @abstractmethod
    def letter(self, symbol: Symbol) -> str:
        """How a symbol is written."""

    def _factor(self, factor: Expr) -> str:
        base, power = factor.as_base_exp()
        if power == 1 or factor.is_Rational:
            return self.write(factor, PRODUCT)
        return self.power(base, power)

    @abstractmethod
    def power(self, base: Expr, power: Expr) -> str:
        """A power."""


@lru_cache(maxsize=4096)
def natural(expression: Expr) -> str:
    """What expressions are sorted by: their text, with 64 before 128."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(12), str(expression))


class Text(Writer):
    """Formulas as one writes them in a mail: h·w·(2cm/g + 9m), ⌈(side − 62)/32⌉², ⌊32α⌋."""

    def letter(self, symbol: Symbol) -> str:
        """A Greek letter by its name, a letter that is declared in plain text, else the name."""
        name: str = symbol.name
        declared = self.letters.get(name, name)
        plain = declared if "\\" not in declared and "{" not in declared else name
        return GREEK.get(plain, plain)

    def condition(self, condition: Condition) -> str:
        """A condition as one says it: 32α is whole, side is a multiple of 32, g ≠ 1."""
        left, right = self.write(condition.left), self.write(condition.right)
        return f"{left} is whole" if condition.whole else f"{left} {SIGNS[condition.kind]} {right}"

    def _factors(self, factors: list[Expr]) -> str:
        texts = [self._factor(factor) for factor in factors]
        if len(texts) == 1:
            return texts[0]
        close = all(_short(text) for text in texts[1:]) and (_short(texts[0]) or texts[0].isdigit())
        return ("" if close else "·").join(texts)

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """above/below."""
        bottom = self._factors(below)
        return f"{self._factors(above)}/{bottom if len(below) == 1 else self.parentheses(bottom)}"

    def power(self, base: Expr, power: Expr) -> str:
        """Superscripts, and √."""
        if power == Rational(1, 2):
            return f"√{self.write(base, POWER)}"
        if power.is_Integer:
            return f"{self.write(base, POWER)}{str(power).translate(SUPERSCRIPTS)}"
        above = self.write(power)
        return f"{self.write(base, POWER)}^{above if power.is_Symbol else self.parentheses(above)}"

    def atom(self, atom: Atom) -> str:
        """As the atom prints itself."""
        return atom._sympystr(self)


def _short(text: str) -> bool:
    """Whether a factor is one letter, perhaps with a power: such are written side by side."""
    return text[:1].isalpha() and not text[1:].strip("⁰¹²³⁴⁵⁶⁷⁸⁹")


class Latex(Writer):
    """Formulas for LaTeX's math mode; needs amsmath."""

    minus = " - "

    def letter(self, symbol: Symbol) -> str:
        """The declared LaTeX, a Greek letter, a letter with its subscript, or the name upright."""
        return latex_letter(symbol.name, self.letters.get(symbol.name))

    def write(self, expression: Expr, place: int = SUM) -> str:
        """As `Writer.write`, with minus signs that TeX knows."""
        return super().write(expression, place).replace("−", "-")

    def parentheses(self, text: str) -> str:
        """Parentheses that grow."""
        return rf"\left({text}\right)"

    def _factors(self, factors: list[Expr]) -> str:
        texts = [self._factor(factor) for factor in factors]
        joined = texts[0]
        for before, text in zip(factors, texts[1:], strict=False):
            joined += (r" \cdot " if before.is_number and text[:1].isdigit() else r" \, ") + text
        return joined

    def quotient(self, above: list[Expr], below: list[Expr]) -> str:
        """A fraction."""
        top, bottom = (self.write(part[0]) if len(part) == 1 else self._factors(part) for part in (above, below))
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: Expr, power: Expr) -> str:
        """A power, or a root."""
        if power == Rational(1, 2):
            return rf"\sqrt{{{self.write(base)}}}"
        inner = self.write(base, POWER)
        return f"{{{inner}}}^{{{self.write(power)}}}"

    def atom(self, atom: Atom) -> str:
        """As the atom prints itself."""
        return atom._latex(self)


# ------------------------------------------------------------------ shapes, and letters as the numbers they stand for


class _InLetters(Writer):
    """Sums by their letters, not by degree: h + 2p − d·(k − 1); parameters by degree: weights, then biases."""

    def __init__(self, formula: "Formula") -> None:
        super().__init__(formula)
        self.by_degree = formula.quantity == "params"

    def _degree(self, term: Expr) -> tuple[Any, ...]:
        if self.by_degree:
            return super()._degree(term)
        _, rest = term.as_coeff_Mul()
        return (not rest.free_symbols, [self._place(factor) for factor in self._sorted(Mul.make_args(rest))])


class ShapeText(_InLetters, Text):
    """Shapes as text."""


class ShapeLatex(_InLetters, Latex):
    """Shapes as LaTeX."""


class _InNumbers(_InLetters):
    """Letters as numbers.

    Args:
        formula: Gives the letters, and their order.
        numbers: What each stands for.
    """

    def __init__(self, formula: "Formula", numbers: Mapping[str, Any]) -> None:
        super().__init__(formula)
        self.numbers = numbers

    def letter(self, symbol: Symbol) -> str:
        """The number."""
        return str(self.numbers[symbol.name])


class NumberText(_InNumbers, Text):
    """A formula with its numbers, as text."""


class NumberLatex(_InNumbers, Latex):
    """A formula with its numbers, as LaTeX."""

    def _factors(self, factors: list[Expr]) -> str:
        return r" \cdot ".join(self._factor(factor) for factor in factors)


def shape(sizes: "Iterable[Formula]", writer: type[Writer] = ShapeText, *args: Any) -> str:
    """The sizes of a tensor, batch first.

    >>> from archspec.formula.operators import operator_forms
    >>> form = next(form for form in operator_forms() if form.operator == "conv2d")
    >>> print(shape(form.output))
    n × c_out × ⌈(h + 2p − d·(k − 1))/s⌉ × ⌈(w + 2p − d·(k − 1))/s⌉
    """
    sign = r" \times " if issubclass(writer, Latex) else " × "
    return sign.join(writer(size, *args).write(size.exact, PRODUCT) for size in sizes) or "1"
