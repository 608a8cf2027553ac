"""A sweep held against a count of each of its networks."""

import pickle
from fractions import Fraction
from itertools import pairwise, product
from random import Random

import numpy as np
import pytest

import archspec
from archspec.cost import QUANTITIES, Counting
from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.sweeps import patches, tile
from archspec.sweeps.grid import Subject
from archspec.sweeps.patches import Cutter

# ------------------------------------------------------------------ brute force


def counted(arch, bindings, of, counting=None):
    """The figures of one network; None where it cannot be built."""
    values = {name: value for name, value in bindings.items() if value is not None}
    try:
        table = arch.count(values, **(counting or {}))
    except ArchspecError:
        return None
    return {name: table.figure(name) for name in of}


def brute(arch, values, of, counting=None):
    """All points that have a network, in the order of the grid; and how many have none."""
    found, faults = [], 0
    for point in product(*values.values()):
        bindings = dict(zip(values, point, strict=True))
        figures = counted(arch, bindings, of, counting)
        if figures is None:
            faults += 1
        else:
            found.append({**bindings, **figures})
    return found, faults


def best_of(rows, objectives):
    """The front by definition: each row against each other; of equal ones the first, and how many they are."""
    signs = [(name, -1 if word == "max" else 1) for word, _, name in (each.partition(":") for each in objectives)]
    vectors = [tuple(sign * row[name] for name, sign in signs) for row in rows]

    def outdone(mine):
        return any(other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in vectors)

    kept = []
    for place, mine in enumerate(vectors):
        if vectors.index(mine) == place and not outdone(mine):
            kept.append({**rows[place], "alike": vectors.count(mine)})
    return kept


def without_spec(sweep):
    return [{name: value for name, value in row.items() if name != "spec"} for row in sweep.records()]


EIGHTHS = [Fraction(n, 8) for n in (1, 2, 5, 8, 9, 14)]
ALL = tuple(QUANTITIES)

GRIDS = [
    ("mobilenet", {"alpha": EIGHTHS[::2], "side": [32, 95]}, ALL),
    ("mobilenet_v2", {"alpha": EIGHTHS[::2], "side": [33, 224], "classes": [10, 5000]}, ALL),
    ("shufflenet", {"g": [1, 2, 3, 4, 8], "side": [64, 229]}, ALL),
    ("squeezenet_meta", {"SR": EIGHTHS[:4], "side": [35, 224, 500]}, ("macs", "params", "memory", "intensity")),
    ("googlenet", {"side": [64, 96, 224, 225]}, ("macs", "flops", "memory_liveness", "receptive_field")),
    ("gpt2", {"tokens": [1, 7, 64], "layers": [1, 2]}, ("input_tokens", "flops_per_token", "kv_cache", "intensity")),
    ("lenet_5", {"side": [16, 17, 28], "batch": [1, 3, 2**33]}, ("macs", "flops", "traffic", "memory_training")),
]


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "values", "of"), GRIDS, ids=[grid[0] for grid in GRIDS])
def test_every_point_of_a_sweep_is_what_count_says(name, values, of):
    arch = archspec.load(name)
    expected, faults = brute(arch, values, of) if "batch" not in values else brute_batched(arch, values, of)
    found = archspec.sweep(arch, values, of)
    assert without_spec(found) == expected
    assert found.unbuilt[0] == faults
    assert found.points == len(expected) + faults


def brute_batched(arch, values, of):
    rows = []
    inner = {name: each for name, each in values.items() if name != "batch"}
    for batch in values["batch"]:
        rows += [{**row, "batch": batch} for row in brute(arch, inner, of, {"batch": batch})[0]]
    order = list(product(*values.values()))
    rows.sort(key=lambda row: order.index(tuple(row[name] for name in values)))
    return rows, 0


def test_of_a_ratio_that_is_nowhere_defined_no_point_is_within_a_bound_or_on_a_front():
    arch, values = archspec.load("lenet_5"), {"side": [28, 32]}
    assert len(archspec.sweep(arch, values, "macs", where="flops_per_token<=1e9")) == 0
    assert len(archspec.sweep(arch, values, front="min:flops_per_token,min:params")) == 0
    sorted_ = archspec.sweep(arch, values, "macs", sort="flops_per_token", top=1).records()
    assert [row["flops_per_token"] for row in sorted_] == [None]


@pytest.mark.parametrize("policy", ["layerwise", "liveness", "eager", "training"])
def test_memory_is_swept_under_every_policy_and_in_place(policy):
    arch = archspec.load("resnet18")
    asked = {"policy": policy, "dtype": "int8", "in_place": True}
    values = {"side": [32, 65], "classes": [2, 10**7]}
    assert without_spec(archspec.sweep(arch, values, "memory", **asked)) == brute(arch, values, ["memory"], asked)[0]


