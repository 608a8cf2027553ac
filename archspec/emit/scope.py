"""The names of one class while its constructor and its forward are written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archspec.emit import code, finish
from archspec.emit.code import BOOL, INT, Code, Kind
from archspec.emit.expression import Translator
from archspec.emit.finish import FLOW, MODULE, SIZE, is_unnamed, wished_name
from archspec.emit.naming import FreshNames, class_name
from archspec.emit.statements import SELF, Assign, Keep, Lines, Statements, all_codes, rebuilt
from archspec.errors import ArchspecError
from archspec.graph.names import RESERVED
from archspec.language.rules import FLOWING, flow_sizes
from archspec.language.values import Value

if TYPE_CHECKING:
    from archspec.emit.facts import SpecFacts

TENSOR: Kind = frozenset({"tensor"})

SIZES = range(1, 10**12)
"""What a size can be."""

BATCH = code.name("batch")
"""The size of every tensor's first axis, the same in all classes: none asks another for it."""


def dimensions(rank: int) -> tuple[str, ...]:
    """What the sizes of a tensor are called, without the batch.

    >>> dimensions(4), dimensions(2)
    (('batch', 'channels', 'height', 'width'), ('batch', 'features'))
    """
    known = {1: (), 2: ("features",), 3: ("length", "channels"), 4: ("channels", "height", "width")}
    return ("batch", *known.get(rank, (*(f"size{i}" for i in range(1, rank - 1)), "channels")))


def channel(rank: int) -> int:
    """The axis that `in_channels` means."""
    axis: int = flow_sizes(range(rank))["in_channels"]
    return axis


def _flowing(text: str, flow: tuple[Any, ...]) -> Any:
    sizes = flow_sizes(flow)
    if text not in sizes:
        raise ArchspecError(f"what flows in here is not an image and has no {text[3:]}")
    return sizes[text]


