"""The classes of blocks: a block's arguments are its class's."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archspec.emit import code
from archspec.emit.classes import Class, Param
from archspec.emit.code import INT, NONE, Code
from archspec.emit.containers import bind_lets, is_chain
from archspec.emit.facts import BlockFacts, SpecFacts, merged_values
from archspec.emit.frame import UNTOLD, Frame, Named, X, mapped
from archspec.emit.prose import block_prose
from archspec.emit.scope import BATCH, TENSOR, ClassScope, dimensions
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
