"""Functions → operators: joins of results, and sums and products with numbers and arrays."""

from math import prod

from archspec.importing.functions.activation import clipped
from archspec.importing.program import UnsupportedError
from archspec.importing.rules import Bound, Reading, ReadNode, rule
from archspec.ops.base import MAX_NUMBER

_JOINS = {"add": "add", "sum": "add", "mul": "mul", "sub": "subtract", "div": "divide"}


@rule("aten.cat.default", "onnx.Concat")
def cat(call: Bound) -> Reading:
    """One behind the other; along the axis of the batch, what patterns read with its neighbours."""
    dim = call.axis("dim")
    return ReadNode("concat" if dim else "~concat", {"dim": dim}, call.values("tensors"))


@rule("aten.stack.default")
def stack(call: Bound) -> Reading:
    """Side by side along an axis of its own: what patterns read with its neighbours."""
    return ReadNode("~stack", {"dim": call.axis("dim")}, call.values("tensors"))


@rule("aten.maximum.default", "aten.minimum.default", "onnx.Max", "onnx.Min")
def extreme(call: Bound) -> Reading:
    """The larger or smaller of results; of a result and a number, which is a bound."""
    inputs, largest = call.operands(), call.function.lower().startswith("max")
    numbers = {name: number for name in inputs if (number := call.number(name)) is not None}
    if not numbers:
        return _joined("maximum" if largest else "minimum", call, *inputs)
    others = [name for name in inputs if name not in numbers]
    if len(others) != 1:
        raise UnsupportedError("compares several results with a number")
    bounds = (max(numbers.values()), None) if largest else (None, min(numbers.values()))
    return clipped(call.values(*others), *bounds)


@rule(
    *(f"aten.{name}{place}.Tensor" for name in ("add", "mul", "sub", "div") for place in ("", "_")),
    *(f"onnx.{name}" for name in ("Add", "Sum", "Mul", "Sub", "Div")),
)
def join(call: Bound) -> Reading:
    """A sum, product, difference or quotient; with a number, what patterns read with its neighbours."""
    operator = _JOINS[call.function.lower()]
    inputs = call.operands()
    if call.get("alpha", 1) != 1:
        raise UnsupportedError("scales what it adds")
    numbers = {name: number for name in inputs if (number := call.number(name)) is not None}
    if len(numbers) == 1 and len(inputs) == 2:
        ((name, number),) = numbers.items()
        (other,) = (each for each in inputs if each != name)
        if name == "self" and operator in {"subtract", "divide"}:
            return ReadNode(f"~from_{operator}", {"number": number}, call.values(other))
        return _with_number(operator, number, call.values(other))
    held = [name for name in inputs if (array := call.held(call.call.arguments[name])) is not None and array.learned]
    if call.function == "Add" and len(held) == 1 and call.shape(held[0]) == call.output()[-1:]:
        (other,) = (each for each in inputs if each not in held)
        return ReadNode("~bias", {}, call.values(other), {"bias": call.array(held[0])})
    told = [name for name in inputs if not _is_neutral(call, name)]
    return _joined(operator, call, *told) if len(told) > 1 else call.values(*told)[0]


def _is_neutral(call: Bound, name: str) -> bool:
    """Whether a file adds zeros, or multiplies by ones, to nothing larger."""
    wanted = {"Add": 0, "Mul": 1}.get(call.function)
    numbers = call.constant(name) if wanted is not None else None
    return numbers is not None and bool((numbers == wanted).all()) and numbers.size < prod(call.output())


def _joined(operator: str, call: Bound, *names: str) -> ReadNode:
    """A join of results and arrays, of which one may have axes of size 1."""
    alike = len({_with_batch(call, name) for name in names}) == 1
    args = {} if alike or operator not in {"add", "subtract", "maximum", "minimum"} else {"broadcast": True}
    return ReadNode(operator, args, call.values(*names))


def _with_batch(call: Bound, name: str) -> tuple[int, ...]:
    """The sizes of an argument; an array is there once for each input."""
    shape = call.shape(name)
    is_array = call.held(call.call.arguments[name]) is not None
    return (call.output()[0], *shape[1:]) if is_array and len(shape) == len(call.output()) and shape[0] == 1 else shape


def _with_number(operator: str, number: float, inputs: tuple[str, ...]) -> Reading:
    if number == (0 if operator in {"add", "subtract"} else 1):
        return inputs[0]
    if not abs(number) <= MAX_NUMBER or (operator == "divide" and not number):
        raise UnsupportedError(f"computes with {number}")
    return ReadNode({"subtract": "~sub", "divide": "~div"}.get(operator, f"~{operator}"), {"number": number}, inputs)


@rule("aten.rsub.Scalar")
def rsub(call: Bound) -> Reading:
    """A number less a result."""
    if call.get("alpha", 1) != 1:
        raise UnsupportedError("scales what it takes away")
    return ReadNode("~from_subtract", {"number": call.get("other")}, call.values("self"))
