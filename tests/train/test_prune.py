"""Pruning: what is left, what follows from it for dropout and for units; and that it is what is packed."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import archspec
from archspec.errors import ArchspecError
from archspec.report.formats.text import write as print_text
from archspec.report.train import train
from archspec.train import Epoch, Recipe, Result, Score, data, fit
from archspec.train.batches import Standardisation
from archspec.train.methods import Prune, WeightSharing, prune
from archspec.train.score import prepared
from archspec.train.zeros import zeros

EPOCH = Epoch(1, 1, 0.1, 0.1, Score(1, 0.1, 1, 1), 1.0, 1.0)

MLP = """archspec: 1
name: mlp
input: [1, 8, 8]
network:
  - flatten
  - {linear: {out_features: 12}, as: fc1}
  - relu
  - dropout: {p: 1/2}
  - {linear: {out_features: 9}, as: fc2}
  - relu
  - {linear: {out_features: 10}, as: fc3}
"""

CNN = """archspec: 1
name: cnn
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 6, kernel_size: 3}, as: conv1}
  - tanh
  - max_pool2d: {kernel_size: 2}
  - {conv2d: {out_channels: 5, kernel_size: 2}, as: conv2}
  - relu
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""


def plan_of(tmp_path, **densities):
    layers = "\n".join(
        f"  - {{layer: {name}, density: {density}, weight_bits: 3}}" for name, density in densities.items()
    )
    path = tmp_path / "plan.yaml"
    path.write_text(f"name: some\nlayers:\n{layers}\n")
    return str(path)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), text=st.sampled_from([MLP, CNN]), density=st.sampled_from([0.02, 0.1, 0.3]))
def test_folding_changes_no_result_and_leaves_no_unit_with_one_side_alone(seed, text, density):
    arch = archspec.loads(text)
    network = arch.expand()
    model = arch.to_torch(seed=seed).double().eval()
    drawn = torch.Generator().manual_seed(seed)
    found = prune.joints(network)
    arrays = dict(model.named_parameters())
    with torch.no_grad():
        for array in arrays.values():
            array.copy_(torch.randn(array.shape, generator=drawn, dtype=torch.float64))
        masks = {name: torch.rand(array.shape, generator=drawn) < density for name, array in arrays.items()}
        masks |= {name: torch.ones_like(mask) for name, mask in masks.items() if name.endswith("bias")}
        for name, mask in masks.items():
            arrays[name].mul_(mask)
        images = torch.randn(4, 1, 8, 8, generator=drawn, dtype=torch.float64)
        before = model(images)
        prune.fold(arrays, prune.left_out(found, masks))
        for name, mask in masks.items():
            arrays[name].mul_(mask)
        assert torch.allclose(model(images), before, atol=1e-12)
    for joint in found:
        into = masks[f"{joint.before}weight"].flatten(1).any(1)
        out = joint.by_unit(masks[f"{joint.after}weight"]).any(2).any(0)
        assert torch.equal(into & ~out, torch.zeros_like(out))
        assert not (out & ~into).any()
        assert torch.equal(masks[f"{joint.before}bias"], out)


def test_a_unit_without_inputs_before_zero_padding_is_left():
    """At the border its constant meets zeros: no bias says that."""
    text = CNN.replace("kernel_size: 2}, as: conv2", "kernel_size: 2, padding: 1}, as: conv2")
    found = prune.joints(archspec.loads(text).expand())
    assert [joint.exact for joint in found] == [False, True]
    masks = {"conv1.weight": torch.zeros(6, 1, 3, 3).bool(), "conv2.weight": torch.ones(5, 6, 2, 2).bool()}
    assert prune.left_out(found[:1], masks | {"conv1.bias": torch.ones(6).bool()}) == []
    assert masks["conv2.weight"].all()


def test_dropout_follows_the_connections(tmp_path):
    """D_r = D_o·√(C_ir/C_io), at the density of the step; and it is as it was when the stage is over."""
    arch = archspec.loads(MLP)
    model = arch.to_torch(seed=0)
    dropout = next(module for module in model.modules() if isinstance(module, torch.nn.Dropout))
    keys = Prune(plan=plan_of(tmp_path, fc2="1/4"), steps=8, every=2)
    course = keys.begin(model, arch.expand())
    for step in range(8):
        course.after_step(model, None, step)
        share = int(course.masks["fc2.weight"].sum()) / (9 * 12)
        assert dropout.p == pytest.approx(0.5 * share**0.5)
        if step == 5:
            assert share == pytest.approx(keys.density(0.25, 6), abs=0.01)
    assert dropout.p == pytest.approx(0.25)
    course.end()
    assert dropout.p == 0.5
    kept = Prune(plan=plan_of(tmp_path, fc2="1/4"), schedule="at_once", dropout="kept").begin(model, arch.expand())
    kept.after_step(model, None, 0)
    assert dropout.p == 0.5


