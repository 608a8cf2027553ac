"""The law of the closed forms: a formula is the count, of every specification and every quantity, wherever it holds."""

from fractions import Fraction
from random import Random

import pytest

import archspec
from archspec import zoo
from archspec.cost import QUANTITIES
from archspec.errors import ArchspecError, SpecErrors
from archspec.formula.proof import drawn, proved
from archspec.ops import KINDS
from archspec.symbols import value

pytestmark = pytest.mark.no_cover  # other tests cover what these laws run; tracing doubles their time

FEW, MANY = 12, 200
"""At how many bindings a network is counted; many by --long."""

LARGE = {"resnet101", "resnet152", "inception_v3_keras_2016", "vgg19"}
"""Networks with the blocks of a smaller one of the zoo; formulas of the others are held by every run."""


@pytest.fixture
def arch(name, request, network):
    if name in LARGE and not request.config.option.long:
        pytest.skip("a smaller network of the zoo has the same blocks; run by --long")
    return network(name)


FIGURES = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")


@pytest.mark.parametrize("name", zoo.names())
def test_the_formulas_of_a_network_are_its_counts(name, arch, request):  # noqa: ARG001  # of the fixture
    wanted = MANY if request.config.option.long else FEW
    forms = {quantity: arch.formula(quantity) for quantity in FIGURES}
    held = 0
    for bindings in drawn(forms["macs"], arch.document, 100 * wanted, seed=1):
        if not forms["macs"].holds(**bindings):
            continue
        table = arch.count(**bindings)
        for quantity, form in forms.items():
            assert value(form.exact, bindings) == getattr(table, quantity), (quantity, bindings)
        held += 1
        if held == wanted:
            break
    assert held == wanted


@pytest.mark.parametrize("name", ["mobilenet_v2", "shufflenet", "squeezenet_meta", "alexnet", "binary_convolution"])
@pytest.mark.parametrize("quantity", [kind for kind in KINDS if kind != "macs"])
def test_each_kind_of_operation_has_its_formula(name, quantity):
    arch = archspec.load(name)
    assert proved(arch.formula(quantity), arch.document, 5, seed=2)


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2", "resnet18", "shufflenet", "googlenet"])
@pytest.mark.parametrize("by", ["stage", "block", "operator", "layer"])
def test_the_formulas_of_groups_are_their_counts_and_add_up(name, by):
    arch = archspec.load(name)
    forms = arch.formulas("macs", by=by)
    assert [form.of.partition("/")[2] for form in forms] == [row.name for row in arch.count().by(by)]
    bindings = next(b for b in drawn(forms[0], arch.document, 100, seed=3) if forms[0].holds(**b))
    table = arch.count(**bindings)
    assert [value(form.exact, bindings) for form in forms] == [row.macs for row in table.by(by)]
    assert sum(value(form.exact, bindings) for form in forms) == table.macs


MANY_CONDITIONS = {"squeezenet_meta", "mobilenet_v3_large", "mobilenet_v3_small"}
MANY_CONDITIONS |= {"lraspp_mobilenet_v3", "ssdlite_mobilenet_v3"}
"""Networks whose many roundings leave nothing only where seventeen conditions or more are met at once."""


@pytest.mark.parametrize("name", zoo.names())
def test_where_a_view_without_roundings_says_that_it_holds_it_is_the_count(name, arch):
    """Bindings are drawn among round numbers, so that the conditions are often met."""
    form = arch.formula("macs")
    divisible = form.divisible
    random, met = Random(4), 0  # noqa: S311
    drawn_often = [
        tuple((symbol.name, _round_number(arch.document.symbols[symbol.name], random)) for symbol in form.symbols)
        for _ in range(60)
    ]
    for bindings in map(dict, dict.fromkeys(drawn_often)):
        if not (form.holds(**bindings) and all(condition.holds(bindings) for condition in form.conditions)):
            continue
        try:
            count = arch.count(**bindings).macs
        except ArchspecError:
            continue
        assert value(divisible, bindings) == count, bindings
        met += 1
    assert met or name in MANY_CONDITIONS


def _round_number(symbol, random):
    if symbol.choices:
        return random.choice(symbol.choices)
    least, most = symbol.range or (1, 4096)
    if symbol.integer:
        return min(max(random.randrange(1, 12) * 32, least), most)
    return min(max(random.choice([1, 2, 3, Fraction(1, 2), Fraction(1, 4)]), least), most)


