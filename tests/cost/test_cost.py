"""Counting: rows, totals, groups, conventions."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archspec
from archspec import dims
from archspec.cost import CONVENTIONS, DEFAULT, GROUPINGS, convention
from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.language import zoo
from archspec.ops import KINDS, Operations

FIGURES = ("params", "buffers", "macs", "flops", "activations", "weight_bytes")
ARCHITECTURES = {name: archspec.load(name) for name in zoo.names()}


@st.composite
def bindings(draw, architecture):
    """Values for some symbols of an architecture, within their ranges, small enough to be counted quickly."""
    values = {}
    for name, symbol in architecture.document.symbols.items():
        if not draw(st.booleans()):
            continue
        if symbol.choices is not None:
            values[name] = draw(st.sampled_from(symbol.choices))
            continue
        low, high = symbol.range or (1, 4 * symbol.default)
        number = draw(st.fractions(low, high, max_denominator=1 if symbol.integer else 100))
        values[name] = int(number) if number.denominator == 1 else number
    return values


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
@given(data=st.data())
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_rows_add_up_to_the_totals_under_every_grouping_and_binding(name, data):
    architecture = ARCHITECTURES[name]
    values = data.draw(bindings(architecture))
    try:
        table = architecture.count(convention=data.draw(st.sampled_from(sorted(CONVENTIONS))), **values)
    except (BindingError, ArchspecError):
        table = architecture.count()  # not every combination of symbols is a network
    for grouping in (*GROUPINGS, 1, 2, 3):
        rows = table.by(grouping)
        for figure in FIGURES:
            assert sum(getattr(row, figure) for row in rows) == getattr(table, figure)
        assert sum((row.operations for row in rows), Operations()) == table.operations
        assert sum(row.nodes for row in rows) == len(table.rows)


@pytest.mark.parametrize("name", zoo.names())
def test_operations_are_linear_in_the_batch_and_parameters_free_of_it(name):
    one, three = ARCHITECTURES[name].count(), ARCHITECTURES[name].count(batch=3)
    assert three.operations == one.operations.times(3)
    assert three.activations == 3 * one.activations
    assert (three.params, three.buffers, three.weight_bytes) == (one.params, one.buffers, one.weight_bytes)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_no_figure_is_a_float():
    for architecture in ARCHITECTURES.values():
        for row in architecture.count().rows:
            assert all(type(getattr(row, figure)) is int for figure in FIGURES)


def test_parameters_do_not_depend_on_the_size_of_the_image():
    assert archspec.load("mobilenet").count(side=97).params == archspec.load("mobilenet").count().params


def test_values_may_be_text_fraction_or_float():
    counts = {archspec.load("mobilenet").count(alpha=alpha).macs for alpha in ("0.35", "7/20", 0.35, Fraction(7, 20))}
    assert len(counts) == 1


def test_the_default_flops_are_two_a_mac_and_one_any_other_operation():
    table = archspec.load("lenet_5").count()
    others = sum(table.operations.counts()) - table.macs
    assert table.flops == 2 * table.macs + others
    conv1 = table.rows[0]
    assert conv1.flops == 2 * (20 * 24 * 24 * 25) + 20 * 24 * 24  # the bias


@pytest.mark.parametrize(
    ("name", "spec", "figure", "expected"),
    [
        ("mobilenet", "mobilenet", "params", 4231976 - 21888 - 1000),
        ("total", "mobilenet", "params", 4231976 + 21888),
        ("mobilenet-v2", "mobilenet_v2", "params", 3470760),
        ("han2015", "lenet_300_100", "params", 784 * 300 + 300 * 100 + 100 * 10),
        ("han2015", "lenet_300_100", "flops", 2 * (784 * 300 + 300 * 100 + 100 * 10)),
        ("deep-compression", "lenet_300_100", "params", 266610),
        ("shufflenet-table1", "mobilenet", "macs", 568740352 - 1024000),
        ("shufflenet-table1", "mobilenet", "params", 4231976 - 1025000),
        ("mobilenet", "mobilenet", "flops", 568740352),
    ],
)
def test_conventions_count_what_they_say(name, spec, figure, expected):
    assert getattr(archspec.load(spec).count(convention=name), figure) == expected


def test_a_convention_can_be_the_users_own():
    half = archspec.Convention("half", "as default, in 16 bits", bits=16)
    assert archspec.load("lenet_5").count(convention=half).weight_bytes == 2 * 431080


def test_unknown_conventions_and_groupings_are_refused():
    with pytest.raises(UnknownNameError, match="no convention 'defualt'; did you mean 'default'"):
        convention("defualt")
    with pytest.raises(UnknownNameError, match="'thop' is a counter and no convention: count --like thop"):
        archspec.load("lenet_5").count(convention="thop")
    with pytest.raises(UnknownNameError, match="no convention 'zz'; there are default"):
        convention("zz")
    for grouping in ("blocks", 0, -1, True):
        with pytest.raises(UnknownNameError, match="cannot group by"):
            archspec.load("lenet_5").count().by(grouping)


def test_every_kind_of_operation_has_its_price_by_default():
    assert set(DEFAULT.flops) == set(KINDS)


def test_one_bit_weights_take_one_bit():
    arch = archspec.loads(
        "archspec: 1\nname: b\ninput: [8, 9, 9]\nnetwork:\n  - binary_conv2d: {out_channels: 16, kernel_size: 3}\n"
    )
    assert arch.count().weight_bytes == 16 * 8 * 9 // 8 + 4 * 16  # one α a filter


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v2", "squeezenet", "lenet_5"])
def test_the_symbolic_figures_are_the_ints_once_bound(name):
    architecture = ARCHITECTURES[name]
    free = [symbol for symbol in ("alpha", "side") if symbol in architecture.document.symbols]
    symbolic = architecture.count(free=free)
    names = dict(symbolic.network.bindings)
    for side, alpha in ((224, 1), (97, Fraction(3, 4)), (161, Fraction(7, 20))):
        values = {"side": side, "alpha": alpha}
        exact = architecture.count(**{symbol: values[symbol] for symbol in free})
        for figure in FIGURES:
            bound = getattr(symbolic, figure)
            if dims.is_symbolic(bound):
                bound = bound.subs({names[symbol]: values[symbol] for symbol in free})
            assert bound == getattr(exact, figure)


def test_a_network_over_arrays_is_counted_element_by_element():
    import numpy as np

    sides = np.array([128, 160, 192, 224], dtype=np.int64)
    table = archspec.load("mobilenet").count(side=sides)
    assert table.macs.tolist() == [archspec.load("mobilenet").count(side=int(side)).macs for side in sides]
    assert table.params == 4231976


def test_a_table_knows_its_network_and_its_convention():
    table = archspec.load("mobilenet").count(convention="han2015")
    assert (table.convention.name, table.network.name) == ("han2015", "mobilenet")
    assert table.total.name == "mobilenet"


def test_sixty_four_one_bit_operations_are_one_for_xnor_net():
    arch = archspec.loads(
        "archspec: 1\nname: b\ninput: [256, 14, 14]\n"
        "network: [{binary_conv2d: {out_channels: 256, kernel_size: 3, padding: 1, input_scale: false}}]\n"
    )
    assert arch.count(convention="xnor").flops == 14 * 14 * 256 * (256 * 9) // 64
    assert arch.count().flops == 14 * 14 * 256 + 256 * 14 * 14  # α on each output, a sign of each input
