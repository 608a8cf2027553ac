"""Formulas as functions of Python, NumPy and JavaScript, in text that needs nothing of this library.

A rounding that occurs more than once has a name of its own. What the formula assumes of its symbols is checked first,
and what is not so raises. Where each language's numbers end:

| language   | numbers                         | where it ends                                                    |
|------------|---------------------------------|------------------------------------------------------------------|
| Python     | int and Fraction; 0.35 is 7/20  | nowhere                                                          |
| NumPy      | float64, the result int64       | sums above 2⁵³ raise, those with fractions above 2⁴⁶             |
| JavaScript | numbers, which are float64      | the same                                                         |

NumPy and JavaScript have no fractions. What they round down they round to nine decimals first, so that 0.29·100 is 29
and not 28.999…: right below 10⁶ and for fractions of fewer than nine decimals, and everything else raises.
"""

from archspec.formula.languages.base import Language
from archspec.formula.languages.javascript import JavaScript
from archspec.formula.languages.numpy import Numpy
from archspec.formula.languages.python import Python

__all__ = ["JavaScript", "Language", "Numpy", "Python"]
