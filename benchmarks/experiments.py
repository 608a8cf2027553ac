"""The trainings behind docs/results: run one after another, and gathered into a table of all.

    python -m benchmarks.experiments run distillation --mnist data/mnist --out runs
    python -m benchmarks.experiments run pruned5-0-12x --mnist data/mnist --out runs --until 20:45
    python -m benchmarks.experiments table --out runs > runs.csv
    python -m benchmarks.experiments epochs distillation --out runs > epochs.csv

What is to be run are groups and runs of experiments.yaml, with what they begin from. What is finished is not run again,
and what was interrupted goes on. Two of these commands may work in one folder: each takes what the other has not begun.
A training is `archspec …` in a process of its own, so that the seconds of the processor are its own.
"""

import argparse
import csv
import fcntl
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

LIST = Path(__file__).with_suffix(".yaml")
SPECS = Path(__file__).with_name("specs")
SEVERAL = ("ensemble", "specialists")
"""The verbs that make several runs, and print what these come to."""
SEEDS = "012"
SAID = {"mnist": "mnist:data/mnist", "cifar10": "cifar10:data/cifar10", "specs": "benchmarks/specs"}
COLUMNS = (
    *("run", "network", "method", "plan", "seed", "start", "epochs_done", "epochs", "lr", "batch", "precision"),
    *("temperature", "hard", "chosen_epoch", "validation_errors", "validation_images", "test_errors", "test_loss"),
    *("weights_kept", "packed_bytes", "processor", "processor_seconds", "command"),
)
EPOCHS = ("run", "group", "kind", "seed", "epoch", "lr", "loss", "learned", "validation_loss", "validation_error")


def experiments() -> dict[str, dict[str, str]]:
    """The commands by group and by run; of each seed its own.

    >>> experiments()["distillation"]["alone-1"]
    'train mnist_800 --data {mnist} --epochs 60 --seed 1'
    """
    found: dict[str, dict[str, str]] = {}
    for group, runs in YAML(typ="safe").load(LIST).items():
        found[group] = {}
        for seed in SEEDS:  # all that one seed needs, then the next
            for name, command in runs.items():
                found[group].setdefault(name.replace("*", seed), command.replace("*", seed))
    return found


