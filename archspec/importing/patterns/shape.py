"""Reshapings that are one operator."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from archspec.importing.flat import FlatNode
from archspec.importing.patterns.base import Seen, made_of
from archspec.importing.rules import one_or_pair
from archspec.ops.base import per_axis


def shuffled(node: Seen) -> Iterator[FlatNode]:
    """Two reshapings and an exchange of axes between them.

    n × g·m × h × w as n × g × m × h × w, the two changed about, and back; or pixels and channels exchanged.
    """
    match node:
        case Seen("~reshape", [Seen("~permute", [Seen("~reshape", [x]) as first], args={"order": order})]):
            parts, before, after = first.shape, first.args["before"], node.shape
        case _:
            return
    match order, parts, before, after:
        case (0, 2, 1, 3, 4) | (0, 2, 1, 3), (n, groups, m, *rest), _, (_, c, h, w) if (
            n == after[0] and groups * m == c and prod(rest) == h * w
        ):
            yield node.made("channel_shuffle", x, groups=groups)
        case (0, 1, 3, 5, 2, 4), (_, _, _, r, _, s), (n, c, h, w), _ if (
            r == s and parts[:2] == (n, c) and after == (n, c * r * r, h // r, w // r)
        ):
            yield node.made("pixel_unshuffle", x, downscale_factor=r)
        case (0, 1, 4, 2, 5, 3), (_, _, r, s, *rest), (n, c, h, w), _ if (
            r == s and rest == [h, w] and after == (n, c // (r * r), h * r, w * r)
        ):
            yield node.made("pixel_shuffle", x, upscale_factor=r)


def patches(node: Seen) -> Iterator[FlatNode]:
    """Squares as columns, and these as rows; rows as columns, and these as squares."""
    match node:
        case Seen("~permute", [Seen("~columns", [x]) as columns], args={"order": (0, 2, 1)}):
            yield node.made("patches", x, **columns.args)
        case Seen("~squares", [Seen("~permute", [x], args={"order": (0, 2, 1)})], args={"patch_size": size}):
            sides = size if isinstance(size, tuple) else (size, size)
            grid = tuple(whole // side for whole, side in zip(node.shape[2:], sides, strict=True))
            yield node.made("from_patches", x, grid=grid, patch_size=size)


def columns(node: Seen) -> Iterator[FlatNode]:
    """Rows, and then columns, looked up square by square, with the squares' pixels put beside the channels."""
    match node:
        case Seen(
            "~reshape",
            [Seen("~permute", [Seen("~gather", [Seen("~gather", [x]) as down]) as across], args={"order": order})],
            shape=(_, _, _),
        ) if order == (0, 1, 2, 4, 3, 5) and (down.args["dim"], across.args["dim"]) == (2, 4):
            rows = [each.args["places"] for each in (down, across)]
            if all(map(_in_squares, rows)):
                args = {"patch_size": one_or_pair([*map(len, rows)])}
                yield replace(node.flat, operator="~columns", args=args, inputs=(x.name,), foreign=True)


def _in_squares(places: "np.ndarray[Any, Any]") -> bool:
    """Whether place j of the squares' row i is i + k·j: all, one behind the other."""
    k = len(places)
    return all(list(row) == [i + k * j for j in range(len(row))] for i, row in enumerate(places))


def strided(node: Seen) -> Iterator[FlatNode]:
    """All elements looked up in order from a flat list of themselves, as ONNX has `as_strided`: nothing."""
    match node:
        case Seen("~gather", [Seen("~reshape", [x], shape=(count,)) as flat], args={"dim": 0, "places": places}):
            if flat.args["before"] == node.shape and np.array_equal(np.ravel(places), np.arange(count)):
                yield replace(x.flat, name=node.name) if x.operator and not x.arrays else node.made("identity", x)


