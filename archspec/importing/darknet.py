"""Darknet's `.cfg`: sections of settings, one a layer, which name others by their numbers."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from archspec.errors import ArchspecError
from archspec.files import read_text
from archspec.importing.flat import INPUT, FlatGraph
from archspec.importing.layers import LayerBuilder, real_number, whole_number
from archspec.writing import printable

MAX_BYTES = 1_000_000
ACTIVATIONS = {
    "leaky": ("leaky_relu", {"negative_slope": 0.1}),
    "relu": ("relu", {}),
    "logistic": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "mish": ("mish", {}),
    "swish": ("silu", {}),
    "linear": None,
}
"""Darknet's names for activations, and our operators; linear is none."""

LOWEST = -(10**18)
"""What a pooling takes for pixels outside an image: no result is less."""

HEADS = frozenset({"yolo", "region", "detection", "cost"})
"""Sections that read boxes, or compare: they have no weights, and pass on what flows in."""


def read_cfg(path: str) -> FlatGraph:
    """The network of a `.cfg` file.

    Raises:
        ArchspecError: It cannot be read, or has sections that no operator of the language computes; all are named.
    """
    (first, settings, _), *layers = _sections(path)
    known = {*_LAYERS, *_PLAIN}
    if first not in {"net", "network"}:
        raise ArchspecError(f"{path}: begins with [{printable(first, 40)}], not with [net]")
    unknown = [f"[{printable(kind, 40)}] at line {line}" for kind, _, line in layers if kind not in known]
    if unknown:
        raise ArchspecError(f"{path} has sections that no operator of the language computes: {', '.join(unknown[:20])}")
    sizes = tuple(whole_number(settings.get(key, "0"), key, path) for key in ("channels", "height", "width"))
    if min(sizes) < 1:
        raise ArchspecError(f"{path}: [net] says no channels, height and width")
    network = _DarknetLayers(path, sizes)
    for number, (kind, values, _) in enumerate(layers):
        read = _LAYERS.get(kind, partial(_plain, kind))
        network.results.append(read(network, values, f"{kind}{number}"))
    return network.graph(network.flowing)


def _sections(path: str) -> list[tuple[str, dict[str, str], int]]:
    found: list[tuple[str, dict[str, str], int]] = []
    for number, line in enumerate(read_text(path, MAX_BYTES).splitlines(), 1):
        text = re.split(r"[#;]", line)[0].strip()
        name, sign, value = text.partition("=")
        if text.startswith("[") and text.endswith("]"):
            found.append((text[1:-1].strip(), {}, number))
        elif sign and found:
            found[-1][1][name.strip()] = value.strip()
        elif text:
            raise ArchspecError(f"{path}:{number}: expected [section] or key=value (got '{printable(text, 40)}')")
    if not found:
        raise ArchspecError(f"{path}: has no sections")
    return found


Settings: TypeAlias = Mapping[str, str]


class _DarknetLayers(LayerBuilder):
    """The layers so far: what each section gave."""

    def __init__(self, path: str, sizes: tuple[int, ...]) -> None:
        super().__init__(path, sizes)
        self.results: list[str] = []

    @property
    def flowing(self) -> str:
        """What the section before gave."""
        return self.results[-1] if self.results else INPUT

    def number(self, settings: Settings, key: str, usual: float) -> Any:
        """A number of a section, whole where its usual value is."""
        read = whole_number if isinstance(usual, int) else real_number
        return read(settings.get(key, str(usual)), key, self.path)

    def named(self, text: str) -> list[str]:
        """The results of sections by their numbers, from the front, or from here back where they are negative."""
        found = []
        for part in text.split(","):
            number = whole_number(part.strip(), "layers", self.path)
            place = number if number >= 0 else len(self.results) + number
            if not 0 <= place < len(self.results):
                raise ArchspecError(f"{self.path}: there is no section {number} before section {len(self.results)}")
            found.append(self.results[place])
        return found

    def activated(self, value: str, settings: Settings, label: str, default: str = "logistic") -> str:
        """A result with the activation that the section names."""
        name = settings.get("activation", default)
        if name not in ACTIVATIONS:
            raise ArchspecError(f"{self.path}: {label}: no operator computes the activation '{printable(name, 40)}'")
        found = ACTIVATIONS[name]
        return value if found is None else self.add(found[0], (value,), f"{label}_act", **found[1])


