"""The closed forms of operators: each operator asked for its facts with letters for its sizes.

Nothing is typed in here but which letter a field has: shapes, parameters and operations are what the operator says of
letters. A switch is 1 or 0, and a word is 1 where it is chosen, as in docs/operators.md; how a cost depends on switches
is found by asking for every setting of them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Literal, get_args, get_origin

from sympy import Expr, Integer, Mul, Symbol, collect

from archspec import dims, ops
from archspec.errors import ArchspecError, ShapeError
from archspec.formula.closed_form import Formula
from archspec.ops import KINDS, Operator, Tensor
from archspec.ops.base import domain
from archspec.result import short
from archspec.symbols import CeilDiv, Condition, Minimum, symbol, to_sympy

LETTERS: Mapping[str, str] = {
    "out_channels": "c_out",
    "out_features": "f_out",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "groups": "g",
    "output_padding": "p_out",
    "output_size": "o",
    "scale_factor": "r",
    "sections": "q",
    "size": "m",
    "hidden_size": "u",
}
"""The letters of fields; a field that is not here is its own letter."""

ORDER = (
    *("n", "c_out", "f_out", "l_out", "z_out", "h_out", "w_out", "c_in", "f_in", "c", "f", "t", "l", "z", "h", "w"),
    *("heads", "l_q", "l_k", "d_k", "d_v", "k", "k_h", "k_w"),
)
"""The letters that come first in a product, in this order; then the others as they are met."""

ONE_OR_ALL = ("num_parameters",)
"""The fields that are 1, or as many as the input has channels."""

PRIMED: Mapping[str, str] = {"h_out": "h′", "w_out": "w′", "l_out": "l′", "z_out": "z′"}
"""How the sizes of the result are written."""

_PRIMES = {
    "h_out": "height of the result",
    "w_out": "width of the result",
    "l_out": "length of the result",
    "z_out": "depth of the result",
}

RESULTS: Mapping[int, tuple[str, ...]] = {
    1: ("l_out",),
    2: ("h_out", "w_out"),
    3: ("z_out", "h_out", "w_out"),
}
"""The letters of a result's sizes, by the axes behind its channels."""

MEANS: Mapping[str, str] = {
    "n": "inputs at once",
    "heads": "heads",
    "l_q": "queries",
    "l_k": "keys",
    "d_k": "features of a query and of a key",
    "d_v": "features of a value",
    "t": "positions of the input",
    "f": "features of the input",
    "f_in": "features of the input",
    "rows": "rows of patches",
    "columns": "columns of patches",
}
"""What the letters stand for that operators give their inputs."""

FIGURES: tuple[str, ...] = ("params", "buffers", *KINDS)
"""What the closed forms of an operator are of, besides its shape."""

LETTER = object()
"""The setting of a field that is a letter."""


@dataclass(frozen=True, slots=True)
class SizeLetter:
    """A letter of a closed form.

    Attributes:
        name: The letter.
        means: What it stands for: an argument of the operator, or a size.
        value: What it is; None where it is a letter alone.
    """

    name: str
    means: str
    value: Any = None


@dataclass(frozen=True)
class OperatorForm:
    """What an operator does to sizes, and what that costs.

    Attributes:
        operator: Its name.
        settings: The switches and words that it was asked with.
        letters: What its letters stand for.
        inputs: The sizes of each input.
        output: The sizes of the result.
        figures: Its params, buffers and operations by kind, those that are zero left out.
        conditions: What is taken for true of the letters.
    """

    operator: str
    settings: Mapping[str, Any]
    letters: tuple[SizeLetter, ...]
    inputs: tuple[tuple[Formula, ...], ...]
    output: tuple[Formula, ...]
    figures: Mapping[str, Formula]
    conditions: tuple[Condition, ...] = ()

    def __repr__(self) -> str:
        return short(self, self.operator, *(f"{name} {each}" for name, each in self.figures.items()))


def operator_forms() -> tuple[OperatorForm, ...]:
    """The closed forms of all registered operators; one whose switches change its shape has several.

    >>> forms = {form.operator: form for form in operator_forms()}
    >>> print(forms["conv2d"].figures["macs"])
    n·c_out·h′·w′·c_in·k²/g
    >>> print(forms["batch_norm"].figures["buffers"])
    2·c·track_running_stats
    """
    return tuple(form for cls in ops.registered().values() for form in forms_of(cls))


