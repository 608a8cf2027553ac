"""torch.export, undecomposed: each pattern is its operator, with torch's parameters and outputs."""

from collections import Counter, OrderedDict
from itertools import pairwise

import pytest

import archspec
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from archspec.graph import expand  # noqa: E402
from archspec.importing import document_of  # noqa: E402
from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.instances import of_instances  # noqa: E402
from archspec.importing.layout import laid_out  # noqa: E402
from archspec.importing.outputs import carried, difference_of  # noqa: E402
from archspec.importing.reading import read  # noqa: E402
from archspec.language import dumps  # noqa: E402

from .modules import MODULES  # noqa: E402


@pytest.mark.parametrize("name", MODULES)
def test_a_pattern_is_its_operator(name, imports, randomised):
    make, sizes, operators = MODULES[name]
    model = randomised(make())
    found, program = imports(model, sizes)
    network = expand(found.document)
    assert sorted(node.operator.name for node in network.nodes if node.operator.name != "identity") == sorted(operators)
    assert archspec.Architecture(found.document).count().params == sum(p.numel() for p in model.parameters())
    assert difference_of(found, carried(found), program, model) < 1e-5


def test_a_program_of_calls_gives_what_the_module_gives(imports, randomised):
    model = randomised(MODULES["gate"][0]())
    found, program = imports(model, (8, 6, 6))
    assert difference_of(found, carried(found), program) == 0


def test_the_document_is_an_architecture():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(288, 10))
    arch = archspec.Architecture(archspec.from_torch(net, torch.zeros(1, 3, 8, 8), name="small"))
    assert arch.name == "small"
    assert arch.count().params == 8 * 3 * 9 + 288 * 10 + 10
    assert arch.verify()


def test_a_module_is_read_in_evaluation_and_left_as_it_was():
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.3))
    net.train()
    document = archspec.from_torch(net, (2, 3, 4, 4))
    assert [node.operator.name for node in expand(document).nodes] == ["batch_norm", "dropout"]
    assert all(module.training for module in net.modules())


class Idle(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, mask, x):  # noqa: ARG002  # it is what the test is about
        return self.layer(x)


def test_an_input_that_nothing_takes_is_left_out_and_named():
    found = document_of(exported(Idle(), (torch.zeros(2, 7), torch.zeros(2, 4))))
    assert found.notes == ("the input mask is never used: left out",)
    assert expand(found.document).input.shape == (1, 4)


