"""Operators and blocks: what makes their modules, and how the forward calls them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.emit import children, code
from archspec.emit.bodies import expressions
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import conditional, settled
from archspec.emit.containers import add_module, child_code, child_statement, told_size
from archspec.emit.facts import BlockFacts, BlockKey
from archspec.emit.finish import SELF
from archspec.emit.flow import Either, mapped, sizes
from archspec.emit.frame import Called, Frame, Named, call_module
from archspec.emit.layer import LayerCode, function_code, layers, module_code, settings, tied_code
from archspec.emit.naming import identifier
from archspec.emit.scope import TENSOR, channel
from archspec.emit.statements import Assign, codes
from archspec.errors import ArchspecError
from archspec.graph.names import attribute
from archspec.language.rules import block_inputs, label_of
from archspec.ops import Function, Module


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call takes beside what flows.

    Attributes:
        more: The other values of an operator of several inputs.
        named: Those of a block, by the names of its inputs.
    """

    more: tuple[Named, ...] = ()
    named: Mapping[str, Named] = field(default_factory=dict)


NONE_TAKEN = Taken()


def taken(callee: str, sources: tuple[str, ...], args: Mapping[str, Any], frame: Frame) -> Taken:
    """What a call takes by `from`, whose first value flows from now on, and by the names of a block's inputs.

    Args:
        callee: The operator or block.
        sources: The names under `from`.
        args: The arguments as the specification has them.
        frame: Where it is called.
    """
    found = [value_of(label, frame) for label in sources]
    if found:
        frame.flow, frame.x = found[0]
        frame.does = True
    names = block_inputs(frame.facts.document, callee)
    if callee not in frame.facts.document.blocks:
        return Taken(tuple(found[1:]))
    named = {name: value_of(str(label_of(args[name])), frame) for name in names if name in args}
    return Taken(named={**dict(zip(names, found[1:], strict=False)), **named})


def value_of(label: str, frame: Frame) -> Named:
    """The value of a name.

    Raises:
        ArchspecError: Nothing has it yet.
    """
    if label not in frame.named:
        raise ArchspecError(f"from: nothing before this is called '{label}'")
    return frame.named[label]


def apply(
    callee: str,
    args: Mapping[str, Any],
    label: str | None,
    frame: Frame,
    values: Taken = NONE_TAKEN,
    share: str | None = None,
    written: Mapping[str, Any] | None = None,
) -> None:
    """Put an operator or a block behind what flows and the other values that it takes.

    Args:
        callee: The operator or block.
        args: The code of its arguments.
        label: What the specification calls it.
        frame: Where it is called.
        values: The other values.
        share: What the step is called whose weights it has.
        written: The arguments as the specification writes them.
    """
    if any(
        name in frame.env for value in (written or {}).values() for each in expressions(value) for name in each.names
    ):
        written = None  # a name that may mean something else at another step
    name = children.child_name(label or callee, frame)
    if share is None:
        apply_as(name, callee, args, frame, values, label)
        if label in frame.modules:
            frame.modules[label] = replace(frame.modules[label], written=written)
    else:
        _apply_again(callee, args, frame, values, label, share, written)
    keep_value(label, frame)


def _apply_again(
    callee: str,
    args: Mapping[str, Any],
    frame: Frame,
    values: Taken,
    label: str | None,
    share: str,
    written: Mapping[str, Any] | None,
) -> None:
    """Call a module that was called before, or compute with its weights what an operator of another kind does."""
    made = frame.modules.get(share)
    if made is None or frame.forward is None:
        raise ArchspecError(f"share: '{share}' stands in another part of the source, or is repeated")
    if label is not None:
        inside = {
            name.removeprefix(share): each for name, each in frame.modules.items() if name.startswith(f"{share}/")
        }
        frame.modules |= {label: made, **{f"{label}{name}": each for name, each in inside.items()}}
    same = made.args == args or (written is not None and made.written == written)
    if callee in frame.facts.document.blocks:
        if made.callee != callee or not same:
            raise ArchspecError(f"share: '{share}' is called with other arguments")
        _block(callee, args, made.module, frame, values, label, made)
        return
    pair = lambda size: frame.scope.pair(size, frame.lines)  # noqa: E731
    found = layers(callee, args, (frame.flow,), frame.scope.whole, pair)
    if isinstance(found, Fork) or not isinstance(found.call, Module):
        raise ArchspecError(f"share: how {callee} is computed depends on a condition")
    _around(found.call.before, frame)
    if made.callee == callee and same:
        frame.flow_into(call_module(made.module, frame.x))
    else:
        frame.flow_into(tied_code(found.call, frame.x, Code("attr", (made.module, "weight"), TENSOR)))
    _around(found.call.after, frame)
    frame.flow, frame.does = settled(found.shape, frame), True


def _around(calls: tuple[Function, ...], frame: Frame) -> None:
    """The functions before or behind a module that is called again."""
    for call in calls:
        frame.flow_into(function_code(replace(call, kwargs=kept_settings(call.kwargs, frame)), (frame.x,)))


