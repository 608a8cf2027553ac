"""The networks of the zoo against the papers' figures, and against totals that others have counted."""

from fractions import Fraction

import pytest

import archspec
from archspec import cost, language
from archspec.errors import SpecErrors
from archspec.graph import expand
from archspec.language import zoo

ALEXNET = "Krizhevsky et al. 2012, as Caffe has it (groups), Rastegari et al. 2016 (no groups)"
VGG = "Simonyan and Zisserman 2014, arXiv:1409.1556, Table 2: 138 and 144 million; torchvision's vgg16, vgg19"
TORCHVISION = "torchvision's model of that name"
RESNET = "He et al. 2015, arXiv:1512.03385, Table 1: 1.8, 3.6, 3.8, 7.6 and 11.3 ·10⁹ multiply-adds"
BVLC = "bvlc_googlenet of Caffe without its auxiliary classifiers"
XCEPTION = "Chollet 2017, arXiv:1610.02357, Table 3"
KERAS = "Keras, the moving averages of inception_v3"
SHUFFLENET = "Zhang et al. 2017, arXiv:1707.01083, Table 1"
SQUEEZENET = "Iandola et al. 2016, arXiv:1602.07360, Table 1"
META = "Iandola et al. 2016, section 5"
BYPASS = "Iandola et al. 2016, section 6: 1×1 convolutions where the channels change"
HINTON = "Hinton et al. 2015, arXiv:1503.02531, sections 3 and 4"

UNET = "Ronneberger et al. 2015, arXiv:1505.04597, Figure 1: the sizes that it prints"
SIAMESE = "Koch et al. 2015, Figure 4: the sizes that it prints; Keras counts 38,951,745 of it"
FPN = "Lin et al. 2017, arXiv:1612.03144, section 3, over torchvision's resnet50 without its classifier"

UNET_CONVS = [  # of Figure 1: channels in and out, and the side of the result
    *((1, 64, 570), (64, 64, 568), (64, 128, 282), (128, 128, 280), (128, 256, 138), (256, 256, 136)),
    *((256, 512, 66), (512, 512, 64), (512, 1024, 30), (1024, 1024, 28)),
    *((1024, 512, 54), (512, 512, 52), (512, 256, 102), (256, 256, 100)),
    *((256, 128, 198), (128, 128, 196), (128, 64, 390), (64, 64, 388)),
]
UNET_UPS = [(1024, 512, 28), (512, 256, 52), (256, 128, 100), (128, 64, 196)]  # the side of what is enlarged
UNET_PARAMS = sum(9 * a * b + b for a, b, _ in UNET_CONVS) + sum(4 * a * b + b for a, b, _ in UNET_UPS) + 64 * 2 + 2
UNET_MACS = (
    sum(9 * a * b * side**2 for a, b, side in UNET_CONVS)
    + sum(4 * a * b * side**2 for a, b, side in UNET_UPS)
    + 64 * 2 * 388**2
)
SIAMESE_TOWER_MACS = (
    96**2 * 64 * 10**2 + 42**2 * 64 * 128 * 7**2 + 18**2 * 128 * 128 * 4**2 + 6**2 * 128 * 256 * 4**2 + 9216 * 4096
)
FPN_PARAMS = (256 + 512 + 1024 + 2048 + 4) * 256 + 4 * (256 * 256 * 9 + 256)

