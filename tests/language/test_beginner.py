"""The mistakes that a beginner is most likely to make, typed, and what is said of them: one fault, and what would do."""

# ruff: noqa: E501  # a case is a row, however long

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import SpecErrors
from archspec.language import zoo

HEAD = "archspec: 1\nname: x\ninput: [3, 32, 32]\n"
"""Three lines; what a case adds begins in the fourth."""


def net(*steps):
    return "network:\n" + "".join(f"  - {step}\n" for step in steps)


TYPED = [
    # misspelt, and called as elsewhere
    (net("con2d: {out_channels: 8, kernel_size: 3}"), "5:5: unknown operator or block 'con2d'; did you mean 'conv2d'?"),
    (net("conv2d: {out_chanels: 8, kernel_size: 3}"), "5:14: 'conv2d' has no argument 'out_chanels'; did you mean 'out_channels'?"),
    (net("conv2d: {filters: 8, kernel_size: 3}"), "5:14: 'conv2d' has no argument 'filters'; did you mean 'out_channels'?"),
    (net("dense: {out_features: 8}"), "5:5: unknown operator or block 'dense'; did you mean 'linear'?"),
    (net("swish"), "5:5: unknown operator or block 'swish'; did you mean 'silu'?"),
    (net("BatchNorm2d"), "5:5: unknown operator or block 'BatchNorm2d'; did you mean 'batch_norm'?"),
    (net("maxpool: {kernel_size: 2}"), "5:5: unknown operator or block 'maxpool'; did you mean 'max_pool2d'?"),
    (net("grid_sample: {groups: 4}"), "5:5: unknown operator or block 'grid_sample'; the language has no such operator, see docs/operators.md"),
    (net("einsum"), "5:5: unknown operator or block 'einsum'; the language has no such operator, see docs/operators.md"),
    (net("multi_head_attention: {heads: 4}"), "5:5: unknown operator or block 'multi_head_attention'; it is a block around scaled_dot_product_attention: see 'attention' in archspec show vit --format yaml"),
    (net("multiply: [identity, sigmoid]"), "5:15: expected a mapping, found a list; did you mean 'mul'?"),
    ("layers:\n  - relu\nnetwork: [relu]\n", "4:1: unknown key 'layers'; did you mean 'network'?"),
    # missing
    (net("conv2d: {out_channels: 8}"), "5:5: 'conv2d' needs 'kernel_size'"),
    (net("conv2d: {out_channels: width(8), kernel_size: 3}"), "5:28: undefined function 'width'"),
    (net("conv2d {out_channels: 8, kernel_size: 3}"), "5:41: not YAML: a second ':' on the line; put a text that holds ': ' into quotes"),
    (net("conv2d: {out_channels: max(8, 3), kernel_size: 3}"), "5:31: 'max(8' is not an expression: '(' was never closed; inside { } and [ ], an expression with commas needs quotes"),
    ("network:\n\t- relu\n", "5:1: not YAML: a tab cannot indent; use spaces"),
    # swapped
    (net("linear: {out_features: 10}"), "5:5: linear: linear takes vectors, found an image of 3×32×32; put flatten or global_avg_pool before it"),
    (net("flatten", "conv2d: {out_channels: 8, kernel_size: 3}"), "6:5: conv2d: conv2d takes an image (channels × height × width), found 3072"),
    (net("add: [[{conv2d: {out_channels: 8, kernel_size: 1}}], [identity]]"), "5:5: add: add needs equal channels: 8 in branch 1, 3 in branch 2"),
    ("symbols: {a: {default: 3, range: [0, 2]}}\n" + net("relu"), "4:24: default must be from 0 to 2 (got 3)"),
    # out of range
    (net("conv2d: {out_channels: 0, kernel_size: 3}"), "5:28: conv2d: out_channels must be at least 1 (got 0)"),
    (net("conv2d: {out_channels: 8, kernel_size: 64}"), "5:31: conv2d: the kernel spans 64, more than its input's height 32"),
    (net("conv2d: {out_channels: 8, kernel_size: 3, groups: 2}"), "5:47: conv2d: 3 input channels do not divide into 2 groups; groups divides both"),
    (net("dropout: {p: 50}"), "5:18: dropout: p must be at least 0 and less than 1 (got 50)"),
    (net("softmax: {dim: 0}"), "5:20: softmax: dim must be an axis other than 0, which is the batch: 1 for the channels, -1 for the last (got 0)"),
    (net("batch_norm: {momentum: 9}"), "5:28: batch_norm: momentum must be from 0 to 1 (got 9)"),
    # units and ways of writing
    ("symbols: {a: 3}\n" + net("relu"), "4:14: expected a mapping, such as {default: 224}, found '3'"),
    ("blocks: {b: [relu]}\n" + net("b"), "4:13: expected a mapping, such as {body: [relu]}, found a list"),
    (net("linear: 10"), "5:13: expected a mapping, such as linear: {out_features: 10}, found '10'"),
    (net("linear(10)"), "5:5: expected a name (letters, digits and _, beginning with a letter), found 'linear(10)'; arguments stand behind a colon: linear: {…}"),
    (net("dropout: {p: 50%}"), "5:21: '50%' is not an expression: a share is a number, 50/100"),
    (net("conv2d: {out_channels: 8, kernel_size: 3x3}"), "5:44: '3x3' is not an expression: a height and a width are written [3, 3]"),
    (net("conv2d: {out_channels: 8 channels, kernel_size: 3}"), "5:30: '8 channels' is not an expression: it takes numbers, names, + − * / // **, comparisons and functions"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), TYPED)
