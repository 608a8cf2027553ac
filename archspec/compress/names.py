"""Words and bounds that plans and codecs share; this file loads nothing, so that plans are read without NumPy."""

BEGINNINGS = ("linear", "density", "random", "optimal")
"""How k-means begins: evenly between the ends; at quantiles; at values drawn; where the squared error is least."""

RULES = ("symmetric", "signed", "zero_point")
"""How the levels of a scale are laid, b bits each.

symmetric: −(2^(b−1) − 1) … 2^(b−1) − 1, the scale max|w|/(2^(b−1) − 1), as LiteRT's weights.
signed: −2^(b−1) … 2^(b−1) − 1, of which the lowest is the weight that is largest in size, as in GGUF's Q4_0.
zero_point: 0 … 2^b − 1 from the least weight to the largest, with 0 between them and on a level.
"""

SCANS = ("rows", "columns")
"""In which order weights are scanned: one output channel behind the other, or one of their columns."""

LONGEST = 15
"""The bits of the longest Huffman code: of 16, a block of 4,096 could have one bit more than 16 bits count."""

MAX_WEIGHT_BITS = 16
MAX_INDEX_BITS = 8
BINARY = ("weights", "xnor")
"""What can have one bit: the weights, or the inputs too."""

INDEX = ("dense", "gaps", "rows", "bitmask", "auto")
"""How it is said which weights are kept; `auto` is the smallest of the others."""

CODED = "coded"
"""What stands for the average length of a Huffman code that is not known."""
