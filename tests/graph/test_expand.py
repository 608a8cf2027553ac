"""From a specification to a network: every feature of the language, and every way to get it wrong."""

# ruff: noqa: E501  # a case is a row, however long

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

from archspec import dims, graph, language, ops
from archspec.errors import BindingError, SpecErrors
from archspec.graph import expansion
from archspec.language import Document
from archspec.ops import Tensor

HEAD = "archspec: 1\nname: x\ninput: [3, 32, 32]\n"
"""Three lines; what a test adds begins in the fourth."""

SYMBOLS = """archspec: 1
name: x
symbols:
  side:  {default: 32, range: [8, 64]}
  alpha: {default: 1, range: [1/4, 2]}
  act:   {default: relu, choices: [relu, relu6]}
input: [3, side, side]
"""


def expand(text, **bindings):
    free = bindings.pop("free", ())
    return graph.expand(language.loads(text, "f"), bindings, free=free)


def shapes(network):
    """The name of every node and the shape it gives, without the batch."""
    return {node.name: str(node.output) for node in network.nodes}


def faults(text, **bindings):
    with pytest.raises(SpecErrors) as caught:
        expand(text, **bindings)
    return [str(error).split("\n")[0].removeprefix("f:") for error in caught.value.errors]


# ---------------------------------------------------------------- steps


def test_steps_follow_one_another_and_are_called_after_their_operators():
    network = expand(HEAD + "network: [{conv2d: {out_channels: 8, kernel_size: 3}}, relu, relu, {relu, as: last}]\n")
    assert shapes(network) == {"conv2d": "8×30×30", "relu": "8×30×30", "relu_2": "8×30×30", "last": "8×30×30"}
    assert [node.inputs for node in network.nodes] == [("input",), ("conv2d",), ("relu",), ("relu_2",)]
    assert (network.name, network.output, str(network.input), network.batch) == ("x", "last", "3×32×32", 1)


def test_a_name_that_is_taken_gets_a_number_until_one_is_free():
    network = expand(HEAD + "network: [relu, {relu, as: relu_2}, relu, relu]\n")
    assert list(shapes(network)) == ["relu", "relu_2", "relu_2_2", "relu_3"]


def test_a_first_layer_may_not_take_the_name_of_the_input():
    assert faults(HEAD + "network: [{relu, as: input}]\n") == [
        "4:22: as: the name 'input' is already taken here; choose another"
    ]
    assert list(shapes(expand(HEAD + "blocks: {b: {body: [{relu, as: input}]}}\nnetwork: [b]\n"))) == ["b/input"]


def test_an_operator_sees_the_sizes_of_what_flows_in():
    text = "network: [{conv2d: {out_channels: 2 * in_channels, kernel_size: [in_height, in_width // 2]}}, flatten, {linear: {out_features: in_channels // 2}}]\n"
    assert shapes(expand(HEAD + text)) == {"conv2d": "6×1×17", "flatten": "102", "linear": "51"}


def test_a_vector_has_no_height():
    assert faults(HEAD + "network:\n  - flatten\n  - linear: {out_features: in_height}\n") == [
        "6:28: what flows in here is not an image and has no height"
    ]


@pytest.mark.parametrize(("sizes", "in_channels"), [("[7]", 7), ("[5, 7]", 7), ("[3, 4, 5]", 3), ("[2, 3, 4, 5]", 5)])
def test_the_channels_of_vectors_and_sequences_come_last_and_those_of_images_first(sizes, in_channels):
    text = f"archspec: 1\nname: x\ninput: {sizes}\nnetwork: [{{when: in_channels == {in_channels}, then: [relu], else: [gelu]}}]\n"
    assert list(shapes(expand(text))) == ["relu"]


def test_lists_words_and_truth_values_reach_the_operator():
    network = expand(
        HEAD + "network: [{conv2d: {out_channels: 8, kernel_size: [1, 3], padding: same, bias: 1 == 2}}]\n"
    )
    assert network.nodes[0].operator == ops.operator("conv2d")(
        out_channels=8, kernel_size=(1, 3), padding="same", bias=False
    )


def test_split_gives_the_parts_of_the_channels():
    text = (
        HEAD
        + "network:\n  - {identity, as: x}\n  - {split: {sections: [1, 2], index: 1}}\n  - concat:\n      - [{from: x}]\n      - [identity]\n"
    )
    assert shapes(expand(text)) == {
        "x": "3×32×32",
        "split": "2×32×32",
        "branch2/identity": "2×32×32",
        "concat": "5×32×32",
    }


# ---------------------------------------------------------------- blocks


BLOCK = """blocks:
  conv:
    args: {c: 2 * in_channels, k: c // 3, half: k / 2, bias: false}
    let: {p: floor(half), pair: [k, k]}
    body:
      - conv2d: {out_channels: c, kernel_size: pair, padding: p, bias: bias}
      - relu
"""


def test_defaults_depend_on_the_input_and_on_arguments_before_them():
    network = expand(HEAD + BLOCK + "network: [conv, {conv: {k: 3, half: 3/2}, as: second}]\n")
    assert shapes(network) == {
        "conv/conv2d": "6×33×33",
        "conv/relu": "6×33×33",
        "second/conv2d": "12×33×33",
        "second/relu": "12×33×33",
    }
    first, _, second, _ = (node.operator for node in network.nodes)
    assert (first.kernel_size, first.padding, first.bias) == ((2, 2), 1, False)
    assert (second.kernel_size, second.padding) == ((3, 3), 1)


