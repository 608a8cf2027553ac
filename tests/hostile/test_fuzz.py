"""The zoo's specifications changed at random: each is counted, or refused by an error of ours, in bounded time.

CI runs 2,000 cases; `pytest tests/hostile --long` runs 20,000. A case is known by the seed and its number:

    mutated(texts(), random.Random("2026:17"))
"""

# ruff: noqa: E501  # words to insert, as many a line as fit

import random
import re
import time
from collections.abc import Callable, Sequence
from functools import cache

import pytest

from archspec import loads
from archspec.errors import ArchspecError
from archspec.language import zoo

pytestmark = pytest.mark.no_cover  # other tests cover what these laws run; tracing doubles their time

SEED = 2026
SHORT, LONG = 2_000, 20_000
BATCHES = 4
SECONDS = 2.0

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\w\s]")
NUMBER = re.compile(r"\d+")

NUMBERS = (
    "0", "-1", "1", "2", "7", "1/2", "3/0", "0.35", ".5", "1e3", "1e400", "1e-9", "007", "0x10", "1_000", ".nan", ".inf",
    "1000000000", "99999999999999999999", "1" + "0" * 31, "9**9**9", "2**64", "2**-1", "10**30", "(10**29)**64", "~",
    "true", "False", "same", "none", "alpha", "side", "in_channels", "in_height", "width(3)", "[1, 2]", "{a: 1}", "''",
)  # fmt: skip

FRAGMENTS = (
    "relu", "identity", "flatten", "global_avg_pool", "conv2d", "linear", "add", "mul", "concat", "split", "when",
    "then", "else", "repeat", "index", "body", "let", "use", "with", "from", "as", "table", "columns", "rows", "block",
    "operator", "after_first", "args", "required", "input", "dim", "network", "blocks", "symbols", "functions",
    "lookups", "choices", "range", "default", "type", "integer", "rational", "name", "archspec", "floor", "max",
    "&a", "*a", "!!int", "!!python/object:os.system", "!foo", "<<", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "'",
    '"', "#", "%YAML 1.1", "---", "...", "\t", "\0", "\x1b[31m", "\ufeff", "\u2028", "\x85", "\ud800", "é", "α", "😀", "\r",
    "\\", "\\x00", "`", "@", "%", "lambda: 1", "a.b", "a[0]", "f'{a}'", "(a := 1)", "[x for x in y]", "a if b else c",
    "not ", " and ", " or ", " == ", " < ", "//", "**", "-" * 900 + "1", "(" * 300, "[" * 50, "{a: " * 50, "- " * 50,
    "a" * 2000, "x" * 12_000, "\n", "\n\n", "\n  ", "    ", "exact_div(17, 4)", "make_divisible(c, 0)", "floor(1, 2)",
    "f(f(f(1)))", "{repeat: 10000, body: [relu]}", "{repeat: 10000, body: [{repeat: 10000, body: [relu]}]}",
    "{from: input}", "{from: nowhere}", "{add: [[identity], [identity]]}", "{concat: [[relu], [relu]], dim: 3}",
    "{when: in_channels == 3, then: [flatten], else: [relu]}", "{split: {sections: 2, index: 0}}",
    "{table: {columns: [block, n], rows: [[relu, 3]], repeat: n}}", "{conv2d: {out_channels: 8, kernel_size: 3}}",
    "{conv2d: {out_channels: in_channels, kernel_size: [1, 7], groups: in_channels, padding: same}}",
)  # fmt: skip

Rng = random.Random
Texts = Sequence[str]


@cache
def texts() -> tuple[str, ...]:
    """The specifications of the zoo that are quickly counted."""
    found = (zoo.path(name).read_text() for name in zoo.names())
    return tuple(text for text in found if len(text) < 3_000)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_what_is_changed_at_random_is_counted_or_refused_in_time(batch, request):
    cases = (LONG if request.config.option.long else SHORT) // BATCHES
    for number in range(batch * cases, (batch + 1) * cases):
        text = mutated(texts(), Rng(f"{SEED}:{number}"))
        start = time.process_time()
        try:
            answer = told(text)
        except BaseException as error:
            error.add_note(f"case {number} of seed {SEED}")
            raise
        assert answer.strip(), f"case {number} is refused without a word"
        assert time.process_time() - start < SECONDS, f"case {number} takes too long"


def told(text: str) -> str:
    """What a user is told of a specification."""
    try:
        return f"{loads(text).count().macs} multiply-accumulates"
    except ArchspecError as error:
        return str(error)


