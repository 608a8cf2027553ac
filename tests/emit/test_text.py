"""The text of a source: formatted, typed, safe, and the same as yesterday."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import archspec

HERE = Path(__file__).parent
SNAPSHOTS = sorted((HERE / "snapshots").glob("*.py"))
SPECS = sorted((HERE / "specs").glob("*.yaml"))


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_a_source_is_as_it_was_read_and_found_good(path):
    """To accept a change, write the files anew: `archspec compile NAME -o tests/emit/snapshots/NAME.py`."""
    assert archspec.load(path.stem).source() == path.read_text(encoding="utf-8")


AGAIN = [*map(str, SPECS), "unet", "llama", "ssdlite_mobilenet_v3", "squeezenet_meta", "siamese", "mobilevit"]


@pytest.mark.parametrize("spec", AGAIN, ids=lambda spec: Path(spec).stem)
def test_a_source_is_the_same_when_it_is_written_again(spec):
    assert archspec.load(spec).source() == archspec.load(spec).source()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, text_of, later):
    """The sources of the zoo's networks, and of the specifications beside this test."""
    folder = tmp_path_factory.mktemp("sources")
    for name in set(archspec.zoo.names()) - later:
        (folder / f"{name}.py").write_text(text_of(name), encoding="utf-8")
    for path in SPECS:
        (folder / f"{path.stem}.py").write_text(archspec.load(path).source(), encoding="utf-8")
    return folder


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    "command", [["format", "--diff"], ["check", "--select", "E,F,W,I,UP"]], ids=["format", "check"]
)
def test_a_source_is_as_ruff_leaves_it(command, folder):
    settings = ["--isolated", "--line-length", "120", "--target-version", "py311"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, *settings, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.no_cover
def test_a_source_needs_torch_and_the_standard_library_alone(folder):
    for path in folder.iterdir():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        assert imported <= {"torch", "collections", "fractions", "math", "typing"}, path.name


def test_to_write_a_source_loads_neither_torch_nor_sympy():
    code = (
        "import sys, archspec\n"
        "archspec.load('binary_convolution').source()\n"
        "assert not {'torch', 'sympy'} & set(sys.modules), sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- what a specification says is text, never code

EVIL = [
    '"""\nraise SystemExit\n"""',
    "ends with a backslash \\",
    'ends with a quote "',
    'ends with a backslash and a quote \\"',
    'four quotes """"',
    " ",
    '\\"""\\',
    "{x} {0!r} %s",
    "a\u2028b\x0cc\u202ed\x07",
    "\\N{LATIN SMALL LETTER A} \\x41",
]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("evil", EVIL)
def test_no_text_of_a_specification_ends_its_string(evil):
    document = archspec.load("shufflenet").document
    source = document.source.model_copy(update={"title": evil, "authors": evil, "note": evil, "table": evil})
    symbols = {name: symbol.model_copy(update={"doc": evil}) for name, symbol in document.symbols.items()}
    blocks = {name: block.model_copy(update={"doc": evil, "source": source}) for name, block in document.blocks.items()}
    lookups = {name: lookup.model_copy(update={"doc": evil}) for name, lookup in document.lookups.items()}
    parts = {"doc": evil, "source": source, "symbols": symbols, "blocks": blocks, "lookups": lookups}
    text = archspec.Architecture(document.model_copy(update=parts)).source()
    assert stripped(text) == stripped(archspec.load("shufflenet").source())
    assert all(character.isprintable() for character in text.replace("\n", ""))


def stripped(text):
    """The code without what people read: docstrings, and comments by being parsed."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
