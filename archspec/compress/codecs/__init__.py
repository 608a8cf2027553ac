"""How arrays are written: one file per codec, each an object that says its size and does what it says.

A codec is asked for its size with counts (`Stats`), by the prediction and by the writer alike; only the writer calls
`encode`, only the reader `decode`.
"""

from archspec.compress.codecs.bitmask import Bitmask
from archspec.compress.codecs.constant import Constant
from archspec.compress.codecs.factors import Factors
from archspec.compress.codecs.gaps import Gaps
from archspec.compress.codecs.index import Dense, Index
from archspec.compress.codecs.linear import LinearQuantisation
from archspec.compress.codecs.numbers import Numbers
from archspec.compress.codecs.rows import CompressedRows
from archspec.compress.codecs.shared import Codebook
from archspec.compress.codecs.signs import Signs
from archspec.compress.codecs.values import Content, Values

__all__ = [
    "Bitmask",
    "Codebook",
    "CompressedRows",
    "Constant",
    "Content",
    "Dense",
    "Factors",
    "Gaps",
    "Index",
    "LinearQuantisation",
    "Numbers",
    "Signs",
    "Values",
]
