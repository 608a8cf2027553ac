"""One layer, from the rule of its operator to its numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from archspec import cost, dims
from archspec.cost import Convention
from archspec.cost.features import Work
from archspec.errors import ShapeError, UnknownNameError, did_you_mean
from archspec.formula.closed_form import Formula
from archspec.formula.operators import (
    FIGURES,
    LETTERS,
    RESULTS,
    Lettered,
    OperatorForm,
    SizeLetter,
    input_axes,
    input_letter,
    is_size,
)
from archspec.graph import Network, Node
from archspec.ops import Operator, Tensor
from archspec.result import Reported, short
from archspec.symbols import Condition, symbol

SIDES: Mapping[int, tuple[str, ...]] = {2: ("h", "w"), 4: ("top", "bottom", "left", "right")}
"""What the parts of a field of several sizes are called."""


@dataclass(frozen=True)
class Explanation(Reported):
    """One layer: its letters, its closed forms in them, and what they come to here.

    Attributes:
        network: The network that it is a layer of.
        node: The layer.
        closed_forms: The closed forms of its operator, with its switches as they are; the letters have their values.
        weights: Its arrays: the name of each, its shape in letters, and in numbers.
        figures: What it costs, by the names of `closed_forms.figures`; counted by the operator itself.
        activations: The elements of its result, in letters.
        flops: The operations as the convention adds them up.
        factors: What the convention makes of an operation of each kind that there is.
        convention: The convention.
        broken: The conditions of the closed forms that do not hold here; its figures are then only counted.
    """

    network: Network
    node: Node
    closed_forms: OperatorForm
    weights: tuple[tuple[str, tuple[Formula, ...], tuple[int, ...]], ...]
    figures: Mapping[str, int]
    activations: Formula
    flops: int
    factors: Mapping[str, int]
    convention: Convention
    broken: tuple[Condition, ...]

    @property
    def values(self) -> dict[str, Any]:
        """What each letter stands for."""
        return {letter.name: letter.value for letter in self.closed_forms.letters}

    @property
    def rule(self) -> str:
        """What the operator computes, as its class says it."""
        return (type(self.node.operator).__doc__ or "").strip().split("\n", maxsplit=1)[0]

    def __repr__(self) -> str:
        return short(self, self.network.name, self.node.name, f"macs {self.figures.get('macs', 0)}")


def explain(network: Network, name: str, convention: Convention = cost.DEFAULT) -> Explanation:
    """One layer of a network.

    Args:
        network: The network; its sizes are numbers.
        name: The layer's path, or as much of its end as tells it from the others.
        convention: How its operations add up to FLOPs.

    Raises:
        UnknownNameError: No layer, or more than one, is called so.

    >>> from archspec import graph, language
    >>> found = explain(graph.expand(language.load("mobilenet")), "separable2/pointwise/conv2d")
    >>> print(found.closed_forms.figures["macs"], found.figures["macs"])
    n·c_out·h′·w′·c_in·k²/g 25690112
    """
    node = find(network, name)
    inputs = network.inputs_of(node)
    with dims.recording() as conditions:
        lettered = _lettered(node.operator, inputs)
        expressions = lettered.facts()
        weights = {weight.name: lettered.sizes(weight.shape) for weight in lettered.operator.weights(*lettered.inputs)}
    form = lettered.closed_forms(expressions, tuple(conditions), lettered.letters, _switches(node.operator))
    form = _primed(form, node)
    elements = lettered.closed_forms({"activations": lettered.elements}, (), lettered.letters, {})
    values = {letter.name: letter.value for letter in form.letters}
    counted = node.operator.operations(*inputs)
    arrays = node.operator.weights(*inputs)
    work = Work(node.operator, inputs, node.output, convention.operations(node.operator, inputs))
    figures = {
        "params": sum(weight.elements for weight in arrays if weight.trainable),
        "buffers": sum(weight.elements for weight in arrays if not weight.trainable),
        **dict(zip(FIGURES[2:], counted.counts(), strict=True)),
    }
    return Explanation(
        network=network,
        node=node,
        closed_forms=form,
        weights=tuple((weight.name, weights[weight.name], weight.shape) for weight in arrays),
        figures={name: figures[name] for name in FIGURES if figures[name] or name in form.figures},
        activations=elements.figures["activations"],
        flops=convention.flops_at(work),
        factors={kind: convention.flops.get(kind, 0) for kind in FIGURES[2:] if figures[kind]},
        convention=convention,
        broken=tuple(condition for condition in form.conditions if not condition.holds(values)),
    )


def find(network: Network, name: str) -> Node:
    """The layer of a name, or of the end of a name.

    Raises:
        UnknownNameError: No layer, or more than one, is called so.

    >>> from archspec import graph, language
    >>> find(graph.expand(language.load("lenet_5")), "conv2").name
    'conv2'
    """
    wanted = name.strip("/")
    names = [node.name for node in network.nodes]
    if wanted in names:
        return network.node(wanted)
    parts = wanted.split("/")
    found = [each for each in names if each.endswith(f"/{wanted}")]
    found = found or [each for each in names if _within(parts, each.split("/"), last=True)]
    found = found or [each for each in names if _within(parts, each.split("/"), last=False)]
    if len(found) == 1:
        return network.node(found[0])
    if found:
        more = f", … and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise UnknownNameError(f"'{name}' is {len(found)} layers; name one: {', '.join(found[:SHOWN])}{more}")
    hint = did_you_mean(wanted, [*names, *(each.rpartition("/")[2] for each in names)])
    raise UnknownNameError(f"'{network.name}' has no layer '{name}'{hint or f'; the first is {names[0]}'}")


def _within(parts: Sequence[str], path: Sequence[str], *, last: bool) -> bool:
    """Whether a path has all parts, in their order, and perhaps the last at its end."""
    if last and path[-1] != parts[-1]:
        return False
    rest = iter(path)
    return all(part in rest for part in parts)


SHOWN = 6
"""How many layers an error names."""


def _switches(operator: Operator) -> dict[str, Any]:
    """The switches and words of an operator, as they are."""
    cls = type(operator)
    return {
        name: value
        for name, value in operator.settings().items()
        if isinstance(value, (bool, str)) and name in cls.model_fields
    }


def _lettered(operator: Operator, inputs: tuple[Tensor, ...]) -> Lettered:
    """The operator and its inputs with letters for their sizes, each with its value.

    Where a field must fit the input (the sections of a split), letters cannot: its sizes stay numbers, or all do.
    """
    for fields, axes in ((True, True), (False, True)):
        found = _with_letters(operator, inputs, fields, axes)
        with suppress(ShapeError), dims.recording():
            found.facts()
            return found
    return _with_letters(operator, inputs, fields=False, axes=False)


def _with_letters(operator: Operator, inputs: tuple[Tensor, ...], fields: bool, axes: bool) -> Lettered:
    cls = type(operator)
    named: dict[str, SizeLetter] = {}
    letters: dict[str, SizeLetter] = {}
    settings = {
        name: _named(name, setting, named) if fields and is_size(cls, name) else setting
        for name, setting in operator.settings().items()
    }
    if axes:
        inputs = tuple(Tensor(tuple(_sizes(operator, x, number, inputs, letters))) for number, x in enumerate(inputs))
    return Lettered(cls(**settings), inputs, (*letters.values(), *named.values()))


def _named(name: str, value: Any, named: dict[str, SizeLetter]) -> Any:
    """A field's sizes as letters: one where they are all alike; words and what is not given stay."""
    letter = LETTERS.get(name, name)
    if isinstance(value, tuple) and len(set(value)) > 1:
        parts = SIDES.get(len(value), tuple(str(number + 1) for number in range(len(value))))
        return tuple(
            _noted(SizeLetter(f"{letter}_{part}", f"{name}, {part}", one), named)
            for part, one in zip(parts, value, strict=True)
        )
    if isinstance(value, tuple):
        return (_noted(SizeLetter(letter, name, value[0]), named),) * len(value)
    return _noted(SizeLetter(letter, name, value), named) if isinstance(value, int) else value


