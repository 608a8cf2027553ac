"""YAML text to plain values that know their place."""

# ruff: noqa: E501  # a case is a row, however long

import os

import pytest

from archspec.errors import SpecErrors
from archspec.language.reader import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_NODES,
    MAX_SCALAR,
    Nothing,
    Scalar,
    decode,
    parse,
    printable,
    read_bytes,
)


def refused(text, name="f.yaml"):
    """The first line of each fault."""
    with pytest.raises(SpecErrors) as caught:
        parse(text, name)
    return [str(error).split("\n")[0] for error in caught.value.errors]


def test_values_are_the_texts_that_stand_in_the_file():
    tree = parse("a: 007\nb: [1/4, yes, 'x y', \"z\"]\nc: {d: 1e3}\n")
    assert tree == {"a": "007", "b": ["1/4", "yes", "x y", "z"], "c": {"d": "1e3"}}


def test_every_value_and_key_knows_its_place():
    tree = parse("a: 1\nbb:\n  - c: x\n    d: [e]\n", "f.yaml")
    assert str(tree.at) == "f.yaml:1:1"
    assert str(tree.key("bb")) == "f.yaml:2:1"
    assert str(tree.key("zz")) == "f.yaml:1:1"  # a key that is not there is looked for in its mapping
    assert str(tree["bb"].at) == "f.yaml:3:3"
    assert str(tree["bb"][0]["c"].at) == "f.yaml:3:8"
    assert str(tree["bb"][0]["d"][0].at) == "f.yaml:4:9"


