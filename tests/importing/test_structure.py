"""What is recovered reads as a person would have written it: papers' tables come back, in few words."""

import pytest

import archspec
from archspec.graph import expand
from archspec.importing.document import imported
from archspec.importing.instances import of_instances
from archspec.importing.layout import laid_out
from archspec.language import dumps, loads, zoo

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from .chains import chain  # noqa: E402
from .test_law import WORDY, scalars  # noqa: E402


def recovered(name):
    return imported(chain(expand(archspec.load(name).document, batch=2)))


TABLES = {
    # network: lines of what is recovered
    "mobilenet_v3_small": """
        args: {c: required, k: required, s: 1, g: 1, act: hard_swish}
        - use: act
        - {conv_relu: {c: "make_divisible(in_channels / 4, 8)"}, as: reduce}
        - when: c != in_channels
        columns: [as,        c, c2, k, s,        act, squeeze_excite, n]
        - [bneck1,        16, 16, 3, 2,       relu,           true, 1]
        - [bneck2,        72, 24, 3, 2,       relu,          false, 1]
        - [bneck5,       240, 40, 5, 1, hard_swish,           true, 2]
    """,
    "efficientnet": """
        args: {t: required, c: required, k: 5, s: 1, c2: in_channels // 4}
        - when: t != 1
        columns: [as,     t,   c, k, s, n]
        - [stage2,      1,  16, 3, 1, 1]
        - [stage7,      6, 192, 5, 2, 4]
    """,
    "shufflenet_v2": """
        - when: s != 1
        else: [{split: {sections: 2, index: 0}}]
        - [stage3,      116, 2, 8]
    """,
    "shufflenet": """
        - {unit: {c: 60, g: 1}, as: stage2_unit1}
        args: {c: required, g: 3, c2: 4 * c - in_channels}
    """,
}


@pytest.mark.parametrize("name", TABLES)
def test_the_papers_table_comes_back(name):
    found = recovered(name)
    assert found.notes == ()
    lines = [line.strip() for line in laid_out(found.document).splitlines()]
    for line in TABLES[name].strip().splitlines():
        assert line.strip() in lines
    assert loads(laid_out(found.document)) == found.document


SAMPLE = ("alexnet", "lenet_5", "mobilenet", "mobilenet_v2", "resnet18", "squeezenet", "vgg16", "xception")


def test_in_few_words(pytestconfig):
    """YAML scalars at most 1.5 times those of the specification that a person wrote."""
    names = sorted(set(zoo.names()) - WORDY) if pytestconfig.getoption("--long", False) else SAMPLE
    networks = {name: expand(archspec.load(name).document, batch=2) for name in names}
    ratios = {
        name: scalars(recovered(name).document) / scalars(archspec.load(name).document)
        for name, network in networks.items()
        if network.one_to_one
    }
    assert {name: ratio for name, ratio in ratios.items() if ratio > 1.5} == {}


DEEP = """
archspec: 1
name: deep
symbols: {depth: {default: 1, range: [1/4, 4]}}
input: [3, 32, 32]
blocks:
  cell:
    args: {c: required, s: 1}
    body:
      - {conv2d: {out_channels: c, kernel_size: 3, stride: s, padding: 1, bias: false}, as: conv}
      - batch_norm
      - tanh
      - add: [identity, sigmoid]
network:
  - table:
      block: cell
      repeat: n
      after_first: {s: 1}
      columns: [as, c, s, {n: ceil(depth * n)}]
      rows: [[stage1, 8, 1, 1], [stage2, 16, 2, 2], [stage3, 32, 2, 3]]
  - {repeat: 3 * depth, as: tail, body: [{cell: {c: 32}}]}
  - global_avg_pool
"""


def test_a_depth_is_recovered_from_instances_of_other_lengths():
    arch = archspec.loads(DEEP)
    found = of_instances({"depth": (1, 2, 3)}, lambda bound: chain(expand(arch.document, bound, batch=2)))
    text = laid_out(found.document)
    assert "{n: depth * n}" in text
    again = archspec.Architecture(found.document)
    for depth in (1, 2, 3, 4):
        assert again.count(depth=depth).macs == arch.count(depth=depth).macs


class DenseLayer(nn.Module):
    """A layer that is given all results before it, as torchvision's DenseNet has them."""

    def __init__(self, c):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(c), nn.Conv2d(c, 4, 3, padding=1, bias=False)

    def forward(self, *every):
        return self.conv(torch.relu(self.norm(torch.cat(every, 1))))


class DenseBlock(nn.ModuleDict):
    def __init__(self, c, layers):
        super().__init__({f"layer{n + 1}": DenseLayer(c + 4 * n) for n in range(layers)})

    def forward(self, x):
        every = [x]
        for layer in self.values():
            every.append(layer(*every))
        return torch.cat(every, 1)


def test_lists_that_grow_are_dense_layers():
    net = nn.Sequential(DenseBlock(3, 4), nn.AvgPool2d(2), DenseBlock(19, 3))
    arch = archspec.Architecture(archspec.from_torch(net, (1, 3, 8, 8)))
    text = dumps(arch.document)
    assert text.count("concat") == 1
    assert "repeat: 4" in text
    assert arch.count().macs == 36 * (64 * (3 + 7 + 11 + 15) + 16 * (19 + 23 + 27))
    assert tuple(arch.expand().nodes[-1].output.shape) == (1, 3 + 16 + 12, 4, 4)


WORD = """
archspec: 1
name: word
input: [3, 33, 33]
blocks:
  conv:
    args: {c: required, k: 3, s: 1, p: same}
    body:
      - conv2d: {out_channels: c, kernel_size: k, stride: s, padding: p, bias: false}
      - batch_norm
      - relu
network:
  - {conv: {c: 8, p: 0}}
  - concat:
      a: [{conv: {c: 4, k: 1}}, {conv: {c: 6}}, {conv: {c: 6, s: 2, p: 0}}]
      b: [{max_pool2d: {kernel_size: 3, stride: 2}}]
"""


def test_a_padding_that_is_a_word_or_a_number_has_a_source():
    found = imported(chain(expand(loads(WORD), batch=2)))
    again = archspec.Architecture(found.document)
    assert "padding: p" in laid_out(found.document)
    assert "torch.cat([self.a(x), self.branch2(x)], dim=1)" in again.source()
