"""Roundings on SymPy expressions, as atoms that keep their meaning; reached through `dims`, which loads this late.

An atom prints as the mathematics does (⌈(side + 1)/2⌉, ⌊32α⌋) and computes as soon as its arguments are numbers, so
substitution gives the integer. Two laws keep atoms few:

* ⌊a/b⌋ = ⌈(a − b + 1)/b⌉ for integers: one kind of atom for every spatial size;
* ⌈(⌈u/s⌉ + b)/t⌉ = ⌈(u + b·s)/(s·t)⌉ for integers b and s, t ≥ 1: a chain of layers is one ceiling, however long.
"""

import sys

from archspec import dims
from archspec.symbols.atoms import (
    Atom,
    Ceil,
    CeilDiv,
    Extreme,
    Floor,
    Log2,
    MakeDivisible,
    Maximum,
    Minimum,
    Rounding,
    TableLookup,
    from_sympy,
    lookup,
    symbol,
    to_sympy,
    value,
)
from archspec.symbols.conditions import (
    RELATIONS,
    SIGNS,
    Condition,
    agree,
    at_least_one,
    equal,
    is_whole,
    known_whole,
    less,
    parts,
    reaches,
    reduced,
    settled,
)
from archspec.symbols.rules import (
    alternatives,
    at_least,
    ceil,
    ceil_div,
    cleared,
    divide,
    exact_div,
    floor,
    floor_div,
    floor_log2,
    floor_sqrt,
    log2,
    make_divisible,
    maximum,
    minimum,
    power,
    quotient,
    replaced,
    sqrt,
)

__all__ = [
    "RELATIONS",
    "SIGNS",
    "Atom",
    "Ceil",
    "CeilDiv",
    "Condition",
    "Extreme",
    "Floor",
    "Log2",
    "MakeDivisible",
    "Maximum",
    "Minimum",
    "Rounding",
    "TableLookup",
    "agree",
    "alternatives",
    "at_least",
    "at_least_one",
    "ceil",
    "ceil_div",
    "cleared",
    "divide",
    "equal",
    "exact_div",
    "floor",
    "floor_div",
    "floor_log2",
    "floor_sqrt",
    "from_sympy",
    "is_whole",
    "known_whole",
    "less",
    "log2",
    "lookup",
    "make_divisible",
    "maximum",
    "minimum",
    "parts",
    "power",
    "quotient",
    "reaches",
    "reduced",
    "replaced",
    "settled",
    "sqrt",
    "symbol",
    "to_sympy",
    "value",
]

dims.serve(sys.modules[__name__])
