"""Distillation: a small network learns what a large one takes for likely (Hinton et al. 2015, arXiv:1503.02531)."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.domains import real, texts, word
from archspec.train.methods.base import Course, LearnedBatch, Method, torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from archspec.train.data import Data
    from archspec.train.score import Trained

MATCHES = ("probabilities", "logits")
MAX_KNOWN = 2**28
"""So many targets are kept, where an image is never another than before: a gigabyte of them."""


class Distil(Method):
    """Soft targets at a temperature T, and a share of the hard ones: (1 − hard)·T²·KL(teacher, student) + hard·data.

    Several teachers are one: the mean of their probabilities at T (which is not the softmax of their mean logits).

    Attributes:
        teachers: Folders of runs.
        temperature: T. The factor T² keeps the soft part's gradient of the size of the hard part's (section 2).
        hard: The share of the loss against the labels.
        match: What of the teacher is matched: its "probabilities" at T, or its "logits", which is the limit of that at
            high temperature: Σ((z − z̄) − (v − v̄))²/(2N) over N classes (section 2.1).
        leave_out: Classes, by name or number, of which the student sees no image (section 3). Their logits are
            corrected at the end by a common bias, the one with the fewest errors on the validation images.
    """

    key: ClassVar[str] = "distil"

    teachers: Annotated[tuple[str, ...], texts("folders of runs", 1)]
    temperature: Annotated[float, real(0, 1e6, open_below=True)] = 20.0
    hard: Annotated[float, real(0, 1)] = 0.1
    match: Annotated[str, word(MATCHES)] = "probabilities"
    leave_out: Annotated[tuple[str, ...], texts("names of classes", numbers=True)] = ()

    def images(self, order: "torch.Tensor", data: "Data") -> "torch.Tensor":
        """Those whose classes are not left out."""
        if not self.leave_out:
            return order
        return order[~torch.isin(data.train.labels.cpu()[order], torch.tensor(self.left_out_of(data)))]

    def left_out_of(self, data: "Data") -> list[int]:
        """The numbers of the classes that are left out."""
        found = sorted({data.named(name, "distil: leave_out") for name in self.leave_out})
        if len(found) == data.classes:
            raise ArchspecError(f"distil: leave_out leaves no class of {data.name}")
        return found

    def begin(self, model: "torch.nn.Module", network: Network) -> "Distilled":
        """Load the teachers, and hold them against the student: the same images, the same classes."""
        # a circle: a teacher is a run, and a run's recipe may distil
        from archspec.train.score import input_and_classes, trained

        device = next(model.parameters()).device
        shape, classes = input_and_classes(network)
        loaded = []
        for place in self.teachers:
            try:
                teacher = trained(place, device)
            except ArchspecError as error:
                raise ArchspecError(f"distil: {error}") from None
            own = input_and_classes(teacher.network)
            if own != (shape, classes):
                raise ArchspecError(
                    f"distil: {place} takes {teacher.network.input} and has {own[1]} outputs; "
                    f"{network.name} takes {network.input} and has {classes}"
                )
            loaded.append(teacher)
        if self.leave_out and not _shifts(model, network):
            raise ArchspecError(
                f"distil: leave_out needs a last layer whose bias moves the logits: {network.name} has none"
            )
        return Distilled(self, loaded)


class Distilled(Course):
    """A student with its teachers."""

    def __init__(self, keys: Distil, teachers: "list[Trained]") -> None:
        self.keys, self.teachers = keys, teachers
        self.left_out: list[int] = []
        self.fixed: Data | None = None
        self.known: torch.Tensor | None = None

    def learns(self, data: "Data", fixed: bool) -> None:
        """The teachers know the same classes, and those that are left out are among them."""
        from archspec.train.data import refuse_other_classes

        for teacher in self.teachers:
            refuse_other_classes(teacher.names, data.names, f"distil: {teacher.name}")
        self.left_out = self.keys.left_out_of(data)
        self.fixed = data if fixed and len(data.train) * data.classes <= MAX_KNOWN else None

    def loss(self, seen: LearnedBatch) -> "dict[str, torch.Tensor]":
        """The soft part, times T², and the hard one."""
        with torch.no_grad():
            targets = self._targets(seen)
        if self.keys.match == "logits":
            soft = matched(seen.logits, targets)
        else:
            soft = divergence(seen.logits, targets, self.keys.temperature)
        terms = {"soft": (1 - self.keys.hard) * soft}
        return terms | ({"hard": self.keys.hard * seen.data()} if self.keys.hard else {})

    def _targets(self, seen: LearnedBatch) -> "torch.Tensor":
        """What the teachers say of a batch: known beforehand, where no image is ever another than before.

        All of them are looked at once, in their own order: so a training that is resumed has the same to the bit.
        """
        if self.fixed is None:
            return self._together([teacher.logits(seen.images, seen.scaling) for teacher in self.teachers])
        if self.known is None:
            given = [teacher.guesses(self.fixed.train) for teacher in self.teachers]
            self.known = self._together(given).to(seen.logits.device)
        return self.known[seen.indices]

    def _together(self, given: "Sequence[torch.Tensor]") -> "torch.Tensor":
        return mean_logits(given) if self.keys.match == "logits" else soft_targets(given, self.keys.temperature)

    def facts(self) -> dict[str, Any]:
        """The teachers' weights."""
        return {"teachers": {teacher.name: teacher.digest for teacher in self.teachers}}

    def correction(self, held: "Callable[[], tuple[torch.Tensor, torch.Tensor]]") -> "torch.Tensor | None":
        """The bias of the classes that were left out."""
        if not self.left_out:
            return None
        logits, labels = held()
        added = logits.new_zeros(logits.shape[1])
        added[self.left_out] = best_shift(logits, labels, self.left_out)
        return added


