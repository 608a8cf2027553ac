"""That a model with its weights under new names gives what the model gave before: run on random inputs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors.torch import save_file

from archspec.errors import ArchspecError
from archspec.files import WrittenFile, replacing
from archspec.graph import expand
from archspec.importing.document import Imported
from archspec.importing.program import Program, Value
from archspec.runtime import build

Run: TypeAlias = Callable[[torch.Tensor], torch.Tensor]

TOLERANCE = 1e-4
"""By what share of the largest number outputs may differ: kernels add in other orders."""


def write_weights(found: Imported, program: Program, path: str, run: Run | None = None) -> WrittenFile:
    """Write a model's weights under the names of its document, if the outputs are the same.

    Args:
        found: The document, and its arrays.
        program: The model.
        path: Ends in `.safetensors`.
        run: What the model gives; without it the program's calls are run by torch.

    Raises:
        ArchspecError: The outputs differ; nothing is written.
    """
    if not path.endswith(".safetensors"):
        raise ArchspecError(f"weights are written as .safetensors (got '{path}')")
    tensors = carried(found)
    difference = difference_of(found, tensors, program, run)
    if not difference <= TOLERANCE:
        raise ArchspecError(
            f"the outputs of {path} would differ by {difference:.1e} of the largest number; nothing is written"
        )
    target = Path(path)
    with replacing(target) as file:
        save_file(tensors, file)
        size = file.stat().st_size
    return WrittenFile(
        target, size, (f"{len(tensors)} arrays", f"outputs differ by {difference:.1e} of the largest number")
    )


def carried(found: Imported) -> dict[str, torch.Tensor]:
    """The arrays as tensors, by the keys of the document's state dict."""
    return {key: torch.from_numpy(array.load().copy()).reshape(array.shape) for key, array in found.arrays.items()}


def difference_of(found: Imported, tensors: dict[str, torch.Tensor], program: Program, run: Run | None = None) -> float:
    """By how much the outputs of the document's model and of the source's differ, as a share of the largest number."""
    ours = build(expand(found.document), found.document, device="meta", inplace=False).to_empty(device="cpu").eval()
    missing = {key: value for key, value in ours.state_dict().items() if key not in tensors}
    for value in missing.values():
        value.zero_()  # num_batches_tracked, which a model in evaluation does not read
    ours.load_state_dict({**missing, **tensors})
    generator = torch.Generator().manual_seed(2017)
    x = torch.randn(program.shapes[program.inputs[0]], generator=generator)
    with torch.no_grad():
        wanted, given = (run or runner(program))(x), ours(x)
    largest = float(wanted.abs().max())
    return float((given - wanted).abs().max()) / largest if largest else float((given - wanted).abs().max())


def runner(program: Program) -> Run:
    """What computes a program's calls one after the other, by torch's own functions."""

    def run(x: torch.Tensor) -> torch.Tensor:
        values: dict[str, Any] = {name: torch.from_numpy(array.load().copy()) for name, array in program.arrays.items()}
        values[program.inputs[0]] = x.clone()
        for call in program.calls:
            namespace, name, overload = call.target.split(".")
            if namespace != "aten":
                raise ArchspecError(f"{call.target} is no function of torch's own; its outputs cannot be compared")
            function = getattr(getattr(torch.ops.aten, name), overload)
            result = function(**{key: _given(value, values) for key, value in call.arguments.items()})
            results = result if isinstance(result, (tuple, list)) else (result,)
            values.update(zip(call.outputs, results, strict=True))
        found: torch.Tensor = values[program.outputs[0]]
        return found

    return run


def _given(argument: Any, values: dict[str, Any]) -> Any:
    if isinstance(argument, Value):
        return values[argument.name]
    if isinstance(argument, tuple):
        return [_given(each, values) for each in argument]
    return argument


def onnx_runner(path: str) -> Run:
    """What runs an ONNX file: onnxruntime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(session.run(None, {name: x.numpy()})[0])

    return run