def _remember(label: str | None, made: Called, frame: Frame) -> None:
    """Keep a module for the steps that share its weights, if the class can reach it."""
    owner = made.module
    while isinstance(owner, Code) and owner.head == "attr":
        owner = owner.parts[0]
    if label is not None and owner == SELF:
        frame.modules[label] = made


def apply_as(
    name: Any,
    callee: str,
    args: Mapping[str, Any],
    frame: Frame,
    values: Taken = NONE_TAKEN,
    label: str | None = None,
) -> None:
    """The same, under a name that is free in the container."""
    if callee in frame.facts.document.blocks:
        _block(callee, args, name, frame, values, label)
    elif values.more:
        _join(callee, args, name, (frame.flow, *(shape for shape, _ in values.more)), values, frame)
    else:
        _operator(callee, args, name, frame)
        if isinstance(name, str):
            _remember(label, Called(callee, args, child_code(name, frame)), frame)


def keep_value(label: str | None, frame: Frame) -> None:
    """A value that has a name, for the steps that go back to it."""
    if label is None:
        return
    if frame.forward is not None and frame.scope.from_uses[label]:
        frame.x = frame.set(frame.x, want=label)
    frame.named[label] = (frame.flow, frame.x)


def _join(
    callee: str, args: Mapping[str, Any], name: Any, shapes: tuple[Any, ...], values: Taken, frame: Frame
) -> None:
    """An operator of several inputs, of which a call names each."""
    if any(isinstance(shape, Either) for shape in shapes):
        raise ArchspecError(f"a value that {callee} takes has one of several numbers of axes")
    found = layers(callee, args, shapes, frame.scope.whole, lambda _: (0, 0), frame.scope.plainness)
    if isinstance(found, Fork):
        raise ArchspecError(f"how {callee} joins depends on a condition")
    if isinstance(found.call, Module):
        if found.weightless:
            name = children.single_name(name, frame)
        add_module(name, _weighted(found, callee, frame), frame, tuple(x for _, x in values.more))
    else:
        call = replace(found.call, kwargs=kept_settings(found.call.kwargs, frame))
        frame.flow_into(function_code(call, (frame.x, *(x for _, x in values.more))))
    frame.flow, frame.does = settled(found.shape, frame), True


def _weighted(found: LayerCode, callee: str, frame: Frame) -> Code:
    """The code that makes an operator's module, whose class is noted if it has weights."""
    made: Code = frame.scope.shortened(module_code(found.call))  # type: ignore[arg-type]  # a module's call
    if not found.weightless:
        frame.facts.weighted[callee] = frame.facts.weighted.get(callee, frozenset()) | {made.parts[0]}
    return made


