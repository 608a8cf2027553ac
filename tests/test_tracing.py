"""Coverage is taken where it is wanted: laws that repeat what other tests cover run several times faster without it."""

import sys

import pytest


@pytest.fixture(autouse=True)
def coverage(request):
    if not request.config.pluginmanager.hasplugin("_cov") or request.config.option.no_cov:
        pytest.skip("no coverage is asked for")


@pytest.fixture
def traced():
    return sys.gettrace() is not None


@pytest.mark.no_cover
def test_nor_are_its_fixtures(traced):
    assert not traced


@pytest.mark.no_cover
def test_what_need_not_be_traced_is_not_traced_in_a_worker_either():
    assert sys.gettrace() is None


def test_everything_else_is_traced():
    assert sys.gettrace() is not None
