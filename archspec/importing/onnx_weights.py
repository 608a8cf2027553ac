"""The learned arrays of an ONNX file, put aside while its constants are folded: they are read as they stand in it."""

from collections.abc import Iterator
from math import prod

import onnx_ir as ir

_SIZES = frozenset({"Resize", "Upsample"})
"""Operators whose decimals say sizes, and are needed to know shapes."""

MAX_GATES = 2**26
"""The largest weights of a recurrent layer whose gates are put in order, in elements."""

_RECURRENT = frozenset({"LSTM", "GRU", "RNN"})


def put_aside(model: ir.Model) -> dict[str, ir.TensorProtocol]:
    """Take the decimals of a file, single ones and those of sizes left out, for inputs; gives them by name.

    What computes with weights would be folded, and its weights lose their names. An exporter that says of an array that
    it is the same as another (`Identity` of an initializer) may mean equal numbers by that; it is an array of its own.
    """
    graph = model.graph
    found: dict[str, ir.TensorProtocol] = {}
    for node in list(graph):
        value = node.inputs[0] if node.op_type == "Identity" and node.inputs else None
        if value is not None and value.name in graph.initializers and not node.outputs[0].is_graph_output():
            _told_apart(node, value, graph)
    sizes = {value.name for node in graph if node.op_type in _SIZES for value in node.inputs[1:] if value is not None}
    for node in graph:
        if node.op_type in _RECURRENT:
            sizes |= set(_behind(list(node.inputs[1:4])))
    for name, value in list(graph.initializers.items()):
        tensor = value.const_value
        if tensor is not None and name not in sizes and _has_decimals(tensor):
            found[name] = tensor
            del graph.initializers[name]
            value.const_value = None
            graph.inputs.append(value)
    return found


def tell_apart(model: ir.Model) -> int:
    """Give each layer an array of its own where several read one whose numbers are all alike; gives how many got one.

    Exporters write equal arrays once, and those of a model that is not trained are equal: scales of 1, shifts of 0.
    """
    count = 0
    for value in list(model.graph.initializers.values()):
        further = list(value.uses())[1:]
        if not further or value.const_value is None or not _is_uniform(value.const_value):
            continue
        for number, use in enumerate(further):
            use.node.replace_input_with(use.idx, _own(value, f"{value.name}@{number}", model.graph))
            count += 1
    return count


def _has_decimals(tensor: ir.TensorProtocol) -> bool:
    """Whether it is an array of two decimals or more."""
    return tensor.dtype.is_floating_point() and prod(map(int, tensor.shape)) > 1  # type: ignore[arg-type]


def _is_uniform(tensor: ir.TensorProtocol) -> bool:
    """Whether all of two decimals or more are one number."""
    return _has_decimals(tensor) and bool((tensor.numpy() == tensor.numpy().flat[0]).all())


def has_gates(model: ir.Model) -> bool:
    """Whether there are recurrent layers, whose weights exporters cut up and put together."""
    return any(node.op_type in _RECURRENT for node in model.graph)


def _behind(values: list[ir.Value | None]) -> Iterator[str]:
    """The arrays of which values are made: the gates of a layer, put into their order."""
    seen, ahead = set[str](), [value for value in values if value is not None]
    while ahead:
        value = ahead.pop()
        if value.name in seen:
            continue
        seen.add(str(value.name))
        made = value.producer()
        if made is None:
            yield str(value.name)
        else:
            ahead += [each for each in made.inputs if each is not None]


def _told_apart(node: ir.Node, value: ir.Value, graph: ir.Graph) -> None:
    """An array of its own in place of an `Identity` of one."""
    made, name = node.outputs[0], f"{node.outputs[0].name}"
    made.name = f"{name}@before"
    ir.convenience.replace_all_uses_with(made, _own(value, name, graph))
    graph.remove(node, safe=True)


def _own(value: ir.Value, name: str, graph: ir.Graph) -> ir.Value:
    """A further array of a graph, with the numbers of another."""
    own = ir.Value(name=name, shape=value.shape, type=value.type, const_value=value.const_value)
    graph.initializers.add(own)
    return own
