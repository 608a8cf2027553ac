"""The peak of memory: by hand, by brute force, and over symbols as over numbers."""

import json
from fractions import Fraction
from random import Random

import pytest
import sympy
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.dims import recording
from archspec.errors import ArchspecError, UndecidableError, UnknownNameError
from archspec.memory import DTYPES, POLICIES
from archspec.memory import order as schedule
from archspec.memory.peak import memory, peak_bytes
from archspec.memory.storage import layout

RESIDUAL = """
archspec: 1
name: residual
input: [4, 8, 8]
network:
  - {conv2d: {out_channels: 8, kernel_size: 1, bias: false}, as: wide}
  - add:
      deep:
        - {conv2d: {out_channels: 24, kernel_size: 1, bias: false}, as: up}
        - {relu, as: bent}
        - {conv2d: {out_channels: 8, kernel_size: 1, bias: false}, as: down}
      short: [identity]
  - flatten
  - {linear: {out_features: 3, bias: false}, as: out}
"""
PIXELS = 8 * 8


def by_hand(text, policy="liveness", **options):
    return archspec.loads(text).memory(policy, **options)


@pytest.mark.parametrize(
    ("policy", "in_place", "numbers", "at"),
    [
        ("layerwise", False, (24 + 24) * PIXELS, "bent"),
        ("liveness", False, (8 + 24 + 24) * PIXELS, "bent"),  # the shortcut waits
        ("eager", False, (4 + 8 + 24 + 24) * PIXELS, "bent"),  # the caller holds the input
        ("training", False, (4 + 8 + 24 + 24 + 8 + 8) * PIXELS + 3, "out"),
        ("layerwise", True, (8 + 24) * PIXELS, "up"),
        ("liveness", True, (8 + 24 + 8) * PIXELS, "down"),
        ("training", True, (4 + 8 + 24 + 8) * PIXELS + 3, "out"),
    ],
)
def test_the_peak_of_a_residual_block_by_hand(policy, in_place, numbers, at):
    found = by_hand(RESIDUAL, policy, in_place=in_place)
    assert found.peak == 4 * numbers
    assert found.at[0].split("/")[-1] == at


def test_a_view_lies_in_its_input_and_what_is_read_twice_is_not_written_over():
    stored = layout(archspec.loads(RESIDUAL).expand(), in_place=True)
    names = {
        node.name: stored.storages[number].name
        for node, number in zip(stored.network.nodes, stored.written, strict=True)
    }
    assert names["flatten"] == names["add"] == "deep/down"
    assert names["deep/bent"] == "deep/up"
    assert names["short/identity"] == names["wide"] == "wide"
    assert len(stored.storages) == 5


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ("[relu, relu]", 64 + 64),  # the network's input is its caller's, its result is its caller's too
        ("[relu, relu, relu]", 64 + 64),
        ("[relu, {split: {sections: 2, index: 0}}, relu, relu]", 64 + 64),
        ("[relu, flatten, relu, identity]", 64 + 64),
    ],
)
def test_in_place_neither_the_input_nor_the_result_is_written_over(body, numbers):
    text = f"{{archspec: 1, name: n, input: [4, 4, 4], network: {body}}}"
    assert peak_bytes(archspec.loads(text).expand(), "liveness", "int8", in_place=True) == numbers


def test_halves_of_a_split_keep_the_whole_alive():
    text = """
archspec: 1
name: halves
input: [8, 4, 4]
network:
  - {relu, as: whole}
  - {split: {sections: 2, index: 1}, as: half}
  - {conv2d: {out_channels: 1, kernel_size: 1}, as: last}
"""
    found = by_hand(text)
    assert found.alive("last") == ("whole", "last")
    assert [moment.bytes for moment in found.timeline] == [4 * 2 * 128, 4 * 128, 4 * (128 + 16)]


