"""What an operator is: one frozen class whose fields are its YAML keys, and four facts from which all else follows.

| fact            | gives                                                                            |
|-----------------|----------------------------------------------------------------------------------|
| `output(x)`     | the shape of the result                                                          |
| `weights(x)`    | the named arrays it owns: learned, or statistics kept beside them                |
| `operations(x)` | its arithmetic, by kind                                                          |
| `torch_call(x)` | data that says which torch module or functions compute it                        |

Each fact is a function of the input tensors (one, or several for a join), whose sizes are ints, int64 arrays or SymPy
expressions. No fact has a default: a class that leaves one out cannot be made.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, field, fields
from functools import cache
from inspect import get_annotations
from types import MappingProxyType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NoReturn,
    TypeAlias,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

from pydantic import BaseModel, BeforeValidator, ConfigDict, create_model
from pydantic.fields import FieldInfo

from archspec import writing
from archspec.dims import (
    Dim,
    agree,
    equal,
    exact,
    exact_div,
    has_rules,
    is_array,
    is_number,
    is_symbolic,
    is_whole,
    less,
    product,
    reaches,
    settled,
)
from archspec.errors import ArchspecError, DivisibilityError, ShapeError


@dataclass(frozen=True, slots=True)
class Tensor:
    """The shape of a tensor, batch first: (n, c, h, w) for images, (n, features) for vectors.

    >>> Tensor((1, 3, 224, 224)).elements
    150528
    """

    shape: tuple[Dim, ...]

    @property
    def elements(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    def __str__(self) -> str:
        return writing.sizes(self.shape[1:])


Role: TypeAlias = Literal["weight", "bias", "scale", "shift", "statistic"]
"""weight, bias: of a convolution or linear layer; scale, shift: γ and β of a normalisation; statistic: a buffer."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One named array of an operator; `bits` is set only where storage needs fewer than the network's type has."""

    name: str
    shape: tuple[Dim, ...]
    role: Role = "weight"
    bits: int | None = None

    @property
    def trainable(self) -> bool:
        """Whether it is learned by gradient descent; statistics are buffers."""
        return self.role != "statistic"

    @property
    def elements(self) -> Dim:
        """The number of elements."""
        return product(self.shape)


@dataclass(frozen=True, slots=True)
class Operations:
    """Arithmetic by kind, for one forward pass; sums and multiples are again such counts.

    Attributes:
        macs: Multiply-accumulates of convolutions, linear and recurrent layers, and of matrix products (attention).
        additions: Additions and subtractions (biases, residuals, sums of pooling).
        multiplications: Multiplications outside the multiply-accumulates.
        divisions: Divisions.
        comparisons: Comparisons (ReLU, max pooling).
        transcendentals: exp, log, tanh, erf, roots and powers.
        binary: One-bit multiply-accumulates: an XNOR and its share of a bit count.

    >>> Operations(macs=3) + Operations(macs=1, additions=2).times(2)
    Operations(macs=5, additions=4)
    """

    macs: Dim = 0
    additions: Dim = 0
    multiplications: Dim = 0
    divisions: Dim = 0
    comparisons: Dim = 0
    transcendentals: Dim = 0
    binary: Dim = 0

    def __add__(self, other: "Operations") -> "Operations":
        return Operations(*(a + b for a, b in zip(self.counts(), other.counts(), strict=True)))

    def times(self, n: Dim) -> "Operations":
        """The same, n times over."""
        return Operations(*(count * n for count in self.counts()))

    def counts(self) -> tuple[Dim, ...]:
        """The counts in the order of `KINDS`."""
        return (
            self.macs,
            self.additions,
            self.multiplications,
            self.divisions,
            self.comparisons,
            self.transcendentals,
            self.binary,
        )

    def __repr__(self) -> str:
        parts = (f"{k}={c!r}" for k, c in zip(KINDS, self.counts(), strict=True) if not (is_number(c) and c == 0))
        return f"Operations({', '.join(parts)})"


KINDS: tuple[str, ...] = tuple(kind.name for kind in fields(Operations))
"""The kinds of operation, in the order in which they are printed."""

