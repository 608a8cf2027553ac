"""Values that are Python code: the arithmetic of `dims` on text yet to be run.

An operator that is asked for its torch call with such values answers with code. `dims` sends its functions here when
an argument is a `Code`, as it sends them to `symbols` for SymPy expressions.
"""

from archspec.emit.code.cases import Fork, answered, cases, decide, equal, less, one_of
from archspec.emit.code.condition import both, choose, compare, either, negation, truth_of
from archspec.emit.code.known import (
    is_open,
    known_truth,
    known_values,
    names,
    rewritten,
    substituted,
    sure_truth,
    variables,
)
from archspec.emit.code.rules import (
    ceil,
    ceil_div,
    divide,
    exact_div,
    floor,
    floor_div,
    floor_log2,
    floor_sqrt,
    log2,
    make_divisible,
    maximum,
    minimum,
    sqrt,
)
from archspec.emit.code.text import written
from archspec.emit.code.value import BOOL, FLOAT, INT, NONE, RATIONAL, WORD, Code, Kind, call, kind_of, name, power

__all__ = [
    "BOOL",
    "FLOAT",
    "INT",
    "NONE",
    "RATIONAL",
    "WORD",
    "Code",
    "Fork",
    "Kind",
    "answered",
    "both",
    "call",
    "cases",
    "ceil",
    "ceil_div",
    "choose",
    "compare",
    "decide",
    "divide",
    "either",
    "equal",
    "exact_div",
    "floor",
    "floor_div",
    "floor_log2",
    "floor_sqrt",
    "is_open",
    "kind_of",
    "known_truth",
    "known_values",
    "less",
    "log2",
    "make_divisible",
    "maximum",
    "minimum",
    "name",
    "names",
    "negation",
    "one_of",
    "power",
    "rewritten",
    "sqrt",
    "substituted",
    "sure_truth",
    "truth_of",
    "variables",
    "written",
]
