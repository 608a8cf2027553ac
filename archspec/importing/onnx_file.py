"""From an ONNX file to a program: read as data, its constants folded, its batch freed, its quantisation seen through.

Neither torch nor a runtime is loaded. A file is not to be trusted: what an array says of its size is held against the
bytes that there are before it is read, arrays kept beside the file must lie in its folder, and what is folded is small.
"""

import ast
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import onnx
import onnx_ir as ir
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx_ir.passes.common import InlinePass

from archspec.errors import ArchspecError, first_line
from archspec.extras import quiet
from archspec.files import resolve_below
from archspec.importing.onnx_kinds import with_kinds
from archspec.importing.onnx_weights import MAX_GATES, has_gates, put_aside, tell_apart
from archspec.importing.onnx_words import in_torchs_words
from archspec.importing.program import HeldArray, Place, Program, ProgramCall
from archspec.writing import printable

NEWEST_OPSET = 25
OLDEST_OPSET = 7
MAX_FILE = 2**31
"""Bytes that one protobuf message can hold."""

MAX_NODES = 100_000
_FLATTENING = frozenset({"Softmax", "LogSoftmax"})
"""What took its axis and all behind it for one, until opset 13."""

BATCH = 2
"""What stands for a free batch: 1 would be taken for a size that every number has."""


def read_onnx(path: str | os.PathLike[str]) -> Program:
    """The program of an ONNX file.

    Raises:
        ArchspecError: It is damaged, says something untrue of itself, or is of a version that is not known.
    """
    file = Path(path)
    proto = _parsed(file)
    with _refused(file):
        _check(proto, file)
    with quiet(prints=True), _refused(file):
        _fix_batch(proto, file)
        model = _loaded(proto, file)
        alike = tell_apart(model)
        learned = _folded(model)
        return _program(model, file, learned, alike)


def _parsed(file: Path) -> onnx.ModelProto:
    try:
        if file.stat().st_size > MAX_FILE:
            raise ArchspecError(f"{file}: is larger than one ONNX file can be, {MAX_FILE:,} bytes")
        model = onnx.ModelProto()
        model.ParseFromString(file.read_bytes())
    except OSError as error:
        raise ArchspecError(f"{file}: cannot be read: {error.strerror or error}") from None
    except DecodeError:
        raise ArchspecError(f"{file}: is no ONNX file, or a damaged one") from None
    if not model.graph.node:
        raise ArchspecError(f"{file}: is no ONNX file, or one without nodes")
    return model


@contextmanager
def _refused(file: Path) -> Iterator[None]:
    """What onnx's own code raises over a file, as one sentence."""
    try:
        yield
    except ArchspecError:
        raise
    except Exception as error:  # onnx, onnx-ir and onnxscript each raise what they like over a file
        raise ArchspecError(f"{file}: cannot be read as ONNX: {printable(first_line(error), 160)}") from error


# ------------------------------------------------------------------ what a file says of itself


