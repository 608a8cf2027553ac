"""Caffe's `.prototxt`: layers with named results, whose poolings round up."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from archspec.errors import ArchspecError
from archspec.files import read_text
from archspec.importing.flat import INPUT, FlatGraph
from archspec.importing.layers import LayerBuilder, real_number, whole_number
from archspec.writing import printable

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>[{}:,;<>])|(?P<word>[^\s{}:,;<>"'#]+)"""
    r"|(?P<other>.)"
)

Message = dict[str, list[Any]]
"""A message of the text format: each field with all its values, words and numbers as they stand, messages as such."""

NOTHING = frozenset({"Data", "ImageData", "HDF5Data", "Accuracy", "SoftmaxWithLoss", "Silence", "DummyData", "Input"})
"""Layers that bring data, or are for training."""


def read_prototxt(path: str) -> FlatGraph:
    """The network of a `.prototxt` file.

    Raises:
        ArchspecError: It cannot be read, or has layers that no operator of the language computes; all are named.
    """
    message = _parsed(path)
    layers = [layer for key in ("layer", "layers") for layer in message.get(key, []) if isinstance(layer, dict)]
    layers = [layer for layer in layers if not _only_training(layer)]
    unknown = [
        f"{_kind(each)} ({_word(each, 'name', '?')})" for each in layers if _kind(each) not in {*_LAYERS, *NOTHING}
    ]
    if unknown:
        listed = printable(", ".join(dict.fromkeys(unknown)), 400)
        raise ArchspecError(f"{path} has layers that no operator of the language computes: {listed}")
    name, sizes = _input(message, layers, path)
    network = _CaffeLayers(path, sizes, _word(message, "name", ""))
    network.values[name] = INPUT
    for layer in layers:
        if _kind(layer) not in NOTHING:
            network.read(layer)
    return network.graph(network.last)


# ------------------------------------------------------------------ the text format


def _parsed(path: str) -> Message:
    tokens = list(_tokens(read_text(path, MAX_BYTES), path))
    message, end = _message(tokens, 0, 0, path)
    if end != len(tokens):
        raise ArchspecError(f"{path}: has a }} too many")
    return message


def _tokens(text: str, path: str) -> Iterator[str]:
    for found in TOKEN.finditer(text):
        if found.lastgroup == "other":
            line = text.count("\n", 0, found.start()) + 1
            shown = printable(text[found.start() : found.start() + 20], 20)
            raise ArchspecError(f"{path}:{line}: is not Caffe's text format (got '{shown}')")
        if found.lastgroup:
            yield found[0]


def _message(tokens: list[str], place: int, depth: int, path: str) -> tuple[Message, int]:
    if depth > MAX_DEPTH:
        raise ArchspecError(f"{path}: is nested more than {MAX_DEPTH} deep")
    found: Message = {}
    while place < len(tokens) and tokens[place] != "}":
        name = tokens[place]
        after = tokens[place + 1 : place + 3]
        if after[:1] == ["{"] or after == [":", "{"]:
            value, place = _message(tokens, place + (2 if after[0] == "{" else 3), depth + 1, path)
            if tokens[place : place + 1] != ["}"]:
                raise ArchspecError(f"{path}: a {{ is never closed")
            found.setdefault(name, []).append(value)
            place += 1
        elif len(after) == 2 and after[0] == ":":
            found.setdefault(name, []).append(after[1].strip("\"'"))
            place += 3
        elif name in {",", ";"}:
            place += 1
        else:
            raise ArchspecError(f"{path}: expected 'field: value' or 'field {{ … }}' (got '{printable(name, 40)}')")
    return found, place


def _word(message: Message, key: str, default: str) -> str:
    value = message.get(key, [default])[0]
    return value if isinstance(value, str) else default


def _part(message: Message, key: str) -> Message:
    value = message.get(key, [{}])[0]
    return value if isinstance(value, dict) else {}


