"""How a network's layers find theirs in a state dict.

Convolutions and linear layers first: as many as can be in the order of both sides, the others by place and name; then
normalisations, which go where the layers go that they normalise; then what is left. Where shapes allow layers of
parallel branches to be exchanged, names decide, or the order is assumed and that is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from os import PathLike
from typing import TypeAlias

from torch import Tensor

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.weights.align import Found, Why, align
from archspec.weights.file import WeightFile
from archspec.weights.layers import Array, Layer, Layers, of_network, of_source
from archspec.weights.matching import Matching
from archspec.weights.rows import Choice
from archspec.weights.words import in_order, likeness

NEAREST = 16
"""With how many of its like in other branches a layer is compared."""

Taken: TypeAlias = dict[str, tuple[str, Why]]


def match(network: Network, source: Mapping[str, Tensor] | str | PathLike[str]) -> Matching:
    """What of a source fills each array of a network.

    Args:
        network: Its symbols are all bound to numbers.
        source: A state dict, or a file of one: `.safetensors` or `.npz`.

    Raises:
        ArchspecError: The source cannot be read, or holds what is no tensor.

    >>> import torch
    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> sizes = {"hidden": (300, 784), "middle": (100, 300), "last": (10, 100)}
    >>> source = {f"{name}.weight": torch.zeros(size) for name, size in sizes.items()}
    >>> source |= {f"{name}.bias": torch.zeros(size[0]) for name, size in sizes.items()}
    >>> print(match(expand(load("lenet_300_100")), source))
    lenet_300_100: 6 of 6 arrays filled, none left over
    """
    found: Mapping[str, Tensor] = source if isinstance(source, Mapping) else WeightFile(source)
    here = of_network(network)
    arrays = list(_described(found))
    there = of_source(arrays, ordered=[array.key for array in arrays] != sorted(array.key for array in arrays))
    bindings = {name: str(value) for name, value in network.bindings.items()}
    same = _by_key(here, {array.key: array for array in arrays})
    taken, choices = (same, []) if same is not None else _Matcher(network, here, there).matched()
    last = state_key(network.output, "")[:-1]
    return Matching(network.name, bindings, here, there, taken, tuple(choices), last, found)


def _described(source: Mapping[str, Tensor]) -> Iterator[Array]:
    if isinstance(source, WeightFile):
        yield from source.arrays.values()
        return
    for key, tensor in source.items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise ArchspecError(f"a state dict maps names to tensors; {key!r} is a {type(tensor).__name__}")
        yield Array(key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def _by_key(here: Layers, arrays: Mapping[str, Array]) -> Taken | None:
    """Every layer by its own name, if the source has all of its arrays under the very same keys."""
    wanted = [array for layer in here.all for array in layer.arrays.values()]
    if all(array.key in arrays and arrays[array.key].shape == array.shape for array in wanted):
        return {layer.name: (layer.name, "key") for layer in here.all}
    return None


class _Matcher:
    """The steps of one matching."""

    def __init__(self, network: Network, here: Layers, there: Layers) -> None:
        self.here, self.there = here, there
        self.taken: Taken = {}
        self.position = {layer.name: index for index, layer in enumerate(there.all)}
        self.by_path = {layer.path: layer for layer in here.all}
        self.above: dict[str, int] = {"input": 0}
        self.behind: dict[str, Layer] = {}
        for index, node in enumerate(network.nodes):
            self.above[node.name] = 1 << index
            for name in node.inputs:
                self.above[node.name] |= self.above[name]
            feeder = self.by_path.get(node.inputs[0]) if node.inputs else None
            if feeder is not None and feeder.kernel and node.name in self.by_path:
                self.behind[feeder.name] = self.by_path[node.name]
        self.bit = {node.name: 1 << index for index, node in enumerate(network.nodes)}

    def matched(self) -> tuple[Taken, list[Choice]]:
        """The layers of the source by those of the network, and where it could be otherwise."""
        self._take(self.here.kernels, self.there.kernels)
        choices = self._decided(list(self._choices(self.here.kernels)))
        attached = self._normalisations()
        rest = [layer for layer in self.here.others if layer.name not in self.taken]
        used = {name for name, _ in self.taken.values()}
        self._take(rest, [layer for layer in self.there.others if layer.name not in used])
        choices += self._decided(list(self._choices([*rest, *attached])))
        for choice in choices:
            if choice.settled is None:
                for name in {name for pair in choice.layers for name in pair}:
                    self.taken[name] = self.taken[name][0], "assumed"
        return self.taken, [self._with_norms(choice) for choice in choices]

    def _take(self, here: Sequence[Layer], there: Sequence[Layer]) -> None:
        found: Found = align(here, there)
        self.taken |= {here[one].name: (there[other].name, why) for one, (other, why) in found.items()}

    def _normalisations(self) -> list[Layer]:
        """Give each layer's normalisation that of its match: in the smallest module that has as many as are wanted.

        Gives those that stood in one module with others of their size, so that only their order told them apart.
        """
        wanting = [layer for layer in self.here.kernels if layer.name in self.taken and layer.name in self.behind]
        if not self.there.sorted:
            wanting.sort(key=lambda layer: self.position[self.taken[layer.name][0]])
        modules: dict[str, tuple[list[Layer], list[Layer]]] = {}
        for layer in wanting:
            for module in _modules(self.taken[layer.name][0]):
                modules.setdefault(module, ([], []))[0].append(layer)
        for norm in self.there.others:
            for module in _modules(norm.name):
                modules.setdefault(module, ([], []))[1].append(norm)
        used: set[str] = set()
        attached: list[Layer] = []
        for module in sorted(modules, key=lambda name: (-name.count("."), not name)):
            layers, norms = modules[module]
            for signature in dict.fromkeys(norm.signature for norm in norms):
                wanted = [self.behind[layer.name] for layer in layers if self.behind[layer.name].signature == signature]
                wanted = [layer for layer in wanted if layer.name not in self.taken]
                given = [norm for norm in norms if norm.signature == signature and norm.name not in used]
                if len(wanted) == len(given):
                    self.taken |= {one.name: (norm.name, "norm") for one, norm in zip(wanted, given, strict=True)}
                    used |= {norm.name for norm in given}
                    attached += wanted if len(wanted) > 1 else []
        return attached if self.there.sorted else []

    def _choices(self, layers: Sequence[Layer]) -> Iterator[Choice]:
        """Layers of one signature in parallel branches, or of sources whose names do not say which comes first."""
        groups: dict[object, list[Layer]] = {}
        for layer in layers:
            if layer.name in self.taken:
                groups.setdefault(layer.signature, []).append(layer)
        branches: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        for group in groups.values():
            group.sort(key=lambda layer: self.bit[layer.path])
            for index, one in enumerate(group):
                behind = group[index + 1 :]
                parallel = (other for other in behind if not self.above[other.path] & self.bit[one.path])
                for other in islice(parallel, NEAREST):
                    branches.setdefault(_branches(one.path, other.path), []).append((one.name, other.name))
            if self.there.sorted:
                yield from self._unordered(group)
        for pairs in branches.values():
            yield from _together(pairs)

    def _unordered(self, group: list[Layer]) -> Iterator[Choice]:
        for one, other in pairwise(group):
            parallel = not self.above[other.path] & self.bit[one.path]
            if not parallel and not in_order(self.taken[one.name][0], self.taken[other.name][0]):
                yield Choice(((one.name, other.name),), parallel=False)

    def _decided(self, choices: list[Choice]) -> list[Choice]:
        """The choices as the names of the layers would have them."""
        decided = {choice: choice for choice in choices}
        for _ in range(4):  # one exchange may call for the next, where there are more than two branches
            moved = False
            for choice in choices:
                kept, exchanged = self._shared(choice, 0), self._shared(choice, 1)
                decided[choice] = Choice(choice.layers, choice.parallel, "names" if kept != exchanged else None)
                if exchanged > kept:
                    moved = True
                    for one, other in choice.layers:
                        (first, _), (second, _) = self.taken[one], self.taken[other]
                        self.taken |= {one: (second, "names"), other: (first, "names")}
            if not moved:
                break
        return list(decided.values())

    def _shared(self, choice: Choice, exchanged: int) -> int:
        """How many words the names share, as they are or exchanged."""
        total = 0
        for pair in choice.layers:
            sources = [self.taken[name][0] for name in pair]
            for name, source in zip(pair, sources[::-1] if exchanged else sources, strict=True):
                total += likeness(name.replace(".", "/"), source)
        return total

    def _with_norms(self, choice: Choice) -> Choice:
        """The choice with the normalisations behind its layers, which go with them."""
        norms = [
            (self.behind[one].name, self.behind[other].name)
            for one, other in choice.layers
            if one in self.behind and other in self.behind
        ]
        whole = [pair for pair in norms if pair[0] in self.taken and pair[1] in self.taken]
        return Choice((*choice.layers, *whole), choice.parallel, choice.settled)


def _modules(name: str) -> Iterator[str]:
    """The modules that a layer is in, the smallest first, the whole last."""
    while name:
        name = name.rpartition(".")[0]
        yield name


def _branches(one: str, other: str) -> tuple[str, str, str]:
    """Where two paths part, and the first part of each from there."""
    here, there = one.split("/"), other.split("/")
    same = next(index for index, pair in enumerate(zip(here, there, strict=False)) if pair[0] != pair[1])
    return "/".join(here[:same]), here[same], there[same]


def _together(pairs: list[tuple[str, str]]) -> Iterator[Choice]:
    """The choices of two branches: one, if each layer of the one has its like in the other; else each pair its own."""
    ones, others = (list(dict.fromkeys(side)) for side in zip(*pairs, strict=True))
    if len(ones) == len(others):
        matching = [pair for pair in zip(ones, others, strict=True) if pair in pairs]
        if len(matching) == len(ones):
            yield Choice(tuple(matching), parallel=True)
            return
    for pair in pairs:
        yield Choice((pair,), parallel=True)
