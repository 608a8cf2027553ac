"""Functions → operators: tables of vectors, places of an axis, and attention."""

from typing import Any

import numpy as np

from archspec.importing.functions.shape import place_of
from archspec.importing.program import HeldArray, UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("aten.embedding.default")
def embedding(call: Bound) -> Reading:
    """Rows of a table; of all places in order, the table itself."""
    return _looked_up(call, call.array("weight"))


@rule("onnx.Gather")
def gather(call: Bound) -> Reading:
    """Rows of a learned table; or one place of an axis."""
    table, axis = call.held(call.call.arguments["weight"]), int(call.get("dim", 0))
    if table is not None and table.learned and len(table.shape) == 2 and axis == 0:
        return _looked_up(call, table)
    places = call.get("indices")
    if isinstance(places, int):
        return place_of(call, "weight", axis, places)
    return ReadNode("~gather", {"dim": axis % len(call.shape("weight")), "places": places}, call.values("weight"))


def _looked_up(call: Bound, table: HeldArray) -> ReadNode:
    if (places := call.constant("indices")) is None:
        rows, size = table.shape
        args = {"num_embeddings": rows, "embedding_dim": size}
        return ReadNode("embedding", args, call.values("indices"), {"weight": table})
    if places.ndim > 2 or places.reshape(-1).tolist() != list(range(table.shape[0])):
        raise UnsupportedError("looks up rows by constant numbers, and not all in order")
    return ReadNode("parameter", {"shape": table.shape}, call.program.inputs[:1], {"weight": table})


@rule("aten.index.Tensor")
def index(call: Bound) -> Reading:
    """Rows of a learned table at constant places: what patterns read with its neighbours."""
    indices = call.call.arguments.get("indices", ())
    held = call.held(indices[0]) if len(indices) == 1 else None
    if held is None or held.learned:
        raise UnsupportedError("looks up by several arrays, or by numbers that are computed")
    return _rows_at(call, held.load())


@rule("onnx.GatherND")
def gather_rows(call: Bound) -> Reading:
    """The same in ONNX, whose places are vectors."""
    places = call.constant("indices")
    if places is None or places.shape[-1] != 1 or call.get("batch_dims", 0):
        raise UnsupportedError("looks up by several numbers, or by numbers that are computed")
    return _rows_at(call, places[..., 0])


def _rows_at(call: Bound, places: np.ndarray[Any, Any]) -> ReadNode:
    table = call.array("self")
    if len(table.shape) != 2 or not table.learned:
        raise UnsupportedError("looks up in what is no learned table")
    return ReadNode("~rows", {"places": places}, call.program.inputs[:1], {"weight": table})


@rule("aten.scaled_dot_product_attention.default")
def attention(call: Bound) -> Reading:
    """Of queries, keys and values."""
    names = {"is_causal": False, "enable_gqa": False, "dropout_p": 0, "scale": None}
    args = {name: call.get(name, default) for name, default in names.items()}
    heads, keys = call.shape("query"), call.shape("key")
    if len(heads) == len(keys) == 4 and heads[1] > keys[1] == 1:
        args["enable_gqa"] = True  # one head of keys is spread over all queries either way
    if (mask := call.constant("attn_mask")) is None:
        return ReadNode("scaled_dot_product_attention", args, call.values("query", "key", "value", "attn_mask"))
    args |= masked((*heads[:-1], keys[-2]), mask)
    return ReadNode("scaled_dot_product_attention", args, call.values("query", "key", "value"))


def masked(scores: tuple[int, ...], mask: np.ndarray[Any, Any]) -> dict[str, Any]:
    """What a constant mask of attention is: causal, or causal with a window.

    Raises:
        UnsupportedError: It is neither.
    """
    seen = mask if mask.dtype == bool else (mask > -1e4)
    if mask.dtype != bool and not (mask[seen] == 0).all():
        raise UnsupportedError("takes a mask of its own")
    length, keys = scores[-2:]
    seen = np.broadcast_to(seen, (*seen.shape[:-2], length, keys)).reshape(-1, length, keys)
    behind = np.arange(length)[:, None] - np.arange(keys)
    window = int(seen[0, -1].sum())
    if (seen == (behind >= 0)).all():
        return {"is_causal": True}
    if (seen == ((behind >= 0) & (behind < window))).all():
        return {"is_causal": True, "window": window}
    raise UnsupportedError("takes a mask of its own")
