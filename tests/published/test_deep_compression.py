"""The figures of Deep Compression, some of them by hand."""

import pytest

from archspec import published

PAPER = "deep_compression"
LENET300 = 784 * 300, 300 * 100, 100 * 10


def share(weights, biases, density, bits, gap_bits, codebook_bits, max_gap):
    """Of 32-bit numbers, with biases and the fillers of independent positions."""
    entries = weights * density / (1 - (1 - density) ** max_gap)
    return (entries * (bits + gap_bits) + 32 * 2**codebook_bits + 32 * biases) / (32 * (weights + biases))


@pytest.mark.parametrize(
    ("figure", "by_hand"),
    [
        ("lenet300.ip1.n", 784 * 300),
        ("lenet300.ip1.rate", share(784 * 300, 300, 0.08, 6, 5, 6, 2**5)),
        ("lenet300.ip1.rateh", share(784 * 300, 300, 0.08, 4.4, 3.7, 6, 2**5)),
        ("alexnet.fc7.rate", share(4096**2, 4096, 0.09, 5, 4, 5, 2**4)),
        (
            "lenet300.total.compress-rate-(P+Q)",
            sum(n * rate for n, rate in zip(LENET300, (0.031, 0.038, 0.157), strict=True)) / sum(LENET300),
        ),
        ("lenet300.size.orig", 4 * (sum(LENET300) + 300 + 100 + 10)),
        ("fc6.dense", 4 * (25088 + 1) * 4096),
        ("share.example", 16 * 32 / (16 * 2 + 4 * 32)),
        ("relidx.example.third", 15 - 4 - 8),
        ("huff.save", 1 - 2.88 / 3.7),
    ],
)
def test_a_figure_is_what_it_is_by_hand(figure, by_hand, found):
    assert float(found[figure].computed) == pytest.approx(by_hand, rel=1e-11)


def test_a_mean_above_all_its_rows_is_off(found):
    total = found["lenet300.total.weight-bits-(P+Q+H)"]
    assert 4.3 - 0.05 <= total.spread.low < total.spread.high <= 4.4 + 0.05
    assert total.verdict is published.Verdict.OFF


def test_a_total_is_what_the_rule_gives_with_all_that_the_print_may_mean_beside_it(found):
    fixed, coded = (found[f"vgg16.total.factor-({kind})"] for kind in ("P+Q", "P+Q+H"))
    assert (round(float(fixed.computed), 2), round(float(coded.computed), 2)) == (
        32.07,
        49.61,
    )  # compress predict vgg16
    assert fixed.spread.low <= fixed.computed < 37 < fixed.spread.high