@pytest.mark.parametrize("written", ["", " ~", " null"])
def test_a_value_left_out_is_nothing_and_knows_its_place(written):
    value = parse(f"a: 1\nkey:{written}\nb: 2\n")["key"]
    assert isinstance(value, Nothing)
    assert not value
    assert value.at.line == 2


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("abc", 4),
        ("'abc'", 5),
        ('"abc"', 5),
        ('"a\\x62c"', None),  # an escape moves what stands behind it
        ("'it''s'", None),
        (">\n  abc", None),
        ("ab\n  c", None),
    ],
)
def test_a_text_knows_where_its_characters_stand_unless_they_were_moved(written, column):
    value = parse(f"a: {written}\n")["a"]
    assert isinstance(value, Scalar)
    assert (value.first and value.first.column) == column


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["f.yaml:1:1: the file is empty; a specification is a mapping that begins with 'archspec: 1'"]),
        ("# only this\n", ["f.yaml:1:1: the file is empty; a specification is a mapping that begins with 'archspec: 1'"]),
        ("~", ["f.yaml:1:1: the file is empty; a specification is a mapping that begins with 'archspec: 1'"]),
        ("- a\n", ["f.yaml:1:1: a specification is a mapping that begins with 'archspec: 1'"]),
        ("hello", ["f.yaml:1:1: a specification is a mapping that begins with 'archspec: 1'"]),
        ("a: 1\n---\nb: 2\n", ["f.yaml:2:1: a second document begins; a file holds one specification"]),
        ("a: 1\nb: 2\na: 3\n", ["f.yaml:3:1: the key 'a' stands here a second time; the first is in line 1"]),
        ("? [a]\n: b\n", ["f.yaml:1:3: a key must be a word"]),
        ("? \n: b\n", ["f.yaml:1:2: a key must be a word"]),
        (
            "a: {<<: {b: 1}}\n",
            ["f.yaml:1:5: merge keys are not allowed; a block with arguments says the same"],
        ),
        ("a: *x\n", ["f.yaml:1:4: the anchor '&x' is not defined"]),
        ("a: &x [*x]\n", ["f.yaml:1:8: the anchor '&x' is not closed yet"]),
        ("a: !foo b\n", ["f.yaml:1:4: the tag '!foo' is not allowed; write the plain value"]),
        ("a: !!int 3\n", ["f.yaml:1:4: the tag '!!int' is not allowed; write the plain value"]),
        ("a: !!str 'b'\n", ["f.yaml:1:4: the tag '!!str' is not allowed; write the plain value"]),
        (
            "a: !!python/object:os.system [b]\n",
            ["f.yaml:1:4: the tag '!!python/object:os.system' is not allowed; write the plain value"],
        ),
        ("a: !!map {b: 1}\n", ["f.yaml:1:4: the tag '!!map' is not allowed; write the plain value"]),
        ("a: b: c\n", ["f.yaml:1:5: not YAML: a second ':' on the line; put a text that holds ': ' into quotes"]),
        ("a:\n\t- b\n", ["f.yaml:2:1: not YAML: a tab cannot indent; use spaces"]),
        (
            "a: [b\n",
            [
                "f.yaml:2:1: not YAML: the file ends before the closing bracket "
                "(while parsing a flow sequence that begins at line 1)"
            ],
        ),
        (
            "a: 'b\n",
            [
                "f.yaml:2:1: not YAML: the file ends before the closing quote "
                "(while scanning a quoted scalar that begins at line 1)"
            ],
        ),
        (
            "a:\n  - b\n - c\n",
            [
                "f.yaml:3:2: not YAML: the indentation does not fit the lines above "
                "(while parsing a block mapping that begins at line 1)"
            ],
        ),
        ("a: b\nc\n", ["f.yaml:3:1: not YAML: a ':' is missing after the key (while scanning a simple key that begins at line 2)"]),
        ("a: b\x07c\n", ["f.yaml:1:5: not YAML: the character U+0007 is not allowed"]),
        ("a: b\n\nc: \0\n", ["f.yaml:3:4: not YAML: the character U+0000 is not allowed"]),
        ("%YAML 9.9\n---\na: 1\n", ["f.yaml:1:1: not YAML: found incompatible YAML document (version 1.* is required)"]),
        ('a: "\\q"\n', ["f.yaml:1:6: not YAML: found unknown escape character 'q'"]),
        ('a: "\\U00110000"\n', ["f.yaml:1:1: not YAML: malformed"]),
        ('a: "\\ud83d"\n', ["f.yaml:1:4: an escape such as \\ud800 stands for no character"]),
        ("a: \ud83d\n", ["f.yaml:1:4: not YAML: the character U+D83D is not allowed"]),
        ("a: " + "[" * 50, [f"f.yaml:1:{4 + MAX_DEPTH - 1}: nested more than {MAX_DEPTH} deep"]),
        ("a:\n" + "- " * 50, [f"f.yaml:2:{2 * (MAX_DEPTH - 1) + 1}: nested more than {MAX_DEPTH} deep"]),
        ("a: " + "x" * (MAX_SCALAR + 1), ["f.yaml:1:4: a text of 10,001 characters; at most 10,000 are allowed"]),
        (
            "".join(f"k{i}: 1\n" for i in range(MAX_KEYS + 1)),
            [f"f.yaml:{MAX_KEYS + 1}:1: more than {MAX_KEYS} keys in one mapping"],
        ),
        ("#" * (MAX_BYTES + 1), ["f.yaml: has 250,001 bytes; a specification has at most 250,000"]),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_specification_is_refused_at_its_place(text, faults):
    assert refused(text) == faults


def test_faults_that_do_not_stop_the_reader_come_together():
    assert refused("a: !x 1\na: 2\nb: {c: 1, c: !y 2}\nd: [e\n") == [
        "f.yaml:1:4: the tag '!x' is not allowed; write the plain value",
        "f.yaml:2:1: the key 'a' stands here a second time; the first is in line 1",
        "f.yaml:3:11: the key 'c' stands here a second time; the first is in line 3",
        "f.yaml:3:14: the tag '!y' is not allowed; write the plain value",
        "f.yaml:5:1: not YAML: the file ends before the closing bracket "
        "(while parsing a flow sequence that begins at line 4)",
    ]


def test_a_reader_that_collects_faults_goes_on_behind_them():
    faults = []
    assert parse("a: !x 1\na: 2\n", "f.yaml", faults) == {"a": "2"}
    assert [fault.at.line for fault in faults] == [1, 2]


def test_no_more_faults_are_collected_than_are_shown():
    assert len(refused("a: 1\n" * 1000)) == SpecErrors.shown + 1


