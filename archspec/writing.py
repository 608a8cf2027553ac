"""Text for each language that is written: the only place that quotes.

A text of a specification, of a file or of the command line never stands in a page or a program as it is: each language
has one function here that writes it, so that it parses as that text and as nothing else. A format whose language nobody
else writes keeps its own beside it, in `report/formats`.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

WIDTH = 120
"""The columns of a line of generated Python."""

# ------------------------------------------------------------------ what can be seen


def first_unseen(text: str, but: str = "") -> str | None:
    r"""The first character that cannot be seen, or that changes what is seen; None if there is none.

    Control characters, escapes, line ends, marks that turn the direction of writing, halves of surrogates.

    >>> first_unseen("naïve 網"), first_unseen("a" + chr(10) + "b", but=chr(10))
    (None, None)
    >>> first_unseen("a" + chr(0x202E) + "b") == chr(0x202E)
    True
    """
    return next((c for c in text if not c.isprintable() and c not in but), None)


def visible_text(text: str, but: str = "") -> str:
    """The text with a replacement character for each that cannot be seen."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in but else "\ufffd" for c in text)


def one_line(text: object) -> str:
    r"""A text on one line of a terminal, its blanks as they are.

    >>> one_line("two\n  lines"), one_line("\x1b[31mred")
    ('two   lines', '�[31mred')
    """
    return visible_text(str(text).replace("\n", " "))


def printable(text: object, width: int | None = 200) -> str:
    r"""A text on one line, its blanks joined, without control characters, cut to `width` characters if there is one.

    >>> printable("two\n  lines"), printable("123456", 5), printable("\x1b[31mred")
    ('two lines', '1234…', '�[31mred')
    """
    whole = str(text)
    line = visible_text(" ".join((whole if width is None else whole[: 2 * width]).split()))
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def sizes(shape: Iterable[object], none: str = "scalar") -> str:
    """The sizes of an array as messages and tables write them.

    >>> sizes((32, 3, 3, 3)), sizes(())
    ('32×3×3×3', 'scalar')
    """
    return "×".join(map(str, shape)) or none


def terminal(text: object) -> str:
    r"""A text of several lines for a terminal: what it would obey is replaced, line ends stay.

    >>> terminal("a fault:\n    \x1b]0;renamed\x07")
    'a fault:\n    �]0;renamed�'
    """
    return visible_text(str(text), but="\n")


# ------------------------------------------------------------------ Python


def python_string(text: str) -> str:
    r"""A text as Python writes it, between double quotes; what cannot be printed is escaped.

    >>> print(python_string("two" + chr(10) + "lines"))
    "two\nlines"
    """
    return f'"{_visible(text.replace(_BACKSLASH, _BACKSLASH * 2).replace(_QUOTE, _BACKSLASH + _QUOTE))}"'


def python_docstring(paragraphs: Sequence[str], indent: str = "", width: int = WIDTH) -> list[str]:
    r"""The lines of a docstring of paragraphs, wrapped; a paragraph of several lines keeps them.

    >>> from ast import literal_eval
    >>> text = 'ends in \\"'
    >>> literal_eval(*python_docstring([text])) == text
    True
    """
    lines: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        taken = len(indent) + (0 if number else 3)
        lines += [
            *([""] if number else []),
            *(part for line in paragraph.split("\n") for part in _folded(line, taken, width)),
        ]
    if len(lines) == 1 and len(indent) + len(lines[0]) + 6 <= width:
        return [f'{indent}"""{lines[0]}"""']
    first, *others = lines or [""]
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in others), f'{indent}"""']


