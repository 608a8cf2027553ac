"""A network as a value: its nodes by name, and as a graph."""

import dataclasses

import networkx
import pytest

from archspec import graph, language
from archspec.graph import Network

TEXT = """archspec: 1
name: x
input: [3, 8, 8]
blocks: {b: {body: [{add: [[relu], [identity]]}]}}
network: [{b, as: one}, {add: [[{from: one}], [{from: one}]]}]
"""


@pytest.fixture
def network() -> Network:
    return graph.expand(language.loads(TEXT))


def test_nodes_and_tensors_are_found_by_name(network):
    assert network.node("one/add").inputs == ("one/branch1/relu", "one/branch2/identity")
    assert network.tensor("input") is network.input
    assert network.tensor("add") == network.node("add").output
    assert network.inputs_of(network.node("one/branch1/relu")) == (network.input,)
    with pytest.raises(KeyError):
        network.node("nothing")


def test_the_graph_keeps_every_edge_and_its_position(network):
    digraph = network.digraph()
    assert list(digraph) == ["input", *(node.name for node in network.nodes)]
    assert digraph.name == "x"
    assert digraph.number_of_edges("one/add", "add") == 2
    assert [data["position"] for *_, data in digraph.edges(data=True) if _[1] == "add"] == [0, 1]
    assert digraph.nodes["add"]["operator"].name == "add"
    assert digraph.nodes["input"]["output"] == network.input
    assert networkx.dag_longest_path_length(networkx.DiGraph(digraph)) == 3


def test_a_network_cannot_be_changed(network):
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.output = "input"
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.nodes[0].name = "x"


def test_the_stage_of_a_node_is_the_first_part_of_its_name(network):
    assert [node.stage for node in network.nodes] == ["one", "one", "one", "add"]
