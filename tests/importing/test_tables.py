"""Tables of layers of older programs: Darknet's `.cfg` and Caffe's `.prototxt`."""

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.importing.caffe import read_prototxt
from archspec.importing.darknet import read_cfg
from archspec.importing.document import imported

CFG = """
[net]
height=32
width=32
channels=3

[convolutional]   # section 0
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
filters=16
size=1
stride=1
pad=1
activation=linear

[shortcut]
from=-2
activation=relu

[maxpool]
size=2
stride=1

[route]
layers=-1,1

[upsample]
stride=2

[avgpool]

[connected]
output=10
activation=linear

[softmax]
"""


def of(tmp_path, text, name="net.cfg"):
    (tmp_path / name).write_text(text)
    read = read_cfg if name.endswith("cfg") else read_prototxt
    return imported(read(str(tmp_path / name)))


def test_darknet(tmp_path):
    found = of(tmp_path, CFG)
    arch = archspec.Architecture(found.document)
    kinds = [node.operator.name for node in expand(found.document).nodes if node.operator.name != "identity"]
    expected = ["conv2d", "batch_norm", "leaky_relu", "max_pool2d", "conv2d", "add", "relu", "pad", "max_pool2d"]
    assert sorted(kinds) == sorted([*expected, "concat", "upsample", "global_avg_pool", "linear", "softmax"])
    assert arch.count().params == 16 * 3 * 9 + 2 * 16 + 16 * 16 + 16 + 10 * 32 + 10
    assert arch.count().macs == 32 * 32 * 16 * 27 + 16 * 16 * 16 * 16 + 320


PROTOTXT = """
name: "caffe_net"
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 10 dim: 3 dim: 13 dim: 13 } } }
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 8 kernel_size: 3 stride: 2 weight_filler { type: "xavier" } bias_term: false }
}
layer { name: "bn" type: "BatchNorm" bottom: "conv1" top: "conv1" batch_norm_param { eps: 1e-5 } }
layer { name: "scale" type: "Scale" bottom: "conv1" top: "conv1" scale_param { bias_term: true } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }   # in place
layer {
  name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 }
}
layer { name: "e1" type: "Convolution" bottom: "pool1" top: "e1" convolution_param { num_output: 4 kernel_size: 1 } }
layer {
  name: "e3" type: "Convolution" bottom: "pool1" top: "e3"
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 }
}
layer { name: "cat" type: "Concat" bottom: "e1" bottom: "e3" top: "cat" }
layer { name: "fc" type: "InnerProduct" bottom: "cat" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" include { phase: TRAIN } }
"""


def test_caffe_whose_pooling_rounds_up(tmp_path):
    found = of(tmp_path, PROTOTXT, "net.prototxt")
    network = expand(found.document)
    (pooled,) = (node for node in network.nodes if node.operator.name == "max_pool2d")
    assert pooled.output.shape == (1, 8, 3, 3)  # (6 − 3)/2 + 1 is 2.5
    assert found.document.name == "caffe_net"
    params = archspec.Architecture(found.document).count().params
    assert params == 8 * 27 + 16 + (4 * 8 + 4) + (4 * 8 * 9 + 4) + (5 * 72 + 5)


BAD = {
    "unknown section": (
        "[net]\nheight=8\nwidth=8\nchannels=3\n[lstm]\n[rnn]\n",
        "net.cfg",
        r"\[lstm\] at line 5, \[rnn\]",
    ),
    "no section": ("height=8\n", "net.cfg", r"net.cfg:1: expected \[section\]"),
    "nothing": ("", "net.cfg", "has no sections"),
    "no sizes": ("[net]\n[avgpool]\n", "net.cfg", "says no channels"),
    "no such section": ("[net]\nheight=8\nwidth=8\nchannels=3\n[route]\nlayers=-3\n", "net.cfg", "no section -3"),
    "a huge number": (
        "[net]\nheight=8\nwidth=8\nchannels=3\n[convolutional]\nfilters=99999999999\n",
        "net.cfg",
        "filters must be a whole number",
    ),
    "unknown layers": (
        'input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 layer { name: "x" type: "Tile" }',
        "n.prototxt",
        r"Tile \(x\)",
    ),
    "never closed": ("layer { name: ", "n.prototxt", "expected 'field: value'"),
    "closed too often": ("name: a } }", "n.prototxt", "a } too many"),
    "nested": ("a {" * 50, "n.prototxt", "nested more than 20 deep"),
    "what nothing makes": (
        'input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 layer { name: "x" type: "ReLU" bottom: "y" top: "z" }',
        "n.prototxt",
        "x takes y, which nothing makes",
    ),
    "two for one": (
        'input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 input: "d" '
        'layer { name: "x" type: "InnerProduct" bottom: "d" bottom: "d" top: "z" }',
        "n.prototxt",
        "x: linear takes one result, not 2",
    ),
    "a stride below zero": (
        'input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8 input: "d" '
        'layer { name: "x" type: "Pooling" bottom: "d" top: "z" pooling_param { kernel_size: 2 stride: -2 } }',
        "n.prototxt",
        r"x: stride must be at least 1 \(got -2\)",
    ),
    "no input": ('layer { name: "x" type: "ReLU" bottom: "y" top: "z" }', "n.prototxt", "says no sizes of its input"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_tables_are_refused_in_a_sentence(what, tmp_path):
    text, name, message = BAD[what]
    with pytest.raises(ArchspecError, match=message):
        of(tmp_path, text, name)
