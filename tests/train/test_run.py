"""A training: it learns, it records, it can be resumed, it stops where it must."""

import json
import resource
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

import archspec
from archspec import extras
from archspec.errors import ArchspecError, MissingExtraError
from archspec.train import Options, Recipe, TrainingStoppedError, Watcher, checkpoint, data, evaluate, fit, loop, run
from archspec.train.batches import device_of
from archspec.train.data import Data


class Stop(Watcher):
    """Ends a training as a power cut does, after the first look at the losses past a step."""

    def __init__(self, step):
        self.step = step

    def stepped(self, step, loss):  # noqa: ARG002
        if step >= self.step:
            raise ConnectionAbortedError


def weights(out):
    return load_file(out / "last" / "weights.safetensors") | {
        f"training.{key}": value for key, value in load_file(out / "last" / "training.safetensors").items()
    }


def same(one, other):
    assert set(one) == set(other)
    return all(torch.equal(one[name], other[name]) for name in one)


def log(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_digits_are_learned(plain, tmp_path):
    result = fit(plain, out=tmp_path, chosen=Recipe(epochs=8, lr=0.1))
    assert result.last.test.error < 5
    assert result.last.loss < result.epochs[0].loss / 4
    assert result.params == 4 * 9 + 4 + 4 * 36 * 10 + 10
    assert (result.data, result.planned, result.resumed, result.signal) == ("digits", 8, None, None)
    assert evaluate(plain, tmp_path / "last" / "weights.safetensors", "digits") == result.last.test
    assert evaluate(plain, tmp_path / "best.safetensors", "digits") == result.best.test
    assert result.best.test.right >= result.last.test.right


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    "keys",
    [
        {"optimizer": "adam", "lr": 0.01},
        {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.01, "decay": "matrices"},
        {"optimizer": "rmsprop", "lr": 0.002, "momentum": 0.5},
        {"optimizer": "sgd", "momentum": 0, "lr": 0.3},
        {"precision": "bf16", "lr": 0.1, "ema": 0.9},
    ],
)
def test_every_optimiser_learns_and_resumes(plain, tmp_path, keys):
    chosen = Recipe(epochs=3, batch=32, **keys)
    whole = fit(plain, out=tmp_path / "whole", chosen=chosen)
    assert whole.last.test.error < 30
    with pytest.raises(ConnectionAbortedError):
        fit(plain, out=tmp_path / "cut", chosen=chosen, options=Options(save_steps=25), watcher=Stop(60))
    resumed = fit(plain, out=tmp_path / "cut", options=Options(resume=True))
    assert resumed.resumed == 50
    assert same(weights(whole.out), weights(resumed.out))


def test_the_run_is_recorded(tiny, recipe, tmp_path):
    result = fit(tiny, "digits", recipe, out=tmp_path, bindings={"side": 9})
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["spec"]["bindings"] == {"side": "9", "classes": "10"}
    assert record["recipe"]["seed"] == 5
    assert record["data"]["note"] == result.data.partition("; ")[2] == "1×8×8 fitted to 1×9×9: bilinear"
    assert record["place"]["versions"]["torch"] == torch.__version__
    assert archspec.load(tmp_path / "spec.yaml") == tiny
    steps = [line for line in log(tmp_path) if line["kind"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, 3 * 11 + 1))
    assert steps[0]["lr"] == pytest.approx(0.1 / 11)
    assert steps[11]["epoch"] == 2
    epochs = [line for line in log(tmp_path) if line["kind"] == "epoch"]
    assert [line["error"] for line in epochs] == [epoch.test.error for epoch in result.epochs]
    assert epochs[0]["loss"] == pytest.approx(sum(line["loss"] for line in steps[:11]) / 11)
    assert epochs[0]["images_per_second"] == pytest.approx(11 * 128 / epochs[0]["seconds"])


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_same_seed_gives_the_same_weights_and_another_does_not(tiny, recipe, tmp_path):
    torch.manual_seed(1)
    one = fit(tiny, "digits", recipe, out=tmp_path / "one")
    torch.manual_seed(2)
    two = fit(tiny, "digits", recipe, out=tmp_path / "two")
    other = fit(tiny, "digits", recipe.changed({"seed": 6}), out=tmp_path / "other")
    assert same(weights(one.out), weights(two.out))
    assert not same(weights(one.out), weights(other.out))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("step", [3, 15, 30])
