"""What a formula assumes: what is open is decided as the defaults decide it, and said."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from click.testing import CliRunner

import archspec
from archspec import dims
from archspec.cli import app
from archspec.errors import ArchspecError, UnknownNameError
from archspec.formula.assumptions import _negative_somewhere, assumed, remainder
from archspec.formula.proof import proved
from archspec.formula.substituted import substituted
from archspec.report.formats import written
from archspec.report.formula import formulas
from archspec.symbols import Condition, symbol, to_sympy

SIDE, N, A = symbol("side"), symbol("n"), symbol("a", integer=False)


def spec(symbols, body, shape="[3, side, side]", extra=""):
    return archspec.loads(f"archspec: 1\nname: x\nsymbols: {symbols}\ninput: {shape}\n{extra}network:\n{body}")


CASES = {
    "a fraction as a size": (
        spec("{s: {default: 32, range: [8, 64]}}", "  - conv2d: {out_channels: s / 2, kernel_size: 1}\n", "[2, s, s]"),
        ("s³", ["s is a multiple of 2"], {"s": 33}, None),
    ),
    "a branch that the default decides": (
        spec(
            "{a: {default: 1, range: [1/2, 2]}}",
            "  - res: {c: floor(8 * a)}\n",
            "[8, 4, 4]",
            "blocks:\n  res:\n    args: {c: required}\n    body:\n      - add:\n"
            "          r: {conv2d: {out_channels: c, kernel_size: 1, bias: false}}\n"
            "          s: [{when: in_channels == c, then: [identity],\n"
            "               else: [{conv2d: {out_channels: c, kernel_size: 1, bias: false}}]}]\n",
        ),
        ("128·⌊8a⌋", ["⌊8*a⌋ = 8"], {"a": 2}, 2 * 16 * 8 * 16),
    ),
    "sizes that must be equal": (
        spec(
            "{side: {default: 32, range: [16, 512]}}",
            "  - {conv2d: {out_channels: 8, kernel_size: 3, padding: same, bias: false}, as: enc}\n"
            "  - max_pool2d: {kernel_size: 2}\n"
            "  - concat: {skip: {from: enc}, up: {upsample: {scale_factor: 2}}}\n",
            "[1, side, side]",
        ),
        ("72·side²", ["side is a multiple of 2"], {"side": 33}, None),
    ),
    "a remainder": (
        spec(
            "{side: {default: 48, range: [8, 300]}}",
            "  - when: side % 2 == 0\n    then: [{conv2d: {out_channels: 8, kernel_size: 3}}]\n  - relu\n",
        ),
        ("216·(side − 2)²", ["side is a multiple of 2"], {"side": 49}, 0),
    ),
    "a remainder that the default does not leave": (
        spec(
            "{side: {default: 49}}",
            "  - when: side % 4 != 1\n    then: [{conv2d: {out_channels: 8, kernel_size: 3}}]\n  - relu\n",
        ),
        ("0", ["side - 1 is a multiple of 4"], {"side": 50}, 8 * 48 * 48 * 27),
    ),
    "the number of a part": (
        spec(
            "{part: {default: 1, choices: [0, 1]}}",
            "  - split: {sections: [1, 3], index: part}\n  - linear: {out_features: 2}\n",
            "[4]",
        ),
        ("6", ["part = 1"], {"part": 0}, 2),
    ),
    "an order": (
        spec(
            "{side: {default: 8}}",
            "  - when: side > 16\n    then: [{conv2d: {out_channels: 2, kernel_size: 1}}]\n  - relu\n",
        ),
        ("0", ["side ≤ 16"], {"side": 20}, 20 * 20 * 3 * 2),
    ),
    "the domain of a field": (
        spec("{p: {default: 2}}", "  - conv2d: {out_channels: 1, kernel_size: 1, padding: p - 2}\n", "[1, 8, 8]"),
        ("(2p + 4)²", ["p ≥ 2"], {"p": 1}, None),
    ),
    "a logarithm": (
        spec("{d: {default: 4}}", "  - linear: {out_features: 8 * log2(d)}\n", "[8]"),
        ("64·log₂(d)", ["8*log₂(d) ≥ 1", "log₂(d) is whole"], {"d": 5}, None),
    ),
    "a shortcut by another way": (  # a pooling behind a rounded-down side, as ResNet-D's and Bi-Real's
        spec(
            "{side: {default: 224}}",
            "  - max_pool2d: {kernel_size: 2}\n  - add:\n"
            "      main: {conv2d: {out_channels: 3, kernel_size: 3, stride: 2, padding: 1, bias: false}}\n"
            "      short: [{avg_pool2d: {kernel_size: 2}}]\n",
        ),
        ("81·side²/16", ["side is a multiple of 4"], {"side": 226}, None),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_open_is_decided_as_the_defaults_decide_it_and_said(name):
    arch, (text, assumptions, elsewhere, counted) = CASES[name]
    form = arch.formula("macs")
    assert (form.text(), list(map(str, form.assumptions))) == (text, assumptions)
    assert form.holds()
    assert form() == arch.count().macs
    assert not form.holds(**elsewhere)
    if counted is None:
        with pytest.raises(ArchspecError):
            arch.count(**elsewhere)
        with pytest.raises(ArchspecError):
            form(**elsewhere)
    else:
        assert form(**elsewhere) == arch.count(**elsewhere).macs == counted
    proof = proved(form, arch.document, 40)
    assert proof
    assert proof.refused == 0


def halved(channels):
    """A ResNet-D unit: a strided convolution beside a pooling, which round an odd side up and down."""
    return (
        "  - add:\n"
        f"      main: {{conv2d: {{out_channels: {channels}, kernel_size: 3, stride: 2, padding: 1, bias: false}}}}\n"
        f"      short: [{{avg_pool2d: {{kernel_size: 2}}}}, {{conv2d: {{out_channels: {channels}, kernel_size: 1}}}}]\n"
    )


def test_five_shortcuts_by_another_way_ask_for_a_multiple_of_32():
    arch = spec("{side: {default: 224}}", "".join(map(halved, (8, 16, 32, 64, 64))))
    form = arch.formula("macs")
    assert list(map(str, form.assumptions)) == ["side is a multiple of 32"]
    assert form.text() == "340·side²"
    pairs = ((3, 8), (8, 16), (16, 32), (32, 64), (64, 64))
    assert form(side=64) == sum(10 * a * b * (32 >> stage) ** 2 for stage, (a, b) in enumerate(pairs))


def test_a_head_that_joins_a_low_and_an_enlarged_high_map_asks_for_a_multiple_of_16():  # as LR-ASPP's
    down = "  - {conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1}}\n"
    low = down.replace("1}}", "1}, as: low}")
    join = (
        "  - add:\n      low: [{from: low}, {conv2d: {out_channels: 19, kernel_size: 1}}]\n"
        "      high: [{conv2d: {out_channels: 19, kernel_size: 1}}, {upsample: {scale_factor: 2}}]\n"
    )
    arch = spec("{side: {default: 224}}", 2 * down + low + down + join)
    assert list(map(str, arch.formula("macs").assumptions)) == ["side is a multiple of 16"]
    assert proved(arch.formula("macs"), arch.document, 10)


def test_a_value_that_a_symbol_cannot_have_is_refused_as_by_the_count():
    form = archspec.load("mobilenet").formula("macs", free=["side"])
    assert not form.holds(side=Fraction(449, 2))
    with pytest.raises(ArchspecError, match="side must be a whole number"):
        form(side=Fraction(449, 2))
    with pytest.raises(ArchspecError, match="side must be from 1 to 8192"):
        form(side=0)


def test_a_check_says_refused_and_never_wrong_where_there_is_no_count():
    arch, _ = CASES["a fraction as a size"]
    form = arch.formula("macs")
    careless = replace(form, assumptions=())
    proof = proved(careless, arch.document, 20)
    assert proof
    assert proof.refused > 0
    assert "not divisible" in proof.refusal[1] or "must be an integer" in proof.refusal[1]
    page = " ".join(written(formulas([careless], "exact", proofs=[proof])).split())
    assert f"refused at {proof.refused}, first at s = " in page
    assert "WRONG" not in page


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (Condition("equals", 2 * dims.ceil_div(SIDE - 1, 2), SIDE), "side is a multiple of 2"),
        (Condition("equals", dims.ceil_div(SIDE, 32), dims.ceil_div(SIDE - 31, 32)), "side is a multiple of 32"),
        (Condition("equals", SIDE - 4 * dims.ceil_div(SIDE - 3, 4), to_sympy(3)), "side + 1 is a multiple of 4"),
        (Condition("differs", SIDE - 2 * dims.ceil_div(SIDE - 1, 2), to_sympy(0)), "side - 1 is a multiple of 2"),
        (Condition("divides", 3 * SIDE, to_sympy(6)), "side is a multiple of 2"),
        (Condition("divides", SIDE + 5, to_sympy(4)), "side - 3 is a multiple of 4"),
    ],
)
def test_equal_sizes_are_remainders(condition, said):
    found = remainder(condition).condition
    assert str(found) == said.replace("side - 3", "side + 1")
    for side in range(1, 200):
        assert found.holds({"side": side}) == condition.holds({"side": side})


@pytest.mark.parametrize(
    "condition",
    [
        Condition("equals", dims.ceil_div(SIDE, 2), dims.ceil_div(SIDE, 3)),  # of sides that are small
        Condition("differs", SIDE - 3 * dims.ceil_div(SIDE - 2, 3), to_sympy(1)),  # two remainders of three
        Condition("equals", dims.floor(8 * A), to_sympy(8)),
        Condition("equals", SIDE, N),
        Condition("at_least", SIDE, to_sympy(8)),
    ],
)
def test_other_conditions_are_no_remainders(condition):
    assert remainder(condition) is None


def test_conditions_on_one_symbol_are_said_together_and_what_follows_is_not_said():
    half = dims.ceil_div(SIDE - 1, 2)
    found = assumed(
        [
            Condition("equals", 2 * half, SIDE),
            Condition("divides", SIDE, to_sympy(32)),
            Condition("differs", SIDE - 3 * dims.ceil_div(SIDE - 2, 3), to_sympy(1)),
            Condition("differs", SIDE - 4 * dims.ceil_div(SIDE - 3, 4), to_sympy(2)),
            Condition("equals", N, to_sympy(1)),
            Condition("equals", dims.ceil_div(SIDE, N), SIDE),
        ],
        {}.get,
    )
    assert {*map(str, found.conditions)} == {"side - 3*⌈(side - 2)/3⌉ ≠ 1", "n = 1", "side is a multiple of 32"}
    assert found.put(half * N + dims.ceil_div(SIDE + 3, 32)) == SIDE / 2 + SIDE / 32 + 1


# ------------------------------------------------------------------ blocks, letters and expressions put for them


def test_a_block_is_in_its_own_defaults_and_not_in_what_the_network_gives_it_first():
    form = archspec.load("mobilenet:conv_bn_relu").formula("macs")
    assert form.fixed["s"] == 1  # the network's first has stride 2
    assert form.text() == "9·c_in·h·w·c"


def test_a_formula_is_called_in_the_letters_that_it_prints():
    form = archspec.load("separable").formula("macs", letters="paper")
    assert [each.name for each in form.symbols] == ["D_K", "M", "N", "D_F"]
    assert {each.name for each in form.exact.free_symbols} == {"D_K", "M", "N", "D_F"}
    assert form(D_K=3, M=32, N=64, D_F=112) == (9 * 32 + 32 * 64) * 112**2
    assert form(k=3, in_channels=32, c=64, in_height=112) == form(D_K=3, M=32, N=64, D_F=112)
    primes = archspec.load("mobilenet_v2:inverted_residual").formula("macs", letters="paper")
    assert primes(**{"d′": 16, "d″": 24, "t": 6, "k": 3, "h": 56, "w": 56}) == primes(
        c_in=16, c=24, t=6, k=3, h=56, w=56
    )
    assert archspec.load("separable").formula("macs", letters="paper", k=5) == archspec.load("separable").formula(
        "macs", letters="paper", D_K=5
    )


def test_the_channels_that_flow_in_are_c_in_by_another_name():
    fire = archspec.load("squeezenet:fire")
    assert fire.formula("macs", in_channels=96) == fire.formula("macs", c_in=96)
    assert fire.formula("macs", free=["in_channels"]) == fire.formula("macs", free=["c_in"])
    assert fire.formula("macs")(in_channels=100, s1x1=1) == fire.formula("macs")(c_in=100, s1x1=1)


def test_a_block_whose_branches_must_agree_assumes_that_they_do():
    form = archspec.load("bottleneck_units:shufflenet").formula("macs")
    assert form.text() == "h·w·(2cm/g + 9m)"  # 1707.01083, section 3.2
    assert "c_in = c" in list(map(str, form.assumptions))


def run(*arguments):
    return CliRunner().invoke(app, ["formula", *arguments])


def test_an_expression_makes_new_letters_aloud_and_none_that_resemble_another():
    known = run("mobilenet:separable", "--where", "c=in_channels")
    assert known.exit_code == 0
    assert "h·w·(c_in² + 9·c_in)" in known.output
    assert "new" not in known.stderr
    assert run("mobilenet:separable", "--where", "c=alpha*c").stderr == "new in the formula: alpha\n"
    assert "did you mean 'in_channels'?" in run("mobilenet:separable", "--where", "c=in_chanels").output
    with pytest.raises(UnknownNameError, match="it is no letter of this formula"):
        substituted(archspec.load("mobilenet").formula("macs"), "alpha=in_channels/32")


def test_a_quotient_stays_one_under_where():
    ratio = archspec.load("separable").formula("macs", letters="paper") / archspec.load(
        "mobilenet_full:separable"
    ).formula("macs", letters="paper")
    assert ratio.text() == "1/N + 1/D_K²"
    n, k = (symbol(name) for name in ("N", "D_K"))
    assert ratio.where(N=k**2).text() == "2/D_K²"
    units = archspec.load("bottleneck_units")
    ratio = units.formula("macs", unit="resnet") / units.formula("macs", unit="shufflenet")
    assert ratio.text() == "g·(2c + 9m)/(2c + 9g)"
    assert ratio.where(m=n + 1).text() == "g·(2c + 9N + 9)/(2c + 9g)"


def test_what_sympy_takes_for_whole_is_asked_of_the_sum():
    """(6a + 6)(b + 1)/10 is whole to SymPy 1.14 whatever a and b are, so that the condition was lost."""
    arch = spec("{a: {default: 7}, b: {default: 4}}", "  - reshape: {shape: [-1, 10]}\n", "[a + 1, 6, b + 1]")
    form = arch.formula("activations")
    assert [form.holds(a=7, b=4), form.holds(a=7, b=5), form.holds(a=9, b=5)] == [True, False, True]


def test_a_size_that_is_1_at_the_defaults_is_spread():
    gate = archspec.loads(
        "archspec: 1\nname: x\nsymbols: {a: {default: 1}, b: {default: 6}}\ninputs: {x: [4, b, b], y: [4, a, 1]}\n"
        "network: [{mul, from: [x, y]}]\n"
    )
    form = gate.formula("flops")
    assert (form.text(), list(map(str, form.assumptions))) == ("4b²", ["a = 1"])


@pytest.mark.parametrize("name", ["unet", "squeezenet_meta"])
def test_a_size_that_a_number_shows_to_be_smaller_is_not_plainly_as_large(name):
    """What numbers refute at once SymPy cannot prove: the short way changes no formula."""
    sizes = [each.left for each in archspec.load(name).expand(free=["side"]).conditions if each.kind == "at_least"]
    found = [(_negative_somewhere(b - a), (b - a).is_nonnegative) for a, b in combinations(sizes, 2)]
    assert not any(refuted and shown for refuted, shown in found)
    assert any(refuted for refuted, _ in found)


def test_sizes_that_never_agree_are_refused_and_not_assumed_to():
    """A branch that lost its padding: of the stride 1 that a block has unless told otherwise, h − 2 is no h."""
    text = (
        "  res:\n    args: {c: required, s: 1}\n    body:\n      - add:\n"
        "          r: {conv2d: {out_channels: c, kernel_size: 1, stride: s}}\n"
        "          s: [{when: in_channels == c, then: identity,\n"
        "               else: {conv2d: {out_channels: c, kernel_size: 3, stride: s}}}]\n"
    )
    net = spec("{side: {default: 32}}", "  - res: {c: 3}\n", extra=f"blocks:\n{text}")
    with pytest.raises(ArchspecError, match=r"add needs equal height: h in branch 1, \(h - 2\) in branch 2"):
        net.block("res").formula("params")


def test_a_window_as_far_as_its_stride_is_one_floor():
    net = spec("{side: {default: 32}, p: {default: 4}}", "  - conv2d: {out_channels: 8, kernel_size: p, stride: p}\n")
    form = net.formula("macs")
    assert str(form) == "24·⌊side/p⌋²·p²"
    assert form(side=33, p=5) == net.count(side=33, p=5).macs == 8 * 6 * 6 * 3 * 5 * 5


def test_lists_are_equal_where_their_elements_are_and_that_is_said():
    sides = ", ".join(
        f"{key}: [{{conv2d: {{out_channels: {c}, kernel_size: 1}}}}]" for key, c in {"then": 5, "else": 6}.items()
    )
    block = f"  b:\n    args: {{p: required, q: required}}\n    body: [{{when: p == q, {sides}}}]\n"
    net = spec("{k: {default: 3}, side: {default: 8}}", "  - b: {p: [k, 1], q: [3, 1]}\n", extra=f"blocks:\n{block}")
    form = net.formula("params")
    assert form() == net.count().params == 5 * 3 + 5
    assert [str(each) for each in form.assumptions] == ["k = 3"]
