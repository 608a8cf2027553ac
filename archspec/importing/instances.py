"""One document of several instances of a model: what differs between them is said by symbols."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from archspec.errors import ArchspecError
from archspec.importing.document import SIDE, Imported, arrays_of, document_from, refuse_sharing
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.growing import grown
from archspec.importing.items import flattened
from archspec.importing.proof import proved
from archspec.importing.rounding import WidthRounding, fitting, telling_apart
from archspec.importing.structure import recovered
from archspec.importing.structure.repeats import vary_repeats
from archspec.importing.tensorflow import with_tensorflow_padding
from archspec.importing.varied import Varied, varied
from archspec.importing.wiring import wired
from archspec.language.document import Symbol
from archspec.writing import printable

Bindings = Mapping[str, Any]


def points(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The instances that are needed: all symbols at their first values, then each at its others by itself.

    >>> points({"width": (1, 2), "side": (224, 192)})
    [{'width': 1, 'side': 224}, {'width': 2, 'side': 224}, {'width': 1, 'side': 192}]
    """
    first = {name: several[0] for name, several in values.items()}
    return [first, *({**first, name: value} for name, several in values.items() for value in several[1:])]


def of_instances(values: Mapping[str, Sequence[Any]], graph_at: Callable[[Bindings], FlatGraph]) -> Imported:
    """The document of a model with symbols, from instances at some of their values.

    Args:
        values: What each symbol is given, the default first; a multiplier's default is 1.
        graph_at: The model at some values.

    Raises:
        ArchspecError: The instances are not one network, or a number follows no rule that is known.
    """
    bound = points(values)
    graphs = with_tensorflow_padding([grown(graph_at(each)) for each in bound])
    for graph in graphs:
        refuse_sharing(graph)
    alike, odd = _apart(graphs, bound)
    merged = _merged([graphs[number] for number in alike])
    found = recovered(wired(merged))
    others = {number: recovered(wired(graphs[number])).items for number in odd}
    orders = {number: list(flattened(items)) for number, items in others.items()}
    order = list(flattened(found.items))
    repeats = vary_repeats(found.items, [others.get(number) for number in range(len(bound))])
    numbers = VariedNumbers(values, ([bound[number] for number in alike], bound), repeats)
    document_from(merged, found.items, found.blocks, numbers.note, symbols={})
    numbers.settle()
    document = document_from(
        graphs[0],
        found.items,
        found.blocks,
        numbers.text,
        symbols=numbers.symbols(),
        functions=numbers.functions(),
        sizes=_input([graphs[number] for number in alike], [bound[number] for number in alike]),
    )
    place = {node.name: number for number, node in enumerate(merged.nodes)}
    names: dict[str, str] = {}
    for number, graph in reversed(list(enumerate(graphs))):
        nodes = orders.get(number) or [graph.nodes[place[node.name]] for node in order]
        try:
            names = proved(document, graph, nodes, numbers.bindings(bound[number]))
        except ArchspecError as error:
            raise odd.get(number, error) from None
    return Imported(document, arrays_of(graphs[0], names), (*graphs[0].notes, *numbers.said()), names)


# ------------------------------------------------------------------ several graphs as one


def _apart(graphs: Sequence[FlatGraph], bound: Sequence[Bindings]) -> tuple[list[int], dict[int, ArchspecError]]:
    """The instances that have the first one's steps, and the others, each with where it has other ones.

    The others are no part of the search: what is found must be them all the same, by its conditions and repeats.
    """
    alike, odd = [0], dict[int, ArchspecError]()
    for number, graph in enumerate(graphs[1:], 1):
        try:
            _check_alike(graphs[0], graph, ", ".join(f"{name}={value}" for name, value in bound[number].items()))
            alike.append(number)
        except ArchspecError as error:
            odd[number] = error
    return alike, odd


def _merged(graphs: Sequence[FlatGraph]) -> FlatGraph:
    """The first graph with numbers that know what they are in the others."""
    first = graphs[0]
    nodes = tuple(_merged_node(nodes) for nodes in zip(*(graph.nodes for graph in graphs), strict=True))
    return replace(first, input=_shape([graph.input for graph in graphs]), nodes=nodes)


