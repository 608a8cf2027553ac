"""Weights from elsewhere: the layers of a state dict beside those of a network, and why."""

from archspec.runtime.weights.check import Check, Parting
from archspec.runtime.weights.file import WeightFile
from archspec.runtime.weights.match import match
from archspec.runtime.weights.matching import Choice, Left, Matching, Row

__all__ = ["Check", "Choice", "Left", "Matching", "Parting", "Row", "WeightFile", "match"]
