"""Documents changed at random: their trees, so that most of them still mean something, or their texts.

A mutant is known by its kind, the seed and its number: `mutant("specs", 17)` is always the same text. Of
every ten, nine are changed as trees (values, keys, steps, whole branches that stand under the same key elsewhere,
symbols and expressions put for numbers, hostile texts) and one as text (characters, tokens, lines).
"""

# ruff: noqa: E501, ARG001, ARG005  # as many words a line as fit; every change takes the tree, the pool and the chance

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from archspec import loads
from archspec.errors import ArchspecError
from archspec.language import zoo
from archspec.language.reader import Nothing, parse
from archspec.ops.base import _operators

SEED = 2026
HERE = Path(__file__).parent
SMALL = (HERE.parent / "emit/specs", HERE.parent / "cases")
"""Folders of small specifications that hold every construct of the language."""
LITTLE = 1_500
"""Characters of a network of the zoo that is mutated twice as often as the longer ones, which take long."""

Rng = random.Random
Tree = Any
Change = Callable[[Tree, "Pool", Rng], None]

NUMBERS = (
    *("0", "-1", "1", "2", "3", "7", "1/2", "3/0", "0.35", ".5", "1e3", "1e400", "1e-9", "007", "0x10", "1_000", ".nan", ".inf"),
    *("1000000000", "99999999999999999999", "1" + "0" * 31, "9**9**9", "2**64", "2**-1", "10**30", "(10**29)**64", "~", "0**0"),
    *("true", "False", "same", "none", "alpha", "side", "in_channels", "in_height", "in_width", "width(3)", "''"),
)  # fmt: skip
TOKENS = (
    *("relu", "identity", "flatten", "concat", "split", "when", "repeat", "index", "use", "from", "table", "rows", "input"),
    *("&a", "*a", "!!int", "!!python/object:os.system", "<<", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "'", '"', "#"),
    *("%YAML 1.1", "---", "...", "\t", "\0", "\x1b[31m", "\ufeff", "\u2028", "\x85", "\ud800", "é", "α", "😀", "\r", "\\", "`"),
    *("lambda: 1", "a.b", "a[0]", "f'{a}'", "(a := 1)", "not ", " and ", " == ", "//", "**", "-" * 900 + "1", "(" * 300),
    *("[" * 50, "{a: " * 50, "- " * 50, "a" * 2000, "x" * 12_000, "\n", "\n  ", "f(f(f(1)))"),
    *("{repeat: 10000, body: [relu]}", "{repeat: 10000, body: [{repeat: 10000, body: [relu]}]}"),
)  # fmt: skip
TEXTS = (
    *('x"""\n    raise SystemExit("ran")\n    """', "x\nthrow new Error('ran')\n//", "*/ throw 1 /*", 'ends in \\"', "\\", '"', "'''"),
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "-->", "| a | b |", "`x`", "[a](javascript:1)", "\\input{x}"),
    *("}\\end{document}", "$x$", "%", "=1+1", "\x1b]0;renamed\x07", "\u202e", "\0", "a\n\nb", " ", "", "{x}", "#eval(1)", "\\N{DIGIT ONE}"),
    *("\\alpha", "\\hat{x}_{i}", "α", "網", "🙂", "x" * 300, "http://a.b/?x=<y>&z", "${x}", "a,b\r\nc", "-", "#"),
)  # fmt: skip
SYMBOLS = (
    *("default", "switch", "typeof", "str", "int", "batch", "self", "free", "part", "by", "index", "lambda_", "e", "E", "I", "pi"),
    *("S", "N", "Q", "oo", "zoo", "beta", "gamma", "zeta", "Integer", "floor", "max", "torch", "nn", "x", "forward", "range", "math"),
    *("Fraction", "whole", "rounded", "nearest", "np", "numpy", "input", "name", "weights", "seed", "async_", "undefined", "NaN"),
)  # fmt: skip
EXPRESSIONS = (
    *("{s}", "{s} * {n}", "{n} + {s}", "floor({s} * {n})", "ceil({n} / {s})", "max({s}, {n})", "min({n}, {s} + 1)", "{n} + {s} % 2"),
    *("make_divisible({s} * {n}, 8)", "exact_div({n} * {s}, {s})", "ceil_div({n}, {s})", "{n} // {s}", "{s} ** 2", "round({n} * {s} / 3)"),
    *("log2({s}) + {n}", "2 ** {s}", "{n} / {s}", "{n} - {s}", "in_channels + {s}", "{s} == {n}"),
)  # fmt: skip
CONDITIONS = (
    "{s} == {n}",
    "{s} > {n}",
    "in_channels == {n}",
    "{s} % 2 == 0",
    "in_height > 2 and {s} < 4",
    "not {s} == 1",
    "true",
)
STEPS = (
    *("relu", "identity", "flatten", "global_avg_pool", "batch_norm", "layer_norm", "softmax", "dropout", "gelu", "prelu"),
    *("{conv2d: {out_channels: 8, kernel_size: 3}}", "{conv2d: {out_channels: in_channels, kernel_size: [1, 3], groups: in_channels, padding: same}}"),
    *("{linear: {out_features: 4}}", "{max_pool2d: {kernel_size: 2}}", "{avg_pool2d: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}}"),
    *("{add: [[identity], [identity]]}", "{concat: [[relu], [tanh]]}", "{mul: {a: identity, b: sigmoid}}", "{from: input}", "{from: nowhere}"),
    *("{split: {sections: 2, index: 0}}", "{channel_shuffle: {groups: 2}}", "{upsample: {scale_factor: 2}}", "{zero_pad: {padding: [0, 1, 0, 1]}}"),
    *("{conv_transpose2d: {out_channels: 4, kernel_size: 2, stride: 2}}", "{adaptive_avg_pool2d: {output_size: [2, 3]}}"),
    *("{binary_conv2d: {out_channels: 4, kernel_size: 3}}", "{local_response_norm: {size: 5}}", "{use: relu}", "{use: relu, as: a}"),
    *("{table: {block: conv2d, columns: [out_channels, kernel_size], rows: [[4, 1], [in_channels, 3]]}}",),
)  # fmt: skip
STEP_LISTS = {"network", "body", "then", "else"}


