"""Caffe's `.prototxt`: layers with named results, whose poolings round up."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from archspec.errors import ArchspecError
from archspec.files import read_text
from archspec.importing.flat import INPUT, FlatGraph
from archspec.importing.layers import LayerBuilder
from archspec.writing import printable

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>[{}:,;<>])|(?P<word>[^\s{}:,;<>"'#]+)"""
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
    network = _CaffeLayers(LayerBuilder(_word(message, "name", Path(path).stem), sizes), path, {name: INPUT})
    for layer in layers:
        if _kind(layer) not in NOTHING:
            network.read(layer)
    return network.builder.graph(network.last)


# ------------------------------------------------------------------ the text format


def _parsed(path: str) -> Message:
    tokens = list(_tokens(read_text(path, MAX_BYTES), path))
    message, end = _message(tokens, 0, 0, path)
    if end != len(tokens):
        raise ArchspecError(f"{path}: has a }} too many")
    return message


def _tokens(text: str, path: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        found = TOKEN.match(text, place)
        if found is None:
            line = text.count("\n", 0, place) + 1
            raise ArchspecError(
                f"{path}:{line}: is not Caffe's text format (got '{printable(text[place : place + 20], 20)}')"
            )
        if found.lastgroup:
            yield found[0]
        place = found.end()


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


class _CaffeLayers:
    """The layers so far: what each result is called in the file, and here."""

    def __init__(self, builder: LayerBuilder, path: str, values: dict[str, str]) -> None:
        self.builder, self.path, self.values = builder, path, values
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
        value = _LAYERS[_kind(layer)](self, layer, tuple(taken), label)
        for top in layer.get("top", []):
            self.values[top] = value
        self.last = value

    def number(self, part: Message, key: str, default: int, place: int = 0) -> int:
        """A whole number of a layer's settings."""
        values = part.get(key, [])
        text = str(values[min(place, len(values) - 1)]) if values else str(default)
        if not re.fullmatch(r"\d{1,9}", text):
            raise ArchspecError(f"{self.path}: {key} must be a whole number (got '{printable(text, 40)}')")
        return int(text)

    def real(self, part: Message, key: str, default: float) -> float:
        """A number of a layer's settings."""
        text = _word(part, key, str(default))
        try:
            return float(text)
        except ValueError:
            raise ArchspecError(f"{self.path}: {key} must be a number (got '{printable(text, 40)}')") from None

    def window(self, part: Message) -> dict[str, Any]:
        """Kernel, stride and padding, each one number or height and width."""
        found = {}
        for ours, theirs, short, default in (
            ("kernel_size", "kernel_size", "kernel", 1),
            ("stride", "stride", "stride", 1),
            ("padding", "pad", "pad", 0),
        ):
            height = self.number(part, f"{short}_h", self.number(part, theirs, default))
            width = self.number(part, f"{short}_w", self.number(part, theirs, default, 1))
            found[ours] = height if height == width else (height, width)
        return found


def _convolution(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    part = _part(layer, "convolution_param")
    return network.builder.add(
        "conv_transpose2d" if _kind(layer) == "Deconvolution" else "conv2d",
        taken,
        label,
        out_channels=network.number(part, "num_output", 1),
        **network.window(part),
        dilation=network.number(part, "dilation", 1),
        groups=network.number(part, "group", 1),
        bias=_word(part, "bias_term", "true") != "false",
    )


def _pooling(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    """Caffe's poolings round up, unless `round_mode` says FLOOR."""
    part = _part(layer, "pooling_param")
    kind = {"MAX": "max", "AVE": "avg"}.get(_word(part, "pool", "MAX"))
    if kind is None:
        raise ArchspecError(f"{network.path}: {label} pools by {printable(_word(part, 'pool', ''), 40)}")
    if _word(part, "global_pooling", "false") == "true":
        return network.builder.add(f"global_{kind}_pool", taken, label, keepdim=True)
    ceil = _word(part, "round_mode", "CEIL") != "FLOOR" and _word(part, "ceil_mode", "true") != "false"
    return network.builder.add(f"{kind}_pool2d", taken, label, **network.window(part), ceil_mode=ceil)


def _inner_product(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    part = _part(layer, "inner_product_param")
    (value,) = taken
    if len(network.builder.shape(value)) > 2:
        value = network.builder.add("flatten", taken, f"{label}_flatten")
    bias = _word(part, "bias_term", "true") != "false"
    return network.builder.add("linear", (value,), label, out_features=network.number(part, "num_output", 1), bias=bias)


def _relu(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    slope = network.real(_part(layer, "relu_param"), "negative_slope", 0)
    if slope:
        return network.builder.add("leaky_relu", taken, label, negative_slope=slope)
    return network.builder.add("relu", taken, label)


def _lrn(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    part = _part(layer, "lrn_param")
    args = {"alpha": network.real(part, "alpha", 1), "beta": network.real(part, "beta", 0.75)}
    size, k = network.number(part, "local_size", 5), network.real(part, "k", 1)
    return network.builder.add("local_response_norm", taken, label, size=size, k=k, **args)


def _dropout(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    return network.builder.add(
        "dropout", taken, label, p=network.real(_part(layer, "dropout_param"), "dropout_ratio", 0.5)
    )


def _softmax(network: _CaffeLayers, _: Message, taken: tuple[str, ...], label: str) -> str:
    (value,) = taken
    if len(network.builder.shape(value)) > 2:
        value = network.builder.add("flatten", taken, f"{label}_flatten")
    return network.builder.add("softmax", (value,), label)


def _batch_norm(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    """Without γ and β: a Scale behind it has these."""
    eps = network.real(_part(layer, "batch_norm_param"), "eps", 1e-5)
    return network.builder.add("batch_norm", taken, label, eps=eps, affine=False)


def _scale(network: _CaffeLayers, _: Message, taken: tuple[str, ...], label: str) -> str:
    """Behind a BatchNorm: its γ and β."""
    before = network.builder.nodes.get(taken[0])
    if len(taken) == 2:
        return network.builder.add("mul", taken, label)
    if before is None or before.operator != "batch_norm":
        raise ArchspecError(f"{network.path}: {label} scales something other than a BatchNorm")
    del network.builder.nodes[before.name]
    eps = before.args.get("eps", 1e-5)
    return network.builder.add("batch_norm", before.inputs, before.place.names[0], eps=eps)


def _eltwise(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    kind = {"SUM": "add", "PROD": "mul", "MAX": "maximum"}.get(_word(_part(layer, "eltwise_param"), "operation", "SUM"))
    if kind is None or _part(layer, "eltwise_param").get("coeff"):
        raise ArchspecError(f"{network.path}: {label} joins in a way that no operator computes")
    return network.builder.add(kind, taken, label)


def _concat(network: _CaffeLayers, layer: Message, taken: tuple[str, ...], label: str) -> str:
    return (
        taken[0]
        if len(taken) == 1
        else network.builder.add("concat", taken, label, dim=network.number(_part(layer, "concat_param"), "axis", 1))
    )


def _plain(operator: str) -> Callable[..., str]:
    return lambda network, _, taken, label: network.builder.add(operator, taken, label)


_LAYERS: Mapping[str, Callable[[_CaffeLayers, Message, tuple[str, ...], str], str]] = {
    "Convolution": _convolution,
    "Deconvolution": _convolution,
    "Pooling": _pooling,
    "InnerProduct": _inner_product,
    "ReLU": _relu,
    "LRN": _lrn,
    "Dropout": _dropout,
    "Softmax": _softmax,
    "BatchNorm": _batch_norm,
    "Scale": _scale,
    "Eltwise": _eltwise,
    "Concat": _concat,
    "Sigmoid": _plain("sigmoid"),
    "TanH": _plain("tanh"),
    "Flatten": _plain("flatten"),
    "Split": lambda _, __, taken, ___: taken[0],
}
"""What each type of layer is."""
