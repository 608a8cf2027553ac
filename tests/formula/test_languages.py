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


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", zoo.names())
def test_python_source_gives_the_exact_count_without_this_library(name, network):
    arch = network(name)
    for quantity in QUANTITIES:
        form = arch.formula(quantity)
        source = form.python()
        assert set(re.findall(r"^(?:import|from) (\w+)", source, re.M)) <= {"math", "fractions", "operator"}
        function = loaded(source, quantity)
        for bindings in samples(form, arch.document, 4):
            found = function(**bindings)
            assert found == form(**bindings)
            assert type(found) is int


@pytest.mark.parametrize("name", zoo.names())
def test_numpy_source_gives_the_counts_of_arrays(name, network):
    arch = network(name)
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


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.skipif(shutil.which("node") is None, reason="runs what Node runs")
def test_javascript_source_gives_the_counts(network, later):
    script, expected = [], []
    for number, name in enumerate(sorted({*zoo.names()} - later)):
        arch = network(name)
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


@pytest.fixture
def page(network, later):
    """A LaTeX document with a formula of every specification and view."""
    body = []
    for name in sorted({*zoo.names()} - later):
        form = network(name).formula("macs")
        body += [rf"\[ {form.latex(view)} \]" for view in VIEWS]
    lettered = archspec.load("inverted_residual").formula("macs", letters="paper")
    body.append(rf"\[ {lettered.latex()} \]")
    return "\n".join(
        [r"\documentclass{article}", r"\usepackage{amsmath}", r"\begin{document}", *body, r"\end{document}"]
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX engine")
def test_latex_is_set_without_a_complaint(tmp_path, page):
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 10_000


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_latex_has_its_braces_and_brackets_in_pairs_and_only_known_commands(page):
    assert page.isascii()
    depth = 0
    for sign in re.sub(r"\\[{}\\]", "", page):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert page.count(r"\left") - page.count(r"\leftarrow") == page.count(r"\right")
    known = "documentclass usepackage begin end left right lfloor rfloor lceil rceil frac mathrm max min alpha times"
    assert set(re.findall(r"\\([A-Za-z]+)", page)) <= {*known.split(), "prime", "cdot", "geq"}


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


WORDS = """
archspec: 1
name: symbol_words
symbols: {default: {default: 2}, switch: {default: 3}, typeof: {default: 2},
          str: {default: 3/2, range: [1, 4]}, str_: {default: 2}, int: {default: 3/2, range: [1, 4]}}
input: [3, 8, 8]
network:
  - conv2d: {out_channels: 8 * default * switch, kernel_size: typeof}
  - conv2d: {out_channels: "exact_div(8 * str, 4) * str_", kernel_size: 1}
  - conv2d: {out_channels: "floor(8 * int)", kernel_size: 1}
"""


def test_symbols_that_are_words_of_a_language_get_names_that_are_not_and_it_is_said_which():
    form = archspec.loads(WORDS).formula("macs")
    python, javascript = form.python(), form.javascript()
    assert "def macs(default, switch, typeof, str__, str_, int_):" in python
    assert "str__ is the symbol str; int_ is the symbol int." in python
    assert "function macs(default_, switch_, typeof_, str, str_, int_)" in javascript
    assert "default_ is the symbol default;" in javascript
    values = {"default": 2, "switch": 3, "typeof": 2, "str": Fraction(5, 2), "str_": 1, "int": Fraction(9, 4)}
    assert loaded(python, "macs")(*values.values()) == form(**values)
    assert loaded(form.numpy(), "macs")(*map(float, values.values())) == form(**values)
    assert run_javascript(javascript, f"macs({', '.join(str(float(v)) for v in values.values())})") == form(**values)


def run_javascript(source, call):
    """What a call of a function gives in Node, or the name of what it throws."""
    if shutil.which("node") is None:
        pytest.skip("runs what Node runs")
    script = f"{source}\nlet r; try {{ r = {call}; }} catch (e) {{ r = e.name; }}\nconsole.log(JSON.stringify(r));"
    return json.loads(subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True).stdout)


def test_no_integer_type_of_the_input_wraps():
    form = archspec.load("vgg16").formula("macs", free=["side"])
    for kind in (np.int16, np.int32, np.int64, np.float32):
        assert loaded(form.numpy(), "macs")(np.array([224], dtype=kind)).tolist() == [form(side=224)]
        assert loaded(form.python(), "macs")(np.array([224], dtype=np.int32)[0]) == form(side=224)


BEYOND = archspec.load("vgg16").formula("macs", free=["batch"])