def _convolution(network: _DarknetLayers, settings: Settings, label: str) -> str:
    kernel = network.number(settings, "size", 1)
    padding = kernel // 2 if network.number(settings, "pad", 0) else network.number(settings, "padding", 0)
    normalised = bool(network.number(settings, "batch_normalize", 0))
    value = network.add(
        "conv2d",
        (network.flowing,),
        label,
        out_channels=network.number(settings, "filters", 1),
        kernel_size=kernel,
        stride=network.number(settings, "stride", 1),
        padding=padding,
        groups=network.number(settings, "groups", 1),
        bias=not normalised,
    )
    if normalised:
        value = network.add("batch_norm", (value,), f"{label}_bn", eps=1e-6)
    return network.activated(value, settings, label)


def _max_pool(network: _DarknetLayers, settings: Settings, label: str) -> str:
    """Darknet pads by size − 1 in all, half of it before: the output is ⌈h/stride⌉."""
    stride = network.number(settings, "stride", 1)
    kernel = network.number(settings, "size", stride)
    whole = network.number(settings, "padding", kernel - 1)
    value, padding = network.flowing, whole // 2
    if whole % 2 and all(size % stride == 0 for size in network.shape(value)[2:]) and kernel == stride:
        padding = 0  # the padding lies beyond the last window
    elif whole % 2:
        before, behind = whole // 2, whole - whole // 2
        args = {"padding": (before, behind, before, behind), "value": LOWEST}
        value = network.add("pad", (value,), f"{label}_pad", **args)
        padding = 0
    return network.add("max_pool2d", (value,), label, kernel_size=kernel, stride=stride, padding=padding)


def _plain(kind: str, network: _DarknetLayers, settings: Settings, label: str) -> str:
    operator, known = _PLAIN[kind]
    args = {ours: network.number(settings, key, usual) for ours, (key, usual) in known.items()}
    taken = network.flat(network.flowing, label) if operator in {"linear", "softmax"} else network.flowing
    value = network.add(operator, (taken,), label, **args)
    return network.activated(value, settings, label) if operator == "linear" else value


def _shortcut(network: _DarknetLayers, settings: Settings, label: str) -> str:
    others = network.named(settings.get("from", ""))
    value = network.add("add", (network.flowing, *others), label)
    return network.activated(value, settings, label, "linear")


def _route(network: _DarknetLayers, settings: Settings, label: str) -> str:
    found = network.named(settings.get("layers", ""))
    groups = network.number(settings, "groups", 1)
    if groups > 1:
        index = network.number(settings, "group_id", 0)
        found = [network.add("split", (one,), label, sections=groups, index=index) for one in found]
    return found[0] if len(found) == 1 else network.add("concat", tuple(found), label)


_LAYERS: Mapping[str, Callable[[_DarknetLayers, Settings, str], str]] = {
    "convolutional": _convolution,
    "conv": _convolution,
    "maxpool": _max_pool,
    "max": _max_pool,
    "shortcut": _shortcut,
    "route": _route,
    **dict.fromkeys(HEADS, lambda network, *_: network.flowing),
}
"""What gives the results of a section; these are named by its number."""

_PLAIN: Mapping[str, tuple[str, Mapping[str, tuple[str, float]]]] = {
    "avgpool": ("global_avg_pool", {}),
    "avg": ("global_avg_pool", {}),
    "upsample": ("upsample", {"scale_factor": ("stride", 2)}),
    "connected": ("linear", {"out_features": ("output", 1)}),
    "softmax": ("softmax", {}),
    "dropout": ("dropout", {"p": ("probability", 0.5)}),
}
"""Sections that are one operator: its arguments by what Darknet calls them, each with its usual value."""
