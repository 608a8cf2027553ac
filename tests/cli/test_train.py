"""`archspec train` and `archspec evaluate`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from archspec import train
from archspec.cli import app

pytestmark = pytest.mark.usefixtures("one_thread")

SPEC = """archspec: 1
name: small
input: [1, side, side]
symbols: {side: {default: 8}}
network:
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A specification in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SPEC)
    return "small.yaml"


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_digits_are_trained_on_and_tested(small, tmp_path):
    result = run("train", small, "--epochs", 2, "--lr", "0.1", "--with", "translate=0", "--seed", 7)
    assert result.exit_code == 0, result.stderr
    assert "epoch 2/2  loss" in result.stderr
    folder = tmp_path / "runs" / "small-digits-7"
    recipe = json.loads((folder / "run.json").read_text())["recipe"]
    assert (recipe["epochs"], recipe["lr"], recipe["translate"], recipe["seed"]) == (2, 0.1, 0.0, 7)
    assert recipe["nesterov"] is True  # of the recipe for digits
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("last "))
    tested = run("evaluate", small, "--weights", folder / "last" / "weights.safetensors")
    assert tested.exit_code == 0
    assert f"test error {line.split()[2]} %" in tested.stdout


@pytest.fixture
def classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = SPEC.replace("{default: 8}", "{default: 8}, classes: {default: 10}").replace(
        "out_features: 10", "out_features: classes"
    )
    (tmp_path / "small.yaml").write_text(text)
    return "small.yaml"


def test_a_run_is_distilled_with_its_own_validation_images(classes):
    assert run("train", classes, "--epochs", 2, "--validation", 200, "--seed", 3).exit_code == 0
    teacher = "runs/small-digits-3"
    result = run(
        "distil",
        classes,
        "--from",
        teacher,
        teacher,
        "--temperature",
        3,
        "--leave-out",
        "3,8",
        "--epochs",
        1,
        "--lr",
        0.01,
    )
    assert result.exit_code == 0, result.stderr
    assert "corrected, as the validation images want it:" in result.stdout
    assert "the best, as it was learned" in result.stdout
    recipe = json.loads(Path("runs/small-digits-distilled-0/run.json").read_text())["recipe"]
    assert recipe["distil"] == {
        "teachers": [teacher, teacher],
        "temperature": 3,
        "hard": 0.1,
        "match": "probabilities",
        "leave_out": ["3", "8"],
    }
    assert (recipe["validation"], recipe["validation_seed"]) == (200, 3)
    clash = run("distil", classes, "--from", teacher, "--match", "logits", "--temperature", 3)
    assert (clash.exit_code, "leave --temperature out" in clash.stderr) == (2, True)
    assert "not the folder of a run" in run("distil", classes, "--from", "nowhere").stderr


def test_an_ensemble_is_trained_and_distilled(classes):
    result = run("ensemble", classes, "--count", 2, "--epochs", 1, "--format", "json")
    assert result.exit_code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert len(printed["members"]) == 2
    assert printed["ensemble"]["images"] == printed["distilled"]["images"] == 360
    assert "distilled " in run("ensemble", classes, "--count", 2, "--epochs", 1).stdout


def test_specialists_are_trained_and_tested(classes):
    assert run("train", classes, "--epochs", 2, "--validation", 300).exit_code == 0
    result = run("specialists", "--from", "runs/small-digits-0", "--count", 2, "--epochs", 1, "--soften", 5)
    assert result.exit_code == 0, result.stderr
    assert "+ 2 specialists" in result.stdout
    tested = run("evaluate", "runs/small-digits-specialists-0/1")
    assert (tested.exit_code, "on 360 test images" in tested.stdout) == (0, True)
    printed = json.loads(
        run(
            "specialists",
            classes,
            "--from",
            "runs/small-digits-0",
            "--count",
            2,
            "--epochs",
            1,
            "--soften",
            5,
            "--format",
            "json",
        ).stdout
    )
    assert printed["images"] == 360
    other = run("specialists", "lenet_5", "--from", "runs/small-digits-0")
    assert "is a run of small, and not of lenet_5 as it is here" in " ".join(other.stderr.split())


def test_json_is_all_there_is_on_standard_output(small):
    result = run("train", small, "--epochs", 1, "--recipe", "mnist", "--format", "json", "--set", "side=10")
    printed = json.loads(result.stdout)
    assert printed["data"] == "digits; 1×8×8 fitted to 1×10×10: bilinear"
    assert printed["error"] == printed["epochs"][0]["test"]["error"]
    weights = "runs/small-digits-0/best.safetensors"
    tested = run("evaluate", small, "--weights", weights, "--format", "json", "--set", "side=10")
    assert json.loads(tested.stdout)["error"] == printed["error"]


def test_a_run_is_resumed_with_what_it_knows(small):
    assert run("train", small, "--epochs", 1, "--out", "here").exit_code == 0
    result = run("train", small, "--out", "here", "--resume")
    assert result.exit_code == 0
    assert "resumed after step 22" in result.stderr
    result = run("train", small, "--out", "here", "--resume", "--epochs", 2)
    assert result.exit_code == 2
    assert "another recipe: epochs was 1 and is 2" in result.stderr


