"""Dialects and padding: numbers as sums of terms, the axis of padded taps by brute force."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec import ops
from archspec.cost import CONVENTIONS, DIALECTS, convention, dialect
from archspec.cost.features import FEATURES, macs_on_image
from archspec.errors import ArchspecError, UnknownNameError
from archspec.language import zoo
from archspec.ops import Tensor, operator

NETWORKS = {name: archspec.load(name).expand() for name in zoo.names()}
COUNTING = {**CONVENTIONS, **DIALECTS}


def knows(network, counting):
    return counting.name in CONVENTIONS or all(counting.knows(node.operator.name) for node in network.nodes)


# ------------------------------------------------------------------ the table


@pytest.mark.parametrize("name", DIALECTS)
def test_a_table_of_rules_names_operators_and_sizes_that_there_are(name):
    rules = DIALECTS[name].rules
    assert set(rules) <= set(ops.names())
    assert {what for rule in rules.values() for what in rule} <= set(FEATURES)
    assert DIALECTS[name].version
    assert DIALECTS[name].source


def test_every_size_is_used():
    assert {what for found in DIALECTS.values() for rule in found.rules.values() for what in rule} == set(FEATURES)


def test_no_two_counters_have_a_name_in_common():
    names = [name for found in DIALECTS.values() for name in (found.name, *found.also)]
    assert len(names) == len({*names, *CONVENTIONS}) - len(CONVENTIONS)


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("how", COUNTING)
def test_the_terms_add_up_to_the_number(name, how):
    if knows(NETWORKS[name], COUNTING[how]):
        table = NETWORKS[name].count(COUNTING[how])
        assert sum(term.amount for term in table.terms) == table.flops == sum(row.flops for row in table.rows)


def test_the_same_mobilenet_v2_has_these_numbers():
    core, biases, norm = 300774272, 1000, 6678112  # the sums that the issue trackers quote
    relu6, pool_in, pool_out, add = 6105792, 1280 * 7 * 7, 1280, 216384
    expected = {
        "torch": 2 * core,
        "torchlens": core,
        "calflops": 2 * core + 2 * norm + pool_in,
        "torchinfo": core + biases + 2 * 17056,
        "ptflops": core + biases + 2 * norm + relu6 + 2 * pool_in,
        "ptflops-aten": core + biases,
        "torchprofile": core + norm + pool_out,
        "fvcore": core + 2 * norm + pool_in,
        "torchscan": core + 2 * norm + pool_in + pool_out,
        "torchstat": core + 2 * norm + relu6,
        "flopth": core + 2 * norm + relu6 + pool_in,
        "pthflops": core + biases + 2 * norm + pool_in + 2 * add,
        "thop": core + 4 * norm + pool_in + pool_out,
        "neural-cost": 2 * core + 5 * norm,
        "neural-cost-fx": 2 * core + 5 * norm + pool_out + add,
        "aurane": 2 * core + 4 * norm,
        "onnx-tool": core + 2 * relu6 + pool_in + add,
    }
    assert {name: NETWORKS["mobilenet_v2"].count(dialect(name)).flops for name in expected} == expected


def test_a_dialect_counts_symbols():
    arch = archspec.load("mobilenet_v2")
    form = arch.count(convention=dialect("thop"), free=["side"]).flops
    for side in (96, 224, 225):
        value = arch.count(convention=dialect("thop"), side=side).flops
        assert int(form.subs(dict.fromkeys(form.free_symbols, side))) == value


def test_unknown_counters_are_named_and_one_bit_layers_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'fvcore'"):
        dialect("fvcor")
    one_bit = archspec.loads("archspec: 1\nname: b\ninput: [4]\nnetwork:\n  - binary_linear: {out_features: 2}\n")
    with pytest.raises(ArchspecError, match=r"what thop 0\.1\.1.* counts for 'binary_linear' is not known"):
        one_bit.count(convention=dialect("thop"))


# ------------------------------------------------------------------ taps on padding


def brute_force(h, k, s, d, before, after):
    """Pairs of an output and a tap that reads inside the input."""
    outputs = (h + before + after - d * (k - 1) - 1) // s + 1
    return sum(0 <= o * s + d * t - before < h for o, t in product(range(outputs), range(k)))


axes = st.tuples(
    st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(0, 6), st.integers(0, 6)
).filter(lambda axis: axis[0] + axis[4] + axis[5] > axis[3] * (axis[1] - 1))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@given(axes, axes, st.sampled_from([1, 2]))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_taps_on_the_image_are_those_that_can_be_counted_one_by_one(rows, columns, groups):
    (h, kh, sh, dh, top, bottom), (w, kw, sw, dw, left, right) = rows, columns
    conv = operator("conv2d")(
        out_channels=6,
        kernel_size=[kh, kw],
        stride=[sh, sw],
        dilation=[dh, dw],
        padding=[top, bottom, left, right],
        groups=groups,
    )
    expected = 3 * 6 * (4 // groups) * brute_force(*rows) * brute_force(*columns)
    assert macs_on_image(conv, Tensor((3, 4, h, w))) == expected


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(0, 4), st.integers(0, 3))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_taps_of_a_transposed_convolution_are_those_that_hit_the_result(h, k, s, d, padding, extra):
    size = (h - 1) * s - 2 * padding + d * (k - 1) + extra + 1
    if size < 1 or extra >= max(s, d):
        return
    conv = operator("conv_transpose2d")(
        out_channels=2,
        kernel_size=[k, 1],
        stride=[s, 1],
        dilation=[d, 1],
        padding=[padding, 0],
        output_padding=[extra, 0],
    )
    pairs = sum(0 <= i * s + d * t - padding < size for i, t in product(range(h), range(k)))
    assert macs_on_image(conv, Tensor((1, 3, h, 1))) == 3 * 2 * pairs


def test_padding_is_an_axis_of_conventions():
    vgg = NETWORKS["vgg16"]
    table, all_taps = vgg.count("on-image"), vgg.count()
    first = table.rows[0]
    assert (first.operator, first.macs) == ("conv2d", 64 * 3 * (3 * 224 - 2) ** 2)
    assert all_taps.rows[0].macs == 64 * 3 * (3 * 224) ** 2
    assert table.flops - all_taps.flops == 2 * (table.macs - all_taps.macs)
    assert NETWORKS["lenet_5"].count("on-image").macs == NETWORKS["lenet_5"].count().macs


def test_taps_on_the_image_in_symbols():
    arch = archspec.load("vgg16")
    form = arch.count(convention="on-image", free=["side"]).macs
    for side in (32, 33, 224):
        value = arch.count(convention="on-image", side=side).macs
        assert int(form.subs(dict.fromkeys(form.free_symbols, side))) == value


def test_a_symbolic_kernel_is_refused():
    text = (
        "archspec: 1\nname: k\nsymbols: {k: {default: 3}}\ninput: [3, 8, 8]\nnetwork:\n"
        "  - conv2d: {out_channels: 4, kernel_size: k, padding: same}\n"
    )
    with pytest.raises(ArchspecError, match="must be a number"):
        archspec.loads(text).count(convention=convention("on-image"), free=["k"])
