"""Methods of training: their gradients, what they hold to, and that a training by them is resumed to the bit."""

import json
import math
from itertools import product

import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

import archspec
from archspec.errors import ArchspecError
from archspec.formula import distillation
from archspec.train import Options, Recipe, Watcher, checkpoint, data, evaluate, fit
from archspec.train.data import Data, DataSplit, held_out
from archspec.train.loop import recompute
from archspec.train.methods import METHODS
from archspec.train.methods.distil import divergence, soft_targets
from archspec.train.methods.share import summed

BINARY = """archspec: 1
name: binary
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 8, kernel_size: 3}, as: conv1}
  - {batch_norm, as: norm}
  - {binary_conv2d: {out_channels: 8, kernel_size: 3}, as: conv2}
  - flatten
  - {binary_linear: {out_features: 12, binary_input: false}, as: fc1}
  - relu
  - {linear: {out_features: 10}, as: fc2}
"""

PLAN = """name: little
layers:
  - {layer: conv, density: 1/2, weight_bits: 3}
  - {layer: fc, density: 1/10, weight_bits: 2}
"""


class Stop(Watcher):
    def __init__(self, step):
        self.step = step

    def stepped(self, step, loss):  # noqa: ARG002
        if step >= self.step:
            raise ConnectionAbortedError


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "little.yaml").write_text(PLAN)
    return str(tmp_path / "little.yaml")


@pytest.fixture
def teacher(plain, tmp_path):
    return str(fit(plain, "digits", Recipe(epochs=2, lr=0.1, seed=9), out=tmp_path / "teacher").out)


def weights(out):
    return load_file(out / "last" / "weights.safetensors")


def everything(out):
    more = load_file(out / "last" / "training.safetensors")
    return weights(out) | {f"training.{key}": value for key, value in more.items()}


# ------------------------------------------------------------------ to the bit


def recipes(plan, teacher):
    """Each method, and each other thing that has something to remember."""
    small = {"epochs": 2, "batch": 128, "lr": 0.05, "seed": 3}
    return {
        "prune": {**small, "ema": 0.9, "prune": {"plan": plan, "steps": 12, "every": 3}},
        "share": {**small, "share": {"plan": plan, "init": "random"}},
        "distil": {**small, "distil": {"teachers": [teacher], "temperature": 4, "hard": 0.3}},
        "quantise": {**small, "quantise": levels(plan)},
        "one_bit": {**small, "ema": 0.9, "optimizer": "adam", "lr": 0.003, "one_bit": "exact"},
        "leave_out": {
            **small, "validation": 100,
            "distil": {"teachers": [teacher], "match": "logits", "hard": 0, "leave_out": ["3", "8"]},
        },
        "specialise": {
            **small, "batch": 64, "ema": 0.9, "specialise": ["2", "7"], "class_weights": {"7": 2, "others": 0.5}
        },
        "bounds": {**small, "max_norm": 1.5, "freeze": "conv", "accumulate": 3, "balance": True},
        "images": {**small, "mixup": 0.4, "area": 0.3, "validation": 200},
        "thawed": {
            **small, "batch": 128,
            "stages": [{"freeze": {"layers": ["conv"], "norms": True}}, {}, {"quantise": levels(plan)}, {}],
            "epochs": 1,
        },
        "stages": {
            "batch": 128,
            "lr": 0.1,
            "ema": 0.8,
            "validation": 100,
            "stages": [
                {"epochs": 1},
                {"epochs": 1, "prune": {"plan": plan, "schedule": "at_once"}, "batch": 256, "optimizer": "adam"},
                {"epochs": 1, "share": {"plan": plan}, "lr": 0.001, "ema": 0},
            ],
        },
    }  # fmt: skip


def levels(plan):
    path = plan.replace("little", "levels")
    with open(path, "w") as file:
        file.write("name: levels\nbatch_norm: fold\nlayers: [{layer: '*', linear_bits: 4, linear_rule: signed}]\n")
    return path


KINDS = ["prune", "share", "quantise", "one_bit", "distil", "leave_out", "specialise", "bounds", "images", "stages"]


STOPS = [*product(KINDS, [4, 16]), ("thawed", 16), ("thawed", 38)]
"""In the first of two epochs or the second; each method is stopped in one of them, and in both by --long."""

