"""Random specifications: counts are what torch does, texts come back, formulas give the ints, sources the model.

Hypothesis draws the specifications: blocks with arguments, branches and joins, tables, repeats, conditions, far skips,
symbols, functions and lookups, and every operator. What flows is followed while drawing, so that every draft is valid.

CI runs the same few hundred cases every time; `pytest tests/laws --long` runs `ARCHSPEC_FUZZ_TIMES` as many, of the
seed `ARCHSPEC_FUZZ_SEED`.
"""

# ruff: noqa: ARG002  # the kinds of step share one signature; not every one needs it all

import inspect
import json
import os
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import HealthCheck, event, given, note, seed, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec import ops  # noqa: E402
from archspec.errors import ArchspecError, ShapeError  # noqa: E402
from archspec.graph.names import attribute  # noqa: E402
from archspec.language.document import INPUT  # noqa: E402
from archspec.language.steps import STEP_KEYS  # noqa: E402
from archspec.ops import Tensor, operator  # noqa: E402
from archspec.runtime import verify  # noqa: E402
from archspec.runtime.calls import drawn  # noqa: E402

pytestmark = pytest.mark.no_cover  # other tests cover what these laws run; tracing doubles their time

COUNTS, NUMBERS, FORMULAS, SOURCES = 300, 60, 60, 30
"""How many cases of each law CI runs; --long runs as many times more as `LONGER` says."""

SEED = int(os.environ.get("ARCHSPEC_FUZZ_SEED", "2026"))
LONGER = int(os.environ.get("ARCHSPEC_FUZZ_TIMES", "80"))


# ------------------------------------------------------------------ drawing a specification

