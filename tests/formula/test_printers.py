"""SymPy's printers write every atom, and what they write computes what the atom does."""

import math
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import Tuple
from sympy.core.symbol import Str

import archspec
from archspec import symbols
from archspec.symbols.atoms import Atom, Ceil, CeilDiv, Floor, Log2, MakeDivisible, Maximum, Minimum, TableLookup

ALPHA, SIDE, GROUPS = symbols.symbol("alpha", integer=False), symbols.symbol("side"), symbols.symbol("g")
CELLS = Tuple(Tuple(sympy.Integer(1), sympy.Integer(144)), Tuple(sympy.Integer(2), sympy.Integer(200)))
ATOMS = {
    "ceil_div": CeilDiv(SIDE - 62, 32),
    "ceil_div of symbols": CeilDiv(3 * SIDE, GROUPS),
    "floor": Floor(32 * ALPHA / 3),
    "ceil": Ceil(ALPHA / 2 + SIDE),
    "make_divisible": MakeDivisible(32 * ALPHA, 8),
    "make_divisible above": MakeDivisible(ALPHA * SIDE / 3, 8, 16),
    "maximum": Maximum(1280, Floor(7 * ALPHA), SIDE),
    "minimum": Minimum(SIDE, GROUPS),
    "lookup": TableLookup(Tuple(GROUPS), Str("channels({}, 2)"), CELLS),
    "log2": Log2(SIDE),
}
POINTS = ((Fraction(7, 20), 64, 2), (Fraction(1, 10), 128, 1), (2, 256, 2))
CASES = pytest.mark.parametrize("kind", ATOMS)


def at(expression, point):
    return symbols.value(expression, dict(zip(("alpha", "side", "g"), point, strict=True)))


def leaves(kind):
    """The classes below one, at any depth, that have none below them."""
    below = kind.__subclasses__()
    return {leaf for each in below for leaf in leaves(each)} if below else {kind}


def test_every_atom_has_a_case():
    assert {type(atom) for atom in ATOMS.values()} == leaves(Atom)


@CASES
def test_an_atom_is_printed_alone_and_to_a_power(kind):
    for expression in (ATOMS[kind], ATOMS[kind] ** 2 + 1):
        latex = sympy.latex(expression)
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert type(ATOMS[kind]).__name__ not in latex
        assert type(ATOMS[kind]).__name__ not in sympy.pretty(expression, use_unicode=True)
        sympy.pretty(expression, use_unicode=False).encode("ascii" if kind != "log2" else "utf-8")
    assert "^" in sympy.latex(ATOMS[kind] ** 2)


@CASES
def test_python_and_lambdify_compute_the_atom_exactly(kind):
    expression = ATOMS[kind] ** 2 + ATOMS[kind]
    exact = sympy.lambdify([ALPHA, SIDE, GROUPS], expression, "math")
    wide = sympy.lambdify([ALPHA, SIDE, GROUPS], expression, "numpy")
    precise = sympy.lambdify([ALPHA, SIDE, GROUPS], expression, "mpmath")
    for point in POINTS:
        expected = at(expression, point)
        alpha, side, groups = point
        assert exact(*point) == expected
        assert eval(sympy.pycode(expression), {"alpha": alpha, "side": side, "g": groups, "math": math}) == expected  # noqa: S307  # our own text
        assert precise(float(alpha), side, groups) == expected
        found = wide(np.array([float(alpha)] * 3), np.array([side] * 3), np.array([groups] * 3))
        assert np.asarray(found).tolist() == [expected] * 3


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_javascript_computes_the_atoms():
    point = POINTS[0]
    code = [f"((alpha, side, g) => {sympy.jscode(atom**2)})({float(point[0])}, 64, 2)" for atom in ATOMS.values()]
    text = f"console.log(JSON.stringify([{', '.join(code)}]))"
    found = subprocess.run(["node", "-e", text], capture_output=True, text=True, check=True).stdout
    assert sympy.parse_expr(found) == [at(atom**2, point) for atom in ATOMS.values()]


def test_javascript_says_every_atom():
    assert all(type(atom).__name__ not in sympy.jscode(atom) for atom in ATOMS.values())


def test_a_network_of_a_paper_is_computed_by_lambdify():
    arch = archspec.load("mobilenet_v2")
    formula = arch.formula("macs", free=["alpha", "side"])
    function = sympy.lambdify(formula.symbols, formula.exact, "numpy")
    assert function(np.array([0.5, 1.0]), 224).tolist() == arch.count(alpha=[0.5, 1]).macs.tolist()
    assert r"\displaystyle" in formula._repr_latex_()
    assert "⌊" in formula._repr_html_()
