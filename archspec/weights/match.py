"""How a network's layers find theirs in a state dict.

Convolutions and linear layers first: the source's modules are laid along the network as blocks (`layout`). Then
normalisations, which go where the layers go that they normalise; then what is left. The order of the keys says nothing.
Where several ways are left, the names decide, or the layer is open: it is said which of the source's it may be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from os import PathLike
from typing import TypeAlias

import torch
from torch import Tensor, nn

from archspec import kernels
from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import place_of
from archspec.language import Document
from archspec.language.origin import origin
from archspec.runtime.build import build
from archspec.weights.alignment import Alignment, Here, TooManyWaysError, align
from archspec.weights.file import WeightFile
from archspec.weights.layers import Array, Kinds, Layer, Layers, Wiring, kinds, of_network, of_source
from archspec.weights.matching import Matching
from archspec.weights.rows import Exchange, Why
from archspec.weights.words import likeness, modules, pieces

MOST = 4096
"""The most layers of a side."""

NEAREST = 16
"""With how many others a layer is compared."""

Likeness: TypeAlias = Callable[[Layer, Layer], int]


def match(network: Network, source: Mapping[str, Tensor] | str | PathLike[str], *, assume: bool = False) -> Matching:
    """What of a source fills each array of a network.

    Args:
        network: Its symbols are all bound to numbers.
        source: A state dict, or a file of one: `.safetensors` or `.npz`.
        assume: Whether to take, where nothing says which of several layers it is, those in the order of their names.

    Raises:
        ArchspecError: The source cannot be read, or holds what is no tensor.

    >>> import torch
    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> sizes = {"hidden": (300, 784), "middle": (100, 300), "last": (10, 100)}
    >>> source = {f"{name}.weight": torch.zeros(size) for name, size in sizes.items()}
    >>> source |= {f"{name}.bias": torch.zeros(size[0]) for name, size in sizes.items()}
    >>> print(match(expand(load("lenet_300_100")), source).sentence)
    lenet_300_100: 6 of 6 arrays filled, none left over
    """
    found: Mapping[str, Tensor] = source if isinstance(source, Mapping) else WeightFile(source)
    arrays = {array.key: array for array in _described(found)}
    here, there = of_network(network), of_source(arrays.values())
    matcher = _Matcher(network, here, there)
    if not matcher.by_key(arrays):
        matcher.match()
    return Matching(
        name=network.name,
        bindings={name: str(value) for name, value in network.bindings.items()},
        here=here,
        there=there,
        taken=matcher.taken,
        open=matcher.open,
        choices=exchanges(here.all, matcher),
        last=place_of(network.output),
        source=found,
        assume=assume,
    )


def filled(
    network: Network,
    document: Document,
    source: Mapping[str, Tensor] | str | PathLike[str],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    inplace: bool = True,
    assume: bool = False,
) -> nn.Module:
    """The module that computes a network, with a source's weights; see `build` and `match`.

    One-bit layers of a compressed file compute with bits when they are evaluated, where numba is installed.

    Raises:
        ArchspecError: The source cannot be read, not every array is filled, or one of the source is left over.
    """
    matching = match(network, source, assume=assume)
    file = matching.source.compressed if isinstance(matching.source, WeightFile) else None
    if file is not None:
        file.refuse_another(origin(document, network.bindings))
    empty = build(network, document, device="meta", dtype=dtype, inplace=inplace)  # no memory for weights twice
    model = matching.apply(empty).to(device=torch.get_default_device() if device is None else device)
    if file is not None and kernels.best() == "numba":  # the others need not be quicker than real numbers
        kernels.evaluate_with_bits(model)
    return model


def _described(source: Mapping[str, Tensor]) -> Iterator[Array]:
    for array in source.arrays.values() if isinstance(source, WeightFile) else _in_memory(source):
        if array.weight and not array.real:
            where = f"{source.path}: " if isinstance(source, WeightFile) else ""
            raise ArchspecError(f"{where}'{array.key}' is of type {array.dtype}; weights are floating-point numbers")
        yield array


def _in_memory(source: Mapping[str, Tensor]) -> Iterator[Array]:
    for key, tensor in source.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise ArchspecError(f"a state dict maps names to tensors; {key!r} is a {type(tensor).__name__}")
        yield Array(key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


class _Matcher:
    """The steps of one matching.

    Attributes:
        taken: By a layer of the network, the source's, and why.
        open: The layers of which nothing says that they have the right one, and those that each may have.
        possible: Those that each may have if names are left out.
        wiring: How the network's layers are connected.
    """

    def __init__(self, network: Network, here: Layers, there: Layers) -> None:
        if max(len(here.all), len(there.all)) > MOST:
            raise ArchspecError(f"{max(len(here.all), len(there.all))} layers are more than are matched: {MOST}")
        self.here, self.there = here, there
        self.taken: dict[str, tuple[str, Why]] = {}
        self.open: dict[str, tuple[str, ...]] = {}
        self.possible: dict[str, set[str]] = {}
        self.wiring = Wiring(network, here.all)

    def by_key(self, arrays: Mapping[str, Array]) -> bool:
        """Take every layer by its own name, if the source has all of its arrays under the very same keys."""
        wanted = [array for layer in self.here.all for array in layer.arrays.values()]
        if not all(array.key in arrays and arrays[array.key].shape == array.shape for array in wanted):
            return False
        self.taken = {layer.name: (layer.name, "key") for layer in self.here.all}
        return True

    def match(self) -> None:
        """All steps."""
        self._take(self.here.kernels, self.there.kernels, _alike)
        self._normalisations()
        used = {name for name, _ in self.taken.values()}
        self._take(
            [layer for layer in self.here.others if layer.name not in self.taken],
            [layer for layer in self.there.others if layer.name not in used],
            _alike,
        )

    def _take(self, here: Sequence[Layer], there: Sequence[Layer], alike: Likeness, why: Why | None = None) -> None:
        """Match layers with layers, and note what else they could be."""
        found = kinds(here, there)
        equal = found.equal()
        for those, blocks in ((found, True), (equal, True), (equal, False))[found == equal :]:
            layout = self._laid(those, alike, blocks=blocks)
            if layout is not None:
                ordered = self._laid(those, alike, blocks=blocks, concatenated=True) if layout.open else None
                self._note(those, layout, ordered or layout, why)
                return
        unordered = _unordered(equal)
        self._note(equal, unordered, unordered, why)

    def _laid(self, found: Kinds, alike: Likeness, *, blocks: bool, concatenated: bool = False) -> Alignment | None:
        if not found.here:
            return Alignment({}, {}, {})
        own = [self.wiring.number[layer.name] for layer in found.here]
        inside: dict[str, int] = {}
        for number, layer in enumerate(found.here):
            for module in modules(layer.path, "/"):
                inside[module] = inside.get(module, 0) | 1 << number
        ours, theirs = found.sides
        here = Here(
            ours.kinds,
            ours.spare,
            above=[_among(own, self.wiring.above[layer.name]) for layer in found.here],
            modules=frozenset(bits for bits in inside.values() if bits.bit_count() > 1),
            after=[_among(own, self.wiring.after[number]) for number in own] if concatenated else (),
        )
        names = [layer.name for layer in found.there]
        try:
            return align(here, theirs, names, lambda one, two: alike(found.here[one], found.there[two]), blocks=blocks)
        except TooManyWaysError:
            return None

    def _note(self, found: Kinds, layout: Alignment, ordered: Alignment, why: Why | None) -> None:
        """Keep what was found; `ordered` is the same where the order of concatenations counts."""
        open_, ambiguous = layout.open, ordered.open
        for one, other in ordered.pairs.items():
            name, theirs = found.here[one].name, found.there[other].name
            self.possible[name] = {found.there[each].name for each in layout.possible[one]}
            reason: Why = why or ("only" if found.of_here[one] in found.single else "order")
            if one in ambiguous:
                reason = "assumed"
                self.open[name] = tuple(found.there[each].name for each in sorted(ordered.best[one]))
            elif one in open_:
                reason = "index"
            elif len(self.possible[name]) > 1:
                reason = why or "names"
            self.taken[name] = theirs, reason

    def _normalisations(self) -> None:
        """Give each layer's normalisation that of its match: in the smallest module that has as many as are wanted."""
        kernel: dict[str, Layer] = {}
        groups: dict[tuple[str, object], tuple[list[Layer], list[Layer]]] = {}
        for layer in self.here.kernels:
            if layer.name in self.taken and layer.name in self.wiring.behind:
                norm = self.wiring.behind[layer.name]
                kernel[norm.name] = layer
                for module in modules(self.taken[layer.name][0]):
                    groups.setdefault((module, norm.signature), ([], []))[0].append(norm)
        for norm in self.there.others:
            for module in modules(norm.name):
                groups.setdefault((module, norm.signature), ([], []))[1].append(norm)
        used: set[str] = set()

        def alike(one: Layer, other: Layer) -> int:
            return _same_index(self.taken[kernel[one.name].name][0], other.name) + _alike(one, other)

        for _, (ours, theirs) in sorted(groups.items(), key=lambda group: (-group[0][0].count("."), not group[0][0])):
            wanted = [layer for layer in ours if layer.name not in self.taken]
            given = [layer for layer in theirs if layer.name not in used]
            if wanted and len(wanted) == len(given):
                self._take(wanted, given, alike, "norm")
                used |= {layer.name for layer in given}
        self._follow(kernel)

    def _follow(self, kernel: Mapping[str, Layer]) -> None:
        """Leave the normalisation of an ambiguous layer open too."""
        for name, layer in kernel.items():
            if layer.name in self.open and name in self.taken and name not in self.open:
                self.open[name] = (self.taken[name][0],)
                self.taken[name] = self.taken[name][0], "assumed"


