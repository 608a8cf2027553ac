"""The note that a file of weights holds: what the weights were learned from, and how images were scaled for them."""

import json
import os
from typing import Any

NOTE = "archspec"
"""The key of a weight file's metadata under which our note stands, as JSON."""


def note(source: object) -> dict[str, Any]:
    """What is to be known of whoever uses the weights: mean and deviation of each channel, the names of the classes.

    Args:
        source: A file of weights; of anything else, and of a file without such a note, nothing is known.
    """
    if not isinstance(source, str | os.PathLike) or not str(os.fspath(source)).endswith(".safetensors"):
        return {}
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(source), framework="np") as file:
            found = json.loads((file.metadata() or {}).get(NOTE, "{}"))
    except (OSError, SafetensorError, ValueError, RecursionError):
        return {}  # whoever reads the weights says what is wrong with the file
    kinds = {"mean": float, "deviation": float, "names": str}
    if not isinstance(found, dict):
        return {}
    return {
        key: found[key]
        for key, kind in kinds.items()
        if isinstance(found.get(key), list) and found[key] and all(isinstance(each, kind) for each in found[key])
    }
