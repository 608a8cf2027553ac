"""Killed, interrupted, shared by processes: the command line, in processes of its own."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from archspec.train import Options, Recipe, Watcher, data, fit
from archspec.train.interrupt import stop_signal

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
EPOCHS = 8


def written(recipe, path):
    """A recipe as a file."""
    keys = recipe.model_dump(exclude_none=True, exclude={"stages"})
    path.write_text("".join(f"{key}: {value}\n" for key, value in keys.items()))
    return path


@pytest.fixture
def long(recipe):
    """88 steps."""
    return recipe.changed({"epochs": EPOCHS})


@pytest.fixture
def started(tiny, long, tmp_path):
    """A training of some seconds that saves every 7 steps, in another process."""
    (tmp_path / "tiny.yaml").write_text(tiny.dumps())
    command = [sys.executable, "-m", "archspec", "train", tmp_path / "tiny.yaml", "--out", tmp_path / "run"]
    options = ["--recipe", written(long, tmp_path / "recipe.yaml"), "--save-steps", "7"]
    process = subprocess.Popen([*command, *options], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def wait_for(process, path, lines):
    """Wait until a log has so many lines."""
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


def tensors(out):
    """All that a run has saved last."""
    files = [load_file(out / "last" / f"{name}.safetensors") for name in ("weights", "training")]
    return {f"{i}.{key}": value for i, file in enumerate(files) for key, value in file.items()}


@pytest.fixture(scope="module")
def whole():
    """All that the long run has saved, when nothing ended it."""
    saved = {}

    def of(arch, recipe, out):
        """Trained once, whichever test asks first."""
        if not saved:
            saved.update(tensors(fit(arch, "digits", recipe, out=out).out))
        return saved

    return of


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_or_interrupted_at_any_step_ends_with_the_same_bits(
    started, tiny, long, tmp_path, number, whole
):
    out = tmp_path / "run"
    moment = random.SystemRandom().randrange(7, EPOCHS * 11 // 2)
    wait_for(started, out / "log.jsonl", moment)
    time.sleep(random.SystemRandom().random() / 50)
    started.send_signal(number)
    said = started.communicate(timeout=60)[1]
    if number == signal.SIGINT:
        assert started.returncode == 130
        resume = re.search(r"interrupted; everything is saved: (.*)\n$", said)[1]
        assert resume == f"archspec train --resume {out}"
    else:
        assert started.returncode == -signal.SIGKILL
    resumed = fit(tiny, out=out, options=Options(resume=True))
    found, wanted = tensors(resumed.out), whole(tiny, long, tmp_path / "whole")
    assert set(found) == set(wanted)
    differ = [name for name, value in wanted.items() if not torch.equal(found[name], value)]
    assert not differ, f"stopped after {moment} lines of the log, resumed after step {resumed.resumed}"


def test_two_processes_learn_what_one_learns(plain, tmp_path):
    chosen = Recipe(epochs=3, batch=100, lr=0.1, crop=1, clip=1.0, ema=0.5, nesterov=True)
    (tmp_path / "plain.yaml").write_text(plain.dumps())
    command = [sys.executable, Path(__file__).with_name("processes.py"), "train", tmp_path / "plain.yaml"]
    recipe = written(chosen, tmp_path / "recipe.yaml")
    done = subprocess.run(
        [*command, "--out", tmp_path / "two", "--recipe", recipe, "--format", "json"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    two = json.loads(done.stdout)
    one = fit(plain, "digits", chosen, out=tmp_path / "one")
    for mine, theirs in zip(one.epochs, two["epochs"], strict=True):
        assert theirs["loss"] == pytest.approx(mine.loss, rel=1e-4)
        assert theirs["test"]["loss"] == pytest.approx(mine.test.loss, rel=1e-4)
        assert theirs["test"]["images"] == 360
    assert json.loads((tmp_path / "two" / "run.json").read_text())["place"]["processes"] == 2
    resumed = fit(plain, out=tmp_path / "two", options=Options(resume=True))
    assert resumed.moved == "processes was 2 and is 1"


class Ask(Watcher):
    """Sends the signal of Ctrl-C after so many steps."""

    def __init__(self, step):
        self.step = step

    def stepped(self, step, loss):  # noqa: ARG002
        if step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(("asked", "stops"), [(20, 21), (22, 23), (44, 44)])
def test_the_step_that_is_running_is_finished_and_saved(plain, tmp_path, asked, stops):
    result = fit(plain, "digits", Recipe(epochs=2), out=tmp_path, watcher=Ask(asked))
    assert json.loads((tmp_path / "last" / "state.json").read_text())["step"] == stops
    assert result.signal == (signal.SIGINT if stops < 44 else None)
    assert len(result.epochs) == stops // 22
    assert len(fit(plain, out=tmp_path, options=Options(resume=True)).epochs) == 2


def test_the_first_signal_is_noted_and_the_second_kills():
    before = signal.getsignal(signal.SIGINT)  # ignored, where the tests run in the background of a shell
    with stop_signal(patient=False) as ears:
        os.kill(os.getpid(), signal.SIGTERM)
        assert ears.signal == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with stop_signal(patient=True) as ears:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert ears.signal == signal.SIGINT


def test_in_another_thread_a_training_hears_nothing_and_works(plain, tmp_path):
    results = []
    digits = data.load("digits", (1, 8, 8), 10)
    thread = threading.Thread(
        target=lambda: results.append(fit(plain, digits, Recipe(epochs=1, batch=700), out=tmp_path))
    )
    thread.start()
    thread.join()
    assert results[0].last.step == 2
