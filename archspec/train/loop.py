"""The moving parts of a training: model, optimiser, average; one step, one test, and what is saved of them."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from archspec.errors import ArchspecError
from archspec.runtime.refusal import refusals
from archspec.train import optimizer as optimizers
from archspec.train.augment import Augment
from archspec.train.batches import Batches, Inputs, resident, seed_of
from archspec.train.data import Data
from archspec.train.options import Options
from archspec.train.recipe import Recipe
from archspec.train.result import Score
from archspec.train.score import fill, likelihoods, scores, total

if TYPE_CHECKING:
    from archspec.architecture import Network


def accelerator(recipe: Recipe, options: Options) -> Accelerator:
    """Accelerate, on the device that is asked for, with the other processes that torchrun started.

    Raises:
        ArchspecError: The device is unknown, cannot compute in the recipe's precision, or not in several processes.
    """
    if options.device not in {"auto", "cpu"}:
        raise ArchspecError(f"the device is auto or cpu (got {options.device!r})")
    # Accelerate joins processes without GPUs only if it is told that there are none
    cpu = options.device == "cpu" or not torch.accelerator.is_available()
    if recipe.precision == "fp16" and (cpu or not torch.cuda.is_available()):
        raise ArchspecError("precision fp16 needs a GPU; on a processor bf16 or no would do")
    AcceleratorState._reset_state()  # it is one for all of a process, and another recipe may have another precision
    found = Accelerator(cpu=cpu, mixed_precision=recipe.precision)
    if found.num_processes != (wanted := int(os.environ.get("WORLD_SIZE", "1"))):
        raise ArchspecError(
            f"{wanted} processes were started and cannot work together on this device; --device cpu would"
        )
    return found


class Loop:
    """A training in motion.

    Args:
        model: The network's module.
        network: What it was built from.
        data: What it learns.
        recipe: How.
        options: How it is run.
        accelerate: The device and the other processes.
    """

    def __init__(  # the parts of which it is put together
        self,
        model: nn.Module,
        network: "Network",
        data: Data,
        recipe: Recipe,
        options: Options,
        accelerate: Accelerator,
    ) -> None:
        self.recipe, self.accelerate = recipe, accelerate
        self.share = (accelerate.process_index, accelerate.num_processes)
        self.logits = likelihoods(network)
        memory = torch.channels_last if options.channels_last else torch.preserve_format
        self.model = model.to(accelerate.device, memory_format=memory)  # type: ignore[call-overload]
        self.average = (
            AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))  # type: ignore[no-untyped-call]
            if recipe.ema
            else None
        )  # a copy, made before Accelerate replaces the model's forward
        self.bare_optimizer = optimizers.build(self.model, recipe)
        forward = accelerate.prepare(self.model)
        self.optimizer = self.bare_optimizer if accelerate.scaler is None else accelerate.prepare(self.bare_optimizer)
        self.forward = torch.compile(forward) if options.compile else forward
        inputs = Inputs(data.statistics, accelerate.device, options.channels_last)
        change = Augment(recipe.crop, recipe.flip, recipe.rotate, recipe.scale, recipe.shear, recipe.translate)
        self.batches = Batches(data, recipe.batch, change, recipe.seed, inputs, self.share)
        self.test = resident(data.test, accelerate.device)
        self.parameters = [p for group in self.bare_optimizer.param_groups for p in group["params"]]

    @property
    def steps(self) -> int:
        """The steps of the whole training."""
        return self.batches.steps * self.recipe.epochs

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.recipe.lr * self.recipe.factor(step, self.batches.steps)

    def step(self, step: int) -> Tensor:
        """Learn from one batch, and give its loss; dropout too follows from the seed and the step."""
        self._seed(seed_of(self.recipe.seed, "step", step, self.share[0]))
        images, labels = self.batches(step)
        for group in self.bare_optimizer.param_groups:
            group["lr"] = self.lr(step)
        with refusals(self.model):
            guesses = self.logits(self.forward(images))
        loss = functional.cross_entropy(guesses, labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        if self.accelerate.scaler is None:  # Accelerate's own backward and step ask each time what is installed
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self.accelerate.backward(loss)
            self.accelerate.unscale_gradients(self.optimizer)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return loss.detach()

    def _seed(self, seed: int) -> None:
        """Seed what dropout draws from; `torch.manual_seed` asks every backend there is and takes a third of a ms."""
        torch.default_generator.manual_seed(seed)
        if self.accelerate.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def agreed(self, values: Tensor) -> Tensor:
        """The sums of values over all processes."""
        if self.share[1] == 1:
            return values.cpu()
        return self.accelerate.reduce(values.to(self.accelerate.device), "sum").cpu()  # type: ignore[no-any-return]

    def score(self) -> Score:
        """What the weights to use do on the test images."""
        own = scores(self.used, self.logits, self.test, self.batches.inputs, self.share, self.accelerate.autocast)
        return total(self.agreed(own), len(self.test))

    @property
    def used(self) -> nn.Module:
        """The module with the weights to use: the averaged ones, if there are any."""
        return self.model if self.average is None else self.average.module

    def finite(self) -> bool:
        """Whether all weights are numbers."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.used.state_dict().values())

    def tensors(self) -> dict[str, Tensor]:
        """All that is saved beside the weights to use, by name."""
        found = {f"optimizer.{key}": value for key, value in optimizers.tensors_of(self.bare_optimizer).items()}
        if self.average is not None:
            found["average.steps"] = self.average.n_averaged
            found |= {f"learning.{key}": value for key, value in self.model.state_dict().items()}
        return found

    def scaler(self) -> dict[str, Any]:
        """The state of what scales the loss in fp16; empty otherwise."""
        scaler = self.accelerate.scaler
        return {} if scaler is None else dict(scaler.state_dict())

    def restore(self, weights: Mapping[str, Tensor], others: Mapping[str, Tensor], scaler: Mapping[str, Any]) -> None:
        """Go back to what was saved."""
        fill(self.used, weights, "the checkpoint")
        if self.average is not None:
            fill(self.model, _below("learning.", others), "the checkpoint")
            self.average.n_averaged.copy_(others["average.steps"])
        optimizers.restore(self.bare_optimizer, _below("optimizer.", others))
        if self.accelerate.scaler is not None and scaler:
            self.accelerate.scaler.load_state_dict(dict(scaler))


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