def test_a_resumed_run_ends_like_one_that_was_not_interrupted(tiny, recipe, tmp_path, step):
    whole = fit(tiny, "digits", recipe, out=tmp_path / "whole")
    with pytest.raises(ConnectionAbortedError):
        fit(tiny, "digits", recipe, out=tmp_path / "cut", options=Options(save_steps=3), watcher=Stop(step))
    resumed = fit(tiny, out=tmp_path / "cut", options=Options(resume=True))
    assert resumed.resumed == (step - 1) // 3 * 3 or step == 3
    assert same(weights(whole.out), weights(resumed.out))
    assert same(load_file(whole.out / "best.safetensors"), load_file(resumed.out / "best.safetensors"))
    assert [epoch.test for epoch in resumed.epochs] == [epoch.test for epoch in whole.epochs]
    assert [epoch.loss for epoch in resumed.epochs] == [epoch.loss for epoch in whole.epochs]
    timeless = [
        [{key: value for key, value in line.items() if "second" not in key} for line in log(out)]
        for out in (whole.out, resumed.out)
    ]
    assert timeless[0] == timeless[1]


def test_a_run_that_has_ended_is_resumed_to_the_same_result(tiny, recipe, tmp_path):
    ended = fit(tiny, "digits", recipe, out=tmp_path)
    before = (tmp_path / "log.jsonl").read_bytes()
    again = fit(tiny, "digits", recipe, out=tmp_path, options=Options(resume=True))
    assert (again.epochs, again.resumed) == (ended.epochs, 33)
    assert (tmp_path / "log.jsonl").read_bytes() == before


def test_a_run_without_a_checkpoint_yet_is_resumed_from_its_beginning(plain, tmp_path):
    chosen = Recipe(epochs=1)
    with pytest.raises(ConnectionAbortedError):
        fit(plain, "digits", chosen, out=tmp_path / "cut", watcher=Stop(1))
    resumed = fit(plain, out=tmp_path / "cut", options=Options(resume=True))
    whole = fit(plain, "digits", chosen, out=tmp_path / "whole")
    assert resumed.resumed is None
    assert same(weights(whole.out), weights(resumed.out))
    assert len(log(resumed.out)) == len(log(whole.out))


def test_a_change_of_place_is_told(plain, tmp_path):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    record = json.loads((tmp_path / "run.json").read_text())
    record["place"]["threads"] = 64
    (tmp_path / "run.json").write_text(json.dumps(record))
    resumed = fit(plain, out=tmp_path, options=Options(resume=True))
    assert resumed.moved == "threads was 64 and is 1"


# ------------------------------------------------------------------ what is refused


def test_a_run_is_not_overwritten(plain, tmp_path):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    with pytest.raises(ArchspecError, match="holds a run already; --resume continues it, and --out names another"):
        fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    with pytest.raises(ArchspecError, match="there is no run to resume; without --resume one begins"):
        fit(plain, out=tmp_path / "none", options=Options(resume=True))


def test_a_checkpoint_of_another_specification_is_refused_with_both_digests(tiny, plain, tmp_path):
    fit(tiny, "digits", Recipe(epochs=1), out=tmp_path)
    old, new = (archspec.language.digest(arch.document)[:12] for arch in (tiny, plain))
    refusal = f"is of another specification: tiny with digest {old}…, this is plain with {new}…"
    with pytest.raises(ArchspecError, match=refusal):
        fit(plain, out=tmp_path, options=Options(resume=True))
    with pytest.raises(ArchspecError, match=refusal):
        evaluate(plain, tmp_path / "best.safetensors", "digits")
    with pytest.raises(ArchspecError, match=f"has other bindings: side=8, classes=10; these are side=9.*{old}"):
        fit(tiny, out=tmp_path, bindings={"side": 9}, options=Options(resume=True))