EXACT = [
    # spec, bindings, quantity, expected, whose figure or sizes
    ("alexnet", {}, "params", 60_965_224, ALEXNET),
    ("alexnet", {}, "macs", 724_406_816, ALEXNET),
    ("alexnet", {"groups": 1}, "params", 62_378_344, ALEXNET),
    ("alexnet", {"groups": 1}, "macs", 1_135_256_096, ALEXNET),
    ("vgg16", {}, "params", 138_357_544, VGG),
    ("vgg16", {}, "macs", 15_470_264_320, VGG),
    ("vgg19", {}, "params", 143_667_240, VGG),
    ("vgg19", {}, "macs", 19_632_062_464, VGG),
    ("googlenet", {}, "params", 6_998_552, BVLC),
    ("googlenet", {}, "macs", 1_582_671_872, BVLC),
    ("unet", {}, "params", UNET_PARAMS, UNET),
    ("unet", {}, "macs", UNET_MACS, UNET),
    ("siamese", {}, "params", 38_951_745, SIAMESE),
    ("siamese", {}, "macs", 2 * SIAMESE_TOWER_MACS + 4096, SIAMESE),
    ("fpn_resnet50", {}, "params", 25_557_032 - 2_049_000 + FPN_PARAMS, FPN),
    ("resnet18", {}, "params", 11_689_512, TORCHVISION),
    ("resnet18", {}, "macs", 1_814_073_344, RESNET),
    ("resnet34", {}, "params", 21_797_672, TORCHVISION),
    ("resnet34", {}, "macs", 3_663_761_408, RESNET),
    ("resnet50", {}, "params", 25_557_032, TORCHVISION),
    ("resnet50", {}, "macs", 3_857_973_248, RESNET),
    ("resnet50", {"variant": "v1_5"}, "params", 25_557_032, TORCHVISION),
    ("resnet50", {"variant": "v1_5"}, "macs", 4_089_184_256, TORCHVISION),
    ("resnet101", {}, "params", 44_549_160, TORCHVISION),
    ("resnet101", {"variant": "v1_5"}, "macs", 7_801_405_440, TORCHVISION),
    ("resnet152", {}, "params", 60_192_808, TORCHVISION),
    ("resnet152", {}, "macs", 11_282_415_616, RESNET),
    ("resnet152", {"variant": "v1_5"}, "macs", 11_513_626_624, TORCHVISION),
    ("inception_v3", {}, "params", 23_834_568, TORCHVISION),
    ("inception_v3", {}, "macs", 5_713_216_096, TORCHVISION),
    ("inception_v3", {}, "buffers", 2 * 17_216, KERAS),
    ("inception_v3_keras_2016", {}, "params", 21_526_368 + 3 * 17_120 + 2_049_000, XCEPTION),
    ("inception_v3_keras_2016", {}, "params", 23_626_728, XCEPTION),
    ("xception", {}, "params", 22_855_952, XCEPTION),
    ("xception", {}, "buffers", 2 * 27_264, "Keras, the moving averages of xception"),
    ("squeezenet", {}, "params", 1_248_424, SQUEEZENET),
    ("squeezenet_v1_1", {}, "params", 1_235_496, TORCHVISION),
    ("squeezenet_v1_1", {"side": 224}, "macs", 349_151_936, TORCHVISION),
    ("squeezenet_bypass", {"bypass": "none"}, "params", 1_248_424, SQUEEZENET),
    ("squeezenet_bypass", {"bypass": "simple"}, "params", 1_248_424, BYPASS),
    ("squeezenet_bypass", {"bypass": "complex"}, "params", 1_248_424 + 341_248, BYPASS),
    ("squeezenet_meta", {}, "params", 1_248_424, META),
    ("squeezenet_meta", {"SR": "0.5"}, "params", 3_404_392, META),
    ("squeezenet_meta", {"SR": "0.75"}, "params", 4_841_704, META),
    ("mnist_1200", {}, "params", 784 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 10 + 10, HINTON),
    ("mnist_800", {}, "params", 784 * 800 + 800 + 800 * 800 + 800 + 800 * 10 + 10, HINTON),
    ("acoustic_model", {}, "params", 1041 * 2560 + 7 * 2561 * 2560 + 2561 * 14_000, HINTON),
    ("acoustic_model", {}, "macs", 26 * 40 * 2560 + 7 * 2560**2 + 2560 * 14_000, HINTON),
]

MILLION, BILLION, MIB = 10**6, 10**9, 2**20

PRINTED = [
    # spec, bindings, quantity, convention, printed, of which unit, where
    ("alexnet", {}, "params", "deep-compression", "61", MILLION, "Han et al. 2015, arXiv:1506.02626, Table 1"),
    ("alexnet", {}, "macs", "shufflenet", "7.2", 100 * MILLION, "Zhang et al. 2017, Table 6: 720, to two digits"),
    ("vgg16", {}, "params", "deep-compression", "138", MILLION, "Han et al. 2015, Table 1"),
    ("vgg16", {}, "params", "default", "138", MILLION, "Simonyan and Zisserman 2014, Table 2"),
    ("vgg19", {}, "params", "default", "144", MILLION, "Simonyan and Zisserman 2014, Table 2"),
    ("resnet18", {}, "macs", "default", "1.8", BILLION, "He et al. 2015, Table 1"),
    ("resnet152", {}, "macs", "default", "11.3", BILLION, "He et al. 2015, Table 1"),
    ("shufflenet", {"g": 1}, "macs", "shufflenet-table1", "143", MILLION, SHUFFLENET),
    ("shufflenet", {"g": 2}, "macs", "shufflenet-table1", "140", MILLION, SHUFFLENET),
    ("shufflenet", {"g": 3}, "macs", "shufflenet-table1", "137", MILLION, SHUFFLENET),
    ("shufflenet", {"g": 4}, "macs", "shufflenet-table1", "133", MILLION, SHUFFLENET),
    ("shufflenet", {"g": 8}, "macs", "shufflenet-table1", "137", MILLION, SHUFFLENET),
    ("shufflenet", {"scale": "1/4"}, "macs", "shufflenet-table1", "13", MILLION, "Zhang et al. 2017, Table 2"),
    ("shufflenet", {"scale": "1/2"}, "macs", "shufflenet", "38", MILLION, "Zhang et al. 2017, Tables 5, 6 and 8"),
    ("shufflenet", {"scale": "3/2"}, "macs", "shufflenet", "292", MILLION, "Zhang et al. 2017, Table 5"),
    ("shufflenet", {"scale": 2}, "macs", "shufflenet", "524", MILLION, "Zhang et al. 2017, Tables 5, 6 and 8"),
    ("squeezenet", {}, "macs", "shufflenet", "833", MILLION, "Zhang et al. 2017, Table 6"),
    ("squeezenet", {}, "params", "squeezenet", "4.8", Fraction(MIB, 4), "Iandola et al. 2016, Table 3"),
    (
        "squeezenet_meta",
        {"SR": "1/2"},
        "params",
        "squeezenet",
        "13",
        Fraction(MIB, 4),
        "Iandola et al. 2016, Figure 3(a)",
    ),
]