def test_a_threshold_is_so_many_deviations(tmp_path):
    arch = archspec.loads(MLP)
    model = arch.to_torch(seed=0)
    array = model.get_parameter("fc2.weight").detach().clone()
    keys = Prune(plan=plan_of(tmp_path, fc2="1/4"), schedule="at_once", quality=1.2)
    course = keys.begin(model, arch.expand())
    course.after_step(model, None, 0)
    wanted = array.abs() > 1.2 * array.std(correction=0)
    assert 0 < wanted.sum() < wanted.numel()
    assert course.counts == {"fc2.weight": int(wanted.sum())}
    with pytest.raises(ArchspecError, match=r"prune: no weight of fc2\.weight is larger than 50 standard deviations"):
        keys.model_copy(update={"quality": 50.0}).begin(model, arch.expand())


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_masks_hold_for_a_thousand_random_steps(tmp_path, optimizer):
    """After momentum was gathered on all weights, and whatever gradients come."""
    from archspec.train import optimizer as optimizers

    arch = archspec.loads(MLP)
    model, drawn = arch.to_torch(seed=0), torch.Generator().manual_seed(1)
    keys = Prune(plan=plan_of(tmp_path, fc1="8 %", fc2="9 %", fc3="26 %"), steps=50, every=7)
    course = keys.begin(model, arch.expand())
    chosen = Recipe(optimizer=optimizer, lr=0.01, weight_decay=0.01)
    moves = optimizers.build(model.parameters(), chosen)
    before = None
    for step in range(1000):
        for parameter in model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=drawn)
        moves.step()
        course.after_step(model, None, step)
        if step >= 50:
            zeros = {name: model.get_parameter(name) == 0 for name in course.masks}
            assert before is None or all(torch.equal(zeros[name], before[name]) for name in zeros)
            before = zeros
    assert all(torch.equal(before[name], ~mask) for name, mask in course.masks.items())
    for name, total, share in (("fc1", 12 * 64, 0.08), ("fc2", 9 * 12, 0.09), ("fc3", 90, 0.26)):
        assert course.facts()["weights"][f"{name}.weight"][0] <= -(-total * share // 1)


def test_epochs_before_the_densities_are_reached_are_not_chosen(tmp_path):
    plan = plan_of(tmp_path, fc1="5 %", fc2="20 %", fc3="40 %")
    chosen = Recipe(epochs=4, batch=128, lr=0.1, validation=200, prune={"plan": plan, "steps": 25, "every": 5})
    result = fit(archspec.loads(MLP), "digits", chosen, out=tmp_path / "run")
    assert [epoch.counts for epoch in result.epochs] == [False, False, True, True]
    assert result.best.epoch > 2
    saved = load_file(tmp_path / "run" / "best.safetensors")
    assert saved["fc1.weight"].count_nonzero() <= -(-12 * 64 * 5 // 100)
    told = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["prune"] for line in told if line["kind"] == "methods"] == [result.facts["prune"]]


def test_an_earlier_stage_is_not_chosen(tmp_path):
    plan = plan_of(tmp_path, fc1="20 %", fc2="40 %", fc3="60 %")
    stages = [{"epochs": 2, "prune": {"plan": plan, "schedule": "at_once"}}, {"epochs": 1, "share": plan, "lr": 0.001}]
    chosen = Recipe().changed({"batch": 128, "lr": 0.1, "validation": 200, "stages": stages})
    result = fit(archspec.loads(MLP), "digits", chosen, out=tmp_path / "run")
    assert result.best.epoch == 3
    assert len(load_file(tmp_path / "run" / "best.safetensors")["fc1.weight"].unique()) <= 9


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    "extra", ["", ", index_bits: 4", ", index_bits: 3, index_huffman: coded, weight_huffman: coded"]
)
@pytest.mark.parametrize("bits", [1, 3])
def test_what_is_trained_is_what_is_packed(tmp_path, extra, bits):
    """The file of shared weights gives back each of them, to the bit: no second clustering moves what was learned."""
    arch, path = archspec.loads(MLP), tmp_path / "plan.yaml"
    entry = f"weight_bits: {bits}, density: 30 %{extra}"
    path.write_text(f"name: some\nlayers: [{{layer: fc1, {entry}}}, {{layer: fc2, {entry}}}]\n")
    stages = [{"prune": {"plan": str(path), "schedule": "at_once"}}, {"share": str(path)}]
    result = fit(arch, "digits", Recipe().changed({"epochs": 1, "stages": stages}), out=tmp_path / "run")
    best = result.out / "best.safetensors"
    archspec.compress.pack(arch, best, str(path), tmp_path / "packed.safetensors")
    packed, saved = archspec.compress.unpack(tmp_path / "packed.safetensors"), load_file(best)
    assert all(torch.equal(torch.from_numpy(packed[name].copy()), array) for name, array in saved.items())


@pytest.mark.parametrize("method", [Prune, WeightSharing])
def test_nothing_to_do_is_refused(tmp_path, method):
    (tmp_path / "plan.yaml").write_text("name: none\nlayers: [{layer: fc1}]\n")
    arch = archspec.loads(MLP)
    with pytest.raises(ArchspecError, match=r"(prunes|shares) nothing"):
        method(plan=str(tmp_path / "plan.yaml")).begin(arch.to_torch(), arch.expand())