AGAIN = {kind: (16, 4)[place % 2] for place, kind in enumerate(KINDS)}


@pytest.mark.parametrize(("kind", "step"), STOPS)
def test_a_training_by_any_method_is_resumed_to_the_bit(tiny, plain, plan, teacher, tmp_path, kind, step, request):
    if step == AGAIN.get(kind) and not request.config.option.long:
        pytest.skip("stopped at another step; run by --long")
    arch = {"distil": plain, "leave_out": plain, "one_bit": archspec.loads(BINARY)}.get(kind, tiny)
    bound = {"classes": 3} if kind == "specialise" else {}
    chosen = Recipe().changed(recipes(plan, teacher)[kind])
    whole = fit(arch, "digits", chosen, out=tmp_path / "whole", bindings=bound)
    options = Options(save_steps=3)
    with pytest.raises(ConnectionAbortedError):
        fit(arch, "digits", chosen, out=tmp_path / "cut", bindings=bound, options=options, watcher=Stop(step))
    resumed = fit(arch, out=tmp_path / "cut", bindings=bound, options=Options(resume=True))
    assert resumed.resumed is not None or step == 4
    one, other = everything(whole.out), everything(resumed.out)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert [(epoch.held, epoch.loss, epoch.learned) for epoch in whole.epochs] == [
        (epoch.held, epoch.loss, epoch.learned) for epoch in resumed.epochs
    ]
    assert (whole.tested, whole.corrected) == (resumed.tested, resumed.corrected)
    again = fit(arch, out=tmp_path / "cut", bindings=bound, options=Options(resume=True))
    assert (again.epochs, again.tested) == (resumed.epochs, resumed.tested)


def test_every_method_is_a_key_of_a_recipe():
    assert {*METHODS} == {
        *("freeze", "max_norm", "distil", "prune", "share", "quantise", "one_bit", "specialise"),
    }
    assert all(Recipe.model_fields[key].default is None for key in METHODS)


# ------------------------------------------------------------------ the numbers of the loop


def test_a_last_softmax_changes_nothing(plain, tmp_path):
    ended = archspec.loads(plain.dumps() + "- softmax\n")
    one, two = (fit(arch, "digits", Recipe(epochs=1), out=tmp_path / str(i)) for i, arch in enumerate((plain, ended)))
    assert one.last.test == two.last.test
    assert all(torch.equal(weights(one.out)[name], tensor) for name, tensor in weights(two.out).items())
    assert evaluate(ended, two.out / "best.safetensors", "digits") == two.best.test


def test_logits_are_what_the_softmax_is_made_of(plain, tmp_path):
    ended = archspec.loads(plain.dumps() + "- softmax\n")
    images = torch.rand(3, 1, 8, 8)
    bare, whole = ended.to_torch(seed=1, logits=True), ended.to_torch(seed=1)
    assert bare.state_dict().keys() == whole.state_dict().keys()
    assert torch.equal(bare(images).softmax(1), whole(images))
    assert torch.equal(plain.to_torch(seed=1, logits=True)(images), bare(images))
    assert "Softmax" in ended.source()
    assert "oftmax" not in ended.source(logits=True)
    ended.write(tmp_path / "m.pt2", seed=1, logits=True)
    assert torch.allclose(torch.export.load(tmp_path / "m.pt2").module()(images), bare(images), atol=1e-6)


def test_a_softmax_in_a_block_is_left_out_of_the_model_and_refused_for_the_source():
    arch = archspec.loads("archspec: 1\nname: deep\ninput: [4]\nblocks: {end: {body: [softmax]}}\nnetwork: [end]\n")
    x = torch.rand(2, 4)
    assert torch.equal(arch.to_torch(logits=True)(x), x)
    with pytest.raises(ArchspecError, match="deep ends with a softmax inside a block; make it the network's last step"):
        arch.source(logits=True)


