"""What a method of training is: its keys in a recipe, frozen; and its course, while a training runs.

A training asks every method of its recipe in turn:

    data(data)                     what is learned, where it is not the data as they are
    images(order, data)            which images an epoch shows, in which order
    start(tensors, names, network) the weights of another run to begin with, made fit
    begin(model, network)          at the beginning of a stage; gives the course
    learns(data, fixed)            what the stage will show
    stage(steps)                   how many steps the stage has
    parameters(named)              what learns, by name: fewer than there are, or others
    loss(seen)                     the terms of the loss, by name; none for the data's own
    before_step(step)              the gradients are there
    after_step(model, average, step)   the weights have moved
    ready(done)                    whether the weights of now may be chosen
    end()                          the stage is over
    tensors(), restore(tensors)    what a checkpoint holds beside weights and optimiser
    weights(named)                 the weights to save, under the network's own names
    correction(held)               what is added to the logits of the weights that were chosen
    facts()                        what the record of the run says

Whatever a course does is a function of its keys, the weights, the seed and the step: so a training that is resumed
goes on to the bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from archspec.extras import LateModule
from archspec.graph import Network
from archspec.language.located import Located

if TYPE_CHECKING:
    import torch

    from archspec.train.data import Data
else:
    torch = LateModule("torch")
"""For courses: a recipe, whose keys methods are, is read where there is no torch."""

__all__ = ["METHODS", "Course", "LearnedBatch", "Method", "torch"]

METHODS: dict[str, "type[Method]"] = {}
"""The methods by their keys in a recipe."""


@dataclass(frozen=True, slots=True)
class LearnedBatch:
    """A batch, and what the network makes of it.

    Attributes:
        images: n × c × h × w, as the network takes them.
        labels: Their classes.
        indices: Which of the training images they are.
        logits: What the network gives, n × classes.
        data: The loss against the labels, as the recipe has it: with weights of classes, smoothing and mixing.
        scaling: The mean and the deviation of each channel, by which the images are scaled; black is 0, white 1.
    """

    images: "torch.Tensor"
    labels: "torch.Tensor"
    indices: "torch.Tensor"
    logits: "torch.Tensor"
    data: "Callable[[], torch.Tensor]"
    scaling: tuple[tuple[float, ...], tuple[float, ...]]


class Course:
    """A method while a training runs; it does nothing that is not overridden."""

    def learns(self, data: "Data", fixed: bool) -> None:
        """What the stage will show; `fixed` says whether an image is the same whenever it is shown.

        Raises:
            ArchspecError: It is nothing for the method.
        """

    def stage(self, steps: int) -> None:
        """How many steps the stage has.

        Raises:
            ArchspecError: They are too few; before the first step.
        """

    def parameters(self, named: "dict[str, torch.nn.Parameter]") -> "dict[str, torch.nn.Parameter]":
        """What learns, by name."""
        return named

    def loss(self, seen: LearnedBatch) -> "dict[str, torch.Tensor]":  # noqa: ARG002
        """The terms of the loss; where no method has any, it is the data's own."""
        return {}

    def before_step(self, step: int) -> None:
        """The gradients are there, the optimiser has not moved; `step` counts from 0 in the stage."""

    def after_step(self, model: "torch.nn.Module", average: "torch.nn.Module | None", step: int) -> None:
        """The optimiser has moved the weights, and the average has followed."""

    def ready(self, done: int) -> bool:  # noqa: ARG002
        """Whether after so many steps of the stage the weights are what the method makes of them."""
        return True

    def end(self) -> None:
        """The stage is over, and the next one takes the model."""

    def tensors(self) -> "dict[str, torch.Tensor]":
        """What a checkpoint holds of it."""
        return {}

    def restore(self, tensors: "Mapping[str, torch.Tensor]") -> None:
        """Go back to what a checkpoint held."""

    def weights(self, named: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """The weights to save, under the network's own names."""
        return named

    def facts(self) -> dict[str, Any]:
        """What the record of the run says of it."""
        return {}

    def correction(self, held: "Callable[[], tuple[torch.Tensor, torch.Tensor]]") -> "torch.Tensor | None":  # noqa: ARG002
        """What is added to each class's logit at the end; None for nothing.

        Args:
            held: Gives the logits of the validation images, and their labels.
        """
        return None


class Method(Located):
    """A method: a frozen class with its keys.

    Attributes:
        key: Its key in a recipe.
        short: The key that a value alone stands for, as in `max_norm: 2`; None where a mapping is wanted.
        averages: Whether the average of weights that it made is one that it could make.
        of_the_run: Whether it is of the whole training, and of no stage.
    """

    key: ClassVar[str]
    short: ClassVar[str | None] = None
    averages: ClassVar[bool] = True
    of_the_run: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """A method is a key of recipes."""
        METHODS[cls.key] = cls

    def data(self, data: "Data") -> "Data":
        """What is learned, where it is not the data as they are; for methods of the whole training.

        Raises:
            ArchspecError: The data have not what the method speaks of.
        """
        return data

    def images(self, order: "torch.Tensor", data: "Data") -> "torch.Tensor":  # noqa: ARG002
        """The training images that an epoch shows, by number; given are all, in the epoch's random order.

        How many there are is the same in every epoch.

        Raises:
            ArchspecError: The data have not what the method speaks of.
        """
        return order

    def start(
        self,
        tensors: "Mapping[str, torch.Tensor]",
        names: "Sequence[str]",  # noqa: ARG002
        network: Network,  # noqa: ARG002
    ) -> "Mapping[str, torch.Tensor]":
        """The weights of another run to begin with, made fit; `names` are its classes, if it says so."""
        return tensors

    def begin(self, model: "torch.nn.Module", network: Network) -> Course:  # noqa: ARG002
        """The course of the method from the weights that a model has; one that changes nothing, if it has none.

        Raises:
            ArchspecError: The method does not fit the network; before the first step.
        """
        return Course()

    @classmethod
    def from_text(cls, raw: Any) -> Any:
        """A mapping, or the value of the key that stands for all."""
        return raw if cls.short is None or isinstance(raw, dict) else {cls.short: raw}
