"""Every fact of an operator is the same rule for ints, arrays and symbols: filled in later, symbols give the ints."""

from random import Random

import numpy as np
import pytest
import sympy
from samples import SAMPLES

from archspec.dims import is_array, is_number, is_symbolic, recording
from archspec.errors import ArchspecError, ShapeError
from archspec.ops import KINDS, Tensor, operator
from archspec.symbols import from_sympy, symbol

CHAINS = 60
BATCH, HEIGHT, WIDTH = symbol("n"), symbol("h"), symbol("w")


def facts(chosen, *inputs):
    """The shape, the weights and the operations as one row of names and sizes."""
    y = chosen.output(*inputs)
    return {
        **{f"output {axis}": size for axis, size in enumerate(y.shape)},
        **{f"{w.name} {axis}": size for w in chosen.weights(*inputs) for axis, size in enumerate(w.shape)},
        **dict(zip(KINDS, chosen.operations(*inputs).counts(), strict=True)),
    }


def filled(value, numbers):
    return from_sympy(value.subs(numbers)) if is_symbolic(value) else value


def spread(value, length):
    return value.tolist() if is_array(value) else [value] * length


def checked(value):
    """No float, whatever the sizes were."""
    assert is_symbolic(value) or is_number(value) or value.dtype == np.int64
    assert not is_symbolic(value) or not value.has(sympy.Float)
    return value


# ------------------------------------------------------------------ random chains

SQUARES = ("conv2d", "binary_conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d")


def layers(random):
    """A random chain as rows of a name, settings, and which setting is a width ('' for none)."""
    chain = []
    for _ in range(random.randint(2, 6)):
        kind = random.choice(
            ["conv", "conv", "depthwise", "grouped", "transposed", "binary", "max", "avg", "norm", "prelu"]
        )
        window = {
            "kernel_size": random.choice([1, 2, 3, 5, (1, 3)]),
            "stride": random.choice([1, 1, 2, (2, 1)]),
            "padding": random.choice([0, 1, "same", (0, 1, 1, 0)]),
        }
        pool = {"kernel_size": 3, "stride": 2, "padding": random.choice([0, 1]), "ceil_mode": random.random() < 0.5}
        chain.append(
            {
                "conv": ("conv2d", window | {"dilation": random.choice([1, 1, 2])}, "out"),
                "depthwise": ("conv2d", window | {"bias": False}, "depthwise"),
                "grouped": ("conv2d", window | {"groups": 4}, "out"),
                "transposed": ("conv_transpose2d", {"kernel_size": 2, "stride": 2, "padding": 0}, "out"),
                "binary": ("binary_conv2d", window, "out"),
                "max": ("max_pool2d", pool, ""),
                "avg": ("avg_pool2d", pool, ""),
                "norm": ("batch_norm", {}, ""),
                "prelu": ("prelu", {}, ""),
            }[kind]
        )
    return chain


def walk(chain, x, widths):
    """The facts of every layer of a chain, from its input and the widths of its layers."""
    for number, (name, settings, width) in enumerate(chain):
        channels = x.shape[1]
        derived = {"depthwise": {"out_channels": channels, "groups": channels}, "out": {"out_channels": widths[number]}}
        layer = operator(name)(**settings, **derived.get(width, {}))
        yield {f"{number} {name} {fact}": checked(value) for fact, value in facts(layer, x).items()}
        x = layer.output(x)


def collect(chain, x, widths):
    return {name: value for row in walk(chain, Tensor(x), widths) for name, value in row.items()}


def sample(random, length):
    return {
        "n": random.randint(1, 4),
        "c": 4 * random.randint(1, 5),
        "h": random.randint(40, 300),
        "w": random.randint(40, 300),
        "widths": [4 * random.randint(1, 9) for _ in range(length)],
    }


def valid(chain, samples):
    try:
        return [collect(chain, (s["n"], s["c"], s["h"], s["w"]), s["widths"]) for s in samples]
    except ShapeError:
        return None


