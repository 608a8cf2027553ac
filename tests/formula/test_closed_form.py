"""What formulas say: the papers' own, their views, their ratios, and what is refused."""

from functools import cache

import pytest
from click.testing import CliRunner

import archspec
from archspec import zoo
from archspec.cli import app
from archspec.errors import ArchspecError, BindingError, SpecErrors, UnknownNameError
from archspec.formula import of_network
from archspec.formula.closed_form import VIEWS
from archspec.symbols import value


def formula(spec, quantity="macs", **asked):
    return archspec.load(spec).formula(quantity, **asked)


macs_of = cache(formula)
"""The formula of a network of the zoo, which its views share."""


@pytest.mark.parametrize(
    ("spec", "quantity", "asked", "text"),
    [
        ("mobilenet:separable", "macs", {"letters": "paper"}, "D_K²·M·D_F² + M·N·D_F²"),  # 1704.04861, equation (5)
        ("mobilenet_full:separable", "macs", {"letters": "paper"}, "D_K²·M·N·D_F²"),  # equation (2)
        ("mobilenet_v2:inverted_residual", "macs", {"letters": "paper"}, "h·w·t·d′·(k² + d′ + d″)"),  # 1801.04381, 4
        ("bottleneck_units", "macs", {}, "h·w·(2cm/g + 9m)"),  # 1707.01083, section 3.2
        ("bottleneck_units", "macs", {"unit": "resnet"}, "h·w·(2cm + 9m²)"),
        ("bottleneck_units", "macs", {"unit": "resnext"}, "h·w·(2cm + 9m²/g)"),
        ("squeezenet:fire", "params", {}, "c_in·s1x1 + s1x1·e1x1 + 9·s1x1·e3x3 + s1x1 + e1x1 + e3x3"),
        ("lenet_300_100", "params", {}, "300·side² + 101·classes + 30400"),
        ("lenet_300_100", "params", {"free": ["side", "input_channels"]}, "300·side²·input_channels + 31410"),
    ],
)
def test_the_formulas_that_papers_print(spec, quantity, asked, text):
    found = formula(spec, quantity, **asked)
    assert found.text() == text


def test_mobilenet_is_six_terms():
    found = formula("mobilenet", free=["alpha", "side"])
    assert len(found.terms) == 6
    assert formula("mobilenet").terms[-1] == formula("mobilenet", part="fc").exact
    assert found.text("divisible") == "side²·(10752α² + 1125α/2) + 1024000α"
    assert [str(condition) for condition in found.conditions] == ["32*alpha is whole", "side is a multiple of 32"]


@pytest.mark.parametrize("side", [63, 64, 95, 96, 224, 227, 500])
def test_the_last_pooling_of_alexnet_is_one_ceiling(side):
    free = archspec.load("alexnet").expand(free=["side"])
    assert str(free.node("pool5/max_pool2d").output.shape[2]) == "⌈(side - 62)/32⌉"
    size = archspec.load("alexnet").expand(side=side).node("pool5/max_pool2d").output.shape[2]
    assert value(free.node("pool5/max_pool2d").output.shape[2], {"side": side}) == size


def test_the_ratio_of_a_separable_convolution_to_a_full_one():
    ratio = formula("separable", letters="paper") / formula("mobilenet_full:separable", letters="paper")
    assert ratio.text() == "1/N + 1/D_K²"
    assert ratio.latex() == r"\frac{1}{N} + \frac{1}{{D_{K}}^{2}}"
    assert (formula("mobilenet") / formula("mobilenet")).text() == "1"
    with pytest.raises(ArchspecError, match="needs a value of D_K, N"):
        ratio()


def test_what_is_smaller_than_a_kernel_is_said_once_for_all_layers():
    assert [str(each) for each in formula("alexnet").assumptions] == []  # its range begins at 63
    assert [str(each) for each in formula("squeezenet").assumptions] == []
    tight = archspec.loads(
        "archspec: 1\nname: x\nsymbols: {side: {default: 32}}\ninput: [3, side, side]\nnetwork:\n"
        "  - conv2d: {out_channels: 4, kernel_size: 5}\n  - max_pool2d: {kernel_size: 2, stride: 2}\n"
        "  - conv2d: {out_channels: 4, kernel_size: 5}\n"
    )
    assert [str(each) for each in tight.formula().assumptions] == ["side ≥ 14"]
    assert tight.formula()(side=14) == tight.count(side=14).macs
    with pytest.raises(SpecErrors):
        tight.formula()(side=13)