@pytest.mark.parametrize(("name", "bindings"), [("mobilenet_v2", {"alpha": "7/20"}), ("gpt2", {"layers": 3})])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_with_batch_as_a_symbol_a_formula_is_the_count_of_any_batch(quantity, name, bindings):
    arch = archspec.load(name)
    if arch.count().figure(quantity) is None:  # an image has no tokens
        with pytest.raises(ArchspecError, match=f"'{name}' has no "):
            arch.formula(quantity, free=[*bindings, "batch"])
        return
    form = arch.formula(quantity, free=[*bindings, "batch"])
    for batch in (1, 3, 32):
        table = arch.count(bindings, batch=batch)
        assert form(**bindings, batch=batch) == table.figure(quantity)


def test_where_an_assumption_does_not_hold_the_network_is_counted():
    arch = archspec.load("mobilenet_v2")
    form = arch.formula("flops")
    assert not form.holds(alpha="1/10")  # 16α and 32α are both 8 channels, and the first block gets its shortcut
    assert value(form.exact, {"alpha": Fraction(1, 10), "side": 224, "classes": 1000}) != form(alpha="1/10")
    assert form(alpha="1/10") == arch.count(alpha="1/10").flops


@pytest.mark.parametrize("layers", [1, 2, 3, 8, 64])
def test_depth_is_a_symbol(layers):
    arch = archspec.load("acoustic_model")
    counted = arch.count(layers=layers, hidden=100)
    for quantity in FIGURES:
        assert arch.formula(quantity)(layers=layers, hidden=100) == getattr(counted, quantity)


TABLE = """
archspec: 1
name: deep
symbols: {n: {default: 4, range: [1, 100]}, c: {default: 64}, side: {default: 32}}
input: [3, side, side]
blocks:
  unit:
    args: {c: required, s: 1}
    body: [{conv2d: {out_channels: c, kernel_size: 3, stride: s, padding: 1}}, relu]
network:
  - table:
      block: unit
      columns: [as, c, s, n]
      repeat: n
      after_first: {s: 1}
      rows:
        - [one, c, 2, n]
        - [two, 2 * c, 2, 2 * n - 1]
  - repeat: n
    body: [batch_norm, relu]
"""


def test_rows_and_steps_repeat_a_symbolic_number_of_times():
    arch = archspec.loads(TABLE)
    form = arch.formula("params")
    assert proved(form, arch.document, 60, seed=5)
    assert proved(arch.formula("macs"), arch.document, 60, seed=6)
    assert {node.times for node in arch.expand(free=["n"]).nodes} != {1}


def test_a_repeat_whose_units_differ_is_unrolled_at_its_default_and_that_is_said():
    head = "archspec: 1\nname: x\nsymbols: {n: {default: 3}, side: {default: 8}}\ninput: [3, side, side]\n"
    grows = f"{head}network:\n  - repeat: n\n    body: [BODY]\n"
    wider = grows.replace("BODY", "{conv2d: {out_channels: 2 * in_channels, kernel_size: 1, bias: false}}")
    counted = wider.replace("repeat: n", "repeat: n\n    index: i").replace("2 * in_channels", "8 + i")
    for text, weights in ((wider, 3 * 6 + 6 * 12 + 12 * 24), (counted, 3 * 8 + 8 * 9 + 9 * 10)):
        form = archspec.loads(text).formula("macs")
        assert (form.text(), list(map(str, form.assumptions))) == (f"{weights}·side²", ["n = 3"])
        assert form(n=1, side=5) == archspec.loads(text).count(n=1, side=5).macs
    once = archspec.loads(wider.replace("default: 3", "default: 1")).formula("macs")
    assert (once.text(), list(map(str, once.assumptions))) == ("18·side²", ["n = 1"])
    half = grows.replace("BODY", "relu").replace("repeat: n", "repeat: n / 2").replace("default: 3", "default: 4")
    form = archspec.loads(half).formula("activations")
    assert (form.text(), list(map(str, form.assumptions))) == ("3·n·side²/2", ["n is a multiple of 2"])
    with pytest.raises(SpecErrors, match="must be a whole number"):
        archspec.loads(half.replace("default: 4", "default: 3")).formula("activations")
