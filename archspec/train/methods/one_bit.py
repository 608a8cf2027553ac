"""One-bit layers while they learn (Rastegari et al. 2016, XNOR-Net, arXiv:1603.05279, and its authors' code)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from archspec.errors import ArchspecError
from archspec.graph import Network
from archspec.graph.names import state_key
from archspec.language.domains import Switch, word
from archspec.train.methods.base import Course, Method, torch

GRADIENTS = ("exact", "paper")


class OneBit(Method):
    """Real weights learn behind one-bit layers; what is saved has one bit per weight, and its factors.

    A network gets one-bit layers by a plan: `archspec train lenet_5 --plan xnor_lenet_5`.

    Attributes:
        gradient: "exact": the product rule; "paper": section 3.1 as printed. See `archspec.runtime.binary`.
        centre: Whether the mean over the input channels is taken off at each tap, as the authors' code does.
        clip: Whether weights are kept within ±1, as it does.
    """

    key: ClassVar[str] = "one_bit"
    short: ClassVar[str | None] = "gradient"

    gradient: Annotated[str, word(GRADIENTS)] = "exact"
    centre: Switch = True
    clip: Switch = True

    def start(
        self,
        tensors: "Mapping[str, torch.Tensor]",
        names: "Sequence[str]",  # noqa: ARG002
        network: Network,
    ) -> "Mapping[str, torch.Tensor]":
        """Real weights, with what one-bit layers have besides: factors, and fresh normalisations before them."""
        found = dict(tensors)
        one_bit = [node for node in network.nodes if node.operator.one_bit]
        before = {name for node in one_bit for name in node.inputs}
        for node in one_bit:
            key, weight = state_key(node.name, "alpha"), tensors.get(state_key(node.name, "weight"))
            if key not in tensors and weight is not None:
                found[key] = factors(weight)
        for node in network.nodes:
            if node.name in before and node.operator.name == "batch_norm":
                unseen = torch.nn.BatchNorm2d(node.output.shape[1]).state_dict()
                fresh = {state_key(node.name, name): array for name, array in unseen.items()}
                if not fresh.keys() & tensors.keys():
                    found |= fresh
        return found

    def begin(self, model: "torch.nn.Module", network: Network) -> "Signed":
        """Centre and clip the weights that there are."""
        from archspec.runtime.binary import BinaryConv2d, BinaryLinear

        layers: dict[str, torch.nn.Module] = {
            name: module for name, module in model.named_modules() if isinstance(module, BinaryConv2d | BinaryLinear)
        }
        if not layers:
            raise ArchspecError(
                f"one_bit: {network.name} has no one-bit layers; a plan makes them: "
                f"archspec train {network.name} --plan PLAN, with 'binary: xnor' for some of its layers"
            )
        return Signed(self, layers)


class Signed(Course):
    """A training of real weights whose signs compute."""

    def __init__(self, keys: OneBit, layers: "dict[str, torch.nn.Module]") -> None:
        self.keys, self.layers = keys, layers
        for module in layers.values():
            module.gradient = keys.gradient  # type: ignore[assignment]  # no tensor: torch lets any stand
        self.settle(layers)

    def settle(self, layers: "dict[str, torch.nn.Module]") -> None:
        """Centre and clip weights, and give them their factors."""
        with torch.no_grad():
            for module in layers.values():
                weight: Any = module.weight
                if self.keys.centre:
                    weight.sub_(weight.mean(1, keepdim=True))
                if self.keys.clip:
                    weight.clamp_(-1, 1)
                module.alpha.copy_(factors(weight))  # type: ignore[operator]

    def after_step(self, model: "torch.nn.Module", average: "torch.nn.Module | None", step: int) -> None:  # noqa: ARG002
        """Centre and clip again; the average of such weights is such, and has factors of its own."""
        self.settle(self.layers)
        if average is not None:
            self.settle({name: average.get_submodule(name) for name in self.layers})

    def end(self) -> None:
        """The product rule again."""
        for module in self.layers.values():
            module.gradient = "exact"  # type: ignore[assignment]

    def weights(self, named: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
        """Signs for weights, beside the factors of the real ones."""
        signs = {f"{name}.weight": named[f"{name}.weight"] for name in self.layers}
        return {
            **named,
            **{key: (weight >= 0).to(weight.dtype) * 2 - 1 for key, weight in signs.items()},
            **{f"{key.removesuffix('weight')}alpha": factors(weight) for key, weight in signs.items()},
        }

    def facts(self) -> dict[str, Any]:
        """The layers."""
        return {"layers": list(self.layers)}


def factors(weight: "torch.Tensor") -> "torch.Tensor":
    """α: the mean of |W| of each filter."""
    return weight.detach().abs().flatten(1).mean(1)
