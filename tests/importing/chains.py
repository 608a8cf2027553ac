"""Networks as the flat graphs that their modules would be read as, without the seconds of an export."""

from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.program import Place

HOLDERS = {"repeat": "Repeat", "branch": "Branch", "group": "Group", "unit": ""}
"""What modules of parts that are no blocks are read as."""


def place(network, name):
    """Where the module of a node stands: the parts of its path, each with the class of its module."""
    parts = name.split("/")
    kinds = (network.containers.get("/".join(parts[: end + 1])) for end in range(len(parts)))
    return Place(tuple(parts), tuple(kind_of(network, each.kind) if each else "Layer" for each in kinds))


def kind_of(network, kind):
    return HOLDERS[kind] if kind in HOLDERS and kind not in network.document.blocks else kind.title().replace("_", "")


def chain(network):
    """An expanded network as a flat graph: what its module would be read as, without the seconds of an export."""
    nodes, passed = [], {}
    for node in network.nodes:
        inputs = tuple(passed.get(name, name) for name in node.inputs)
        if node.operator.name == "identity":
            passed[node.name] = inputs[0]
            continue
        fields = type(node.operator).model_fields
        args = {
            name: value
            for name, value in node.operator.settings().items()
            if fields[name].is_required() or fields[name].default != value
        }
        shape = tuple(node.output.shape)
        nodes.append(FlatNode(node.name, node.operator.name, args, inputs, shape, place(network, node.name)))
    output = passed.get(network.output, network.output)
    return FlatGraph(network.name, tuple(network.input.shape), tuple(nodes), output)