def test_assumptions_are_named():
    assert [str(each) for each in formula("mobilenet_v2").assumptions] == [
        "⌊32*alpha⌉₈ ≠ ⌊16*alpha⌉₈",
        "⌊64*alpha⌉₈ ≠ ⌊96*alpha⌉₈",
        "⌊160*alpha⌉₈ ≠ ⌊320*alpha⌉₈",
    ]
    assert "g ≠ 1" in [str(each) for each in formula("shufflenet").assumptions]


def test_a_lookup_stays_a_lookup():
    found = formula("shufflenet", free=["g"])
    assert "channels(g, stage2)" in found.text()
    for g in (1, 2, 3, 4, 8):
        assert found(g=g) == archspec.load("shufflenet").count(g=g).macs
    with pytest.raises(ArchspecError, match="g must be one of 1, 2, 3, 4, 8"):
        found(g=5)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_written(name, view):
    found = macs_of(name)
    for text in (found.text(view), found.latex(view), found.python(view), found.numpy(view), found.javascript(view)):
        assert text
        assert "CeilDiv" not in text
    assert "⌈" not in found.text("asymptotic")


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda: formula("mobilenet", "prams"), UnknownNameError, "no quantity 'prams'; did you mean 'params'?"),
        (lambda: formula("mobilenet", free=["depth"]), BindingError, "has no symbol 'depth'"),
        (lambda: formula("mobilenet", part="stem"), UnknownNameError, "no stage, node or operator 'stem'"),
        (lambda: formula("mobilenet", letters="paper"), UnknownNameError, "letters are those of a block"),
        (lambda: formula("separable", letters="ppaper"), UnknownNameError, "no letters 'ppaper'; it has paper"),
        (lambda: formula("mobilenet:spearable"), UnknownNameError, "did you mean 'separable'?"),
        (lambda: formula("mobilenet").view("exakt"), UnknownNameError, "no view 'exakt'; did you mean 'exact'?"),
        (lambda: formula("mobilenet")(aplha=1), UnknownNameError, "no free symbol 'aplha'; did you mean 'alpha'?"),
        (lambda: formula("bottleneck_units", free=["unit"]), BindingError, "chooses between words"),
        (lambda: formula("mobilenet", free=["alpha"], alpha=1), BindingError, "both bound and free"),
        (lambda: archspec.load("conv_bn"), UnknownNameError, "several networks of the zoo have a block 'conv_bn'"),
    ],
)
def test_what_cannot_be_asked_is_refused(ask, error, said):
    with pytest.raises(error, match=said.replace("?", r"\?")):
        ask()


def test_a_block_counts_as_it_does_where_it_is_first_used():
    inside = next(row for row in archspec.load("squeezenet").count().by("stage") if row.name == "fire2")
    alone = archspec.load("squeezenet:fire").count()
    assert (alone.params, alone.macs) == (inside.params, inside.macs)


def test_a_block_that_nothing_uses_has_no_sizes():
    text = "archspec: 1\nname: x\ninput: [3]\nblocks: {b: {body: [relu]}}\nnetwork: [relu]\n"
    with pytest.raises(UnknownNameError, match="does not use the block 'b'"):
        archspec.loads(text).block("b")


def test_letters_of_nothing_are_a_fault_of_the_specification():
    block = "{letters: {paper: {names: {kk: D_K}}}, args: {k: 1}, body: [relu]}"
    text = f"archspec: 1\nname: x\ninput: [3]\nblocks: {{b: {block}}}\nnetwork: [b]\n"
    with pytest.raises(SpecErrors, match="nothing here is called 'kk'; did you mean 'k'"):
        archspec.loads(text)


def test_what_only_a_cost_asks_of_a_symbol_is_an_assumption_too():
    """Adaptive pooling has a shape for every side, and a formula of its additions only where its windows are alike."""
    text = "archspec: 1\nname: x\nsymbols: {side: {default: 14, range: [7, 100]}}\ninput: [2, side, side]\n"
    arch = archspec.loads(f"{text}network: [{{adaptive_avg_pool2d: {{output_size: 7}}}}]\n")
    form = arch.formula("flops")
    assert [str(each) for each in form.assumptions] == ["side is a multiple of 7"]
    assert not form.holds(side=15)
    assert [form(side=side) for side in range(7, 60)] == [arch.count(side=side).flops for side in range(7, 60)]


