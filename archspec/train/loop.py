"""The moving parts of a training: model, optimiser, average; one step, one test, and what is saved of them."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.runtime.calls import refusals
from archspec.train import optimizer as optimizers
from archspec.train.batches import Batches, Standardisation, device_of, generator, resident, seed_of
from archspec.train.data import Data, DataSplit
from archspec.train.dropout import draw_bits
from archspec.train.methods import LearnedBatch
from archspec.train.methods.freeze import moving
from archspec.train.recipe import Recipe
from archspec.train.result import Options, Score
from archspec.train.score import batch_for, fill, guesses, scores, total

MEASURED = 10_000
"""So many training images are looked at for batch statistics, or all, if there are fewer."""


def accelerator(recipe: Recipe, options: Options) -> Accelerator:
    """Accelerate, on the device that is asked for, with the other processes that torchrun started.

    Raises:
        ArchspecError: The device is unknown, cannot compute in the recipe's precision, or not in several processes.
    """
    device = device_of(options.device)
    cpu = device.type == "cpu"  # Accelerate joins processes without GPUs only if it is told that there are none
    if recipe.precision == "fp16" and device.type != "cuda":
        raise ArchspecError("precision fp16 needs a GPU; on a processor, try bf16 or no")
    AcceleratorState._reset_state(reset_partial_state=device.index is not None)
    # it is one for all of a process, and another recipe may have another precision
    if device.index is not None:
        os.environ["ACCELERATE_TORCH_DEVICE"] = str(device)
    try:
        found = Accelerator(cpu=cpu, mixed_precision=recipe.precision)
    finally:
        os.environ.pop("ACCELERATE_TORCH_DEVICE", None)
    if found.num_processes != (wanted := int(os.environ.get("WORLD_SIZE", "1"))):
        raise ArchspecError(
            f"{wanted} processes were started and cannot work together on this device; --device cpu would"
        )
    return found


class Loop:
    """A stage of a training in motion.

    Args:
        model: The network's module, which gives logits.
        network: What it was built from.
        data: What it learns.
        recipe: How: that of the stage.
        options: How it is run.
        accelerate: The device and the other processes.
        stage: The number of the stage, from 0.
    """

    def __init__(  # the parts of which it is put together
        self,
        model: nn.Module,
        network: Network,
        data: Data,
        recipe: Recipe,
        options: Options,
        accelerate: Accelerator,
        stage: int = 0,
    ) -> None:
        self.recipe, self.accelerate, self.data = recipe, accelerate, data
        self.seed = (recipe.seed, stage) if stage else recipe.seed
        self.share = (accelerate.process_index, accelerate.num_processes)
        memory = torch.channels_last if options.channels_last else torch.preserve_format
        self.model = model.to(accelerate.device, memory_format=memory)  # type: ignore[call-overload]
        if accelerate.device.type == "cpu" and not options.compile:
            draw_bits(self.model)
        self.courses = [method.begin(self.model, network) for method in recipe.methods]
        # a copy, made before Accelerate replaces the model's forward
        self.average = AveragedModel(self.model, multi_avg_fn=self._averaged) if recipe.ema else None
        named = {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}
        for course in self.courses:
            named = course.parameters(named)
        self.bare_optimizer = optimizers.build(named.values(), recipe)
        forward = accelerate.prepare(self.model)
        self.optimizer = self.bare_optimizer if accelerate.scaler is None else accelerate.prepare(self.bare_optimizer)
        self.forward = torch.compile(forward) if options.compile else forward
        inputs = Standardisation(data.statistics, accelerate.device, options.channels_last)
        self.batches = Batches(data, recipe.batch, recipe.change, self.seed, inputs, self.share, recipe.methods)
        self.held = resident(data.validation or data.test, accelerate.device)
        self.together, self.classes = batch_for(network), data.classes
        self.parameters = [p for group in self.bare_optimizer.param_groups for p in group["params"]]
        self.class_weights = _class_weights(recipe, data, self.batches.shown, accelerate.device)
        self.decay = 0.0
        for course in self.courses:
            course.learns(data, recipe.fixed)
            course.stage(self.batches.steps * recipe.epochs)

    def ready(self, done: int) -> bool:
        """Whether after so many steps the weights are what the stage's methods make of them."""
        return all(course.ready(done) for course in self.courses)

    def lr(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.recipe.lr * self.recipe.factor(step, self.batches.steps)

    def step(self, step: int) -> Tensor:
        """Learn from one batch; gives its loss and how many were right. All chance follows from seed and step."""
        self._seed(seed_of(self.seed, "step", step, self.share[0]))
        images, labels = self.batches(step)
        for group in self.bare_optimizer.param_groups:
            group["lr"] = self.lr(step)
        self.optimizer.zero_grad()
        told = torch.zeros(2, device=images.device)
        parts = min(self.recipe.accumulate, len(labels))
        each = zip(*(whole.tensor_split(parts) for whole in (images, labels, self.batches.which(step))), strict=True)
        for number, part in enumerate(each):
            told += self._learn(step, number, *part) * torch.tensor(
                [len(part[1]) / len(labels), 1.0], device=told.device
            )
        if self.accelerate.scaler is not None:
            self.accelerate.unscale_gradients(self.optimizer)
        for course in self.courses:
            course.before_step(step)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        self.optimizer.step()
        if self.average is not None:
            self.decay = min(self.recipe.ema, (1 + step) / (10 + step))  # early averages forget the fresh weights
            self.average.update_parameters(self.model)
        for course in self.courses:
            course.after_step(self.model, None if self.average is None else self.average.module, step)
        return told

    def _learn(self, step: int, number: int, images: Tensor, labels: Tensor, which: Tensor) -> Tensor:
        """Add the gradient of a part of a batch; gives its mean loss and how many images were right."""
        other, share = labels, 1.0
        if self.recipe.mixup:
            drawn = np.random.default_rng(seed_of(self.seed, "mixup", step, number, self.share[0]))
            share = float(drawn.beta(self.recipe.mixup, self.recipe.mixup))
            order = torch.from_numpy(drawn.permutation(len(labels))).to(images.device)
            images, other = images * share + images[order] * (1 - share), labels[order]
        with refusals(self.model):
            logits = self.forward(images)

        def data() -> Tensor:
            one = self._data_loss(logits, labels)
            return one if share == 1 else share * one + (1 - share) * self._data_loss(logits, other)

        seen = LearnedBatch(images, labels, which, logits, data, self.data.statistics)
        terms = [term for course in self.courses for term in course.loss(seen).values()] or [data()]
        loss = torch.stack(terms).sum() if len(terms) > 1 else terms[0]
        weight = len(labels) * self.share[1] / self.recipe.batch
        learned = loss if weight == 1 else loss * weight
        if self.accelerate.scaler is None:  # Accelerate's own backward and step ask each time what is installed
            learned.backward()
        else:
            self.accelerate.backward(learned)
        return torch.stack([loss.detach().float(), (logits.detach().argmax(1) == labels).sum()])

    def _data_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        smoothing = self.recipe.label_smoothing
        return functional.cross_entropy(logits, labels, self.class_weights, label_smoothing=smoothing)

    @torch.no_grad()
    def _averaged(self, averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor | int) -> None:
        torch._foreach_lerp_(list(averaged), list(current), 1 - self.decay)

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

    def score(self, split: DataSplit | None = None) -> Score:
        """What the weights to use do on images: those that epochs are judged by, if no others are given."""
        split = split or self.held
        inputs, precision = self.batches.inputs, self.accelerate.autocast
        own = scores(self.used, split, inputs, self.classes, self.together, self.share, precision)
        return total(self.agreed(own), len(split))

    def correction(self) -> Tensor | None:
        """What is added to each class's logit, as the methods find on the validation images; None for nothing."""

        def held() -> tuple[Tensor, Tensor]:
            precision = self.accelerate.autocast
            logits = guesses(self.used, self.held, self.batches.inputs, self.together, precision)
            return logits, self.held.labels.cpu()

        found = [course.correction(held) for course in self.courses]
        wanted = [each for each in found if each is not None]
        return torch.stack(wanted).sum(0) if wanted else None

    def settle(self) -> None:
        """Give averaged weights their own batch statistics; the next step gives them those of the others again."""
        if self.average is not None:
            inputs, precision = self.batches.inputs, self.accelerate.autocast
            recompute(self.average.module, self.batches.learned, inputs, self.together, precision)

    def finish(self) -> None:
        """Give the model the weights to use, for the stage that follows."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        for course in self.courses:
            course.end()
        moving(self.model)
        for parameter in self.model.parameters():
            parameter.requires_grad_(True)
            parameter.grad = None

    def weights(self) -> dict[str, Tensor]:
        """The weights to save."""
        found = dict(self.used.state_dict())
        for course in self.courses:
            found = course.weights(found)
        return found

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
        saved = self.weights()  # a method may save others than those that learn
        own = self.used.state_dict()
        found |= {f"real.{key}": own[key] for key in own if own[key].data_ptr() != saved[key].data_ptr()}
        if self.average is not None:
            found["average.steps"] = self.average.n_averaged
            found |= {f"learning.{key}": value for key, value in self.model.state_dict().items()}
        for number, course in enumerate(self.courses):
            found |= {f"method{number}.{key}": value for key, value in course.tensors().items()}
        return found

    def scaler(self) -> dict[str, Any]:
        """The state of what scales the loss in fp16; empty otherwise."""
        scaler = self.accelerate.scaler
        return {} if scaler is None else dict(scaler.state_dict())

    def restore(self, weights: Mapping[str, Tensor], others: Mapping[str, Tensor], scaler: Mapping[str, Any]) -> None:
        """Go back to what was saved."""
        fill(self.used, real(weights, others), "the checkpoint")
        if self.average is not None:
            fill(self.model, _below("learning.", others), "the checkpoint")
            self.average.n_averaged.copy_(others["average.steps"])
        for number, course in enumerate(self.courses):
            course.restore(_below(f"method{number}.", others))
        optimizers.restore(self.bare_optimizer, _below("optimizer.", others))
        if self.accelerate.scaler is not None and scaler:
            self.accelerate.scaler.load_state_dict(dict(scaler))


def real(weights: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that learn, of those that are saved to be used and what is saved beside them."""
    return {**weights, **_below("real.", others)}


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _class_weights(recipe: Recipe, data: Data, shown: Tensor, device: torch.device) -> Tensor | None:
    """The weight of each class: what the recipe says; if it balances, times the mean count of a class over its own.

    Raises:
        ArchspecError: A class has no training images, or there is no such class.
    """
    if not (recipe.balance or recipe.class_weights):
        return None
    found = torch.ones(data.classes)
    if recipe.balance:
        counts = torch.bincount(data.train.labels.cpu()[shown], minlength=data.classes)
        if not bool(counts.all()):
            missing = int((counts == 0).nonzero()[0])
            raise ArchspecError(f"balance: class {missing} of {data.name} has no training images")
        found = (counts.sum() / data.classes / counts).float()
    for name, weight in recipe.class_weights.items():
        found[data.named(name, "class_weights")] *= weight
    return found.to(device)


@torch.no_grad()
def recompute(
    model: nn.Module,
    split: DataSplit,
    inputs: Standardisation,
    batch: int,
    precision: Callable[[], AbstractContextManager[Any]],
) -> None:
    """Give each batch norm of a model the mean statistics over batches of training images, unchanged ones.

    Averaged weights need their own: those of the weights that learn are of another network, and wrong for them.

    Which images they are follows from their number alone: every process, and every resumed training, takes the same.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    norms = [norm for norm in norms if norm.train().training]  # a frozen one stays as it is
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    order = torch.randperm(len(split), generator=generator("statistics", len(split)))[:MEASURED].to(split.images.device)
    for which in torch.split(order, min(batch, len(split))):
        if len(which) == min(batch, len(split)):
            with precision():
                model(inputs(split.images[which]))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
