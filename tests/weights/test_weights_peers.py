"""The networks of pytorchcv, filled with random numbers, run in ours: equal outputs, or what differs."""

import re
from dataclasses import dataclass, field
from importlib import import_module
from math import prod, sqrt
from pathlib import Path
from types import SimpleNamespace

import pytest

import archspec

torch = pytest.importorskip("torch")
pytest.importorskip("pytorchcv")
pytest.importorskip("safetensors")

from torch import nn  # noqa: E402

from archspec.weights import WHY  # noqa: E402

PAGE = (Path(__file__).parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")


def exchanged(_, patch):
    """Concatenations with their two inputs the other way round."""
    patch.setattr(
        "pytorchcv.models.shufflenet.torch", SimpleNamespace(cat=lambda pair, dim: torch.cat(pair[::-1], dim))
    )


def with_bias(source, _):
    """A classifier with a bias."""
    source.output = filled(nn.Conv2d(1280, 1000, kernel_size=1))


def inside_alone(source, _):
    """Averages of what is in the image alone."""
    for module in source.modules():
        if isinstance(module, nn.AvgPool2d):
            module.count_include_pad = False


def caffe_alexnet(source, _):
    """The padding, the poolings and the normalisation of Caffe's network."""
    source.features.stage1.unit1.conv.padding = (2, 2)
    for module in source.modules():
        if isinstance(module, nn.MaxPool2d):
            module.ceil_mode = False
        if getattr(module, "use_lrn", False):
            module.use_lrn = False
            module.activ = nn.Sequential(nn.ReLU(), nn.LocalResponseNorm(5, k=1))


EXCHANGED = "the inputs of concatenations are exchanged: here the shortcut comes first"
CAFFE = "padding, poolings and local response normalisation, whose k is 2 there, are those of Caffe"
PAPER = "averages leave the padding out"


@dataclass(frozen=True)
class Peer:
    """A network here, its peer, and what makes the two equal, if they are not."""

    spec: str
    module: str
    name: str
    side: int = 64
    bindings: dict = field(default_factory=dict)
    alter: object = None
    once: str = ""

    @property
    def written(self):
        return " ".join([self.spec, *(f"{name}={value}" for name, value in self.bindings.items())])


PEERS = [
    Peer("mobilenet", "mobilenet", "mobilenet_w1"),
    Peer("mobilenet_v2", "mobilenetv2", "mobilenetv2_w1"),
    Peer("mobilenet_v2", "mobilenetv2", "mobilenetv2b_w1", alter=with_bias, once="the classifier has a bias"),
    Peer("squeezenet", "squeezenet", "squeezenet_v1_0", 99),
    Peer("squeezenet_v1_1", "squeezenet", "squeezenet_v1_1", 99),
    *(
        Peer("shufflenet", "shufflenet", f"shufflenet_g{g}_w1", 64, {"g": g}, alter=exchanged, once=EXCHANGED)
        for g in (1, 2, 3, 4, 8)
    ),
    Peer("alexnet", "alexnet", "alexnet", 224, {"groups": 1}, alter=caffe_alexnet, once=CAFFE),
    Peer("alexnet", "alexnet", "alexnetb", 224, {"groups": 1}),
    Peer("vgg16", "vgg", "vgg16"),
    Peer("resnet18", "resnet", "resnet18"),
    Peer("resnet34", "resnet", "resnet34"),
    Peer("resnet50", "resnet", "resnet50"),
    Peer("resnet50", "resnet", "resnet50b", 64, {"variant": "v1_5"}),
    Peer("resnet101", "resnet", "resnet101"),
    Peer("resnet152", "resnet", "resnet152"),
    Peer("xception", "xception", "xception", 96),
    Peer("inception_v3", "inceptionv3", "inceptionv3", 99, alter=inside_alone, once=PAPER),
]
"""resnet18 to 152 are the paper's (v1)."""


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def source_of(peer):
    """The peer with random weights and statistics, its pooling at the end that of a map of any size."""
    with torch.device("meta"):
        source = getattr(import_module(f"pytorchcv.models.{peer.module}"), peer.name)()
        for parent in list(source.modules()):
            if hasattr(parent, "final_pool"):
                parent.final_pool = nn.AdaptiveAvgPool2d(1)
        if peer.spec == "xception":
            source.features.final_block.pool = nn.AdaptiveAvgPool2d(1)
        if peer.spec == "vgg16":
            source.output.fc1.fc = nn.Linear(512 * (peer.side // 32) ** 2, 4096)
    return filled(source.to_empty(device="cpu").eval())


def filled(source):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, array in (*source.named_parameters(), *source.named_buffers()):
            if array.ndim > 1:
                array.normal_(0, sqrt(2 / prod(array.shape[1:])), generator=generator)
            elif name.endswith(("bn.weight", "running_var")):
                array.uniform_(0.5, 1.5, generator=generator)
            elif array.ndim:
                array.normal_(0, 0.1, generator=generator)
            else:
                array.zero_()
    return source


def compared(peer, source, *, by_name=False):
    """The matching of the peer's state dict, and the check of the two models if it is whole."""
    arch, bindings = archspec.load(peer.spec), {"side": peer.side, **peer.bindings}
    state = source.state_dict()
    if by_name:  # as a safetensors file has it
        state = {key: state[key] for key in sorted(state)}
    matching = arch.match_weights(state, **bindings)
    if not matching:
        return matching, None
    model = arch.to_torch(weights=state, inplace=False, **bindings)
    x = torch.randn(1, 3, peer.side, peer.side, generator=torch.Generator().manual_seed(1))
    return matching, matching.check(model, source, x)


def row(peer, matching, check):
    """The line of the page."""
    said = "equal" if check else "; ".join(check.differences if check is not None else matching.differences)
    return f"| `{peer.written}` | `{peer.name}` | {said} | {peer.once} |"


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer.written}-{peer.name}")
def test_a_peer_gives_equal_outputs_or_differs_in_what_the_page_says(peer, monkeypatch, later):
    if peer.spec in later:
        pytest.skip("a smaller network of the zoo has the same blocks; run by --long")
    source = source_of(peer)
    matching, check = compared(peer, source)
    assert row(peer, matching, check) in PAGE.splitlines()
    if peer.alter is not None:
        assert not check
        peer.alter(source, monkeypatch)
        _, altered = compared(peer, source)
        assert altered, altered.differences


def test_the_page_explains_every_reason():
    assert [f"| `{why}` | {sentence} |" for why, sentence in WHY.items()] == [
        line for line in PAGE.splitlines() if re.match(r"\| `\w+` \| [^`|]+ \|$", line)
    ]


def test_the_page_has_no_row_of_another_peer():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `\w+( \w+=\w+)*` \| `\w+` \|", line)]
    assert len(rows) == len(PEERS)
