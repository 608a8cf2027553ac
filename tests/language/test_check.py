"""What can be known of a specification without expanding it."""

# ruff: noqa: E501  # a case is a row, however long

import pytest

from archspec import language
from archspec.errors import ArchspecError
from archspec.language.document import Document, Symbol
from archspec.language.rules import arguments, field_faults, signature, value_fault

HEAD = "archspec: 1\nname: x\ninput: [3, 32, 32]\n"
"""Three lines; what a test adds begins in the fourth."""

NET = "network: [relu]\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # operators, blocks and their arguments
        ("network:\n  - con2d: {out_channels: 3}\n", ["5:5: unknown operator or block 'con2d'; did you mean 'conv2d'?"]),
        ("network:\n  - zzz\n", ["5:5: unknown operator or block 'zzz'"]),
        ("network:\n  - tabel: {a: 1}\n", ["5:5: unknown operator or block 'tabel'; did you mean 'table'?"]),
        ("blocks: {fire: {body: relu}}\nnetwork:\n  - fier\n", ["6:5: unknown operator or block 'fier'; did you mean 'fire'?"]),
        ("network:\n  - conv2d: {out_chanels: 3, kernel_size: 3}\n", ["5:14: 'conv2d' has no argument 'out_chanels'; did you mean 'out_channels'?"]),
        ("network:\n  - {relu: {zzz: 3}, as: a}\n", ["5:13: 'relu' has no argument 'zzz'; it takes none"]),
        ("network:\n  - dropout: {zzz: 3}\n", ["5:15: 'dropout' has no argument 'zzz'; it takes p"]),
        ("network:\n  - conv2d\n", ["5:5: 'conv2d' needs 'out_channels' and 'kernel_size'"]),
        ("network:\n  - {conv2d: {kernel_size: 3}, as: a}\n", ["5:5: 'conv2d' needs 'out_channels'"]),
        ("network:\n  - conv2d: {kernel: 3}\n", ["5:5: 'conv2d' needs 'out_channels'", "5:14: 'conv2d' has no argument 'kernel'; did you mean 'kernel_size'?"]),
        ("blocks: {b: {args: {c: required}, body: relu}}\nnetwork:\n  - b\n", ["6:5: 'b' needs 'c'"]),
        ("blocks: {b: {args: {c: required}, body: relu}}\nnetwork:\n  - b: {d: 3}\n", ["6:5: 'b' needs 'c'", "6:9: 'b' has no argument 'd'; it takes c"]),
        ("network:\n  - add\n", ["5:5: 'add' takes branches: add: [[…], […]]"]),
        # values that no run can change
        ("network:\n  - conv2d: {out_channels: 0, kernel_size: [3, -1], bias: 3}\n", ["5:28: conv2d: out_channels must be at least 1 (got 0)", "5:45: conv2d: kernel_size must be at least 1 (got -1)", "5:59: conv2d: bias must be true or false (got 3)"]),
        ("network:\n  - dropout: {p: 2}\n  - dropout: {p: -1/2}\n", ["5:18: dropout: p must be at least 0 and less than 1 (got 2)", "6:18: dropout: p must be at least 0 and less than 1 (got -1/2)"]),
        ("network:\n  - conv2d: {out_channels: same, kernel_size: 3}\n", ["5:28: conv2d: out_channels must be a number (got 'same')"]),
        ("network:\n  - conv2d: {out_channels: 3/2, kernel_size: 3}\n", ["5:28: conv2d: out_channels must be an integer (got 3/2)"]),
        ("network:\n  - linear: {out_features: 9**9**9}\n", ["5:28: an exponent must be a whole number between −64 and 64 (got 387420489)"]),
        ("network:\n  - linear: {out_features: 1/0}\n", ["5:28: division by zero, in '1/0'"]),
        ("network:\n  - {when: 3, then: relu}\n  - {when: same, then: relu}\n  - {when: 1/0 == 1, then: relu}\n", ["5:12: expected a condition, found 3", "6:12: expected a condition, found same", "7:12: division by zero, in '1/0 == 1'"]),
        ("network:\n  - {repeat: 1000000000, body: relu}\n  - {repeat: -1, body: relu}\n  - {repeat: same, body: relu}\n  - {repeat: 1//0, body: relu}\n", ["5:14: repeat must be a whole number from 0 to 10,000 (got 1000000000)", "6:14: repeat must be a whole number from 0 to 10,000 (got -1)", "7:14: repeat must be a whole number from 0 to 10,000 (got same)", "8:14: the divisor must be positive, found 0, in '1//0'"]),
        # names
        ("network:\n  - linear: {out_features: 3 * alpha}\n", ["5:32: undefined name 'alpha'"]),
        ("symbols: {alpha: {default: 1}}\nnetwork:\n  - linear: {out_features: 3 * alhpa}\n", ["6:32: undefined name 'alhpa'; did you mean 'alpha'?"]),
        ("functions: {width(c): c}\nnetwork:\n  - linear: {out_features: width}\n", ["6:28: undefined name 'width'; call it with its arguments"]),
        ("functions: {width(c): c}\nnetwork:\n  - linear: {out_features: 3 + witdh(3)}\n", ["6:32: undefined function 'witdh'; did you mean 'width'?"]),
        ("functions: {width(c): c}\nnetwork:\n  - linear: {out_features: '3 + width(3, 4)'}\n", ["6:33: 'width' takes 1 argument (got 2)"]),
        ("functions: {none_(): 3}\nnetwork:\n  - linear: {out_features: none_(1)}\n", ["6:28: 'none_' takes 0 arguments (got 1)"]),
        ("functions: {a(c): b(c), b(c): c}\n" + NET, ["4:19: 'b' is defined only after 'a'; a function uses those before it"]),
        ("functions: {a(c): c + in_channels}\n" + NET, ["4:23: undefined name 'in_channels'; blocks and steps know it, and can hand it on as an argument"]),
        ("functions: {a(c): a(c)}\n" + NET, ["4:19: 'a' is defined only after 'a'; a function uses those before it"]),
        ("symbols: {a: {default: 1}}\nlet: {b: 2 * a, a: 3}\n" + NET, ["5:17: let: 'a' is a symbol; choose another name"]),
        ("let: {a: b, b: 3}\n" + NET, ["4:10: undefined name 'b'"]),
        ("blocks: {b: {args: {c: d, d: 3}, body: relu}}\n" + NET, ["4:24: undefined name 'd'"]),
        ("blocks: {b: {args: {c: 3}, let: {e: [c, d]}, body: relu}}\n" + NET, ["4:41: undefined name 'd'"]),
        ("blocks: {b: {args: {c: 3}, body: relu}}\nnetwork: [{linear: {out_features: c}}]\n", ["5:35: undefined name 'c'"]),
        ("network:\n  - {let: {a: 3}, body: relu}\n  - linear: {out_features: a}\n", ["6:28: undefined name 'a'"]),
        ("network:\n  - {repeat: 3, index: i, body: [{dropout: {p: 1/(i + j)}}]}\n  - dropout: {p: i}\n", ["5:55: undefined name 'j'", "6:18: undefined name 'i'"]),
        ("network:\n  - {use: act}\n  - {use: relu, with: {a: b}}\n", ["5:11: undefined name 'act'", "6:27: undefined name 'b'"]),
        ("network:\n  - {concat: [[relu], [relu]], dim: d}\n", ["5:37: undefined name 'd'"]),
        ("network:\n  - {when: a == 1, then: [zzz], else: [yyy]}\n", ["5:12: undefined name 'a'", "5:27: unknown operator or block 'zzz'", "5:40: unknown operator or block 'yyy'"]),
        ("network:\n  - {from: a}\n  - {relu, as: ab}\n", ["5:12: from: nothing in this body is called 'a'; did you mean 'ab'?"]),
        ("blocks: {b: {body: [{from: a}]}}\nnetwork: [{relu, as: a}, b]\n", ["4:28: from: nothing in this body is called 'a'; its names are input"]),
        # names that mean something already
        ("symbols: {same: {default: 3}, in_channels: {default: 3}, lambda: {default: 3}, floor: {default: 3}}\n" + NET, ["4:11: the name 'same' is taken by the language; choose another", "4:31: the name 'in_channels' is taken by the language; choose another", "4:58: the name 'lambda' is taken by the language; choose another", "4:80: the name 'floor' is taken by the language; choose another"]),
        ("let: {true: 3}\nfunctions: {f(same): 3, if(c): 3, floor(c): 3}\n" + NET, ["4:7: the name 'true' is taken by the language; choose another", "5:13: the name 'same' is taken by the language; choose another", "5:25: the name 'if' is taken by the language; choose another", "5:35: the function 'floor' is already defined; choose another name"]),
        ("blocks: {b: {args: {in: 3}, let: {is: 4}, body: relu}}\n" + NET, ["4:21: the name 'in' is taken by the language; choose another", "4:35: the name 'is' is taken by the language; choose another"]),
        ("network:\n  - {let: {not: 3}, body: relu}\n  - {repeat: 1, index: for, body: relu}\n", ["5:12: the name 'not' is taken by the language; choose another", "6:24: the name 'for' is taken by the language; choose another"]),
        ("blocks: {relu: {body: gelu}}\n" + NET, ["4:10: 'relu' is an operator; give the block another name"]),
        ("symbols: {a: {default: 1}}\nblocks: {a: {body: gelu}}\n" + NET, ["5:10: 'a' is a symbol; give the block another name"]),
        ("lookups: {f: {columns: [a, b], rows: [[1, 2]]}}\nfunctions: {f(c): c}\n" + NET, ["5:13: the function 'f' is already defined; choose another name"]),
        ("functions: {f(c): c, 'f(c, d)': c}\n" + NET, ["4:22: the function 'f' is already defined; choose another name"]),
        # symbols
        ("symbols: {a: {default: 3, range: [5, 9]}}\n" + NET, ["4:24: default must be from 5 to 9 (got 3)"]),
        ("symbols: {a: {default: 3, range: [9, 5]}}\n" + NET, ["4:34: symbol 'a': the range is empty, 9 is above 5"]),
        ("symbols: {a: {default: 3, choices: [1, 2]}}\n" + NET, ["4:24: default must be one of 1, 2 (got 3)"]),
        ("symbols: {a: {default: 3, range: [1, 4], choices: [3]}}\n" + NET, ["4:42: symbol 'a' has a range and choices; give one of them"]),
        ("symbols: {act: {default: relu, choices: [relu, act]}}\n" + NET, ["4:48: symbol 'act': the choice 'act' is also the symbol itself; give one of them another name"]),
        ("symbols: {a: {default: relu, choices: [relu, s]}, s: {default: 1}}\n" + NET, ["4:46: symbol 'a': the choice 's' is also a symbol; give one of them another name"]),
        ("symbols: {a: {default: relu, choices: [w, relu]}}\nlet: {w: 3}\n" + NET, ["4:40: symbol 'a': the choice 'w' is also a name of let; give one of them another name"]),
        ("symbols: {a: {default: relu}}\n" + NET, ["4:24: symbol 'a' is a word ('relu'); list its choices"]),
        ("symbols: {a: {default: relu, choices: [relu, 3]}}\n" + NET, ["4:14: symbol 'a' mixes words and numbers"]),
        ("symbols: {a: {default: 3/2, type: integer}}\n" + NET, ["4:24: default must be a whole number (got 3/2)"]),
        ("symbols: {a: {default: 0}}\n" + NET, ["4:24: default must be greater than 0 (got 0); give the symbol a range that holds it"]),
        # lookups
        ("lookups: {f: {columns: [a], rows: [[1]]}}\n" + NET, ["4:15: a lookup needs a column to look in and one to find"]),
        ("lookups: {f: {columns: [a, b], rows: []}}\n" + NET, ["4:32: a lookup needs rows"]),
        ("lookups: {f: {columns: [a, a], rows: [[1, 2]]}}\n" + NET, ["4:15: a column of the lookup stands twice in its header"]),
        ("lookups: {f: {columns: [a, b], rows: [[1, 2], [1, 2, 3], [4]]}}\n" + NET, ["4:47: the row has 3 cells, the header 2", "4:47: a second row of the lookup begins with 1", "4:58: the row has 1 cells, the header 2"]),
        ("lookups: {f: {columns: [a, b, c], rows: [[1, 2, 3]]}}\nlet: {z: f(1)}\n" + NET, ["5:10: 'f' takes 2 arguments (got 1)"]),
        ("lookups: {f: {columns: [a, b, c], rows: [[1, 2, 3]]}}\nlet: {z: \"f(1, d)\"}\n" + NET, ["5:16: undefined name 'd'"]),
        # tables
        ("network:\n  - table: {columns: [s], rows: [[1]]}\n", ["5:13: a table needs one column 'block' (or 'operator'), or a key 'block' for all rows"]),
        ("network:\n  - table: {block: relu, columns: [block], rows: [[relu]]}\n", ["5:13: a table needs one column 'block' (or 'operator'), or a key 'block' for all rows"]),
        ("network:\n  - table: {columns: [block, operator], rows: [[relu, relu]]}\n", ["5:13: a table needs one column 'block' (or 'operator'), or a key 'block' for all rows"]),
        ("network:\n  - table: {columns: [block, p, p], rows: [[dropout, 0, 0]]}\n", ["5:33: the column 'p' stands here twice"]),
        ("network:\n  - table: {columns: [block, n], repeat: m, rows: [[relu, 1]]}\n", ["5:42: repeat: there is no column 'm'", "5:59: 'relu' has no argument 'n'; it takes none"]),
        ("network:\n  - table: {columns: [block, num], repeat: nun, rows: [[relu, 1]]}\n", ["5:44: repeat: there is no column 'nun'; did you mean 'num'?", "5:63: 'relu' has no argument 'num'; it takes none"]),
        ("network:\n  - table: {columns: [block], after_first: {s: z}, rows: [[relu]]}\n", ["5:45: after_first: there is no column 's'", "5:48: undefined name 'z'"]),
        ("network:\n  - table: {columns: [block, {p: p / q}], rows: [[dropout, 1]]}\n", ["5:38: undefined name 'q'"]),
        ("network:\n  - table: {columns: [block], rows: []}\n", ["5:31: rows: the table has none"]),
        ("network:\n  - table: {columns: [block, p], rows: [[dropout], [dropout, 1, 2]]}\n", ["5:41: the row has 1 cells, the header 2: block, p", "5:52: the row has 3 cells, the header 2: block, p"]),
        ("network:\n  - table: {columns: [block, p], rows: [[~, 1], [dropot, 1], [dropout, 7]]}\n", ["5:41: block: the cell is empty; it says what the row is made of", "5:50: unknown operator or block 'dropot'; did you mean 'dropout'?", "5:72: dropout: p must be at least 0 and less than 1 (got 7)"]),
        ("network:\n  - table: {columns: [as, block], rows: [[1, relu], [a, relu]]}\n", ["5:43: as: expected a name, found '1'"]),
        ("network:\n  - table: {columns: [block, n], repeat: n, rows: [[relu, ~], [relu, m]]}\n", ["5:52: n: the cell is empty; it says how often", "5:70: undefined name 'm'"]),
        ("network:\n  - table: {block: relo, columns: [as], rows: [[a]]}\n", ["5:48: unknown operator or block 'relo'; did you mean 'relu'?"]),
        ("network:\n  - table: {columns: [block, out_channels], rows: [[conv2d, ~]]}\n", ["5:52: 'conv2d' needs 'out_channels' and 'kernel_size'"]),
        # bodies and branches
        ("blocks: {b: {body: []}}\n" + NET, ["4:14: the body of block 'b' is empty; write [identity] for one that does nothing"]),
        ("network:\n  - {body: []}\n  - {repeat: 3, body: []}\n  - {when: 1 == 1, then: []}\n", ["5:6: body: is empty; write [identity] to pass the input on", "6:17: body: is empty; write [identity] to pass the input on", "7:20: then: is empty; write [identity] to pass the input on"]),
        ("network:\n  - add: []\n  - mul: {}\n  - add: [[relu], []]\n  - concat: {a: [], b: relu}\n", ["5:5: add needs branches", "6:5: mul needs branches", "7:19: branch2 of add is empty; write [identity] to pass the input on", "8:14: a of concat is empty; write [identity] to pass the input on"]),
        ("blocks: {a: {body: b}, b: {body: [{c: {}}]}, c: {body: [{table: {block: a, columns: [as], rows: [[x]]}}]}}\n" + NET, ["4:13: blocks call each other in a circle: a → b → c → a"]),
        ("blocks: {a: {body: [relu, {when: 1 == 1, then: a}]}}\n" + NET, ["4:13: blocks call each other in a circle: a → a"]),
        ("functions: {" + ", ".join(f"f{i}(c): {f'f{i - 1}(c) + 1' if i else 'c'}" for i in range(60)) + "}\n" + NET, ["4:672: 'f34' nests functions more than 100 deep"]),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_fault_is_found_without_expansion(text, expected, faults):
    assert faults(HEAD + text) == expected


