"""Three whole jobs, each as its page tells it."""

import json
import os
from pathlib import Path

import pytest

from archspec.extras import EXTRAS
from tests.tutorials import notebook, pages

DOCS = Path(__file__).parents[2] / "docs" / "tutorials"
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


def told(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = DOCS / name
    text = file.read_text(encoding="utf-8")
    found = pages.run(text)
    if UPDATE:
        file.write_text(found, encoding="utf-8")
    else:
        assert pages.alike(found) == pages.alike(text)


@pytest.mark.no_cover
def test_i_invented_a_block(tmp_path, monkeypatch):
    told("block.md", tmp_path, monkeypatch)


@pytest.mark.no_cover
def test_it_must_fit_my_microcontroller(tmp_path, monkeypatch):
    for module in ("torch", *EXTRAS["train"], *EXTRAS["onnx"]):
        pytest.importorskip(module)
    told("microcontroller.md", tmp_path, monkeypatch)


@pytest.mark.no_cover
def test_teach_mobilenet_and_deep_compression(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = DOCS / "teaching.ipynb"
    book = json.loads(file.read_text(encoding="utf-8"))
    found = notebook.executed(book)
    if UPDATE:
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        assert notebook.outputs(found) == notebook.outputs(book)
