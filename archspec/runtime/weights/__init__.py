"""Weights from elsewhere: the layers of a state dict beside those of a network, and why."""

from archspec.runtime.weights.check import Check, Parting
from archspec.runtime.weights.file import WeightFile
from archspec.runtime.weights.match import match
from archspec.runtime.weights.matching import WHY, Choice, Left, Matching, Row
from archspec.runtime.weights.model import filled

__all__ = ["WHY", "Check", "Choice", "Left", "Matching", "Parting", "Row", "WeightFile", "filled", "match"]