VARIANTS = {
    "alexnet": [{"groups": 1}, {"side": 224}],
    "binary_convolution": [{"form": "real"}, {"form": "binary_weights"}, {"form": "xnor"}],
    "bottleneck_units": [{"unit": "resnet"}, {"unit": "resnext"}, {"unit": "shufflenet"}],
    "inception_module": [{"form": form} for form in ("canonical", "simplified", "equivalent", "grouped", "extreme")],
    "resnet50": [{"variant": "v1_5"}],
    "resnet101": [{"variant": "v1_5"}],
    "resnet152": [{"variant": "v1_5"}],
    "shufflenet": [
        *({"g": g} for g in (1, 2, 3, 4, 8)),
        *({"g": g, "scale": 2} for g in (1, 2, 3, 4, 8)),
        *({"g": g, "scale": scale} for g in (1, 3, 8) for scale in ("1/4", "1/2", "3/2")),
    ],
    "squeezenet_bypass": [{"bypass": "none"}, {"bypass": "simple"}, {"bypass": "complex"}],
    "squeezenet_meta": [{"SR": "1/2"}, {"SR": "3/4"}, {"pct3x3": "1/4", "freq": 3}, {"incr_e": 0}],
}
"""Other bindings than the defaults under which a network can be built; a network not named has none of note."""

OF_PLACES = {"unet", "lraspp_mobilenet_v3", "ssdlite_mobilenet_v3", "fpn_resnet50"}
"""Networks whose classes are of pixels or boxes; the last gives none."""


def count(name, bindings, convention="default"):
    return cost.count(expand(language.load(name), bindings), cost.convention(convention))


@pytest.mark.parametrize(("name", "bindings", "quantity", "expected", "source"), EXACT)
def test_totals_are_those_that_were_published_or_counted_elsewhere(name, bindings, quantity, expected, source):
    assert getattr(count(name, bindings), quantity) == expected, source


@pytest.mark.parametrize(("name", "bindings", "quantity", "convention", "printed", "unit", "source"), PRINTED)
def test_totals_round_to_the_printed_digits(name, bindings, quantity, convention, printed, unit, source):
    _, _, decimals = printed.partition(".")
    counted = Fraction(getattr(count(name, bindings, convention), quantity)) / unit
    assert abs(counted - Fraction(printed)) <= Fraction(1, 2 * 10 ** len(decimals)), source


@pytest.mark.parametrize("name", zoo.names())
class TestEverySpec:
    def test_is_called_as_its_file(self, name):
        assert language.load(name).name == name

    def test_says_where_it_was_published(self, name):
        source = language.load(name).source
        assert source.title
        assert source.authors
        assert source.year
        assert source.arxiv or source.doi or source.url

    def test_says_what_its_symbols_mean(self, name):
        assert [symbol for symbol, given in language.load(name).symbols.items() if not given.doc] == []

    def test_comes_back_from_its_text(self, name):
        document = language.load(name)
        assert language.loads(language.dumps(document)) == document

    def test_gives_a_value_for_each_class(self, name):
        network = expand(language.load(name))
        if "classes" in network.bindings and name not in OF_PLACES:
            assert network.tensor(network.output).shape == (1, network.bindings["classes"])

    def test_expands_in_all_its_variants(self, name):
        for bindings in [{}, *VARIANTS.get(name, [])]:
            network = expand(language.load(name), bindings)
            assert len({node.name for node in network.nodes}) == len(network.nodes)
            assert cost.count(network).flops > 0  # one-bit weights leave no multiplication


