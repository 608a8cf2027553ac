"""Weights from elsewhere: the layers of a state dict beside those of a network, and why."""

from archspec.runtime.weights.check import Check, Parting
from archspec.runtime.weights.file import WeightFile
from archspec.runtime.weights.match import match
from archspec.runtime.weights.matching import Matching
from archspec.runtime.weights.model import filled
from archspec.runtime.weights.rows import WHY, Choice, Left, Row

__all__ = ["WHY", "Check", "Choice", "Left", "Matching", "Parting", "Row", "WeightFile", "filled", "match"]
