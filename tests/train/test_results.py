"""The measured results as the documents print them."""

import csv
import re
from collections import defaultdict
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "docs" / "results"


def test_the_printed_errors_are_those_of_the_logs_and_at_most_the_reference():
    runs = defaultdict(list)
    with (RESULTS / "mnist.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            runs[row["network"], row["seed"]].append(row["test_error_percent"])
    page = (RESULTS / "mnist.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| \S+ \| (\d) \| (\d+) \| \*\*(\S+)\*\* \| (\S+) \| \S+ \| (\S+) \|", page, re.M)
    printed = {(name, seed): (int(epochs), last, lowest) for name, seed, epochs, last, lowest, _ in rows}
    assert printed == {run: (len(errors), errors[-1], min(errors)) for run, errors in runs.items()}
    assert {name for name, *_ in rows} == {"lenet_300_100", "lenet_5"}
    assert all(float(last) <= float(reference) for *_, last, _, reference in rows)