KEEPING = ["relu", "relu6", "sigmoid", "tanh", "silu", "hard_sigmoid", "hard_swish", "identity", "gelu", "elu"]
SETTINGS = {
    "leaky_relu": {"negative_slope": [0.2, "1/8"]},
    "elu": {"alpha": [1, "1/2"]},
    "gelu": {"approximate": ["none", "tanh"]},
    "prelu": {"num_parameters": [1, "in_channels"], "init": [0.25, 0.5]},
    "dropout": {"p": [0.5, "1/4"]},
    "softmax": {"dim": [1, -1]},
    "log_softmax": {"dim": [1, -1]},
    "batch_norm": {"eps": [1e-5, 0.001], "affine": [True, False]},
    "layer_norm": {
        "eps": [1e-5, 0.001],
        "elementwise_affine": [True, False],
        "bias": [True, False],
        "over_channels": [False, True],
    },
    "local_response_norm": {"size": [1, 2, 3, 5], "alpha": [0.0001, 0.1], "k": [1, 2]},
    "global_avg_pool": {"keepdim": [True, False]},
    "global_max_pool": {"keepdim": [True, False]},
    "adaptive_avg_pool2d": {"output_size": [1, 2, 3, [2, 3]]},
    "zero_pad": {"padding": [0, 1, [0, 1], [0, 1, 2, 0]]},
    "upsample": {"scale_factor": [1, 2, [1, 2]], "mode": ["nearest", "bilinear"], "align_corners": [False, True]},
    "channel_shuffle": {"groups": [1, 2, 3, 4]},
    "flatten": {"start_dim": [1, 2], "end_dim": [-1, 2]},
    "unflatten": {"dim": [1, -1], "unflattened_size": [[2, -1], [1, -1], [3, -1]]},
    "reshape": {"shape": [[2, -1], [4, -1], [-1, 3], [-1]]},
    "transpose": {"dim0": [1, -1], "dim1": [2, 1]},
    "permute": {"dims": [[2, 3, 1], [2, 1], [3, 1, 2]]},
    "narrow": {"start": [0, 1], "length": [1, 2, 3], "dim": [1, -1]},
    "select": {"index": [0, -1, 1], "dim": [1, 2]},
    "roll": {"shifts": [[1], [-2]], "dims": [[1], [-1]]},
    "stochastic_depth": {"p": [0, "1/4"]},
    "pad": {"padding": [1, [0, 1], [0, 1, 2, 0]], "mode": ["constant", "reflect", "replicate", "circular"]},
    "crop": {"cropping": [0, 1, [0, 1], [0, 1, 1, 0]]},
    "pixel_shuffle": {"upscale_factor": [1, 2]},
    "pixel_unshuffle": {"downscale_factor": [1, 2, 3]},
    "patches": {"patch_size": [1, 2, [1, 3]]},
    "from_patches": {"grid": [1, 2, [1, 3]], "patch_size": [1, 2]},
    "resize": {"size": [3, [2, 5]], "mode": ["nearest", "bilinear", "bicubic"], "align_corners": [False, True]},
    "mean": {"dim": [1, [2, 3], -1], "keepdim": [False, True]},
    "sum": {"dim": [1, [1, 2], -1], "keepdim": [False, True]},
    "amax": {"dim": [1, [2, 3], -1], "keepdim": [False, True]},
    "power": {"exponent": [2, 3]},
    "add_scalar": {"value": [3, "-1/2"]},
    "mul_scalar": {"value": [2, "1/255"]},
    "clamp": {"min": [-1, 0], "max": [1, "1/2"]},
    "softplus": {"beta": [1, 2]},
    "group_norm": {"num_groups": [1, 2, 3], "affine": [True, False]},
    "instance_norm": {"affine": [True, False], "eps": [1e-5, 0.001]},
    "parameter": {"shape": [[4, 6, 6], [3, 2], [5]], "fill": [0.5, 1], "std": [0, "1/8"]},
    "embedding": {"num_embeddings": ["?"], "embedding_dim": ["?"]},
    "rotary": {"base": [10000, 100], "interleaved": [False, True]},
    "relative_position_bias": {"window_size": [2, 3, [3, 2]], "num_heads": ["?"], "shift_size": [0, 1, [1, 2]]},
    "quantise": {"scale": ["1/4"], "bits": [4, 8], "signed": [True, False], "zero_point": [0, 1]},
    "dequantise": {"scale": ["1/4"], "zero_point": [0, 3]},
    **{
        name: {
            "hidden_size": ["?"],
            "num_layers": [1, 2],
            "bidirectional": [False, True],
            "bias": [True, False],
            "return_sequences": [True, False],
        }
        for name in ("lstm", "gru", "rnn")
    },
    **{f"adaptive_{kind}_pool{axes}d": {"output_size": [1, 2, 3]} for kind in ("avg", "max") for axes in (1, 3)},
    "adaptive_max_pool2d": {"output_size": [1, 2, [2, 3]]},
    **{
        f"{kind}_pool{axes}d": {"kernel_size": [1, 2, 3], "stride": [None, 1, 2], "padding": [0, 1, "tf_same"]}
        for kind in ("avg", "max")
        for axes in (1, 3)
    },
    **{
        f"conv{axes}d": {
            "out_channels": ["?"],
            "kernel_size": [1, 2, 3],
            "stride": [1, 2],
            "padding": ["same", "tf_same", 0, [1, 0] if axes == 1 else [0, 1, 1]],
            "dilation": [1, 2],
            "groups": [1, 2],
            "bias": [True, False],
        }
        for axes in (1, 3)
    },
    **{
        f"conv_transpose{axes}d": {
            "out_channels": ["?"],
            "kernel_size": [1, 2, 3],
            "stride": [1, 2],
            "padding": [0, 1],
            "output_padding": [0, 1],
            "groups": [1, 2],
        }
        for axes in (1, 3)
    },
    "split": {"sections": [1, 2, 3], "index": [0, 1], "dim": [1, -1]},
    "linear": {"out_features": ["?"], "bias": [True, False]},
    "binary_linear": {"out_features": ["?"], "bias": [True, False], "input_scale": [True, False]},
    "max_pool2d": {
        "kernel_size": [1, 2, 3, [1, 2]],
        "stride": [None, 1, 2, [2, 1]],
        "padding": [0, 1],
        "dilation": [1, 2],
        "ceil_mode": [False, True],
    },
    "avg_pool2d": {
        "kernel_size": [1, 2, 3, [3, 1]],
        "stride": [None, 1, 2],
        "padding": [0, 1],
        "ceil_mode": [False, True],
        "count_include_pad": [True, False],
    },
    "conv_transpose2d": {
        "out_channels": ["?"],
        "kernel_size": [1, 2, 3, [1, 2]],
        "stride": [1, 2, [1, 2]],
        "padding": [0, 1],
        "output_padding": [0, 1],
        "dilation": [1, 2],
        "groups": [1, 2],
        "bias": [True, False],
    },
    "conv2d": {
        "out_channels": ["?"],
        "kernel_size": [1, 2, 3, [1, 3], [3, 2]],
        "stride": [1, 1, 2, [2, 1], 3],
        "padding": ["same", "tf_same", 0, 1, [1, 0], [0, 1, 2, 0]],
        "dilation": [1, 1, 2, [1, 2]],
        "groups": [1, 1, 2, 3, "in_channels"],
        "bias": [True, False],
    },
    "binary_conv2d": {
        "out_channels": ["?"],
        "kernel_size": [1, 2, 3],
        "stride": [1, 2],
        "padding": ["same", 0, 1, [0, 1, 1, 0]],
        "groups": [1, 2],
        "bias": [True, False],
        "binary_input": [True, False],
        "input_scale": [True, False],
    },
}
ONLY_VECTORS = ["linear", "binary_linear", "rms_norm"]
SEQUENCES = ["lstm", "gru", "rnn", "from_patches", *(name for name in ops.names() if name.endswith("1d"))]
VOLUMES = [name for name in ops.names() if name.endswith("3d")]
FIRST = ["embedding"]  # of whole numbers, which nothing else gives
UNKNOWN = [name for name in ops.names() if not ops.operator(name).known]  # torch has nothing to hold against them
ON_IMAGES = [
    "relu",
    *sorted({*ops.names()} - {"relu", *UNKNOWN, *ONLY_VECTORS, *SEQUENCES, *VOLUMES, *FIRST, *ops.joins()}),
]
ON_IMAGES += ["conv2d"] * 8
RESHAPING = ["flatten", "unflatten", "transpose", "permute", "reshape", "narrow", "select", "roll", "mean", "sum"]
ON_VECTORS = [*KEEPING, "softmax", "log_softmax", "batch_norm", "layer_norm", *ONLY_VECTORS, "split"]
ON_SEQUENCES = [*ON_VECTORS, *SEQUENCES, *RESHAPING, "rotary", "instance_norm", "group_norm", "parameter"]
ON_VOLUMES = [*KEEPING, *VOLUMES, *RESHAPING, "batch_norm", "instance_norm", "group_norm", "pad", "crop"]
BY_RANK = {2: [*ON_VECTORS, "unflatten", "parameter"], 3: ON_SEQUENCES, 4: ON_IMAGES, 5: ON_VOLUMES}
"""The operators that are drawn on a tensor, by the number of its axes; of others those that take any."""
PLAIN_JOINS = sorted({*ops.joins()} - {*UNKNOWN, "matmul", "scaled_dot_product_attention"})
BEGINS = {
    **{name: [4] for name in ONLY_VECTORS},
    **{name: [4, 8] for name in SEQUENCES},
    **{name: [4, 4, 6, 5] for name in VOLUMES},
    "embedding": [6],
    "from_patches": [4, 4],
}
"""The shapes of inputs on which operators are tried that take no image."""
CHANNELS = [1, 2, 3, 4, 6, 8]
NAMES = ["float", "float_", "in", "train", "code", "x", "self", "lambda", "forward", "data", "function", "type", "T"]

