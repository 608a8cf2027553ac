"""The counts of every network are those of its running model; where they are not, the node is named."""

import sys

import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402  # behind the skip
from math import ceil  # noqa: E402

import archspec  # noqa: E402
from archspec.errors import ArchspecError  # noqa: E402
from archspec.language import variants  # noqa: E402
from archspec.ops import Module, Operations, Tensor, Weight, operator  # noqa: E402
from archspec.report import formats, report_on  # noqa: E402
from archspec.report import verify as report  # noqa: E402
from archspec.report.formats import written  # noqa: E402
from archspec.runtime import verify  # noqa: E402
from archspec.runtime.agreement import Comparison, NodeFacts  # noqa: E402

BEYOND = {
    # spec: bindings beside the choices of its symbols
    "alexnet": [{"side": 224}],
    "mobilenet": [{"alpha": "1/2", "side": 160}, {"alpha": "3/4", "side": 193}],
    "mobilenet_v2": [{"alpha": "0.35", "side": 96}, {"alpha": "1.4"}],
    "inception_v3": [{"side": 300}],
    "squeezenet": [{"conv10_pad": 1}],
    "squeezenet_meta": [{"SR": "1/2"}, {"SR": "3/4"}, {"pct3x3": "1/4", "freq": 3}, {"incr_e": 0}],
}

MOST = 2
"""How many variants of a network are built, evenly chosen, one of those in `LATER`; all of them by --long."""


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", archspec.zoo.names())
def test_every_network_of_the_zoo_agrees_in_all_its_variants(name, request, later):
    arch, built = archspec.load(name), 0
    found = [*variants(arch.document)]
    if not request.config.option.long:
        found = found[:: ceil(len(found) / (1 if name in later else MOST))]
    for bindings in [*found, *BEYOND.get(name, [])]:
        try:
            network = arch.expand(**bindings)
        except ArchspecError:
            continue
        built += 1
        agreement = verify(network)
        assert agreement, str(agreement)
        assert agreement.first is None
        assert len(agreement.rows) == len(network.nodes)
    assert built >= len(found) * 3 // 4


def test_several_inputs_at_once_agree(odd):
    assert odd.verify(batch=3)
    assert odd.verify().total.analytic.macs * 3 == odd.verify(batch=3).total.real.macs


def test_a_view_of_scattered_memory_is_a_view_still():
    text = """
archspec: 1
name: scattered
input: [3, 4, 4]
network: [relu, {split: {sections: 2, index: 1, dim: -1}}, flatten, {linear: {out_features: 2}}]
"""
    for device in ("meta", "cpu"):
        agreement = verify(archspec.loads(text).expand(batch=2), device)
        assert agreement, str(agreement)
        assert [row.real.activations for row in agreement.rows] == [2 * 48, 0, 0, 2 * 2]
        assert agreement.total.real.macs == 2 * 24 * 2


def test_a_shuffle_of_one_group_is_a_copy_as_on_a_processor():
    for groups in (1, 4):
        text = f"archspec: 1\nname: s\ninput: [4, 2, 2]\nnetwork: [{{channel_shuffle: {{groups: {groups}}}}}]\n"
        assert archspec.loads(text).verify().total.real.activations == 4 * 2 * 2


# ------------------------------------------------------------------ what disagrees is named

WRONG = [
    # a fact of the convolution that is wrong, and what is found
    ("operations", lambda self, x: Operations(macs=self.products(x) + 1), ("macs",), "macs 288001 ≠ 288000"),
    ("output", lambda *_: Tensor((1, 20, 24, 25)), ("output",), "output (1, 20, 24, 25) ≠ (1, 20, 24, 24)"),
    (
        "weights",
        lambda *_: (Weight("weight", (20, 1, 5, 5)), Weight("bias", (20,), "statistic")),
        ("weights", "params", "buffers"),
        "params 500 ≠ 520; buffers 20 ≠ 0",
    ),
    ("weights", lambda *_: (Weight("kernel", (20, 1, 5, 5)),), ("weights", "params"), "conv1.kernel"),
    ("view", True, ("activations",), "activations 0 ≠ 11520"),
]


@pytest.mark.parametrize(("fact", "value", "differing", "said"), WRONG)
def test_a_rule_that_is_wrong_is_found_at_its_node(fact, value, differing, said, monkeypatch):
    network = archspec.load("lenet_5").expand()
    alone = replace(network, nodes=network.nodes[:1], outputs={"output": "conv1"})
    if fact == "output":
        alone = replace(alone, nodes=(replace(alone.nodes[0], output=value()),))
    else:
        monkeypatch.setattr(operator("conv2d"), fact, value)
    agreement = verify(alone)
    assert not agreement
    assert agreement.first is agreement.rows[0]
    assert set(agreement.first.differing) >= set(differing)
    assert said in agreement.sentence
    assert agreement.sentence.startswith("lenet_5: 1 of 1 nodes disagree, first node 'conv1' (conv2d): ")


