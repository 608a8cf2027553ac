"""The YAML document: reading it with the places of its faults, checking it, writing it back."""

import os
from collections.abc import Mapping
from functools import lru_cache
from io import StringIO
from pathlib import PurePath
from typing import Any

from archspec.errors import SpecError, SpecErrors, UnknownNameError
from archspec.language import zoo
from archspec.language.check import check
from archspec.language.document import Document
from archspec.language.extend import SECTIONS, extended
from archspec.language.located import Faults, validated, without_echoes
from archspec.language.origin import Origin, digest, origin
from archspec.language.reader import decode, parse, read_bytes
from archspec.language.rules import variants

__all__ = [
    "Document",
    "Origin",
    "check",
    "digest",
    "dumps",
    "load",
    "loads",
    "origin",
    "schema",
    "variants",
    "with_block",
    "zoo",
]

GUIDE = "docs/language.md"


def load(spec: str | os.PathLike[str], *, network: bool = True) -> Document:
    """Read a specification: a path, "-" for standard input, or a name of the zoo.

    Args:
        spec: What to read.
        network: Whether the steps of the network must be sound; where a block is asked for, they need not.

    Raises:
        SpecErrors: It cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor a name of the zoo.
    """
    name = os.fspath(spec)
    return _of_zoo(str(zoo.path(name)), zoo.changed(), network) if _is_zoo_name(name) else _of_file(name, network)


@lru_cache(maxsize=128)
def _of_zoo(file: str, changed: int, network: bool) -> Document:  # noqa: ARG001  # `changed` says when to read anew
    """A specification of the zoo, which is read once: documents are values."""
    return _of_file(file, network)


def _of_file(name: str, network: bool) -> Document:
    data = read_bytes(name)
    shown = "<stdin>" if name == "-" else name
    try:
        return _read(decode(data, shown), shown, None if name == "-" else name, network)
    except SpecErrors:
        what = foreign(name, data)
        if what is None:
            raise
        raise SpecErrors(
            [SpecError(f"{shown} is {what}, no specification; a specification is YAML, as in {GUIDE}")]
        ) from None


ENDINGS: Mapping[str, str] = {
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite model",
    ".h5": "a Keras model",
    ".keras": "a Keras model",
    ".cfg": "a Darknet configuration",
    ".prototxt": "a Caffe network",
    ".caffemodel": "a file of Caffe weights",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".pt2": "an exported PyTorch program",
    ".safetensors": "a file of weights (--weights takes it)",
    ".npz": "a file of weights (--weights takes it)",
    ".py": "Python source",
    ".ipynb": "a notebook",
    ".mlmodel": "a Core ML model",
}
"""What a file with such an ending is."""

MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
}
"""What a file that begins so is."""


def foreign(name: str, data: bytes) -> str | None:
    """What a file is that is no specification; None if that is not known.

    >>> foreign("net.onnx", b""), foreign("net.yaml", b"archspec: 1")
    ('an ONNX model', None)
    """
    known = ENDINGS.get(PurePath(name).suffix.lower())
    begins = (what for begin, what in MAGIC.items() if data.startswith(begin))
    return known or next(begins, "a TensorFlow Lite model" if data[4:8] == b"TFL3" else None)


OTHER_FILES = {
    "plan": "a plan (archspec compress --plan)",
    "figures_of": "a file of figures (archspec reproduce --figures)",
}
"""What files of this library are that begin with other keys than a specification."""


def _is_zoo_name(name: str) -> bool:
    """Whether a text without a folder or an ending names no file that exists."""
    return name != "-" and not {"/", os.sep, ".", "\0"} & set(name) and not os.path.isfile(name)


def loads(text: str, name: str = "<text>") -> Document:
    """Read a specification from text; `name` is what its faults call it. What it extends is of the zoo.

    Raises:
        SpecErrors: It has faults; all of them are named, each with its place.
    """
    return _read(text, name, None, True)


def _read(text: str, name: str, file: str | None, network: bool) -> Document:
    faults = Faults()
    tree = parse(text, name, faults)
    for key, what in OTHER_FILES.items():
        if key in tree and "archspec" not in tree:
            raise SpecErrors([SpecError(f"this is {what}, and no specification", tree.key(key))])
    try:
        tree = extended(tree, file, lambda other: parse(decode(read_bytes(other), other), other))
        document = validated(Document, tree, faults)
    except SpecErrors as error:
        raise SpecErrors([*faults, *error.errors]) from None
    if not document.broken and faults.unread.isdisjoint(SECTIONS):
        faults.extend(fault for fault in check(document) if network or not _of_the_network(fault, document))
    if faults:
        raise SpecErrors(without_echoes(faults))
    return document


def _of_the_network(fault: SpecError, document: Document) -> bool:
    """Whether a fault stands between the network's key and the key that follows it."""
    begin = document.key_at("network")
    if fault.at is None or begin is None or fault.at.source is not begin.source:
        return False
    keys = sorted((mark.line, mark.column) for key in Document.model_fields if (mark := document.key_at(key)))
    place = (fault.at.line, fault.at.column)
    return max((key for key in keys if key <= place), default=None) == (begin.line, begin.column)


def with_block(block: str) -> str | None:
    """The specification whose block is meant by the block's name alone; None if there is none of that name.

    Blocks that a specification lays over those of another (extends) are not meant, and specifications with the same
    block are one; among different blocks, the one that declares its paper's letters is meant.

    Raises:
        UnknownNameError: Several may be meant.

    >>> with_block("separable"), with_block("fire")
    ('mobilenet', 'squeezenet')
    """
    texts = {name: zoo.path(name).read_text(encoding="utf-8") for name in zoo.names()}
    own = [name for name, text in texts.items() if f"  {block}:" in text and "\nextends:" not in text]
    blocks = {name: load(name).blocks.get(block) for name in own}
    found = {name: each for name, each in blocks.items() if each is not None}
    lettered = {name: each for name, each in found.items() if each.letters}
    different: dict[str, object] = {}
    for name, each in (lettered or found).items():
        if each not in different.values():
            different[name] = each
    if len(different) > 1:
        several = " or ".join(f"{name}:{block}" for name in different)
        raise UnknownNameError(f"several networks of the zoo have a block '{block}'; say {several}")
    return next(iter(different), None)


def dumps(document: Document) -> str:
    """The specification as YAML; `loads` gives the same document back."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.width = 120
    yaml.default_flow_style = None
    stream = StringIO()
    yaml.dump(_writable(document.model_dump(by_alias=True, exclude_defaults=True)), stream)
    return stream.getvalue()


def _writable(value: Any) -> Any:
    """The same in what the writer knows; it leaves a text that begins with ? or : bare, and could not read it again."""
    if isinstance(value, dict):
        return {key: _writable(inner) for key, inner in value.items()}
    if isinstance(value, str) and value[:1] in {"?", ":"}:
        from ruamel.yaml.scalarstring import SingleQuotedScalarString

        return SingleQuotedScalarString(value)
    return list(map(_writable, value)) if isinstance(value, (list, tuple)) else value


def schema() -> dict[str, Any]:
    """The JSON Schema of the language, for editors."""
    from archspec.language.json_schema import document_schema

    return document_schema()