@pytest.mark.parametrize(("sizes", "found"), [("[]", 0), ("[1, 2, 3, 4, 5]", 5)])
def test_an_input_has_from_one_to_four_sizes(sizes, found, faults):
    assert faults(f"archspec: 1\nname: x\ninput: {sizes}\nnetwork: relu\n") == [
        f"3:8: input: expected from 1 to 4 sizes, such as [3, 224, 224], found {found}"
    ]


def test_what_flows_in_and_blocks_are_no_sizes_of_the_input(faults):
    assert faults("archspec: 1\nname: x\ninput: [in_channels, relu, 3]\nnetwork: relu\n") == [
        "3:9: undefined name 'in_channels'; blocks and steps know it, and can hand it on as an argument",
        "3:22: undefined name 'relu'",
    ]


def test_a_size_of_the_input_may_name_a_column_of_a_table():
    table = "lookups: {f: {columns: [a, b, c], rows: [[1, 2, 3]]}}\n"
    assert language.loads(f'archspec: 1\nname: x\n{table}input: [3, "f(1, b)", "f(1, c)"]\nnetwork: relu\n').lookups


@pytest.mark.parametrize(
    "text",
    [
        "symbols: {a: {default: 0, range: [0, 1]}}\n" + NET,
        "symbols: {act: {default: relu, choices: [relu, hswish]}}\nblocks: {b: {args: {a: act}, body: [{use: a}]}}\nnetwork: [b]\n",
        "blocks: {b: {args: {dropout: 1/2, c: dropout}, body: [{dropout: {p: dropout}}]}}\nnetwork: [b]\n",
        "blocks: {a: {body: relu}, b: {body: [a, a]}, c: {body: [a, b]}}\nnetwork: [c, b, a]\n",
        "network: [{add: [[{relu, as: a}], [{from: a}]]}, {from: a}]\n",
        "network: [{table: {columns: [as, block], rows: [[a, relu]]}}, {from: a}]\n",
        "network: [{table: {columns: [block, {p: p / 10}], rows: [[dropout, 5]]}}]\n",  # the header's value counts
        "lookups: {f: {columns: [a, b, c], rows: [[1, 2, 3]]}}\nnetwork: [flatten, {linear: {out_features: \"f(1, c)\"}}]\n",
    ],
)  # fmt: skip
def test_what_looks_odd_and_is_right_has_no_faults(text):
    assert language.check(language.loads(HEAD + text)) == []