def _kind(layer: Message) -> str:
    """The type of a layer; the older format wrote CONVOLUTION, INNER_PRODUCT."""
    kind = _word(layer, "type", "?")
    if kind.isupper() and len(kind) > 4:
        kind = "".join(part.capitalize() for part in kind.split("_"))
    return {"Relu": "ReLU", "Lrn": "LRN", "RELU": "ReLU", "Prelu": "PReLU"}.get(kind, kind)


def _only_training(layer: Message) -> bool:
    return any(_word(rule, "phase", "") == "TRAIN" for rule in layer.get("include", []) if isinstance(rule, dict))


def _input(message: Message, layers: list[Message], path: str) -> tuple[str, tuple[int, ...]]:
    """The name and the sizes of the input, in any of the four ways in which files say it."""
    name = _word(message, "input", "data")
    dims: list[Any] = message.get("input_dim", []) or _part(message, "input_shape").get("dim", [])
    for layer in layers:
        if not dims and _kind(layer) == "Input":
            name = _word(layer, "top", name)
            dims = _part(_part(layer, "input_param"), "shape").get("dim", [])
    numbers = [int(size) for size in dims if re.fullmatch(r"\d{1,9}", str(size))]
    if len(numbers) < 2 or min(numbers[1:]) < 1:
        raise ArchspecError(f"{path}: says no sizes of its input; a deploy file does (input_dim, input_shape)")
    return name, tuple(numbers[1:])


# ------------------------------------------------------------------ the layers


class _CaffeLayers(LayerBuilder):
    """The layers so far: what each result is called in the file, and here."""

    def __init__(self, path: str, sizes: tuple[int, ...], name: str) -> None:
        super().__init__(path, sizes, name)
        self.values: dict[str, str] = {}
        self.last = INPUT

    def read(self, layer: Message) -> None:
        """A layer: its results, under their names; one that writes over what it takes has the name of that."""
        label = _word(layer, "name", "layer")
        taken = []
        for bottom in layer.get("bottom", []):
            if bottom not in self.values:
                raise ArchspecError(
                    f"{self.path}: {printable(label, 60)} takes {printable(bottom, 60)}, which nothing makes"
                )
            taken.append(self.values[bottom])
        if not taken:
            raise ArchspecError(f"{self.path}: {printable(label, 60)} takes nothing")
        self.last = self.made(layer, tuple(taken), label)
        for top in layer.get("top", []):
            self.values[top] = self.last

    def made(self, layer: Message, taken: tuple[str, ...], label: str) -> str:
        """The result of a layer."""
        kind = _kind(layer)
        if kind == "Split" or (kind == "Concat" and len(taken) == 1):
            return taken[0]
        if kind == "Scale" and len(taken) == 1:
            return self._scaled(taken[0], label)
        if kind in _OF_VECTORS:
            taken = tuple(self.flat(value, label) for value in taken)
        operator, where, settings = _LAYERS[kind]
        part = _part(layer, where)
        args = {name: self.setting(part, key, usual) for name, (key, usual) in settings.items()}
        if operator in {"conv2d", "conv_transpose2d"}:
            args = {"out_channels": args["out_channels"], **self.window(part), **args}
        if kind == "BatchNorm":
            args["affine"] = False  # a Scale behind it has γ and β
        if kind in _SAID_BY_SETTINGS:
            operator, args = _SAID_BY_SETTINGS[kind](self, part, label)
        return self.add(operator, taken, label, **args)

    def setting(self, part: Message, key: str, usual: float, place: int = 0) -> Any:
        """A setting of the kind that its usual value is of: a switch, a whole number or a number; of several, one."""
        if isinstance(usual, bool):
            return _word(part, key, "true") != "false"
        values = part.get(key, [])
        text = str(values[min(place, len(values) - 1)]) if values else str(usual)
        return (whole_number if isinstance(usual, int) else real_number)(text, key, self.path)

    def window(self, part: Message) -> dict[str, Any]:
        """Kernel, stride and padding, each one number or height and width."""
        found = {}
        for ours, theirs, short, usual in (
            ("kernel_size", "kernel_size", "kernel", 1),
            ("stride", "stride", "stride", 1),
            ("padding", "pad", "pad", 0),
        ):
            height = self.setting(part, f"{short}_h", self.setting(part, theirs, usual))
            width = self.setting(part, f"{short}_w", self.setting(part, theirs, usual, 1))
            found[ours] = height if height == width else (height, width)
        return found

    def _scaled(self, value: str, label: str) -> str:
        """A batch normalisation with the γ and β of the layer behind it."""
        before = self.nodes.get(value)
        if before is None or before.operator != "batch_norm":
            raise ArchspecError(f"{self.path}: {label} scales something other than a BatchNorm")
        del self.nodes[value]
        return self.add("batch_norm", before.inputs, before.place.names[0], eps=before.args.get("eps", 1e-5))