def test_an_expression_for_a_symbol_goes_through_the_roundings():
    from archspec.formula.substituted import substituted

    found = substituted(formula("mobilenet", free=["side"]), "side=32*n")
    assert found.text() == "11586048n² + 1024000"
    assert found(n=7) == 568740352
    odd = substituted(formula("mobilenet", free=["side"]), "side=32*n + 1")
    assert [odd(n=n) for n in (1, 2, 9)] == [archspec.load("mobilenet").count(side=32 * n + 1).macs for n in (1, 2, 9)]
    half = substituted(formula("mobilenet", free=["alpha", "side"]), "alpha=beta/2")
    assert half(beta=1, side=160) == archspec.load("mobilenet").count(alpha="1/2", side=160).macs
    grouped = substituted(formula("shufflenet", free=["g", "side"]), "g=4")
    assert grouped(side=96) == archspec.load("shufflenet").count(g=4, side=96).macs


def test_a_ratio_says_whether_it_leaves_out_roundings_and_what_both_assume():
    nearly = formula("mobilenet") / formula("mobilenet_full")
    assert nearly.rounded
    exactly = formula("separable", letters="paper") / formula("mobilenet_full:separable", letters="paper")
    assert not exactly.rounded
    assert exactly.fixed == {"s": 1}
    assert [str(each) for each in (formula("mobilenet_v2") / formula("mobilenet")).assumptions] == [
        str(each) for each in formula("mobilenet_v2").assumptions
    ]


def test_a_formula_whose_assumptions_no_binding_meets_is_not_called_checked():
    from archspec.formula.proof import Proof
    from archspec.report.formats import written
    from archspec.report.formula import formulas

    page = written(formulas([formula("mobilenet")], "exact", proofs=[Proof(0, 50, 0)]))
    assert "not checked: at none of 50 random bindings does every assumption hold (seed 0)" in page


def test_letters_without_names_are_a_fault_at_their_place():
    text = (
        "archspec: 1\nname: x\ninput: [3]\nblocks: {b: {letters: {paper: {form: sum}}, body: [relu]}}\nnetwork: [b]\n"
    )
    with pytest.raises(SpecErrors, match="names"):
        archspec.loads(text)


def test_a_formula_says_by_which_bits_it_is_counted():
    done = CliRunner().invoke(app, ["formula", "lenet_5", "--of", "traffic", "--dtype", "int8", "--weight-bits", "4"])
    assert "convention default; int8 activations; 4-bit weights" in done.stdout
    form = formula("lenet_5", "traffic", dtype="int8", weight_bits=4)
    assert form() == archspec.load("lenet_5").count(dtype="int8", weight_bits=4).figure("traffic")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_network_is_expanded_once_for_all_quantities_and_again_for_other_values(monkeypatch):
    expanded = []
    expand = of_network.graph.expand
    monkeypatch.setattr(of_network, "_last", [])
    monkeypatch.setattr(
        of_network.graph, "expand", lambda *args, **names: expanded.append(args[1]) or expand(*args, **names)
    )
    arch = archspec.load("mobilenet_v2")
    forms = [arch.formula(quantity, classes=10) for quantity in ("macs", "params", "flops")]
    assert expanded == [{"classes": 10}]
    assert forms[1] == archspec.load("mobilenet_v2").formula("params", classes=10)
    assert arch.formula("params", classes=1) != forms[1]
    assert expanded == [{"classes": 10}, {"classes": 1}]
    with pytest.raises(ArchspecError, match="expected a number, found True"):
        arch.formula("params", classes=True)


def test_latex_sets_what_a_formula_assumes_without_signs_that_latex_lacks():
    page = CliRunner().invoke(app, ["formula", "mobilenet_v2", "--of", "params", "--format", "latex"]).stdout
    assert page.isascii()
    assert r"$\lfloor$32$\alpha$$\rceil$$_{8}$ $\neq$ $\lfloor$16$\alpha$$\rceil$$_{8}$" in page


def test_a_call_that_no_line_has_room_for_is_broken_at_its_commas():
    asked = ["formula", "mobilenet", "--of", "memory"]
    page = CliRunner().invoke(app, asked, env={"COLUMNS": "80"}).stdout.splitlines()
    assert page[1].startswith("  = max(8·classes, 8·⌊64α⌋·⌈side/2⌉²")
    assert max(map(len, page)) <= 80