def _check_alike(first: FlatGraph, other: FlatGraph, where: str) -> None:
    position = {node.name: number for number, node in enumerate(first.nodes)}
    renamed = {node.name: number for number, node in enumerate(other.nodes)}
    for one, two in zip(first.nodes, other.nodes, strict=False):
        same = one.operator == two.operator and one.args.keys() == two.args.keys()
        if not same or [position.get(n) for n in one.inputs] != [renamed.get(n) for n in two.inputs]:
            places = f"{one.operator} at {one.place or one.name}, and {two.operator} at {two.place or two.name}"
            raise ArchspecError(f"at {where} it is another network: {printable(places, 160)}")
    if len(first.nodes) != len(other.nodes):
        raise ArchspecError(f"at {where} it is another network, of {len(other.nodes)} layers, not {len(first.nodes)}")


def _merged_node(nodes: Sequence[FlatNode]) -> FlatNode:
    args = {name: _value([node.args[name] for node in nodes]) for name in nodes[0].args}
    return replace(nodes[0], args=args, shape=_shape([node.shape for node in nodes]))


def _value(values: Sequence[Any]) -> Any:
    if all(isinstance(value, tuple) and len(value) == len(values[0]) for value in values):
        return tuple(map(_value, zip(*values, strict=True)))
    if all(type(value) is int for value in values):
        return varied(values)
    if any(value != values[0] for value in values):
        raise ArchspecError(f"a setting is {' and '.join(map(str, values[:3]))} in different instances, and no number")
    return values[0]


def _shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    if len({len(shape) for shape in shapes}) > 1:
        raise ArchspecError("instances have results of different numbers of axes")
    return tuple(varied(sizes) for sizes in zip(*shapes, strict=True))


def _input(graphs: Sequence[FlatGraph], bound: Sequence[Bindings]) -> tuple[Any, ...]:
    """The input's sizes: those that follow the side are it."""
    sizes = _shape([graph.input for graph in graphs])[1:]
    follow = [
        SIDE in each and all(a == b for a, b in zip(_all(size, bound), (e.get(SIDE) for e in bound), strict=True))
        for size in sizes
        for each in bound[:1]
    ]
    return tuple(SIDE if follows else int(size) for size, follows in zip(sizes, follow, strict=True))


def _all(size: int, bound: Sequence[Bindings]) -> Sequence[int]:
    return size.values if isinstance(size, Varied) else [size] * len(bound)


# ------------------------------------------------------------------ what a number is made of


