"""What papers print, held against what their architectures give."""

from archspec.published.figures import Figure, Paper, load, papers
from archspec.published.reproduce import Finding, reproduce
from archspec.published.verdict import UNITS, Printed, Verdict, judge

__all__ = ["UNITS", "Figure", "Finding", "Paper", "Printed", "Verdict", "judge", "load", "papers", "reproduce"]
