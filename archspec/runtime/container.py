"""Modules whose `forward` is code written for them: calls of their children by attribute, and nothing else.

The code has no text of a specification but attributes, which are checked identifiers; `plan` checks them.
"""

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

from torch import nn

from archspec.ops import Function
from archspec.runtime.calls import numbers, resolve
from archspec.runtime.plan import ChildCall, ForwardPlan, checked


class Made(nn.Module):
    """The base of modules with a written forward; copied and pickled by what they are written from.

    Its own attributes begin with _, as no name of a specification does.

    Attributes:
        _made_from: The plan or call from which the class can be written again.
        _code: The text of its `forward`.
        _settings: What `extra_repr` shows.
    """

    _made_from: "ForwardPlan | FunctionCall"
    _code: str
    _settings: str = ""

    def __reduce__(self) -> tuple[Callable[..., nn.Module], tuple[Any, ...], dict[str, Any]]:
        return _blank, (self._made_from,), self.__dict__

    def extra_repr(self) -> str:
        """The arguments of its block, or the settings of its function."""
        return self._settings


def _blank(made_from: "ForwardPlan | FunctionCall") -> nn.Module:
    cls = container(made_from) if isinstance(made_from, ForwardPlan) else applied(made_from)
    return cls.__new__(cls)


@lru_cache(maxsize=4096)
def container(plan: ForwardPlan) -> type[Made]:
    """The class of containers of a plan.

    >>> from archspec.runtime.plan import ChildCall
    >>> lines = (ChildCall("conv", ("x",), ("x1",)), ChildCall("add", ("x1", "x"), ("x",)))
    >>> print(container(ForwardPlan("Residual", ("x",), lines, ("x",)))._code)
    def forward(self, x):
        x1 = self.conv(x)
        x = self.add(x1, x)
        return x
    """
    lines = [_call(line) for line in plan.lines]
    return _written(plan, plan.kind, plan.inputs, [*lines, f"return {', '.join(plan.outputs)}"], {})


def _call(line: ChildCall) -> str:
    call = f"self.{line.child}({', '.join(line.inputs)})"
    return f"{', '.join(line.results)} = {call}" if line.results else call


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function of a number of inputs, as data that can be hashed and pickled.

    Attributes:
        kind: The name of the class.
        target: The dotted name of the function.
        settings: Its keyword arguments.
        takes: How the inputs are handed over; see `Function`.
        inputs: How many there are.
    """

    kind: str
    target: str
    settings: tuple[tuple[str, Any], ...]
    takes: Literal["inputs", "list", "fold"]
    inputs: int

    @classmethod
    def of(cls, kind: str, function: Function, inputs: int) -> "FunctionCall":
        """The call of an operator's function."""
        settings = tuple(numbers(function.kwargs).items())
        return cls(kind, function.target, settings, function.takes, inputs)


@lru_cache(maxsize=4096)
def applied(call: FunctionCall) -> type[Made]:
    """The class of modules that apply a function.

    >>> print(applied(FunctionCall("Add", "torch.add", (), "fold", 3))._code)
    def forward(self, x, x1, x2):
        return function(function(x, x1), x2)
    """
    names = tuple(f"x{number}" if number else "x" for number in range(call.inputs))
    settings = "".join(f", {checked(key)}={key}" for key, _ in call.settings)
    if call.takes == "list":
        written = f"function([{', '.join(names)}]{settings})"
    elif call.takes == "fold":
        written = names[0]
        for name in names[1:]:
            written = f"function({written}, {name}{settings})"
    else:
        written = f"function({', '.join(names)}{settings})"
    known = {"function": resolve(call.target), **dict(call.settings)}
    return _written(call, call.kind, names, [f"return {written}"], known)


def _written(
    made_from: ForwardPlan | FunctionCall, kind: str, inputs: tuple[str, ...], body: list[str], known: Mapping[str, Any]
) -> type[Made]:
    """A class with a forward of these statements, whose lines a traceback shows."""
    for name in (kind, *inputs):
        checked(name)
    code = "\n".join((f"def forward({', '.join(('self', *inputs))}):", *(f"    {line}" for line in body))) + "\n"
    file = f"<{kind} {sha256(code.encode()).hexdigest()[:12]}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    scope = dict(known)
    exec(compile(code, file, "exec"), scope)  # noqa: S102  # written here, from checked identifiers
    return type(kind, (Made,), {"_made_from": made_from, "_code": code.rstrip(), "forward": scope["forward"]})