def test_a_node_knows_the_outermost_block_it_belongs_to_and_its_stage():
    text = (
        HEAD
        + "blocks: {inner: {body: [relu]}, outer: {body: [inner, gelu]}}\nnetwork: [{outer, as: o}, relu, {body: [relu, inner], as: g}]\n"
    )
    assert [(n.name, n.block, n.kind, n.stage) for n in expand(text).nodes] == [
        ("o/inner/relu", "o", "outer", "o"),
        ("o/gelu", "o", "outer", "o"),
        ("relu", "relu", "relu", "relu"),
        ("g/relu", "g/relu", "relu", "g"),
        ("g/inner/relu", "g/inner", "inner", "g"),
    ]


def test_a_block_sees_the_symbols_and_lets_of_the_document_but_not_those_of_its_caller():
    text = (
        SYMBOLS
        + "let: {wide: alpha * 8}\nblocks: {b: {args: {c: wide}, body: [{conv2d: {out_channels: c, kernel_size: 1}}]}}\nnetwork: [{let: {wide: 100}, body: [b]}]\n"
    )
    assert shapes(expand(text, alpha=2)) == {"b/conv2d": "16×32×32"}


def test_the_input_of_a_block_is_its_own():
    text = HEAD + "blocks: {b: {body: [relu, {from: input}, gelu]}}\nnetwork: [sigmoid, b, {from: input}, tanh]\n"
    assert [(n.name, n.inputs) for n in expand(text).nodes] == [
        ("sigmoid", ("input",)),
        ("b/relu", ("sigmoid",)),
        ("b/gelu", ("sigmoid",)),
        ("tanh", ("input",)),
    ]


def test_use_takes_the_name_of_an_operator_or_block_from_an_expression():
    text = (
        SYMBOLS
        + "blocks:\n  b: {args: {a: required}, body: [{use: a}]}\n  c: {args: {p: 3}, body: [relu]}\nnetwork: [{b: {a: act}}, {use: c, with: {p: 4}}, {use: dropout, with: {p: 1/2}, as: d}]\n"
    )
    assert list(shapes(expand(text))) == ["b/relu", "c/relu", "d"]
    assert list(shapes(expand(text, act="relu6"))) == ["b/relu6", "c/relu", "d"]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ("{use: act}", "7:17: use: '3' is not an operator or a block; give the name of one"),
        ("{use: add}", "7:17: use: 'add' takes branches: add: [[…], […]]"),
        ("{use: conv2d}", "7:11: 'conv2d' needs 'out_channels' and 'kernel_size'"),
        ("{use: dropout, with: {q: 3}}", "7:33: 'dropout' has no argument 'q'; it takes p"),
        ("{use: relu, with: {q: 3}}", "7:30: 'relu' has no argument 'q'; it takes none"),
    ],
)  # fmt: skip
def test_what_use_names_must_exist_and_take_what_it_is_given(step, fault):
    text = f"archspec: 1\nname: x\nsymbols: {{}}\nlet: {{act: 3}}\ninput: [3, 32, 32]\nblocks: {{b: {{body: [relu]}}}}\nnetwork: [{step}]\n"
    assert faults(text) == [fault]


def test_a_value_that_use_hands_over_twice_is_a_fault():
    blocks = "blocks: {b: {inputs: [skip], body: [{add, from: [input, skip]}]}}\n"
    step = "{use: b, with: {skip: a}, from: [a, a]}"
    assert faults(f"{HEAD}{blocks}network: [{{relu, as: a}}, {step}]\n") == ["5:42: 'b' takes 'skip' by 'from' already"]


# ---------------------------------------------------------------- groups, let, conditions, repetition


def test_a_group_puts_its_nodes_under_its_name_and_is_one_value():
    text = (
        HEAD
        + "network:\n  - {let: {c: 8}, as: stem, body: [{conv2d: {out_channels: c, kernel_size: 1}}, relu]}\n  - body: [relu]\n  - add: [[{from: stem}], [identity]]\n"
    )
    network = expand(text)
    assert list(shapes(network)) == ["stem/conv2d", "stem/relu", "relu", "branch2/identity", "add"]
    assert network.node("add").inputs == ("stem/relu", "branch2/identity")


def test_names_of_a_group_without_a_name_do_not_clash_with_those_around_it():
    assert list(shapes(expand(HEAD + "network: [relu, {body: [relu]}, relu]\n"))) == ["relu", "relu_2", "relu_3"]