def _among(own: Sequence[int], bits: int) -> int:
    """Bits of the numbers of all layers, as those of some."""
    return sum(1 << place for place, number in enumerate(own) if bits >> number & 1)


def _unordered(found: Kinds) -> Alignment:
    """What is known where the modules do not say it: only what is the only one of its kind."""
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for side, those in enumerate((found.of_here, found.of_there)):
        for number, kind in enumerate(those):
            groups.setdefault(kind, ([], []))[side].append(number)
    pairs = {one: other for ours, theirs in groups.values() for one, other in zip(ours, theirs, strict=True)}
    possible = {one: set(theirs) for ours, theirs in groups.values() for one in ours}
    return Alignment(pairs, possible, possible)


def _alike(one: Layer, other: Layer) -> int:
    return likeness(one.path, other.name)


def _same_index(one: str, other: str) -> bool:
    """Whether the last labels of two names have the same number: conv1 and bn1."""
    numbers = [
        [piece for piece in pieces(name.rpartition(".")[2]) if not isinstance(piece, str)] for name in (one, other)
    ]
    return bool(numbers[0]) and numbers[0] == numbers[1]


# ------------------------------------------------------------------ exchanges


def exchanges(layers: Sequence[Layer], matched: _Matcher) -> tuple[Exchange, ...]:
    """The exchanges that shapes, modules and indices allow."""
    found = _found([layer for layer in layers if len(matched.possible.get(layer.name, ())) > 1], matched)
    return tuple(_with_norms(choice, matched) for choice in found)