def test_values_are_counted_as_often_as_aliases_repeat_them():
    tens = "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True))
    [fault] = refused("a: &a [x, x, x, x, x, x, x, x, x, x]\n" + tens)
    assert fault.endswith(f"more than {MAX_NODES:,} values, aliases counted as often as they are used")
    assert fault.startswith("f.yaml:5:8: ")  # 11 + 111 + 1111 + 11111 fit, another 11111 do not


def test_an_alias_is_what_its_anchor_last_was():
    tree = parse("a: &x 1\nb: *x\nc: &x {d: e}\nf: [*x, *x]\n")
    assert tree == {"a": "1", "b": "1", "c": {"d": "e"}, "f": [{"d": "e"}, {"d": "e"}]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_and_shown_alike_whatever_ends_them(end):
    with pytest.raises(SpecErrors) as caught:
        parse(end.join(["a: 1", "b: *x", ""]))
    assert str(caught.value) == "<text>:2:4: the anchor '&x' is not defined\n    b: *x\n       ^"


def test_what_a_terminal_would_obey_is_not_shown():
    with pytest.raises(SpecErrors) as caught:
        parse("a: *x # \x1b[31m red\n")
    assert "\x1b" not in str(caught.value)
    assert parse('a: "\\e[31m"\n') == {"a": "\x1b[31m"}
    assert refused('"\\e[31m": 1\n"\\e[31m": 2\n') == [
        "f.yaml:2:1: the key '\ufffd[31m' stands here a second time; the first is in line 1"
    ]


def test_printable_is_one_line_of_bounded_length():
    assert printable("a\n\tb\x00c") == "a b\ufffdc"
    assert printable("x" * 1000, 10) == "x" * 9 + "…"


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert decode(b"\xef\xbb\xbfa: 1\n", "f.yaml") == "a: 1\n"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a: \xff\n", "f.yaml:1:4: not UTF-8: found the byte 0xff; save the file as UTF-8\n    a: \ufffd\n       ^"),
        (
            "é: 1\nü".encode() + b"\xe9",
            "f.yaml:2:2: not UTF-8: found the byte 0xe9; save the file as UTF-8\n    ü\ufffd\n     ^",
        ),
        ("a: 1".encode("utf-16"), "f.yaml:1:1: not UTF-8: found the byte 0xff; save the file as UTF-8"),
    ],
    ids=["latin", "behind", "utf-16"],
)
def test_the_first_byte_that_is_not_utf_8_is_named(data, fault):
    with pytest.raises(SpecErrors) as caught:
        decode(data, "f.yaml")
    assert str(caught.value).startswith(fault)


def test_files_are_read_as_bytes(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a: 1\r\n")
    assert read_bytes(tmp_path / "a.yaml") == b"a: 1\r\n"


def test_what_is_no_readable_file_is_refused_by_its_name(tmp_path):
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(10**9)
    socket_like = tmp_path / "link.yaml"
    socket_like.symlink_to(tmp_path / "nowhere.yaml")
    cases = {
        tmp_path: "is a directory; name one file of it",
        tmp_path / "none.yaml": "cannot be read: no such file or directory",
        socket_like: "cannot be read: no such file or directory",
        tmp_path / ("x" * 300): "cannot be read: file name too long",
        huge: "has 1,000,000,000 bytes; a specification has at most 250,000",
    }
    for path, reason in cases.items():
        with pytest.raises(SpecErrors) as caught:
            read_bytes(path)
        assert str(caught.value) == f"{path}: {reason}"


def test_a_path_with_a_nul_byte_is_no_path():
    with pytest.raises(SpecErrors, match=r"'a\\x00b.yaml': is not a path"):
        read_bytes("a\0b.yaml")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    with pytest.raises(SpecErrors, match="cannot be read: permission denied"):
        read_bytes(path)


def test_a_stream_without_end_is_left_at_the_bound():
    with pytest.raises(SpecErrors, match="has more than 250,000 bytes"):
        read_bytes("/dev/zero")


def test_a_socket_is_no_file(tmp_path):
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(SpecErrors, match="is not a file"):
            read_bytes(tmp_path / "s")