def rolled(node: Seen) -> Iterator[FlatNode]:
    """The end of an axis before its beginning; of several axes, one after the other."""
    match node:
        case Seen("concat", [end, begin], args={"dim": dim}) if dim != 1 and end.of == begin.of:
            pieces = _piece(end, dim), _piece(begin, dim)
        case _:
            return
    match pieces:
        case ((start, length), (0, rest)) if start == rest and rest + length == node.shape[dim]:
            shift = length if 2 * length <= node.shape[dim] else -rest
        case _:
            return
    match end.of:
        case [Seen("roll", [x], args={"shifts": shifts, "dims": dims})] if dim not in dims:
            yield node.made("roll", x, shifts=(*shifts, shift), dims=(*dims, dim))
        case _:
            yield node.made("roll", *end.of, shifts=(shift,), dims=(dim,))


def _piece(node: Seen, dim: int) -> tuple[int, int] | None:
    """Where a part of an axis begins, and how long it is."""
    if node.args.get("dim", 1) != dim:
        return None
    match node:
        case Seen("narrow", args={"length": length}):
            return node.args.get("start", 0), length
        case Seen("split", args={"sections": sections, "index": index}):
            length = node.shape[dim]
            return (sum(sections[:index]) if isinstance(sections, tuple) else index * length), length
    return None


def selected(node: Seen) -> Iterator[FlatNode]:
    """A place of the first axis, where the batch had been moved away from: a place of the axis that came in front."""
    match node:
        case Seen("~select", [Seen("~permute", [x], args={"order": (axis, *rest)})]) if axis and x.operator:
            shape = tuple(size for dim, size in enumerate(x.shape) if dim != axis)
            name, order = f"{node.name}@taken", tuple(dim - (dim > axis) for dim in rest)
            taken = replace(node.made("select", x, dim=axis, index=node.args["index"]), name=name, shape=shape)
            if order == tuple(range(len(order))):
                yield replace(taken, name=node.name)
            else:
                yield taken
                yield replace(node.flat, operator="~permute", args={"order": order}, inputs=(name,))


def reshaped_twice(node: Seen) -> Iterator[FlatNode]:
    """A flattening behind a reshaping is a flattening."""
    match node:
        case Seen("flatten", [Seen("~reshape", [x])]):
            yield replace(node.flat, inputs=(x.name,))


def pooled(node: Seen) -> Iterator[FlatNode]:
    """A global pooling that keeps its axes, flattened: one that does not."""
    match node:
        case Seen("flatten", [Seen("global_avg_pool" | "global_max_pool", args={"keepdim": True}) as pool]):
            yield replace(pool.flat, name=node.name, args={}, shape=node.shape)


def of_one_row(node: Seen) -> Iterator[FlatNode]:
    """A pooling of an image of one row that is a sequence before and behind: a pooling of the sequence."""
    match node:
        case Seen("global_avg_pool" | "global_max_pool" as kind, [Seen("~reshape", [x]) as row]) if _is_row(row):
            if not node.args.get("keepdim"):
                yield node.made(kind, x)
        case Seen("~reshape", [Seen(kind, [Seen("~reshape", [x]) as row]) as pool], shape=(n, c, length)) if _is_row(
            row
        ):
            if kind in {"global_avg_pool", "global_max_pool"}:
                yield node.made(kind, x, keepdim=True)
            elif kind in {"max_pool2d", "avg_pool2d"} and pool.shape == (n, c, 1, length):
                pairs = {name: per_axis(value, 2) for name, value in pool.args.items() if name in OF_HEIGHT}
                if all(pair[0] == OF_HEIGHT[name] for name, pair in pairs.items() if name != "stride"):
                    along = {name: pair[1] for name, pair in pairs.items()}
                    yield node.made(kind.replace("2d", "1d"), x, **{**pool.args, **along})


OF_HEIGHT = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
"""What windows of a row have along the height."""


def _is_row(image: Seen) -> bool:
    """Whether a reshaping makes a sequence an image of one row, n × c × 1 × length."""
    *sizes, length = image.args["before"]
    return len(sizes) == 2 and image.shape == (*sizes, 1, length)


def single_join(node: Seen) -> Iterator[FlatNode]:
    """A join of one result is that result."""
    if node.operator in {"concat", "add"} and len(node.of) == 1:
        yield node.made("identity", *node.of)


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
