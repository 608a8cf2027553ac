"""`archspec reproduce`: every figure that can be computed comes out, or is a known erratum."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from archspec.cli import app
from archspec.errors import SpecErrors, UnknownNameError
from archspec.published import Verdict, load, papers
from archspec.report.reproduce import _decimal, summary

OWN = """figures_of: own
source: {{title: A table of my own, year: 2026}}
figures:
  - {{id: params, where: Table 1, printed: "{params}", unit: k, spec: mine.yaml, set: {{c: 4}}, quantity: params}}
  - {{id: gone, where: Table 1, printed: fast, measured: true, note: a clock}}
"""
SPEC = """archspec: 1
name: mine
symbols: {c: {default: 8}}
input: [3, 8, 8]
network: [{conv2d: {out_channels: c, kernel_size: 3, bias: false}}]
"""


def run(*arguments):
    return CliRunner().invoke(app, ["reproduce", *arguments], env={"COLUMNS": "100"})


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("paper", papers())
def test_every_figure_of_a_paper_agrees_or_is_a_known_erratum(paper, findings):
    assert [finding.figure.id for finding in findings(paper) if finding.open] == []


@pytest.mark.parametrize("paper", papers())
def test_every_erratum_is_one(paper, findings):
    """A figure marked as misprinted that agrees after all is marked wrongly."""
    for finding in findings(paper):
        if finding.figure.erratum and not finding.figure.measured:
            assert finding.verdict is Verdict.OFF, finding.figure.id


def test_all_papers_are_reproduced_by_one_command():
    result = run()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "all papers: " in result.stdout
    assert ", 0 unexplained)" in " ".join(result.stdout.rpartition("all papers: ")[2].split())


def test_json_has_the_shape_that_others_read():
    rows = json.loads(run("xception", "--format", "json").stdout)
    row = next(row for row in rows if row["printed"] == "22,855,952")
    assert (
        row.items()
        >= {
            "paper": "xception",
            "computed": 22855952,
            "unit": "",
            "convention": "xception",
            "verdict": "exact",
        }.items()
    )
    assert {row["computed"] for row in rows if row["verdict"] == "measured"} == {None}


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html"])
def test_every_format_holds_print_and_verdict(form):
    page = run("xception", "--format", form).stdout
    assert "22,855,952" in page
    assert "exact" in page


@pytest.mark.parametrize(
    ("params", "exit_code", "said"), [("0.108", 0, "exact"), ("0.11", 0, "rounds"), ("0.2", 1, "off by -46 %")]
)
def test_a_table_of_ones_own_is_held_against_ones_own_specification(tmp_path, params, exit_code, said):
    (tmp_path / "mine.yaml").write_text(SPEC)
    (tmp_path / "own.yaml").write_text(OWN.format(params=params))
    result = run("--figures", str(tmp_path / "own.yaml"))
    assert result.exit_code == exit_code
    assert said in result.stdout
    assert "A table of my own (2026)" in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("unit: k", "unit: furlong", "unknown unit 'furlong'"),
        ('"{params}"', '"about 3"', "expected printed digits"),
        ("quantity: params", "quantity: parms", "quantity"),
        ("set: {{c: 4}}", "set: {{d: 4}}", "'mine' has no symbol 'd'"),
        ("spec: mine.yaml", "spec: nowhere", "'nowhere'"),
        ("id: gone", "id: params", "stands here a second time"),
        ("measured: true", "value: 1/0", "expected printed digits"),
        ("spec: mine.yaml, set: {{c: 4}}, quantity: params", "value: 1/0", "division by zero"),
        ("spec: mine.yaml, set: {{c: 4}}, quantity: params", "value: true", "not a number"),
        ("spec: mine.yaml, set: {{c: 4}}, quantity: params", "note: nothing", "needs a value, a spec"),
        ("quantity: params", "quantity: macs, layer: conv3d", "has no layer conv3d"),
        ("source:", "sauce:", "unknown key 'sauce'; did you mean 'source'?"),
    ],
)
def test_faults_of_a_file_are_named_with_their_places(tmp_path, before, after, said):
    assert before in OWN
    (tmp_path / "mine.yaml").write_text(SPEC)
    file = tmp_path / "own.yaml"
    file.write_text(OWN.replace(before, after).format(params="0.108"))
    result = run("--figures", str(file))
    assert result.exit_code == 2
    assert said in result.stderr
    assert str(file) in result.stderr


def test_each_place_of_a_paper_prints_as_one_table():
    lines = run("squeezenet").stdout.splitlines()
    assert lines.count("Table 1") == lines.count("Table 2") == 1


def test_an_unknown_paper_is_refused_with_a_suggestion():
    with pytest.raises(UnknownNameError, match="did you mean 'xception'"):
        load("xceptoin")
    with pytest.raises(SpecErrors, match="cannot be read"):
        load(Path("nowhere") / "figures.yaml")


def test_numbers_are_printed_to_two_digits_more_than_the_print():
    from fractions import Fraction

    assert _decimal(Fraction(-1, 3), 2) == "-0.33"
    assert _decimal(Fraction(5), 2) == "5"
    assert _decimal(Fraction(12345678, 10), 3) == "1,234,567.800"


def test_the_summary_counts_each_verdict(findings):
    said = summary(findings("xception").found)
    assert said.startswith(f"{len(load('xception').figures)} figures: ")
    assert "exact" in said


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_what_rounded_inputs_leave_possible_stands_beside_the_figure():
    result = CliRunner().invoke(app, ["reproduce", "deep_compression"])
    lines = [line.split() for line in result.stdout.splitlines() if line.split()[:1] == ["lenet300.ip1.rate"]]
    assert lines == [["lenet300.ip1.rate", "3.1", "%", "3.106", "%", "2.602", "to", "3.253", "%", "within"]]
    found = json.loads(CliRunner().invoke(app, ["reproduce", "deep_compression", "--format", "json"]).stdout)
    rate = next(each for each in found if each["id"] == "lenet300.ip1.rate")
    assert rate["low"] < rate["computed"] < rate["high"]
    exact = next(each for each in found if each["id"] == "lenet300.ip1.n")
    assert (exact["low"], exact["high"]) == (None, None)


def test_standard_input_is_called_so_in_errors():
    found = CliRunner().invoke(app, ["reproduce", "-"], input="figures_of: [")
    assert "<stdin>:" in found.output
