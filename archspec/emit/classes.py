"""The classes and functions of a source, before they are text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archspec.emit.code import Kind
from archspec.emit.statements import Statements


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
