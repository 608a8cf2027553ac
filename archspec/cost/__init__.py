"""What a network costs: parameters, operations, activations and bytes, under a named convention."""

from archspec.cost.conventions import CONVENTIONS, DEFAULT, Convention, convention
from archspec.cost.table import GROUPINGS, CostTable, Row, count

__all__ = ["CONVENTIONS", "DEFAULT", "GROUPINGS", "Convention", "CostTable", "Row", "convention", "count"]