def test_another_recipe_or_other_data_are_refused(plain, tmp_path):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    again = Options(resume=True)
    with pytest.raises(ArchspecError, match=r"another recipe: epochs was 1 and is 2; lr was 0\.05 and is 0\.1"):
        fit(plain, "digits", Recipe(epochs=2, lr=0.1), out=tmp_path, options=again)
    digits = data.load("digits", (1, 8, 8), 10)
    other = Data("digits", digits.test, digits.train, 10)
    with pytest.raises(ArchspecError, match="has other data: digits with SHA-256"):
        fit(plain, other, Recipe(epochs=1), out=tmp_path, options=again)


def test_data_of_python_are_asked_for_again(plain, tmp_path):
    digits = data.load("digits", (1, 8, 8), 10)
    fit(plain, digits, Recipe(epochs=1), out=tmp_path)
    with pytest.raises(ArchspecError, match="handed over in Python; hand them over again"):
        fit(plain, out=tmp_path, options=Options(resume=True))
    assert fit(plain, digits, out=tmp_path, options=Options(resume=True)).resumed == 22


@pytest.mark.parametrize("content", ["{", "[]", '{"spec": 1}', '{"data": {}}', "\x00"])
def test_a_record_that_is_none_is_refused(plain, tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ArchspecError, match=r"run\.json: (cannot be read|is not the record of a)"):
        fit(plain, out=tmp_path, options=Options(resume=True))


@pytest.mark.parametrize(
    "change",
    [
        {"step": "many"},
        {"epochs": [1]},
        {"scaler": None, "log": None},
        {"epochs": [{"test": {}}]},
    ],
)
def test_a_state_that_is_none_is_refused(plain, tmp_path, change):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    path = tmp_path / "last" / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArchspecError, match="the checkpoint is not one of this run"):
        fit(plain, out=tmp_path, options=Options(resume=True))


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        ({"optimizer.x.momentum_buffer": torch.ones(1)}, "the optimiser's state has x.momentum_buffer; there are 4"),
        ({"optimizer.4.momentum_buffer": torch.ones(1)}, "has 4.momentum_buffer"),
        ({"optimizer.0.momentum_buffer": torch.ones(1)}, r"0.momentum_buffer is \(1,\), its parameter \(4, 1, 3, 3\)"),
    ],
)
def test_the_state_of_another_optimiser_is_refused(plain, tmp_path, tensors, fault):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path)
    found = checkpoint.read(tmp_path)
    checkpoint.write(tmp_path, checkpoint.Checkpoint(found.weights, tensors, found.state, found.note))
    with pytest.raises(ArchspecError, match=fault):
        fit(plain, out=tmp_path, options=Options(resume=True))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: t.pop("fc.bias"), "there is no weight fc.bias"),
        (lambda t: t.update({"fc.bias": torch.ones(3)}), r"fc.bias is \(3,\), the network's is \(10,\)"),
        (lambda t: t.update({"more": torch.ones(3)}), "more is not a weight of the network"),
    ],
)
def test_weights_of_another_network_are_refused(plain, tmp_path, change, fault):
    tensors = {name: tensor.clone() for name, tensor in plain.to_torch().state_dict().items()}
    change(tensors)
    checkpoint.write_weights(tmp_path / "w.safetensors", tensors, {})
    with pytest.raises(ArchspecError, match=fault):
        evaluate(plain, tmp_path / "w.safetensors", "digits")