def test_every_variant_is_of_a_network_of_the_zoo():
    assert set(VARIANTS) <= set(zoo.names())


SIZES = [
    # spec, node, its result (channels, height, width), where it is printed
    ("alexnet", "pool5/max_pool2d", (256, 6, 6), ALEXNET),
    ("vgg16", "pool5/max_pool2d", (512, 7, 7), VGG),
    ("googlenet", "inception3a/concat", (256, 28, 28), "Szegedy et al. 2014, arXiv:1409.4842, Table 1"),
    ("googlenet", "inception4e/concat", (832, 14, 14), "Szegedy et al. 2014, Table 1"),
    ("googlenet", "inception5b/concat", (1024, 7, 7), "Szegedy et al. 2014, Table 1"),
    ("resnet50", "conv3_x/unit4/relu", (512, 28, 28), RESNET),
    ("resnet152", "conv4_x/unit36/relu", (1024, 14, 14), RESNET),
    ("resnet50", "conv5_x/unit3/relu", (2048, 7, 7), RESNET),
    ("inception_v3", "mixed2/concat", (288, 35, 35), "Szegedy et al. 2015, arXiv:1512.00567, Table 1"),
    ("inception_v3", "mixed7/concat", (768, 17, 17), "Szegedy et al. 2015, Table 1"),
    ("inception_v3", "mixed8/concat", (1280, 8, 8), "Szegedy et al. 2015, Table 1"),
    ("inception_v3", "mixed10/concat", (2048, 8, 8), "Szegedy et al. 2015, Table 1"),
    ("xception", "entry3/add", (728, 19, 19), "Chollet 2017, Figure 5"),
    ("xception", "middle/unit8/add", (728, 19, 19), "Chollet 2017, Figure 5"),
    ("xception", "exit_relu2", (2048, 10, 10), "Chollet 2017, Figure 5"),
    ("shufflenet", "stage2/unit4/relu_2", (240, 28, 28), SHUFFLENET),
    ("shufflenet", "stage4/unit4/relu_2", (960, 7, 7), SHUFFLENET),
    ("squeezenet_v1_1", "fire9/concat", (512, 14, 14), "the authors' Caffe model at 227"),
]


@pytest.mark.parametrize(("name", "node", "size", "source"), SIZES)
def test_feature_maps_have_the_printed_sizes(name, node, size, source):
    assert expand(language.load(name)).node(node).output.shape == (1, *size), source


ALEXNET_LAYERS = [
    # layer, macs with groups 2, of which halved by them
    ("conv1", 96 * 55 * 55 * (3 * 11 * 11), 1),
    ("conv2", 256 * 27 * 27 * (48 * 5 * 5), 2),
    ("conv3", 384 * 13 * 13 * (256 * 3 * 3), 1),
    ("conv4", 384 * 13 * 13 * (192 * 3 * 3), 2),
    ("conv5", 256 * 13 * 13 * (192 * 3 * 3), 2),
    ("fc6", 4096 * 9216, 1),
    ("fc7", 4096 * 4096, 1),
    ("fc8", 1000 * 4096, 1),
]


@pytest.mark.parametrize(("layer", "macs", "factor"), ALEXNET_LAYERS)
def test_the_layers_of_alexnet_cost_what_their_sizes_say_and_groups_halve_three_of_them(layer, macs, factor):
    rows = {groups: {row.name: row for row in count("alexnet", {"groups": groups}).by("stage")} for groups in (1, 2)}
    assert rows[2][layer].macs == macs
    assert rows[1][layer].macs == factor * macs


REFUSED = [
    # scale, g, and which channels do not divide by which groups: a unit has c/4 bottleneck channels
    ("1/2", 4, "stage2/unit1/shuffle: 34 channels do not divide into 4 groups"),  # 272·½/4 = 34
    ("1/4", 4, "stage2/unit1/shuffle: 17 channels do not divide into 4 groups"),  # 272·¼/4 = 17
    ("1/2", 2, "stage2/unit1/shuffle: 25 channels do not divide into 2 groups"),  # 200·½/4 = 25
    ("1/4", 2, "50 is not divisible by 4, in 'exact_div(c, 4)'"),  # 200·¼ = 50
]


@pytest.mark.parametrize(("scale", "g", "message"), REFUSED)
def test_shufflenets_whose_channels_do_not_divide_are_refused(scale, g, message):
    with pytest.raises(SpecErrors) as refused:
        expand(language.load("shufflenet"), {"scale": scale, "g": g})
    assert message in str(refused.value)


