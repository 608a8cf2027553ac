"""Answers of solve, proved by brute force over all networks of a range."""

import json
from fractions import Fraction
from functools import cache
from random import Random

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.cli import app
from archspec.errors import ArchspecError, BindingError, UnknownNameError
from archspec.sweeps import survey
from archspec.sweeps.solve import SHOWN

# ------------------------------------------------------------------ brute force

WIDTHS = (4, 6, 8, 12)
GRID = 18 * 24
"""Every break of a width of `WIDTHS` under a rounding of `ROUNDINGS` is a multiple of one part of this."""

ROUNDINGS = (
    "floor(alpha * {})",
    "ceil(alpha * {})",
    "round(alpha * {})",
    "max(3, floor({} * alpha))",
    "make_divisible(alpha * {}, 4)",
    "make_divisible(alpha * {}, 2, 3)",
    "min(floor(alpha * {}), 5)",
    "floor(9 - alpha * {} / 2)",
    "make_divisible(floor(alpha * {}) * 3 / 2, 2)",
)

SMALL = """
archspec: 1
name: small
symbols:
  alpha: {{default: {low}, range: [{low}, {high}]}}
  side:  {{default: 8, range: [4, 12]}}
input: [3, side, side]
let: {{a: "{first}", b: "{second}"}}
network:
  - conv2d: {{out_channels: a, kernel_size: 3, stride: 2, padding: 1}}
  - when: b == in_channels
    then: [{{add: {{left: [{{conv2d: {{out_channels: b, kernel_size: 1}}}}], right: [identity]}}}}]
    else: [{{conv2d: {{out_channels: b, kernel_size: 3, padding: 1}}}}]
  - when: alpha >= 2/3
    then: [{{conv2d: {{out_channels: 2, kernel_size: 1}}}}]
"""


def small(first, second, low=Fraction(1, 4), high=Fraction(5, 4)):
    return archspec.loads(SMALL.format(low=low, high=high, first=first, second=second))


