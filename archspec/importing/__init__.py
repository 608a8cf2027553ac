"""From a model to its table: torch modules, exported programs and ONNX files as documents."""

import os
from typing import TYPE_CHECKING, Any

from archspec.extras import need
from archspec.importing.document import Imported, imported
from archspec.importing.opaque import opaque as with_opaque
from archspec.importing.program import Program
from archspec.importing.reading import read, refuse_foreign
from archspec.language import Document

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Imported", "Program", "document_of", "from_onnx", "from_torch"]


def from_torch(
    model: "nn.Module", example: Any, *, name: str | None = None, flat: bool = False, opaque: bool = False
) -> Document:
    """The document of a torch module: what its `torch.export` computes, in the language's own operators and blocks.

    Args:
        model: The module; it is read in evaluation, and stays as it is.
        example: An input, or the sizes of one, batch first: (1, 3, 224, 224).
        name: What to call the network; the name of its class.
        flat: Whether to list the layers one after the other, without blocks and tables.
        opaque: Whether to keep what no operator computes as nodes of which only the result's shape is known.

    Raises:
        ArchspecError: It cannot be exported, computes what no operator does, or shares weights between layers. All
            that is not known is named at once.

    >>> import torch
    >>> from archspec import Architecture, from_torch
    >>> from torch.nn import Conv2d, Flatten, Linear, ReLU
    >>> net = torch.nn.Sequential(Conv2d(3, 8, 3), ReLU(), Flatten(), Linear(288, 10))
    >>> Architecture(from_torch(net, (1, 3, 8, 8))).count().params
    3114
    """
    from archspec.importing.exported import exported

    return document_of(exported(model, example, name), flat=flat, opaque=opaque).document


def from_onnx(path: str | os.PathLike[str], *, flat: bool = False, opaque: bool = False) -> Document:
    """The document of an ONNX file, which is read as data; torch is not needed.

    Args:
        path: The file.
        flat: Whether to list the layers one after the other, without blocks and tables.
        opaque: Whether to keep what no operator computes as nodes of which only the result's shape is known.

    Raises:
        ArchspecError: It is damaged, or computes what no operator does; all that is not known is named at once.
        MissingExtraError: The extra `onnx` is not installed.
    """
    need("onnx", "onnx", "onnx_ir", "onnxscript")
    from archspec.importing.onnx_file import read_onnx

    return document_of(read_onnx(path), flat=flat, opaque=opaque).document


def document_of(program: Program, *, flat: bool = False, opaque: bool = False) -> Imported:
    """The document of a program, with its arrays under their new names, and what is to be known of how it was read."""
    graph = read(program)
    if opaque:
        graph = with_opaque(graph)
    refuse_foreign(graph)
    return imported(graph, flat=flat)
