"""How a network's weights begin, as its paper says: data, from which the model and the emitted source are filled alike.

    initialisation:
      source: {title: …, section: "5"}
      rules:
        - {of: [conv2d, linear], weight: {normal: 0.01}, bias: 0}
        - {of: [conv2, fc6], bias: 1}

A rule is of operators, or of nodes and all that stands below them; a later rule goes before an earlier one. What no
rule is of begins as in torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema

from archspec.dims import exact
from archspec.errors import ArchspecError, Mark, SpecError, did_you_mean
from archspec.language.located import Located
from archspec.language.reader import described
from archspec.language.values import NAME, Source
from archspec.ops import Function

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Filling:
    """What an array is filled with: a constant, or random numbers.

    Attributes:
        kind: "constant", or the name of a distribution; `FILLINGS` has them all.
        size: The constant, the standard deviation or the bound; None where it follows from the array's shape.
    """

    kind: str
    size: Number | None = None

    def call(self) -> Function:
        """The function of `torch.nn.init` that does it.

        >>> Filling("normal", Fraction(1, 100)).call()
        Function(target='torch.nn.init.normal_', kwargs={'std': Fraction(1, 100)}, takes='inputs')
        """
        name, settings = FILLINGS[self.kind]
        kwargs = settings if isinstance(settings, Mapping) else settings(self.size)
        leading, defaults = (1, {}) if self.kind == "constant" else (0, {"mode": "fan_in"})
        return Function(f"torch.nn.init.{name}", kwargs, leading=leading, defaults=defaults)


Settings = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]

FILLINGS: Mapping[str, tuple[str, Settings]] = {
    "constant": ("constant_", lambda value: {"val": value}),
    "normal": ("normal_", lambda std: {"std": std}),
    "truncated_normal": ("trunc_normal_", lambda std: {"std": std, "a": -2 * std, "b": 2 * std}),
    "uniform": ("uniform_", lambda bound: {"a": -bound, "b": bound}),
    # variance 1/fan_in (LeCun et al. 1998), 2/(fan_in + fan_out) (Glorot and Bengio 2010), 2/fan_in or 2/fan_out (He
    # et al. 2015, arXiv:1502.01852)
    "lecun_normal": ("kaiming_normal_", {"nonlinearity": "linear"}),
    "lecun_uniform": ("kaiming_uniform_", {"nonlinearity": "linear"}),
    "glorot_normal": ("xavier_normal_", {}),
    "glorot_uniform": ("xavier_uniform_", {}),
    "he_normal": ("kaiming_normal_", {"nonlinearity": "relu"}),
    "he_uniform": ("kaiming_uniform_", {"nonlinearity": "relu"}),
    "he_normal_fan_out": ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}),
}
"""By name: the function of `torch.nn.init`, and its settings or what makes them of the size that is given."""

SIZED = tuple(name for name, (_, settings) in FILLINGS.items() if callable(settings))[1:]
"""Those that are given a size: `{normal: 0.01}`."""

SHAPED = tuple(name for name, (_, settings) in FILLINGS.items() if not callable(settings))
"""Those whose size follows from the array's shape: `he_normal`."""


def _filling(value: Any) -> Filling:
    if isinstance(value, Filling):
        return value
    at = getattr(value, "at", None)
    if isinstance(value, str) and NAME.match(value):
        if value not in SHAPED:
            raise SpecError(_unknown(value), at)
        return Filling(str(value))
    if isinstance(value, dict):
        if len(value) != 1:
            raise SpecError(f"expected one distribution, such as {{normal: 0.01}}, found {described(value)}", at)
        ((kind, size),) = value.items()
        if kind not in SIZED:
            raise SpecError(_unknown(kind), at)
        number = _number(size, at)
        if number <= 0:
            raise SpecError(f"{kind} takes a size greater than 0 (got {number})", at)
        return Filling(str(kind), number)
    return Filling("constant", _number(value, at))


def _unknown(kind: Any) -> str:
    known = (*SHAPED, *SIZED)
    hint = did_you_mean(str(kind), known)
    forms = f"a number, {', '.join(SHAPED)}, or one of {', '.join(SIZED)} with its size, such as {{normal: 0.01}}"
    return f"there is no distribution '{kind}'{hint or f'; give {forms}'}"


def _number(value: Any, at: Mark | None) -> Number:
    if isinstance(value, (bool, list, tuple, dict)) or value is None:
        raise SpecError(f"expected a number, found {described(value)}", at)
    try:
        number = exact(str(value) if isinstance(value, str) else value)
    except ArchspecError as error:
        raise SpecError(str(error), at) from None
    if not isinstance(number, (int, Fraction)) or not -(10**6) <= number <= 10**6:
        raise SpecError(f"expected a number of at most a million, found {described(value)}", at)
    return number


def _written(filling: Filling | None) -> Any:
    """A filling as YAML writes it."""
    if filling is None or filling.size is None:
        return filling and filling.kind
    size = filling.size if isinstance(filling.size, int) else str(filling.size)
    return size if filling.kind == "constant" else {filling.kind: size}


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _part(value: Any) -> str:
    if not isinstance(value, str) or not all(map(NAME.match, value.split("/"))):
        raise SpecError(
            f"expected an operator or a node's name, such as stage3/unit2, found {described(value)}",
            getattr(value, "at", None),
        )
    return str(value)


_FILLING_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": ["number", "string"]},
        {"enum": list(SHAPED)},
        {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"enum": list(SIZED)}},
    ]
}
_Filling = Annotated[Any, PlainValidator(_filling), PlainSerializer(_written), WithJsonSchema(_FILLING_SCHEMA)]
_Part = Annotated[str, PlainValidator(_part), WithJsonSchema({"type": "string"})]
_Parts = Annotated[
    tuple[_Part, ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Rule(Located):
    """How the weights of some nodes begin; `weight` and `bias` are the arrays' names, also those of a normalisation."""

    of: _Parts
    weight: _Filling | None = None
    bias: _Filling | None = None

    def fillings(self) -> Mapping[str, Filling]:
        """What it says, by the array's name."""
        found = {"weight": self.weight, "bias": self.bias}
        return {name: filling for name, filling in found.items() if filling is not None}


class Initialisation(Located):
    """How the weights begin: rules, and who says so."""

    source: Source | None = None
    rules: tuple[Rule, ...]