class ClassScope:
    """What one class calls its variables, attributes and tensors.

    Args:
        facts: What is known of the whole specification.
        label: What the class is named after.
        key: What the facts of the class are kept under.
        from_uses: How often `from` goes back to a value in the body that the class is made of.
        parent: The class that this one is a part of, whose names it sees.
    """

    def __init__(
        self, facts: "SpecFacts", label: str, key: Any, from_uses: Counter[str], parent: "ClassScope | None" = None
    ) -> None:
        self.facts, self.label, self.key, self.from_uses, self.parent = facts, label, key, from_uses, parent
        self.names: FreshNames = FreshNames(parent.names.taken if parent else facts.reserved())
        self.unnamed: set[str] = set()
        self.inherited: frozenset[str] = frozenset(
            {*self.names.taken, *(parent.unnamed | parent.inherited if parent else ())}
        )
        self.tensors = FreshNames({"x"})
        self.near: dict[str, str] = {}
        self.attributes = FreshNames({*RESERVED, *facts.local_names})
        self.lines, self.forward = Lines(), Lines()
        self.symbols: dict[str, Code] = {}
        self.handed: dict[Code, Code] = {}
        self.pairs: dict[tuple[Lines, Code], tuple[Code, Code]] = {}
        self.flags: dict[tuple[Lines, Any], Code] = {}
        self.origins: dict[str, str] = {}
        self.args: set[Code] = set()
        self.rounds: frozenset[str] = parent.rounds if parent else frozenset()
        self.parts, self.doc = 0, ""

    @property
    def top(self) -> bool:
        """Whether it is the network's own."""
        return self.parent is None and isinstance(self.key, str)

    # -------------------------------------------------------------- names of the specification

    def read(self, value: Value, env: Mapping[str, Any], flow: Any = None) -> Any:
        """The code of an expression, or of a list of them, by the names around it and the sizes of what flows there."""

        def name(text: str) -> Any:
            if text in FLOWING and flow is not None:
                return _flowing(text, flow)
            if text in env:
                return env[text]
            if text in self.facts.globals:
                return self.symbol(text)
            if text not in self.facts.words:
                raise KeyError(text)
            return text

        call = lambda name, args: self.facts.function(name, args, self.symbol)  # noqa: E731
        return Translator(name, call, self.whole).value(value)

    def symbol(self, text: str, taken: frozenset[str] = frozenset()) -> Any:
        """The code of a symbol, or of a `let` of the document; parts of this class have `taken` names already."""
        if self.parent is not None:
            found = self.parent.symbol(text, taken | self.names.taken)
            self.inherited |= {str(found)}
            self.names.taken.add(str(found))
            return found
        if text not in self.symbols:
            self.symbols[text] = code.name(self.names.new(text, taken), *self.facts.globals[text])
        return self.symbols[text]

    def let(self, name: str, value: Any, lines: Lines) -> Any:
        """A variable for what the specification gives a name."""
        if (self.key, name) in self.facts.whole:
            value = self.whole(value)
        variable = code.name(self.names.new(name), code.kind_of(value), code.known_values(value))
        self.origins[str(variable)] = name
        lines.set(variable, value, kept=True)
        return variable

    def whole(self, value: Any) -> Any:
        """Code that must be a whole number, as one."""
        if not isinstance(value, Code) or "rational" not in value.kind:
            return value
        if origin := self.origins.get(str(value)):
            self.facts.whole.add((self.key, origin))
        return code.call("whole", value)

    # -------------------------------------------------------------- new variables, which get their names at the end

    def new(self, want: str, kind: Kind = INT, values: Sequence[Any] | None = None, mark: str = SIZE) -> Code:
        """A new variable; `want` is what it would be called."""
        text = f"{want}{mark}{self.facts.number()}"
        self.unnamed.add(text)
        return code.name(text, kind, values)

    def module(self, want: str) -> Code:
        """A new variable for a module."""
        return self.new(want, TENSOR, mark=MODULE)

    def size(self, axis: int, rank: int, value: Any, lines: Lines, prefix: str = "") -> Code:
        """A new variable for a size of what flows, set to a value."""
        made = self.new(f"{prefix}{dimensions(rank)[axis]}")
        lines.set(made, value)
        return made

    def tensor(self, near: Code | None, want: str = FLOW) -> Code:
        """A new variable of the forward; what flows has the name of an earlier one where it can."""
        made = self.new(want, TENSOR)
        if near is not None:
            self.near[str(made)] = str(near)
        return made

    def plainness(self, size: Any) -> tuple[bool, bool, int]:
        """How plain a size is: a number, then what the class is given, then what it computes."""
        return isinstance(size, Code), any(map(is_unnamed, code.variables(size))), len(str(size))

    def flag(self, want: str, value: Any, lines: Lines) -> Code:
        """An attribute that keeps a value of the constructor for the forward."""
        key = (lines, value)
        if key not in self.flags:
            attribute = self.attributes.new(self.facts.attribute(want))
            lines.add(Keep(attribute, value))
            self.flags[key] = Code("attr", (SELF, attribute), BOOL)
        return self.flags[key]

    def hand_flags(self, lines: Lines, inner: Lines) -> None:
        """Let statements that stand on a condition ask the attributes that those around them keep."""
        self.flags |= {(inner, value): flag for (outer, value), flag in self.flags.items() if outer is lines}

    # -------------------------------------------------------------- sizes given once or twice

    def pair(self, size: Code, lines: Lines) -> tuple[Code, Code]:
        """The height and the width of a size that is given once or twice."""
        lines = self.lines if size in self.args else lines
        key = (lines, size)
        if key not in self.pairs:
            both, want = code.call("pair", size), wished_name(str(size)) if size.head == "name" else "size"
            height, width = (
                self.new(f"{want}_{axis}", values=code.known_values(Code("index", (both, i))))
                for i, axis in enumerate(("height", "width"))
            )
            self.pairs[key] = (height, width)
            lines.add(Assign((str(height), str(width)), both))
        return self.pairs[key]

    def shortened(self, value: Any) -> Any:
        """Code in which a tuple of all parts of a variable is the variable."""
        known = {both: whole for (_, whole), both in self.pairs.items()}

        def whole(part: Any) -> Any:
            match part:
                case (Code(head="index", parts=(owner, 0)), *_):
                    return owner if part == tuple(Code("index", (owner, i)) for i in range(len(part))) else None
            return known.get(part) if isinstance(part, tuple) else None

        return code.rewritten(value, whole)

    # -------------------------------------------------------------- classes that are part of this one

    def inner(self, label: str, from_uses: Counter[str]) -> "ClassScope":
        """The names of a class that is a part of this one."""
        self.parts += 1
        made = ClassScope(self.facts, f"{self.label}_{label}", (self.key, label, self.parts), from_uses, self)
        made.doc = f"The part `{label}` of `{class_name(self.label)}`."
        return made

    def outside(self, value: Any) -> Any:
        """A value of a part if those outside it can say it; None if not."""
        return None if code.variables(value) - self.inherited - {str(BATCH)} else value

    # -------------------------------------------------------------- the statements as they are written

    def finish_class(self, shapes: Mapping[str, Any], fixed: frozenset[str]) -> tuple[Statements, Statements]:
        """The constructor, in which `fixed` never change, with the sizes that others ask the class for; the forward."""
        reads = self.facts.reads
        for name, axis in sorted(reads.get(self.key, ())):
            if isinstance(shape := shapes.get(name), tuple) and axis < len(shape):
                self.lines.add(Keep(self.facts.size_attribute(name, axis, len(shape)), shape[axis]))
        forward = finish.forward(self.forward.done(), self.tensors, self.near)
        flags = {flag.parts[1] for flag in self.flags.values()}
        lines = finish.without_flags(self._taken_in(self.lines.done()), flags, forward)
        body = finish.constructor(lines, fixed, self.names)
        for found in all_codes(body):
            if found.head == "out":
                reads.setdefault(found.parts[2], set()).add(found.parts[3])
        return body, forward

    def _taken_in(self, body: Statements) -> Statements:
        """Statements in which the variables without names that another class has are arguments of this one."""
        for found in all_codes(body):
            text = str(found) if found.head == "name" else ""
            if is_unnamed(text) and text not in self.unnamed and found not in self.handed:
                self.handed[found] = replace(found, parts=(self.names.new(wished_name(text)),))
        return rebuilt(body, lambda s: s.with_code(lambda value: code.substituted(value, self.handed)))