CONV_BN = {
    "args": {"c": "required", "k": 3, "s": 1, "g": 1},
    "body": [
        {"conv2d": {"out_channels": "c", "kernel_size": "k", "stride": "s", "padding": "same", "groups": "g"}},
        "batch_norm",
    ],
}
RESIDUAL = {
    "args": {"c": "required", "s": 1, "act": "relu"},
    "let": {"middle": "max(1, floor(c / 2))"},
    "body": [
        {
            "add": {
                "residual": [{"conv_bn": {"c": "middle", "s": "s"}}, {"use": "act"}, {"conv_bn": {"c": "c", "k": 1}}],
                "shortcut": [
                    {
                        "when": "s == 1 and in_channels == c",
                        "then": ["identity"],
                        "else": [{"conv_bn": {"c": "c", "k": 1, "s": "s"}, "as": "projection"}],
                    }
                ],
            },
            "as": "sum",
        },
        {"use": "act"},
    ],
}
GATE = {
    "args": {"r": 2},
    "let": {"c": "in_channels"},
    "body": [
        {
            "mul": [
                ["identity"],
                [
                    {"global_avg_pool": {"keepdim": True}},
                    {"conv2d": {"out_channels": "ceil_div(c, r)", "kernel_size": 1}},
                    "relu",
                    {"conv2d": {"out_channels": "c * r", "kernel_size": 1}, "as": "wide"},
                    {"split": {"sections": "r", "index": 0}},
                    "hard_sigmoid",
                ],
            ]
        }
    ],
}


