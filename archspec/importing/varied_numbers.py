"""What the numbers of a document are that differ between instances: symbols, their multiples, roundings of these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.importing.document import SIDE
from archspec.importing.rounding import Fits, Form, fitting, telling_apart
from archspec.importing.side_numbers import of_side
from archspec.importing.varied import Varied
from archspec.language.document import Document, Symbol

Bindings: TypeAlias = Mapping[str, Any]

MOST_TRIED = 40
"""How many values are tried, of the best and of the simplest, before none is proposed."""


@dataclass(slots=True)
class VariedNumbers:
    """What the numbers of a document are, that differ between instances.

    Attributes:
        values: What each symbol was given.
        bounds: The instances with the first one's steps, whose numbers are compared; and all, whose repeats are.
        repeats: Those of them that say how often something is repeated.
        flows: By numbers of channels, how many flow into layers that make so many.
        seen: The numbers, by the symbol on which they depend.
        roundings: The roundings that fit, by the symbol that is a multiplier.
    """

    values: Mapping[str, Sequence[Any]]
    bounds: tuple[Sequence[Bindings], Sequence[Bindings]]
    repeats: Sequence[Varied] = ()
    flows: Mapping[int, AbstractSet[int]] = field(default_factory=dict)
    seen: dict[str, dict[Varied, None]] = field(default_factory=dict)
    roundings: dict[str, Fits] = field(default_factory=dict)

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
            if name == SIDE:
                self._settle_side(numbers)
                continue
            if all(self._linear(number, name) for number in numbers):
                continue
            if Fraction(self.values[name][0]) != 1:
                odd = next(number for number in numbers if not self._linear(number, name))
                raise ArchspecError(
                    f"--vary {name}: {_made(self._case(odd, name))} is no multiple of it; "
                    "a multiplier is 1 first, so that the numbers are those of the table"
                )
            found = fitting([self._case(number, name) for number in numbers], self.flows)
            if not found:
                raise ArchspecError(f"--vary {name}: {self._why_none(name)}")
            self.roundings[name] = found

    def _settle_side(self, numbers: Iterable[Varied]) -> None:
        for number in numbers:
            if not self._of_side(number):
                raise ArchspecError(f"--vary {SIDE}: no rule that is known makes {_told(self._line(number, SIDE))}")

    def _of_side(self, number: Varied) -> list[str]:
        return of_side([(int(side), value) for side, value in self._line(number, SIDE)], SIDE)

    def rule_out(self, bindings: Bindings) -> bool:
        """Leave out the rounding that is taken and is not that of an odd instance; whether there is another."""
        first = self.bounds[0][0]
        several = [n for n, value in bindings.items() if value != first[n] and len(self.roundings.get(n, ())) > 1]
        for name in several:
            _, *others = self.roundings[name].items()
            self.roundings[name] = dict(others)
        return bool(several)

    def _why_none(self, name: str) -> str:
        """Why no rounding makes all numbers: one of them follows none, or two follow different ones."""
        cases = [self._case(number, name) for number in self.seen[name]]
        fits = [list(fitting([case])) for case in cases]
        odd = next((case for case, each in zip(cases, fits, strict=True) if not each), None)
        if odd is not None:
            return f"no rounding that is known makes {_made(odd)}{_in_floats(odd)}"
        pairs = ((a, b) for n, a in enumerate(cases) for b in cases[n + 1 :] if not fitting([a, b]))
        one, two = next(pairs, (cases[0], cases[-1]))
        return f"no one rounding makes {_made(one)}, and {_made(two)}"

    def _case(self, number: Varied, name: str) -> tuple[int, list[Fraction], list[int]]:
        line = self._line(number, name)
        return line[0][1], [Fraction(a) for a, _ in line], [v for _, v in line]

    def _linear(self, number: Varied, name: str) -> str | None:
        """A number as its symbol, a multiple of it, or so many more, if it is that everywhere."""
        line = self._line(number, name)
        if any(Fraction(a).denominator != 1 for a, _ in line):
            return None
        (first, value), *_ = line
        factor, more = Fraction(value, int(first)) if first else Fraction(0), value - int(first)
        if factor.denominator == 1 and all(int(a) * factor == v for a, v in line):
            return name if factor == 1 else f"{factor} * {name}"
        return (
            f"{name} {more:+d}".replace("+", "+ ").replace("-", "- ") if all(a + more == v for a, v in line) else None
        )

    def text(self, number: Varied) -> str:
        """A number as an expression over its symbol."""
        name = self._symbol(number)
        if name == SIDE:
            return self._of_side(number)[0]
        if name not in self.roundings and (said := self._linear(number, name)) is not None:
            return said
        forms = next(iter(self.roundings[name].values()))
        return forms[list(self.seen[name]).index(number)][0].text(self._function(name))

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
            f"{self._function(name)}({letter})": next(iter(found)).text.format(x=f"{name} * {letter}")
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

    def said(self, document: Document, constants: set[int]) -> list[str]:
        """What else fits, and what would tell it apart.

        Args:
            document: What was found.
            constants: Numbers of channels that were the same in all instances.
        """
        found = [note for name in self.roundings if (note := self._also(name, document, constants))]
        for taken, *others in dict.fromkeys(tuple(self._of_side(number)) for number in self.seen.get(SIDE, ())):
            if others:
                more = ",".join(map(_decimal, [*self.values[SIDE], int(self.values[SIDE][0]) + 1]))
                found.append(f"{SIDE}: {taken} is taken; {others[0]} fits as well; --vary {SIDE}={more} tells more")
        unused = [name for name in self.values if name not in self.seen and name != SIDE]
        return [*found, *(f"{name}: nothing depends on it" for name in unused)]

    def _also(self, name: str, document: Document, constants: set[int]) -> str | None:
        """What else a multiplier may do, and the value that tells most of it."""
        fits, seen = self.roundings[name], [Fraction(each) for each in self.values[name]]
        taken, *others = fits
        said = []
        if others:
            verb = "fit" if len(others) > 1 else "fits"
            said.append(f"{taken.name} is taken; {', '.join(other.name for other in others)} {verb} as well")
        proposed = next(self._proposed(name, document, telling_apart(fits, seen, constants, self.flows)), None)
        if proposed is not None:
            otherwise = [
                f"{form.base} may be {self._several(name, forms)}" for form, *forms in self._otherwise(name, proposed)
            ]
            said += otherwise[:1]
            if len(otherwise) > 1:
                more = len(otherwise) - 1
                said.append(f"so may {more} more number{'s' if more > 1 else ''} be multiples")
        if not (any(each > 1 for each in seen) and any(each < 1 for each in seen)):
            where = "above" if all(each <= 1 for each in seen) else "below"
            said.append(f"what is done {where} 1 was not seen")
        if proposed is not None and said:
            said.append(f"--vary {name}={','.join(map(_decimal, [*self.values[name], proposed]))} tells more")
        return f"{name}: {'; '.join(said)}" if said else None

    def _otherwise(self, name: str, proposed: Fraction) -> Iterator[list[Form]]:
        """The ways of making each number that a further value would tell apart, where there are several."""
        taken = next(iter(self.roundings[name].values()))
        for forms in dict.fromkeys(map(tuple, taken)):
            alike = [form for form in forms if form.at_least == forms[0].at_least]
            if len({form.of(proposed) for form in alike}) > 1:
                yield alike

    def _several(self, name: str, forms: Sequence[Form]) -> str:
        return " or ".join(form.text(self._function(name)) for form in forms)

    def _proposed(self, name: str, document: Document, multipliers: Iterator[Fraction]) -> Iterator[Fraction]:
        """The multipliers at which the document is a network; one of the same steps, where they do not say how many."""
        steps = _steps(document, {})
        best = list(multipliers)
        simplest = sorted(best[MOST_TRIED:], key=lambda each: each.denominator)
        for multiplier in [*best[:MOST_TRIED], *simplest[:MOST_TRIED]]:
            try:
                others = _steps(document, {name: multiplier})
            except ArchspecError:
                continue
            if others == steps or self._repeats(name):
                yield multiplier


def said_bound(bindings: Bindings) -> str:
    """Values of symbols as they are given.

    >>> said_bound({"width": Fraction(37, 100), "side": 224})
    'width=0.37, side=224'
    """
    return ", ".join(f"{name}={_decimal(value)}" for name, value in bindings.items())


def _steps(document: Document, bindings: Bindings) -> list[str]:
    return [node.operator.name for node in expand(document, bindings).nodes]


def _made(case: tuple[int, Sequence[Fraction], Sequence[int]]) -> str:
    base, multipliers, values = case
    return f"{_told([(m, v) for m, v in zip(multipliers, values, strict=True) if m != 1])} of {base}"


def _told(line: Iterable[tuple[Any, int]]) -> str:
    return ", ".join(f"{value} at {_decimal(symbol)}" for symbol, value in line)


def _in_floats(case: tuple[int, Sequence[Fraction], Sequence[int]]) -> str:
    """What to say of a number that computers' arithmetic makes otherwise: int(200 * 0.57) is 113."""
    base, multipliers, values = case
    again = [Fraction(float(multiplier) * base) / base for multiplier in multipliers]
    if not fitting([(base, again, values)]):
        return ""
    return "; with the error of numbers with a point there is one: give other values"


def _decimal(number: Any) -> str:
    return f"{float(number):g}"