@pytest.mark.parametrize(("dtype", "bits"), DTYPES.items())
def test_bytes_are_those_of_the_type_packed_if_it_has_one_bit(dtype, bits):
    text = "{archspec: 1, name: n, input: [7], network: [{linear: {out_features: 5}}]}"
    found = by_hand(text, dtype=dtype)
    assert found.peak == -(-7 * bits // 8) + -(-5 * bits // 8)
    weighed = by_hand(text, dtype=dtype, weights=True)
    assert weighed.weight_bytes == -(-35 * bits // 8) + -(-5 * bits // 8)
    assert weighed.peak == found.peak + weighed.weight_bytes


def test_one_bit_weights_stay_one_bit():
    found = archspec.load("binary_convolution").memory(weights=True)
    assert found.weight_bytes == 256 * 256 * 9 // 8 + 256 * 4


def test_binary_convolutions_of_vectors_and_batches_scale():
    one, eight = (archspec.load("lenet_300_100").memory("liveness", batch=n).peak for n in (1, 8))
    assert eight == 8 * one == 8 * 4 * (784 + 300)


# ------------------------------------------------------------------ against a simulation that knows no tricks


def drawn(seed, longest):
    """A network of small layers whose results are read at random, and one result that reads what nobody has."""
    random = Random(seed)  # noqa: S311  # drawn tests need no secrets
    lines, names = [], ["input"]
    for number in range(random.randint(3, longest)):
        source, name = random.choice(names[-4:]), f"n{number}"
        kind = random.choice(["conv", "conv", "relu", "add", "view"])
        call = {
            "conv": f"{{conv2d: {{out_channels: {random.randint(1, 9)}, kernel_size: 1}}, as: {name}}}",
            "relu": f"{{relu, as: {name}}}",
            "view": f"{{identity, as: {name}}}",
            "add": f"{{add: [[{{from: {source}}}, {{conv2d: {{out_channels: 3, kernel_size: 1}}}}],"
            f" [{{from: {random.choice(names)}}}, {{conv2d: {{out_channels: 3, kernel_size: 1}}}}]], as: {name}}}",
        }[kind]
        lines += [*([] if kind == "add" else [f"{{from: {source}}}"]), call]
        names.append(name)
    body = "\n".join(f"  - {line}" for line in lines)
    return archspec.loads(f"archspec: 1\nname: drawn\ninput: [3, 2, 2]\nnetwork:\n{body}\n").expand()


def simulated(network, order):
    """The peak in numbers: a tensor from the node that makes it to the last that reads it, views as their source."""
    source = {"input": "input"}
    for node in network.nodes:
        source[node.name] = source[node.inputs[0]] if node.operator.view else node.name
    made = {"input": -1} | {node.name: step for step, node in enumerate(order)}
    last = dict.fromkeys(source, -1)
    for step, node in enumerate(order):
        for name in (*node.inputs, node.name):
            last[source[name]] = max(last[source[name]], step)
    last[source[network.output]] = len(order)
    return max(
        sum(network.tensor(name).elements for name in set(source.values()) if made[name] <= step <= last[name])
        for step in range(len(order))
    )


def orders(network):
    """All orders in which the nodes can run."""

    def grow(done, names):
        if len(done) == len(network.nodes):
            yield tuple(done)
        for node in network.nodes:
            if node.name not in names and all(name in names for name in node.inputs):
                yield from grow([*done, node], names | {node.name})

    return grow([], {"input"})


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("seed", range(40))
def test_liveness_is_what_a_plain_simulation_finds(seed):
    network = drawn(seed, 14)
    assert peak_bytes(network, "liveness", "int8") == simulated(network, network.nodes)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("seed", range(40))
def test_the_best_order_is_the_best_of_all_orders(seed):
    network = drawn(seed, 5)
    found = memory(network, "liveness", order="best")
    assert found.optimal
    by_name = {node.name: node for node in network.nodes}
    assert 4 * simulated(network, [by_name[name] for name in found.order]) == found.peak
    assert found.peak == 4 * min(simulated(network, order) for order in orders(network))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("seed", range(25))
def test_no_policy_and_no_choice_breaks_the_order_among_them(seed):
    network = drawn(seed, 20)
    layer, live, eager, kept = (peak_bytes(network, policy) for policy in POLICIES)
    assert layer <= live <= eager <= kept
    assert peak_bytes(network, "liveness", in_place=True) <= live
    assert peak_bytes(network, "liveness", order="best") <= live
    assert peak_bytes(network, "liveness", order="best", in_place=True) <= peak_bytes(network, "liveness", order="best")


@pytest.mark.parametrize("seed", range(10))
def test_a_search_cut_short_gives_an_order_that_runs_and_is_no_worse_than_the_given(seed):
    network = drawn(seed, 20)
    stored = layout(network)
    sizes = tuple(storage.elements for storage in stored.storages)
    for work in (0, 40):
        found = schedule.best_order(stored, sizes, max_work=work)
        assert sorted(found.order) == list(range(len(network.nodes)))
        nodes = [network.nodes[position] for position in found.order]
        seen = {"input"}
        for node in nodes:
            assert set(node.inputs) <= seen
            seen.add(node.name)
        assert simulated(network, nodes) <= simulated(network, network.nodes)


def test_an_order_in_which_branches_shrink_first_saves_memory():
    branch = "[{conv2d: {out_channels: 64, kernel_size: 1}}, {conv2d: {out_channels: 1, kernel_size: 1}}]"
    text = "{archspec: 1, name: n, input: [1, 4, 4], network: [" + f"{{concat: [{', '.join([branch] * 3)}]}}]}}"
    network = archspec.loads(text).expand()
    found = memory(network, "liveness", order="best")
    assert found.peak == memory(network, "liveness").peak == 4 * 16 * (2 + 64 + 1)
    wide = [node.name for node in network.nodes if node.output.shape[1] == 64]
    narrow = [node.name for node in network.nodes if node.output.shape[1] == 1]
    by_name = {node.name: node for node in network.nodes}
    worst = [by_name[name] for name in (*wide, *narrow, "concat")]
    assert simulated(network, worst) == 16 * (3 * 64 + 1)


def test_the_branch_that_needs_room_goes_before_the_one_that_leaves_much():
    text = """
archspec: 1
name: two_branches
input: [1, 4, 4]
network:
  - concat:
      large: [{conv2d: {out_channels: 64, kernel_size: 1}}]
      narrowed: [{conv2d: {out_channels: 64, kernel_size: 1}}, {conv2d: {out_channels: 1, kernel_size: 1}}]
"""
    given, best = (by_hand(text, order=order) for order in ("given", "best"))
    assert given.peak == 4 * 16 * max(1 + 64 + 64, 64 + 64 + 1, 64 + 1 + 65)
    assert best.peak == 4 * 16 * max(1 + 64, 1 + 64 + 1, 1 + 1 + 64, 1 + 64 + 65)
    concat_apart = [moment.bytes for moment in best.timeline[:-1]]
    assert max(concat_apart) == 4 * 16 * 66 < max(moment.bytes for moment in given.timeline[:-1])


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_wide_network_is_searched_in_bounded_time():
    branch = "[{conv2d: {out_channels: 9, kernel_size: 1}}, {conv2d: {out_channels: 7, kernel_size: 1}}, relu]"
    text = "{archspec: 1, name: n, input: [1, 4, 4], network: [" + f"{{concat: [{', '.join([branch] * 30)}]}}]}}"
    found = by_hand(text, order="best")
    assert found.peak <= by_hand(text).peak


# ------------------------------------------------------------------ symbols and arrays


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "free", "most"),
    [
        ("mobilenet", ("alpha", "side"), 7),
        ("mobilenet_v2", ("alpha", "side"), 10),
        ("resnet50", ("side", "classes"), 12),
        ("alexnet", ("side",), 8),
        ("googlenet", ("side",), 10),
        ("shufflenet", ("side",), 8),
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_peak_over_symbols_is_that_of_the_numbers(name, free, most, policy):
    arch, random = archspec.load(name), Random(f"{name}{policy}")  # noqa: S311  # likewise
    found = arch.memory(policy, free=free)
    more = {"eager": 2}.get(policy, 0)  # what is handed to a block is held beside its layers
    assert len(getattr(found.peak, "args", ())) <= most + more or policy == "training"
    for _ in range(12):
        values = {"side": random.randint(67, 400), "alpha": Fraction(random.randint(8, 64), 32), "classes": 7}
        values = {symbol: values[symbol] for symbol in free}
        numbers = {letter: sympy.Rational(values[letter.name]) for letter in found.peak.free_symbols}
        bound = arch.memory(policy, **values)
        assert int(found.peak.subs(numbers)) == bound.peak
        assert set(bound.at) & set(found.at)


def test_the_peak_of_mobilenet_is_one_maximum_of_its_resolutions():
    peak = str(archspec.load("mobilenet").memory(free=("alpha", "side"), dtype="int8").peak)
    assert "2*⌈side/2⌉**2*⌊64*alpha⌋" in peak
    assert "2*⌈side/32⌉**2*⌊1024*alpha⌋" in peak


def test_a_sweep_over_an_array_is_that_of_each_number():
    import numpy as np

    sides = np.array([96, 224, 320])
    found = archspec.load("mobilenet").memory("liveness", side=sides)
    assert found.peak.tolist() == [
        archspec.load("mobilenet").memory("liveness", side=side).peak for side in (96, 224, 320)
    ]
    assert found.at


REPEATED = """
archspec: 1
name: repeated
symbols:
  n: {default: 3}
input: [4, 8, 8]
network:
  - {conv2d: {out_channels: 2, kernel_size: 1}, as: stem}
  - repeat: n
    as: body
    body:
      - add:
          deep: [{conv2d: {out_channels: 16, kernel_size: 1}}, relu, {conv2d: {out_channels: 8, kernel_size: 1}}]
          short: [{conv2d: {out_channels: 8, kernel_size: 1}}]
      - relu
  - global_avg_pool
"""


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("in_place", [False, True])
def test_a_repeat_of_any_number_of_units_is_that_of_each_number(policy, in_place):
    arch = archspec.loads(REPEATED)
    with recording() as conditions:
        found = arch.memory(policy, free="n", in_place=in_place, weights=True).peak
    assert "n - 1 ≥ 1" in " ".join(map(str, conditions))
    for n in (2, 3, 5):
        exact = arch.memory(policy, n=n, in_place=in_place, weights=True).peak
        assert sympy.sympify(found).subs(sympy.Symbol("n", positive=True, integer=True), n) == exact


def test_what_every_unit_of_a_repeat_keeps_alive_wants_their_number():
    text = REPEATED.replace("short: [{conv", "short: [{from: stem}, {conv")
    arch = archspec.loads(text)
    with pytest.raises(UndecidableError, match="keeps 'stem' alive; bind n - 1"):
        arch.memory("liveness", free="n")
    assert arch.memory("layerwise", free="n").peak == arch.memory("layerwise", n=4).peak


# ------------------------------------------------------------------ what is refused, and the command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"policy": "livenes"}, "no policy 'livenes'; did you mean 'liveness'"),
        ({"dtype": "int4"}, "no type 'int4'; did you mean 'int8'"),
        ({"order": "random"}, "no order 'random'; there are given, best"),
    ],
)
def test_a_word_that_is_none_is_refused(options, message):
    with pytest.raises(UnknownNameError, match=message):
        archspec.load("lenet_5").memory(**options)


