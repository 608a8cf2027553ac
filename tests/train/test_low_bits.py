"""Weights of few bits while they learn: what passes a gradient, and that what is saved is what a file has."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

import archspec
from archspec.compress import plan as plans
from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.coding import Coding
from archspec.errors import ArchspecError
from archspec.runtime.binary import BinaryConv2d, BinaryLinear, sign
from archspec.train import Options, Recipe, evaluate, fit
from archspec.train.methods import OneBit, Quantise
from archspec.train.methods.quantise import rounded
from tests.train.test_methods import BINARY

NORMED = """archspec: 1
name: normed
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 8, kernel_size: 3}, as: conv}
  - {batch_norm, as: norm}
  - relu
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""

RULES = [
    {"linear_bits": 8},
    {"linear_bits": 4, "linear_rule": "signed", "linear_per": 32, "scale_bits": 16},
    {"linear_bits": 3, "linear_rule": "zero_point", "linear_per": "tensor"},
]


def plan_of(tmp_path, rule, fold="fold"):
    keys = ", ".join(f"{key}: {value}" for key, value in rule.items())
    path = tmp_path / "plan.yaml"
    path.write_text(f"name: levels\nbatch_norm: {fold}\nlayers: [{{layer: '*', {keys}}}]\n")
    return str(path)


# ------------------------------------------------------------------ levels


@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), bits=st.integers(2, 8), rule=st.sampled_from(["symmetric", "signed", "zero_point"]))
def test_where_levels_pass_a_gradient_torch_does(seed, bits, rule):
    """torch's own fake quantisation, asked for the same scales: half to even, and the mask by the rounded value."""
    drawn = torch.Generator().manual_seed(seed)
    weight = torch.randn(5, 7, generator=drawn, requires_grad=True)
    values = LinearQuantisation(bits, rule)
    levels, passes = rounded(weight, Coding("w", (5, 7), values))
    content = values.quantised(weight.detach().numpy().ravel(), None, 5, 7)
    scale, half = torch.from_numpy(content.tables[0].astype("float32")), 2 ** (bits - 1)
    zero = torch.from_numpy(content.tables[1].astype("int32")) if rule == "zero_point" else torch.full((5,), half)
    # torch wants positive scales: the levels of a negative one are those of the negated weights
    sides = torch.sign(scale)[:, None] if rule == "signed" else torch.ones(5, 1)
    fake = sides * torch.fake_quantize_per_channel_affine(
        sides * weight, scale.abs(), zero.int(), 0, values.least, 2**bits - 1
    )
    gradient = torch.randn(5, 7, generator=drawn)
    fake.backward(gradient)
    assert torch.allclose(fake, levels, rtol=1e-5, atol=1e-7)
    on_an_edge = (weight.detach() / scale[:, None]).abs().frac().sub(0.5).abs() < 1e-4
    assert torch.equal((gradient * passes)[~on_an_edge], weight.grad[~on_an_edge])


@pytest.mark.parametrize("rule", RULES)
def test_levels_that_were_trained_are_levels_of_the_file(tmp_path, rule):
    arch, plan = archspec.loads(NORMED), plan_of(tmp_path, rule)
    chosen = Recipe().changed({"epochs": 2, "batch": 128, "lr": 0.02, "quantise": plan})
    result = fit(arch, "digits", chosen, out=tmp_path / "run")
    best = result.out / "best.safetensors"
    archspec.compress.pack(arch, best, plan, tmp_path / "packed.safetensors")
    packed, saved = archspec.compress.unpack(tmp_path / "packed.safetensors"), load_file(best)
    for name in ("conv.weight", "fc.weight"):
        assert torch.equal(torch.from_numpy(packed[name].copy()), saved[name])
    assert evaluate(arch, tmp_path / "packed.safetensors", "digits").right == result.best.test.right
    assert result.best.test.error < 50
    norm = {name: saved[f"norm.{name}"] for name in ("weight", "running_mean", "running_var")}
    assert [float(array.unique()) for array in norm.values()] == pytest.approx([1, 0, 1 - 1e-5])


