"""In what a source differs from a network, as far as the shapes of their arrays say."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from archspec.runtime.weights.layers import Layer, Layers

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
        self.bindings = bindings
        self.pairs = [(layer, by_name[taken[layer.name][0]]) for layer in here.all if layer.name in taken]
        self.missing = [layer for layer in here.all if layer.name not in taken]
        self.extra = [layer for layer in there.all if layer.name not in used]
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
                    last = back[layer.name] if side else layer.name
        return [pair for one, other in gaps.values() for pair in zip(one, other, strict=False)]

    def sentences(self) -> Iterator[str]:
        """All that is to be said."""
        yield from self._biases()
        yield from _some([self._beside(one, other) for one, other in self.shared], "more layers differ in shape")
        paired = {layer.name for pair in self.shared for layer in pair}
        for layers, where in ((self.missing, "here"), (self.extra, "in the source")):
            kernels = [layer for layer in layers if layer.kernel and layer.name not in paired]
            yield from _some([f"only {where}: {_described(layer)}" for layer in kernels], f"more layers only {where}")
        missing, extra = (_norms(layers) for layers in (self.missing, self.extra))
        if missing:
            yield f"{len(missing)} of the normalisations here have none in the source (first '{missing[0].name}')"
        if extra:
            yield f"{len(extra)} normalisations of the source have none here (first '{extra[0].name}')"

    def _biases(self) -> Iterator[str]:
        here = [one for one, other in self.pairs if one.kernel and "bias" in one.arrays and "bias" not in other.arrays]
        there = [
            other for one, other in self.pairs if one.kernel and "bias" in other.arrays and "bias" not in one.arrays
        ]
        missing, extra = (len(_norms(layers)) for layers in (self.missing, self.extra))
        if there:
            folded = (
                ""
                if not missing
                else (
                    f", and {missing} normalisations here have none in the source: they are folded into those layers; "
                    "save the weights from before that"
                )
            )
            yield f"{len(there)} layers have a bias in the source and none here (first '{there[0].name}'){folded}"
        if here:
            folded = (
                ""
                if not extra
                else (
                    f", and {extra} normalisations of the source have none here: here is that network with its "
                    "normalisations folded"
                )
            )
            yield f"{len(here)} layers have a bias here and none in the source (first '{here[0].name}'){folded}"

    def _beside(self, one: Layer, other: Layer) -> str:
        """Two kernels that could be one, were their shapes the same."""
        what = f"'{one.name}' is {_size(one)} here, '{other.name}' is {_size(other)} in the source"
        if len(one.shape) == len(other.shape) and other.shape in _transposed(one.shape):
            return f"{what}: its transpose, as Keras, TensorFlow and Flax write it; nothing is transposed here"
        if one.shape[1:] == other.shape[1:] and self.bindings.get("classes") == str(one.shape[0]):
            return f"{what}: other classes? with classes={other.shape[0]} they agree"
        return what


def _transposed(shape: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The shapes that a kernel has where its first axes are its last."""
    return (
        {tuple(shape[axis] for axis in order) for order in permutations(range(len(shape)))} if len(shape) < 6 else set()
    )


def _norms(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if not layer.kernel]


def _size(layer: Layer) -> str:
    return "×".join(map(str, layer.shape))


def _described(layer: Layer) -> str:
    return f"'{layer.name}', {_size(layer)}"


def _some(sentences: list[str], more: str) -> list[str]:
    rest = len(sentences) - SHOWN
    return sentences if rest <= 1 else [*sentences[:SHOWN], f"{rest} {more}"]
