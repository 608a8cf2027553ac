"""`check` with budgets and for editors, and `compare OLD NEW --by`: what a project's own CI asks."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.report.compare import changes

SMALL = """\
archspec: 1
name: small
symbols: {c: {default: 8, range: [1, 64]}}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: c, kernel_size: 3, padding: same, bias: false}, as: first}
  - {relu, as: bent}
  - {conv2d: {out_channels: 4, kernel_size: 1, bias: false}, as: last}
"""
MACS, PARAMS, PEAK = 64 * (27 * 8 + 8 * 4), 27 * 8 + 8 * 4, 4 * 64 * (8 + 8)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


# ------------------------------------------------------------------ budgets


@pytest.mark.parametrize(
    ("budgets", "code", "said"),
    [
        (["--macs", f"<={MACS}"], 0, ""),
        (["--macs", f"<{MACS}"], 1, f"macs ≤ {MACS - 1:,}: has {MACS:,}, 1 (< 0.1 %) over"),
        (["--params", f">{PARAMS}"], 1, f"{PARAMS + 1} ≤ params: has {PARAMS}, 1 (0.4 %) short"),
        (["--memory", f"<={PEAK}"], 0, ""),
        (["--memory", f"<={PEAK}", "--batch", "2"], 1, f"has {2 * PEAK:,}, {PEAK:,} (100.0 %) over"),
        (["--memory", "<=4KiB", "--dtype", "int8"], 0, ""),
        (["--budget", "traffic<=1kB", "--macs", "<=1"], 1, "macs ≤ 1: has"),
        (["--macs", "<=lots"], 2, "a budget of macs is written"),
    ],
)
def test_a_network_is_held_against_budgets(small, budgets, code, said):
    result = run("check", small, *budgets)
    assert result.exit_code == code
    assert said in result.stderr
    assert bool(result.stderr) == (code > 0)
    assert " left\n" in result.stdout or code > 0
    assert (f"{small}: sound; 3 layers, 3×8×8 → 4×8×8" in result.stdout) == (code < 2)


def test_a_budget_is_for_the_network_as_it_is_bound(small):
    assert run("check", small, "--macs", f"<={MACS}", "--set", "c=9").exit_code == 1
    assert run("check", small, "--macs", f"<={MACS}", "--set", "c=7").exit_code == 0


def test_a_fault_weighs_more_than_a_budget(small, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("archspec: 1\nname: bad\ninput: [3, 8, 8]\nnetwork: [con2d]\n")
    result = run("check", small, bad, "--macs", "<=1")
    assert result.exit_code == 2
    assert "over" in result.stderr
    assert "did you mean 'conv2d'?" in result.stderr


def test_budgets_are_data_too(small):
    result = run("check", small, "--macs", "<=10k", "--format", "json")
    assert (result.exit_code, result.stderr) == (1, "")
    (found,) = json.loads(result.stdout)["specs"]
    assert found["sound"] is True
    assert found["budgets"] == [
        {"quantity": "macs", "least": None, "most": 10_000, "value": MACS, "excess": MACS - 10_000}
    ]
    assert (found["layers"], found["input"], found["output"]) == (3, [1, 3, 8, 8], [1, 4, 8, 8])


# ------------------------------------------------------------------ spans and remedies


BAD = """\
archspec: 1
name: bad
input: [3, 8, 8]
network:
  - con2d: {out_channels: 3}
  - conv2d: {"out_chanels": 3, kernel_size: 3}
  - dropout: {p: 2}
