"""torch.export's functions → operators: tables of vectors, products of results, and attention."""

from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule


@rule("aten.embedding.default")
def embedding(call: Bound) -> Reading:
    """Rows of a table."""
    rows, size = call.array("weight").shape
    args = {"num_embeddings": rows, "embedding_dim": size}
    return ReadNode("embedding", args, call.values("indices"), call.arrays(weight="weight"))


@rule("aten.scaled_dot_product_attention.default")
def attention(call: Bound) -> Reading:
    """Of queries, keys and values."""
    if call.has("attn_mask"):
        raise UnsupportedError("takes a mask of its own")
    names = {"is_causal": False, "enable_gqa": False, "dropout_p": 0, "scale": None}
    args = {name: call.get(name, default) for name, default in names.items()}
    return ReadNode("scaled_dot_product_attention", args, call.values("query", "key", "value"))


@rule("aten.matmul.default", "aten.bmm.default")
def matmul(call: Bound) -> Reading:
    """Of two results."""
    return ReadNode("matmul", {}, call.values("self", "other", "mat2"))
