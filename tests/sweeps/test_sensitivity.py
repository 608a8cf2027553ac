"""Elasticities are those of the formula, steps and crossings those of the counted networks."""

import json
import math
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest
import sympy
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.sweeps.crossover import GROUPS
from archspec.sweeps.sensitivity import chosen, slopes
from archspec.symbols import maximum, minimum, symbol


def by_symbol(found):
    return {response.symbol: response for response in found.responses}


# ------------------------------------------------------------------ elasticities


def test_the_elasticity_of_a_power_is_its_exponent():
    s = symbol("s")
    for power in (1, 2, 3):
        found, percent = slopes(7 * s**power, s, sympy.Integer(13))
        assert (found, percent) == (power, Fraction(101, 100) ** power - 1)
    assert slopes(3 / s, s, sympy.Rational(1, 2))[0] == -1
    with pytest.raises(ArchspecError, match="nothing that could grow"):
        slopes(sympy.Integer(0), s, sympy.Integer(1))


def test_the_elasticities_of_a_dense_layer_are_those_of_its_polynomial():
    """26·40 inputs, 8 layers of h units, 14000 states: 1040h + 7h² + 14000h multiply-accumulates."""
    found = by_symbol(archspec.load("acoustic_model").sensitivity("macs"))
    h, total = 2560, 1040 * 2560 + 7 * 2560**2 + 14000 * 2560
    assert found["hidden"].elasticity == Fraction(1040 * h + 2 * 7 * h**2 + 14000 * h, total)
    assert found["states"].elasticity == Fraction(14000 * h, total)
    assert found["layers"].elasticity == Fraction(8 * h**2, total)
    assert found["hidden"].percent == Fraction(15040 * h, 100 * total) + Fraction(7 * h**2 * 201, 10000 * total)
    assert found["hidden"].step.cost == 15040 * (h + 1) + 7 * (h + 1) ** 2


def test_a_maximum_is_what_it_is_just_above_the_symbols_value():
    s = symbol("s", False)
    expression = maximum(1280, 1280 * s) + minimum(maximum(s, 3), 5)
    assert chosen(expression, {"s": Fraction(1, 2)}) == 1280 + 3
    assert chosen(expression, {"s": Fraction(4)}) == 1280 * s + s
    assert chosen(expression, {"s": Fraction(6)}) == 1280 * s + 5


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("alpha", "wide"), [("1/2", 1280), (1, 1280), (2, 2560)])
def test_below_1_the_last_layer_of_mobilenet_v2_is_not_thinned(alpha, wide):
    arch = archspec.load("mobilenet_v2")
    classes = by_symbol(arch.sensitivity("params", symbols=["classes"], alpha=alpha))["classes"]
    assert classes.elasticity == Fraction((wide + 1) * 1000, arch.count(alpha=alpha).params)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "symbol", "quantity"),
    [("mobilenet", "alpha", "macs"), ("mobilenet", "side", "macs"), ("squeezenet_meta", "SR", "params")],
)
def test_the_elasticities_at_s_and_2s_bound_what_the_counts_do_between_them(name, symbol, quantity):
    """ln Q grows by its mean elasticity times ln 2; at both ends sizes divide."""
    arch = archspec.load(name)
    ends = [factor * Fraction(arch.document.symbols[symbol].default) for factor in (1, 2)]
    low, high = (getattr(arch.count(**{symbol: end}), quantity) for end in ends)
    slope = [
        by_symbol(arch.sensitivity(quantity, symbols=[symbol], **{symbol: end}))[symbol].elasticity for end in ends
    ]
    assert min(slope) <= math.log2(high / low) <= max(slope)


# ------------------------------------------------------------------ steps


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_step_is_the_next_network_that_costs_something_else():
    arch = archspec.load("mobilenet")
    found = by_symbol(arch.sensitivity("macs"))
    span = found["alpha"].step.span
    assert (span.low, span.closed[0]) == (Fraction(1025, 1024), True)
    assert found["alpha"].step.cost == arch.count(alpha=span.low).macs != arch.count(alpha=1).macs
    assert found["side"].step.span.low == 225
    assert found["side"].step.cost == arch.count(side=225).macs
    quiet = by_symbol(arch.sensitivity("macs", symbols=["side"], side=221))["side"].step
    assert (quiet.span.low, quiet.cost) == (223, arch.count(side=223).macs)


