"""What README and CONTRIBUTING show is what happens."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from archspec.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BROKEN = """archspec: 1
name: broken
symbols: {alpha: {default: 1}}
input: [3, 8, 8]
network:
  - con2d: {out_channels: 8 * alpha, kernel_size: 3}
  - conv2d: {out_channels: 16 * alhpa, kernel_sise: 3}
"""

CONSOLE = re.compile(r"```console\n\$ archspec ([^\n]*)\n(.*?)\n?```", re.DOTALL)
PAGES = {name: (ROOT / name).read_text() for name in ("README.md", "docs/tour.md", "docs/cli.md", "docs/sweeps.md")}
CONSOLES = [(page, *found) for page, text in PAGES.items() for found in CONSOLE.findall(text)]
UPDATE = os.environ.get("UPDATE_DOCS") == "1"
LONGEST = 150


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("page", "command", "printed"), CONSOLES, ids=[command for _, command, _ in CONSOLES])
def test_each_command_prints_what_stands_there(page, command, printed, tmp_path, monkeypatch):
    """`UPDATE_DOCS=1 pytest -n 0 tests/test_readme.py` writes what is printed into the pages."""
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text(BROKEN)
    found = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "100"}).output.rstrip("\n")
    if UPDATE:
        text = (ROOT / page).read_text()
        asked, end = f"$ archspec {command}\n", "" if printed else "\n"
        (ROOT / page).write_text(text.replace(f"{asked}{printed}", f"{asked}{found}{end}"))
    else:
        assert found == printed


def test_the_readme_is_short_and_shows_commands():
    assert len(README.splitlines()) <= LONGEST
    assert len(CONSOLES) >= 3


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_every_file_that_a_page_leads_to_is_there(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (ROOT / page).read_text()):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_has_exactly_two_set_up_commands():
    assert len(re.findall(r"```sh\n", README)) == 2
    for mark in ("count", "tests"):
        assert re.search(rf"<!-- {mark} -->\n```sh\n[^\n]*pip install[^\n]*-c constraints.txt[^\n]*\n```", README)


def test_the_snippets_of_contributing_add_working_operators():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 6
    code = "\n".join(snippets) + "\nprint(arch.expand().nodes[-1].name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("max_blur_pool\n", "")
