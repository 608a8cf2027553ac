"""Where learned tensors stand: before what takes them, and beside what they are joined with."""

from dataclasses import replace

from archspec.importing.flat import INPUT, FlatGraph, FlatNode


def with_parameters_placed(graph: FlatGraph) -> FlatGraph:
    """The graph with each `parameter` right before its first user, taking the batch from what it is joined with there.

    A parameter reads nothing of its input but the batch, so that any value will do; the one beside it makes it a branch
    of the join, as a person writes it.
    """
    users, position = graph.users(), {node.name: number for number, node in enumerate(graph.nodes)}
    moved: dict[str, list[FlatNode]] = {}
    for node in graph.nodes:
        if node.operator == "parameter" and users[node.name]:
            first = min(users[node.name], key=lambda user: position[user.name])
            beside = [name for name in first.inputs if name != node.name and _has_batch(name, graph)]
            source = beside[0] if beside else node.inputs[0]
            moved.setdefault(first.name, []).append(replace(node, inputs=(source,)))
    gone = {node.name for nodes in moved.values() for node in nodes}
    ordered = [each for node in graph.nodes if node.name not in gone for each in (*moved.get(node.name, ()), node)]
    return replace(graph, nodes=tuple(ordered))


def _has_batch(name: str, graph: FlatGraph) -> bool:
    if name == INPUT or name in graph.more_inputs:
        return True
    return graph.by_name()[name].operator != "parameter"
