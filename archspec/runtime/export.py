"""A model as a file that runs without this library: torch's `.pt2`, or ONNX. Any batch goes through it."""

import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.export import Dim

from archspec.errors import ArchspecError
from archspec.extras import need, quiet
from archspec.files import WrittenFile, replacing
from archspec.graph import Network
from archspec.language import Origin
from archspec.runtime.calls import refusals

ONNX_LIMIT = 2 * 10**9
"""Bytes that one ONNX file can hold, as protobuf does, less some room for the graph."""


Inputs: TypeAlias = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked of a file.

    Attributes:
        batch: How many inputs go through it at once; any number, if None.
        opset: The version of ONNX's operators; torch's own choice, if None.
        keep: Whether ONNX has all arrays under their names and with their values; else batch normalisations are folded.
        note: What is to be known of whoever uses it: "mean" and "deviation" of each channel, "names" of the classes.
    """

    batch: int | None = None
    opset: int | None = None
    note: Mapping[str, Any] = field(default_factory=dict)
    keep: bool = False


def export(
    model: nn.Module,
    network: Network,
    path: str | os.PathLike[str],
    asked: ExportRequest = ExportRequest(),  # frozen
) -> WrittenFile:
    """Write a model as a file of the format that its ending names; the model is put into evaluation.

    The file also says what the model was made from, if its `spec` does, and how its inputs are made. It appears when it
    is whole, or not at all.

    Args:
        model: A model of the network.
        network: What it is made from: says what it takes and gives.
        path: Ends in `.pt2` or `.onnx`.
        asked: The batch, the opset, and what is noted.

    Raises:
        ArchspecError: Another ending, a model that is too large for the format, or a file that cannot be written.
        MissingExtraError: What the format needs is not installed.
    """
    target = Path(path)
    write = check_ending(target)
    if asked.opset is not None and target.suffix != ".onnx":
        raise ArchspecError(f"{target.name}: an opset is one of ONNX, a file that ends in .onnx")
    if asked.keep and target.suffix != ".onnx":
        raise ArchspecError(f"{target.name}: all is kept in a program; --keep is for ONNX, a file that ends in .onnx")
    one = next(model.parameters(), torch.empty(0))
    batch = asked.batch or 2  # torch takes 1 for a constant
    inputs = {
        name: torch.zeros(
            (batch, *tensor.shape[1:]),
            device=one.device,
            dtype=one.dtype if network.below(name) is None else torch.int64,
        )
        for name, tensor in network.inputs.items()
    }
    with replacing(target) as file, quiet(), torch.no_grad(), refusals(model):
        kind = write(model.eval(), inputs, tuple(network.outputs), file, asked)
        size = file.stat().st_size
    sizes = ", ".join(map(str, network.inputs.values()))
    words = f"{f'batches of {asked.batch}' if asked.batch else 'any batch'} of {sizes}"
    return WrittenFile(target, size, (kind, words, *_noted(asked.note)))


def _noted(note: Mapping[str, Any]) -> list[str]:
    words = []
    if {"mean", "deviation"} <= set(note):
        mean, deviation = (", ".join(f"{number:.4g}" for number in note[key]) for key in ("mean", "deviation"))
        words.append(f"pixels from 0 to 1, less the mean {mean}, over the deviation {deviation}")
    return [*words, *([f"{len(note['names'])} named classes"] if "names" in note else [])]


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


def _pt2(model: nn.Module, inputs: Inputs, _: Sequence[str], file: Path, asked: ExportRequest) -> str:
    program = torch.export.export(model, tuple(inputs.values()), dynamic_shapes=_free(inputs, asked))
    packed = io.BytesIO()  # torch's own writer ends the process on a full disk, and names a folder after the file
    torch.export.save(program, packed, extra_files={"archspec.json": json.dumps(_origin(model) | dict(asked.note))})
    file.write_bytes(packed.getbuffer())
    return "a program of torch.export"


def _free(inputs: Inputs, asked: ExportRequest) -> Any:
    """What torch is told of the batch: that it is free, and the same for all inputs."""
    return None if asked.batch else tuple({0: Dim("batch")} for _ in inputs)


def _onnx(model: nn.Module, inputs: Inputs, outputs: Sequence[str], file: Path, asked: ExportRequest) -> str:
    need("onnx", "onnx", "onnxscript")
    size = sum(value.numel() * value.element_size() for value in (*model.parameters(), *model.buffers()))
    if size > ONNX_LIMIT:
        raise ArchspecError(f"the weights are {size:,} bytes, and one ONNX file holds {ONNX_LIMIT:,}; write a .pt2")
    program = torch.onnx.export(
        model,
        tuple(inputs.values()),
        dynamo=True,
        dynamic_shapes=_free(inputs, asked),
        opset_version=asked.opset,
        input_names=[*inputs],
        output_names=[*outputs],
        optimize=not asked.keep,
        verbose=False,
    )
    if program is None:
        raise AssertionError("dynamo=True gives a program")
    _without_made_biases(program.model)
    opset = program.model.opset_imports[""]
    if asked.opset not in (None, opset):
        raise ArchspecError(
            f"torch writes ONNX of opset {opset}, and not of {asked.opset}, which it may be too old for"
        )
    for key, value in (_origin(model) | dict(asked.note)).items():
        program.model.metadata_props[f"archspec.{key}"] = value if isinstance(value, str) else json.dumps(value)
    program.save(str(file), external_data=False)
    return f"ONNX of opset {opset}" + (", all names and values kept" if asked.keep else "")


def _without_made_biases(model: Any) -> None:
    """Leave out the biases of out × 2 zeros that onnxscript 0.7.2 makes for convolutions of volumes that have none."""
    from onnx_ir.passes.common import RemoveUnusedNodesPass

    found = [node for node in model.graph if node.op_type == "Conv" and len(node.attributes["kernel_shape"].value) == 3]
    made = [node for node in found if len(node.inputs) > 2 and node.inputs[2] and node.inputs[2].producer() is not None]
    for node in made:
        node.replace_input_with(2, None)
    if made:
        RemoveUnusedNodesPass()(model)


Writer = Callable[[nn.Module, Inputs, Sequence[str], Path, ExportRequest], str]
"""Writes a model, given the tensors that it takes by name and the names of what it gives; says what the file is."""

WRITERS: Mapping[str, Writer] = {".pt2": _pt2, ".onnx": _onnx}


def _origin(model: nn.Module) -> dict[str, Any]:
    found = getattr(model, "spec", None)
    return asdict(found) if isinstance(found, Origin) else {}
