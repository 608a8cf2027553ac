"""What is written in a language parses as the text it is, and as nothing else."""

import ast
import csv
import io
import json
import re
import shutil
import subprocess
import tokenize
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec import writing

PIECES = [
    *"\"'\\`*_[]<>|$#%&{}~^!=+-@,;: \t\n\r\0\x07\x1b1aé網🙂",
    *("\u2028", "\u202e", "\u200b", "\ufeff", "\x85", "\xa0", "\ud800"),
    *('"""', "'''", "*/", "//", "-->", "</script>", "<script>", "\\N{DIGIT ONE}", "\\x41", "${x}", "\\end{document}"),
    *("\\input{x}", "import os", "=cmd|' /C calc'!A0", "&amp;"),
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
SEEN = HOSTILE.map(writing.visible_text)
short = settings(max_examples=200, derandomize=True, deadline=None)


@short
@given(HOSTILE)
def test_a_python_string_is_the_text(text):
    assert ast.literal_eval(writing.python_string(text)) == text


@short
@given(st.lists(HOSTILE, max_size=3), st.sampled_from(["", "    "]), st.sampled_from([40, 120]))
def test_a_docstring_holds_the_paragraphs_and_ends_where_it_should(paragraphs, indent, width):
    lines = writing.python_docstring(paragraphs, indent, width)
    source = "class C:\n" + "\n".join(lines) + "\n    x = 1\n" if indent else "\n".join(lines) + "\nx = 1\n"
    tree = ast.parse(source)
    body = tree.body[0].body if indent else tree.body
    assert [type(each) for each in body] == [ast.Expr, ast.Assign]
    said = "".join(" ".join(body[0].value.value.split()).split())
    assert said == "".join(writing.visible_text("".join(paragraph.split())) for paragraph in paragraphs)


@short
@given(HOSTILE)
def test_comments_stay_on_their_line(text):
    code = f"{writing.python_comment(text)}\nx = 1\n"
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(code).readline)]
    assert kinds[:2] == [tokenize.COMMENT, tokenize.NL]
    for comment in (writing.python_comment, writing.javascript_comment):
        assert len(comment(text).splitlines()) == 1
        assert comment(text).isprintable()


@short
@given(HOSTILE)
def test_a_javascript_value_is_a_json_string_that_ends_no_script(text):
    written = writing.javascript_value(text)
    assert json.loads(written) == text
    assert "<" not in written
    assert written.isprintable()


@pytest.mark.skipif(shutil.which("node") is None, reason="runs what Node runs")
def test_javascript_values_are_what_node_reads():
    texts = [piece for piece in PIECES if piece.isascii()] + ["".join(PIECES[:40])]
    lines = ",\n".join(map(writing.javascript_value, texts))
    script = f"{writing.javascript_comment(texts[-1])}\nconsole.log(JSON.stringify([{lines}]));"
    run = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == texts


@short
@given(HOSTILE)
def test_html_holds_the_text_and_no_tag(text):
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, attrs))

        def handle_data(self, data):
            found.append(data)

    reader = Reader()
    written = writing.html_text(text)
    reader.feed(f'<p title="{written}">{written}</p>')
    reader.close()
    shown = writing.visible_text(text)
    assert found[0] == ("p", [("title", shown)])
    assert "".join(found[1:]) == shown


@short
@given(HOSTILE)
def test_csv_holds_the_text_in_one_cell_that_no_spreadsheet_runs(text):
    ((first, second),) = csv.reader(io.StringIO(writing.csv_text([(text, 5)])))
    assert second == "5"
    assert first.removeprefix("'") == writing.printable(text, None).removeprefix("'")
    assert first[:1] not in {"=", "+", "@"}


@short
@given(HOSTILE)
def test_latex_has_only_our_commands_and_pairs_of_braces_and_dollars(text):
    written = writing.latex_text(text)
    commands = {"textbackslash", "textasciitilde", "times", "dots"}
    bare = re.sub(r"\\([%$#_{}&]|\^\{\}|textbackslash\{\}|textasciitilde\{\})", "", written)
    assert set(re.findall(r"\\([A-Za-z]+)", bare)) <= commands
    assert not set(bare) & set("%#&{}~_^\\")
    assert bare.count("$") % 2 == 0


MARKDOWN = pytest.importorskip("markdown_it")


@short
@given(HOSTILE)
def test_markdown_shows_the_text_and_has_no_markup_of_its_own(text):
    parser = MARKDOWN.MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    for cell in (False, True):
        written = writing.markdown_text(text, cell)
        tokens = [token for block in parser.parse(f"a {written} z") for token in block.children or ()]
        kinds = {token.type for token in tokens}
        assert kinds <= {"text", "text_special", "softbreak"}
        assert "".join(token.content for token in tokens).split() == ["a", *writing.printable(text, None).split(), "z"]


@short
@given(HOSTILE)
def test_what_goes_to_a_terminal_is_printable(text):
    assert writing.printable(text).isprintable()
    assert len(writing.printable(text, 10)) <= 10
    assert writing.terminal(text).replace("\n", "").isprintable()


def test_json_is_one_style():
    value = {"spec": "x", "none": None, "rows": [{"a": [1, 2]}, {"a": []}], "empty": [], "list": [[1, 2]]}
    for each in (value, value["rows"], [], {}, [1], "text", None):
        assert json.loads(writing.json_text(each)) == each
    assert writing.json_text(value["rows"]) == '[\n  {"a": [1, 2]},\n  {"a": []}\n]'
