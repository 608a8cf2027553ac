"""Verdicts follow from the printed digits, and cannot be bent."""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.errors import ArchspecError
from archspec.interval import Interval
from archspec.published import Printed, Verdict, judge, papers


@pytest.mark.parametrize(
    ("printed", "unit", "computed", "verdict"),
    [
        ("22,855,952", "", 22855952, "exact"),
        ("22,855,952", "", 22855953, "off"),
        ("569", "M", 568740352, "rounds"),
        ("4.2", "M", 4231976, "rounds"),
        ("4.2", "M", 4250000, "rounds"),
        ("4.2", "M", 4250001, "truncates"),
        ("4.2", "M", 4299999, "truncates"),
        ("4.2", "M", 4300000, "off"),
        ("4.2", "M", 4149999, "off"),
        ("4.8", "MiB", 4993696, "rounds"),
        ("33", "%", Fraction(1, 3), "rounds"),
        ("35", "x", Fraction(70, 2), "exact"),
    ],
)
def test_the_digits_decide(printed, unit, computed, verdict):
    assert judge(Printed.read(printed, unit), computed)[0] == verdict


def test_off_says_by_what_part_of_the_print():
    verdict, off = judge(Printed.read("140", "M"), 136_830_336)
    assert verdict == "off"
    assert off == Fraction(136_830_336 - 140_000_000, 140_000_000)
    assert judge(Printed.read("0"), 3) == (Verdict.OFF, Fraction(3))


def test_rounded_inputs_widen_what_can_be_said():
    printed = Printed.read("10")
    assert judge(printed, 11, Interval(Fraction(21, 2), 12))[0] == "within"
    assert judge(printed, 11, Interval(Fraction(106, 10), 12))[0] == "off"


def test_a_bound_is_kept_or_broken():
    bound = Printed.read("3.5", "%")
    assert judge(bound, Fraction(32, 1000), relation="at most")[0] == "within"
    assert judge(bound, Fraction(36, 1000), relation="at most")[0] == "off"
    assert judge(bound, Fraction(36, 1000), relation="at least")[0] == "within"


def test_about_is_within_a_hundredth():
    about = Printed.read("85", "M")
    assert judge(about, 84_412_080, relation="about")[0] == "within"
    assert judge(about, 84_412_080)[0] == "off"
    assert judge(about, 84_100_000, relation="about")[0] == "off"


def test_filling_zeros_are_no_digits():
    assert judge(Printed.read("720", "M", digits=2), 724_406_816)[0] == "rounds"
    assert judge(Printed.read("720", "M"), 724_406_816)[0] == "off"
    assert judge(Printed.read("15300", digits=3), 15349)[0] == "rounds"
    for text, digits in (("725", 2), ("720", 0)):
        with pytest.raises(ArchspecError, match="filled up with zeros"):
            Printed.read(text, digits=digits)


@pytest.mark.parametrize("text", ["", "four", "4.2.1", "1e3", "--1", "4,2x"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ArchspecError, match="expected printed digits"):
        Printed.read(text)


def test_an_unknown_unit_is_refused():
    with pytest.raises(ArchspecError, match="unknown unit 'furlong'; known are"):
        Printed.read("1", "furlong")


@given(st.integers(0, 10**12), st.integers(0, 6))
@settings(max_examples=500, deadline=None, derandomize=True)
def test_a_number_printed_by_rounding_comes_back_as_rounds_or_exact(value, places):
    number = Fraction(value, 10**4)
    whole, rest = divmod((2 * number * 10**places + 1) // 2, 10**places)
    text = f"{whole}.{rest:0{places}}" if places else f"{whole}"
    assert judge(Printed.read(text), number)[0] in {"rounds", "exact"}


AGREE = (Verdict.EXACT, Verdict.ROUNDS)


def test_there_are_figures_to_mutate(findings):
    assert sum(finding.verdict in AGREE for paper in papers() for finding in findings(paper)) > 2


@pytest.mark.parametrize("paper", papers())
def test_another_digit_turns_the_verdict(paper, findings):
    """Change one printed digit, by two or more so that rounding cannot hide it, and the figure no longer agrees."""
    for index, finding in enumerate(findings(paper)):
        if finding.verdict in AGREE:
            printed = Printed.read(mutated(finding.figure, random.Random(f"{paper}{index}")), finding.figure.unit)  # noqa: S311
            assert judge(printed, finding.computed)[0] == Verdict.OFF, finding.figure.id


def mutated(figure, draw):
    """What is printed, with one digit changed."""
    places = [i for i, sign in enumerate(figure.printed) if sign.isdigit()]
    place = draw.choice(places)
    digit = int(figure.printed[place])
    other = draw.choice([d for d in range(10) if abs(d - digit) >= 2])
    return figure.printed[:place] + str(other) + figure.printed[place + 1 :]
