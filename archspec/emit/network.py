"""The class of the network itself: the symbols are its arguments, checked as the specification says."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.blocks import new_frame, walk_body, write_block
from archspec.emit.classes import Class, Param
from archspec.emit.code import RATIONAL, Code
from archspec.emit.facts import SpecFacts
from archspec.emit.frame import Frame, X
from archspec.emit.initial import beginning
from archspec.emit.page import page
from archspec.emit.prose import beginning_prose, network_prose
from archspec.emit.scope import BATCH, TENSOR, ClassScope
from archspec.emit.statements import Assign, Refuse, Statement, used
from archspec.emit.walk import walk
from archspec.graph.expand import expand
from archspec.graph.initial import initial
from archspec.language.document import INPUT, Document, Symbol


def source(document: Document, bindings: Mapping[str, Any] | None = None) -> str:
    """The PyTorch source of a network: one class per block, loops for what is repeated, no need of this library.

    Args:
        document: The specification.
        bindings: Values for symbols: the defaults of the constructor's arguments.

    Raises:
        BindingError: A symbol that does not exist, or a value that it cannot have.
        SpecErrors: The network cannot be built, as `expand` says.
        ArchspecError: The specification cannot be translated; says which step.

    >>> from archspec.language import load
    >>> print(source(load("lenet_300_100")).partition("super().__init__()")[2].strip())
    self.flatten = nn.Flatten()
            self.fc1 = nn.Linear(input_channels * side**2, 300)
            self.relu1 = nn.ReLU()
            self.fc2 = nn.Linear(300, 100)
            self.relu2 = nn.ReLU()
            self.fc3 = nn.Linear(100, classes)
    """
    network = expand(document, bindings)
    if document.initialisation:
        initial(network, document.initialisation)
    facts = SpecFacts(document, network.bindings, walk, write_block)
    facts.walk_until_known(_write)
    return page(facts)


def _write(facts: SpecFacts) -> None:
    document = facts.document
    scope = ClassScope(facts, "network", "", facts.froms(document.network) + Counter(document.outputs))
    scope.symbols.update({name: code.name(scope.names.new(name), *facts.globals[name]) for name in document.symbols})
    words = {name: name for name in document.let if name in facts.words}  # until they have a value, they are words
    begin = Frame(scope, (), words, scope.lines, None)
    for name, value in document.let.items():
        found = begin.read(value)
        words.pop(name, None)
        scope.symbols[name] = scope.let(name, found, scope.lines)
        facts.globals[name] = (code.kind_of(found), code.known_values(found))
    inputs = {
        name: (
            (BATCH, *(scope.whole(begin.read(size)) for size in sizes)),
            X if name in {INPUT, str(X)} else code.name(scope.tensors.new(name), TENSOR),
        )
        for name, sizes in document.shapes.items()
    }
    several = bool(document.inputs or document.outputs)
    frame = new_frame(scope, document.network, inputs, several=several)
    walk_body(document.network, frame, document.outputs, outputs=bool(document.outputs))
    names = {name: str(scope.symbols[name]) for name in document.symbols}
    body, forward = scope.finish_class({"": frame.flow}, frozenset(names.values()))
    uses = used(body)
    taken = {name: variable for name, variable in names.items() if uses[variable]}
    checks = [c for name in taken for c in _checked(scope.symbols[name], document.symbols[name])]
    rules = document.initialisation
    facts.classes[""] = Class(
        facts.network,
        [network_prose(document, facts.network)],
        tuple(_param(name, variable, facts) for name, variable in taken.items()),
        (*checks, *body),
        forward if frame.forward is not None else None,
        inputs=tuple(str(x) for _, x in list(inputs.values())[1:]),
        flow=str(next(iter(inputs.values()))[1]),
        outputs=max(1, len(document.outputs)),
        beginning=beginning(rules, facts.weighted, facts.given_names) if rules else (),
        authority=beginning_prose(rules) if rules else (),
    )


def _param(name: str, variable: str, facts: SpecFacts) -> Param:
    symbol = facts.document.symbols[name]
    kind, _ = facts.globals[name]
    return Param(variable, frozenset({"given"}) if kind == RATIONAL else kind, facts.bindings[name], doc=symbol.doc)


def _checked(variable: Code, symbol: Symbol) -> list[Statement]:
    """The statements that make an argument the number it stands for, and refuse one that it cannot be."""
    name, made = str(variable), list[Statement]()
    if variable.kind == RATIONAL:
        text = code.call("str", variable, kind=code.WORD)
        made.append(Assign((name,), code.call("Fraction", text, kind=RATIONAL), kept=True))
    if symbol.truth:
        return made
    if symbol.choices is not None:
        listed = ", ".join(map(str, symbol.choices))
        wrong = code.compare(variable, "not in", tuple(symbol.choices))
        made.append(Refuse(wrong, (f"{name} must be one of {listed} (got ", variable, ")")))
    elif symbol.range is not None:
        least, most = symbol.range
        wrong = Code("not", (code.compare(least, "<=", variable, "<=", most),), code.BOOL)
        made.append(Refuse(wrong, (f"{name} must be from {least} to {most} (got ", variable, ")")))
    return made
