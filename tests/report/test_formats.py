"""Every report in every format: it parses, and what machines read is raw."""

import csv
import io
import json
from functools import cache
from types import ModuleType

import pytest
from click.testing import CliRunner

import archspec
from archspec import published
from archspec.cli import app
from archspec.errors import ArchspecError, UnknownNameError
from archspec.report import REPORTS, formats, report_on
from archspec.report.page import (
    Column,
    Equation,
    Formulas,
    Math,
    Name,
    Note,
    Notes,
    Number,
    Report,
    Section,
    Shape,
    Share,
    Sizes,
    Table,
    Title,
)


@cache
def results():
    """A result of every kind that needs no torch, by the name of its class."""
    net = archspec.load("lenet_5")
    wide = archspec.load("mobilenet")
    return {
        "CostTable": net.count(),
        "Crossover": archspec.load("alexnet").crossover("side", between=(63, 90)),
        "Explanation": net.explain("conv1"),
        "Findings": published.reproduce(published.load("xception")),
        "Memory": net.memory(),
        "Network": net.expand(),
        "Prediction": net.predict("lenet_5"),
        "Reconciliation": published.reconcile(archspec.load("mobilenet_v2"), "300.77M"),
        "Sensitivity": wide.sensitivity("params", symbols=["alpha"]),
        "Solution": wide.solve("alpha", {"macs": "<=300M"}, between={"alpha": ("1/2", 1)}),
        "Sweep": archspec.sweep([net, wide], {"alpha": ["1/3", 1]}, front="min:macs,max:params"),
    }


@pytest.mark.parametrize("form", formats.names())
@pytest.mark.parametrize("kind", ["CostTable", "Crossover", "Explanation", "Memory", "Network", "Prediction"])
def test_every_report_parses_in_every_format(kind, form, structure_of):
    page = formats.written(report_on(results()[kind]), form)
    assert page.endswith("\n")
    structure_of(form, page)


@pytest.mark.parametrize("form", formats.names())
@pytest.mark.parametrize("kind", ["Findings", "Reconciliation", "Sensitivity", "Solution", "Sweep"])
def test_every_answer_parses_in_every_format(kind, form, structure_of):
    structure_of(form, formats.written(report_on(results()[kind]), form))


def test_a_prediction_without_remarks_has_no_empty_lines_for_them():
    assert "\n\n\n" not in formats.written(report_on(archspec.load("lenet_5").predict("int8")))


def test_a_result_is_read_as_its_report_and_named_in_a_line():
    for kind, result in results().items():
        assert str(result) == formats.written(report_on(result)).rstrip("\n"), kind
        assert len(repr(result)) <= 200, kind
        assert "\n" not in repr(result)
        page = result._repr_html_()
        assert page.startswith("<")
        assert "<html" not in page
    assert set(results()) <= set(REPORTS)


def test_numbers_are_raw_for_machines_and_read_by_people():
    report = report_on(archspec.load("lenet_5").memory())
    rows = list(csv.DictReader(io.StringIO(formats.written(report, "csv"))))
    data = json.loads(formats.written(report, "json"))
    assert rows[0] == {
        "node": "conv1",
        "operator": "conv2d",
        "output": "1x20x24x24",
        "bytes": str(4 * (28**2 + 20 * 24**2)),
    }
    assert data["timeline"][0]["output"] == [1, 20, 24, 24]
    assert "20×24×24" in formats.written(report)


CELLS = Report(
    (
        Section((Title("cells"), Notes(("one", "two"), inset=True))),
        Section(
            (
                Table(
                    [
                        Column("name", [Name("a"), Name("b"), Name("total")]),
                        Column("n", [Number(1234), Number(None), Number(1234)]),
                        Column("share", [Share(1, 3), Share(0, 0), Share(3, 3)]),
                        Column("shape", [Shape((1, 3, 4)), Shape((1,)), Sizes((3, 4))]),
                        Column("said", [Note("a | b"), Note(""), Math("α²", r"\alpha^2")]),
                    ],
                    ("part", "finding", "total"),
                ),
            ),
            heading="a table",
        ),
        Section((Formulas((Equation("x", "=", "a − b", "a - b"), Equation("", "+", "c", "c")), of="y"),), nested=True),
    )
)


