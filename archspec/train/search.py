"""A search with trainings inside: which variants of a network are worth their cost, by what they learn.

Every point is counted before it is trained, and what breaks a bound is not. Optuna's NSGA-II (Deb et al. 2002, A Fast
and Elitist Multiobjective Genetic Algorithm, IEEE Transactions on Evolutionary Computation 6) chooses the next by those
before; its storage, search.db, lies in the folder beside the trainings, each of which is a run of its own. So several
processes can work at one search, and the same call goes on with what was interrupted.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archspec.architecture import Architecture
from archspec.cost import USUAL, Counting, quantity
from archspec.dims import exact
from archspec.errors import ArchspecError, BindingError
from archspec.extras import LateModule, need
from archspec.files import locked
from archspec.language.rules import refuse_opaque
from archspec.result import Reported, short
from archspec.sweeps.budget import Budget
from archspec.sweeps.criteria import Objective, conditions, objectives
from archspec.sweeps.grid import values_of
from archspec.sweeps.rows import front, objects, ranked
from archspec.train.recipe import Recipe
from archspec.train.result import Options, Score, TrainingStoppedError, Watcher
from archspec.train.run import fit, went_on

if TYPE_CHECKING:
    import optuna
else:
    optuna = LateModule("optuna")

ERROR = "error"
"""The objective that a training gives: the percentage of images of which the network is wrong."""

STORAGE, NAME, QUESTION = "search.db", "search", "question"
TRIES = 50
"""How many points are looked at for each that is trained, at most."""
LARGEST_POPULATION = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A variant that was trained.

    Attributes:
        values: The values of the symbols.
        figures: What it costs, by quantity.
        error: The percentage of the images that it is judged by of which it is wrong: those for validation, if there
            are any, else those for the test.
        test: That of the test images; None where they are not looked at.
        folder: The folder of its run.
    """

    values: Mapping[str, Any]
    figures: Mapping[str, Any]
    error: Fraction
    test: Fraction | None
    folder: Path

    def of(self, name: str) -> Any:
        """What it has of an objective."""
        return self.error if name == ERROR else self.figures[name]


@dataclass(frozen=True, slots=True)
class Search(Reported):
    """What a search has found so far.

    Attributes:
        spec: The specification's name.
        data: What the data are called.
        out: The folder.
        objectives: What is to be little, or much.
        conditions: The bounds that were to be kept.
        counting: How was counted.
        candidates: The variants that were trained, in the order of the trials.
        front: Those of them that no other outdoes in all objectives.
        points: How many variants there are in all.
        refused: Why variants were not trained: for a bound, because they cannot be built, or for the data.
        failed: Why trainings stopped that could not go on.
        signal: The number of the signal that interrupted it; None if it ran to its end.
    """

    spec: str
    data: str
    out: Path
    objectives: tuple[Objective, ...]
    conditions: tuple[Budget, ...]
    counting: Counting
    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    points: int
    refused: tuple[str, ...]
    failed: tuple[str, ...]
    signal: int | None = None

    def __repr__(self) -> str:
        return short(self, self.spec, self.data, f"{len(self.front)} of {len(self.candidates)} on the front")


