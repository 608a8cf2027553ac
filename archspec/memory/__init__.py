"""What activations need in memory at once: how long each is kept, in which order layers run, and the peak."""

from collections.abc import Mapping
from types import MappingProxyType

from archspec.errors import entry

POLICIES: Mapping[str, str] = MappingProxyType(
    {
        "layerwise": "what a node reads and writes",
        "liveness": "what is alive while a node runs",
        "eager": "what PyTorch holds: what is alive, and the inputs of every module that is running",
        "training": "all results so far, as if all were kept for the backward pass",
    }
)
"""What is in memory while a node runs, by the policy's name."""

DTYPES: Mapping[str, int] = MappingProxyType(
    {"float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "int8": 8, "binary": 1}
)
"""The bits of a number of each type; one-bit numbers are packed, eight to a byte."""

ORDERS: Mapping[str, str] = MappingProxyType(
    {"given": "that of the network", "best": "the one with the least peak of what is alive"}
)
"""The orders of the nodes, by their names."""


def check_request(policy: str, dtype: str, order: str) -> None:
    """Refuse what is asked of memory where there is none of such a name.

    Raises:
        UnknownNameError: There is no such policy, type or order.
    """
    entry(POLICIES, policy, "policy")
    entry(DTYPES, dtype, "type")
    entry(ORDERS, order, "order")
