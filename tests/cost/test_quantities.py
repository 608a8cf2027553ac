"""One register of what can be counted: sums, ratios and peaks, of a node, of a group and of the whole."""

import copy
import pickle
import sys
from fractions import Fraction
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.cost import CONVENTIONS, DIALECTS, GROUPINGS, QUANTITIES, Counting, Peak, Ratio, Sum, quantity
from archspec.errors import ArchspecError, MissingExtraError, UnknownNameError
from archspec.ops import KINDS
from archspec.sweeps.budget import Budget, budget

LENET = archspec.load("lenet_5")
OF_TEXT = ("input_tokens", "flops_per_token")
DEFERRED = ("traffic", "bops", "intensity")
"""Those that no attribute of a table and no other test knows."""

TEXT = """
archspec: 1
name: text
symbols: {words: {default: 7}, width: {default: 8}, layers: {default: 2, range: [1, 9]}}
input: [words]
network:
  - embedding: {num_embeddings: 11, embedding_dim: width}
  - repeat: layers
    body:
      - scaled_dot_product_attention: [identity, identity, identity]
        is_causal: true
  - {linear: {out_features: 11, bias: false}, as: head}
"""


def lenet(name, **asked):
    return LENET.count(**asked).figure(name)


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        # conv 5×5, pool 2, conv 5×5, pool 2, 800 → 500 → relu → 10, read and written at 4 bytes; flatten is a view
        (
            "traffic",
            {},
            4 * (28 * 28 + 20 * 24 * 24 + 5 * 5 * 20 + 20)
            + 4 * (20 * 24 * 24 + 20 * 12 * 12)
            + 4 * (20 * 12 * 12 + 50 * 8 * 8 + 5 * 5 * 20 * 50 + 50)
            + 4 * (50 * 8 * 8 + 800)
            + 4 * (800 + 500 + 800 * 500 + 500)
            + 4 * (500 + 500)
            + 4 * (500 + 10 + 500 * 10 + 10),
        ),
        (
            "traffic",
            {"dtype": "int8", "weight_bits": 8},
            431_080 + 784 + 2 * (20 * 24 * 24 + 20 * 12 * 12 + 50 * 8 * 8) + 800 + 800 + 500 + 500 + 500 + 500 + 10,
        ),
        ("bops", {}, 2_293_000 * 32 * 32),
        ("bops", {"dtype": "int8", "weight_bits": 4}, 2_293_000 * 4 * 8),
        ("bops", {"convention": "shufflenet-table1"}, (2_293_000 - 5000) * 32 * 32),
        ("intensity", {}, Fraction(2_293_000, LENET.count().figure("traffic"))),
        ("intensity", {"batch": 10**9}, Fraction(2_293_000 * 10**9, LENET.count(batch=10**9).figure("traffic"))),
    ],
)
def test_what_it_is(name, asked, expected):
    assert lenet(name, **asked) == expected


def test_one_bit_products_are_of_one_bit_and_so_are_weights_over_real_inputs():
    def bops(setting, **asked):
        conv = f"{{binary_conv2d: {{out_channels: 6, kernel_size: 3, {setting}}}}}"
        text = f"archspec: 1\nname: x\ninput: [4, 8, 8]\nnetwork: [{conv}]"
        return archspec.loads(text).count(dtype="int8", **asked).figure("bops")

    products = 6 * 6 * 6 * 4 * 9
    assert bops("input_scale: false") == bops("input_scale: false", convention="xnor") == products
    assert bops("binary_input: false") == products * 1 * 8
    assert bops("input_scale: true") == products + 6 * 6 * 9 * 32 * 8  # K, the mean over each window