def search(  # noqa: PLR0913  # each is something to choose
    arch: Architecture,
    values: Mapping[str, Any],
    source: str,
    recipe: Recipe,
    wanted: str | Iterable[str] = (ERROR, "macs"),
    trials: int = 20,
    *,
    out: str | os.PathLike[str],
    where: str | Iterable[str] | Mapping[str, Any] | None = None,
    bindings: Mapping[str, Any] | None = None,
    counting: Counting = USUAL,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Search:
    """Train variants of a network and keep those that are worth their cost.

    Args:
        arch: The network.
        values: The values of its symbols to choose from, as of `archspec.sweep`.
        source: What the data are called.
        recipe: How each is trained; its seed is the search's, too.
        wanted: The objectives, "error" among them, such as "error,macs" or "min:error,max:intensity".
        trials: How many are trained, those of earlier calls among them.
        out: The folder: search.db, and a run's folder for each variant.
        where: Bounds such as "params<=100k"; what breaks one is not trained.
        bindings: Values of other symbols.
        counting: How to count.
        options: How they are trained.
        watcher: Who is told how each training goes.

    Raises:
        ArchspecError: The folder holds another search; there is no objective that needs a training; the specification
            has opaque steps.
        BindingError: A symbol cannot have a value; there is one objective alone.

    >>> import archspec, tempfile
    >>> lenet = archspec.load("lenet_300_100")
    >>> found = search(
    ...     lenet, {"classes": [10, 12]}, "digits", Recipe(epochs=1), trials=2, out=tempfile.mkdtemp(),
    ...     bindings={"side": 8},
    ... )
    >>> 1 <= len(found.candidates) <= 2, found.front[0].values["classes"] in (10, 12)
    (True, True)
    """
    need("sweep", "optuna")
    refuse_opaque(arch.document)
    asked = objectives(wanted)
    if all(each.quantity != ERROR for each in asked):
        raise BindingError(
            f"nothing of {', '.join(map(str, asked))} needs a training; ask archspec sweep, or add error"
        )
    if trials < 1:
        raise BindingError(f"trials is a whole number from 1 (got {trials})")
    axes = {name: values_of(arch.document, name, given) for name, given in values.items()}
    bounds = conditions(where, planned=False)
    names = [each.quantity for each in asked if each.quantity != ERROR]
    quantities = tuple(dict.fromkeys((*names, *(bound.quantity for bound in bounds), "macs", "params")))
    for name in quantities:
        quantity(name)
    points = prod(map(len, axes.values()))
    nothing = Search(arch.name, source, Path(out), asked, bounds, counting, (), (), points, (), ())
    work = _Work(
        nothing, arch, axes, dict(bindings or {}), recipe, quantities, options or Options(), watcher or Watcher()
    )
    return work.search(trials)


@dataclass(frozen=True, slots=True)
class _Work:
    """What is searched, where nothing is found yet, and how."""

    asked: Search
    arch: Architecture
    axes: Mapping[str, tuple[Any, ...]]
    bindings: Mapping[str, Any]
    recipe: Recipe
    quantities: tuple[str, ...]
    options: Options
    watcher: Watcher

    def search(self, trials: int) -> Search:
        """Train so many variants, less those of earlier calls."""
        study = self.study(trials)
        signal = None
        for _ in range(TRIES * trials):
            done = len(self.trained(study)) + len(self.told(study, "failed"))
            if done >= trials or len(self.seen(study)) >= self.asked.points or signal is not None:
                break
            signal = self.step(study)
        found = self.trained(study)
        return replace(
            self.asked,
            candidates=found,
            front=self.front(found),
            refused=self.told(study, "refused"),
            failed=self.told(study, "failed"),
            signal=signal,
        )

    def study(self, trials: int) -> "optuna.Study":
        """Optuna's study in the folder, begun or gone on with.

        Raises:
            ArchspecError: The folder holds another search, or cannot be written.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self.asked.out.mkdir(parents=True, exist_ok=True)
            storage = optuna.storages.RDBStorage(f"sqlite:///{(self.asked.out / STORAGE).resolve()}")
            study = optuna.create_study(
                study_name=NAME,
                storage=storage,
                directions=["maximize" if each.largest else "minimize" for each in self.asked.objectives],
                load_if_exists=True,
            )
        except Exception as error:  # what SQLite, SQLAlchemy and alembic raise
            raise ArchspecError(f"{self.asked.out / STORAGE}: {str(error).splitlines()[0]}") from None
        if study.user_attrs.setdefault(QUESTION, self.question) != self.question:
            raise ArchspecError(f"{self.asked.out}: holds another search; name another folder")
        study.set_user_attr(QUESTION, self.question)
        population = min(max(trials // 4, 2), LARGEST_POPULATION)
        seed = self.recipe.seed + len(study.trials)
        study.sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=seed)
        return study

    @property
    def question(self) -> str:
        """What tells this search from others."""
        parts = {
            "spec": self.arch.dumps(),
            "axes": {name: list(map(str, values)) for name, values in self.axes.items()},
            "bindings": {name: str(value) for name, value in self.bindings.items()},
            "data": self.asked.data,
            "recipe": self.recipe.model_dump_json(),
            "objectives": list(map(str, self.asked.objectives)),
            "bounds": list(map(repr, self.asked.conditions)),
        }
        counting = self.asked.counting
        return json.dumps(parts if counting == USUAL else {**parts, "counting": repr(counting)})

    def step(self, study: "optuna.Study") -> int | None:
        """One trial: a point is chosen, counted, and trained if it is new and keeps the bounds; the signal, if any."""
        trial = study.ask()
        values = {name: every[trial.suggest_int(name, 0, len(every) - 1)] for name, every in self.axes.items()}
        folder = _folder(values)
        trial.set_user_attr("folder", folder)
        before = self.seen(study).get(folder)
        if before is not None:
            state = before.state
            study.tell(trial, before.values if state == optuna.trial.TrialState.COMPLETE else None, state=state)
            return None
        figures = self.figures(values)
        if isinstance(figures, str):
            self.drop(study, trial, "refused", figures)
            return None
        with _claimed(self.asked.out / f".{folder}.lock") as ours:
            if not ours:  # another process trains it
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
                return None
            return self.train(study, trial, values, figures)

    def train(
        self, study: "optuna.Study", trial: "optuna.Trial", values: Mapping[str, Any], figures: Mapping[str, Any]
    ) -> int | None:
        """Train a point and tell the study what came of it."""
        folder = self.asked.out / _folder(values)
        options = replace(self.options, resume=went_on(folder))
        bound = {**self.bindings, **values}
        try:
            result = fit(
                self.arch, self.asked.data, self.recipe, out=folder, bindings=bound, options=options,
                watcher=self.watcher,
            )  # fmt: skip
        except TrainingStoppedError as stop:
            self.drop(study, trial, "failed", str(stop))
            return None
        except ArchspecError as refusal:  # the data do not fit this variant
            self.drop(study, trial, "refused", str(refusal).splitlines()[0])
            return None
        if result.signal is not None:
            study.enqueue_trial(trial.params)
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            return result.signal
        judged = result.best.held if result.best.validation is not None else result.last.held
        error, test = _percent(judged), None if result.final is None else _percent(result.final)
        trial.set_user_attr("values", {name: str(value) for name, value in values.items()})
        trial.set_user_attr("figures", {name: str(value) for name, value in figures.items()})
        trial.set_user_attr("errors", [str(error), None if test is None else str(test)])
        found = Candidate(values, figures, error, test, folder)
        study.tell(trial, [float(found.of(each.quantity)) for each in self.asked.objectives])
        return None

    def drop(self, study: "optuna.Study", trial: "optuna.Trial", how: str, why: str) -> None:
        """Tell the study that a point was refused, or failed, and why."""
        trial.set_user_attr(how, f"{trial.user_attrs['folder']}: {why}")
        study.tell(trial, state=optuna.trial.TrialState.FAIL if how == "failed" else optuna.trial.TrialState.PRUNED)

    def figures(self, values: Mapping[str, Any]) -> Mapping[str, Any] | str:
        """What a point costs, exactly; or why it is not trained."""
        try:
            table = self.arch.count({**self.bindings, **values}, counting=self.asked.counting)
            figures = {name: table.figure(name) for name in self.quantities}
        except ArchspecError as error:
            return str(error).splitlines()[0]
        for bound in self.asked.conditions:
            if figures[bound.quantity] is None or bound.excess(figures[bound.quantity]):
                return f"{bound.quantity} is {figures[bound.quantity]}"
        if any(figures[each.quantity] is None for each in self.asked.objectives if each.quantity != ERROR):
            return "an objective is undefined"
        return figures

    def seen(self, study: "optuna.Study") -> dict[str, Any]:
        """The trials of each point that is decided, by its folder."""
        decided = [
            trial
            for trial in study.get_trials(deepcopy=False)
            if trial.state.is_finished() and {"errors", "refused", "failed"} & trial.user_attrs.keys()
        ]
        return {trial.user_attrs["folder"]: trial for trial in reversed(decided)}

    def trained(self, study: "optuna.Study") -> tuple[Candidate, ...]:
        """The points that were trained, each once."""
        trials = sorted(self.seen(study).values(), key=lambda trial: trial.number)
        return tuple(self.candidate(trial.user_attrs) for trial in trials if "errors" in trial.user_attrs)

    def told(self, study: "optuna.Study", what: str) -> tuple[str, ...]:
        """Why points were refused, or failed, each once."""
        return tuple(trial.user_attrs[what] for trial in self.seen(study).values() if what in trial.user_attrs)

    def candidate(self, told: Mapping[str, Any]) -> Candidate:
        """A point as a trial tells it."""
        values = {name: next(v for v in self.axes[name] if str(v) == text) for name, text in told["values"].items()}
        figures = {name: None if text == "None" else exact(Fraction(text)) for name, text in told["figures"].items()}
        error, test = told["errors"]
        found = None if test is None else Fraction(test)
        return Candidate(values, figures, Fraction(error), found, self.asked.out / told["folder"])

    def front(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Those that no other outdoes."""
        columns = [
            ranked(objects([candidate.of(each.quantity) for candidate in candidates]), each.largest)
            for each in self.asked.objectives
        ]
        places, _ = front(columns, [np.arange(len(candidates))], np.ones(len(candidates), dtype=np.int64))
        return tuple(candidates[place] for place in places)


def _percent(score: Score) -> Fraction:
    """The percentage of images of which a network is wrong, exactly."""
    return Fraction(100 * (score.images - score.right), score.images)


def _folder(values: Mapping[str, Any]) -> str:
    """What the folder of a point's run is called."""
    return ",".join(f"{name}={re.sub(r'[^A-Za-z0-9.-]', '_', str(value))}" for name, value in values.items())


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether a point is this process's to train, for as long as it lives."""
    with path.open("wb") as file:
        yield locked(file.fileno())
