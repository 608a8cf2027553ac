"""Images with their classes, read from what people have on disk into two tensors."""

from archspec.train.data.read import KINDS, kind_of, load
from archspec.train.data.split import Data, Split

__all__ = ["KINDS", "Data", "Split", "kind_of", "load"]