def needed(wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The runs of some groups and names, each after those that it begins from.

    >>> [name for name, _ in needed(["shared5-1-12x"])]
    ['dense5-1', 'pruned5-1-12x', 'shared5-1-12x']
    """
    groups = experiments()
    commands = {name: command for runs in groups.values() for name, command in runs.items()}
    told: set[str] = set()

    def each(name: str) -> Iterator[tuple[str, str]]:
        if name in told:
            return
        told.add(name)
        for other in begun_with(commands[name]):
            if other in commands:
                yield from each(other)
        yield name, commands[name]

    for group in wanted:
        if group not in groups and group not in commands:
            sys.exit(f"there is no {group}; groups: {', '.join(groups)}; a run: {next(iter(commands))}")
        for name in groups.get(group, [group]):
            yield from each(name)


def begun_with(command: str) -> dict[str, None]:
    """The words of a command that may be runs, in their order; of a run's member the run.

    >>> list(begun_with("distil mnist_800 --from ensemble-00/3"))
    ['distil', 'mnist_800', '--from', 'ensemble-00']
    """
    return dict.fromkeys(word.partition("/")[0] for word in command.split())


def several(command: str) -> bool:
    """Whether it makes several runs."""
    return command.startswith(SEVERAL)


def finished(folder: Path, command: str) -> bool:
    """Whether a run is over: its test images were seen, and what was to be packed is packed."""
    if several(command):
        return folder.with_suffix(".json").is_file()
    state = folder / "last" / "state.json"
    if not state.is_file() or not json.loads(state.read_text(encoding="utf-8")).get("tested"):
        return False
    return not command.startswith("compress") or (folder / "packed.safetensors").is_file()


def work(runs: Sequence[tuple[str, str]], given: argparse.Namespace) -> None:
    """Run what is not finished, each when those that it begins from are there."""
    commands, failed, begun = dict(runs), set[str](), time.time()
    while given.until is None or datetime.now() < given.until:
        left = [name for name in commands if not finished(given.out / name, commands[name])]
        failed |= {name for name in left if marked(given.out, name, begun)}
        lost = {name for name in left if name in failed or failed & {*begun_with(commands[name])}}
        failed |= lost
        if len(lost) == len(left):
            return
        for name in left:
            if name not in lost and not {*begun_with(commands[name])} & {*left}:
                with claimed(given.out / f"{name}.lock") as ours:
                    if ours and not finished(given.out / name, commands[name]):
                        run(name, commands[name], given)
                        if not finished(given.out / name, commands[name]):
                            (given.out / f"{name}.failed").touch()
                        break
        else:
            time.sleep(2)  # the other one trains what comes first


def marked(out: Path, name: str, begun: float) -> bool:
    """Whether a run has failed since then, in another of these commands too: nobody tries it again."""
    try:
        return (out / f"{name}.failed").stat().st_mtime >= begun
    except FileNotFoundError:
        return False


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Whether a run is ours as long as this lasts."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def run(name: str, command: str, given: argparse.Namespace) -> None:
    """Train, or go on; note the processor's seconds."""
    data = {"mnist": f"mnist:{given.mnist.resolve()}", "cifar10": f"cifar10:{given.cifar10.resolve()}"}
    words = [*shlex.split(command.format(**data, specs=SPECS)), "--out", name]
    if several(command):
        words += ["--format", "json"]
    elif (given.out / name / "last" / "state.json").is_file():
        verb = ["compress", "train"] if command.startswith("compress") else ["train"]
        words = [*verb, "--resume", name]
    print(f"{datetime.now():%H:%M:%S} {name}", flush=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    printed = given.out / f"{name}.printed"
    with (given.out / f"{name}.log").open("a") as log, printed.open("w") as output:
        archspec = [sys.executable, "-m", "archspec", *words]
        process = subprocess.Popen(archspec, cwd=given.out, stdout=output, stderr=log)
        try:
            left = None if given.until is None else (given.until - datetime.now()).total_seconds()
            process.wait(left)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)  # everything is saved
            process.wait()
        except KeyboardInterrupt:  # the training has heard it, too
            process.wait()
            raise
    if several(command) and process.returncode == 0:
        printed.replace(given.out / f"{name}.json")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with (given.out / "seconds.csv").open("a", encoding="utf-8") as file:
        file.write(f"{name},{spent:.0f}\n")
    if process.returncode not in (0, -signal.SIGTERM, 128 + signal.SIGTERM, 128 + signal.SIGINT):
        print(f"{name}: exit code {process.returncode}; see {given.out / name}.log", flush=True)


def row(name: str, command: str, out: Path) -> dict[str, Any]:
    """A finished run as a row of the table."""
    record = json.loads((out / name / "run.json").read_text(encoding="utf-8"))
    state = json.loads((out / name / "last" / "state.json").read_text(encoding="utf-8"))
    recipe = record["recipe"]
    epochs = state["epochs"]
    best = min((each for each in epochs if each.get("counts", True)), key=lambda each: wrong(each["validation"]))
    method = next((key for key in ("distil", "prune", "share", "quantise", "one_bit") if in_any(recipe, key)), "")
    keys = in_any(recipe, method) or {}
    packed = out / name / "packed.safetensors"
    spent = out / "seconds.csv"
    each = re.findall(rf"^{re.escape(name)},(\d+)$", spent.read_text(encoding="utf-8"), re.M) if spent.is_file() else []
    return {
        "run": name,
        "network": record["spec"]["name"],
        "method": method or "dense",
        "plan": keys.get("plan", ""),
        "seed": recipe["seed"],
        "start": Path(recipe["start"] or "").name or ", ".join(Path(run).name for run in keys.get("teachers", ())),
        "epochs_done": len(epochs),
        "epochs": sum(stage.get("epochs", recipe["epochs"]) for stage in recipe.get("stages") or [{}]),
        **{key: recipe[key] for key in ("lr", "batch", "precision")},
        **{key: keys.get(key, "") for key in ("temperature", "hard")},
        "chosen_epoch": best["epoch"],
        "validation_errors": wrong(best["validation"]),
        "validation_images": best["validation"]["images"],
        "test_errors": wrong(state["tested"]),
        "test_loss": f"{state['tested']['loss']:.5f}",
        "weights_kept": kept(out / name / "log.jsonl"),
        "packed_bytes": packed.stat().st_size if packed.is_file() else "",
        "processor": record["place"]["processor"],
        "processor_seconds": sum(map(int, each)) or "",
        "command": f"archspec {command.format(**SAID)} --out {name.partition('/')[0]}",
    }


def parts(name: str, command: str, out: Path) -> list[tuple[str, str]]:
    """The runs that a command makes: itself, or those of an ensemble or of specialists."""
    if not several(command):
        return [(name, command)]
    return [(f"{name}/{file.parent.name}", command) for file in sorted((out / name).glob("*/run.json"))]


def epochs(name: str, out: Path) -> Iterator[dict[str, Any]]:
    """The epochs of a finished run; its kind is distilled, a member of an ensemble, or alone."""
    recipe = json.loads((out / name / "run.json").read_text(encoding="utf-8"))["recipe"]
    kind = "distilled" if in_any(recipe, "distil") else "member" if "/" in name else "alone"
    with (out / name / "epochs.csv").open(encoding="utf-8", newline="") as file:
        for epoch in csv.DictReader(file):
            yield {
                "run": name,
                "group": name.partition("/")[0],
                "kind": kind,
                "seed": recipe["seed"],
                **{key: f"{float(epoch[key]):.5g}" for key in EPOCHS[4:]},
            }


def in_any(recipe: dict[str, Any], key: str) -> dict[str, Any] | None:
    """The keys of a method, of the recipe or of one of its stages."""
    return recipe.get(key) or next((stage[key] for stage in recipe.get("stages") or () if stage.get(key)), None)


def wrong(score: dict[str, Any]) -> int:
    """The errors of a score."""
    return int(score["images"]) - int(score["right"])


def kept(log: Path) -> int | str:
    """How many weights pruning has left, as the log of a run says; nothing, where nothing was pruned."""
    said = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if '"prune"' in line]
    return sum(left for left, _ in said[-1]["prune"]["weights"].values()) if said else ""


def clock(text: str) -> datetime:
    """The next time that a clock shows so."""
    now = datetime.now()
    shape = "%H:%M:%S" if text.count(":") == 2 else "%H:%M"
    then = datetime.strptime(text, shape).replace(year=now.year, month=now.month, day=now.day)
    return then if then > now else then + timedelta(days=1)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experiments")
    parser.add_argument("what", choices=["run", "table", "epochs"])
    parser.add_argument("names", nargs="*", help="groups and runs of experiments.yaml; all, if none is given")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--mnist", type=Path, default=Path("data/mnist"))
    parser.add_argument("--cifar10", type=Path, default=Path("data/cifar10"))
    parser.add_argument("--until", type=clock, help="stop then, to go on another time: 20:45")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    runs = list(needed(given.names or list(experiments())))
    if given.what == "run":
        work(runs, given)
        return
    names = [each for run in runs if finished(given.out / run[0], run[1]) for each in parts(*run, given.out)]
    columns: tuple[str, ...] = COLUMNS
    rows: Iterator[dict[str, Any]] = (row(name, command, given.out) for name, command in names)
    if given.what == "epochs":
        columns, rows = EPOCHS, (epoch for name, _ in names for epoch in epochs(name, given.out))
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