# ------------------------------------------------------------------ where structure changes

CHANGING = """
archspec: 1
name: changing
symbols:
  alpha: {{default: 1, range: [1/8, 3]}}
  depth: {{default: 1, range: [0, 9]}}
  side:  {{default: 8, range: [1, 40]}}
  kind:  {{default: plain, choices: [plain, wide]}}
lookups: {{growth: {{columns: [depth, c], rows: [[1, 3], [2, 5], [3, 7]]}}}}
let: {{a: "{first}", b: "{second}"}}
input: [3, side, side]
network:
  - conv2d: {{out_channels: a, kernel_size: {kernel}, stride: {stride}, padding: 1}}
  - when: b == in_channels
    then: [{{add: {{left: [{{conv2d: {{out_channels: b, kernel_size: 1}}}}], right: [identity]}}}}]
    else: [{{conv2d: {{out_channels: b, kernel_size: 3, groups: {groups}}}}}]
  - when: kind == wide
    then: [{{conv2d: {{out_channels: growth(depth), kernel_size: 1}}}}]
  - repeat: depth
    body: [{{conv2d: {{out_channels: {unit}, kernel_size: 3, padding: 1}}}}, relu]
  - when: alpha >= 3/2 or side % 3 == 0
    then: [{{max_pool2d: {{kernel_size: 2}}}}]
"""

WIDTHS = (
    "floor(alpha * 4)",
    "ceil(alpha * 6)",
    "make_divisible(alpha * 12, 4)",
    "round(alpha * 5)",
    "6",
    "max(2, floor(9 - 4 * alpha))",
)
OBJECTIVES = ("min:macs", "max:params", "min:memory_liveness", "max:activations", "min:intensity", "max:weight_bytes")


def space(random):
    """A small space whose layers, and whether there are any, depend on all symbols."""
    text = CHANGING.format(
        first=random.choice(WIDTHS),
        second=random.choice(WIDTHS),
        kernel=random.choice([1, 3, 5]),
        stride=random.choice([1, 2]),
        groups=random.choice(["1", "2", "in_channels"]),
        unit=random.choice(["in_channels", "in_channels + 1", "4"]),
    )
    values = {
        "alpha": sorted({Fraction(random.randint(1, 24), 8) for _ in range(random.randint(1, 4))}),
        "kind": random.choice([["plain"], ["plain", "wide"]]),
        "side": sorted(random.sample(range(1, 41), random.randint(1, 4))),
        "depth": sorted(random.sample(range(5), random.randint(1, 3))),
    }
    names = random.sample(list(values), 4)
    return archspec.loads(text), {name: values[name] for name in names}


@pytest.mark.no_cover
def test_a_front_is_what_comparing_every_two_points_gives(request, monkeypatch):
    random = Random(16)  # noqa: S311  # spaces to try
    for _ in range(100 if request.config.option.long else 6):
        arch, values = space(random)
        asked = random.sample(OBJECTIVES, random.randint(2, 4))
        of = [each.partition(":")[2] for each in asked]
        expected, faults = brute(arch, values, of)
        for block, table in ((2**20, 2**20), (7, 5)):
            monkeypatch.setattr(tile, "BLOCK", block)
            monkeypatch.setattr(tile, "WAITING", block)
            monkeypatch.setattr(patches, "MAX_TABLE", table)
            found = archspec.sweep(arch, values, of)
            assert without_spec(found) == expected, (arch.dumps(), values)
            assert found.unbuilt[0] == faults
            front = archspec.sweep(arch, values, of, front=asked)
            assert without_spec(front) == best_of(expected, asked), (arch.dumps(), values, asked)
            assert found.front(*asked).records() == front.records()


