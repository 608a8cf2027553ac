"""Tables and texts for people, and the same figures for machines."""

from archspec.report.cost import FORMATS, MACHINE_FORMATS, cost
from archspec.report.show import show
from archspec.report.zoo import zoo

__all__ = ["FORMATS", "MACHINE_FORMATS", "cost", "show", "zoo"]
