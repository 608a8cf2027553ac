"""The figures of the MobileNetV2 paper, some of them by hand."""

import pytest

from archspec import published

PAPER = "mobilenet_v2"


def bottleneck(c, expanded, after):
    return c * expanded * (expanded != c) + 9 * expanded + expanded * after


def weights():
    """Of Table 2, with the classifier's biases."""
    total, c = 27 * 32, 32
    for t, after, n in ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1)):
        total += bottleneck(c, t * c, after) + (n - 1) * bottleneck(after, t * after, after)
        c = after
    return total + 320 * 1280 + 1281 * 1000


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("params.1.0", weights()),
        ("blocks", 1 + 2 + 3 + 4 + 3 + 3 + 1),
        ("mem.mobilenetv1.112.memory", 112 * 112 * 64 * 2),
        ("mem.mobilenetv2.14.memory", 14 * 14 * 160 * 2),
        ("mem.max.mobilenetv2", 112 * 112 * 16 * 2),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == by_hand


def test_the_text_has_two_bottlenecks_more_than_the_table(found):
    assert found["blocks"].verdict == published.Verdict.OFF
