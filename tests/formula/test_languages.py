"""Formulas as source: run in Python, NumPy and JavaScript, set in TeX, and equal to the counts."""

import json
import re
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest

import archspec
from archspec import zoo
from archspec.formula.closed_form import VIEWS
from archspec.formula.proof import drawn

QUANTITIES = ("macs", "params", "flops")


def samples(form, document, count):
    held = (b for b in drawn(form, document, 50 * count, seed=11) if form.holds(**b))
    return [next(held) for _ in range(count)]


def loaded(source, name):
    scope = {}
    exec(source, scope)  # noqa: S102  # our own text
    return scope[name]


@pytest.mark.parametrize("name", zoo.names())
def test_python_source_gives_the_exact_count_without_this_library(name):
    arch = archspec.load(name)
    for quantity in QUANTITIES:
        form = arch.formula(quantity)
        source = form.python()
        assert set(re.findall(r"^(?:import|from) (\w+)", source, re.M)) <= {"math", "fractions"}
        function = loaded(source, quantity)
        for bindings in samples(form, arch.document, 4):
            found = function(**bindings)
            assert found == form(**bindings)
            assert type(found) is int


@pytest.mark.parametrize("name", zoo.names())
def test_numpy_source_gives_the_counts_of_arrays(name):
    arch = archspec.load(name)
    form = arch.formula("macs")
    source = form.numpy()
    assert re.findall(r"^(?:import|from) (.*)", source, re.M) == ["numpy as np"]
    bindings = samples(form, arch.document, 12)
    arrays = {
        symbol.name: np.array([float(b[symbol.name]) if not symbol.is_integer else b[symbol.name] for b in bindings])
        for symbol in form.symbols
    }
    found = np.broadcast_to(loaded(source, "macs")(**arrays), (12,))
    assert found.dtype == np.int64
    assert found.tolist() == [form(**b) for b in bindings]


@pytest.mark.skipif(shutil.which("node") is None, reason="runs what Node runs")
def test_javascript_source_gives_the_counts():
    script, expected = [], []
    for number, name in enumerate(zoo.names()):
        arch = archspec.load(name)
        form = arch.formula("macs")
        bindings = samples(form, arch.document, 5)
        calls = (f"macs({', '.join(str(_double(b[s.name])) for s in form.symbols)})" for b in bindings)
        script.append(f"const r{number} = (() => {{\n{form.javascript()}\nreturn [{', '.join(calls)}];\n}})();")
        expected.append([form(**b) for b in bindings])
    script.append(f"console.log(JSON.stringify([{', '.join(f'r{n}' for n in range(len(expected)))}]));")
    run = subprocess.run(["node", "-"], input="\n".join(script), capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == expected


def _double(number):
    return float(number) if isinstance(number, Fraction) else number


def page():
    """A LaTeX document with a formula of every specification and view."""
    body = []
    for name in zoo.names():
        form = archspec.load(name).formula("macs")
        body += [rf"\[ {form.latex(view)} \]" for view in VIEWS]
    lettered = archspec.load("inverted_residual").formula("macs", letters="paper")
    body.append(rf"\[ {lettered.latex()} \]")
    return "\n".join(
        [r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}", *body, r"\end{document}"]
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX engine")
def test_latex_is_set_without_a_complaint(tmp_path):
    (tmp_path / "page.tex").write_text(page(), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


def test_latex_has_its_braces_and_brackets_in_pairs_and_only_known_commands():
    text = page()
    assert text.isascii()
    depth = 0
    for sign in re.sub(r"\\[{}\\]", "", text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right")
    known = "documentclass usepackage begin end left right lfloor rfloor lceil rceil frac mathrm max min alpha times"
    assert set(re.findall(r"\\([A-Za-z]+)", text)) <= {*known.split(), "prime", "cdot", "geq"}


def test_a_parameter_that_the_language_reserves_gets_another_name():
    conv = "{conv2d: {out_channels: floor(16 * n1) + math, kernel_size: 3}}"
    symbols = "symbols: {math: {default: 2}, n1: {default: 1/2, range: [1/4, 4]}, side: {default: 9}}"
    text = f"archspec: 1\nname: x\n{symbols}\ninput: [3, side, side]\nnetwork: [{conv}, {conv}]\n"
    form = archspec.loads(text).formula("flops")
    source = form.python()
    assert "def flops(math_, n1, side):" in source
    assert "n1_ = math.floor(16 * n1)" in source
    assert loaded(source, "flops")(2, "3/4", 9) == form(math=2, n1="3/4", side=9)


def test_floats_are_read_as_their_shortest_decimal_in_python_and_rounded_elsewhere():
    form = archspec.load("mobilenet").formula("macs", free=["alpha"])
    assert loaded(form.python(), "macs")(0.29) == form(alpha="29/100")
    steps = [n / 100 for n in range(4, 400)]
    found = loaded(form.numpy(), "macs")(np.array(steps))
    assert found.tolist() == [form(alpha=Fraction(n, 100)) for n in range(4, 400)]
