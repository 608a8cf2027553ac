"""Charts say what was counted: the numbers in them are those of the results, and no text in them is markup."""

import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import archspec
from archspec import published
from archspec.cli.picture_options import OPTIONS
from archspec.cli.plot import SOURCES, command
from archspec.cost import QUANTITIES
from archspec.draw import PICTURES, export, picture
from archspec.draw.charts import results
from archspec.draw.charts.parts import axis_title
from archspec.draw.charts.training import RunCurves, curves
from archspec.draw.style import DASHES, SERIES, SHAPES
from archspec.errors import ArchspecError, MissingExtraError
from archspec.sweeps.family import Family
from archspec.sweeps.staircase import staircase
from archspec.train.result import Epoch, Result, Score

LENET, V2 = archspec.load("lenet_5"), archspec.load("mobilenet_v2")
HOSTILE = '</script><b onload="x()">&amp;\x1b[31m]]>'


def values(chart):
    """All data of a chart, of every layer and panel."""
    found = []

    def walk(part):
        if isinstance(part, dict):
            found.extend(part.get("data", {}).get("values", []) if isinstance(part.get("data"), dict) else [])
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(chart.to_dict())
    return found


def test_every_kind_has_a_verb_with_its_options():
    plotted = {name: entry for name, entry in PICTURES.items() if entry.verb == "plot"}
    assert set(command.commands) == set(plotted)
    for entry in plotted.values():
        assert callable(entry.draw)
        assert set(entry.takes) <= set(OPTIONS)
        assert entry.source in SOURCES
        said = CliRunner().invoke(command, [entry.name, "--help"])
        assert said.exit_code == 0


def test_the_bars_of_costs_add_up_to_the_network():
    table = V2.count()
    chart = table.plot(of=["macs"], by="stage")
    assert sum(record["value"] for record in values(chart)) == table.macs
    assert "3 without any" in json.dumps(chart.to_dict())
    assert sum(record["value"] for record in values(table.plot(of=["params"], by="layer"))) == table.params


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_has_an_axis_with_its_unit(name):
    title = axis_title(name)
    assert QUANTITIES[name].heading in title
    assert QUANTITIES[name].unit in title


def test_a_roofline_is_the_lower_of_the_two_limits():
    table = V2.count()
    peak, bandwidth = 10**11, 25 * 10**9
    points = {r["part"]: r for r in values(table.plot("roofline", peak=peak, bandwidth=bandwidth)) if "part" in r}
    rows = [row for row in table.by("block") if row.macs]
    assert set(points) == {row.name for row in rows}
    for row in rows:
        reached = min(peak, bandwidth * Fraction(row.macs, row.figure("traffic")))
        assert points[row.name]["y"] == pytest.approx(float(reached))
        assert (points[row.name]["series"] == "arithmetic is the limit") == (reached == peak)


def test_a_staircase_is_what_counting_gives_on_every_piece():
    found = staircase(Family(V2.document), "alpha", ["macs", "params"], (Fraction(1, 2), Fraction(3, 4)))
    assert len(found.pieces) == 20
    for piece in found.pieces[::7]:
        table = V2.count(alpha=(piece.low + piece.high) / 2)
        assert piece.figures == {"macs": table.macs, "params": table.params}
    assert all(a.high == b.low and a.figures != b.figures for a, b in pairwise(found.pieces))
    drawn = [record for record in values(picture("along").draw(found)) if "run" in record]
    assert {record["y"] for record in drawn} == {v for piece in found.pieces for v in piece.figures.values()}


def test_along_a_word_there_are_points():
    found = staircase(Family(archspec.load("inception_module").document), "form", ["macs"])
    chart = picture("along").draw(found)
    assert {record["x"] for record in values(chart)} == {"canonical", "simplified", "equivalent", "grouped", "extreme"}
    assert '"type": "point"' in json.dumps(chart.to_dict())


def test_memory_over_time_has_every_node_and_the_peak():
    found = LENET.memory("liveness")
    records = values(found.plot())
    moments = [record for record in records if "node" in record]
    drawn = [record["bytes"] for record in moments]  # of the area, and of the line above it
    steps = [moment.bytes for moment in (*found.timeline, found.timeline[-1])]
    assert drawn == steps * 2
    (peak,) = (record for record in records if "label" in record)
    assert peak["bytes"] == found.peak
    assert found.at[0] in peak["label"]
    assert any(line.endswith("batch 1; float32; liveness") for line in found.plot().to_dict()["title"]["subtitle"])