class Draft:
    """A specification being drawn, and the shape of what flows."""

    def __init__(self, draw, must=None):
        self.must = must  # an operator or a kind of step that it has
        self.draw, self.random = draw, draw(st.randoms(use_true_random=True))
        self.steps = 0
        self.symbols, self.functions, self.lookups, self.blocks, self.let = {}, {}, {}, {}, {}
        self.names = list(NAMES)

    def pick(self, values):
        return self.draw(st.sampled_from(values))

    def chance(self, tenths):
        return self.draw(st.integers(0, 9)) < tenths

    # -------------------------------------------------------------- numbers

    def size(self, number, x=None, let=True):  # noqa: PLR0911  # a way each
        """A way to write a number: itself, a symbol, a function of one, a lookup, a multiple of what flows."""
        way = self.pick(["number", "number", "symbol", "more", "alpha", "lookup", "function", "flows", "let"])
        if way == "symbol" and len(self.symbols) < 4:
            return self.symbol(number)
        if way == "more" and number > 1 and len(self.symbols) < 4:
            return f"{self.symbol(number - 1)} + 1"
        if way == "alpha":
            self.symbols.setdefault("alpha", {"default": "1/2", "range": ["1/8", 4]})
            return f"ceil(alpha * {2 * number - self.pick([0, 1])})"
        if way == "lookup":
            table = self.lookups.setdefault("table", {"columns": ["key", "one", "two"], "rows": []})
            table["rows"] += [row for row in [[number, number, 2 * number]] if row not in table["rows"]]
            return self.pick([f"table({number}, one)", f"exact_div(table({number}, two), 2)"])
        if way == "function":
            self.functions["half(n)"] = "floor(n / 2)"
            return f"half({2 * number + self.pick([0, 1])})"
        if way == "flows" and x is not None and number % x.shape[1] == 0 and len(x.shape) != 3:
            return "in_channels" if number == x.shape[1] else f"{number // x.shape[1]} * in_channels"
        if way == "let" and let:
            self.let[f"n{number}"] = number
            return f"n{number}"
        return number

    def symbol(self, number):
        name = f"s{len(self.symbols)}"
        self.symbols[name] = {"default": number}
        return name

    def condition(self, truth):
        """A condition, and that it is so."""
        way = self.pick(["plain", "word", "flows"])
        if way == "word":
            self.symbols.setdefault("kind", {"default": "narrow", "choices": ["narrow", "wide"]})
            return "kind == narrow" if truth else "kind == wide"
        if way == "flows":
            return "in_channels >= 1" if truth else "in_channels < 1 or not true"
        return truth

    # -------------------------------------------------------------- steps

    def named(self, step, x, here):
        """A step, perhaps with a name by which later steps find its result."""
        if self.chance(3) and "as" not in step:
            name = self.names.pop(self.draw(st.integers(0, len(self.names) - 1))) if self.names else f"t{self.steps}"
            step = {**({step: {}} if isinstance(step, str) else step), "as": name}
            here[name] = x
        return step

    def body(self, x, depth, least=1, most=4):
        """Steps on x, and what comes out of them."""
        steps, here = [], {}
        for _ in range(self.draw(st.integers(least, most))):
            if self.steps > 25:
                return steps or ["identity"], x
            self.steps += 1
            kinds = ["operator"] * 8
            if depth < 3:
                kinds += ["join", "join", "repeat", "group", "when", "own block"]
                kinds += ["block", "block", "table"] if len(x.shape) == 4 else []
            kinds += ["from"] if here else []
            made, x = getattr(self, self.pick(kinds).replace(" ", "_"))(x, depth, here)
            steps += made
        return steps, x

    def required(self, x, here):
        """A step that it must have, and what comes out of it: an operator with the first settings that fit."""
        if self.must in KINDS:
            return list(KINDS[self.must]), x
        if self.must in ops.joins():
            return self.join(x, 0, here, self.must)
        settings_of = SETTINGS.get(self.must, {})
        for values in product(*settings_of.values()):
            given = {key: 4 if value == "?" else value for key, value in zip(settings_of, values, strict=True)}
            given = {key: value for key, value in given.items() if value is not None and value != "in_channels"}
            made = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
            try:
                y = operator(self.must)(**made).output(x)
                operator(self.must)(**made).weights(x)
            except (ShapeError, ValueError):
                continue
            return [{self.must: given}], y
        raise AssertionError(f"no settings of {self.must} fit {x}")

    def operator(self, x, depth, here):
        """One operator; a ReLU where what was drawn does not fit."""
        names = BY_RANK.get(len(x.shape), [*KEEPING, *RESHAPING])
        name = self.random.choice(names)  # evenly, which sampled_from is not
        plain, written = {}, {}
        for field, values in SETTINGS.get(name, {}).items():
            value = self.pick(values)
            if value == "?":
                plain[field] = self.pick(CHANNELS)
                written[field] = self.size(plain[field], x)
            elif value is not None:
                plain[field] = x.shape[1] if value == "in_channels" else value
                written[field] = value
        if "groups" in plain and plain["groups"] == x.shape[1] and "out_channels" in plain:
            plain["out_channels"] = written["out_channels"] = 2 * x.shape[1]
        try:
            chosen = operator(name)(**{key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()})
            y = chosen.output(x)
            chosen.weights(x)
            if y.elements > 5000:
                raise ShapeError("large")
        except (ShapeError, ValueError):
            name, written, y = "relu", {}, x
        if not written and self.chance(5):
            return [self.named(name, y, here)], y
        return [self.named({name: written}, y, here)], y

    def alike(self, x, depth):
        """Steps that leave the shape as it is."""
        steps = []
        for _ in range(self.draw(st.integers(0, 2))):
            kinds = [
                *KEEPING,
                "dropout",
                {"layer_norm": {"over_channels": True}} if len(x.shape) == 4 else "layer_norm",
            ]
            kinds += ["conv", "batch_norm"] if len(x.shape) == 4 else []
            kinds += ["linear"] if len(x.shape) == 2 else []
            kind = self.pick(kinds)
            if kind == "conv":
                window = {"kernel_size": self.pick([1, 2, 3, [1, 3]]), "padding": "same", "dilation": self.pick([1, 2])}
                steps.append({"conv2d": {"out_channels": "in_channels", **window, "bias": self.chance(5)}})
            elif kind == "linear":
                steps.append({"linear": {"out_features": "in_channels"}})
            elif kind == "layer_norm" and len(x.shape) == 4:
                steps.append({kind: {"over_channels": True}})
            else:
                steps.append(kind)
        return steps

    def join(self, x, depth, here, how=None):
        """Branches, joined."""
        how = how or self.pick(PLAIN_JOINS)
        count = self.draw(st.integers(2, 3))
        if how == "concat" or len(x.shape) != 4 or self.chance(5):
            bodies = [self.alike(x, depth) or ["identity"] for _ in range(count)]
            y = x
        else:
            c, s = self.pick(CHANNELS), self.pick([1, 1, 2])
            last = {"out_channels": self.size(c, x), "kernel_size": 1, "stride": s}
            bodies = [[*self.alike(x, depth), {"conv2d": dict(last)}] for _ in range(count)]
            y = operator("conv2d")(out_channels=c, kernel_size=1, stride=s).output(x)
        step = {}
        if how == "concat":
            bodies, y, step = self.behind(bodies, x)
        if self.chance(2):
            bodies.append([{"when": self.condition(False), "then": ["relu"]}])  # does nothing, and is left out
        named = self.chance(5)
        step = {how: {f"b{i}": body for i, body in enumerate(bodies)} if named else bodies, **step}
        return [self.named(step, y, here)], y

    def behind(self, bodies, x):
        """Branches of one height and width and any channels; or joined along another axis."""
        dim = self.pick([1, 1, 1, -1])
        if dim == 1 and len(x.shape) == 4:
            for body in bodies:
                body.append({"conv2d": {"out_channels": self.pick(CHANNELS), "kernel_size": 3, "padding": 1}})
            widths = [body[-1]["conv2d"]["out_channels"] for body in bodies]
            return bodies, Tensor((x.shape[0], sum(widths), *x.shape[2:])), {}
        y = operator("concat")(dim=dim).output(*[x] * len(bodies))
        return bodies, y, {"dim": dim}

    def repeat(self, x, depth, here):
        """Steps that keep the shape, several times over, the first perhaps apart."""
        body = self.alike(x, depth) or ["relu"]
        step = {"repeat": self.size(self.draw(st.integers(1, 3))), "body": body}
        if self.chance(4):
            step["index"] = "i"
            body.append({"when": self.pick(["i == 0", "i > 0"]), "then": ["sigmoid"]})
        return [self.named(step, x, here)], x

    def group(self, x, depth, here):
        """Steps under one name, or none."""
        body, y = self.body(x, depth + 1, 1, 3)
        step = {"body": body}
        return [self.named(step, y, here)], y

    def when(self, x, depth, here):
        """Two bodies, of which one is taken."""
        truth = self.chance(5)
        (then, a), (other, b) = self.body(x, depth + 1, 1, 2), self.body(x, depth + 1, 1, 2)
        return [{"when": self.condition(truth), "then": then, "else": other}], a if truth else b

    def own_block(self, x, depth, here):
        """A block of any steps, used once."""
        body, y = self.body(x, depth + 1, 1, 4)
        name = f"block{len(self.blocks)}"
        self.blocks[name] = {"args": {"unused": 1}, "body": body}
        return [self.named(self.pick([name, {name: {"unused": self.size(2)}}]), y, here)], y

    def block(self, x, depth, here):
        """One of the blocks that go with any image."""
        c, s = self.pick(CHANNELS), self.pick([1, 1, 2])
        kind = self.pick(["conv_bn", "residual", "gate"])
        self.blocks["conv_bn"] = CONV_BN
        self.blocks[kind] = {"conv_bn": CONV_BN, "residual": RESIDUAL, "gate": GATE}[kind]
        if kind == "gate":
            return [self.named({"gate": {"r": self.pick([1, 2, 3])}}, x, here)], x
        args = {"c": self.size(c, x), "s": s}
        if kind == "residual":
            args["act"] = self.pick(["relu", "relu6", "silu"])
        y = operator("conv2d")(out_channels=c, kernel_size=1, stride=s).output(x)
        step = {kind: args} if self.chance(7) else {"use": kind, "with": args}
        return [self.named(step, y, here)], y

    def table(self, x, depth, here):
        """A table of a paper: a row a stage."""
        self.blocks["conv_bn"] = CONV_BN
        self.functions["width(c)"] = "max(1, c // 1)"
        rows = [
            [self.pick(CHANNELS), self.draw(st.integers(1, 3)), self.pick([1, 2])] for _ in range(self.pick([1, 2]))
        ]
        for c, _, s in rows:
            x = operator("conv2d")(out_channels=c, kernel_size=1, stride=s).output(x)
        table = {"block": "conv_bn", "columns": [{"c": "width(c)"}, "n", "s"], "repeat": "n", "after_first": {"s": 1}}
        return [{"table": {**table, "rows": rows}}], x

    def from_(self, x, depth, here):
        """Go on from an earlier value."""
        name = self.pick(sorted(here))
        return [{"from": name}], here[name]

    def document(self):
        sides = st.integers(1, 9)
        kind = self.pick(["image", "image", "image", "image", "vector", "sequence", "sequence", "volume"])
        c = self.pick(CHANNELS)
        shape = {"image": [c, self.draw(sides), self.draw(sides)], "vector": [c], "sequence": [4, c]}.get(
            kind, [c, 3, 4, 5]
        )
        if self.must:
            shape = BEGINS.get(self.must, [4, 6, 6])
        written = [self.size(size, let=False) for size in shape]  # which is known before any let
        begun, x = self.required(Tensor((1, *shape)), {}) if self.must else ([], Tensor((1, *shape)))
        body, _ = self.body(x, 0, 1, 7)
        body = [*begun, *body]
        if not any(isinstance(step, str) or "from" not in step for step in body):
            body.append("relu")
        parts = {"symbols": self.symbols, "functions": self.functions, "lookups": self.lookups, "let": self.let}
        return {
            "archspec": 1,
            "name": "drawn",
            **{key: part for key, part in parts.items() if part},
            "input": written,
            "blocks": self.blocks,
            "network": body,
        }


