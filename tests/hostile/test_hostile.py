"""Bad and hostile input through the command line: a clear fault at its place, exit code 2, in 2 seconds and 500 MB."""

# ruff: noqa: E501  # a case is a row, however long

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from select import select
from string import ascii_letters
from subprocess import PIPE

import pytest

LIMITED = Path(__file__).with_name("limited.py")
SECONDS = 2.0
"""Of processor time beyond what a sound specification of one layer takes."""

HEAD = "archspec: 1\nname: x\ninput: [3, 32, 32]\n"
"""Three lines; what a case adds begins in the fourth."""

NET = "network: [relu]\n"


@dataclass(frozen=True)
class Run:
    """What a command printed, and what it cost."""

    code: int
    out: str
    faults: str
    seconds: float


@pytest.fixture(scope="session")
def check(tmp_path_factory) -> Iterator[Callable[..., Run]]:
    """The command `archspec check`, in a process of its own, under limits."""
    folder = tmp_path_factory.mktemp("streams")
    with subprocess.Popen([sys.executable, str(LIMITED)], stdin=PIPE, stdout=PIPE, text=True) as server:

        def run(*arguments: str, stdin: str = os.devnull) -> Run:
            out, faults = folder / "out", folder / "faults"
            for printed in (out, faults):
                printed.write_bytes(b"")
            asked = {"arguments": ["check", *arguments], "streams": [stdin, str(out), str(faults)]}
            server.stdin.write(f"{json.dumps(asked)}\n")
            server.stdin.flush()
            assert select([server.stdout], [], [], 60)[0], "the command waits for something"
            return Run(**json.loads(server.stdout.readline()), out=out.read_text(), faults=faults.read_text())

        yield run
        server.kill()


@pytest.fixture(scope="session")
def usual(tmp_path_factory, check) -> float:
    """The seconds that the command takes for a sound specification of one layer."""
    path = tmp_path_factory.mktemp("usual") / "sound.yaml"
    path.write_text(HEAD + NET)
    runs = [check(str(path)) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0], runs[0].faults
    return min(run.seconds for run in runs)


def refused(run: Run, usual: float) -> str:
    assert "Traceback" not in run.faults
    assert run.code == 2, run.faults[-500:]
    assert run.out == ""
    assert run.faults.replace("\n", "").isprintable()
    assert run.seconds - usual <= SECONDS
    return run.faults


def functions(body: str, number: int) -> str:
    lines = (f"  f{i}(c): {body.format(f=f'f{i - 1}')}\n" for i in range(1, number))
    return f"functions:\n  f0(c): c\n{''.join(lines)}"


def blocks(body: str, number: int) -> str:
    lines = (f"  b{i}: {{body: {body.format(b=f'b{i - 1}')}}}\n" for i in range(1, number))
    return f"blocks:\n  b0: {{body: [relu]}}\n{''.join(lines)}network: [b{number - 1}]\n"


def out_features(expression: str) -> str:
    return f"network: [flatten, {{linear: {{out_features: '{expression}'}}}}]\n"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in pairwise(ascii_letters[:20])
)

