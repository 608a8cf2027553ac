"""A trained network as an ONNX file of 8-bit integers, and how both do on the test images.

Static quantisation by onnxruntime: weights by channel, activations by the ranges that calibration images give, both
signed (QDQ). The calibration images are training images, chosen by a seed.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from archspec.architecture import Architecture
from archspec.errors import ArchspecError
from archspec.extras import need, quiet
from archspec.files import WrittenFile, replacing
from archspec.result import short
from archspec.train import data
from archspec.train.batches import Standardisation, generator
from archspec.train.score import batch_for, input_and_classes
from archspec.weights.file import note


@dataclass(frozen=True, slots=True, repr=False)
class QuantisedModel:
    """What was written, and what it cost.

    Attributes:
        file: The file of 8-bit integers.
        float_bytes: The size of the same network in 32-bit numbers.
        images: The test images.
        before: How many of them the 32-bit network has right.
        after: How many the 8-bit network has right.
        calibration: How many training images gave the ranges.
    """

    file: WrittenFile
    float_bytes: int
    images: int
    before: int
    after: int
    calibration: int

    def __str__(self) -> str:
        ratio = f"1/{self.float_bytes / self.file.bytes:.3g}"
        right = f"{self._percent(self.before)} → {self._percent(self.after)} of {self.images} test images right"
        return f"{self.file}; int8, {ratio} of {self.float_bytes:,} B; {right}, {self.calibration} calibration images"

    def __repr__(self) -> str:
        return short(self, self.file.path.name, f"{self._percent(self.before)} → {self._percent(self.after)} right")

    def _percent(self, right: int) -> str:
        return f"{100 * right / self.images:.2f} %"


def quantise(  # noqa: PLR0913  # as Architecture.write and evaluate together
    arch: Architecture,
    weights: str | os.PathLike[str],
    path: str | os.PathLike[str],
    source: str,
    *,
    bindings: Mapping[str, Any] | None = None,
    resize: bool = False,
    logits: bool = False,
    images: int = 256,
    opset: int | None = None,
) -> QuantisedModel:
    """Write a trained network as an ONNX file of 8-bit integers; the file appears when it is whole.

    Args:
        arch: The network.
        weights: A file of its weights.
        path: Ends in `.onnx`.
        source: Where the calibration and the test images come from; see `archspec.train.data.load`.
        bindings: Values for the network's symbols.
        resize: See `archspec.train.data.load`.
        logits: Whether it ends before its last softmax.
        images: How many training images give the ranges of the activations.
        opset: The version of ONNX's operators; torch's own choice, unless it is given.

    Raises:
        ArchspecError: Another ending, weights of another network, or data that do not fit.
        MissingExtraError: onnxruntime is not installed.
    """
    need("onnx", "onnx", "onnxscript", "onnxruntime")
    target = Path(path)
    if target.suffix != ".onnx":
        raise ArchspecError(f"'{target.name}' cannot hold 8-bit integers; a file that ends in .onnx can")
    network = arch.expand(bindings)
    shape, classes = input_and_classes(network)
    found = data.load(source, shape, classes, resize=resize)
    known = note(weights)
    data.refuse_other_classes(known.get("names", ()), found.names, str(weights))
    scaling = (
        (tuple(known["mean"]), tuple(known["deviation"])) if {"mean", "deviation"} <= set(known) else found.statistics
    )
    inputs = Standardisation(scaling, torch.device("cpu"), False)
    chosen = torch.randperm(len(found.train), generator=generator("calibration", 0))[:images]
    calibration = found.train.images[chosen]
    batch = batch_for(network)
    with tempfile.TemporaryDirectory() as folder, replacing(target) as file:
        whole, small = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        written = arch.write(whole, bindings, weights=weights, logits=logits, opset=opset)
        _quantise(whole, small, [inputs(images_) for images_ in torch.split(calibration, min(batch, 64))])
        file.write_bytes(small.read_bytes())
        before, after = (_right(each, found.test, inputs, batch) for each in (whole, small))
        facts = WrittenFile(target, small.stat().st_size, written.facts)
        return QuantisedModel(facts, whole.stat().st_size, len(found.test), before, after, len(calibration))


def _quantise(whole: Path, small: Path, batches: list[torch.Tensor]) -> None:
    """Write the quantised model beside the whole one, batch norms folded first, its metadata kept."""
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    folded = whole.with_name("folded.onnx")
    given = ({"input": images.numpy()} for images in batches)
    reader = SimpleNamespace(get_next=partial(next, given, None))  # what onnxruntime asks: the next one, or None
    with quiet():  # it advises to preprocess, which has been done, and warns of the model's opset
        quant_pre_process(whole, folded)
        quantization.quantize_static(
            folded,
            small,
            reader,
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
        )
    model, original = onnx.load(small), onnx.load(whole)
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    model.metadata_props.add(key="archspec.quantised", value="int8: weights by channel, activations by calibration")
    onnx.save(model, small)


def _right(model: Path, split: data.DataSplit, inputs: Standardisation, batch: int) -> int:
    """How many images of a split a model has right."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    right = 0
    for images, labels in zip(torch.split(split.images, batch), torch.split(split.labels, batch), strict=True):
        (guesses,) = session.run(None, {"input": inputs(images).numpy()})
        right += int((torch.from_numpy(guesses).argmax(1) == labels).sum())
    return right
