"""The length of the runs over random inputs."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--long", action="store_true", help="run the fuzzers for minutes, not seconds")
    except ValueError:
        """Another part of the tests has the option already."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config.option, "long"):
        config.option.long = False
