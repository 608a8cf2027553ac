"""Weights from elsewhere: the layers of a state dict beside those of a network, and why."""

from archspec.weights.check import Check, Parting
from archspec.weights.file import WeightFile
from archspec.weights.match import match
from archspec.weights.matching import Matching
from archspec.weights.model import filled
from archspec.weights.rows import WHY, ArrayMatch, Exchange, Leftover

__all__ = ["WHY", "ArrayMatch", "Check", "Exchange", "Leftover", "Matching", "Parting", "WeightFile", "filled", "match"]