def test_what_float64_cannot_count_is_refused_by_numpy_and_javascript_and_counted_by_python():
    far = 2**39
    assert BEYOND(batch=far) > 2**63
    assert loaded(BEYOND.python(), "macs")(far) == BEYOND(batch=far)
    with pytest.raises(OverflowError, match=r"above 2\*\*53"):
        loaded(BEYOND.numpy(), "macs")(np.array([1, far]))
    assert run_javascript(BEYOND.javascript(), f"macs({far})") == "RangeError"


@pytest.mark.parametrize("side", [224.5, float("nan")])
def test_what_is_not_whole_is_refused_where_a_whole_number_is_needed(side):
    with pytest.raises(TypeError):
        loaded(BEYOND.python(), "macs")(side)
    with pytest.raises(ValueError, match="whole number"):
        loaded(BEYOND.numpy(), "macs")(side)
    assert run_javascript(BEYOND.javascript(), f"macs({str(side).replace('nan', 'NaN')})") == "RangeError"


def test_a_value_that_the_specification_does_not_allow_is_refused():
    form = archspec.load("mobilenet").formula("macs", free=["alpha", "side"])
    for source in (form.python(), form.numpy()):
        with pytest.raises(ValueError, match="side must be from 1 to 8192"):
            loaded(source, "macs")(1, 9000)
        with pytest.raises(ValueError, match="alpha must be from 1/32 to 4"):
            loaded(source, "macs")(5, 224)
    assert run_javascript(form.javascript(), "macs(5, 224)") == "RangeError"
    groups = archspec.load("alexnet").formula("params", free=["groups"])
    for source in (groups.python(), groups.numpy()):
        assert loaded(source, "params")(2) == groups(groups=2)
        with pytest.raises(ValueError, match="groups must be one of 1, 2"):
            loaded(source, "params")(4)
    assert run_javascript(groups.javascript(), "params(4)") == "RangeError"
    assert run_javascript(groups.javascript(), "params(2)") == groups(groups=2)


def test_a_fraction_that_nine_decimals_do_not_tell_from_a_whole_number_is_refused():
    form = archspec.load("mobilenet").formula("macs", free=["alpha"])
    near = "0.99999999995"  # 32·alpha lies 1.6·10⁻⁹ below 32
    assert loaded(form.python(), "macs")(near) == form(alpha=near) < form(alpha=1)
    with pytest.raises(OverflowError, match="does not tell"):
        loaded(form.numpy(), "macs")(float(near))
    assert run_javascript(form.javascript(), f"macs({near})") == "RangeError"


def test_every_language_checks_what_the_formula_assumes_and_raises():
    form = archspec.load("shufflenet").formula("macs", free=["g", "scale"])
    (said, *_) = (str(each) for each in form.assumptions)
    assert said == "g ≠ 1"
    broken, kept = {"g": 1, "scale": 1.0}, {"g": 3, "scale": 1.0}
    for source in (form.python(), form.numpy()):
        with pytest.raises(ValueError, match=f"macs of shufflenet assumes that {said}"):
            loaded(source, "macs")(**broken)
        assert loaded(source, "macs")(**kept) == form(**kept)
    assert run_javascript(form.javascript(), "macs(1, 1)") == "RangeError"
    assert run_javascript(form.javascript(), "macs(3, 1)") == form(**kept)


def test_a_view_that_holds_where_sizes_divide_checks_that_they_do():
    form = archspec.load("mobilenet").formula("macs", free=["side"])
    divisible = form.python("divisible")
    assert loaded(divisible, "macs")(224) == form(side=224)
    with pytest.raises(ValueError, match="side is a multiple of 32"):
        loaded(divisible, "macs")(225)
    assert run_javascript(form.javascript("divisible"), "macs(225)") == "RangeError"


def test_a_sum_that_begins_with_a_minus_is_javascript_too():
    form = archspec.load("alexnet").formula("macs", free=["side"])
    for view in VIEWS:
        assert run_javascript(form.javascript(view), "macs(224)") != "SyntaxError"


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("kind", "right", "holds"), [
    ("divides", 32, True), ("divides", 33, False), ("differs", 1, True), ("differs", 224, False),
    ("at_least", 224, True), ("at_least", 225, False),
])  # fmt: skip
def test_every_kind_of_condition_can_be_asked(kind, right, holds):
    from sympy import Integer

    from archspec.formula.languages import JavaScript, Numpy, Python
    from archspec.symbols import Condition

    form = archspec.load("mobilenet").formula("macs", free=["side"])
    condition = Condition(kind, form.symbols[0], Integer(right))
    for language in (Python, Numpy):
        function = loaded(language(form).function(form.terms, True, [condition]), "macs")
        if holds:
            assert function(224) == form(side=224)
        else:
            with pytest.raises(ValueError, match="assumes that side"):
                function(224)
    found = run_javascript(JavaScript(form).function(form.terms, True, [condition]), "macs(224)")
    assert found == (form(side=224) if holds else "RangeError")