def test_lets_are_worked_out_in_order_from_functions_and_lookups():
    text = """archspec: 1
name: x
symbols: {g: {default: 3, choices: [1, 3]}, w: {default: thin, choices: [thin, wide]}}
functions: {twice(c): 2 * c, four(c): twice(twice(c)), one(): 1}
lookups:
  channels: {columns: [groups, stage2, stage3], rows: [[1, 144, 288], [3, 240, 480]]}
  factor: {columns: [width, f], rows: [[thin, 1/2], [wide, 2]]}
let: {a: "channels(g, stage2)", b: "four(channels(g, stage3)) * factor(w)"}
input: [3]
network: [{linear: {out_features: b + one()}}]
"""
    assert shapes(expand(text)) == {"linear": f"{4 * 480 // 2 + 1}"}
    assert shapes(expand(text, g=1, w="wide")) == {"linear": f"{4 * 288 * 2 + 1}"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("f(7)", "f has no row 7; it has 1, 2, in 'f(7)'"),
        ("f(1 == 1)", "f has no row True; it has 1, 2, in 'f(1 == 1)'"),
        ("f(relu)", "f has no row relu; it has 1, 2, in 'f(relu)'"),
        ("g(1, relu)", "g has no column relu; it has b, c, in 'g(1, relu)'"),
        ("g(1, a)", "g has no column a; it has b, c, in 'g(1, a)'"),
        ("g(1, 1 == 1)", "g has no column True; it has b, c, in 'g(1, 1 == 1)'"),
    ],
)
def test_a_lookup_without_such_a_row_or_column_says_what_there_is(call, message):
    tables = "lookups: {f: {columns: [a, b], rows: [[1, 10], [2, 20]]}, g: {columns: [a, b, c], rows: [[1, 10, 20]]}}\n"
    assert faults(HEAD + tables + f"network: [flatten, {{linear: {{out_features: '{call}'}}}}]\n") == [
        f"5:44: {message}"
    ]


def test_a_lookup_by_a_free_symbol_or_an_array_asks_for_a_value():
    text = "archspec: 1\nname: x\nsymbols: {a: {default: 1}}\nlookups: {f: {columns: [k, v], rows: [[1, 10]]}}\ninput: [3]\nnetwork: [{linear: {out_features: f(a)}}]\n"
    assert faults(text, a=np.array([1, 1])) == ["6:35: f is a table; bind [1 1] to one value to look it up, in 'f(a)'"]


WHEN = "network: [{when: side > 32, then: [relu], else: [gelu]}, {when: side > 32, then: [relu]}, identity]\n"


def test_conditions_choose_and_leave_no_trace_in_names():
    assert list(shapes(expand(SYMBOLS + WHEN, side=64))) == ["relu", "relu_2", "identity"]
    assert list(shapes(expand(SYMBOLS + WHEN))) == ["gelu", "identity"]


def test_a_condition_that_is_none_is_refused():
    assert faults(SYMBOLS + "network: [{when: side, then: [relu]}]\n") == ["8:18: expected a condition, found 32"]


def test_a_condition_that_free_symbols_leave_open_is_decided_as_their_defaults_decide_it():
    network = expand(SYMBOLS + WHEN, free=["side", "alpha"])
    assert list(shapes(network)) == ["gelu", "identity"]
    assert list(map(str, network.conditions)) == ["side ≤ 32"]
    with dims.recording({"side": 48}):
        network = expand(SYMBOLS + WHEN, free=["side", "alpha"])
    assert list(shapes(network)) == ["relu", "relu_2", "identity"]
    assert list(map(str, network.conditions)) == ["side > 32"]


def test_a_condition_on_a_symbol_without_a_default_is_refused_by_its_name():
    with dims.recording({}):
        found = faults(SYMBOLS + WHEN, free=["side", "alpha"])
    assert found == ["8:18: cannot decide 'side > 32': whether 32 < side depends on the free symbol side; bind it"]


def test_a_repetition_numbers_its_units_and_counts_from_zero():
    text = (
        HEAD
        + "network:\n  - {repeat: 2, index: i, body: [{conv2d: {out_channels: 8 + i, kernel_size: 1}}]}\n  - {repeat: 2, as: r, body: [{repeat: 1, body: relu}]}\n  - {repeat: 0, body: [relu]}\n  - add: [[{from: r}], [identity]]\n"
    )
    assert shapes(expand(text)) == {
        "repeat/unit1/conv2d": "8×32×32",
        "repeat/unit2/conv2d": "9×32×32",
        "r/unit1/repeat/unit1/relu": "9×32×32",
        "r/unit2/repeat/unit1/relu": "9×32×32",
        "branch2/identity": "9×32×32",
        "add": "9×32×32",
    }


@pytest.mark.parametrize(
    ("times", "found"), [("side / 3", "32/3"), ("-side", "-32"), ("side * 1000", "32000"), ("act", "relu")]
)
def test_only_a_whole_number_of_times_can_be_repeated(times, found):
    assert faults(SYMBOLS + f"network: [{{repeat: {times}, body: [relu]}}]\n") == [
        f"8:20: repeat must be a whole number from 0 to 10,000 (got {found})"
    ]


# ---------------------------------------------------------------- branches and skips


def test_branches_are_joined_in_order_under_their_names_or_numbers():
    text = (
        HEAD
        + "network:\n  - concat: {a: [{conv2d: {out_channels: 4, kernel_size: 1}}], b: relu}\n  - concat: [relu, identity]\n"
    )
    network = expand(text)
    assert shapes(network) == {
        "a/conv2d": "4×32×32",
        "b/relu": "3×32×32",
        "concat": "7×32×32",
        "branch1/relu": "7×32×32",
        "branch2/identity": "7×32×32",
        "concat_2": "14×32×32",
    }
    assert network.node("concat").inputs == ("a/conv2d", "b/relu")
    assert network.node("concat_2").inputs == ("branch1/relu", "branch2/identity")


def test_concat_may_join_along_another_axis():
    assert shapes(expand(HEAD + "network: [{concat: [relu, relu], dim: 1 + 1}]\n"))["concat"] == "3×64×32"