Made: TypeAlias = tuple[str, dict[str, Any]]
"""An operator, and its arguments."""


def _pooling(network: _CaffeLayers, part: Message, label: str) -> Made:
    """Caffe's poolings round up, unless `round_mode` says FLOOR."""
    word = _word(part, "pool", "MAX")
    kind = {"MAX": "max", "AVE": "avg"}.get(word)
    if kind is None:
        raise ArchspecError(f"{network.path}: {label} pools by {printable(word, 40)}")
    if _word(part, "global_pooling", "false") == "true":
        return f"global_{kind}_pool", {"keepdim": True}
    ceil = _word(part, "round_mode", "CEIL") != "FLOOR" and network.setting(part, "ceil_mode", True)
    return f"{kind}_pool2d", {**network.window(part), "ceil_mode": ceil}


def _relu(network: _CaffeLayers, part: Message, _: str) -> Made:
    slope = network.setting(part, "negative_slope", 0.0)
    return ("leaky_relu", {"negative_slope": slope}) if slope else ("relu", {})


def _eltwise(network: _CaffeLayers, part: Message, label: str) -> Made:
    kind = {"SUM": "add", "PROD": "mul", "MAX": "maximum"}.get(_word(part, "operation", "SUM"))
    if kind is None or part.get("coeff"):
        raise ArchspecError(f"{network.path}: {label} joins in a way that no operator computes")
    return kind, {}


_SAID_BY_SETTINGS: Mapping[str, Callable[[_CaffeLayers, Message, str], Made]] = {
    "Pooling": _pooling,
    "ReLU": _relu,
    "Eltwise": _eltwise,
}
"""Layers whose settings say which operator they are."""

_OF_VECTORS = frozenset({"InnerProduct", "Softmax"})
"""Layers that take images for vectors."""

_OF_CHANNELS: Mapping[str, tuple[str, float]] = {
    "out_channels": ("num_output", 1),
    "dilation": ("dilation", 1),
    "groups": ("group", 1),
    "bias": ("bias_term", True),
}
_LAYERS: Mapping[str, tuple[str, str, Mapping[str, tuple[str, float]]]] = {
    "Convolution": ("conv2d", "convolution_param", _OF_CHANNELS),
    "Deconvolution": ("conv_transpose2d", "convolution_param", _OF_CHANNELS),
    "Pooling": ("", "pooling_param", {}),
    "InnerProduct": (
        "linear",
        "inner_product_param",
        {"out_features": ("num_output", 1), "bias": ("bias_term", True)},
    ),
    "ReLU": ("", "relu_param", {}),
    "LRN": (
        "local_response_norm",
        "lrn_param",
        {"size": ("local_size", 5), "k": ("k", 1.0), "alpha": ("alpha", 1.0), "beta": ("beta", 0.75)},
    ),
    "Dropout": ("dropout", "dropout_param", {"p": ("dropout_ratio", 0.5)}),
    "Softmax": ("softmax", "", {}),
    "BatchNorm": ("batch_norm", "batch_norm_param", {"eps": ("eps", 1e-5)}),
    "Scale": ("mul", "", {}),
    "Eltwise": ("", "eltwise_param", {}),
    "Concat": ("concat", "concat_param", {"dim": ("axis", 1)}),
    "Sigmoid": ("sigmoid", "", {}),
    "TanH": ("tanh", "", {}),
    "Flatten": ("flatten", "", {}),
    "Split": ("identity", "", {}),
}
"""What each type of layer is: the operator, where its settings stand, and these by ours, each with its usual value."""
