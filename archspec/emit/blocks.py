"""The classes of blocks: a block's arguments are its class's."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.classes import Class, Param
from archspec.emit.code import INT, NONE, Code
from archspec.emit.conditions import reader
from archspec.emit.containers import bind_lets, is_chain
from archspec.emit.facts import BlockFacts, SpecFacts, merged_values
from archspec.emit.flow import mapped
from archspec.emit.frame import UNTOLD, Frame, Named, X
from archspec.emit.prose import block_prose
from archspec.emit.scope import TENSOR, ClassScope, dimensions
from archspec.emit.statements import Assign, If, Return, used
from archspec.errors import ArchspecError
from archspec.language.document import INPUT, Block, Body


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
    scope = ClassScope(facts, key.callee, key, facts.froms(block.body) + Counter(key.given))
    found.sizes = {
        (name, axis): code.name(scope.names.new(f"{name or 'in'}_{text}"))
        for name, rank in key.ranks
        for axis, text in enumerate(dimensions(rank))
        if axis
    }
    flows = {name: _shape(found, name) for name, _ in key.ranks}
    inputs = {name: (shape, code.name(scope.tensors.new(name), TENSOR) if name else X) for name, shape in flows.items()}
    taken = {INPUT: inputs.pop(""), **inputs}
    frame = new_frame(scope, block.body, taken, several=len(taken) > 1 or bool(key.given))
    for arg, default in block.args.items():
        _arg(arg, default, found, frame)
    bind_lets(block.let, frame)
    walk_body(block.body, frame, key.given)
    order = list(facts.globals)
    found.free = dict(sorted(scope.symbols.items(), key=lambda item: order.index(item[0])))
    own = {*found.sizes.values(), *found.args.values(), *found.free.values()}
    told = lambda size: size if set(code.names(size)) <= own else None  # noqa: E731
    shapes = {"": frame.flow, **{name: frame.named[name][0] for name in key.given}}
    found.shapes = {name: mapped(told, shape) for name, shape in shapes.items()}
    found.modules = frame.modules
    found.does = frame.does if set(code.names(frame.does)) <= own else UNTOLD
    _finish(facts, found, frame, shapes, tuple(str(x) for name, (_, x) in taken.items() if name != INPUT))


def _shape(found: BlockFacts, name: str) -> tuple[Code, ...]:
    """The shape of an input in the names of the block."""
    return (code.name("batch"), *(size for (taken, _), size in found.sizes.items() if taken == name))


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
        frame.lines.add(If(code.compare(code.name(variable), "is", None), (Assign((variable,), value, kept=True),)))
    found.args[arg] = frame.env[arg] = code.name(variable, (kind - NONE) or INT, values)
    scope.args.add(found.args[arg])


def _finish(
    facts: SpecFacts, found: BlockFacts, frame: Frame, shapes: Mapping[str, Any], inputs: tuple[str, ...]
) -> None:
    key = found.key
    block = facts.document.blocks[key.callee]
    fixed = {str(n) for n in (*found.sizes.values(), *found.args.values(), *found.free.values())}
    body, forward = facts.finish_class(frame.scope, shapes, frozenset(fixed))
    uses = used(body)
    found.needed = tuple(axis for axis, name in found.sizes.items() if uses[str(name)])
    found.free = {text: name for text, name in found.free.items() if uses[str(name)]}
    required = [arg for arg, default in block.args.items() if Block.is_required(default)]
    params = [Param(str(found.sizes[axis]), INT) for axis in found.needed]
    params += [_param(facts, found, arg) for arg in (*required, *(arg for arg in block.args if arg not in required))]
    params += [Param(str(name), name.kind, keyword=True) for name in found.free.values()]
    written = forward if frame.forward is not None else None
    facts.classes[key] = Class(
        found.name, block_prose(block), tuple(params), body, written, inputs, outputs=1 + len(key.given)
    )


def _param(facts: SpecFacts, found: BlockFacts, arg: str) -> Param:
    name = found.args[arg]
    if arg not in found.defaults:
        return Param(str(name), name.kind)
    constant = facts.constant(facts.document.blocks[found.key.callee].args[arg])
    return Param(str(name), name.kind | (NONE if constant is None else frozenset()), constant)
