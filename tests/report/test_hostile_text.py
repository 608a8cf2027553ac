"""Hostile text in every field that a specification has: refused when it is read, or harmless in every format.

Harmless: the output parses, and has the structure that it has with harmless words. With --long, 25 times as many.
"""

import json
import shutil
import subprocess
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.errors import SpecErrors
from archspec.report import formats, report_on
from archspec.report.compare import compare
from archspec.report.formula import formulas
from archspec.writing import terminal

FIELDS = (
    *("doc", "title", "authors", "arxiv", "doi", "url", "section", "table", "note"),
    *("symbol_doc", "latex", "block_doc", "block_title", "block_note", "letter", "lookup_doc", "beginning_title"),
)
LINES = {"title", "authors", "arxiv", "doi", "url", "section", "table", "block_title", "beginning_title"}

SPEC = """
archspec: 1
name: hostile
doc: {doc}
source: {{title: {title}, authors: {authors}, year: 2020, arxiv: {arxiv}, doi: {doi}, url: {url}, section: {section},
  table: {table}, note: {note}}}
symbols:
  a: {{default: 4, latex: {latex}, doc: {symbol_doc}}}
  g: {{default: 1, choices: [1, 2]}}
lookups: {{channels: {{columns: [g, wide], rows: [[1, 8], [2, 16]], doc: {lookup_doc}}}}}
input: [8, 9, 9]
blocks:
  unit:
    doc: {block_doc}
    source: {{title: {block_title}, note: {block_note}}}
    letters: {{paper: {{names: {{in_channels: M, in_height: h, in_width: w, c: {letter}}}}}}}
    args: {{c: required}}
    body: [{{conv2d: {{out_channels: c, kernel_size: 3, stride: 2}}}}, relu]
network:
  - unit: {{c: "a * channels(g)"}}
  - batch_norm
initialisation: {{source: {{title: {beginning_title}}}, rules: [{{of: conv2d, weight: he_normal}}]}}
"""

PIECES = (
    *"\"'\\`*_[]<>|$#%&{}~^!=+-@,;:()./ \t\n\r1aé網🙂",
    *("\0", "\x07", "\x1b[31m", "\u2028", "\u202e", "\u200b", "\x85", "\xa0"),
    *('"""', "'''", "*/", "//", "-->", "</script>", "<script>", "<b>", "\\N{DIGIT ONE}", "\\x41", "${x}", "#{x}"),
    *("\\end{document}", "\\input{x}", "\\alpha", "x_{a}", "}^{2}", "import os", "=cmd|' /C calc'!A0", "&amp;"),
    *(
        "](javascript:1)",
        "![x](y)",
        "[x]: y",
        "http://a.b",
        ".. raw:: html",
        "`x`_",
        ":math:`x`",
        "#eval(1)",
        "1. ",
        "- ",
    ),
)
HOSTILE = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join).filter(lambda text: text.strip())
WORDS = dict.fromkeys(FIELDS, "words") | {"latex": "alpha", "letter": "N"}

OUTPUTS = (*formats.names(), "python", "numpy", "javascript", "source")
SHORT, LONG = 12, 300


def spec(texts):
    """The specification with these texts; JSON's strings are YAML's."""
    return SPEC.format(**{name: json.dumps(text) for name, text in texts.items()})


def written(arch, form):
    """All that a format is made to say of a specification, piece by piece."""
    if form == "source":
        yield arch.source()
        return
    forms = [arch.formula("macs"), arch.block("unit").formula("macs", letters="paper")]
    if form in {"python", "numpy", "javascript"}:
        yield from (getattr(each, form)() for each in forms)
        return
    reports = [report_on(arch.count()), report_on(arch.expand()), report_on(arch.memory())]
    reports += [formulas([each]) for each in forms]
    reports.append(compare({"one": arch.count(), "two": arch.count(g=2)}))
    reports.append(report_on(arch.explain("unit/conv2d")))
    yield from (formats.written(report, form) for report in reports)


@cache
def harmless(form, structure):
    return [structure(form, page) for page in written(archspec.loads(spec(WORDS)), form)]


