"""What papers print, held against what their architectures give."""

from archspec.published.figures import Figure, Paper, load, papers
from archspec.published.reconcile import Counted, Reconciliation, reconcile
from archspec.published.reproduce import Finding, Findings, reproduce
from archspec.published.verdict import UNITS, Printed, ReportedNumber, Verdict, judge

__all__ = [
    "UNITS",
    "Counted",
    "Figure",
    "Finding",
    "Findings",
    "Paper",
    "Printed",
    "Reconciliation",
    "ReportedNumber",
    "Verdict",
    "judge",
    "load",
    "papers",
    "reconcile",
    "reproduce",
]
