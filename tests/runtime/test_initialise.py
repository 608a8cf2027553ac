"""The weights begin as the papers say, and elsewhere as in torch."""

import math

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec.errors import SpecError, SpecErrors  # noqa: E402
from archspec.graph.initial import initial  # noqa: E402
from archspec.language.initialisation import FILLINGS, SHAPED, SIZED, Filling, Initialisation, Rule  # noqa: E402
from archspec.runtime.build import fill, truncated_normal_  # noqa: E402

BODY = """
archspec: 1
name: begun
input: [3, 32, 32]
network:
  - body: [{conv2d: {out_channels: 64, kernel_size: 3, padding: 1}}, batch_norm]
    as: stem
  - {conv2d: {out_channels: 64, kernel_size: 3}, as: plain}
  - global_avg_pool
  - {linear: {out_features: 40}, as: fc}
"""


def begun(*rules):
    return archspec.loads(BODY + "initialisation: {rules: [" + ", ".join(rules) + "]}")


# ------------------------------------------------------------------ distributions

C_IN, C_OUT, K = 40, 60, 3
FAN_IN, FAN_OUT = C_IN * K * K, C_OUT * K * K


@pytest.mark.parametrize(
    ("filling", "variance", "most"),
    [
        (Filling("normal", 0.5), 0.25, math.inf),
        (Filling("uniform", 0.5), 0.5**2 / 3, 0.5),
        (Filling("lecun_normal"), 1 / FAN_IN, math.inf),
        (Filling("lecun_uniform"), 1 / FAN_IN, math.sqrt(3 / FAN_IN)),
        (Filling("glorot_normal"), 2 / (FAN_IN + FAN_OUT), math.inf),
        (Filling("glorot_uniform"), 2 / (FAN_IN + FAN_OUT), math.sqrt(6 / (FAN_IN + FAN_OUT))),
        (Filling("he_normal"), 2 / FAN_IN, math.inf),
        (Filling("he_uniform"), 2 / FAN_IN, math.sqrt(6 / FAN_IN)),
        (Filling("he_normal_fan_out"), 2 / FAN_OUT, math.inf),
        # a normal cut at ±2σ has the variance σ²(1 − 2·2φ(2)/(2Φ(2) − 1)) = 0.7737σ²
        (Filling("truncated_normal", 0.5), 0.25 * 0.7737, 1),
    ],
)
def test_each_distribution_has_its_variance_and_its_bounds(filling, variance, most):
    weight = torch.empty(C_OUT, C_IN, K, K)
    fill(weight, filling)
    assert weight.var().item() == pytest.approx(variance, rel=0.05)
    assert abs(weight.mean().item()) < 0.05 * math.sqrt(variance)
    assert weight.abs().max().item() <= most * (1 + 1e-6)


def test_a_constant_is_one_number():
    weight = torch.empty(3)
    fill(weight, Filling("constant", 7))
    assert weight.tolist() == [7, 7, 7]


def test_our_quicker_truncated_normal_is_distributed_as_torchs():
    ours = truncated_normal_(torch.empty(200_000), 0.1)
    theirs = torch.nn.init.trunc_normal_(torch.empty(200_000), std=0.1, a=-0.2, b=0.2)
    levels = torch.linspace(0.01, 0.99, 50)
    assert torch.allclose(ours.quantile(levels), theirs.quantile(levels), atol=2e-3)


def test_every_distribution_is_tried_above_and_is_of_one_kind():
    assert {*SIZED} | {*SHAPED} | {"constant"} == {*FILLINGS}
    for name in SHAPED:
        fill(torch.empty(2, 2), Filling(name))


# ------------------------------------------------------------------ rules


def test_a_rule_is_of_operators_or_of_nodes_and_all_below_and_the_later_one_holds():
    arch = begun("{of: [conv2d, batch_norm], bias: 2}", "{of: stem, weight: 3}", "{of: stem/batch_norm, bias: 4}")
    state = arch.to_torch(seed=0).state_dict()
    for key, value in {
        "stem.conv2d.weight": 3,
        "stem.conv2d.bias": 2,
        "stem.batch_norm.weight": 3,
        "stem.batch_norm.bias": 4,
        "plain.bias": 2,
    }.items():
        assert (state[key] == value).all(), key
    assert state["stem.batch_norm.running_var"].eq(1).all()
    assert state["plain.weight"].unique().numel() > 1000
    assert state["fc.bias"].abs().max() <= 1 / math.sqrt(64)  # as torch's Linear does