def read(texts):
    """The network of a specification with these texts, or what is said of it where it is refused."""
    try:
        return archspec.loads(spec(texts))
    except SpecErrors as error:
        return str(error)


def held_against_words(texts, form, structure):
    """Whether texts are read; if they are, the output has the structure that it has with words."""
    found = read(texts)
    if isinstance(found, str):
        assert terminal(found).replace("\n", "").isprintable()
        return False
    pages = [structure(form, page) for page in written(found, form)]
    assert pages == harmless(form, structure)
    return True


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("form", OUTPUTS)
def test_no_text_leaves_its_place(form, structure_of, request):
    outcomes = Counter()
    examples = LONG if request.config.option.long else SHORT

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None)
    @given(st.dictionaries(st.sampled_from(FIELDS), HOSTILE, min_size=1, max_size=3))
    def one(texts):
        outcomes[held_against_words(WORDS | texts, form, structure_of)] += 1

    one()
    assert outcomes[True] >= 0.1 * examples
    assert outcomes[False] >= 0.1 * examples


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sign", ["\x1b", "\x07", "\0", "\u202e", "\x85", "\r"])
def test_what_cannot_be_seen_is_refused_in_every_field(field, sign):
    with pytest.raises(SpecErrors, match=r"which cannot be seen; leave it out|it stands on one line|is not allowed"):
        archspec.loads(spec(WORDS | {field: f"a{sign}b"}))


@pytest.mark.parametrize("field", sorted(LINES | {"latex", "letter"}))
def test_what_stands_on_one_line_is_refused_on_two(field):
    with pytest.raises(SpecErrors, match="a line end; it stands on one line"):
        archspec.loads(spec(WORDS | {field: "a\nb"}))
    assert archspec.loads(spec(WORDS | {"doc": "a\nb"})).document.doc == "a\nb"


@pytest.mark.parametrize(
    "text", ['x"', "x$", "\\input{x}", "x}", "{x", "%", "a & b", "\\\\", "`x`", "<b>", "x" * 81, "a_"]
)
@pytest.mark.parametrize("field", ["latex", "letter"])
def test_a_letter_is_a_word_or_simple_latex(field, text):
    if text == "a_":
        assert archspec.loads(spec(WORDS | {field: text})).formula("macs").latex()
        return
    with pytest.raises(SpecErrors, match=r"write letters, digits, _, \^, \{ \} and commands such as|at most 80"):
        archspec.loads(spec(WORDS | {field: text}))


@pytest.mark.skipif(shutil.which("node") is None, reason="runs what Node runs")
def test_node_reads_what_is_written_of_awkward_letters():
    letters = ("d″", "n'", r"\hat{x}_{\mathrm{max}}", "a = b, c", "default", "網")
    scripts = [
        page
        for letter in letters
        for page in written(archspec.loads(spec(WORDS | {"latex": letter, "letter": letter})), "javascript")
    ]
    script = "\n".join(f"{{\n{source}\n}}" for source in scripts) + "\nconsole.log('read')"
    run = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=False)
    assert run.stdout == "read\n", run.stderr


CASES = {
    "text leaves the docstring of Python": {"latex": 'x"""\n    raise SystemExit(\'ran\')\n    """'},
    "text leaves the comment of JavaScript": {"latex": "x\nthrow new Error('ran')\n//"},
    "a letter leaves the comment of JavaScript": {"letter": "x\nthrow new Error('ran')\n//"},
    "a title renames the terminal": {"title": "T\x1b]0;renamed\x07\x1b[31mRED\n\nanother line\u202e | end"},
}


@pytest.mark.parametrize("name", CASES)
def test_what_used_to_run_is_refused(name):
    with pytest.raises(SpecErrors, match="a text holds"):
        archspec.loads(spec(WORDS | CASES[name]))


def test_a_doc_that_ends_in_a_backslash_and_a_quote_is_a_docstring_still(structure_of):
    for field in ("doc", "block_doc", "symbol_doc", "note", "block_note"):
        arch = archspec.loads(spec(WORDS | {field: 'ends in \\"'}))
        assert structure_of("source", arch.source()) == harmless("source", structure_of)[0]