class Pool:
    """The sound documents of a kind, what stands in them under each key, and what may be done to them."""

    def __init__(self, texts: list[str], changes: tuple[Change, ...]) -> None:
        self.texts, self.changes = texts, changes
        self.trees = [parse(text, "pool") for text in texts]
        self.values: dict[str, list[Tree]] = defaultdict(list)
        for tree in self.trees:
            for holder, key in sites(tree):
                self.values[str(key)].append(holder[key])


def mutant(kind: str, number: int) -> str:
    """A document of a kind after one to five changes."""
    pool, rng = pool_of(kind), Rng(f"{SEED}:{kind}:{number}")
    index = rng.randrange(len(pool.texts))
    times = rng.choice((1, 1, 1, 2, 2, 3, 4))
    if rng.random() < 0.1:
        text = pool.texts[index]
        for _ in range(times):
            text = rng.choice(TEXT_CHANGES)(text, rng)
        return text
    tree = _copy(pool.trees[index])
    for _ in range(times):
        rng.choice(pool.changes)(tree, pool, rng)
    return flow(tree)


@cache
def pool_of(kind: str) -> Pool:
    """The documents of a kind and their changes."""
    if kind == "specs":
        small = [path.read_text() for folder in SMALL for path in sorted(folder.glob("*.yaml"))]
        known = [zoo.path(name).read_text() for name in zoo.names() if name != "squeezenet_meta"]  # 3 s for its forms
        few = [text for text in known if len(text) < LITTLE]
        return Pool(
            [*filter(_sound, small), *few, *few, *(text for text in known if len(text) >= LITTLE)], SPEC_CHANGES
        )
    folder = zoo.directory() / {"figures": "published"}.get(kind, kind)
    texts = [path.read_text() for path in sorted(folder.glob("*.yaml"))]
    return Pool([piece for text in texts for piece in _pieces(text)] if kind == "figures" else texts, CHANGES)


