"""The figures of the SqueezeNet paper, some of them by hand."""

from math import ceil

import pytest

PAPER = "squeezenet"


def fire(cin, s, e, densities=(1, 1, 1)):
    weights = (cin * s, s * e, 9 * s * e)
    return sum(ceil(n * d) for n, d in zip(weights, densities, strict=True)) + s + 2 * e


FIRES = (fire(96, 16, 64), fire(128, 16, 64), fire(128, 32, 128), fire(256, 32, 128), fire(256, 48, 192))
FIRES += (fire(384, 48, 192), fire(384, 64, 256), fire(512, 64, 256))
ENDS = (49 * 3 + 1) * 96, (512 + 1) * 1000
SHORTCUTS = sum((a + 1) * b for a, b in ((96, 128), (128, 256), (256, 384), (384, 512)))


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("fire2.params", FIRES[0]),
        ("fire2.pruned", fire(96, 16, 64, (1, 1, 0.33))),
        ("fire7.pruned", fire(384, 48, 192, (0.5, 1, 0.33))),
        ("conv10.pruned", 512 * 1000 / 5 + 1000),
        ("total.params", sum(FIRES) + sum(ENDS)),
        ("size", 4 * (sum(FIRES) + sum(ENDS))),
        ("size.complex", 4 * (sum(FIRES) + sum(ENDS) + SHORTCUTS)),
        ("ratio50", 240 / 4.8),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert found[figure].computed == pytest.approx(by_hand, rel=1e-12)


def test_the_count_of_fire8_fits_thirty_percent_and_not_the_printed_33(found):
    assert found["fire8.pruned"].computed == fire(384, 64, 256, (1, 0.5, 0.33))
    assert fire(384, 64, 256, (1, 0.5, 0.3)) == 77_581


def test_the_compressed_file_is_as_large_as_the_released_one(found):
    """Its zeros that fill gaps are expected from the densities, not counted: 675,763 bytes within a percent."""
    assert found["dc8.size"].computed == pytest.approx(675_763, rel=0.01)