# ------------------------------------------------------------------ values of symbols


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"alpha": "2..1:1/4"}, "alpha: nothing is from 2 to 1; the smaller number comes first"),
        ({"alpha": "1/4..2"}, "alpha takes fractions; give a step: 1/4..2:1/8"),
        ({"alpha": "1/4..2:0"}, "a step is greater than 0"),
        ({"alpha": []}, "alpha is given no values"),
        ({"alpha": ""}, "expected a number"),
        ({"alpha": "small"}, "expected a number such as 3, 0.35 or 7/20, found 'small'"),
        ({"alpha": "*"}, "alpha takes every number from 1/10 to 3; give a step"),
        ({"alpha": "1,1.0"}, "alpha is given 1 twice"),
        ({"alpha": [4]}, "alpha must be from 1/10 to 3"),
        ({"classes": "1..1000000000000000"}, "classes has 1,000,000,000,000,000 values"),
        ({"classes": "*"}, "classes has no choices and no range"),
        ({"classes": "1..1000", "input_channels": "1..1000", "alpha": "0.1..0.2:0.0001", "side": "32..1031"},
         "these are 1,001,000,000,000 points"),
        ({"classes": "1..1000", "alpha": "0.1..3:0.0001"},
         "these are 29,001,000 points .* more than 10,000,000 are not"),
        ({"alfa": "1"}, "no symbol 'alfa'; did you mean 'alpha'"),
        ({"batch": "0..2"}, "the batch must be a whole number from 1"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_are_refused_at_once(values, said):
    with pytest.raises(BindingError, match=said):
        archspec.sweep("mobilenet_v2", values)


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"of": "mcas"}, UnknownNameError, "no quantity 'mcas'; did you mean 'macs'"),
        ({"of": "coded_bits"}, UnknownNameError, "name one: --plan NAME"),
        ({"where": "macs < many"}, BindingError, "a budget of macs is written"),
        ({"where": "300M"}, BindingError, "a condition is NAME<=BOUND"),
        ({"front": "min:macs"}, BindingError, "a front is of two objectives at least"),
        ({"front": "min:macs,max:macs"}, BindingError, "macs is two objectives"),
        ({"front": "least:macs,max:params"}, BindingError, "an objective is min:NAME or max:NAME"),
        ({"top": 0}, BindingError, "top is a whole number from 1"),
        ({"bindings": {"alpha": 1}}, BindingError, "both bound and swept"),
        ({"plans": ["vgg61"]}, ArchspecError, "vgg61"),
    ],
)
def test_questions_that_cannot_be_are_refused(asked, error, said):
    with pytest.raises(error, match=said):
        archspec.sweep("mobilenet_v2", {"alpha": [1]}, **asked)


# ------------------------------------------------------------------ what comes out


def test_a_sweep_is_a_value_of_exact_columns():
    found = archspec.sweep(["mobilenet", "squeezenet"], {"alpha": "1/4..1:1/4", "side": [96, 128]})
    assert found.columns["macs"].dtype == found.columns["side"].dtype == np.int64
    assert found.columns["alpha"].tolist()[-2:] == [None, None]
    assert len(found) == 4 * 2 + 2
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  # our own
    assert found != archspec.sweep(["mobilenet", "squeezenet"], {"alpha": "1/4..1:1/4", "side": [96, 129]})
    assert repr(found) == "<Sweep mobilenet, squeezenet, 10 of 10 points, macs, params>"


def test_numbers_wider_than_64_bits_are_exact():
    values = {"batch": [1, 2**33], "side": [224, 4096]}
    found = archspec.sweep("vgg16", values, "flops")
    assert found.columns["flops"].dtype == object
    assert found.columns["flops"].tolist()[-1] == archspec.load("vgg16").count(side=4096, batch=2**33).flops > 2**63


def test_conditions_order_and_top_are_those_of_the_whole_table():
    values = {"alpha": "1/4..2:1/8", "side": "96..224:16"}
    whole = archspec.sweep("mobilenet_v2", values, ["macs", "intensity"])
    few = archspec.sweep("mobilenet_v2", values, "macs", where=["macs<=300M", "intensity>=2"], sort="max:macs", top=7)
    rows = [row for row in whole.records() if row["macs"] <= 300_000_000 and row["intensity"] >= 2]
    expected = sorted(rows, key=lambda row: -row["macs"])[:7]
    assert few.columns["macs"].tolist() == [row["macs"] for row in expected]
    assert few.columns["alpha"].tolist() == [row["alpha"] for row in expected]
    assert few.within == len(rows)
    again = whole.where("macs<=300M", "intensity>=2").sorted("max:macs", top=7)
    assert again.columns["macs"].tolist() == few.columns["macs"].tolist()


def test_a_plan_is_an_axis_of_its_own():
    found = archspec.sweep("lenet_5", {"classes": [10, 20]}, "params,coded_bits", plans=["lenet_5"])
    arch = archspec.load("lenet_5")
    assert found.columns["coded_bits"].tolist() == [arch.predict("lenet_5", classes=c).coded_bits for c in (10, 20)]
    assert found.columns["plan"].tolist() == ["lenet_5", "lenet_5"]


# ------------------------------------------------------------------ a hundred million points of MobileNetV2

SAID = ("macs", "params", "memory_liveness", "intensity")


def mobilenets(step):
    """A thousand multipliers × a hundred sides × a thousand classes, or each step-th of them."""
    return {
        "alpha": tuple(Fraction(n, 1000) for n in range(100, 1100, step)),
        "side": tuple(range(32, 330, 3 * min(step, 10))),
        "classes": tuple(range(1, 1001, step)),
    }


