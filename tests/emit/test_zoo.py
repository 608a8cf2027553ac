"""The law of the source: written once, at the defaults, it is the compiled model at any values of the symbols."""

import re
from fractions import Fraction
from functools import lru_cache

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec.errors import ArchspecError  # noqa: E402
from archspec.runtime.calls import drawn  # noqa: E402

ZOO = archspec.zoo.names()
BIG = {"resnet34", "resnet101", "resnet152", "vgg19", "mobilenet_full", "mobilenet_shallow", "inception_v3_keras_2016"}
BIG |= {"googlenet", "squeezenet_v1_1", "squeezenet_meta", "squeezenet_bypass"}
BIG |= {"mobilenet_v3_large", "mnasnet", "resnext", "regnet", "densenet"}
"""Networks whose blocks a smaller one of the zoo has too; they are run by --long."""

LARGE = {"hidden": 64, "states": 30, "classes": 7, "layers": 2, "width": 32, "frames": 40}
LARGE |= {"heads": 4, "kv_heads": 2, "head_dim": 8, "tokens": 9, "vocabulary": 50}
"""What makes a network small enough to run, where it has the symbol."""


@lru_cache
def architecture(name):
    return archspec.load(name)


@pytest.fixture(scope="module")
def sources(written, text_of):
    return lru_cache(lambda name: written(text_of(name)))


def small(name):
    """Values with which a network is quick to run: the least side, few classes."""
    symbols = architecture(name).document.symbols
    values = {symbol: value for symbol, value in LARGE.items() if symbol in symbols}
    if "side" in symbols and symbols["side"].range:
        values["side"] = max(symbols["side"].range[0], 33)
    return values


def others(name, long):
    """A choice of every symbol or a number beside the default; at length every choice."""
    for symbol, known in architecture(name).document.symbols.items():
        if known.choices is not None:
            values = [choice for choice in known.choices if choice != known.default]
        elif known.integer:
            values = [known.default + 1]
        else:
            values = [0.35, "3/4"]
        yield from ({symbol: value} for value in (values if long else values[-1:]))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", ZOO)
def test_the_weights_have_the_same_keys_order_and_shapes_at_all_choices(name, sources, agree, request):
    arch = architecture(name)
    source = sources(name)
    agree(arch, source, numbers=False)
    for bindings in others(name, request.config.option.long):
        try:
            arch.expand(**bindings)
        except ArchspecError:
            continue  # not every number makes a network
        agree(arch, source, numbers=False, **bindings)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", ZOO)
def test_the_output_is_equal_to_the_bit(name, sources, agree, request):
    if name in BIG and not request.config.option.long:
        pytest.skip("a smaller network of the zoo has the same blocks; run by --long")
    one, other = agree(architecture(name), sources(name), **small(name))
    for model in (one, other):
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        model.train()
    expected, found = (model(*drawn(architecture(name).expand(batch=2, **small(name)), 0)) for model in (one, other))
    torch.testing.assert_close(expected, found, rtol=0, atol=0)


CASES = [
    ("mobilenet_v2", {"alpha": 0.35, "side": 32, "classes": 5}),
    ("mobilenet", {"alpha": "3/4", "side": 40, "classes": 3}),
    ("shufflenet", {"g": 8, "scale": 0.5, "side": 64, "classes": 5}),
    ("shufflenet", {"g": 1, "scale": "1/4", "side": 33, "classes": 5}),
    ("squeezenet_bypass", {"bypass": "complex", "side": 40, "classes": 5}),
    ("squeezenet_bypass", {"bypass": "none", "side": 35, "classes": 5}),
    ("squeezenet_meta", {"base_e": 64, "incr_e": 32, "pct3x3": "1/4", "freq": 3, "SR": 0.5, "side": 40}),
    ("resnet18", {"side": 33, "classes": 5}),
    ("resnet50", {"variant": "v1_5", "side": 32, "classes": 5}),
    ("alexnet", {"groups": 1, "side": 67, "classes": 5}),
    ("lenet_5", {"side": 37, "classes": 4}),
    ("acoustic_model", {"layers": 3, "hidden": 20, "states": 7, "frames": 2, "coefficients": 5}),
    ("bottleneck_units", {"unit": "resnext", "c": 12, "m": 6, "g": 2, "h": 5, "w": 7}),
    ("inception_module", {"form": "equivalent", "c": 8, "m": 6, "side": 9}),
    ("inception_module", {"form": "extreme", "c": 8, "m": 6, "side": 9}),
    ("binary_convolution", {"form": "xnor", "c": 8, "k": 4, "side": 7}),
    ("binary_convolution", {"form": "real", "c": 8, "k": 2, "side": 7}),
    ("binary_convolution", {"form": "binary_weights", "c": 8, "k": 5, "side": 7}),
]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("name", "bindings"), CASES)
def test_the_source_of_the_defaults_gives_the_output_of_other_values(name, bindings, sources, agree):
    agree(architecture(name), sources(name), **bindings)


def test_bindings_are_the_defaults_of_the_arguments(written):
    source = written(architecture("mobilenet_v2").source(alpha=0.35, classes=10))
    assert "alpha: float | str | Fraction = 0.35, classes: int = 10" in source.text
    assert source({}).classifier.weight.shape == (10, 1280)
    assert written(architecture("mobilenet_v2").source(alpha="4/3")).parameters["alpha"].default == "4/3"


@pytest.mark.parametrize("alpha", [0.35, "0.35", "7/20", Fraction(7, 20)])
def test_a_float_is_read_as_its_shortest_decimal(alpha, sources):
    model = sources("mobilenet")({"alpha": alpha})
    assert model.separable4.unit1.pointwise.conv2d.out_channels == 256 * 7 // 20


REFUSED = [
    ("mobilenet_v2", {"alpha": 4}, "alpha must be from 1/10 to 3 (got 4)"),
    ("shufflenet", {"g": 5}, "g must be one of 1, 2, 3, 4, 8 (got 5)"),
    ("shufflenet", {"scale": 0.3}, "scale must be one of 1/4, 1/2, 1, 3/2, 2 (got 3/10)"),
    ("resnet50", {"variant": "v2"}, "variant must be one of v1, v1_5 (got v2)"),
    ("vgg16", {"side": 31}, "side must be from 32 to 8192 (got 31)"),
]


@pytest.mark.parametrize(("name", "bindings", "message"), REFUSED)
def test_what_a_symbol_cannot_be_its_argument_refuses(name, bindings, message, sources):
    with pytest.raises(ValueError, match=re.escape(message)):
        sources(name)(bindings)


def test_a_side_that_nothing_depends_on_is_no_argument(sources):
    assert list(sources("mobilenet_v2").parameters) == ["alpha", "classes", "input_channels"]
    assert list(sources("vgg16").parameters) == ["side", "classes", "input_channels"]
