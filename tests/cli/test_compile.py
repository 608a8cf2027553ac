"""`archspec compile` and `archspec verify` at the command line."""

import json

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec.cli import app  # noqa: E402
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
    return CliRunner().invoke(app, list(map(str, arguments)), **kwargs)


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    return str(tmp_path / "tiny.yaml")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_compile_writes_a_program_with_the_symbols_and_the_seed(tiny, tmp_path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        done = run("compile", tiny, "-o", str(tmp_path / f"{name}.pt2"), "--set", "c=7", "--seed", seed)
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{tmp_path / name}.pt2: ")
        assert done.stdout.endswith("; a program of torch.export; any batch of 3×8×8; fresh weights\n")
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
        ([], "missing option"),
    ],
)
def test_compile_refuses_what_it_cannot_do(tiny, arguments, said):
    done = run("compile", tiny, *arguments, env={"COLUMNS": "200"})
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.fixture
def trained(tmp_path):
    """A file of weights with what a training notes in it."""
    from safetensors.torch import save_file

    model = archspec.loads(TINY).to_torch(seed=3)
    note = {"mean": [0.1, 0.2, 0.3], "deviation": [0.4, 0.5, 0.6], "names": ["cat", "dog"], "step": 7}
    file = tmp_path / "weights.safetensors"
    save_file(model.state_dict(), file, metadata={"archspec": json.dumps(note)})
    return file


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_onnx_says_how_it_is_used(tiny, trained, tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    file = tmp_path / "net.onnx"
    done = run("compile", tiny, "--weights", trained, "-o", file, "--batch", "3", "--opset", "18")
    assert done.exit_code == 0, done.output
    size = f"{file.stat().st_size:,} B"
    scaled = "pixels from 0 to 1, less the mean 0.1, 0.2, 0.3, over the deviation 0.4, 0.5, 0.6"
    facts = f"ONNX of opset 18; batches of 3 of 3×8×8; {scaled}; 2 named classes; weights of {trained}"
    assert done.stdout == f"{file}: {size}; {facts}\n"
    model = onnx.load(file)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["archspec.names"]) == ["cat", "dog"]
    assert json.loads(said["archspec.deviation"]) == [0.4, 0.5, 0.6]
    assert said["archspec.name"] == "tiny"
    assert model.opset_import[0].version == 18
    assert [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim] == [3, 3, 8, 8]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "x.onnx", "--int8"], "--int8 is of weights that have learned"),
        (["-o", "x.onnx", "--data", "digits"], "--data is for --int8"),
        (["-o", "x.pt2", "--int8", "--weights", "w.safetensors"], "a file that ends in .onnx can"),
        (["-o", "x.onnx", "--int8", "--weights", "w.safetensors", "--batch", "2"], "takes any batch"),
        (["-o", "x.pt2", "--opset", "18"], "an opset is one of ONNX"),
    ],
)
def test_what_a_file_cannot_have_is_refused(tiny, tmp_path, monkeypatch, arguments, said):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    done = run("compile", tiny, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert not list(tmp_path.glob("x.*"))


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


def test_verify_in_a_pipe_tells_all_layers_apart_and_leaves_out_what_agrees_first():
    page = run("verify", "gpt2", "--set", "layers=3,width=96,heads=2", env={"COLUMNS": "100"}).stdout
    head, _, *rows = page.split("\n\n")[1].splitlines()
    assert head.split() == ["layer", "output", "params", "MACs", "agrees"]
    names = [row.split()[0] for row in rows[:-2]]
    assert len(names) == len(set(names)) > 60
    assert max(map(len, page.splitlines())) <= 100


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
    assert "give a SPEC, several, or --all" in done.stderr


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
