"""Training: a network, data and a recipe in, weights and a record of how they came about out.

What needs torch is loaded on first use.

>>> from archspec import train
>>> train.Recipe(epochs=3).batch
64
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archspec.extras import need

if TYPE_CHECKING:
    from archspec.train.int8 import QuantisedModel, quantise
    from archspec.train.recipe import Recipe
    from archspec.train.result import Epoch, Options, Result, Score, TrainingStoppedError, Watcher
    from archspec.train.run import fit
    from archspec.train.score import evaluate

__all__ = [
    "Epoch",
    "Options",
    "QuantisedModel",
    "Recipe",
    "Result",
    "Score",
    "TrainingStoppedError",
    "Watcher",
    "evaluate",
    "fit",
    "quantise",
]

_HOMES = {
    "Epoch": "result",
    "Options": "result",
    "Recipe": "recipe",
    "Result": "result",
    "Score": "result",
    "TrainingStoppedError": "result",
    "Watcher": "result",
    "QuantisedModel": "int8",
    "evaluate": "score",
    "fit": "run",
    "quantise": "int8",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archspec.train' has no attribute {name!r}")
    if name in {"evaluate", "fit", "quantise"}:
        need("train", "torch", "accelerate", "safetensors")
    return getattr(import_module(f"archspec.train.{_HOMES[name]}"), name)
