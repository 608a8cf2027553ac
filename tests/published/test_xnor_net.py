"""The figures of the XNOR-Net paper, some of them by hand."""

from fractions import Fraction

import pytest

PAPER = "xnor_net"
C, TAPS = 256, 9
ALEXNET = 62_378_344


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("speedup", Fraction(64 * C * TAPS, C * TAPS + 64)),
        ("saving.xnor", Fraction(4 * C * TAPS * C, C * TAPS * C // 8 + 4 * C)),
        ("comp.bwn", Fraction(2 * C * TAPS, C * TAPS + 1)),
        ("mem.alexnet.double", 8 * ALEXNET),
        ("mem.alexnet.bin", Fraction(ALEXNET, 8)),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == by_hand
