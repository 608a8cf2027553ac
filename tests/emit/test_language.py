"""What the language allows, translated: each specification is written once and held against the compiled model.

The specifications are the files of tests/emit/specs, and the examples of docs/language.md.
"""

import re
import warnings
from pathlib import Path

import pytest

import archspec
from archspec.errors import ArchspecError

SPECS = sorted((Path(__file__).parent / "specs").glob("*.yaml"))
PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def held(arch, written, agree):
    """The source at the defaults and at other values of each symbol, where they make a network."""
    source = written(arch.source())
    agree(arch, source)
    for name, symbol in arch.document.symbols.items():
        values = symbol.choices or (symbol.default + 1, symbol.default + 2)
        for value in values if name != "self" else ():
            try:
                arch.expand(**{name: value})
            except ArchspecError:
                continue
            agree(arch, source, **{name: value})
    return source


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_specification_is_its_source_at_any_values(path, written, agree):
    held(archspec.load(path), written, agree)


def test_a_fraction_stays_exact_in_a_default_and_what_torch_takes_is_a_float():
    text = archspec.load(SPECS[0].with_stem("rational_arguments")).source()
    assert "ratio: Fraction = Fraction(29, 100)" in text
    assert "def __init__(self, other: float) -> None:" in text


def examples():
    for found in re.finditer(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        text = ("network:\n" if found[1].startswith("- ") else "") + found[1]
        for key, filler in (("network", "[relu]"), ("input", "[3, 32, 32]"), ("name", "fragment"), ("archspec", "1")):
            if not re.search(rf"^{key}:", text, re.MULTILINE):
                text = f"{key}: {filler}\n{text}"
        yield pytest.param(text, id=f"line{PAGE.read_text(encoding='utf-8').count(chr(10), 0, found.start()) + 1}")


@pytest.mark.parametrize("text", list(examples()))
def test_an_example_of_the_page_is_its_source(text, written, agree):
    try:
        arch = archspec.loads(text)
        arch.expand()
    except ArchspecError:
        return  # an example of faults
    held(arch, written, agree)


HEAD = "archspec: 1\nname: drawn\ninput: [4, 8, 8]\n"


def body_of(text):
    return archspec.loads(HEAD + text).source().partition("super().__init__()")[2]


def test_a_size_is_worked_out_as_far_as_it_is_known():
    steps = ["{conv2d: {out_channels: 6, kernel_size: 3}}", "{max_pool2d: {kernel_size: 2}}", "flatten"]
    text = f"network: [{', '.join(steps)}, {{linear: {{out_features: 5}}}}]"
    assert "nn.Linear(54, 5)" in body_of(text)
    symbols = "symbols: {side: {default: 8}}\n" + text
    source = archspec.loads(HEAD.replace("8, 8", "side, side") + symbols).source()
    assert "nn.Linear(6 * ((side - 2) // 2) ** 2, 5)" in source


def test_a_condition_of_positive_sizes_is_decided():
    assert body_of("network: [{when: in_channels >= 1, then: relu, else: sigmoid}]").split() == [
        "self.relu",
        "=",
        "nn.ReLU()",
    ]


def test_a_side_that_cannot_be_built_says_so_when_it_is_asked_for(written, agree):
    arch = archspec.loads(
        HEAD + "symbols: {c: {default: 0, range: [0, 1]}}\n"
        "network: [{when: c == 1, then: [{linear: {out_features: 3}}], else: [relu]}, sigmoid]\n"
    )
    source = written(arch.source())
    agree(arch, source)
    with pytest.raises(ValueError, match="linear takes vectors, found an image of 4×8×8"):
        source({"c": 1})


def test_a_source_keeps_each_condition_once_and_asks_it_once_behind_a_branch_that_is_always_there():
    symbols = ", ".join(f"{name}: {{default: true}}" for name in "abcz")
    first, last = (", ".join(f"{name}: [{{when: {name}, then: [relu]}}]" for name in names) for names in ("abc", "z"))
    text = HEAD + f"symbols: {{{symbols}}}\nnetwork: [{{add: {{{first}, d: identity, {last}}}}}]\n"
    source = archspec.loads(text).source()
    assert re.findall(r"self\.(has_\w+) = (\w+)", source) == [(f"has_{name}", name) for name in "abcz"]
    assert source.count("if self.has_z:") == 1


def test_sizes_that_one_block_alone_knows_in_one_of_several_numbers_of_axes_are_refused():
    text = (
        "symbols: {flat: {default: true}, n: {default: 2}}\nblocks:\n  grown:\n    args: {flat: required}\n    body:\n"
        "      - {repeat: n, body: [{conv2d: {out_channels: in_channels + 1, kernel_size: 1}}]}\n"
        "      - {when: flat, then: [flatten]}\nnetwork: [{grown: {flat: flat}}]\n"
    )
    with pytest.raises(ArchspecError, match=r"11:11: what it gives has one of several numbers of axes, and sizes that"):
        archspec.loads(HEAD + text).source()


def test_a_block_that_does_nothing_is_a_class_without_a_body(written, agree):
    arch = archspec.loads(HEAD + "blocks: {idle: {body: [{when: 1 == 2, then: [relu]}]}}\nnetwork: [idle, relu]\n")
    source = written(arch.source())
    assert "class Idle(Chain):\n    pass\n" in source.text
    agree(arch, source)


def test_a_join_of_no_branch_says_so_when_it_is_asked_for(written, agree):
    sides = "{a: [{when: kind == one, then: [relu]}], b: [{when: kind == two, then: [tanh]}]}"
    arch = archspec.loads(
        HEAD + "symbols: {kind: {default: one, choices: [one, two, three]}}\n"
        f"network: [{{concat: {{sure: [sigmoid], more: [{{add: {sides}}}]}}}}]\n"
    )
    source = written(arch.source())
    assert "has_more" not in source.text
    for kind in ("one", "two"):
        agree(arch, source, kind=kind)
    for ask in (arch.expand, lambda kind: source({"kind": kind})):
        with pytest.raises((ArchspecError, ValueError), match="no branch of add does anything"):
            ask(kind="three")


def test_a_rational_argument_is_made_whole_where_a_size_must_be():
    text = """symbols: {r: {default: 1/2, range: [1/4, 2]}}
blocks:
  half:
    args: {c: required}
    let: {m: exact_div(c, 2)}
    body: [{conv2d: {out_channels: m, kernel_size: 1}}]
network: [{half: {c: 8 * r}}]
""".replace("exact_div(c, 2)", '"exact_div(c, 2)"')
    source = archspec.loads(HEAD + text).source()
    assert "def __init__(self, in_channels: int, c: int) -> None:" in source
    assert "c=whole(8 * r)" in source


def test_what_is_no_whole_number_is_refused_by_the_source(written):
    text = "symbols: {r: {default: 1/2, range: [1/4, 2]}}\nnetwork: [{conv2d: {out_channels: 8 * r, kernel_size: 1}}]\n"
    source = written(archspec.loads(HEAD + text).source())
    with pytest.raises(ValueError, match="8/3 is not a whole number"):
        source({"r": "1/3"})


def test_what_is_done_no_times_need_not_be_possible(written, agree):
    inner = "{repeat: i, body: [{conv2d: {out_channels: i, kernel_size: 1}}]}"
    arch = archspec.loads(HEAD + f"network: [{{repeat: 1, index: i, body: [{inner}]}}, sigmoid]")
    agree(arch, written(arch.source()))


REFUSED = [
    ("[{repeat: 2, body: [flatten]}]", "what is repeated changes the number of axes"),
    (
        "[{add: {a: [{when: kind == one, then: [flatten]}], b: identity}}]",
        "a branch of add has one of several numbers of axes",
    ),
]


@pytest.mark.parametrize(("network", "message"), REFUSED)
def test_what_cannot_be_translated_is_an_error_with_its_place(network, message):
    kinds = "symbols: {kind: {default: two, choices: [one, two]}}\n"
    with pytest.raises(ArchspecError, match=message) as caught:
        archspec.loads(HEAD + kinds + f"network: {network}\n", "odd.yaml").source()
    assert str(caught.value).startswith("odd.yaml:5:")


def test_a_child_called_like_a_method_of_sequential_is_reached(written, agree):
    text = "network: [relu, {repeat: 2, as: append, body: [{conv2d: {out_channels: 4, kernel_size: 1}}]}, sigmoid]"
    arch = archspec.loads(HEAD + text)
    agree(arch, written(arch.source()))


def test_a_condition_is_of_what_flows_before_a_branch_goes_back(written, agree):
    conv = "conv2d: {kernel_size: 1, out_channels:"
    branch = "[{when: in_channels > 4, then: [{from: wide}, sigmoid]}]"
    text = f"network: [{{{conv} 6}}, as: wide}}, {{{conv} 4}}}}, {{add: {{a: {branch}, b: identity}}}}]"
    arch = archspec.loads(HEAD + text)
    agree(arch, written(arch.source()))


def test_a_value_of_an_earlier_round_is_refused():
    conv = "conv2d: {kernel_size: 1, out_channels:"
    body = f"[{{when: in_channels == 4, then: [{{{conv} 6}}, as: early}}]}}, {{add: [[{{from: early}}], identity]}}]"
    arch = archspec.loads(HEAD + f"network: [{{repeat: 2, body: {body}}}]", "odd.yaml")
    assert arch.expand()
    with pytest.raises(ArchspecError, match="'early' may be of an earlier round; give a value that name on both sides"):
        arch.source()


TABLES = {
    "with names": "columns: [as, kernel_size, n], repeat: n, rows: [[a, 2, 2], [b, 4, 3]]",
    "without": "columns: [kernel_size, n], repeat: n, rows: [[2, 2], [4, 3]]",
    "once each": "columns: [as, kernel_size], rows: [[a, 2], [b, 4]]",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_what_stands_before_a_layer_stands_before_each_repetition(table, written, agree):
    """A padding that is not the same on all sides has a module of its own."""
    text = (
        f"network: [{{table: {{block: c, {table}}}}}]\nblocks: {{c: {{args: {{kernel_size: required}}, body: BODY}}}}"
    )
    body = "[{conv2d: {out_channels: 4, kernel_size: kernel_size, padding: same}}]"
    for arch in (
        archspec.loads(HEAD + text.replace("BODY", body)),
        archspec.loads(
            HEAD
            + "let: {c: 4}\nnetwork: [{repeat: 3, body: [{conv2d: {out_channels: c, kernel_size: 2, padding: same}}]}]"
        ),
    ):
        agree(arch, written(arch.source()))


def test_operators_in_a_table_are_repeated_with_what_stands_before_them(written, agree):
    columns = "[as, operator, out_channels, kernel_size, padding, n]"
    rows = "[[a, conv2d, 4, 2, same, 2], [b, conv2d, 6, 4, same, 3]]"
    arch = archspec.loads(HEAD + f"network: [{{table: {{columns: {columns}, repeat: n, rows: {rows}}}}}]")
    agree(arch, written(arch.source()))


REFUSED_BY_COUNT = {
    "a truth value where a number must be": """
blocks:
  inner: {args: {s: 1}, body: [{conv2d: {out_channels: 1, kernel_size: 1, stride: s}}]}
  outer: {args: {s: 1}, body: [{inner: {s: s}}]}
network: [{outer: {s: 2}}, {outer: {s: 1 == 1}}]
""",
    "a value that comes later": """
network: [{body: [{concat: {skip: {from: enc2}, up: [{conv2d: {out_channels: 1, kernel_size: 1}, as: enc2}]}}]}]
""",
    "a number where an operator must be": "network: [{use: 1}]",
    "a division by zero": "let: {c: 0**-1}\nnetwork: [{conv2d: {out_channels: c, kernel_size: 1}}]",
    "a kernel larger than its input": "network: [{conv2d: {out_channels: 1, kernel_size: 9}}]",
    "a rule of a part that is not there": "network: [relu]\ninitialisation: {rules: [{of: fc9, weight: 0}]}",
}


@pytest.mark.parametrize("text", REFUSED_BY_COUNT.values(), ids=REFUSED_BY_COUNT)
def test_what_count_or_the_model_refuses_the_source_refuses_in_the_same_words(text):
    arch = archspec.loads(HEAD + text, "odd.yaml")
    messages = []
    for ask in (arch.to_torch, arch.source):
        with pytest.raises(ArchspecError) as caught:
            ask()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert messages[0].startswith("odd.yaml:")


def test_a_rule_of_an_operator_that_is_not_there_fills_nothing(written):
    text = "network: [global_avg_pool, {linear: {out_features: 3}, as: fc}]\n"
    rules = "initialisation: {rules: [{of: relu}, {of: conv2d, weight: 0}, {of: fc, bias: 2}]}"
    source = written(archspec.loads(HEAD + text + rules).source())
    model = source({})
    assert model.fc.weight.count_nonzero() > 0
    assert model.fc.bias.tolist() == [2, 2, 2]


@pytest.mark.parametrize("of", ["embedding", "[embedding, linear]", "[embedding, linear, prelu]", "part"])
def test_a_bias_begins_where_there_is_one(of, written):
    text = """archspec: 1
name: made
blocks: {piece: {body: [{linear: {out_features: 3}}, prelu, {lstm: {hidden_size: 2}}]}}
input: [5]
network: [{embedding: {num_embeddings: 10, embedding_dim: 4}}, {piece: {}, as: part}]
"""
    rules = f"initialisation: {{rules: [{{of: {of}, weight: 2, bias: 3}}]}}"
    arch = archspec.loads(text + rules)
    model = written(arch.source())({})
    compiled = arch.to_torch()
    assert [key for key, values in compiled.state_dict().items() if values.unique().tolist() in ([2], [3])]
    for key, values in compiled.state_dict().items():
        if values.unique().numel() == 1:
            assert model.state_dict()[key].equal(values), key


@pytest.mark.parametrize("name", ["mobilenet_v2", "lenet_5"])
def test_a_network_can_be_sliced(name, written):
    model = written(archspec.load(name).source())({})
    part = model[1:3]
    assert [*part._modules] == [*model._modules][1:3]
    assert part[0] is model[1]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", ["shufflenet", "squeezenet_bypass", "binary_convolution"])
def test_a_source_can_be_scripted(name, tmp_path, monkeypatch):
    """The other networks of the zoo can be, too; these have forwards with conditions."""
    torch = pytest.importorskip("torch")
    (tmp_path / f"scripted_{name}.py").write_text(archspec.load(name).source(), encoding="utf-8")  # which torch reads
    monkeypatch.syspath_prepend(tmp_path)
    made = vars(__import__(f"scripted_{name}"))
    network = [value for value in made.values() if getattr(value, "__module__", "") == f"scripted_{name}"][-1]
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit about itself
        torch.jit.script(network())
