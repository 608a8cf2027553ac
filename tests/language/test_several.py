"""Several inputs and outputs, values by name and by path, shared weights: what is wrong with them, and where."""

import pytest

from archspec import language
from archspec.errors import SpecErrors
from archspec.graph import expand

HEAD = "archspec: 1\nname: x\n"
ONE = HEAD + "input: [3, 8, 8]\n"
TWO = HEAD + "inputs: {a: [3, 8, 8], b: [3, 8, 8]}\n"
ENCODER = ONE + "blocks:\n  enc: {body: [{relu, as: stage1}, {relu, as: stage2}]}\nnetwork:\n  - {enc, as: encoder}\n"
SKIP = ONE + "blocks:\n  b: {inputs: [skip], body: [{add, from: [input, skip]}]}\nnetwork:\n  - {relu, as: a}\n"
CONV = "conv2d: {out_channels: 8, kernel_size: 3}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            ONE + "outputs: [maks]\nnetwork: [{relu, as: mask}]\n",
            "4:11: outputs: nothing in this body is called 'maks'; did you mean 'mask'?",
        ),
        (ONE + "outputs: [mask, mask]\nnetwork: [{relu, as: mask}]\n", "4:17: outputs: 'mask' stands there twice"),
        (TWO + "network: [relu]\n", "3:24: inputs: nothing takes 'b'; a step takes it by 'from: b'"),
        (
            "input: [3]\n" + TWO + "network: [{add, from: [a, b]}]\n",
            "1:1: 'inputs' names all inputs of the network; leave 'input' out",
        ),
        (
            HEAD + "inputs: [3, 8, 8]\nnetwork: [relu]\n",
            "3:9: expected names with their shapes, such as {left: [3, 32, 32], right: [3, 32, 32]}, found a list; "
            "one input alone is 'input'",
        ),
        (HEAD + "inputs: {}\nnetwork: [relu]\n", "3:1: missing key 'input'"),
        (
            HEAD + "inputs: {a: [3], b: []}\nnetwork: [{concat, from: [a, b]}]\n",
            "3:18: inputs.b: expected from 1 to 4 sizes, such as [3, 224, 224], found 0",
        ),
        (
            TWO + "network: [{add, from: [a, input, b]}]\n",
            "4:27: from: nothing in this body is called 'input'; its names are a, b",
        ),
        (
            ENCODER + "  - {add, from: [encoder/stge1, encoder]}\n",
            "8:18: from: nothing in 'enc' is called 'stge1'; did you mean 'stage1'?",
        ),
        (
            ENCODER + "  - {add, from: [encoder, encodr/stage1]}\n",
            "8:27: from: nothing in this body is called 'encodr'; did you mean 'encoder'?",
        ),
        (
            ENCODER + "  - from: encoder/stage1/stage2\n",
            "8:11: from: 'stage1' is no block that is called once; a path goes into one",
        ),
        (ONE + "network: [{add, from: input}]\n", "4:23: from: add joins several values, such as [left, right]"),
        (ONE + "network: [{relu, from: [input, input]}]\n", "4:24: from: 'relu' takes 1 value (got 2)"),
        (ONE + "network: [{relu, from: 3}]\n", "4:24: expected a name, or a path such as encoder/stage3, found '3'"),
        (ONE + "network: [{relu, from: []}]\n", "4:24: expected a name, or several, found an empty list"),
        (
            ONE + f"network: [{{relu, as: a}}, {{{CONV}, share: aa}}]\n",
            "4:77: share: nothing in this body is called 'aa'; did you mean 'a'?",
        ),
        (SKIP + "  - b\n", "8:5: 'b' needs 'skip'"),
        (
            SKIP + "  - {b: {skip: 3}}\n",
            "8:16: skip: expected a name given by 'as', or a path of such names, found '3'",
        ),
        (
            SKIP + "  - {b: {skip: c}}\n",
            "8:16: from: nothing in this body is called 'c'; its names are a, input",
        ),
        (SKIP + "  - {b: {skip: a}, from: [a, a]}\n", "8:10: 'b' takes 'skip' by 'from' already"),
        (SKIP + "  - {b, from: [a, a, a]}\n", "8:15: from: 'b' takes 2 values (got 3)"),
        (
            ONE + "blocks: {b: {inputs: [skip], body: [relu]}}\nnetwork: [{relu, as: a}, {b: {skip: a}}]\n",
            "4:23: inputs: nothing takes 'skip'; a step takes it by 'from: skip'",
        ),
        (
            ONE + "blocks: {b: {inputs: [c], args: {c: 3}, body: [{from: c}]}}\nnetwork: [{b, from: [input, input]}]\n",
            "4:23: inputs: the name 'c' is already taken here; choose another",
        ),
        (
            ONE + "network:\n  - table:\n      columns: [operator, from]\n      rows:\n        - [relu, 3]\n",
            "8:11: from: expected a name, or a list of them, found '3'",
        ),
        (
            ONE
            + "network:\n  - {relu, as: a}\n  - table:\n      repeat: n\n      columns: [operator, n, share]\n"
            + "      rows:\n        - [prelu, 2, a]\n",
            "10:11: share: a row of a table with 'repeat' cannot have the weights of another",
        ),
        (
            ONE + "symbols: {deep: {default: true, range: [0, 1]}}\nnetwork: [relu]\n",
            "4:33: symbol 'deep' is true or false; leave 'range' out",
        ),
    ],
)
def test_a_fault_is_found_without_expanding(text, expected, faults):
    assert expected in faults(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO + "network: [{add, from: [a, b], as: a}]\n", "as: the name 'a' is already taken here; choose another"),
        (
            ONE + "network: [{add, from: [late, input]}, {relu, as: late}]\n",
            "from: nothing before this is called 'late'",
        ),
        (
            HEAD + "inputs: {a: [3, 8, 8], b: [4, 8, 8]}\nnetwork: [{add, from: [a, b]}]\n",
            "add: add needs equal channels: 3 in branch 1, 4 in branch 2",
        ),
        (
            ONE + f"network:\n  - {{{CONV}, as: a}}\n  - {{{CONV}, share: a}}\n",
            "share: the weight of conv2d is 8×8×3×3, that of a (line 5) is 8×3×3×3",
        ),
        (
            ONE + f"network: [{{relu, as: a}}, {{{CONV}, share: a}}]\n",
            "share: conv2d has a weight; a (line 4) has no arrays",
        ),
        (ONE + "network: [{relu, as: a}, {relu, share: a}]\n", "share: relu has no weights"),
        (
            ONE
            + "blocks: {b: {args: {s: 1}, body: [{conv2d: {out_channels: 3, kernel_size: 1, stride: s}}]}}\n"
            + "network: [{b, as: a}, {b: {s: 2}, share: a}]\n",
            "share: b/conv2d is not built as a/conv2d (line 4)",
        ),
        (
            ONE
            + "blocks: {b: {args: {deep: true}, body: [{prelu, as: p}, {when: deep, then: [relu]}]}}\n"
            + "network: [{b, as: a}, {b: {deep: false}, share: a}]\n",
            "share: b and a are not built alike; only one has 'relu'",
        ),
        (
            TWO
            + "outputs: [one]\nsymbols: {c: {default: true}}\nnetwork: [{concat, from: [a, b]}, "
            + "{when: not c, then: [{relu, as: one}]}]\n",
            "outputs: nothing before this is called 'one'",
        ),
    ],
)
def test_a_fault_is_found_when_it_is_expanded(text, expected):
    with pytest.raises(SpecErrors) as caught:
        expand(language.loads(text))
    assert [error.message for error in caught.value.errors] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        TWO
        + "outputs: [both, again]\nnetwork: [{add, from: [a, b], as: both}, {prelu, as: p}, "
        + "{prelu, share: p, as: again}]\n",
        ENCODER + "  - {add, from: [encoder/stage1, encoder]}\n",
        SKIP + "  - {b: {skip: a}}\n  - {b, from: [a, a], as: c}\n",
        ONE + "symbols: {deep: {default: false}}\nnetwork: [{when: deep, then: [relu], else: [tanh]}]\n",
    ],
)
def test_what_is_written_back_is_read_as_it_was(text):
    document = language.loads(text)
    assert language.loads(language.dumps(document)) == document


def test_of_a_specification_and_the_one_it_extends_the_inputs_of_the_upper_hold(tmp_path):
    (tmp_path / "base.yaml").write_text(ONE + "network: [relu]\n")
    upper = tmp_path / "upper.yaml"
    upper.write_text(
        "archspec: 1\nname: y\nextends: base.yaml\ninputs: {a: [2], b: [2]}\nnetwork: [{add, from: [a, b]}]\n"
    )
    assert [*language.load(str(upper)).shapes] == ["a", "b"]


def test_a_path_that_could_go_many_ways_is_looked_for_once():
    """Every block calls twenty others by one name: 20^19 ways for a path of twenty parts."""
    blocks = {0: "relu"} | {i: ", ".join(f"{{b{j}, as: a}}" for j in range(max(0, i - 20), i)) for i in range(1, 60)}
    listed = "".join(f"  b{number}: {{body: [{body}]}}\n" for number, body in blocks.items())
    path = "/".join(["a"] * 19 + ["z"])
    text = ONE + f"blocks:\n{listed}network:\n  - {{b59, as: a}}\n  - from: {path}\n"
    with pytest.raises(SpecErrors, match="nothing in 'b0' is called 'a'"):
        language.loads(text)
