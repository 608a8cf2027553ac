"""Random specifications whose sizes, branches and repeats are expressions: where a formula holds, it is the count.

The specifications are not made to be valid: many refuse some of their bindings, which is what is tried. Where the count
is refused, the formula says no number either. CI tries the same few every time; `pytest tests/laws/test_formulas.py
--long` tries `ARCHSPEC_FUZZ_TIMES` times as many of the seed `ARCHSPEC_FUZZ_SEED`, and prints what it met.
"""

import json
import os
from collections import Counter
from fractions import Fraction
from random import Random

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.symbols import value

pytestmark = pytest.mark.no_cover  # other tests cover what these laws run; tracing doubles their time

SPECIFICATIONS, BINDINGS = 60, 8
SEED = int(os.environ.get("ARCHSPEC_FUZZ_SEED", "2026"))
LONGER = int(os.environ.get("ARCHSPEC_FUZZ_TIMES", "40"))

SYMBOLS = {
    "s": ([8, 12, 15, 16, 24, 32], {"range": [4, 48]}),
    "c": ([2, 3, 4, 6, 8, 12], {"range": [1, 16]}),
    "a": ([1, "1/2", "3/2"], {"range": ["1/4", 2], "type": "rational"}),
    "n": ([1, 2, 3], {"range": [1, 4]}),
    "p": ([1, 2], {"range": [0, 3]}),
    "d": ([2, 4, 8], {"choices": [1, 2, 4, 8]}),
    "q": ([0, 1], {"choices": [0, 1]}),
}

WIDTHS = [
    *("c", "c", "c", "2 * c", "c / 2", "3 * c / 2", "c - 2", "12 / c", "c % 3 + 1", "max(c, 4)", "min(c, 6)"),
    *("floor(8 * a)", "round(6 * a)", "8 * a", "make_divisible(16 * a, 4)", "ceil(5 * a)", "4 * log2(d)", "table(d)"),
    *("s // 4", "s / 4", "s % 4 + 1", "exact_div(c, 2)", "8 // (c - 1)", "in_channels", "2 * in_channels", "6", "8"),
]
KERNELS = ["1", "3", "3", "2", "p", "2 * p + 1", "q + 1"]
PADDINGS = ["0", "1", "p", "p - 1", "2 * p"]
STRIDES = ["1", "1", "2", "2", "q + 1", "p"]
GROUPS = ["1", "1", "2", "q + 1", "in_channels", "c"]
CONDITIONS = [
    *("s % 2 == 0", "s % 3 != 1", "in_height % 4 == 0", "s > 16", "in_height < 9", "c == in_channels", "a >= 1"),
    *("in_channels == floor(8 * a)", "c < in_channels", "log2(d) == 2", "n > 1 and c < 9", "in_height == in_width"),
    *("q == 1", "s % 4 == 0 or c != 4", "table(d) == 6"),
]
TIMES = ["n", "n", "p", "2", "c / 2", "log2(d)", "q + 1"]


