"""`count --like`, `reconcile` and `explain-difference` on the command line."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.cli import app
from archspec.cost import CONVENTIONS, DIALECTS
from archspec.cost.conventions import difference, total
from archspec.cost.dialects import counter
from archspec.errors import ArchspecError, UnknownNameError
from archspec.language import zoo
from archspec.published import ReportedNumber, reconcile
from archspec.published.reconcile import LIKELY

CORE, NORM, POOL_IN, POOL_OUT = 300774272, 6678112, 1280 * 7 * 7, 1280  # of MobileNetV2 at 224
THOP, FVCORE = CORE + 4 * NORM + POOL_IN + POOL_OUT, CORE + 2 * NORM + POOL_IN


def run(*arguments):
    return CliRunner().invoke(app, arguments)


def data(*arguments, code=0):
    result = run(*arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (code, "")
    return json.loads(result.stdout)


# ------------------------------------------------------------------ count --like


def test_like_prints_the_number_of_the_tool_and_its_rule():
    lines = run("count", "mobilenet_v2", "--like", "thop", "--by", "total").stdout.splitlines()
    assert lines[3].split()[:4] == ["layer", "params", "thop", "MACs"]
    assert lines[5].split()[:4] == ["total", "3,504,872", "327,550,720", "300,774,272"]
    assert "thop 0.1.1.post2209072238 prints 327,550,720 MACs = 300,774,272 macs + 4·6,678,112" in " ".join(
        map(str.strip, lines[8:10])
    )


def test_like_fills_the_flops_of_the_machine_formats():
    counted = data("count", "mobilenet_v2", "--like", "timm")
    assert (counted["convention"], counted["totals"]["flops"], counted["totals"]["macs"]) == ("fvcore", FVCORE, CORE)
    assert sum(row["flops"] for row in counted["rows"]) == FVCORE


def test_like_and_convention_exclude_each_other():
    result = run("count", "mobilenet_v2", "--like", "thop", "--convention", "default")
    assert (result.exit_code, "give one of them" in result.stderr) == (2, True)
    assert "did you mean 'thop'" in run("count", "mobilenet_v2", "--like", "tohp").stderr


# ------------------------------------------------------------------ explain-difference


def test_the_terms_of_a_difference_are_printed_and_add_up():
    output = run("explain-difference", "mobilenet_v2", "--between", "thop", "fvcore").stdout
    assert "thop and fvcore differ by 13,357,504" in output
    assert "4·6,678,112 scaled inputs" in output
    found = data("explain-difference", "mobilenet_v2", "--between", "thop", "fvcore")
    assert found["values"] == [THOP, FVCORE]
    assert {term["of"]: term["difference"] for term in found["terms"]} == {
        "macs": 0,
        "batch_norm": 2 * NORM,
        "global_avg_pool": POOL_OUT,
    }


def test_conventions_can_be_explained_too_and_agreement_is_said():
    found = data("explain-difference", "lenet_5", "--between", "default", "torch", "--batch", "3")
    assert sum(term["difference"] for term in found["terms"]) == found["difference"] > 0
    assert "agree on 2,293,000" in run("explain-difference", "lenet_5", "--between", "weights", "torchlens").stdout
    assert run("explain-difference", "lenet_5", "--between", "thop", "nothing").exit_code == 2


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
def test_the_parts_add_up_to_the_difference_of_any_two(name):
    network = archspec.load(name).expand()
    known = {node.operator.name for node in network.nodes}
    every = [*CONVENTIONS.values(), *(tool for tool in DIALECTS.values() if all(map(tool.knows, known)))]
    tables = [network.count(how) for how in every]
    for left, right in zip(tables, tables[1:] + tables[:1], strict=True):
        parts = difference(left.terms, right.terms)
        assert sum(part.difference for part in parts) == left.flops - right.flops
    assert all(total(table.param_terms) == table.params for table in tables)


def test_a_counter_or_a_convention_is_found_by_its_name():
    assert counter("deepspeed-macs").name == "torchlens"
    with pytest.raises(UnknownNameError, match="did you mean 'mobilenet'"):
        counter("mobilnet")


# ------------------------------------------------------------------ reports


@pytest.mark.parametrize(
    ("text", "quantity", "low", "high"),
    [
        ("327.55M", None, 327545000, 327555000),
        ("3.50M params", "params", 3495000, 3505000),
        ("568,740,352", None, 568740352, 568740352),
        ("568 740 352 MACs", "MACs", 568740352, 568740352),
        ("1.72 GFLOPs", "FLOPs", 1715000000, 1725000000),
        ("0.6 GMac", "MACs", 550000000, 650000000),
        ("300 MMult-Adds", "MACs", 299500000, 300500000),
        ("~4.2 million parameters", "params", 4150000, 4250000),
        ("2 Gops", "operations", 1500000000, 2500000000),
        ("1T", None, 5 * 10**11, 15 * 10**11),
        ("12k", None, 11500, 12500),
        ("0.5", None, 1, 0),
    ],
)
def test_the_digits_of_a_report_say_what_rounds_to_it(text, quantity, low, high):
    report = ReportedNumber.read(text)
    assert (report.quantity, report.low, report.high) == (quantity, low, high)


@pytest.mark.parametrize("text", ["", "M", "1,72G", "12,34,567", "-3M", "3 apples", "1e9", "3.5.1M", "3.5MB"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ArchspecError, match="expected a number such as"):
        ReportedNumber.read(text)


# ------------------------------------------------------------------ reconcile


def found_by(spec, reported, **bindings):
    matches = reconcile(archspec.load(spec), reported, **bindings).matches
    return {(quantity, who.name, match.variant) for match in matches for quantity, who in match.by}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("tool", DIALECTS)
def test_every_counter_is_found_by_its_own_number(tool):
    value = archspec.load("mobilenet_v2").count(convention=DIALECTS[tool]).flops
    assert ("flops", tool, "") in found_by("mobilenet_v2", f"{value:,}")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("spec", "reported", "expected"),
    [
        ("mobilenet_v2", "327.55M", {("flops", "thop", "")}),
        ("mobilenet_v2", "3.50M params", {("params", "default", "")}),
        ("mobilenet_v2", "3.47M params", {("params", "mobilenet-v2", ""), ("params", "weights", "")}),
        ("mobilenet", "568.74M", {("macs", "default", ""), ("flops", "mobilenet", ""), ("flops", "torchlens", "")}),
        ("mobilenet", "4,253,864", {("params", "total", "")}),
        ("squeezenet", "1.72 GFLOPs", set()),
        ("mobilenet_v2", "5.55G", {("macs", "default", "with groups = 1")}),
        ("mobilenet_v2", "1,203,097,088", {("flops", "torch", "twice")}),
        ("mobilenet_v2", "150,387,136", {("macs", "default", "half")}),
        ("mobilenet_v2", "2,406,194,176", {("macs", "default", "at batch 8")}),
        ("mobilenet_v2", "221,316,608", {("macs", "default", "at side = 192")}),
    ],
)
def test_the_counters_behind_a_number_are_named(spec, reported, expected):
    assert expected <= found_by(spec, reported)


def test_a_word_narrows_the_search():
    assert {quantity for quantity, _, _ in found_by("lenet_300_100", "266k params")} <= {"params"}
    assert "params" not in {quantity for quantity, _, _ in found_by("lenet_300_100", "266,200 MACs")}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("spec", "reported", "variant"),
    [
        ("mobilenet", "149M", "at alpha = 1/2"),  # and not side 112, which has 148,903,168
        ("mobilenet", "1.33M params", "at alpha = 1/2"),
        ("mobilenet", "76.5M MACs", "at alpha = 1/2, side = 160"),
        ("mobilenet", "569 MFLOPs", "MACs and not FLOPs"),
        ("mobilenet", "149 MFLOPs", "at alpha = 1/2, MACs and not FLOPs"),
        ("mobilenet", "1,137,480,704 FLOPs", ""),  # twice the MACs, as some conventions have it
        ("mobilenet", "1,137,480,704 MACs", "FLOPs and not MACs"),
    ],
)
def test_the_likely_is_tried_first_and_a_unit_is_heeded(spec, reported, variant):
    matches = reconcile(archspec.load(spec), reported).matches
    assert {match.variant for match in matches} == {variant}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_how_many_reports_would_be_explained_is_counted():
    mobilenet = archspec.load("mobilenet")
    found = reconcile(mobilenet, "569M MACs")
    assert found
    assert (found.report.numbers, found.says_little) == (900, False)
    counted = {found.report.alike(match.value) <= set(range(100, 1000)) for match in found.matches}
    assert counted == {True}
    assert 569 in found.report.alike(found.matches[0].value)
    # of one digit there are nine numbers
    little = reconcile(mobilenet, "0.6G")
    assert (little.report.numbers, little.says_little, bool(little.matches), bool(little)) == (9, True, True, False)
    result = run("reconcile", "mobilenet", "--reported", "0.6G")
    assert (result.exit_code, "likely chance" in result.stdout) == (1, True)
    assert data("reconcile", "mobilenet", "--reported", "0.6G", code=1)["chance"]["likely"] is True


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@given(digits=st.integers(100, 999))
@settings(max_examples=3, deadline=None)
def test_numbers_at_random_are_seldom_explained(digits):
    """What is explained beyond chance is among the few that its own count of explained numbers allows."""
    found = reconcile(archspec.load("lenet_5"), f"{digits}M MACs")
    if found:
        assert found.chance < LIKELY
        assert digits in found.report.alike(found.matches[0].value)


def test_digits_that_are_cut_off_are_said_to_be():
    result = run("reconcile", "mobilenet_v2", "--reported", "307.4M")  # 307,453,664 would round to 307.5
    assert result.exit_code == 0
    assert "307,453,664 (cut off, not rounded): MACs by torchprofile 0.1.0" in result.stdout


def test_a_match_is_printed_with_its_difference_to_the_default():
    result = run("reconcile", "mobilenet_v2", "--reported", "327.55M")
    assert result.exit_code == 0
    assert "anything from 327,545,000 to 327,555,000" in result.stdout
    assert "≈ 327,550,720: MACs by thop 0.1.1.post2209072238, ultralytics-thop" in result.stdout
    assert [line.split() for line in result.stdout.splitlines() if line.startswith("total")] == [
        ["total", "327,550,720", "300,774,272", "+26,776,448"]
    ]
    assert "half of 300,774,272" in run("reconcile", "mobilenet_v2", "--reported", "150,387,136").stdout


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_match_is_data_with_exact_terms():
    found = data("reconcile", "mobilenet_v2", "--reported", "327.55M", "--set", "classes=1000")
    assert found["chance"] == {"explained": found["chance"]["explained"], "of": 90000, "likely": False}
    (match,) = found["matches"]
    assert found["reported"] == {"text": "327.55M", "quantity": None, "low": 327545000, "high": 327555000}
    assert match["by"] == [{"name": "thop", "quantity": "flops", "version": "0.1.1.post2209072238"}]
    assert (match["value"], match["verdict"], match["base"], match["difference"]) == (
        THOP,
        "rounds",
        "macs",
        THOP - CORE,
    )
    assert sum(term["difference"] for term in match["terms"]) == match["difference"]


def test_what_nothing_counts_to_exits_1_with_the_nearest():
    result = run("reconcile", "lenet_300_100", "--reported", "299,999,999 MACs")
    assert result.exit_code == 1
    assert "Nothing that is counted here rounds to that" in result.stdout
    nearest = data("reconcile", "lenet_300_100", "--reported", "299,999,999 MACs", code=1)["nearest"]
    found = reconcile(archspec.load("lenet_300_100"), "299,999,999 MACs").nearest
    assert [near["off"] + 299999999 for near in nearest] == [near.value for near in found]


def test_the_nearest_are_those_that_differ_least():
    defaults = {"alpha": 1, "side": 224, "classes": 1000, "input_channels": 3}  # bound, so that no others are tried
    found = reconcile(archspec.load("mobilenet_v2"), "299,999,999 MACs", defaults)
    assert "+774,273 (+0.25 %): 300,774,272: MACs by torchlens" in str(found)
    on_image, no_classifier = archspec.load("mobilenet_v2").count(convention="on-image").macs, CORE - 1280 * 1000
    assert [near.value for near in found.nearest] == [on_image, no_classifier, CORE]


def test_a_report_that_is_none_exits_2():
    assert run("reconcile", "mobilenet_v2", "--reported", "many").exit_code == 2
