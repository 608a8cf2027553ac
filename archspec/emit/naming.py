"""What things are called in the emitted source: classes in CamelCase, variables that hide nothing."""

import builtins
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from keyword import iskeyword

from archspec.language import Document

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
