"""The list of the zoo."""

from collections.abc import Sequence
from typing import Any

from archspec.cost import CostTable
from archspec.language.document import Document
from archspec.report.numbers import cite
from archspec.report.page import Column, Name, Number, Report, Section, Table


def zoo(entries: Sequence[tuple[Document, CostTable]]) -> Report:
    """The specifications with their papers, and their costs at the defaults."""
    documents = [document for document, _ in entries]
    tables = [table for _, table in entries]
    columns = [
        Column("name", [Name(document.name) for document in documents]),
        Column("params", [Number(table.params) for table in tables]),
        Column("MACs", [Number(table.macs) for table in tables], "macs"),
        Column("symbols", [Name(", ".join(document.symbols)) for document in documents]),
        Column("paper", [Name(cite(document)) for document in documents], least=24),
    ]
    return Report((Section((Table(columns),)),), data=lambda: [_data(*entry) for entry in entries])


def _data(document: Document, table: CostTable) -> dict[str, Any]:
    source = document.source
    return {
        "name": document.name,
        "title": source.title if source else None,
        "year": source.year if source else None,
        "arxiv": source.arxiv if source else None,
        "symbols": list(document.symbols),
        "params": table.params,
        "macs": table.macs,
    }