class Draft:
    """A specification drawn by a generator of random numbers."""

    def __init__(self, random):
        self.random = random
        self.pick = random.choice

    def document(self):
        symbols = {name: {"default": self.pick(defaults), **declared} for name, (defaults, declared) in SYMBOLS.items()}
        side = self.pick(["s", "s", "s", "s / 2", "s - 3", "2 * s"])
        return {
            "archspec": 1,
            "name": "draft",
            "symbols": symbols,
            "lookups": {"table": {"columns": ["d", "w"], "rows": [[1, 5], [2, 6], [4, 8], [8, 12]]}},
            "input": [self.pick(["3", "c", "c", "c / 2", "8"]), side, side],
            "network": [*self.body(2), *self.pick([[], [{"global_avg_pool": {}}, {"linear": {"out_features": "c"}}]])],
        }

    def body(self, depth):
        return [self.step(depth) for _ in range(self.random.randint(1, 3))]

    def step(self, depth):
        kinds = ["conv", "conv", "conv", "pool", "plain"] + (["join", "join", "when", "repeat"] if depth else [])
        return getattr(self, self.pick(kinds))(depth)

    def conv(self, _):
        padding = self.pick([*PADDINGS, "same", "same"])
        return {
            "conv2d": {
                "out_channels": self.pick(WIDTHS),
                "kernel_size": self.pick(KERNELS),
                "stride": self.pick(STRIDES),
                "padding": padding,
                "groups": self.pick(GROUPS),
            }
        }

    def pool(self, _):
        settings = {"kernel_size": self.pick(KERNELS), "stride": self.pick(STRIDES), "padding": self.pick(PADDINGS)}
        return {self.pick(["max_pool2d", "avg_pool2d"]): {**settings, "ceil_mode": self.pick([True, False])}}

    def plain(self, _):
        return self.pick(
            [
                "relu",
                "batch_norm",
                {"upsample": {"scale_factor": self.pick(["2", "p", "n"])}},
                {"zero_pad": {"padding": self.pick(PADDINGS)}},
                {"split": {"sections": self.pick([2, "q + 1", ["c", "c"]]), "index": self.pick([0, "q"])}},
                {"channel_shuffle": {"groups": self.pick(GROUPS)}},
                {"dropout": {"p": self.pick(["1/2", "a / 4", "a - 1/2"])}},
                {"adaptive_avg_pool2d": {"output_size": self.pick(["1", "p", "2"])}},
                {"conv_transpose2d": {"out_channels": "c", "kernel_size": 2, "stride": "2", "output_padding": "q"}},
            ]
        )

    def join(self, depth):
        branches = {"one": self.body(depth - 1), "other": self.pick([["identity"], self.body(depth - 1)])}
        return {self.pick(["add", "add", "concat", "mul"]): branches}

    def when(self, depth):
        return {"when": self.pick(CONDITIONS), "then": self.body(depth - 1), "else": self.body(depth - 1)}

    def repeat(self, depth):
        index = self.pick([{}, {}, {"index": "i"}])
        return {"repeat": self.pick(TIMES), **index, "body": self.body(depth - 1)}


def draft(random):
    """The text of a specification; of all but a few, the defaults can be counted."""
    for _ in range(200):
        text = json.dumps(Draft(random).document())
        arch = attempt(lambda text=text: archspec.loads(text))
        if arch and (random.random() < 0.01 or attempt(arch.count)):
            break
    return text


def drawn(random, arch):
    """Values of some symbols, the others at their defaults."""
    found = {}
    for name, symbol in arch.document.symbols.items():
        if random.random() < 0.6:
            if symbol.choices:
                found[name] = random.choice(symbol.choices)
            elif symbol.integer:
                found[name] = random.randint(*map(int, symbol.range))
            else:
                found[name] = Fraction(random.randint(2, 16), 8)
        else:
            found[name] = symbol.default
    return found


def attempt(ask):
    """What an answer is, or None where it is refused."""
    try:
        return ask()
    except ArchspecError:
        return None


def examine(text, random, met):
    """The law for one specification."""
    arch = archspec.loads(text)
    counted = attempt(arch.count)
    quantity = random.choice(["macs", "params", "flops", "activations", "memory_liveness"])
    form = attempt(lambda: arch.formula(quantity))
    met[f"default {'counted' if counted else 'refused'}, formula {'given' if form else 'refused'}"] += 1
    if form is None:
        return
    met["with assumptions"] += bool(form.assumptions)
    if counted:
        assert form.holds(), f"the defaults break {list(map(str, form.assumptions))}"
    for _ in range(BINDINGS):
        bindings = drawn(random, arch)
        expected = attempt(lambda bindings=bindings: arch.count(bindings).figure(quantity))
        if form.holds(**bindings):
            met["bindings that hold"] += 1
            assert expected is not None, f"refused at {bindings}, where {form} holds"
            assert value(form.exact, bindings) == expected, f"at {bindings}: {form}"
        else:
            met["bindings that do not hold"] += 1
            met["refused bindings"] += expected is None
        assert attempt(lambda bindings=bindings: form(**bindings)) == expected, f"called at {bindings}"


@pytest.mark.parametrize("part", range(4))
def test_where_a_formula_holds_it_is_the_count_and_where_that_is_refused_it_is_silent(part, request):
    long = request.config.option.long
    met = Counter()
    for number in range(SPECIFICATIONS // 4 * (LONGER if long else 1)):
        random = Random(f"{SEED} {part} {number}")  # noqa: S311  # the same cases every time
        text = draft(random)
        try:
            examine(text, random, met)
        except Exception as error:
            raise AssertionError(f"{text}\n{error}") from error
    print(dict(met))
    assert met["bindings that hold"] > 30
    assert met["bindings that do not hold"] > 30