def test_a_shufflenet_of_one_group_has_no_shuffle():
    assert not [row for row in count("shufflenet", {"g": 1}).rows if row.operator == "channel_shuffle"]
    assert len([row for row in count("shufflenet", {"g": 2}).rows if row.operator == "channel_shuffle"]) == 4 + 8 + 4


UNITS = [
    # unit, multiply-adds: Zhang et al. 2017, section 3.2
    ("resnet", lambda c, m, h, w, **_: h * w * (2 * c * m + 9 * m**2)),
    ("resnext", lambda c, m, g, h, w: h * w * (2 * c * m + 9 * m**2 // g)),
    ("shufflenet", lambda c, m, g, h, w: h * w * (2 * c * m // g + 9 * m)),
]


@pytest.mark.parametrize(("unit", "formula"), UNITS)
@pytest.mark.parametrize(
    "sizes", [{"c": 240, "m": 60, "g": 3, "h": 28, "w": 28}, {"c": 64, "m": 8, "g": 4, "h": 5, "w": 7}]
)
def test_units_cost_what_the_shufflenet_paper_derives(unit, formula, sizes):
    assert count("bottleneck_units", {"unit": unit, **sizes}).macs == formula(**sizes)


@pytest.mark.parametrize("form", ["simplified", "equivalent", "grouped"])
def test_the_simplified_inception_module_and_its_reformulations_are_one_cost(form):
    table = count("inception_module", {"form": form, "c": 100, "m": 20, "side": 9})
    assert table.params == 3 * (100 * 20 + 20 * 20 * 9)
    assert table.macs == 9 * 9 * table.params


def test_the_extreme_inception_module_has_one_spatial_filter_a_channel():
    assert count("inception_module", {"form": "extreme", "c": 100, "m": 20}).params == 100 * 60 + 60 * 9


def test_the_metaparameters_make_squeezenet_layer_by_layer():
    made, printed = count("squeezenet_meta", {}), count("squeezenet", {})
    assert [row.figures() for row in made.rows] == [row.figures() for row in printed.rows]
    assert [row.name for row in made.rows] == [row.name for row in printed.rows]


def test_the_expand_filters_grow_as_the_metaparameters_say():
    meta = {"base_e": 100, "incr_e": 60, "freq": 3, "pct3x3": "1/4", "SR": "1/10"}
    network = expand(language.load("squeezenet_meta"), meta)
    made = [network.node(f"fire{i + 2}/concat").output.shape[1] for i in range(8)]
    assert made == [100 + 60 * (i // 3) for i in range(8)]
    assert network.node("fire5/expand3x3/conv_relu/conv2d").output.shape[1] == 160 // 4
    assert network.node("fire5/squeeze/conv2d").output.shape[1] == 160 // 10


def test_simple_bypass_adds_around_the_fires_whose_channels_stay_and_complex_around_all():
    def added(bypass):
        rows = count("squeezenet_bypass", {"bypass": bypass}).rows
        return [row.name.partition("/")[0] for row in rows if row.operator == "add"]

    assert added("none") == []
    assert added("simple") == ["fire3", "fire5", "fire7", "fire9"]
    assert added("complex") == [f"fire{i}" for i in range(2, 10)]


def test_xception_has_36_convolutional_layers_and_4_shortcuts():
    convolutions = [row for row in count("xception", {}).rows if row.operator == "conv2d"]
    shortcuts = [row for row in convolutions if "/shortcut/" in row.name]
    separable = [row for row in convolutions if row.name.endswith("/depthwise")]
    assert len(shortcuts) == 4
    assert len(convolutions) - len(shortcuts) - len(separable) == 36  # Chollet 2017, section 4


def test_inception_v3_has_94_convolutions_as_keras_had_it_but_for_three_widths():
    right, keras = (count(name, {}) for name in ("inception_v3", "inception_v3_keras_2016"))
    names = [row.name for row in keras.rows if row.operator == "conv2d"]
    assert names == [row.name for row in right.rows if row.operator == "conv2d"]
    assert len(names) == 94
    widths = {row.name: row.output[1] for row in right.rows if row.operator == "conv2d"}
    assert {
        row.name: (row.output[1], widths[row.name])
        for row in keras.rows
        if row.name in widths and row.output[1] != widths[row.name]
    } == {
        "mixed1/pool/projection/conv2d": (32, 64),
        "mixed2/pool/projection/conv2d": (32, 64),
        "mixed7/double7x7/reduce/conv2d": (160, 192),
    }


def test_a_variant_is_bound_by_the_public_face_too():
    assert archspec.load("alexnet").count(groups=1).params == 62_378_344
