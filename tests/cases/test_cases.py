"""Small inputs that once failed: each is right now, or refused clearly.

A file stands for its kind of fault. The table says what a command makes of it: the exit code, words of the answer, and
words that are not in it; the tests behind it hold what is written of each file against its count.
"""

# ruff: noqa: S102  # what is executed is written of the sound files of this folder

import ast
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import ArchspecError

HERE = Path(__file__).parent
FILES = {path.stem: path for path in sorted(HERE.glob("*.yaml"))}


@dataclass(frozen=True)
class Case:
    """A command on a file, and what is right.

    Attributes:
        file: The file's name.
        command: The verb and its options; the file comes behind the verb, and {out} is a file that does not exist.
        code: The exit code.
        says: What is in the answer, blanks and line ends alike.
        lacks: What is not.
    """

    file: str
    command: str
    code: int
    says: tuple[str, ...]
    lacks: tuple[str, ...] = ()


PARAMS_OF_JOIN = 2 * (4 * 8 + 8)
CASES = [
    # written sources
    Case("source_join", "verify", 0, (f"written source source 16×8×8 4 {PARAMS_OF_JOIN} 0", "1 of 1 networks agree")),
    Case(
        "source_from_repeat", "verify", 0, ("written source source 1×2×2 10 36 4 194 85 yes", "1 of 1 networks agree")
    ),
    Case("source_initialisation", "compile -o {out}", 0, ()),
    Case("source_initialisation", "verify", 0, ("1 of 1 networks agree",)),
    Case("doc_ends_in_quote", "compile -o {out}", 0, ()),
    Case("doc_ends_in_quote", "verify", 0, ("1 of 1 networks agree",)),
    *(
        Case(file, command, 2, says)
        for command in ("check", "count", "compile -o {out}", "verify")
        for file, says in (
            ("let_shadows_symbol", (".yaml:4:32", "let: 'alpha' is a symbol; choose another name")),
            ("source_refused_zero", (".yaml:3:9", "division by zero")),
            ("source_refused_use", (".yaml:4:17", "use: '1' is not an operator or a block")),
            ("source_refused_later", (".yaml:7:20", "from: nothing before this is called 'enc2'")),
            ("source_refused_bool", (".yaml:5:83", "stride must be a number (got True)")),
        )
    ),
    # closed forms
    Case("formula_fraction", "formula --check 20", 0, ("= s³", "assumes s is a multiple of 2", "equal to"), ("WRONG",)),
    Case("formula_fraction", "count --set s=33", 2, ("out_channels", "33/2")),
    Case(
        "formula_excludes_default", "formula --check 20", 0, ("assumes ⌊8a⌋ = 8", "1,024 at a = 1"), ("WRONG", "2,048")
    ),
    Case("formula_excludes_default", "formula --format python", 0, ("if math.floor(8 * a) != 8: raise ValueError",)),
    Case("formula_equal_sizes", "formula --check 20", 0, ("= 72·side²", "assumes side is a multiple of 2"), ("WRONG",)),
    Case("formula_modulo", "formula --check 20", 0, ("= 216·(side − 2)²", "side is a multiple of 2"), ("WRONG",)),
    Case("formula_modulo", "formula --format python", 0, ("if side % 2 != 0: raise ValueError",)),
    Case("formula_free_index", "formula", 0, ("= 0", "assumes part = 1")),
    Case("formula_free_index", "count --by total", 0, ("total 0 0 0", "part = 1")),
    # a symbol is whatever it is called
    Case("symbol_batch", "count --by total --set batch=8", 0, (f"total {3 * 8} {3 * 8 * 64:,}", "batch = 8")),
    Case("symbol_batch", "count --by total --batch 2", 0, (f"total {3 * 4} {2 * 3 * 4 * 64:,}", "batch = 4")),
    Case("symbol_words", "formula --check 20", 0, ("MACs", "equal to the count"), ("WRONG",)),
    Case(
        "symbol_words",
        "formula --format javascript",
        0,
        ("function macs(default_, switch_, typeof_, str, int_)", "default_ is the symbol default"),
    ),
    Case("symbol_words", "formula --format python", 0, ("def macs(", "str_ is the symbol str", "Fraction(str(int_))")),
    # answers
    Case(
        "solve_log2", "solve --for alpha --macs <=100", 0, ("alpha = 1", "macs 80", "log2 is exact for powers of two")
    ),
    Case("sensitivity_log2", "sensitivity", 0, ("stands in a logarithm; only its steps can be counted", "+50.00 %")),
    Case(
        "sensitivity_branch",
        "sensitivity",
        0,
        (f"{9 * 16 * 100 * 36:,} macs at c = 16", "the network is another one unless c = 16", f"{16 * 17 * 64:,}"),
    ),
    Case(
        "solve_several",
        "solve --for a --macs <=1200",
        0,
        ("0.2 ≤ a < 0.3 or 0.6 ≤ a < 0.7 or 1 ≤ a < 1.1 or 1.4 ≤ a < 1.5 or 1.8 ≤ a < 1.9",),
    ),
    # refused where they are read
    *(
        Case(file, command, 2, says, lacks)
        for command in ("check", "count", "verify")
        for file, says, lacks in (
            (
                "unbounded_numbers",
                (":4:30", "eps must be at least 0", ":4:46", "momentum must be from 0 to 1"),
                ("torch",),
            ),
            ("layer_norm_image", (":6:5", "over the width of an image", "over_channels: true", "normalized_shape"), ()),
            ("choice_shadows", (":3:48", "the choice 'act' is also the symbol itself"), ()),
            ("extends_outside", (":3:10", "'/etc/hostname' is not below the folder of the specification"), ()),
        )
    ),
    # texts
    *(
        Case(file, command, 2, says, ("\x1b", "\x07", "\u202e"))
        for file, says in (
            ("text_in_code_python", (":4:26", "a text holds a line end")),
            ("text_in_code_javascript", (":4:26", "a text holds a line end")),
            ("text_to_terminal", (":3:17", "a text holds the character U+001B")),
        )
        for command in (
            "check",
            "show",
            "formula --format python",
            "formula --format javascript",
            "count --format html",
        )
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.command}")
def test_a_command_is_right_or_refuses_clearly(case, tmp_path):
    verb, *options = case.command.split()
    if verb == "verify":
        pytest.importorskip("torch")
    out = tmp_path / "written.py"
    arguments = [verb, str(FILES[case.file]), *(option.format(out=out) for option in options)]
    done = CliRunner().invoke(app, arguments, terminal_width=200)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == case.code, done.output
    answer = " ".join(done.output.split())
    for words in case.says:
        assert words in answer
    for words in (*case.lacks, "Traceback"):
        assert words not in done.output
    assert out.exists() == (verb == "compile" and case.code == 0)


def test_every_file_has_its_row():
    assert {case.file for case in CASES} == set(FILES)


# ------------------------------------------------------------------ what is written is what is counted

REFUSED = {case.file for case in CASES if case.code == 2 and case.command == "check"}
SOUND = sorted(set(FILES) - REFUSED)


@pytest.mark.parametrize("file", sorted(FILES))
def test_the_written_source_has_the_parameters_that_are_counted(file):
    if file in REFUSED:
        with pytest.raises(ArchspecError):
            archspec.load(FILES[file]).source()
        return
    arch = archspec.load(FILES[file])
    source = arch.source()
    classes = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    pytest.importorskip("torch")
    written: dict[str, object] = {"__name__": "written"}
    exec(compile(source, file, "exec"), written)
    model = written[classes[-1]]()
    assert sum(weights.numel() for weights in model.parameters()) == arch.count().params


@pytest.mark.parametrize("language", ["python", "numpy"])
@pytest.mark.parametrize("file", SOUND)
def test_the_exported_function_is_the_count_at_the_defaults(file, language):
    arch = archspec.load(FILES[file])
    form = arch.formula("params")
    written: dict[str, object] = {"__name__": "written"}
    exec(compile(getattr(form, language)(), file, "exec"), written)
    defaults = (arch.symbols[letter.name].default for letter in form.symbols)
    assert written["params"](*defaults) == arch.count().params


# ------------------------------------------------------------------ in Python


def test_a_symbol_called_batch_is_bound_by_its_name():
    arch = archspec.load(FILES["symbol_batch"])
    assert arch.count({"batch": 8}).params == 3 * 8
    assert arch.count({"batch": 8}, batch=2).macs == 2 * 3 * 8 * 64
    with pytest.raises(ArchspecError, match="'batch' is a symbol here, too"):
        arch.count(batch=8)


@pytest.mark.parametrize(
    ("file", "inside", "outside", "value"),
    [
        ("formula_fraction", {"s": 32}, {"s": 33}, 32**3),
        ("formula_excludes_default", {"a": 1}, {"a": 2}, 16 * 64),
        ("formula_equal_sizes", {"side": 32}, {"side": 33}, 72 * 32**2),
        ("formula_modulo", {"side": 48}, {"side": 49}, 46**2 * 27 * 8),
    ],
)
def test_a_form_is_the_count_where_its_assumptions_hold_and_says_where_they_do_not(file, inside, outside, value):
    arch = archspec.load(FILES[file])
    form = arch.formula("macs")
    assert form(inside) == arch.count(inside).macs == value
    assert form.holds(inside)
    assert not form.holds(outside)
    assert _asked(form, outside) == _asked(lambda values: arch.count(values).macs, outside)
    written: dict[str, object] = {}
    exec(form.python(), written)
    assert written["macs"](**inside) == value
    with pytest.raises(ValueError, match="assumes"):
        written["macs"](**outside)


def _asked(answer, values):
    try:
        return answer(values)
    except ArchspecError:
        return "refused"


@pytest.mark.skipif(shutil.which("node") is None, reason="runs what Node runs")
def test_node_computes_what_words_of_javascript_are_called():
    arch = archspec.load(FILES["symbol_words"])
    script = arch.formula("macs").javascript() + "\nconsole.log(macs(2, 3, 2, 1.5, 1.5))"
    run = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == str(arch.count().macs), run.stderr


def test_bases_of_texts_come_from_the_zoo_alone():
    text = FILES["extends_outside"].read_text()
    for outcome in (CliRunner().invoke(app, ["count", "-"], input=text).output, _refused(text)):
        assert "/etc/hostname" in outcome
        assert not Path("/etc/hostname").exists() or Path("/etc/hostname").read_text().strip() not in outcome


def _refused(text):
    with pytest.raises(ArchspecError) as refused:
        archspec.loads(text)
    return str(refused.value)