setattr(Draft, "from", Draft.from_)

_WHEN = [{"when": "in_channels > 3", "then": ["relu"], "else": ["sigmoid"]}]
_REPEAT = [{"repeat": 2, "index": "i", "body": ["relu"]}]
_USE = [{"use": "dropout", "with": {"p": "1/4"}}]
KINDS = {
    "as": [{"relu": {}, "as": "begin"}],
    "from": [{"relu": {}, "as": "begin"}, "sigmoid", {"from": "begin"}],
    "body": [{"body": ["relu"], "as": "inner"}],
    "table": [{"table": {"columns": ["operator"], "rows": [["relu"], ["sigmoid"]]}}],
    "dim": [{"split": {"sections": 2, "index": 0}}, {"concat": ["relu", "sigmoid"], "dim": 1}],
    **dict.fromkeys(("when", "then", "else"), _WHEN),
    **dict.fromkeys(("repeat", "index"), _REPEAT),
    "shared": [{"repeat": 2, "shared": True, "body": ["prelu"]}],
    "matmul": [{"matmul": [["relu"], ["identity"]]}],
    "divide": [{"divide": [["identity"], ["sigmoid"]]}],
    "scaled_dot_product_attention": [
        {"scaled_dot_product_attention": {"q": "relu", "k": "identity", "v": "tanh"}, "is_causal": True}
    ],
    **dict.fromkeys(("use", "with"), _USE),
}
"""The kinds of step that are no operators, and their keys: steps that leave an even number of channels as they are."""