def alphas(low, high, parts=GRID):
    """Every multiple of a part in a range, and the middle between each two."""
    first, last = -(-low * 2 * parts // 1), high * 2 * parts // 1
    return [Fraction(n, 2 * parts) for n in range(int(first), int(last) + 1)]


def networks(arch, values, **bindings):
    """The networks of a grid: each with the first and last value that gives it without a break, and its cost."""
    runs = []
    for value in values:
        try:
            table = arch.count(alpha=value, **bindings)
        except ArchspecError:
            runs.append((value, None, None))
            continue
        runs.append((value, table.network.nodes, {name: getattr(table, name) for name in SHOWN}))
    return runs


def best_of(runs, limits, goal):
    within = [
        (value, nodes, cost)
        for value, nodes, cost in runs
        if cost and all(low <= cost[quantity] <= high for quantity, (low, high) in limits.items())
    ]
    return max(within, key=lambda run: (run[2][goal], run[0])) if within else None


def run_of(runs, value):
    """The first and the last value of the grid around a value that give one network."""
    at = next(i for i, run in enumerate(runs) if run[0] == value)
    first = last = at
    while first and runs[first - 1][1] == runs[at][1]:
        first -= 1
    while last + 1 < len(runs) and runs[last + 1][1] == runs[at][1]:
        last += 1
    return runs[first][0], runs[last][0]


widths = st.builds(lambda rounding, width: rounding.format(width), st.sampled_from(ROUNDINGS), st.sampled_from(WIDTHS))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@given(widths, widths, st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["macs", "params", "activations"]))
@settings(max_examples=8, deadline=None)
def test_the_answer_is_the_one_of_brute_force(first, second, budget, other, goal):
    arch = small(first, second, high=Fraction(3, 4))
    runs = networks(arch, alphas(Fraction(1, 4), Fraction(3, 4)))
    top = {name: max(cost[name] for _, _, cost in runs if cost) for name in SHOWN}
    limits = {
        goal: (0, top[goal] * budget // 10**6),
        "weight_bytes": (top["weight_bytes"] * other // 10**6 // 2, 10**9),
    }
    texts = {goal: f"<={limits[goal][1]}", "weight_bytes": f">={limits['weight_bytes'][0]}"}
    found = arch.solve("alpha", texts)
    expected = best_of(runs, limits, goal)
    assert bool(found) == (expected is not None)
    if expected is None:
        assert any(b.excess(found.nearest.figures[b.quantity]) for b in found.budgets)
        return
    value, _, cost = expected
    span = found.best.spans["alpha"]
    assert found.best.figures == cost
    assert value in span
    low, high = run_of(runs, value)
    assert low in span
    assert high in span
    assert low - Fraction(1, 2 * GRID) <= span.low <= low
    assert high <= span.high <= high + Fraction(1, 2 * GRID)


SEVERAL = """
archspec: 1
name: several
symbols: {{a: {{default: 1, range: [1/10, 2]}}, n: {{default: 1, range: [1, 40]}}}}
input: [3, 4, 4]
network: [{{conv2d: {{out_channels: "{width}", kernel_size: 1}}}}]
"""


@pytest.mark.parametrize("most", [400, 800, 1200, 5000])
def test_all_intervals_that_give_the_network_are_named(most):
    arch = archspec.loads(SEVERAL.format(width="8 * (1 + floor(10 * a) % 4)"))
    best = arch.solve("a", {"macs": f"<={most}"}).best
    width = best.figures["macs"] // (3 * 16)
    expected = [Fraction(k, 10) for k in range(1, 21) if 8 * (1 + k % 4) == width]
    found = best.everywhere["a"]
    assert [span.low for span in found] == expected
    for span in found:
        assert span.closed == (True, span.single)
        assert span.high in (span.low + Fraction(1, 10), 2)
    assert best.spans["a"] == found[-1]
    for value in alphas(Fraction(1, 10), Fraction(2), 20):
        assert any(value in span for span in found) == (arch.count(a=value).macs == best.figures["macs"])


def test_whole_numbers_that_give_one_network_are_named_together():
    arch = archspec.loads(SEVERAL.format(width="1 + (n // 5) % 3"))
    best = arch.solve("n", {"macs": "<=100"}).best  # 2 channels are 96, 3 are 144
    assert [(span.low, span.high) for span in best.everywhere["n"]] == [(5, 9), (20, 24), (35, 39)]


def test_the_report_names_all_intervals(tmp_path):
    file = tmp_path / "several.yaml"
    file.write_text(SEVERAL.format(width="8 * (1 + floor(10 * a) % 4)"))
    page = CliRunner().invoke(app, ["solve", str(file), "--for", "a", "--macs", "<=1200"])
    flat = " ".join(page.stdout.split())
    assert "0.2 ≤ a < 0.3 or 0.6 ≤ a < 0.7 or 1 ≤ a < 1.1 or 1.4 ≤ a < 1.5 or 1.8 ≤ a < 1.9" in flat
    data = json.loads(
        CliRunner().invoke(app, ["solve", str(file), "--for", "a", "--macs", "<=1200", "--format", "json"]).stdout
    )
    assert [each["low"] for each in data["best"]["everywhere"]["a"]] == ["1/5", "3/5", "1", "7/5", "9/5"]


def test_a_logarithm_is_followed_at_the_powers_of_two():
    arch = archspec.loads("""
archspec: 1
name: logarithm
symbols: {alpha: {default: 1, range: [1/4, 4], type: rational}}
input: [8]
network:
  - linear: {out_features: "floor(8 * alpha)"}
  - {when: log2(alpha) == 0, then: [relu]}
  - linear: {out_features: 2}
""")
    found = arch.solve("alpha", {"macs": "<=200"})
    assert (found.best.values, found.best.figures["macs"]) == ({"alpha": 2}, 8 * 16 + 16 * 2)
    assert found.next.values == {"alpha": 4}
    assert "log2 is exact for powers of two alone" in found.unbuilt[1]


@given(widths, widths)
@settings(max_examples=6, deadline=None)
def test_just_inside_the_ends_is_the_same_network_and_just_outside_another(first, second):
    arch = small(first, second)
    found = arch.solve("alpha", {"macs": "<=3000"})
    candidate = found.best or found.nearest
    span, nodes = candidate.spans["alpha"], arch.expand(**candidate.values).nodes
    little = Fraction(1, 10**9)
    for end, closed, outward in ((span.low, span.closed[0], -1), (span.high, span.closed[1], 1)):
        if not span.single:
            assert arch.expand(alpha=end - outward * little).nodes == nodes
        if closed:
            assert arch.expand(alpha=end).nodes == nodes
        outside = end + outward * little if closed else end
        if Fraction(1, 4) <= outside <= Fraction(5, 4):
            assert differs(arch, outside, nodes)


def differs(arch, alpha, nodes):
    try:
        return arch.expand(alpha=alpha).nodes != nodes
    except ArchspecError:
        return True


def test_a_rounding_that_falls_is_searched_to_its_last_network():
    """Of alpha from 10/8 to 12/8 of 8, 17 is made; from 12/8 on only 16: less for more."""
    arch = small("make_divisible(alpha * 8, 8, 9)", "4", low=1, high=Fraction(7, 4))
    sizes = [arch.expand(alpha=alpha).nodes[0].output.shape[1] for alpha in (1, "5/4", "11/8", "3/2")]
    assert sizes == [9, 9, 17, 16]
    found = arch.solve("alpha", {"params": "<=10k"})
    assert found.best.spans["alpha"].written("alpha") == "1.25 < alpha < 1.5"
    assert found.next is None
    below = arch.solve("alpha", {"params": f"<{found.best.figures['params']}"})
    assert below.best.spans["alpha"].written("alpha") == "1.5 ≤ alpha ≤ 1.75"
    assert below.next.figures == found.best.figures


# ------------------------------------------------------------------ the zoo


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_mobilenet_within_300_million():
    arch = archspec.load("mobilenet")
    values = [Fraction(n, 1024) for n in range(700, 760)]
    counts = {value: arch.count(alpha=value).macs for value in values}
    expected = max(value for value in values if counts[value] <= 300_000_000)
    found = arch.solve("alpha", {"macs": "<=300M"})
    span = found.best.spans["alpha"]
    assert (span.low, span.high, span.closed) == (expected, expected + Fraction(1, 1024), (True, False))
    assert found.best.figures["macs"] == counts[expected]
    assert found.next.figures["macs"] == counts[expected + Fraction(1, 1024)] > 300_000_000
    assert found.best.values["alpha"] in span


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "symbol", "budgets"),
    [
        ("mobilenet", "alpha", {"macs": "<=300M", "params": "<=2M"}),
        ("mobilenet_v2", "alpha", {"macs": "<=300M"}),
        ("mobilenet_v2", "alpha", {"params": "<=2.5M", "activations": "<=12M"}),
        ("squeezenet_meta", "SR", {"weight_bytes": "<=4MB"}),
        ("squeezenet_meta", "pct3x3", {"macs": "<=700M"}),
    ],
)
def test_no_value_that_is_tried_gives_a_larger_network_within_the_budgets(name, symbol, budgets):
    arch = archspec.load(name)
    low, high = arch.document.symbols[symbol].range
    found = arch.solve(symbol, budgets)
    random = Random(name + symbol)  # noqa: S311  # the same values every time
    span = found.best.spans[symbol]
    near = [span.high + Fraction(random.randint(0, 1000), 10**5) for _ in range(12)]
    anywhere = [low + (high - low) * Fraction(random.randint(0, 10**6), 10**6) for _ in range(15)]
    for value in (*near, *anywhere):
        if low <= value <= high:
            cost = arch.count(**{symbol: value})
            within = not any(budget.excess(getattr(cost, budget.quantity)) for budget in found.budgets)
            assert not within or getattr(cost, found.goal) <= found.best.figures[found.goal]
    again = arch.count(**found.best.values)
    assert {name: getattr(again, name) for name in SHOWN} == found.best.figures


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_side_and_the_classes_are_whole_numbers():
    arch = archspec.load("mobilenet_v2")
    for symbol, budgets in (("side", {"macs": "<=300M"}), ("classes", {"params": "<=2.6M"})):
        found = arch.solve(symbol, budgets, between={symbol: (180, 400)})
        costs = {value: arch.count(**{symbol: value}) for value in range(180, 401, 4)}
        quantity, limit = found.budgets[0].quantity, found.budgets[0].most
        largest = max(value for value, cost in costs.items() if getattr(cost, quantity) <= limit)
        assert largest <= found.best.values[symbol] < largest + 4
        assert getattr(arch.count(**{symbol: found.best.values[symbol] + 1}), quantity) > limit