def test_what_a_chart_of_costs_leaves_out_is_told_in_numbers():
    net = archspec.loads("archspec: 1\nname: x\ninput: [4]\nnetwork: [{linear: {out_features: 2}}, flatten]\n")
    assert net.count().plot().to_dict()["title"]["subtitle"][-1] == "1 without any is left out"


def test_elasticities_are_those_of_the_report():
    found = LENET.sensitivity("macs")
    drawn = {record["symbol"]: record["value"] for record in values(found.plot())}
    known = {r.symbol: None if r.elasticity is None else float(r.elasticity) for r in found.responses}
    assert drawn == pytest.approx(known)


def test_a_papers_figures_stand_at_what_they_differ_by():
    findings = published.reproduce(published.load("mobilenet_v1"))
    records = {record["figure"]: record for record in values(findings.plot(where="Table 8"))}
    (vgg,) = (finding for finding in findings if finding.figure.id == "cmp.vgg16.params")
    assert records["cmp.vgg16.params"]["off"] == pytest.approx(100 * (vgg.computed / 138e6 - 1))
    assert records["cmp.googlenet.params*"]["series"] == "off"
    with pytest.raises(ArchspecError, match="no figures of 'Table 99'"):
        findings.plot(where="Table 99")


CSV = "network,seed,density,error_percent\na,0,0.5,2\na,1,0.5,4\na,0,1,1\nb,0,0.5,\nb,0,1,3\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(CSV, encoding="utf-8")
    return results.read(path)


def test_rows_that_are_alike_are_drawn_as_their_mean(table):
    chart = picture("results").draw(table, "density", ["error_percent"], series=["network"])
    found = [(r["series"], r["x"], r["low"], r["y"], r["high"]) for r in values(chart) if r["series"] == "a"]
    assert found[:2] == [("a", 0.5, 2, 3, 4), ("a", 1, 1, 1, 1)]
    assert ("b", 0.5) not in [(r["series"], r["x"]) for r in values(chart)]
    one = picture("results").draw(table, "density", ["error_percent"], where={"network": ["b"]})
    assert {r["y"] for r in values(one)} == {3}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"x": "densty"}, "no column 'densty'; did you mean 'density'"),
        ({"y": ["network"]}, "the column 'network' has 'a', which is no number"),
        ({"where": {"network": ["c"]}}, "no row has network=c"),
        ({"log": ["z"]}, "an axis is x or y"),
    ],
)
def test_a_wrong_column_is_refused(table, asked, said):
    with pytest.raises(ArchspecError, match=said):
        picture("results").draw(table, **{"x": "density", "y": ["error_percent"], **asked})


@pytest.mark.parametrize(
    ("text", "said"),
    [("a,b\n", "a header and a row"), ("a,a\n1,2\n", "stands twice"), ("a,b\n1\n", "has 1 cells, for 2 columns")],
)
def test_a_broken_table_is_refused(tmp_path, text, said):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ArchspecError, match=said):
        results.read(tmp_path / "x.csv")


def run(name, *errors):
    epochs = [{"epoch": float(n), "loss": 1 / n, "error": error} for n, error in enumerate(errors, 1)]
    return RunCurves(name, tuple(epochs), 2)


def test_curves_have_every_epoch_and_ring_the_chosen_one():
    records = values(picture("training").draw(run("a", 3.0, 2.0), run("a", 5.0, 4.0)))
    errors = [(r["series"], r["epoch"], r["value"], r["chosen"]) for r in records if r["on"] == "test"]
    assert errors[:4] == [
        ("a (1)", 1, 3.0, False), ("a (1)", 2, 2.0, True), ("a (2)", 1, 5.0, False), ("a (2)", 2, 4.0, True),
    ]  # fmt: skip


def test_a_training_that_has_just_ended_is_drawn_as_its_folder_is():
    scores = [Score(images=100, loss=0.5, right=90 + n, right5=100) for n in (1, 3, 2)]
    epochs = tuple(Epoch(n, n, 0.1, 1 / n, score, 1.0, 100.0) for n, score in enumerate(scores, 1))
    result = Result("lenet_5", "digits", 1000, Path("runs/x"), epochs, 3)
    errors = [(r["epoch"], r["value"], r["chosen"]) for r in values(result.plot()) if r["on"] == "test"]
    assert errors[:3] == [(1, 9.0, False), (2, 7.0, True), (3, 8.0, False)]


def test_the_curves_of_a_folder_are_those_that_it_holds():
    found = curves(Path(__file__).parents[2] / "docs" / "pictures" / "runs" / "lenet_5-0")
    assert (len(found.epochs), found.best, found.name) == (12, 7, "lenet_5-0")
    with pytest.raises(ArchspecError, match=r"it has no epochs\.csv"):
        curves(Path(__file__).parent)