def test_weights_from_elsewhere_are_scaled_by_the_training_images(plain, tmp_path):
    result = fit(plain, "digits", Recipe(epochs=2), out=tmp_path)
    checkpoint.write_weights(tmp_path / "bare.safetensors", load_file(tmp_path / "last" / "weights.safetensors"), {})
    assert evaluate(plain, tmp_path / "bare.safetensors", "digits") == result.last.test
    for note in ({"spec": 1}, {"spec": {"name": "a", "digest": "b"}, "mean": 1, "deviation": [1.0]}):
        checkpoint.write_weights(tmp_path / "odd.safetensors", {}, note)
        with pytest.raises(ArchspecError, match="its note is not one that archspec writes"):
            evaluate(plain, tmp_path / "odd.safetensors", "digits")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("input: [40]\nnetwork: [{linear: {out_features: 10}}]", "odd takes 40; images are channels × height"),
        ("input: [1, 8, 8]\nnetwork: [relu]", "odd gives 1×8×8; expected one number per class"),
        ("input: [1, 8, 8]\nnetwork: [flatten, {linear: {out_features: 7}}]", "digits has 10 classes, the network"),
        ("input: [2, 8, 8]\nnetwork: [flatten, {linear: {out_features: 10}}]", "images are 1×8×8, the network takes 2"),
    ],
)
def test_a_network_that_does_not_fit_the_data_is_refused(tmp_path, body, fault):
    arch = archspec.loads(f"archspec: 1\nname: odd\n{body}\n")
    with pytest.raises(ArchspecError, match=fault):
        fit(arch, "digits", Recipe(epochs=1), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_devices_and_precisions_that_there_are_not_are_refused(plain, tmp_path):
    with pytest.raises(ArchspecError, match="there is no device 'tpu' here; auto, cpu, cuda or cuda:1"):
        fit(plain, chosen=Recipe(), out=tmp_path / "a", options=Options(device="tpu"))
    with pytest.raises(ArchspecError, match="precision fp16 needs a GPU; on a processor, try bf16 or no"):
        fit(plain, chosen=Recipe(precision="fp16"), out=tmp_path / "a", options=Options(device="cpu"))


def test_a_build_that_knows_a_gpu_computes_without_one_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_: torch.device("cuda"))
    assert device_of("auto") == torch.device("cpu")


def test_processes_that_cannot_work_together_are_refused(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "Accelerator", lambda **_: SimpleNamespace(num_processes=1))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ArchspecError, match="2 processes were started and cannot work together on this device"):
        fit(plain, chosen=Recipe(), out=tmp_path / "a")


def test_a_folder_that_cannot_be_made_is_refused(plain, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchspecError, match="the folder cannot be used: Not a directory"):
        fit(plain, chosen=Recipe(epochs=1), out=tmp_path / "file" / "run")


# ------------------------------------------------------------------ where it must stop


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_weights(plain, tmp_path, monkeypatch):
    real = run.Loop.step

    def exploding(self, step):
        loss = real(self, step)
        return loss * float("nan") if step == 40 else loss

    monkeypatch.setattr(run.Loop, "step", exploding)
    with pytest.raises(TrainingStoppedError, match=r"the loss is nan in step 41, epoch 2; .*last holds the last good"):
        fit(plain, "digits", Recipe(epochs=3), out=tmp_path, options=Options(save_steps=25))
    assert checkpoint.read(tmp_path).state["step"] == 25
    assert log(tmp_path)[-1]["step"] <= 40


def test_a_rate_that_is_far_too_high_stops_before_anything_is_saved(plain, tmp_path):
    with pytest.raises(TrainingStoppedError, match="nothing had been saved yet; a lower --lr or --clip 1 may help"):
        fit(plain, "digits", Recipe(epochs=3, lr=1000, schedule="constant"), out=tmp_path)
    assert not (tmp_path / "last").exists()


def test_weights_that_are_no_numbers_are_not_saved(plain, tmp_path, monkeypatch):
    real = run.Loop.step

    def poisoned(self, step):
        loss = real(self, step)
        if step == 24:
            with torch.no_grad():
                self.parameters[0].fill_(float("inf"))
        return loss

    monkeypatch.setattr(run.Loop, "step", poisoned)
    with pytest.raises(TrainingStoppedError, match="a weight is not a number after step 25, epoch 2"):
        fit(plain, "digits", Recipe(epochs=3), out=tmp_path, options=Options(save_steps=25))
    assert checkpoint.read(tmp_path).state["step"] == 22


