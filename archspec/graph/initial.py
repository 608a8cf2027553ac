"""Which array of which node begins with what: the rules of a specification's initialisation, on its network."""

from collections.abc import Iterator, Mapping

from archspec import ops
from archspec.errors import SpecError, did_you_mean
from archspec.graph.network import Network, Node
from archspec.language.initialisation import SHAPED, Filling, Initialisation, Rule


def initial(network: Network, initialisation: Initialisation) -> dict[tuple[str, str], Filling]:
    """What a node's array is filled with, by the node's name and the array's; what is not named begins as in torch.

    Raises:
        SpecError: A rule is of a name that no operator and no part of the network has, or does not fit an array.

    >>> from archspec.graph import expand
    >>> from archspec.language import load
    >>> document = load("alexnet")
    >>> initial(expand(document), document.initialisation)["conv1/conv2d", "weight"]
    Filling(kind='normal', size=Fraction(1, 100))
    """
    known = {part for node in network.nodes for part in _names(node)}
    found: dict[tuple[str, str], Filling] = {}
    for rule in initialisation.rules:
        for name in rule.of:
            if name not in known and ops.find(name) is None:
                hint = did_you_mean(name, known) or "; give an operator, or the beginning of a node's name"
                raise SpecError(f"initialisation: no part of {network.name} is called '{name}'{hint}", rule.at)
        for node in network.nodes:
            found.update({(node.name, array): filling for array, filling in _filled(network, node, rule)})
    return found


def _names(node: Node) -> Iterator[str]:
    """What a rule may call a node: its operator, its name, and the names of what it stands in."""
    yield node.operator.name
    parts = node.name.split("/")
    yield from ("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _filled(network: Network, node: Node, rule: Rule) -> Iterator[tuple[str, Filling]]:
    if {*rule.of}.isdisjoint(_names(node)):
        return
    fillings: Mapping[str, Filling] = rule.fillings()
    for array in network.weights_of(node):
        if array.trainable and array.name in fillings:
            filling = fillings[array.name]
            if filling.kind in SHAPED and len(array.shape) < 2:
                needs = f"initialisation: {filling.kind} needs an array of two axes or more"
                raise SpecError(f"{needs}; {array.name} of {node.name} has one: give it a number", rule.at)
            yield array.name, filling
