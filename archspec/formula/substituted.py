"""Expressions put for the symbols of a formula, read by the grammar of specifications."""

from archspec.errors import ArchspecError, UnknownNameError, did_you_mean
from archspec.formula.closed_form import Formula
from archspec.spec.expression import Expression, Scope
from archspec.symbols import symbol


def substituted(formula: Formula, text: str) -> Formula:
    """The formula with expressions for some symbols; names that it does not have become new symbols.

    Args:
        formula: The formula.
        text: NAME=EXPRESSION, several apart by commas or semicolons; the names are symbols, or their letters.

    Raises:
        UnknownNameError: The formula has no symbol of that name.
        SpecError: An expression cannot be read.

    >>> import archspec
    >>> separable = archspec.load("separable").formula("macs", letters="paper")
    >>> print(substituted(separable, "M=alpha*M, N=alpha*N, D_F=rho*D_F"))
    D_K²·M·D_F²·α·ρ² + M·N·D_F²·α²·ρ²
    """
    own = {formula.letters.get(each.name, each.name): each for each in formula.symbols}
    own |= {each.name: each for each in formula.symbols}
    put = {}
    for part in _parts(text):
        name, sign, written = (piece.strip() for piece in part.partition("="))
        if not (sign and name and written):
            raise ArchspecError(f"expected NAME=EXPRESSION, such as M=alpha*M (got '{part}')")
        if name not in own:
            hint = did_you_mean(name, own) or f"; it has {', '.join(own)}"
            raise UnknownNameError(f"the formula of {formula.of} has no symbol '{name}'{hint}")
        expression = Expression(written)
        scope = Scope({each: own[each] if each in own else symbol(each, integer=False) for each in expression.names})
        put[own[name].name] = expression.evaluate(scope)
    return formula.where(**put)


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
