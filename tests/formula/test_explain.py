"""A layer explained: the formulas come to what is counted, and so do the numbers as they are printed."""

import json
import re

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import UnknownNameError
from archspec.formula.explain import explain, find
from archspec.formula.writers import NumberText, shape
from archspec.language.expression import Expression, Scope
from archspec.symbols import value

SPECS = ("mobilenet_v2", "shufflenet", "squeezenet_bypass", "alexnet", "googlenet", "inception_v3", "lenet_300_100")
SETTINGS = [(name, {}) for name in SPECS] + [
    ("binary_convolution", {"form": form}) for form in ("real", "binary_weights", "xnor")
]
POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def distinct(network):
    """One layer of each kind: of those that compute the same from the same, the first."""
    seen = {}
    for node in network.nodes:
        seen.setdefault((node.operator, network.inputs_of(node)), node)
    return seen.values()


def computed(text):
    """What a printed formula with numbers comes to; a ceiling is one of a quotient."""
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**{found[0].translate(POWERS)}", text)
    plain = plain.replace("·", "*").replace("−", "-").replace("⌈", "ceil(").replace("⌉", ")")
    return Expression(plain).evaluate(Scope({}))


def compare(network):
    """Hold the formulas of each layer, and its numbers as they are printed, against its count."""
    rows = {row.name: row for row in network.count().rows}
    for node in distinct(network):
        found = explain(network, node.name)
        row = rows[node.name]
        assert (found.figures.get("params", 0), found.figures.get("macs", 0)) == (row.params, row.macs)
        assert found.flops == row.flops
        assert not found.broken
        values = found.values
        for figure, formula in found.closed_forms.figures.items():
            assert value(formula.exact, values) == found.figures[figure]
            assert computed(NumberText(formula, values).sum(formula.terms)) == found.figures[figure]
        for formulas, sizes in ((found.closed_forms.output, node.output.shape), *((w[1], w[2]) for w in found.weights)):
            assert tuple(value(size.exact, values) for size in formulas) == sizes
            printed = shape(formulas, NumberText, values)
            assert [computed(part) for part in re.split(" × ", printed)] == list(sizes)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("name", "bindings"), SETTINGS)
def test_formulas_and_printed_numbers_come_to_what_is_counted(name, bindings):
    compare(archspec.load(name).expand(batch=3, **bindings))


@pytest.mark.parametrize(
    ("shape", "axes", "letters"),
    [
        ("[16, 100]", 1, "n=1 c_in=16 l=100 c_out=4 k=3 s=1 p=0 d=1 g=1 l_out=98"),
        ("[3, 8, 10, 12]", 3, "n=1 c_in=3 z=8 h=10 w=12 c_out=4 k=3 s=1 p=0 d=1 g=1 z_out=6 h_out=8 w_out=10"),
    ],
)
def test_sequences_and_volumes_have_letters_of_their_own(shape, axes, letters):
    steps = f"- conv{axes}d: {{out_channels: 4, kernel_size: 3}}\n  - max_pool{axes}d: {{kernel_size: 2}}"
    arch = archspec.loads(f"archspec: 1\nname: x\ninput: {shape}\nnetwork:\n  {steps}\n")
    assert " ".join(f"{name}={each}" for name, each in arch.explain(f"conv{axes}d").values.items()) == letters
    compare(arch.expand())


def test_the_letters_have_the_values_of_the_layer():
    found = archspec.load("alexnet").explain("conv2/conv2d")
    assert " ".join(f"{name}={number}" for name, number in found.values.items()) == (
        "n=1 c_in=96 h=27 w=27 c_out=256 k=5 s=1 p=2 d=1 g=2 h_out=27 w_out=27"
    )
    assert found.figures == {"params": 256 * 48 * 25 + 256, "macs": 27 * 27 * 256 * 48 * 25, "additions": 27 * 27 * 256}
    assert found.rule.startswith("A 2-D convolution")


def test_sizes_of_two_sides_have_two_letters():
    arch = archspec.loads("""
archspec: 1
name: sides
input: [4, 9, 12]
network:
  - {conv2d: {out_channels: 6, kernel_size: [3, 5], stride: [1, 2], padding: [0, 1, 2, 3]}, as: conv}
  - {zero_pad: {padding: 2}, as: pad}
  - {split: {sections: [2, 4], index: 1}, as: split}
  - {adaptive_avg_pool2d: {output_size: 5}, as: pool}
  - mul: {one: [identity], gate: [{global_avg_pool: {keepdim: true}}]}
    as: gate
""")
    conv = arch.explain("conv")
    assert [conv.values[name] for name in ("k_h", "k_w", "s_h", "s_w", "p_top", "p_right")] == [3, 5, 1, 2, 0, 3]
    assert str(conv.closed_forms.figures["macs"]) == "n·c_out·h′·w′·c_in·k_h·k_w/g"
    assert arch.explain("pad").values["p"] == 2
    split = arch.explain("split")
    assert (shape(split.closed_forms.output), split.values) == ("n × 4 × h × w", {"n": 1, "c": 6, "h": 12, "w": 11})
    pool = arch.explain("pool")
    assert [str(condition) for condition in pool.broken] == ["h is a multiple of o", "w is a multiple of o"]
    said = run_on(arch, "pool")
    assert "A closed form needs that h is a multiple of o" in " ".join(said.split())
    gate = arch.explain("gate")
    assert shape(gate.closed_forms.inputs[1]) == "n × c × 1 × 1"


