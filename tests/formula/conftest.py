"""What the tests of closed forms share: each network of the zoo is loaded once, and keeps what it has expanded."""

from functools import cache

import pytest

import archspec


@pytest.fixture(scope="session")
def network():
    """A network of the zoo, by its name."""
    return cache(archspec.load)
