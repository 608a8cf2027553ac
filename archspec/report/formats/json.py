"""A report as JSON: its data, or its tables where it has none; one row per line."""

from typing import Any

from archspec.report.page import Report
from archspec.writing import json_text


def write(report: Report, **_: Any) -> str:
    """The data, in the one style of JSON."""
    if report.data is None:
        return json_text({"title": report.title, "tables": [table.records() for table in report.tables]}) + "\n"
    return json_text(report.data()) + "\n"
