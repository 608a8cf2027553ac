"""The functions and lookups of a specification, as functions and tables of the source."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from archspec.emit import code
from archspec.emit.classes import Definition, Param
from archspec.emit.code import BOOL, INT, RATIONAL, WORD, Code, Kind
from archspec.emit.helpers import RESERVED
from archspec.emit.naming import FreshNames
from archspec.emit.scope import ClassScope
from archspec.language.document import Document, Symbol
from archspec.language.rules import signature, words


class SpecFunctions:
    """What is called by name in expressions; written down when it is called first."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = words(document)
        self.globals: dict[str, tuple[Kind, Any]] = {
            name: (_kind(symbol), _values(symbol)) for name, symbol in document.symbols.items()
        }
        self.globals |= dict.fromkeys(document.let, (INT, None))
        signatures = ((signature(text), body) for text, body in document.functions.items())
        self.formulas = {name: (parameters, body) for (name, parameters), body in signatures}
        self.function_kinds: dict[tuple[str, int], Kind] = {}
        self.known_names: frozenset[str] = frozenset()
        self.forget()

    def forget(self) -> None:
        """Begin a new source."""
        names = FreshNames(RESERVED)
        self.functions = {name: names.new(name) for name in sorted(self.formulas)}
        self.file = FreshNames(names.taken - RESERVED)
        self.definitions: dict[str, Definition] = {}
        self.lookups: dict[str, str] = {}

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
        scope = ClassScope(self, name, name, Counter())  # type: ignore[arg-type]  # what is known, of which this is part
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


def _kind(symbol: Symbol) -> Kind:
    return BOOL if symbol.truth else WORD if symbol.word else INT if symbol.integer else RATIONAL


def _values(symbol: Symbol) -> Any:
    if symbol.choices is not None:
        return symbol.choices
    if not symbol.integer:
        return None
    least, most = symbol.range or (1, 10**12)
    return range(int(least), int(most) + 1)
