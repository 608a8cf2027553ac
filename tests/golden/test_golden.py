"""The figures of every specification at its defaults, kept: adding a specification adds a row.

`python tests/golden/test_golden.py` writes the file anew; read the difference before you commit it.
"""

import json
from pathlib import Path

import pytest

import archspec

FILE = Path(__file__).with_name("figures.json")
FIGURES = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")


def figures(name):
    table = archspec.load(name).count()
    return {figure: getattr(table, figure) for figure in FIGURES}


@pytest.mark.parametrize("name", archspec.zoo.names())
def test_the_figures_are_those_on_record(name):
    assert figures(name) == json.loads(FILE.read_text()).get(name)


def test_the_record_holds_nothing_else():
    assert sorted(json.loads(FILE.read_text())) == archspec.zoo.names()


if __name__ == "__main__":
    rows = (f"  {json.dumps(name)}: {json.dumps(figures(name))}" for name in archspec.zoo.names())
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n")