MUST = sorted({*ops.names(), *STEP_KEYS} - {"let", *UNKNOWN})


@st.composite
def specifications(draw, must=None):
    """The text of a specification; YAML takes JSON. Most begin with an operator or a kind of step, each as often."""
    must = must or draw(st.sampled_from([None, *MUST]))
    return json.dumps(Draft(draw, must).document())


def tried(property_of, cases, request):
    """Try a property of specifications: the same cases every time, or with --long as many more of a seed."""
    long = request.config.option.long
    examined = settings(
        max_examples=cases * LONGER if long else cases,
        deadline=None,
        derandomize=not long,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    checked = examined(given(specifications())(property_of))
    (seed(SEED)(checked) if long else checked)()


# ------------------------------------------------------------------ the laws


def test_what_is_counted_is_what_torch_does_and_texts_come_back(request):
    tried(counts_agree, COUNTS, request)


def counts_agree(text):
    note(text)
    arch = archspec.loads(text)
    agreement = verify(arch.expand(), "cpu" if len(text) % 6 else "meta")
    assert agreement, str(agreement)
    if len(text) % 8 == 0:  # a share: reading takes longer than all the rest
        assert archspec.loads(arch.dumps()) == arch


def test_the_model_computes_node_after_node_whatever_it_writes_over(request):
    tried(numbers_agree, NUMBERS, request)


def numbers_agree(text):
    note(text)
    arch = archspec.loads(text)
    network = arch.expand(batch=2)
    over, apart = (arch.to_torch(seed=1, inplace=inplace).eval() for inplace in (True, False))
    (x,) = drawn(network, 2)
    with torch.no_grad():
        expected = one_by_one(network, apart, x)
        same(over(x.clone()), expected)
        same(apart(x), expected)
    assert expected.shape == network.tensor(network.output).shape
    gradients = [trained(model, x) for model in (over, apart)]
    for one, other in zip(*gradients, strict=True):
        same(one, other)


def one_by_one(network, model, x):
    """The result from the list of nodes; the model, which writes over nothing, gives the weights alone."""
    values = {INPUT: x}
    for node in network.nodes:
        module = model.get_submodule(".".join(map(attribute, node.name.split("/"))))
        values[node.name] = module(*(values[name] for name in node.inputs))
    return values[network.output]


def trained(model, x):
    """What a step of training gives: the gradients of the weights and of the input; nothing where torch refuses."""
    torch.manual_seed(3)  # for dropout
    x = x.clone().requires_grad_(x.is_floating_point())
    try:
        model.train()(x).square().sum().backward()
    except ValueError as error:
        assert "Expected more than 1 value per channel" in str(error)  # noqa: PT017  # torch's only refusal
        return []
    return [x.grad, *(weights.grad for weights in model.parameters())]


def same(one, other):
    assert (one is None) == (other is None)
    if one is not None:
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


def test_a_formula_gives_the_ints(request):
    tried(formulas_agree, FORMULAS, request)


def formulas_agree(text):
    note(text)
    arch = archspec.loads(text)
    free = [name for name, symbol in arch.document.symbols.items() if not symbol.word]
    if not free:
        event("no symbols")
        return
    for quantity in ("macs", "params"):
        try:
            form = arch.formula(quantity, free=free)
        except ArchspecError as error:
            event(f"refused: {str(error).rpartition(': ')[2][:60]}")
            continue
        event("formula")
        for change in (0, 1, 2):
            values = {name: bound(arch.document.symbols[name].default, change) for name in free}
            try:
                expected = getattr(arch.count(**values), quantity)
            except ArchspecError:
                continue  # not every number makes a network
            if form.holds(**values):
                assert form(**values) == expected, (quantity, values, str(form))


def bound(default, change):
    return default + change if isinstance(default, int) else default + Fraction(change, 2)


def test_the_emitted_source_is_the_model(request):
    tried(sources_agree, SOURCES, request)


def sources_agree(text):
    note(text)
    arch = archspec.loads(text)
    network = network_of(arch.source())
    numbers = {name: symbol.default for name, symbol in arch.document.symbols.items() if not symbol.word}
    for change in (0, 1):
        values = {name: bound(default, change) for name, default in numbers.items()} if change else {}
        try:
            model = arch.to_torch(seed=1, **values).eval()
        except ArchspecError:
            continue  # not every number makes a network
        taken = inspect.signature(network).parameters  # a source has no argument that changes nothing in it
        chosen = {name: float(v) if isinstance(v, Fraction) else v for name, v in values.items() if name in taken}
        written = network(**chosen)
        written.load_state_dict(model.state_dict())
        (x,) = drawn(arch.expand(batch=2, **values), 2)
        with torch.no_grad():
            same(written.eval()(x.clone()), model(x.clone()))


def network_of(source):
    """The class of an emitted source's network: its last module."""
    scope = {"__name__": "drawn"}
    exec(compile(source, "<drawn>", "exec"), scope)  # noqa: S102  # written by our emitter
    made = [value for value in scope.values() if isinstance(value, type) and issubclass(value, torch.nn.Module)]
    return next(cls for cls in reversed(made) if cls.__module__ == "drawn")


@pytest.mark.parametrize("word", MUST)
def test_the_drafts_have_every_operator_and_every_kind_of_step(word):
    @settings(max_examples=2, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(specifications(word))
    def look(text):
        assert f'"{word}"' in text
        archspec.loads(text).expand()

    look()
