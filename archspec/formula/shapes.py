"""How shapes are written, and how letters are written as the numbers that they stand for."""

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import Expr, Mul, Symbol

from archspec.formula.closed_form import Formula
from archspec.formula.writers import PRODUCT, Latex, Text, Writer


class _InLetters(Writer):
    """Sums by their letters, not by degree: h + 2p − d·(k − 1); parameters by degree: weights, then biases."""

    def __init__(self, formula: Formula) -> None:
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

    def __init__(self, formula: Formula, numbers: Mapping[str, Any]) -> None:
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


def shape(sizes: Iterable[Formula], writer: type[Writer] = ShapeText, *args: Any) -> str:
    """The sizes of a tensor, batch first.

    >>> from archspec.formula.operators import operator_forms
    >>> form = next(form for form in operator_forms() if form.operator == "conv2d")
    >>> print(shape(form.output))
    n × c_out × ⌈(h + 2p − d·(k − 1))/s⌉ × ⌈(w + 2p − d·(k − 1))/s⌉
    """
    sign = r" \times " if issubclass(writer, Latex) else " × "
    return sign.join(writer(size, *args).write(size.exact, PRODUCT) for size in sizes) or "1"
