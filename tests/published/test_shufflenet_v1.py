"""The figures of the ShuffleNet paper, some of them by hand."""

from fractions import Fraction

import pytest

PAPER = "shufflenet_v1"


def macs(g, channels, stem=24, units=(4, 8, 4)):
    """Of Table 1 without the classifier: h·w·(2cm/g + 9m) for a unit of stride 1, as section 3.2 has it."""
    total, before, side = 112**2 * 27 * stem, stem, 28
    for c, n in zip(channels, units, strict=True):
        m = Fraction(c, 4)
        first = before * m / (1 if before == stem else g)
        total += 4 * side**2 * first + side**2 * (9 * m + m * (c - before) / g)
        total += (n - 1) * side**2 * (2 * c * m / g + 9 * m)
        before, side = c, side // 2
    return total


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("flops.1x.g1", macs(1, (144, 288, 576))),
        ("flops.1x.g8", macs(8, (384, 768, 1536))),
        ("scaled.2x.g3", macs(3, (480, 960, 1920), stem=48) + 1920 * 1000),
        ("scaled.0.5x.g4", macs(4, (136, 272, 544), stem=12) + 544 * 1000),
        ("scaled.0.25x.g3", macs(3, (60, 120, 240), stem=12)),
        ("shallow.macs", macs(3, (120, 240, 480), stem=12, units=(2, 4, 2)) + 480 * 1000),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == by_hand
