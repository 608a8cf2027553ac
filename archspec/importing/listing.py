"""A model as a list of steps that say by name what they take: with several inputs, outputs, or weights used twice."""

from collections import Counter
from typing import Any

from archspec.importing.flat import INPUT, FlatGraph
from archspec.importing.sharing import sharing
from archspec.importing.writing_steps import cleaned, free_name, unlike_given
from archspec.language.document import Call
from archspec.language.steps import AnyStep


class Listing:
    """The steps of a model, one a node.

    Attributes:
        inputs: The sizes of the inputs by name, where there are several.
        outputs: The names of the outputs, where there are several.
        steps: One for each node.
    """

    def __init__(self, graph: FlatGraph) -> None:
        self.graph = graph
        self.shared = sharing(graph)
        self.labels = self._labels()
        several = graph.inputs if graph.more_inputs else {}
        self.inputs = {self.labels[name]: tuple(map(int, sizes[1:])) for name, sizes in several.items()}
        self.outputs = tuple(self.labels[name] for name in graph.outputs) if graph.more_outputs else ()
        self.steps = tuple(self._steps())

    def _labels(self) -> dict[str, str]:
        """What inputs and nodes are called; the only input is `input`."""
        graph, taken = self.graph, set[str]()
        found: dict[str, str] = {} if graph.more_inputs else {INPUT: "input"}
        ends = [*graph.inputs] if graph.more_inputs else []
        ends += graph.outputs if graph.more_outputs else ()
        nodes, places = graph.by_name(), Counter("_".join(node.place.names) for node in graph.nodes)
        kinds = frozenset(node.operator for node in graph.nodes)
        for name in dict.fromkeys([*ends, *nodes]):
            if name in ends:
                base = cleaned(graph.labels.get(name, name))
            else:  # the place, with the operator where several nodes stand there
                whole = "_".join(nodes[name].place.names)
                base = cleaned(whole if places[whole] == 1 else f"{whole}_{nodes[name].operator}")
            base = base or (nodes[name].operator if name in nodes else "x")
            found[name] = free_name(unlike_given(base, kinds), taken)
            taken.add(found[name])
        return found

    def _steps(self) -> list[AnyStep]:
        graph, flowing = self.graph, INPUT
        wanted = {*graph.outputs} if graph.more_outputs else set[str]()
        wanted |= set(self.shared.values())
        before = INPUT
        for node in graph.nodes:  # what is taken by another than the next
            wanted |= {name for name in node.inputs if name != before or len(node.inputs) > 1}
            before = node.name
        found: list[AnyStep] = []
        for node in graph.nodes:
            beside: dict[str, Any] = {}
            if node.inputs != (flowing,):
                beside["from"] = tuple(self.labels[name] for name in node.inputs)
            if node.name in self.shared:
                beside["share"] = self.labels[self.shared[node.name]]
            if node.name in wanted or node.arrays:
                beside["as"] = self.labels[node.name]
            found.append(Call(name=node.operator, args=dict(node.args), **beside))
            flowing = node.name
        return found
