"""What is known of a whole specification while its source is written: what blocks are called with, need and give.

What a block's class looks like depends on all its callers (is k ever two sizes?), and what a caller writes depends on
the block (does it need the height?). So the walk is made again until nothing new is found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from archspec.emit import code
from archspec.emit.bodies import counted_names, froms, names_given
from archspec.emit.code import BOOL, INT, RATIONAL, WORD, Code, Kind
from archspec.emit.expression import Translator
from archspec.emit.helpers import RESERVED
from archspec.emit.naming import FreshNames, class_name, identifier, network_name
from archspec.emit.scope import TENSOR, ClassScope, dimensions
from archspec.emit.statements import Class, Definition, Param
from archspec.errors import ArchspecError
from archspec.language.document import INPUT, Block, Body, Document, Symbol
from archspec.language.rules import signature, words

if TYPE_CHECKING:
    from archspec.emit.frame import Called, Frame


MAX_WALKS = 40
MAX_VALUES = 64


Flows: TypeAlias = Mapping[str, tuple[Any, ...]]
"""The shapes that a block takes: that of what flows in, which has no name, and those of its inputs by name."""


class BlockKey(NamedTuple):
    """What the class of a block is told by.

    Attributes:
        callee: The block's name.
        ranks: How many axes each of its inputs has; what flows in is the first, and has no name.
        given: The values inside it that it gives beside what flows out.
    """

    callee: str
    ranks: tuple[tuple[str, int], ...]
    given: tuple[str, ...]


@dataclass(slots=True)
class BlockFacts:
    """What is known of a block's class.

    Attributes:
        key: What it is told by.
        name: The class.
        kinds: What each argument may be.
        values: Its values where they are few; None where they are not.
        sizes: By input and axis, the parameters for the sizes of what it takes; what flows in has no name.
        needed: Those of the sizes that the constructor needs.
        free: By symbol, the parameter it is handed over as.
        defaults: The arguments' defaults in the names of the constructor.
        shapes: By name the shapes of the values that it gives, in its own names; what flows out has no name. A size
            that only the module can tell is None.
        modules: The modules in it whose weights a step can share, as they are reached from its class.
        does: Whether it does anything.
    """

    key: "BlockKey"
    name: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    values: dict[str, tuple[Any, ...] | None] = field(default_factory=dict)
    args: dict[str, Code] = field(default_factory=dict)
    sizes: dict[tuple[str, int], Code] = field(default_factory=dict)
    needed: tuple[tuple[str, int], ...] = ()
    free: dict[str, Code] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    shapes: dict[str, Any] = field(default_factory=lambda: {"": ()})
    modules: "dict[str, Called]" = field(default_factory=dict)
    does: Any = True

    def call(self, args: Mapping[str, Any], flows: Flows, symbol: Callable[[str], Any]) -> Code:
        """The code that makes the block's module."""
        sizes = tuple(flows[name][axis] for name, axis in self.needed)
        given = {str(self.args[arg]): value for arg, value in args.items() if arg in self.args}
        symbols = {str(name): symbol(text) for text, name in self.free.items()}
        return Code("call", (self.name, sizes, tuple({**given, **symbols}.items())), TENSOR)

    def known(self, args: Mapping[str, Any], flows: Flows, symbol: Callable[[str], Any]) -> dict[Code, Any]:
        """What the names of the block's constructor stand for in a call."""
        known = {name: flows[taken][axis] for (taken, axis), name in self.sizes.items()}
        known |= {name: symbol(text) for text, name in self.free.items()}
        for arg, name in self.args.items():
            known[name] = args[arg] if arg in args else code.substituted(self.defaults.get(arg), known)
        return known