FREE = Operations()
"""No arithmetic."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a pixel of a result sees of an input, along each of its axes (height and width, of an image).

    Attributes:
        span: From the first pixel that it sees to the last; nothing where that is the pixel in the same place.
        stride: How far on its neighbour begins; a fraction where the result has more pixels.
        everything: Whether it sees all there is, wherever that stands (attention, a recurrent layer).
    """

    span: tuple[Dim, ...] = ()
    stride: tuple[Dim, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A call of a torch function, as data.

    Attributes:
        target: The dotted name, such as "torch.flatten".
        kwargs: Keyword arguments behind the inputs.
        takes: How the inputs are handed over: each as an argument ("inputs"), as one list ("list"), or two at a time
            from the left ("fold").
        leading: How many of the keyword arguments, from the first, a person writes without their names.
        defaults: What torch takes for arguments that are left out; a source leaves out those that are the same.
    """

    target: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    takes: Literal["inputs", "list", "fold"] = "inputs"
    leading: int = field(default=0, compare=False, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Module:
    """A `torch.nn.Module`, as data, and the functions that its input passes first and its result passes then.

    `leading` and `defaults` are as those of a `Function`.
    """

    target: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Function, ...] = ()
    after: tuple[Function, ...] = ()
    leading: int = field(default=0, compare=False, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


TorchCall: TypeAlias = Module | Function


class _Fields:
    """The fields of a class of operators, as pydantic knows them."""

    def __get__(self, _: object, cls: "type[Operator]") -> dict[str, FieldInfo]:
        return cls.model().model_fields


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Operator(ABC):
    """The base of every operator; see the table at the top of this file.

    A class is registered under the name it is declared with: `class Relu(Activation, name="relu")`. What it annotates
    are its fields, which pydantic reads. The model for that is made when it is first asked for: of all operators, a
    network uses few.

    Raises:
        ValidationError: A field is missing or unknown, or cannot have its value.
    """

    model_fields: ClassVar = _Fields()
    name: ClassVar[str]
    arity: ClassVar[Literal["one", "many"]] = "one"
    in_turn: ClassVar[bool] = False
    """Whether three inputs are joined as two of them are, and then the third (sums, concatenations)."""
    view: ClassVar[bool] = False
    """Whether the result shares its input's memory, or is its input when evaluating (flatten, dropout)."""
    in_place: ClassVar[bool] = False
    """Whether the result can be written over an input of the same size that nothing else reads (activations, sums)."""
    core: ClassVar[bool] = False
    """Whether it is a convolution or linear layer, whose multiply-accumulates and biases every counter counts."""
    taps: ClassVar[Literal["input", "result"] | None] = None
    """What the taps of its kernel fall on, if counters may leave those on padding out."""
    one_bit: ClassVar[str | None] = None
    """The name of the operator whose one-bit form it is."""
    overwrites: ClassVar[bool] = False
    """Whether its torch module takes `inplace`, and needs of the forward pass its result alone (ReLU)."""
    known: ClassVar[bool] = True
    """Whether it is known what it computes; else its arithmetic is in no total, which says so."""
    sees_all: ClassVar[bool] = False
    """Whether each pixel of the result sees all there is, wherever that stands (attention, a recurrent layer)."""
    overwritable: ClassVar[bool] = False
    """Whether its result is memory of its own in torch, which its own gradient does not need."""
    letters: ClassVar[tuple[str, ...]] = ()
    """The letters of its inputs' sizes in closed forms, an input each ("n t f"); else those that its rank has."""
    example: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """What its closed form is shown with, for fields that no letter can stand for: lists of axes, words."""
    torch_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """What torch takes for arguments that are left out, where that is not the default of the field of that name."""

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.name = name
            _register(cls)

    @classmethod
    @cache
    def model(cls) -> type[BaseModel]:
        """The pydantic model of its fields."""
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, validate_default=True)
        said: Any = {key: (kind, getattr(cls, key, ...)) for key, kind in annotations(cls).items()}
        return create_model(cls.__name__, __config__=config, __module__=cls.__module__, **said)

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(self.model()(**settings).__dict__)

    def settings(self) -> dict[str, Any]:
        """The fields and their values."""
        return dict(self.__dict__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in self.__dict__.items())})"

    def __setattr__(self, key: str, *_: object) -> NoReturn:
        raise FrozenInstanceError(f"an operator is frozen: its {key} cannot be changed")

    __delattr__ = __setattr__

    def module(
        self,
        target: str,
        kwargs: Mapping[str, Any],
        leading: int = 0,
        before: tuple[Function, ...] = (),
        after: tuple[Function, ...] = (),
    ) -> Module:
        """A call of a torch module with keyword arguments, the first `leading` of which need no names in a source."""
        return Module(target, kwargs, before, after, leading, self._defaults())

    def function(
        self, target: str, kwargs: Mapping[str, Any], takes: Literal["inputs", "list", "fold"] = "inputs"
    ) -> Function:
        """A call of a torch function with keyword arguments."""
        return Function(target, kwargs, takes, 0, self._defaults())

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        fields = {name: info.default for name, info in cls.model_fields.items() if not info.is_required()}
        return {name: value for name, value in fields.items() if value is not None} | dict(cls.torch_defaults)

    @property
    def below(self) -> Dim | None:
        """The number that the whole numbers of its input are below; None where it takes any numbers."""
        return None

    @abstractmethod
    def output(self, *x: Any, **_: Any) -> Tensor:
        """The shape of the result.

        Raises:
            ShapeError: The operator cannot take these inputs.
        """

    @abstractmethod
    def weights(self, *x: Any, **_: Any) -> tuple[Weight, ...]:
        """The named arrays it owns, in the order of torch's state dict."""

    def sight(self, *x: Any, **_: Any) -> Sight:
        """What a pixel of the result sees of an input; as it stands, the pixel in the same place, or all of them."""
        return Sight(everything=self.sees_all)

    def cached(self, *x: Any) -> Dim:
        """How many numbers a decoder keeps of what flows in, so that a later token need not compute them again."""
        return 0

    @abstractmethod
    def operations(self, *x: Any, **_: Any) -> Operations:
        """Its arithmetic for one forward pass."""

    def unmasked(self, *x: Any) -> Operations:
        """Its arithmetic without what a causal mask makes zero of."""
        return self.operations(*x)

    @abstractmethod
    def torch_call(self, *x: Any, **_: Any) -> TorchCall:
        """Which torch module or function computes it."""


