"""A training on the terminal."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from archspec.report.formats import written
from archspec.report.train import Bars, evaluation, train
from archspec.train.result import Epoch, Result, Score

FIRST = Epoch(1, 10, 0.1, 0.5, Score(400, 0.25, 398, 400), 2.0, 5000.0)
SECOND = Epoch(2, 20, 0.05, 0.25, Score(400, 0.125, 396, 399), 1.5, 6000.0)
RESULT = Result("tiny", "digits; 1×8×8 fitted to 1×9×9: bilinear", 1234, Path("runs/tiny"), (FIRST, SECOND), 12)


def test_the_last_epoch_stands_before_the_best():
    assert written(train(RESULT)).splitlines() == [
        "tiny: 1,234 weights, digits; 1×8×8 fitted to 1×9×9: bilinear; 4 s of training, in runs/tiny",
        "",
        "                         epoch  test error    top-1     top-5  test loss",
        "───────────────────────  ─────  ──────────  ───────  ────────  ─────────",
        "last                         2      1.00 %  99.00 %   99.75 %     0.1250",
        "best on the test images      1      0.50 %  99.50 %  100.00 %     0.2500",
    ]


def test_markdown_and_json_say_the_same():
    assert "| last                    |       2 |       1.00 % | 99.00 % |" in written(train(RESULT), "markdown")
    plain = json.loads(written(train(RESULT), "json"))
    assert plain["error"] == 1.0
    assert [epoch["test"]["error"] for epoch in plain["epochs"]] == [0.5, 1.0]
    assert (plain["params"], plain["planned"], plain["signal"]) == (1234, 12, None)


def test_before_the_first_epoch_there_is_nothing_to_say():
    begun = Result("tiny", "digits", 1234, Path("runs/tiny"), (), 12, signal=2)
    assert written(train(begun)) == "tiny: no epoch is over yet\n"
    assert json.loads(written(train(begun), "json"))["error"] is None


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_move_on_a_terminal_and_lines_are_printed_everywhere(terminal):
    bars, stream = Bars(), StringIO()
    bars._console = Console(file=stream, force_terminal=terminal, width=120, color_system=None)
    bars.began(Result("tiny", "digits", 1234, Path("o"), (), 12, resumed=10, moved="threads was 2 and is 1"), 20, 10)
    bars.stepped(15, 0.5)
    bars.tested(SECOND)
    bars.ended()
    said = stream.getvalue()
    assert "tiny: 1,234 weights; digits; 12 epochs, in o" in said
    assert "resumed after step 10; threads was 2 and is 1" in said
    assert "epoch  2/12  loss 0.2500  test error 1.00 %  top-5 99.75 %  6,000 images/s" in said
    assert ("15/20" in said) == terminal


def test_one_epoch_is_no_epochs():
    bars, stream = Bars(), StringIO()
    bars._console = Console(file=stream, width=120)
    bars.began(Result("tiny", "digits", 1234, Path("o"), (), 1), 20, 0)
    assert "digits; 1 epoch, in o" in stream.getvalue()


def test_an_evaluation_is_a_sentence_or_json():
    score = FIRST.test
    assert written(evaluation(score, "tiny", "digits")) == (
        "tiny on 400 test images of digits: test error 0.50 %, top-1 99.50 %, top-5 100.00 %, loss 0.2500\n"
    )
    assert json.loads(written(evaluation(score, "tiny", "digits"), "json"))["error"] == 0.5
