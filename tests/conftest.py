"""What all tests share: the width of a page, which packages there are, how long runs over random inputs are."""

import os
import sys
from collections.abc import Iterator

import pytest

os.environ["COLUMNS"] = "100"  # wherever the tests run; workers of xdist have their own
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a worker each core; torch's threads would wait for one another

# pytorchcv asks for torchvision and never loads it; its build fails beside torch's CPU build, where ptflops tries it.
sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--long", action="store_true", help="run the fuzzers for minutes, not seconds")
    except ValueError:
        """Another part of the tests has the option already."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config.option, "long"):
        config.option.long = False


@pytest.fixture
def register() -> Iterator[None]:
    """Operators of a test are taken out of the register again."""
    from archspec.ops import base

    before = dict(base._operators)
    yield
    base._operators.clear()
    base._operators.update(before)