def _noted(letter: SizeLetter, named: dict[str, SizeLetter]) -> Any:
    named[letter.name] = letter
    return symbol(letter.name, True, letter.value)


def _sizes(
    operator: Operator, x: Tensor, number: int, inputs: tuple[Tensor, ...], letters: dict[str, SizeLetter]
) -> Iterator[Any]:
    """The sizes of an input as letters; those in which branches differ have the branch's number."""
    axes = zip(input_axes(type(operator), len(x.shape)), x.shape, strict=True)
    for axis, ((letter, means), size) in enumerate(axes):
        others = {other.shape[axis] for other in inputs if len(other.shape) == len(x.shape)}
        joined = len(inputs) > 1 and getattr(operator, "dim", None) in (axis, axis - len(x.shape))
        if size == 1 and len(others) > 1 and not joined:
            yield 1  # it is spread over the others'
            continue
        name = f"{letter}_{number + 1}" if joined else input_letter(type(operator), letter)
        whose = f"branch {number + 1}" if joined else "the input"
        letters[name] = SizeLetter(name, means if letter == "n" else f"{means} of {whose}", size)
        yield symbol(name)


def _primed(form: OperatorForm, node: Node) -> OperatorForm:
    """The form with the values of the result's sizes behind its channels."""
    sizes = dict(zip(RESULTS[getattr(node.operator, "axes", 2)], node.output.shape[2:], strict=False))
    letters = tuple(
        SizeLetter(letter.name, letter.means, sizes[letter.name]) if letter.name in sizes else letter
        for letter in form.letters
    )
    return replace(form, letters=letters)