def test_every_kind_of_cell_says_what_it_is():
    record = CELLS.tables[0].records()
    assert [row["n"] for row in record] == [1234, None, 1234]
    assert [row["share"] for row in record] == [1 / 3, None, 1.0]
    assert [row["shape"] for row in record] == [[1, 3, 4], [1], [3, 4]]
    assert json.loads(formats.written(CELLS, "json"))["title"] == "cells"
    assert formats.written(CELLS, width=60).splitlines() == [
        "cells",
        "  one",
        "  two",
        "",
        "a table",
        "  name       n  share              shape  said",
        "  ─────────────────────────────────────────────",
        "    a    1,234  ██▋       33.3 %     3×4  a | b",
        "  b          –             0.0 %  scalar",
        "  ─────────────────────────────────────────────",
        "  total  1,234  ████████ 100.0 %     3×4  α²",
        "",
        "x",
        "  = a − b",
        "  + c",
    ]


@pytest.mark.parametrize("form", formats.names())
def test_all_parts_together_parse(form, structure_of):
    structure_of(form, formats.written(CELLS, form))


# ------------------------------------------------------------------ which formats there are


VERBS = {
    "check": ["lenet_5"],
    "compare": ["alexnet", "squeezenet"],
    "count": ["lenet_5"],
    "crossover": ["shufflenet", "--for", "g"],
    "explain": ["lenet_5", "fc1"],
    "explain-difference": ["lenet_5", "--between", "default", "torch"],
    "formula": ["lenet_5"],
    "memory": ["lenet_5"],
    "reconcile": ["lenet_5", "--reported", "2.293M"],
    "sensitivity": ["acoustic_model"],
    "show": ["lenet_5"],
    "solve": ["mobilenet", "--for", "alpha", "--macs", "<=300M", "--between", "1/2,1"],
    "sweep": ["mobilenet", "lenet_5", "--for", "alpha=1/3,1/2", "--of", "macs,intensity,memory"],
    "verify": ["lenet_5"],
    "zoo": ["lenet*"],
    "compress formulas": ["weight_sharing"],
    "compress predict": ["lenet_5", "--plan", "lenet_5"],
    "formula --ops": [],
    "reproduce": ["xception"],
}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_that_prints_a_table_offers_every_format(verb, structure_of):
    for form in formats.names():
        done = CliRunner().invoke(app, [*verb.split(), *VERBS[verb], "--format", form])
        assert done.exit_code == 0, (form, done.stderr, done.exception)
        structure_of(form, done.stdout)


def test_an_unknown_format_is_refused_with_a_suggestion():
    done = CliRunner().invoke(app, ["count", "lenet_5", "--format", "markdwon"])
    assert done.exit_code == 2
    assert "did you mean 'markdown'?" in " ".join(done.stderr.split())
    with pytest.raises(UnknownNameError, match="there are text, csv"):
        formats.module_of("zzz")


def test_another_package_offers_a_format_by_an_entry_point(monkeypatch):
    shouting = ModuleType("shouting")
    shouting.write = lambda report, **_: report.title.upper() + "\n"
    offered = {"loud": shouting, "mute": ModuleType("silent"), "text": shouting}
    monkeypatch.setattr(formats, "entry_point", lambda _, name: offered.get(name))
    assert formats.written(CELLS, "loud") == "CELLS\n"
    assert formats.written(CELLS, "text") != "CELLS\n"
    assert CliRunner().invoke(app, ["count", "lenet_5", "--format", "loud"]).stdout.startswith("LENET_5: GRADIENT")
    with pytest.raises(ArchspecError, match=r"'mute' of archspec\.formats has no function 'write'"):
        formats.written(CELLS, "mute")
