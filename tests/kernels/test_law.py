"""Packed layers give what the layers of ±1 give, to the bit, in every way."""

import random
import warnings

import pytest
import torch

from archspec import kernels
from archspec.kernels.layers import packed
from archspec.kernels.window import Window
from archspec.runtime.binary import BinaryConv2d, BinaryLinear

pytestmark = [pytest.mark.no_cover, pytest.mark.usefixtures("one_thread")]

FEW, MANY = 120, 2400
WAYS = kernels.names()


def linear(draw):
    features = draw.choice([1, 2, 63, 64, 65, 127, 128, draw.randint(1, 300)])
    outer = [draw.randint(1, 5) for _ in range(draw.randint(0, 2))]
    return BinaryLinear, (features, draw.randint(1, 70)), {}, (*outer, features)


def convolution(draw):
    """Kernels of all sides, strides, paddings (as wide as the kernel and wider), dilations and groups."""
    groups = draw.choice([1, 1, 1, 2, 3, 5])
    channels = groups * draw.choice([1, 2, 7, 20, 63, 64, 65, 100])
    kernel = draw.randint(1, 5), draw.randint(1, 5)
    four = tuple(draw.randint(0, 4) for _ in range(4))
    padding = draw.choice(["same", "valid", (draw.randint(0, 6), draw.randint(0, 6)), four])
    settings = {
        "stride": 1 if padding == "same" else (draw.randint(1, 3), draw.randint(1, 3)),
        "padding": padding,
        "dilation": (draw.randint(1, 3), draw.randint(1, 3)),
        "groups": groups,
    }
    image = draw.choice([(1, 1), (1, draw.randint(1, 9)), (draw.randint(1, 14), draw.randint(1, 14))])
    batch = () if draw.random() < 0.1 else (draw.randint(1, 3),)
    return BinaryConv2d, (channels, groups * draw.randint(1, 20), kernel), settings, (*batch, channels, *image)


def drawn(draw):
    """A layer and the shape of an input that it takes."""
    while True:
        kind, sizes, settings, shape = (linear if draw.random() < 0.3 else convolution)(draw)
        for name in ("bias", "binary_input", "input_scale"):
            settings[name] = draw.random() < 0.7
        layer = kind(*sizes, **settings).eval()
        if kind is BinaryLinear or min(Window.of(layer).size(*shape[-2:])) > 0:
            with torch.no_grad():
                layer.weight[torch.rand(layer.weight.shape) < 0.1] = draw.choice([0.0, -0.0])
                layer.alpha.copy_(torch.randn(layer.alpha.shape))  # of a file from elsewhere: of any sign
            return layer, shape


def same_bits(a, b):
    """To the bit, but for the sign of 0, which torch's convolution chooses where a window sees padding alone."""
    return a.shape == b.shape and torch.equal(*((each + 0.0).contiguous().view(torch.int32) for each in (a, b)))


def test_packed_layers_equal_layers_of_signs_to_the_bit(request):
    """Weights alone add real inputs in another order: of inputs whose sums are exact, 16 bits of a number here."""
    cases = MANY if request.config.option.long else FEW
    draw = random.Random(1603)  # noqa: S311  # no secret
    torch.manual_seed(5279)
    kinds = dict.fromkeys(["linear", "grouped", "padded", "1×1 image", "weights alone"], 0)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same' with even kernel lengths")
        for _ in range(cases):
            layer, shape = drawn(draw)
            x = torch.randn(shape)
            x = x if layer.binary_input else (x * 2**8).round() / 2**8
            x[torch.rand(shape) < 0.05] = draw.choice([0.0, -0.0])
            expected = layer(x)
            for way in WAYS:
                made = packed(layer, way)
                assert same_bits(made(x), expected), (way, layer, shape)
                assert torch.equal(made.state_dict()["weight"], torch.where(layer.weight < 0, -1.0, 1.0)), (way, layer)
            conv = isinstance(layer, BinaryConv2d)
            kinds["linear"] += not conv
            kinds["grouped"] += conv and layer.groups > 1
            kinds["padded"] += conv and any(Window.of(layer).before)
            kinds["1×1 image"] += conv and shape[-2:] == (1, 1)
            kinds["weights alone"] += not layer.binary_input
    print(f"{cases} layers in {len(WAYS)} ways: {kinds}")
    assert min(kinds.values()) >= cases // 40


@pytest.mark.parametrize("groups", [1, 4])
def test_weights_alone_agree_up_to_the_order_of_their_sums(groups):
    layer = BinaryConv2d(64, 32, 3, padding=1, groups=groups, binary_input=False).eval()
    x = torch.randn(2, 64, 9, 7)
    with torch.no_grad():
        found, expected = packed(layer, "numba")(x), layer(x)
    assert not torch.equal(found, expected)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_threads_share_a_layer(monkeypatch):
    by_numba = pytest.importorskip("archspec.kernels.by_numba")
    monkeypatch.setattr(by_numba, "WORTH_A_THREAD", 1)
    torch.set_num_threads(3)
    with torch.no_grad():
        for layer, shape in (
            (BinaryConv2d(70, 20, 3, padding=1, groups=2).eval(), (2, 70, 6, 5)),
            (BinaryLinear(100, 77).eval(), (3, 100)),
            (BinaryLinear(100, 77, binary_input=False).eval(), (3, 100)),
        ):
            x = torch.randint(-9, 9, shape).float()
            expected = packed(layer, "numpy")(x)
            assert torch.allclose(packed(layer, "numba")(x), expected, atol=0 if layer.binary_input else 1e-5)