def _found(layers: Sequence[Layer], matched: _Matcher) -> Iterator[Exchange]:
    branches: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    attached = {layer.name for layer in matched.wiring.behind.values()}
    for index, one in enumerate(layers):
        for other in islice((each for each in layers[index + 1 :] if _exchangeable(one, each, matched)), NEAREST):
            if matched.wiring.parallel(one, other):
                branches.setdefault(_branches(one.path, other.path), []).append((one.name, other.name))
            elif one.name not in attached:
                yield _choice(((one.name, other.name),), matched, parallel=False)
    for pairs in branches.values():
        yield from _together(pairs, matched)


def _exchangeable(one: Layer, other: Layer, matched: _Matcher) -> bool:
    ours, theirs = matched.taken[one.name][0], matched.taken[other.name][0]
    return theirs in matched.possible[one.name] or ours in matched.possible[other.name]


def _branches(one: str, other: str) -> tuple[str, str, str]:
    """Where two paths part, and the first part of each from there."""
    here, there = one.split("/"), other.split("/")
    same = next(index for index, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1])
    return "/".join(here[:same]), here[same], there[same]


def _together(pairs: list[tuple[str, str]], matched: _Matcher) -> Iterator[Exchange]:
    """The choices of two branches: one, if each layer of the one has its like in the other; else each pair its own."""
    ones, others = (list(dict.fromkeys(side)) for side in zip(*pairs, strict=True))
    if len(ones) == len(others):
        matching = [pair for pair in zip(ones, others, strict=True) if pair in pairs]
        if len(matching) == len(ones):
            yield _choice(tuple(matching), matched, parallel=True)
            return
    for pair in pairs:
        yield _choice((pair,), matched, parallel=True)


def _choice(pairs: tuple[tuple[str, str], ...], matched: _Matcher, *, parallel: bool) -> Exchange:
    names = [name for pair in pairs for name in pair]
    if any(name in matched.open for name in names):
        return Exchange(pairs, parallel)
    numbered = any(matched.taken[name][1] == "index" for name in names)
    return Exchange(pairs, parallel, "index" if numbered else "names")


def _with_norms(choice: Exchange, matched: _Matcher) -> Exchange:
    """The choice with the normalisations behind its layers, which go with them."""
    behind: Mapping[str, Layer] = matched.wiring.behind
    norms = [(behind[one].name, behind[two].name) for one, two in choice.layers if one in behind and two in behind]
    whole = [pair for pair in norms if all(name in matched.taken for name in pair) and pair not in choice.layers]
    return Exchange((*choice.layers, *whole), choice.parallel, choice.settled)