def _sound(text: str) -> bool:
    try:
        return bool(loads(text).expand())
    except ArchspecError:
        return False


def _pieces(text: str) -> Iterator[str]:
    """Papers of one table, or of three figures, of a paper."""
    tree = parse(text, "pool")
    head = {key: value for key, value in tree.items() if key not in ("tables", "figures")}
    for table in tree.get("tables", ()):
        yield flow({**head, "tables": [{**table, "rows": table["rows"][:4]}]})
    figures = tree.get("figures", [])
    for start in range(0, len(figures), 3):
        yield flow({**head, "figures": figures[start : start + 3]})


def flow(tree: Tree) -> str:
    """A tree as YAML of one line; a text stands plain where it may.

    >>> flow({"a": ["1", "x y", "#", None]})
    '{a: [1, x y, "#", ~]}'
    """
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    if tree is None or isinstance(tree, Nothing):
        return "~"
    plain = re.fullmatch(r"[\w./(+][\w ./()*+=<>%-]*(?<! )|~", tree, re.ASCII)
    return str(tree) if plain else json.dumps(str(tree), ensure_ascii=False)


def sites(tree: Tree) -> list[tuple[Tree, Any]]:
    """Every place of a tree, as what holds it and its key there."""
    found: list[tuple[Tree, Any]] = []
    todo = [tree]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        found += [(holder, key) for key in keys]
        todo += [holder[key] for key in keys]
    return found


def _site(tree: Tree, rng: Rng, wanted: Callable[[Tree, Any], bool] = lambda *_: True) -> tuple[Tree, Any]:
    """One of the places that are wanted; beside the tree if there is none."""
    found = [site for site in sites(tree) if wanted(*site)]
    return rng.choice(found) if found else ([None], 0)


def _copy(tree: Tree) -> Tree:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    return [_copy(value) for value in tree] if isinstance(tree, list) else tree


# ------------------------------------------------------------------ changes of any tree


def _number(holder: Tree, key: Any) -> bool:
    return isinstance(holder[key], str) and bool(re.fullmatch(r"\d+(/\d+|\.\d+)?", holder[key])) and key != "archspec"


def odd_number(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng, _number)
    holder[key] = rng.choice(NUMBERS)


