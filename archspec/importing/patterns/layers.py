"""Layers that an exporter takes apart."""

from dataclasses import replace

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, without


def biased(node: Seen) -> FlatNode | None:
    """A linear layer whose bias is added behind it."""
    match node:
        case Seen("~bias", [Seen("linear") as found]) if "bias" not in found.arrays:
            arrays = {**found.arrays, **node.arrays}
            return replace(found.flat, name=node.name, args=without(found.args, "bias"), arrays=arrays)
    return None


def local_response(node: Seen) -> FlatNode | None:
    """x / (k + alpha·mean of squares)^beta as `torch.nn.functional.local_response_norm` writes it."""
    match node:
        case Seen("aten.div.Tensor" | "divide", [x, at]):
            chain = dict[str, Seen]()
            while at.of and at != x and len(chain) < 12 and (at.operator, at.of) != ("mul", (x, x)):
                chain[at.operator] = at
                at = at.of[0]
            match chain:
                case {"power": power, "~mul": times, "~add": added, "avg_pool3d": window} | {
                    "power": power,
                    "~mul": times,
                    "~add": added,
                    "avg_pool2d": window,
                }:
                    size = next((n for n in window.args.get("kernel_size", ()) if n > 1), 1)
                    beta, alpha, k = power.args["exponent"], times.args["number"], added.args["number"]
                    return node.made("local_response_norm", x, size=size, beta=beta, alpha=alpha, k=k)
    return None
