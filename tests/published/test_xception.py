"""The figures of the Xception paper, some of them by hand."""

from fractions import Fraction

from archspec import published

PAPER = "xception"


def test_every_figure_is_reproduced(found):
    assert {finding.verdict for finding in found.values()} == {
        published.Verdict.EXACT,
        published.Verdict.WITHIN,
        published.Verdict.MEASURED,
    }


def test_there_are_36_convolutions(found):
    entry, middle, exit_flow = 2 + 3 * 2, 8 * 3, 2 + 2
    assert found["conv.count"].computed == entry + middle + exit_flow == 36


def test_the_sizes_differ_by_what_table_3_says(found):
    assert found["within"].computed == 1 - Fraction(22_855_952, 23_626_728)