def test_a_branch_that_does_nothing_vanishes_and_with_one_branch_the_join():
    text = (
        HEAD
        + "network:\n  - add: [[{when: in_channels == 4, then: [identity]}], [relu]]\n  - {mul: [[{repeat: 0, body: gelu}], [gelu], [sigmoid]], as: m}\n"
    )
    assert list(shapes(expand(text))) == ["branch2/relu", "branch2_2/gelu", "branch3/sigmoid", "m"]


def test_a_join_without_any_branch_left_is_refused():
    assert faults(HEAD + "network:\n  - add: [[{when: in_channels == 4, then: [relu]}]]\n") == [
        "5:5: no branch of add does anything; write [identity] to pass the input on"
    ]


def test_the_same_value_added_twice_is_two_inputs():
    network = expand(HEAD + "network: [{relu, as: x}, {add: [[{from: x}], [{from: x}]]}]\n")
    assert network.node("add").inputs == ("x", "x")
    edges = network.digraph().edges(data="position")
    assert sorted(edges) == [("input", "x", 0), ("x", "add", 0), ("x", "add", 1)]


def test_a_branch_may_pass_the_input_on_by_its_name():
    network = expand(HEAD + "network: [{add: [[{from: input}], [relu]]}]\n")
    assert network.node("add").inputs == ("input", "branch2/relu")


def test_a_far_value_is_found_by_its_name_out_of_branches_groups_and_repetitions():
    network = expand(
        HEAD
        + "network:\n  - add: [[{body: [{relu, as: near}], as: g}], [gelu]]\n  - sigmoid\n  - add: [[{from: near}], [{from: g}], [identity]]\n"
    )
    assert network.node("add_2").inputs == ("branch1/g/near", "branch1/g/near", "branch3/identity")


def test_a_name_in_a_repetition_is_that_of_its_last_unit():
    network = expand(HEAD + "network: [{repeat: 3, body: [{relu, as: a}]}, gelu, {from: a}, tanh]\n")
    assert network.node("tanh").inputs == ("repeat/unit3/a",)


def test_a_name_that_only_comes_later_is_refused():
    assert faults(HEAD + "network: [relu, {from: later}, {gelu, as: later}]\n") == [
        "4:24: from: nothing before this is called 'later'"
    ]


def test_a_network_may_end_at_an_earlier_value():
    assert expand(HEAD + "network: [{relu, as: a}, gelu, {from: a}]\n").output == "a"


def test_a_name_given_twice_is_refused_and_does_not_hide_other_faults():
    text = HEAD + "network:\n  - {relu, as: a}\n  - {gelu, as: a}\n  - {linear: {out_features: 3}}\n"
    assert faults(text) == [
        "6:16: as: the name 'a' is already taken here; choose another",
        "7:5: linear: linear takes vectors, found an image of 3×32×32; put flatten or global_avg_pool before it",
    ]


# ---------------------------------------------------------------- tables


TABLE = """functions: {half(c): floor(alpha * c / 2)}
blocks:
  unit:
    args: {c: required, s: 1, k: 3}
    body: [{conv2d: {out_channels: c, kernel_size: k, stride: s, padding: same}}]
network:
  - table:
      columns: [as, block, {c: half(c)}, n, s, k]
      repeat: n
      after_first: {s: 1}
      rows:
        - [one, unit, 16, 2, 2, ~]
        - [~, unit, 32, alpha, 1, 5]
        - [~, max_pool, ~, 1, ~, 2]
"""


def table(text=TABLE, **bindings):
    text = SYMBOLS + text.replace(
        "blocks:\n", "blocks:\n  max_pool: {args: {k: 2}, body: [{max_pool2d: {kernel_size: k}}]}\n"
    )
    return expand(text, **bindings)


def test_a_row_is_a_layer_repeated_with_its_numbers_as_the_header_says():
    network = table()
    assert shapes(network) == {
        "one/unit1/conv2d": "8×16×16",
        "one/unit2/conv2d": "8×16×16",
        "unit/unit1/conv2d": "16×16×16",
        "max_pool/unit1/max_pool2d": "16×8×8",
    }
    assert [node.operator.stride for node in network.nodes[:2]] == [2, 1]  # after_first
    assert [node.operator.kernel_size for node in network.nodes[:3]] == [3, 3, 5]  # an empty cell leaves the default
    assert network.nodes[0].block == "one/unit1"
    assert network.nodes[0].kind == "unit"


def test_a_table_tells_what_was_printed_and_what_was_built():
    rows = table(alpha=2).traces
    assert [row.name for row in rows] == ["one", "unit", "max_pool"]
    assert rows[0].columns == ("as", "block", "c", "n", "s", "k")
    assert (rows[0].nominal["c"], rows[0].built["c"]) == (16, 16)
    assert (rows[1].nominal["n"], rows[0].nominal["k"]) == (2, None)
    assert "k" not in rows[0].built
    assert (str(rows[0].input), str(rows[0].output), str(rows[1].output)) == ("3×32×32", "16×16×16", "32×16×16")
    assert len({row.table for row in rows}) == 1


def test_what_changes_after_the_first_is_built_by_the_header_again():
    text = (
        HEAD
        + "network: [{table: {block: conv2d, columns: [{out_channels: out_channels * 2}, kernel_size, n], repeat: n, after_first: {out_channels: 5}, rows: [[4, 1, 3]]}}]\n"
    )
    assert list(shapes(expand(text)).values()) == ["8×32×32", "10×32×32", "10×32×32"]