def test_more_series_than_can_be_told_apart_are_refused():
    assert len(SERIES) == len(DASHES) == len(SHAPES) == len(set(SERIES))
    with pytest.raises(ArchspecError, match="8 series cannot be told apart"):
        picture("training").draw(*(run(f"run{n}", 1.0, 2.0) for n in range(8)))


def test_colours_that_stand_beside_each_other_differ_in_grey():
    def grey(colour):
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2

    assert all(abs(grey(a) - grey(b)) > 0.08 for a, b in pairwise(SERIES))


def test_a_result_without_a_picture_says_so():
    with pytest.raises(ArchspecError, match="no picture of a Formula"):
        LENET.formula().plot()
    with pytest.raises(ArchspecError, match="'memory' is a picture of a Memory; of a CostTable there are costs"):
        LENET.count().plot("memory")
    with pytest.raises(ArchspecError, match="no picture 'cost'; did you mean 'costs'"):
        LENET.count().plot("cost")


LONG = """archspec: 1
name: long
input: [1, 8, 8]
network: [{repeat: 600, body: [{conv2d: {out_channels: 1, kernel_size: 1}}]}]
"""


def test_more_than_can_be_seen_is_refused():
    table = archspec.loads(LONG).count()
    with pytest.raises(ArchspecError, match="600 rows are more than 400 for one picture"):
        table.plot(by="layer")
    with pytest.raises(ArchspecError, match="600 rows are more than 400"):
        table.plot("roofline", peak=1, bandwidth=1, by="layer")
    found = staircase(Family(LENET.document), "classes", ["params"], (1, 30_000))
    with pytest.raises(ArchspecError, match="30,000 points are more than 20,000"):
        picture("along").draw(found)


def test_free_symbols_have_no_bars():
    with pytest.raises(ArchspecError, match="bind the symbols that are free"):
        V2.count(free=["side"]).plot()


@pytest.fixture(scope="module")
def hostile():
    """A chart whose texts would be markup, code, or orders to a terminal."""
    rows = results.table(HOSTILE, [["x", HOSTILE], ["1", "2"], ["2", "3"]])
    return picture("results").draw(rows, "x", [HOSTILE])


def test_no_text_of_a_chart_is_markup_in_svg(hostile):
    tree = ElementTree.fromstring(export.svg(hostile))  # noqa: S314  # our own
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "g", "rect", "path", "text", "line", "title", "defs", "clipPath", "tspan"}
    assert any("onload" in (element.text or "") for element in tree.iter())


