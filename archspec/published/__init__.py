"""What papers print, held against what their architectures give."""

from archspec.published.figures import Figure, Paper, load, papers
from archspec.published.reproduce import Finding, reproduce
from archspec.published.verdict import Printed, Verdict, judge

__all__ = ["Figure", "Finding", "Paper", "Printed", "Verdict", "judge", "load", "papers", "reproduce"]
