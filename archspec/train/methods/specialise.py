"""Specialists: networks that tell some classes apart, and take all others for one (Hinton et al. 2015, section 5)."""

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.language.domains import texts
from archspec.train.methods.base import Method, torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from archspec.train.data import Data

OTHERS = "others"
"""What the class of all other classes is called: the paper's dustbin."""


class Specialise(Method):
    """The network tells so many classes apart, and one more: all others. Of each batch half the images are special.

    An epoch shows as many images of the special classes as of the others: all of the fewer ones, and as many of the
    rest by chance. It begins best with the weights of a generalist, `start`: then the head, too, begins with what the
    generalist knows (see `start` below).

    Attributes:
        classes: The special classes, by name or number; the network's classes in this order, the others behind them.
    """

    key: ClassVar[str] = "specialise"
    short: ClassVar[str | None] = "classes"
    of_the_run: ClassVar[bool] = True

    classes: Annotated[tuple[str, ...], texts("names of classes", 1, numbers=True)]

    def special(self, data: "Data") -> list[int]:
        """The numbers of the special classes.

        Raises:
            ArchspecError: There is no such class, one stands twice, or there are no others.
        """
        found = [data.named(name, "specialise") for name in self.classes]
        if twice := next((self.classes[i] for i, label in enumerate(found) if label in found[:i]), None):
            raise ArchspecError(f"specialise: class '{twice}' stands twice")
        if len(found) == data.classes:
            raise ArchspecError(f"specialise: these are all classes of {data.name}, and leave no others")
        return found

    def data(self, data: "Data") -> "Data":
        """The special classes in their order, and the others as one."""
        from dataclasses import replace

        from archspec.train.data import DataSplit, noted

        special = self.special(data)
        number = torch.full((data.classes,), len(special), dtype=torch.int64)
        number[special] = torch.arange(len(special))
        train, test, *more = (DataSplit(split.images, number[split.labels.cpu()]) for split in data.splits.values())
        names = (*map(data.called, special), OTHERS)
        return replace(
            data,
            train=train,
            test=test,
            validation=more[0] if more else None,
            classes=len(names),
            names=names,
            note=noted(data.note, f"classes {', '.join(names[:-1])}, and all others as one"),
        ).checked()

    def images(self, order: "torch.Tensor", data: "Data") -> "torch.Tensor":
        """Special images and others, in turn."""
        special = data.train.labels.cpu()[order] < len(self.classes)
        pair = order[special], order[~special]
        few = min(map(len, pair))
        if not few:
            raise ArchspecError(
                f"specialise: there are no training images of {'these' if special.any() else 'special'} classes"
            )
        return torch.stack([part[:few] for part in pair], 1).flatten()

    def start(
        self, tensors: "Mapping[str, torch.Tensor]", names: "Sequence[str]", network: Network
    ) -> "Mapping[str, torch.Tensor]":
        """The generalist's weights, its head made one for these classes.

        A special class keeps its weights. Those of the others are the mean of theirs, and the bias is the mean plus the
        logarithm of their number: the logit of all of them together, where they are alike.
        """
        from archspec.train.data import numbered
        from archspec.train.score import head_of

        head = [state_key(head_of(network), kind) for kind in ("weight", "bias")]
        known = {len(tensors[key]) for key in head if key in tensors}
        if len(known) != 1 or (names and names[-1] == OTHERS):  # those of a specialist, or of nothing that is known
            return tensors
        (classes,) = known
        special = [numbered(name, names, classes, "specialise: the run to start with") for name in self.classes]
        rest = [label for label in range(classes) if label not in special]
        fitted = {
            key: torch.cat([tensors[key][special], tensors[key][rest].mean(0, keepdim=True)])
            for key in head
            if key in tensors
        }
        if head[1] in fitted:
            fitted[head[1]][-1] += math.log(len(rest))
        return {**tensors, **fitted}
