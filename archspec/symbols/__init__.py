"""Roundings on SymPy expressions, as atoms that keep their meaning; reached through `dims`, which loads this late.

An atom prints as the mathematics does (⌈(side + 1)/2⌉, ⌊32α⌋) and computes as soon as its arguments are numbers, so
substitution gives the integer. Two laws keep atoms few:

* ⌊a/b⌋ = ⌈(a − b + 1)/b⌉ for integers: one kind of atom for every spatial size;
* ⌈(⌈u/s⌉ + b)/t⌉ = ⌈(u + b·s)/(s·t)⌉ for integers b and s, t ≥ 1: a chain of layers is one ceiling, however long.
"""

from archspec.symbols.atoms import (
    Atom,
    Ceil,
    CeilDiv,
    Extreme,
    Floor,
    Log2,
    Lookup,
    MakeDivisible,
    Maximum,
    Minimum,
    Rounding,
    from_sympy,
    lookup,
    symbol,
    to_sympy,
)
from archspec.symbols.decisions import at_least_one, equal, less, reduced
from archspec.symbols.extremes import alternatives, at_least, maximum, minimum
from archspec.symbols.rules import (
    ceil,
    ceil_div,
    divide,
    exact_div,
    floor,
    floor_div,
    log2,
    make_divisible,
    power,
    sqrt,
)
from archspec.symbols.values import cleared, factored, quotient, replaced, value

__all__ = [
    "Atom",
    "Ceil",
    "CeilDiv",
    "Extreme",
    "Floor",
    "Log2",
    "Lookup",
    "MakeDivisible",
    "Maximum",
    "Minimum",
    "Rounding",
    "alternatives",
    "at_least",
    "at_least_one",
    "ceil",
    "ceil_div",
    "cleared",
    "divide",
    "equal",
    "exact_div",
    "factored",
    "floor",
    "floor_div",
    "from_sympy",
    "less",
    "log2",
    "lookup",
    "make_divisible",
    "maximum",
    "minimum",
    "power",
    "quotient",
    "reduced",
    "replaced",
    "sqrt",
    "symbol",
    "to_sympy",
    "value",
]
