"""What a network costs: parameters, operations, activations and bytes, under a named convention."""

from archspec.cost.conventions import CONVENTIONS, DEFAULT, Convention, convention
from archspec.cost.table import CostTable, Row, count

__all__ = ["CONVENTIONS", "DEFAULT", "Convention", "CostTable", "Row", "convention", "count"]