def test_a_header_may_use_the_other_columns_of_its_row():
    text = (
        HEAD
        + "network: [{table: {columns: [operator, out_channels, {kernel_size: kernel_size + out_channels}], rows: [[conv2d, 2, 1]]}}]\n"
    )
    assert shapes(expand(text)) == {"conv2d": "2×30×30"}


def test_a_row_can_be_gone_on_from_by_its_name():
    network = expand(
        HEAD + "network: [{table: {columns: [as, block], rows: [[a, relu], [b, gelu]]}}, {from: a}, tanh]\n"
    )
    assert network.node("tanh").inputs == ("a",)
    network = expand(
        HEAD
        + "network: [{table: {columns: [as, block, n], repeat: n, rows: [[a, relu, 2], [b, gelu, 1]]}}, {from: a}, tanh]\n"
    )
    assert network.node("tanh").inputs == ("a/unit2",)


def test_rows_without_names_are_called_after_what_they_are_made_of():
    text = (
        HEAD
        + "network: [{table: {columns: [block, n], repeat: n, rows: [[relu, 1], [relu, 2], [gelu, 0], [gelu, 1]]}}, {table: {columns: [block], rows: [[relu]]}}]\n"
    )
    assert list(shapes(expand(text))) == ["relu/unit1", "relu_2/unit1", "relu_2/unit2", "gelu_2/unit1", "relu_3"]


def test_each_wrong_row_that_does_not_follow_a_guess_is_named():
    text = (
        SYMBOLS
        + "network:\n  - table:\n      columns: [as, operator, out_channels, kernel_size, n]\n      repeat: n\n      rows:\n        - [a, conv2d, 8 * alpha, 3, alpha / 3]\n        - [b, conv2d, 8, 3, 1]\n"
    )
    assert faults(text, alpha=2) == ["13:37: n must be a whole number from 0 to 10,000 (got 2/3)"]
    text = (
        SYMBOLS
        + "network:\n  - table:\n      columns: [as, operator, out_channels, kernel_size]\n      rows:\n        - [a, conv2d, 8 - 4 * alpha, 3]\n        - [a, conv2d, 8, 3]\n"
    )
    assert faults(text, alpha=2) == [
        "12:23: a: out_channels must be at least 1 (got 0)",
        "13:12: as: the name 'a' is already taken here; choose another",
    ]


# ---------------------------------------------------------------- faults


def test_shapes_that_do_not_fit_are_all_named_with_their_nodes():
    cases = {
        "{conv2d: {out_channels: 8, kernel_size: 33}}": "conv2d: the kernel spans 33, more than its input's height 32",
        "{conv2d: {out_channels: 4, kernel_size: 1, groups: 2}}": "conv2d: 3 input channels do not divide into 2 groups",
        "{add: [[identity], [{conv2d: {out_channels: 4, kernel_size: 1}}]]}": "add: add needs equal channels: 3 in branch 1, 4 in branch 2",
        "{add: [[identity], [flatten]]}": "add: add needs inputs of as many axes: 3×32×32 in branch 1, 3072 in branch 2",
        "{concat: [[identity], [{conv2d: {out_channels: 4, kernel_size: 3}}]]}": "concat: concat joins channels; height differs: 32 in branch 1, 30 in 2",
        "{linear: {out_features: 3}}": "linear: linear takes vectors, found an image of 3×32×32; put flatten or global_avg_pool before it",
        "{channel_shuffle: {groups: 2}}": "channel_shuffle: 3 channels do not divide into 2 groups",
        "{split: {sections: 2, index: 0}}": "split: 3 channels do not split into 2 equal parts",
        "{body: [{body: [{linear: {out_features: 1}}], as: b}], as: a}": "a/b/linear: linear takes vectors",
    }
    for step, message in cases.items():
        [fault] = faults(HEAD + f"network: [{step}]\n")
        assert message in fault


def test_faults_that_do_not_follow_from_one_another_come_together():
    text = (
        HEAD
        + """blocks:
  wide: {args: {c: required}, body: [{conv2d: {out_channels: c - 8, kernel_size: 0 * c, bias: c == c}}]}
network:
  - add:
      - [{conv2d: {out_channels: 3, kernel_size: 3}}]
      - [{conv2d: {out_channels: 7, kernel_size: 1, groups: 2}}]
      - [{wide: {c: 8}}]
  - linear: {out_features: 3}
"""
    )
    assert faults(text) == [
        "5:62: branch3/wide/conv2d: out_channels must be at least 1 (got 0)",
        "5:82: branch3/wide/conv2d: kernel_size must be at least 1 (got 0)",
        "9:53: branch2/conv2d: 3 input channels do not divide into 2 groups; groups divides both",
    ]  # what add makes of them is a guess, and so is what linear gets


