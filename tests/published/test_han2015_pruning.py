"""The figures of "Learning both Weights and Connections", some of them by hand."""

import pytest

from archspec import published

PAPER = "han2015_pruning"
LENET5 = {"conv1": 25 * 20, "conv2": 25 * 20 * 50, "fc1": 800 * 500, "fc2": 500 * 10}
PIXELS = {"conv1": 24**2, "conv2": 8**2, "fc1": 1, "fc2": 1}
KEPT = {"conv1": 0.66, "conv2": 0.12, "fc1": 0.08, "fc2": 0.19}


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("lenet5.conv2.flop", 2 * LENET5["conv2"] * PIXELS["conv2"]),
        ("lenet5.conv1.fpct", 0.66),
        ("lenet5.conv2.fpct", 0.12 * 0.82),
        ("lenet5.total.flop", 2 * sum(n * PIXELS[layer] for layer, n in LENET5.items())),
        ("lenet5.total.wpct", sum(n * KEPT[layer] for layer, n in LENET5.items()) / sum(LENET5.values())),
        ("lenet5.rate", sum(LENET5.values()) / sum(n * KEPT[layer] for layer, n in LENET5.items())),
        ("lenet300.total.act", (300 * 0.38 + 100 * 0.65 + 10) / 410),
        ("lenet5.total.act", (2880 * 0.82 + 800 * 0.72 + 500 * 0.55 + 10) / 4190),
        ("sparse.overhead", 5 / 32),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == pytest.approx(by_hand, rel=1e-12)


def test_a_share_computed_from_rounded_shares_is_judged_by_all_that_round_to_them(found):
    share = found["lenet300.fc2.fpct"]
    assert (float(share.spread.low), float(share.spread.high)) == (0.085 * 0.375, 0.095 * 0.385)
    assert share.verdict is published.Verdict.WITHIN
    assert share.figure.printed == "4"
