"""A state dict under other names finds its way back: the truth is known, as the names are made from ours."""

import re
from zlib import crc32

import pytest

import archspec
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from torch import nn  # noqa: E402

from archspec.weights import WHY, match  # noqa: E402
from archspec.weights.words import before, natural  # noqa: E402


def torchvision_resnet(key):
    """As `torchvision.models.resnet50` names its layers."""
    kind = "bn" if ".batch_norm." in key else "conv"
    last = key.rpartition(".")[2]
    if key.startswith("conv1"):
        return f"{kind}1.{last}"
    if key.startswith("fc"):
        return key
    stage, unit, branch, layer = re.match(r"conv(\d)_x\.unit(\d+)\.(\w+)\.(\w+)", key).groups()
    block = f"layer{int(stage) - 1}.{int(unit) - 1}"
    if branch == "shortcut":
        return f"{block}.downsample.{int(kind == 'bn')}.{last}"
    return f"{block}.{kind}{layer[-1]}.{last}"


def timm_mobilenet_v2(key):
    """As timm's `mobilenetv2_100` names its layers: convolutions by what they do, normalisations by number."""
    norm, last = ".batch_norm." in key, key.rpartition(".")[2]
    if key.startswith(("stem", "head")):
        return (
            f"{('bn1' if norm else 'conv_stem') if key.startswith('stem') else ('bn2' if norm else 'conv_head')}.{last}"
        )
    if key.startswith("classifier"):
        return key
    stage, unit, layer = re.match(r"bottleneck(\d)\.unit(\d+)\.residual\.(\w+)", key).groups()
    block = f"blocks.{int(stage) - 1}.{int(unit) - 1}"
    if stage == "1":  # no expansion: one name fewer
        names = {"depthwise": ("conv_dw", "bn1"), "project": ("conv_pw", "bn2")}
    else:
        names = {"expand": ("conv_pw", "bn1"), "depthwise": ("conv_dw", "bn2"), "project": ("conv_pwl", "bn3")}
    return f"{block}.{names[layer][norm]}.{last}"


def torchvision_mobilenet_v2(key):
    """As `torchvision.models.mobilenet_v2` names its layers: by number alone."""
    norm, last = int(".batch_norm." in key), key.rpartition(".")[2]
    if key.startswith("classifier"):
        return f"classifier.1.{last}"
    if key.startswith(("stem", "head")):
        return f"features.{18 if key.startswith('head') else 0}.{norm}.{last}"
    stage, unit, layer = re.match(r"bottleneck(\d)\.unit(\d+)\.residual\.(\w+)", key).groups()
    block = sum((1, 2, 3, 4, 3, 3, 1)[: int(stage) - 1]) + int(unit)
    at = {"expand": 0, "depthwise": 1, "project": 2}[layer] - (stage == "1")
    return (
        f"features.{block}.conv.{at + norm}.{last}"
        if layer == "project"
        else f"features.{block}.conv.{at}.{norm}.{last}"
    )


def torchvision_vgg(key):
    """As `torchvision.models.vgg16` names its layers."""
    place, last = key.partition(".")[0], key.rpartition(".")[2]
    if place.startswith("fc"):
        return f"classifier.{ {'fc6': 0, 'fc7': 3, 'fc8': 6}[place] }.{last}"
    block, layer = map(int, place.removeprefix("conv").split("_"))
    before = (0, 5, 10, 17, 24)[block - 1]
    return f"features.{before + 2 * (layer - 1)}.{last}"


def data_parallel(key):
    """As a module in a `DistributedDataParallel`, with short names for operators."""
    return f"module.{key.replace('.conv2d', '.c').replace('.batch_norm', '.b')}"


def numbered(key):
    """Names whose numbers are not those of any order."""
    layer, _, last = key.rpartition(".")
    return f"m{crc32(layer.encode())}.{last}"


def lettered(key):
    """Names that say nothing but what belongs together."""
    layer, _, last = key.rpartition(".")
    return f"m{crc32(layer.encode()):08x}.{last}".translate(str.maketrans("0123456789", "ghijklmnop"))


def made(name, rename, order, **bindings):
    """A source without numbers, and the key here of each of its arrays."""
    model = archspec.load(name).to_torch(device="meta", **bindings)
    truth = {rename(key): key for key in model.state_dict()}
    state = {new: model.state_dict()[old] for new, old in truth.items()}
    return {key: state[key] for key in order(list(state))}, truth


