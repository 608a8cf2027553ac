"""The measured results as the documents print them."""

import csv
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from archspec.compress.plan import plans
from archspec.language import zoo
from archspec.train import recipe
from benchmarks.experiments import SPECS, experiments, needed

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


def table(page, heading):
    """The rows of the first table of a page whose header begins so."""
    lines = page[page.index(f"| {heading}") :].splitlines()
    rows = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def measured():
    with (RESULTS / "runs.csv").open(encoding="utf-8") as file:
        return {row["run"]: row for row in csv.DictReader(file)}


def error(run):
    """The test error of a run in per cent, as pages print it."""
    return f"{int(run['test_errors']) / 100:.2f}"


def of_a_pruning(run, weights):
    """The cells of a pruned network: its error, what it has left, how many times fewer."""
    return [error(run), f"{int(run['weights_kept']):,}", f"{weights / int(run['weights_kept']):.2f}×"]


def of_a_file(run, params):
    """The cells of a packed run: its error, its bytes, how much smaller than float32; nothing, where it was not run."""
    if run is None:
        return ["not run", "", ""]
    return [error(run), f"{int(run['packed_bytes']):,}", f"{4 * params / int(run['packed_bytes']):.2f}×"]


PRUNED = {"300": ("lenet_300_100", "plain300", 266_200), "5": ("lenet_5_12x", "dense5", 430_500)}


@pytest.mark.parametrize("kind", PRUNED)
def test_the_printed_results_of_pruning_are_those_of_the_runs(kind):
    runs, (plan, dense, weights) = measured(), PRUNED[kind]
    rows = table((RESULTS / "pruning.md").read_text(encoding="utf-8"), f"seed | whole | `{plan}`: error")
    for seed, whole, *cells in rows:
        assert whole == error(runs[f"{dense}-{seed}"])
        told = [runs[f"pruned{kind}-{seed}-{times}"] for times in ("12x", "20x", "40x")]
        assert cells == [cell for run in told for cell in of_a_pruning(run, weights)]
    assert len(rows) == 3


def test_the_printed_results_of_changed_digits_are_those_of_the_runs():
    runs = measured()
    rows = table((RESULTS / "pruning.md").read_text(encoding="utf-8"), "seed | whole | pruned, 12×")
    assert rows == [[s, error(runs[f"dense300-{s}"]), error(runs[f"changed300-{s}-12x"])] for s in "012"]


FILES = {
    "`lenet_300_100` (6 bits)": ("plain300-{}", ("shared300-{}-paper", "shared300-{}-12x"), 266_610),
    "`lenet_300_100_20x`": ("plain300-{}", ("shared300-{}-20x", "shared300-{}-40x"), 266_610),
    "`lenet_5`": ("dense5-{}", ("shared5-{}-paper", "shared5-{}-12x"), 431_080),
    "`lenet_5_20x`": ("dense5-{}", ("shared5-{}-20x", "shared5-{}-40x"), 431_080),
    "`int8`": ("plain300-{}", ("int8-300-{}", "int4-300-{}"), 266_610),
}


@pytest.mark.parametrize("plan", FILES)
def test_the_printed_files_are_those_of_the_runs(plan):
    runs, (dense, packed, params) = measured(), FILES[plan]
    rows = table((RESULTS / "deep_compression.md").read_text(encoding="utf-8"), f"seed | whole | {plan}: error")
    for seed, whole, *cells in rows:
        assert whole == error(runs[dense.format(seed)])
        told = [runs.get(name.format(seed)) for name in packed]
        assert cells == [cell for run in told for cell in of_a_file(run, params)]
    assert len(rows) == 3


def test_the_printed_results_of_one_bit_are_those_of_the_runs():
    runs = measured()
    rows = table((RESULTS / "one_bit.md").read_text(encoding="utf-8"), "| seeds 0, 1, 2 | median | parameters")
    kinds = ("dense5", "bwn5", "xnor5", "cifar", "bwn-cifar", "xnor-cifar")
    for kind, (_, errors, middle, dense, size, ratio) in zip(kinds, rows, strict=True):
        found = [runs[f"{kind}-{seed}"] for seed in "012"]
        assert errors == ", ".join(map(error, found))
        assert middle.strip("*") == f"{median(int(run['test_errors']) for run in found) / 100:.2f}"
        if size:
            whole, packed = (int(cell.removesuffix(" B").replace(",", "")) for cell in (dense, size))
            assert ratio == f"{whole / packed:.1f}×"


