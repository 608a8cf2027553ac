"""What a network costs: parameters, operations, activations and bytes, under a named convention."""

from archspec.cost.conventions import CONVENTIONS, DEFAULT, Convention, Term, convention
from archspec.cost.counting import ASKED, USUAL, CountedNode, Counting, bytes_of, requested
from archspec.cost.dialects import DIALECTS, Dialect, dialect
from archspec.cost.quantities import QUANTITIES, Largest, Peak, Quantity, Ratio, Sum, quantity
from archspec.cost.table import GROUPINGS, CostRow, CostTable, count, summed

__all__ = [
    "ASKED",
    "CONVENTIONS",
    "DEFAULT",
    "DIALECTS",
    "GROUPINGS",
    "QUANTITIES",
    "USUAL",
    "Convention",
    "CostRow",
    "CostTable",
    "CountedNode",
    "Counting",
    "Dialect",
    "Largest",
    "Peak",
    "Quantity",
    "Ratio",
    "Sum",
    "Term",
    "bytes_of",
    "convention",
    "count",
    "dialect",
    "quantity",
    "requested",
    "summed",
]