class Dead(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        self.unused(x)
        return self.used(x)


def test_what_is_never_used_is_left_out_and_named(imports):
    found, _ = imports(Dead(), (4,))
    assert found.notes == ("linear at unused is computed and never used: left out",)
    assert len(expand(found.document).nodes) == 1


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(torch.relu(self.layer(x)))


class Partly(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


class Functional(nn.Module):
    """Weights by a function, and the same under two names."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.randn(4, 4))
        self.other = self.one

    def forward(self, x):
        return F.linear(torch.relu(F.linear(x, self.one)), self.other)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 6)
        self.head = nn.Linear(6, 50, bias=False)
        self.head.weight = self.words.weight

    def forward(self, x):
        return self.head(torch.tanh(self.words(x)))


class Ends(nn.Module):
    """Two inputs through one tower, two outputs."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten())

    def forward(self, left, right):
        a, b = self.tower(left), self.tower(right)
        return torch.maximum(a, b), a - b


class WritesBack(nn.Module):
    def forward(self, x):
        y = torch.relu(x)
        y[:, 0].add_(1)
        return y


class Overwrites(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        y = self.conv(x)
        return F.relu_(y) + y


class Decides(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Foreign(nn.Module):
    def forward(self, x):
        return torch.sin(torch.sin(x)) + torch.fft.fft(x).real


WOVEN = {
    # model, example, how often each operator stands there, parameters that are another's, too
    "a module called twice": (Twice, torch.zeros(2, 4), {"linear": 2, "relu": 1}, 1),
    "one weight under two names": (Functional, torch.zeros(2, 4), {"linear": 2, "relu": 1}, 1),
    "a tied head": (Tied, torch.zeros(2, 5, dtype=torch.int64), {"embedding": 1, "tanh": 1, "linear": 1}, 1),
    "two inputs and two outputs": (
        Ends,
        (torch.zeros(2, 3, 5, 5), torch.zeros(2, 3, 5, 5)),
        {"conv2d": 2, "batch_norm": 2, "flatten": 2, "maximum": 1, "subtract": 1},
        2,
    ),
}


@pytest.mark.parametrize("what", WOVEN)
def test_weights_used_twice_and_several_ends_are_right(what, randomised):
    make, example, operators, again = WOVEN[what]
    model = randomised(make())
    program = exported(model, example)
    found = document_of(program)
    network = expand(found.document)
    assert Counter(node.operator.name for node in network.nodes) == operators
    assert sum(bool(node.shared) for node in network.nodes) == again
    assert archspec.Architecture(found.document).count().params == sum(p.numel() for p in model.parameters())
    assert difference_of(found, carried(found), program, model) < 1e-6
    assert archspec.Architecture(found.document).verify()


REFUSED = {
    "partly": (
        Partly,
        (4,),
        r"uses second.weight at first and at second, which have not all arrays in common",
    ),
    "view": (WritesBack, (3, 4, 4), "aten.add_.Tensor at add_ writes over numbers that the output reads"),
    "decides": (Decides, (3, 4, 4), "Decides cannot be exported: what it computes depends on numbers of its input"),
    "foreign": (Foreign, (3, 4, 4), r"(?s)aten.sin.default \(2×, first at sin\).*aten.fft"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_form_is_refused_with_the_reason(name):
    make, sizes, message = REFUSED[name]
    with pytest.raises(ArchspecError, match=message):
        archspec.from_torch(make(), (2, *sizes))


def test_an_in_place_function_whose_input_nobody_reads_again_is_the_function(imports):
    found, _ = imports(nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True), nn.ReLU6(inplace=True)), (3, 4, 4))
    assert [node.operator.name for node in expand(found.document).nodes] == ["conv2d", "relu", "relu6"]


def test_what_was_overwritten_is_read_as_it_is_then(imports, randomised):
    model = randomised(Overwrites())
    found, program = imports(model, (3, 4, 4))
    assert difference_of(found, carried(found), program, model) < 1e-6


class Woven(nn.Module):
    """Two branches that share a layer: no tree of branches says this."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a) + x
        return self.c(b) * a + b


def test_what_no_tree_says_is_written_with_ways_back(imports, randomised):
    model = randomised(Woven())
    found, program = imports(model, (4, 5, 5))
    assert difference_of(found, carried(found), program, model) < 1e-6
    assert "from: a" in dumps(found.document)


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fewer, self.more = nn.Conv2d(channels, channels // 4, 1), nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.more(F.relu(self.fewer(F.adaptive_avg_pool2d(x, 1)))))


class Unit(nn.Module):
    def __init__(self, into, out):
        super().__init__()
        self.expand, self.squeeze = nn.Conv2d(into, 3 * into, 1), Squeeze(3 * into)
        self.project, self.scale = nn.Conv2d(3 * into, out, 1), nn.Parameter(torch.rand(out, 1, 1))

    def forward(self, x):
        return self.scale * self.project(self.squeeze(self.expand(x)))


def squeezed(width=1.0):
    widths = [int(c * width) for c in (14, 20, 34, 34, 46)]
    units = nn.Sequential(*(Unit(*each) for each in pairwise(widths)))
    return nn.Sequential(OrderedDict(stem=nn.Conv2d(3, widths[0], 3), units=units))


def test_a_squeeze_is_a_rounded_part_of_what_flows_in_and_a_scale_has_its_size():
    """Of 42 and 15, 25, 11 channels, no one rounding of the width makes the squeezes; what flows in does."""
    bound = {"width": (1, 0.37, 1.61)}
    found = of_instances(bound, lambda values: read(exported(squeezed(**values), (1, 3, 9, 9))))
    again = archspec.Architecture(found.document)
    text = laid_out(found.document)
    assert "in_channels // 4" in text
    assert "shape: [in_channels, 1, 1]" in text
    for hundredths in range(20, 200, 9):
        width = hundredths / 100
        assert again.count(width=width).params == sum(p.numel() for p in squeezed(width).parameters())
