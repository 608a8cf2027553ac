"""The whole source: its docstring, what it imports, its tables, functions and classes, and what is said of them."""

import ast
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from archspec.emit.code import Code, Kind, kind_of, written
from archspec.emit.facts import SpecFacts
from archspec.emit.helpers import HELPERS, helper, inlined_sources
from archspec.emit.layout import STEP, broken, enclosed, laid
from archspec.emit.statements import SELF, Class, Definition, If, Param, Put, codes, flat
from archspec.language.document import Block, Document, Lookup
from archspec.language.initialisation import Initialisation
from archspec.language.values import Source
from archspec.writing import WIDTH, python_comment, python_docstring, python_string

_IMPORTS = (
    ("import math", {"math"}),
    ("from collections import {}", {"OrderedDict"}),
    ("from fractions import Fraction", {"Fraction"}),
    ("from math import {}", {"ceil", "floor"}),
    ("from typing import {}", {"Any", "Final", "Self"}),
    ("import torch", {"torch"}),
    ("from torch import {}", {"Tensor", "nn"}),
    ("from torch.nn import functional", {"functional"}),
)


def page(facts: SpecFacts) -> str:
    """The text of the source."""
    parts = [_lookup(name, facts.document.lookups[text]) for text, name in facts.lookups.items()]
    bodies = [*map(_definition, facts.definitions.values())]
    bodies += [_class(made) for made in (*facts.applications.values(), *facts.classes.values())]
    used = _names("\n\n".join([*parts, *bodies]))
    own = inlined_sources(used)
    helpers = [helper(name, "Fraction" in used) for name in HELPERS if name in used]
    text = "\n\n\n".join([*parts, *helpers, *own, *bodies])
    head = "\n".join(python_docstring(module_prose(facts.document)))
    gap = "\n\n" if parts else "\n\n\n"
    return f"{head}\n\n{_imports(_names(text))}{gap}{text}\n"


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _imports(used: set[str]) -> str:
    lines = [
        line.format(", ".join(sorted(names & used, key=lambda n: (n.islower(), n))))
        for line, names in _IMPORTS
        if names & used
    ]
    standard = [line for line in lines if "torch" not in line]
    return "\n".join([*standard, *([""] if standard else []), *(line for line in lines if "torch" in line)])


# ------------------------------------------------------------------ tables and functions


def _lookup(name: str, lookup: Lookup) -> str:
    note = [python_comment(text)] if (text := sentence(lookup.doc or "")) else []
    rows = []
    for key, *cells in lookup.rows:
        if len(lookup.columns) == 2:
            rows.append(f"{STEP}{written(key)}: {written(cells[0])},")
        else:
            inner = ", ".join(f"{written(c)}: {written(v)}" for c, v in zip(lookup.columns[1:], cells, strict=True))
            rows.append(f"{STEP}{written(key)}: {{{inner}}},")
    return "\n".join([*note, f"{name} = {{", *rows, "}"])


def _definition(made: Definition) -> str:
    params = ", ".join(f"{param.name}: {annotation(param.kind)}" for param in made.params)
    head = f"def {made.name}({params}) -> {annotation(kind_of(made.result))}:"
    return "\n".join([head, *broken(STEP, "return ", made.result)])


# ------------------------------------------------------------------ classes


def _class(made: Class) -> str:
    base = "Chain" if made.forward is None else "nn.Module"
    lines = [f"class {made.name}({base}):"]
    paragraphs = list(made.doc)
    described = [(param.name, text) for param in made.params if (text := sentence(param.doc or ""))]
    if described:
        entries = "\n".join(f"    {name}: {text}" for name, text in described)
        paragraphs = [*paragraphs, f"Args:\n{entries}"]
    if paragraphs:
        lines += [*python_docstring(paragraphs, STEP), ""]
    if constants := _constants(made):
        lines += [*(f"{STEP}{name}: Final[bool]" for name in constants), ""]
    if made.params or made.body:
        lines += [*_signature(made.params), f"{STEP * 2}super().__init__()", *laid(made.body, STEP * 2)]
        lines += [f"{STEP * 2}self._initialise()"] if made.beginning else []
    if made.forward is not None:
        lines += [""] if made.params or made.body else []
        taken = "".join(f", {name}: Tensor" for name in made.inputs)
        given = "Tensor" if made.outputs == 1 else f"tuple[{', '.join(['Tensor'] * made.outputs)}]"
        lines += [f"{STEP}def forward(self, {made.flow}: Tensor{taken}) -> {given}:"]
        lines += laid(made.forward, STEP * 2, {made.flow, *made.inputs})
    if made.beginning:
        lines += ["", f"{STEP}def _initialise(self) -> None:", *python_docstring(made.authority, STEP * 2)]
        lines += [f"{STEP * 2}with torch.no_grad():", *laid(made.beginning, STEP * 3)]
    if len(lines) == 1:  # of a block that does nothing
        lines += [f"{STEP}pass"]
    return "\n".join(lines).rstrip()


