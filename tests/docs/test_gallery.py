"""Every picture of docs/gallery.md is what the command above it draws, and every kind of picture is there.

`UPDATE_DOCS=1 pytest tests/docs/test_gallery.py` draws them anew.
"""

import os
import re
import shlex
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from archspec.cli import app
from archspec.draw import PICTURES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ archspec (.*) -o docs/pictures/(\S+)$", PAGE, re.MULTILINE)
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


def structure(svg):
    """What is in a picture: how many elements of each kind, and all of its words."""
    tree = ElementTree.fromstring(svg)  # noqa: S314  # our own
    tags = Counter(element.tag.rpartition("}")[2] for element in tree.iter())
    return tags, [element.text for element in tree.iter() if element.text and element.text.strip()]


def test_every_kind_is_drawn_on_the_page_and_every_picture_is_shown():
    drawn = [shlex.split(arguments)[1] if arguments.startswith("plot ") else "blocks" for arguments, _ in COMMANDS]
    assert set(drawn) == set(PICTURES)
    shown = set(re.findall(r"\(pictures/(\S+?)\)", PAGE))
    assert shown == {name for _, name in COMMANDS}
    files = {path.name for path in (ROOT / "docs" / "pictures").iterdir() if path.is_file()}
    assert files == shown


@pytest.mark.no_cover
@pytest.mark.parametrize(("arguments", "name"), COMMANDS, ids=[name for _, name in COMMANDS])
def test_a_picture_is_what_its_command_draws(arguments, name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    kept = ROOT / "docs" / "pictures" / name
    target = kept if UPDATE else tmp_path / name
    done = CliRunner().invoke(app, [*shlex.split(arguments), "-o", str(target)])
    assert done.exit_code == 0, done.output
    new, old = (path.read_text(encoding="utf-8") for path in (target, kept))
    if name.endswith(".html"):
        assert new == old
    else:
        assert structure(new) == structure(old)