def test_a_symbol_at_its_end_or_without_effect_has_no_step():
    arch = archspec.load("mobilenet")
    assert by_symbol(arch.sensitivity("macs", symbols=["alpha"], alpha=4))["alpha"].step is None
    nothing = by_symbol(arch.sensitivity("params", symbols=["side"]))["side"]
    assert (nothing.step, nothing.elasticity) == (None, 0)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_what_is_looked_up_has_steps_alone():
    found = by_symbol(archspec.load("shufflenet").sensitivity("macs"))
    assert found["g"].elasticity is None
    assert "looked up" in found["g"].reason
    assert found["g"].step.cost == archspec.load("shufflenet").count(g=4).macs


def test_symbols_without_which_a_formula_says_nothing_are_named():
    found = by_symbol(archspec.load("mobilenet").sensitivity("binary"))
    assert {response.elasticity for response in found.values()} == {None}
    assert "nothing that could grow" in found["alpha"].reason


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("speed",), {}, UnknownNameError, "no quantity 'speed'"),
        (("mcas",), {}, UnknownNameError, "did you mean 'macs'"),
        (("macs",), {"symbols": ["aplha"]}, BindingError, "did you mean 'alpha'"),
        (("macs",), {"symbols": ["x"]}, BindingError, "it has alpha, side, classes"),
        (("macs",), {"symbols": []}, BindingError, "no symbol of 'mobilenet' is named; it has alpha, side, classes"),
        (("macs",), {"symbols": ["alpha", "alpha"]}, BindingError, "alpha is asked for twice"),
        (("macs",), {"beta": 1}, BindingError, "no symbol 'beta'"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        archspec.load("mobilenet").sensitivity(*arguments, **options)


def test_the_peak_of_memory_answers_to_the_side_as_the_layer_that_makes_it():
    arch = archspec.load("mobilenet_v2")
    found = arch.sensitivity("memory", symbols=["side"])
    (side,) = found.responses
    assert (found.cost, side.elasticity) == (arch.memory("layerwise").peak, 2)
    assert side.step.cost == arch.memory("layerwise", side=225).peak
    with pytest.raises(UnknownNameError, match="does not add up"):
        arch.crossover("side", "memory")


# ------------------------------------------------------------------ crossovers


def costs(arch, by="kind", **bindings):
    """What each group costs at some values."""
    network = arch.expand(**bindings)
    sums = {}
    for node, row in zip(network.nodes, network.count().rows, strict=True):
        group = GROUPS[by](network, node)
        sums[group] = sums.get(group, 0) + row.macs
    return sums


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "symbol", "between"),
    [("alexnet", "side", (63, 130)), ("mobilenet", "alpha", ("1/32", "1/8"))],
)
def test_who_dominates_and_who_passes_whom_is_what_counting_finds(name, symbol, between):
    arch = archspec.load(name)
    found = arch.crossover(symbol, between=between)
    low, high = (Fraction(end) for end in between)
    step = 1 if symbol == "side" else Fraction(1, 1024)
    values = [low + step * n for n in range(int((high - low) / step) + 1)]
    counted = {value: costs(arch, **{symbol: value}) for value in values}
    for reign in found.reigns:
        inside = [value for value in values if value in reign.span]
        assert inside
        for value in inside:
            assert counted[value][reign.group] == max(counted[value].values())
    for crossing in found.crossings:
        ahead = [counted[v][crossing.above] - counted[v][crossing.below] for v in values if v >= crossing.value]
        assert min(ahead) >= 0 < max(ahead)
        before = counted[max(v for v in values if v < crossing.value)]
        assert before[crossing.above] <= before[crossing.below]
        gaps = [counted[v][crossing.above] - counted[v][crossing.below] for v in values]
        signs = [gap > 0 for gap in gaps if gap]
        assert crossing.times == sum(a != b for a, b in pairwise(signs))
    assert found.crossings


