"""The figures of the distillation paper, some of them by hand."""

from fractions import Fraction

import pytest

PAPER = "distillation"


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("mnist.no3.threes", Fraction(1010 - 14, 1010)),
        ("am.params", (26 * 40 + 1) * 2560 + 7 * 2561 * 2560 + 2561 * 14_000),
        ("am.transfer", Fraction(608 - 589, 611 - 589)),
        ("jft.rel", Fraction(261 - 250, 250)),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == by_hand


def test_the_share_that_is_kept_is_known_as_far_as_the_accuracies_are(found):
    spread = found["am.transfer"].spread
    assert spread.low < Fraction(19, 22) < spread.high
