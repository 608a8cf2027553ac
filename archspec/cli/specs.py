"""What a SPEC on the command line stands for, a file, a name of the zoo or a run, and the values behind it."""

import os
from typing import Any

from archspec import architecture, runs
from archspec.architecture import Architecture
from archspec.errors import ArchspecError, BindingError
from archspec.runs import Run


def named(text: str, takes: str) -> tuple[str, str]:
    """The name and the value of an option's NAME=VALUE.

    Args:
        text: What was given.
        takes: What the option takes, for the fault.

    Raises:
        BindingError: There is no name, or no value.

    >>> named("alpha = 1/2", "--set takes NAME=VALUE")
    ('alpha', '1/2')
    """
    name, sign, value = (part.strip() for part in text.partition("="))
    if not (sign and name and value):
        raise BindingError(f"{takes} (got '{text}')")
    return name, value


def bindings(settings: tuple[str, ...]) -> dict[str, str]:
    """The symbols' values of `--set` options, each of which may hold several, apart by commas.

    Raises:
        BindingError: A part is not NAME=VALUE, or a name stands twice.
    """
    values: dict[str, str] = {}
    for setting in (part for several in settings for part in several.split(",")):
        name, value = named(setting, "--set takes NAME=VALUE, such as alpha=0.5")
        if name in values:
            raise BindingError(f"--set {name} is given twice")
        values[name] = value
    return values


def apart(spec: str) -> tuple[str, dict[str, str]]:
    """A specification as it is named, and the values of symbols behind the name: mobilenet:alpha=0.5,side=160.

    Raises:
        BindingError: What stands behind is not NAME=VALUE.
    """
    name, colon, settings = spec.rpartition(":")
    if not colon or "=" not in settings or os.path.exists(spec):
        return spec, {}
    return name, bindings((settings,))


def network(spec: str, settings: tuple[str, ...] = ()) -> tuple[Architecture, dict[str, Any]]:
    """The network that SPEC names, and the values of its symbols: those behind its name, else those of `--set`.

    Of a run's folder, the values of the run are the defaults.
    """
    name, own = apart(spec)
    run = runs.find(name)
    return architecture.load(name) if run is None else run.as_specification(), {**bindings(settings), **own}


def open_spec(spec: str, settings: tuple[str, ...]) -> tuple[Architecture, dict[str, Any], Run | None]:
    """The same for what is made with weights; and the run, if SPEC is its folder.

    Raises:
        ArchspecError: A run's folder has its bindings; others are refused.
    """
    name, own = apart(spec)
    run = runs.find(name)
    bound: dict[str, Any] = {**bindings(settings), **own}
    if run is None:
        return architecture.load(name), bound, None
    if odd := [name for name, value in bound.items() if run.bindings.get(name) != value]:
        raise BindingError(f"{name}: is the folder of a run with other bindings than --set {odd[0]}={bound[odd[0]]}")
    return run.architecture(), dict(run.bindings), run


def weights_of(spec: str, run: Run | None, file: str | None) -> str:
    """The file of weights that is named, else the chosen weights of the run that SPEC is.

    Raises:
        ArchspecError: SPEC is no folder of a run, and nothing is named.
    """
    if file is None and run is None:
        raise ArchspecError(f"{spec}: is not the folder of a run; name its weights with --weights")
    return str(run.weights) if run is not None and file is None else str(file)