def soft_targets(teachers: "Sequence[torch.Tensor]", temperature: float) -> "torch.Tensor":
    """The mean of the teachers' softmax(v/T), n × N."""
    return torch.stack([(given / temperature).softmax(1) for given in teachers]).mean(0)


def mean_logits(teachers: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """The mean of the teachers' logits, n × N."""
    return torch.stack(list(teachers)).mean(0)


def divergence(logits: "torch.Tensor", targets: "torch.Tensor", temperature: float) -> "torch.Tensor":
    """T²·KL(p, q) of targets p and q = softmax(z/T); the mean over the batch. Its gradient is T·(q − p) an image."""
    student = torch.nn.functional.log_softmax(logits / temperature, 1)
    return torch.nn.functional.kl_div(student, targets, reduction="batchmean") * temperature**2


def matched(logits: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    """Σ((z − z̄) − (v − v̄))²/(2N) over N classes; the mean over the batch. What `divergence` tends to for large T."""
    off = (logits - logits.mean(1, keepdim=True)) - (targets - targets.mean(1, keepdim=True))
    return (off.square().sum(1) / (2 * logits.shape[1])).mean()


def best_shift(logits: "torch.Tensor", labels: "torch.Tensor", classes: list[int]) -> float:
    """What is to be added to the logits of some classes so that the fewest images are taken for another class.

    Each image changes sides once, at the gap between its largest logit of the other classes and its largest of these;
    so the errors are counted exactly between any two gaps. Of the best stretches the one nearest to 0 is taken, and
    of it the middle, or 0 if it lies within.

    >>> import torch
    >>> best_shift(torch.tensor([[3.0, 0.0], [9.0, 0.0], [2.0, 0.0]]), torch.tensor([1, 0, 1]), [1])
    6.0
    """
    some = torch.zeros(logits.shape[1], dtype=torch.bool)
    some[classes] = True
    here, there = (logits.double().masked_fill(~part, -torch.inf).max(1) for part in (some, ~some))
    gap = there.values - here.values  # above it, the image is taken for one of these classes
    before, after = (there.indices == labels).long(), (here.indices == labels).long()
    order = gap.argsort()
    gaps = gap[order]
    right = before.sum() + torch.cat([before.new_zeros(1), (after - before)[order].cumsum(0)])
    edges = torch.cat([gaps[:1] - 2, gaps, gaps[-1:] + 2])  # beyond the last gap nothing changes
    low, high = edges[:-1], edges[1:]
    right = right.masked_fill(low == high, -1)
    inside = (low < 0) & (high > 0)
    middle = torch.where(inside, torch.zeros_like(low), (low + high) / 2)
    best = (right == right.max()).nonzero().flatten()
    return float(middle[best[middle[best].abs().argmin()]])


def _shifts(model: "torch.nn.Module", network: Network) -> bool:
    """Whether what is added to the bias of the last layer is added to the logits."""
    from archspec.train.score import bias_of

    state = dict(model.state_dict())
    own = state.get(bias_of(network))
    classes = network.tensor(network.output).shape[1]
    if own is None or own.shape != (classes,):
        return False
    learning = model.training
    model.eval()
    with torch.no_grad():
        images = torch.rand(2, *network.input.shape[1:], generator=torch.Generator().manual_seed(0)).to(own.device)
        moved = torch.arange(classes, dtype=own.dtype, device=own.device) - classes / 2
        plain = model(images)
        shifted = torch.func.functional_call(model, state | {bias_of(network): own + moved}, (images,))
    model.train(learning)
    return torch.allclose(shifted, plain + moved, atol=1e-3)
