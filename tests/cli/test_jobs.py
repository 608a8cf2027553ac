"""Whole jobs at the command line: from the zoo to a file of one's own, a run as SPEC, columns, completion, watching."""

import csv
import io
import json
import re
import threading
import time
from itertools import pairwise

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.cli.options import bindings, colour
from archspec.errors import BindingError, MissingExtraError
from archspec.extras import need
from archspec.language import zoo
from archspec.report.columns import COLUMNS


def run(*arguments, **kwargs):
    return CliRunner().invoke(app, list(map(str, arguments)), **kwargs)


def totals(*arguments):
    done = run("count", *arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["totals"]


@pytest.fixture
def a_run(tmp_path):
    """The folder of a run of half a MobileNet, as far as a SPEC needs it."""
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "spec.yaml").write_bytes(zoo.path("mobilenet").read_bytes())
    record = {"spec": {"bindings": {"alpha": "1/2", "side": "160"}}, "data": {"source": None, "resize": False}}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


# ------------------------------------------------------------------ SPEC


HALF = archspec.load("mobilenet").count(alpha="1/2", side=160)


def test_several_values_stand_in_one_set_and_behind_the_name():
    assert bindings(("alpha=1/2, side=160",)) == bindings(("alpha=1/2", "side=160"))
    assert totals("mobilenet", "--set", "alpha=1/2,side=160")["macs"] == HALF.macs
    assert totals("mobilenet:alpha=1/2,side=160")["macs"] == HALF.macs
    assert totals("mobilenet:alpha=1/2", "--set", "alpha=1,side=160")["macs"] == HALF.macs  # behind the name, first
    with pytest.raises(BindingError, match="given twice"):
        bindings(("alpha=1,alpha=2",))
    with pytest.raises(BindingError, match="takes NAME=VALUE"):
        bindings(("alpha=1,",))


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["show", "--format", "json"],
        ["formula", "--of", "params"],
        ["memory"],
        ["explain", "fc"],
        ["sensitivity", "--for", "side"],
        ["explain-difference", "--between", "thop", "fvcore"],
        ["compare", "mobilenet"],
    ],
)
def test_every_verb_takes_a_run_and_values_behind_a_name(arguments, a_run):
    verb, *others = arguments
    for spec in (a_run, "mobilenet:alpha=1/2,side=160"):
        done = run(verb, spec, *others)
        assert done.exit_code == 0, done.output


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_values_of_a_run_are_defaults(a_run):
    assert totals(a_run)["macs"] == HALF.macs
    assert totals(a_run, "--set", "side=224")["macs"] == archspec.load("mobilenet").count(alpha="1/2").macs
    assert f"{HALF.params:,} at" in run("formula", a_run, "--of", "params").stdout


def test_a_network_of_the_zoo_is_copied_with_its_comments_and_nothing_is_written_over(tmp_path):
    target = tmp_path / "my.yaml"
    done = run("zoo", "--copy", "mobilenet_v2", target)
    assert (done.exit_code, target.read_bytes()) == (0, zoo.path("mobilenet_v2").read_bytes())
    assert "#" in target.read_text()
    target.write_text("mine")
    refused = run("zoo", "--copy", "mobilenet", target)
    assert (refused.exit_code, target.read_text()) == (2, "mine")
    assert "there is already such a file" in refused.stderr
    assert "did you mean 'mobilenet'?" in run("zoo", "--copy", "mobilnet", tmp_path / "x.yaml").stderr
    assert not (tmp_path / "x.yaml").exists()


def test_show_gives_the_whole_specification_as_yaml():
    done = run("show", "mobilenet_full:alpha=1/2,side=160", "--format", "yaml")
    whole = archspec.loads(done.stdout)
    assert "extends" not in done.stdout
    assert whole.count().records() == archspec.load("mobilenet_full").count(alpha="1/2", side=160).records()


@pytest.mark.parametrize("name", ["mobilenet", "lenet_5", "shufflenet", "squeezenet_v1_1"])
def test_grey_and_coloured_images_need_no_edit(name):
    arch = archspec.load(name)
    usual = arch.symbols["input_channels"].default
    other = 4 - usual
    assert arch.count(input_channels=other).network.input.shape[1] == other
    first = next(row for row in arch.count().rows if row.macs)
    changed = next(row for row in arch.count(input_channels=other).rows if row.macs)
    assert (changed.name, changed.macs * usual) == (first.name, first.macs * other)


# ------------------------------------------------------------------ columns and subtotals