@dataclass(slots=True)
class VariedNumbers:
    """What the numbers of a document are, that differ between instances.

    Attributes:
        values: What each symbol was given.
        bounds: The instances with the first one's steps, whose numbers are compared; and all, whose repeats are.
        repeats: Those of them that say how often something is repeated.
        seen: The numbers, by the symbol on which they depend.
        roundings: The roundings that fit, by the symbol that is a multiplier.
    """

    values: Mapping[str, Sequence[Any]]
    bounds: tuple[Sequence[Bindings], Sequence[Bindings]]
    repeats: Sequence[Varied] = ()
    seen: dict[str, dict[Varied, None]] = field(default_factory=dict)
    roundings: dict[str, tuple[WidthRounding, ...]] = field(default_factory=dict)

    def note(self, number: Varied) -> int:
        """Note a number; it stands as it is in the first instance."""
        self.seen.setdefault(self._symbol(number), {})[number] = None
        return int(number)

    def _bound(self, number: Varied) -> Sequence[Bindings]:
        """The instances that a number is of."""
        return next(bound for bound in self.bounds if len(bound) == len(number.values))

    def _symbol(self, number: Varied) -> str:
        """The symbol on which a number depends."""
        bound = self._bound(number)
        first = bound[0]
        found = {
            name
            for each, value in zip(bound, number.values, strict=True)
            for name in self.values
            if each[name] != first[name] and value != number.values[0]
        }
        if len(found) != 1:
            raise ArchspecError(f"a number ({number!r}) depends on {' and '.join(sorted(found))} together")
        return found.pop()

    def _line(self, number: Varied, name: str) -> list[tuple[Any, int]]:
        """A number at the values of its symbol, the others at their first values."""
        bound = self._bound(number)
        rest = {other: value for other, value in bound[0].items() if other != name}
        return [
            (each[name], value)
            for each, value in zip(bound, number.values, strict=True)
            if all(each[other] == value for other, value in rest.items())
        ]

    def settle(self) -> None:
        """Find the rule of each symbol's numbers.

        Raises:
            ArchspecError: No rule makes them all.
        """
        for name, numbers in self.seen.items():
            if name == SIDE or all(self._times(number, name) for number in numbers):
                continue
            if Fraction(self.values[name][0]) != 1:
                raise ArchspecError(
                    f"--vary {name}: a multiplier is 1 first, so that the numbers are those of the table"
                )
            found = fitting([self._case(number, name) for number in numbers])
            if not found:
                odd = next((n for n in numbers if not fitting([self._case(n, name)])), next(iter(numbers)))
                raise ArchspecError(f"--vary {name}: no rounding that is known makes {odd!r} of {int(odd)}")
            self.roundings[name] = found

    def _case(self, number: Varied, name: str) -> tuple[int, list[Fraction], list[int]]:
        line = self._line(number, name)
        return line[0][1], [Fraction(a) for a, _ in line], [v for _, v in line]

    def _times(self, number: Varied, name: str) -> int | None:
        """How many times the symbol a number is, if it is that everywhere."""
        line = self._line(number, name)
        if any(Fraction(a).denominator != 1 for a, _ in line):
            return None
        factor = Fraction(line[0][1], int(line[0][0])) if line[0][0] else Fraction(0)
        fits = factor.denominator == 1 and all(int(a) * factor == v for a, v in line)
        return int(factor) if fits else None

    def text(self, number: Varied) -> str:
        """A number as an expression over its symbol."""
        name = self._symbol(number)
        factor = self._times(number, name)
        if factor is not None:
            return name if factor == 1 else f"{factor} * {name}"
        said = self.roundings[name][0].form(*self._case(number, name))
        return str(said).format(name=self._function(name))

    def _function(self, name: str) -> str:
        word = "repeated" if self._repeats(name) else "scaled"
        alone = sum(self._repeats(other) == self._repeats(name) for other in self.roundings) == 1
        return word if alone else f"{word}_by_{name}"

    def _repeats(self, name: str) -> bool:
        """Whether a symbol's numbers all say how often something is repeated."""
        return all(number in self.repeats for number in self.seen[name])

    def functions(self) -> dict[str, str]:
        """The rounding of each multiplier, as a function of the specification."""
        return {
            f"{self._function(name)}({letter})": found[0].text.format(x=f"{name} * {letter}")
            for name, found in self.roundings.items()
            for letter in ("n" if self._repeats(name) else "c")
        }

    def symbols(self) -> dict[str, Symbol]:
        """The symbols with their defaults."""
        return {name: self._declared(name) for name in self.values if name in self.seen or name == SIDE}

    def _declared(self, name: str) -> Symbol:
        if name == SIDE:
            return Symbol(default=self.values[name][0], doc="input height and width")
        if name in self.roundings:
            of = "repeats" if self._repeats(name) else "channels"
            return Symbol(default=1, type="rational", doc=f"multiplier of the numbers of {of}")
        return Symbol(default=self.values[name][0])

    def bindings(self, each: Bindings) -> dict[str, Any]:
        """An instance as values of the document's symbols."""
        return {name: value for name, value in each.items() if name in self.symbols()}

    def said(self) -> list[str]:
        """What else fits, and what would tell it apart."""
        found = []
        for name, (taken, *others) in self.roundings.items():
            if others:
                bases = [int(number) for number in self.seen[name]]
                split = telling_apart([taken, *others], bases)
                more = (
                    f"; --vary {name}={','.join(map(_decimal, [*self.values[name], split]))} tells more"
                    if split
                    else ""
                )
                found.append(f"{name}: {taken.name} is taken; {', '.join(o.name for o in others)} fit as well{more}")
        unused = [name for name in self.values if name not in self.seen and name != SIDE]
        return [*found, *(f"{name}: nothing depends on it" for name in unused)]


def _decimal(number: Any) -> str:
    return f"{float(number):g}"