def test_a_layer_of_zeros_has_nothing_to_share(tmp_path):
    arch = archspec.loads(MLP)
    model = arch.to_torch(seed=0)
    torch.nn.init.zeros_(model.get_parameter("fc2.weight"))
    with pytest.raises(ArchspecError, match=r"share: all weights of fc2\.weight are zero; there is nothing to share"):
        WeightSharing(plan=plan_of(tmp_path, fc1=1, fc2=1)).begin(model, arch.expand())


def test_a_density_of_zero_is_refused_where_it_stands(tmp_path):
    plan = plan_of(tmp_path, fc1=0)
    arch = archspec.loads(MLP)
    with pytest.raises(ArchspecError, match=r"plan.yaml:3:\d+: a share lies above 0 and is at most 1 \(got 0\)"):
        fit(arch, "digits", Recipe().changed({"prune": plan}), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_stage_too_short_for_its_pruning_is_refused_and_half_of_it_is_taken(tmp_path):
    arch, plan = archspec.loads(MLP), plan_of(tmp_path, fc1="20 %")
    chosen = Recipe().changed({"epochs": 1, "batch": 128, "prune": {"plan": plan, "steps": 12}})
    with pytest.raises(ArchspecError, match="falls for 12 steps, and the stage has 11; give it more epochs"):
        fit(arch, "digits", chosen, out=tmp_path / "run")
    stages = [{}, {"prune": {"plan": plan, "steps": 12}}]
    with pytest.raises(ArchspecError, match="and the stage has 11"):
        fit(arch, "digits", Recipe().changed({"epochs": 1, "batch": 128, "stages": stages}), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    course = Prune(plan=plan).begin(arch.to_torch(), arch.expand())
    course.stage(11)
    assert (course.ready(4), course.ready(5)) == (False, True)


def test_what_is_not_zero_is_counted(tmp_path):
    """Act% is of what the next layer takes, behind the pooling; FLOP% is Weights% times the Act% before."""
    arch = archspec.loads(CNN.replace("tanh", "relu"))
    plan = plan_of(tmp_path, conv1="50 %", conv2="25 %", fc="20 %")
    chosen = Recipe().changed({"epochs": 1, "lr": 0.05, "prune": {"plan": plan, "schedule": "at_once"}})
    best = fit(arch, "digits", chosen, out=tmp_path / "run").out / "best.safetensors"
    found = zeros(prepared(arch, best, "digits"))
    model, digits = arch.to_torch(weights=best).eval(), data.load("digits", (1, 8, 8), 10)
    x = Standardisation(digits.statistics, torch.device("cpu"), False)(digits.train.images)
    one = torch.nn.functional.max_pool2d(model.conv1(x).relu(), 2)
    two = model.conv2(one).relu()
    shares = [float(each.count_nonzero()) / each.numel() for each in (one, two)]
    assert [float(row.activations) for row in found.rows] == pytest.approx([*shares, 1])
    assert [row.outputs for row in found.rows] == [6 * 3 * 3, 5 * 2 * 2, 10]
    weights = [float((model.get_parameter(f"{name}.weight") != 0).float().mean()) for name in ("conv1", "conv2", "fc")]
    expected = [weight * share for weight, share in zip(weights, [1, *shares], strict=True)]
    assert [float(row.flops_share) for row in found.rows] == pytest.approx(expected)
    macs = [36 * 54, 4 * 5 * 24, 200]
    assert [row.macs for row in found.rows] == macs
    left = sum(a * b for a, b in zip(macs, expected, strict=True))
    assert float(found.flops_share) == pytest.approx(left / sum(macs))
    assert (len(digits.train), found.images) == (1437, 1437)


def test_layers_that_are_cut_off_are_named(tmp_path):
    """The one weight of fc1 leads to a unit that fc2 does not take: all that is left are biases."""
    arch = archspec.loads(MLP)
    model = arch.to_torch(seed=0).eval()
    with torch.no_grad():
        model.fc1.weight[3, 0] = model.fc2.weight[0, 5] = 9
    plan = plan_of(tmp_path, fc1=0.001, fc2=0.001)
    course = Prune(plan=plan, schedule="at_once").begin(model, arch.expand())
    course.after_step(model, None, 0)
    facts = course.facts()
    assert facts["cut_off"] == ["fc1.weight", "fc2.weight"]
    assert facts["units"] == {"fc1": [0, 12], "fc2": [0, 9]}
    out = model(torch.randn(5, 1, 8, 8))
    assert torch.equal(out, out[:1].expand(5, -1))
    nothing = Result("mlp", "digits", 9, tmp_path, (EPOCH,), 1, facts={"prune": facts})
    text = print_text(train(nothing), width=100, colour=False)
    assert "fc1 is cut off: only biases are left" in text
    assert "0 of 12" in text
