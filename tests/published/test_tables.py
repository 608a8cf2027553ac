"""Tables of figures: each cell from its row, totals from all rows."""

from fractions import Fraction

import pytest

from archspec.errors import ArchspecError, SpecErrors
from archspec.interval import Interval
from archspec.published import Verdict, load, reproduce
from archspec.published.functions import functions, stored, weighted_mean

OWN = """figures_of: own
source: {title: A table of my own}
tables:
  - id: t
    where: Table 1
    spec: lenet_300_100
    of: {n: {quantity: weights, layer: "{layer}"}}
    above: {act: 1}
    let: {kept: n * share, left: 2 * kept}
    printed:
      weights: {unit: k, value: n}
      share:   {unit: "%"}
      bits:    {exact: true}
      act:     {unit: "%", measured: true}
      in:      {unit: "%", value: above_act}
      size:    {unit: k, value: kept * bits / 8}
    columns: [id, layer, weights, share, bits, act, in, size]
    rows:
      - [one, fc1, 235, 50, 8, 40, 100, 118]
      - [two, fc2, 0.03 M, 10, 16, 60, 40, 6]
    notes: {two.size: small}
    errata: {one.act: slow}
    figures:
      - {id: t.kept, printed: "121", unit: k, value: sum(kept)}
      - {id: t.bits, printed: "9", value: "mean(bits, n)"}
      - {id: t.open, printed: "4", value: "either(2, 6)"}
"""


def own(tmp_path, before="", after=""):
    assert before in OWN
    (tmp_path / "own.yaml").write_text(OWN.replace(before, after))
    return load(tmp_path / "own.yaml")


def test_a_cell_follows_from_its_row_and_a_total_from_all(tmp_path):
    found = {finding.figure.id: finding for finding in reproduce(own(tmp_path))}
    assert {name: finding.computed for name, finding in found.items()} == {
        "t.one.weights": 784 * 300,
        "t.one.act": None,
        "t.one.in": 1,
        "t.one.size": 784 * 300 / 2,
        "t.two.weights": 300 * 100,
        "t.two.act": None,
        "t.two.in": Fraction(40, 100),
        "t.two.size": 300 * 100 / 10 * 2,
        "t.kept": 784 * 300 / 2 + 300 * 100 / 10,
        "t.bits": Fraction(8 * 784 * 300 + 16 * 300 * 100, 784 * 300 + 300 * 100),
        "t.open": 2,
    }
    assert found["t.two.weights"].verdict is Verdict.EXACT
    assert found["t.two.size"].figure.note == "small"
    assert found["t.one.act"].figure.erratum == "slow"
    assert found["t.one.size"].spread == Interval(784 * 3 * Fraction("49.5"), 784 * 3 * Fraction("50.5"))
    assert found["t.bits"].spread is None
    assert found["t.open"].verdict is Verdict.WITHIN


def test_a_figure_takes_only_what_it_is_computed_from(tmp_path):
    cells = {figure.id: figure for figure in own(tmp_path).all_figures()}
    size, weights = cells["t.one.size"], cells["t.one.weights"]
    assert (set(size.of), set(size.given), set(size.let)) == ({"n"}, {"share"}, {"bits", "kept"})
    assert (set(weights.of), set(weights.given), set(weights.let)) == ({"n"}, set(), set())


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (", 40, 6]", ", 40]", "a row of 7 cells, for 8 columns"),
        ("[one, ", "[~, ", "the first cell of a row is its name"),
        ("above: {act: 1}", "above: {layer: 1}", "the column 'layer' prints no numbers"),
        ("share:   {", "shares:  {", "the table has no column 'shares'"),
        ("two.size: small", "three.size: small", "the table has no cell 'three.size'"),
        ("id: t.bits", "id: t.one.in", "stands here a second time"),
        ("quantity: weights,", "quantity: wights,", "quantity"),
        ("printed:\n", "printed_:\n", "unknown key 'printed_'"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path, before, after, said):
    with pytest.raises(SpecErrors, match=said):
        own(tmp_path, before, after)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("sum(kept)", "sum(layer)", "undefined name 'layer'"),
        ("sum(kept)", "sum(3)", "expected the name of a column, found 3"),
        ("sum(kept)", '"sum(kept, n)"', "'sum' takes 1 argument"),
        ("kept * bits / 8", "sum(kept)", "expected the name of a column"),
        ("mean(bits, n)", "mean(bits, 0)", "expected the name of a column"),
        ("fc2", "fc9", "has no layer fc9"),
    ],
)
def test_what_cannot_be_computed_is_named(tmp_path, before, after, said):
    with pytest.raises(SpecErrors, match=said):
        reproduce(own(tmp_path, before, after))


def test_a_weighted_mean_is_no_wider_than_its_weights_allow():
    values = [Interval(v, v) for v in (1, 2, 4)]
    weights = [Interval(1, 2), Interval(1, 3), Interval(0, 1)]
    corners = [
        Fraction(a + 2 * b + 4 * c, a + b + c) for a in (1, 2) for b in (1, 3) for c in (0, 1)
    ]  # the mean rises or falls in each weight, so its ends are at corners
    assert weighted_mean(values, weights) == Interval(min(corners), max(corners))
    with pytest.raises(ArchspecError, match="could be 0"):
        weighted_mean(values, [Interval(0, 1)] * 3)


def test_zeros_fill_the_gaps_that_are_too_long():
    """Half of the weights kept, gaps of one bit: a span of two is empty with probability 1/4."""
    assert stored(Fraction(1, 2), 1) == pytest.approx(1 / 2 / (1 - 1 / 4))
    assert stored(0, 3) == Fraction(1, 8)
    assert stored(Interval(0, Fraction(3, 2)), 3) == Interval(Fraction(1, 8), 1)
    for density, bits, said in [(2, 3, "density"), (1, 17, "bits"), (1, Fraction(1, 2), "bits")]:
        with pytest.raises(ArchspecError, match=said):
            stored(density, bits)


def test_either_is_what_the_rule_gives_or_all_that_the_print_may_mean():
    assert functions({}, rounded=False)["either"](1, 2) == 1
    assert functions({}, rounded=True)["either"](Interval(3, 4), 1) == Interval(1, 4)


VARIANTS = """figures_of: variants
source: {title: A table of variants}
tables:
  - where: Table 1
    of: {n: {spec: "mnist_{size}", set: {hidden: "{hidden}"}, quantity: weights, layer: fc1}}
    printed: {weights: {value: n}}
    columns: [id, size, hidden, weights]
    rows:
      - [small, 800, ~, "627,200"]
      - [large, 1200, 10, "7,840"]
"""


def test_a_row_names_its_network_and_its_symbols_and_an_empty_cell_leaves_the_default(tmp_path):
    (tmp_path / "variants.yaml").write_text(VARIANTS)
    found = {finding.figure.id: finding.computed for finding in reproduce(load(tmp_path / "variants.yaml"))}
    assert found == {"small.weights": 784 * 800, "large.weights": 784 * 10}
