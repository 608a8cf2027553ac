"""Coverage is taken where it is wanted: laws that repeat what other tests cover run several times faster without it."""

import subprocess
import sys
from pathlib import Path

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


CALLER = """
def nested(foreign):
    return [foreign() for _ in range(2)]


def caller(foreign):
    found = nested(foreign)
    if found:
        found = [*found, foreign()]
    for each in found:
        assert each is None
    return found
"""
RUN = """
import sys
import coverage
sys.path[:0] = sys.argv[1:]
from conftest import _untraced
seen = coverage.Coverage(data_file=None, branch=True, config_file=False, include=["*/caller.py"])
seen.start()
import caller
caller.caller(_untraced(sys.gettrace))
seen.stop()
file = caller.__file__
print(seen.analysis2(file)[3], sorted(seen.get_data().arcs(file)))
"""


def test_functions_of_others_are_not_traced_and_what_calls_them_is_line_by_line(tmp_path):
    (tmp_path / "caller.py").write_text(CALLER)

    def seen(script):
        command = [sys.executable, "-c", script, tmp_path, Path(__file__).parent]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    found = seen(RUN)
    assert found.startswith("[] [(")
    assert found == seen(RUN.replace("_untraced(sys.gettrace)", "lambda: None"))
