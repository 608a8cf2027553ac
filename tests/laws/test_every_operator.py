"""The laws of sources and formulas over every operator: images, sequences, volumes, words; several inputs and outputs.

A braid is drawn from a seed, the same on any machine. It begins with one of the samples of the operators, one after
another, and goes on with any that take what there is: what flows, or any value by its name. Shapes are followed while
it is drawn, at the defaults of its symbols; what other values of them do not allow is no case.

CI runs the same cases every time; `pytest tests/laws/test_every_operator.py --long` runs `ARCHSPEC_FUZZ_TIMES` as many,
from the seed `ARCHSPEC_FUZZ_SEED` on, and prints how often each operator and each construct occurred.
"""

# the kinds of step share one signature; not every one needs it all

import json
import os
import random
from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from agreement import LIMITS, bindings, held  # noqa: E402  # tests/laws; behind the skip
from samples import SAMPLES  # noqa: E402  # tests/ops

import archspec  # noqa: E402
from archspec import ops  # noqa: E402
from archspec.errors import ArchspecError, ShapeError  # noqa: E402
from archspec.ops import Tensor, operator  # noqa: E402

pytestmark = [
    pytest.mark.no_cover,  # other tests cover what these laws run; tracing doubles their time
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning"),
]

CASES = 40
SEED = int(os.environ.get("ARCHSPEC_FUZZ_SEED", "1"))
LONGER = int(os.environ.get("ARCHSPEC_FUZZ_TIMES", "150"))

LARGEST = 3000
"""The elements of the largest value; larger samples have a smaller one of the same operator beside them."""

ROWS = [sample for sample in SAMPLES if max(x.elements for x in sample.tensors) <= 2 * LARGEST]
ROWS = [sample for sample in ROWS if sample.operator.known]
NAMES = sorted({row.name for row in ROWS})
"""The operators that torch computes: all but those that stand for what none does."""

BY_NAME = {name: [row for row in ROWS if row.name == name] for name in NAMES}
ONE, JOINS = ([name for name in NAMES if (name in ops.joins()) == joins] for joins in (False, True))
WORDS = "embedding"
"""The operator that takes whole numbers, which no other gives."""
WIDTHS = ["out_channels", "out_features", "hidden_size", "embedding_dim"]
"""Settings that may be any number, and are written in many ways."""

CONSTRUCTS = (
    *("several inputs", "several outputs", "an output inside a block", "a number written by a symbol"),
    *(
        "a number written by a truth value",
        "a call that says from what",
        "a join of named values",
        "a join of branches",
    ),
    *("attention", "a product of matrices", "a condition", "a repeat", "a repeat with an index", "a group"),
    *("a block", "a repeat of shared weights"),
    *("a block of several inputs", "a block called again", "a block with other arguments", "a value inside a block"),
    *("a layer shared", "a layer shared by another class", "a block shared"),
)
"""What braids are made of beside operators; a test shows that they have it all."""


