"""The classes of the network, whose arguments are the symbols, and of its blocks, whose arguments are their own."""

from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.code import INT, NONE, RATIONAL, Code
from archspec.emit.containers import bind_lets, is_chain
from archspec.emit.facts import BlockFacts, SpecFacts, merged_values
from archspec.emit.frame import UNTOLD, Frame, Named, X, mapped
from archspec.emit.initial import beginning
from archspec.emit.page import beginning_prose, block_prose, network_prose, page
from archspec.emit.scope import BATCH, SIZES, TENSOR, ClassScope, dimensions
from archspec.emit.statements import Assign, Class, If, Param, Refuse, Return, Statement, used
from archspec.emit.walk import walk
from archspec.errors import ArchspecError
from archspec.graph.expand import expand
from archspec.graph.initial import initial
from archspec.language.document import INPUT, Block, Body, Document, Symbol


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
    scope = ClassScope(facts, "network", "", facts.froms(document.network, document.outputs))
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


# ------------------------------------------------------------------ blocks


def new_frame(scope: ClassScope, body: Body, inputs: Mapping[str, Named], *, several: bool) -> Frame:
    """The container that a class is, with a forward where its steps are no chain, or it takes or gives `several`."""
    flow, x = next(iter(inputs.values()))
    frame = Frame(scope, flow, {}, scope.lines, None, x=x)
    if several or not is_chain(body, frame):
        frame.forward = scope.forward
    frame.named |= inputs
    return frame


def walk_body(body: Body, frame: Frame, given: tuple[str, ...] = (), *, outputs: bool = False) -> None:
    """The steps of the body of a class, which gives what flows and the `given`; of `outputs` these alone."""
    frame.facts.body(body, frame)
    if frame.forward is not None:
        missing = next((name for name in given if name not in frame.named), None)
        if missing is not None:
            raise ArchspecError(f"nothing is called '{missing}' on all conditions")
        results = (*(() if outputs else (frame.x,)), *(frame.named[name][1] for name in given))
        frame.forward.add(Return(results[0] if len(results) == 1 else Code("several", results, TENSOR)))


def write_block(facts: SpecFacts, found: BlockFacts) -> None:
    """The class of a block, and what its callers know of it."""
    key = found.key
    block = facts.document.blocks[key.callee]
    scope = ClassScope(facts, key.callee, key, facts.froms(block.body, key.given))
    found.sizes = {
        (name, axis): code.name(scope.names.new(f"{name or 'in'}_{text}"), values=SIZES)
        for name, rank in key.ranks
        for axis, text in enumerate(dimensions(rank))
        if axis
    }
    inputs = {name or INPUT: _input(found, name, scope) for name, _ in key.ranks}
    frame = new_frame(scope, block.body, inputs, several=len(inputs) > 1 or bool(key.given))
    params = {arg: _arg(arg, default, found, frame) for arg, default in block.args.items()}
    bind_lets(block.let, frame)
    walk_body(block.body, frame, key.given)
    order = list(facts.globals)
    found.free = dict(sorted(scope.symbols.items(), key=lambda item: order.index(item[0])))
    own = {*found.sizes.values(), *found.args.values(), *found.free.values()}
    told = lambda size: size if set(code.names(size)) <= {BATCH, *own} else None  # noqa: E731
    shapes = {"": frame.flow, **{name: frame.named[name][0] for name in key.given}}
    found.shapes = {name: mapped(told, shape) for name, shape in shapes.items()}
    found.modules = frame.modules
    found.does = frame.does if set(code.names(frame.does)) <= own else UNTOLD
    body, forward = scope.finish_class(shapes, frozenset(map(str, own)))
    facts.classes[key] = Class(
        found.name,
        block_prose(block),
        _params(found, params, used(body)),
        body,
        forward if frame.forward is not None else None,
        tuple(str(x) for name, (_, x) in inputs.items() if name != INPUT),
        outputs=1 + len(key.given),
    )


def _input(found: BlockFacts, name: str, scope: ClassScope) -> Named:
    """What a block takes: its shape in the names of the block, and its tensor; what flows in has no name."""
    shape = (BATCH, *(size for (taken, _), size in found.sizes.items() if taken == name))
    return shape, code.name(scope.tensors.new(name), TENSOR) if name else X


def _arg(arg: str, default: Any, found: BlockFacts, frame: Frame) -> Param:
    """An argument: its variable, and its default where it has one; None where that is computed from others."""
    scope, facts = frame.scope, frame.facts
    known = facts.previous.get(found.key, found)
    kind, values = known.kinds.get(arg, found.kinds.get(arg, frozenset())), known.values.get(arg, ())
    variable = scope.names.new(arg)
    scope.origins[variable] = arg
    constant, required = facts.constant(default), Block.is_required(default)
    computed = constant is None and not required
    if computed:
        value = frame.read(default)
        if (found.key, arg) in facts.whole:
            value = scope.whole(value)
        kind, values = kind | code.kind_of(value), merged_values(values, code.known_values(value))
        frame.lines.add(If(code.compare(code.name(variable), "is", None), (Assign((variable,), value, kept=True),)))
    if not required:
        found.defaults[arg] = value if computed else constant
    made = found.args[arg] = frame.env[arg] = code.name(variable, (kind - NONE) or INT, values)
    scope.args.add(made)
    return Param(variable, made.kind | NONE if computed else made.kind, ... if required else constant)


def _params(found: BlockFacts, params: Mapping[str, Param], uses: Mapping[str, int]) -> tuple[Param, ...]:
    """The parameters of a block: the sizes that it needs, its arguments, those without a default first, symbols."""
    found.needed = tuple(axis for axis, name in found.sizes.items() if uses[str(name)])
    found.free = {text: name for text, name in found.free.items() if uses[str(name)]}
    return (
        *(Param(str(found.sizes[axis]), INT) for axis in found.needed),
        *sorted(params.values(), key=lambda param: param.default is not ...),
        *(Param(str(name), name.kind, keyword=True) for name in found.free.values()),
    )