STUDENTS = {
    "teacher, 1200 units, shifts": ["teacher"],
    "teacher, 1200 units, shifts and maps": ["teacher-maps"],
    "800 units, alone": [f"alone-{seed}" for seed in "012"],
    "800 units, distilled from shifts and maps": [f"T20-05-{seed}" for seed in "012"],
    "800 units, distilled from shifts": [f"paper-T20-05-{seed}" for seed in "012"],
}


CHANGED = {
    ("teacher, 1200 units, changed digits", "200"): ["teacher-maps-1"],
    ("distilled, digits as they are", "60"): [f"same-T20-05-{seed}" for seed in "012"],
    ("alone, changed digits", "60"): [f"changed-alone-{seed}" for seed in "012"],
    ("distilled, changed digits", "60"): [f"changed-T20-05-{seed}" for seed in "012"],
    ("distilled at T 4, hard 0.1, changed digits", "60"): [f"changed-T4-01-{seed}" for seed in "012"],
    ("alone, changed digits", "200"): [f"long-alone-{seed}" for seed in "012"],
    ("distilled, changed digits", "200"): [f"long-T20-05-{seed}" for seed in "012"],
}


@pytest.mark.parametrize(
    ("heading", "students"),
    [("test errors of 10,000 | the paper", STUDENTS), ("of 10,000 test errors | epochs", CHANGED)],
    ids=["the table of the paper", "changed digits"],
)
def test_the_printed_errors_of_distillation_are_those_of_the_runs(heading, students):
    runs, page = measured(), (RESULTS / "distillation.md").read_text(encoding="utf-8")
    rows = table(page, heading)
    assert [tuple(row[:2]) if students is CHANGED else row[0] for row in rows] == list(students)
    for (what, second, errors, middle, held), names in zip(rows, students.values(), strict=True):
        found = [runs[name] for name in names]
        assert students is STUDENTS or {run["epochs"] for run in found} == {second}, what
        assert errors == ", ".join(run["test_errors"] for run in found)
        assert held == ", ".join(run["validation_errors"] for run in found)
        assert middle in ("", f"**{median(int(run['test_errors']) for run in found):.0f}**")


def test_the_printed_values_that_were_tried_are_those_of_the_runs():
    runs, page = measured(), (RESULTS / "distillation.md").read_text(encoding="utf-8")
    tried = defaultdict(list)
    for run in runs.values():
        if run["method"] == "distil" and run["start"] == "teacher-maps" and run["epochs"] == "60":
            tried[tuple(f"{float(run[key]):g}" for key in ("temperature", "hard", "lr"))].append(run)
    for *values, held, errors in table(page, "temperature | hard share | rate"):
        found = tried.pop(tuple(values), [])
        assert [each for each in held.split(", ") if each != "diverged"] == [run["validation_errors"] for run in found]
        assert errors == ", ".join(run["test_errors"] for run in found)
    assert not tried


def test_no_run_saw_the_test_images_before_its_end():
    assert all(row["chosen_epoch"] and row["epochs_done"] == row["epochs"] for row in measured().values())


def test_each_experiment_names_what_there_is_and_runs_after_what_it_begins_from():
    told = dict(needed(list(experiments())))
    order = list(told)
    assert len(order) == sum(len(runs) for runs in experiments().values())
    for name, command in told.items():
        words = command.format(mnist="", cifar10="", specs=SPECS).split()
        spec = words[2 if words[0] in ("compress", "specialists") else 1]
        assert spec in zoo.names() or Path(spec).is_file() or order.index(spec) < order.index(name), command
        for key, known in (("--plan", plans()), ("--recipe", recipe.names())):
            for value in [word for before, word in pairwise(words) if before == key]:
                assert value in known or Path(value).is_file(), command
        assert words[-2:-1] == ["--seed"], command
