"""What fills each array of a network, and why; what is left over on either side; what is assumed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from archspec.errors import ArchspecError
from archspec.files import replacing
from archspec.result import Reported, short
from archspec.weights import side_by_side
from archspec.weights.differences import differences, mixed
from archspec.weights.layers import UNCOUNTED, Layer, Layers
from archspec.weights.rows import ArrayMatch, Check, Exchange, Leftover, Why
from archspec.writing import sizes

SHOWN = 3
"""How many layers of the source are named, where any of them may be meant."""


@dataclass(frozen=True)
class Matching(Reported):
    """A network's arrays beside those of a source; true when each is filled and nothing is left over.

    Attributes:
        name: The specification's name.
        bindings: The symbols' values, defaults included, as text.
        here: The network's layers.
        there: The source's layers.
        taken: By a layer of the network, the source's, and why; of what is open, those in the order of the names.
        open: The layers of which nothing says which of the source's is theirs, and those that it may be.
        choices: Where the shapes allow another matching.
        last: The name of the module whose result is the network's.
        source: The source's arrays.
        assume: Whether what is open is filled all the same.
    """

    name: str
    bindings: Mapping[str, str]
    here: Layers
    there: Layers
    taken: Mapping[str, tuple[str, Why]]
    open: Mapping[str, tuple[str, ...]]
    choices: tuple[Exchange, ...]
    last: str
    source: Mapping[str, Tensor] = field(repr=False, compare=False)
    assume: bool = False

    def __bool__(self) -> bool:
        return not self.left and all(row.source is not None for row in self.rows)

    @property
    def sentence(self) -> str:
        """What came of it, in one sentence."""
        filled = sum(row.source is not None for row in self.rows)
        left = f"{len(self.left)} of the source left over" if self.left else "none left over"
        layers = "1 layer" if len(self.open) == 1 else f"{len(self.open)} layers"
        open_ = f"; {layers} {'assumed' if self.assume else 'ambiguous'}" if self.open else ""
        return f"{self.name}: {filled} of {len(self.rows)} arrays filled, {left}{open_}"

    @cached_property
    def rows(self) -> tuple[ArrayMatch, ...]:
        """The network's arrays, in order."""
        return tuple(row for layer in self.here.all for row in self._rows(layer))

    def _rows(self, layer: Layer) -> Iterator[ArrayMatch]:
        name, why = self.taken.get(layer.name, (None, None))
        source = None if name is None else self._sources[name]
        for last, array in layer.arrays.items():
            if layer.name in self.open and not self.assume:
                yield ArrayMatch(array.key, array.shape, None, None, f"ambiguous: {_one_of(self.open[layer.name])}")
            elif source is None:
                yield ArrayMatch(array.key, array.shape, None, None, self._missing(layer))
            elif (found := source.arrays.get(last)) is None:
                yield ArrayMatch(array.key, array.shape, None, None, f"'{source.name}' has no {last}")
            elif found.shape[:1] != array.shape[:1] or prod(found.shape) != prod(array.shape):
                yield ArrayMatch(array.key, array.shape, None, None, f"'{found.key}' is {sizes(found.shape)}")
            else:
                other = None if found.shape == array.shape else found.shape
                yield ArrayMatch(array.key, array.shape, found.key, other, why or "order")

    def _missing(self, layer: Layer) -> str:
        fits = any(other.signature == layer.signature for other in self._unused)
        return "nothing says which of the source it is" if fits else "no layer of the source is left that fits"

    @cached_property
    def _unused(self) -> tuple[Layer, ...]:
        used = {name for name, _ in self.taken.values()}
        return tuple(layer for layer in self.there.all if layer.name not in used)

    @cached_property
    def _sources(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.there.all}

    @cached_property
    def left(self) -> tuple[Leftover, ...]:
        """The source's arrays that fill nothing."""
        used = {row.source for row in self.rows}
        layers = [array for layer in self.there.all for array in layer.arrays.values() if array.key not in used]
        names = {name for name, _ in self.taken.values()}
        open_ = {name for one, (name, _) in self.taken.items() if one in self.open and not self.assume}
        return (
            *(Leftover(a.key, a.shape, _left_over(a.key.rpartition(".")[0], names, open_)) for a in layers),
            *(
                Leftover(
                    a.key,
                    a.shape,
                    "no array of a layer that is known" if a.real else f"{a.dtype}: no floating-point numbers",
                )
                for a in self.there.loose
            ),
        )

    @cached_property
    def differences(self) -> tuple[str, ...]:
        """In what the two differ, as far as shapes say; empty if they agree."""
        found = differences(self.here, self.there, self.taken, self.bindings)
        if not self.open or self.assume:
            return found
        first = next(iter(self.open))
        which = f"'{first}' may be {_one_of(self.open[first])}"
        return *found, f"nothing says which of the source is which of {len(self.open)} layers here: {which}; {_ASSUME}"

    @cached_property
    def mixed(self) -> tuple[str, ...]:
        """The blocks that are filled from parts of several blocks of the source, in sentences."""
        filled = {name: other for name, (other, _) in self.taken.items() if self.assume or name not in self.open}
        return tuple(mixed(self.here.all, filled))

    def state(self) -> dict[str, Tensor]:
        """A state dict of the network's: what fills its arrays, and the number of batches that norms have seen.

        Raises:
            ArchspecError: A number is not finite, or a variance is negative.
        """
        return self._state({})

    def _state(self, types: Mapping[str, torch.dtype]) -> dict[str, Tensor]:
        """The state dict in the types of a model's arrays, by key; in those of the source if there are none."""
        found = {row.key: self._tensor(row, types.get(row.key)) for row in self.rows if row.source is not None}
        for layer in self.here.all:
            if f"{layer.name}.running_var" in found:
                counter = self.there.counters.get(self.taken[layer.name][0])
                found[f"{layer.name}.{UNCOUNTED}"] = (
                    torch.tensor(0) if counter is None else self.source[counter].clone()
                )
        return found

    def _tensor(self, row: ArrayMatch, dtype: torch.dtype | None) -> Tensor:
        tensor = self.source[str(row.source)].detach()
        if tensor.device.type != "meta":
            numbers = tensor.float() if tensor.element_size() == 1 else tensor  # of 8-bit floats torch cannot say it
            bad = int((~torch.isfinite(numbers)).sum())
            if bad:
                raise ArchspecError(f"'{row.source}' holds {bad} numbers that are not finite (NaN or infinite)")
            if row.key.endswith("running_var") and bool((numbers < 0).any()):
                raise ArchspecError(f"'{row.source}' holds a negative variance")
            if dtype is not None and (large := int((~torch.isfinite(numbers.to(dtype))).sum())):
                most, name = float(numbers.abs().max()), str(dtype).removeprefix("torch.")
                raise ArchspecError(f"'{row.source}' holds {large} numbers too large for {name}: up to {most:.3g}")
        return tensor.reshape(row.shape)

    def apply(self, model: nn.Module, *, strict: bool = True) -> nn.Module:
        """Put the source's numbers into a model of the network, in the types of the model; gives the model.

        Args:
            model: What `to_torch` gave, with the same bindings.
            strict: Whether to refuse if an array is not filled, or one of the source is left over.

        Raises:
            ArchspecError: The matching is not whole, or the model is another network's.
        """
        if strict:
            self._refuse_partial()
        own = model.state_dict()
        state = self._state({key: tensor.dtype for key, tensor in own.items()})
        strange = [key for key, tensor in state.items() if key not in own or own[key].shape != tensor.shape]
        if strange or (strict and own.keys() - state.keys()):
            key = strange[0] if strange else next(iter(own.keys() - state.keys()))
            raise ArchspecError(f"the model is not one of '{self.name}' with these bindings: they differ in '{key}'")
        if any(tensor.is_meta for tensor in own.values()):
            state = {key: tensor.to(own[key].dtype, copy=True).contiguous() for key, tensor in state.items()}
            model.load_state_dict(state, strict=strict, assign=True)
        else:
            model.load_state_dict(state, strict=strict)
        return model

    def save(self, path: str | PathLike[str], *, strict: bool = True) -> None:
        """Write what fills the network as safetensors under the network's keys; the file is there whole, or not at all.

        Raises:
            ArchspecError: The matching is not whole, a number is not finite, or the file cannot be written.
        """
        if Path(path).suffix != ".safetensors":
            raise ArchspecError(f"'{path}': what is written is .safetensors")
        if strict:
            self._refuse_partial()
        state = {key: tensor.cpu().clone(memory_format=torch.contiguous_format) for key, tensor in self.state().items()}
        with replacing(Path(path)) as file:
            file.write_bytes(save(state, metadata={"format": "pt"}))

    def _refuse_partial(self) -> None:
        if not self:
            raise ArchspecError("\n".join((self.sentence, *self.differences)))

    def swapped(self, choice: Exchange) -> "Matching":
        """The matching in which a choice is made the other way."""
        taken = dict(self.taken)
        for one, other in choice.layers:
            taken[one], taken[other] = taken[other], taken[one]
        return replace(self, taken=taken)

    def decided(self, choices: Iterable[Exchange]) -> "Matching":
        """The same matching, choices of which a run has shown to be right."""
        those = {*choices}
        layers = {name for choice in those for pair in choice.layers for name in pair}
        taken = {name: (found, "run" if name in layers else why) for name, (found, why) in self.taken.items()}
        now = tuple(replace(each, settled="a run") if each in those else each for each in self.choices)
        open_ = {name: found for name, found in self.open.items() if name not in layers}
        return replace(self, taken=taken, choices=now, open=open_)

    def check(self, model: nn.Module, source: nn.Module, x: Tensor, *, tolerance: float = 1e-5) -> Check:
        """The two models on one input: are the outputs equal, and if not, in which layers do they part?

        Args:
            model: Of the network, with the weights applied.
            source: The module whose state dict was matched.
            x: An input of both.
            tolerance: How far outputs may be apart, as a share of the largest number.

        Raises:
            ArchspecError: The source has no module of a layer's name, or one of the models cannot take the input.
        """
        return side_by_side.check(self, model, source, x, tolerance)

    def settled(self, model: nn.Module, source: nn.Module, x: Tensor, *, tolerance: float = 1e-5) -> "Matching":
        """The matching with every choice made as the two models, run on one input, agree best.

        A choice is settled where it makes a difference, and where the models differ in nothing but settings of layers
        in the end. The model's weights are those of the result afterwards.

        Raises:
            ArchspecError: As `check`.
        """
        return side_by_side.settled(self, model, source, x, tolerance)

    def __repr__(self) -> str:
        return short(self, self.sentence)


_ASSUME = "to take those in the order of their names, say --assume (assume=True); Matching.settled runs both models"


def _one_of(names: tuple[str, ...]) -> str:
    """Names, the first of many."""
    shown = [f"'{name}'" for name in names[:SHOWN]]
    return " or ".join([*shown, *([f"{len(names) - SHOWN} others"] if len(names) > SHOWN else [])])


def _left_over(layer: str, used: set[str], ambiguous: set[str]) -> str:
    if layer in ambiguous:
        return "ambiguous: it may be one of several here"
    return "its layer has no such array here" if layer in used else "no layer here is left that fits"
