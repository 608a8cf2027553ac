"""Reading a specification by name, path or stream, and writing it back without loss."""

# ruff: noqa: E501  # a case is a row, however long

import io
import sys

import pytest

from archspec import language
from archspec.errors import SpecErrors, UnknownNameError
from archspec.language import Document

EVERYTHING = {
    "archspec": 1,
    "name": "everything",
    "doc": "'quoted', \"doubly\"\nover two lines: é",
    "source": {"title": "A: B", "authors": "null", "year": 2018, "arxiv": "1801.04381", "doi": "", "note": "~"},
    "symbols": {
        "side": {"default": 32, "range": [8, "1e3"], "doc": "yes"},
        "alpha": {"default": "7/20", "range": ["1/10", 1.5], "latex": "\\alpha"},
        "act": {"default": "relu", "choices": ["relu", "relu6"]},
        "off": {"default": 0, "range": [0, 1], "type": "rational"},
    },
    "functions": {"width(c)": "floor(alpha * c)", "both(a, b)": "a == 3 or not b > 4"},
    "lookups": {"ch": {"columns": ["g", "stage2", 3], "rows": [[1, 144, 288], [2, "1/2", 0.25]], "doc": "1"}},
    "let": {"m": [1, 2, "true"], "yes": True, "no": False, "half": 0.5, "pair": [[1, 2], ["half", "same"]]},
    "input": [3, "side", 32],
    "blocks": {
        "b": {
            "doc": "with everything",
            "source": {"title": "T"},
            "args": {"c": "required", "k": [3, 3], "bias": False, "word": "same", "a": "act"},
            "let": {"d": "c * 2"},
            "body": [
                {"conv2d": {"out_channels": "d", "kernel_size": "k", "padding": "word", "bias": "bias"}},
                {"use": "a", "with": {}},
            ],
        }
    },
    "network": [
        {"b": {"c": "width(32)"}, "as": "stem"},
        "relu",
        {"add": [["identity"], ["relu"]]},
        {"mul": {"a": ["identity"], "b": ["relu", {"relu": {}, "as": "r"}]}, "as": "m1"},
        {"when": "in_channels == 11", "then": ["relu"], "else": [{"from": "stem"}]},
        {"repeat": 2, "index": "i", "body": ["relu"], "as": "rep"},
        {
            "table": {
                "columns": ["as", "block", "c", {"k": "k * 2 - 1"}, "n"],
                "repeat": "n",
                "after_first": {"c": "3"},
                "rows": [["r1", "b", 3, None, 1], [None, "b", "4", 1.0, 2]],
            }
        },
        {"table": {"block": "dropout", "columns": ["p"], "rows": [[0.5]]}},
        {"let": {"z": 3}, "body": ["relu"], "as": "grp"},
        {"concat": [["relu"], ["identity"]], "dim": 2},
        {"concat": [["relu"], ["identity"]]},
        {"linear": {"out_features": 7}, "as": "null_"},
    ],
}


@pytest.fixture
def everything() -> Document:
    return Document.model_validate(EVERYTHING)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", language.zoo.names())
def test_a_specification_of_the_zoo_is_the_same_after_it_is_written_and_read(name):
    document = language.load(name)
    text = language.dumps(document)
    assert language.loads(text) == document
    assert language.dumps(language.loads(text)) == text


def test_a_document_built_in_python_is_the_same_after_it_is_written_and_read(everything):
    text = language.dumps(everything)
    assert language.loads(text) == everything
    assert language.dumps(language.loads(text)) == text


def test_numbers_words_truth_values_and_lists_are_written_as_a_person_writes_them(everything):
    lines = language.dumps(everything).splitlines()
    for line in (
        "    default: 7/20",
        "    range: [1/10, 3/2]",
        "    choices: [relu, relu6]",
        "functions: {width(c): floor(alpha * c), 'both(a, b)': a == 3 or not b > 4}",
        "  m: [1, 2, true]",
        "  yes: true",
        "  half: 0.5",
        "  - [half, same]",
        "      bias: false",
        "input: [3, side, 32]",
        "    - {use: a}",
        "- relu",
        "    after_first: {c: 3}",
        "    - [r1, b, 3, null, 1]",
        "    - [null, b, 4, 1.0, 2]",
    ):
        assert line in lines


def test_what_is_at_its_default_is_not_written():
    text = language.dumps(
        language.loads("archspec: 1\nname: x\ndoc:\nsymbols: {}\ninput: [3]\nnetwork: [{relu: {}}]\n")
    )
    assert text == "archspec: 1\nname: x\ninput: [3]\nnetwork: [relu]\n"


def test_a_specification_is_found_by_its_name_its_path_and_on_standard_input(tmp_path, monkeypatch):
    text = language.zoo.path("lenet_5").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert language.load("lenet_5") == language.load(path) == language.load(str(path)) == language.load("-")


def test_a_file_without_an_ending_in_this_folder_comes_before_the_zoo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet_5").write_text("archspec: 1\nname: mine\ninput: [3]\nnetwork: relu\n")
    assert language.load("lenet_5").name == "mine"


def test_faults_on_standard_input_are_told_of_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: *b\n")))
    with pytest.raises(SpecErrors, match=r"^<stdin>:1:4: the anchor '&b' is not defined"):
        language.load("-")


def test_standard_input_without_end_is_left_at_the_bound(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"#" * 300_000)))
    with pytest.raises(SpecErrors, match=r"^<stdin>: has more than 250,000 bytes"):
        language.load("-")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mobilnet", "no file or network of the zoo is called 'mobilnet'; did you mean 'mobilenet'? 'archspec zoo' lists them"),
        ("", "no file or network of the zoo is called ''; 'archspec zoo' lists them"),
        ("\ud800", "no file or network of the zoo is called '\ufffd'; 'archspec zoo' lists them"),
        ("x" * 300, f"no file or network of the zoo is called '{'x' * 199}…'; 'archspec zoo' lists them"),
    ],
    ids=["misspelt", "empty", "surrogate", "long"],
)  # fmt: skip
def test_a_name_that_nothing_has_is_refused(name, message):
    with pytest.raises(UnknownNameError) as caught:
        language.load(name)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["./mobilenet", "../mobilenet", "mobilenet.yaml", "specs/../../etc/passwd.yaml"])
def test_a_path_is_no_name_of_the_zoo(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecErrors, match=r"cannot be read: no such file or directory$"):
        language.load(name)


def test_an_error_shows_its_line_with_a_caret_under_the_place():
    with pytest.raises(SpecErrors) as caught:
        language.loads("archspec: 1\nname: x\ninput: [3]\nnetwork: [con2d]\n", "a/b.yaml")
    assert str(caught.value) == (
        "a/b.yaml:4:11: unknown operator or block 'con2d'; did you mean 'conv2d'?\n"
        "    network: [con2d]\n"
        "              ^"
    )


def test_the_schema_names_every_key_of_a_document():
    properties = language.schema()["properties"]
    assert {field.alias or name for name, field in Document.model_fields.items()} <= set(properties)
