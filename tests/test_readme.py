"""What README and CONTRIBUTING show is what happens."""

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

CONSOLES = re.findall(r"```console\n\$ archspec ([^\n]*)\n(.*?)\n```", README, re.DOTALL)


@pytest.mark.parametrize(("command", "printed"), CONSOLES, ids=[command for command, _ in CONSOLES])
def test_each_command_of_the_readme_prints_what_stands_there(command, printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text(BROKEN)
    result = CliRunner().invoke(app, shlex.split(command), env={"COLUMNS": "100"})
    assert result.output.rstrip("\n") == printed


def test_the_readme_shows_commands():
    assert len(CONSOLES) >= 3


def test_the_readme_has_exactly_two_set_up_commands():
    assert len(re.findall(r"```sh\n", README)) == 2
    for mark in ("count", "tests"):
        assert re.search(rf"<!-- {mark} -->\n```sh\n[^\n]*pip install[^\n]*-c constraints.txt[^\n]*\n```", README)


def test_the_snippet_of_contributing_adds_a_working_operator():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 3
    code = "\n".join(snippets) + "\nprint(arch.expand().nodes[-1].name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout, done.stderr) == ("pixel_shuffle\n", "")