def test_a_change_is_the_same_for_the_same_seed_and_another_for_another():
    assert mutated(texts(), Rng("1")) == mutated(texts(), Rng("1"))
    assert len({mutated(texts(), Rng(str(seed))) for seed in range(50)}) > 45


def mutated(texts: Texts, rng: Rng) -> str:
    """One of the texts after one to six changes."""
    text = rng.choice(texts)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 6))):
        text = rng.choice(CHANGES)(text, texts, rng)
    return text


def _lines(change: Callable[[list[str], Rng], None]) -> Callable[[str, Texts, Rng], str]:
    def changed(text: str, _: Texts, rng: Rng) -> str:
        lines = text.split("\n")
        change(lines, rng)
        return "\n".join(lines)

    return changed


@_lines
def delete_line(lines: list[str], rng: Rng) -> None:
    if len(lines) > 1:
        lines.pop(rng.randrange(len(lines)))


@_lines
def delete_lines(lines: list[str], rng: Rng) -> None:
    start = rng.randrange(len(lines))
    del lines[start : start + rng.randrange(1, 9)]


@_lines
def duplicate_line(lines: list[str], rng: Rng) -> None:
    index = rng.randrange(len(lines) or 1)
    lines[index:index] = lines[index : index + 1] * rng.choice((1, 1, 2, 50))


@_lines
def swap_lines(lines: list[str], rng: Rng) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


@_lines
def indent_line(lines: list[str], rng: Rng) -> None:
    index = rng.randrange(len(lines))
    lines[index] = rng.choice(("  ", "\t", "- ", "      ")) + lines[index]


@_lines
def outdent_line(lines: list[str], rng: Rng) -> None:
    index = rng.randrange(len(lines))
    lines[index] = lines[index].lstrip() if rng.random() < 0.3 else lines[index][2:]


def _spot(pattern: re.Pattern[str], text: str, rng: Rng) -> tuple[int, int]:
    found = [match.span() for match in pattern.finditer(text)]
    return rng.choice(found) if found else (0, 0)


def change_number(text: str, _: Texts, rng: Rng) -> str:
    start, end = _spot(NUMBER, text, rng)
    return text[:start] + rng.choice((*NUMBERS, str(rng.randrange(300)))) + text[end:]


def change_token(text: str, texts: Texts, rng: Rng) -> str:
    start, end = _spot(TOKEN, text, rng)
    other = rng.choice(texts)
    begin, stop = _spot(TOKEN, other, rng)
    return text[:start] + rng.choice((other[begin:stop], rng.choice(FRAGMENTS))) + text[end:]


def misspell(text: str, _: Texts, rng: Rng) -> str:
    start, end = _spot(TOKEN, text, rng)
    letters = list(text[start:end])
    rng.shuffle(letters)
    return text[:start] + "".join(letters) + text[end:]


def insert_fragment(text: str, _: Texts, rng: Rng) -> str:
    start, end = _spot(TOKEN, text, rng)
    at = rng.choice((start, end))
    return text[:at] + rng.choice((" ", "", ", ")) + rng.choice(FRAGMENTS) + rng.choice((" ", "", ", ")) + text[at:]


def insert_step(text: str, _: Texts, rng: Rng) -> str:
    steps = [match.start() for match in re.finditer(r"^ *- ", text, re.MULTILINE)]
    if not steps:
        return text
    at = rng.choice(steps)
    indent = re.match(r" *", text[at:])
    return text[:at] + (indent[0] if indent else "") + "- " + rng.choice(FRAGMENTS) + "\n" + text[at:]


def splice(text: str, texts: Texts, rng: Rng) -> str:
    ours, theirs = text.split("\n"), rng.choice(texts).split("\n")
    return "\n".join(ours[: rng.randrange(len(ours) + 1)] + theirs[rng.randrange(len(theirs) + 1) :])


def flip_character(text: str, _: Texts, rng: Rng) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice((chr(rng.randrange(256)), chr(rng.randrange(0x2100)), "")) + text[at + 1 :]


def cut(text: str, _: Texts, rng: Rng) -> str:
    return text[: rng.randrange(len(text) + 1)]


def other_line_ends(text: str, _: Texts, rng: Rng) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r")))


CHANGES: tuple[Callable[[str, Texts, Rng], str], ...] = (
    *(delete_line, delete_lines, duplicate_line, swap_lines, indent_line, outdent_line),
    *(change_number, change_token, misspell, insert_fragment, insert_step) * 2,
    *(splice, flip_character, cut, other_line_ends),
)
