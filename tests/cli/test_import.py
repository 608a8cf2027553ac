"""`archspec import`, as it is typed."""

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.usefixtures("here")


CODE = """
from torch.nn import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Flatten, Linear, ReLU, Sequential

def unit(c, d):
    return Sequential(Conv2d(c, d, 3, padding=1, bias=False), BatchNorm2d(d), ReLU())

def net(width=8, fails=False):
    if fails:
        raise RuntimeError('no such luck')
    return Sequential(unit(3, width), unit(width, width), AdaptiveAvgPool2d(1), Flatten(), Linear(width, 4))

def word():
    return 'net'

def ignores(width=1):
    return net()
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a model's code in it."""
    (tmp_path / "nets_of_a_test.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args):
    return CliRunner().invoke(app, ["import", *args])


def test_a_factory_becomes_a_specification_and_weights():
    found = run(
        "nets_of_a_test:net",
        "--set",
        "width=16",
        "--input",
        "3x32x32",
        "-o",
        "net.yaml",
        "--weights",
        "net.safetensors",
    )
    assert found.exit_code == 0, found.output
    assert "net.yaml: 20 lines, 8 layers, 1 block" in found.output
    assert "12 arrays; outputs differ by" in found.output
    arch = archspec.load("net.yaml")
    assert arch.count().params == 16 * 3 * 9 + 16 * 16 * 9 + 4 * 16 + 4 * 16 + 4
    matching = arch.match_weights("net.safetensors")
    assert matching


def test_the_text_goes_to_standard_output():
    found = run("nets_of_a_test:net", "--input", "3x32x32")
    assert found.exit_code == 0
    assert archspec.loads(found.stdout).count().params


def test_the_plain_list():
    found = run("nets_of_a_test:net", "--input", "3x32x32", "--flat")
    assert "blocks:" not in found.stdout
    assert archspec.loads(found.stdout).count().params


VARY = ["nets_of_a_test:net", "--input", "3x32x32", "--vary"]


def test_arguments_become_symbols():
    found = run(*VARY, "width=8,12", "--vary", "fails=0,0.0", "-o", "net.yaml")
    assert found.exit_code == 2
    found = run(*VARY, "width=8,12", "--vary", "side=32,16", "--set", "fails=false", "-o", "net.yaml")
    assert found.exit_code == 0, found.output
    assert archspec.load("net.yaml").count(width=16, side=64).params == 16 * 3 * 9 + 16 * 16 * 9 + 4 * 16 + 4 * 16 + 4


def test_a_factory_that_ignores_an_argument_is_said():
    found = run("nets_of_a_test:ignores", "--input", "3x8x8", "--vary", "width=1,0.5", "-o", "net.yaml")
    assert found.exit_code == 0
    assert "width: nothing depends on it" in found.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["net.txt"], "no .onnx, .pt2, .cfg or .prototxt, nor MODULE:FACTORY"),
        (["none.onnx"], "none.onnx: cannot be read: No such file or directory"),
        (
            ["some/nets.py:make"],
            "some/nets.py:make is a file; name its module, from its folder: nets:make",
        ),
        (["nets_of_a_test:nothing"], "cannot be imported: module 'nets_of_a_test' has no attribute 'nothing'"),
        (["nets_of_a_test:net", "--set", "fails=true"], "cannot be made: no such luck"),
        (["nets_of_a_test:word"], "gives a str, not a module of torch"),
        (["nets_of_a_test:net", "--input", "3x0"], "--input takes sizes such as 3x224x224 (got '3x0')"),
        (["nets_of_a_test:net", "--set", "width"], "--set takes NAME=VALUE (got 'width')"),
        (["nets_of_a_test:net", "--set", "width=1", "--set", "width=2"], "--set width is given twice"),
        ([*VARY, "width"], "--vary takes NAME=VALUE,VALUE,… such as width=1,0.37,0.61 (got 'width')"),
        ([*VARY, "width=8,16", "--vary", "width=4,2"], "is given twice; write its values in one: width=8,16,4,2"),
        ([*VARY, "width=8,16", "--set", "width=8"], "--set width and --vary width are both given"),
        ([*VARY, "width=8"], "--vary width takes two values or more, the default first (got '8')"),
        ([*VARY, "width=8,8.0"], "--vary width has 8 twice"),
        ([*VARY, "width=relu,silu"], "--vary width takes numbers, of which symbols are made (got 'relu')"),
        ([*VARY, "width=8,1e999999999"], "--vary width takes numbers, of which symbols are made"),
        ([*VARY, f"width={','.join(map(str, range(1, 40)))}"], "--vary width takes 32 values at most"),
        ([*VARY, "width=8,-8"], "at width=-8: nets_of_a_test:net cannot be made"),
        ([*VARY, "fails=0,1"], "at fails=1: nets_of_a_test:net cannot be made: no such luck"),
        ([*VARY, "none=1,2"], "at none=1: nets_of_a_test:net cannot be made: net() got an unexpected keyword"),
        ([*VARY, "side=32,32.5"], "--vary side takes whole sizes such as side=224,192"),
        ([*VARY, "side=32,16", "--input", "3x32"], "--vary side is the height and width of an image"),
        (["net.onnx", "--vary", "width=8,16"], "--vary is of what a factory makes"),
        (["nets_of_a_test:net", "--input", "5x8x8"], "cannot be exported"),
        (["nets_of_a_test:net", "--weights", "x.bin"], "weights are written as .safetensors"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(args, message):
    found = run(*args)
    assert found.exit_code == 2
    assert message in found.stderr.replace("\n", " ")
