"""What `archspec import` gives a factory: `--set`, and the values of `--vary`, which become symbols."""

from collections.abc import Container
from fractions import Fraction
from typing import Any

from archspec import dims
from archspec.errors import ArchspecError, BindingError

SIDE = "side"
"""The input's height and width."""

MOST_VALUES = 32
"""At each value a model is made and exported."""


def keywords(settings: tuple[str, ...]) -> dict[str, Any]:
    """Arguments of a factory: numbers, true and false, none, else words.

    Raises:
        BindingError: A text is not NAME=VALUE, or a name stands twice.

    >>> keywords(("width=0.5", "groups=3", "bias=false", "act=relu"))
    {'width': 0.5, 'groups': 3, 'bias': False, 'act': 'relu'}
    """
    found: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not (sign and name.isidentifier()):
            raise BindingError(f"--set takes NAME=VALUE (got '{setting}')")
        if name in found:
            raise BindingError(f"--set {name} is given twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def varied_values(varying: tuple[str, ...], fixed: Container[str], sizes: tuple[int, ...]) -> dict[str, list[Fraction]]:
    """The values of `--vary`, each an exact number, by the arguments that become symbols.

    Args:
        varying: What was given.
        fixed: The arguments that `--set` gives.
        sizes: The input's.

    Raises:
        BindingError: A text is not NAME=VALUE,VALUE…, a value is no number or stands twice, a name stands twice or is
            set, too, or `side` is no size of an image.

    >>> varied_values(("width=1,0.5",), {}, (3, 224, 224))
    {'width': [Fraction(1, 1), Fraction(1, 2)]}
    """
    found: dict[str, list[Fraction]] = {}
    for text in varying:
        name, sign, listed = (part.strip() for part in text.partition("="))
        if not (sign and name.isidentifier() and listed):
            raise BindingError(f"--vary takes NAME=VALUE,VALUE,… such as width=1,0.37,0.61 (got '{text}')")
        if name in found:
            before = ",".join(f"{float(value):g}" for value in found[name])
            raise BindingError(f"--vary {name} is given twice; write its values in one: {name}={before},{listed}")
        if name in fixed:
            raise BindingError(f"--set {name} and --vary {name} are both given; the first of --vary is the default")
        found[name] = _values(name, listed)
    if any(value.denominator != 1 or not 0 < value <= 10**6 for value in found.get(SIDE, ())):
        raise BindingError("--vary side takes whole sizes such as side=224,192, the input's height and width")
    if SIDE in found and len(sizes) != 3:
        raise BindingError("--vary side is the height and width of an image; --input is none")
    return found


def _values(name: str, listed: str) -> list[Fraction]:
    texts = [text.strip() for text in listed.split(",")]
    values = [_exact(name, text) for text in texts]
    twice = next((text for text, value in zip(texts, values, strict=True) if values.count(value) > 1), None)
    if twice is not None:
        raise BindingError(f"--vary {name} has {twice} twice")
    if len(values) < 2:
        raise BindingError(f"--vary {name} takes two values or more, the default first (got '{listed}')")
    if len(values) > MOST_VALUES:
        raise BindingError(f"--vary {name} takes {MOST_VALUES} values at most: at each a model is made and exported")
    return values


def _exact(name: str, text: str) -> Fraction:
    try:
        return Fraction(dims.exact(text))
    except ArchspecError:
        raise BindingError(
            f"--vary {name} takes numbers, of which symbols are made (got '{text}'); words are for --set"
        ) from None


def plain(value: Fraction) -> int | float:
    """A value as code has it: whole numbers are ints."""
    return int(value) if value.denominator == 1 else float(value)
