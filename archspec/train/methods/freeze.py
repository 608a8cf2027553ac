"""Layers that do not learn: `freeze: [conv1, stage2/*]`, or `freeze: {layers: "*", but: fc}`."""

from fnmatch import fnmatchcase
from typing import Annotated, ClassVar

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.language.domains import Switch, texts
from archspec.train.methods.base import Course, Method, torch


class Freeze(Method):
    """Layers that keep their weights, and batch norms that keep their statistics.

    Attributes:
        layers: Names of layers, or of what they stand in, with slashes or dots; `*` stands for any text.
        but: What of them learns all the same.
        norms: Whether every batch norm keeps its statistics, not only those that are frozen.
    """

    key: ClassVar[str] = "freeze"
    short: ClassVar[str | None] = "layers"

    layers: Annotated[tuple[str, ...], texts("names of layers")] = ()
    but: Annotated[tuple[str, ...], texts("names of layers")] = ()
    norms: Switch = False

    def holds(self, name: str) -> bool:
        """Whether an array, or a layer, is frozen."""
        return _among(name, self.layers) and not _among(name, self.but)

    def begin(self, model: "torch.nn.Module", network: Network) -> "Frozen":
        """Nothing moves yet."""
        names = [name for name, _ in model.named_parameters()]
        for pattern in (*self.layers, *self.but):
            if not any(_among(name, (pattern,)) for name in names):
                raise ArchspecError(f"freeze: '{pattern}' is not a layer of {network.name} with weights")
        if all(map(self.holds, names)):
            raise ArchspecError(f"freeze: no weight of {network.name} would learn")
        return Frozen(self, model)


class Frozen(Course):
    """Layers while they do not learn."""

    def __init__(self, keys: Freeze, model: "torch.nn.Module") -> None:
        self.keys = keys
        for name, module in model.named_modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and (
                keys.norms or keys.holds(f"{name}.weight")
            ):
                still(module)

    def parameters(self, named: "dict[str, torch.nn.Parameter]") -> "dict[str, torch.nn.Parameter]":
        """Those that are not frozen; a frozen one has no gradient."""
        for name, parameter in named.items():
            parameter.requires_grad_(not self.keys.holds(name))
        return {name: parameter for name, parameter in named.items() if parameter.requires_grad}


def still(norm: "torch.nn.Module") -> None:
    """Keep the statistics of a batch norm as they are, whether the network learns or not, until the stage is over."""
    norm.eval()
    norm.train = lambda _=True, norm=norm: norm  # type: ignore[method-assign,misc]


def moving(model: "torch.nn.Module") -> None:
    """Let the batch norms of a model measure again while it learns."""
    for module in model.modules():
        vars(module).pop("train", None)


def _among(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name of an array is that of a layer, or of what a layer stands in."""
    wanted = [pattern.replace("/", ".") for pattern in patterns]
    parts = name.split(".")
    return any(fnmatchcase(".".join(parts[:i]), pattern) for pattern in wanted for i in range(1, len(parts) + 1))