@pytest.fixture(scope="module")
def chains():
    """Chains that shapes can pass through, four samples of their sizes, and their facts in ints."""
    random, found = Random(1602), []  # noqa: S311  # the same cases every time
    while len(found) < CHAINS:
        chain = layers(random)
        samples = [sample(random, len(chain)) for _ in range(4)]
        expected = valid(chain, samples)
        if expected:
            found.append((chain, samples, expected))
    return found


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_symbols_filled_in_give_what_the_ints_give(chains):
    c = symbol("c")
    for chain, samples, expected in chains:
        widths = [4 * symbol(f"m{number}") for number in range(len(chain))]
        with recording():
            symbolic = collect(chain, (BATCH, 4 * c, HEIGHT, WIDTH), widths)
        for s, ints in zip(samples, expected, strict=True):
            numbers = {BATCH: s["n"], c: s["c"] // 4, HEIGHT: s["h"], WIDTH: s["w"]}
            numbers |= {width / 4: value // 4 for width, value in zip(widths, s["widths"], strict=True)}
            assert {name: filled(value, numbers) for name, value in symbolic.items()} == ints, chain


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_one_free_symbol_at_a_time_gives_what_the_ints_give(chains):
    for chain, samples, expected in chains:
        for s, ints in zip(samples, expected, strict=True):
            symbolic = collect(chain, (s["n"], s["c"], HEIGHT, s["w"]), s["widths"])
            assert {name: filled(value, {HEIGHT: s["h"]}) for name, value in symbolic.items()} == ints, chain


def test_arrays_give_what_the_ints_give_element_by_element(chains):
    for chain, samples, expected in chains:
        column = {key: np.array([s[key] for s in samples]) for key in ("n", "c", "h", "w")}
        widths = [np.array(values) for values in zip(*(s["widths"] for s in samples), strict=True)]
        arrays = collect(chain, tuple(column.values()), widths)
        rows = {name: spread(value, len(samples)) for name, value in arrays.items()}
        assert [{name: values[i] for name, values in rows.items()} for i in range(len(samples))] == expected, chain


def test_the_chains_are_of_every_kind(chains):
    assert {name for chain, _, _ in chains for name, _, _ in chain} == {*SQUARES, "batch_norm", "prelu"}


# ------------------------------------------------------------------ every operator


def varied(sample, made):
    """The inputs of a sample with other sizes on one axis after the other, where the operator takes such inputs.

    An axis is another number of times as long (so that what divided it still does), in all inputs that are as long.
    """
    for axis, length in {(axis, x[axis]) for x in sample.inputs for axis in range(len(x)) if x[axis] > 1 or axis == 0}:
        inputs = [tuple(made(n) if (i, n) == (axis, length) else n for i, n in enumerate(x)) for x in sample.inputs]
        try:
            with recording() as conditions:
                found = facts(sample.operator, *map(Tensor, inputs))
            yield axis, length, found, conditions
        except ArchspecError:
            assert axis > 0, f"the batch of {sample} may be anything"


def of_length(sample, axis, length, times):
    """The facts of a sample whose axis is so many times as long."""
    inputs = [tuple(n * times if (i, n) == (axis, length) else n for i, n in enumerate(x)) for x in sample.inputs]
    return facts(sample.operator, *map(Tensor, inputs))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_operator_works_on_symbols_and_arrays_as_on_ints(sample):
    t, times = symbol("t"), (1, 2, 5)
    axes = set()
    for axis, length, symbolic, conditions in varied(sample, lambda n: n * t):
        axes.add(axis)
        for number in (each for each in times if all(condition.holds({"t": each}) for condition in conditions)):
            found = {fact: filled(checked(value), {t: number}) for fact, value in symbolic.items()}
            assert found == of_length(sample, axis, length, number), (axis, length)
    for axis, length, arrays, _ in varied(sample, lambda n: n * np.array(times)):
        for i, number in enumerate(times):
            found = {fact: spread(checked(value), len(times))[i] for fact, value in arrays.items()}
            assert found == of_length(sample, axis, length, number), (axis, length)
    assert 0 in axes


# ------------------------------------------------------------------ settings that are symbols


def test_a_kernel_a_stride_and_a_number_of_parts_may_be_symbols():
    k, s, g = symbol("k"), symbol("s"), symbol("g")
    x = Tensor((1, 12, 30, 30))
    pool = operator("max_pool2d")(kernel_size=k, stride=s, ceil_mode=True)
    conv = operator("conv2d")(out_channels=12, kernel_size=k, stride=s, padding="same", groups=g)
    turned = operator("conv_transpose2d")(out_channels=12, kernel_size=k, stride=s, output_padding=1)
    part = operator("split")(sections=g, index=1)
    for numbers in ({k: 3, s: 2, g: 3}, {k: 4, s: 3, g: 12}, {k: 1, s: 4, g: 2}):
        for chosen in (pool, conv, turned, part):
            bound = type(chosen)(**{key: filled(value, numbers) for key, value in chosen.settings().items()})
            with recording():
                symbolic = facts(chosen, x)
            assert {name: filled(value, numbers) for name, value in symbolic.items()} == facts(bound, x)


def test_a_padding_and_a_scale_may_be_arrays():
    p = np.array([0, 1, 2])
    conv = operator("conv2d")(out_channels=4, kernel_size=5, padding=p)
    x = Tensor((1, 3, 9, 9))
    expected = [facts(operator("conv2d")(out_channels=4, kernel_size=5, padding=int(one)), x) for one in p]
    arrays = {name: spread(value, 3) for name, value in facts(conv, x).items()}
    assert [{name: values[i] for name, values in arrays.items()} for i in range(3)] == expected


def test_a_gate_of_one_element_spreads_over_symbols_without_conditions():
    c = symbol("c")
    with recording() as conditions:
        y = operator("mul")().output(Tensor((1, c, HEIGHT, WIDTH)), Tensor((1, c, 1, 1)))
        z = operator("mul")().output(Tensor((1, c, 1, 1)), Tensor((1, c, HEIGHT, WIDTH)))
    assert y == z == Tensor((1, c, HEIGHT, WIDTH))
    assert conditions == []


def test_branches_of_other_symbols_join_where_they_agree_and_not_where_they_plainly_differ():
    a, b = Tensor((1, 3, HEIGHT, HEIGHT)), Tensor((1, 5, HEIGHT, WIDTH))
    concat = operator("concat")()
    with recording() as conditions:
        assert concat.output(a, b).shape == (1, 8, HEIGHT, HEIGHT)
    assert [str(condition) for condition in conditions] == ["h = w"]
    with recording({"h": 8, "w": 9}), pytest.raises(ShapeError, match="width differs: h in branch 1, w in 2"):
        concat.output(a, b)
    with pytest.raises(ShapeError, match=r"width differs: h in branch 1, h \+ 1 in 2"):
        concat.output(a, Tensor((1, 5, HEIGHT, HEIGHT + 1)))
    assert concat.output(a, Tensor((1, symbol("c"), HEIGHT, HEIGHT))).shape[1] == symbol("c") + 3


def test_an_adaptive_pooling_of_a_symbol_holds_where_the_output_divides_it():
    with recording() as conditions:
        done = operator("adaptive_avg_pool2d")(output_size=7).operations(Tensor((1, 4, HEIGHT, 7)))
    assert [str(condition) for condition in conditions] == ["h is a multiple of 7"]
    assert filled(done.additions, {HEIGHT: 14}) == 4 * (7 * 7) * (2 - 1)
