"""A report in LaTeX: tables of booktabs, formulas of amsmath."""

import re
from typing import Any

from archspec.report.page import Cell, Formulas, LetteredSentence, Math, Notes, Report, Share, Table
from archspec.report.typeset import Blocks, aligned, padded
from archspec.writing import latex_text, visible_text


def write(report: Report, **_: Any) -> str:
    """The parts with an empty line between; title and notes of the only table are its caption."""
    needs = [name for name, kind in (("booktabs", Table), ("amsmath", Formulas)) if _has(report, kind)]
    head = "".join(f"% needs \\usepackage{{{name}}}\n" for name in needs)
    if len(report.tables) == 1 and report.tables[0].wide != "records" and not _has(report, Formulas):
        return head + _captioned(report)
    return head + Blocks(
        heading=lambda words: f"\\subsection*{{{latex_text(words)}}}",
        title=lambda words: f"\\section*{{{latex_text(words)}}}",
        notes=lambda sentences: "\n\n".join(map(_sentence, sentences)),
        formulas=lambda formulas: f"\\begin{{align*}}\n{aligned(formulas)}\n\\end{{align*}}",
        table=lambda table: _records(table) if table.wide == "records" else _floated(_table(table), "").rstrip(),
    ).write(report)


def _has(report: Report, kind: type) -> bool:
    return any(isinstance(part, kind) for part in report.parts)


def _captioned(report: Report) -> str:
    notes = [sentence for part in report.parts if isinstance(part, Notes) for sentence in part.sentences]
    words = " ".join(f"{_sentence(sentence)}." for sentence in (report.title, *notes) if sentence)
    return _floated(_table(report.tables[0]), words, report.title)


def _sentence(sentence: str) -> str:
    return sentence.latex if isinstance(sentence, LetteredSentence) else latex_text(sentence)


def _floated(tabular: str, caption: str, title: str = "") -> str:
    """A table with its caption; what it is of, short, goes into the list of tables, and its name into the label."""
    short = f"[{{{latex_text(title)}}}]" if title else ""
    label = re.sub(r"[^A-Za-z0-9]+", "-", title.partition(":")[0]).strip("-").lower()
    above = f"\\caption{short}{{{caption}}}\n" if caption else ""
    above += f"\\label{{tab:{label}}}\n" if label else ""
    return f"\\begin{{table}}\n\\centering\n{above}{tabular}\n\\end{{table}}\n"


def _records(table: Table) -> str:
    """A table of many columns as a list: each row's first cell, and what else it has."""
    items = []
    for first, *others in table.rows:
        columns = zip(table.columns[1:], others, strict=True)
        words = (f"{latex_text(column.heading)}: {_cell(cell, _plain(cell))}" for column, cell in columns if cell.text)
        items.append("\\item[" + latex_text(first.text) + "] " + r" \\ ".join(words))
    return "\n".join((r"\begin{description}", *items, r"\end{description}"))


def _table(table: Table) -> str:
    """The tabular; what would go first where a page is narrow is left out."""
    columns = [column for column in table.set.columns if not column.drop]
    texts = [[_plain(column.cells[row]) for column in columns] for row in range(len(table.rows))]
    headings = [visible_text(column.heading) for column in columns]
    right = [column.right or any(isinstance(cell, Share) for cell in column.cells) for column in columns]
    (head, *body), _ = padded(headings, texts, right)
    heads = [f" {' & '.join(map(latex_text, head))} \\\\", r"\midrule"] if table.headed else []
    rows = []
    for number, cells in enumerate(body):
        if table.role(number) == "total" and number:
            rows.append(r"\midrule")
        math = [column.cells[number] for column in columns]
        indent = r"\quad " if table.role(number) == "part" else ""
        rows.append(f" {indent}{' & '.join(map(_cell, math, cells))} \\\\")
    return "\n".join(
        (
            f"\\begin{{tabular}}{{{''.join('r' if keeps else 'l' for keeps in right)}}}",
            r"\toprule",
            *heads,
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        )
    )


def _plain(cell: Cell) -> str:
    return f"${cell.latex}$" if isinstance(cell, Math) else visible_text(cell.text)


def _cell(cell: Cell, text: str) -> str:
    return text if isinstance(cell, Math) else latex_text(text)