def test_a_fault_in_the_weights_alone_leaves_the_shape_certain():
    text = HEAD + "network:\n  - conv2d: {out_channels: 7, kernel_size: 1, groups: 3}\n  - linear: {out_features: 3}\n"
    assert [fault.split(":")[0] for fault in faults(text)] == ["5", "6"]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ("[0, 1/2, -1]", [f"3:{c}: a size of the input must be a whole number from 1 (got {v})" for c, v in ((9, "0"), (12, "1/2"), (17, "-1"))]),
        ("[1 == 1, 1/0, 3]", ["3:9: a size of the input must be a number (got True)", "3:17: division by zero, in '1/0'"]),
        ("[10**13]", [f"3:9: a size of the input must be a whole number from 1 (got {10**13})"]),
    ],
)  # fmt: skip
def test_sizes_of_the_input_are_whole_numbers(sizes, expected):
    assert faults(f"archspec: 1\nname: x\ninput: {sizes}\nnetwork: [relu]\n") == expected


def test_a_network_without_layers_is_refused():
    assert faults(HEAD + "network: []\n") == ["4:1: the network has no layers"]
    assert faults(HEAD + "network: [{when: in_channels == 4, then: [relu]}]\n") == ["4:1: the network has no layers"]


def test_a_result_too_large_to_be_a_size_is_refused():
    text = HEAD + "network: [flatten, {linear: {out_features: 10**12 + 1}}]\n"
    assert faults(text) == ["4:20: linear: the result 1000000000001 has a size that is not from 1 to 1000000000000"]


def test_a_fault_in_a_function_is_told_where_the_function_stands():
    text = (
        HEAD
        + "functions: {f(c): 'exact_div(c, 2)', g(c): f(c) + 1}\nnetwork: [flatten, {linear: {out_features: g(3)}}]\n"
    )
    assert faults(text) == ["4:19: 3 is not divisible by 2, in 'exact_div(c, 2)'"]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("[{repeat: 10000, body: [{repeat: 10000, body: [relu]}]}]", "the network has more than 20,000 steps"),
        ("[{repeat: 10000, body: [{repeat: 10000, body: [{repeat: 0, body: [relu]}]}]}]", "the network has more than 20,000 steps"),
        ("[{repeat: 10000, body: [{when: 1 == 2, then: [relu]}, {when: 1 == 2, then: [relu]}]}]", "the network has more than 20,000 steps"),
        ("[{table: {columns: [block, n], repeat: n, rows: [[relu, 9000], [relu, 9000], [relu, 9000]]}}]", "the network has more than 20,000 steps"),
        ("[{repeat: 3000, body: [{table: {columns: [block, n], repeat: n, rows: [[relu, 0], [relu, 0], [relu, 0], [relu, 0], [relu, 0], [relu, 0]]}}]}]", "the network has more than 20,000 steps"),
    ],
)  # fmt: skip
def test_a_network_larger_than_any_is_left_at_the_bound(network, message):
    assert [fault.partition(": ")[2] for fault in faults(HEAD + f"network: {network}\n")] == [message]


def test_blocks_nested_too_deep_are_left_at_the_bound():
    blocks = "".join(f"  b{i}: {{body: [b{i - 1}]}}\n" for i in range(1, 100))
    assert faults(HEAD + f"blocks:\n  b0: {{body: [relu]}}\n{blocks}network: [b99]\n") == [
        "44:16: blocks nested more than 60 deep"
    ]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_size_whose_expression_grows_with_every_layer_is_left_at_the_bound():
    k = "ceil_div(9, k)"
    conv = f"{{conv2d: {{out_channels: 4, kernel_size: '{k} + i', stride: '{k}', padding: '({k} + i) // 2'}}}}"
    symbols = "symbols: {k: {default: 9, range: [1, 9]}, side: {default: 64}}"
    text = f"archspec: 1\nname: x\n{symbols}\ninput: [4, side, side]\n"
    document = language.loads(f"{text}network: [{{repeat: 60, index: i, body: [{conv}]}}]\n")
    assert len(graph.expand(document, {}).nodes) == 60
    with pytest.raises(SpecErrors, match="repeat/unit26/conv2d: a size is an expression of more than 500 parts; bind"):
        graph.expand(document, {}, free=["k", "side"])


def test_what_is_just_within_the_bounds_is_built_without_running_out_of_stack():
    functions = "".join(f"  f{i}(c): max(f{i - 1}(c), 1)\n" for i in range(1, 33))
    first = "  b0: {args: {c: 3}, body: [{conv2d: {out_channels: f32(c), kernel_size: 1}}]}\n"
    others = "".join(
        f"  b{i}: {{args: {{c: f32(3)}}, body: [{{add: [[{{b{i - 1}: {{c: f32(c)}}}}], [relu]]}}]}}\n"
        for i in range(1, 29)
    )
    text = f"{HEAD}functions:\n  f0(c): c\n{functions}blocks:\n{first}{others}network: [b28]\n"
    assert len(expand(text).nodes) == 28 * 2 + 1


def test_expressions_that_call_one_another_without_end_are_left_at_the_bound():
    functions = ", ".join(f"f{i}(c): f{i - 1}(c) + f{i - 1}(c)" for i in range(1, 30))
    [fault] = faults(
        HEAD + f"functions: {{f0(c): c, {functions}}}\nnetwork: [flatten, {{linear: {{out_features: f29(1)}}}}]\n"
    )
    assert fault.endswith("the expressions of this specification take too long; do they call one another?")


def test_no_more_faults_are_collected_than_are_shown():
    with pytest.raises(SpecErrors) as caught:
        expand(HEAD + "network:\n  - {relu, as: a}\n" + "  - {relu, as: a}\n" * 100)
    assert len(caught.value.errors) == SpecErrors.shown + 1