@pytest.mark.parametrize("name", QUANTITIES)
def test_groups_add_up_or_divide_or_peak(name):
    arch = archspec.loads(TEXT) if name in OF_TEXT else archspec.load("mobilenet_v2")
    table, kind = arch.count(batch=2), QUANTITIES[name].kind
    whole = table.figure(name)
    for grouping in (*GROUPINGS, 2):
        rows = [row.figure(name) for row in table.by(grouping)]
        if kind == "sum":
            assert sum(rows) == whole
        elif kind in {"peak", "largest"}:
            assert max(each for each in rows if each is not None) == whole
        elif name in OF_TEXT:
            assert sum(rows) == whole  # each part of the network for each token of it
        else:
            parts = (quantity(name).above, quantity(name).below)
            above, below = (sum(row.figure(part) for row in table.by(grouping)) for part in parts)
            assert whole == Fraction(above, below)
    assert all(type(each) in (int, Fraction, type(None)) for each in table.column(quantity(name)))


def test_the_flops_of_a_token_are_a_closed_form_and_a_causal_mask_may_count():
    arch = archspec.loads(TEXT)
    per_token = arch.formula("flops_per_token")
    for words in (1, 7, 30):
        table = arch.count(words=words, batch=3)
        assert per_token(words=words) == table.figure("flops_per_token") == Fraction(table.flops, 3 * words)
    scores = sum(range(1, 8))
    assert arch.count(convention="causal").macs == 2 * scores * 2 * 8 + 7 * 8 * 11
    assert arch.formula("macs").text() == "2·words²·width·layers + 11·words·width"
    halved = arch.formula("macs", convention="causal")
    assert halved.text() == "layers·(words²·width + words·width) + 11·words·width"
    with pytest.raises(ArchspecError, match="'lenet_5' has no input_tokens"):
        LENET.formula("flops_per_token")
    assert LENET.count().figure("flops_per_token") is None


def test_every_quantity_says_what_it_is():
    for name, each in QUANTITIES.items():
        assert each.name == name == str(each)
        assert each.heading
        assert each.meaning
        assert each.kind in ("sum", "ratio", "peak", "largest")
        assert each.unit in ("", "B", "MACs/B", "px")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", DEFERRED)
def test_a_new_entry_is_counted_compared_solved_and_has_formulas(name):
    arch = archspec.load("mobilenet")
    form = arch.formula(name, free=["alpha", "side"])
    for alpha, side in ((1, 224), ("7/20", 97)):
        assert form(alpha=alpha, side=side) == arch.count({"alpha": alpha, "side": side}).figure(name)
    assert arch.formula(name, free=["side"], part="conv")(side=33) == next(
        row for row in arch.count({"side": 33}).by("stage") if row.name == "conv"
    ).figure(name)
    here = arch.count().figure(name)
    found = arch.sensitivity(name, symbols=["side"])
    assert found.cost == here
    assert found.responses[0].elasticity
    assert found.responses[0].step.cost == arch.count(side=found.responses[0].step.span.low).figure(name)
    bound = here if type(here) is int else 8
    best = arch.solve("alpha", {name: f"<={bound}"}, between={"alpha": ("3/4", "5/4")}).best
    assert best.figures[name] == arch.count(best.values).figure(name)
    done = CliRunner().invoke(app, ["compare", "mobilenet", "lenet_5", "--of", f"macs,{name}"])
    assert QUANTITIES[name].heading in done.stdout
    asked = ["--for", "alpha", "--between", "1/2,3/4", f"--{name}", "<=900G"]
    done = CliRunner().invoke(app, ["solve", "mobilenet", *asked])
    assert done.exit_code == 0, done.output
    if QUANTITIES[name].kind == "sum":
        assert arch.crossover("side", name, between=(200, 240)).reigns
    else:
        with pytest.raises(UnknownNameError, match="does not add up from its layers"):
            arch.crossover("side", name)


def test_records_have_a_row_for_each_node_and_a_column_for_each_quantity():
    table = LENET.count(batch=2)
    records = table.records()
    assert [record["name"] for record in records] == [row.name for row in table.rows]
    assert all(list(record) == ["name", "operator", "output", *QUANTITIES] for record in records)
    (total,) = table.records("total")
    assert (total["params"], total["macs"]) == (table.params, table.macs)


def test_a_data_frame_is_made_of_the_records_where_pandas_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=tuple))
    assert LENET.count().to_pandas("stage") == tuple(LENET.count().records("stage"))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match="needs pandas: pip install pandas"):
        LENET.count().to_pandas()