def forms_of(cls: type[Operator]) -> Iterator[OperatorForm]:
    """The closed forms of one operator: for each setting of the switches that change its shape, one in the others."""
    switches = {
        name: found for name in cls.model_fields if name not in cls.example and (found := alternatives(cls, name))
    }
    shaping = [name for name in switches if name in ONE_OR_ALL or _shapes(cls, name, switches[name])]
    shaping += [name for name in switches if name not in shaping and _costs(cls, name, switches[name])]
    costing = {name: found for name, found in switches.items() if name not in shaping and len(found) == 2}
    made: list[OperatorForm] = []
    for chosen in product(*(switches[name] for name in shaping)):
        settings = dict(zip(shaping, chosen, strict=True))
        if any(settings[name] != switches[name][0] for name in shaping) and not _possible(cls, settings):
            continue
        form = _form(cls, settings, costing)
        if not any(_same_forms(form, other) for other in made):
            made.append(form)
            yield form


def _possible(cls: type[Operator], settings: Mapping[str, Any]) -> bool:
    """Whether an operator takes these settings together."""
    with suppress(ArchspecError), dims.recording():
        lettered(cls, settings)
        return True
    return False


def _same_forms(one: OperatorForm, other: OperatorForm) -> bool:
    """Whether two words come to the same, as `same` and `tf_same` do."""
    words = all(isinstance(setting, str) for form in (one, other) for setting in form.settings.values())
    shapes = [tuple(size.exact for size in form.output) for form in (one, other)]
    figures = [{name: each.exact for name, each in form.figures.items()} for form in (one, other)]
    return bool(words and one.settings and other.settings and shapes[0] == shapes[1] and figures[0] == figures[1])


def alternatives(cls: type[Operator], name: str) -> tuple[Any, ...]:
    """The settings of a switch or a word, that of 0 first; none of a field that is a number."""
    annotation = cls.model_fields[name].annotation
    if name in ONE_OR_ALL:
        return 1, symbol("c")
    if annotation is bool:
        return False, True
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    words = [word for part in get_args(annotation) if get_origin(part) is Literal for word in get_args(part)]
    return (LETTER, *words) if words else ()


def _shapes(cls: type[Operator], name: str, settings: tuple[Any, ...]) -> bool:
    """Whether a switch changes the shape of the result."""
    shapes = {lettered(cls, {name: setting}).output.shape for setting in settings}
    return len(shapes) > 1


def _costs(cls: type[Operator], name: str, settings: tuple[Any, ...]) -> bool:
    """Whether one of several words, which no 0 and 1 can tell apart, changes what it costs."""
    if len(settings) < 3:
        return False
    facts = [lettered(cls, {name: setting}).facts() for setting in settings]
    return any(fact != facts[0] for fact in facts)


def _form(cls: type[Operator], settings: Mapping[str, Any], switches: Mapping[str, tuple[Any, ...]]) -> OperatorForm:
    with dims.recording() as conditions:
        asked = {
            chosen: lettered(cls, {**settings, **dict(zip(switches, chosen, strict=True))})
            for chosen in product(*switches.values())
        }
        facts = {chosen: each.facts() for chosen, each in asked.items()}
    first = next(iter(asked.values()))
    flags = {name: symbol(name) for name in switches}
    words = {name: str(found[-1]) for name, found in switches.items() if not isinstance(found[-1], bool)}
    figures = {
        figure: _by_switches({chosen: fact[figure] for chosen, fact in facts.items()}, switches, list(flags.values()))
        for figure in FIGURES
    }
    letters = (*first.letters, *(SizeLetter(name, words.get(name, name)) for name in switches))
    needed = [condition for condition in conditions if condition.kind != "at_least"]  # not the domains of fields
    return first.closed_forms(figures, tuple(dict.fromkeys(needed)), letters, settings)


def _by_switches(costs: Mapping[Any, Expr], switches: Mapping[str, tuple[Any, ...]], flags: Sequence[Symbol]) -> Expr:
    """A cost for every setting of switches as one sum, in which each switch is 0 or 1.

    The part of a set of switches is what they add together that none of them adds alone.
    """
    names = list(switches)
    added: dict[tuple[int, ...], Expr] = {}
    total: Expr = Integer(0)
    for size in range(len(names) + 1):
        for chosen in combinations(range(len(names)), size):
            setting = tuple(switches[name][i in chosen] for i, name in enumerate(names))
            smaller = sum((part for others, part in added.items() if set(others) < set(chosen)), Integer(0))
            added[chosen] = (costs[setting] - smaller).expand() if size else costs[setting]
            part = added[chosen]
            for i in chosen:
                part = flags[i] * part
            total += part
    return total


# ------------------------------------------------------------------ an operator with letters