def test_a_specification_is_faulted_once_with_what_would_do(tmp_path, text, said):
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + text)
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 2
    found = [line for line in result.stderr.splitlines() if line.startswith(f"{path}:")]
    assert found == [f"{path}:{said}"]


ASKED = [
    (["count", "lraspp"], "no file or network of the zoo is called 'lraspp'; did you mean 'lraspp_mobilenet_v3'?"),
    (["count", "MobileNet_V2"], "no file or network of the zoo is called 'MobileNet_V2'; did you mean 'mobilenet_v2'?"),
    (["count", "resnet"], "count 'bottleneck_units' at values at which it does"),
    (["check", "mobilenet", "--flash", "1MB"], "did you mean '--weight-bytes'?"),
    (["solve", "mobilenet", "--for", "alpha", "--ram", "320kB"], "did you mean '--memory'?"),
    (["count", "mobilnet"], "no file or network of the zoo is called 'mobilnet'; did you mean 'mobilenet'?"),
    (["count", "mobilenet", "--set", "alhpa=1"], "'mobilenet' has no symbol 'alhpa'; did you mean 'alpha'?"),
    (["count", "lenet_5", "--set", "batch=8"], "its symbols are side, classes, input_channels, and the batch is --batch, or batch="),
    (["count", "mobilenet", "--set", "alpha"], "--set takes NAME=VALUE, such as alpha=0.5"),
    (["count", "mobilenet", "--set", "alpha=9"], "alpha must be from 1/32 to 4 (got 9)"),
    (["count", "mobilenet", "--set", "side=0.5"], "side must be a whole number (got 1/2); with 'type: rational' the symbol takes fractions"),
    (["count", "mobilenet", "squeezenet"], "count takes one specification, and archspec compare several"),
    (["compare", "mobilenet"], "compare takes two specifications or more: archspec compare mobilenet mobilenet_v2"),
    (["zoo", "mobil"], "no network of the zoo matches 'mobil'; 'mobil*' has mobilenet"),
    (["solve", "mobilenet", "--macs", "<=300MB", "--for", "alpha"], "no unit 'MB' of macs; did you mean 'M'?"),
    (["solve", "mobilenet", "--macs", "<=300M"], "--for says which symbol to solve for, such as --for alpha"),
    (["formula", "mobilenet", "--of", "mac"], "no quantity 'mac'; did you mean 'macs'?"),
    (["reconcile", "mobilenet", "--reported", "3.5MB"], "expected a number such as 327.55M, 568,740,352 or '3.50M params'"),
    (["compile", "mobilenet", "-o", "m.h5"], "'m.h5' ends in no format that can be written; there are .py, .pt2, .onnx"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), ASKED)