def run_on(arch, node):
    return str(arch.explain(node)) + "\n"


# ------------------------------------------------------------------ names


def test_a_layer_is_found_by_as_much_of_its_name_as_tells_it_apart():
    network = archspec.load("mobilenet").expand()
    for name, path in {
        "separable2/unit1/pointwise/conv2d": "separable2/unit1/pointwise/conv2d",
        "/conv/conv2d/": "conv/conv2d",
        "separable2/pointwise/conv2d": "separable2/unit1/pointwise/conv2d",
        "unit5/depthwise/relu": "separable7/unit5/depthwise/relu",
        "fc": "fc",
    }.items():
        assert find(network, name).name == path
    assert find(archspec.load("lenet_5").expand(), "conv1").name == "conv1"
    assert find(archspec.load("googlenet").expand(), "norm1").name == "norm1/local_response_norm"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("separable2/pointwise", "is 3 layers; name one: separable2/unit1/pointwise/conv2d, "),
        ("batch_norm", "is 27 layers; .* and 21 more"),
        ("sofmax", "did you mean 'softmax'"),
        ("xyz", "no layer 'xyz'; the first is conv/conv2d"),
    ],
)
def test_a_name_of_no_layer_or_of_several_is_refused(name, message):
    with pytest.raises(UnknownNameError, match=message):
        archspec.load("mobilenet").explain(name)


# ------------------------------------------------------------------ what is printed


def run(*arguments):
    return CliRunner().invoke(app, ["explain", *arguments])


def test_text_goes_from_letters_to_numbers_to_the_result():
    said = run("mobilenet", "separable2/pointwise/conv2d", "--set", "alpha=1/2").stdout
    assert "  c_in = 32   channels of the input" in said
    lines = [line.strip() for line in said.splitlines()]
    at = lines.index("MACs")
    assert lines[at + 1 : at + 4] == ["= n·c_out·h′·w′·c_in·k²/g", "= 1·64·56·56·32·1²/1", "= 6,422,528"]
    assert lines[lines.index("FLOPs") + 1 :][:3] == ["= 2·MACs", "= 2·6,422,528", "= 12,845,056"]


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "json"])
def test_every_format_says_the_result(form):
    result = run("squeezenet", "fire2/squeeze/conv2d", "--format", form, "--batch", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    macs = 2 * 55 * 55 * 96 * 16
    written = {"json": str(macs), "text": f"{macs:,}"}.get(form, f"{macs:,}".replace(",", "{,}"))
    assert written in result.stdout


def test_json_has_letters_formulas_and_values():
    data = json.loads(run("lenet_5", "fc1", "--format", "json").stdout)
    assert data["figures"]["params"] == {
        "formula": "f_out·f_in + f_out",
        "numbers": "500·800 + 500",
        "latex": r"f_{\mathrm{out}} \, f_{\mathrm{in}} + f_{\mathrm{out}}",
        "value": 400500,
    }
    assert data["output"] == {"formula": "n × f_out", "value": [1, 500]}
    assert data["weights"][0] == {"name": "weight", "formula": "f_out × f_in", "value": [500, 800]}
    assert {"letter": "f_in", "value": 800, "means": "channels of the input"} in data["letters"]


def test_activations_go_from_letters_to_numbers_too():
    lines = [line.strip() for line in run("alexnet", "conv2/conv2d").stdout.splitlines()]
    at = lines.index("activations")
    assert lines[at + 1 : at + 4] == ["= n·c_out·h′·w′", "= 1·256·27·27", "= 186,624"]
    assert (
        r"n \, c_{\mathrm{out}} \, h^{\prime} \, w^{\prime}"
        in run("alexnet", "conv2/conv2d", "--format", "latex").stdout
    )


def test_weights_come_before_biases():
    assert "= c_out·c_in·k²/g + c_out\n  = 256·96·5²/2 + 256\n" in run("alexnet", "conv2/conv2d").stdout


def test_a_view_says_that_it_adds_no_activations():
    assert "adds no activations" in run("lenet_5", "flatten").stdout


def test_the_layers_that_the_help_names_are_found():
    assert "fire2/squeeze/conv2d, separable2/pointwise/relu." in " ".join(run("--help").stdout.split())
    assert run("squeezenet", "fire2/squeeze/conv2d").exit_code == 0
    assert run("mobilenet", "separable2/pointwise/relu").exit_code == 0


def test_an_unknown_layer_is_one_sentence_and_exit_2():
    result = run("lenet_5", "conv9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