@cache
def annotations(cls: type, axes: int | None = None) -> Mapping[str, Any]:
    """The types of the fields of a class of operators, those of its bases first; `axes` are the class's own."""
    along = getattr(cls, "axes", 2) if axes is None else axes
    found: dict[str, Any] = {}
    for base in reversed(cls.__bases__):
        found.update(annotations(base, along))
    own = get_annotations(cls, eval_str=True)
    found.update((key, _along(along, kind)) for key, kind in own.items() if ClassVar not in (kind, get_origin(kind)))
    return found


def _along(axes: int, kind: Any) -> Any:
    """The type of a field of an operator of so many axes; one that may be None is a union."""
    if get_origin(kind) is Union:
        return Union[tuple(_along(axes, part) for part in get_args(kind))]  # noqa: UP007  # made of parts
    found = next((each for each in getattr(kind, "__metadata__", ()) if isinstance(each, PerAxis)), None)
    return kind if found is None else found.kinds[axes - 1]


_operators: dict[str, type[Operator]] = {}


def _register(operator: type[Operator]) -> None:
    other = _operators.get(operator.name)
    if other is not None and other.__qualname__ + other.__module__ != operator.__qualname__ + operator.__module__:
        raise ArchspecError(f"operator {operator.name!r} is already {other.__module__}.{other.__qualname__}")
    _operators[operator.name] = operator


def registered() -> Mapping[str, type[Operator]]:
    """Every operator by its name."""
    return MappingProxyType(_operators)


# ------------------------------------------------------------------ kinds of operator, by what they need not repeat


class Weightless(Operator):
    """An operator that owns no arrays."""

    def weights(self, *x: Any, **_: Any) -> tuple[Weight, ...]:
        """None."""
        return ()


class Free(Weightless):
    """An operator that moves or renames data: no arrays, no arithmetic."""

    def operations(self, *x: Any, **_: Any) -> Operations:
        """None."""
        return FREE


