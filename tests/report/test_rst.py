"""reStructuredText as docutils reads it."""

import pytest

import archspec
from archspec.report import formats, report_on

core = pytest.importorskip("docutils.core")
nodes = pytest.importorskip("docutils.nodes")


def tree_of(page):
    settings = {"halt_level": 2, "report_level": 1, "file_insertion_enabled": False, "raw_enabled": False}
    return core.publish_doctree(page, settings_overrides=settings)


def structure(page):
    """The nodes without their texts; the tests of all formats ask for it."""
    return [type(node).__name__ for node in tree_of(page).findall() if not isinstance(node, nodes.Text)]


def test_docutils_reads_the_table_that_was_counted():
    tree = tree_of(formats.written(report_on(archspec.load("lenet_5").count()), "rst"))
    cells = [entry.astext() for entry in tree.findall(nodes.entry)]
    assert cells[:3] == ["block", "of", "output"]
    assert "max_pool2d" in cells
    assert f"{500 * 800 + 500:,}" in cells
    assert not list(tree.findall(nodes.reference))