class SpecFacts:
    """What is known of a specification, found by walk after walk.

    Args:
        document: The specification.
        bindings: The values of its symbols.
        body: Walks over the steps of a body, in a container; handed over, for it calls what calls it.
        write: Writes the class of a block.
    """

    def __init__(
        self,
        document: Document,
        bindings: Mapping[str, Any],
        body: "Callable[[Body, Frame], None]",
        write: "Callable[[SpecFacts, BlockFacts], None]",
    ) -> None:
        self.document, self.bindings, self.body, self.write = document, bindings, body, write
        self.words = words(document)
        self.globals: dict[str, tuple[Kind, Any]] = {
            name: (_kind(symbol), _values(symbol)) for name, symbol in document.symbols.items()
        }
        self.globals |= dict.fromkeys(document.let, (INT, None))
        signatures = ((signature(text), body) for text, body in document.functions.items())
        self.formulas = {name: (parameters, text) for (name, parameters), text in signatures}
        self.function_kinds: dict[tuple[str, int], Kind] = {}
        self.file = FreshNames()
        counted = counted_names(document)
        self.local_names = frozenset(counted)
        self.inputs = frozenset({INPUT, *document.shapes})
        self.given_names = frozenset(name for _, body in document.bodies() for name in names_given(*body))
        self.repeated = frozenset(name for name, count in counted.items() if count > 1)
        self.whole: set[tuple[Any, str]] = set()
        self.reads: dict[Any, set[tuple[str, int]]] = {}
        self.blocks: dict[BlockKey, BlockFacts] = {}
        self._begin()

    def froms(self, body: Body, given: Iterable[str] = ()) -> Counter[str]:
        """The names that steps of a body go back to, and those that it has to give, and how often."""
        return froms(body, self.document, given)

    def _begin(self) -> None:
        """Forget what a walk writes, keep what it found."""
        self.known_names, self.numbers = frozenset(self.file.taken), 0
        names = FreshNames(RESERVED)
        self.functions = {name: names.new(name) for name in sorted(self.formulas)}
        self.file = FreshNames(names.taken - RESERVED)
        self.definitions: dict[str, Definition] = {}
        self.lookups: dict[str, str] = {}
        self.previous, self.blocks = self.blocks, {}
        self.classes: dict[Any, Class] = {}
        self.applications: dict[Any, Class] = {}
        self.weighted: dict[str, frozenset[str]] = {}
        self.network = self.file.new(network_name(self.document))

    def walk_until_known(self, walk: Callable[["SpecFacts"], None]) -> None:
        """Walk until nothing new is found.

        Raises:
            ArchspecError: There is no end to it.
        """
        for _ in range(MAX_WALKS):
            before = self._found()
            self._begin()
            walk(self)
            if self._found() == before:
                return
        raise ArchspecError("the source cannot be written: what its blocks need keeps changing")

    def _found(self) -> Any:
        return (
            {k: (f.kinds, f.values, f.needed, tuple(f.free), f.shapes, f.does) for k, f in self.blocks.items()},
            set(self.whole),
            {key: set(found) for key, found in self.reads.items()},
            dict(self.function_kinds),
            dict(self.globals),
            set(self.file.taken),
        )

    def number(self) -> int:
        """A number that no other variable has."""
        self.numbers += 1
        return self.numbers

    def block(self, callee: str, flows: Flows, args: Mapping[str, Any], given: tuple[str, ...] = ()) -> BlockFacts:
        """What is known of a block, with the arguments of one more call."""
        key = BlockKey(callee, tuple((name, len(shape)) for name, shape in flows.items()), given)
        new = key not in self.blocks
        if new:
            same = [other for other in self.blocks if other.callee == callee]
            self.blocks[key] = BlockFacts(key, self.file.new(class_name(callee) + (_differing(key) if same else "")))
        facts = self.blocks[key]
        self._join_args(facts, args)
        if new:
            self.write(self, facts)
        return facts

    def _join_args(self, facts: BlockFacts, args: Mapping[str, Any]) -> None:
        for arg, default in self.document.blocks[facts.key.callee].args.items():
            if arg in args:
                value = args[arg]
            elif (constant := self.constant(default)) is not None:
                value = constant
            else:
                continue
            kind = INT if (facts.key, arg) in self.whole else code.kind_of(value)
            facts.kinds[arg] = facts.kinds.get(arg, frozenset()) | kind
            facts.values[arg] = merged_values(facts.values.get(arg, ()), code.known_values(value))

    def constant(self, default: Any) -> Any:
        """An argument's default that depends on nothing; None if it does, or if there is none."""
        if Block.is_required(default):
            return None
        words = {word: word for word in self.words - self.globals.keys()}
        with suppress(ArchspecError):
            found = Translator(words.__getitem__, _no_function, lambda value: value).value(default)
            return None if isinstance(found, Code) else found
        return None

    # -------------------------------------------------------------- functions and lookups

    def reserved(self) -> set[str]:
        """The names of the file, which no variable of a class may hide."""
        return {*self.functions.values(), *RESERVED, *self.known_names}

    def function(self, name: str, args: tuple[Any, ...], symbol: Callable[[str], Any]) -> Any:
        """A call of one of the specification's functions, or a look into one of its tables."""
        if name in self.document.lookups:
            return self._looked_up(name, args)
        for position, arg in enumerate(args):
            key = (name, position)
            self.function_kinds[key] = self.function_kinds.get(key, frozenset()) | code.kind_of(arg)
        if name not in self.definitions:
            self.definitions[name] = self._defined(name)
        made = self.definitions[name]
        return Code("call", (made.name, (*args, *map(symbol, made.symbols)), ()), code.kind_of(made.result))

    def _defined(self, name: str) -> Definition:
        parameters, body = self.formulas[name]
        scope = ClassScope(self, name, name, Counter())
        known = {
            text: code.name(scope.names.new(text), self.function_kinds.get((name, number), INT))
            for number, text in enumerate(parameters)
        }
        result = scope.read(body, known)
        params = tuple(Param(str(n), n.kind) for n in (*known.values(), *scope.symbols.values()))
        return Definition(self.functions[name], params, result, tuple(scope.symbols))

    def _looked_up(self, name: str, args: tuple[Any, ...]) -> Any:
        lookup = self.document.lookups[name]
        if name not in self.lookups:
            self.lookups[name] = self.file.new(name.upper())
        constant = Code("text", (self.lookups[name],))
        columns = [args[1]] if len(args) > 1 and not isinstance(args[1], Code) else list(lookup.columns[1:])
        cells = [row[lookup.columns.index(column)] for row in lookup.rows for column in columns]
        kind = frozenset().union(*map(code.kind_of, cells))
        found = Code("index", (constant, args[0]), kind)
        return found if len(lookup.columns) == 2 else Code("index", (found, args[1]), kind)

    # -------------------------------------------------------------- attributes

    def size_attribute(self, name: str, axis: int, rank: int) -> str:
        """The attribute by which a module tells a size of what flows out of it, or of a value that it gives."""
        return self.attribute("_".join(filter(None, ("out", identifier(name), dimensions(rank)[axis]))))

    def attribute(self, text: str) -> str:
        """An attribute of this name, or with _ behind it, that no child can have, not even with a number behind it."""
        while text in self.local_names:
            text += "_"
        return text


def _differing(key: BlockKey) -> str:
    """What the name of a block's second class says, which is called with other ranks or gives other values."""
    if key.given:
        return f"With{class_name(identifier('_'.join(key.given)))}"
    return dimensions(key.ranks[0][1])[-1].capitalize()


def merged_values(a: Any, b: Any) -> tuple[Any, ...] | None:
    """The values of both; None where those of one are not known, or are many."""
    if a is None or b is None:
        return None
    joined = tuple({(type(value), value): value for value in (*a, *b)}.values())
    return joined if len(joined) <= MAX_VALUES else None


def _no_function(name: str, _: Any) -> Any:
    raise KeyError(name)


def _kind(symbol: Symbol) -> Kind:
    return BOOL if symbol.truth else WORD if symbol.word else INT if symbol.integer else RATIONAL


def _values(symbol: Symbol) -> Any:
    if symbol.choices is not None:
        return symbol.choices
    if not symbol.integer:
        return None
    least, most = symbol.range or (1, 10**12)
    return range(int(least), int(most) + 1)
