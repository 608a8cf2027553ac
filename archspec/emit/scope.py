"""The names of one class while its constructor and its forward are written."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from archspec.emit import code
from archspec.emit.code import BOOL, INT, Code
from archspec.emit.finish import MARK
from archspec.emit.naming import Names, class_name
from archspec.emit.statements import Assign, Keep, Lines, Unpack
from archspec.graph.names import RESERVED

if TYPE_CHECKING:
    from archspec.emit.facts import Facts


def dimensions(rank: int) -> tuple[str, ...]:
    """What the sizes of a tensor are called, without the batch.

    >>> dimensions(4), dimensions(2)
    (('batch', 'channels', 'height', 'width'), ('batch', 'features'))
    """
    known = {2: ("features",), 3: ("length", "channels"), 4: ("channels", "height", "width")}
    return ("batch", *known.get(rank, (*(f"size{i}" for i in range(1, rank - 1)), "channels")))


def channel(rank: int) -> int:
    """The axis that `in_channels` means."""
    return 1 if rank == 4 else rank - 1


class Scope:
    """What one class calls its variables, attributes and tensors.

    Args:
        facts: What is known of the whole specification.
        label: What the class is named after.
        key: What the facts of the class are kept under.
        gone_back_to: How often `from` goes back to a value in the body that the class is made of.
        parent: The class that this one is a part of, whose names it sees.
    """

    def __init__(
        self, facts: "Facts", label: str, key: Any, gone_back_to: Counter[str], parent: "Scope | None" = None
    ) -> None:
        self.facts, self.label, self.key, self.gone_back_to, self.parent = facts, label, key, gone_back_to, parent
        self.names: Names = Names(parent.names.taken if parent else facts.reserved())
        self.inherited = frozenset(self.names.taken)
        self.tensors = Names({"x"})
        self.tensors_by_name: dict[str, str] = {}
        self.attributes = Names({*RESERVED, *facts.local_names})
        self.lines, self.forward = Lines(), Lines()
        self.symbols: dict[str, Code] = {}
        self.passed: dict[Code, Any] = {}
        self.sizes: dict[str, list[str]] = {}
        self.columns: list[str] = []
        self.modules: list[str] = []
        self.pairs: dict[Code, tuple[Code, Code]] = {}
        self.flags: dict[tuple[int, Any], tuple[Lines, Code]] = {}
        self.origins: dict[str, str] = {}
        self.parts, self.part = 0, ""

    @property
    def described(self) -> str:
        """What it is a part of."""
        outer = class_name(self.parent.label) if self.parent else ""
        return f"The {self.part} of `{outer}`."

    @property
    def top(self) -> bool:
        """Whether it is the network's own."""
        return self.parent is None and isinstance(self.key, str)

    # -------------------------------------------------------------- names of the specification

    def named(self, text: str) -> Any:
        """The code of a symbol, a `let` of the document, or a word.

        Raises:
            KeyError: There is no such name.
        """
        if text in self.facts.globals:
            return self.symbol(text)
        if text in self.facts.words:
            return text
        raise KeyError(text)

    def symbol(self, text: str) -> Any:
        """The code of a symbol, or of a `let` of the document."""
        if self.parent is not None:
            found = self.parent.symbol(text)
            self.inherited |= {str(found)}
            return found
        if text not in self.symbols:
            kind, values = self.facts.globals[text]
            self.symbols[text] = code.name(self.names.new(text), kind, values)
        return self.symbols[text]

    def let(self, name: str, value: Any, lines: Lines) -> Any:
        """A variable for what the specification gives a name."""
        if (self.key, name) in self.facts.whole_lets:
            value = self.whole(value)
        variable = self.names.new(name)
        self.origins[variable] = name
        lines.add(Assign(variable, value, kept=True))
        return code.name(variable, code.kind_of(value), code.known_values(value))

    def whole(self, value: Any) -> Any:
        """Code that must be a whole number, as one."""
        if not isinstance(value, Code) or "rational" not in value.kind:
            return value
        if value.head == "name":
            self.facts.demand(self, self.origins.get(str(value), ""))
        return code.call("whole", value)

    # -------------------------------------------------------------- new variables

    def variable(self, wanted: str) -> str:
        """A new variable of the constructor."""
        return self.names.new(wanted)

    def module(self, kind: str) -> str:
        """A variable for a module that is asked for its sizes at once; `facts` gives it its name if it is needed."""
        self.modules.append(kind)
        return f"{kind}{MARK}{len(self.modules)}"

    def column(self, wanted: str) -> str:
        """A variable of a loop: one that an earlier loop had, or a new one."""
        for name in (wanted, f"{wanted}_"):
            if name in self.columns:
                self.columns.remove(name)
                return name
        return self.names.new(wanted)

    counter = column

    def release(self, name: str) -> None:
        """A loop is over, and its variable free for the next one."""
        self.columns.append(name)

    def size(self, axis: int, rank: int, pinned: frozenset[str], current: Any = None) -> Code:
        """A variable for a size of what flows: one that is free to be set again, or a new one."""
        base = dimensions(rank)[axis]
        known = self.sizes.setdefault(base, [])
        if str(current) in known and str(current) not in pinned:
            return code.name(str(current))
        for name in known:
            if name not in pinned:
                return code.name(name)
        known.append(self.names.new(base))
        return code.name(known[-1])

    def plainness(self, size: Any) -> tuple[bool, bool, int]:
        """How plain a size is: a number, then what the class is given, then what it computes."""
        own = {name for names in self.sizes.values() for name in names}
        local = any(str(name) in own for name in code.names(size))
        return isinstance(size, Code), local, len(str(size))

    def tensor(self, wanted: str, avoided: frozenset[str] | set[str] = frozenset()) -> str:
        """A new variable of the forward."""
        self.tensors.taken |= avoided
        if wanted == "x":
            wanted = next((name for name in "xyz" if name not in self.tensors.taken), "x")
        return self.tensors.new(wanted)

    def flag(self, wanted: str, value: Any, lines: Lines) -> Code:
        """An attribute that keeps a value of the constructor for the forward."""
        key = (id(lines), value)
        if key not in self.flags:
            attribute = self.attributes.new(wanted)
            lines.add(Keep(attribute, value))
            self.flags[key] = (lines, Code("attr", (code.name("self"), attribute), BOOL))
        return self.flags[key][1]

    # -------------------------------------------------------------- sizes given once or twice

    def pair(self, size: Code, lines: Lines) -> tuple[Code, Code]:
        """The height and the width of a size that is given once or twice."""
        if size not in self.pairs:
            both = code.call("pair", size)
            parts = [Code("index", (both, i)) for i in (0, 1)]
            names = [self.names.new(f"{size}_{axis}") for axis in ("height", "width")]
            height, width = (
                code.name(name, INT, code.known_values(part)) for name, part in zip(names, parts, strict=True)
            )
            self.pairs[size] = (height, width)
            lines.add(Unpack((str(height), str(width)), both))
        return self.pairs[size]

    def flagged(self, value: Any) -> Any:
        """Code in which conditions that an attribute keeps are that attribute."""
        if isinstance(value, tuple):
            return tuple(map(self.flagged, value))
        if not isinstance(value, Code):
            return value
        known = self.flags.get((id(self.lines), value))
        if known and value.head != "name":
            return known[1]
        return Code(value.head, self.flagged(value.parts), value.kind, value.values)

    def shortened(self, value: Any) -> Any:
        """Code in which a tuple of all parts of a variable is the variable."""
        if isinstance(value, tuple):
            for whole, parts in self.pairs.items():
                if value == parts:
                    return whole
            if value and all(isinstance(part, Code) and part.head == "index" for part in value):
                owners = {part.parts[0] for part in value}
                if len(owners) == 1 and [part.parts[1] for part in value] == list(range(len(value))):
                    return owners.pop()
            return tuple(map(self.shortened, value))
        if isinstance(value, Code) and value.head in {"call", "if"}:
            return Code(value.head, self.shortened(value.parts), value.kind)
        return value

    # -------------------------------------------------------------- classes that are part of this one

    def inner(self, label: str, gone_back_to: Counter[str]) -> "Scope":
        """The names of a class that is a part of this one."""
        self.parts += 1
        made = Scope(self.facts, f"{self.label}_{label}", (self.key, label, self.parts), gone_back_to, self)
        made.part = f"part `{label}`"
        return made

    def entry(self, size: Any, axis: int, rank: int) -> Any:
        """A size of what flows into a part: as it is where it is plain, else an argument of the part."""
        if not isinstance(size, Code) or (size.head == "name" and axis):
            return size
        name = code.name(self.names.new(f"in_{dimensions(rank)[axis]}"))
        self.passed[name] = size
        return name

    def outside(self, value: Any) -> Any:
        """What a value of a part is outside it; None if nobody there could say."""
        own = {str(name) for name in code.names(value)} - self.inherited
        if own - {str(name) for name in self.passed}:
            return None
        return code.substituted(value, self.passed)
