"""The words of the pages and of the code: a glossary, plain English, and names that are given once."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
TEXTS = (*PAGES, *sorted((ROOT / "archspec").rglob("*.py")))

COUNTED = "bit|bits|byte|class|edge|entry|factor|file|formula|line|module|number|plan|row|shift|unit"
EACH = "block|channel|class|container|element|epoch|family|filter|group|image|input|key|layer|line|network|node|output"
PER = re.compile(rf"\b({COUNTED}) an? ({EACH}|part|row|step|symbol|verb|weight)\b")
"""What should be "one line per layer"."""


def test_how_much_of_what_is_said_with_per():
    asides = re.compile(rf"\b(of|if|as|in|to|that|which|where|what) ({COUNTED}) an? ")  # "what number a channel has"
    lines = [line for path in TEXTS for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if PER.search(line) and not asides.search(line)] == []
    assert PER.search("a line a layer")


def words():
    rows = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    return [row.split("**")[1] for row in rows if row.startswith("| **")]


def test_the_glossary_is_in_alphabetical_order_and_has_each_word_once():
    assert words() == sorted(set(words()), key=str.lower)


def test_the_pages_lead_to_nothing_outside_the_checkout():
    links = [(path, target) for path in PAGES for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))]
    targets = [(path.parent / target).resolve() for path, target in links if "://" not in target]
    assert len(targets) > len(PAGES)
    assert [str(target) for target in targets if not target.is_relative_to(ROOT)] == []


ALIKE = {
    "Network",  # what `archspec.load(…).expand()` gives is the graph's network, which can be counted, too
    "BinaryConv2d",  # an operator is called as its torch module
    "BinaryLinear",
}


def test_no_class_is_called_as_another_is():
    files = defaultdict(list)
    for path in sorted((ROOT / "archspec").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                files[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in files.items() if len(paths) > 1 and name not in ALIKE} == {}