def test_averaged_weights_have_batch_statistics_of_their_own(tiny, tmp_path):
    chosen = Recipe(epochs=2, batch=64, lr=0.1, ema=0.999)
    result = fit(tiny, "digits", chosen, out=tmp_path)
    saved = weights(tmp_path)
    model = tiny.to_torch(logits=True)
    model.load_state_dict(saved)
    digits = data.load("digits", (1, 8, 8), 10)
    inputs = _inputs(digits)
    model.conv(inputs(digits.train.images))  # what flows into the norm
    recompute(model, digits.train, inputs, 500, torch.no_grad)
    assert all(torch.equal(saved[name], value) for name, value in model.state_dict().items() if "running" in name)
    learning = load_file(tmp_path / "last" / "training.safetensors")["learning.norm.running_mean"]
    assert not torch.allclose(saved["norm.running_mean"], learning, rtol=0.01)
    assert result.last.test.error < 50  # with the statistics of the weights that learn it is chance


def _inputs(found):
    from archspec.train.batches import Standardisation

    return Standardisation(found.statistics, torch.device("cpu"), False)


def test_recomputed_statistics_are_means_over_batches():
    norm = nn.BatchNorm2d(1)
    images = torch.arange(40, dtype=torch.uint8).view(10, 1, 2, 2)
    split = DataSplit(images, torch.zeros(10, dtype=torch.int64))
    inputs = _inputs(Data("d", split, split, 1))
    recompute(norm, split, inputs, 10, torch.no_grad)
    floats = inputs(images)
    assert norm.running_mean.item() == pytest.approx(floats.mean().item(), abs=1e-6)
    assert norm.running_var.item() == pytest.approx(floats.var().item())
    assert (norm.momentum, norm.training) == (0.1, False)


def test_a_batch_in_parts_is_the_same_batch(plain, tmp_path):
    whole, parts = (fit(plain, "digits", Recipe(epochs=1, accumulate=n), out=tmp_path / str(n)).last for n in (1, 5))
    assert parts.loss == pytest.approx(whole.loss, rel=1e-4)
    assert parts.test.loss == pytest.approx(whole.test.loss, rel=1e-3)


def test_training_accuracy_is_that_of_the_images_as_they_were_learned(plain, tmp_path):
    result = fit(plain, "digits", Recipe(epochs=3, lr=0.1), out=tmp_path)
    assert 0 < result.epochs[0].learned < result.last.learned <= 100
    rows = (tmp_path / "epochs.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,step,lr,loss,learned,seconds,")
    assert [float(row.split(",")[4]) for row in rows[1:]] == [epoch.learned for epoch in result.epochs]


def test_confusions_are_counted(plain, tmp_path):
    result = fit(plain, "digits", Recipe(epochs=2, lr=0.1), out=tmp_path)
    score = evaluate(plain, tmp_path / "best.safetensors", "digits", batch=7, device="cpu")
    assert score.right == sum(score.confusion[i][i] for i in range(10)) == result.best.test.right
    labels = data.load("digits", (1, 8, 8), 10).test.labels
    assert [sum(row) for row in score.confusion] == labels.bincount().tolist()


# ------------------------------------------------------------------ validation


@settings(derandomize=True, max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=6), share=st.integers(1, 9), seed=st.integers(0, 99))
def test_validation_images_are_of_all_classes_alike(counts, share, seed):
    labels = torch.cat([torch.full((n,), label) for label, n in enumerate(counts)])
    images = torch.arange(len(labels))[:, None]
    whole = Data("d", DataSplit(images, labels), DataSplit(images[:1], labels[:1]), len(counts))
    count = len(labels) * share // 10
    if not 0 < count < len(labels):
        return
    parted = held_out(whole, count, seed)
    assert len(parted.validation) == count
    both = torch.cat([parted.train.images, parted.validation.images]).flatten()
    assert both.sort().values.equal(images.flatten())  # each image in one of the two
    found = parted.validation.labels.bincount(minlength=len(counts))
    assert all(abs(float(n) - all_ * count / len(labels)) <= 1 for n, all_ in zip(found, counts, strict=True))
    assert held_out(whole, count, seed).digest == parted.digest


def test_the_best_is_chosen_by_validation_and_tested_once(plain, tmp_path):
    result = fit(plain, "digits", Recipe(epochs=3, lr=0.1, validation=200), out=tmp_path)
    assert all(epoch.test is None and epoch.validation.images == 200 for epoch in result.epochs)
    assert result.tested == evaluate(plain, tmp_path / "best.safetensors", "digits") == result.final
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines if line["kind"] != "step"] == ["epoch"] * 3 + ["test"]
    assert json.loads((tmp_path / "run.json").read_text())["data"]["validation"] == 200


