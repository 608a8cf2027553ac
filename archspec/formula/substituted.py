"""Expressions put for the symbols of a formula, read by the grammar of specifications."""

from collections.abc import Mapping
from typing import Any

from sympy import Symbol

from archspec.dims import is_number
from archspec.errors import ArchspecError, BindingError, UnknownNameError, did_you_mean
from archspec.formula.closed_form import Formula
from archspec.language.expression import Expression, Scope
from archspec.language.rules import FLOWING
from archspec.symbols import symbol
from archspec.writing import GREEK


def substituted(formula: Formula, text: str) -> Formula:
    """The formula with expressions for some symbols; names that it does not have become new symbols.

    A new symbol is a whole number, or if its name is that of a Greek letter, a multiplier. A name that resembles one of
    the formula's is refused.

    Args:
        formula: The formula.
        text: NAME=EXPRESSION, several apart by commas or semicolons; the names are symbols, or their letters.

    Raises:
        UnknownNameError: The formula has no symbol of that name, or a new one has nearly the name of another.
        BindingError: A number that the symbol cannot have, or a symbol that stands twice.
        SpecError: An expression cannot be read.

    >>> import archspec
    >>> separable = archspec.load("separable").formula("macs", letters="paper")
    >>> print(substituted(separable, "M=alpha*M, N=alpha*N, D_F=rho*D_F"))
    D_K²·M·D_F²·α·ρ² + M·N·D_F²·α²·ρ²
    """
    own = {formula.letters.get(each.name, each.name): each for each in formula.symbols}
    own |= {each.name: each for each in formula.symbols}
    own |= {other: own[name] for other, name in formula.aliases.items() if name in own and other not in own}
    put: dict[str, Any] = {}
    for part in _parts(text):
        name, sign, written = (piece.strip() for piece in part.partition("="))
        if not (sign and name and written):
            raise ArchspecError(f"expected NAME=EXPRESSION, such as M=alpha*M (got '{part}')")
        if name not in own:
            hint = did_you_mean(name, own) or f"; it has {', '.join(each.name for each in formula.symbols)}"
            raise UnknownNameError(f"the formula of {formula.of} has no symbol '{name}'{hint}")
        if own[name].name in put:
            raise BindingError(f"--where {name} is given twice")
        put[own[name].name] = _read(written, own, own[name], formula.of)
    return formula.where(put)


def new_letters(before: Formula, after: Formula) -> list[str]:
    """The symbols that a formula has and did not have before."""
    return [each.name for each in after.symbols if each not in before.symbols]


def _read(written: str, own: Mapping[str, Symbol], of: Symbol, subject: str) -> Any:
    """The expression for a symbol.

    Raises:
        SpecError: It cannot be read.
        UnknownNameError: A name in it is not the formula's, and can be no new one.
        BindingError: It is a number that the symbol cannot have.
    """
    expression = Expression(written)
    for name in expression.names:
        hint = did_you_mean(name, own) if name not in FLOWING else "; it is no letter of this formula"
        if name not in own and hint:
            raise UnknownNameError(f"the formula of {subject} has no symbol '{name}'{hint}")
    scope = {each: own[each] if each in own else symbol(each, integer=each not in GREEK) for each in expression.names}
    found = expression.evaluate(Scope(scope))
    if is_number(found) and ((of.is_integer and type(found) is not int) or (of.is_positive and found <= 0)):
        kind = "whole number" if of.is_integer else "number"
        raise BindingError(f"{of.name} must be a {kind} above 0 (got {found})")
    return found


def _parts(text: str) -> list[str]:
    """The pieces between commas and semicolons that stand in no parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign in ",;" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]
