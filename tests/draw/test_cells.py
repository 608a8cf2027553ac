"""Drawings of numbers in cells are of what the codecs and operators do."""

from xml.etree import ElementTree

import pytest
import torch

from archspec.compress.codecs.gaps import Gaps
from archspec.draw import picture
from archspec.draw.cells.shuffle import order
from archspec.errors import ArchspecError

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing):
    return [element.text for element in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]  # noqa: S314  # ours


def cells(drawing):
    """The text of each cell, in the order in which they stand there."""
    tree = ElementTree.fromstring(drawing.svg)  # noqa: S314  # ours
    found = (group.find(f"{SVG}text") for group in tree.iter(f"{SVG}g") if group.get("class") == "cell")
    return [text.text or "" for text in found]


@pytest.mark.parametrize(("channels", "groups"), [(12, 3), (8, 2), (6, 6), (5, 1)])
def test_channels_are_shuffled_as_torch_shuffles_them(channels, groups):
    x = torch.arange(channels).reshape(1, channels, 1, 1)
    assert order(channels, groups) == torch.nn.ChannelShuffle(groups)(x).flatten().tolist()
    drawn = cells(picture("shuffle").draw(groups, channels))
    assert len(drawn) == 6 * channels  # four steps, and the two rows with lines between
    assert drawn[-channels:] == [str(channel) for channel in order(channels, groups)]


def test_the_gaps_of_the_paper_have_its_differences_and_its_filler():
    drawn = cells(picture("gaps").draw())
    rows = [drawn[start : start + 16] for start in range(0, 64, 16)]
    kept = {place: [row[place] for row in rows[1:]] for place in range(16) if rows[3][place]}
    assert kept == {1: ["1", "001", "3.4"], 4: ["3", "010", "0.9"], 12: ["8", "111", "0"], 15: ["3", "010", "1.7"]}
    assert "filler: the span exceeds 8" in texts(picture("gaps").draw())


def test_gaps_are_those_that_the_codec_counts():
    drawn = picture("gaps").draw([0, 20, 21, 50], bits=2)
    filled, _ = Gaps(2).stats(torch.tensor([0, 20, 21, 50]).numpy())
    assert texts(drawn).count("filler: the span exceeds 4") == filled == 4 + 7


def test_the_codebook_of_the_paper_has_its_codes_and_its_numbers_after_a_step():
    drawn = cells(picture("codebook").draw())
    assert drawn[16:32] == list("3021110303103122")
    assert drawn[32:36] == ["2.00", "1.50", "0.00", "-1.00"]
    assert drawn[52:56] == ["0.04", "0.02", "0.04", "-0.03"]
    assert drawn[56:] == ["1.96", "1.48", "-0.04", "-0.97"]
    assert any("3.2× less" in text for text in texts(picture("codebook").draw()))


@pytest.mark.parametrize(
    ("kind", "asked", "said"),
    [
        ("shuffle", {"groups": 5}, "groups of equal size"),
        ("shuffle", {"channels": 10**9, "groups": 1}, "up to 64 channels"),
        ("gaps", {"positions": [4, 1]}, "positions rise"),
        ("gaps", {"positions": [10**12]}, "the first 64 positions"),
        ("gaps", {"positions": [0.5]}, "whole numbers"),
        ("gaps", {"positions": [1, 2], "values": [1.0]}, "one value for each position"),
        ("gaps", {"positions": [1], "bits": 40}, "0 to 8 bits"),
        ("codebook", {"weights": [[1.0, 2.0], [3.0]]}, "rows of the same length"),
        ("codebook", {"weights": [[float("nan")]]}, "finite numbers"),
        ("codebook", {"weights": [[1.0]], "gradient": [[1.0, 2.0]]}, "another shape"),
        ("codebook", {"bits": 9}, "1 to 4 bits"),
    ],
)
def test_what_cannot_be_drawn_is_refused(kind, asked, said):
    with pytest.raises(ArchspecError, match=said):
        picture(kind).draw(**asked)