def test_a_training_ends_when_it_gets_no_better(plain, tmp_path):
    chosen = Recipe(epochs=30, lr=1e-9, optimizer="adam", validation=100, patience=2)
    result = fit(plain, "digits", chosen, out=tmp_path)
    assert [epoch.epoch for epoch in result.epochs] == [1, 2, 3]
    assert fit(plain, out=tmp_path, options=Options(resume=True)).epochs == result.epochs


# ------------------------------------------------------------------ gradients and masks


@pytest.mark.parametrize("temperature", [1, 2, 20])
def test_the_gradient_of_soft_targets_is_that_of_the_closed_form(temperature):
    """T²·∂KL/∂zᵢ = T·(qᵢ − pᵢ), for the mean over a batch; p and q by the closed form's own softmax."""
    z, v = [[1, -2, 3], [0, 0, 1]], [[2, 2, -1], [5, 0, 0]]
    logits = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    targets = soft_targets([torch.tensor(v, dtype=torch.float64)], temperature)
    divergence(logits, targets, temperature).backward()
    for row, (student, taught) in enumerate(zip(z, v, strict=True)):
        q, p = (distillation.softmax([sympy.Integer(x) for x in each], temperature) for each in (student, taught))
        expected = [float(temperature * (a - b)) / len(z) for a, b in zip(q, p, strict=True)]
        assert logits.grad[row].tolist() == pytest.approx(expected, abs=1e-12)


def test_several_teachers_are_the_mean_of_their_probabilities():
    one, two = torch.tensor([[8.0, 0.0]]).double(), torch.tensor([[0.0, 2.0]]).double()
    p = (one.softmax(1) + two.softmax(1)) / 2
    z = torch.tensor([[0.3, -0.2]]).double()
    expected = (p * (p.log() - z.log_softmax(1))).sum()
    assert divergence(z, soft_targets([one, two], 1), 1).item() == pytest.approx(expected.item())


@settings(derandomize=True, max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 8), size=st.integers(1, 60))
def test_the_gradient_of_a_codebook_is_autograds(seed, count, size):
    drawn = torch.Generator().manual_seed(seed)
    book = torch.randn(count, generator=drawn, dtype=torch.float64, requires_grad=True)
    which = torch.randint(-1, count, (size,), generator=drawn)
    factor = torch.randn(size, generator=drawn, dtype=torch.float64)
    array = torch.where(which < 0, 0, book[which.clamp_min(0)])
    array.retain_grad()
    (factor * array**2).sum().backward()
    assert torch.allclose(summed(array.grad, which, count), book.grad)


def test_what_is_pruned_stays_zero_though_there_was_momentum_before(tiny, plan, tmp_path):
    """Masking gradients alone revives weights as soon as momentum was gathered: here it was, for eight steps."""
    chosen = Recipe(
        epochs=4, batch=128, lr=0.1, ema=0.9, weight_decay=1e-3, prune={"plan": plan, "steps": 20, "every": 9}
    )
    fit(tiny, "digits", chosen, out=tmp_path / "run")
    saved, more = weights(tmp_path / "run"), load_file(tmp_path / "run" / "last" / "training.safetensors")
    for name, share, total in (("conv.weight", 0.5, 8 * 9), ("fc.weight", 0.1, 10 * 8 * 9)):
        mask = more[f"method0.{name}"].bool()
        assert int(mask.sum()) == round(share * total)
        assert not saved[name][~mask].any()
        assert not more[f"learning.{name}"][~mask].any()
        assert saved[name][mask].count_nonzero() == mask.sum()
    momentum = [value for key, value in more.items() if "momentum_buffer" in key]
    assert any(bool(value.abs().max() > 0) for value in momentum)