@dataclass(frozen=True)
class Lettered:
    """An operator whose sizes are letters, on inputs whose sizes are letters.

    Attributes:
        operator: The operator.
        inputs: Its inputs.
        letters: What the letters stand for.
    """

    operator: Operator
    inputs: tuple[Tensor, ...]
    letters: tuple[SizeLetter, ...]

    @property
    def output(self) -> Tensor:
        """The shape of the result."""
        return self.operator.output(*self.inputs)

    @property
    def elements(self) -> Expr:
        """The elements of the result; its height and width are letters too."""
        return Mul(*(to_sympy(size).xreplace(self.result) for size in self.output.shape))

    def facts(self) -> dict[str, Expr]:
        """What it costs, by figure; the height and width of the result are letters too."""
        weights = self.operator.weights(*self.inputs)
        learned = sum(weight.elements for weight in weights if weight.trainable)
        kept = sum(weight.elements for weight in weights if not weight.trainable)
        counts = self.operator.operations(*self.inputs).counts()
        sizes = self.result
        figures = zip(FIGURES, (learned, kept, *counts), strict=True)
        return {name: to_sympy(each).xreplace(sizes) for name, each in figures}

    def closed_forms(
        self,
        figures: Mapping[str, Expr],
        conditions: tuple[Condition, ...],
        letters: tuple[SizeLetter, ...],
        settings: Mapping[str, Any],
    ) -> OperatorForm:
        """Its closed forms, in which the sizes of the result are letters too."""
        known = (*letters, *(SizeLetter(free.name, _PRIMES[free.name]) for free in self.result.values()))

        def formula(quantity: str, expression: Any) -> Formula:
            return _formula(self.operator.name, quantity, grouped(to_sympy(expression)), known)

        return OperatorForm(
            operator=self.operator.name,
            settings={
                name: setting
                for name, setting in {**self.operator.example, **settings}.items()
                if setting is not None and setting is not LETTER
            },
            letters=known,
            inputs=tuple(self.sizes(x.shape) for x in self.inputs),
            output=self.sizes(self.output.shape),
            figures={name: formula(name, each) for name, each in figures.items() if each != 0},
            conditions=conditions,
        )

    def sizes(self, shape: Iterable[Any]) -> tuple[Formula, ...]:
        """The sizes of a tensor as formulas in the letters."""
        return tuple(_formula(self.operator.name, "size", grouped(to_sympy(size)), self.letters) for size in shape)

    @property
    def result(self) -> dict[Expr, Symbol]:
        """Height and width of the result as letters, where they are no plain letters already."""
        shape = self.output.shape
        axes = getattr(self.operator, "axes", 2)
        if len(shape) != axes + 2:
            return {}
        return {
            to_sympy(size): symbol(name)
            for size, name in zip(shape[2:], RESULTS[axes], strict=True)
            if not to_sympy(size).is_Atom
        }


def grouped(expression: Expr) -> Expr:
    """The same, with d·(k − 1) in its roundings as one writes it."""
    dilations = [free for free in expression.free_symbols if free.name == "d" or free.name.startswith("d_")]

    def group(inside: Expr) -> Expr:
        for d in dilations:
            parts = collect(inside, d, evaluate=False)
            if d in parts and set(parts) <= {d, Integer(1)}:
                falls = parts[d].as_coeff_Add()[1].as_coeff_Mul()[0] < 0
                times = -(d * -parts[d]) if falls else d * parts[d]
                inside = parts.get(Integer(1), Integer(0)) + times
        return inside

    def among(part: Expr) -> bool:
        return bool(part.is_Add and not part.has(CeilDiv, Minimum))

    return expression.replace(among, group) if dilations else expression


def _formula(of: str, quantity: str, expression: Expr, letters: Iterable[SizeLetter]) -> Formula:
    names = [*ORDER, *(letter.name for letter in letters if letter.name not in ORDER)]
    by_name = {free.name: free for free in expression.free_symbols}
    return Formula(
        of=of,
        quantity=quantity,
        terms=(expression,),
        symbols=tuple(by_name[name] for name in names if name in by_name),
        arrangement="sum",
        letters=PRIMED,
    )


AXES: Mapping[int, tuple[tuple[str, str], ...]] = {
    2: (("n", "inputs at once"), ("c", "channels")),
    3: (("n", "inputs at once"), ("t", "positions"), ("c", "features")),
    4: (("n", "inputs at once"), ("c", "channels"), ("h", "height"), ("w", "width")),
    5: (("n", "inputs at once"), ("c", "channels"), ("z", "depth"), ("h", "height"), ("w", "width")),
}
"""The letters of an input by the number of its axes."""

