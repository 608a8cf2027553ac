"""What a network costs: parameters, operations, activations and bytes, under a named convention."""

from archspec.cost.conventions import CONVENTIONS, DEFAULT, Convention, Term, convention
from archspec.cost.dialects import DIALECTS, Dialect, dialect
from archspec.cost.difference import Part, counting, difference, total
from archspec.cost.table import GROUPINGS, CostTable, Row, count, summed

__all__ = [
    "CONVENTIONS",
    "DEFAULT",
    "DIALECTS",
    "GROUPINGS",
    "Convention",
    "CostTable",
    "Dialect",
    "Part",
    "Row",
    "Term",
    "convention",
    "count",
    "counting",
    "dialect",
    "difference",
    "summed",
    "total",
]