def test_a_document_built_in_python_is_expanded_without_places():
    document = Document.model_validate(
        {"archspec": 1, "name": "x", "input": [3, 8, 8], "network": ["relu", {"linear": {"out_features": 2}}]}
    )
    with pytest.raises(SpecErrors, match=r"^linear: linear takes vectors"):
        graph.expand(document)
    empty = Document.model_validate({"archspec": 1, "name": "x", "input": [3], "network": []})
    with pytest.raises(SpecErrors, match=r"^the network has no layers$"):
        graph.expand(empty)


# ---------------------------------------------------------------- bindings


@pytest.mark.parametrize("alpha", ["1/2", "0.5", 0.5, Fraction(1, 2), Decimal("0.5"), " 0.50 "])
def test_a_number_may_be_given_in_any_exact_way(alpha):
    assert expand(SYMBOLS + "network: [relu]\n", alpha=alpha).bindings == {
        "side": 32,
        "alpha": Fraction(1, 2),
        "act": "relu",
    }


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        ({"alhpa": 3}, "'x' has no symbol 'alhpa'; did you mean 'alpha'?"),
        ({"zzz": 3}, "'x' has no symbol 'zzz'; its symbols are side, alpha, act"),
        ({"free": ["zzz"]}, "'x' has no symbol 'zzz'; its symbols are side, alpha, act"),
        ({"alpha": 3}, "alpha must be from 1/4 to 2 (got 3)"),
        ({"side": 7}, "side must be from 8 to 64 (got 7)"),
        ({"side": "8.5"}, "side must be a whole number (got 17/2); with 'type: rational' the symbol takes fractions"),
        ({"side": "x"}, "side: expected a number such as 3, 0.35 or 7/20, found 'x'"),
        ({"side": float("nan")}, "side: expected a number such as 3, 0.35 or 7/20, found 'nan'"),
        ({"side": float("inf")}, "side: expected a number such as 3, 0.35 or 7/20, found 'inf'"),
        ({"side": True}, "side: expected a number, found True"),
        ({"side": None}, "side: expected a number, found None"),
        ({"side": 10**40}, f"side must be from 8 to 64 (got {10**40})"),
        ({"act": "gelu"}, "act must be one of relu, relu6 (got gelu)"),
        ({"act": 3}, "act must be one of relu, relu6 (got 3)"),
        ({"free": ["side"], "side": 8}, "the symbol 'side' cannot be both bound and free"),
        ({"free": ["act"]}, "the symbol 'act' chooses between words and cannot be free"),
        ({"side": np.array([8, 65])}, "side must be from 8 to 64 (got 65)"),
        ({"act": np.array([8])}, "act must be one of relu, relu6 (got 8)"),
    ],
)  # fmt: skip
def test_a_symbol_takes_only_what_it_says(bindings, message):
    with pytest.raises(BindingError) as caught:
        expand(SYMBOLS + "network: [relu]\n", **bindings)
    assert str(caught.value) == message


def test_a_document_without_symbols_says_so():
    with pytest.raises(BindingError, match=r"^'x' has no symbol 'a'; it has no symbols$"):
        expand(HEAD + "network: [relu]\n", a=3)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (0, "the batch must be a whole number from 1 to 1000000000000 (got 0)"),
        ("3/2", "the batch must be a whole number from 1 to 1000000000000 (got 3/2)"),
        (10**13, f"the batch must be a whole number from 1 to 1000000000000 (got {10**13})"),
        ("many", "batch: expected a number such as 3, 0.35 or 7/20, found 'many'"),
        (True, "batch: expected a number, found True"),
    ],
)
def test_a_batch_is_a_whole_number(batch, message):
    with pytest.raises(BindingError) as caught:
        graph.expand(language.loads(HEAD + "network: [relu]\n"), batch=batch)
    assert str(caught.value) == message


def test_the_batch_comes_first_in_every_shape():
    network = graph.expand(language.loads(HEAD + "network: [relu, flatten]\n"), batch="8")
    assert network.batch == 8
    assert [node.output.shape for node in network.nodes] == [(8, 3, 32, 32), (8, 3 * 32 * 32)]


# ---------------------------------------------------------------- symbols and arrays


def test_free_symbols_run_through_all_shapes():
    text = (
        SYMBOLS
        + "network: [{conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: same}}, flatten, {linear: {out_features: 10 * alpha}}]\n"
    )
    network = expand(text, free=["side"])
    assert shapes(network)["conv2d"] == "8×⌈side/2⌉×⌈side/2⌉"
    assert isinstance(network.bindings["side"], sympy.Symbol)
    assert network.bindings["side"].is_integer
    assert not network.conditions
    at_9 = network.node("flatten").output.shape[1].subs(network.bindings["side"], 9)
    assert at_9 == 8 * 5 * 5


def test_a_free_multiplier_is_a_positive_rational():
    text = SYMBOLS + "network: [{conv2d: {out_channels: floor(alpha * 8), kernel_size: 1}}]\n"
    network = expand(text, free=["alpha"])
    assert shapes(network)["conv2d"] == "⌊8*alpha⌋×32×32"
    assert network.bindings["alpha"].is_rational


