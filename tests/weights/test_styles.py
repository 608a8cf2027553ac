"""Any order of the keys gives the same matching, and the right one, under the names of five libraries."""

import random
from pathlib import Path
from zlib import crc32

import pytest

import archspec

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from archspec.weights import match  # noqa: E402

from .styles import STYLES, renamed, timm  # noqa: E402

SE = Path(__file__).parent / "se.yaml"
SAMPLE = ("se", "mobilenet_v2", "googlenet", "xception")
PERMUTATIONS = 14


def architecture(name):
    return archspec.load(SE if name == "se" else name)


def sources(name, style, count):
    """The state dict under other names in `count` orders, its own and that of the names among them; the truth."""
    arch = architecture(name)
    network = arch.expand()
    theirs = {ours: name for name, ours in renamed(network, style).items()}
    truth, state = {}, {}
    for number, (key, array) in enumerate(arch.to_torch(device="meta").state_dict().items(), 1):
        layer, _, last = key.rpartition(".")
        source = f"{theirs[layer]}.{last}"
        truth[source] = key
        value = torch.tensor(number) if array.ndim == 0 else torch.tensor(float(number))
        state[source] = value.expand(array.shape)
    draw = random.Random(crc32(f"{name} {style.__name__}".encode()))  # noqa: S311  # nothing secret
    orders = [list(state), sorted(state)]
    orders += [draw.sample(orders[0], len(state)) for _ in range(count - 2)]
    return network, [{key: state[key] for key in order} for order in orders[:count]], truth


def rows(matching):
    return [(row.key, row.source, row.why) for row in matching.rows]


def check(name, style, count):
    """How many arrays are filled and ambiguous; none may be wrong, and all orders must give one matching."""
    network, states, truth = sources(name, style, count)
    first = match(network, states[0])
    assert all(truth[row.source] == row.key for row in first.rows if row.source is not None)
    for state in states[1:]:
        other = match(network, state)
        assert rows(other) == rows(first)
        assert (other.open, other.choices, other.left) == (first.open, first.choices, first.left)
    return sum(row.source is not None for row in first.rows), sum(row.source is None for row in first.rows)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
@pytest.mark.parametrize("name", SAMPLE)
def test_every_order_of_the_keys_gives_the_right_matching(name, style):
    filled, ambiguous = check(name, style, 3)
    assert ambiguous == 0
    assert filled > 50


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_the_numbers_are_those_of_the_right_arrays(style):
    """Every array of the source holds one number of its own."""
    network, states, truth = sources("resnet18", style, 3)
    expected = {truth[key]: float(array.flatten()[0]) for key, array in states[2].items()}
    found = match(network, states[2]).state()
    assert {key: float(array.flatten()[0]) for key, array in found.items()} == expected


def test_all_orders_of_all_networks(request):
    """The whole law: more than 2,000 permutations, no wrong assignment, nothing ambiguous."""
    if not request.config.option.long:
        pytest.skip("minutes: --long")
    names = [*archspec.zoo.names(), "se"]
    counts = {(name, style.__name__): check(name, style, PERMUTATIONS) for name in names for style in STYLES}
    print(f"{len(counts) * PERMUTATIONS} permutations, {sum(filled for filled, _ in counts.values())} arrays filled")
    assert len(counts) * PERMUTATIONS >= 2000
    assert {key: ambiguous for key, (_, ambiguous) in counts.items() if ambiguous} == {}


def test_equal_blocks_sorted_by_name_keep_their_layers():
    """As safetensors stores them: conv_dw, conv_pw, conv_pwl is not the order in which they are computed."""
    body = "[{conv2d: {out_channels: 4, kernel_size: 1, bias: false}, as: %s}]"
    steps = ", ".join(body[1:-1] % name for name in ("expand", "depthwise", "project"))
    for blocks in (2, 8):
        arch = archspec.loads(
            f"archspec: 1\nname: equal\ninput: [4, 8, 8]\nblocks: {{unit: {{body: [{steps}]}}}}\nnetwork:\n"
            + "".join(f"  - {{unit, as: unit{block}}}\n" for block in range(blocks))
        )
        names = {"expand": "conv_pw", "depthwise": "conv_dw", "project": "conv_pwl"}
        source = {
            f"blocks.{block}.{names[layer]}.weight": torch.zeros(4, 4, 1, 1)
            for block in range(blocks)
            for layer in sorted(names, key=names.__getitem__)
        }
        matching = arch.match_weights(source)
        assert matching
        assert {row.key.split(".")[1]: row.source.split(".")[2] for row in matching.rows} == names
        assert all(row.key.split(".")[0] == f"unit{row.source.split('.')[1]}" for row in matching.rows)


def test_a_style_is_that_of_its_library():
    """A few of timm's names for MobileNetV2, as in its `mobilenetv2_100`."""
    ours = renamed(architecture("mobilenet_v2").expand(), timm)
    assert ours["conv_stem"] == "stem.conv2d"
    assert ours["blocks.0.0.conv_dw"] == "bottleneck1.unit1.residual.depthwise.conv2d"
    assert ours["blocks.1.0.conv_pwl"] == "bottleneck2.unit1.residual.project.conv2d"
    assert ours["blocks.1.0.bn3"] == "bottleneck2.unit1.residual.project.batch_norm"
    assert ours["classifier"] == "classifier"
