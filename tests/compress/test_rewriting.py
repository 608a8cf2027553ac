"""Specifications with one-bit layers: the network that a plan counts, as text."""

import pytest

import archspec
from archspec.compress import plan as plans
from archspec.errors import ArchspecError

NETWORKS = [
    ("lenet_5", "bwn_lenet_5"),
    ("lenet_5", "xnor_lenet_5"),
    ("alexnet", "bwn_alexnet"),
    ("alexnet", "xnor_alexnet"),
    ("resnet18", "xnor_resnet18"),
]

MIXED = """archspec: 1
name: mixed
input: [3, 16, 16]
blocks:
  unit: {args: {c: required}, body: [{conv2d: {out_channels: c, kernel_size: 1}}, relu]}
network:
  - {unit: {c: 4}, as: first}
  - {repeat: 2, as: middle, body: [{unit: {c: 8}}]}
  - {add: [[{unit: {c: 8}}], [identity]], as: both}
  - {body: [{unit: {c: 8}}], as: group}
  - flatten
  - {linear: {out_features: 3}, as: fc}
"""


def planned(text):
    return plans.loads(f"name: mine\nlayers: {text}")


@pytest.mark.parametrize(("network", "plan"), NETWORKS)
def test_what_is_trained_is_what_is_counted(network, plan):
    """Node by node the network that the prediction counts; and its text gives the same network."""
    arch = archspec.load(network)
    one_bit = arch.with_one_bit(plan)
    found, counted = one_bit.expand(), arch.predict(plan).with_one_bit
    assert [(node.name, node.operator, node.inputs, node.output) for node in found.nodes] == [
        (node.name, node.operator, node.inputs, node.output) for node in counted.nodes
    ]
    assert one_bit.count().flops == counted_flops(counted)
    assert archspec.loads(one_bit.dumps()) == one_bit
    assert one_bit.name == plan
    kept = {node.name for node in found.nodes if node.operator.name in ("conv2d", "linear")}
    assert kept == {name for name in kept if plans.load(plan).entry(name).binary is None}


def counted_flops(network):
    from archspec import cost

    return cost.count(network).flops


def test_a_normalisation_stands_before_each_one_bit_input():
    found = archspec.load("lenet_5").with_one_bit("xnor_lenet_5").expand()
    order = [node.operator.name for node in found.nodes]
    assert order == [
        *("conv2d", "max_pool2d", "batch_norm", "binary_conv2d", "max_pool2d"),
        *("flatten", "batch_norm", "binary_linear", "relu", "linear"),
    ]


def test_blocks_are_copied_for_the_steps_that_change():
    one_bit = archspec.loads(MIXED).with_one_bit(planned("[{layer: first}, {layer: fc}, {layer: '*', binary: xnor}]"))
    found = one_bit.expand()
    assert {node.name: node.operator.name for node in found.nodes if node.operator.name.endswith("conv2d")} == {
        "first/conv2d": "conv2d",
        "middle/unit1/unit/conv2d": "binary_conv2d",
        "middle/unit2/unit/conv2d": "binary_conv2d",
        "branch1/unit/conv2d": "binary_conv2d",
        "group/unit/conv2d": "binary_conv2d",
    }
    assert {*one_bit.document.blocks} == {"unit", "unit_one_bit"}
    assert all(node.operator.settings()["bias"] for node in found.nodes if node.operator.name == "binary_conv2d")
    whole = archspec.loads(MIXED).with_one_bit(planned("[{layer: '*', binary: weights}]"))
    assert {*whole.document.blocks} == {"unit_one_bit"}
    assert "binary_input: false" in whole.dumps()


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        ("[{layer: first, density: 0.1}]", "the plan mine makes no layer of mixed one-bit: none has 'binary'"),
        ("[{layer: conv9, binary: xnor}]", "'mixed' has no layer with weights called 'conv9'"),
        ("[{layer: middle/unit1, binary: xnor}]", "treats middle/unit1/unit/conv2d and middle/unit2/unit/conv2d diff"),
    ],
)
def test_what_cannot_be_rewritten_is_said(plan, fault):
    with pytest.raises(ArchspecError, match=fault):
        archspec.loads(MIXED).with_one_bit(planned(plan))