def test_shared_weights_are_few_numbers_and_zeros_stay(tiny, plan, tmp_path):
    stages = [{"epochs": 1, "prune": {"plan": plan, "schedule": "at_once"}}, {"epochs": 1, "share": {"plan": plan}}]
    first = fit(tiny, "digits", Recipe().changed({"stages": stages[:1]}), out=tmp_path / "one")
    both = fit(tiny, "digits", Recipe().changed({"stages": stages}), out=tmp_path / "both")
    for name, bits in (("conv.weight", 3), ("fc.weight", 2)):
        pruned, shared = weights(first.out)[name], weights(both.out)[name]
        assert torch.equal(pruned == 0, shared == 0)
        assert len(shared[shared != 0].unique()) <= 2**bits
        assert not torch.equal(pruned, shared)


def test_a_student_learns_from_its_teacher(plain, teacher, tmp_path):
    chosen = Recipe(epochs=3, lr=0.1, distil={"teachers": [teacher], "temperature": 5, "hard": 0})
    result = fit(plain, "digits", chosen, out=tmp_path / "student")
    assert result.last.test.error < 15
    record = json.loads((tmp_path / "student" / "run.json").read_text())
    assert record["from"]["distil"]["teachers"] == {
        teacher: checkpoint.digest(tmp_path / "teacher" / "best.safetensors")
    }


def test_units_are_bounded_and_frozen_layers_stay(tiny, tmp_path):
    begun = tiny.to_torch(seed=0).state_dict()
    chosen = Recipe(epochs=1, lr=0.5, max_norm=0.3, freeze={"layers": ["conv", "norm"]})
    fit(tiny, "digits", chosen, out=tmp_path)
    saved = weights(tmp_path)
    for name in ("conv.weight", "norm.weight", "norm.running_mean", "norm.num_batches_tracked"):
        assert torch.equal(saved[name], begun[name])
    assert saved["fc.weight"].norm(dim=1).max() <= 0.3 + 1e-6


# ------------------------------------------------------------------ to begin with weights


HEAD = {"side": 8, "classes": 4}


def four(split):
    kept = split.labels < 4
    return DataSplit(split.images[kept], split.labels[kept])


def test_a_head_of_other_classes_begins_fresh_and_is_named(tiny, tmp_path):
    run = fit(tiny, "digits", Recipe(epochs=1), out=tmp_path / "ten").out
    digits = data.load("digits", (1, 8, 8), 10)
    some = Data("four", four(digits.train), four(digits.test), 4)
    chosen = Recipe(epochs=1, lr=1e-9, optimizer="adam", start=str(run))
    result = fit(tiny, some, chosen, out=tmp_path / "four", bindings=HEAD)
    assert result.note == (
        f"begun with {run / 'best.safetensors'}; fresh: fc.weight (4, 72) for (10, 72), fc.bias (4,) for (10,)"
    )
    assert torch.allclose(weights(result.out)["conv.weight"], weights(run)["conv.weight"], atol=1e-6)
    record = json.loads((tmp_path / "four" / "run.json").read_text())
    assert record["from"]["start"]["sha256"] == checkpoint.digest(run / "best.safetensors")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: t.pop("conv.weight"), "there is no weight conv.weight; archspec weights map brings names together"),
        (lambda t: t.update({"conv.bias": torch.ones(3)}), r"conv.bias is \(3,\), the network's is \(8,\); only the h"),
        (lambda t: t.update({"more": torch.ones(3)}), "more is not a weight of the network"),
    ],
)
def test_other_differences_are_refused(tiny, tmp_path, change, fault):
    tensors = dict(tiny.to_torch().state_dict())
    change(tensors)
    save_file(tensors, tmp_path / "w.safetensors")
    with pytest.raises(ArchspecError, match=fault):
        fit(tiny, "digits", Recipe(start=str(tmp_path / "w.safetensors")), out=tmp_path / "run")


# ------------------------------------------------------------------ what is refused before the first step