def test_a_root_is_where_the_formulas_are_equal():
    arch = archspec.load("mobilenet")
    (crossing,) = arch.crossover("alpha", between=("1/32", 1)).crossings
    forms = {form.of.partition("/")[2]: form for form in arch.formulas("macs", by="layer", free=["alpha"])}
    network = arch.expand()
    sums = {crossing.above: 0, crossing.below: 0}
    for node in network.nodes:
        kind = GROUPS["kind"](network, node)
        if kind in sums:
            sums[kind] += forms[node.name].divisible
    (alpha,) = (sums[crossing.above] - sums[crossing.below]).free_symbols
    assert (sums[crossing.above] - sums[crossing.below]).subs(alpha, crossing.root).expand() == 0


def test_stages_and_operators_can_be_grouped_and_choices_have_no_crossings():
    arch = archspec.load("mobilenet")
    assert arch.crossover("side", by="operator", between=(8, 64)).reigns[-1].group == "conv2d"
    assert arch.crossover("side", by="stage", between=(200, 240)).reigns[0].group == "separable7"
    groups = archspec.load("shufflenet").crossover("g")
    assert [reign.group for reign in groups.reigns] == ["pointwise conv2d", "grouped pointwise conv2d"]
    assert groups.crossings == ()
    with pytest.raises(UnknownNameError, match="use kind, operator, stage"):
        arch.crossover("side", by="colour")
    with pytest.raises(UnknownNameError, match="no quantity 'speed'"):
        arch.crossover("side", "speed")


def test_a_root_is_that_of_the_branch_in_which_the_curves_cross():
    arch = archspec.loads("""
archspec: 1
name: undecided
symbols: {c: {default: 8, range: [1, 64]}}
input: [3, 16, 16]
network:
  - conv2d: {out_channels: c, kernel_size: 3, padding: 1}
  - when: c > 20
    then: [relu]
  - conv2d: {out_channels: c, kernel_size: 1}
""")
    (crossing,) = arch.crossover("c").crossings
    assert (crossing.above, crossing.value, crossing.root) == ("pointwise conv2d", 28, 27)


def small(symbols, network, shape="[16, 8, 8]"):
    return archspec.loads(f"archspec: 1\nname: x\nsymbols: {symbols}\ninput: {shape}\nnetwork:\n{network}")


def test_what_holds_at_one_value_alone_has_no_elasticity():
    arch = small(
        "{c: {default: 16, range: [4, 64]}}",
        "  - when: in_channels == c\n    then: [{conv2d: {out_channels: 100, kernel_size: 3}}]\n"
        "    else: [{conv2d: {out_channels: c, kernel_size: 1}}]\n",
    )
    (response,) = arch.sensitivity().responses
    assert response.elasticity is None
    assert response.reason == "the network is another one unless c = 16; only its steps can be counted"
    assert response.step.cost == 17 * 16 * 64
    (elsewhere,) = arch.sensitivity(c=8).responses  # there, the other branch is taken
    assert (elsewhere.elasticity, elsewhere.step.cost) == (1, 9 * 16 * 64)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_branch_is_that_of_the_value_and_what_the_formula_assumes_is_said():
    arch = small(
        "{side: {default: 8}}",
        "  - when: side % 2 == 0\n    then: [{conv2d: {out_channels: 2, kernel_size: 1}}]\n  - relu\n",
        "[3, side, side]",
    )
    (response,) = arch.sensitivity().responses
    assert (response.elasticity, [*map(str, response.assumes)]) == (2, ["side is a multiple of 2"])
    (odd,) = arch.sensitivity(side=9).responses
    assert odd.reason == "there is nothing that could grow"


def test_a_logarithm_has_no_elasticity_that_is_a_rational_number():
    arch = small("{d: {default: 4, choices: [2, 4, 8]}}", "  - linear: {out_features: 8 * log2(d)}\n", "[8]")
    (response,) = arch.sensitivity().responses
    assert response.reason == "d stands in a logarithm; only its steps can be counted"
    assert response.step.cost == 8 * 24