def test_choices_are_tried_one_by_one_and_need_not_be_ordered_by_cost():
    arch = archspec.load("shufflenet")
    costs = {g: arch.count(g=g).macs for g in (1, 2, 3, 4, 8)}
    found = arch.solve("g", {"macs": f"<={sorted(costs.values())[2]}"})
    assert costs[found.best.values["g"]] == sorted(costs.values())[2]
    words = archspec.load("squeezenet_bypass").solve("bypass", {"params": "<=1.5M"})
    assert words.best.values == {"bypass": "simple"}
    assert "complex" in words.next.spans["bypass"].written()


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_bindings_batch_and_convention_are_those_of_a_count():
    arch = archspec.load("mobilenet")
    found = arch.solve("alpha", {"activations": "<=10M"}, batch=2, convention="mobilenet", side=128)
    count = arch.count(batch=2, convention="mobilenet", side=128, **found.best.values)
    assert {name: getattr(count, name) for name in SHOWN} == found.best.figures


@pytest.mark.parametrize("goal", ["macs", "params"])
def test_what_is_maximised_can_be_another_quantity(goal):
    arch = small("floor(9 - alpha * 8 / 2)", "floor(alpha * 12)")
    costs = [cost for _, _, cost in networks(arch, alphas(Fraction(1, 4), Fraction(5, 4), 48))]
    limit = sorted(cost["activations"] for cost in costs)[len(costs) // 2]
    found = arch.solve("alpha", {"activations": f"<={limit}"}, maximise=goal)
    assert found.best.figures[goal] == max(cost[goal] for cost in costs if cost["activations"] <= limit)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("policy", ["layerwise", "liveness"])
def test_the_peak_of_memory_can_be_the_budget(policy):
    arch = archspec.load("mobilenet_v2")
    between = {"alpha": ("1/10", 1)}
    found = arch.solve("alpha", {"memory": "<=1MiB"}, policy=policy, dtype="int8", side=160, between=between)
    peak = arch.memory(policy, "int8", side=160, **found.best.values).peak
    assert peak == found.best.figures["memory"] <= 2**20
    above = arch.memory(policy, "int8", side=160, **found.next.values).peak
    assert above == found.next.figures["memory"] > 2**20
    said = run("lenet_5", "--for", "side", "--memory", "<=1MiB", "--policy", policy, "--dtype", "int8")
    assert f"memory {policy}, int8" in said.stdout
    with pytest.raises(UnknownNameError):
        arch.solve("alpha", {"memory": "<=1MiB"}, policy="lazy")


# ------------------------------------------------------------------ two symbols


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_frontier_is_what_each_side_allows_alone():
    arch = archspec.load("mobilenet")
    found = arch.solve(("alpha", "side"), {"macs": "<=300M"}, between={"side": (128, 320, 32), "alpha": ("1/2", 2)})
    possible = [side for side in range(128, 321, 32) if arch.count(alpha="1/2", side=side).macs <= 300_000_000]
    assert [network.values["side"] for network in found.frontier] == possible
    for network in found.frontier:
        side = network.values["side"]
        alone = arch.solve("alpha", {"macs": "<=300M"}, between={"alpha": ("1/2", 2)}, side=side)
        assert network.spans["alpha"] == alone.best.spans["alpha"]
        assert network.figures == alone.best.figures
    best = max(found.frontier, key=lambda network: network.figures["macs"])
    assert found.best == best


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@given(widths, widths, st.integers(1, 10**4))
@settings(max_examples=3, deadline=None)
def test_the_frontier_is_that_of_brute_force(first, second, budget):
    arch = small(first, second, high=Fraction(3, 4))
    runs = {side: networks(arch, alphas(Fraction(1, 4), Fraction(3, 4)), side=side) for side in range(4, 7)}
    found = arch.solve(("alpha", "side"), {"macs": f"<={budget}"}, between={"side": (4, 6)})
    within = [(value, side) for side, run in runs.items() for value, _, cost in run if cost and cost["macs"] <= budget]
    outdone = lambda a: any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in within)  # noqa: E731
    front = sorted((point for point in within if not outdone(point)), reverse=True)
    assert len(found.frontier) == len(front)
    for network, (value, side) in zip(found.frontier, front, strict=True):
        assert network.values["side"] == side
        assert value in network.spans["alpha"]


