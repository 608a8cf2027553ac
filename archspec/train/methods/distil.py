"""Distillation: a small network learns what a large one takes for likely (Hinton et al. 2015, arXiv:1503.02531)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.errors import ArchspecError
from archspec.train.domains import real, texts
from archspec.train.methods.base import Course, Method, Seen, registered

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from archspec.graph import Network


@registered
class Distil(Method):
    """Soft targets at a temperature T, and a share of the hard ones: (1 − hard)·T²·KL(teacher, student) + hard·data.

    Several teachers are one: the mean of their probabilities at T (which is not the softmax of their mean logits).

    Attributes:
        teachers: Folders of runs.
        temperature: T. The factor T² keeps the soft part's gradient of the size of the hard part's (section 2).
        hard: The share of the loss against the labels.
    """

    key: ClassVar[str] = "distil"

    teachers: Annotated[tuple[str, ...], texts("folders of runs", 1)]
    temperature: Annotated[float, real(0, 1e6, open_below=True)] = 20.0
    hard: Annotated[float, real(0, 1)] = 0.1

    def begin(self, model: "nn.Module", network: "Network", seed: int) -> "Distilled":  # noqa: ARG002
        """Load the teachers, and hold them against the student: the same images, the same classes."""
        from archspec import runs
        from archspec.train import checkpoint
        from archspec.train.score import fill

        device = next(model.parameters()).device
        shape, classes = network.input.shape[1:], network.tensor(network.output).shape[1]
        loaded: list[Teacher] = []
        digests = {}
        for place in self.teachers:
            run = runs.load(place)
            arch = run.architecture()
            teacher = arch.expand(run.bindings)
            found = teacher.tensor(teacher.output).shape
            if teacher.input.shape[1:] != shape or found[1:] != (classes,):
                raise ArchspecError(
                    f"distil: {place} takes {teacher.input} and has {found[-1]} outputs; "
                    f"{network.name} takes {network.input} and has {classes}"
                )
            weights, note = checkpoint.read_weights(run.weights)
            if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
                raise ArchspecError(f"distil: a weight of {run.weights} is not a number")
            model_ = arch.to_torch(run.bindings, logits=True)
            fill(model_, weights, str(run.weights))
            scaling = (tuple(note["mean"]), tuple(note["deviation"]))
            loaded.append(Teacher(model_.to(device).eval().requires_grad_(False), scaling))
            digests[place] = checkpoint.digest(run.weights)
        return Distilled(self, loaded, digests)


@dataclass(frozen=True, slots=True)
class Teacher:
    """A network that was trained, and how the images were scaled that it learned from."""

    model: "nn.Module"
    scaling: tuple[tuple[float, ...], tuple[float, ...]]

    def logits(self, seen: Seen) -> "Tensor":
        """What it gives for the images of a batch."""
        import torch

        images = seen.images
        if self.scaling != seen.scaling:
            (mean, deviation), (own_mean, own_deviation) = (
                (torch.tensor(values, device=images.device).view(-1, 1, 1) for values in scaling)
                for scaling in (seen.scaling, self.scaling)
            )
            images = (images * deviation + (mean - own_mean)) / own_deviation
        return self.model(images).float()  # type: ignore[no-any-return]


class Distilled(Course):
    """A student with its teachers."""

    def __init__(self, keys: Distil, teachers: list[Teacher], digests: dict[str, str]) -> None:
        self.keys, self.teachers, self.digests = keys, teachers, digests

    def loss(self, seen: Seen) -> "dict[str, Tensor]":
        """The soft part, times T², and the hard one."""
        import torch

        with torch.no_grad():
            given = [teacher.logits(seen) for teacher in self.teachers]
        terms = {"soft": (1 - self.keys.hard) * soft_loss(seen.logits, given, self.keys.temperature)}
        return terms | ({"hard": self.keys.hard * seen.data()} if self.keys.hard else {})

    def facts(self) -> dict[str, Any]:
        """The teachers' weights."""
        return {"teachers": self.digests}


def soft_loss(logits: "Tensor", teachers: "list[torch.Tensor]", temperature: float) -> "Tensor":
    """T²·KL(p, q): p is the mean of the teachers' softmax(v/T), q is softmax(z/T); the mean over the batch."""
    import torch
    from torch.nn import functional

    targets = torch.stack([functional.softmax(given / temperature, 1) for given in teachers]).mean(0)
    student = functional.log_softmax(logits / temperature, 1)
    return functional.kl_div(student, targets, reduction="batchmean") * temperature**2
