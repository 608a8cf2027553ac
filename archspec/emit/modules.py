"""Operators and blocks: what makes their modules, and how the forward calls them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec import ops
from archspec.emit import code, naming
from archspec.emit.code import Code, Fork
from archspec.emit.conditions import conditional, settled
from archspec.emit.containers import Outflow, Shapes, add_module, child_code, give, kept_settings, told_shapes, weighted
from archspec.emit.facts import BlockFacts, SpecFacts
from archspec.emit.frame import Called, Either, Frame, Named, call_module, mapped
from archspec.emit.joins import join
from archspec.emit.layer import LayerCode, call_code, function_code, layers, settings, tied_code
from archspec.emit.naming import class_name, identifier
from archspec.emit.scope import TENSOR, channel
from archspec.emit.statements import SELF, Class, Keep, Param, Return, codes
from archspec.errors import ArchspecError
from archspec.language.rules import block_inputs, expressions, label_of
from archspec.ops import Function, Module


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of an operator or block.

    Attributes:
        callee: What is called.
        args: The code of its arguments.
        values: What it takes beside what flows: a block by the names of its inputs, an operator by numbers.
        written: The arguments as the specification writes them.
    """

    callee: str
    args: Mapping[str, Any]
    values: Mapping[Any, Named] = field(default_factory=dict)
    written: Mapping[str, Any] | None = None

    @property
    def tensors(self) -> tuple[Code, ...]:
        """The tensors that it takes beside what flows."""
        return tuple(x for _, x in self.values.values())


def taken(callee: str, sources: tuple[str, ...], args: Mapping[str, Any], frame: Frame) -> dict[Any, Named]:
    """What a call takes by `from`, whose first value flows from now on, and by the names of a block's inputs."""
    found = [frame.value_of(label) for label in sources]
    if found:
        frame.flow, frame.x = found[0]
        frame.does = True
    if callee not in frame.facts.document.blocks:
        return dict(enumerate(found[1:]))
    names = block_inputs(frame.facts.document, callee)
    named = {name: frame.value_of(str(label_of(args[name]))) for name in names if name in args}
    return {**dict(zip(names, found[1:], strict=False)), **named}


def read_args(callee: str, args: Mapping[str, Any], frame: Frame, flow: Any = None) -> dict[str, Any]:
    """The code of arguments, without the names of values that a block takes."""
    labels = block_inputs(frame.facts.document, callee)
    return {name: frame.read(value, flow) for name, value in args.items() if name not in labels}


def apply(asked: Asked, label: str | None, frame: Frame, share: str | None = None) -> None:
    """Put an operator or a block, by its `label`, behind what flows and the other values that it takes.

    It may `share` the weights of another step, whose arguments are the same or are written the same.
    """
    names = (name for value in (asked.written or {}).values() for each in expressions(value) for name in each.names)
    if any(name in frame.env for name in names):  # which may mean something else at another step
        asked = replace(asked, written=None)
    name = naming.child_name(label or asked.callee, frame)
    if share is None:
        apply_as(name, asked, frame, label)
        if label in frame.modules:
            frame.modules[label] = replace(frame.modules[label], written=asked.written)
    else:
        _apply_again(asked, label, share, frame)
    frame.keep(label)


def _apply_again(asked: Asked, label: str | None, share: str, frame: Frame) -> None:
    """Call a module that was called before, or compute with its weights what an operator of another kind does."""
    made, callee = frame.modules.get(share), asked.callee
    if made is None or frame.forward is None:
        raise ArchspecError(f"share: '{share}' stands in another part of the source, or is repeated")
    if label is not None:
        within = [item for item in frame.modules.items() if item[0].startswith(f"{share}/")]
        inside = {label + name.removeprefix(share): each for name, each in within}
        frame.modules |= {label: made, **inside}
    same = made.args == asked.args or (asked.written is not None and made.written == asked.written)
    if callee in frame.facts.document.blocks:
        if made.callee != callee or not same:
            raise ArchspecError(f"share: '{share}' is called with other arguments")
        _block(asked, made.module, frame, label, made)
        return
    found = layers(callee, asked.args, (frame.flow,), frame)
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
    *_, owner = codes(made.module)
    if label is not None and owner == SELF:
        frame.modules[label] = made


def apply_as(name: Any, asked: Asked, frame: Frame, label: str | None = None) -> None:
    """The same, under a name that is free in the container."""
    callee = asked.callee
    if callee in frame.facts.document.blocks:
        _block(asked, name, frame, label)
    elif asked.values:
        joined = (Outflow(frame.x, frame.flow, True), *(Outflow(x, shape, True) for shape, x in asked.values.values()))
        join(callee, asked.args, dict(enumerate(joined)), name, frame, "a value of")
    else:
        _layer(layers(callee, asked.args, (frame.flow,), frame), callee, name, frame)
        if isinstance(name, str):
            _remember(label, Called(callee, asked.args, child_code(name, frame)), frame)


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
        name = naming.single_name(name, frame)
    if isinstance(found.call, Function):
        _function(found.call, callee, name, frame)
    elif found.call.target != "torch.nn.Identity":
        _beside(found.call.before, callee, name, frame)
        add_module(name, weighted(found, callee, frame), frame)
        _beside(found.call.after, callee, name, frame)
    frame.flow, frame.does = settled(found.shape, frame), True


