"""From a torch module to a program: `torch.export`, undecomposed, with the tree of modules as names."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.export import ExportedProgram
from torch.fx import Node

from archspec.errors import ArchspecError, first_line
from archspec.extras import quiet
from archspec.importing.program import HeldArray, Place, Program, ProgramCall, Value
from archspec.writing import printable

if TYPE_CHECKING:
    import numpy as np


def exported(model: nn.Module, example: Any, name: str | None = None) -> Program:
    """The program of a module, put into evaluation while it is read.

    Args:
        model: What is read; nothing of it changes.
        example: An input, or the sizes of one, batch first. A batch of 1 is made one of 2: torch takes 1 for a
            constant.
        name: What to call it; the name of its class.

    Raises:
        ArchspecError: It cannot be exported; the reason in one line.
    """
    inputs = _inputs(example, model)
    modes = [(module, module.training) for module in model.modules()]
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(model.eval(), inputs, strict=False)
    except Exception as error:  # whatever the model's own code raises, and torch's many classes
        raise ArchspecError(f"{type(model).__name__} cannot be exported: {_reason(error)}") from error
    finally:
        for module, training in modes:
            module.training = training
    return read_program(program, name or type(model).__name__)


def _inputs(example: Any, model: nn.Module) -> tuple[torch.Tensor, ...]:
    one = next(model.parameters(), torch.empty(0))
    if isinstance(example, torch.Tensor):
        example = (example,)
    elif not isinstance(example, (tuple, list)) or not example:
        raise ArchspecError(f"an example is a tensor, several, or the sizes of one (got {printable(example, 40)})")
    elif all(isinstance(size, int) for size in example):
        example = (torch.zeros(tuple(example), device=one.device, dtype=one.dtype),)
    batches = [torch.cat((x, x)) if x.ndim and x.shape[0] == 1 else x for x in example]
    return tuple(batches)


def _reason(error: Exception) -> str:
    """The first sentence of an error that says something."""
    if "data-dependent" in str(error):
        return "what it computes depends on numbers of its input (an `if` over values), which no table says"
    return printable(first_line(error), 200)


def read_program(program: ExportedProgram, name: str) -> Program:
    """An exported program as calls."""
    signature = program.graph_signature
    held = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    state: Mapping[str, Any] = {**program.state_dict, **program.constants}
    calls, shapes, arrays = [], dict[str, tuple[int, ...]](), {}
    learned = set(signature.inputs_to_parameters)
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in held:
            key = held[node.name]
            arrays[node.name] = HeldArray(
                key, tuple(state[key].shape), partial(_numbers, state[key]), node.name in learned
            )
        elif node.op == "call_function" and str(node.target) != "<built-in function getitem>":
            calls.append(_call(node, shapes))
        elif node.op == "placeholder":
            shapes.update(_shapes(node.name, node.meta["val"]))
    return Program(
        name=name,
        inputs=tuple(signature.user_inputs),
        outputs=tuple(map(str, signature.user_outputs)),
        calls=tuple(calls),
        shapes=shapes,
        arrays=arrays,
    )


def _numbers(tensor: torch.Tensor) -> "np.ndarray[Any, Any]":
    if tensor.is_meta:
        raise ArchspecError(
            "the model computes from constants, and has no numbers: make it, but not on the meta device"
        )
    found = tensor.detach().cpu()
    return (found.float() if found.dtype == torch.bfloat16 else found).numpy()


def _call(node: Node, shapes: dict[str, tuple[int, ...]]) -> ProgramCall:
    """A node as a call; what gives several results gives them under the names of those who take them out."""
    schema = getattr(node.target, "_schema", None)
    names = (
        [f"argument{i}" for i in range(len(node.args))] if schema is None else [each.name for each in schema.arguments]
    )
    arguments = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    value = node.meta.get("val")
    if isinstance(value, (tuple, list)):
        taken = {user.args[1]: user.name for user in node.users if "getitem" in str(user.target)}
        outputs = tuple(taken.get(number, f"{node.name}#{number}") for number in range(len(value)))
        for output, part in zip(outputs, value, strict=True):
            shapes.update(_shapes(output, part))
    else:
        outputs = (node.name,)
        shapes.update(_shapes(node.name, value))
    return ProgramCall(
        str(node.target), {key: _argument(value) for key, value in arguments.items()}, outputs, _place(node)
    )


def _shapes(name: str, value: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(map(int, value.shape))} if isinstance(value, torch.Tensor) else {}


def _argument(value: Any) -> Any:
    if isinstance(value, Node):
        return Value(value.name)
    if isinstance(value, (tuple, list)):
        return tuple(map(_argument, value))
    return value


def _place(node: Node) -> Place:
    """The modules around a node: from the paths on its stack, of which the last is the innermost."""
    stack = node.meta.get("nn_module_stack") or {}
    return Place.of_stack(
        (key, path, kind if isinstance(kind, str) else kind.__qualname__) for key, (path, kind) in stack.items()
    )