def test_folding_at_the_beginning_changes_no_result(tmp_path):
    """Of weights that are levels already at 16 bits, near enough."""
    arch = archspec.loads(NORMED)
    run = fit(arch, "digits", Recipe(epochs=1), out=tmp_path / "run").out
    model = arch.to_torch(weights=run / "best.safetensors").eval()
    images = torch.rand(4, 1, 8, 8)
    before = model(images)
    Quantise(plan=plan_of(tmp_path, {"linear_bits": 16})).begin(model, arch.expand())
    assert torch.allclose(model(images), before, atol=1e-3)
    model.train()
    assert not model.norm.training


def test_levels_and_averages_do_not_go_together():
    with pytest.raises(ArchspecError, match="ema averages weights, and an average of levels is no level"):
        Recipe().changed({"ema": 0.9, "stages": [{"quantise": "int8"}]})


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"quantise": "lenet_5"}, "quantise: the plan lenet_5 speaks of 'conv1', which normed does not have"),
        ({"quantise": "PLAN"}, "quantise: the plan .* has no levels: no layer has linear_bits"),
        ({"one_bit": "exact"}, "one_bit: normed has no one-bit layers; a plan makes them"),
        ({"one_bit": "mine"}, "expected one of exact, paper"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(tmp_path, keys, fault):
    plan = plan_of(tmp_path, {"weight_bits": 4})
    changes = {key: plan if value == "PLAN" else value for key, value in keys.items()}
    with pytest.raises(ArchspecError, match=fault):
        fit(archspec.loads(NORMED), "digits", Recipe().changed(changes), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------ one bit


def gradients(layer, x, weight, upstream):
    """What comes to a layer's weights, and what would come to α·sign(W), whose gradient both rules start from."""
    with torch.no_grad():
        layer.weight.copy_(weight)
    layer.train()
    y = layer(x)
    (y * upstream).sum().backward()
    n = weight[0].numel()
    alpha = weight.abs().flatten(1).mean(1).view(-1, *[1] * (weight.ndim - 1))
    binary = (alpha * torch.where(weight >= 0, 1.0, -1.0)).requires_grad_()
    call = torch.nn.functional.conv2d if isinstance(layer, BinaryConv2d) else torch.nn.functional.linear
    inputs = sign(x) if layer.binary_input else x
    (call(inputs, binary) * upstream).sum().backward()
    return layer.weight.grad, binary.grad, alpha, n


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), conv=st.booleans(), inputs=st.booleans(), wide=st.floats(0.2, 2))
def test_the_gradients_are_the_closed_forms(seed, conv, inputs, wide):
    """exact: sign(Wᵢ)/n·Σⱼ gⱼ·sign(Wⱼ) + α·gᵢ·1[|Wᵢ| ≤ 1]; paper: gᵢ·(1/n + α·1[|Wᵢ| ≤ 1])."""
    drawn = torch.Generator().manual_seed(seed)
    settings_of = {"bias": False, "binary_input": inputs, "input_scale": False}
    layer = (BinaryConv2d(3, 4, 2, **settings_of) if conv else BinaryLinear(6, 4, **settings_of)).double()
    x = torch.randn(2, *((3, 5, 5) if conv else (6,)), generator=drawn, dtype=torch.float64)
    weight = wide * torch.randn(layer.weight.shape, generator=drawn, dtype=torch.float64)
    upstream = torch.randn(layer(x).shape, generator=drawn, dtype=torch.float64)
    found = {}
    for rule in ("exact", "paper"):
        layer.gradient, layer.weight.grad = rule, None
        found[rule], g, alpha, n = gradients(layer, x, weight, upstream)
    signs, within = torch.where(weight >= 0, 1.0, -1.0), weight.abs() <= 1
    sums = (g * signs).flatten(1).sum(1).view(alpha.shape)
    assert torch.allclose(found["exact"], signs / n * sums + alpha * g * within)
    assert torch.allclose(found["paper"], g * (1 / n + alpha * within))


