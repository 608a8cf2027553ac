"""What an output is made of, without its texts: two outputs that differ in nothing but texts have one structure."""

import ast
import csv
import io
import json
import re
from functools import cache
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

SOURCES = ("python", "numpy", "javascript", "source")
"""Outputs that are programs."""

_COMMANDS = """begin end caption centering toprule midrule bottomrule quad section subsection item text textbackslash
textasciitilde times cdot to gets dots lceil rceil lfloor rfloor leq geq neq approx surd left right frac mathrm mathbf
prime sqrt log min max usepackage hat bar alpha beta label"""
LATEX_COMMANDS = frozenset(_COMMANDS.split())


@pytest.fixture(scope="session")
def structure_of():
    """Gives the structure of an output in a format; an assertion fails where the output does not parse."""
    return _structure


def _structure(form, output):
    return (globals().get(f"_{form}") or _of_its_test(form))(output)


@cache
def _of_its_test(form):
    """What a format's own test, test_FORM.py, calls its structure."""
    spec = spec_from_file_location(f"test_{form}", Path(__file__).parent / f"test_{form}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.structure


def _text(output):
    for line in output.split("\n"):
        assert line.isprintable(), line


def _json(output):
    def shape(value):
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__

    return shape(json.loads(output))


def _csv(output):
    rows = list(csv.reader(io.StringIO(output)))
    assert len({len(row) for row in rows}) == 1
    assert not any(cell[:1] in {"=", "+", "@"} for row in rows for cell in row)
    return [len(row) for row in rows]


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, sorted(name for name, _ in attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_decl(self, decl):
        assert decl.lower() == "doctype html"


def _html(output):
    parser = _Tags()
    parser.feed(output)
    parser.close()
    assert not parser.open
    return parser.found


def _markdown(output):
    markdown_it = pytest.importorskip("markdown_it")
    without_math = re.sub(r"\$\$\n.*?\n\$\$|\$(?:\\.|[^$\\])*\$", "math", output.replace(r"\$", ""), flags=re.S)
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    blocks = parser.parse(without_math)
    inline = [token.type for block in blocks for token in block.children or ()]
    assert set(inline) <= {"text", "text_special", "softbreak", "strong_open", "strong_close"}
    return [block.type for block in blocks], [kind for kind in inline if kind.startswith("strong")]


def _latex(output):
    bare = re.sub(r"\\[%$#_{}&,\\]|\\\^\{\}", "", re.sub(r"^% .*$", "", output, flags=re.M))
    assert not re.search(r"[%#]", bare)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert set(re.findall(r"\\([A-Za-z]+)", bare)) <= LATEX_COMMANDS
    begun = re.findall(r"\\(begin|end)\{(\w+\*?)\}", bare)
    open_ones = []
    for kind, name in begun:
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    return begun, len(re.findall(r"\\\\$", output, flags=re.M))


def _typst(output):
    typst = pytest.importorskip("typst")
    page = typst.compile(output.encode(), format="html").decode()
    return _html(re.sub(r"<meta[^>]*>", "", page))


def _python(output):
    return _skeleton(output)


_numpy = _source = _python


def _skeleton(output):
    """The tree of a program without its docstrings and the texts of what it raises."""
    tree = ast.parse(output)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def _javascript(output):
    """The lines that are no comments, the texts of strings left out; `node_reads` says whether they parse."""
    lines = [line for line in output.split("\n") if not line.startswith("//")]
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', "\n".join(lines))
