"""A recipe: how a network is trained, as a YAML mapping or as settings on the command line.

The recipes that come with the library lie in specs/recipes; docs/train.md explains every key.
"""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PlainValidator, ValidationError

from archspec.errors import ArchspecError, SpecError, SpecErrors, UnknownNameError, did_you_mean
from archspec.language import zoo
from archspec.language.located import Faults, Located, described, fault_of, validated
from archspec.language.reader import decode, parse, read_bytes
from archspec.language.values import Text
from archspec.writing import printable

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "step", "cosine", "linear")
PRECISIONS = ("no", "bf16", "fp16")


def _refuse(wanted: str, value: Any) -> SpecError:
    return SpecError(f"expected {wanted}, found {described(value)}", getattr(value, "at", None))


def _whole(low: int, high: int) -> PlainValidator:
    def read(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            raise _refuse(f"a whole number from {low:,} to {high:,}", value) from None
        if not low <= number <= high:
            raise _refuse(f"a whole number from {low:,} to {high:,}", value)
        return number

    return PlainValidator(read)


def _real(low: float, high: float, open_below: bool = False) -> PlainValidator:
    wanted = f"a number {'above' if open_below else 'from'} {low:g} {'and at most' if open_below else 'to'} {high:g}"

    def read(value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            raise _refuse(wanted, value) from None
        if not low <= number <= high or (open_below and number == low):  # NaN is in no range
            raise _refuse(wanted, value)
        return number

    return PlainValidator(read)


def _word(words: tuple[str, ...]) -> PlainValidator:
    def read(value: Any) -> str:
        if value not in words:
            raise _refuse(f"one of {', '.join(words)}", value)
        return str(value)

    return PlainValidator(read)


def _switch(value: Any) -> bool:
    known = {"true": True, "false": False}.get(str(value).lower())
    if known is None:
        raise _refuse("true or false", value)
    return known


Share = Annotated[float, _real(0, 0.9999)]
Switch = Annotated[bool, PlainValidator(_switch)]


class Recipe(Located):
    """How a network is trained.

    Attributes:
        doc: What it is for.
        data: The kind of data that it is made for; None for any.
        epochs: How often all training images are seen.
        batch: Images a step, those of all processes together.
        optimizer: One of `OPTIMIZERS`.
        lr: The learning rate at its highest.
        momentum: Of sgd and rmsprop.
        nesterov: Whether sgd looks ahead.
        weight_decay: How fast weights shrink: decoupled for adamw, else added to the gradient.
        decay: "all" the weights, or "matrices": not those of norms, and no biases.
        schedule: One of `SCHEDULES`, from the end of the warm-up to that of the training.
        warmup: Epochs in which the rate rises from 0.
        step_epochs: After how many epochs "step" lowers the rate.
        step_factor: By what it is multiplied then.
        label_smoothing: The share of the label that is spread over all classes.
        clip: The largest norm of all gradients together; 0 for no bound.
        ema: How much of the averaged weights a step keeps; 0 for no average.
        precision: "no" for float32, or the format of mixed precision.
        crop, flip, rotate, scale, shear, translate: See `archspec.train.augment.Augment`.
        seed: Of the first weights, the order of the images and every other chance.

    >>> Recipe(epochs=3).lr
    0.05
    """

    doc: Text | None = None
    data: Text | None = None
    epochs: Annotated[int, _whole(1, 100_000)] = 10
    batch: Annotated[int, _whole(1, 1_000_000)] = 64
    optimizer: Annotated[str, _word(OPTIMIZERS)] = "sgd"
    lr: Annotated[float, _real(0, 1000, open_below=True)] = 0.05
    momentum: Share = 0.9
    nesterov: Switch = False
    weight_decay: Annotated[float, _real(0, 1)] = 0.0
    decay: Annotated[Literal["all", "matrices"], _word(("all", "matrices"))] = "all"
    schedule: Annotated[str, _word(SCHEDULES)] = "cosine"
    warmup: Annotated[float, _real(0, 100_000)] = 0.0
    step_epochs: Annotated[int, _whole(1, 100_000)] = 30
    step_factor: Annotated[float, _real(0, 1, open_below=True)] = 0.1
    label_smoothing: Share = 0.0
    clip: Annotated[float, _real(0, 1e9)] = 0.0
    ema: Share = 0.0
    precision: Annotated[str, _word(PRECISIONS)] = "no"
    crop: Annotated[int, _whole(0, 1000)] = 0
    flip: Switch = False
    rotate: Annotated[float, _real(0, 180)] = 0.0
    scale: Annotated[float, _real(0, 10)] = 0.0
    shear: Annotated[float, _real(0, 80)] = 0.0
    translate: Annotated[float, _real(0, 1000)] = 0.0
    seed: Annotated[int, _whole(0, 2**63 - 1)] = 0

    def changed(self, settings: Mapping[str, Any]) -> "Recipe":
        """The recipe with some keys set anew.

        Raises:
            SpecErrors: A key that does not exist, or a value that it cannot have.

        >>> Recipe().changed({"lr": "0.1"}).lr
        0.1
        """
        known = type(self).model_fields
        for key in settings:
            if key not in known:
                hint = did_you_mean(key, known) or f"; there are {', '.join(known)}"
                raise SpecErrors([SpecError(f"a recipe has no key '{printable(key, 80)}'{hint}")])
        try:
            return Recipe.model_validate({**self.model_dump(), **settings})
        except ValidationError as error:
            form = {**self.model_dump(), **settings}
            raise SpecErrors(_named(fault_of(d, form, None), d["loc"]) for d in error.errors()) from None

    def factor(self, step: int, steps_an_epoch: int) -> float:
        """What the learning rate is multiplied by in a step, counted from 0.

        >>> [round(Recipe(epochs=4, warmup=2, schedule="linear").factor(step, 1), 2) for step in range(4)]
        [0.5, 1.0, 1.0, 0.5]
        """
        warm = round(self.warmup * steps_an_epoch)
        if step < warm:
            return (step + 1) / warm
        shape: dict[str, Callable[[float], float]] = {
            "constant": lambda _: 1.0,
            "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
            "linear": lambda done: 1 - done,
            "step": lambda _: self.step_factor ** (step // (self.step_epochs * steps_an_epoch)),
        }
        return shape[self.schedule]((step - warm) / max(1, self.epochs * steps_an_epoch - warm))


def _named(fault: SpecError, loc: tuple[int | str, ...]) -> SpecError:
    return SpecError(f"{loc[0]}: {fault.message}" if loc else fault.message)


def names() -> list[str]:
    """The recipes that come with the library.

    >>> "lenet_5" in names()
    True
    """
    return sorted(path.stem for path in (zoo.directory() / "recipes").glob("*.yaml"))


def load(recipe: str | os.PathLike[str]) -> Recipe:
    """Read a recipe: a path, or the name of one that comes with the library.

    Raises:
        SpecErrors: It cannot be read, or has faults; all of them are named, each with its place.
        UnknownNameError: It is neither a file nor a name.
    """
    name = os.fspath(recipe)
    if not Path(name).suffix and os.sep not in name and not os.path.isfile(name):
        if name not in names():
            hint = did_you_mean(name, names()) or f"; there are {', '.join(names())}"
            raise UnknownNameError(f"no file or recipe is called '{printable(name)}'{hint}")
        name = str(zoo.directory() / "recipes" / f"{name}.yaml")
    return loads(decode(read_bytes(name), name), name)


def loads(text: str, name: str = "<text>") -> Recipe:
    """Read a recipe from text; `name` is what its faults call it.

    Raises:
        SpecErrors: It has faults; all of them are named, each with its place.

    >>> loads("lr: fast")
    Traceback (most recent call last):
    archspec.errors.SpecErrors: <text>:1:5: expected a number above 0 and at most 1000, found 'fast'
    """
    faults = Faults()
    tree = parse(text, name, faults, "a recipe is a mapping, such as 'epochs: 10'")
    recipe = validated(Recipe, tree, faults)
    if faults:
        raise SpecErrors(faults)
    return recipe


def default_for(spec: str, data: str) -> Recipe:
    """The recipe of a network's own name, if it is made for the data, else that of the data.

    Raises:
        ArchspecError: There is neither.
    """
    for name in (spec, data):
        if name in names() and (recipe := load(name)).data in {None, data}:
            return recipe
    raise ArchspecError(f"no recipe for {spec} or {data}; name one with --recipe: {', '.join(names())}")
