"""`--opaque`: what no operator computes is kept by its shape, each total says so, and nothing is made of it."""

import json

import click
import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import ArchspecError
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.opaque import opaque

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Odd(nn.Module):
    """A unit whose activation is none, twice; a constant that is computed; two results that are joined unusually."""

    class Unit(nn.Module):
        def __init__(self, c, d):
            super().__init__()
            self.conv = nn.Conv2d(c, d, 3, padding=1, bias=False)

        def forward(self, x):
            return torch.sin(self.conv(x))

    def __init__(self):
        super().__init__()
        self.one, self.two, self.fc = self.Unit(3, 8), self.Unit(8, 16), nn.Linear(16, 5)
        self.scale = nn.Parameter(torch.ones(16))
        self.register_buffer("table", torch.ones(1, 16, 1, 1))

    def forward(self, x):
        x = self.two(self.one(x))
        x = x * torch.erf(self.scale.view(1, -1, 1, 1)) + torch.cos(self.table)
        return self.fc(torch.atan2(x, torch.flip(x, [2])).mean((2, 3)))


@pytest.fixture(scope="module")
def odd():
    return archspec.Architecture(archspec.from_torch(Odd(), (1, 3, 8, 8), opaque=True))


def test_all_that_is_unknown_is_named_at_once_without_it():
    with pytest.raises(ArchspecError) as refused:
        archspec.from_torch(Odd(), (1, 3, 8, 8))
    said = str(refused.value)
    assert "aten.sin.default (2×, first at one)" in said
    assert all(name in said for name in ("aten.erf", "aten.atan2", "aten.flip"))


def test_shapes_and_arrays_are_those_of_the_model(odd):
    nodes = [node for node in odd.expand().nodes if not node.operator.known]
    assert [tuple(node.output.shape) for node in nodes] == [(1, 8, 8, 8), *[(1, 16, 8, 8)] * 5]
    assert odd.count().params == sum(value.numel() for value in Odd().parameters())
    assert odd.count().buffers == 16
    assert odd.count().macs == 8 * 8 * (8 * 27 + 16 * 72) + 80
    assert not odd.symbols  # shapes are those of one side


@pytest.fixture
def run(odd, tmp_path):
    from archspec.language import dumps

    (tmp_path / "odd.yaml").write_text(dumps(odd.document))

    def command(*args):
        return CliRunner().invoke(app, [args[0], str(tmp_path / "odd.yaml"), *args[1:]])

    return command


SAYS = {
    "count": [(), ("--by", "total"), ("--by", "operator")],
    "compare": [("lenet_5",), ("lenet_5", "--symbolic"), ("lenet_5", "--by", "block")],
    "formula": [(), ("--of", "memory")],
    "memory": [(), ("--policy", "training"), ("--by", "layer")],
    "reconcile": [("--reported", "1000")],
    "show": [()],
}
DRAWS = {
    "draw": [(), ("--of", "params")],
    "plot": [("costs",), ("memory",), ("roofline", "--peak", "1e9", "--bandwidth", "1e9")],
}
REFUSES = {
    "sweep": ("--for", "batch=1,2"),
    "search": ("--for", "batch=1,2", "--train", "digits", "--objective", "min:macs,min:error"),
    "solve": ("c", "--budget", "macs<=1000"),
    "sensitivity": (),
    "crossover": ("--for", "batch"),
    "explain-difference": ("--between", "default", "fvcore"),
    "count": ("--like", "fvcore"),
    "verify": (),
    "compile": ("-o", "odd.py"),
    "measure": (),
}
"""How verbs are asked that print what the nodes of a specification cost, that draw it, or that would need to know."""

ONE_NODE = {"explain"}
NO_TOTALS = {
    *("check", "schema", "zoo", "import", "reproduce", "watch", "weights"),
    *("train", "evaluate", "distil", "specialists", "ensemble", "compress"),
}
"""Verbs that print no cost of nodes, or are of weights and trainings, of which opaque nodes have none."""


