"""Weights from elsewhere: the layers of a state dict beside those of a network, and why."""

from archspec.weights.file import WeightFile
from archspec.weights.match import filled, match
from archspec.weights.matching import Matching
from archspec.weights.rows import WHY, ArrayMatch, Check, Exchange, Leftover, Parting

__all__ = ["WHY", "ArrayMatch", "Check", "Exchange", "Leftover", "Matching", "Parting", "WeightFile", "filled", "match"]