def test_a_test_loss_that_is_no_number_stops(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(run.Loop, "score", lambda _: run.Score(360, float("nan"), 0, 0))
    with pytest.raises(TrainingStoppedError, match="the loss on the test images is nan after step 22"):
        fit(plain, "digits", Recipe(epochs=1), out=tmp_path)


def test_a_disk_that_fills_up_stops_and_the_run_can_be_resumed(plain, tmp_path, monkeypatch):
    chosen = Recipe(epochs=2)
    real, calls = checkpoint._save, []

    def filling(*arguments):
        calls.append(arguments)
        if len(calls) > 5:
            raise OSError(28, "No space left on device")
        real(*arguments)

    monkeypatch.setattr(checkpoint, "_save", filling)
    with pytest.raises(TrainingStoppedError, match="No space left on device"):
        fit(plain, "digits", chosen, out=tmp_path / "full", options=Options(save_steps=10))
    monkeypatch.undo()
    resumed = fit(plain, out=tmp_path / "full", options=Options(resume=True))
    assert resumed.resumed == 20
    assert same(weights(resumed.out), weights(fit(plain, "digits", chosen, out=tmp_path / "whole").out))


def test_a_log_that_cannot_be_written_stops(plain, tmp_path):
    fit(plain, "digits", Recipe(epochs=1), out=tmp_path / "a")
    (tmp_path / "a" / "log.jsonl").unlink()
    (tmp_path / "a" / "log.jsonl").mkdir()
    with pytest.raises(TrainingStoppedError, match=r"log\.jsonl: cannot be written"):
        fit(plain, out=tmp_path / "a", options=Options(resume=True))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(
            TrainingStoppedError, match=r"log\.jsonl: cannot be written: .*; the last checkpoint is intact"
        ):
            fit(plain, "digits", Recipe(epochs=1, batch=8), out=tmp_path / "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# ------------------------------------------------------------------ options


def test_time_that_has_passed_is_a_reason_to_save(plain, tmp_path):
    with pytest.raises(ConnectionAbortedError):
        fit(plain, "digits", Recipe(epochs=3), out=tmp_path, options=Options(save_seconds=0), watcher=Stop(42))
    assert checkpoint.read(tmp_path).state["step"] == 22  # the look that stopped came before its save


def test_channels_last_and_compile_learn_the_same(plain, tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    chosen = Recipe(epochs=2)
    usual = fit(plain, "digits", chosen, out=tmp_path / "usual")
    other = fit(plain, "digits", chosen, out=tmp_path / "other", options=Options(channels_last=True, compile=True))
    assert len(compiled) == 1
    assert other.last.loss == pytest.approx(usual.last.loss, rel=1e-3)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_channels_last_resumes_to_the_bit(tiny, recipe, tmp_path):
    options = Options(channels_last=True, save_steps=10)
    whole = fit(tiny, "digits", recipe, out=tmp_path / "whole", options=options)
    with pytest.raises(ConnectionAbortedError):
        fit(tiny, "digits", recipe, out=tmp_path / "cut", options=options, watcher=Stop(20))
    resumed = fit(tiny, out=tmp_path / "cut", options=Options(channels_last=True, resume=True))
    assert same(weights(whole.out), weights(resumed.out))


def test_a_softmax_at_the_end_learns_like_none(plain, tmp_path):
    ended = archspec.loads(plain.dumps() + "- softmax\n")
    chosen = Recipe(epochs=2)
    without, with_ = fit(plain, out=tmp_path / "a", chosen=chosen), fit(ended, out=tmp_path / "b", chosen=chosen)
    assert with_.last.loss == pytest.approx(without.last.loss, rel=1e-4)
    assert with_.last.test.loss == pytest.approx(without.last.test.loss, rel=1e-4)


def test_tensorboard_is_written_where_it_is_installed(plain, tmp_path, monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            written.append(folder)

        def add_scalar(self, *arguments):
            written.append(arguments)

        def close(self):
            written.append("closed")

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    fit(plain, out=tmp_path / "a", chosen=Recipe(epochs=1), options=Options(tensorboard=True))
    assert (written[0], written[-1]) == (str(tmp_path / "a" / "tensorboard"), "closed")
    assert {name for name, *_ in written[1:-1]} == {"loss/train", "lr", "loss/test", "top1", "top5"}
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ArchspecError, match="pip install tensorboard, or leave --tensorboard out"):
        fit(plain, out=tmp_path / "b", chosen=Recipe(epochs=1), options=Options(tensorboard=True))


def test_without_its_extra_training_says_which_it_is(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "accelerate" else name)
    with pytest.raises(MissingExtraError, match=r"this needs accelerate: pip install 'archspec-nn\[train\]'"):
        _ = archspec.train.fit


def test_every_public_name_is_found():
    for name in archspec.train.__all__:
        assert getattr(archspec.train, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = archspec.train.fitt
