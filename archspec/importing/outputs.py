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

Run: TypeAlias = Callable[..., Any]
"""What takes the inputs, and gives the output, or all of them."""

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
    ours, inputs = rebuilt(found, tensors), random_inputs(found, program)
    with torch.no_grad():
        return apart(ours(*inputs), (run or runner(program))(*inputs))


def rebuilt(found: Imported, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    """The document's model with these weights, in evaluation."""
    ours = build(expand(found.document), found.document, device="meta", inplace=False).to_empty(device="cpu").eval()
    missing = {key: value for key, value in ours.state_dict().items() if key not in tensors}
    for value in missing.values():
        value.zero_()  # num_batches_tracked, which a model in evaluation does not read
    ours.load_state_dict({**missing, **tensors})
    return ours


def random_inputs(found: Imported, program: Program) -> list[torch.Tensor]:
    """Numbers around zero; where rows of a table are looked up, whole numbers of these."""
    generator = torch.Generator().manual_seed(2017)
    network = expand(found.document, batch=program.shapes[program.inputs[0]][0])
    inputs = []
    for name, tensor in network.inputs.items():
        rows = network.below(name)
        if rows is None:
            inputs.append(torch.randn(tuple(tensor.shape), generator=generator))
        else:
            inputs.append(torch.randint(int(rows), tuple(tensor.shape), generator=generator))
    return inputs


def _all(found: Any) -> list[torch.Tensor]:
    return list(found) if isinstance(found, (tuple, list)) else [found]


def apart(given: Any, wanted: Any) -> float:
    """By how much outputs differ from those that are wanted, as a share of the largest number of each."""
    return max(_apart(one, other) for one, other in zip(_all(given), _all(wanted), strict=True))


def _apart(given: torch.Tensor, wanted: torch.Tensor) -> float:
    largest, most = float(wanted.abs().max()), float((given - wanted).abs().max())
    return most / largest if largest else most


def runner(program: Program) -> Run:
    """What computes a program's calls one after the other, by torch's own functions."""

    def run(*inputs: torch.Tensor) -> list[torch.Tensor]:
        values: dict[str, Any] = {name: torch.from_numpy(array.load().copy()) for name, array in program.arrays.items()}
        values.update(zip(program.inputs, (x.clone() for x in inputs), strict=False))
        for call in program.calls:
            namespace, name, overload = call.target.split(".")
            if namespace != "aten":
                raise ArchspecError(f"{call.target} is no function of torch's own; its outputs cannot be compared")
            function = getattr(getattr(torch.ops.aten, name), overload)
            result = function(**{key: _given(value, values) for key, value in call.arguments.items()})
            results = result if isinstance(result, (tuple, list)) else (result,)
            values.update(zip(call.outputs, results, strict=True))
        return [values[name] for name in program.outputs]

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
    names = [each.name for each in session.get_inputs()]

    def run(*inputs: torch.Tensor) -> list[torch.Tensor]:
        given = {name: x.numpy() for name, x in zip(names, inputs, strict=True)}
        return [torch.from_numpy(found) for found in session.run(None, given)]

    return run