class Unchanged(Operator):
    """An operator whose result has the shape of its input."""

    def check(self, x: Tensor) -> None:
        """See that it can take an input; it takes any, unless a class says otherwise.

        Raises:
            ShapeError: It cannot.
        """

    def output(self, x: Tensor) -> Tensor:
        """X."""
        self.check(x)
        return x


class OneModule(Operator):
    """An operator that is one torch module, whose arguments are its fields.

    Of these the first `leading` need no names in a source.
    """

    torch_class: ClassVar[str]
    leading: ClassVar[int] = 0

    def torch_call(self, x: Tensor) -> TorchCall:
        """The module."""
        return self.module(self.torch_class, self.settings(), self.leading)


class PerElement(Unchanged):
    """An operator that does the same to each element; `one` is the arithmetic of one."""

    one: ClassVar[Operations]

    def operations(self, x: Tensor) -> Operations:
        """That of one element, times the elements."""
        return self.one.times(x.elements)


# ------------------------------------------------------------------ types of the fields


@dataclass(frozen=True, slots=True)
class Domain:
    """What a field may be.

    Attributes:
        says: In words, as the documents print it.
        kind: Whether it is a size (or several), which may be a letter of a closed form; a number that is no size; the
            number of an axis; or true and false.
        least: The least that a size may be.
    """

    says: str
    kind: Literal["size", "sizes", "number", "axis", "switch"] = "number"
    least: int = 1


def domain(info: FieldInfo) -> Domain | None:
    """What a field may be; None where that is a few words, or was not said."""
    parts = [info.metadata, *(getattr(part, "__metadata__", ()) for part in get_args(info.annotation))]
    return next((each for part in parts for each in part if isinstance(each, Domain)), None)


MAX_NUMBER = 10**30
"""The largest number of a setting, above zero or below: every type of torch's that computes can hold it."""


def positive(value: Any) -> Dim:
    """A size from 1."""
    return _size(value, 1)


def natural(value: Any) -> Dim:
    """A size from 0."""
    return _size(value, 0)


def _size(value: Any, least: int) -> Dim:
    number = _number(value)
    if not is_whole(number):
        raise ValueError(f"must be an integer (got {number})")
    if not reaches(number, least):
        raise ValueError(f"must be at least {least} (got {value})" if least else f"must not be negative (got {value})")
    return number


def _number(value: Any) -> Dim:
    try:
        return exact(value)
    except ArchspecError:
        raise ValueError(f"must be a number (got {value!r:.40})") from None


