"""What things are called in the emitted source: classes in CamelCase, variables that hide nothing, children as nodes.

Children have the node names of `graph.expand`: a name that is taken gets a number. Which are taken may depend on
conditions; each set of conditions is a world.
"""

import builtins
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from archspec.emit import code
from archspec.emit.code import Code
from archspec.emit.statements import SELF
from archspec.errors import ArchspecError
from archspec.language import Document

if TYPE_CHECKING:
    from archspec.emit.frame import Frame


IMPORTED = frozenset(
    {"Any", "Chain", "Final", "Fraction", "OrderedDict", "Self", "Tensor"}
    | {"ceil", "floor", "functional", "math", "nn", "pad", "self", "torch"}
)
"""The names that the source imports, or that every method has."""

_CAPITALS = {
    "bn": "BN", "fc": "FC", "lrn": "LRN", "mlp": "MLP", "prelu": "PReLU", "relu": "ReLU", "relu6": "ReLU6", "se": "SE"
}  # fmt: skip


def class_name(name: str) -> str:
    """The name of a block's class.

    >>> class_name("inverted_residual"), class_name("conv_bn_relu"), class_name("inception_a")
    ('InvertedResidual', 'ConvBNReLU', 'InceptionA')
    """
    return _joined(_CAPITALS.get(part, part[:1].upper() + part[1:]) for part in name.split("_") if part)


def network_name(document: Document) -> str:
    """The name of a network's class: as its title or description writes it, else from its name.

    >>> from archspec.language import load
    >>> [network_name(load(name)) for name in ("mobilenet_v2", "vgg16", "resnet50", "lenet_5", "squeezenet_v1_1")]
    ['MobileNetV2', 'VGG16', 'ResNet50', 'LeNet5', 'SqueezeNetV1_1']
    """
    letters = re.sub("[^a-z0-9]", "", document.name.lower())
    pattern = re.compile("(?<![A-Za-z0-9])" + r"[\s._-]?".join(letters) + "(?![A-Za-z0-9])", re.IGNORECASE)
    for text in (document.source.title if document.source else "", document.doc or ""):
        found = pattern.search(text)
        if found and found[0].lower() != found[0] and found[0].isascii():
            return _joined(part[:1].upper() + part[1:] for part in re.split(r"[\s._-]", found[0]))
    return _joined(map(_token, document.name.split("_")))


def _token(part: str) -> str:
    """A part of a network's name: vgg16 is VGG16, for it has no vowels; resnet is ResNet."""
    if part in _CAPITALS:
        return _CAPITALS[part]
    if not set(part.lower()) & set("aeiouy") and not re.match(r"v\d", part):
        return part.upper()
    return re.sub(r"(?<=[a-z])net(?=\d*$)", "Net", part[:1].upper() + part[1:])


def _joined(parts: Iterable[str]) -> str:
    """The parts in one word; two numbers stay apart."""
    text = ""
    for part in parts:
        text += f"_{part}" if text[-1:].isdigit() and part[:1].isdigit() else part
    return text if text[:1].isalpha() else f"Network{text}"


def identifier(path: str) -> str:
    """What the variable of a value is called that a path leads to.

    >>> identifier("encoder/stage3")
    'encoder_stage3'
    """
    return path.replace("/", "_")


class FreshNames:
    """The names of one place of the source; none is given twice, and none hides what the source needs."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def new(self, wanted: str, avoided: AbstractSet[str] = frozenset()) -> str:
        """The name, with _ or a number behind it where it is taken.

        >>> names = FreshNames()
        >>> names.new("c"), names.new("c"), names.new("range")
        ('c', 'c_2', 'range_')
        """
        name = f"{wanted}_" if iskeyword(wanted) or wanted in IMPORTED or hasattr(builtins, wanted) else wanted
        count = 1
        while name in self.taken or name in avoided:
            count += 1
            name = f"{wanted}_{count}"
        self.taken.add(name)
        return name


# ------------------------------------------------------------------ children of a container


MAX_WORLDS = 16

World = tuple[Any, dict[str, int]]
"""A condition, and how often each name was given where it holds."""


def child_name(wanted: str, frame: "Frame") -> Any:
    """A name that is free in a container, as `graph.expand` gives it; code where it depends on conditions."""
    taken = frame.facts.inputs if frame.owner == SELF and frame.scope.top else frozenset[str]()
    found = [(condition, _free(wanted, names, taken)) for condition, names in frame.worlds]
    name: Any = found[-1][1]
    for condition, text in reversed(found[:-1]):
        name = code.choose(condition, text, name)
    frame.given |= {name} if isinstance(name, str) else set()
    return name


def _free(wanted: str, names: dict[str, int], taken: frozenset[str]) -> str:
    count = names.get(wanted, 0) + 1
    names[wanted] = count
    if count == 1 and wanted not in taken:
        return wanted
    return _free(f"{wanted}_{max(count, 2)}", names, taken)


def merge_worlds(worlds: list[World], repeated: frozenset[str]) -> list[World]:
    """The worlds that differ in a name that comes again; those that do not are one."""
    found: dict[Any, World] = {}
    for condition, names in worlds:
        key = tuple(sorted((name, count) for name, count in names.items() if name in repeated))
        known = found.get(key)
        found[key] = (condition, names) if known is None else (code.either(known[0], condition), {**names, **known[1]})
    if len(found) == 1:
        return [(True, names) for _, names in found.values()]
    if len(found) > MAX_WORLDS:
        raise ArchspecError("the names of steps depend on too many conditions; name them by `as`")
    return list(found.values())


def single_name(name: Any, frame: "Frame") -> Any:
    """One name for a module without weights, in place of those that it has on several conditions.

    Its name says nothing to a state dict, but no other child may ever have it.
    """
    if not (isinstance(name, Code) and name.head == "if") and name not in frame.literal:
        return name
    base, number = _last(name)
    while (text := f"{base}_{number}") in frame.literal or text in frame.given:
        number += 1
    frame.literal.add(text)
    return text


def neighbour_name(name: Any, callee: str, kind: str, frame: "Frame") -> Any:
    """A free name for what stands before or behind a child."""
    if isinstance(name, Code) and name.head in {"format", "name"}:
        pieces = name.parts if name.head == "format" else (name,)
        return Code("format", (*pieces, f"_{kind}"), code.WORD)
    wanted = f"{name if isinstance(name, str) else callee}_{kind}"
    text, count = wanted, 1
    while text in frame.literal or text in frame.facts.local_names:
        count += 1
        text = f"{wanted}_{count}"
    frame.literal.add(text)
    return text


def _last(name: Any) -> tuple[str, int]:
    """Of the names that a child may have, the base and the highest number."""
    if isinstance(name, Code):
        return max((_last(part) for part in name.parts[1:]), key=lambda found: found[1])
    base, _, number = str(name).rpartition("_")
    return (base, int(number)) if base and number.isdigit() else (str(name), 1)


def unit_name(number: Any) -> Any:
    """The name of a repetition, counted from 0 in the source and from 1 in the names."""
    return Code("format", ("unit", number + 1), code.WORD) if isinstance(number, Code) else f"unit{number + 1}"
