"""The list of the zoo."""

import json
from collections.abc import Sequence

from archspec.cost import CostTable
from archspec.language.document import Document
from archspec.report import text
from archspec.report.text import Column


def zoo(
    entries: Sequence[tuple[Document, CostTable]], form: str = "text", *, width: int = 100, colour: bool = False
) -> str:
    """The specifications with their papers, and their costs at the defaults, as text, markdown or json."""
    if form == "json":
        return json.dumps([_plain_data(*entry) for entry in entries], ensure_ascii=False, indent=1) + "\n"
    documents = [document for document, _ in entries]
    tables = [table for _, table in entries]
    columns = [
        Column("name", [document.name for document in documents], "left"),
        Column("params", [text.number(table.params) for table in tables]),
        Column("MACs", [text.number(table.macs) for table in tables]),
        Column("symbols", [", ".join(document.symbols) for document in documents], "left"),
    ]
    papers = [text.cite(document) for document in documents]
    if form == "markdown":
        return text.markdown([*columns, Column("paper", papers, "left")]) + "\n"
    room = max(width - sum(column.width + 2 for column in columns), 24)
    columns.append(Column("paper", [text.shorten(paper, room) for paper in papers], "left"))
    header, rule, *rows = text.plain(columns)
    bold = f"\x1b[1m{header.rstrip()}\x1b[0m" if colour else header.rstrip()
    return "\n".join((bold, rule, *(row.rstrip() for row in rows))) + "\n"


def _plain_data(document: Document, table: CostTable) -> dict[str, object]:
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
