"""Full disks, closed streams, and extras that are missing: a sentence and an exit code, of every verb."""

import errno
import io
import os
import subprocess
import sys

import pytest

from archspec import cli

SPEC = """archspec: 1
name: small
symbols: {c: {default: 4}}
input: [1, 8, 8]
blocks: {unit: {args: {n: required}, body: [{conv2d: {out_channels: n, kernel_size: 3}}]}}
network: [{unit: {n: c}}, relu, flatten, {linear: {out_features: 10}}]
"""

CFG = """[net]
height=8
width=8
channels=1

[convolutional]
filters=4
size=3
pad=1
activation=relu
"""

VERBS = {
    "check": "check small.yaml",
    "compare": "compare small.yaml lenet_5",
    "compress": "compress predict lenet_300_100 --plan lenet_300_100",
    "count": "count small.yaml",
    "crossover": "crossover small.yaml --for c --between 1,8",
    "distil": "distil --help",
    "draw": "draw small.yaml -o small.svg",
    "ensemble": "ensemble --help",
    "evaluate": "evaluate --help",
    "explain": "explain small.yaml unit/conv2d",
    "explain-difference": "explain-difference --help",
    "formula": "formula small.yaml",
    "import": "import small.cfg",
    "measure": "measure --help",
    "memory": "memory small.yaml",
    "plot": "plot costs small.yaml -o small.json",
    "reconcile": "reconcile small.yaml --reported 1k",
    "reproduce": "reproduce --help",
    "schema": "schema",
    "search": "search --help",
    "sensitivity": "sensitivity small.yaml",
    "show": "show small.yaml",
    "solve": "solve small.yaml --for c --params <=9000",
    "specialists": "specialists --help",
    "sweep": "sweep small.yaml --for c=1,2",
    "train": "train --help",
    "verify": "verify small.yaml",
    "watch": "watch --help",
    "weights": "weights --help",
    "zoo": "zoo",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPEC)
    (tmp_path / "small.cfg").write_text(CFG)
    (tmp_path / "full.py").symlink_to("/dev/full")


def test_every_verb_that_prints_is_tried():
    assert {*VERBS} == {*cli.VERBS} - {"compile"}


class Full(io.StringIO):
    """A stream onto a full disk."""

    def write(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("verb", VERBS)
def test_a_full_disk_is_a_sentence(verb, monkeypatch, capfd):
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Full())
        patch.setattr("sys.argv", ["archspec", *VERBS[verb].split()])
        patch.setattr("os.dup2", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 2
    assert capfd.readouterr().err == "archspec: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("count small.yaml > /dev/full", 2, "archspec: standard output cannot be written: No space left on device\n"),
        ("count small.yaml >&-", 2, "archspec: standard output cannot be written: Bad file descriptor\n"),
        ("check small.yaml >&- 2>&-", 2, ""),
        ("count none.yaml 2>/dev/full", 2, ""),
        ("count none.yaml 2>&-", 2, ""),
        ("count - <&-", 2, "the file is empty"),
        ("compile small.yaml -o x.py 2>&-", 0, ""),
        ("compile small.yaml -o full.py", 2, "cannot write full.py: No space left on device"),
    ],
)
def test_what_the_shell_gave_is_told_apart(command, code, said):
    shell = ["bash", "-c", f"{sys.executable} -m archspec {command}"]
    done = subprocess.run(shell, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_torch_every_verb_says_what_to_install():
    code = """
import sys
sys.modules["torch"] = None
from click.testing import CliRunner
from archspec.cli import app
for command in sys.argv[1:]:
    result = CliRunner().invoke(app, command.split())
    print(result.exit_code, " ".join((result.stderr or repr(result.exception)).split()))
"""
    commands = [
        "train lenet_5",
        "evaluate lenet_5 --weights w.safetensors",
        "verify small.yaml",
        "weights map small.yaml w.safetensors",
        "compile small.yaml -o x.pt2",
        "compile small.yaml -o x.onnx",
    ]
    done = subprocess.run([sys.executable, "-c", code, *commands], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == len(commands)
    assert {line.partition("[")[0] for line in said} == {"2 this needs torch: pip install 'archspec-nn"}


def test_a_module_that_no_extra_brings_is_a_fault_of_ours(monkeypatch):
    def broken(*_):
        raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")

    monkeypatch.setattr("archspec.architecture.load", broken)
    with pytest.raises(ModuleNotFoundError):
        cli.app(["count", "small.yaml"])
