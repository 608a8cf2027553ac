"""Printed tables: they fit their page, their columns add up, and they look as they did."""

import csv
import io
import json
import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

import archspec
from archspec.cost import QUANTITIES
from archspec.language import zoo
from archspec.ops import KINDS
from archspec.report import numbers
from archspec.report.cost import _span, cost
from archspec.report.formats import written
from archspec.report.page import Column, Name, Number, Report, Section, Table, raw
from archspec.report.show import show
from archspec.report.show import zoo as listed

SNAPSHOTS = Path(__file__).parent / "snapshots"
GROUPINGS = ("layer", "block", "operator", "stage", "total", 2)


@cache
def counted(name, **bindings):
    return archspec.load(name).count(**bindings)


def printed(name, form="text", grouping="block", width=100, **bindings):
    return written(cost(counted(name, **bindings), grouping), form, width=width)


def shown(name, width=100, **bindings):
    return written(show(archspec.load(name).expand(**bindings)), width=width)


def check_snapshot(name, found):
    """Compare with what is on record; `SNAPSHOTS=write pytest tests/report` records anew."""
    file = SNAPSHOTS / name
    if os.environ.get("SNAPSHOTS") == "write":
        file.write_text(found)
    assert found == file.read_text()


@pytest.mark.parametrize(
    ("name", "form", "grouping", "width"),
    [
        ("mobilenet", "text", "block", 80),
        ("mobilenet", "text", "layer", 160),
        ("mobilenet_v2", "text", "operator", 100),
        ("squeezenet", "text", "stage", 120),
        ("lenet_5", "markdown", "layer", 100),
        ("lenet_5", "latex", "layer", 100),
        ("lenet_5", "html", "layer", 100),
    ],
)
def test_tables_look_as_they_did(name, form, grouping, width):
    check_snapshot(f"{name}-{grouping}-{width}.{form}", printed(name, form, grouping, width))


def test_tables_for_machines_keep_the_columns_on_record_and_have_all_quantities():
    on_record = [line.split(",") for line in (SNAPSHOTS / "lenet_5-layer-100.csv").read_text().splitlines()]
    header, *rows = csv.reader(io.StringIO(printed("lenet_5", "csv", "layer")))
    assert [row[: len(on_record[0])] for row in (header, *rows)] == on_record
    assert header == ["name", "operator", "output", *QUANTITIES]
    table = counted("lenet_5")
    for row, line in zip(table.rows, rows, strict=True):
        assert line[3:] == ["" if row.figure(q) is None else str(raw(row.figure(q))) for q in QUANTITIES]


def test_json_keeps_its_keys_and_values_and_their_order():
    on_record = json.loads((SNAPSHOTS / "lenet_5-layer-100.json").read_text())
    found = json.loads(printed("lenet_5", "json", "layer"))
    assert json.dumps(projected(found, on_record)) == json.dumps(on_record)
    assert set(found["totals"]) >= {"macs"} | set(QUANTITIES) - set(KINDS)
    assert found["totals"].keys() <= found["rows"][0].keys()


def projected(found, pattern):
    """What JSON has under the keys of a pattern, in its own order."""
    if isinstance(pattern, dict) and isinstance(found, dict):
        return {key: projected(value, pattern[key]) for key, value in found.items() if key in pattern}
    if isinstance(pattern, list) and isinstance(found, list) and len(found) == len(pattern):
        return [projected(*pair) for pair in zip(found, pattern, strict=True)]
    return found


def test_shown_specifications_look_as_they_did():
    check_snapshot("mobilenet_v2-show.text", shown("mobilenet_v2", alpha="3/4"))
    check_snapshot("squeezenet-show.text", shown("squeezenet"))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.parametrize("width", [80, 100, 137, 200])
def test_every_table_fits_its_page(name, width):
    for grouping in GROUPINGS:
        assert max(map(len, printed(name, grouping=grouping, width=width).splitlines())) <= width
    assert "…" in printed(name, width=80) or max(map(len, printed(name, width=80).splitlines())) <= 80


