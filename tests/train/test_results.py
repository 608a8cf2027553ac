"""The measured results as the documents print them."""

import csv
import re
from collections import defaultdict
from pathlib import Path
from statistics import median

from archspec.compress.plan import plans
from archspec.language import zoo
from archspec.train import recipe
from benchmarks.experiments import experiments, needed

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


def compression_runs():
    with (RESULTS / "compression_training.csv").open(encoding="utf-8") as file:
        return {row["run"]: row for row in csv.DictReader(file)}


def test_the_printed_results_of_pruning_are_those_of_the_runs():
    runs = compression_runs()
    page = (RESULTS / "pruning.md").read_text(encoding="utf-8")
    plans = re.findall(r"`lenet_300_100(?:_(\w+))?`: error", page)
    for seed, whole, *cells in table(page, "seed | whole | `lenet_300_100`"):
        assert whole == runs[f"plain300-{seed}"]["test_error_percent"]
        for number, plan in enumerate(plans):
            error, kept, ratio = cells[3 * number : 3 * number + 3]
            run = runs.get(f"pruned300-{seed}-{plan or '12x'}")
            if run is None:
                assert (error, kept, ratio) == ("not run", "", "")
                continue
            assert (error, kept.replace(",", "")) == (run["test_error_percent"], run["weights_kept"])
            assert ratio == f"{266_200 / int(run['weights_kept']):.2f}×"
    for seed, whole, pruned in table(page, "seed | whole | pruned, 12.3×"):
        assert whole == runs[f"dense300-{seed}"]["test_error_percent"]
        assert pruned.startswith("not run") or pruned == runs[f"prune12-{seed}"]["test_error_percent"]


def test_the_printed_files_are_those_of_the_runs():
    runs = compression_runs()
    page = (RESULTS / "deep_compression.md").read_text(encoding="utf-8")
    for seed, whole, pruned, *cells in table(page, "seed | whole | pruned |"):
        assert whole == runs[f"plain300-{seed}"]["test_error_percent"]
        assert pruned in ("not run", runs.get(f"pruned300-{seed}-12x", {}).get("test_error_percent"))
        for kind, (error, size, ratio) in (("paper", cells[:3]), ("12x", cells[3:])):
            run = runs.get(f"shared300-{seed}-{kind}")
            if run is None:
                assert (error, size, ratio) == ("not run", "", "")
                continue
            assert (error, size.replace(",", "")) == (run["test_error_percent"], run["packed_bytes"])
            assert ratio == f"{4 * 266_610 / int(run['packed_bytes']):.2f}×"


def of_a_file(run, dense_bytes):
    """The cells of a packed run: its error, its bytes, how much smaller."""
    if run is None:
        return ["not run", "", ""]
    return [
        run["test_error_percent"],
        f"{int(run['packed_bytes']):,}",
        f"{dense_bytes / int(run['packed_bytes']):.2f}×",
    ]


def test_the_printed_files_of_further_plans_are_those_of_the_runs():
    runs = compression_runs()
    page = (RESULTS / "deep_compression.md").read_text(encoding="utf-8")
    further = table(page, "seed | whole | `lenet_300_100_20x`")
    for seed, whole, *cells in further:
        assert whole == runs[f"plain300-{seed}"]["test_error_percent"]
        kinds = [runs.get(f"shared300-{seed}-{kind}") for kind in ("20x", "40x")]
        assert cells == [cell for run in kinds for cell in of_a_file(run, 4 * 266_610)]
    levels = table(page, "seed | whole | `int8`")
    for seed, whole, *cells in levels:
        assert whole == runs[f"plain300-{seed}"]["test_error_percent"]
        kinds = [runs.get(f"{kind}-300-{seed}") for kind in ("int8", "int4")]
        assert cells == [cell for run in kinds for cell in of_a_file(run, 4 * 266_610)]
    assert len(further) == len(levels) == 3


def test_the_printed_results_of_lenet_5_are_those_of_the_runs():
    runs = compression_runs()
    rows = table((RESULTS / "pruning.md").read_text(encoding="utf-8"), "seed | whole | pruned: error")
    for seed, whole, error, kept, ratio, *cells in rows:
        dense, pruned = runs.get(f"dense5-{seed}"), runs.get(f"pruned5-{seed}-12x")
        assert whole == (dense["test_error_percent"] if dense else "not run")
        if pruned is None:
            assert (error, kept, ratio) == ("not run", "", "")
        else:
            assert (error, kept.replace(",", "")) == (pruned["test_error_percent"], pruned["weights_kept"])
            assert ratio == f"{430_500 / int(pruned['weights_kept']):.2f}×"
        assert cells == of_a_file(runs.get(f"shared5-{seed}-12x"), 4 * 431_080)
    assert len(rows) == 3


def test_the_printed_errors_of_distillation_are_those_of_the_runs():
    with (RESULTS / "distillation.csv").open(encoding="utf-8") as file:
        runs = {row["run"]: row for row in csv.DictReader(file) if row["experiment"] == "paper-size"}
    rows = table((RESULTS / "distillation.md").read_text(encoding="utf-8"), "test errors of 10,000 | the paper")
    kinds = {"teacher, 1200 units": "teacher", "800 units, alone": "alone-{}", "800 units, distilled": "distilled-{}"}
    for what, _, errors, middle, held in rows:
        kind = kinds.get(what) or ("long-distilled-{}" if what.startswith("distilled") else "long-alone-{}")
        names = dict.fromkeys(kind.format(seed) for seed in range(3))
        found = [runs[name] for name in names if name in runs]
        assert errors == ", ".join(run["test_errors"] for run in found)
        assert held == ", ".join(run["validation_errors"] for run in found)
        assert middle in ("", f"**{median(int(run['test_errors']) for run in found):.0f}**")
    assert len(rows) >= len(kinds)


def test_no_run_saw_the_test_digits_before_its_end():
    assert all(row["chosen_epoch"] and row["epochs_done"] == row["epochs"] for row in compression_runs().values())


def test_each_experiment_names_what_there_is_and_runs_after_what_it_begins_from():
    told = dict(needed(list(experiments())))
    order = list(told)
    assert len(order) == sum(len(runs) for runs in experiments().values())
    for name, command in told.items():
        words = command.split()
        spec = words[2 if words[0] == "compress" else 1]
        assert spec in zoo.names() or order.index(spec) < order.index(name), command
        for key, known in (("--plan", plans()), ("--recipe", recipe.names())):
            assert key not in words or words[words.index(key) + 1] in known, command
        assert words[-2:-1] == ["--seed"], command
