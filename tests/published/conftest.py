"""What the tests of a paper's figures share: each paper is computed once a session."""

from functools import cache

import pytest

from archspec.published import load, reproduce


@pytest.fixture(scope="session")
def findings():
    """The findings of a paper, by its name."""
    return cache(lambda paper: reproduce(load(paper)))


@pytest.fixture(scope="module")
def found(request, findings):
    """The findings of the module's `PAPER`, by the figures' names."""
    return {finding.figure.id: finding for finding in findings(request.module.PAPER)}