def given(keys):
    return keys


def shortcuts_first(keys):
    """Every block's shortcut before its other layers."""

    def place(key):
        parts = key.split(".")
        return (int(parts[0][5:]), int(parts[1]), "downsample" not in key) if parts[0].startswith("layer") else (0,) * 3

    body = sorted((key for key in keys if not key.startswith("fc")), key=place)
    return [*body, *(key for key in keys if key.startswith("fc"))]


def norms_last(keys):
    """All normalisations behind all convolutions, as where a module registers them in two lists."""
    return sorted(keys, key=lambda key: bool(re.search(r"bn|\.b\.|batch_norm|downsample\.1", key)))


RENAMED = [
    ("resnet50", torchvision_resnet, given),
    ("resnet50", torchvision_resnet, sorted),
    ("resnet50", torchvision_resnet, shortcuts_first),
    ("resnet50", torchvision_resnet, norms_last),
    ("mobilenet_v2", timm_mobilenet_v2, given),
    ("mobilenet_v2", timm_mobilenet_v2, sorted),
    ("mobilenet_v2", timm_mobilenet_v2, norms_last),
    ("mobilenet_v2", torchvision_mobilenet_v2, given),
    ("mobilenet_v2", torchvision_mobilenet_v2, sorted),
    ("vgg16", torchvision_vgg, given),
    ("vgg16", torchvision_vgg, sorted),
    ("shufflenet", data_parallel, given),
    ("shufflenet", data_parallel, sorted),
    ("inception_v3", data_parallel, given),
    ("googlenet", data_parallel, sorted),
]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "rename", "order"), RENAMED, ids=lambda value: value if isinstance(value, str) else value.__name__
)
def test_every_array_finds_its_own_under_another_name(name, rename, order):
    source, truth = made(name, rename, order)
    matching = match(archspec.load(name).expand(), source)
    wrong = {row.key: row.source for row in matching.rows if truth.get(row.source) != row.key}
    assert wrong == {}
    assert matching
    assert matching.differences == ()


@pytest.mark.parametrize("rename", [numbered, lettered])
@pytest.mark.parametrize("name", ["squeezenet_bypass", "vgg16"])
def test_names_that_say_nothing_are_refused_and_nothing_is_wrong(name, rename):
    source, truth = made(name, rename, given)
    matching = match(archspec.load(name).expand(), source)
    assert not matching
    assert matching.open
    assert {row.source: truth[row.source] for row in matching.rows if row.source} == {
        row.source: row.key for row in matching.rows if row.source
    }
    assert match(archspec.load(name).expand(), source, assume=True)


TINY = """
archspec: 1
name: tiny
symbols: {classes: {default: 5}}
input: [3, 8, 8]
blocks:
  conv_bn:
    args: {c: required, k: 1}
    body: [{conv2d: {out_channels: c, kernel_size: k, padding: same, bias: false}}, batch_norm]
network:
  - {conv_bn: {c: 4, k: 3}, as: stem}
  - relu
  - {conv_bn: {c: 6}, as: middle}
  - relu
  - global_avg_pool
  - {linear: {out_features: classes}, as: fc}
  - softmax
"""

BRANCHES = """
archspec: 1
name: branches
input: [3, 8, 8]
blocks:
  conv: {args: {c: required}, body: [{conv2d: {out_channels: c, kernel_size: 1, bias: false}}, batch_norm, relu]}
  two:
    body:
      - concat:
          one: [{conv: {c: 4}, as: first}, {conv: {c: 4}, as: second}]
          two: [{conv: {c: 4}, as: first}, {conv: {c: 4}, as: second}]
      - {conv: {c: 4}, as: join}
network:
  - {conv: {c: 4}, as: stem}
  - {two, as: block1}
  - {two, as: block2}
  - global_avg_pool
"""


