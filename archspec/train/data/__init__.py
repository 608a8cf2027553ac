"""Images with their classes, read from what people have on disk into two tensors."""

from archspec.train.data.read import KINDS, agreeing, fitted, kind_of, load
from archspec.train.data.split import Data, DataSplit, held_out, noted, numbered, refuse_other_classes

__all__ = [
    "KINDS",
    "Data",
    "DataSplit",
    "agreeing",
    "fitted",
    "held_out",
    "kind_of",
    "load",
    "noted",
    "numbered",
    "refuse_other_classes",
]