class Scripts(HTMLParser):
    """The tags of a page, and the text of its scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.scripts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.lasttag == "script":
            self.scripts.append(data)


def test_a_page_of_a_chart_needs_no_network_and_runs_no_text_of_it(hostile):
    page = Scripts()
    page.feed(export.html(hostile))
    assert [tag for tag, _ in page.tags] == ["html", "meta", "title", "style", "div", "script", "script"]
    assert not any({"src", "href"} & set(attrs) for _, attrs in page.tags)
    last = "".join(page.scripts).rpartition("vegaEmbed('#chart'")
    last = "".join(last[1:])
    specification = re.search(r"vegaEmbed\('#chart', (\{.*\}), \{", last)[1]
    assert json.loads(specification) == export.specification(hostile)


def test_a_picture_is_written_whole_by_its_ending(tmp_path):
    chart = LENET.count().plot(by="stage")
    for ending, start in (("png", b"\x89PNG"), ("pdf", b"%PDF"), ("json", b"{")):
        written = export.save(chart, tmp_path / f"x.{ending}")
        assert (tmp_path / f"x.{ending}").read_bytes().startswith(start)
        assert written.bytes > 1000
    with pytest.raises(ArchspecError, match=r"written as \.svg, \.png"):
        export.save(chart, tmp_path / "x.gif")


def test_the_command_writes_a_picture_and_refuses_a_wrong_one(tmp_path):
    run_ = CliRunner()
    done = run_.invoke(command, ["costs", "lenet_5", "--of", "params", "-o", str(tmp_path / "x.json")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "x.json").read_text())["title"]["text"] == "lenet_5"
    wrong = run_.invoke(command, ["along", "lenet_5", "--for", "side=9", "-o", str(tmp_path / "y.json")])
    assert isinstance(wrong.exception, ArchspecError)
    assert "NAME=LOW..HIGH" in str(wrong.exception)
    assert not (tmp_path / "y.json").exists()


@pytest.fixture(scope="module")
def swept():
    return archspec.sweep(["mobilenet"], {"alpha": "1/4..1:1/4", "side": [128, 224]}, of=["macs", "params"])


def test_a_sweep_is_drawn_along_its_first_symbol_with_a_line_for_each_value_of_the_other(swept):
    drawn = {(r["series"], r["x"], r["y"]) for r in values(swept.plot(of=["macs"]))}
    assert ("side = 224", 0.5, 149497088) in drawn
    assert {name for name, _, _ in drawn} == {"side = 128", "side = 224"}
    assert {r["series"] for r in values(swept.plot(along="side"))} == {f"alpha = {a}" for a in (0.25, 0.5, 0.75, 1)}
    with pytest.raises(ArchspecError, match="no column of the sweep is called 'sid'"):
        swept.plot(along="sid")


@pytest.mark.parametrize("kind", ["sweep", "front"])
def test_below_the_title_of_a_sweep_stand_its_bounds_as_one_writes_them(kind, swept):
    within = swept.where("macs<=300M", "params>=1M", "params<=3.5M")
    found = within.front("min:macs", "max:params") if kind == "front" else within
    chart = picture(kind).draw(found).to_dict()
    assert "within macs ≤ 300 M, params ≥ 1 M, params ≤ 3.5 M" in chart["title"]["subtitle"]


def test_a_front_is_a_staircase_among_all_points_with_papers_beside_it(swept):
    best = swept.front("min:macs", "max:params")
    chart = picture("front").draw(best, swept, [V2.count()])
    records = [record for record in values(chart) if "series" in record]
    assert {r["y"] for r in records if r["series"] == "front"} == set(best.columns["params"].tolist())
    assert len({(r["x"], r["y"]) for r in records if r["series"] == "outdone"}) == len(swept)
    assert {(r["x"], r["label"]) for r in records if r["series"] == "a paper's network"} == {
        (300774272, "mobilenet_v2")
    }
    with pytest.raises(ArchspecError, match="a front has two objectives"):
        swept.plot("front")


def test_a_chart_without_its_extra_says_what_installs_it(monkeypatch):
    monkeypatch.setattr("archspec.extras.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"this needs altair: pip install 'archspec-nn\[plot\]'"):
        LENET.count().plot()
    drawn = LENET.plot()
    assert export.svg(drawn).startswith("<svg")  # a drawing needs none
    with pytest.raises(MissingExtraError, match="this needs vl_convert"):
        export.written(drawn, "png")


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ("roofline lenet_5 --peak 1G --bandwidth 100M", "lenet_5: roofline"),
        ("memory lenet_5 --policy liveness,training --batch 2", "lenet_5: memory while each node runs"),
        ("along lenet_5 --for classes=2..20 --of params", "lenet_5 along classes"),
        ("elasticity lenet_5 --of params --for classes", "lenet_5: elasticities at"),
        ("sweep lenet_5 --for classes=2..10:2 --of params,macs --along classes", "lenet_5 along classes"),
        ("front lenet_5 --for classes=2..4 --front min:macs,max:params --beside lenet_300_100", "lenet_5: front of"),
        ("published xception", "xception: printed figures and ours"),
        ("training {docs}/pictures/runs/lenet_5-0", "training of lenet_5-0"),
        ("results {docs}/results/mnist.csv -x epoch -y test_loss --where network=lenet_5|x --log x,y --title T", "T"),
    ],
    ids=lambda value: value.split()[0] if " " in value else "",
)
def test_every_kind_of_chart_is_drawn_by_the_command(arguments, title, tmp_path):
    words = arguments.format(docs=Path(__file__).parents[2] / "docs").split()
    done = CliRunner().invoke(command, [*words, "-o", str(tmp_path / "x.json")])
    assert done.exit_code == 0, done.exception
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["title"]["text"].startswith(title)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("roofline lenet_5 --peak 0 --bandwidth 1", "expected a number above 0"),
        ("gaps --positions 1,x", "expected numbers such as 1,4,15"),
        ("codebook --weights 1,2;x", "expected numbers"),
        ("codebook --gradient=", "expected numbers"),
        ("results x.csv -x a -y b --where network", "expected COLUMN=VALUE"),
        ("front lenet_5 --for classes --front min:macs,max:params", "NAME=VALUES"),
        ("training", "name the folders of runs"),
        ("along lenet_5 --for classes=1..x", "NAME=LOW..HIGH"),
    ],
)
def test_a_wrong_option_is_refused_with_a_sentence(arguments, said, tmp_path):
    done = CliRunner().invoke(command, [*arguments.split(), "-o", str(tmp_path / "x.json")])
    assert done.exit_code != 0
    assert said in f"{done.output}{done.exception}"
    assert not (tmp_path / "x.json").exists()