def test_two_whole_numbers_and_choices_can_be_searched_together():
    arch = archspec.load("lenet_5")
    found = arch.solve(("side", "classes"), {"params": "<=500k"}, between={"side": (16, 40), "classes": (2, 50)})
    assert found.best
    mixed = archspec.load("shufflenet").solve(("scale", "g"), {"macs": "<=150M"})
    assert mixed.best.spans["scale"].low == 1
    assert mixed.unbuilt[0] == 6
    with pytest.raises(BindingError, match="one must be whole"):
        archspec.load("squeezenet_meta").solve(("SR", "pct3x3"), {"macs": "<=700M"})


def test_beside_another_symbol_whole_numbers_are_searched_in_steps_that_are_stated():
    found = archspec.load("squeezenet").solve(("side", "conv10_pad"), {"macs": "<=1G"})
    assert [line.step for line in found.lines] == [64, 1]
    assert found.best.values["side"] % 64 == 0


# ------------------------------------------------------------------ nothing found, and bad input


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_budget_that_nothing_meets_says_by_how_much_the_smallest_network_misses():
    smallest = archspec.load("mobilenet_v2").count(alpha="1/10").macs
    result = run("mobilenet_v2", "--for", "alpha", "--macs", "<=1M", "--between", "1/10,1")
    assert result.exit_code == 1
    assert f"{smallest - 10**6:,} too many" in " ".join(result.stdout.split())


