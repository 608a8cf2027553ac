"""Methods of training, one file each: a key of a recipe, and what it does to a training while it runs."""

from archspec.train.methods.base import METHODS, Course, LearnedBatch, Method
from archspec.train.methods.distil import Distil
from archspec.train.methods.freeze import Freeze
from archspec.train.methods.max_norm import MaxNorm
from archspec.train.methods.one_bit import OneBit
from archspec.train.methods.prune import Prune
from archspec.train.methods.quantise import Quantise
from archspec.train.methods.share import WeightSharing
from archspec.train.methods.specialise import Specialise

__all__ = [
    "METHODS",
    "Course",
    "Distil",
    "Freeze",
    "LearnedBatch",
    "MaxNorm",
    "Method",
    "OneBit",
    "Prune",
    "Quantise",
    "Specialise",
    "WeightSharing",
]
