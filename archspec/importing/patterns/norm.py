"""Normalisations that are written as arithmetic, or by others."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, without
from archspec.importing.program import HeldArray


def root_mean_square(node: Seen) -> Iterator[FlatNode]:
    """x over the root of the mean of its squares along the last axis."""
    match _over_root(node):
        case (x, Seen("mean", [Seen("power", [y], args={"exponent": 2})], args={"dim": (axis,), "keepdim": True}), eps):
            if x == y and axis == len(node.shape) - 1 and node.operator == "mul":
                yield node.made("rms_norm", x, eps=eps, elementwise_affine=False)


def layer(node: Seen) -> Iterator[FlatNode]:
    """(x − mean)/√(mean of (x − mean)² + eps) over the last axis, or over the channels of each pixel."""
    match _over_root(node):
        case (
            Seen("subtract", [x, Seen("mean", [y], args={"dim": dims, "keepdim": True}) as mean]) as centred,
            Seen("mean", [Seen("power", [Seen("subtract") as again], args={"exponent": 2})]) as square,
            eps,
        ) if x == y and again.of == centred.of and mean.args == square.args:
            last = len(node.shape) - 1
            if dims == (1,) and last > 2:
                yield node.made("layer_norm", x, eps=eps, elementwise_affine=False, over_channels=True)
            elif dims == (last,):
                sizes = {"normalized_shape": node.shape[-1:]} if last > 2 else {}
                yield node.made("layer_norm", x, eps=eps, elementwise_affine=False, **sizes)


def _over_root(node: Seen) -> tuple[Seen, Seen, Any] | None:
    """What a node divides by the root of something, that, and the number that is added to it."""
    match node:
        case (
            Seen("divide", [x, Seen("power", [Seen("~add", [total], args={"number": eps})], args={"exponent": 0.5})])
            | Seen("mul", [x, Seen("power", [Seen("~add", [total], args={"number": eps})], args={"exponent": -0.5})])
            | Seen(
                "mul",
                [
                    x,
                    Seen(
                        "power",
                        [Seen("power", [Seen("~add", [total], args={"number": eps})], args={"exponent": 0.5})],
                        args={"exponent": -1},
                    ),
                ],
            )
        ):
            return x, total, eps
    return None


def in_groups(node: Seen) -> Iterator[FlatNode]:
    """Groups of channels as the channels of another normalisation, and back."""
    match node:
        case Seen("~reshape", [Seen("instance_norm", [Seen("~reshape", [x], shape=(_, groups, _)) as first]) as norm]):
            if first.args["before"] == node.shape and not norm.args.get("affine"):
                eps = norm.args.get("eps", 1e-5)
                yield node.made("group_norm", x, num_groups=groups, eps=eps, affine=False)


def scaled(node: Seen) -> Iterator[FlatNode]:
    """A learned scale behind a normalisation that has none; of groups a shift must follow, which torch's has too."""
    match node:
        case Seen("mul", [Seen("rms_norm" | "layer_norm" | "group_norm" as kind) as norm, Seen("parameter") as factor]):
            held = _of_features(factor, norm) if not norm.arrays else None
            if held is not None:
                args = without(norm.args, "affine", "elementwise_affine")
                found = replace(norm.flat, name=node.name, args=args, arrays={"weight": held})
                more = {"layer_norm": {"args": {**args, "bias": False}}, "group_norm": GROUPS_SCALED}
                yield replace(found, **more.get(kind, {}))


GROUPS_SCALED: dict[str, Any] = {"operator": "~group_norm", "foreign": True}
"""A normalisation of groups behind which a shift must follow."""


def shifted(node: Seen) -> Iterator[FlatNode]:
    """The learned shift behind the scale of a normalisation of groups, or of a layer."""
    match node:
        case Seen("~bias", [Seen("~group_norm" | "layer_norm") as norm]):
            held: HeldArray | None = node.arrays["bias"]
        case Seen("add", [Seen("~group_norm" | "layer_norm") as norm, Seen("parameter") as added]):
            held = _of_features(added, norm)
        case _:
            return
    if held is not None and norm.arrays.keys() == {"weight"} and held.shape == norm.arrays["weight"].shape:
        operator, arrays = norm.operator.strip("~"), {**norm.arrays, "bias": held}
        args = without(norm.args, "bias")
        yield replace(norm.flat, name=node.name, operator=operator, foreign=False, args=args, arrays=arrays)


def _of_features(joined: Seen, norm: Seen) -> HeldArray | None:
    """The array of as many numbers as a normalisation has channels or features, if what is joined with it is that."""
    last = norm.operator == "rms_norm" or (norm.operator == "layer_norm" and not norm.args.get("over_channels"))
    axis, held = -1 if last else 1, joined.arrays["weight"]
    size, aligned = norm.shape[axis], (1, *held.shape)
    fits = len(aligned) == len(norm.shape) and aligned[axis] == size == prod(aligned)
    return held.reshaped((size,)) if fits else None
