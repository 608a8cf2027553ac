"""Checkpoints: what is read is what was written, and a save that fails leaves the one before."""

import json
import resource
import shutil

import pytest
import torch

from archspec.errors import ArchspecError
from archspec.train import TrainingStoppedError, checkpoint
from archspec.train.checkpoint import Checkpoint


def saved(step, size=4):
    weights = {"fc.weight": torch.full((size, 3), float(step))}
    return Checkpoint(weights, {"optimizer.0.momentum_buffer": torch.arange(3.0)}, {"step": step}, {"step": step})


@pytest.fixture
def out(tmp_path):
    checkpoint.write(tmp_path, saved(1))
    return tmp_path


def step_of(out):
    found = checkpoint.read(out)
    assert found.weights["fc.weight"].unique().tolist() == [found.state["step"]] == [found.note["step"]]
    return found.state["step"]


def test_what_is_read_is_what_was_written(out):
    found = checkpoint.read(out)
    assert torch.equal(found.training["optimizer.0.momentum_buffer"], torch.arange(3.0))
    assert step_of(out) == 1
    checkpoint.write(out, saved(2))
    assert step_of(out) == 2
    assert [path.name for path in out.iterdir()] == ["last"]


def test_where_nothing_was_saved_nothing_is_read(tmp_path):
    assert checkpoint.read(tmp_path) is None


def test_a_kill_while_saving_leaves_one_whole_checkpoint(out):
    (out / "unfinished").mkdir()
    (out / "unfinished" / "weights.safetensors").write_bytes(b"half of")
    assert step_of(out) == 1
    (out / "last").rename(out / "previous")  # killed between the two renames
    assert step_of(out) == 1
    checkpoint.write(out, saved(2))
    assert step_of(out) == 2
    (out / "previous").mkdir()  # killed while the old one is removed
    assert step_of(out) == 2
    checkpoint.write(out, saved(3))
    assert [path.name for path in out.iterdir()] == ["last"]


def test_a_full_disk_leaves_the_checkpoint_before(out):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(TrainingStoppedError, match=r"cannot be saved: .*the one before is intact"):
            checkpoint.write(out, saved(2, size=10_000))
        with pytest.raises(TrainingStoppedError, match=r"cannot be saved: .*there is none before it"):
            checkpoint.write(out / "other", saved(2, size=10_000))
        with pytest.raises(TrainingStoppedError, match=r"cannot write .*best\.safetensors.*; those before are intact"):
            checkpoint.write_weights(out / "best.safetensors", saved(2, size=10_000).weights, {})
        with pytest.raises(TrainingStoppedError, match=r"cannot write .*run\.json"):
            checkpoint.write_text(out / "run.json", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert step_of(out) == 1
    assert sorted(path.name for path in out.iterdir() if any(path.iterdir())) == ["last"]


@pytest.mark.parametrize("name", ["weights.safetensors", "training.safetensors", "state.json"])
def test_a_disk_full_at_any_file_leaves_the_checkpoint_before(out, name, monkeypatch):
    real = checkpoint.settle

    def full(path):
        if path.name == name:
            raise OSError(28, "No space left on device")
        return real(path)

    monkeypatch.setattr(checkpoint, "settle", full)
    with pytest.raises(TrainingStoppedError, match="No space left on device; the one before is intact"):
        checkpoint.write(out, saved(2))
    assert step_of(out) == 1


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("weights.safetensors", b"", "is corrupt: its SHA-256 is e3b0c44298fc…, what was saved had"),
        ("training.safetensors", None, "cannot be read"),
        ("state.json", b"{", "cannot be read"),
        ("state.json", b"[1]", "is not the record of a training"),
        ("state.json", b'{"step": 1}', "is corrupt"),
        ("state.json", b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_corrupt_checkpoint_is_refused(out, name, content, fault):
    path = out / "last" / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ArchspecError) as caught:
        checkpoint.read(out)
    assert fault in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 8, (50).to_bytes(8, "little") + b"{" * 50])
def test_a_file_of_weights_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(ArchspecError, match="not a safetensors file that can be read"):
        checkpoint.read_weights(tmp_path / "w.safetensors")


def test_a_pickle_is_no_file_of_weights(tmp_path):
    torch.save({"fc.weight": torch.ones(1)}, tmp_path / "w.pt")
    with pytest.raises(ArchspecError, match="not a safetensors file"):
        checkpoint.read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize("note", ["{", "[1]", "7"])
def test_a_note_that_is_none_of_ours_is_left_aside(tmp_path, note):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "w.safetensors", metadata={"archspec": note})
    assert checkpoint.read_weights(tmp_path / "w.safetensors")[1] == {}


def test_the_files_are_ordinary(out):
    shutil.copy(out / "last" / "weights.safetensors", out / "copy.safetensors")
    tensors, note = checkpoint.read_weights(out / "copy.safetensors")
    assert (list(tensors), note) == (["fc.weight"], {"step": 1})
    state = json.loads((out / "last" / "state.json").read_text())
    assert set(state["files"]) == {"weights.safetensors", "training.safetensors"}
