"""The cells of a table: each knows how it is read, and what a machine gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from archspec import writing
from archspec.report import numbers


class Cell:
    """An entry of a table: `text` is for readers, `raw` for csv and json."""

    __slots__ = ()

    right: ClassVar[bool] = False

    @property
    def text(self) -> str:
        """What is read."""
        raise NotImplementedError

    @property
    def raw(self) -> Any:
        """What a machine gets."""
        return self.text


@dataclass(frozen=True, slots=True)
class Name(Cell):
    """What something is called, or a word about it."""

    name: str

    @property
    def text(self) -> str:
        """The name."""
        return self.name


class Note(Name):
    """A sentence: where a page can break its lines, it does."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number(Cell):
    """A number, an expression, or None where it is undefined.

    Attributes:
        value: The number itself.
        shown: How it is read, if not as a whole number with its thousands apart.
    """

    right: ClassVar[bool] = True

    value: Any
    shown: str | None = None

    @property
    def text(self) -> str:
        """The number as one reads it."""
        return numbers.number(self.value) if self.shown is None else self.shown

    @property
    def raw(self) -> Any:
        """The number."""
        return raw(self.value)


@dataclass(frozen=True, slots=True)
class Share(Cell):
    """A part of a whole, in percent; in text with a bar before it, in HTML with one behind it."""

    part: Any
    whole: Any

    @property
    def text(self) -> str:
        """The part in percent; nothing where they are no numbers."""
        return numbers.share(self.part, self.whole) if self.counted else ""

    @property
    def raw(self) -> Any:
        """The part of 1; None where they are no numbers, or the whole is 0."""
        return float(Fraction(self.part, self.whole)) if self.counted and self.whole else None

    @property
    def counted(self) -> bool:
        """Whether both are numbers."""
        return isinstance(self.part, int) and isinstance(self.whole, int)


class Bar(Share):
    """The same, and in text nothing but the bar, in the width that the other columns leave."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Shape(Cell):
    """The sizes of a tensor, batch first; the batch is not read."""

    right: ClassVar[bool] = True

    sizes: Sequence[Any]

    @property
    def text(self) -> str:
        """The sizes of one element of the batch."""
        return numbers.shape(self.sizes)

    @property
    def raw(self) -> Any:
        """All sizes."""
        return [raw(size) for size in self.sizes]


class Sizes(Shape):
    """The sizes of an array, which has no batch."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """All sizes."""
        return writing.sizes(self.sizes)


@dataclass(frozen=True, slots=True)
class Math(Cell):
    """A formula, as text and as LaTeX."""

    formula: str
    latex: str

    @property
    def text(self) -> str:
        """The formula as text."""
        return self.formula


EMPTY = Name("")


def percent(value: float) -> Number:
    """A share that is measured in percent, to two decimals."""
    return Number(value, f"{value:.2f} %")


def exact_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """The values of symbols as JSON has them: text, which holds every rational number exactly."""
    return {name: str(value) for name, value in values.items()}


def raw(value: Any) -> Any:
    """A value as JSON has it: whole numbers as they are, other rationals as the nearest float, expressions as text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return str(value)
