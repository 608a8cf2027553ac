"""`archspec compile` and `archspec verify` at the command line."""

import json

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from archspec.cli import app  # noqa: E402  # behind the skip
from archspec.language import zoo  # noqa: E402
from archspec.ops import Operations, operator  # noqa: E402

TINY = """archspec: 1
name: tiny
symbols: {c: {default: 4}, kind: {default: a, choices: [a, b]}}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: c, kernel_size: 3}, as: conv}
  - {when: kind == b, then: [relu]}
"""


def run(*arguments, **kwargs):
    return CliRunner().invoke(app, arguments, **kwargs)


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    return str(tmp_path / "tiny.yaml")


def test_compile_writes_a_program_with_the_symbols_and_the_seed(tiny, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        done = run("compile", tiny, "-o", str(tmp_path / f"{name}.pt2"), "--set", "c=7", "--seed", seed)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    a, b, c = (torch.export.load(tmp_path / f"{name}.pt2").state_dict["conv.weight"] for name in "abc")
    assert a.shape == (7, 3, 3, 3)
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "model.txt"], "'model.txt' ends in no format that can be written"),
        (["-o", "nowhere/model.pt2"], "cannot write nowhere/model.pt2: No such file or directory"),
        (["-o", "model.pt2", "--set", "d=1"], "'tiny' has no symbol 'd'"),
        ([], "Missing option"),
    ],
)
def test_compile_refuses_what_it_cannot_do(tiny, arguments, said):
    done = run("compile", tiny, *arguments, env={"COLUMNS": "200"})
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_verify_prints_every_layer_of_one_network_and_a_line_for_each_of_several():
    one = run("verify", "lenet_5").stdout
    assert "lenet_5, counted and run: side = 28, classes = 10" in one
    assert "conv1           conv2d      20×24×24        2      520        0    288,000       11,520  yes" in one
    assert "written source  source            10        8  431,080        0  2,293,000       19,410  yes" in one
    assert "1 of 1 networks agree (8 nodes:" in one
    several = run("verify", "lenet_5", "lenet_300_100").stdout
    assert "conv1" not in several
    assert "2 of 2 networks agree (14 nodes:" in several
    assert "| conv1 " in run("verify", "lenet_5", "lenet_300_100", "--by", "layer", "--format", "markdown").stdout


def test_verify_takes_variants_and_tells_them_apart(tiny):
    done = run("verify", tiny, "--variants")
    assert done.exit_code == 0
    assert "tiny kind=a" in done.stdout
    assert "tiny kind=b" in done.stdout
    (only,) = json.loads(run("verify", tiny, "--variants", "--set", "kind=b", "--format", "json").stdout)
    assert only["bindings"] == {"c": "4", "kind": "b"}
    refused = run("verify", tiny, "--variants", "--set", "c=x")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "expected a number" in refused.stderr


def test_verify_of_the_whole_zoo_agrees(monkeypatch):
    few = ["lenet_5", "mobilenet"]  # all of them are compared in tests/runtime/test_verify.py
    monkeypatch.setattr(zoo, "names", lambda: few)
    done = run("verify", "--all", "--format", "json")
    assert done.exit_code == 0
    assert [(entry["spec"], entry["agrees"]) for entry in json.loads(done.stdout)] == [(name, True) for name in few]


def test_verify_needs_a_network():
    done = run("verify")
    assert done.exit_code == 2
    assert "name a SPEC, or give --all" in done.stderr


def test_a_disagreement_exits_1_and_names_the_first_node(tiny, monkeypatch):
    monkeypatch.setattr(operator("conv2d"), "operations", lambda self, x: Operations(macs=self.products(x) + 1))
    done = run("verify", tiny)
    assert done.exit_code == 1
    assert "3,889 ≠ 3,888" in done.stdout  # 4·6·6 · 3·9
    assert "NO" in done.stdout
    assert "0 of 1 networks agree" in done.stdout
    words = " ".join(done.stdout.split())
    assert "tiny: 1 of 1 nodes disagree, first node 'conv' (conv2d): macs 3889 ≠ 3888" in words
    (entry,) = json.loads(run("verify", tiny, "--format", "json").stdout)
    assert entry["disagreements"][0] == {
        "name": "conv",
        "operator": "conv2d",
        "facts": {"macs": {"analytic": 3889, "torch": 3888}},
    }
