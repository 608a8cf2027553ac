"""A training from its beginning, or from where it stopped, to its end."""

import math
import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from archspec import runs
from archspec.architecture import Architecture
from archspec.errors import ArchspecError, SpecErrors
from archspec.graph import before_softmax
from archspec.language import origin
from archspec.train import checkpoint, data, recipe, record
from archspec.train.batches import of_an_epoch
from archspec.train.data import Data
from archspec.train.interrupt import StopSignal, stop_signal
from archspec.train.loop import Loop, accelerator, real
from archspec.train.recipe import Recipe
from archspec.train.result import Correction, Epoch, Options, Result, Score, TrainingStoppedError, Watcher, table
from archspec.train.score import bias_of, fill, head_of, input_and_classes

TOGETHER = 20
"""So many steps' losses are looked at together: on a GPU each look waits for it."""


def fit(
    arch: Architecture,
    source: str | Data | None = None,
    chosen: Recipe | None = None,
    *,
    out: str | os.PathLike[str],
    bindings: Mapping[str, Any] | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """Train a network.

    Args:
        arch: The network.
        source: The data, or what they are called; see `archspec.train.data.load`. Without it those of the run that is
            resumed, else scikit-learn's digits.
        chosen: The recipe. Without it that of the run that is resumed, else that of the network's name, else the
            data's.
        out: The folder of the run; it is made.
        bindings: Values for the network's symbols.
        options: How it is run.
        watcher: Who is told how it goes.

    Raises:
        ArchspecError: The data do not fit the network, or the folder holds another run.
        TrainingStoppedError: The loss is no number, or the disk is full. What was saved before is intact.

    >>> import archspec, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> lenet = archspec.load("lenet_300_100")
    >>> result = fit(lenet, "digits", Recipe(epochs=1), out=folder, bindings={"side": 8})
    >>> result.last.test.images, sorted(path.name for path in result.out.iterdir())
    (360, ['best.safetensors', 'epochs.csv', 'last', 'log.jsonl', 'run.json', 'spec.yaml'])
    """
    return _Training(arch, Path(out), dict(bindings or {}), options or Options(), watcher or Watcher()).fit(
        source, chosen
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a training: its recipe, and where it lies among all steps and epochs."""

    number: int
    recipe: Recipe
    first: int
    an_epoch: int
    before: int

    @property
    def end(self) -> int:
        """The steps done at its end."""
        return self.first + self.an_epoch * self.recipe.epochs

    def epochs(self, step: int) -> int:
        """The epochs, those of the stages before among them, that are over after so many steps."""
        return self.before + (step - self.first) // self.an_epoch


class _Training:
    def __init__(
        self, arch: Architecture, out: Path, bindings: dict[str, Any], options: Options, watcher: Watcher
    ) -> None:
        self.arch, self.out, self.options, self.watcher = arch, out, options, watcher
        network = arch.expand(bindings)
        self.shape, self.classes = input_and_classes(network)
        self.network = before_softmax(network)
        self.bindings = bindings
        self.origin = origin(arch.document, network.bindings)

    def fit(self, source: str | Data | None, chosen: Recipe | None) -> Result:
        """All of it."""
        before = record.read(self.out) if self.options.resume else None
        if before is not None:
            record.refuse_another_spec(before.origin, self.origin, f"the run in {self.out}")
        else:
            record.refuse_foreign(self.out)
        loaded, source, resize = self._data(source, before)
        if chosen is None:
            chosen = before.recipe if before else recipe.default_for(self.arch.name, loaded.name)
        if faults := chosen.faults():
            raise SpecErrors(faults)
        self.accelerate = accelerator(chosen, self.options)
        self.data = data.agreeing(learned(loaded, chosen), self.classes)
        self.model = self.arch.to_torch(self.bindings, seed=chosen.seed, logits=True)
        began, note = self._started(chosen)
        place = record.place(self.accelerate.device, self.accelerate.num_processes)
        self.record = record.Record(self.origin, record.facts_of(self.data), source, resize, chosen, place, began)
        if before is not None:
            record.refuse_another(before, self.record, self.out)
        self.stages = _stages(chosen, self.data)
        self._enter(self.stages[0])
        for stage in self.stages[1:]:  # what does not fit is refused now, not after the stages before it
            for method in stage.recipe.methods:
                course = method.begin(deepcopy(self.model), self.network)
                course.learns(self.data, stage.recipe.fixed)
                course.stage(stage.end - stage.first)
        return self._trained(before, note)

    def _data(self, source: str | Data | None, before: record.Record | None) -> tuple[Data, str | None, bool]:
        """The data, what they are called, and whether they were to be resized."""
        resize = self.options.resize or bool(before and before.resize)
        if source is None and before is not None:
            source = before.source
            if source is None:
                raise ArchspecError(f"{self.out}: the run's data were handed over in Python; hand them over again")
        if isinstance(source, Data):
            return data.fitted(source.checked(), self.shape, resize), None, resize
        source = source or "digits"
        read = data.load(source, self.shape, None, resize=resize, progress=self.watcher.loading)
        return read, source, resize

    def _started(self, chosen: Recipe) -> tuple[dict[str, Any], str]:
        """Give the model the weights that it begins with; what the record says of them, and what people are told."""
        if chosen.start is None:
            return {}, ""
        run = runs.find(chosen.start)
        file = Path(chosen.start) if run is None else run.weights
        tensors, known = checkpoint.read_weights(file)
        names = tuple(map(str, known.get("names", ())))
        for method in chosen.methods:
            tensors = dict(method.start(tensors, names, self.network))
        fresh = fill(self.model, tensors, str(file), head_of(self.network))
        note = f"begun with {file}" + (f"; fresh: {', '.join(fresh)}" if fresh else "")
        return {"start": {"file": str(file), "sha256": checkpoint.digest(file)}}, note

    def _enter(self, stage: Stage) -> None:
        """Begin a stage with the weights that the model has."""
        self.stage = stage
        self.loop = Loop(self.model, self.network, self.data, stage.recipe, self.options, self.accelerate, stage.number)

    def _trained(self, before: record.Record | None, note: str) -> Result:
        main = self.accelerate.is_main_process
        with record.claimed(self.out, begins=before is None) if main else nullcontext() as handle:
            self._begin(before, note, handle)
            try:
                with stop_signal(patient=self.loop.share[1] > 1) as ears:
                    self._all_steps(ears)
            finally:
                self.watcher.ended()
                if self.log is not None:
                    self.log.close()
            return self.result

    def _begin(self, before: record.Record | None, note: str, handle: int | None) -> None:
        """Stand where the last checkpoint is, or at the beginning."""
        found = checkpoint.read(self.out) if self.options.resume else None
        self.step, self.loss, self.right, self.seconds = 0, 0.0, 0, 0.0
        self.pending: list[Tensor] = []
        params = sum(parameter.numel() for parameter in self.model.parameters())
        planned = sum(stage.recipe.epochs for stage in self.stages)
        what = data.noted(self.data.name, self.data.note)
        self.result = Result(self.arch.name, what, params, self.out, (), planned, note=note)
        kept = 0 if found is None else self._restore(found, before)
        self.clock = self.saved = time.monotonic()
        self.log = None if handle is None else self._open(kept, handle, begins=before is None)
        self.accelerate.wait_for_everyone()
        self.watcher.began(self.result, self.stages[-1].end, self.step)
        self.loop.model.train()

    def _open(self, kept: int, handle: int, begins: bool) -> record.Log:
        """Write the record of a run that begins, and open its log."""
        if begins:
            written = replace(self.record, began={**self.record.began, **self._facts()})
            record.write(self.out, handle, written, self.arch.dumps())
        board = self.out / "tensorboard" if self.options.tensorboard else None
        return record.Log(self.out / "log.jsonl", kept, board)

    def _facts(self) -> dict[str, Any]:
        """What the methods say of themselves."""
        methods = zip(self.stage.recipe.methods, self.loop.courses, strict=True)
        return {method.key: facts for method, course in methods if (facts := course.facts())}

    def _restore(self, found: checkpoint.Checkpoint, before: record.Record | None) -> int:
        """Go back to a checkpoint; gives the size that the log had."""
        state = found.state
        try:
            self.step = int(state["step"])
            stage = next(stage for stage in self.stages if self.step < stage.end or stage is self.stages[-1])
            if stage.number:
                self.loop.finish()  # what the methods of the first stage have done to the model
            if stage.number and self.step == stage.first:  # saved at the end of the one before
                fill(self.model, real(found.weights, found.training), "the checkpoint")
                self._enter(stage)
            else:
                if stage.number:
                    fill(self.model, found.weights, "the checkpoint")
                    self._enter(stage)
                self.loop.restore(found.weights, found.training, state["scaler"])
            self.loss, self.right, self.seconds = float(state["loss"]), int(state["right"]), float(state["seconds"])
            epochs = tuple(_epoch(plain) for plain in state["epochs"])
            tested = Score(**state["tested"]) if state.get("tested") else None
            corrected = _correction(state["corrected"]) if state.get("corrected") else None
            kept = int(state["log"])
        except ArchspecError:
            raise
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ArchspecError(f"{self.out}: the checkpoint is not one of this run: {error!r}") from None
        moved = record.moved(before, self.record) if before else ""
        self.result = replace(
            self.result, epochs=epochs, resumed=self.step, moved=moved, tested=tested, corrected=corrected
        )
        return kept

    def _all_steps(self, ears: StopSignal) -> None:
        """From where the training is to its end, or to the signal that ends it."""
        while not self._over():
            self._step(ears)
            if self.result.signal is not None:
                return
        self.result = replace(self.result, facts=self._facts())
        if self.data.validation is not None and self.result.tested is None:
            self._choose()

    def _over(self) -> bool:
        """Whether the training has ended; an epoch whose test is missing is tested, and a new stage is entered."""
        done = self.step - self.stage.first
        if done and done % self.stage.an_epoch == 0 and len(self.result.epochs) < self.stage.epochs(self.step):
            self._close_epoch()
        if self.result.stale(self.stage.recipe.patience):
            return True
        if self.step == self.stage.end and self.stage is not self.stages[-1]:
            self.loop.finish()
            self._enter(self.stages[self.stage.number + 1])
            self.loop.model.train()
        return self.step == self.stage.end

    def _step(self, ears: StopSignal) -> None:
        """One step, and what falls due after it: a look at the losses, a checkpoint; a test at the end of an epoch."""
        self.pending.append(self.loop.step(self.step - self.stage.first))
        self.step += 1
        ended = (self.step - self.stage.first) % self.stage.an_epoch == 0
        asked = bool(self.options.save_steps) and self.step % self.options.save_steps == 0
        alone = self.loop.share[1] == 1
        if ended or asked or len(self.pending) >= TOGETHER or (alone and ears.signal is not None):
            heard_by_any = self._look(ears)
            due = time.monotonic() - self.saved >= self.options.save_seconds
            if ended or asked or due or heard_by_any:
                self._save()  # before the test: what was learned is not lost by it
            if heard_by_any and self.step < self.stages[-1].end:
                self.accelerate.wait_for_everyone()
                self.result = replace(self.result, signal=heard_by_any)

    def _look(self, ears: StopSignal) -> int:
        """Log the losses since the last look; gives the signal that any process heard, or 0.

        Raises:
            TrainingStoppedError: A loss is no number.
        """
        first = self.step - len(self.pending)
        signal = self.pending[0].new_tensor([[ears.signal or 0, 0]])
        *told, (number, _) = self.loop.agreed(torch.cat([torch.stack(self.pending), signal])).tolist()
        losses = [loss / self.loop.share[1] for loss, _ in told]
        for step, loss in enumerate(losses, first):
            if not math.isfinite(loss):
                raise self._stopped(f"the loss is {loss} in step {step + 1}")
        now = time.monotonic()
        self.seconds, self.clock = self.seconds + now - self.clock, now
        for loss, right in told:  # one by one: rounded alike wherever the looks fall
            self.loss += loss / self.loop.share[1]
            self.right += round(right)
        self.pending = []
        if self.log is not None:
            lrs = [self.loop.lr(first - self.stage.first + i) for i in range(len(losses))]
            self.log.steps(first + 1, self.stage.epochs(first) + 1, lrs, losses)
        self.watcher.stepped(self.step, losses[-1])
        return int(number) and (ears.signal or 2)

    def _stopped(self, what: str) -> TrainingStoppedError:
        kept = next(
            (self.out / name for name in (checkpoint.LAST, checkpoint.PREVIOUS) if (self.out / name).is_dir()), None
        )
        where = f"{kept} holds the last good weights" if kept else "nothing had been saved yet"
        epoch = len(self.result.epochs) + 1
        return TrainingStoppedError(f"{what}, epoch {epoch}; {where}; a lower --lr or --clip 1 may help")

    def _close_epoch(self) -> None:
        """Judge an epoch by the images that are held out, and keep the weights of the best."""
        self.loop.settle()
        score = self.loop.score()
        what = "test" if self.data.validation is None else "validation"
        if not math.isfinite(score.loss):
            raise self._stopped(f"the loss on the {what} images is {score.loss} after step {self.step}")
        images = self.stage.an_epoch * self.stage.recipe.batch
        epoch = Epoch(
            len(self.result.epochs) + 1,
            self.step,
            self.loop.lr(self.step - self.stage.first - 1),
            self.loss / self.stage.an_epoch,
            score if what == "test" else None,
            self.seconds,
            images / max(self.seconds, 1e-9),
            score if what == "validation" else None,
            100 * self.right / images,
            self.stage is self.stages[-1] and self.loop.ready(self.step - self.stage.first),
        )
        self.result = replace(self.result, epochs=(*self.result.epochs, epoch))
        self.loss, self.right, self.seconds, self.clock = 0.0, 0, 0.0, time.monotonic()
        if self.log is not None:
            self.log.epoch(epoch)
            checkpoint.write_text(self.out / "epochs.csv", table(self.result.epochs))
            if self.step == self.stage.end and (facts := self._facts()):
                self.log.told("methods", epoch=epoch.epoch, **facts)
            if self.result.best is epoch:
                checkpoint.write_weights(self.out / runs.BEST, self._weights(), self._note())
        self._save()
        self.loop.model.train()
        self.watcher.tested(epoch)

    def _choose(self) -> None:
        """Test, once, the weights that validation has chosen; what corrects them is found on validation images too."""
        self.accelerate.wait_for_everyone()
        weights, note = checkpoint.read_weights(self.out / runs.BEST)
        fill(self.loop.used, weights, str(self.out / runs.BEST))
        plain = note.get("correction")  # there already, if the training was ended right after it
        if plain is None and (added := self.loop.correction()) is not None:
            plain = {"added": added.tolist(), "before": asdict(self.loop.score(self.data.test))}
            bias = bias_of(self.network)
            weights[bias] = weights[bias] + added.to(weights[bias].dtype)
            self.accelerate.wait_for_everyone()
            if self.log is not None:
                checkpoint.write_weights(self.out / runs.BEST, weights, {**note, "correction": plain})
            fill(self.loop.used, weights, str(self.out / runs.BEST))
        tested = self.loop.score(self.data.test)
        corrected = _correction(plain) if plain else None
        self.result = replace(self.result, tested=tested, corrected=corrected)
        if self.log is not None:
            if corrected is not None:
                before = corrected.before
                self.log.told("correction", added=list(corrected.added), top1=before.top1, error=before.error)
            figures = {"test_loss": tested.loss, "top1": tested.top1, "error": tested.error}
            self.log.told("test", epoch=self.result.best.epoch, **figures)
            checkpoint.add(self.out, {"tested": asdict(tested), "corrected": plain, "log": self.log.size})

    def _weights(self) -> dict[str, Tensor]:
        if not self.loop.finite():
            raise self._stopped(f"a weight is not a number after step {self.step}")
        return self.loop.weights()

    def _note(self) -> dict[str, Any]:
        facts = self.record.data
        return {
            "spec": {**asdict(self.origin), "bindings": dict(self.origin.bindings)},
            "step": self.step,
            **{key: facts[key] for key in ("mean", "deviation", "names")},
        }

    def _save(self) -> None:
        self.loop.settle()
        if self.log is None:
            return
        state = {
            "step": self.step,
            "loss": self.loss,
            "right": self.right,
            "seconds": self.seconds,
            "epochs": [asdict(epoch) for epoch in self.result.epochs],
            "scaler": self.loop.scaler(),
            "log": self.log.size,
        }
        checkpoint.write(self.out, checkpoint.Checkpoint(self._weights(), self.loop.tensors(), state, self._note()))
        self.saved = self.clock = time.monotonic()
        self.loop.model.train()


def went_on(out: Path) -> bool:
    """Whether a folder holds a run that was begun, so that it is to be gone on with.

    Raises:
        ArchspecError: There are several processes: one would see what another has just begun.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ArchspecError(
            "several trainings one after another run in one process; torchrun with archspec train is for one of them"
        )
    return (out / runs.RECORD).is_file() and (out / runs.RECORD).stat().st_size > 0


def learned(loaded: Data, chosen: Recipe) -> Data:
    """The data as a recipe has them learned: with validation images kept from learning, and as its methods want them.

    Raises:
        ArchspecError: The data have too few images, or not what a method speaks of.
    """
    loaded = data.held_out(loaded, chosen.validation, chosen.held_by)
    for method in chosen.methods:
        loaded = method.data(loaded)
    return loaded


def _stages(chosen: Recipe, loaded: Data) -> tuple[Stage, ...]:
    """The stages of a recipe, one after another: where a step lies follows from its number."""
    found: list[Stage] = []
    for number, each in enumerate(chosen.staged()):
        an_epoch = len(of_an_epoch(torch.arange(len(loaded.train)), loaded, each.methods)) // each.batch
        epochs = sum(stage.recipe.epochs for stage in found)
        found.append(Stage(number, each, found[-1].end if found else 0, an_epoch, epochs))
    return tuple(found)


def _correction(plain: Mapping[str, Any]) -> Correction:
    return Correction(tuple(plain["added"]), Score(**plain["before"]))


def _epoch(plain: dict[str, Any]) -> Epoch:
    scores = {key: Score(**plain[key]) if plain[key] else None for key in ("test", "validation")}
    return Epoch(**{**plain, **scores})
