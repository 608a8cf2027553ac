"""The pictures of docs/methods: each is what the command above it draws, from the results or from curves of the code.

`UPDATE_DOCS=1 pytest tests/docs/test_chapters.py` writes the curves and draws the pictures anew.
"""

import csv
import io
import os
import re
import shlex
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from archspec import load
from archspec.cli import app
from archspec.compress import plan as plans
from archspec.compress.codecs.linear import LinearQuantisation
from archspec.runtime.binary import sign
from archspec.train.methods import Prune
from archspec.train.methods.planned import entries
from archspec.train.specialists import Opinion, combined

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures" / "methods"
CHAPTERS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "methods").glob("*.md"))}
COMMAND = r"^    archspec (plot .*) -o docs/pictures/methods/(\S+)$"
COMMANDS = [found for text in CHAPTERS.values() for found in re.findall(COMMAND, text, re.MULTILINE)]
UPDATE = os.environ.get("UPDATE_DOCS") == "1"


def density():
    """What is left of LeNet-300-100 while it is pruned by its plans, as the recipe prune_lenet_300_100 has it."""
    yield "plan", "step", "weights_percent"
    arch = load("lenet_300_100")
    sizes = {name: array.numel() for name, array in arch.to_torch().named_parameters() if array.ndim > 1}
    for plan in ("lenet_300_100", "lenet_300_100_20x", "lenet_300_100_40x"):
        final = {
            name: float(entry.density) for name, entry in entries(plans.load(plan), arch.expand(), "prune").items()
        }
        keys = Prune(plan=plan, steps=8000)
        for step in range(0, 12001, 400):
            left = sum(size * keys.density(final[name], step) for name, size in sizes.items())
            yield plan, step, f"{100 * left / sum(sizes.values()):.3f}"


def signs():
    """The sign of a weight, and the gradient that is handed through it."""
    yield "weight", "kind", "value"
    weight = torch.arange(-150, 151, 5).div(100).requires_grad_()
    found = sign(weight)
    found.sum().backward()
    for kind, values in (("sign", found), ("gradient", weight.grad)):
        for x, y in zip(weight.tolist(), values.tolist(), strict=True):
            yield f"{x:.2f}", kind, f"{y:g}"


def levels():
    """Weights between -1 and 1 of one channel, and what they are by levels of 4 and 3 bits."""
    yield "weight", "bits", "level"
    weight = np.arange(-40, 41, dtype=np.float32) / 40
    for bits in (4, 3):
        rule = LinearQuantisation(bits)
        found = rule.numbers(rule.quantised(weight, None, 1, len(weight)), None, len(weight))
        for x, y in zip(weight.tolist(), found.tolist(), strict=True):
            yield f"{x:.3f}", bits, f"{y:.4f}"


def specialist():
    """What a generalist that says 0.4, 0.4 and 0.2 and a specialist for the first two classes say together."""
    yield "specialist_of_the_first", "class", "together"
    share = torch.arange(0, 91, 5).div(100)
    told = torch.tensor([[0.4, 0.4, 0.2]]).expand(len(share), 3)
    own = torch.stack([share, 0.9 - share, torch.full_like(share, 0.1)], 1)
    found = combined(told, [Opinion((0, 1), own, torch.ones(len(share), dtype=torch.bool))])
    for x, row in zip(share.tolist(), found.tolist(), strict=True):
        for name, y in zip(("first", "second", "third"), row, strict=True):
            yield f"{x:.2f}", name, f"{y:.4f}"


CURVES = {"density.csv": density, "signs.csv": signs, "levels.csv": levels, "specialist.csv": specialist}


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_is_what_the_code_does(name):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(CURVES[name]())
    if UPDATE:
        (PICTURES / name).write_text(text.getvalue(), encoding="utf-8")
    assert (PICTURES / name).read_text(encoding="utf-8") == text.getvalue()


def test_every_chapter_has_a_picture_and_every_picture_a_command():
    shown = {name: re.findall(r"\(\.\./pictures/methods/(\S+?)\)", text) for name, text in CHAPTERS.items()}
    assert all(shown.values()), shown
    drawn = [name for _, name in COMMANDS]
    assert sorted(drawn) == sorted(name for names in shown.values() for name in names)
    assert {path.name for path in PICTURES.iterdir()} == {*drawn, *CURVES}


def structure(svg):
    """What is in a picture: how many elements of each kind, and all of its words."""
    tree = ElementTree.fromstring(svg)  # noqa: S314  # our own
    tags = Counter(element.tag.rpartition("}")[2] for element in tree.iter())
    return tags, [element.text for element in tree.iter() if element.text and element.text.strip()]


@pytest.mark.no_cover
@pytest.mark.parametrize(("arguments", "name"), COMMANDS, ids=[name for _, name in COMMANDS])
def test_a_picture_is_what_its_command_draws(arguments, name, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    kept = PICTURES / name
    target = kept if UPDATE else tmp_path / name
    done = CliRunner().invoke(app, [*shlex.split(arguments), "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert structure(target.read_text(encoding="utf-8")) == structure(kept.read_text(encoding="utf-8"))