def _constants(made: Class) -> list[str]:
    """The attributes that the forward decides by, where a child may be missing, so that it can be scripted."""
    sides = [side for statement in made.body if isinstance(statement, If) for side in statement.bodies()]
    if not any(isinstance(s, Put) and s.owner == SELF for side in sides for s in flat(side)):
        return []
    conditions = tuple(s.condition for s in flat(made.forward or ()) if isinstance(s, If))
    return list(dict.fromkeys(found.parts[1] for found in codes(conditions) if found.head == "attr"))


def _signature(params: tuple[Param, ...]) -> Iterator[str]:
    positional = [_parameter(param) for param in params if not param.keyword]
    keywords = [_parameter(param) for param in params if param.keyword]
    listed = ["self", *positional, *(["*", *keywords] if keywords else [])]
    line = f"{STEP}def __init__({', '.join(listed)}) -> None:"
    if len(line) <= WIDTH:
        yield line
    else:
        yield from enclosed(STEP, "def __init__(", [("", Code("text", (part,))) for part in listed], ") -> None:")


def _parameter(param: Param) -> str:
    default = "" if param.default is ... else f" = {_default(param)}"
    return f"{param.name}: {annotation(param.kind)}{default}"


def _default(param: Param) -> str:
    """A default: a rational number exactly, or as its decimal, if it has one, where the class makes it exact."""
    value = param.default
    if isinstance(value, Fraction) and "given" in param.kind:
        decimal = repr(float(value))
        return decimal if Fraction(decimal) == value else python_string(str(value))
    return written(value)


def annotation(kind: Kind) -> str:
    """The type of what is of a kind."""
    if "given" in kind:
        return "float | str | Fraction"
    atoms = sorted((_atom(part) for part in kind if part not in ("none", "rational")), key=lambda t: (len(t), t))
    atoms += ["Fraction"] if "rational" in kind else []
    return " | ".join(dict.fromkeys([*atoms, *(["None"] if "none" in kind else [])]))


def _atom(part: Any) -> str:
    return f"tuple[{', '.join(map(annotation, part))}]" if isinstance(part, tuple) else str(part)


# ------------------------------------------------------------------ docstrings: what the specification says of itself


def module_prose(document: Document) -> list[str]:
    """The paragraphs above everything: what the network is, and the paper."""
    doc = sentence(document.doc or "")
    paragraphs = [doc or sentence(document.source.title if document.source else "") or sentence(document.name)]
    if document.source:
        paragraphs.append(cited(document.source, titled=bool(doc)))
        if document.source.note:
            paragraphs.append(sentence(document.source.note))
    return [paragraph for paragraph in paragraphs if paragraph]


def network_prose(document: Document, name: str) -> str:
    """What the class of the network is called in its own docstring."""
    source = document.source
    place = (source.table or (f"section {source.section}" if source.section else None)) if source else None
    return sentence(f"the network of {place}" if place else name)


def beginning_prose(initialisation: Initialisation) -> tuple[str, ...]:
    """What is said of how the weights begin."""
    source = initialisation.source
    if source is None:
        return ("How the weights begin.",)
    text = " ".join(filter(None, (cited(source, titled=True), sentence(source.note or ""))))
    return ("How the weights begin.", *filter(None, (text,)))


def block_prose(block: Block) -> list[str]:
    """The paragraphs of a block's class."""
    paragraphs = [sentence(block.doc or ""), cited(block.source, titled=True) if block.source else ""]
    return [paragraph for paragraph in paragraphs if paragraph]


def sentence(text: str) -> str:
    """A text that begins with a capital and ends with a point."""
    shown = " ".join(text.split())
    shown = shown[:1].upper() + shown[1:]
    return shown if not shown or shown.endswith((".", "!", "?", '"')) else f"{shown}."


def cited(source: Source, titled: bool) -> str:
    """Where something was published, as one sentence."""
    found = f"https://doi.org/{source.doi}" if source.doi else None
    arxiv = f"arXiv:{source.arxiv}" if source.arxiv else None
    section = f"section {source.section}" if source.section else None
    year = str(source.year) if source.year else None
    title = source.title if titled else None
    parts = [source.authors, year, title, arxiv, found, source.url, section, source.table]
    return sentence(", ".join(part for part in parts if part))
