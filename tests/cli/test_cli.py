"""The command line: what it prints, where, and how it exits."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from archspec.cli import VERBS, app, options
from archspec.cli.options import bindings
from archspec.errors import BindingError
from archspec.language import zoo

TINY = """archspec: 1
name: tiny
symbols: {c: {default: 4}}
input: [3, 8, 8]
network:
  - conv2d: {out_channels: c, kernel_size: 3}
"""


def run(*arguments, **kwargs):
    return CliRunner().invoke(app, arguments, **kwargs)


def totals(*arguments):
    return json.loads(run("count", *arguments, "--format", "json").stdout)["totals"]


def test_mobilenet_has_the_figures_of_its_paper():
    assert totals("mobilenet").items() >= {"params": 4231976, "buffers": 21888, "macs": 568740352}.items()
    assert totals("mobilenet", "--set", "alpha=0.5")["macs"] == 149497088
    assert totals("mobilenet", "--set", "side=128")["macs"] == 186400768  # printed 186 M


@pytest.mark.parametrize(
    ("spec", "figures"),
    [
        ("mobilenet_v2", {"params": 3504872, "macs": 300774272}),
        ("squeezenet", {"params": 1248424, "macs": 832667936}),
        ("lenet_300_100", {"params": 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10}),
        ("lenet_5", {"params": 20 * 25 + 20 + 50 * 20 * 25 + 50 + 800 * 500 + 500 + 500 * 10 + 10}),
    ],
)
def test_the_other_networks_of_the_foundation_have_theirs(spec, figures):
    assert totals(spec).items() >= figures.items()


def test_json_has_the_shape_that_others_read():
    result = run("count", "mobilenet", "--format", "json")
    data = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert data["spec"] == "mobilenet"
    assert data["bindings"] == {"alpha": "1", "side": "224", "classes": "1000", "input_channels": "3"}
    assert (data["convention"], data["batch"]) == ("default", 1)
    assert (
        data["rows"][0].items()
        >= {
            "name": "conv/conv2d",
            "operator": "conv2d",
            "output": [1, 32, 112, 112],
            "params": 32 * 3 * 9,
            "macs": 32 * 112 * 112 * 3 * 9,
        }.items()
    )
    for figure in ("params", "buffers", "macs", "flops", "activations", "weight_bytes"):
        assert sum(row[figure] for row in data["rows"]) == data["totals"][figure]


def test_batch_multiplies_the_operations_and_not_the_parameters():
    one, eight = totals("lenet_5"), totals("lenet_5", "--batch", "8")
    assert (eight["macs"], eight["params"]) == (8 * one["macs"], one["params"])


def test_the_specification_can_come_from_standard_input():
    assert run("count", "-", input=TINY).exit_code == 0
    assert run("count", "-", "--by", "total", "--format", "csv", input=TINY).stdout.splitlines()[1].startswith("tiny,")


def test_the_specification_can_be_a_file(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    assert json.loads(run("count", str(file), "--set", "c=2", "--format", "json").stdout)["totals"]["params"] == 56


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "csv", "json"])
@pytest.mark.parametrize("by", ["layer", "block", "operator", "stage", "total"])
def test_every_format_prints_every_grouping(form, by):
    result = run("count", "mobilenet_v2", "--by", by, "--format", form)
    assert result.exit_code == 0
    assert "3504872" in result.stdout.replace(",", "").replace("\\", "") or form == "csv"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["count", "mobilenett"],
            "no file or network of the zoo is called 'mobilenett'; did you mean 'mobilenet'?",
        ),
        (["count", "nowhere/x.yaml"], "nowhere/x.yaml: cannot be read: no such file or directory"),
        (["count", "mobilenet", "--set", "alpa=1"], "'mobilenet' has no symbol 'alpa'; did you mean 'alpha'?"),
        (["count", "mobilenet", "--set", "alpha"], "--set takes NAME=VALUE, such as alpha=0.5 (got 'alpha')"),
        (["count", "mobilenet", "--set", "alpha=1", "--set", "alpha=2"], "--set alpha is given twice"),
        (["count", "mobilenet", "--set", "alpha=99"], "alpha must be from 1/32 to 4 (got 99)"),
        (["count", "mobilenet", "--set", "side=1/2"], "side must be a whole number (got 1/2)"),
        (["count", "mobilenet", "--set", "alpha=nan"], "alpha: expected a number such as 3, 0.35 or 7/20, found 'nan'"),
        (
            ["count", "mobilenet", "--convention", "mobilnet"],
            "no convention 'mobilnet'; did you mean 'mobilenet'?",
        ),
        (["count", "mobilenet", "--by", "stage", "--depth", "1"], "--by and --depth both group the rows"),
        (["count", "mobilenet", "--batch", "0"], "0 is not in the range"),
        (["cuont", "mobilenet"], "no command 'cuont'; did you mean 'count'?"),
        (["zzz"], "no command 'zzz'; there are check, compare, compile"),
    ],
)
def test_wrong_input_exits_2_and_says_what_would_do(arguments, said):
    result = run(*arguments, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_check_names_all_faults_of_all_files_and_exits_2(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(TINY)
    bad.write_text(TINY.replace("conv2d", "con2d").replace("default: 4", "default: 4, rnage: [1, 2]"))
    result = run("check", str(good), str(bad))
    assert result.exit_code == 2
    assert result.stdout == f"{good}: sound; 1 layers, 3×8×8 → 4×6×6\n"
    assert f"{bad}:3:27: unknown key 'rnage'; did you mean 'range'?" in result.stderr
    assert f"{bad}:6:5: unknown operator or block 'con2d'; did you mean 'conv2d'?" in result.stderr


def test_check_notes_an_input_that_looks_as_if_its_channels_were_last(tmp_path):
    spec = tmp_path / "last.yaml"
    spec.write_text(
        "archspec: 1\nname: x\ninput: [32, 32, 3]\nnetwork: [{conv2d: {out_channels: 8, kernel_size: 3}}]\n"
    )
    result = run("check", str(spec))
    assert result.exit_code == 0
    assert result.stderr.endswith("note: the input is read as 32 channels of 32×3; channels come first: [3, 32, 32]\n")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_check_finds_the_whole_zoo_sound():
    result = run("check", *zoo.names())
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == len(zoo.names())


def test_the_zoo_lists_by_pattern():
    assert [entry["name"] for entry in json.loads(run("zoo", "lenet*", "--format", "json").stdout)] == [
        "lenet_300_100",
        "lenet_5",
    ]
    assert "| lenet\\_5" in run("zoo", "lenet*", "--format", "markdown").stdout
    assert "lenet_5" in run("zoo", "lenet*").stdout
    nothing = run("zoo", "zzz*")
    assert (nothing.exit_code, nothing.stderr) == (1, "no network of the zoo matches 'zzz*'\n")


def test_show_prints_nominal_and_built_widths():
    assert "64 → 48" in run("show", "mobilenet_v2", "--set", "alpha=0.75").stdout


def test_every_verb_has_a_page_of_help():
    for verb in VERBS:
        result = run(verb, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.stdout


def test_a_verb_is_listed_by_what_its_own_page_says():
    group = app.make_context("archspec", ["check", "-"])
    for verb in VERBS:
        _, command, _ = app.resolve_command(group, [verb])
        assert command.name == verb
        assert app.get_command(group, verb).help == command.help


def test_the_module_runs_as_the_command():
    done = subprocess.run([sys.executable, "-m", "archspec", "--version"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("archspec")


def test_a_reader_that_goes_away_is_no_error():
    command = f"{sys.executable} -m archspec count mobilenet --by layer | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stderr == ""


def test_a_page_is_from_80_to_200_columns_wide(monkeypatch):
    for columns, width in (("20", 80), ("120", 120), ("999", 200)):
        monkeypatch.setenv("COLUMNS", columns)
        assert options.width() == width


def test_bold_needs_a_terminal_that_wants_it(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert options.colour()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not options.colour()


def test_settings_are_names_and_values():
    assert bindings((" alpha = 1/2", "side=192")) == {"alpha": "1/2", "side": "192"}
    with pytest.raises(BindingError, match="takes NAME=VALUE"):
        bindings(("=3",))