# ------------------------------------------------------------------ of other packages


def bias_share(monkeypatch, found):
    monkeypatch.setattr("archspec.cost.quantities.entry_point", lambda _, name: found if name == "biases" else None)


def biases(work):
    return sum(weight.elements for weight in work.weights if weight.role == "bias")


def test_a_quantity_of_another_package_is_found_by_its_name(monkeypatch):
    bias_share(monkeypatch, Sum("biases", "biases", "", "numbers that are added", biases))
    assert LENET.count().figure("biases") == 20 + 50 + 500 + 10
    assert LENET.formula("biases")() == 580
    assert LENET.solve("classes", {"biases": "<=600"}).best.figures["biases"] == 600
    done = CliRunner().invoke(app, ["solve", "lenet_5", "--for", "classes", "--budget", "biases<=600"])
    assert done.exit_code == 0, done.output
    assert "biases" in CliRunner().invoke(app, ["compare", "lenet_5", "alexnet", "--of", "biases"]).stdout
    assert "biases" not in LENET.count().records()[0]


@pytest.mark.parametrize("found", [biases, Sum("others", "", "", "", biases)])
def test_what_is_no_quantity_of_that_name_is_refused(monkeypatch, found):
    bias_share(monkeypatch, found)
    with pytest.raises(ArchspecError, match=r"the entry point 'biases' of archspec\.quantities is not a quantity"):
        LENET.count().figure("biases")


def test_packages_are_looked_at_only_for_names_that_are_not_known(monkeypatch):
    asked = []
    monkeypatch.setattr("archspec.cost.quantities.entry_point", lambda *names: asked.append(names))
    LENET.count().records()
    assert asked == []
    with pytest.raises(UnknownNameError, match="no quantity 'mcas'; did you mean 'macs'"):
        quantity("mcas")
    assert asked == [("archspec.quantities", "mcas")]


def test_what_is_undefined_is_none_and_bounds_of_ratios_may_be_no_integers(monkeypatch):
    whole = Ratio("macs_per_comparison", "", "", "", "macs", "comparisons")
    monkeypatch.setattr(
        "archspec.cost.quantities.entry_point", lambda _, name: whole if name == "macs_per_comparison" else None
    )
    arch = archspec.loads(
        "archspec: 1\nname: x\nsymbols: {c: {default: 4, range: [1, 9]}}\n"
        "input: [2]\nnetwork: [{linear: {out_features: c}}]"
    )
    assert arch.count().figure("macs_per_comparison") is None
    with pytest.raises(ArchspecError, match="no comparisons"):
        arch.formula("macs_per_comparison")
    with pytest.raises(ArchspecError, match="is undefined"):
        arch.solve("c", {"macs_per_comparison": "<=1"})
    with pytest.raises(ArchspecError, match="a bound of it is written <= or >="):
        arch.solve("c", {"macs_per_comparison": "<1"})
    assert budget("macs_per_comparison", ["<=2.5"]) == Budget("macs_per_comparison", None, Fraction(5, 2))


# ------------------------------------------------------------------ values


@pytest.mark.parametrize("how", [*CONVENTIONS, *DIALECTS])
def test_conventions_can_be_pickled_and_copied(how):
    counting = Counting(CONVENTIONS.get(how) or DIALECTS[how])
    for twin in (pickle.loads(pickle.dumps(counting)), copy.deepcopy(counting)):  # noqa: S301  # our own bytes
        assert twin == counting
        assert len(repr(twin)) <= 200


def test_a_peak_of_a_policy_is_that_policys():
    table = LENET.count(policy="training")
    assert table.figure("memory") == table.figure("memory_training") == LENET.memory("training").peak
    assert Peak("x", "", "", "", "liveness").of(table.total) == LENET.memory("liveness").peak


def test_row_and_table_share_their_figures():
    table = LENET.count()
    assert table.operations.counts() == tuple(table.figure(kind) for kind in KINDS)
