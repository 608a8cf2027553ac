"""`archspec compare`: networks side by side."""

import json

import pytest
from click.testing import CliRunner

from archspec.cli import app
from archspec.report.compare import ratio


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *arguments], env={"COLUMNS": "100"})


def test_squeezenet_has_fifty_times_fewer_parameters_than_alexnet():
    page = run("alexnet", "squeezenet").stdout
    assert "60,965,224      1,248,424      1/48.8" in page
    assert max(map(len, page.splitlines())) <= 100


def test_mobilenet_beside_its_full_convolutions():
    data = json.loads(run("mobilenet_full", "mobilenet", "--convention", "mobilenet", "--format", "json").stdout)
    full, separable = data["networks"]
    assert (full["params"], separable["params"]) == (29281120, 4209088)
    assert separable["of_first"]["macs"] == ratio(568740352, 4867293184) == "1/8.56"


def test_the_units_compare_as_formulas():
    page = run(
        "bottleneck_units:unit=resnet",
        "bottleneck_units:unit=resnext",
        "bottleneck_units:unit=shufflenet",
        "--symbolic",
    ).stdout
    lines = [" ".join(line.split()) for line in page.partition("MACs")[2].partition("FLOPs")[0].splitlines()]
    assert "bottleneck_units:unit=resnet = h·w·(2cm + 9m²)" in lines
    assert "bottleneck_units:unit=resnext = h·w·(2cm + 9m²/g)" in lines
    assert "bottleneck_units:unit=shufflenet = h·w·(2cm/g + 9m)" in lines


def test_some_symbols_can_be_left_free():
    page = run("mobilenet", "mobilenet:alpha=1/2", "--free", "classes").stdout
    assert "= 1025·classes + 3206976" in page
    assert "≈" not in page


def test_the_ratio_of_a_separable_convolution_to_a_full_one_is_the_papers():
    page = run("mobilenet_full:separable", "mobilenet:separable", "--free", "k,c_in,c,h,w").stdout
    assert "mobilenet:separable / mobilenet_full:separable = 1/c + 1/k²" in " ".join(page.split())


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "json"])
def test_every_format_holds_the_figures(form):
    assert "1248424" in run("alexnet", "squeezenet", "--format", form).stdout.replace(",", "")


def test_many_networks_go_on_in_further_tables():
    page = run("mobilenet", *(f"mobilenet:alpha={i}/8" for i in range(1, 8))).stdout
    assert max(map(len, page.splitlines())) <= 100
    assert page.count("params ") > 2


def test_one_network_cannot_be_compared():
    result = run("mobilenet")
    assert result.exit_code == 2
    assert "two specifications or more" in result.stderr


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [(2, 1, "2"), (1, 2, "0.5"), (1, 3, "1/3"), (0, 5, "0"), (5, 0, "–"), (1999, 1000, "2"), (12345, 10, "1235")],
)
def test_ratios_have_three_digits(a, b, said):
    assert ratio(a, b) == said


def test_any_quantity_is_compared_and_what_decides_it_is_said():
    asked = ["lenet_5", "lenet_300_100", "--of", "traffic,intensity", "--dtype", "int8", "--weight-bits", "4"]
    page = run(*asked).stdout
    assert page.splitlines()[2].startswith("traffic [B]")
    assert page.splitlines()[3].startswith("MACs/B")
    assert " ".join(page.split()).endswith("int8 activations; 4-bit weights")
    first = json.loads(run(*asked, "--format", "json").stdout)["networks"][0]
    assert first["intensity"] == pytest.approx(2_293_000 / first["traffic"])
    assert run("lenet_5", "lenet_300_100", "--of", "speed").exit_code == 2
