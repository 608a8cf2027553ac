"""torch.export's functions → operators: tables of vectors, products of results, and attention."""

from archspec.importing.program import UnsupportedError
from archspec.importing.readings import masked, rows_at
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("aten.embedding.default")
def embedding(call: Bound) -> Reading:
    """Rows of a table; of all places in order, the table itself."""
    if (places := call.constant("indices")) is not None:
        weight = call.array("weight")
        if places.ndim > 2 or places.reshape(-1).tolist() != list(range(weight.shape[0])):
            raise UnsupportedError("looks up rows by constant numbers, and not all in order")
        held = {"weight": weight}
        return ReadNode("parameter", {"shape": weight.shape}, call.program.inputs[:1], held)
    rows, size = call.array("weight").shape
    args = {"num_embeddings": rows, "embedding_dim": size}
    return ReadNode("embedding", args, call.values("indices"), call.arrays(weight="weight"))


@rule("aten.index.Tensor")
def index(call: Bound) -> Reading:
    """Rows of a learned table at constant places: what patterns read with its neighbours."""
    indices = call.call.arguments.get("indices", ())
    held = call.held(indices[0]) if len(indices) == 1 else None
    if held is None or held.learned:
        raise UnsupportedError("looks up by several arrays, or by numbers that are computed")
    return rows_at(call, call.array("self"), held.load())


@rule("aten.masked_fill.Scalar")
def masked_fill(call: Bound) -> Reading:
    """A number where a constant says so: what patterns read with its neighbours."""
    if call.constant("mask") is None:
        raise UnsupportedError("puts a number where a result says so")
    return ReadNode("~masked_fill", {"value": call.get("value")}, call.values("self", "mask"))


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
    args |= masked((*call.shape("query")[:-1], call.shape("key")[-2]), mask)
    return ReadNode("scaled_dot_product_attention", args, call.values("query", "key", "value"))


@rule("aten.matmul.default", "aten.bmm.default")
def matmul(call: Bound) -> Reading:
    """Of two results; by a learned matrix, a fully connected layer without bias."""
    other = call.call.arguments.get("other", call.call.arguments.get("mat2"))
    if (array := call.held(other)) is not None and len(array.shape) == 2 and array.learned:
        args = {"out_features": array.shape[1], "bias": False}
        return ReadNode("linear", args, call.values("self"), {"weight": array.transposed()})
    return ReadNode("matmul", {}, call.values("self", "other", "mat2"))