def nan_teacher(run):
    path = f"{run}/best.safetensors"
    tensors, note = checkpoint.read_weights(path)
    tensors["fc.bias"][0] = math.nan
    checkpoint.write_weights(checkpoint.Path(path), tensors, note)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"distil": {"teachers": ["nowhere"]}}, "nowhere: is not the folder of a run: it has no run.json"),
        ({"prune": "lenet_5"}, "prune: the plan lenet_5 speaks of 'conv1', which tiny does not have"),
        ({"share": "lenet_5"}, "share: the plan lenet_5 speaks of 'conv1', which tiny does not have"),
        ({"freeze": ["cnv"]}, "freeze: 'cnv' is not a layer of tiny with weights"),
        ({"freeze": "*"}, "freeze: no weight of tiny would learn"),
        ({"validation": 1437}, "1437 of 1437 training images cannot be kept for validation"),
        ({"start": "nowhere.safetensors"}, "nowhere.safetensors: not a safetensors file that can be read"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(tiny, tmp_path, keys, fault):
    with pytest.raises(ArchspecError, match=fault):
        fit(tiny, "digits", Recipe().changed(keys), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_teacher_that_does_not_fit_is_refused(tiny, teacher, tmp_path):
    digits = data.load("digits", (1, 8, 8), 10)
    some = Data("four", four(digits.train), four(digits.test), 4)
    chosen = Recipe(distil={"teachers": [teacher]})
    with pytest.raises(ArchspecError, match="takes 1×8×8 and has 10 outputs; tiny takes 1×8×8 and has 4"):
        fit(tiny, some, chosen, out=tmp_path / "run", bindings=HEAD)
    nan_teacher(teacher)
    with pytest.raises(ArchspecError, match=r"distil: a weight of .* is not a number"):
        fit(tiny, "digits", chosen, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"distil": {"teachers": ["a"], "temperature": 0}}, "distil: expected a number above 0"),
        ({"distil": {"temperature": 2}}, "missing key 'teachers'"),
        ({"prune": {"plan": "lenet_5", "schedule": "linear"}}, "expected one of cubic, at_once"),
        ({"stages": [{"seed": 2}]}, "seed is of the whole training, and of no stage"),
        ({"stages": [{"epochs": 1}], "patience": 1, "validation": 9}, "patience ends a training, and stages follow"),
        ({"patience": 1}, "patience needs validation images to judge by"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys, fault):
    with pytest.raises(ArchspecError, match=fault):
        Recipe().changed(keys)


def test_classes_of_other_names_are_refused(plain, tmp_path):
    digits = data.load("digits", (1, 8, 8), 10)
    named = [Data("d", digits.train, digits.test, 10, names=tuple(names)) for names in ("abcdefghij", "abcdefghik")]
    out = fit(plain, named[0], Recipe(epochs=1), out=tmp_path / "run").out
    with pytest.raises(ArchspecError, match="has other classes: one that was 'j' there is 'k' here"):
        fit(plain, named[1], out=out, options=Options(resume=True))


def test_classes_have_the_weights_of_the_recipe(plain, tmp_path):
    """With all the weight on one class, nothing else is learned."""
    others = {str(label): 0 for label in range(1, 10)}
    result = fit(plain, "digits", Recipe(epochs=2, lr=0.1, class_weights=others), out=tmp_path / "run")
    confusion = evaluate(plain, result.out / "best.safetensors", "digits").confusion
    assert sum(row[0] for row in confusion) > 300
    doubled = Recipe(class_weights={str(label): 2 for label in range(10)}, epochs=1)
    one, two = (
        fit(plain, "digits", chosen, out=tmp_path / name).last.test
        for name, chosen in (("plain", Recipe(epochs=1)), ("doubled", doubled))
    )
    assert one == two  # a weighted mean
    with pytest.raises(ArchspecError, match="class_weights: digits has no class 'ten'; there are 0 to 9"):
        fit(plain, "digits", Recipe(class_weights={"ten": 2}), out=tmp_path / "ten")


def test_weights_of_classes_are_numbers_by_name():
    for wrong in ("3", {"3": -1}, {"3": "x"}, [3]):
        with pytest.raises(ArchspecError, match=r"class_weights: expected (numbers by name|a number from 0)"):
            Recipe().changed({"class_weights": wrong})


def test_a_class_without_images_cannot_be_balanced(plain, tmp_path):
    digits = data.load("digits", (1, 8, 8), 10)
    some = Data("four", four(digits.train), digits.test, 10)
    with pytest.raises(ArchspecError, match="balance: class 4 of four has no training images"):
        fit(plain, some, Recipe(balance=True), out=tmp_path / "run")
