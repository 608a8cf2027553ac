"""The shape of a document: what is read, what is refused at its place, what Python can build."""

# ruff: noqa: E501  # a case is a row, however long

from decimal import Decimal
from fractions import Fraction

import pytest
from pydantic import ValidationError

from archspec import language
from archspec.errors import SpecErrors
from archspec.language import Document
from archspec.language.document import Block, Call, Join, Symbol, TableColumn, TableStep
from archspec.language.expression import Expression

HEAD = "archspec: 1\nname: x\ninput: [3, 32, 32]\n"
"""Three lines; what a test adds begins in the fourth."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("archspec: 2\nname: x\ninput: [1]\nnetwork: relu\n", ["1:11: this library reads version 1 of the language (got '2')"]),
        ("archspec: 1\n", [f"1:1: missing key '{key}'" for key in ("name", "input", "network")]),
        ("{}", [f"1:1: missing key '{key}'" for key in ("archspec", "name", "input", "network")]),
        ("archspec: 1\nname: 3x\ninput: [1]\nnetwork: relu\n", ["2:7: expected a name (letters, digits and _, beginning with a letter), found '3x'"]),
        ("archspec: 1\nname: [x]\ninput: [1]\nnetwork: relu\n", ["2:7: expected a name (letters, digits and _, beginning with a letter), found a list"]),
        (f"archspec: 1\nname: {'x' * 81}\ninput: [1]\nnetwork: relu\n", ["2:7: a name of 81 characters; at most 80 are allowed"]),
        ("archspec: 1\nname: x\ninput: 3\nnetwork: relu\n", ["3:8: expected a list, found '3'"]),
        ("archspec: 1\nname: x\ninput: {a: 3}\nnetwork: relu\n", ["3:8: expected a list, found a mapping"]),
        (HEAD + "blocks: {b: {bdy: relu}}\nnetwork: [{b: {zz: 1}}]\n", ["4:13: missing key 'body'", "4:14: unknown key 'bdy'; did you mean 'body'?"]),
        ("archspec: 1\nname: x\ninput: [{a: 3}]\nnetwork: relu\n", ["3:9: expected a number or an expression, found a mapping"]),
        ("archspec: 1\nname: x\ninput: [3, ~]\nnetwork: relu\n", ["3:12: expected a number or an expression, found nothing"]),
        ("archspec: 1\nname: x\ninput: [3, .NaN, -inf]\nnetwork: relu\n", ["3:12: expected a finite number, found '.NaN'", "3:18: expected a finite number, found '-inf'"]),
        (HEAD + "netwrk: []\nnetwork: relu\n", ["4:1: unknown key 'netwrk'; did you mean 'network'?"]),
        (HEAD + "zzz: []\nnetwork: relu\n", ["4:1: unknown key 'zzz'; known are archspec, blocks, doc, functions, initialisation, input, inputs, let, lookups, name, network, outputs, source, symbols"]),
        (HEAD + "network:\n", ["4:1: expected a list, found nothing"]),
        (HEAD + "network: {a: b, c: d}\n", ["4:10: a step names one operator or block; found a, c"]),
        (HEAD + "doc: [a]\nnetwork: relu\n", ["4:6: doc: expected a text, found a list"]),
        (HEAD + "source: {title: t, year: soon}\nnetwork: relu\n", ["4:26: year: expected a whole number, found 'soon'"]),
        (HEAD + "source: {year: 2018}\nnetwork: relu\n", ["4:9: missing key 'title'"]),
        (HEAD + "source: {title: t, arxive: 1}\nnetwork: relu\n", ["4:20: unknown key 'arxive'; did you mean 'arxiv'?"]),
        (HEAD + "source: paper\nnetwork: relu\n", ["4:9: expected a mapping, such as {title: Deep Residual Learning, year: 2015}, found 'paper'"]),
        (HEAD + "symbols: [a]\nnetwork: relu\n", ["4:10: expected a mapping, found a list"]),
        (HEAD + "symbols: {a: 3}\nnetwork: relu\n", ["4:14: expected a mapping, such as {default: 224}, found '3'"]),
        (HEAD + "symbols:\n  a:\nnetwork: relu\n", ["5:3: expected a mapping, such as {default: 224}, found nothing"]),
        (HEAD + "symbols: {a: {defalt: 3}}\nnetwork: relu\n", ["4:14: missing key 'default'", "4:15: unknown key 'defalt'; did you mean 'default'?"]),
        (HEAD + "symbols: {a: {default: [3]}}\nnetwork: relu\n", ["4:24: expected a number or a word, found a list"]),
        (HEAD + "symbols: {a: {default: .nan}}\nnetwork: relu\n", ["4:24: expected a number such as 3, 0.35 or 7/20, found '.nan'"]),
        (HEAD + "symbols: {a: {default: 1e999}}\nnetwork: relu\n", ["4:24: expected a number of ordinary size, found '1e999'"]),
        (HEAD + "symbols: {a: {default: 3, range: [1]}}\nnetwork: relu\n", ["4:34: range: expected two values, found 1"]),
        (HEAD + "symbols: {a: {default: 3, range: [1, 2, 3]}}\nnetwork: relu\n", ["4:34: range: expected two values, found 3"]),
        (HEAD + "symbols: {a: {default: 3, range: 7}}\nnetwork: relu\n", ["4:34: expected a list, found '7'"]),
        (HEAD + "symbols: {a: {default: 3, type: float}}\nnetwork: relu\n", ["4:33: type: expected integer or rational, found 'float'"]),
        (HEAD + "symbols: {1a: {default: 3}}\nnetwork: relu\n", ["4:11: expected a name (letters, digits and _, beginning with a letter), found '1a'"]),
        (HEAD + "functions: {width: 3}\nnetwork: relu\n", ["4:13: expected a signature such as 'width(c)', found 'width'"]),
        (HEAD + 'functions: {"f(c": 3}\nnetwork: relu\n', ["4:13: expected a signature such as 'width(c)', found 'f(c'"]),
        (HEAD + "functions: {f(c): [3]}\nnetwork: relu\n", ["4:19: expected a number or an expression, found a list"]),
        (HEAD + "lookups: {f: {columns: [a, b]}}\nnetwork: relu\n", ["4:14: missing key 'rows'"]),
        (HEAD + "lookups: {f: {columns: [a, b], rows: [1]}}\nnetwork: relu\n", ["4:39: expected a list, found '1'"]),
        (HEAD + "blocks:\n  b:\nnetwork: relu\n", ["5:3: expected a mapping, such as {body: [relu]}, found nothing"]),
        (HEAD + "blocks: {b: {bdy: relu}}\nnetwork: relu\n", ["4:13: missing key 'body'", "4:14: unknown key 'bdy'; did you mean 'body'?"]),
        (HEAD + "blocks: {b: {body: }}\nnetwork: relu\n", ["4:14: expected a list, found nothing"]),
        (HEAD + "blocks: {b: {args: {c: }, body: relu}}\nnetwork: relu\n", ["4:21: expected a number or an expression, found nothing"]),
        (HEAD + "network:\n  - 3\n", ["5:5: expected a name (letters, digits and _, beginning with a letter), found '3'"]),
        (HEAD + "network:\n  -\n", ["5:4: expected a step such as relu or conv2d: {…}, found nothing"]),
        (HEAD + "network:\n  - [relu]\n", ["5:5: expected a step such as relu or conv2d: {…}, found a list"]),
        (HEAD + "network:\n  - {}\n", ["5:5: a step names one operator or block; found none"]),
        (HEAD + "network:\n  - {as: x}\n", ["5:5: a step names one operator or block; found none"]),
        (HEAD + "network:\n  - {relu, gelu}\n", ["5:5: a step names one operator or block; found relu, gelu"]),
        (HEAD + "network:\n  - {relu, ass: x}\n", ["5:5: a step names one operator or block; found relu, ass; did you mean 'as' for 'ass'?"]),
        (HEAD + "network:\n  - {wen: 1 == 1, then: relu}\n", ["5:5: a step names one operator or block; found wen, then; did you mean 'when' for 'wen'?"]),
        (HEAD + "network:\n  - relu: 3\n", ["5:11: expected a mapping, found '3'; 'relu' takes no arguments"]),
        (HEAD + "network:\n  - 2: 3\n", ["5:5: expected a name (letters, digits and _, beginning with a letter), found '2'", "5:8: expected a mapping, found '3'"]),
        (HEAD + "network:\n  - conv2d: [1, 2]\n", ["5:13: expected a mapping, such as conv2d: {out_channels: …}, found a list"]),
        (HEAD + "network:\n  - multiply: [relu]\n", ["5:15: expected a mapping, found a list; did you mean 'mul'?"]),
        (HEAD + "network:\n  - linear(10)\n", ["5:5: expected a name (letters, digits and _, beginning with a letter), found 'linear(10)'; arguments stand behind a colon: linear: {…}"]),
        (HEAD + "network:\n  - {relu, as: a b}\n", ["5:16: expected a name (letters, digits and _, beginning with a letter), found 'a b'"]),
        (HEAD + "network:\n  - linear: {out_features: {a: 1}}\n", ["5:28: expected a number or an expression, found a mapping"]),
        (HEAD + "network:\n  - linear: {out_features: }\n", ["5:14: expected a number or an expression, found nothing"]),
        (HEAD + "network:\n  - linear: {out features: 3}\n", ["5:14: expected a name (letters, digits and _, beginning with a letter), found 'out features'"]),
        (HEAD + "network:\n  - {when: 1 == 1, then: relu, esle: relu}\n", ["5:32: unknown key 'esle'; did you mean 'else'?"]),
        (HEAD + "network:\n  - {when: 1 == 1}\n", ["5:5: missing key 'then'"]),
        (HEAD + "network:\n  - {when: 1 == 1, then: relu, as: x}\n", ["5:36: as: input should be None"]),
        (HEAD + "network:\n  - {repeat: 3, bdy: relu}\n", ["5:5: missing key 'body'", "5:17: unknown key 'bdy'; did you mean 'body'?"]),
        (HEAD + "network:\n  - {repat: 3, body: relu}\n", ["5:6: unknown key 'repat'; did you mean 'repeat'?"]),
        (HEAD + "network:\n  - {repeat: 3, index: 1, body: relu}\n", ["5:24: expected a name (letters, digits and _, beginning with a letter), found '1'"]),
        (HEAD + "network:\n  - add: 3\n", ["5:10: expected a list, found '3'"]),
        (HEAD + "network:\n  - add:\n", ["5:5: expected a list, found nothing"]),
        (HEAD + "network:\n  - add: {a: ~}\n", ["5:14: expected a list, found nothing"]),
        (HEAD + "network:\n  - from: [a]\n", ["5:11: expected a name, found a list"]),
        (HEAD + "network:\n  - table:\n", ["5:5: expected a mapping, found nothing"]),
        (HEAD + "network:\n  - table: {colums: [a], rows: []}\n", ["5:12: missing key 'columns'", "5:13: unknown key 'colums'; did you mean 'columns'?"]),
        (HEAD + "network:\n  - table: {columns: [{a: b, c: d}], rows: []}\n", ["5:23: a column is a name, or one such as {c: width(c)}; found a, c"]),
        (HEAD + "network:\n  - table: {columns: [1], rows: []}\n", ["5:23: expected a name (letters, digits and _, beginning with a letter), found '1'"]),
        (HEAD + "network:\n  - table: {columns: [block], rows: [relu]}\n", ["5:38: expected a list, found 'relu'"]),
        (HEAD + "network:\n  - table: {columns: [block], rows: [[{a: 1}]]}\n", ["5:39: expected a number or an expression, found a mapping"]),
    ],
    ids=lambda value: value.removeprefix(HEAD)[:50] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_has_not_the_shape_of_a_document_is_refused_at_its_place(text, expected, faults):
    assert faults(text) == expected


def test_faults_of_all_parts_come_in_one_run(faults):
    text = """archspec: 1
