"""Tables and texts for people, and the same figures for machines."""

from archspec.report.compare import FORMATS as COMPARE_FORMATS
from archspec.report.compare import compare
from archspec.report.cost import FORMATS, MACHINE_FORMATS, cost
from archspec.report.reconcile import explain_difference, reconcile
from archspec.report.reproduce import FORMATS as REPRODUCE_FORMATS
from archspec.report.reproduce import reproduce
from archspec.report.show import show
from archspec.report.zoo import zoo

__all__ = [
    "COMPARE_FORMATS",
    "FORMATS",
    "MACHINE_FORMATS",
    "REPRODUCE_FORMATS",
    "compare",
    "cost",
    "explain_difference",
    "reconcile",
    "reproduce",
    "show",
    "zoo",
]