WRONG = [
    (("alhpa", {"macs": "<=3M"}), {}, BindingError, "did you mean 'alpha'"),
    (("alpha", {"parms": "<=3M"}), {}, UnknownNameError, "did you mean 'params'"),
    (("alpha", {"macs": "<=3M"}), {"maximise": "speed"}, UnknownNameError, "no quantity 'speed'"),
    (("alpha", {"macs": ["<=3M", ">=4M"]}), {}, BindingError, "contradict"),
    (("alpha", {}), {}, ArchspecError, "what is the budget"),
    (("alpha", {"macs": "<=3M"}), {"alpha": 1}, BindingError, "both bound and solved for"),
    ((("alpha", "side", "classes"), {"macs": "<=3M"}), {}, BindingError, "one symbol or two"),
    (("alpha", {"macs": "<=3M"}), {"between": {"alpha": (1, 9)}}, BindingError, "must be from 1/32 to 4"),
    (("alpha", {"macs": "<=3M"}), {"between": {"alpha": (2, 1)}}, BindingError, "a smaller and a larger"),
    (("alpha", {"macs": "<=3M"}), {"between": {"alpha": (1,)}}, BindingError, "between two numbers"),
    (("alpha", {"macs": "<=3M"}), {"between": {"alpha": ("x", 1)}}, BindingError, "expected a number"),
    (("alpha", {"macs": "<=3M"}), {"between": {"alpha": (1, 2, 3)}}, BindingError, "a step is for whole"),
    (("side", {"macs": "<=3M"}), {"between": {"side": (1, 2, "1/2")}}, BindingError, "a step is a whole number"),
    (("side", {"macs": "<=3M"}), {"between": {"side": ("1.2", "1.3")}}, BindingError, "no whole number"),
    (("side", {"macs": "<=3M"}), {"between": {"alpha": (1, 2)}}, BindingError, "the search is for side"),
    (("classes", {"macs": "<=3M"}), {"between": {"classes": (0, 2)}}, BindingError, "greater than 0"),
    (("classes", {"macs": "<=3M"}), {"between": {"classes": (1, 10**7)}}, BindingError, "narrow|more than"),
    (("alpha", {"macs": "<=3M"}), {"convention": "mobilnet"}, UnknownNameError, "did you mean"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), WRONG)
def test_what_cannot_be_asked_is_refused_with_the_reason(arguments, options, error, message):
    with pytest.raises(error, match=message):
        archspec.load("mobilenet").solve(*arguments, **options)


@pytest.mark.parametrize(("between", "message"), [({"g": (5, 7)}, "none of them from 5 to 7"), ({"g": (1, 2)}, None)])
def test_choices_can_be_narrowed(between, message):
    arch = archspec.load("shufflenet")
    if message:
        with pytest.raises(BindingError, match=message):
            arch.solve("g", {"macs": "<=1G"}, between=between)
    else:
        assert arch.solve("g", {"macs": "<=1G"}, between=between).best.values == {"g": 1}
    with pytest.raises(BindingError, match="between words"):
        archspec.load("squeezenet_bypass").solve("bypass", {"macs": "<=1G"}, between={"bypass": (1, 2)})


