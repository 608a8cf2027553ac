"""What functions give of constants alone, by NumPy: positions, angles, masks, states of zeros.

A network computes these anew at each call; what they are does not depend on what flows in, so that patterns may look
at their numbers. Nothing is computed before somebody looks. Of ONNX it is what is too large to be folded when a file is
opened.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from archspec.files import DAMAGED
from archspec.importing.program import HeldArray, Program, ProgramCall, UnsupportedError, Value, references

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, Any]

Evaluator: TypeAlias = Callable[[dict[str, Any], tuple[int, ...]], Any]


MOST_ELEMENTS = 2**26
"""The largest constant that is computed; a mask of 8,192 × 8,192."""

_OF_ONNX: Mapping[str, str] = {
    "Not": "logical_not",
    "Equal": "eq",
    "GreaterOrEqual": "ge",
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Max": "maximum",
    "Min": "minimum",
    "Clip": "clamp",
    "Transpose": "permute",
    "Expand": "expand",
    **dict.fromkeys(("Cast", "CastLike", "Identity"), "to"),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), "view"),
}


def torchs_name(call: ProgramCall) -> str:
    """What torch calls the function of arrays that a call is; of others of ONNX, and of other libraries, nothing."""
    if call.target.startswith("aten."):
        return call.function
    return _OF_ONNX.get(call.function, "") if call.target.startswith("onnx.") else ""


def constant(call: ProgramCall, program: Program) -> HeldArray | None:
    """The result of a call of which no input flows in, as an array; None of other calls."""
    name = torchs_name(call)
    evaluate = EVALUATORS.get(name)
    shape = program.shapes.get(call.outputs[0]) if len(call.outputs) == 1 else None
    if evaluate is None or shape is None or prod(shape) > MOST_ELEMENTS:
        return None
    taken = [] if name in _OF_SIZES else references(tuple(call.arguments.values()))
    held = {each: program.arrays.get(each) for each in taken}
    if any(array is None or array.learned for array in held.values()):
        return None

    def load() -> "Array":
        def given(value: Any) -> Any:
            if isinstance(value, Value):
                array = held.get(value.name)
                return None if array is None else array.load()
            return [given(each) for each in value] if isinstance(value, tuple) else value

        values = {key: given(value) for key, value in call.arguments.items()}
        try:
            return np.asarray(evaluate(values, shape)).reshape(shape)
        except DAMAGED as error:
            raise UnsupportedError(
                f"{call.target} gives no {shape} of these constants ({type(error).__name__})"
            ) from None

    return HeldArray(call.outputs[0], shape, load, learned=False)


def _two(function: Callable[[Any, Any], Any]) -> Evaluator:
    """A function of two arrays, or of one and a number."""
    return lambda args, _: function(_single(args["self"]), _single(args["other"]))


def _many(function: Callable[[Any, Any], Any]) -> Evaluator:
    """A function of any number of arrays, as ONNX has the largest."""
    return lambda args, _: reduce(function, map(_single, args.values()))


def _single(value: Any) -> Any:
    """Numbers as torch keeps them: of 32 bits where they are not whole."""
    return np.float32(value) if isinstance(value, float) else value


def _one(function: Callable[[Any], Any]) -> Evaluator:
    return lambda args, _: function(args["self"])


def _arange(args: dict[str, Any], shape: tuple[int, ...]) -> "Array":
    start, step = args.get("start", 0), args.get("step", 1)
    found: Array = start + step * np.arange(shape[0])
    return found.astype(np.float32) if "float" in str(args.get("dtype", "")) else found


def _slice(args: dict[str, Any], _: tuple[int, ...]) -> "Array":
    dim, x = args.get("dim", 0), args["self"]
    cut = [slice(None)] * x.ndim
    cut[dim] = slice(args.get("start"), args.get("end"), args.get("step", 1))
    return np.asarray(x[tuple(cut)])


def _power(args: dict[str, Any], _: tuple[int, ...]) -> Any:
    return np.power(np.asarray(args["self"], np.float32), args["exponent"])


def _padded(args: dict[str, Any], _: tuple[int, ...]) -> Any:
    pairs = [*zip(args["pad"][::2], args["pad"][1::2], strict=True)][::-1]
    return np.pad(args["self"], [(0, 0)] * (args["self"].ndim - len(pairs)) + pairs)


def _averaged(args: dict[str, Any], _: tuple[int, ...]) -> Any:
    """Of a pooling that pads nothing."""
    kernel, axes = args["kernel_size"], len(args["kernel_size"])
    windows = np.lib.stride_tricks.sliding_window_view(args["self"], kernel, tuple(range(-axes, 0)))
    steps = args.get("stride") or kernel
    return windows.mean(tuple(range(-axes, 0)))[(..., *(slice(None, None, step) for step in steps))]


def _scaled(function: Callable[[Any, Any], Any]) -> Evaluator:
    """A sum or a difference, of which torch may scale the second."""

    def evaluate(args: dict[str, Any], _: tuple[int, ...]) -> Any:
        other = _single(args["other"])
        return function(_single(args["self"]), other if args.get("alpha", 1) == 1 else args["alpha"] * other)

    return evaluate


def _sorted_axes(args: dict[str, Any], _: tuple[int, ...]) -> Any:
    if "dim0" not in args:
        return np.transpose(args["self"], args.get("dims"))
    return np.swapaxes(args["self"], args.get("dim0", -1), args.get("dim1", -2))


_OF_SIZES = frozenset({"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"})
"""What takes the sizes of a result alone, whatever flows in it."""

EVALUATORS: dict[str, Evaluator] = {
    "arange": _arange,
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros"), lambda _, shape: np.zeros(shape, np.float32)),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), lambda _, shape: np.ones(shape, np.float32)),
    **dict.fromkeys(("full", "full_like", "new_full"), lambda args, shape: np.full(shape, args["fill_value"])),
    **{
        name: _one(getattr(np, function))
        for name, function in {
            "neg": "negative",
            "abs": "absolute",
            "cos": "cos",
            "sin": "sin",
            "exp": "exp",
            "log": "log",
            "sqrt": "sqrt",
            "reciprocal": "reciprocal",
            "logical_not": "logical_not",
            "bitwise_not": "invert",
        }.items()
    },
    **dict.fromkeys(
        ("to", "contiguous", "clone", "detach", "alias", "lift_fresh_copy", "_to_copy", "type_as"),
        _one(np.asarray),
    ),
    **dict.fromkeys(("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten"), _one(np.asarray)),
    **{
        name: _two(function)
        for name, function in {
            "mul": np.multiply,
            "div": np.true_divide,
            "floor_divide": np.floor_divide,
            "ge": np.greater_equal,
            "gt": np.greater,
            "le": np.less_equal,
            "lt": np.less,
            "eq": np.equal,
            "ne": np.not_equal,
            "__and__": np.bitwise_and,
            "__or__": np.bitwise_or,
            "logical_and": np.logical_and,
            "logical_or": np.logical_or,
            "bitwise_and": np.bitwise_and,
        }.items()
    },
    **{name: _scaled(function) for name, function in (("add", np.add), ("sub", np.subtract))},
    **{name: _many(function) for name, function in (("maximum", np.maximum), ("minimum", np.minimum))},
    "clamp": lambda args, _: np.clip(args["self"], args.get("min"), args.get("max")),
    "pow": _power,
    "pad": _padded,
    **{f"avg_pool{n}d": _averaged for n in (1, 2, 3)},
    "outer": lambda args, _: np.outer(args["self"], args["vec2"]),
    "matmul": lambda args, _: np.matmul(args["self"], args["other"]),
    "cat": lambda args, _: np.concatenate(args["tensors"], args.get("dim", 0)),
    "stack": lambda args, _: np.stack(args["tensors"], args.get("dim", 0)),
    "repeat_interleave": lambda args, _: np.repeat(args["self"], args["repeats"], args.get("dim")),
    "repeat": lambda args, _: np.tile(args["self"], args["repeats"]),
    "expand": lambda args, shape: np.broadcast_to(args["self"], shape),
    "slice": _slice,
    "select": lambda args, _: np.take(args["self"], args["index"], args["dim"]),
    "transpose": _sorted_axes,
    "permute": _sorted_axes,
    "tril": lambda args, _: np.tril(args["self"], args.get("diagonal", 0)),
    "triu": lambda args, _: np.triu(args["self"], args.get("diagonal", 0)),
    "where": lambda args, _: np.where(args["condition"], args["self"], args["other"]),
    "masked_fill": lambda args, _: np.where(args["mask"], args["value"], args["self"]),
    "rsqrt": lambda args, _: 1 / np.sqrt(args["self"]),
}