def test_each_verb_is_asked():
    assert {*SAYS, *DRAWS, *REFUSES, *ONE_NODE, *NO_TOTALS} == {*app.list_commands(click.Context(app))}


@pytest.mark.parametrize(("verb", "options"), [(verb, each) for verb, several in SAYS.items() for each in several])
def test_every_total_says_that_it_is_not_complete(run, verb, options):
    found = run(verb, *options)
    assert found.exit_code in {0, 1}, found.output  # 1: the number was not found
    assert "6 opaque nodes not counted" in " ".join(found.output.split())  # whose notes are wrapped


@pytest.mark.parametrize(("verb", "options"), [(verb, each) for verb, several in DRAWS.items() for each in several])
def test_every_picture_says_that_it_is_not_complete(odd, verb, options, tmp_path):
    pytest.importorskip("vl_convert")
    from archspec.language import dumps

    (tmp_path / "odd.yaml").write_text(dumps(odd.document))
    kind, more = ((), options) if verb == "draw" else (options[:1], options[1:])
    found = CliRunner().invoke(app, [verb, *kind, str(tmp_path / "odd.yaml"), *more, "-o", str(tmp_path / "odd.svg")])
    assert found.exit_code == 0, found.output
    assert "6 opaque nodes not counted" in (tmp_path / "odd.svg").read_text()


@pytest.mark.parametrize("node", ["opaque", "opaque_join"])
def test_a_node_says_that_its_own_cost_is_not_known(run, odd, node):
    name = next(each.name for each in odd.expand().nodes if each.operator.name == node)
    found = run("explain", name)
    assert found.exit_code == 0, found.output
    assert "1 opaque node not counted" in found.output


def test_the_table_says_at_least_and_machines_get_no_number(run):
    text, data = run("count").output, json.loads(run("count", "--format", "json").output)
    assert f"≥ {8 * 8 * (8 * 27 + 16 * 72) + 80:,}" in text
    assert len(data["not_counted"]) == 6
    assert {row["macs"] for row in data["rows"] if row["operator"].startswith("opaque")} == {None}
    for asked in ("formula", "compare"):
        found = json.loads(run(asked, *(("lenet_5",) if asked == "compare" else ()), "--format", "json").output)
        assert "not_counted" in json.dumps(found)


@pytest.mark.parametrize("verb", REFUSES)
def test_what_would_need_to_know_is_refused(run, verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run(verb, *REFUSES[verb])
    assert found.exit_code == 2
    assert "opaque" in found.output
    assert not (tmp_path / "odd.py").exists()


def node(name, operator, inputs, shape, **more):
    return FlatNode(name, operator, {}, inputs, shape, **more)


def test_a_result_without_the_batch_is_no_input_of_what_has_weights():
    nodes = (node("a", "aten.arange", (), (7,), foreign=True), node("b", "matmul", ("input", "a"), (2, 7)))
    with pytest.raises(ArchspecError, match=r"aten\.arange at a gives 7, which does not begin with the batch of 2"):
        opaque(FlatGraph("net", (2, 7), nodes, "b"))


def test_what_takes_no_result_stands_on_the_input():
    nodes = (node("a", "aten.randn", (), (2, 7), foreign=True), node("b", "add", ("input", "a"), (2, 7)))
    first, _ = opaque(FlatGraph("net", (2, 7), nodes, "b")).nodes
    assert (first.operator, first.inputs, first.function) == ("opaque", ("input",), "randn")


def test_files_without_shapes_and_weights_that_cannot_be_proved_are_refused(tmp_path):
    (tmp_path / "net.cfg").write_text("[net]\n")
    for args in (["--opaque"], ["--opaque", "--weights", "w.safetensors"], ["--opaque", "--vary", "side=1,2"]):
        assert CliRunner().invoke(app, ["import", str(tmp_path / "net.cfg"), *args]).exit_code == 2
