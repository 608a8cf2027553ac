"""An operator asked on code for its torch call: what of torch is called, with which code for its settings.

There are no rules of operators here. The operator is made of code, as it is of numbers, and answers with data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from archspec import ops
from archspec.emit import code
from archspec.emit.code import Code, Fork
from archspec.errors import ArchspecError
from archspec.language.rules import field_faults
from archspec.ops import Function, Module, Tensor, TorchCall
from archspec.ops.base import Weightless, domain

if TYPE_CHECKING:
    from archspec.emit.frame import Frame


@dataclass(frozen=True, slots=True)
class LayerCode:
    """What an operator on code becomes.

    Attributes:
        call: Its torch call; None of a join of one value alone.
        shape: The shape it gives.
        weightless: Whether it owns no arrays.
    """

    call: Any
    shape: tuple[Any, ...]
    weightless: bool


def layers(
    callee: str, args: Mapping[str, Any], shapes: tuple[tuple[Any, ...], ...], frame: "Frame"
) -> LayerCode | Fork[LayerCode]:
    """What an operator becomes, by the conditions that its form depends on; its fields may be code.

    Raises:
        ArchspecError: The operator cannot be so.
    """

    def made() -> LayerCode:
        fields = {key: _field(callee, key, value, frame) for key, value in args.items()}
        faults = field_faults(callee, fields)
        if faults:
            raise ArchspecError(f"{callee}: {faults[0][0]} {faults[0][1]}")
        operator = ops.operator(callee)(**fields)
        tensors = tuple(map(Tensor, shapes))
        output = operator.output(*tensors)
        return LayerCode(operator.torch_call(*tensors), output.shape, isinstance(operator, Weightless))

    found, assumed = code.cases(made)
    layer: LayerCode | Fork[LayerCode] = merge_layers(found, assumed, frame.scope.plainness)
    return layer


def _field(callee: str, key: str, value: Any, frame: "Frame") -> Any:
    """A field of an operator as something that its checks can read: of one kind, words and truth values as such."""
    if not isinstance(value, Code):
        return tuple(_field(callee, key, part, frame) for part in value) if isinstance(value, tuple) else value
    words = _words(value)
    certain = words[-1] if value.kind == code.WORD else None
    word = next((w for w in words if w == certain or code.decide(code.compare(value, "==", w))), None)
    if word is not None:
        return word
    kinds = value.kind - code.WORD
    if "bool" in kinds and (kinds == code.BOOL or code.decide(_is(value, "bool"))):
        return code.decide(value)
    tuples = [kind for kind in kinds if isinstance(kind, tuple)]
    if tuples and len(tuples) < len(kinds) and all(len(kind) == 2 for kind in tuples):
        return tuple(map(frame.scope.whole, frame.scope.pair(value, frame.lines)))
    if tuples and (len(tuples) == len(kinds) or not code.decide(_is(value, "int"))):
        return tuple(map(frame.scope.whole, _parts(value, tuples)))
    return _number_field(callee, key, replace(value, kind=kinds - frozenset(tuples)), frame)


def _number_field(callee: str, key: str, value: Code, frame: "Frame") -> Any:
    """A number as a field has it: one that is known for an axis, any for a setting, else a whole one."""
    field = ops.operator(callee).model_fields.get(key)
    known = domain(field) if field else None
    if known is not None and known.kind == "axis":
        return code.one_of(value)
    return value if known is not None and known.kind == "number" else frame.scope.whole(value)


def _is(value: Code, kind: str) -> Code:
    return code.call("isinstance", value, Code("text", (kind,)), kind=code.BOOL)


def _words(value: Code) -> tuple[str, ...]:
    """The words that a value may be."""
    if "str" not in value.kind:
        return ()
    known = code.known_values(value)
    if known is None:
        raise ArchspecError(f"the word {value} could be any")
    return tuple(word for word in known if isinstance(word, str))


def _parts(value: Code, tuples: list[Any]) -> list[Code]:
    """The parts of a list, whose length may depend on conditions."""
    *shorter, longest = sorted({len(kind) for kind in tuples})
    asked = (n for n in shorter if code.decide(code.compare(code.call("len", value), "==", n)))
    length = next(asked, longest)
    kinds = [kind for kind in tuples if len(kind) == length]
    return [Code("index", (value, i), frozenset().union(*(kind[i] for kind in kinds))) for i in range(length)]


# ------------------------------------------------------------------ what differs between cases


def merge_layers(found: Any, assumed: tuple[Code, ...], plainness: Callable[[Any], Any]) -> Any:
    """One layer whose settings depend on conditions, where the cases call the same; else a fork of such."""
    if not isinstance(found, Fork):
        shape = tuple(_simplest(size, assumed, plainness) for size in found.shape)
        return LayerCode(found.call, shape, found.weightless)
    then, otherwise = (merge_layers(side, assumed, plainness) for side in (found.then, found.otherwise))
    return _combined(found.condition, then, otherwise)


def _combined(condition: Any, then: Any, otherwise: Any) -> Any:
    """What two sides of a condition have in common, outside it."""
    if isinstance(then, Fork):
        if isinstance(otherwise, Fork) and then.condition == otherwise.condition:
            sides = zip((then.then, then.otherwise), (otherwise.then, otherwise.otherwise), strict=True)
            return _combined(then.condition, *(_combined(condition, a, b) for a, b in sides))
        if then.otherwise == otherwise:
            return Fork(code.both(condition, then.condition), then.then, otherwise)
    if isinstance(then, LayerCode) and isinstance(otherwise, LayerCode) and _alike(then, otherwise):
        call = _chosen(condition, then.call, otherwise.call)
        shape = tuple(code.choose(condition, a, b) for a, b in zip(then.shape, otherwise.shape, strict=True))
        return LayerCode(call, shape, then.weightless)
    return Fork(condition, then, otherwise)


def _alike(a: LayerCode, b: LayerCode) -> bool:
    return _form(a.call) == _form(b.call) and len(a.shape) == len(b.shape)


def _form(call: TorchCall) -> Any:
    around = tuple(tuple(map(_form, calls)) for calls in (call.before, call.after)) if isinstance(call, Module) else ()
    return type(call), call.target, tuple(call.kwargs), around


def _chosen(condition: Code, a: Any, b: Any) -> Any:
    kwargs = {key: code.choose(condition, value, b.kwargs[key]) for key, value in a.kwargs.items()}
    if isinstance(a, Function):
        return replace(a, kwargs=kwargs)
    before, after = (
        tuple(_chosen(condition, one, other) for one, other in zip(*calls, strict=True))
        for calls in ((a.before, b.before), (a.after, b.after))
    )
    return replace(a, kwargs=kwargs, before=before, after=after)


def _simplest(size: Any, assumed: tuple[Code, ...], plainness: Callable[[Any], Any]) -> Any:
    """A size, or one that had to be equal to it and is plainer."""
    for condition in assumed:
        if condition.head == "compare" and len(condition.parts) == 3 and condition.parts[1] == "==":
            a, _, b = condition.parts
            if size in (a, b):
                size = min((a, b), key=plainness)
    return size


# ------------------------------------------------------------------ the call as code


_TIED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "torch.nn.Linear": ("linear", ()),
    "torch.nn.Embedding": ("embedding", ()),
    "torch.nn.Conv2d": ("conv2d", ("stride", "padding", "dilation", "groups")),
    "torch.nn.ConvTranspose2d": ("conv_transpose2d", ("stride", "padding", "output_padding", "groups", "dilation")),
}
"""The modules whose function takes the weights of another module: that function, and the settings that it takes."""


def tied_code(call: Module, x: Any, weight: Any) -> Code:
    """The code that computes what a module does, with the weight of another.

    Raises:
        ArchspecError: The module has no such function, or a bias of its own.
    """
    if call.target not in _TIED or call.kwargs.get("bias", False) is not False:
        raise ArchspecError(f"share: {call.target.rpartition('.')[2]} cannot take its weight from another kind of step")
    name, taken = _TIED[call.target]
    kept = {key: call.kwargs[key] for key in taken if key in call.kwargs}
    return call_code(Function(f"torch.nn.functional.{name}", kept, defaults=call.defaults), (x, weight))


def function_code(call: Function, inputs: tuple[Any, ...]) -> Code:
    """The code that applies a function to tensors."""
    if call.takes == "list":
        return call_code(call, (Code("list", inputs),))
    sign = {"torch.add": "plus", "torch.mul": "times"}.get(call.target)
    if sign is not None and (summands := (*inputs, *map(_number, call.kwargs.values())))[1:]:
        return Code(sign, summands, _TENSOR)
    if call.takes == "fold":
        joined: Code = reduce(lambda joined, other: call_code(call, (joined, other)), inputs)
        return joined
    return call_code(call, inputs)


_TENSOR = frozenset({"tensor"})


def settings(call: TorchCall) -> dict[str, Any]:
    """The keyword arguments as torch takes them, without those that torch takes anyway."""
    known = call.defaults
    numbers = {key: _number(value) for key, value in call.kwargs.items()}
    return {
        key: value
        for key, value in numbers.items()
        if isinstance(value, Code)
        or key not in known
        or (type(value) is bool, value) != (type(known[key]) is bool, known[key])
    }


def call_code(call: TorchCall, inputs: tuple[Any, ...] = ()) -> Code:
    """The code that calls what makes a module, or applies a function to tensors."""
    kept = settings(call)
    leading = takewhile(kept.__contains__, [*call.kwargs][: call.leading])
    positional = [kept.pop(key) for key in [*leading]]
    return Code("call", (_shown(call.target), (*inputs, *positional), tuple(kept.items())), _TENSOR)


def _shown(target: str) -> str:
    """A class or function as a source names it; what is ours stands in the source itself."""
    if not target.startswith("torch."):
        return target.rpartition(".")[2]
    return target.replace("torch.nn.functional.", "functional.").replace("torch.nn.", "nn.")


def _number(value: Any) -> Any:
    """A setting as torch takes it: exact rationals as floats, a size given for both axes once."""
    if isinstance(value, tuple):
        return tuple(map(_number, value))
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, Code) and "rational" in value.kind:
        return code.call("float", value, kind=code.FLOAT)
    return value
