"""The classes and functions of a source, before they are text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archspec import ops
from archspec.emit import code
from archspec.emit.code import Code, Kind
from archspec.emit.finish import SELF
from archspec.emit.layer import function_code, module_code, settings
from archspec.emit.naming import class_name
from archspec.emit.scope import TENSOR, ClassScope
from archspec.emit.statements import Keep, Return, Statements, all_codes, targets
from archspec.ops import Function, Module

if TYPE_CHECKING:
    from archspec.emit.facts import SpecFacts


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a constructor or function; `default` is a text, None where there is no default."""

    name: str
    kind: Kind
    default: Any = ...
    keyword: bool = False
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the source; its forward takes what flows, called `flow`, and `inputs`."""

    name: str
    doc: Sequence[str]
    params: tuple[Param, ...]
    body: Statements
    forward: Statements | None
    inputs: tuple[str, ...] = ()
    flow: str = "x"
    outputs: int = 1
    beginning: Statements = ()
    authority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A function of the source: one formula; its last parameters are `symbols` of the specification."""

    name: str
    params: tuple[Param, ...]
    result: Any
    symbols: tuple[str, ...]


def nested(scope: ClassScope, shapes: Mapping[str, Any], inputs: tuple[str, ...]) -> Code:
    """The class of a part of a block, and the code that makes it."""
    body, forward = scope.finish_class(shapes, scope.inherited)
    own = {"self", *targets(body)}
    free = {str(each): each for each in all_codes(body) if each.head == "name" and str(each) not in own}
    given = {**free, **{str(name): value for value, name in scope.handed.items()}}
    sizes = [name for name in free if name.startswith("in_")]
    others = [name for name in free if name not in sizes]
    params = tuple(Param(name, free[name].kind) for name in (*sizes, *others))
    name = scope.facts.file.new(class_name(scope.label))
    scope.facts.classes[scope.key] = Class(name, [scope.doc], params, body, forward, inputs, outputs=len(shapes))
    return Code(
        "call", (name, tuple(given[size] for size in sizes), tuple((other, given[other]) for other in others)), TENSOR
    )


MODULES = {"torch.flatten": ("torch.nn.Flatten", {"start_dim": 1})}
"""The modules that torch has for its functions, and what they take where nothing is given."""


def applied(kind: str, call: Function, facts: "SpecFacts") -> Code:
    """The code that makes a module which applies a function; its class has what is not fixed as arguments."""
    if call.target in MODULES:
        target, defaults = MODULES[call.target]
        return module_code(Module(target, call.kwargs, defaults=defaults))
    given = settings(call)
    free = {key: value for key, value in given.items() if code.names(value)}
    key = (kind, call.target, *((key, None if key in free else value) for key, value in sorted(given.items())))
    if key not in facts.applications:
        shown = replace(call, kwargs={**given, **{name: Code("attr", (SELF, name)) for name in free}})
        forward = (Return(function_code(shown, (code.name("x", TENSOR),))),)
        body = tuple(Keep(name, code.name(name, code.kind_of(value))) for name, value in free.items())
        params = tuple(Param(name, code.kind_of(value)) for name, value in free.items())
        facts.applications[key] = Class(facts.file.new(class_name(kind)), [_applied(kind, call)], params, body, forward)
    return Code("call", (facts.applications[key].name, (), tuple(free.items())), TENSOR)


def _applied(kind: str, call: Function) -> str:
    """What a module does that applies a function: as the operator says it, else by the function's name."""
    known = ops.registered().get(kind)
    doc = (known.__doc__ or "").partition("\n")[0].partition(":")[0].rstrip(".") if known else ""
    return f"{doc}." if doc else f"`{call.target}` as a module."