name: 3x
inpt: [3, 32, 32]
input: 3
source: {titel: t}
symbols: {a: {defalt: 1}, b: {default: 2, range: [3, 4]}, c: {}}
functions: {f(x): y + 1}
lookups: {g: {columns: [a], rows: [[1]]}}
blocks: {one: {bdy: relu}, two: {args: {c: required}, body: [relo]}}
network:
  - con2d: {}
  - two: {d: zz}
  - {repeat: 3.5, body: relu}
  - [relu]
  - {from: nowhere}
"""
    assert faults(text) == [
        "2:7: expected a name (letters, digits and _, beginning with a letter), found '3x'",
        "3:1: unknown key 'inpt'; did you mean 'input'?",
        "4:8: expected a list, found '3'",
        "5:9: missing key 'title'",
        "5:10: unknown key 'titel'; did you mean 'title'?",
        "6:14: missing key 'default'",
        "6:15: unknown key 'defalt'; did you mean 'default'?",
        "6:40: default must be from 3 to 4 (got 2)",
        "6:62: missing key 'default'",
        "7:19: undefined name 'y'",
        "8:15: a lookup needs a column to look in and one to find",
        "9:15: missing key 'body'",
        "9:16: unknown key 'bdy'; did you mean 'body'?",
        "9:62: unknown operator or block 'relo'; did you mean 'relu'?",
        "11:5: unknown operator or block 'con2d'; did you mean 'conv2d'?",
        "12:5: 'two' needs 'c'",
        "12:11: 'two' has no argument 'd'; it takes c",
        "12:14: undefined name 'zz'",
        "13:14: repeat must be a whole number from 0 to 10,000 (got 7/2)",
        "14:5: expected a step such as relu or conv2d: {…}, found a list",
        "15:12: from: nothing in this body is called 'nowhere'; its names are input",
    ]


def test_names_are_not_looked_for_while_what_defines_them_cannot_be_read(faults):
    assert faults(HEAD + "symbols: 3\nnetwork:\n  - linear: {out_features: alpha}\n") == [
        "4:10: expected a mapping, found '3'"
    ]


def test_nested_faults_are_told_once_each(faults):
    text = HEAD + "network: " + "{bodi: 3, body: [" * 15 + "relu" + "]}" * 15 + "\n"
    assert len(faults(text)) == 15


def test_no_more_faults_are_told_than_anybody_reads():
    with pytest.raises(SpecErrors) as caught:
        language.loads(HEAD + "network: [" + "{relu: 3}," * 500 + "relu]\n")
    assert len(caught.value.errors) == SpecErrors.shown + 1
    assert str(caught.value).endswith("\n… and 1 more")


def test_keys_without_a_value_are_as_good_as_absent():
    bare = "doc:\nsource: ~\nsymbols:\nfunctions:\nlet: null\nblocks: {b: {args: , doc: , body: relu}}\n"
    text = HEAD + bare + "network: [{relu: }, {gelu: ~, as: g}, {when: 1 == 1, then: relu, else: }, b]\n"
    document = language.loads(text)
    assert document == language.loads(language.dumps(document))
    assert (document.doc, document.symbols, document.blocks["b"].args) == (None, {}, {})


def test_short_forms_and_long_forms_are_one():
    short = language.loads(HEAD + "network: relu\n")
    assert short == language.loads(HEAD + "network: [{relu: {}}]\n")
    assert short != language.loads(HEAD + "network: gelu\n")
    assert short != 3
    assert hash(short) == hash(language.loads(HEAD + "network: gelu\n"))


def test_every_part_knows_where_it_stands():
    document = language.loads(
        HEAD + "network:\n  - {conv2d: {out_channels: 3, kernel_size: [1, 2]}, as: c}\n  - relu\n", "f"
    )
    step, relu = document.network
    assert [str(step.at), str(relu.at)] == ["f:5:5", "f:6:5"]
    assert str(step.key_at("kernel_size")) == "f:5:32"
    assert str(step.value_at("kernel_size")) == "f:5:45"
    assert str(step.value_at("as")) == "f:5:58"
    assert str(step.key_at("nothing")) == "f:5:5"
    assert str(document.key_at("input[1]")) == "f:3:12"


def test_a_document_built_in_python_has_no_places_and_raises_what_is_wrong():
    document = Document.model_validate({"archspec": 1, "name": "x", "input": [3], "network": ["relu"]})
    assert document.at is document.network[0].at is document.key_at("input") is None
    for wrong in (
        {"archspec": 2, "name": "x", "input": [3], "network": ["relu"]},
        {"archspec": 1, "name": "x", "input": [3], "network": [{"relu": {}, "gelu": {}}]},
        {"archspec": 1, "name": "x", "input": [3], "netwrk": []},
    ):
        with pytest.raises(ValidationError):
            Document.model_validate(wrong)


def test_models_can_be_built_one_by_one():
    call = Call(name="conv2d", args={"out_channels": 8, "kernel_size": [3, 3]}, as_="c1")
    assert call == Call.model_validate({"conv2d": {"out_channels": 8, "kernel_size": [3, 3]}, "as": "c1"})
    assert TableColumn.model_validate("c") == TableColumn(name="c")
    assert TableColumn.model_validate({"c": "width(c)"}) == TableColumn(name="c", built=Expression("width(c)"))
    table = TableStep(table={"columns": ["block", "n"], "rows": [["relu", None]]})
    assert table.table.rows[0] == (Expression("relu"), None)
    assert Document(archspec=1, name="x", input=(3,), network=(call, table)).network == (call, table)


@pytest.mark.parametrize(
    ("given", "value", "integer"),
    [
        ({"default": 3}, 3, True),
        ({"default": "3/2"}, Fraction(3, 2), False),
        ({"default": 0.35}, Fraction(7, 20), False),
        ({"default": Decimal("0.5")}, Fraction(1, 2), False),
        ({"default": 1, "range": ["1/4", 2]}, 1, False),
        ({"default": 1, "choices": [1, 2]}, 1, True),
        ({"default": 1, "type": "rational"}, 1, False),
        ({"default": "3/2", "type": "integer"}, Fraction(3, 2), True),
    ],
)
def test_a_symbol_is_an_integer_unless_a_number_of_it_is_not(given, value, integer):
    symbol = Symbol.model_validate(given)
    assert symbol.default == value
    assert symbol.integer is integer
    assert not symbol.word


def test_a_word_is_a_symbol_to_choose_by():
    assert Symbol(default="relu", choices=("relu", "relu6")).word


def test_a_symbol_may_be_true_or_false():
    symbol = Symbol(default=True)
    assert symbol.truth
    assert symbol.word
    assert symbol.choices == (True, False)
    assert symbol.model_dump(exclude_defaults=True) == {"default": True}


def test_an_argument_is_required_if_it_says_so():
    assert Block.is_required(Expression("required"))
    assert not Block.is_required(Expression("3"))
    assert not Block.is_required((Expression("required"),))


def test_a_join_is_built_in_python_as_it_is_read():
    read = language.loads(HEAD + "network: [{concat: [[relu], tanh], dim: 2, as: both}]\n").network[0]
    for built in (
        Join(operator="concat", branches=[["relu"], "tanh"], args={"dim": 2}, as_="both"),
        Join(operator="concat", branches={"branch1": "relu", "branch2": "tanh"}, args={"dim": 2}, as_="both"),
    ):
        assert built == read
        assert built.model_dump(by_alias=True, exclude_defaults=True) == {
            "concat": [("relu",), ("tanh",)],
            "dim": 2,
            "as": "both",
        }
