"""The classes of blocks: a block's arguments are its class's."""

from typing import Any

from archspec.emit import code
from archspec.emit.bodies import froms
from archspec.emit.classes import Class, Param
from archspec.emit.code import INT, NONE
from archspec.emit.conditions import reader
from archspec.emit.containers import bind_lets, is_chain
from archspec.emit.facts import BlockFacts, SpecFacts, merged_values
from archspec.emit.flow import mapped
from archspec.emit.frame import UNTOLD, Frame, X
from archspec.emit.prose import block_prose
from archspec.emit.scope import ClassScope, dimensions
from archspec.emit.statements import Assign, If, Return, used
from archspec.language.document import Block, Body


def new_frame(scope: ClassScope, body: Body, flow: tuple[Any, ...]) -> Frame:
    """The container that a class is, with a forward where its steps are no chain."""
    frame = Frame(scope, flow, {}, scope.lines, None)
    if not is_chain(body, frame):
        frame.forward = scope.forward
    frame.named["input"] = (flow, X)
    return frame


def walk_body(body: Body, frame: Frame) -> None:
    """The steps of the body that a class is made of."""
    frame.facts.body(body, frame)
    if frame.forward is not None:
        frame.forward.add(Return(frame.x))


def write_block(facts: SpecFacts, found: BlockFacts) -> None:
    """The class of a block, and what its callers know of it."""
    callee, rank = found.key
    block = facts.document.blocks[callee]
    scope = ClassScope(facts, callee, found.key, froms((block.body,)))
    sizes = {axis: f"in_{text}" for axis, text in enumerate(dimensions(rank)) if axis}
    found.sizes = {axis: code.name(scope.names.new(text)) for axis, text in sizes.items()}
    frame = new_frame(scope, block.body, (code.name("batch"), *found.sizes.values()))
    for arg, default in block.args.items():
        _arg(arg, default, found, frame)
    bind_lets(block.let, frame)
    walk_body(block.body, frame)
    order = list(facts.globals)
    found.free = dict(sorted(scope.symbols.items(), key=lambda item: order.index(item[0])))
    own = {*found.sizes.values(), *found.args.values(), *found.free.values()}
    found.shape = mapped(lambda size: size if set(code.names(size)) <= own else None, frame.flow)
    found.does = frame.does if set(code.names(frame.does)) <= own else UNTOLD
    _finish(facts, found, frame)


def _arg(arg: str, default: Any, found: BlockFacts, frame: Frame) -> None:
    """An argument: its variable, and its default where it has one."""
    scope, facts = frame.scope, frame.facts
    known = facts.previous.get(found.key, found)
    kind, values = known.kinds.get(arg, found.kinds.get(arg, frozenset())), known.values.get(arg, ())
    variable = scope.names.new(arg)
    scope.origins[variable] = arg
    constant = facts.constant(default)
    if constant is not None:
        found.defaults[arg] = constant
    elif not Block.is_required(default):
        value = reader(frame).value(default)
        if arg in found.whole:
            value = scope.whole(value)
        found.defaults[arg] = value
        kind, values = kind | code.kind_of(value), merged_values(values, code.known_values(value))
        frame.lines.add(If(code.compare(code.name(variable), "is", None), (Assign(variable, value, kept=True),)))
    found.args[arg] = frame.env[arg] = code.name(variable, (kind - NONE) or INT, values)
    scope.args.add(found.args[arg])


def _finish(facts: SpecFacts, found: BlockFacts, frame: Frame) -> None:
    block = facts.document.blocks[found.key[0]]
    fixed = {str(n) for n in (*found.sizes.values(), *found.args.values(), *found.free.values())}
    body, forward = facts.finish_class(frame.scope, {"": frame.flow}, frozenset(fixed))
    uses = used(body)
    found.needed = tuple(axis for axis, name in found.sizes.items() if uses[str(name)])
    found.free = {text: name for text, name in found.free.items() if uses[str(name)]}
    required = [arg for arg, default in block.args.items() if Block.is_required(default)]
    params = [Param(str(found.sizes[axis]), INT) for axis in found.needed]
    params += [_param(facts, found, arg) for arg in (*required, *(arg for arg in block.args if arg not in required))]
    params += [Param(str(name), name.kind, keyword=True) for name in found.free.values()]
    explicit = frame.forward is not None
    facts.classes[found.key] = Class(found.name, block_prose(block), tuple(params), body, forward if explicit else None)


def _param(facts: SpecFacts, found: BlockFacts, arg: str) -> Param:
    name = found.args[arg]
    if arg not in found.defaults:
        return Param(str(name), name.kind)
    constant = facts.constant(facts.document.blocks[found.key[0]].args[arg])
    return Param(str(name), name.kind | (NONE if constant is None else frozenset()), constant)