def test_every_column_is_printed_in_every_grouping():
    for by in ("block", "layer", "tree", "stage", "operator", "total"):
        done = run("count", "lenet_5", "--by", by, "--columns", ",".join(COLUMNS), env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output


def test_machines_get_the_columns_that_are_asked_for():
    asked = "input,kernel,stride,groups,receptive_field,params,share,macs,share"
    rows = list(csv.DictReader(io.StringIO(run("count", "lenet_5", "--columns", asked, "--format", "csv").stdout)))
    table = archspec.load("lenet_5").count()
    assert [row["kernel"] for row in rows[:3]] == ["5x5", "2x2", "5x5"]
    assert [int(row["receptive_field"]) for row in rows] == [row.figure("receptive_field") for row in table.rows]
    assert sum(float(row["share_of_params"]) for row in rows) == pytest.approx(1)
    assert rows[0]["input"] == "1x1x28x28"


@pytest.mark.parametrize(
    ("columns", "said"),
    [("kernl", "no column 'kernl'; did you mean 'kernel'?"), ("macs,macs", "each once"), ("macs,", "each once")],
)
def test_a_column_that_is_none_is_refused(columns, said):
    done = run("count", "lenet_5", "--columns", columns)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


@pytest.mark.parametrize("name", ["mobilenet", "squeezenet_bypass", "shufflenet", "resnet18"])
def test_parts_add_up_to_their_subtotals_at_every_depth(name):
    from archspec.report.cost import _tree

    table = archspec.load(name).count()
    lines = _tree(table, [range(len(table.rows))])
    assert sum(line.row.macs for line in lines if line.depth == 0) == table.macs
    stack = []
    for line, after in pairwise([*lines, lines[0]]):
        if after.depth > line.depth:
            stack.append((line, lines.index(line)))
    for whole, place in stack:
        inside = []
        for line in lines[place + 1 :]:
            if line.depth <= whole.depth:
                break
            inside += [line.row.params] if line.depth == whole.depth + 1 else []
        assert sum(inside) == whole.row.params


def test_narrow_pages_lose_their_bars_first():
    wide, narrow = (run("count", "mobilenet", env={"COLUMNS": width}).stdout for width in ("160", "100"))
    assert "█" in wide
    assert "FLOPs  " in wide
    assert "█" not in narrow
    assert "46.0 %" in narrow


def test_the_table_says_what_everything_takes_together():
    done = run("count", "lenet_5").stdout
    whole = 4 * (28 * 28 + archspec.load("lenet_5").count().activations) + 4 * 431080
    assert f"= {whole:,} B" in done
    assert "if everything is" in done
    assert "MACs of a training step 6,591,000" in run("count", "lenet_5", "--columns", "macs_input_gradient").stdout


def test_latex_has_letters_a_label_and_a_short_caption():
    page = run("count", "mobilenet:alpha=1/2", "--format", "latex").stdout
    assert r"$\alpha = 1/2$" in page
    assert r"\label{tab:mobilenet}" in page
    assert re.search(r"\\caption\[\{mobilenet: [^\n]*Table 1\}\]\{", page)


# ------------------------------------------------------------------ the terminal


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, False),
    ],
)
def test_colours_can_be_asked_for_and_forbidden(environment, expected, monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colour() is expected
    assert ("\x1b[1m" in run("count", "lenet_5", "--by", "total", color=True).stdout) is expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["count"], "missing argument 'SPEC'; see app count --help\n"),
        (["count", "lenet_5", "--batch", "0"], "invalid value for '--batch': 0 is not in the range"),
        (
            ["count", "lenet_5", "--dept", "2"],
            "no such option '--dept'; did you mean '--depth', '--help', '--set'?; see app",
        ),
        (["count", "lenet_5", "--format", "hmtl"], "no format 'hmtl'; did you mean 'html'?"),
    ],
)
def test_what_click_refuses_is_said_as_everything_is(arguments, said):
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said.replace("see app", "see archspec") in done.stderr.replace("see app", "see archspec")
    assert "╭" not in done.stderr


def completed(line):
    *arguments, begun = line.split(" ")[1:]
    shell = BashComplete(app, {}, "archspec", "_ARCHSPEC_COMPLETE")
    return [item.value for item in shell.get_completions(arguments, begun)]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("archspec count mobilenet_v", ["mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small"]),
        ("archspec count shufflenet:g=", [f"shufflenet:g={g}" for g in (1, 2, 3, 4, 8)]),
        ("archspec count mobilenet --set al", ["alpha="]),
        ("archspec count mobilenet --set alpha=1,s", ["alpha=1,side="]),
        ("archspec formula mobilenet --free alpha,s", ["alpha,side"]),
        ("archspec solve mobilenet --for al", ["alpha"]),
        ("archspec formula mobilenet --of receptive", ["receptive_field"]),
        ("archspec count lenet_5 --columns kernel,sh", ["kernel,share"]),
        ("archspec count lenet_5 --like fvc", ["fvcore"]),
        ("archspec count lenet_5 --convention mobile", ["mobilenet", "mobilenet-v2"]),
        ("archspec count nothing_such --set a", []),
    ],
)
def test_the_shell_completes(line, offered):
    assert completed(line) == offered


def test_an_extra_that_is_missing_is_named_with_the_way_from_a_checkout():
    with pytest.raises(MissingExtraError, match=r"in a checkout: pip install -c constraints.txt '\.\[onnx\]'"):
        need("onnx", "no_such_module")


# ------------------------------------------------------------------ watch

SMALL = """archspec: 1
name: small
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3}, as: conv}
  - relu
"""


def test_a_file_is_counted_again_on_every_save_and_a_broken_one_keeps_the_last_table(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)

    def edit():
        for before, after in (("out_channels: 4", "out_channels: 8"), ("relu", "rleu")):
            time.sleep(0.8)
            other = tmp_path / "other"
            other.write_text(file.read_text().replace(before, after))
            other.replace(file)  # as editors save

    editor = threading.Thread(target=edit)
    editor.start()
    done = run("watch", file, "--every", "0.05", "--saves", "3")
    editor.join()
    assert done.exit_code == 0, done.output
    first, second, third = done.stdout.split("small\n")[1:]
    assert "←" not in first
    assert "←" in second
    assert "params 112 → 224 (+112, ×2)" in second
    assert "unknown operator or block 'rleu'; did you mean 'relu'?" in done.stderr
    assert "not sound as it is saved" in second
    assert "224" in third


def test_only_a_file_is_watched():
    done = run("watch", "mobilenet")
    assert done.exit_code == 2
    assert "archspec zoo --copy NAME FILE makes one" in done.stderr
