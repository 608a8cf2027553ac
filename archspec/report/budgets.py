"""Budgets as one reads them."""

from fractions import Fraction
from typing import Any

from archspec.report import numbers
from archspec.report.page import raw
from archspec.sweeps.budget import Budget

LITTLE, LEAST = Fraction(1, 2000), "0.1 %"
"""What rounds to no tenth of a percent, and what it is written as less than."""


def limits(budget: Budget) -> str:
    """A budget as an inequality.

    >>> limits(Budget("macs", most=300_000_000))
    'macs ≤ 300,000,000'
    """
    least = f"{numbers.number(budget.least)} ≤ " if budget.least is not None else ""
    most = f" ≤ {numbers.number(budget.most)}" if budget.most is not None else ""
    return f"{least}{budget.quantity}{most}"


def off(budget: Budget, value: Any) -> str:
    """How far a value is outside a budget."""
    return f"{numbers.number(budget.excess(value))} ({percent(budget.miss(value))})"


def side(budget: Budget, value: Any) -> str:
    """On which side of a budget a value is that is outside."""
    return "over" if budget.most is not None and value > budget.most else "short"


def left(budget: Budget | None, value: Any, smallest: bool = False) -> str:
    """How far a figure is from the bound that it could reach: the most, or the least for the smallest network."""
    bound = None if budget is None else budget.least if smallest else budget.most
    if bound is None:
        return ""
    return f"{numbers.number(abs(bound - value))} ({percent(Fraction(abs(bound - value)) / (bound or 1))})"


def bounds(budget: Budget) -> dict[str, Any]:
    """A budget as JSON has it."""
    return {"quantity": budget.quantity, "least": raw(budget.least), "most": raw(budget.most)}


def percent(part: Fraction) -> str:
    """A part in percent; what is little is not written as nothing."""
    return numbers.share(part.numerator, part.denominator) if not part or part >= LITTLE else f"< {LEAST}"
