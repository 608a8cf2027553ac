"""A search with trainings inside: counted before it is trained, gone on with, shared; its front is that of its runs."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.cost import Counting
from archspec.errors import ArchspecError, BindingError
from archspec.report import formats, report_on
from archspec.train import Recipe, record
from archspec.train import search as searching
from archspec.train.result import TrainingStoppedError
from archspec.train.search import Candidate, _claimed, search

pytest.importorskip("optuna")

NARROW = """archspec: 1
name: narrow
symbols:
  width: {default: 2, range: [1, 8]}
  side: {default: 8, range: [4, 8]}
  act: {default: relu, choices: [relu, tanh]}
input: [1, side, side]
network:
  - conv2d: {out_channels: width, kernel_size: 3, stride: 2}
  - use: act
  - flatten
  - linear: {out_features: 10}
"""
VALUES = {"width": "1..8", "act": "*"}
ONCE = Recipe(epochs=1, batch=256, lr=0.05, seed=3)


@pytest.fixture(scope="module")
def narrow():
    return archspec.loads(NARROW)


@pytest.fixture(scope="module")
def found(narrow, tmp_path_factory):
    out = tmp_path_factory.mktemp("search") / "found"
    return search(narrow, VALUES, "digits", ONCE, "error,macs,max:intensity", 4, out=out, where="params<=400")


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_every_trial_is_a_run_of_its_own_and_keeps_the_bounds(found, narrow):
    assert len(found.candidates) == 4
    assert len({each.folder for each in found.candidates}) == 4
    for each in found.candidates:
        assert record.read(each.folder).recipe == ONCE
        table = narrow.count(each.values)
        assert each.figures["macs"] == table.macs
        assert each.figures["params"] == table.params <= 400
        assert each.figures["intensity"] == table.figure("intensity")
        assert each.error == each.test
        assert 0 <= each.error <= 100
        assert (each.error * 360 / 100).denominator == 1, "of 360 test images"


def test_the_front_is_what_comparing_every_two_runs_gives(found):
    def vector(each):
        return (each.error, each.figures["macs"], -each.figures["intensity"])

    every = [vector(each) for each in found.candidates]
    kept = [
        each
        for each, mine in zip(found.candidates, every, strict=True)
        if not any(o != mine and all(a <= b for a, b in zip(o, mine, strict=True)) for o in every)
    ]
    assert list(found.front) == kept


def test_the_same_call_trains_nothing_again_and_a_larger_one_goes_on(found, narrow, monkeypatch):
    trained = []
    original = searching.fit

    def fit(*args, **named):
        trained.append(named["out"])
        return original(*args, **named)

    monkeypatch.setattr(searching, "fit", fit)
    asked = ("digits", ONCE, "error,macs,max:intensity")
    again = search(narrow, VALUES, *asked, 4, out=found.out, where="params<=400")
    assert trained == []
    assert again == found
    more = search(narrow, VALUES, *asked, 5, out=found.out, where="params<=400")
    assert len(trained) == 1
    assert more.candidates[:4] == found.candidates
    with pytest.raises(ArchspecError, match="holds another search"):
        search(narrow, VALUES, *asked, 5, out=found.out, where="params<=300")
    with pytest.raises(ArchspecError, match="holds another search"):  # its figures are others
        search(narrow, VALUES, *asked, 5, out=found.out, where="params<=400", counting=Counting(batch=2))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_same_seed_chooses_the_same(narrow, tmp_path):
    asked = ("digits", ONCE, "error,macs,max:intensity")
    again = search(narrow, VALUES, *asked, 2, out=tmp_path / "a")
    assert len(again.candidates) == 2
    twice = search(narrow, VALUES, *asked, 2, out=tmp_path / "b")
    assert [each.values for each in twice.candidates] == [each.values for each in again.candidates]
    assert [each.error for each in twice.candidates] == [each.error for each in again.candidates]


def test_what_breaks_a_bound_or_does_not_fit_the_data_is_not_trained(narrow, tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("trained")

    monkeypatch.setattr(searching, "fit", never)
    few = {"width": [1, 2]}
    ended = search(narrow, few, "digits", ONCE, "error,macs", 3, out=tmp_path / "a", where="params<=10")
    assert (ended.candidates, ended.points, len(ended.refused)) == ((), 2, 2)
    assert "params is" in ended.refused[0]
    assert "2 were not trained" in str(ended)


def test_a_training_that_cannot_go_on_is_said_and_counts(narrow, tmp_path, monkeypatch):
    def stops(*_, **__):
        raise TrainingStoppedError("the loss is nan")

    monkeypatch.setattr(searching, "fit", stops)
    ended = search(narrow, VALUES, "digits", ONCE, "error,macs", 2, out=tmp_path / "a")
    assert len(ended.failed) == 2
    assert "the loss is nan" in str(ended)


def test_an_interrupted_training_is_gone_on_with(narrow, tmp_path, monkeypatch):
    original, folders = searching.fit, []

    def interrupted(*args, **named):
        folders.append(named["out"])
        return replace(original(*args, **named), signal=2)

    monkeypatch.setattr(searching, "fit", interrupted)
    stopped = search(narrow, VALUES, "digits", ONCE, "error,macs", 2, out=tmp_path / "a")
    assert (stopped.signal, stopped.candidates) == (2, ())
    monkeypatch.setattr(searching, "fit", original)
    ended = search(narrow, VALUES, "digits", ONCE, "error,macs", 1, out=tmp_path / "a")
    assert [each.folder for each in ended.candidates] == folders


def test_two_processes_do_not_train_the_same(tmp_path):
    with _claimed(tmp_path / "x.lock") as ours, _claimed(tmp_path / "x.lock") as others:
        assert (ours, others) == (True, False)


@pytest.mark.parametrize(
    ("wanted", "trials", "error", "said"),
    [
        ("macs,params", 2, BindingError, "needs a training; ask archspec sweep"),
        ("error", 2, BindingError, "a front is of two objectives"),
        ("error,mcas", 2, ArchspecError, "did you mean 'macs'"),
        ("error,macs", 0, BindingError, "trials is a whole number from 1"),
    ],
)
def test_questions_that_cannot_be_are_refused_before_anything_is_there(narrow, tmp_path, wanted, trials, error, said):
    with pytest.raises(error, match=said):
        search(narrow, VALUES, "digits", ONCE, wanted, trials, out=tmp_path / "a")
    assert not any(tmp_path.iterdir())


def test_a_search_is_read_in_every_format(found):
    for form in formats.names():
        page = formats.written(report_on(found), form)
        assert all(str(each.figures["macs"]) in page.replace(",", "") for each in found.candidates), form
    assert repr(found).startswith("<Search narrow, digits, ")


def test_the_command_searches_and_goes_on(narrow, tmp_path):
    spec, out = tmp_path / "narrow.yaml", tmp_path / "runs"
    spec.write_text(narrow.dumps())
    asked = [str(spec), "--for", "width=1,2,3", "--train", "digits", "--epochs", "1", "--trials", "2"]
    ran = CliRunner().invoke(app, ["search", *asked, "--out", str(out), "--format", "json"])
    assert ran.exit_code == 0, ran.output
    data = json.loads(ran.stdout[ran.stdout.index("{\n") :])
    assert len(data["candidates"]) == 2
    assert {each.name for each in out.iterdir() if each.is_dir()} == {each["run"] for each in data["candidates"]}
    assert CliRunner().invoke(app, ["evaluate", str(out / data["candidates"][0]["run"])]).exit_code == 0


def test_a_candidate_answers_by_objective():
    each = Candidate({"width": 1}, {"macs": 5}, Fraction(1, 2), None, None)
    assert (each.of("error"), each.of("macs")) == (Fraction(1, 2), 5)