"""


def test_each_fault_has_its_span_and_what_would_do(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    result = run("check", path, "mobilenet", "--format", "json")
    assert (result.exit_code, result.stderr) == (2, "")
    found = json.loads(result.stdout)
    assert (found["sound"], [spec["sound"] for spec in found["specs"]]) == (False, [False, True])
    faults = found["specs"][0]["faults"]
    lines = BAD.splitlines()
    spans = [lines[fault["line"] - 1][fault["column"] - 1 : fault["end_column"] - 1] for fault in faults]
    assert spans == ["con2d", '"out_chanels"', "2"]
    assert [fault["replacement"] for fault in faults] == ["conv2d", "out_channels", None]
    assert faults[0]["remedy"] == "did you mean 'conv2d'?"
    assert {(fault["file"], fault["severity"]) for fault in faults} == {(str(path), "error")}


def test_what_has_no_place_is_a_fault_too():
    result = run("check", "mobilnet", "--format", "json")
    (fault,) = json.loads(result.stdout)["specs"][0]["faults"]
    assert (result.exit_code, fault["line"], fault["end_line"]) == (2, None, None)
    assert "mobilenet" in fault["message"]


def test_other_formats_have_a_row_a_finding(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    rows = list(csv.reader(io.StringIO(run("check", path, "lenet_5", "--macs", "<=1M", "--format", "csv").stdout)))
    assert rows[0] == ["spec", "line", "severity", "finding", "remedy"]
    assert rows[1][1:] == ["5", "error", "unknown operator or block 'con2d'", "did you mean 'conv2d'?"]
    assert [row[2] for row in rows[1:]] == ["error"] * 3 + ["budget"]


# ------------------------------------------------------------------ what changed


CHANGED = SMALL.replace("{relu, as: bent}", "{sigmoid, as: bent}").replace(
    "as: last}", "as: last}\n  - {linear: {out_features: 5, bias: false}, as: more}"
)


@pytest.fixture
def changed(tmp_path):
    path = tmp_path / "changed.yaml"
    path.write_text(CHANGED.replace("{linear", "flatten\n  - {linear"))
    return path


def test_the_difference_is_printed_layer_by_layer(small, changed):
    result = run("compare", small, f"{changed}:c=16", "--by", "layer")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    by_name = {line[0]: line for line in lines if line}
    assert by_name["first"][2:] == ["216", "432", "+216", "13,824", "27,648", "+13,824"]
    assert by_name["more"][1:5] == ["linear,", "new", "0", "1,280"]
    assert "bent" not in by_name  # another operator, at the same cost
    assert "2 rows cost the same" in result.stdout


def test_the_rows_add_up_to_the_difference_of_the_totals(small, changed):
    found = json.loads(run("compare", small, changed, "--by", "layer", "--of", "flops", "--format", "json").stdout)
    gaps = [row["flops"]["difference"] for row in found["rows"]]
    old, new = (archspec.load(path).count() for path in (small, changed))
    assert sum(gaps) == found["total"]["flops"]["difference"] == new.flops - old.flops
    assert [(row["name"], row["old"], row["new"]) for row in found["rows"]] == [
        ("first", "conv2d", "conv2d"),
        ("bent", "relu", "sigmoid"),
        ("last", "conv2d", "conv2d"),
        ("flatten", None, "flatten"),
        ("more", None, "linear"),
    ]


def test_rows_that_are_gone_stand_where_they_stood(small, changed):
    old, new = (archspec.load(path).count() for path in (small, changed))
    assert [change.name for change in changes(new, old)] == ["first", "bent", "last", "flatten", "more"]
    assert [change.what for change in changes(new, old)][3:] == ["flatten, gone", "linear, gone"]


def test_the_same_network_has_no_difference(small):
    text = " ".join(run("compare", small, small, "--by", "stage").stdout.split())  # a long path wraps
    assert "±0 params, ±0 MACs" in text
    assert "Every row costs the same" in text


def test_two_networks_of_numbers_are_compared_row_by_row(small):
    for wrong in ([small, small, small], [small, small, "--symbolic"]):
        result = run("compare", *wrong, "--by", "layer")
        assert (result.exit_code, "OLD NEW" in result.stderr) == (2, True)


def test_machines_get_a_row_a_network():
    rows = list(
        csv.DictReader(io.StringIO(run("compare", "lenet_5", "vgg16", "--of", "macs", "--format", "csv").stdout))
    )
    assert [row["network"] for row in rows] == ["lenet_5", "vgg16"]
    assert [int(row["macs"]) for row in rows] == [2293000, archspec.load("vgg16").count().macs]
    assert float(rows[1]["macs_of_first"]) == int(rows[1]["macs"]) / 2293000


# ------------------------------------------------------------------ raw rows


def test_rows_for_machines_are_raw():
    memory = list(csv.DictReader(io.StringIO(run("memory", "lenet_5", "--format", "csv").stdout)))
    assert memory[1] == {"node": "pool1", "operator": "max_pool2d", "output": "1x20x12x12", "bytes": "57600"}
    plan = list(
        csv.DictReader(
            io.StringIO(run("compress", "predict", "lenet_5", "--plan", "lenet_5", "--format", "csv").stdout)
        )
    )
    assert (plan[0]["layer"], plan[0]["weights"], plan[0]["kept"]) == ("conv1", "500", "330")
    assert all(float(row["stored_bits"]) < float(row["dense_bits"]) for row in plan)


def test_what_nothing_uses_is_noted(tmp_path):
    path = tmp_path / "idle.yaml"
    path.write_text(
        "archspec: 1\nname: idle\nsymbols: {alpha: {default: 1}, side: {default: 8}}\nlet: {wide: 2 * side}\n"
        "functions: {width(c): floor(alpha * c)}\ninput: [3, side, side]\n"
        "blocks: {b: {args: {k: 3, se: false}, body: [conv2d: {out_channels: 8, kernel_size: k}]}}\nnetwork: [b]\n"
    )
    result = run("check", path)
    assert result.exit_code == 0
    assert [line.rpartition(": ")[2] for line in result.stderr.splitlines()] == [
        "nothing uses the function 'width'",
        "nothing uses 'wide' of let",
        "nothing uses the argument 'se' of 'b'",
    ]
    assert run("check", f"{path}:b").stderr == ""
    assert run("check", path, "--format", "json").stdout.count("nothing uses") == 3
