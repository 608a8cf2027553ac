"""A training from its beginning, or from where it stopped, to its end."""

import math
import os
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from archspec.errors import ArchspecError
from archspec.language import origin
from archspec.train import checkpoint, data, recipe, record
from archspec.train.checkpoint import Checkpoint
from archspec.train.data import Data
from archspec.train.interrupt import Heard, heard
from archspec.train.log import Log
from archspec.train.loop import Loop, accelerator
from archspec.train.options import Options
from archspec.train.recipe import Recipe
from archspec.train.record import Record
from archspec.train.result import Epoch, Result, Score, TrainingStoppedError, Watcher
from archspec.train.score import faces

if TYPE_CHECKING:
    from archspec.architecture import Architecture

TOGETHER = 20
"""So many steps' losses are looked at together: on a GPU each look waits for it."""

BEST = "best.safetensors"


def fit(
    arch: "Architecture",
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
    (360, ['best.safetensors', 'last', 'log.jsonl', 'run.json', 'spec.yaml'])
    """
    return _Run(arch, Path(out), dict(bindings or {}), options or Options(), watcher or Watcher()).fit(source, chosen)


class _Run:
    def __init__(
        self, arch: "Architecture", out: Path, bindings: dict[str, Any], options: Options, watcher: Watcher
    ) -> None:
        self.arch, self.out, self.options, self.watcher = arch, out, options, watcher
        self.network = arch.expand(bindings)
        self.bindings = bindings
        self.origin = origin(arch.document, self.network.bindings)

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
        self.accelerate = accelerator(chosen, self.options)
        place = record.place(self.accelerate.device, self.accelerate.num_processes)
        self.record = record.record(self.origin, loaded, source, resize, chosen, place)
        if before is not None:
            record.refuse_another(before, self.record, self.out)
        model = self.arch.to_torch(self.bindings, seed=chosen.seed)
        self.loop = Loop(model, self.network, loaded, chosen, self.options, self.accelerate)
        return self._trained(loaded, before)

    def _data(self, source: str | Data | None, before: Record | None) -> tuple[Data, str | None, bool]:
        """The data, what they are called, and whether they were to be resized."""
        resize = self.options.resize or bool(before and before.resize)
        if source is None and before is not None:
            source = before.source
            if source is None:
                raise ArchspecError(f"{self.out}: the run's data were handed over in Python; hand them over again")
        shape, classes = faces(self.network)
        if isinstance(source, Data):
            fitted = data.fitted(source.checked(), shape, resize)
            return data.agreeing(fitted, classes), None, resize
        source = source or "digits"
        return data.load(source, shape, classes, resize=resize), source, resize

    def _trained(self, loaded: Data, before: Record | None) -> Result:
        main = self.accelerate.is_main_process
        with record.claimed(self.out, begins=before is None) if main else nullcontext() as handle:
            return self._held(loaded, before, handle)

    def _held(self, loaded: Data, before: Record | None, handle: int | None) -> Result:
        self._begin(loaded, before, handle)
        steps = self.loop.steps
        self.watcher.began(self.result, steps, self.step)
        try:
            with heard(patient=self.loop.share[1] > 1) as ears:
                while self.step < steps and self.result.signal is None:
                    self._step(ears)
        finally:
            self.watcher.ended()
            if self.log is not None:
                self.log.close()
        return self.result

    def _begin(self, loaded: Data, before: Record | None, handle: int | None) -> None:
        """Stand where the last checkpoint is, or at the beginning."""
        found = checkpoint.read(self.out) if self.options.resume else None
        self.step, self.loss, self.seconds = 0, 0.0, 0.0
        self.pending: list[Tensor] = []
        what = "; ".join(filter(None, [loaded.name, loaded.note]))
        params = sum(parameter.numel() for parameter in self.loop.model.parameters())
        planned = self.record.recipe.epochs
        self.result = Result(self.arch.name, what, params, self.out, (), planned)
        kept = 0
        if found is not None:
            kept = self._restore(found, before)
        self.clock = self.saved = time.monotonic()
        self.log = None if handle is None else self._open(kept, handle, begins=before is None)
        self.accelerate.wait_for_everyone()
        self.loop.model.train()

    def _open(self, kept: int, handle: int, begins: bool) -> Log:
        """Write the record of a run that begins, and open its log."""
        if begins:
            record.write(self.out, handle, self.record, self.arch.dumps())
        board = self.out / "tensorboard" if self.options.tensorboard else None
        return Log(self.out / "log.jsonl", kept, board)

    def _restore(self, found: Checkpoint, before: Record | None) -> int:
        """Go back to a checkpoint; gives the size that the log had."""
        state = found.state
        try:
            self.loop.restore(found.weights, found.training, state["scaler"])
            self.step, self.loss, self.seconds = int(state["step"]), float(state["loss"]), float(state["seconds"])
            epochs = tuple(Epoch(**{**epoch, "test": Score(**epoch["test"])}) for epoch in state["epochs"])
            kept = int(state["log"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, ArchspecError):
                raise
            raise ArchspecError(f"{self.out}: the checkpoint is none of this run: {error!r}") from None
        moved = record.moved(before, self.record) if before else ""
        self.result = replace(self.result, epochs=epochs, resumed=self.step, moved=moved)
        return kept

    def _step(self, ears: Heard) -> None:
        """One step, and what falls due after it: a look at the losses, a test, a checkpoint."""
        self.pending.append(self.loop.step(self.step))
        self.step += 1
        ended = self.step % self.loop.batches.steps == 0
        asked = bool(self.options.save_steps) and self.step % self.options.save_steps == 0
        alone = self.loop.share[1] == 1
        if ended or asked or len(self.pending) >= TOGETHER or (alone and ears.signal is not None):
            heard_by_any = self._look(ears)
            due = time.monotonic() - self.saved >= self.options.save_seconds
            if ended:
                self._test()
            if self.log is not None and (ended or asked or due or heard_by_any):
                self._save(self.log.size)
            if heard_by_any and self.step < self.loop.steps:
                self.accelerate.wait_for_everyone()
                self.result = replace(self.result, signal=heard_by_any)

    def _look(self, ears: Heard) -> int:
        """Log the losses since the last look; gives the signal that any process heard, or 0.

        Raises:
            TrainingStoppedError: A loss is no number.
        """
        first = self.step - len(self.pending)
        own = torch.stack([*self.pending, self.pending[0].new_tensor(ears.signal or 0)])
        *losses, number = self.loop.agreed(own).tolist()
        losses = [loss / self.loop.share[1] for loss in losses]
        for step, loss in enumerate(losses, first):
            if not math.isfinite(loss):
                raise self._stopped(f"the loss is {loss} in step {step + 1}")
        now = time.monotonic()
        self.seconds, self.clock = self.seconds + now - self.clock, now
        for loss in losses:  # one by one: rounded alike wherever the looks fall
            self.loss += loss
        self.pending = []
        if self.log is not None:
            epoch = first // self.loop.batches.steps + 1
            self.log.steps(first + 1, epoch, [self.loop.lr(first + i) for i in range(len(losses))], losses)
        self.watcher.stepped(self.step, losses[-1])
        return int(number) and (ears.signal or 2)

    def _stopped(self, what: str) -> TrainingStoppedError:
        steps = self.loop.batches.steps
        epoch = (self.step - 1) // steps + 1
        kept = next(
            (self.out / name for name in (checkpoint.LAST, checkpoint.PREVIOUS) if (self.out / name).is_dir()), None
        )
        where = f"{kept} holds the last good weights" if kept else "nothing had been saved yet"
        return TrainingStoppedError(f"{what}, epoch {epoch}; {where}; a lower --lr or --clip 1 may help")

    def _test(self) -> None:
        """Close an epoch: what does the network do on the test images?"""
        score = self.loop.score()
        if not math.isfinite(score.loss):
            raise self._stopped(f"the loss on the test images is {score.loss} after step {self.step}")
        steps = self.loop.batches.steps
        rate = steps * self.record.recipe.batch / max(self.seconds, 1e-9)
        epoch = Epoch(
            self.step // steps, self.step, self.loop.lr(self.step - 1), self.loss / steps, score, self.seconds, rate
        )
        self.result = replace(self.result, epochs=(*self.result.epochs, epoch))
        self.loss, self.seconds, self.clock = 0.0, 0.0, time.monotonic()
        if self.log is not None:
            self.log.epoch(epoch)
            if self.result.best is epoch:
                checkpoint.write_weights(self.out / BEST, self._weights(), self._note())
        self.watcher.tested(epoch)

    def _weights(self) -> dict[str, Tensor]:
        if not self.loop.finite():
            raise self._stopped(f"a weight is no number after step {self.step}")
        return dict(self.loop.used.state_dict())

    def _note(self) -> dict[str, Any]:
        facts = self.record.data
        return {
            "spec": {**asdict(self.origin), "bindings": dict(self.origin.bindings)},
            "step": self.step,
            **{key: facts[key] for key in ("mean", "deviation")},
        }

    def _save(self, logged: int) -> None:
        state = {
            "step": self.step,
            "loss": self.loss,
            "seconds": self.seconds,
            "epochs": [asdict(epoch) for epoch in self.result.epochs],
            "scaler": self.loop.scaler(),
            "log": logged,
        }
        checkpoint.write(self.out, Checkpoint(self._weights(), self.loop.tensors(), state, self._note()))
        self.saved = self.clock = time.monotonic()
