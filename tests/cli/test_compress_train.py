"""`archspec compress train`, `archspec train --plan`: by a plan from weights to a file."""

import json
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

import archspec
from tests.cli.test_train import run

pytestmark = pytest.mark.usefixtures("one_thread")

SPEC = """archspec: 1
name: small
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 6, kernel_size: 3}, as: conv1}
  - relu
  - {conv2d: {out_channels: 6, kernel_size: 3}, as: conv2}
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""

PLANS = {
    "tenth": "layers: [{layer: fc, density: 10 %, weight_bits: 4, index_bits: 4, weight_huffman: coded}]",
    "eight": "layers: [{layer: '*', linear_bits: 8}]",
    "signs": "layers: [{layer: conv2, binary: weights}]",
    "bare": "layers: [{layer: conv1}]",
}

RECIPE = """epochs: 1
batch: 128
lr: 0.05
stages:
  - {prune: {plan: tenth}, epochs: 2}
  - {share: tenth, lr: 0.001}
  - {quantise: eight, lr: 0.01}
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A specification, plans, a recipe, and a run to begin with."""
    path = tmp_path_factory.mktemp("begun")
    (path / "small.yaml").write_text(SPEC)
    (path / "recipe.yaml").write_text(RECIPE)
    for name, text in PLANS.items():
        (path / f"{name}.yaml").write_text(f"name: {name}\n{text}\n")
    given = ("--epochs", 1, "--validation", 200, "--seed", 3, "--out", path / "dense")
    done = run("train", path / "small.yaml", *given)
    assert done.exit_code == 0, done.stderr
    return path


@pytest.fixture
def folder(begun, tmp_path, monkeypatch):
    """The same, in the working directory."""
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("plan", "epochs"), [("tenth", 3), ("eight", 1)])
def test_a_run_becomes_a_file_with_exactly_its_weights(folder, plan, epochs):
    """Of the stages those that the plan asks for; the validation images are those of the run before."""
    done = run("compress", "train", "dense", "--plan", f"{plan}.yaml", "--recipe", "recipe.yaml", "--out", "out")
    assert done.exit_code == 0, done.stderr
    assert f"epoch {epochs}/{epochs}  loss" in done.stderr
    record = json.loads((folder / "out" / "run.json").read_text())
    assert (record["recipe"]["validation"], record["recipe"]["validation_seed"]) == (200, 3)
    assert record["recipe"]["start"] == "dense"
    assert "measured kB" in done.stdout
    packed, best = folder / "out" / "packed.safetensors", load_file(folder / "out" / "best.safetensors")
    assert f"packed.safetensors: {packed.stat().st_size:,} bytes" in done.stdout
    found = archspec.compress.unpack(packed)
    assert all(torch.equal(torch.from_numpy(found[name].copy()), array) for name, array in best.items())
    again = run("compress", "pack", "out", "--plan", f"{plan}.yaml", "-o", "again.safetensors")
    assert again.exit_code == 0, again.stderr
    assert (folder / "again.safetensors").read_bytes() == packed.read_bytes()


def test_json_is_one_value(folder):
    given = ("dense", "--plan", "tenth.yaml", "--recipe", "recipe.yaml", "--format", "json", "--seed", 4)
    done = run("compress", "train", *given)
    printed = json.loads(done.stdout)
    assert printed["training"]["out"] == "runs/small-tenth-4"
    assert printed["training"]["methods"]["share"]["numbers"]["fc.weight"] <= 15
    assert printed["file"]["size"]["bytes"] == (folder / "runs" / "small-tenth-4" / "packed.safetensors").stat().st_size


def test_an_interrupted_one_is_resumed_and_packed(folder):
    command = [sys.executable, "-m", "archspec", "compress", "train", "dense", "--plan", "tenth.yaml", "--out", "out"]
    more = ["--recipe", "recipe.yaml", "--epochs", "400", "--with", "batch=64"]
    process = subprocess.Popen([*command, *more], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not (folder / "out" / "epochs.csv").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "interrupted; everything is saved: archspec compress train --resume out" in told
    assert not (folder / "out" / "packed.safetensors").exists()


def test_resuming_takes_the_plan_of_the_run(folder):
    given = ("dense", "--plan", "tenth.yaml", "--recipe", "recipe.yaml", "--out", "out")
    assert run("compress", "train", *given).exit_code == 0
    packed = folder / "out" / "packed.safetensors"
    before = packed.read_bytes()
    packed.unlink()
    assert run("compress", "train", "--resume", "out").exit_code == 0
    assert packed.read_bytes() == before
    assert run("compress", "pack", "out", "-o", "again.safetensors").exit_code == 0
    assert (folder / "again.safetensors").read_bytes() == before


def test_one_bit_layers_come_by_a_plan_and_need_no_plan_afterwards(folder):
    done = run("train", "small.yaml", "--plan", "signs.yaml", "--epochs", 1, "--out", "out", "--with", "optimizer=adam")
    assert done.exit_code == 0, done.stderr
    recipe = json.loads((folder / "out" / "run.json").read_text())["recipe"]
    assert recipe["one_bit"]["gradient"] == "exact"
    assert set(load_file(folder / "out" / "best.safetensors")["conv2.weight"].unique().tolist()) == {-1.0, 1.0}
    assert run("evaluate", "out").exit_code == 0
    assert "binary_conv2d" in run("count", "out").stdout
    assert run("train", "--resume", "out").exit_code == 0
    assert run("compress", "pack", "out", "-o", "bits.safetensors").exit_code == 0
    packed, best = archspec.compress.unpack(folder / "bits.safetensors"), load_file(folder / "out" / "best.safetensors")
    assert all(torch.equal(torch.from_numpy(packed[name].copy()), best[name]) for name in best if name in packed)
    assert {"conv1.weight", "conv2.weight", "conv2.alpha"} <= {*packed}
    assert (folder / "bits.safetensors").stat().st_size < (folder / "out" / "best.safetensors").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["compress", "train", "dense"], "name a plan"),
        (["compress", "train", "--plan", "tenth.yaml"], "name a SPEC or a run to compress"),
        (
            ["compress", "train", "dense", "--plan", "signs.yaml"],
            "archspec train SPEC --plan is for its one-bit layers",
        ),
        (["compress", "train", "dense", "--plan", "bare.yaml"], "the plan bare has nothing to train"),
        (["compress", "train", "dense", "--plan", "lenet_5"], "speaks of 'fc1', which small does not have"),
        (["compress", "train", "dense", "--plan", "nope"], "no file and no plan is called 'nope'"),
        (
            ["compress", "train", "dense", "--plan", "tenth.yaml", "--recipe", "digits"],
            "the recipe has no prune or share",
        ),
        (["compress", "train", "--resume", "dense"], "this run prunes, shares and quantises nothing"),
        (["compress", "pack", "dense", "-o", "x.safetensors"], "has no one-bit layers; name a plan: --plan int8"),
        (
            ["compress", "pack", "small.yaml", "--plan", "tenth.yaml", "-o", "x.safetensors"],
            "name its weights with --we",
        ),
        (["train", "small.yaml", "--plan", "tenth.yaml"], "makes no layer of small one-bit: none has 'binary'"),
    ],
)
def test_what_does_not_fit_is_said_before_the_first_step(folder, arguments, fault):
    found = run(*arguments)
    assert found.exit_code == 2
    assert fault in " ".join(found.stderr.split())
    assert not (folder / "runs").exists()


@pytest.mark.usefixtures("folder")
def test_what_is_zero_is_printed_without_a_test():
    given = ("dense", "--plan", "tenth.yaml", "--recipe", "recipe.yaml", "--out", "out")
    assert run("compress", "train", *given).exit_code == 0
    printed = run("evaluate", "out", "--zeros")
    assert printed.exit_code == 0, printed.stderr
    assert all(heading in printed.stdout for heading in ("Act%", "Weights%", "FLOP%"))
    assert "error" not in printed.stdout
    found = json.loads(run("evaluate", "out", "--zeros", "--format", "json").stdout)
    (fc,) = (row for row in found["rows"] if row["layer"] == "fc")
    assert 0 < fc["kept"] <= -(-fc["weights"] // 10)
    assert fc["activations_share"] == 1
