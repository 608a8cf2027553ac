"""Documents changed at random are refused by errors of ours or go all the way, in bounded time and memory.

CI runs a sample; `pytest tests/hostile/test_fuzz.py --long` runs 20,000 specifications and 10,000 plans, recipes and
files of figures each, in about two hours of processor time. `fuzz.py` says what is done with a mutant.
"""

import json
import subprocess
import sys
from pathlib import Path

import mutants
import pytest

pytestmark = pytest.mark.no_cover  # a process of its own, under limits

FUZZ = Path(__file__).with_name("fuzz.py")
LAST = {"specs": "written", "plans": "written", "recipes": "used", "figures": "written"}
"""The last stage of each kind."""
SHORT = {"specs": 24, "plans": 40, "recipes": 100, "figures": 40}
LONG = {"specs": 20_000, "plans": 10_000, "recipes": 10_000, "figures": 10_000}
SHARE = {"specs": 0.3, "plans": 0.2, "recipes": 0.3, "figures": 0.3}
"""Of many mutants, how many go all the way at least."""


@pytest.mark.parametrize("kind", LAST)
def test_a_mutant_is_refused_or_goes_all_the_way(kind, request):
    long = request.config.option.long
    number = (LONG if long else SHORT)[kind]
    command = [sys.executable, str(FUZZ), kind, "0", str(number)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    print(run.stdout, run.stderr)  # what `-rA` shows of a long run: mutants, stages, slowest, largest
    found = json.loads(run.stdout)
    assert found["faults"] == {}
    assert run.returncode == 0
    assert found["stages"][LAST[kind]] >= (SHARE[kind] * number if long else 1)
    assert found["refused"]["read"] >= (0.1 * number if long else 1)


@pytest.mark.parametrize("kind", LAST)
def test_a_mutant_is_known_by_its_number(kind):
    assert mutants.mutant(kind, 1) == mutants.mutant(kind, 1)
    assert len({mutants.mutant(kind, number) for number in range(40)}) > 30