def test_a_command_is_refused_with_what_would_do(arguments, said):
    if "compile" in arguments:
        pytest.importorskip("torch")
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "300"}, terminal_width=300)
    assert result.exit_code in (1, 2)
    assert said in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("net.onnx", b"\x08\x07", "an ONNX model"),
        ("net.cfg", b"[net]\nwidth=416\n", "a Darknet configuration"),
        ("net.tflite", b"\x1c\0\0\0TFL3", "a TensorFlow Lite model"),
        ("net", b"\x1c\0\0\0TFL3", "a TensorFlow Lite model"),
        ("net.pt", b"PK\x03\x04", "a PyTorch file"),
        ("net.bin", b"PK\x03\x04", "a zip archive"),
        ("net.safetensors", b"\x10\0\0\0\0\0\0\0{}", "a file of weights (--weights takes it)"),
    ],
)
def test_a_file_of_others_is_called_what_it_is(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    result = CliRunner().invoke(app, ["count", str(tmp_path / name)])
    assert result.exit_code == 2
    assert f"{tmp_path / name} is {said}, no specification" in result.stderr


def test_a_specification_keeps_its_own_faults_whatever_it_is_called(tmp_path):
    path = tmp_path / "net.cfg"
    path.write_text(HEAD + net("relu"))
    assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 0


def test_an_exponent_may_be_free(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(HEAD + "symbols: {n: {default: 3}}\n" + net("conv2d: {out_channels: 2**n, kernel_size: 1}"))
    result = CliRunner().invoke(app, ["formula", str(path)])
    assert "2^n" in result.stdout


def test_a_fault_of_the_network_does_not_stand_before_a_block_that_is_asked_for(tmp_path):
    path = tmp_path / "faulty.yaml"
    head = "archspec: 1\nname: faulty\ninput: [3, 32, 32]\nblocks:\n  unit: {args: {c: required}, body: [{max_pool2d: {kernel_size: 50}}]}\n"
    body = "[{conv2d: {out_channels: c, kernel_size: 1}}]"
    path.write_text(
        head.replace("[{max_pool2d: {kernel_size: 50}}]", body)
        + "network: [{unit: {c: 16}}, con2d, {conv2d: {padding: 1}}]\n"
    )
    assert str(archspec.load(f"{path}:unit").formula("params")) == "c_in·c + c"
    with pytest.raises(SpecErrors, match="unknown operator or block 'con2d'"):
        archspec.load(path)
    path.write_text(head + "network: [{unit: {c: 16}}, con2d]\n")
    with pytest.raises(SpecErrors, match="max_pool2d"):
        archspec.load(f"{path}:unit").count()
    path.write_text(head.replace("[{max_pool2d: {kernel_size: 50}}]", body) + "network: [con2d, {unit: {c: 16}}]\n")
    assert str(archspec.load(f"{path}:unit").formula("params")) == "c_in·c + c"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("count plans/lenet_5.yaml", "1:1: this is a plan (archspec compress --plan), and no specification"),
        ("count published/bert.yaml", "1:1: this is a file of figures (archspec reproduce --figures), and no"),
        (
            "compress predict lenet_5 --plan {empty}",
            "1:1: the file is empty; a plan is a mapping that begins with 'plan: 1'",
        ),
        (
            "reproduce --figures {empty}",
            "1:1: the file is empty; a file of figures is a mapping that begins with 'figures_of'",
        ),
    ],
)
def test_one_file_in_place_of_another_is_told_what_it_is(tmp_path, asked, said):
    (tmp_path / "empty.yaml").touch()
    here = zoo.directory()
    words = [str(here / word) if word.endswith(".yaml") else word for word in asked.split()]
    result = CliRunner().invoke(app, [word.format(empty=tmp_path / "empty.yaml") for word in words])
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") <= 3
