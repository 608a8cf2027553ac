"""Operators that round a tensor to few bits, and take that back.

What flows between them are whole numbers, computed as floats: the model shows what integers would give; how many bytes
activations take in memory is asked for by `dtype`.
"""

from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator

from archspec.dims import exact, is_whole
from archspec.ops.base import AboveZero, Domain, OneModule, Operations, PerElement, Switch, Weightless


def _whole(value: Any) -> Any:
    number = exact(value)
    if not is_whole(number):
        raise ValueError(f"must be a whole number (got {value})")
    return number


def _bits(value: Any) -> int:
    number = exact(value)
    if type(number) is not int or not 1 <= number <= MOST_BITS:
        raise ValueError(f"must be a whole number from 1 to {MOST_BITS} (got {value})")
    return number


MOST_BITS = 32
Bits = Annotated[Any, BeforeValidator(_bits), Domain(f"a whole number from 1 to {MOST_BITS}")]
Whole = Annotated[Any, BeforeValidator(_whole), Domain("a whole number")]


class QuantiseTensor(OneModule, PerElement, Weightless, name="quantise"):
    """round(x/scale) + zero_point, cut off at the ends of `bits` (Jacob et al. 2017, arXiv:1712.05877, equation 1).

    The gradient is handed straight through.
    """

    torch_class, leading = "archspec.runtime.modules.Quantiser", 2
    example = MappingProxyType({"scale": 1})
    # a division, the zero point, two comparisons; rounding is a change of type
    one = Operations(divisions=1, additions=1, comparisons=2)
    scale: AboveZero
    zero_point: Whole = 0
    bits: Bits = 8
    signed: Switch = True


class DequantiseTensor(OneModule, PerElement, Weightless, name="dequantise"):
    """(q − zero_point)·scale: what `quantise` undoes, but for its rounding."""

    torch_class, leading = "archspec.runtime.modules.Dequantiser", 2
    example = MappingProxyType({"scale": 1})
    one = Operations(additions=1, multiplications=1)  # the zero point and a product
    scale: AboveZero
    zero_point: Whole = 0