def test_what_a_rounded_number_is_divided_by_has_no_elasticity():
    step = "  - conv2d: {out_channels: 2, kernel_size: p, stride: p, bias: false}\n"
    arch = small("{p: {default: 4}}", step, "[1, 32, 32]")
    (response,) = arch.sensitivity().responses
    assert response.reason == "p is what a rounded number is divided by; only its steps can be counted"
    assert response.step.cost == 2 * 5**2 * 6**2


# ------------------------------------------------------------------ what is printed


@cache
def run(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_text_has_a_row_a_symbol():
    result = run("sensitivity", "mobilenet")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "mobilenet: 568,740,352 macs at alpha = 1, side = 224, classes = 1000, input_channels = 3"
    alpha = next(line for line in lines if line.startswith("alpha"))
    assert alpha.split()[:5] == ["alpha", "1", "1.949", "+1.96", "%"]
    assert "g: g is looked up in a table" in run("sensitivity", "shufflenet", "--for", "g").stdout
    assert "−" in run("sensitivity", "squeezenet_meta", "--for", "freq").stdout


def test_json_of_a_sensitivity_is_exact():
    data = json.loads(run("sensitivity", "acoustic_model", "--for", "states", "--format", "json").stdout)
    (states,) = data["responses"]
    total = 1040 * 2560 + 7 * 2560**2 + 14000 * 2560
    assert Fraction(states["elasticity"]) == Fraction(14000 * 2560, total)
    assert states["step"] == {
        "low": "14001", "high": "14001", "closed": [True, True],
        "cost": total + 2560, "change": str(Fraction(2560, total)),
    }  # fmt: skip


def test_text_of_a_crossover_has_reigns_and_crossings():
    said = run("crossover", "alexnet", "--for", "side", "--between", "63,130").stdout
    assert "63 ≤ side ≤ 78" in said
    row = next(line for line in said.splitlines() if line.startswith("grouped 5×5 conv2d  linear"))
    assert "79  once" in row
    assert "≈ 77.165" in row
    assert "6 times, first at 67" in said


def test_choices_are_listed_for_nothing_lies_between_them():
    said = run("crossover", "shufflenet", "--for", "g").stdout
    assert "along g of 1, 2, 3, 4, 8;" in said
    rows = [line.partition("  ")[0] for line in said.splitlines() if line.startswith("g = ")]
    assert rows == ["g = 1", "g = 2, 3, 4, 8"]
    assert "\nvariant = v1, v1_5  " in run("crossover", "resnet50", "--for", "variant").stdout
    data = json.loads(run("crossover", "shufflenet", "--for", "g", "--format", "json").stdout)
    assert [reign["values"] for reign in data["reigns"]] == [["1"], ["2", "3", "4", "8"]]


def test_the_next_network_is_a_range_of_the_symbol_by_its_name():
    said = run("sensitivity", "mobilenet").stdout
    assert "1025/1024 ≤ alpha < 513/512" in said
    assert "side = 225" in said


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_other_formats_say_the_same():
    data = json.loads(run("crossover", "mobilenet", "--for", "alpha", "--format", "json").stdout)
    assert data["crossings"] == [
        {
            "above": "pointwise conv2d", "below": "depthwise conv2d", "from": "17/512", "first": "17/512", "times": 1,
            "root": "33/1024", "root_decimal": "0.0322265625",
        }
    ]  # fmt: skip
    assert data["reigns"][1]["group"] == "pointwise conv2d"
    assert run("crossover", "mobilenet", "--for", "side", "--format", "markdown").stdout.count("|") > 8
    assert "| alpha" in run("sensitivity", "mobilenet", "--format", "markdown").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("sensitivity", "mobilenet", "--of", "speed"),
        ("sensitivity", "mobilenet", "--for", "beta"),
        ("sensitivity", "mobilenet", "--for", ""),
        ("sensitivity", "mobilenet", "--for", "alpha,alpha"),
        ("crossover", "mobilenet", "--for", "beta"),
        ("crossover", "mobilenet", "--for", "side", "--between", "9,8"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_2(arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
