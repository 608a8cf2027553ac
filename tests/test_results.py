"""Results are values: they can be pickled, copied and compared, and show themselves in one short line."""

import copy
import pickle
from xml.etree import ElementTree

import pytest

import archspec
from archspec import published
from archspec.formula.operators import operator_forms
from archspec.result import LONGEST

MOBILENET, LENET = archspec.load("mobilenet"), archspec.load("lenet_5")
RESULTS = {
    "architecture": lambda: MOBILENET,
    "block": lambda: MOBILENET.block("separable"),
    "document": lambda: MOBILENET.document,
    "network": MOBILENET.expand,
    "free network": lambda: MOBILENET.expand(free=["alpha", "side"]),
    "node": lambda: MOBILENET.expand().nodes[0],
    "table": MOBILENET.count,
    "row": lambda: MOBILENET.count().by("stage")[2],
    "free table": lambda: MOBILENET.count(free=["side"]),
    "formula": lambda: MOBILENET.formula("macs"),
    "formula of a stage": lambda: MOBILENET.formulas("macs", by="stage")[3],
    "formula of a ratio": lambda: MOBILENET.formula("intensity", free=["side"]),
    "formula of two": lambda: MOBILENET.formula("macs", free=["side"]) / LENET.formula("macs", free=["side"]),
    "formula elsewhere": lambda: MOBILENET.formula("macs", free=["side"]).where(side=7),
    "operator": lambda: operator_forms()[0],
    "memory": MOBILENET.memory,
    "solution": lambda: LENET.solve("classes", {"macs": "<=3M"}),
    "sensitivity": LENET.sensitivity,
    "crossover": lambda: archspec.load("alexnet").crossover("side", between=(63, 70)),
    "explanation": lambda: MOBILENET.explain("separable2/pointwise/conv2d"),
    "prediction": lambda: archspec.load("lenet_5").predict("lenet_5"),
    "reconciliation": lambda: published.reconcile(LENET, "2.29M"),
    "findings": lambda: published.reproduce(published.load("xception")),
    "agreement": LENET.verify,
    "matching": lambda: LENET.match_weights(LENET.to_torch(seed=0).state_dict()),
}


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_is_a_value(kind):
    result = RESULTS[kind]()
    assert len(repr(result)) <= LONGEST
    assert "\n" not in repr(result)
    for twin in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):  # noqa: S301  # our own bytes
        assert twin == result
        assert repr(twin) == repr(result)


@pytest.mark.parametrize("kind", [kind for kind in RESULTS if kind not in {"document", "node", "row", "operator"}])
def test_a_result_is_html_in_a_notebook(kind):
    page = RESULTS[kind]()._repr_html_()
    ElementTree.fromstring(f"<div>{page}</div>")  # noqa: S314  # our own page


def test_a_twin_still_counts():
    form = pickle.loads(pickle.dumps(MOBILENET.formula("macs", free=["side"]).where(side=7)))  # noqa: S301
    assert form() == form.counted({}) == MOBILENET.count(side=7).macs
    table = pickle.loads(pickle.dumps(MOBILENET.count()))  # noqa: S301
    assert table.figure("traffic") == MOBILENET.count().figure("traffic")
    assert table.rows[3].table is table


def test_every_report_that_the_register_names_is_there():
    from importlib import import_module

    from archspec import report

    for place in report.REPORTS.values():
        module, _, function = place.partition(":")
        assert callable(getattr(import_module(f"archspec.report.{module}"), function))