def figures_at(grid, places):
    """What a sweep has at some points of a grid, by their places along each axis."""
    subject = Subject(archspec.load("mobilenet_v2").document, None, {}, grid)
    found = {}
    for patch in Cutter(subject, SAID, Counting()).patches((0, 0, 0), subject.shape):
        inside = [{int(place): i for i, place in enumerate(axis)} for axis in patch.places]
        here = [place for place in places if all(p in axis for p, axis in zip(place, inside, strict=True))]
        key = tuple(np.array([axis[place[i]] for place in here], dtype=int) for i, axis in enumerate(inside))
        columns = [np.broadcast_to(patch.figures[name].at(key), (len(here),)).tolist() for name in SAID]
        found |= dict(zip(here, zip(*columns, strict=True), strict=True))
    return found


@pytest.mark.no_cover
def test_points_among_a_hundred_million_and_both_sides_of_every_jump_are_what_count_says(request):
    grid = mobilenets(1 if request.config.option.long else 50)
    arch, random = archspec.load("mobilenet_v2"), Random(2018)  # noqa: S311  # points to try
    shape = [len(values) for values in grid.values()]
    line = [(alpha, shape[1] // 2, shape[2] - 1) for alpha in range(shape[0])]
    sampled = [tuple(map(random.randrange, shape)) for _ in range(1000 if request.config.option.long else 10)]
    found = figures_at(grid, [*line, *sampled])
    jumps = [(one, two) for one, two in pairwise(line) if found[one] != found[two]]
    assert len(jumps) > (50 if request.config.option.long else 10)
    for place in dict.fromkeys([*sampled, *(place for jump in jumps for place in jump)]):
        values = {name: axis[p] for (name, axis), p in zip(grid.items(), place, strict=True)}
        table = arch.count(values)
        assert found[place] == tuple(table.figure(name) for name in SAID), values


# ------------------------------------------------------------------ the zoo


def values_for(symbol, random):
    """Some values of a symbol, near its least and near its default."""
    if symbol.choices:
        return random.sample(list(symbol.choices), min(3, len(symbol.choices)))
    low, high = symbol.range or (1, 2 * symbol.default)
    ends = [low, symbol.default, min(high, 2 * symbol.default)]
    if symbol.integer:
        return sorted({int(low), *(random.randint(int(a), int(b)) for a, b in pairwise(ends) if a <= b)})
    return sorted({low + (high - low) * Fraction(random.randint(0, 40), 40) for _ in range(3)})


@pytest.mark.no_cover
def test_every_quantity_of_every_network_of_the_zoo_is_swept_as_it_is_counted(request):
    random = Random(28)  # noqa: S311  # values to try
    names = archspec.zoo.names()
    for name in names if request.config.option.long else ("shufflenet", "squeezenet_meta"):
        arch = archspec.load(name)
        chosen = random.sample(list(arch.symbols), min(2, len(arch.symbols)))
        values = {symbol: values_for(arch.symbols[symbol], random) for symbol in chosen}
        expected, faults = brute(arch, values, ALL)
        found = archspec.sweep(arch, values, ALL)
        assert without_spec(found) == expected, (name, values)
        assert found.unbuilt[0] == faults, (name, values)


TRUE = """
archspec: 1
name: either
symbols: {bias: {default: false}, c: {default: 4}, wide: {default: true}}
inputs: {left: [3, 8, 8], right: [c, 8, 8]}
network:
  - concat: {a: [{from: left}], b: [{from: right}]}
  - conv2d: {out_channels: floor_sqrt(c - 3) + (2 if wide else 1), kernel_size: 3, bias: bias}
"""


def test_symbols_that_are_true_or_false_and_several_inputs_are_swept(tmp_path):
    arch = archspec.loads(TRUE)
    values = {"bias": "*", "c": "1..5", "wide": "false,true"}
    found = archspec.sweep(arch, values, ALL)
    expected, faults = brute(arch, {"bias": [True, False], "c": range(1, 6), "wide": [False, True]}, ALL)
    assert without_spec(found) == expected
    assert found.unbuilt[0] == faults == 2 * 2 * 2  # no root of −2 and −1
    assert "true" in str(found)
    assert found.write(tmp_path / "x.parquet").bytes
    with pytest.raises(BindingError, match="bias must be true or false"):
        archspec.sweep(arch, {"bias": "maybe"})


def test_a_block_is_swept_by_all_names_of_its_symbols():
    found = archspec.sweep("squeezenet:fire", {"in_channels": [16, 32]}, "params")
    assert found.columns["c_in"].tolist() == [16, 32]
    assert found.columns["params"].tolist() == [
        archspec.load("squeezenet:fire").count(in_channels=c).params for c in (16, 32)
    ]


def test_the_best_order_is_found_for_each_point():
    arch = archspec.load("inception_module")
    values = {"form": list(arch.symbols["form"].choices[:2]), "side": [7, 14, 28]}
    asked = {"order": "best", "policy": "liveness"}
    assert without_spec(archspec.sweep(arch, values, "memory", **asked)) == brute(arch, values, ["memory"], asked)[0]
