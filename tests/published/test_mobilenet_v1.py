"""The figures of the MobileNet paper, some of them by hand."""

from itertools import pairwise

import pytest

from archspec import published

PAPER = "mobilenet_v1"
WIDTHS = (32, 64, 128, 128, 256, 256, *6 * (512,), 1024, 1024)
POINTWISE = sum(c * after for c, after in pairwise(WIDTHS))
DEPTHWISE = 9 * sum(WIDTHS[:-1])
WEIGHTS = 27 * 32 + POINTWISE + DEPTHWISE + 1024 * 1000


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("params.1.224", WEIGHTS),
        ("share.conv-1x1.params", POINTWISE / WEIGHTS),
        ("share.conv-dw-3x3.params", DEPTHWISE / WEIGHTS),
        ("share.fully-connected.params", 1024 * 1000 / WEIGHTS),
        ("shallow.params", WEIGHTS - 5 * (9 + 512) * 512),
        ("conv.params", 27 * 32 + 9 * POINTWISE + 1024 * 1000),
        ("dogs.1.params", WEIGHTS - 1024 * (1000 - 120)),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == pytest.approx(by_hand, rel=1e-12)


def test_the_swapped_digits_of_table_2_are_off_and_the_right_ones_are_not(found):
    share = found["share.conv-3x3.macs"]
    assert share.verdict == published.Verdict.OFF
    assert published.judge(published.Printed.read("1.91", "%"), share.computed)[0] == published.Verdict.ROUNDS