AXES: Mapping[int, tuple[str, ...]] = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""What the axes behind the channels are called, by how many there are."""


def each_of(check: Callable[[Any], Dim], axes: int) -> Callable[[Any], Any]:
    """One size that passes the check, or one for each of so many axes."""
    words = {2: "two, height and width", 3: "three, depth, height and width"}

    def one_or_each(value: Any) -> Any:
        if axes == 1 or not isinstance(value, (list, tuple)):
            return check(value)
        if len(value) != axes:
            raise ValueError(f"must be one size or {words[axes]} (got {len(value)})")
        return tuple(map(check, value))

    return one_or_each


def _several(value: Any) -> tuple[Dim, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of sizes (got {value})")
    return tuple(map(positive, value))


def _rest(value: Any) -> tuple[Dim, ...]:
    """Sizes, of which one may be what is left of the others: -1."""
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of sizes (got {value})")
    if not value or sum(_is_rest(one) for one in value) > 1:
        raise ValueError(f"must be sizes, -1 for at most one of them (got {list(value)})")
    return tuple(-1 if _is_rest(one) else positive(one) for one in value)


def _is_rest(size: Any) -> bool:
    return type(size) is int and size == -1


def real(must: str, low: int, high: int, *, above: bool = False, below: bool = False) -> Callable[[Any], Dim]:
    """A number that is no size, from `low` to `high`; of symbols it is recorded.

    Args:
        must: What a message says that it must be.
        low: The least that it may be.
        high: The most.
        above: Whether it must be more than the least.
        below: Whether it must be less than the most.
    """

    def check(value: Any) -> Dim:
        number = _number(value)
        if is_number(number) and not -MAX_NUMBER <= number <= MAX_NUMBER:
            raise ValueError(f"must be at most 10^30, above or below zero (got {value!r:.40})")
        if (is_number(number) or is_symbolic(number) or is_array(number)) and not within(number):
            raise ValueError(f"must be {must} (got {number})")
        return number

    def within(number: Dim) -> bool:
        reached = low == -MAX_NUMBER or (less(low, number) if above else reaches(number, low))
        return bool(reached and (high == MAX_NUMBER or (less(number, high) if below else reaches(high, number))))

    return check


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false (got {value})")
    return value


def _axes(value: Any) -> tuple[int, ...]:
    listed = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(map(_axis, listed))
    if not found or len({*found}) < len(found):
        raise ValueError(f"must be axes, each once (got {list(found)})")
    return found


def _axis(value: Any) -> int:
    number = settled(value)
    if type(number) is not int:
        raise ValueError(f"must be the number of an axis, such as 1 (got {value})")
    if number == 0:
        raise ValueError(
            "must be an axis other than 0, which is the batch: 1 for the channels, -1 for the last (got 0)"
        )
    return number


@dataclass(frozen=True, slots=True)
class PerAxis:
    """What a field is that is one size, or one for each axis: its type in operators of 1, of 2 and of 3 axes."""

    kinds: tuple[Any, Any, Any]


def _sizes(check: Callable[[Any], Dim], least: int) -> PerAxis:
    says = f"a whole number from {least}"
    one, two, three = (
        Annotated[Any, BeforeValidator(each_of(check, axes)), Domain(f"{says}{more}", "size", least)]
        for axes, more in enumerate(("", ", or two: `[height, width]`", ", or three: `[depth, height, width]`"), 1)
    )
    return PerAxis((one, two, three))


Positive = Annotated[Any, BeforeValidator(positive), Domain("a whole number from 1", "size")]
Natural = Annotated[Any, BeforeValidator(natural), Domain("a whole number from 0", "size", 0)]
PositivePerAxis = Annotated[Any, _sizes(positive, 1)]
NaturalPerAxis = Annotated[Any, _sizes(natural, 0)]
Sizes = Annotated[Any, BeforeValidator(_several), Domain("a list of whole numbers from 1", "sizes")]
SizesOrRest = Annotated[
    Any, BeforeValidator(_rest), Domain("a list of whole numbers from 1, or -1 for what is left of the others", "sizes")
]
Real = Annotated[Any, BeforeValidator(real("", -MAX_NUMBER, MAX_NUMBER)), Domain("a number")]
NonNegative = Annotated[Any, BeforeValidator(real("at least 0", 0, MAX_NUMBER)), Domain("a number from 0")]
AboveZero = Annotated[
    Any, BeforeValidator(real("greater than 0", 0, MAX_NUMBER, above=True)), Domain("a number above 0")
]
UpToOne = Annotated[Any, BeforeValidator(real("from 0 to 1", 0, 1)), Domain("a number from 0 to 1")]
Probability = Annotated[
    Any,
    BeforeValidator(real("at least 0 and less than 1", 0, 1, below=True)),
    Domain("a number from 0 to below 1"),
]
Switch = Annotated[bool, BeforeValidator(_switch), Domain("true or false", "switch")]
Axis = Annotated[
    int,
    BeforeValidator(_axis),
    Domain(
        "the number of an axis: 1 for the channels, then 2 and 3, or -1 for the last; 0, the batch, is none", "axis"
    ),
]

Axes = Annotated[
    tuple[int, ...], BeforeValidator(_axes), Domain("the number of an axis other than 0, or a list of them", "axis")
]


def per_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """A size given once, or once for each axis, as one for each axis.

    >>> per_axis(3, 2), per_axis((1, 7), 2), per_axis(5, 1)
    ((3, 3), (1, 7), (5,))
    """
    return value if isinstance(value, tuple) else (value,) * axes


# ------------------------------------------------------------------ checks of inputs


KINDS_OF_INPUT = {1: "a sequence", 2: "an image", 3: "a volume"}


def spatial(x: Tensor, axes: int, operator: str) -> tuple[Dim, ...]:
    """The sizes (n, c, …) of what has so many axes behind its channels, or an error that says what it must have."""
    if len(x.shape) != axes + 2:
        raise ShapeError(
            f"{operator} takes {KINDS_OF_INPUT[axes]} ({' × '.join(('channels', *AXES[axes]))}), found {x}"
        )
    return x.shape


def image(x: Tensor, operator: str) -> tuple[Dim, Dim, Dim, Dim]:
    """The sizes (n, c, h, w) of an image, or an error that says what it takes."""
    n, c, h, w = spatial(x, 2, operator)
    return n, c, h, w


def any_spatial(x: Tensor, operator: str) -> int:
    """How many axes there are behind the channels: of a sequence 1, of an image 2, of a volume 3."""
    axes = len(x.shape) - 2
    if axes not in AXES:
        raise ShapeError(f"{operator} takes an image (channels × height × width), a sequence or a volume, found {x}")
    return axes


def whole_image(x: Tensor) -> Sight:
    """What sees all pixels of an image; of a vector, which has none, the vector."""
    if len(x.shape) == 2:
        return Sight()
    return Sight(everything=True) if len(x.shape) == 3 else Sight(x.shape[2:], x.shape[2:])


def features(x: Tensor, operator: str) -> Dim:
    """The size of the last axis, which linear layers work on; an image must be flattened or pooled first."""
    if len(x.shape) == 4:
        raise ShapeError(f"{operator} takes vectors, found an image of {x}; put flatten or global_avg_pool before it")
    if len(x.shape) == 1:
        raise ShapeError(f"{operator} takes vectors, found one number for each of the batch")
    return x.shape[-1]


def channels(x: Tensor, operator: str) -> Dim:
    """The size of the axis behind the batch."""
    if len(x.shape) == 1:
        raise ShapeError(f"{operator} takes channels, found one number for each of the batch")
    return x.shape[1]


def axis(x: Tensor, dim: int, operator: str) -> int:
    """The number of an axis other than the batch, from the front; -1 is the last."""
    rank = len(x.shape)
    if not (1 <= dim < rank or 1 - rank <= dim < 0):
        raise ShapeError(f"{operator} along axis {dim} needs inputs of more axes than {x}, which has {rank}")
    return dim % rank


def quotient(a: Dim, b: Dim, fault: str, setting: str = "") -> Dim:
    """a/b.

    Raises:
        DivisibilityError: b does not divide a; says the fault, and which setting would have to be another.
    """
    try:
        return exact_div(a, b)
    except DivisibilityError:
        raise DivisibilityError(fault, setting) from None


def divided(elements: Dim, sizes: tuple[Dim, ...], what: str) -> tuple[Dim, ...]:
    """Sizes into which so many elements go, with -1 as what is left.

    Raises:
        ShapeError: They do not.

    >>> divided(12, (3, -1, 2), "12 elements")
    (3, 2, 2)
    """
    shown = writing.sizes(sizes)
    known = product(size for size in sizes if not _is_rest(size))
    if not any(map(_is_rest, sizes)):
        if not same_size(known, elements):
            raise ShapeError(f"{what} do not fill {shown}, which is {known}")
        return sizes
    rest = quotient(elements, known, f"{what} do not divide into {shown}")
    return tuple(rest if _is_rest(size) else size for size in sizes)


def same_size(a: Dim, b: Dim) -> bool:
    """Whether two sizes that must agree do."""
    return bool(agree(a, b))


def is_one(size: Dim) -> bool:
    """Whether a size is the number 1."""
    return equal(size, 1) if is_array(size) else is_number(size) and bool(size == 1)


def spread(a: Dim, b: Dim) -> Dim | None:
    """The size to which two spread, where 1 goes with any; None if they do not go together.

    >>> spread(1, 5), spread(5, 5), spread(5, 4)
    (5, 5, None)
    """
    if is_array(a) and is_array(b) and a.shape == b.shape and (a == b).all():
        return a  # whichever of its elements are 1
    if is_one(a):
        return b
    if is_one(b) or same_size(a, b):
        return a
    if may_be_one(a):
        return b
    return a if may_be_one(b) else None


def may_be_one(size: Dim) -> bool:
    """Whether a size that is no number is 1, as it must be."""
    return (is_symbolic(size) or has_rules(size)) and same_size(size, 1)