class Braid:
    """One specification.

    Attributes:
        text: It, as JSON, which YAML takes.
        found: The constructs that it has, and how often.
    """

    def __init__(self, seed):
        self.random = random.Random(seed)  # noqa: S311  # no secret
        self.found = Counter()
        self.symbols, self.blocks, self.made = {}, {}, {}
        self.values, self.words, self.inside = {}, {}, {}
        self.flow, self.count, self.depth = None, 0, 0
        self.text = self.document(ROWS[seed % len(ROWS)])

    def pick(self, values):
        return values[int(self.random.random() * len(values))]  # the one draw that Python promises to keep

    def chance(self, tenths):
        return self.random.random() < tenths / 10

    def note(self, construct, so=True):
        self.found[construct] += bool(so)

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    # -------------------------------------------------------------- numbers

    def size(self, number, x=None):
        """A way to write a number: itself, a symbol, more than one, by a truth value, what flows."""
        way = self.pick(["number", "symbol", "symbol", "more", "truth", "flows"])
        if way == "symbol":
            return self.symbol(number)
        if way == "more" and number > 1:
            return f"{self.symbol(number - 1)} + 1"
        if way == "truth":
            self.note("a number written by a truth value")
            self.symbols["deep"] = {"default": True}
            return f"{number} if deep else {number + 1}"
        if way == "flows" and x is not None and len(x.shape) == 4 and number % x.shape[1] == 0:
            return f"{number // x.shape[1]} * in_channels"
        return number

    def symbol(self, number):
        """The symbol of that default, or a new one."""
        self.note("a number written by a symbol")
        known = [name for name, symbol in self.symbols.items() if symbol["default"] is not True]
        same = [name for name in known if self.symbols[name]["default"] == number]
        if same or len(known) > 2:
            return self.pick(same) if same else number
        name = f"s{len(known)}"
        self.symbols[name] = {"default": number, "range": [0, 10**4]}
        return name

    def condition(self, truth):
        self.symbols["kind"] = {"default": "one", "choices": ["one", "two"]}
        return "kind == one" if truth else "kind == two"

    # -------------------------------------------------------------- values

    def start(self, fits=lambda _: True):
        """A value that fits, and how a step takes it: what flows needs no name."""
        named = {name: x for name, x in self.values.items() if fits(x)}
        if self.flow is not None and fits(self.flow) and (not named or self.chance(6)):
            return self.flow, {}
        if not named:
            return None, {}
        self.note("a call that says from what")
        name = self.pick(sorted(named))
        self.note("a value inside a block", "/" in name)
        return named[name], {"from": name}

    def goes_on(self, step, y):
        """A step, perhaps with a name, behind which y flows."""
        self.flow = y
        if self.chance(5) and "as" not in step:
            step = {**step, "as": self.fresh("v")}
        if "as" in step and y is not None:
            self.values[step["as"]] = y
        return [step]

    # -------------------------------------------------------------- operators

    def fitted(self, name, x, keep=False, weighted=False):
        """Settings of an operator that x fits, and what comes out; None where no sample's do."""
        for _ in range(4):
            given = dict(self.pick(BY_NAME[name]).settings)
            for field in WIDTHS:
                if field in given:
                    least = given.get("groups", 1)
                    given[field] = x.shape[1 if len(x.shape) > 3 else -1] if keep else least * self.pick([1, 2, 3])
            try:
                chosen = operator(name)(**given)
                y = chosen.output(x)
                chosen.weights(x)
            except (ShapeError, ArchspecError, ValueError):
                continue
            if y.elements <= LARGEST and (not keep or y == x) and (not weighted or chosen.weights(x)):
                return {key: self.written(key, value, x) for key, value in given.items()}, y
        return None

    def written(self, key, value, x):
        if key in WIDTHS:
            return self.size(value, x)
        return [*value] if isinstance(value, tuple) else value

    def operator(self):
        x, taken = self.start()
        if x is None:
            return []
        for _ in range(30):
            name = self.pick(ONE)
            if name != WORDS and (fitted := self.fitted(name, x)):
                return self.goes_on({name: fitted[0], **taken}, fitted[1])
        return []

    def embedding(self):
        """Words looked up, in a table with as many rows as every other."""
        if not self.words or self.depth:
            return []
        name = self.pick(sorted(self.words))
        width = self.pick([4, 6, 8])
        step = {WORDS: {"num_embeddings": 50, "embedding_dim": self.size(width)}, "from": name}
        return self.goes_on(step, Tensor((*self.words[name].shape, width)))

    def alike(self, x):
        """Steps that leave the shape as it is."""
        steps = []
        for _ in range(self.pick([1, 2, 3])):
            for _ in range(10):
                if (name := self.pick(ONE)) != WORDS and (fitted := self.fitted(name, x, keep=True)):
                    steps.append({name: fitted[0]})
                    break
        return steps or ["identity"]

    def layer_alike(self, x):
        """A layer with weights that leaves the shape as it is; None if none is found."""
        for _ in range(20):
            name = self.pick(LAYERS)
            if fitted := self.fitted(name, x, keep=True, weighted=True):
                return {name: fitted[0]}
        return None

    # -------------------------------------------------------------- joins

    def join(self):
        """Values of one shape by their names, or branches of steps that keep it."""
        x, taken = self.start(lambda x: len(x.shape) > 1)
        how = self.pick([name for name in JOINS if name not in ATTENTION])
        if x is None:
            return []
        equal = [name for name, value in self.values.items() if value == x]
        given = {"dim": self.pick([1, -1])} if how == "concat" else {}
        if equal and self.chance(5):
            self.note("a join of named values")
            names = [self.pick(equal) for _ in range(self.pick([2, 3]))]
            return self.goes_on({how: given, "from": names}, operator(how)(**given).output(*[x] * len(names)))
        self.note("a join of branches")
        bodies = [self.alike(x) for _ in range(self.pick([2, 3]))]
        before = [{"identity": {}, **taken}] if taken else []
        return before + self.goes_on({how: bodies, **given}, operator(how)(**given).output(*[x] * len(bodies)))

    def matmul(self):
        """Each of several vectors times each other."""
        x, taken = self.start(lambda x: len(x.shape) == 3)
        if x is None:
            return []
        self.note("a product of matrices")
        turned = {"transpose": {"dim0": 1, "dim1": -1}}
        n, length, _ = x.shape
        step = {"matmul": [[{"identity": {}, **taken}], [{**turned, **taken}]]}
        return self.goes_on(step, Tensor((n, length, length)))

    def attention(self):
        """Attention of tokens to tokens, or to those of another value."""
        x, taken = self.start(lambda x: len(x.shape) == 3)
        other, others = self.start(lambda x: len(x.shape) == 3)
        if x is None:
            return []
        self.note("attention")
        width, depth = self.pick([4, 6]), self.pick([2, 4])
        causal = x.shape[1] == other.shape[1] and self.chance(5)
        given = {"is_causal": True, **({"window": 2} if self.chance(3) else {})} if causal else {}
        linear = lambda size, taken: [{"linear": {"out_features": self.size(size)}, **taken}]  # noqa: E731
        turn = [{"rotary": {}}] if self.chance(3) else []
        bodies = {"q": [*linear(width, taken), *turn], "k": [*linear(width, others), *turn], "v": linear(depth, others)}
        step = {"scaled_dot_product_attention": bodies, **given}
        return self.goes_on(step, Tensor((*x.shape[:-1], depth)))

    # -------------------------------------------------------------- what holds steps

    def when(self):
        x, taken = self.start()
        if x is None:
            return []
        self.note("a condition")
        step = {"when": self.condition(self.chance(5)), "then": self.alike(x), "else": self.alike(x)}
        return self.held_by(step, x, taken)

    def repeat(self):
        x, taken = self.start()
        if x is None:
            return []
        self.note("a repeat")
        times = self.pick([2, 3])
        step = {"repeat": self.size(times), "body": self.alike(x)}
        if self.chance(3) and (layer := self.layer_alike(x)):
            self.note("a repeat of shared weights")
            step["shared"] = True
            step["body"].append(layer)
        elif self.chance(4):
            self.note("a repeat with an index")
            step["index"] = "i"
            step["body"].append({"when": "i > 0", "then": self.alike(x)})
        return self.held_by(step, x, taken)

    def group(self):
        x, taken = self.start()
        if x is None:
            return []
        self.note("a group")
        return self.held_by({"body": self.alike(x)}, x, taken)

    def held_by(self, step, x, taken):
        """A step that takes what flows, behind one that says what that is."""
        self.flow = x
        before = [{"identity": {}, **taken}] if taken else []
        return before + ([step] if "when" in step else self.goes_on(step, x))

    # -------------------------------------------------------------- blocks and shared weights

    def block(self):
        """A new block, or one that was made, on values of the shapes that it was made for."""
        fitting = [name for name, (shapes, _) in self.made.items() if self.named_like(shapes)]
        if fitting and self.chance(6):
            self.note("a block called again")
            return self.call(self.pick(fitting))
        if self.depth or len(self.values) < 2:
            return []
        names = [self.pick(sorted(self.values)) for _ in range(self.pick([1, 2, 2]))]
        return self.call(self.define([self.values[name] for name in names]))

    def named_like(self, shapes):
        """Names of values of these shapes, or nothing."""
        found = [[name for name, x in self.values.items() if x == shape] for shape in shapes]
        return [self.pick(names) for names in found] if all(found) else []

    def define(self, shapes):
        """A block of these values."""
        outer = self.values, self.flow, self.inside, self.depth
        taken = [self.fresh("in") for _ in shapes[1:]]
        self.values, self.flow, self.depth = dict(zip(taken, shapes[1:], strict=True)), shapes[0], 1
        self.note("a block of several inputs", taken)
        width = self.pick([2, 4, 6])
        body = self.steps(self.pick([2, 3, 4]))
        for name in taken:
            body += self.goes_on({"tanh": {}, "from": name, "as": self.fresh("v")}, self.values[name])
        flat = {"flatten": {}, "as": self.fresh("v")}
        x, start = self.start()
        body += [*([{"identity": {}, **start}] if start else []), *([flat] if len(x.shape) > 2 else [])]
        body += [{"linear": {"out_features": "c"}, "as": (last := self.fresh("v"))}]
        name = self.fresh("part")
        inner = {label: y for label, y in self.values.items() if label not in taken}
        self.values, self.flow, self.inside, self.depth = outer
        self.blocks[name] = {
            "args": {"c": self.size(width)},
            **({"inputs": taken} if taken else {}),
            "body": body,
        }
        self.made[name] = (shapes, Tensor((1, width)))
        self.inside = {**self.inside, name: {**inner, last: Tensor((1, width))}}
        return name

    def call(self, name):
        shapes, y = self.made[name]
        self.note("a block")
        label = self.fresh("v")
        step = {name: {}, "from": self.named_like(shapes), "as": label}
        if len(step["from"]) == 1:
            (step["from"],) = step["from"]
        if self.chance(3):
            self.note("a block with other arguments")
            step[name] = {"c": self.size(5)}
            y = Tensor((1, 5))
        for inner, value in self.inside[name].items():
            if inner in json.dumps(self.blocks[name]["body"]) and value != self.made[name][1]:
                self.values[f"{label}/{inner}"] = value
        return self.goes_on(step, y) + self.again(step, shapes)

    def again(self, step, shapes):
        """The same block on other values with the same weights, at times."""
        if not self.chance(4):
            return []
        self.note("a block shared")
        names = self.named_like(shapes)
        again = {**step, "from": names if len(names) > 1 else names[0], "share": step["as"], "as": self.fresh("v")}
        return self.goes_on(again, self.flow)

    def shared(self):
        """A layer with weights, and the same again on a value of its shape."""
        x, taken = self.start()
        if x is None:
            return []
        fitted, label, other = None, self.fresh("v"), self.fresh("v")
        for _ in range(20):
            if fitted := self.fitted(name := self.pick(LAYERS), x, weighted=True):
                break
        if not fitted:
            return []
        self.note("a layer shared")
        first = self.goes_on({name: fitted[0], **taken, "as": label}, fitted[1])
        (again,) = self.named_like([x]) or [None]
        before = [] if again else [{"identity": {}, **taken}] if taken else None
        if again is None and before is None:
            return first
        return (
            first
            + before
            + self.goes_on(
                {name: fitted[0], **({"from": again} if again else {}), "share": label, "as": other}, fitted[1]
            )
        )

    def tied(self):
        """The table of words, whose matrix gives the words again."""
        if not self.words or self.depth:
            return []
        self.note("a layer shared by another class")
        name = self.pick(sorted(self.words))
        label, width = self.fresh("v"), self.pick([4, 6])
        begun = {WORDS: {"num_embeddings": 50, "embedding_dim": self.size(width)}, "from": name, "as": label}
        ended = {"linear": {"out_features": 50, "bias": False}, "share": label}
        self.values[label] = x = Tensor((*self.words[name].shape, width))
        return [begun, *self.alike(x), *self.goes_on(ended, Tensor((*x.shape[:-1], 50)))]

    # -------------------------------------------------------------- the document

    def steps(self, count):
        made = []
        kinds = [self.operator] * 6 + [self.join, self.join, self.matmul, self.attention, self.when, self.repeat]
        kinds += [self.group, self.block, self.block, self.shared, self.embedding, self.tied]
        while len(made) < count:
            made += self.pick(kinds)()
        return made

    def begin(self, row):
        """The inputs of a sample, and its operator with its settings."""
        settings = {key: [*value] if isinstance(value, tuple) else value for key, value in row.settings.items()}
        names = [self.fresh("x") for _ in row.inputs]
        inputs = dict(zip(names, (Tensor((1, *x[1:])) for x in row.inputs), strict=True))
        y = row.operator.output(*inputs.values())
        if row.name == WORDS:
            self.words = dict(inputs)
        else:
            self.values = dict(inputs)
        taken = {"from": names} if len(names) > 1 else {}
        made = {row.name: [["identity"]]} if row.name in JOINS and len(names) == 1 else {row.name: settings, **taken}
        return inputs, self.goes_on({**made, "as": self.fresh("v")}, y)

    def document(self, row):
        inputs, steps = self.begin(row)
        if self.chance(4):
            name = self.fresh("x")
            inputs[name] = Tensor((1, *self.pick([(4, 6, 6), (5, 8), (3, 4, 4, 4), (6,), inputs["x1"].shape[1:]])))
            if row.name != WORDS:
                self.values[name] = inputs[name]
        if row.name != WORDS and self.chance(2):
            name = self.fresh("x")
            inputs[name] = self.words[name] = Tensor((1, self.pick([5, 7])))
        steps += self.steps(self.pick([3, 4, 5, 6, 7]))
        steps += self.left_over(inputs, steps)
        self.note("several inputs", len(inputs) > 1)
        sizes = {name: [self.size(size) for size in x.shape[1:]] for name, x in inputs.items()}
        parts = {"symbols": self.symbols, "inputs": sizes, "outputs": self.outputs(inputs), "blocks": self.blocks}
        document = {"archspec": 1, "name": "braid", **parts, "network": steps}
        return json.dumps({key: part for key, part in document.items() if part})

    def left_over(self, inputs, steps):
        """Steps for inputs that nothing takes."""
        text, made = json.dumps(steps), []
        for name, x in list(inputs.items())[1:]:
            if f'"{name}"' not in text:
                words = {WORDS: {"num_embeddings": 50, "embedding_dim": 4}}
                begun = words if name in self.words else {"relu": {}}
                y = Tensor((*x.shape, 4)) if name in self.words else x
                made += self.goes_on({**begun, "from": name, "as": self.fresh("v")}, y)
        return made

    def outputs(self, inputs):
        given = sorted({*self.values} - {*inputs})
        if not given or self.chance(3):
            return []
        chosen = list(dict.fromkeys(self.pick(given) for _ in range(self.pick([1, 2, 3]))))
        self.note("several outputs", len(chosen) > 1)
        self.note("an output inside a block", any("/" in name for name in chosen))
        return chosen