def test_a_document_built_in_python_is_checked_too():
    document = Document.model_validate(
        {"archspec": 1, "name": "x", "input": ["a"], "network": ["relo", {"add": {"a": []}}, {"use": "b"}]}
    )
    assert [str(fault) for fault in language.check(document)] == [
        "undefined name 'a'",
        "unknown operator or block 'relo'; did you mean 'relu'?",
        "a of add is empty; write [identity] to pass the input on",
        "undefined name 'b'",
    ]


def test_suggestions_stop_where_they_would_take_long(faults):
    symbols = ", ".join(f"{'k' * 50}{i}: {{default: 1}}" for i in range(400))
    steps = "".join(f"  - linear: {{out_features: {'k' * 50}x{i}}}\n" for i in range(40))
    found = faults(HEAD + f"symbols: {{{symbols}}}\nnetwork:\n{steps}")
    assert len(found) == 40
    assert "did you mean" in found[0]
    assert "did you mean" not in found[-1]


def test_a_signature_is_a_name_and_parameters():
    assert signature("f( a ,b )") == ("f", ("a", "b"))
    assert signature("f()") == ("f", ())
    with pytest.raises(ArchspecError, match="'f' is not a signature"):
        signature("f")


def test_arguments_are_those_of_the_operator_or_block():
    document = language.loads(HEAD + "blocks: {b: {args: {c: required, d: 3}, body: relu}}\nnetwork: [{b: {c: 1}}]\n")
    assert arguments(document, "b") == (["c", "d"], ["c"])
    assert arguments(document, "dropout") == (["p"], [])
    with pytest.raises(ArchspecError, match="unknown operator 'c'"):
        arguments(document, "c")


def test_only_the_fields_that_are_given_can_be_wrong():
    assert field_faults("conv2d", {}) == []
    assert field_faults("conv2d", {"out_channels": 8, "kernel_size": 3}) == []
    assert field_faults("upsample", {"mode": "cubic"}) == [
        ("mode", "input should be 'nearest' or 'bilinear' (got cubic)")
    ]


@pytest.mark.parametrize(
    ("symbol", "value", "fault"),
    [
        ({"default": "a", "choices": ["a", "b"]}, "b", None),
        ({"default": "a", "choices": ["a", "b"]}, 3, "must be one of a, b (got 3)"),
        ({"default": 3}, "a", "must be a number (got a)"),
        ({"default": 3}, 4, None),
        ({"default": "1/2"}, 4, None),
    ],
)
def test_a_value_is_one_that_the_symbol_allows(symbol, value, fault):
    assert value_fault(Symbol.model_validate(symbol), value) == fault