class Branches(nn.Module):
    """The network of BRANCHES, its branches exchanged in the blocks of `turned`."""

    def __init__(self, turned=()):
        super().__init__()
        self.turned = turned
        self.stem = self.conv(3)
        for block in (1, 2):
            branches = {name: nn.Sequential(self.conv(4), self.conv(4)) for name in ("left", "right")}
            self.add_module(f"block{block}", nn.ModuleDict({**branches, "join": self.conv(8)}))

    @staticmethod
    def conv(c):
        return nn.Sequential(nn.Conv2d(c, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU())

    def forward(self, x):
        x = self.stem(x)
        for block in (1, 2):
            left, right, join = getattr(self, f"block{block}").values()
            pair = [left(x), right(x)]
            x = join(torch.cat(pair[::-1] if block in self.turned else pair, 1))
        return x.mean((2, 3))


@pytest.fixture
def tiny():
    return archspec.loads(TINY)


@pytest.fixture
def state(tiny):
    """The weights of a `tiny` from elsewhere."""
    names = {"stem.conv2d": "0", "stem.batch_norm": "1", "middle.conv2d": "3", "middle.batch_norm": "4", "fc": "7"}
    found = {}
    for key, array in tiny.to_torch(seed=3).state_dict().items():
        layer, _, last = key.rpartition(".")
        found[f"net.{names[layer]}.{last}"] = array
    return found


def test_the_model_has_the_numbers_and_shares_no_memory(tiny, state):
    model, expected = tiny.to_torch(weights=state), tiny.to_torch(seed=3)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(model.eval()(x), expected.eval()(x))
    state["net.0.weight"].zero_()
    assert model.stem.conv2d.weight.any()
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_weights_are_converted_to_the_type_of_the_model(tiny, state):
    halves = {key: array.half() if array.is_floating_point() else array for key, array in state.items()}
    assert tiny.to_torch(weights=halves).fc.weight.dtype == torch.float32
    assert tiny.to_torch(weights=state, dtype=torch.bfloat16).fc.weight.dtype == torch.bfloat16
    assert tiny.to_torch(weights=halves, device="meta").fc.weight.is_meta
    model = tiny.to_torch(dtype=torch.float64)
    assert tiny.match_weights(halves).apply(model) is model
    assert torch.equal(model.fc.weight, halves["net.7.weight"].double())


def test_how_often_a_norm_was_updated_comes_along(tiny, state):
    state["net.4.num_batches_tracked"] = torch.tensor(17)
    del state["net.1.num_batches_tracked"]
    filled = tiny.match_weights(state).state()
    assert filled["middle.batch_norm.num_batches_tracked"] == 17
    assert filled["stem.batch_norm.num_batches_tracked"] == 0


def test_a_state_dict_of_ours_is_taken_by_its_keys(tiny):
    matching = tiny.match_weights(dict(reversed(tiny.to_torch().state_dict().items())))
    assert {row.why for row in matching.rows} == {"key"}
    assert {row.key for row in matching.rows} == {row.source for row in matching.rows}


def test_every_reason_is_explained(tiny, state):
    assert {row.why for row in tiny.match_weights(state).rows} == {"only", "norm"}
    assert {row.why for row in tiny.match_weights(state).rows} <= WHY.keys()


def test_a_classifier_is_a_convolution_of_one_pixel(tiny, state):
    state["net.7.weight"] = state["net.7.weight"][:, :, None, None]
    matching = tiny.match_weights(state)
    (row,) = (row for row in matching.rows if row.found is not None)
    assert (row.key, row.shape, row.found) == ("fc.weight", (5, 6), (5, 6, 1, 1))
    assert torch.equal(matching.state()["fc.weight"], state["net.7.weight"].flatten(1))


def test_a_classifier_is_found_where_it_stands_first(tiny, state):
    first = {"net.7.weight": state["net.7.weight"][:, :, None, None], "net.7.bias": state["net.7.bias"]}
    matching = tiny.match_weights({**first, **without(state, *first)})
    assert matching
    assert matching.taken["fc"] == ("net.7", "only")


def without(state, *keys):
    return {key: array for key, array in state.items() if key not in keys}


def transposed(state):
    return {key: array.permute(2, 3, 1, 0) if array.ndim == 4 else array.T if array.ndim == 2 else array
            for key, array in state.items()}  # fmt: skip


def folded(state):
    """Each normalisation in the bias of its convolution."""
    biases = {"net.0.bias": torch.zeros(4), "net.3.bias": torch.zeros(6)}
    return {**biases, **{key: array for key, array in state.items() if not re.match(r"net\.[14]\.", key)}}


DIFFERENCES = [
    (
        lambda state: {**state, "net.7.weight": torch.zeros(9, 6), "net.7.bias": torch.zeros(9)},
        "'fc' is 5×6 here, 'net.7' is 9×6 in the source: other classes? with classes=9 they agree",
    ),
    (
        lambda state: {**state, "net.7.weight": torch.zeros(5, 8)},
        "'fc' is 5×6 here, 'net.7' is 5×8 in the source",
    ),
    (
        transposed,
        "'stem.conv2d' is 4×3×3×3 here, 'net.0' is 3×3×3×4 in the source: its transpose, as Keras, TensorFlow and Flax "
        "write it; nothing is transposed here",
    ),
    (
        transposed,
        "'fc' is 5×6 here, 'net.7' is 6×5 in the source: its transpose, as Keras, TensorFlow and Flax write it; "
        "nothing is transposed here",
    ),
    (
        folded,
        "2 layers of the source with a bias, where none is here (first 'net.0'): the normalisations are folded into "
        "them; save the weights from before that",
    ),
    (folded, "2 normalisations only here (first 'stem.batch_norm')"),
    (
        lambda state: {**state, "net.0.bias": torch.zeros(4)},
        "1 layer of the source with a bias, where none is here ('net.0')",
    ),
    (lambda state: without(state, "net.7.bias"), "1 layer of the source without a bias, where one is here ('net.7')"),
    (lambda state: without(state, "net.3.weight"), "only here: 'middle.conv2d', 6×4×1×1"),
    (lambda state: {**state, "aux.weight": torch.zeros(7, 7)}, "only in the source: 'aux', 7×7"),
    (
        lambda state: {**state, "net.9.running_mean": torch.zeros(3), "net.9.running_var": torch.ones(3)},
        "1 normalisation only in the source ('net.9')",
    ),
]


@pytest.mark.parametrize(("change", "said"), DIFFERENCES)
def test_a_difference_is_said_in_a_sentence(tiny, state, change, said):
    matching = tiny.match_weights(change(state))
    assert not matching
    assert said in matching.differences
    with pytest.raises(ArchspecError, match=re.escape(said)):
        tiny.to_torch(weights=change(state))


def test_a_network_that_is_here_folded_is_told_from_its_source():
    arch = archspec.loads(TINY.replace("bias: false", "bias: true").replace("batch_norm", "identity"))
    source = archspec.loads(TINY).to_torch(device="meta").state_dict()
    assert arch.match_weights({f"x.{key}": array for key, array in source.items()}).differences == (
        "2 layers of the source without a bias, where one is here (first 'x.stem.conv2d'): the normalisations are "
        "folded into them here, and not in the source",
        "2 normalisations only in the source (first 'x.middle.batch_norm')",
    )


def test_a_long_list_of_differences_is_cut():
    arch = archspec.load("vgg16")
    source = {f"{i}.weight": torch.empty(3 + i, 2, 1, 1, device="meta") for i in range(40)}
    sentences = arch.match_weights(source).differences
    assert sentences[8:10] == ("8 more layers differ in shape", "only in the source: '16', 19×2×1×1")
    assert sentences[-1] == "16 more layers only in the source"


def test_what_is_no_weight_is_left_over(tiny, state):
    odd = {
        "net.0.position": torch.zeros(3),
        "net.index": torch.zeros(4, 4, dtype=torch.int8),
        "net.2.num_batches_tracked": torch.zeros(2),
        "scale": torch.tensor(1.0),
    }
    left = {each.key: each.why for each in tiny.match_weights({**state, **odd}).left}
    assert left == {
        "net.0.position": "no array of a layer that is known",
        "net.index": "int8: no floating-point numbers",
        "net.2.num_batches_tracked": "no array of a layer that is known",
        "scale": "no array of a layer that is known",
    }
    extra = {each.key: each.why for each in tiny.match_weights({**state, "net.0.bias": torch.zeros(4)}).left}
    assert extra == {"net.0.bias": "its layer has no such array here"}


def test_a_bias_of_another_size_is_not_taken(tiny, state):
    state["net.7.bias"] = torch.zeros(9)
    matching = tiny.match_weights(state)
    assert not matching
    assert [(row.key, row.why) for row in matching.rows if row.source is None] == [("fc.bias", "'net.7.bias' is 9")]
    assert [left.key for left in matching.left] == ["net.7.bias"]
    assert "fc.bias" not in matching.state()


def test_what_is_no_state_dict_is_refused(tiny):
    with pytest.raises(ArchspecError, match=r"maps names to tensors; 'epoch' is a int"):
        tiny.match_weights({"epoch": 3})
    with pytest.raises(ArchspecError, match=r"maps names to tensors; 7 is a Tensor"):
        tiny.match_weights({7: torch.zeros(1)})
    assert not tiny.match_weights({})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(tiny, state, number):
    state["net.3.weight"] = state["net.3.weight"].clone()
    state["net.3.weight"][0, 0] = number
    with pytest.raises(ArchspecError, match=r"'net\.3\.weight' holds 1 numbers that are not finite"):
        tiny.to_torch(weights=state)


def test_a_negative_variance_is_refused(tiny, state):
    with pytest.raises(ArchspecError, match=r"'net\.1\.running_var' holds a negative variance"):
        tiny.to_torch(weights={**state, "net.1.running_var": -torch.ones(4)})


def test_what_fits_is_applied_if_that_is_wanted(tiny, state):
    model = tiny.to_torch(seed=1)
    before = model.fc.weight.clone()
    tiny.match_weights({**state, "net.7.weight": torch.zeros(9, 6)}).apply(model, strict=False)
    assert torch.equal(model.fc.weight, before)
    assert torch.equal(model.stem.conv2d.weight, state["net.0.weight"])


def test_a_model_of_another_network_is_refused(tiny, state):
    with pytest.raises(ArchspecError, match="'tiny' with these bindings: they differ in 'fc"):
        tiny.match_weights(state).apply(tiny.to_torch(classes=7))
    with pytest.raises(ArchspecError, match="'tiny' with these bindings"):
        tiny.match_weights(state).apply(archspec.load("lenet_5").to_torch())


def test_too_many_layers_are_refused(tiny):
    source = {f"{i}.weight": torch.empty(1, 1, device="meta") for i in range(4097)}
    with pytest.raises(ArchspecError, match="4097 layers are more than are matched: 4096"):
        tiny.match_weights(source)


def test_equal_branches_are_ambiguous_until_a_run_settles_them():
    arch, source = archspec.loads(BRANCHES), Branches(turned=(2,))
    refused = arch.match_weights(source.state_dict())
    assert not refused
    assert {row.key.rpartition(".")[0] for row in refused.rows if row.source is None} == {
        f"block{block}.{branch}.{place}.{operator}"
        for block in (1, 2)
        for branch in ("one", "two")
        for place in ("first", "second")
        for operator in ("conv2d", "batch_norm")
    }
    with pytest.raises(ArchspecError, match=r"nothing says which of the source is which of 16 layers here.*--assume"):
        arch.to_torch(weights=source.state_dict())
    x = torch.randn(2, 3, 8, 8)
    model = arch.to_torch(inplace=False)
    right = refused.settled(model, source, x)
    assert right
    assert right.check(model, source, x).exact
    assert {why for _, why in right.taken.values()} == {"only", "order", "norm", "run"}
    assert right.open == {}


def test_what_is_ambiguous_is_taken_in_the_order_of_names_if_that_is_wanted():
    arch = archspec.loads(BRANCHES)
    state = Branches().state_dict()
    matching = arch.match_weights(state, assume=True)
    assert matching
    assert str(matching).endswith("none left over; 16 layers assumed")
    assert matching.taken["block1.one.first.conv2d"] == ("block1.left.0.0", "assumed")
    assert matching.taken["block2.two.second.batch_norm"] == ("block2.right.1.1", "assumed")
    assert arch.to_torch(weights=state, assume=True)


def test_names_decide_between_equal_branches():
    arch = archspec.loads(BRANCHES.replace("one:", "right:").replace("two: [", "left: ["))
    matching = arch.match_weights(Branches().state_dict())
    assert matching
    assert matching.taken["block1.left.first.conv2d"] == ("block1.left.0.0", "names")
    assert {choice.settled for choice in matching.choices} == {"names"}


def test_numbers_decide_between_equal_branches_of_a_concatenation_alone():
    for join, why in (("concat", "index"), ("add", "assumed")):
        arch = archspec.loads(BRANCHES.replace("concat", join))
        source = archspec.loads(BRANCHES.replace("concat", join)).to_torch(device="meta").state_dict()
        named = {key.replace("one.", "branch1.").replace("two.", "branch2."): array for key, array in source.items()}
        matching = arch.match_weights({f"net.{key}": array for key, array in named.items()})
        assert matching.taken["block1.one.first.conv2d"] == ("net.block1.branch1.first.conv2d", why)
        assert bool(matching) == (why == "index")


def test_a_source_whose_names_do_not_say_the_order_is_ambiguous_whatever_its_order():
    arch = archspec.loads(TINY.replace("{c: 6}", "{c: 4, k: 3}").replace("[3, 8, 8]", "[4, 8, 8]"))
    source = {
        "beta.weight": torch.ones(4, 4, 3, 3),
        "alpha.weight": torch.zeros(4, 4, 3, 3),
        "fc.weight": torch.zeros(5, 4),
    }
    for keys in (source, sorted(source)):
        matching = arch.match_weights({key: source[key] for key in keys})
        assert matching.open == {"stem.conv2d": ("alpha", "beta"), "middle.conv2d": ("alpha", "beta")}
        (choice,) = matching.choices
        assert (choice.layers, choice.parallel, choice.settled) == ((("stem.conv2d", "middle.conv2d"),), False, None)


ORDERED = [
    ["bn1", "bn2"],
    ["mixed_5a", "mixed_5b"],
    ["2", "10"],
    ["block_1_dw", "block_2_pw"],
    ["x9", f"x{'1' * 5000}"],
]


@pytest.mark.parametrize("names", ORDERED, ids=lambda names: names[0])
def test_an_index_says_the_order(names):
    assert before(names) == [0, 1]
    assert before(names[::-1]) == [2, 0]
    assert natural(names[0]) < natural(names[1])


@pytest.mark.parametrize(
    "names",
    [["bn1", "downsample"], ["alpha", "beta"], ["a", "b"], ["1a", "1_b"], ["conv3x3", "conv5x5"], ["x1", "x01"]],
)
def test_other_words_do_not_say_the_order(names):
    assert before(names) == [0, 0]


class Twin(nn.Module):
    """The network of `tiny`, with what can be otherwise."""

    def __init__(self, *, middle=None, pool=None, softmax=None, eps=1e-5):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4, eps=eps)
        self.conv2 = middle or nn.Conv2d(4, 6, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(6, eps=eps)
        self.activ = nn.ReLU()
        self.pool = pool or nn.Identity()
        self.fc = nn.Linear(6, 5)
        self.softmax = softmax or nn.Identity()

    def forward(self, x):
        x = self.activ(self.bn1(self.conv1(x)))
        x = self.pool(self.activ(self.bn2(self.conv2(x))))
        return {"out": (self.softmax(self.fc(x.mean((2, 3)))), x)}


CHECKS = [
    ({}, "the outputs are equal, to the bit (before the Softmax, which the source has not)", ()),
    ({"softmax": nn.Softmax(1)}, "the outputs are equal, to the bit", ()),
    ({"eps": 0.25}, None, ("in 2 layers, first 'stem.batch_norm': eps 1e-05 here, 0.25 in the source",)),
    (
        {"middle": nn.Conv2d(4, 6, 1, stride=2, bias=False)},
        None,
        ("in 'middle.conv2d': stride (1, 1) here, (2, 2) in the source",),
    ),
    (
        {"middle": nn.Conv2d(4, 6, 1, padding=1, bias=False)},
        None,
        ("in 'middle.conv2d': padding (0, 0) here, (1, 1) in the source",),
    ),
    (
        {"pool": nn.MaxPool2d(2)},
        None,
        (
            "before 'fc': AdaptiveAvgPool2d(output_size=1) here, MaxPool2d(kernel_size=2, stride=2, padding=0, "
            "dilation=1, ceil_mode=False) in the source",
        ),
    ),
    ({"softmax": nn.Tanh()}, None, ("before the output: Softmax(dim=1) here, Tanh() in the source",)),
]


@pytest.mark.parametrize(("options", "said", "differences"), CHECKS)
def test_two_models_part_where_they_differ(tiny, options, said, differences):
    source = Twin(**options)
    matching = tiny.match_weights(source.state_dict())
    x = torch.randn(2, 3, 8, 8)
    kept = x.clone()
    model = matching.apply(tiny.to_torch(inplace=False))
    check = matching.check(model, source, x)
    assert check.differences == differences
    assert bool(check) == (not differences)
    assert str(check) == said if said else "differ" in str(check)
    assert torch.equal(x, kept)
    assert model.training
    assert source.training
    assert not model.fc._forward_hooks


def test_a_difference_below_the_tolerance_is_none(tiny):
    source = Twin()
    matching = tiny.match_weights(source.state_dict())
    model = matching.apply(tiny.to_torch())
    with torch.no_grad():
        source.fc.bias += 1e-7
    check = matching.check(model, source, torch.randn(1, 3, 8, 8))
    assert check
    assert not check.exact
    assert str(check).startswith("the outputs are equal up to")


def test_outputs_of_other_shapes_differ(tiny):
    source = Twin(softmax=nn.Linear(5, 2, bias=False))
    state = without(source.state_dict(), "softmax.weight")
    matching = tiny.match_weights(state)
    check = matching.check(matching.apply(tiny.to_torch()), source, torch.randn(1, 3, 8, 8))
    assert str(check) == "the outputs have other shapes (before the Softmax, which the source has not)"
    assert str(check.partings[-1]).startswith("before the output: Softmax(dim=1) here, Linear(")


def test_what_cannot_be_run_is_refused(tiny, state):
    matching, model = tiny.match_weights(Twin().state_dict()), tiny.to_torch()
    with pytest.raises(ArchspecError, match="the source cannot take an input of 1×9×8×8"):
        matching.check(model, Twin(), torch.randn(1, 9, 8, 8))
    with pytest.raises(ArchspecError, match=r"there is no module 'net\.0' in Twin"):
        tiny.match_weights(state).check(model, Twin(), torch.randn(1, 3, 8, 8))

    class Words(Twin):
        def forward(self, x):
            super().forward(x)
            return "words"

    with pytest.raises(ArchspecError, match="the source gives a str"):
        matching.check(model, Words(), torch.randn(1, 3, 8, 8))


def test_a_log_softmax_of_both_is_compared():
    arch = archspec.loads(TINY.replace("- softmax", "- log_softmax"))
    source = Twin(softmax=nn.LogSoftmax(1))
    matching = arch.match_weights(source.state_dict())
    check = matching.check(matching.apply(arch.to_torch()), source, torch.randn(2, 3, 8, 8))
    assert str(check) == "the outputs are equal, to the bit"


def test_a_layer_that_the_source_never_runs_is_not_compared(tiny):
    class Lazy(Twin):
        def forward(self, x):
            x = self.activ(self.bn1(self.conv1(x)))
            x = self.activ(nn.functional.batch_norm(self.conv2(x), self.bn2.running_mean, self.bn2.running_var))
            return (self.fc(x.mean((2, 3))),)

    source = Lazy()
    matching = tiny.match_weights(source.state_dict())
    check = matching.check(matching.apply(tiny.to_torch()), source, torch.randn(2, 3, 8, 8))
    assert check
    assert check.partings == ()


def test_a_layer_that_runs_twice_is_compared_once():
    spec = (
        "archspec: 1\nname: twice\ninput: [3, 4, 4]\nnetwork: [{conv2d: {out_channels: 3, kernel_size: 1}, as: conv}]"
    )
    arch, source = archspec.loads(spec), nn.Sequential(nn.Conv2d(3, 3, 1))
    source.append(source[0])
    state = {key: array for key, array in source.state_dict().items() if key.startswith("0.")}
    matching = arch.match_weights(state)
    check = matching.check(matching.apply(arch.to_torch()), source, torch.randn(2, 3, 4, 4))
    assert not check
    assert [parting.layer for parting in check.partings] == [""]


def test_weights_that_give_other_numbers_are_named(tiny):
    class Scaled(nn.Conv2d):
        def forward(self, x):
            return 2 * super().forward(x)

    source = Twin(middle=Scaled(4, 6, 1, bias=False))
    matching = tiny.match_weights(source.state_dict())
    check = matching.check(matching.apply(tiny.to_torch()), source, torch.randn(2, 3, 8, 8))
    assert check.differences == ("in 'middle.conv2d': other numbers from the same weights",)
    assert str(check.partings[0]).startswith(
        "in 'middle.conv2d': other numbers from the same weights; numbers differ up"
    )


def test_branches_of_other_lengths_are_exchanged_layer_by_layer():
    conv = "{conv2d: {out_channels: 3, kernel_size: 1, bias: false}}"
    arch = archspec.loads(
        f"archspec: 1\nname: uneven\ninput: [3, 4, 4]\nnetwork: [{{add: {{a: [{conv}, {conv}], b: [{conv}]}}}}]"
    )
    choices = arch.match_weights({f"{i}.weight": torch.zeros(3, 3, 1, 1) for i in "cab"}).choices
    assert [choice.layers for choice in choices] == [
        (("a.conv2d", "a.conv2d_2"),),
        (("a.conv2d", "b.conv2d"),),
        (("a.conv2d_2", "b.conv2d"),),
    ]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_many_equal_branches_make_a_bounded_number_of_choices():
    conv = "[{conv2d: {out_channels: 3, kernel_size: 1, bias: false}}]"
    branches = ", ".join(f"b{i}: {conv}" for i in range(40))
    arch = archspec.loads(f"archspec: 1\nname: wide\ninput: [3, 4, 4]\nnetwork: [{{add: {{{branches}}}}}]")
    matching = arch.match_weights({f"x{i}.weight": torch.zeros(3, 3, 1, 1) for i in range(39, -1, -1)}, assume=True)
    assert matching
    assert len(matching.choices) == 16 * (40 - 16) + sum(range(16))


def test_blocks_of_one_shape_keep_their_shortcuts():
    """A shortcut of the second block would fit the first one's place, in order."""
    one, three, five = (
        f"{{conv2d: {{out_channels: 4, kernel_size: {k}, padding: same, bias: false}}}}" for k in (1, 3, 5)
    )
    block = f"{{add: {{residual: [{three}, {five}], shortcut: [{one}]}}}}"
    steps = ", ".join(f"{{block, as: block{i}}}" for i in range(3))
    arch = archspec.loads(
        f"archspec: 1\nname: blocks\ninput: [4, 8, 8]\nblocks: {{block: {{body: [{block}]}}}}\nnetwork: [{steps}]"
    )
    source = {}
    for i in range(3):
        for name, k in (("shortcut", 1), ("conv1", 3), ("conv2", 5)):
            source[f"layers.{i}.{name}.weight"] = torch.zeros(4, 4, k, k)
    matching = arch.match_weights(source)
    assert matching
    assert [row.key[5] for row in matching.rows] == [row.source[7] for row in matching.rows]


def test_a_block_that_is_filled_from_two_modules_is_named():
    """The second layer of each block stands in the other one's module."""
    conv = "{{conv2d: {{out_channels: {c}, kernel_size: {k}, padding: same, bias: false}}}}"
    block = "[{}, {}]".format(conv.format(c="c", k=1), conv.format(c="c", k=3))
    arch = archspec.loads(
        f"archspec: 1\nname: crossed\ninput: [3, 8, 8]\nblocks: {{block: {{args: {{c: required}}, body: {block}}}}}\n"
        "network: [{block: {c: 4}, as: one}, {block: {c: 5}, as: two}]"
    )
    shapes = {"a.x": (4, 3, 1, 1), "b.y": (4, 4, 3, 3), "b.x": (5, 4, 1, 1), "a.y": (5, 5, 3, 3)}
    crossed = arch.match_weights({f"{name}.weight": torch.zeros(shape) for name, shape in shapes.items()})
    assert crossed
    assert crossed.mixed == (
        "block 'one' is filled from parts of several blocks of the source: 'a' and 'b'",
        "block 'two' is filled from parts of several blocks of the source: 'a' and 'b'",
    )
    assert arch.match_weights(arch.to_torch().state_dict()).mixed == ()


def test_the_report_names_mixed_blocks():
    arch = archspec.loads(TINY)
    matching = arch.match_weights(arch.to_torch().state_dict())
    matching.__dict__["mixed"] = ("block 'x' is filled from parts of several blocks of the source: 'a' and 'b'",)
    assert "block 'x' is filled from parts" in str(matching)


@pytest.mark.parametrize(
    "layer", ["lstm: {hidden_size: 6, proj_size: 3}", "gru: {hidden_size: 6, bidirectional: true}"]
)
def test_recurrent_layers_are_filled(layer):
    """Their arrays have names of their own, by layer and direction."""
    arch = archspec.loads(f"{{archspec: 1, name: one, input: [5, 8], network: [{{{layer}, as: it}}]}}")
    source = arch.to_torch(seed=1).state_dict()
    filled = arch.to_torch(seed=2, weights=source).state_dict()
    assert all(torch.equal(filled[key], value) for key, value in source.items())
    renamed = {f"rnn.{key.partition('.')[2]}": value for key, value in source.items()}
    assert torch.equal(next(iter(arch.to_torch(weights=renamed).state_dict().values())), next(iter(source.values())))
