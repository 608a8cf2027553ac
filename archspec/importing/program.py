"""What exporters' files and programs have in common: calls of functions on named values, and the arrays they hold."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from archspec.errors import ArchspecError

if TYPE_CHECKING:
    import numpy as np


class UnsupportedError(ArchspecError):
    """A call that says something which no operator of the language says; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Value:
    """A reference to a value of the program: an input, a result of a call, or an array."""

    name: str


@dataclass(frozen=True, slots=True)
class HeldArray:
    """An array that a program holds: a weight, or a constant.

    Attributes:
        key: What the source calls it.
        shape: Its sizes.
        load: Reads its numbers; they are not read before.
        learned: Whether it is a parameter; a statistic, a table or a constant is not.
        guessed: Whether nobody says so: ONNX has constants and parameters in one list.
        made: How its numbers come of another array's, if it is computed.
    """

    key: str
    shape: tuple[int, ...]
    load: "Callable[[], np.ndarray[Any, Any]]" = field(repr=False, compare=False)
    learned: bool = True
    guessed: bool = False
    made: "Derivation | None" = field(default=None, repr=False, compare=False)

    def reshaped(self, shape: tuple[int, ...]) -> "HeldArray":
        """The same numbers in other sizes."""
        made = self.made and replace(self.made, source=self.made.source.reshaped(shape))
        return replace(self, shape=shape, load=lambda: self.load().reshape(shape), made=made)

    def transposed(self) -> "HeldArray":
        """An in × out array as torch's out × in."""
        made = self.made and replace(self.made, source=self.made.source.transposed())
        return replace(self, shape=self.shape[::-1], load=lambda: self.load().T, made=made)


@dataclass(frozen=True, slots=True)
class Derivation:
    """How an array comes of a learned one, number by number.

    Attributes:
        source: The learned array, of the same sizes.
        function: What gives the numbers, of any numbers.
    """

    source: HeldArray
    function: "Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a tree of modules a call stands, from the outside in: the modules' names and the names of their classes.

    >>> str(Place(("stage2", "unit1", "conv"), ("Stage", "Unit", "Conv2d")))
    'stage2/unit1/conv'
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @classmethod
    def of_stack(cls, stack: Iterable[tuple[str, str, str]]) -> "Place":
        """Of the keys, paths and classes of a stack of modules; a second call of one module has its key end in @1.

        >>> Place.of_stack([("L", "", "Net"), ("La", "a", "m.Block"), ("La.0@1", "a.0", "m.Conv")])
        Place(names=('a', '0@1'), kinds=('Block', 'Conv'))
        """
        classes, calls, innermost = {}, {}, ""
        for key, path, kind in stack:
            classes[path], innermost = kind.rpartition(".")[2], path
            calls[path] = f"@{key.rpartition('@')[2]}" if "@" in key else ""
        parts = innermost.split(".") if innermost else []
        paths = [".".join(parts[: end + 1]) for end in range(len(parts))]
        return cls(
            tuple(part + calls.get(path, "") for part, path in zip(parts, paths, strict=True)),
            tuple(classes.get(path, "") for path in paths),
        )

    def __bool__(self) -> bool:
        return bool(self.names)

    def __str__(self) -> str:
        return "/".join(self.names)


NOWHERE = Place()
"""The place of a call of which nothing is known."""


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """One call of a function.

    Attributes:
        target: The function, as its exporter names it: "aten.conv2d.default", "onnx.Conv".
        arguments: By name; values are `Value`s, lists of them tuples. What has its default may be missing.
        outputs: The names of its results.
        place: Where in the tree of modules it stands.
    """

    target: str
    arguments: Mapping[str, Any]
    outputs: tuple[str, ...]
    place: Place = NOWHERE

    @property
    def function(self) -> str:
        """What the function is called by itself: `add` of "aten.add_.Tensor", `Add` of "onnx.Add"."""
        name = self.target.split(".")[1]
        return name if name.startswith("_") else name.removesuffix("_")


@dataclass(frozen=True, slots=True)
class Program:
    """A model as its exporter wrote it: calls in the order in which they run.

    Attributes:
        name: What the model is called.
        inputs: The values that whoever runs it gives.
        outputs: The values that it gives back.
        calls: What is computed.
        shapes: The sizes of each value, as far as they are known; batch first.
        arrays: What it holds, by the value's name.
        notes: What a reader should know of how it was read.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    calls: tuple[ProgramCall, ...]
    shapes: Mapping[str, tuple[int, ...]]
    arrays: Mapping[str, HeldArray]
    notes: tuple[str, ...] = ()


def references(value: Any) -> list[str]:
    """The names of the values inside an argument.

    >>> references((Value("x"), 3, (Value("y"),)))
    ['x', 'y']
    """
    if isinstance(value, Value):
        return [value.name]
    if isinstance(value, (tuple, list)):
        return [name for part in value for name in references(part)]
    return []