CASES = {
    # what people write
    "an unknown operator": (HEAD + "network:\n  - con2d: {out_channels: 8}\n", ":5:5: unknown operator or block 'con2d'; did you mean 'conv2d'?\n      - con2d: {out_channels: 8}\n        ^"),
    "an unknown key": (HEAD + "netwerk: []\n" + NET, ":4:1: unknown key 'netwerk'; did you mean 'network'?"),
    "an unknown argument": (HEAD + "network:\n  - conv2d: {out_chanels: 8, kernel_size: 3}\n", ":5:14: 'conv2d' has no argument 'out_chanels'; did you mean 'out_channels'?"),
    "a missing argument": (HEAD + "network:\n  - conv2d: {out_channels: 8}\n", ":5:5: 'conv2d' needs 'kernel_size'"),
    "a wrong type": (HEAD + "network:\n  - conv2d: {out_channels: 8, kernel_size: 3, bias: 3}\n", ":5:53: conv2d: bias must be true or false (got 3)"),
    "a value out of range": (HEAD + "network:\n  - dropout: {p: 7}\n", ":5:18: dropout: p must be at least 0 and less than 1 (got 7)"),
    "an undefined name": (HEAD + "network:\n  - linear: {out_features: 2 * alpha}\n", ":5:32: undefined name 'alpha'"),
    "channels that differ in add": (HEAD + "network:\n  - add: [[identity], [{conv2d: {out_channels: 4, kernel_size: 1}}]]\n", ":5:5: add: add needs equal channels: 3 in branch 1, 4 in branch 2"),
    "heights that differ in concat": (HEAD + "network:\n  - concat: [[identity], [{conv2d: {out_channels: 4, kernel_size: 3}}]]\n", ":5:5: concat: concat joins channels; height differs: 32 in branch 1, 30 in 2"),
    "groups that do not divide": (HEAD + "network:\n  - conv2d: {out_channels: 4, kernel_size: 1, groups: 2}\n", ":5:47: conv2d: 3 input channels do not divide into 2 groups"),
    "a kernel larger than its input": (HEAD + "network:\n  - conv2d: {out_channels: 4, kernel_size: 33}\n", ":5:31: conv2d: the kernel spans 33, more than its input's height 32"),
    "a duplicate key": (HEAD + "name: y\n" + NET, ":4:1: the key 'name' stands here a second time; the first is in line 2"),
    "a row of the wrong length": (HEAD + "network: [{table: {columns: [block, p], rows: [[dropout]]}}]\n", ":4:48: the row has 1 cells, the header 2: block, p"),
    "several faults at once": (HEAD + "name: y\nnetwork:\n  - relo\n  - conv2d: {kernel: 0}\n  - linear: {out_features: a}\n", ":8:28: undefined name 'a'"),
    # what is no specification
    "nothing": ("", ":1:1: the file is empty; a specification is a mapping that begins with 'archspec: 1'"),
    "a list": ("- a\n", ":1:1: a specification is a mapping that begins with 'archspec: 1'"),
    "two documents": (HEAD + NET + "---\na: 1\n", ":5:1: a second document begins; a file holds one specification"),
    "bytes that are not UTF-8": (HEAD.encode() + b"doc: \xff\n", ":4:6: not UTF-8: found the byte 0xff; save the file as UTF-8\n    doc: \ufffd\n         ^"),
    "UTF-16": ((HEAD + NET).encode("utf-16"), ":1:1: not UTF-8: found the byte 0xff"),
    "random bytes": (bytes(range(256)) * 100, ":3:115: not UTF-8: found the byte 0x80"),
    "a control character": (HEAD + "network: [re\x1b[31mlu]\n", ":4:13: not YAML: the character U+001B is not allowed"),
    "a tab": (HEAD + "network:\n\t- relu\n", ":5:1: not YAML: a tab cannot indent; use spaces"),
    "a NUL": (HEAD + "network: [re\0lu]\n", ":4:13: not YAML: the character U+0000 is not allowed"),
    # what attackers write: YAML
    "a Python object": (HEAD + "network: !!python/object/apply:os.system ['echo owned']\n", ":4:10: the tag '!!python/object/apply:os.system' is not allowed; write the plain value"),
    "an unknown tag": (HEAD + "doc: !secret 3\n" + NET, ":4:6: the tag '!secret' is not allowed; write the plain value"),
    "a merge key": (HEAD + "blocks: {b: {<<: {body: [relu]}}}\n" + NET, ":4:14: merge keys are not allowed; a block with arguments says the same"),
    "a cycle of aliases": (HEAD + "network: &a [*a]\n", ":4:14: the anchor '&a' is not closed yet"),
    "a bomb of aliases": (BOMB, "more than 20,000 values, aliases counted as often as they are used"),
    "flow nested 100,000 deep": (HEAD + "network: " + "[" * 100_000, ":4:49: nested more than 40 deep"),
    "block nested 100,000 deep": (HEAD + "network:\n  " + "- " * 100_000, ":5:81: nested more than 40 deep"),
    "mappings nested deep": (HEAD + "network:\n" + "".join(f"{' ' * i}a:\n" for i in range(1, 600)), ":43:40: nested more than 40 deep"),
    "6,000 errors": (HEAD + "network: [" + "{relu: 3}, " * 6_000 + "]\n", "\n… and 1 more"),
    "200,000 values": (HEAD + "network: [" + "1," * 100_000 + "]\n", "more than 20,000 values"),
    "2,000 keys": (HEAD + "symbols:\n" + "".join(f"  k{i}: {{default: 1}}\n" for i in range(2000)), ":505:3: more than 500 keys in one mapping"),
    "a line of 200,000 characters": (HEAD + f"doc: {'x' * 200_000}\n", ":4:6: a text of 200,000 characters; at most 10,000 are allowed"),
    "100,000 lines": (HEAD + "\n" * 100_000 + "network: [relo]\n", ":100004:11: unknown operator or block 'relo'; did you mean 'relu'?"),
    # what attackers write: expressions
    "9**9**9": (HEAD + out_features("9**9**9"), "an exponent must be a whole number between −64 and 64 (got 387420489)"),
    "NaN": (f"archspec: 1\nname: x\nsymbols: {{a: {{default: .nan}}}}\ninput: [.NaN, nan]\n{NET}", ":4:9: expected a finite number, found '.NaN'"),
    "infinity": (f"archspec: 1\nname: x\nsymbols: {{a: {{default: .inf}}}}\ninput: [1e999, -.inf]\n{NET}", ":4:9: expected a number of ordinary size, found '1e999'"),
    "a number of 900 digits": (HEAD + out_features("9" * 900), f"the number {'9' * 59}… is too large"),
    "powers of powers": (HEAD + out_features("(10**29)**64 * (10**29)**64"), "a result is too large"),
    "900 minus signs": (HEAD + out_features("-" * 900 + "1"), "nested more than 50 deep"),
    "400 parentheses": (HEAD + out_features("(" * 400 + "1" + ")" * 400), "is not an expression: too many nested parentheses"),
    "500 names that look alike": (HEAD + "symbols:\n" + "".join(f"  {'k' * 70}{i}: {{default: 1}}\n" for i in range(500)) + "network:\n" + "".join(f"  - linear: {{out_features: {'k' * 70}x{i}}}\n" for i in range(500)), "undefined name"),
    "code": (HEAD + out_features("__import__(1)"), ":4:44: undefined function '__import__'"),
    "attributes": (HEAD + out_features("alpha.__class__"), ":4:44: 'alpha.__class__' is not allowed in an expression"),
    "subscripts": (HEAD + out_features("alpha[0]"), ":4:44: 'alpha[0]' is not allowed in an expression"),
    "a lambda": (HEAD + out_features("lambda: 1"), ":4:44: 'lambda: 1' is not allowed in an expression"),
    "a walrus": (HEAD + out_features("(a := 1)"), ":4:46: 'a := 1' is not allowed in an expression"),
    "a comprehension": (HEAD + out_features("[x for x in y]"), ":4:44: '[x for x in y]' is not allowed in an expression"),
    "a formatted string": (HEAD + out_features('f"{a}"'), ":4:44: 'f\"{a}\"' is not allowed in an expression"),
    "names that are not ASCII": (HEAD + out_features("2 * α"), ":4:49: unexpected character 'α'; names are ASCII"),
    "functions that double 60 times": (HEAD + functions("{f}(c) + {f}(c)", 33) + out_features("f32(1)"), "the expressions of this specification take too long; do they call one another?"),
    "functions nested 2,000 deep": (HEAD + functions("{f}(c) + 1", 499) + NET, "nests functions more than 100 deep"),
    "a function that calls itself": (HEAD + "functions: {f(c): f(c)}\n" + NET, ":4:19: 'f' is defined only after 'f'; a function uses those before it"),
    "a symbol named like a function": (f"archspec: 1\nname: x\nsymbols: {{floor: {{default: 3}}}}\ninput: [3]\n{NET}", ":3:11: the name 'floor' is taken by the language; choose another"),
    # what attackers write: networks
    "a repeat of 10^9": (HEAD + "network: [{repeat: 1000000000, body: [relu]}]\n", ":4:20: repeat must be a whole number from 0 to 10,000 (got 1000000000)"),
    "repeats in repeats": (HEAD + f"network: [{'{repeat: 10000, body: [' * 10}relu{']}' * 10}]\n", "the network has more than 20,000 steps"),
    "repeats of nothing": (HEAD + f"network: [{'{repeat: 10000, body: [' * 5}{{when: 1 == 2, then: [relu]}}{']}' * 5}]\n", "the network has more than 20,000 steps"),
    "tables of nothing": (HEAD + f"network: [{{repeat: 10000, body: [{{table: {{columns: [block, n], repeat: n, rows: [{'[relu, 0], ' * 1000}]}}}}]}}]\n", "the network has more than 20,000 steps"),
    "20,000 layers": (HEAD + "network: [{repeat: 10000, body: [{conv2d: {out_channels: in_channels + 1, kernel_size: 3, padding: same}}, {batch_norm: {}}]}]\n", "the network has more than 20,000 steps"),
    "blocks that double 60 times": (HEAD + blocks("[{b}, {b}]", 60), "the network has more than 20,000 steps"),
    "blocks nested 400 deep": (HEAD + blocks("[{b}]", 400), "blocks nested more than 60 deep"),
    "blocks in a circle": (HEAD + "blocks: {a: {body: [b]}, b: {body: [a]}}\nnetwork: [a]\n", ":4:13: blocks call each other in a circle: a → b → a"),
    "empty branches": (HEAD + "network: [{add: [[], []]}]\n", ":4:18: branch1 of add is empty; write [identity] to pass the input on"),
    "sizes beyond all networks": (HEAD + out_features("10**20"), "has a size that is not from 1 to 1000000000000"),
    "itself": ("archspec: 1\nname: x\nextends: case.yaml\n", ":3:10: extends: 'case.yaml' leads back here, or through more than 5 specifications"),
    "an endless device": ("archspec: 1\nname: x\nextends: /dev/zero\n", ":3:10: extends: '/dev/zero' is not below the folder of the specification, where files are read"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_is_refused_that_holds(name, tmp_path, usual, check):
    content, expected = CASES[name]
    path = tmp_path / "case.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert expected in refused(check(str(path)), usual).replace(str(path), "")


def test_all_faults_of_all_files_are_told_in_one_run(tmp_path, usual, check):
    (tmp_path / "a.yaml").write_text(HEAD + "network: [relo, gelo, {conv2d: {kernel: 3}}]\n")
    (tmp_path / "b.yaml").write_text("- b\n")
    faults = refused(check(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), str(tmp_path / "c.yaml")), usual)
    assert [line for line in faults.replace(f"{tmp_path}/", "").split("\n") if not line.startswith(" ") and line] == [
        "a.yaml:4:11: unknown operator or block 'relo'; did you mean 'relu'?",
        "a.yaml:4:17: unknown operator or block 'gelo'; did you mean 'gelu'?",
        "a.yaml:4:23: 'conv2d' needs 'out_channels'",
        "a.yaml:4:33: 'conv2d' has no argument 'kernel'; did you mean 'kernel_size'?",
        "b.yaml:1:1: a specification is a mapping that begins with 'archspec: 1'",
        "c.yaml: cannot be read: no such file or directory",
    ]


def test_a_directory_is_refused(tmp_path, usual, check):
    assert refused(check(str(tmp_path)), usual) == f"{tmp_path}: is a directory; name one file of it\n"


def test_a_missing_file_is_refused(tmp_path, usual, check):
    path = tmp_path / "none.yaml"
    assert refused(check(str(path)), usual) == f"{path}: cannot be read: no such file or directory\n"


def test_a_file_of_a_gigabyte_is_refused_by_its_size(tmp_path, usual, check):
    path = tmp_path / "huge.yaml"
    with path.open("wb") as file:
        file.truncate(10**9)
    faults = refused(check(str(path)), usual)
    assert faults == f"{path}: has 1,000,000,000 bytes; a specification has at most 250,000\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path, usual, check):
    path = tmp_path / "secret.yaml"
    path.write_text(HEAD)
    path.chmod(0)
    assert refused(check(str(path)), usual) == f"{path}: cannot be read: permission denied\n"


def test_an_endless_stream_is_left_at_the_bound(usual, check):
    faults = refused(check("-", stdin="/dev/zero"), usual)
    assert faults == "<stdin>: has more than 250,000 bytes; a specification has at most 250,000\n"


@pytest.mark.parametrize("name", ["mobilnet", "x" * 300, "\udcff", "é", "-é-"], ids=ascii)
def test_a_name_of_nothing_is_refused(name, usual, check):
    run = check("--", name)
    assert run.code == 2
    assert "Traceback" not in run.faults
    assert run.seconds - usual <= SECONDS


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_sound_file_is_sound_whatever_ends_its_lines(mark, end, tmp_path, check):
    path = tmp_path / "sound.yaml"
    path.write_bytes((mark + HEAD + NET).replace("\n", end).encode())
    assert check(str(path)).code == 0