def test_a_symbol_that_is_not_rounded_is_refused():
    arch = archspec.loads("""
archspec: 1
name: rough
symbols: {scale: {default: 1, type: rational}}
input: [3, 8, 8]
network:
  - conv2d: {out_channels: 24 * scale, kernel_size: 3}
""")
    with pytest.raises(BindingError, match=r"scale enters the network without being rounded.*choices"):
        arch.solve("scale", {"macs": "<=1M"})


def test_a_symbol_of_which_no_value_gives_a_network_is_refused():
    arch = small("floor(alpha * 4) - 5", "4", high=1)
    with pytest.raises(BindingError, match=r"no network can be built; at alpha = 1/4: .* must be at least 1"):
        arch.solve("alpha", {"macs": "<=1M"})


def test_a_network_too_large_for_64_bits_is_counted_in_plain_integers():
    arch = archspec.loads("""
archspec: 1
name: huge
symbols: {c: {default: 1000000, range: [999998, 1000000]}}
input: [c, 100000, 100000]
network:
  - conv2d: {out_channels: c, kernel_size: 3, padding: 1}
""")
    limit = 10**10 * 9 * 999_999**2
    found = arch.solve("c", {"macs": f"<={limit}"})
    assert found.best.values == {"c": 999_999}
    assert found.best.figures["macs"] == limit > 2**63


# ------------------------------------------------------------------ what is printed