def test_a_run_stands_for_its_specification_bindings_data_and_weights(small, tmp_path):
    first = run("train", small, "--set", "side=9", "--epochs", 1, "--validation", 100, "--out", "one")
    assert first.exit_code == 0, first.stderr
    assert "the best, tested once" in first.stdout
    (tmp_path / small).unlink()
    tested = run("evaluate", "one", "--confusion", "--device", "cpu", "--batch", 50)
    assert tested.exit_code == 0, tested.stderr
    (line,) = (line for line in first.stdout.splitlines() if line.startswith("the best, tested once"))
    assert f"test error {line.split()[6]} %" in tested.stdout
    assert len(tested.stdout.splitlines()) == 1 + 1 + 2 + 10
    table = json.loads(run("evaluate", "one", "--format", "json", "--confusion").stdout)["confusion"]
    assert sum(map(sum, table)) == 360
    assert "resumed after step" in run("train", "--resume", "one").stderr
    second = run("train", "--start", "one", "--epochs", 1, "--out", "two", "--set", "side=9")
    assert second.exit_code == 0, second.stderr
    assert "begun with one/best.safetensors" in second.stderr
    assert run("compile", "two", "-o", "two.pt2", "--logits").exit_code == 0
    program = torch.export.load(tmp_path / "two.pt2").module()
    assert program(torch.rand(3, 1, 9, 9)).shape == (3, 10)
    refused = run("evaluate", "one", "--set", "side=8")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "one: is the folder of a run with other bindings than --set side=8\n",
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("content", ["{", "[]", '{"spec": {"bindings": {}}, "data": {"source": 3, "resize": false}}'])
def test_a_record_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.json").write_text(content)
    result = run("evaluate", "odd")
    assert result.exit_code == 2
    assert "odd/run.json: is not the record of a run" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--data", "mnist:nowhere"], "nowhere: there is no train-images-idx3-ubyte.gz"),
        (["--data", "nothing"], "no data are called 'nothing'"),
        (["--lr", "fast"], "lr: expected a number above 0 and at most 1000, found 'fast'"),
        (["--optimizer", "sdg"], "optimizer: expected one of sgd, adam, adamw, rmsprop, found 'sdg'"),
        (["--with", "flip"], "--with takes KEY=VALUE, such as crop=2 (got 'flip')"),
        (["--with", "lr=1", "--lr", "2"], "lr of the recipe is given twice"),
        (["--with", "lr=1", "--with", "lr=2"], "lr of the recipe is given twice"),
        (["--with", "colour=1"], "a recipe has no key 'colour'"),
        (["--recipe", "faulty.yaml"], "faulty.yaml:2:5: expected a number above 0"),
        (["--recipe", "nothing.yaml"], "nothing.yaml: cannot be read"),
        (["--resume"], "--resume needs --out"),
        (["--device", "tpu"], "there is no device 'tpu' here"),
        (["--validation", "-1"], "validation: expected a whole number"),
        (["--resume", "--out", "nothing"], "there is no run to resume"),
        (["--batch", "5000"], "a batch of 5000 is more than the 1437 training images"),
        (["--set", "side=0"], "side"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_2(small, tmp_path, arguments, fault):
    (tmp_path / "faulty.yaml").write_text("epochs: 1\nlr: 0\n")
    result = run("train", small, *arguments)
    assert result.exit_code == 2
    assert fault in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faulty.yaml", "small.yaml"]


def test_without_a_specification_a_run_is_wanted(small):
    assert run("train").stderr == "name a SPEC to train, or a run: --resume RUN, --start RUN\n"
    assert run("train", "--start", "weights.safetensors").exit_code == 2
    assert "is not the folder of a run; name its weights with --weights" in run("evaluate", small).stderr


def test_a_training_that_cannot_go_on_exits_1(small, monkeypatch):
    def stopped(*_, **__):
        raise train.TrainingStoppedError("the loss is nan in step 3, epoch 1")

    monkeypatch.setattr(train, "fit", stopped, raising=False)
    result = run("train", small)
    assert (result.exit_code, result.stderr) == (1, "the loss is nan in step 3, epoch 1\n")


@pytest.mark.parametrize(("rank", "speaks"), [("0", True), ("1", False)])
def test_an_interrupted_run_says_how_to_go_on_once_for_all_processes(small, monkeypatch, rank, speaks):
    def interrupted(arch, *_, out, **__):
        return train.Result(arch.name, "digits", 650, out, (), 3, signal=15)

    monkeypatch.setattr(train, "fit", interrupted, raising=False)
    monkeypatch.setenv("RANK", rank)
    result = run("train", small, "--set", "side=8", "--out", "my run")
    assert result.exit_code == 128 + 15
    resume = "archspec train --resume 'my run'"
    assert (f"interrupted; everything is saved: {resume}" in result.stderr) == speaks


def test_help_needs_no_torch():
    begin = "import sys\nfrom archspec.cli import app\n"
    code = f"{begin}app(['train', '--help'], standalone_mode=False)\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
