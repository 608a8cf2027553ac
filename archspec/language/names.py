"""The names of a document: which there are, what expressions may see of them, and what cannot be a name."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from keyword import iskeyword
from typing import Any

from archspec import ops
from archspec.errors import Mark, SpecError, did_you_mean
from archspec.language.document import Document
from archspec.language.expression import BUILTINS, CONSTANTS, Expression, Scope, miscounted
from archspec.language.rules import FLOWING, expressions, signature, words
from archspec.language.values import Value, evaluated

MAX_COMPARISONS = 2_000_000


class DocumentNames:
    """The names of one document.

    Attributes:
        words: Those that stand for themselves.
        arity: The functions and lookups, with the number of arguments that each takes.
        symbols: The symbols and the words, which are in sight everywhere but in functions' bodies and the input.
    """

    def __init__(self, document: Document) -> None:
        self.words = words(document)
        self.arity = {name: len(parameters) for name, parameters in map(signature, document.functions)}
        tables = {name: table for name, table in document.lookups.items() if not table.broken}
        self.arity |= {name: 1 if len(table.columns) == 2 else 2 for name, table in tables.items()}
        self.symbols = {*document.symbols, *self.words}
        self._comparisons = MAX_COMPARISONS
        self._reserved = {*ops.words(), *CONSTANTS, *BUILTINS, *FLOWING, "input", "required"}

    def suggest(self, word: str, known: Iterable[str]) -> str:
        """A suggestion, while there is time for suggestions: a hostile file could ask for millions of comparisons."""
        candidates = list(known)
        self._comparisons -= len(word) * sum(map(len, candidates))
        return did_you_mean(word, candidates) if self._comparisons >= 0 else ""

    def taken(self, name: str, at: Mark | None) -> Iterator[SpecError]:
        """The fault of a name that could not be used in an expression, or would change what a word there means."""
        if name in self._reserved or iskeyword(name):
            yield SpecError(f"the name '{name}' is taken by the language; choose another", at)

    def lets(self, lets: dict[str, Value], known: AbstractSet[str]) -> Iterator[SpecError]:
        """The faults of the values of a `let`, each of which sees the names above it."""
        names = set(known)
        for name, value in lets.items():
            yield from self.value(value, names)
            names.add(name)

    def value(self, value: Value, known: AbstractSet[str]) -> Iterator[SpecError]:
        """The faults of the expressions of a value."""
        for expression in expressions(value):
            yield from self.expression(expression, known)

    def expression(
        self, expression: Expression, known: AbstractSet[str], arity: dict[str, int] | None = None
    ) -> Iterator[SpecError]:
        """The faults of an expression that sees these names, and all functions unless `arity` says which."""
        functions = self.arity if arity is None else arity
        for name in expression.names:
            if name not in known and not (self.words <= known and ops.find(name)):
                if name in functions:
                    hint = "; call it with its arguments"
                elif name in FLOWING:
                    hint = "; blocks and steps know it, and can hand it on as an argument"
                else:
                    hint = self.suggest(name, known - self.words) or self.suggest(name, known & self.words)
                yield SpecError(f"undefined name '{name}'{hint}", expression.mark_of(name))
        for name, (_, count) in expression.called.items():
            if name not in functions:
                hint = self.suggest(name, [*functions, *BUILTINS])
                yield SpecError(f"undefined function '{name}'{hint}", expression.mark_of(name))
            elif fault := miscounted(name, count, functions[name], functions[name]):
                yield SpecError(fault, expression.mark_of(name))

    def constants(self, args: Mapping[str, Value | None]) -> Iterator[tuple[str, Any, SpecError | None]]:
        """What the arguments that depend on nothing come to: a value, or the fault that keeps them from having one."""
        scope = Scope({}, words=self.words)
        for name, value in args.items():
            parts = list(expressions(value))
            if all(part.constant or not (part.called or set(part.names) - ops.words()) for part in parts):
                try:
                    yield name, evaluated(value, scope), None
                except SpecError as error:
                    yield name, None, error