def test_what_no_rule_is_of_begins_as_in_torch():
    model = begun("{of: fc, bias: 0}").to_torch(seed=3)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        conv = torch.nn.Conv2d(3, 64, 3, padding=1)
    assert torch.equal(model.stem.conv2d.weight, conv.weight)
    assert type(begun("{of: plain, weight: 1, bias: 1}").to_torch().plain) is torch.nn.Conv2d


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{of: con2d, weight: 1}", "no part of begun is called 'con2d'; did you mean 'conv2d'?"),
        ("{of: zzz, weight: 1}", "no part of begun is called 'zzz'; give an operator"),
        ("{of: fc, bias: he_normal}", "he_normal needs an array of two axes or more; bias of fc has one"),
    ],
)
def test_a_rule_that_does_not_fit_the_network_is_refused_at_its_place(rule, said):
    with pytest.raises(SpecError, match=r"<text>:\d+:\d+: initialisation: ") as refused:
        begun(rule).to_torch()
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{of: fc, weight: he_norml}", "there is no distribution 'he_norml'; did you mean 'he_normal'?"),
        ("{of: fc, weight: {normal: 0}}", "normal takes a size greater than 0 (got 0)"),
        ("{of: fc, weight: {nrmal: 1}}", "there is no distribution 'nrmal'; did you mean 'normal'?"),
        ("{of: fc, weight: {zzz: 1}}", "there is no distribution 'zzz'; give a number, lecun_normal"),
        ("{of: fc, weight: {normal: 1, uniform: 2}}", "expected one distribution, such as {normal: 0.01}"),
        ("{of: fc, weight: {normal: [1]}}", "expected a number, found a list"),
        ("{of: fc, weight: 1e99}", "expected a number of at most a million"),
        ("{of: fc, weight: 1/0}", "1/0"),
        ("{of: fc, weigth: 1}", "unknown key 'weigth'; did you mean 'weight'?"),
        ("{of: '../x', weight: 1}", "expected an operator or a node's name, such as stage3/unit2, found '../x'"),
        ("{weight: 1}", "missing key 'of'"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_at_its_place(rule, said):
    with pytest.raises(SpecErrors) as refused:
        begun(rule)
    assert said in str(refused.value)
    assert "<text>:11:" in str(refused.value)


def test_rules_come_back_from_their_text():
    arch = begun("{of: [fc, stem], weight: {normal: 0.01}, bias: 1/3}", "{of: conv2d, weight: he_normal}")
    assert archspec.loads(arch.dumps()) == arch
    assert "normal: 1/100" in arch.dumps()


def test_rules_can_be_built_in_python():
    built = Initialisation(rules=[Rule(of="fc", weight=Filling("normal", 2), bias=1)])
    assert built == begun("{of: [fc], weight: {normal: 2}, bias: 1}").document.initialisation


# ------------------------------------------------------------------ the zoo

STATED = [
    # spec, node, array, what it begins with
    ("alexnet", "conv1/conv2d", "weight", Filling("normal", archspec.dims.exact("0.01"))),
    ("alexnet", "conv1/conv2d", "bias", Filling("constant", 0)),
    ("alexnet", "conv4/conv2d", "bias", Filling("constant", 1)),
    ("alexnet", "fc6/linear", "bias", Filling("constant", 1)),
    ("alexnet", "fc8", "bias", Filling("constant", 0)),
    ("vgg16", "conv1_1/conv2d", "weight", Filling("glorot_uniform")),
    ("resnet50", "conv1/conv2d", "weight", Filling("he_normal_fan_out")),
    ("squeezenet", "fire2/squeeze/conv2d", "weight", Filling("lecun_uniform")),
    ("squeezenet", "conv10/conv2d", "weight", Filling("normal", archspec.dims.exact("0.01"))),
    ("mobilenet", "conv/conv2d", "weight", Filling("truncated_normal", archspec.dims.exact("0.09"))),
    ("inception_v3", "conv1/conv2d", "weight", Filling("truncated_normal", archspec.dims.exact("0.1"))),
]


@pytest.mark.parametrize(("name", "node", "array", "filling"), STATED)
def test_the_papers_initialisations_are_the_zoos(name, node, array, filling):
    arch = archspec.load(name)
    assert initial(arch.expand(), arch.document.initialisation)[node, array] == filling


@pytest.mark.parametrize("name", [n for n in archspec.zoo.names() if archspec.load(n).document.initialisation])
def test_every_initialisation_of_the_zoo_says_where_it_stands_and_fits(name):
    arch = archspec.load(name)
    source = arch.document.initialisation.source
    assert source.section or source.url
    assert initial(arch.expand(), arch.document.initialisation)