def near_number(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng, _number)
    old = str(holder[key] or 1)
    number = int(old) if old.isdigit() else rng.randrange(9)
    holder[key] = str(rng.choice((number + 1, max(number - 1, 0), number * 2, number // 2, rng.randrange(1, 9))))


def other_value(tree: Tree, pool: Pool, rng: Rng) -> None:
    """What stands elsewhere under the same key."""
    holder, key = _site(tree, rng, lambda holder, key: isinstance(key, str))
    holder[key] = _copy(rng.choice(pool.values.get(str(key)) or ["1"]))


def any_value(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng)
    holder[key] = _copy(rng.choice(pool.values[rng.choice(list(pool.values))]))


def rename_key(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng, lambda holder, key: isinstance(key, str))
    if isinstance(holder, dict):
        new = rng.choice((key[:-1], key + "s", rng.choice(list(pool.values)), rng.choice(TEXTS)))
        items = [(new if name == key else name, value) for name, value in holder.items()]
        holder.clear()
        holder.update(items)


def delete(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng)
    del holder[key]


def duplicate(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng, lambda holder, key: isinstance(holder, list))
    holder[key:key] = [_copy(holder[key]) for _ in range(rng.choice((1, 1, 2, 30)))]


def move(tree: Tree, pool: Pool, rng: Rng) -> None:
    holder, key = _site(tree, rng, lambda holder, key: isinstance(holder, list))
    holder.insert(rng.randrange(len(holder)), holder.pop(key))


def swap(tree: Tree, pool: Pool, rng: Rng) -> None:
    (one, key), (two, name) = _site(tree, rng), _site(tree, rng)
    one[key], two[name] = _copy(two[name]), _copy(one[key])


def hostile_text(tree: Tree, pool: Pool, rng: Rng) -> None:
    texts = {"doc", "title", "authors", "note", "latex", "where", "url", "section", "table", "arxiv", "id", "unit"}
    holder, key = _site(tree, rng, lambda holder, key: key in texts and isinstance(holder[key], str))
    holder[key] = rng.choice((rng.choice(TEXTS), f"{holder[key]} {rng.choice(TEXTS)}"))


CHANGES: tuple[Change, ...] = (
    *(odd_number, near_number, other_value, any_value, rename_key, delete, duplicate, move, swap, hostile_text),
    *(near_number, near_number, near_number),
)

# ------------------------------------------------------------------ changes of a specification


def _call(holder: Tree, key: Any) -> bool:
    """Whether an operator stands here, with settings or without."""
    name = key if isinstance(holder, dict) else holder[key]
    return isinstance(name, str) and name in _operators


def _steps(tree: Tree) -> list[tuple[Tree, Any]]:
    lists = [holder[key] for holder, key in sites(tree) if key in STEP_LISTS and isinstance(holder[key], list)]
    return [(steps, index) for steps in lists for index in range(len(steps))]


def insert_step(tree: Tree, pool: Pool, rng: Rng) -> None:
    for steps, index in rng.sample(found := _steps(tree), min(1, len(found))):
        steps.insert(index, parse(f"s: {rng.choice(STEPS)}", "step")["s"])


def wrap_step(tree: Tree, pool: Pool, rng: Rng) -> None:
    for steps, index in rng.sample(found := _steps(tree), min(1, len(found))):
        step, name = steps[index], rng.choice(_names(tree))
        condition = rng.choice(CONDITIONS).format(s=name, n=rng.randrange(5))
        steps[index] = rng.choice(
            (
                {"when": condition, "then": [step]},
                {"when": condition, "then": [step], "else": [_copy(step), "relu"]},
                {"repeat": rng.choice(("2", name, "0")), "body": [step], "index": "i"},
                {"body": [step], "as": "wrapped"},
                {rng.choice(("add", "mul", "concat")): [[step], [_copy(step)]]},
                {"concat": {"a": [step], "b": [{"when": condition, "then": [_copy(step)]}]}},
            )
        )


def setting(tree: Tree, pool: Pool, rng: Rng) -> None:
    """A setting of an operator, to what it has elsewhere or to an odd number."""
    holder, key = _site(tree, rng, _call)
    name = key if isinstance(holder, dict) else holder[key]
    fields = list(getattr(_operators.get(str(name)), "__annotations__", ())) or ["bias"]
    field = rng.choice(fields)
    value = rng.choice((rng.choice(NUMBERS), _copy(rng.choice(pool.values.get(field) or ["1"])), str(rng.randrange(4))))
    if isinstance(holder, list):
        holder[key] = {name: {field: value}}
    elif isinstance(holder[key], dict):
        holder[key][field] = value
    else:
        holder[key] = {field: value}


def other_operator(tree: Tree, pool: Pool, rng: Rng) -> None:
    """Another operator, with the settings of the one before."""
    holder, key = _site(tree, rng, lambda holder, key: isinstance(holder, dict) and _call(holder, key))
    if isinstance(holder, dict):
        items = [(rng.choice(list(_operators)) if name == key else name, value) for name, value in holder.items()]
        holder.clear()
        holder.update(items)


def _names(tree: Tree) -> list[str]:
    symbols = tree.get("symbols") if isinstance(tree, dict) else None
    return list(symbols) if isinstance(symbols, dict) and symbols else ["1"]


def symbol_for_number(tree: Tree, pool: Pool, rng: Rng) -> None:
    """A symbol, or an expression of one, in place of a number of the network; its default is that number, or small."""
    if not isinstance(tree, dict):
        return
    parts = {key: tree[key] for key in ("network", "blocks", "input") if key in tree}
    holder, key = _site(parts, rng, _number)
    number = str(holder[key] or 1)
    expression = rng.choice(EXPRESSIONS) if rng.random() < 0.7 else "{s}"
    name = rng.choice((rng.choice(SYMBOLS), *_names(tree)))
    holder[key] = expression.format(s=name, n=number)
    if not isinstance(tree.get("symbols"), dict):
        tree["symbols"] = {}
    if name not in tree["symbols"] and name != "1":
        default = number if expression == "{s}" else rng.choice(("1", "2", "3", "3/2"))
        said: dict[str, Tree] = {"default": default}
        if rng.random() < 0.5:
            said |= rng.choice(
                ({"range": ["1", "999"]}, {"choices": [default, "8"]}, {"range": ["0", "9"]}, {"latex": "\\beta"})
            )
        tree["symbols"][name] = said


def more_text(tree: Tree, pool: Pool, rng: Rng) -> None:
    """A text where there was none: of the document, of a symbol, of a block, of a source."""
    if not isinstance(tree, dict):
        return
    parts = [tree, *(part for key in ("symbols", "blocks", "lookups") for part in _inside(tree.get(key)))]
    part = rng.choice(parts)
    text = rng.choice(TEXTS)
    part.update(
        rng.choice(
            ({"doc": text}, {"latex": text}, {"source": {"title": text}}, {"source": {"title": "t", "note": text}})
        )
    )


def _inside(tree: Tree) -> list[Tree]:
    return [part for part in tree.values() if isinstance(part, dict)] if isinstance(tree, dict) else []


SPEC_CHANGES: tuple[Change, ...] = (
    *CHANGES,
    *(insert_step, wrap_step, setting, other_operator, more_text),
    *(symbol_for_number, wrap_step, setting) * 4,
)

# ------------------------------------------------------------------ changes of a text

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\w\s]")


def _token(text: str, rng: Rng) -> tuple[int, int]:
    found = [match.span() for match in TOKEN.finditer(text)]
    return rng.choice(found) if found else (0, 0)


def change_token(text: str, rng: Rng) -> str:
    start, end = _token(text, rng)
    return text[:start] + rng.choice((rng.choice(TOKENS), rng.choice(NUMBERS))) + text[end:]


def insert_token(text: str, rng: Rng) -> str:
    start, end = _token(text, rng)
    at = rng.choice((start, end))
    return text[:at] + rng.choice((" ", "", ", ")) + rng.choice(TOKENS) + rng.choice((" ", "", ", ")) + text[at:]


def misspell(text: str, rng: Rng) -> str:
    start, end = _token(text, rng)
    letters = list(text[start:end])
    rng.shuffle(letters)
    return text[:start] + "".join(letters) + text[end:]


def change_lines(text: str, rng: Rng) -> str:
    lines = text.split("\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            del lines[at : at + rng.randrange(1, 9)]
        case 1:
            lines[at:at] = lines[at : at + 1] * rng.choice((1, 1, 2, 50))
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case 3:
            lines[at] = rng.choice(("  ", "\t", "- ", "      ")) + lines[at]
        case _:
            lines[at] = lines[at][2:]
    return "\n".join(lines)


def flip_character(text: str, rng: Rng) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice((chr(rng.randrange(256)), chr(rng.randrange(0x2100)), "")) + text[at + 1 :]


def cut(text: str, rng: Rng) -> str:
    return text[: rng.randrange(len(text) + 1)]


def other_line_ends(text: str, rng: Rng) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r")))


TEXT_CHANGES = (change_token, insert_token, misspell, change_lines, change_token, flip_character, cut, other_line_ends)
