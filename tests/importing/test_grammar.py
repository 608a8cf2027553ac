"""Graphs that say nothing of modules: units are found in what they compute, and read as papers have them.

Of every network of the zoo the graph without its places; with --long also the ONNX files of some, without their names.
"""

from dataclasses import replace

import pytest

import archspec
from archspec.graph import expand
from archspec.importing import document_of
from archspec.importing.document import imported
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.grammar import with_units
from archspec.importing.layout import laid_out
from archspec.importing.program import NOWHERE, Place
from archspec.language import zoo

from .chains import chain
from .test_law import scalars

WOVEN = {"swin"}
"""What is no row of steps and forks, and stays as it is."""

TABLES = {
    # network: lines of what is recovered
    "mobilenet_v2": """
        inverted_residual:
        - when: t != 1
        columns: [as,     t,   c, s, n]
        - [unit1,       1,  16, 1, 1]
        - [unit7,       6,  64, 2, 4]
    """,
    "resnet50": """
        bottleneck:
        after_first: {s: 1}
        - [unit8,       256, 2, 6]
    """,
    "densenet": """
        - {transition, as: unit20}
        - repeat: 24
        as: unit21
        body: [dense_layer]
    """,
    "shufflenet_v2": """
        shuffle_unit:
        - when: s != 1
        - channel_shuffle: {groups: 2}
    """,
    "squeezenet": """
        fire:
        - concat: [[{conv_relu: {c: 4 * in_channels}}], [{conv_relu: {c: 4 * in_channels, k: 3}}]]
        - [unit5,      48, 2]
    """,
    "mobilenet": "separable:",
    "vit": "body: [transformer_layer]",
    "efficientnet": "squeeze_excite:",
    "xception": "residual:",
}


def graph_without_places(name):
    graph = chain(expand(archspec.load(name).document, batch=2))
    return replace(graph, nodes=tuple(replace(node, place=NOWHERE) for node in graph.nodes))


def pytest_generate_tests(metafunc):
    names = sorted(set(zoo.names()) - WOVEN)
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names if metafunc.config.getoption("--long", False) else [*TABLES])
    if "exported" in metafunc.fixturenames:
        some = ("squeezenet", "mobilenet_v2", "resnet18", "densenet", "shufflenet")
        metafunc.parametrize("exported", some if metafunc.config.getoption("--long", False) else some[:1])


def test_without_places_a_network_takes_few_words(name):
    arch = archspec.load(name)
    if not expand(arch.document).one_to_one:
        pytest.skip("several inputs or outputs: a list of steps")
    named, found = imported(chain(expand(arch.document, batch=2))), imported(graph_without_places(name))
    assert found.notes == ()
    assert scalars(found.document) <= 1.5 * scalars(arch.document)
    ours, theirs = (archspec.Architecture(each.document).count() for each in (named, found))
    assert (theirs.params, theirs.macs, theirs.flops) == (ours.params, ours.macs, ours.flops)


@pytest.mark.parametrize("table", TABLES)
def test_units_are_called_as_papers_call_them(table):
    text = laid_out(imported(graph_without_places(table)).document)
    for line in TABLES[table].strip().splitlines():
        assert line.strip() in text


def test_places_that_say_units_are_left_as_they_are():
    graph = chain(expand(archspec.load("mobilenet_v2").document, batch=2))
    assert with_units(graph) is None


def test_a_name_for_each_layer_says_nothing_of_units_and_is_kept():
    graph = graph_without_places("resnet18")
    layers = tuple(replace(node, place=Place(("model", node.name.replace("/", "_")), ("", ""))) for node in graph.nodes)
    text = laid_out(imported(replace(graph, nodes=layers)).document)
    assert "basic_block:" in text
    assert "as: conv1_conv2d" in text


def test_what_has_nothing_to_repeat_has_no_units():
    assert with_units(graph_without_places("lenet_5")) is None


def nested(depth):
    """Sums of which each has all that stand in it as a branch."""
    nodes, last = [], "input"
    for number in range(depth):
        args = {"out_channels": 8, "kernel_size": 1}
        nodes.append(FlatNode(f"conv{number}", "conv2d", args, (last,), (2, 8, 8, 8)))
        last = f"conv{number}"
    for number in reversed(range(depth)):
        other = f"conv{number}" if number else "input"
        nodes.append(FlatNode(f"add{number}", "add", {}, (last, other), (2, 8, 8, 8)))
        last = f"add{number}"
    return FlatGraph("nested", (2, 8, 8, 8), tuple(nodes), last)


@pytest.mark.parametrize("depth", [5, 50, 300])
def test_forks_in_forks_are_read_however_deep_they_are(depth):
    found = imported(nested(depth))
    assert found.notes == ()
    assert archspec.Architecture(found.document).count().macs == depth * 8 * 8 * 8 * 8


def stripped(file):
    """A file in which no node, no value and no note says where it stands."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(file)
    names = {}
    for node in model.graph.node:
        node.name = ""
        del node.metadata_props[:]
        for values in (node.input, node.output):
            values[:] = [names.setdefault(value, f"v{len(names)}") if value else "" for value in values]
    for value in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        value.name = names.get(value.name, value.name)
        del value.metadata_props[:]
    del model.graph.value_info[:], model.metadata_props[:]
    onnx.save(model, file)


@pytest.mark.filterwarnings("ignore")
def test_a_file_without_names_takes_few_words(exported, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    from archspec.importing.onnx_file import read_onnx

    arch = archspec.load(exported)
    arch.write(tmp_path / "net.onnx", keep=True)
    named = document_of(read_onnx(tmp_path / "net.onnx")).document
    stripped(tmp_path / "net.onnx")
    found = document_of(read_onnx(tmp_path / "net.onnx")).document
    assert archspec.Architecture(found).count().macs == arch.count().macs
    assert archspec.Architecture(found).count().params == archspec.Architecture(named).count().params
    assert scalars(found) <= 1.1 * scalars(named)
