"""Damaged and hostile files: a few of each kind in every run, thousands under limits of memory and time with --long."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxscript")
pytest.importorskip("torch")
from . import fuzz

KINDS = ("onnx", "pt2", "cfg", "prototxt")
FEW, MANY = 12, 2000


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::UserWarning")  # of zipfile, about members of one name
@pytest.mark.parametrize("kind", KINDS)
def test_files_are_read_or_refused_by_name(kind, tmp_path):
    whole, file = fuzz.sound(kind), tmp_path / f"net.{kind}"
    file.write_bytes(whole)
    assert fuzz.tried(kind, file) == "read"
    for number in range(FEW):
        file.write_bytes(fuzz.mutant(kind, number, whole))
        assert fuzz.tried(kind, file) in {"read", "refused"}


@pytest.mark.parametrize("kind", KINDS)
def test_thousands_in_bounded_time_and_memory(kind, pytestconfig):
    if not pytestconfig.getoption("--long", False):
        pytest.skip("in --long")
    done = subprocess.run(
        [sys.executable, str(Path(fuzz.__file__)), kind, "0", str(MANY)], capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout)["faults"] == {}
    assert done.returncode == 0
