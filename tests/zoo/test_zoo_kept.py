"""Files that say `archspec: 1` count the same after every later change: the zoo of 0.1.0, copied, and its figures.

Neither the copies nor the figures are ever written anew; networks that are added later are held by `tests/golden`.
"""

import json
from pathlib import Path

import pytest

import archspec

KEPT = Path(__file__).parent / "kept"
FIGURES = json.loads((KEPT / "figures.json").read_text(encoding="utf-8"))
QUANTITIES = ("params", "buffers", "macs", "flops", "activations", "weight_bytes", "memory_liveness", "traffic")


def figures(name):
    """What a file counts to; a name that it extends is the copy beside it where that is not the zoo's."""
    table = archspec.load(KEPT / f"{name}.yaml").count()
    return {quantity: table.figure(quantity) for quantity in QUANTITIES}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_a_file_of_the_first_language_counts_as_it_did(name):
    assert figures(name) == FIGURES[name]


def test_every_file_that_was_kept_has_figures():
    assert sorted(FIGURES) == sorted(path.stem for path in KEPT.glob("*.yaml"))
    assert {"mobilenet", "mobilenet_v2", "squeezenet", "resnet50"} <= set(FIGURES)
