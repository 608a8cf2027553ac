"""Reshapings that are one operator."""

from dataclasses import replace
from math import prod

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Nodes, before, made_of
from archspec.importing.rules import one_or_pair


def channel_shuffle(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """n × g·m × h × w as n × g × m × h × w, the two changed about, and back."""
    permute = before(node, nodes, "~permute") if node.operator == "~reshape" else None
    first = before(permute, nodes, "~reshape") if permute is not None else None
    if permute is None or first is None or permute.args["order"] not in {(0, 2, 1, 3, 4), (0, 2, 1, 3)}:
        return None
    n, groups, *rest = first.shape
    if len(node.shape) != 4 or node.shape[0] != n or groups * rest[0] != node.shape[1]:
        return None
    if prod(rest[1:]) != prod(node.shape[2:]):
        return None
    return made_of(node, "channel_shuffle", first.inputs, groups=groups)


def over_channels(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A layer normalisation of the last axis, where the channels were put behind before, and back afterwards."""
    rank = len(node.shape)
    back, there = (0, rank - 1, *range(1, rank - 1)), (0, *range(2, rank), 1)
    norm = before(node, nodes, "layer_norm") if node.operator == "~permute" and node.args["order"] == back else None
    first = before(norm, nodes, "~permute") if norm is not None else None
    if norm is None or first is None or first.args["order"] != there or rank < 3:
        return None
    args = {name: value for name, value in norm.args.items() if name != "normalized_shape"}
    if len(norm.args.get("normalized_shape") or (0,)) != 1:
        return None
    return replace(norm, name=node.name, args={**args, "over_channels": True}, inputs=first.inputs, shape=node.shape)


def patches(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Squares as columns, and these as rows; rows as columns, and these as squares."""
    if node.operator == "~permute" and node.args["order"] == (0, 2, 1):
        columns = before(node, nodes, "~columns")
        return made_of(node, "patches", columns.inputs, **columns.args) if columns is not None else None
    turned = before(node, nodes, "~permute") if node.operator == "~squares" else None
    if turned is None or turned.args["order"] != (0, 2, 1):
        return None
    size = node.args["patch_size"]
    sides = size if isinstance(size, tuple) else (size, size)
    grid = tuple(whole // side for whole, side in zip(node.shape[2:], sides, strict=True))
    return made_of(node, "from_patches", turned.inputs, grid=grid, patch_size=size)


def columns(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Rows, and then columns, looked up square by square, with the squares' pixels put beside the channels."""
    turned = before(node, nodes, "~permute") if node.operator == "~reshape" and len(node.shape) == 3 else None
    across = before(turned, nodes, "~gather") if turned is not None else None
    down = before(across, nodes, "~gather") if across is not None else None
    if turned is None or across is None or down is None or turned.args["order"] != (0, 1, 2, 4, 3, 5):
        return None
    if (down.args["dim"], across.args["dim"]) != (2, 4) or not all(map(_in_squares, (down, across))):
        return None
    sizes = tuple(len(each.args["places"]) for each in (down, across))
    return replace(node, operator="~columns", args={"patch_size": one_or_pair(sizes)}, inputs=down.inputs, foreign=True)


def strided(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """All elements looked up in order from a flat list of themselves, as ONNX has `as_strided`: nothing."""
    flat = before(node, nodes, "~reshape") if node.operator == "~gather" and node.args["dim"] == 0 else None
    if flat is None or len(flat.shape) != 1 or flat.args["before"] != node.shape:
        return None
    if not np.array_equal(np.ravel(node.args["places"]), np.arange(flat.shape[0])):
        return None
    source = nodes.get(flat.inputs[0])
    if source is not None and not source.arrays:
        return replace(source, name=node.name)
    return made_of(node, "identity", flat.inputs)


def _in_squares(node: FlatNode) -> bool:
    """Whether place j of the squares' row i is i + k·j: all, one behind the other."""
    places = node.args["places"]
    k = len(places)
    return all(list(row) == [i + k * j for j in range(len(row))] for i, row in enumerate(places))


def rolled(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """The end of an axis before its beginning; of several axes, one after the other."""
    if node.operator != "concat" or len(node.inputs) != 2 or node.args.get("dim", 1) == 1:
        return None
    dim, size = node.args["dim"], node.shape[node.args["dim"]]
    first, second = (nodes.get(name) for name in node.inputs)
    pieces = [_piece(each, dim) for each in (first, second)]
    if first is None or second is None or first.inputs != second.inputs or None in pieces:
        return None
    (start, length), (other, rest) = pieces  # type: ignore[misc]  # None is not among them
    if (other, start, rest + length) != (0, rest, size):
        return None
    shift = length if 2 * length <= size else length - size
    earlier = nodes.get(first.inputs[0])
    if earlier is not None and earlier.operator == "roll" and dim not in earlier.args["dims"]:
        args = {"shifts": (*earlier.args["shifts"], shift), "dims": (*earlier.args["dims"], dim)}
        return made_of(node, "roll", earlier.inputs, **args)
    return made_of(node, "roll", first.inputs, shifts=(shift,), dims=(dim,))


def _piece(node: FlatNode | None, dim: int) -> tuple[int, int] | None:
    """Where a part of an axis begins, and how long it is."""
    if node is None or node.args.get("dim", 1) != dim:
        return None
    if node.operator == "narrow":
        return node.args.get("start", 0), node.args["length"]
    if node.operator != "split":
        return None
    sections, index, length = node.args["sections"], node.args["index"], node.shape[dim]
    return (sum(sections[:index]) if isinstance(sections, tuple) else index * length), length


def pixels(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """Pixels and channels exchanged by two reshapings and an exchange of axes between them."""
    turned = before(node, nodes, "~permute") if node.operator == "~reshape" and len(node.shape) == 4 else None
    first = before(turned, nodes, "~reshape") if turned is not None else None
    if turned is None or first is None or len(first.args["before"]) != 4 or len(first.shape) != 6:
        return None
    n, c, h, w = first.args["before"]
    order, shape = turned.args["order"], first.shape
    if order == (0, 1, 3, 5, 2, 4) and shape[3] == shape[5] and shape[:2] == (n, c):
        r = shape[3]
        fits = node.shape == (n, c * r * r, h // r, w // r)
        return made_of(node, "pixel_unshuffle", first.inputs, downscale_factor=r) if fits else None
    if order == (0, 1, 4, 2, 5, 3) and shape[2] == shape[3] and shape[4:] == (h, w):
        r = shape[2]
        fits = node.shape == (n, c // (r * r), h * r, w * r)
        return made_of(node, "pixel_shuffle", first.inputs, upscale_factor=r) if fits else None
    return None


def selected(node: FlatNode, nodes: Nodes) -> list[FlatNode] | None:
    """A place of the first axis, where the batch had been moved away from: a place of the axis that came in front."""
    turned = before(node, nodes, "~permute") if node.operator == "~select" else None
    if turned is None or turned.args["order"][0] == 0:
        return None
    axis, *rest = turned.args["order"]
    source = nodes.get(turned.inputs[0])
    if source is None:
        return None
    shape = tuple(size for dim, size in enumerate(source.shape) if dim != axis)
    name = f"{node.name}@taken"
    taken = replace(made_of(node, "select", turned.inputs, dim=axis, index=node.args["index"]), name=name, shape=shape)
    order = tuple(dim - (dim > axis) for dim in rest)
    if order == tuple(range(len(order))):
        return [replace(taken, name=node.name)]
    return [taken, replace(node, operator="~permute", args={"order": order}, inputs=(name,))]


def pooled(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A global pooling that keeps its axes, flattened: one that does not."""
    for kind in sorted(GLOBAL):
        found = before(node, nodes, kind) if node.operator == "flatten" else None
        if found is not None and found.args.get("keepdim"):
            return replace(found, name=node.name, args={}, shape=node.shape)
    return None


def of_one_row(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A pooling of an image of one row that is a sequence before and behind: a pooling of the sequence."""
    pool = node if node.operator in GLOBAL and not node.args.get("keepdim") else None
    if node.operator == "~reshape" and len(node.shape) == 3:
        pool = nodes.get(node.inputs[0])
    first = before(pool, nodes, "~reshape") if pool is not None else None
    if pool is None or first is None or len(first.args["before"]) != 3 or first.shape != _one_row(first.args["before"]):
        return None
    if pool.operator in GLOBAL:
        return made_of(node, pool.operator, first.inputs, keepdim=node is not pool)
    kind, _, axes = pool.operator.partition("_pool")
    if axes != "2d" or kind not in {"max", "avg"} or pool.shape != _one_row(node.shape):
        return None
    pairs = {
        name: value if isinstance(value, tuple) else (value, value)
        for name, value in pool.args.items()
        if name in _PAIRS
    }
    if any(pairs[name][0] != _PAIRS[name] for name in pairs if name != "stride"):
        return None
    args = {**pool.args, **{name: pair[1] for name, pair in pairs.items()}}
    return made_of(node, f"{kind}_pool1d", first.inputs, **args)


GLOBAL = frozenset({"global_avg_pool", "global_max_pool"})
_PAIRS = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
"""What windows of a row have along the height."""


def _one_row(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of an image of one row, n × c × 1 × length."""
    n, c, length = sizes
    return n, c, 1, length


def reshaped_twice(node: FlatNode, nodes: Nodes) -> FlatNode | None:
    """A flattening behind a reshaping is a flattening."""
    found = before(node, nodes, "~reshape") if node.operator == "flatten" else None
    return replace(node, inputs=found.inputs) if found is not None else None


def single_join(node: FlatNode, _: Nodes) -> FlatNode | None:
    """A join of one result is that result."""
    alone = node.operator in {"concat", "add"} and len(node.inputs) == 1
    return made_of(node, "identity", node.inputs) if alone else None


def moved(node: FlatNode) -> FlatNode | list[FlatNode]:
    """A reshaping or an exchange of axes that is no part of anything else: an operator of its own; so of a bias."""
    if node.operator == "~bias":
        held = node.arrays["bias"]
        shape = (*(1,) * (len(node.shape) - 2), *held.shape)
        table = made_of(node, "parameter", node.inputs, shape=shape)
        weight = {"weight": held.reshaped(shape)}
        table = replace(table, name=f"{node.name}@bias", shape=(node.shape[0], *shape), arrays=weight)
        told = {} if table.shape == node.shape else {"broadcast": True}
        return [table, replace(made_of(node, "add", (*node.inputs, table.name), **told), arrays={})]
    if node.operator == "~reshape" and len(node.shape) > 1 and node.args["before"][0] == node.shape[0]:
        return _reshaping(node, node.args["before"])
    if node.operator == "~permute" and node.args["order"][0] == 0:
        order = node.args["order"]
        out = [dim for dim, source in enumerate(order) if dim != source]
        if len(out) == 2:
            args = {"dim0": out[0], "dim1": out[1]}
            return made_of(node, "transpose", node.inputs, **({} if out == [1, 2] else args))
        return made_of(node, "permute", node.inputs, dims=order[1:])
    return node


def _reshaping(node: FlatNode, sizes: tuple[int, ...]) -> FlatNode:
    """Neighbouring axes as one, or one as several; else all sizes anew."""
    after, start = node.shape, 0
    while start < min(len(sizes), len(after)) and sizes[start] == after[start]:
        start += 1
    kept = 0
    while kept < min(len(sizes), len(after)) - start and sizes[len(sizes) - 1 - kept] == after[len(after) - 1 - kept]:
        kept += 1
    gone, new = sizes[start : len(sizes) - kept], after[start : len(after) - kept]
    if len(new) == 1 and len(gone) > 1 and start:
        end = {} if not kept else {"end_dim": start + len(gone) - 1}
        return made_of(node, "flatten", node.inputs, start_dim=start, **end)
    if len(gone) == 1 and len(new) > 1 and start:
        return made_of(node, "unflatten", node.inputs, dim=start, unflattened_size=new)
    return made_of(node, "reshape", node.inputs, shape=after[1:])
