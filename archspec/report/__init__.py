"""Reports: what is said of a result, as a value of typed cells that any format writes."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

REPORTS: Mapping[str, str] = {
    "Agreement": "verify:agreement",
    "Architecture": "show:architecture",
    "CostTable": "cost:cost",
    "Crossover": "sensitivity:crossover",
    "Explanation": "explain:explain",
    "Findings": "reproduce:findings",
    "Formula": "formula:formula",
    "Matching": "weights:weights",
    "Measurement": "measure:measurement",
    "Memory": "memory:memory",
    "Network": "show:show",
    "Packed": "compress:packed",
    "Prediction": "compress:prediction",
    "Reconciliation": "reproduce:reconcile",
    "Result": "train:train",
    "Search": "sweep:search",
    "Sensitivity": "sensitivity:sensitivity",
    "SingleBlock": "show:architecture",
    "Solution": "solve:solve",
    "Sweep": "sweep:sweep",
    "Verified": "compress:verified",
}
"""Who reports on a result of a class, by the class's name."""


def report_on(result: Any) -> Any:
    """The report on a result.

    >>> import archspec
    >>> print(report_on(archspec.load("lenet_5").count()).title)
    lenet_5: Gradient-Based Learning Applied to Document Recognition (1998), doi:10.1109/5.726791
    """
    home, _, name = REPORTS[type(result).__name__].partition(":")
    return getattr(import_module(f"{__name__}.{home}"), name)(result)


def shown(result: Any, format_name: str) -> str:
    """A result as text, or as HTML that stands inside another page."""
    from archspec.report.formats import html, written

    report = report_on(result)
    return html.embedded(report) if format_name == "html" else written(report, format_name)
