"""The folder of a run: what is not ours stays as it was, and one training at a time works in it."""

import os
import signal
import subprocess
import sys

import pytest

from archspec.errors import ArchspecError
from archspec.train import Options, Recipe, Watcher, checkpoint, fit, record

ONE = Recipe(epochs=1)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", record.OWN)
def test_a_folder_with_a_name_of_ours_and_no_record_is_refused_and_left_as_it_was(plain, tmp_path, name):
    folder = name in {"last", "previous", "unfinished", "tensorboard"}
    place = tmp_path / name / "mine.txt" if folder else tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine")
    before = files(tmp_path)
    with pytest.raises(ArchspecError, match=rf"has {name} and no run\.json: .*; --out names another folder"):
        fit(plain, "digits", ONE, out=tmp_path)
    assert files(tmp_path) == before


def test_a_link_that_leads_nowhere_is_a_name_too(plain, tmp_path):
    (tmp_path / "best.safetensors").symlink_to("nowhere")
    with pytest.raises(ArchspecError, match=r"has best\.safetensors and no run"):
        fit(plain, "digits", ONE, out=tmp_path)


def test_other_files_stay(plain, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_somebody_lays_into_a_checkpoint_stays_in_the_last_one(tmp_path):
    def saved(step):
        checkpoint.write(tmp_path, checkpoint.Checkpoint({}, {}, {"step": step}, {}))

    saved(1)
    (tmp_path / "last" / "notes").mkdir()
    (tmp_path / "last" / "notes" / "a.txt").write_text("mine")
    for step in (2, 3):
        saved(step)
        assert (tmp_path / "last" / "notes" / "a.txt").read_text() == "mine"
        assert checkpoint.read(tmp_path).state["step"] == step
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "b.txt").write_text("mine")
    with pytest.raises(ArchspecError, match=r"b\.txt is not of this training; move it elsewhere; the one before is"):
        saved(4)
    assert (tmp_path / "unfinished" / "b.txt").read_text() == "mine"


class Second(Watcher):
    """Tries to train in the same folder while the first training does."""

    def __init__(self, arch, options):
        self.arch, self.options, self.said = arch, options, []

    def stepped(self, step, loss):  # noqa: ARG002
        with pytest.raises(ArchspecError) as refused:
            fit(self.arch, "digits", ONE, out=self.out, options=self.options)
        self.said.append(str(refused.value).partition(": ")[2])

    def began(self, result, steps, done):  # noqa: ARG002
        self.out = result.out


@pytest.mark.parametrize(
    ("resume", "why"), [(False, "holds a run already"), (True, "another training is running in this folder")]
)
def test_two_trainings_in_one_folder_are_one_too_many(plain, tmp_path, resume, why):
    second = Second(plain, Options(resume=resume))
    alone = fit(plain, "digits", ONE, out=tmp_path / "alone")
    result = fit(plain, "digits", ONE, out=tmp_path / "run", watcher=second)
    assert second.said
    assert all(said.startswith(why) for said in second.said)
    assert [epoch.loss for epoch in result.epochs] == [epoch.loss for epoch in alone.epochs]
    lines = [(tmp_path / name / "log.jsonl").read_text().count("\n") for name in ("alone", "run")]
    assert lines[0] == lines[1]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_run_killed_as_it_began_is_begun_again(plain, tmp_path):
    """Killed while it held its record: the lock is gone, and an empty record is of no run."""
    code = """
import os, pathlib, signal, sys
from archspec.train import record
with record.claimed(pathlib.Path(sys.argv[1]), begins=True):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "run.json").read_bytes() == b""
    assert fit(plain, "digits", ONE, out=tmp_path).last.epoch == 1


def test_a_record_that_cannot_be_written_leaves_none(plain, tmp_path, monkeypatch):
    monkeypatch.setattr("os.write", lambda *_: 3)
    with pytest.raises(ArchspecError, match=r"run\.json: cannot be written: .*No space left on device"):
        fit(plain, "digits", ONE, out=tmp_path)
    monkeypatch.undo()
    assert fit(plain, "digits", ONE, out=tmp_path).last.epoch == 1