def test_names_are_shortened_where_those_that_differ_still_do():
    names = [f"stage{n}/unit1/residual/{part}/conv2d" for n in (1, 2) for part in ("expand", "squash")]
    table = Table([Column("layer", list(map(Name, [*names, names[0]])), least=12), Column("n", [Number(1)] * 5)])
    rows = written(Report((Section((table,)),)), width=18).splitlines()[2:]
    assert [row.split()[0] for row in rows[:4]] == [
        "stage1…d/conv2d",
        "stage1…h/conv2d",
        "stage2…d/conv2d",
        "stage2…h/conv2d",
    ]
    assert rows[0] == rows[4]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
def test_the_printed_columns_add_up_to_the_printed_total(name):
    for grouping in ("block", "operator", "stage", "layer"):
        lines = printed(name, grouping=grouping, width=200).split("\n\n")[1].splitlines()
        total = figures_of(lines[-1])
        rows = [figures_of(line) for line in lines[2:-2] if not line.startswith("  ")]
        assert [sum(column) for column in zip(*rows, strict=True)] == total


def figures_of(line):
    """The figures of a printed row: what stands behind the shape, before the share."""
    cells = [cell for cell in re.split(r"  +", line.partition(" %")[0].rstrip()) if re.fullmatch(r"[\d,]+", cell)]
    figures = [int(cell.replace(",", "")) for cell in cells]
    return figures[-5:]


def test_the_layers_of_a_block_add_up_to_its_subtotal():
    lines = printed("squeezenet", grouping="layer", width=200).split("\n\n")[1].splitlines()[2:-2]
    subtotal, inside = None, []
    checked = 0
    for line in [*lines, "end"]:
        if line.startswith("  "):
            inside.append(figures_of(line))
            continue
        if inside:
            assert [sum(column) for column in zip(*inside, strict=True)] == subtotal
            checked += 1
        subtotal, inside = figures_of(line), []
    assert checked >= 8


def test_repeats_are_folded_and_named_from_first_to_last():
    assert re.search(r"separable7/unit1…5 +separable +×5 ", printed("mobilenet"))
    assert _span("relu", "relu_2") == "relu…relu_2"
    assert _span("a/unit1…2", "a/unit3") == "a/unit1…3"
    assert _span("a/unit1/relu", "a/unit2/relu_2") == "a/unit1/relu…unit2/relu_2"
    assert "layers/unit1…12/decoder " in printed("gpt2", grouping="layer")


def test_units_of_several_steps_are_folded_step_by_step():
    inner = "{repeat: 3, as: inner, body: [{conv2d: {out_channels: 8, kernel_size: 1}}, relu]}"
    text = (
        f"archspec: 1\nname: x\ninput: [8, 4, 4]\nnetwork: [{{repeat: 2, as: outer, body: [{inner}, gelu]}}, {inner}]\n"
    )
    rows = written(cost(archspec.loads(text).count())).split("\n\n")[1].splitlines()[2:-2]
    assert [row.split()[0] for row in rows] == [
        *(f"outer/unit1…2/inner/unit{unit}/{step}" for unit in (1, 2, 3) for step in ("conv2d", "relu")),
        "outer/unit1…2/gelu",
        "inner/unit1…3/conv2d",
        "inner/unit1…3/relu",
    ]
    assert rows[-2].split()[2:5] == ["×3", "8×4×4", "216"]
    once = written(cost(archspec.loads(text.replace("repeat: 2", "repeat: 1")).count())).split("\n\n")[1]
    assert "outer/unit1/inner/unit1…3/conv2d" in once


def test_blocks_are_folded_only_if_they_are_alike_layer_by_layer():
    lines = printed("mobilenet", grouping="layer", width=160).splitlines()
    assert sum("separable7/unit1…5" in line for line in lines) == 1
    assert sum(" ×5 " in line for line in lines) == 1 + 6


def test_the_footer_names_the_convention_the_input_and_the_bindings():
    footer = " ".join(printed("mobilenet", alpha="1/2").split("\n\n")[2].split())
    for part in ("convention default", "input 3×224×224, batch 1", "alpha = 1/2", "B = 5.1 MiB"):
        assert part in footer


