"""What can be known of a specification without running it: every name is defined, every argument is known and given."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from archspec import ops
from archspec.errors import SpecError, SpecErrors
from archspec.language.check_steps import Steps
from archspec.language.document import INPUT, Block, Document, Letters, Lookup, Symbol
from archspec.language.expression import BUILTINS
from archspec.language.names import DocumentNames
from archspec.language.rules import (
    FLOWING,
    MAX_AXES,
    MAX_NESTING,
    signature,
    value_fault,
)
from archspec.language.steps import within


def check(document: Document) -> list[SpecError]:
    """The faults that a document shows without being expanded, in no particular order; no more than are shown."""
    return list(islice(_Checker(document).faults(), SpecErrors.shown + 1))


class _Checker:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.names = DocumentNames(document)
        self.steps = Steps(document, self.names)

    def faults(self) -> Iterator[SpecError]:
        document = self.document
        yield from self._clashes()
        for name, symbol in document.symbols.items():
            yield from _check_symbol(name, symbol)
            yield from self._shadowing(name, symbol)
        for lookup in document.lookups.values():
            yield from _check_lookup(lookup)
        yield from self._functions()
        yield from self._inputs()
        yield from self.names.lets(document.let, self.names.symbols)
        known = {*self.names.symbols, *document.let}
        for name, block in document.blocks.items():
            if not block.broken:
                yield from self._block(name, block, known)
        yield from self.steps.faults(document.network, {*known, *FLOWING}, tuple(document.shapes))
        yield from self._outputs()
        yield from self._cycles()

    # -------------------------------------------------------------- inputs and outputs

    def _inputs(self) -> Iterator[SpecError]:
        document = self.document
        if not document.inputs and document.input is None:
            yield SpecError("missing key 'input'", document.key_at("inputs"))
            return
        if document.inputs and document.input is not None:
            yield SpecError("'inputs' names all inputs of the network; leave 'input' out", document.key_at(INPUT))
        headers = {c for lookup in document.lookups.values() if not lookup.broken for c in lookup.columns}
        for name, sizes in document.shapes.items():
            key, where = (f"inputs.{name}", f"inputs.{name}") if document.inputs else (INPUT, f"{INPUT}:")
            if not 1 <= len(sizes) <= MAX_AXES:
                yield SpecError(
                    f"{key}: expected from 1 to {MAX_AXES} sizes, such as [3, 224, 224], found {len(sizes)}",
                    document.key_at(where),
                )
            for size in sizes:
                yield from self.names.expression(size, {*document.symbols, *headers & self.names.words})
        others = [name for name in list(document.inputs)[1:] if name not in document.outputs]  # the first one flows
        yield from self.steps.untaken(document.network, {name: document.key_at(f"inputs.{name}") for name in others})

    def _outputs(self) -> Iterator[SpecError]:
        document = self.document
        for number, label in enumerate(document.outputs):
            at = document.places.get(f"outputs[{number}]") or document.key_at("outputs")
            if label in document.outputs[:number]:
                yield SpecError(f"outputs: '{label}' stands there twice", at)
            yield from self.steps.label(label, document.network, tuple(document.shapes), "outputs", at)

    # -------------------------------------------------------------- names

    def _clashes(self) -> Iterator[SpecError]:
        document = self.document
        for name in document.symbols:
            yield from self.names.taken(name, document.key_at(f"symbols.{name}"))
        yield from self._taken_lets(document)
        for name, block in document.blocks.items():
            if name in ops.registered():
                yield SpecError(
                    f"'{name}' is an operator; give the block another name", document.key_at(f"blocks.{name}")
                )
            elif name in document.symbols:
                yield SpecError(f"'{name}' is a symbol; give the block another name", document.key_at(f"blocks.{name}"))
            if not block.broken:
                yield from self._taken_in(block)
        defined = set(BUILTINS)
        for part, texts in (("lookups", document.lookups), ("functions", document.functions)):
            for text in texts:
                at = document.key_at(f"{part}.{text}")
                name, parameters = (text, ()) if part == "lookups" else signature(text)
                if name in defined:
                    yield SpecError(f"the function '{name}' is already defined; choose another name", at)
                else:
                    yield from self.names.taken(name, at)
                defined.add(name)
                for parameter in parameters:
                    yield from self.names.taken(parameter, at)

    def _taken_in(self, block: Block) -> Iterator[SpecError]:
        for arg in block.args:
            yield from self.names.taken(arg, block.key_at(f"args.{arg}"))
        for number, name in enumerate(block.inputs):
            at = block.places.get(f"inputs[{number}]") or block.key_at("inputs")
            yield from self.names.taken(name, at)
            if name in block.args or name in block.inputs[:number]:
                yield SpecError(f"inputs: the name '{name}' is already taken here; choose another", at)
        yield from self._taken_lets(block)

    def _taken_lets(self, holder: Document | Block) -> Iterator[SpecError]:
        for name in () if holder.broken else holder.let:
            at = holder.key_at(f"let.{name}")
            yield from self.names.taken(name, at)
            if holder is self.document and name in self.document.symbols:
                yield SpecError(f"let: '{name}' is a symbol; choose another name", at)

    def _shadowing(self, name: str, symbol: Symbol) -> Iterator[SpecError]:
        """The choices of a symbol that are names of values: an expression could not tell the word from the value."""
        values = {
            **dict.fromkeys(self.document.let, "a name of let"),
            **dict.fromkeys(self.document.symbols, "a symbol"),
        }
        for number, choice in enumerate(() if symbol.broken else symbol.choices or ()):
            if choice in values:
                is_what = "the symbol itself" if choice == name else values[choice]
                message = f"symbol '{name}': the choice '{choice}' is also {is_what}; give one of them another name"
                yield SpecError(message, symbol.places.get(f"choices[{number}]") or symbol.key_at("choices"))

    def _functions(self) -> Iterator[SpecError]:
        later = dict(self.names.arity)
        self.names.arity = {name: later.pop(name) for name in self.document.lookups if name in later}
        nesting = dict.fromkeys(self.names.arity, 1)
        for text, body in self.document.functions.items():
            name, parameters = signature(text)
            for called in body.called:
                if called in later:
                    yield SpecError(
                        f"'{called}' is defined only after '{name}'; a function uses those before it",
                        body.mark_of(called),
                    )
            nesting[name] = body.depth + max((nesting.get(called, 0) for called in body.called), default=0)
            if nesting[name] > MAX_NESTING:
                yield SpecError(f"'{name}' nests functions more than {MAX_NESTING} deep", body.at)
                return
            known = {**self.names.arity, **later}
            yield from self.names.expression(body, {*self.names.symbols, *parameters}, known)
            if name in later:
                self.names.arity[name] = later.pop(name)

    # -------------------------------------------------------------- blocks and bodies

    def _block(self, name: str, block: Block, known: set[str]) -> Iterator[SpecError]:
        seen = {*known, *FLOWING}
        for arg, value in block.args.items():
            if not Block.is_required(value):
                yield from self.names.value(value, seen)
            seen.add(arg)
        for letters in block.letters.values():
            if not letters.broken:
                yield from self._letters(letters, block)
        yield from self.names.lets(block.let, seen)
        if not block.body:
            yield SpecError(
                f"the body of block '{name}' is empty; write [identity] for one that does nothing",
                block.key_at("body"),
            )
        yield from self.steps.faults(block.body, seen | set(block.let), (INPUT, *block.inputs))
        marks = (block.places.get(f"inputs[{number}]") or block.key_at("inputs") for number in range(len(block.inputs)))
        yield from self.steps.untaken(block.body, dict(zip(block.inputs, marks, strict=True)))

    def _letters(self, letters: Letters, block: Block) -> Iterator[SpecError]:
        known = [*block.args, *self.document.symbols, *FLOWING]
        for name in letters.names:
            if name not in known:
                hint = self.names.suggest(name, known) or f"; it has {', '.join(known)}"
                yield SpecError(f"letters: nothing here is called '{name}'{hint}", letters.key_at(f"names.{name}"))

    def _cycles(self) -> Iterator[SpecError]:
        calls = {
            name: {callee for step in within(body) for callee in step.callees()}
            for name, body in self.document.bodies()
        }
        reached: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> Iterator[SpecError]:
            if name in path:
                ring = " → ".join((*path[path.index(name) :], name))
                yield SpecError(f"blocks call each other in a circle: {ring}", self.document.blocks[name].at)
            elif name not in reached and len(path) < 200:
                for callee in sorted(calls.get(name, ())):
                    yield from visit(callee, (*path, name))
                reached.add(name)

        for name in self.document.blocks:
            yield from visit(name, ())


def _check_symbol(name: str, symbol: Symbol) -> Iterator[SpecError]:
    if symbol.broken:
        return
    if symbol.range is not None and symbol.choices is not None:
        yield SpecError(f"symbol '{name}' has a range and choices; give one of them", symbol.key_at("choices"))
    if symbol.truth and (symbol.range is not None or symbol.type or symbol.choices != (True, False)):
        key = "range" if symbol.range is not None else "type" if symbol.type else "choices"
        yield SpecError(f"symbol '{name}' is true or false; leave '{key}' out", symbol.key_at(key))
        return
    limits = (symbol.default, *(symbol.range or ()), *(symbol.choices or ()))
    if len({isinstance(limit, str) for limit in limits}) > 1:
        yield SpecError(f"symbol '{name}' mixes words and numbers", symbol.at)
        return
    if symbol.word and symbol.choices is None:
        yield SpecError(f"symbol '{name}' is a word ('{symbol.default}'); list its choices", symbol.value_at("default"))
        return
    if symbol.range is not None and not symbol.word and symbol.range[0] > symbol.range[1]:
        yield SpecError(
            f"symbol '{name}': the range is empty, {symbol.range[0]} is above {symbol.range[1]}",
            symbol.value_at("range"),
        )
        return
    fault = value_fault(symbol, symbol.default)
    if fault:
        yield SpecError(f"default {fault}", symbol.value_at("default"))


def _check_lookup(lookup: Lookup) -> Iterator[SpecError]:
    if lookup.broken:
        return
    if len(lookup.columns) < 2:
        yield SpecError("a lookup needs a column to look in and one to find", lookup.key_at("columns"))
    if len(set(lookup.columns)) != len(lookup.columns):
        yield SpecError("a column of the lookup stands twice in its header", lookup.key_at("columns"))
    if not lookup.rows:
        yield SpecError("a lookup needs rows", lookup.key_at("rows"))
    seen: set[Any] = set()
    for number, row in enumerate(lookup.rows):
        at = lookup.key_at(f"rows[{number}]")
        if len(row) != len(lookup.columns):
            yield SpecError(f"the row has {len(row)} cells, the header {len(lookup.columns)}", at)
        if row and row[0] in seen:
            yield SpecError(f"a second row of the lookup begins with {row[0]}", at)
        seen.update(row[:1])