def kept_settings(given: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """Settings of a forward; those that the constructor works out are kept in attributes."""
    return {
        key: frame.scope.flag(key, value, frame.lines) if code.names(value) else value for key, value in given.items()
    }


def _operator(callee: str, args: Mapping[str, Any], name: Any, frame: Frame) -> None:
    found = layers(callee, args, (frame.flow,), frame.scope.whole, lambda size: frame.scope.pair(size, frame.lines))
    _layer(found, callee, name, frame)


def _layer(found: LayerCode | Fork[LayerCode], callee: str, name: Any, frame: Frame) -> None:
    label = name if isinstance(name, str) else callee
    if isinstance(found, Fork):
        conditional(
            found.condition,
            frame,
            lambda inner: _layer(found.then, callee, name, inner),
            lambda inner: _layer(found.otherwise, callee, name, inner),
            label,
        )
        return
    if found.weightless:
        name = children.single_name(name, frame)
    if isinstance(found.call, Function):
        _function(found.call, callee, name, frame)
    elif found.call.target != "torch.nn.Identity":
        _beside(found.call.before, callee, name, frame)
        add_module(name, _weighted(found, callee, frame), frame)
        _beside(found.call.after, callee, name, frame)
    frame.flow, frame.does = settled(found.shape, frame), True


def _beside(calls: tuple[Function, ...], callee: str, name: Any, frame: Frame) -> None:
    """The functions before or behind an operator's module."""
    for call in calls:
        kind = call.target.rpartition(".")[2]
        _function(call, kind, children.neighbour_name(name, callee, kind, frame), frame)


def _function(call: Function, kind: str, name: Any, frame: Frame) -> None:
    """A function of what flows: in a forward as it is, in a chain as a module that calls it."""
    if frame.forward is not None and not code.names(tuple(settings(call).values())):
        frame.flow_into(function_code(call, (frame.x,)))
    else:
        add_module(name, frame.scope.shortened(frame.facts.applied(kind, call)), frame)


def _block(
    callee: str,
    args: Mapping[str, Any],
    name: Any,
    frame: Frame,
    taken: Taken,
    label: str | None,
    again: Called | None = None,
) -> None:
    """A block's module, or one that is called `again`, and the shapes that it gives."""
    scope = frame.scope
    prefix = f"{label}/"
    given = tuple(each.removeprefix(prefix) for each in scope.from_uses if label and each.startswith(prefix))
    given = given if again is None else again.given
    flows = {"": frame.flow, **{each: shape for each, (shape, _) in taken.named.items()}}
    if any(isinstance(shape, Either) for shape in list(flows.values())[1:]):
        raise ArchspecError(f"a value that {callee} takes has one of several numbers of axes")
    facts = frame.facts.block(callee, flows, args, given)
    values = {arg: scope.whole(value) if arg in facts.whole else value for arg, value in args.items()}
    made: Any = scope.shortened(facts.call(values, flows, scope.symbol))
    known = facts.known(values, flows, scope.symbol)
    told = mapped(lambda size: _told(size, known), facts.shape)
    frame.does = code.either(frame.does, code.substituted(facts.does, known))
    more = tuple(x for _, x in taken.named.values())
    shapes = {"": told, **{each: mapped(lambda size: _told(size, known), shape) for each, shape in facts.given.items()}}
    if again is not None:
        _take(again.module, call_module(again.module, frame.x, *more), shapes, facts.key, prefix, frame)
        return
    if isinstance(name, str):
        _remember_block(Called(callee, args, child_code(name, frame), given), facts, known, label, frame)
    if given:
        _give(name, made, shapes, facts.key, prefix, more, frame)
    elif isinstance(told, Either):
        add_module(name, made, frame, more)
        frame.flow = _decided(told)
    else:
        _add_block(name, made, told, facts.key, more, frame)


def _remember_block(
    made: Called, facts: BlockFacts, known: Mapping[Code, Any], label: str | None, frame: Frame
) -> None:
    """Keep a block's module for the steps that share its weights, and the modules inside it."""
    _remember(label, made, frame)
    for inner, each in facts.modules.items():
        own = {arg: code.substituted(value, known) for arg, value in each.args.items()}
        _remember(f"{label}/{inner}" if label else None, replace(each.inside(made.module), args=own), frame)


def _add_block(name: Any, made: Any, told: Any, key: BlockKey, more: tuple[Code, ...], frame: Frame) -> None:
    """Add a block's module, which is asked for the sizes that are not known, or long to work out."""
    asked = [axis for axis, size in enumerate(told) if size is None or (axis == channel(len(told)) and _called(size))]
    module = made
    if asked and frame.owner == SELF and isinstance(name, str):
        add_module(name, made, frame, more)
        module = Code("attr", (SELF, attribute(name)))
    else:
        if asked:
            module = frame.scope.module(key.callee)
            frame.lines.set(module, made)
        add_module(name, module, frame, more)
    shape = tuple(
        told_size(module, key, axis, len(told), frame) if axis in asked else size for axis, size in enumerate(told)
    )
    frame.flow = settled(shape, frame)


def _give(
    name: Any, made: Any, shapes: dict[str, Any], key: BlockKey, prefix: str, more: tuple[Code, ...], frame: Frame
) -> None:
    """A block that gives values of its inside beside what flows."""
    module: Any = made
    if any(size is None for shape in shapes.values() for size in sizes(shape)):
        module = frame.scope.module(key.callee)
        frame.lines.set(module, made)
    frame.lines.add(child_statement(name, module, frame))
    _take(module, call_module(child_code(name, frame), frame.x, *more), shapes, key, prefix, frame)


def _take(module: Any, call: Code, shapes: dict[str, Any], key: BlockKey, prefix: str, frame: Frame) -> None:
    """What flows out of a module and the values of its inside, from a call of it.

    Args:
        module: The module, which tells the sizes that no one else can.
        call: The call of it in the forward.
        shapes: The shapes of what flows, which has no name, and of the values, as far as they are known.
        key: That of the facts of its class.
        prefix: What the names of the values begin with.
        frame: Where it is called.
    """
    if any(isinstance(shape, Either) for shape in shapes.values()):
        raise ArchspecError(f"what '{key.callee}' gives has one of several numbers of axes")
    for each, shape in shapes.items():
        shapes[each] = tuple(
            told_size(module, key, axis, len(shape), frame, each) if size is None else size
            for axis, size in enumerate(shape)
        )
    frame.x = frame.scope.tensor(frame.x)
    frame.flow = settled(shapes.pop(""), frame)
    names = {prefix + each: shape for each, shape in shapes.items()}
    given = {label: (shape, frame.scope.tensor(None, identifier(label))) for label, shape in names.items()}
    frame.written().add(Assign((str(frame.x), *(str(x) for _, x in given.values())), call))
    frame.named |= given


def _told(size: Any, known: Mapping[Code, Any]) -> Any:
    """A size of a block in the names of its caller; None where the block's own walk did not know of such a call."""
    try:
        return None if size is None else code.substituted(size, known)
    except (TypeError, ArchspecError):
        return None


def _called(value: Any) -> bool:
    """Whether code calls a function: a size that a module had better tell."""
    return any(found.head in {"call", "if", "out"} for found in codes(value))


def _decided(flow: Any) -> Any:
    """One of two shapes, where the condition is known."""
    if not isinstance(flow, Either):
        return flow
    known = code.known_truth(flow.condition)
    if known is None:
        return Either(flow.condition, _decided(flow.then), _decided(flow.otherwise))
    return _decided(flow.then if known else flow.otherwise)