def _folded(line: str, taken: int, width: int) -> list[str]:
    """A line of a docstring in as many as it needs; it keeps the blanks that it begins with."""
    blanks = line[: len(line) - len(line.lstrip(" "))]
    return wrap(
        _in_docstring(line),
        max(width - taken, 20),
        initial_indent=blanks,
        subsequent_indent=f"{blanks}    " if blanks else "",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def _in_docstring(text: str) -> str:
    """A text that ends no docstring: no two quotes stand bare together, none at its end, and no backslash alone."""
    doubled = " ".join(text.split()).replace(_BACKSLASH, _BACKSLASH * 2)
    return visible_text(re.sub(r'"(?="|\Z)', r"\\" + _QUOTE, doubled))


def python_comment(text: str) -> str:
    """A comment on one line."""
    return f"# {printable(text, None)}".rstrip()


_BACKSLASH, _QUOTE = "\\", '"'


def _visible(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# ------------------------------------------------------------------ JavaScript, JSON, CSV


def javascript_value(value: Any) -> str:
    r"""A value of JSON, such as a text, as JavaScript writes it; it may stand inside <script>.

    >>> print(javascript_value("</script>"), javascript_value({"title": "</script>"}))
    "\u003c/script>" {"title": "\u003c/script>"}
    """
    written = json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in written)


def javascript_comment(text: str) -> str:
    """A comment on one line."""
    return f"// {printable(text, None)}".rstrip().replace("</", "< /")


def json_text(value: Any) -> str:
    """A value as JSON: one key per line, and tables with one row per line.

    >>> print(json_text({"spec": "tiny", "shape": [1, 3], "rows": [{"name": "a"}, {"name": "b"}]}))
    {
      "spec": "tiny",
      "shape": [1, 3],
      "rows": [
        {"name": "a"},
        {"name": "b"}
      ]
    }
    """
    if isinstance(value, dict) and value:
        lines = (f"  {_compact(str(key))}: {_value(inner)}" for key, inner in value.items())
        return "\n".join(("{", ",\n".join(lines), "}"))
    return _table(value, "") if _is_table(value) else _compact(value)


def _value(value: Any) -> str:
    return _table(value, "  ") if _is_table(value) else _compact(value)


def _is_table(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(row, dict) for row in value)


def _table(rows: Sequence[Any], indent: str) -> str:
    inside = ",\n".join(f"{indent}  {_compact(row)}" for row in rows)
    return f"[\n{inside}\n{indent}]"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Rows of comma-separated values; a text that a spreadsheet would take for a formula stands behind an apostrophe.

    >>> print(csv_text([("name", "macs"), ("conv, 1", 5), ("=1+1", -5)]), end="")
    name,macs
    "conv, 1",5
    '=1+1,-5
    """
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([_csv_cell(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _csv_cell(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    line = printable(cell, None)
    return f"'{line}" if line[:1] in {"=", "+", "@"} or re.match(r"-[^0-9.]", line) else line


# ------------------------------------------------------------------ LaTeX

_LATEX_SIGNS = {
    "×": r"$\times$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "←": r"$\gets$",
    "…": r"\dots{}",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "⟨": r"$\langle$",
    "⟩": r"$\rangle$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "−": "$-$",
    "√": r"$\surd$",
    "′": "$'$",
    "″": "$''$",
}
_LATEX_SIGNS |= {sign: f"$_{{{number}}}$" for number, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")}
_LATEX_SIGNS |= {sign: f"$^{{{number}}}$" for number, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_GREEK = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
GREEK = dict(zip(_GREEK.split(), "αβγδεζηθκλμνξπρστφχψω", strict=True))
"""Greek letters by their names."""
_LATEX_SIGNS |= {letter: f"$\\{name}$" for name, letter in GREEK.items()}
_LATEX_ESCAPES = {"~": r"\textasciitilde{}", "^": r"\^{}", "\\": r"\textbackslash{}", "<": "$<$", ">": "$>$"}
_LATEX_ESCAPES |= {sign: f"\\{sign}" for sign in "&%$#_{}"}
_LATEX = str.maketrans(_LATEX_SIGNS | _LATEX_ESCAPES)


def latex_text(text: str) -> str:
    r"""A text outside of math mode.

    >>> print(latex_text("50 % of 3×3_a"))
    50 \% of 3$\times$3\_a
    """
    return visible_text(text).translate(_LATEX)


def latex_upright(name: str) -> str:
    r"""A name in math mode, upright.

    >>> print(latex_upright("in_channels"))
    \mathrm{in\_channels}
    """
    return rf"\mathrm{{{name.replace('_', _BACKSLASH + '_')}}}"


# ------------------------------------------------------------------ HTML, Markdown


def html_text(text: str) -> str:
    """A text between tags, or in the quotes of an attribute."""
    from html import escape

    return escape(visible_text(text))


_MARKDOWN_SIGNS = r"[\\`*<>|$~&]|\](?=[(\[:])|^\["
_MARKDOWN = re.compile(_MARKDOWN_SIGNS + r"|(?<![^\W_])_|_(?![^\W_])|^(?=[#+\-=])")
_MARKDOWN_CELL = re.compile(_MARKDOWN_SIGNS + "|_")
"""What would be markup; a bracket is, where the sign of a link stands behind it."""
_MARKDOWN_NUMBER = re.compile(r"^(\d+)([.)])(?= |$)")


def markdown_text(text: str, cell: bool = False) -> str:
    r"""A text in Markdown, on one line; in the cell of a table every underscore is escaped.

    >>> print(markdown_text("a_b *c* <d> | _e_"), markdown_text("a_b", cell=True))
    a_b \*c\* \<d\> \| \_e\_ a\_b
    """
    escaped = (_MARKDOWN_CELL if cell else _MARKDOWN).sub(lambda found: "\\" + found[0], printable(text, None))
    return _MARKDOWN_NUMBER.sub(r"\1\\\2", escaped)
