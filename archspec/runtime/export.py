"""A model as a file that runs without this library: torch's `.pt2`, or ONNX. Any batch goes through it."""

import io
import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.export import Dim

from archspec.errors import ArchspecError
from archspec.extras import need
from archspec.files import replacing
from archspec.language import Origin
from archspec.runtime.refusal import refusals

ONNX_LIMIT = 2 * 10**9
"""Bytes that one ONNX file can hold, as protobuf does, less some room for the graph."""


def export(model: nn.Module, input_shape: tuple[int, ...], path: str | os.PathLike[str]) -> None:
    """Write a model as a file of the format that its ending names; the model is put into evaluation.

    The file also says what the model was made from, if its `spec` does. It appears when it is whole, or not at all.

    Args:
        model: A model with one input.
        input_shape: The shape of its input, batch first; the batch of the file is free.
        path: Ends in `.pt2` or `.onnx`.

    Raises:
        ArchspecError: Another ending, a model that is too large for the format, or a file that cannot be written.
        MissingExtraError: What the format needs is not installed.
    """
    target = Path(path)
    write = check_ending(target)
    one = next(model.parameters(), torch.empty(0))
    example = torch.zeros((2, *input_shape[1:]), device=one.device, dtype=one.dtype)  # 2: torch takes 1 for a constant
    with replacing(target) as file, warnings.catch_warnings(), torch.no_grad(), refusals(model):
        warnings.simplefilter("ignore")  # of torch's exporters about themselves
        write(model.eval(), example, file)


def check_ending(path: str | os.PathLike[str]) -> "Writer":
    """What writes the format that a file's ending names.

    Raises:
        ArchspecError: No format has that ending.
    """
    target = Path(path)
    if target.suffix not in WRITERS:
        known = ", ".join((".py", *WRITERS))
        raise ArchspecError(f"'{target.name}' ends in no format that can be written; there are {known}")
    return WRITERS[target.suffix]


def _pt2(model: nn.Module, example: torch.Tensor, file: Path) -> None:
    program = torch.export.export(model, (example,), dynamic_shapes=({0: Dim("batch")},))
    packed = io.BytesIO()  # torch's own writer ends the process on a full disk, and names a folder after the file
    torch.export.save(program, packed, extra_files={"archspec.json": json.dumps(_origin(model))})
    file.write_bytes(packed.getbuffer())


def _onnx(model: nn.Module, example: torch.Tensor, file: Path) -> None:
    need("onnx", "onnx", "onnxscript")
    size = sum(value.numel() * value.element_size() for value in (*model.parameters(), *model.buffers()))
    if size > ONNX_LIMIT:
        raise ArchspecError(f"the weights are {size:,} bytes, and one ONNX file holds {ONNX_LIMIT:,}; write a .pt2")
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: Dim("batch")},),
        input_names=["input"],
        output_names=["output"],
        verbose=False,
    )
    if program is None:
        raise AssertionError("dynamo=True gives a program")
    for key, value in _origin(model).items():
        program.model.metadata_props[f"archspec.{key}"] = value if isinstance(value, str) else json.dumps(value)
    program.save(str(file), external_data=False)


Writer = Callable[[nn.Module, torch.Tensor, Path], None]
WRITERS: Mapping[str, Writer] = {".pt2": _pt2, ".onnx": _onnx}


def _origin(model: nn.Module) -> dict[str, Any]:
    found = getattr(model, "spec", None)
    return asdict(found) if isinstance(found, Origin) else {}
