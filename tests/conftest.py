"""The length of the runs over random inputs."""

import sys

import pytest

# pytorchcv asks for torchvision and never loads it. Its build fails beside the CPU build of torch, where ptflops tries it.
sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--long", action="store_true", help="run the fuzzers for minutes, not seconds")
    except ValueError:
        """Another part of the tests has the option already."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config.option, "long"):
        config.option.long = False