def _check(model: onnx.ModelProto, file: Path) -> None:
    """Hold what a file says against what is there, before anything believes it."""
    opset = next((entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"}), None)
    if opset is None or not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise ArchspecError(f"{file}: is of opset {opset}; {OLDEST_OPSET} to {NEWEST_OPSET} are read")
    if len(model.graph.node) > MAX_NODES:
        raise ArchspecError(f"{file}: has {len(model.graph.node):,} nodes; at most {MAX_NODES:,} are read")
    for tensor in model.graph.initializer:
        _check_array(tensor, file)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _check_array(attribute.t, file)
        _check_parts(node, file)
    _check_order(model, file)


def _check_parts(node: onnx.NodeProto, file: Path) -> None:
    """A split says how many parts it has: onnx's own inference of shapes ends the process where these are others."""
    said = [
        each for each in node.attribute if each.name in {"num_outputs", "split"} and node.op_type.startswith("Split")
    ]
    count = len(node.output)
    if any((each.i if each.name == "num_outputs" else len(each.ints)) != count for each in said):
        raise ArchspecError(f"{file}: a Split gives {count} results, and says another number of parts")


def _check_array(tensor: onnx.TensorProto, file: Path) -> None:
    name = printable(tensor.name or "a constant", 60)
    if any(size < 0 for size in tensor.dims):
        raise ArchspecError(f"{file}: the array {name} has a size below zero")
    try:
        bits = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize * 8
    except (KeyError, ValueError, TypeError):
        raise ArchspecError(f"{file}: the array {name} is of no type of ONNX") from None
    if tensor.data_type in {onnx.TensorProto.INT4, onnx.TensorProto.UINT4}:
        bits = 4
    elements = prod(tensor.dims)
    wanted = -(-elements * bits // 8)
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        held = _external(tensor, file, name, wanted)
    elif tensor.HasField("raw_data"):
        held = len(tensor.raw_data)
    else:
        fields = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
        counted = sum(map(len, (*fields, tensor.string_data)))
        held = wanted if counted >= elements else 0
    if held < wanted:
        raise ArchspecError(f"{file}: the array {name} says {elements:,} elements, and has fewer; the file is damaged")


def _external(tensor: onnx.TensorProto, file: Path, name: str, wanted: int) -> int:
    """How many bytes an array beside the file has; it must lie in the file's folder."""
    said = {entry.key: entry.value for entry in tensor.external_data}
    place = resolve_below(file.parent, file.parent / said.get("location", ""))
    if place is None or Path(said.get("location", "")).is_absolute():
        raise ArchspecError(f"{file}: the array {name} lies outside the file's folder")
    if not place.is_file():
        raise ArchspecError(f"{file}: the array {name} lies in {place.name}, which is not there")
    try:
        offset, length = int(said.get("offset", 0)), int(said.get("length", wanted))
    except ValueError:
        raise ArchspecError(f"{file}: the array {name} says no number of where it lies") from None
    return min(length, place.stat().st_size - offset) if offset >= 0 else 0


def _check_order(model: onnx.ModelProto, file: Path) -> None:
    """Each value is made once, and before it is read: so there is no cycle."""
    made = {value.name for value in model.graph.input} | {tensor.name for tensor in model.graph.initializer}
    made |= {tensor.values.name for tensor in model.graph.sparse_initializer} | {""}
    for node in model.graph.node:
        unknown = next((name for name in node.input if name not in made), None)
        if unknown is not None:
            shown = printable(unknown, 60)
            raise ArchspecError(f"{file}: {node.op_type} reads {shown} before anything makes it: a cycle, or a gap")
        made.update(node.output)


def _fix_batch(model: onnx.ModelProto, file: Path) -> None:
    """A number for a batch that is free; other free sizes are refused."""
    held = {tensor.name for tensor in model.graph.initializer}
    for value in (each for each in model.graph.input if each.name not in held):
        for axis, size in enumerate(value.type.tensor_type.shape.dim):
            if axis == 0 and not size.dim_value:
                size.dim_value = BATCH
            elif not size.dim_value:
                called = size.dim_param or "without a name"
                raise ArchspecError(
                    f"{file}: axis {axis} of the input {value.name} is free ({printable(called, 40)}); "
                    "export it with its sizes, all but the batch's"
                )
    for value in [*model.graph.output, *model.graph.value_info]:
        value.type.tensor_type.ClearField("shape")  # they name the free batch; they are inferred anew


# ------------------------------------------------------------------ folding, and the program


def _loaded(proto: onnx.ModelProto, file: Path) -> ir.Model:
    model = ir.from_proto(proto)
    for value in model.graph.initializers.values():
        if isinstance(value.const_value, ir.ExternalTensor):
            value.const_value.base_dir = str(file.parent)
        if value.const_value is not None:
            value.shape = ir.Shape([int(size) for size in value.const_value.shape])  # type: ignore[arg-type]
            value.type = ir.TensorType(value.const_value.dtype)
    if model.functions:
        InlinePass()(model)
    return model


def _folded(model: ir.Model) -> dict[str, ir.TensorProtocol]:
    """Fold what constants alone say; the learned arrays are put aside, and given."""
    from onnxscript.optimizer import fold_constants

    learned = put_aside(model)
    limits = {"input_size_limit": MAX_GATES, "output_size_limit": MAX_GATES} if has_gates(model) else {}
    fold_constants(model, onnx_shape_inference=True, **limits)
    while _pass_on_shapes(model):
        fold_constants(model, onnx_shape_inference=True, **limits)
    return learned


def _pass_on_shapes(model: ir.Model) -> bool:
    """Say the shapes of group normalisations, which onnx does not infer; whether there were any to say."""
    said = False
    for node in model.graph:
        if node.op_type == "GroupNormalization" and node.outputs[0].shape is None and node.inputs[0] is not None:
            node.outputs[0].shape, node.outputs[0].type = node.inputs[0].shape, node.inputs[0].type
            said |= node.inputs[0].shape is not None
    return said


def _program(model: ir.Model, file: Path, learned: dict[str, ir.TensorProtocol], alike: int) -> Program:
    graph, opset = model.graph, model.opset_imports.get("") or model.opset_imports["ai.onnx"]
    arrays = {name: _array(name, tensor, learned=True) for name, tensor in learned.items()}
    arrays |= {name: _array(name, value.const_value) for name, value in graph.initializers.items() if value.const_value}
    shapes, calls = {str(value.name): _sizes(value) for value in graph.inputs if value.name not in arrays}, []
    for node in graph:
        if node.op_type == "Constant" and node.outputs[0].const_value is not None:
            name = str(node.outputs[0].name)
            arrays[name] = _array(name, node.outputs[0].const_value)
            continue
        for output in node.outputs:
            if output.shape is not None and output.shape.is_static():
                shapes[str(output.name)] = _sizes(output)
        calls.append(_call(node, opset))
    inputs = tuple(str(value.name) for value in graph.inputs if value.name not in arrays)
    outputs = tuple(str(value.name) for value in graph.outputs)
    name = graph.name if graph.name not in {None, "", "main_graph", "torch_jit"} else file.stem
    return Program(str(name), inputs, outputs, with_kinds(calls), shapes, arrays, tuple(_notes(model, alike)))


def _notes(model: ir.Model, alike: int) -> Iterator[str]:
    rules = [node.metadata_props.get("pkg.onnxscript.rewriter.rule_name", "") for node in model.graph]
    folded = sum("FuseBatchNorm" in rule for rule in rules)
    if folded:
        yield (
            f"{folded} batch normalisations were folded into their convolutions when the file was written, and are not "
            "in it, nor in the counts; biases that were zero are not either"
        )
    if alike:
        yield (
            f"{alike} arrays of one number over and over, which the file has once for several layers, are each layer's "
            "own here: exporters write equal arrays once, and those of a model that is not trained are equal"
        )
    if any(node.op_type == "DequantizeLinear" for node in model.graph):
        yield "the file is quantised; what is imported are its layers, with numbers as wide as they were before"


def _sizes(value: ir.Value) -> tuple[int, ...]:
    return tuple(int(size) for size in value.shape or ())  # type: ignore[arg-type]  # static: _fix_batch


def _array(name: str, tensor: ir.TensorProtocol, *, learned: bool = False) -> HeldArray:
    sizes = tuple(int(size) for size in tensor.shape)  # type: ignore[arg-type]
    return HeldArray(name, sizes, tensor.numpy, learned, guessed=learned)


def _call(node: ir.Node, opset: int) -> ProgramCall:
    domain = "onnx" if node.domain in {"", "ai.onnx"} else f"onnx.{node.domain}"
    said = {name: attribute.value for name, attribute in node.attributes.items()}
    usual = _usual(node.op_type, opset) if domain == "onnx" else {}
    inputs = [str(value.name) if value is not None else None for value in node.inputs]
    arguments = in_torchs_words(node.op_type, inputs, {**usual, **said})
    return ProgramCall(
        f"{domain}.{node.op_type}", arguments, tuple(str(each.name) for each in node.outputs), _place(node)
    )


@lru_cache(maxsize=1024)
def _usual(kind: str, opset: int) -> dict[str, Any]:
    """What the attributes of an operator are that a file leaves out, in its version of ONNX."""
    if not onnx.defs.has(kind, opset):
        return {}
    schema = onnx.defs.get_schema(kind, opset)
    defaults = (each.default_value for each in schema.attributes.values())
    found = {each.name: ir.serde.deserialize_attribute(each).value for each in defaults if each.name}
    return {**found, "flattens": True} if kind in _FLATTENING and schema.since_version < 13 else found


def _place(node: ir.Node) -> Place:
    """Of torch's newer exporter from the metadata; of its older one from the path that is the node's name."""
    scopes, classes = (node.metadata_props.get(f"pkg.torch.onnx.{key}") for key in ("name_scopes", "class_hierarchy"))
    if scopes and classes and len(scopes) + len(classes) < 10_000:
        try:
            paths, kinds = ast.literal_eval(scopes), ast.literal_eval(classes)
        except (ValueError, SyntaxError):
            paths, kinds = [], []
        if isinstance(paths, list) and isinstance(kinds, list) and len(paths) == len(kinds) > 1:
            # the last scope is the function's own
            return Place.of_stack(("", str(path), str(kind)) for path, kind in zip(paths[:-1], kinds[:-1], strict=True))
    parts = [part for part in str(node.name or "").split("/")[1:-1] if part]
    names: list[str] = []
    for part in parts:  # /features/features.0/conv: a container's path stands again before its child's number
        whole = part.split(".")
        names.append(whole[-1] if len(whole) > 1 and names and ".".join(whole[:-1]).endswith(names[-1]) else part)
    return Place(tuple(names), ("",) * len(names))