_SEQUENCE = (("n", "inputs at once"), ("c", "channels"), ("l", "length"))
"""The letters of a sequence whose channels come first."""


def lettered(cls: type[Operator], settings: Mapping[str, Any]) -> Lettered:
    """An operator with some settings, all other sizes letters, on the first inputs that it takes: images, or vectors.

    Raises:
        ArchspecError: It takes no inputs of 4, 2, 3 or 5 axes.
    """
    named: dict[str, SizeLetter] = {}
    operator = cls(**{name: value for name in cls.model_fields for value in _setting(cls, name, settings, named)})
    for inputs, letters in _inputs(cls):
        try:
            operator.output(*inputs)
            operator.weights(*inputs)
        except ShapeError:
            continue
        return Lettered(operator, inputs, (*letters.values(), *named.values()))
    raise ArchspecError(f"{cls.name} takes no inputs of 4, 2, 3 or 5 axes, so that it has no closed forms here")


def _inputs(cls: type[Operator]) -> Iterator[tuple[tuple[Tensor, ...], dict[str, SizeLetter]]]:
    """Inputs in letters that an operator may take: its own, else an image, a vector, a sequence, a volume."""
    if cls.letters:
        letters: dict[str, SizeLetter] = {}
        yield tuple(_meaning(text, letters) for text in cls.letters), letters
        return
    branches = 2 if cls.arity == "many" else 1
    for rank in (4, 2, 3, 5):
        letters = {}
        yield tuple(_input(cls, rank, number, branches, letters) for number in range(branches)), letters


def _meaning(text: str, letters: dict[str, SizeLetter]) -> Tensor:
    """An input whose sizes are letters, or products of letters, as an operator says."""
    for letter in re.findall(r"\w+", text):
        letters[letter] = SizeLetter(letter, MEANS[letter])
    return Tensor(tuple(dims.product(map(symbol, size.split("*"))) for size in text.split()))


def _setting(
    cls: type[Operator], name: str, settings: Mapping[str, Any], named: dict[str, SizeLetter]
) -> Iterator[Any]:
    """The value of a field: as set, or shown, else a letter if it is a size, else none: its default."""
    if name in cls.example:
        yield _shown(cls.example[name], name, named)
        return
    setting = settings.get(name, LETTER if is_size(cls, name) else None)
    if setting is LETTER:
        letter = LETTERS.get(name, name)
        named[letter] = SizeLetter(letter, name)
        yield symbol(letter, True, 1 if (known := domain(cls.model_fields[name])) is None else known.least)
    elif setting is not None:
        yield setting
    elif cls.model_fields[name].is_required():
        yield 0  # the number of a part or an axis


def _shown(value: Any, field: str, named: dict[str, SizeLetter]) -> Any:
    """What a field is shown with; texts in a list are letters."""
    if not isinstance(value, tuple):
        return value
    for part in value:
        if isinstance(part, str):
            named.setdefault(part, SizeLetter(part, MEANS.get(part, field)))
    return tuple(symbol(part) if isinstance(part, str) else part for part in value)


def is_size(cls: type[Operator], name: str) -> bool:
    """Whether a field is a size, and so can be a letter: no switch, word, axis or real number."""
    known = domain(cls.model_fields[name])
    return known is not None and known.kind == "size"


def _input(cls: type[Operator], rank: int, number: int, branches: int, letters: dict[str, SizeLetter]) -> Tensor:
    """An input in letters; the channels of branches that are joined along them differ."""
    shape = []
    for letter, means in input_axes(cls, rank):
        joined = letter == "c" and branches > 1 and "dim" in cls.model_fields
        name = f"c_{number + 1}" if joined else input_letter(cls, letter)
        letters[name] = SizeLetter(name, f"{means} of the input" if letter != "n" else means)
        shape.append(symbol(name))
    return Tensor(tuple(shape))


def input_axes(cls: type[Operator], rank: int) -> Sequence[tuple[str, str]]:
    """The letters of an input with so many axes, and what they stand for."""
    if rank == 3 and getattr(cls, "axes", None) == 1:
        return _SEQUENCE
    return AXES.get(rank) or [(f"x_{axis}", f"axis {axis}") for axis in range(rank)]


def input_letter(cls: type[Operator], letter: str) -> str:
    """The letter of a size of the input: its channels are c_in or f_in where the operator makes others of them."""
    for field, own in (("out_channels", "c_in"), ("out_features", "f_in")):
        if letter == "c" and field in cls.model_fields:
            return own
    return letter