def test_a_convention_with_free_operations_says_which_are_free():
    arch = archspec.load("lenet_5")
    page = written(cost(arch.count(convention="han2015")), width=200)
    assert re.search(r"FLOPs 4,586,000 = 2·2,293,000 macs; free: .* comparisons", page)
    assert "[Han et al. 2015" in page


def test_bold_is_used_only_where_it_is_wanted():
    arch = archspec.load("lenet_5")
    assert "\x1b[1m" not in printed("lenet_5")
    for report in (cost(arch.count()), show(arch.expand()), listed([(arch.document, arch.count())])):
        assert "\x1b[1m" in written(report, colour=True)


def test_csv_holds_raw_numbers():
    rows = list(csv.DictReader(io.StringIO(printed("lenet_5", "csv", "layer"))))
    assert rows[0]["macs"] == str(20 * 24 * 24 * 25)
    assert rows[0]["output"] == "1x20x24x24"


def test_html_is_balanced_and_escaped():
    class Balance(HTMLParser):
        open: list[str] = []  # noqa: RUF012  # one parser a test

        def handle_starttag(self, tag, attrs):  # noqa: ARG002  # the parser's signature
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    page = printed("squeezenet", "html", "layer")
    Balance().feed(page)
    assert not Balance.open
    assert "&lt;0.5MB" in page


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_latex_has_no_sign_that_latex_does_not_know():
    for name in zoo.names():
        page = printed(name, "latex")
        assert not set("×→…·⌈⌉") & set(page)
        assert page.count("{") == page.count("}")
        outside = re.sub(r"\$[^$]*\$", "", page)  # of its mathematics, where _ is what it should be
        assert not re.search(r"(?<!\\)[_#%](?! needs)", outside)


def test_symbolic_figures_can_be_printed_too():
    arch = archspec.load("lenet_300_100")
    table = arch.count(free=["classes"])
    page = written(cost(table), width=200)
    assert "101*classes" in page
    assert "classes" in written(cost(table), "html")


def test_a_specification_without_a_paper_is_titled_by_its_name():
    arch = archspec.loads(
        "archspec: 1\nname: bare\ninput: [4]\nnetwork: [{linear: {out_features: 2}}, {as: g, body: [relu]}]\n"
    )
    assert written(cost(arch.count())).startswith("bare\n")
    assert written(show(arch.expand())).startswith("bare\n\nnetwork\n")
    assert '"title": null' in written(listed([(arch.document, arch.count())]), "json")


def test_show_prints_every_kind_of_symbol_and_cell():
    arch = archspec.loads(
        """
archspec: 1
name: kinds
source: {title: A Paper, url: example.org, section: "2"}
symbols:
  act: {default: relu, choices: [relu, tanh]}
  g: {default: 2, choices: [1, 2]}
  c: {default: 3}
functions: {twice(x): 2 * x}
input: [c, 9, 9]
blocks:
  unit:
    doc: a unit
    args: {c: required, k: [3, 3], s: 1}
    body: [{conv2d: {out_channels: c, kernel_size: k, stride: s, padding: same}}, {use: act}]
network:
  - table:
      columns: [block, {c: twice(c)}, s]
      rows:
        - [unit, 4, 1]
        - [unit, 8, ~]
        - [relu, ~, ~]
""".replace("- [relu, ~, ~]", "- [unit, 8, 3]")
    )
    page = written(show(arch.expand()), width=80)
    for part in (
        "relu, tanh",
        "1, 2",
        "any above 0",
        "unit(c, k = [3, 3], s = 1)  a unit",
        "4 → 8",
        " - ",
        "twice(x) = 2 * x",
    ):
        assert part in page
    assert "A Paper, example.org, section 2" in page


def test_numbers_are_rounded_without_floats():
    assert numbers.share(1, 2000) == "0.1 %"
    assert numbers.share(5, 0) == "0.0 %"
    assert numbers.binary_size(12) == "12 B"
    assert numbers.binary_size(1024) == "1.0 KiB"
    assert numbers.binary_size(5 * 2**30) == "5.0 GiB"
    assert numbers.bar(0, 10, 4) == "    "
    assert numbers.bar(1, 10**9, 4) == "▏   "
    assert numbers.bar(10, 10, 4) == "████"
    assert numbers.bar(1, 0, 2) == "▏ "