def _beside(calls: tuple[Function, ...], callee: str, name: Any, frame: Frame) -> None:
    """The functions before or behind an operator's module."""
    for call in calls:
        kind = call.target.rpartition(".")[2]
        _function(call, kind, naming.neighbour_name(name, callee, kind, frame), frame)


def _function(call: Function, kind: str, name: Any, frame: Frame) -> None:
    """A function of what flows: in a forward as it is, in a chain as a module that calls it."""
    if frame.forward is not None and not code.names(tuple(settings(call).values())):
        frame.flow_into(function_code(call, (frame.x,)))
    else:
        add_module(name, frame.scope.shortened(_as_module(kind, call, frame.facts)), frame)


MODULES = {"torch.flatten": ("torch.nn.Flatten", {"start_dim": 1})}
"""The modules that torch has for its functions, and what they take where nothing is given."""


def _as_module(kind: str, call: Function, facts: SpecFacts) -> Code:
    """The code that makes a module which applies a function; its class has what is not fixed as arguments."""
    if call.target in MODULES:
        target, defaults = MODULES[call.target]
        return call_code(Module(target, call.kwargs, defaults=defaults))
    given = settings(call)
    free = {key: value for key, value in given.items() if code.names(value)}
    key = (kind, call.target, *((key, None if key in free else value) for key, value in sorted(given.items())))
    if key not in facts.applications:
        shown = replace(call, kwargs={**given, **{name: Code("attr", (SELF, name)) for name in free}})
        forward = (Return(function_code(shown, (code.name("x", TENSOR),))),)
        body = tuple(Keep(name, code.name(name, code.kind_of(value))) for name, value in free.items())
        params = tuple(Param(name, code.kind_of(value)) for name, value in free.items())
        facts.applications[key] = Class(
            facts.file.new(class_name(kind)), [_described(kind, call)], params, body, forward
        )
    return Code("call", (facts.applications[key].name, (), tuple(free.items())), TENSOR)


def _described(kind: str, call: Function) -> str:
    """What a module does that applies a function: as the operator says it, else by the function's name."""
    known = ops.registered().get(kind)
    doc = (known.__doc__ or "").partition("\n")[0].partition(":")[0].rstrip(".") if known else ""
    return f"{doc}." if doc else f"`{call.target}` as a module."


def _block(asked: Asked, name: Any, frame: Frame, label: str | None, again: Called | None = None) -> None:
    """A block's module, or one that is called `again`, and the shapes that it gives."""
    scope, prefix, callee, args = frame.scope, f"{label}/", asked.callee, asked.args
    given = tuple(each.removeprefix(prefix) for each in scope.from_uses if label and each.startswith(prefix))
    given = given if again is None else again.given
    flows = {"": frame.flow, **{each: shape for each, (shape, _) in asked.values.items()}}
    if any(isinstance(shape, Either) for shape in list(flows.values())[1:]):
        raise ArchspecError(f"a value that {callee} takes has one of several numbers of axes")
    facts = frame.facts.block(callee, flows, args, given)
    values = {
        arg: scope.whole(value) if (facts.key, arg) in frame.facts.whole else value for arg, value in args.items()
    }
    made: Any = scope.shortened(facts.call(values, flows, scope.symbol))
    known = facts.known(values, flows, scope.symbol)
    shapes: Shapes = {each: mapped(lambda size: _told(size, known), shape) for each, shape in facts.shapes.items()}
    frame.does = code.either(frame.does, code.substituted(facts.does, known))
    if again is None and isinstance(name, str):
        _remember_block(Called(callee, args, child_code(name, frame), given), facts, known, label, frame)
    tensors = {each: scope.tensor(None, identifier(prefix + each)) for each in given}
    if again is None:
        shapes = give(name, made, shapes, facts.key, callee, frame, () if given else _long_sizes(shapes[""]))
    else:
        shapes = told_shapes(again.module, facts.key, shapes, frame)
    if frame.forward is not None:
        call = call_module(again.module if again else child_code(name, frame), frame.x, *asked.tensors)
        frame.x = frame.unpack(frame.x, tensors.values(), call)
    frame.flow = settled(shapes[""], frame)
    frame.named |= {prefix + each: (shapes[each], x) for each, x in tensors.items()}


def _remember_block(
    made: Called, facts: BlockFacts, known: Mapping[Code, Any], label: str | None, frame: Frame
) -> None:
    """Keep a block's module for the steps that share its weights, and the modules inside it."""
    _remember(label, made, frame)
    for inner, each in facts.modules.items():
        own = {arg: code.substituted(value, known) for arg, value in each.args.items()}
        _remember(f"{label}/{inner}" if label else None, replace(each.inside(made.module), args=own), frame)


def _told(size: Any, known: Mapping[Code, Any]) -> Any:
    """A size of a block in the names of its caller; None where the block's own walk did not know of such a call."""
    try:
        return None if size is None else code.substituted(size, known)
    except (TypeError, ArchspecError):
        return None


def _long_sizes(shape: Any) -> tuple[int, ...]:
    """The axis of the channels, where code calls a function for them: a module had better tell."""
    if isinstance(shape, Either):
        return ()
    axis = channel(len(shape))
    return (axis,) if any(found.head in {"call", "if", "out"} for found in codes(shape[axis])) else ()
