"""What is loaded at start-up, and whose files it is loaded beside."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import archspec
from archspec.name_clash import refuse_other_distribution

PACKAGE = Path(archspec.__file__).parent
HEAVY = {"torch", "sympy", "networkx", "numpy", "rich_click", "rich.console"}
BEYOND_A_COUNT = {
    f"archspec.{room}"
    for room in [
        "compress",
        "draw",
        "emit",
        "files",
        "formula",
        "graph.single",
        "importing",
        "interval",
        "kernels",
        "memory.peak",
        "published",
        "report.compare",
        "runtime",
        "sweeps",
        "symbols",
        "train",
        "weights",
    ]
}
NETWORK = {"conv2d", "batch_norm", "relu", "global_avg_pool", "linear", "softmax"}
"""The operators of mobilenet."""

WATCH = "import sys, json; {code}; print(json.dumps(sorted(set(sys.modules) & {heavy!r})), file=sys.stderr)"
RUN = (
    "from archspec.cli import app; sys.stdout.reconfigure(encoding='utf-8'); app({arguments!r}, standalone_mode=False)"
)


def loaded_by(code, heavy=HEAVY):
    done = subprocess.run(
        [sys.executable, "-c", WATCH.format(code=code, heavy=heavy)],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=True,
    )
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["count", "mobilenet"],
        ["count", "mobilenet", "--format", "json"],
        ["show", "mobilenet_v2"],
        ["check", "squeezenet"],
        ["zoo", "lenet*"],
    ],
)
def test_commands_on_numbers_load_neither_torch_nor_sympy(arguments):
    assert loaded_by(RUN.format(arguments=arguments)) == set()


def test_a_count_enters_no_room_that_it_does_not_need():
    assert loaded_by(RUN.format(arguments=["count", "mobilenet"]), BEYOND_A_COUNT) == set()


def test_the_rooms_beyond_a_count_are_entered_by_others():
    assert [room for room in BEYOND_A_COUNT if find_spec(room) is None] == []
    assert loaded_by(RUN.format(arguments=["memory", "mobilenet"]), BEYOND_A_COUNT) == {"archspec.memory.peak"}


def test_of_the_operators_those_of_the_network_alone_are_made_ready():
    code = RUN.format(arguments=["count", "mobilenet"])
    code += "; from archspec import ops; from pydantic import BaseModel"
    code += "; made = {model.__name__ for model in BaseModel.__subclasses__()}"
    code += "; sys.modules.update({name: None for name, cls in ops.registered().items() if cls.__name__ in made})"
    assert loaded_by(code, {"max_pool2d", *NETWORK}) == NETWORK


WATCHED_FLOORS = """
class Watch:
    def find_spec(name, *_):
        if name in ("archspec.ops", "archspec.language"):
            assert "archspec.cli.count" not in sys.modules, name

sys.meta_path.insert(0, Watch)
"""


def test_what_a_verb_stands_on_is_loaded_before_the_verb():
    assert loaded_by(WATCHED_FLOORS + RUN.format(arguments=["count", "mobilenet"])) == set()


def test_a_count_reads_the_metadata_of_no_package():
    code = "import importlib.metadata as packages; packages.distributions = packages.entry_points = None"
    code += "; sys.argv[1:] = ['count', 'mobilenet', '--by', 'total']; from archspec.cli import main"
    assert loaded_by(f"{code}\ntry: main()\nexcept SystemExit as end: assert not end.code\n0") == set()


def test_help_loads_no_verb_and_nothing_that_verbs_work_with():
    code = "from archspec.cli import app; import contextlib\nwith contextlib.suppress(SystemExit): app(['--help'])\n0"
    not_needed = {*HEAVY, "pydantic", "ruamel", "archspec.language", "archspec.ops", "archspec.cli.count"}
    assert loaded_by(code, not_needed) == {"rich_click", "rich.console"}


def test_the_package_alone_loads_next_to_nothing():
    code = "import archspec; assert 'pydantic' not in sys.modules and 'ruamel' not in sys.modules"
    assert loaded_by(code) == set()


def test_the_watch_sees_what_is_loaded():
    assert loaded_by("import numpy") == {"numpy"}


@pytest.mark.parametrize(("arguments", "looked_for"), [(["zoo", "lenet*"], True), (["--version"], False)])
def test_garbage_is_looked_for_once_a_verb_is_loaded(arguments, looked_for):
    code = f"import gc, sys; sys.argv[1:] = {arguments}; from archspec.cli import main\n"
    code += "try: main()\nfinally: print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert done.stdout.splitlines()[-1] == str(looked_for)


def test_every_public_name_is_found_on_first_use():
    for name in archspec.__all__:
        assert getattr(archspec, name) is not None
    assert set(archspec.__all__) <= set(dir(archspec))
    with pytest.raises(AttributeError, match="no attribute 'torch_is_not_here'"):
        _ = archspec.torch_is_not_here


@pytest.fixture
def mixed(tmp_path):
    """A folder where the other distribution has put its files among ours."""
    shutil.copytree(PACKAGE, tmp_path / "archspec", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "archspec" / "cpu").mkdir()
    (tmp_path / "archspec" / "cpu" / "__init__.py").write_text("")
    return tmp_path


def python_in(folder, code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False)


def test_the_import_is_refused_beside_the_other_distribution(mixed):
    done = python_in(mixed, "import archspec")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert "another distribution" in last
    assert "pip uninstall archspec archspec-nn" in last


def test_the_command_is_refused_beside_the_other_distribution_without_a_traceback(mixed):
    (mixed / "archspec" / "__init__.py").write_text("# the other distribution was installed last\n")
    done = python_in(mixed, "from archspec.cli import main; main()")
    assert done.returncode == 1
    assert done.stderr.startswith("archspec: ")
    assert "Traceback" not in done.stderr


def test_alone_there_is_nothing_to_refuse(tmp_path):
    refuse_other_distribution(tmp_path)