ATTENTION = {"matmul", "scaled_dot_product_attention"}
LAYERS = [name for name in ONE if name != WORDS and any(row.params for row in BY_NAME[name])]


# ------------------------------------------------------------------ the laws


def formulas_hold(arch, seed):
    """At how many bindings two formulas are the counts, each of a quantity that the seed chooses."""
    symbols = arch.document.symbols
    draw, count = random.Random(seed), 0  # noqa: S311
    free = [name for name, symbol in symbols.items() if not symbol.word]
    for quantity in draw.sample(["params", "macs", "flops", "activations", "weight_bytes"], 2):
        form = arch.formula(quantity, free=free)
        for values in bindings({name: symbols[name] for name in free}):
            if not form.holds(**values):
                continue
            expected = arch.count(values).figure(quantity)
            assert form(**values) == expected, (quantity, values, str(form))
            count += 1
    return count


def examine(seed, tried, found):
    """The laws of one braid.

    Raises:
        AssertionError: Of what does not hold; the seed and the text are noted.
    """
    braid = Braid(seed)
    try:
        arch = archspec.loads(braid.text)
        network = arch.expand()
    except ArchspecError:
        tried["refused"] += 1
        return
    try:
        networks = held(arch)
        bound = formulas_hold(arch, seed)
    except Exception as error:
        if any(limit in str(error) for limit in LIMITS):
            tried["refused by the source"] += 1
            return
        error.add_note(f"of the braid {seed}: {braid.text}")
        raise
    tried.update({"held": 1, "networks": networks, "bindings of formulas": bound})
    found.update(braid.found)
    found.update({node.operator.name for node in network.nodes})


def test_sources_and_formulas_of_every_operator(request, capsys):
    long = request.config.option.long
    cases = CASES * (LONGER if long else 1)
    tried, found = Counter(), Counter()
    for seed in range(SEED, SEED + cases):
        examine(seed, tried, found)
    if long:
        with capsys.disabled():
            print(json.dumps({"seeds": [SEED, SEED + cases], **tried, "found": dict(found.most_common())}, indent=1))
        assert {*NAMES, *CONSTRUCTS} <= set(found)
    assert tried["held"] >= 0.9 * cases
    assert tried["networks"] >= 3 * tried["held"]
    assert tried["bindings of formulas"] >= 5 * tried["held"]
    assert tried["refused by the source"] <= cases / 100


def test_braids_have_every_operator_and_every_construct():
    found = Counter()
    for seed in range(len(ROWS)):
        braid = Braid(seed)
        found += braid.found
        found.update(name for name in NAMES if f'"{name}"' in braid.text)
    assert {*NAMES, *CONSTRUCTS} <= set(found)
    assert set(found) <= {*NAMES, *CONSTRUCTS}
    assert {name for name in ops.names() if operator(name).known} == {*NAMES}
