"""In what a source differs from a network, as far as shapes say, and which blocks it fills from parts of several."""

from collections.abc import Iterator, Mapping, Sequence

from archspec.weights.layers import Layer, Layers
from archspec.weights.words import modules
from archspec.writing import sizes

SHOWN = 8
"""How many layers are named one by one."""


def differences(
    here: Layers, there: Layers, taken: Mapping[str, tuple[str, object]], bindings: Mapping[str, str]
) -> tuple[str, ...]:
    """Sentences, the telling ones first; none if everything fits.

    Args:
        here: The network's layers.
        there: The source's.
        taken: Which layer of the source is which of the network's, by name.
        bindings: The symbols' values as text.
    """
    return tuple(_Difference(here, there, taken, bindings).sentences())


class _Difference:
    def __init__(
        self, here: Layers, there: Layers, taken: Mapping[str, tuple[str, object]], bindings: Mapping[str, str]
    ) -> None:
        by_name = {layer.name: layer for layer in there.all}
        used = {name for name, _ in taken.values()}
        self.bindings, self.loose = bindings, there.loose
        self.pairs = [(layer, by_name[taken[layer.name][0]]) for layer in here.all if layer.name in taken]
        self.missing = [layer for layer in here.all if layer.name not in taken]
        self.extra = [layer for layer in there.all if layer.name not in used]
        both = {layer.signature for layer in self.missing} & {layer.signature for layer in self.extra}
        self.unclear = {
            signature: [sum(layer.signature == signature for layer in side.all) for side in (here, there)]
            for signature in dict.fromkeys(layer.signature for layer in self.missing if layer.signature in both)
        }
        self.missing, self.extra = (
            [layer for layer in side if layer.signature not in both] for side in (self.missing, self.extra)
        )
        self.shared = self._side_by_side(here, there)

    def _side_by_side(self, here: Layers, there: Layers) -> list[tuple[Layer, Layer]]:
        """Kernels that find nothing beside those that fill nothing, in the same gap of both orders."""
        back = {other.name: one.name for one, other in self.pairs}
        gaps: dict[str, tuple[list[Layer], list[Layer]]] = {}
        for layers, side in ((here.kernels, 0), (there.kernels, 1)):
            last, lonely = "", {layer.name for layer in (self.missing, self.extra)[side]}
            for layer in layers:
                if layer.name in lonely:
                    gaps.setdefault(last, ([], []))[side].append(layer)
                else:
                    last = back.get(layer.name, last) if side else layer.name
        return [pair for one, other in gaps.values() for pair in zip(one, other, strict=False)]

    def sentences(self) -> Iterator[str]:
        """All that is to be said."""
        yield from self._biases()
        yield from _some([self._unclear(*each) for each in self.unclear.items()], "more shapes of which that is so")
        yield from _some([self._beside(one, other) for one, other in self.shared], "more layers differ in shape")
        paired = {layer.name for pair in self.shared for layer in pair}
        for layers, where in ((self.missing, "here"), (self.extra, "in the source")):
            kernels = [layer for layer in layers if layer.kernel and layer.name not in paired]
            yield from _some(
                [f"only {where}: '{layer.name}', {sizes(layer.shape)}" for layer in kernels],
                f"more layers only {where}",
            )
        for layers, where in ((self.missing, "here"), (self.extra, "in the source")):
            yield from _counted(
                [layer.name for layer in layers if not layer.kernel], f"normalisation{{s}} only {where}"
            )
        yield from _some(
            [f"only in the source: '{array.key}', of type {array.dtype}" for array in self.loose],
            "more arrays only in the source",
        )

    def _biases(self) -> Iterator[str]:
        """Layers with a bias on one side alone; a normalisation that is folded into its layer leaves such a bias."""
        pairs = [(one.arrays, other) for one, other in self.pairs if one.kernel]
        there = [other.name for arrays, other in pairs if "bias" in other.arrays and "bias" not in arrays]
        here = [other.name for arrays, other in pairs if "bias" in arrays and "bias" not in other.arrays]
        missing, extra = (sum(not layer.kernel for layer in layers) for layers in (self.missing, self.extra))
        why = ": the normalisations are folded into them; save the weights from before that"
        yield from _counted(
            there, "layer{s} of the source with a bias, where none is here", why * (missing == len(there) > 1)
        )
        why = ": the normalisations are folded into them here, and not in the source"
        yield from _counted(
            here, "layer{s} of the source without a bias, where one is here", why * (extra == len(here) > 1)
        )

    def _unclear(self, signature: tuple[object, ...], numbers: list[int]) -> str:
        """Layers of one shape that are not matched on either side."""
        size = signature[0][1] if isinstance(signature[0], tuple) else signature  # of a normalisation, by name
        what = sizes(size) if isinstance(size, tuple) else ""
        return f"{numbers[0]} layers here are {what}, {numbers[1]} in the source: nothing says which are which"

    def _beside(self, one: Layer, other: Layer) -> str:
        """Two kernels that could be one, were their shapes the same."""
        what = f"'{one.name}' is {sizes(one.shape)} here, '{other.name}' is {sizes(other.shape)} in the source"
        if other.shape in ((*one.shape[2:], *one.shape[1::-1]), (*one.shape[2:], *one.shape[:2])):
            return f"{what}: its transpose, as Keras, TensorFlow and Flax write it; nothing is transposed here"
        if one.shape[1:] == other.shape[1:] and self.bindings.get("classes") == str(one.shape[0]):
            return f"{what}: other classes? with classes={other.shape[0]} they agree"
        return what


def _counted(names: list[str], what: str, why: str = "") -> Iterator[str]:
    if names:
        first = f" ('{names[0]}')" if len(names) == 1 else f" (first '{names[0]}')"
        yield f"{len(names)} {what.format(s='s' * (len(names) > 1))}{first}{why}"


def _some(sentences: list[str], more: str) -> list[str]:
    rest = len(sentences) - SHOWN
    return sentences if rest <= 1 else [*sentences[:SHOWN], f"{rest} {more}"]


def mixed(layers: Sequence[Layer], filled: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each block whose layers come from several modules of the source that fill other blocks too.

    Args:
        layers: The network's.
        filled: By a layer's name, the source's.
    """
    blocks: dict[str, set[str]] = {}
    inside: dict[str, set[str]] = {}
    for layer in layers:
        if layer.name in filled:
            blocks.setdefault(layer.block, set()).add(layer.name)
            for module in modules(filled[layer.name]):
                inside.setdefault(module, set()).add(layer.name)
    for block, own in blocks.items():
        crossing = {
            module: inside[module]
            for name in own
            for module in modules(filled[name])
            if inside[module] - own and own - inside[module]
        }
        smallest = [name for name in crossing if not any(other.startswith(f"{name}.") for other in crossing)]
        if len(smallest) > 1:
            sources = " and ".join(f"'{name}'" for name in sorted(smallest)[:3])
            yield f"block '{block}' is filled from parts of several blocks of the source: {sources}"