def test_the_exact_rule_is_autograds_where_the_sign_does_not_change():
    """α·sign(W) is α times a constant there: differentiate that, and what is left is the straight-through part."""
    drawn = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 9, generator=drawn, dtype=torch.float64, requires_grad=True)
    g = torch.randn(4, 9, generator=drawn, dtype=torch.float64)
    layer = BinaryLinear(9, 4, bias=False, binary_input=False).double()
    with torch.no_grad():
        layer.weight.copy_(weight)
    layer.train()
    (layer(torch.eye(9, dtype=torch.float64)).T * g).sum().backward()
    alpha = weight.abs().mean(1, keepdim=True)
    (alpha * weight.detach().sign() * g).sum().backward()
    straight = alpha.detach() * g * (weight.detach().abs() <= 1)
    assert torch.allclose(layer.weight.grad, weight.grad + straight)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("gradient", ["exact", "paper"])
@pytest.mark.parametrize("ema", [0, 0.9])
def test_every_save_has_a_bit_a_weight_and_computes_as_what_learned(tmp_path, gradient, ema):
    arch = archspec.loads(BINARY)
    chosen = Recipe().changed(
        {"epochs": 2, "batch": 128, "lr": 0.003, "optimizer": "adam", "ema": ema, "one_bit": gradient}
    )
    result = fit(arch, "digits", chosen, out=tmp_path / "run", options=Options(save_steps=7))
    for file in ("best.safetensors", "last/weights.safetensors"):
        saved = load_file(result.out / file)
        for name in ("conv2", "fc1"):
            assert set(saved[f"{name}.weight"].unique().tolist()) == {-1.0, 1.0}
            assert (saved[f"{name}.alpha"] > 0).all()
    assert evaluate(arch, result.out / "best.safetensors", "digits").right == result.best.test.right
    more = load_file(result.out / "last" / "training.safetensors")
    for name in ("conv2", "fc1"):
        real = more[f"real.{name}.weight"]
        assert len(real.unique()) > 100
        assert real.abs().max() <= 1
        assert torch.allclose(real.mean(1), torch.zeros(()), atol=1e-6)
    plan = tmp_path / "plan.yaml"
    plan.write_text("name: as_it_is\nlayers: [{layer: conv1}]\n")
    archspec.compress.pack(arch, result.out / "best.safetensors", str(plan), tmp_path / "packed.safetensors")
    packed = archspec.compress.unpack(tmp_path / "packed.safetensors")
    saved = load_file(result.out / "best.safetensors")
    assert all(torch.equal(torch.from_numpy(packed[name].copy()), saved[name]) for name in saved if name in packed)


def test_centring_and_clipping_can_be_left_out():
    arch = archspec.loads(BINARY)
    model = arch.to_torch(seed=0)
    with torch.no_grad():
        model.conv2.weight.mul_(9)
    before = model.conv2.weight.detach().clone()
    OneBit(centre=False, clip=False).begin(model, arch.expand())
    assert torch.equal(model.conv2.weight, before)
    OneBit().begin(model, arch.expand())
    assert torch.equal(model.conv2.weight, (before - before.mean(1, keepdim=True)).clamp(-1, 1))


FLOAT = """archspec: 1
name: real
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 8, kernel_size: 3}, as: conv1}
  - {conv2d: {out_channels: 8, kernel_size: 3}, as: conv2}
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""


@pytest.mark.parametrize("binary", ["weights", "xnor"])
def test_one_bit_layers_begin_with_the_weights_of_a_real_network(tmp_path, binary):
    arch = archspec.loads(FLOAT)
    run = fit(arch, "digits", Recipe(epochs=1), out=tmp_path / "real").out
    plan = plans.loads(f"name: bits\nnormalise: true\nlayers: [{{layer: conv2, binary: {binary}}}]")
    one_bit = arch.with_one_bit(plan)
    keys = {"epochs": 1, "lr": 1e-9, "optimizer": "adam", "start": str(run), "one_bit": {"centre": False}}
    result = fit(one_bit, "digits", Recipe().changed(keys), out=tmp_path / "bits")
    real, saved = load_file(run / "best.safetensors"), load_file(result.out / "best.safetensors")
    assert torch.equal(saved["conv2.weight"], torch.where(real["conv2.weight"] >= 0, 1.0, -1.0))
    assert torch.allclose(saved["conv2.alpha"], real["conv2.weight"].abs().flatten(1).mean(1), atol=1e-5)
    assert torch.allclose(saved["conv1.weight"], real["conv1.weight"], atol=1e-6)
    assert ("norm_conv2.weight" in saved) == (binary == "xnor")