def test_the_best_order_over_free_symbols_is_refused():
    with pytest.raises(ArchspecError, match="bind the free symbols, or take the given order"):
        archspec.load("mobilenet").memory("liveness", order="best", free="side")


def test_what_is_alive_at_a_node_is_named():
    found = archspec.loads(RESIDUAL).memory("liveness")
    assert found.alive("deep/bent") == ("wide", "deep/up", "deep/bent")
    assert archspec.loads(RESIDUAL).memory().alive("deep/bent") == ("deep/up", "deep/bent")
    with pytest.raises(KeyError):
        found.alive("nobody")


def run(*arguments):
    return CliRunner().invoke(app, ["memory", *arguments])


def test_the_command_prints_the_peak_its_place_and_the_timeline():
    done = run("mobilenet_v2", "--policy", "liveness", "--set", "alpha=0.5")
    assert done.exit_code == 0
    first, *_ = done.output.splitlines()
    assert first.startswith("mobilenet_v2: 4,816,896 bytes (4.6 MiB) at bottleneck2/unit1/residual/expand/batch_norm")
    assert "liveness: what is alive while a node runs; float32; the network's order" in done.output
    assert "█" in done.output


@pytest.mark.parametrize("form", ["markdown", "csv", "json"])
def test_the_command_writes_for_papers_and_machines(form):
    done = run("lenet_5", "--format", form, "--order", "best", "--in-place", "--weights", "--policy", "liveness")
    found = archspec.load("lenet_5").memory("liveness", order="best", in_place=True, weights=True)
    assert done.exit_code == 0
    if form == "json":
        data = json.loads(done.output)
        assert (data["peak"], data["at"]) == (found.peak, list(found.at))
        assert [row["node"] for row in data["timeline"]] == list(found.order)
    elif form == "csv":
        rows = [line.split(",") for line in done.output.splitlines()[1:]]
        assert max(int(row[-1]) for row in rows) == found.peak
    else:
        assert done.output.startswith("**lenet_5: ")


def test_the_command_says_by_which_order_and_with_what():
    done = run(
        "inception_module", "--order", "best", "--in-place", "--weights", "--policy", "liveness", "--by", "layer"
    )
    said = " ".join(done.output.split())
    assert "no order needs less; weights " in said
    assert "written in place where nothing else reads" in said


def test_the_command_refuses_with_exit_2():
    assert run("lenet_5", "--policy", "all").exit_code == 2
    assert run("lenet_5", "--set", "nobody=3").exit_code == 2