@cache
def run(*arguments):
    return CliRunner().invoke(app, ["solve", *arguments])


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_text_shows_the_interval_the_costs_and_what_breaks_the_budget():
    result = run("mobilenet", "--for", "alpha", "--macs", "<=300M", "--params", "<=2M")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "mobilenet: macs ≤ 300,000,000, params ≤ 2,000,000, over alpha from 0.03125 to 4"
    assert lines[1] == "batch 1"
    assert lines[3] == "Largest: 329/512 ≤ alpha < 659/1024, such as alpha = 0.643"
    params = next(line for line in lines if line.startswith("params"))
    assert params.split() == [
        "params",
        "1,998,118",
        "≤",
        "2,000,000",
        "1,882",
        "(0.1",
        "%)",
        "2,000,779",
        "779",
        "(<",
        "0.1",
        "%)",
    ]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_little_is_not_written_as_nothing():
    most = archspec.load("mobilenet").count().macs
    for left, said in ((0, "0 (0.0 %)"), (7, "7 (< 0.1 %)"), (most // 100, f"{most // 100:,} (1.0 %)")):
        assert said in run("mobilenet", "--for", "alpha", "--between", "1/2,1", "--macs", f"<={most + left}").stdout


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_text_says_where_the_search_ended_and_what_gives_no_network():
    said = run("mobilenet_v2", "--for", "classes", "--params", ">=1", "--set", "alpha=0.5").stdout
    assert "the bounds of the search end it, not the budget" in said
    assert "classes has no range in the specification; it was searched from 1 to 100000" in said
    assert "; alpha = 0.5" in said
    assert "6 values that were tried give no network" in run("shufflenet", "--for", "g,scale", "--macs", "<=1G").stdout


def test_the_frontier_is_printed_with_the_largest_marked():
    said = run("mobilenet", "--for", "alpha,side", "--macs", "<=300M", "--between", "side=192,256,32").stdout
    rows = [line for line in said.splitlines() if line.lstrip().startswith(("192", "224", "256"))]
    assert len(rows) == 3
    assert sum("← most macs" in row for row in rows) == 1


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_json_has_the_interval_with_its_ends():
    data = json.loads(run("mobilenet", "--for", "alpha", "--macs", "<=300M", "--format", "json").stdout)
    assert data["best"]["spans"]["alpha"] == {"low": "737/1024", "high": "369/512", "closed": [True, False]}
    assert data["best"]["macs"] == 299816242
    assert data["next"]["macs"] > 300 * 10**6
    assert data["budgets"] == [{"quantity": "macs", "least": None, "most": 300 * 10**6}]
    assert data["nearest"] is None


def test_markdown_is_a_table():
    said = run("mobilenet", "--for", "side", "--macs", ">=1M", "--macs", "<=300M", "--format", "markdown").stdout
    assert "| ≥ 1,000,000, ≤ 300,000,000 |" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("--for", "alpha"),
        ("--for", "alpha", "--macs", "many"),
        ("--for", "alpha,side", "--macs", "<=1M", "--between", "1,2"),
        ("--for", "alpha", "--macs", "<=1M", "--between", "1,2", "--between", "alpha=1,2"),
        ("--for", "alpha", "--macs", "<=1M", "--macs", ">=2M"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_2(arguments):
    result = run("mobilenet", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1


# ------------------------------------------------------------------ limits


def test_too_many_networks_are_refused_before_they_are_counted(monkeypatch):
    monkeypatch.setattr(survey, "MAX_POINTS", 60)
    arch = small("floor(alpha * 4)", "floor(alpha * 6)")
    with pytest.raises(
        BindingError, match="networks along alpha and side; narrow the bounds, or search the whole ones"
    ):
        arch.solve(("alpha", "side"), {"macs": "<=1G"})


@pytest.mark.parametrize(
    ("limit", "message"),
    [("MAX_COUNTS", "change too often to be counted together"), ("MAX_ROUNDS", "change without end")],
)
def test_a_search_that_takes_too_long_is_given_up(monkeypatch, limit, message):
    monkeypatch.setattr(survey, limit, 1)
    with pytest.raises(BindingError, match=message):
        small("floor(alpha * 4)", "floor(alpha * 6)").solve("alpha", {"macs": "<=1M"})


def test_two_counts_that_differ_are_a_fault_of_the_library(monkeypatch):
    monkeypatch.setattr(survey, "_listed", lambda _, length: [1] * length)
    with pytest.raises(ArchspecError, match="were counted as"):
        small("floor(alpha * 4)", "4").solve("alpha", {"macs": "<=1M"})


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_smallest_network_is_found_where_all_bounds_are_the_least():
    arch = small("floor(alpha * 8)", "floor(alpha * 12)")
    found = arch.solve("alpha", {"params": ">=300"})
    costs = {value: arch.count(alpha=value).params for value in alphas(Fraction(1, 4), Fraction(5, 4))}
    assert found.best.figures["params"] == min(cost for cost in costs.values() if cost >= 300)
    assert found.next.figures["params"] == max(cost for cost in costs.values() if cost < 300)
    assert (found.smallest, found.goal) == (True, "params")
    both = arch.solve("alpha", {"params": [">=300", "<=900"]}, minimise="macs")
    assert both.best.figures["macs"] == min(
        arch.count(alpha=value).macs for value, cost in costs.items() if 300 <= cost <= 900
    )
    with pytest.raises(BindingError, match="two questions"):
        arch.solve("alpha", {"params": ">=300"}, minimise="macs", maximise="macs")
    text = run("mobilenet", "--macs", ">=300M", "--for", "alpha").stdout
    assert "Smallest: 369/512 ≤ alpha < 739/1024" in text
    assert "next: alpha = 0.72" in text


def test_the_frontier_of_the_smallest_is_where_neither_symbol_can_be_less():
    arch = small("floor(alpha * 8)", "floor(alpha * 12)")
    found = arch.solve(("alpha", "side"), {"macs": ">=20000"})
    assert {each.values["side"] for each in found.frontier} <= set(range(4, 13))
    for each in found.frontier:
        low = each.spans["alpha"].low
        less = [value for value in alphas(Fraction(1, 4), Fraction(5, 4)) if value < low]
        assert all(arch.count(alpha=value, side=each.values["side"]).macs < 20000 for value in less[-3:])


def test_a_step_is_chosen_that_fits_and_said(monkeypatch):
    arch = small("floor(alpha * 8)", "floor(alpha * 12)").document.symbols["side"]
    assert arch.integer
    wide = archspec.loads(
        SMALL.format(low="1/4", high="5/4", first="floor(alpha * 8)", second="floor(alpha * 12)").replace(
            "range: [4, 12]", "range: [4, 120]"
        )
    )
    monkeypatch.setattr(survey, "MAX_POINTS", 1000)
    found = wide.solve(("alpha", "side"), {"macs": "<=100000"})
    (side,) = (line for line in found.lines if line.symbol == "side")
    assert side.chosen
    assert side.step == 4  # of 117 sides 1000 networks allow 29, beside 33 values of alpha
    with pytest.raises(BindingError, match="narrow the bounds"):
        wide.solve(("alpha", "side"), {"macs": "<=100000"}, between={"side": (4, 120)})


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_memory_is_counted_as_it_is_asked_for():
    arch = archspec.load("mobilenet_v2")
    for options in ({"in_place": True}, {"policy": "liveness", "in_place": True}):
        found = arch.solve("side", {"memory": "<=1MiB"}, dtype="int8", between={"side": (96, 224, 16)}, **options)
        peaks = {side: arch.memory(dtype="int8", side=side, **options).peak for side in range(96, 225, 16)}
        assert found.best.values["side"] == max(side for side, peak in peaks.items() if peak <= 2**20)
    text = run("mobilenet", "--memory", "<=1MiB", "--in-place", "--dtype", "int8", "--for", "alpha").stdout
    assert text.splitlines()[1] == "batch 1; memory layerwise, int8, in place"


def test_of_several_networks_the_best_comes_first():
    result = run("mobilenet", "mobilenet_v2", "squeezenet", "--macs", "<=400M", "--params", "<=3M", "--for", "alpha")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][-5:] == ["2", "of", "3", "networks", "fit"]
    assert [line[0] for line in lines[-3:]] == ["mobilenet", "mobilenet_v2", "squeezenet"]
    assert lines[-1][-6:] == ["no,", "108.2", "%", "over", "in", "macs"]  # 832,667,936 of 400,000,000
    assert run("lenet_5", "lenet_300_100", "--macs", "<=1000").exit_code == 1
    for wrong in (["--all", "lenet_5"], [], ["lenet_5"]):
        assert run(*wrong, "--macs", "<=1M").exit_code == 2
    assert (
        "none of these networks has a symbol 'alfa'" in run("lenet_5", "vgg16", "--macs", "1M", "--for", "alfa").stderr
    )


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_bits_of_weights_rule_what_is_stored_and_the_type_what_runs():
    arch, chip = archspec.load("mobilenet"), {"weight_bytes": "<=1MiB", "memory": "<=512KiB"}
    found = arch.solve("alpha", chip, dtype="int8", weight_bits=8)
    here = arch.count(found.best.values, dtype="int8", weight_bits=8)
    assert found.best.figures["weight_bytes"] == here.weight_bytes <= 2**20 < 4 * here.weight_bytes
    assert found.best.figures["memory"] == arch.memory(dtype="int8", bindings=found.best.values).peak <= 2**19
    wide = arch.solve("alpha", chip, dtype="int8")  # 32-bit weights leave room for fewer
    assert wide.best.values["alpha"] < found.best.values["alpha"]


def test_the_header_says_the_bits_and_any_quantity_has_a_budget():
    asked = ["lenet_5", "--for", "classes", "--budget", "traffic <= 480kB", "--dtype", "int8", "--weight-bits", "8"]
    done = CliRunner().invoke(app, ["solve", *asked])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1] == "batch 1; int8 activations; 8-bit weights"
    refused = CliRunner().invoke(app, ["solve", "lenet_5", "--for", "classes", "--budget", "traffic"])
    assert "--budget takes NAME<=BOUND" in refused.stderr
    unknown = CliRunner().invoke(app, ["solve", "lenet_5", "--for", "classes", "--budget", "trafic<=1"])
    assert "no quantity 'trafic'; did you mean 'traffic'?" in unknown.stderr


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_how_many_others_are_nearly_as_good_is_what_all_networks_say():
    arch, budgets = archspec.load("mobilenet_v2"), {"macs": "<=300M"}
    values = {"alpha": [Fraction(n, 1000) for n in range(800, 1101)]}  # finer than any rounding of its widths
    found = arch.solve("alpha", budgets, between={"alpha": ("0.8", "1.1")})
    networks = archspec.sweep(arch, values, SHOWN, where="macs<=300M")
    rows = {tuple(row[name] for name in SHOWN) for row in networks.records()}
    best = found.best.figures["macs"]
    close = {row for row in rows if row[0] >= Fraction(99, 100) * best} - {tuple(found.best.figures[n] for n in SHOWN)}
    assert found.close == len(close)
    assert {tuple(each.figures[name] for name in SHOWN) for each in found.closest} <= close
    two = arch.solve(("alpha", "side"), budgets, between={"alpha": ("0.8", "1.6"), "side": (128, 256, 2)})
    assert two.close > len(two.closest) == 8
    assert f"{two.close} other networks within the budget come within 1 % of its macs" in " ".join(str(two).split())
    assert sorted((each.figures["macs"] for each in two.closest), reverse=True) == [
        each.figures["macs"] for each in two.closest
    ]