def test_a_module_that_is_another_than_the_rules_say_is_found(monkeypatch):
    relu = archspec.loads("archspec: 1\nname: x\ninput: [64, 8, 8]\nnetwork: [relu]\n")
    monkeypatch.setattr(operator("relu"), "torch_call", lambda *_: Module("torch.nn.BatchNorm2d", {"num_features": 64}))
    assert relu.verify().first.differing == ("weights", "params", "buffers")
    monkeypatch.setattr(operator("relu"), "torch_call", lambda *_: Module("torch.nn.Conv2d", PRODUCTS))
    assert relu.verify().first.differing == ("weights", "params", "macs")


PRODUCTS = {"in_channels": 64, "out_channels": 64, "kernel_size": 1, "bias": False}


def test_wires_that_are_crossed_are_found(odd):
    network = odd.expand()
    agreement = verify(network)
    row = agreement.rows[-1]
    crossed = replace(row, real=replace(row.real, inputs=("in/relu",)))
    assert not crossed
    assert crossed.differing == ("inputs",)
    assert "inputs ('forward',) ≠ ('in/relu',)" in str(crossed)


def test_a_node_that_is_never_computed_is_found(odd):
    row = replace(verify(odd.expand()).rows[0], real=None)
    assert not row
    assert str(row) == "node 'in/float' (conv2d) was not computed"
    assert "weights" in row.differing


def test_a_node_that_the_model_leaves_out_is_printed_as_missing(odd, monkeypatch):
    monkeypatch.setattr(sys.modules["archspec.runtime.verify"]._ForwardPass, "_watch", lambda *_: None)
    agreement = odd.verify()
    assert not any(agreement.rows)
    printed = written(report.verify([agreement], layers=True), width=200)
    assert "52 ≠ –" in printed
    assert "first node 'in/float' (conv2d) was not computed" in " ".join(printed.split())
    assert '"torch": null' in written(report.verify([agreement]), "json")


def test_a_total_that_disagrees_alone_is_the_first(odd):
    agreement = odd.verify()
    off = replace(agreement, total=replace(agreement.total, real=replace(agreement.total.real, params=1)))
    assert off.first is off.total
    assert "params" in off.sentence


UNFIT = (
    "archspec: 1\nname: x\ninput: [8]\nnetwork:\n  - {body: [{batch_norm: {track_running_stats: false}}], as: head}\n"
)


def test_what_torch_refuses_to_run_is_a_sentence_that_names_the_node():
    with pytest.raises(ArchspecError, match="node 'head/batch_norm': torch refuses it: Expected more than 1 value"):
        archspec.loads(UNFIT).verify()
    assert archspec.loads(UNFIT).expand(batch=2)


def test_what_torch_refuses_to_make_is_a_sentence_that_names_the_node(monkeypatch):
    call = Module("torch.nn.Linear", {"in_features": -3, "out_features": 2})
    monkeypatch.setattr(operator("relu"), "torch_call", lambda *_: call)
    with pytest.raises(ArchspecError, match=r"node 'a/relu': torch refuses it: .*-3"):
        archspec.loads("archspec: 1\nname: x\ninput: [8]\nnetwork: [{body: [relu], as: a}]\n").to_torch()


SOURCE_FAULTS = {
    "another stride": ("s=2", "s=1", "macs"),
    "another bias": ("bias=False", "bias=True", "weights"),
    "another name": ("self.classifier", "self.last", "weights"),
}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("was", "becomes", "fact"), SOURCE_FAULTS.values(), ids=SOURCE_FAULTS)
def test_a_source_of_another_network_is_found(was, becomes, fact):
    arch = archspec.load("mobilenet_v2")
    agreement = verify(arch.expand(), source=arch.source().replace(was, becomes))
    assert not agreement
    assert all(agreement.rows)
    assert fact in agreement.source.differing
    assert len(agreement.sentence) < 500
    assert "written source" in agreement.sentence


def test_arrays_that_differ_in_their_order_or_in_whether_they_learn_are_told_apart():
    weight, bias = ("a.weight", (2, 3), True), ("a.bias", (2,), True)

    def said(ours, theirs):
        facts = (NodeFacts((), (), each, 8, 0, 0, 0) for each in (ours, theirs))
        return str(Comparison("a", "linear", *facts)).partition(": ")[2]

    assert said((weight, bias), (bias, weight)) == "weights in another order"
    assert said((weight, bias), (weight, (*bias[:2], False))) == "weights a.bias (2,) ≠ a.bias (2,), not learned"


def test_a_source_that_computes_other_numbers_is_found():
    arch = archspec.load("lenet_300_100")
    assert arch.verify()
    agreement = verify(arch.expand(), source=arch.source().replace("self.relu1 = nn.ReLU()", "self.relu1 = nn.SiLU()"))
    assert agreement.sentence.endswith("node 'written source' (source): it computes other numbers")


def test_one_bit_operations_among_the_macs_are_named():
    said = formats.written(report_on(archspec.load("binary_convolution").verify(c=8, side=4)), "text")
    assert "torch carries out: it computes one-bit layers by real ones" in " ".join(said.split())
    assert "one-bit" not in formats.written(report_on(archspec.load("lenet_5").verify()), "text")