def test_what_is_taken_for_true_of_free_symbols_is_recorded():
    text = (
        SYMBOLS
        + "network: [{when: side == 5, then: [relu]}, {conv2d: {out_channels: 6, kernel_size: 1}}, {split: {sections: side, index: 0}}]\n"
    )
    network = expand(text.replace("sections: side, index: 0", "sections: 2, index: 0"), free=["side"])
    assert [str(condition) for condition in network.conditions] == ["side ≠ 5"]


def test_a_symbol_may_be_bound_to_an_expression():
    n = sympy.Symbol("n", positive=True, integer=True)
    assert shapes(expand(SYMBOLS + "network: [flatten]\n", side=2 * n)) == {"flatten": "12*n**2"}


def test_a_symbolic_batch_runs_through_all_shapes():
    n = sympy.Symbol("n", positive=True, integer=True)
    assert graph.expand(language.loads(HEAD + "network: [relu]\n"), batch=n).nodes[0].output == Tensor((n, 3, 32, 32))


def test_an_array_of_values_runs_through_all_shapes_at_once():
    text = (
        SYMBOLS
        + "network: [{conv2d: {out_channels: 4, kernel_size: 3}}, flatten, {linear: {out_features: 2 * side}}]\n"
    )
    network = expand(text, side=np.array([8, 16, 32]))
    assert network.node("flatten").output.shape[1].tolist() == [4 * (s - 2) ** 2 for s in (8, 16, 32)]
    assert network.node("linear").output.shape[1].tolist() == [2 * s for s in (8, 16, 32)]


def test_what_does_not_fit_for_one_value_of_an_array_is_refused():
    text = (
        SYMBOLS.replace("[3, side, side]", "[side, 8, 8]")
        + "network: [{conv2d: {out_channels: 8, kernel_size: 1, groups: 8}}]\n"
    )
    assert expand(text, side=np.array([8, 16])).nodes
    assert faults(text, side=np.array([8, 12])) == [
        "8:54: conv2d: [ 8 12] input channels do not divide into 8 groups; groups divides both"
    ]


def test_one_and_true_are_two_values():
    text = (
        HEAD
        + "network:\n  - max_pool2d: {kernel_size: [1, 1]}\n  - {let: {yes: in_channels == 3}, body: [{max_pool2d: {kernel_size: [yes, yes]}}]}\n"
    )
    assert [fault.split(" (")[0] for fault in faults(text)] == ["6:71: max_pool2d_2: kernel_size must be a number"]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_operators_are_made_once_and_not_kept_without_bound():
    text = (
        HEAD
        + "network: [{repeat: 5000, index: i, body: [{avg_pool2d: {kernel_size: 1, stride: 1, padding: 0}}, {zero_pad: {padding: 0 * i}}]}]\n"
    )
    first, *_ = expand(text).nodes
    assert first.operator is expand(text).nodes[2].operator
    wide = HEAD + "network: [flatten, {repeat: 5000, index: i, body: [{linear: {out_features: 1 + i}}]}]\n"
    assert len(expand(wide).nodes) == 5001
    assert len(expansion._operators) <= expansion.MAX_OPERATORS


# ---------------------------------------------------------------- where nodes come from


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_every_node_of_the_zoo_stands_in_its_specification():
    for name in ("mobilenet_v2", "squeezenet", "shufflenet"):
        document = language.load(name)
        for node in graph.expand(document).nodes:
            assert node.at.source.name.endswith(f"{name}.yaml")
            assert 1 <= node.at.line <= len(node.at.source.lines)


def test_a_node_stands_where_its_operator_does():
    text = (
        HEAD
        + "blocks:\n  b:\n    body:\n      - relu\nnetwork:\n  - b\n  - table:\n      columns: [block]\n      rows:\n        - [gelu]\n"
    )
    assert [str(node.at) for node in expand(text).nodes] == ["f:7:9", "f:13:11"]


def test_names_stay_when_something_else_changes():
    text = (
        SYMBOLS
        + "blocks: {u: {args: {c: 8}, body: [{conv2d: {out_channels: c, kernel_size: 1}}, {relu, as: act}]}}\nnetwork: [{u, as: one}, {repeat: 2, as: two, body: [u]}, {u, as: three}]\n"
    )
    before = set(shapes(expand(text)))
    after = set(
        shapes(expand(text.replace("repeat: 2", "repeat: 3").replace("{relu, as: act}", "batch_norm, {relu, as: act}")))
    )
    assert before < after


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_names_are_unique_and_inputs_come_before_what_takes_them():
    for name in language.zoo.names():
        network = graph.expand(language.load(name))
        seen = set(network.inputs)
        for node in network.nodes:
            assert node.name not in seen
            assert set(node.inputs) <= seen
            seen.add(node.name)


def test_an_input_with_its_channels_last_is_hinted_at_once():
    text = "archspec: 1\nname: x\ninput: [32, 32, 3]\nnetwork:\n"
    with pytest.raises(SpecErrors) as caught:
        expand(text + "  - add: [[{conv2d: {out_channels: 8, kernel_size: 5}}], [{max_pool2d: {kernel_size: 7}}]]\n")
    first, second = (error.message for error in caught.value.errors)
    assert first.endswith("(the input is read as 32 channels of 32×3; channels come first: [3, 32, 32])")
    assert "channels come first" not in second
    assert len(expand(text + "  - {conv2d: {out_channels: 8, kernel_size: 3}}\n").nodes) == 1
