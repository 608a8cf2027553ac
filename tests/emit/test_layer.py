"""What is left out of a call of torch is what torch takes anyway."""

import inspect

import pytest

torch = pytest.importorskip("torch")

from archspec.emit.layer import DEFAULTS, LEADING  # noqa: E402  # behind the skip
from archspec.runtime import binary  # noqa: E402

OVERLOADED = {"mean", "amax", "cat"}
"""Functions of torch that have no signature in Python."""


def target(name):
    places = (torch.nn, binary, torch.nn.functional, torch.nn.init, torch)
    return next(getattr(place, name) for place in places if hasattr(place, name))


def parameters(name):
    found = target(name)
    if name.startswith("Binary"):
        own = inspect.signature(found).parameters
        return {**inspect.signature(found.__mro__[2]).parameters, **own}
    return inspect.signature(found).parameters


@pytest.mark.parametrize("name", sorted({*DEFAULTS} - OVERLOADED))
def test_the_defaults_are_those_of_torch(name):
    known = parameters(name)
    for key, value in DEFAULTS[name].items():
        assert known[key].default == value, (name, key)
        assert isinstance(known[key].default, bool) == isinstance(value, bool)


def test_the_defaults_of_functions_without_a_signature():
    x = torch.arange(24.0).view(1, 2, 3, 4)
    assert torch.mean(x, dim=(2, 3)).shape == torch.amax(x, dim=(2, 3)).shape == (1, 2)
    assert torch.cat([x, x]).shape == (2, 2, 3, 4)


@pytest.mark.parametrize("name", sorted(LEADING))
def test_the_settings_without_names_are_the_first_ones(name):
    known = [key for key in parameters(name) if key not in {"input", "self", "tensor"}]
    assert tuple(known[: len(LEADING[name])]) == LEADING[name]
