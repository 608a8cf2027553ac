"""A recipe: how a network is trained, as a YAML mapping or as settings on the command line.

The recipes that come with the library lie in specs/recipes; docs/train.md explains every key.
"""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, ValidationError, create_model

from archspec.errors import ArchspecError, SpecError, SpecErrors, UnknownNameError, did_you_mean
from archspec.language import zoo
from archspec.language.domains import Fraction, Switch, by_name, real, whole, word
from archspec.language.located import Faults, Located, fault_of, validated
from archspec.language.reader import decode, parse, read_bytes
from archspec.language.values import Text
from archspec.train.methods import METHODS, Method
from archspec.writing import printable

if TYPE_CHECKING:
    from archspec.train.batches import Augment

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("constant", "step", "cosine", "linear")
PRECISIONS = ("no", "bf16", "fp16")
OF_THE_RUN = (
    *("doc", "tuning", "data", "seed", "validation", "validation_seed", "start", "patience", "precision", "stages"),
    *(key for key, method in METHODS.items() if method.of_the_run),
)
"""The keys that no stage has for itself."""


class Keys(Located):
    """How a network is trained.

    Beside these it has a key for each method of `archspec.train.methods.METHODS`, which is None or the method.

    Attributes:
        doc: What it is for.
        tuning: How its values were found: what was tried, and what it was judged by.
        data: The kind of data that it is made for; None for any.
        epochs: How often all training images are seen.
        batch: Images per step, those of all processes together.
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
        crop, flip, rotate, scale, shear, translate: See `archspec.train.batches.Augment`.
        area: The smallest share of the image that a random window has, which is scaled to the image; 1 for all of it.
        mixup: How far two images are mixed: the parameter of the beta distribution (Zhang et al. 2018); 0 for not.
        balance: Whether each class has the same weight in the loss, however many images it has.
        class_weights: What the loss of an image is multiplied by, for some classes, by name or number; 1 for others.
        accumulate: In how many parts, one after another, a batch goes through the network.
        validation: How many training images are kept from learning, to choose the best epoch by; the test images are
            then seen once, at the end.
        validation_seed: By which of them are chosen; None for `seed`. Runs that are compared, or learn from one
            another, have the same.
        patience: After how many epochs without a better one the training ends; 0 for never.
        start: The folder of a run, or a file of weights, to begin with; None for fresh weights.
        seed: Of the first weights, the order of the images and every other chance.
        stages: Trainings one after another: what of the recipe is different in each.

    >>> Recipe(epochs=3).lr
    0.05
    """

    doc: Text | None = None
    tuning: Text | None = None
    data: Text | None = None
    epochs: Annotated[int, whole(1, 100_000)] = 10
    batch: Annotated[int, whole(1, 1_000_000)] = 64
    optimizer: Annotated[str, word(OPTIMIZERS)] = "sgd"
    lr: Annotated[float, real(0, 1000, open_below=True)] = 0.05
    momentum: Fraction = 0.9
    nesterov: Switch = False
    weight_decay: Annotated[float, real(0, 1)] = 0.0
    decay: Annotated[Literal["all", "matrices"], word(("all", "matrices"))] = "all"
    schedule: Annotated[str, word(SCHEDULES)] = "cosine"
    warmup: Annotated[float, real(0, 100_000)] = 0.0
    step_epochs: Annotated[int, whole(1, 100_000)] = 30
    step_factor: Annotated[float, real(0, 1, open_below=True)] = 0.1
    label_smoothing: Fraction = 0.0
    clip: Annotated[float, real(0, 1e9)] = 0.0
    ema: Fraction = 0.0
    precision: Annotated[str, word(PRECISIONS)] = "no"
    crop: Annotated[int, whole(0, 1000)] = 0
    flip: Switch = False
    rotate: Annotated[float, real(0, 180)] = 0.0
    scale: Annotated[float, real(0, 10)] = 0.0
    shear: Annotated[float, real(0, 80)] = 0.0
    translate: Annotated[float, real(0, 1000)] = 0.0
    area: Annotated[float, real(0, 1, open_below=True)] = 1.0
    mixup: Annotated[float, real(0, 100)] = 0.0
    balance: Switch = False
    class_weights: Annotated[dict[str, float], by_name(0, 1e6)] = Field(default_factory=dict)
    accumulate: Annotated[int, whole(1, 100_000)] = 1
    validation: Annotated[int, whole(0, 10**9)] = 0
    validation_seed: Annotated[int, whole(0, 2**63 - 1)] | None = None
    patience: Annotated[int, whole(0, 100_000)] = 0
    start: Text | None = None
    seed: Annotated[int, whole(0, 2**63 - 1)] = 0
    stages: tuple["Recipe", ...] = ()

    @property
    def methods(self) -> tuple[Method, ...]:
        """The methods that it has, in the order of the keys."""
        return tuple(method for key in METHODS if (method := getattr(self, key)) is not None)

    @property
    def change(self) -> "Augment":
        """What is done to the images of a batch."""
        from archspec.train.batches import Augment

        return Augment(self.crop, self.flip, self.rotate, self.scale, self.shear, self.translate, self.area)

    @property
    def held_by(self) -> int:
        """The seed by which validation images are chosen."""
        return self.seed if self.validation_seed is None else self.validation_seed

    @property
    def fixed(self) -> bool:
        """Whether an image is the same whenever it is shown: neither changed nor mixed with another."""
        return not (self.change or self.mixup)

    def faults(self) -> list[SpecError]:
        """What does not fit together."""
        found = [
            SpecError(f"{key} is of the whole training, and of no stage", stage.key_at(key))
            for stage in self.stages
            for key in OF_THE_RUN
            if key in stage.model_fields_set
        ]
        if self.stages and self.patience:
            found.append(SpecError("patience ends a training, and stages follow one another", self.key_at("patience")))
        found += [
            SpecError("ema averages weights, and an average of levels is no level", each.key_at(method.key))
            for each in self.staged()
            for method in each.methods
            if each.ema and not method.averages
        ]
        if self.patience and not self.validation:
            found.append(SpecError("patience needs validation images to judge by", self.key_at("patience")))
        return found

    def staged(self) -> tuple["Recipe", ...]:
        """The recipes of its stages, each whole; itself, if there are none. A method is that of its stage alone.

        >>> [each.epochs for each in Recipe(stages=({"epochs": 3}, {"lr": 0.1})).staged()]
        [3, 10]
        """
        if not self.stages:
            return (self,)
        own = {key: getattr(self, key) for key in type(self).model_fields if key != "stages"}
        return tuple(
            self.model_copy(
                update={**own, "stages": (), **{key: getattr(stage, key) for key in stage.model_fields_set}}
            )
            for stage in self.stages
        )

    def plain(self, *, whole: bool = True) -> dict[str, Any]:
        """The recipe as JSON has it; `changed` of another reads it again.

        Args:
            whole: Whether keys that were not given are in it, with their defaults.
        """
        found = self.model_dump(exclude={"stages"}, exclude_unset=not whole)
        return found | ({"stages": [stage.plain(whole=False) for stage in self.stages]} if self.stages else {})

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
        settings_given = {**self.plain(), **settings}
        try:
            found = Recipe.model_validate(settings_given)
        except ValidationError as error:
            raise SpecErrors(_named(fault_of(d, settings_given, None), d["loc"]) for d in error.errors()) from None
        if faults := found.faults():
            raise SpecErrors(faults)
        return found

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


if TYPE_CHECKING:
    Recipe: TypeAlias = Keys
else:
    _methods = {key: (method | None, None) for key, method in METHODS.items()}
    Recipe = create_model("Recipe", __base__=Keys, __module__=__name__, __doc__=Keys.__doc__, **_methods)


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
    faults.extend(recipe.faults())
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
