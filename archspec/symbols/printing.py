"""How SymPy's printers write the atoms: LaTeX, pretty text, Python, NumPy, mpmath and JavaScript, without helpers.

The code is exact wherever the numbers that it is given are: ints and Fractions stay what they are.
"""

from typing import Any, ClassVar

from sympy import Expr, Function, fraction, together
from sympy.printing.pretty.stringpict import prettyForm


class PrintableAtom(Function):  # type: ignore[misc]  # SymPy has no types
    """What can be printed; an atom says how, a method for each kind of text."""

    shown: ClassVar[str]

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        """In LaTeX, to a power where the printer asks for one."""
        text = self._in_latex(printer)
        return text if exp is None else f"{{{text}}}^{{{exp}}}"

    def _in_latex(self, printer: Any) -> str:
        raise NotImplementedError

    def _pretty(self, printer: Any) -> prettyForm:
        form: prettyForm = printer._helper_print_function(self.func, self.args, func_name=self.shown)
        return form

    def _pythoncode(self, printer: Any) -> str:
        return AtomCode(printer).of(self)

    def _numpycode(self, printer: Any) -> str:
        return NumpyCode(printer, printer._module).of(self)

    _jaxcode = _cupycode = _numpycode

    def _mpmathcode(self, printer: Any) -> str:
        return MpmathCode(printer).of(self)

    def _javascript(self, printer: Any) -> str:
        return JavaScriptCode(printer).of(self)


class AtomCode:
    """An atom as an expression of Python, by a method of its class's name; subclasses are other languages.

    Args:
        printer: SymPy's printer, which writes the arguments.
    """

    function = "lambda {name}: {body}"
    largest, smallest = "max", "min"
    module = "math"

    def __init__(self, printer: Any) -> None:
        self.printer = printer

    def of(self, atom: Any) -> str:
        """The atom."""
        return str(getattr(self, type(atom).__name__)(atom))

    def rounded(self, rule: str, above: str, below: str) -> str:
        """The "floor" or the "ceil" of a quotient of two texts."""
        return f"({above} // {below})" if rule == "floor" else f"(-(-{above} // {below}))"

    def written(self, expression: Expr) -> str:
        """An argument, in parentheses if it needs them."""
        text = str(self.printer._print(expression))
        return text if expression.is_Symbol or (expression.is_Integer and expression >= 0) else f"({text})"

    def parts(self, x: Expr) -> tuple[str, str]:
        """What stands above and below the line of a fraction, neither with a division that rounds."""
        above, below = fraction(together(x))
        return self.written(above), self.written(below)

    def CeilDiv(self, atom: Expr) -> str:  # noqa: N802  # the atoms' names
        """⌈a/b⌉."""
        return self.rounded("ceil", *self.parts(atom.args[0] / atom.args[1]))

    def Floor(self, atom: Any) -> str:  # noqa: N802
        """⌊x⌋, or ⌈x⌉."""
        return self.rounded(atom.rule, *self.parts(atom.args[0]))

    Ceil = Floor

    def MakeDivisible(self, atom: Expr) -> str:  # noqa: N802
        """The rule of `dims.make_divisible`, which needs its number twice: a function that is called at once."""
        x, divisor, *least = atom.args
        above, below = self.parts(x)
        d, minimum = self.written(divisor), self.written(least[0] if least else divisor)
        twice = "" if below == "1" else f"*{below}"
        nearest = self.rounded("floor", f"(2*{above} + {d}{twice})", f"(2*{d}{twice})")
        function = self.function.format(name="n", body=f"n + {d}*{self.truth(f'10*n{twice} < 9*{above}')}")
        return f"({function})({self.extreme(self.largest, [minimum, f'{nearest}*{d}'])})"

    def truth(self, comparison: str) -> str:
        """A comparison as 1 or 0."""
        return f"(1 if {comparison} else 0)"

    def Maximum(self, atom: Expr) -> str:  # noqa: N802
        """The largest."""
        return self.extreme(self.largest, map(self.written, atom.args))

    def Minimum(self, atom: Expr) -> str:  # noqa: N802
        """The smallest."""
        return self.extreme(self.smallest, map(self.written, atom.args))

    def extreme(self, head: str, texts: Any) -> str:
        """One of several texts."""
        return f"{head}({', '.join(texts)})"

    def TableLookup(self, atom: Any) -> str:  # noqa: N802
        """A table's cell."""
        cells = ", ".join(
            f"({', '.join(map(self.written, places))},): {self.written(cell)}" for *places, cell in atom.args[2]
        )
        return f"{{{cells}}}[({', '.join(map(self.written, atom.keys))},)]"

    def Log2(self, atom: Expr) -> str:  # noqa: N802
        """log₂ x."""
        return f"{self.printer._module_format(f'{self.module}.log2')}({self.written(atom.args[0])})"


class MpmathCode(AtomCode):
    """mpmath's numbers, which have no //."""

    module = "mpmath"

    def rounded(self, rule: str, above: str, below: str) -> str:
        """A function of mpmath."""
        return f"{self.printer._module_format(f'mpmath.{rule}')}({above} / {below})"

    def Log2(self, atom: Expr) -> str:  # noqa: N802
        """log₂ x."""
        return f"{self.printer._module_format('mpmath.log')}({self.written(atom.args[0])}, 2)"


class NumpyCode(AtomCode):
    """NumPy's arrays, or those of a module with its functions.

    Args:
        printer: SymPy's printer.
        module: The module.
    """

    def __init__(self, printer: Any, module: str) -> None:
        super().__init__(printer)
        self.module = module
        self.largest, self.smallest = (printer._module_format(f"{module}.{name}") for name in ("maximum", "minimum"))

    def truth(self, comparison: str) -> str:
        """An array of truths, which count as 1 and 0."""
        return f"({comparison})"

    def extreme(self, head: str, texts: Any) -> str:
        """One of several texts, two by two."""
        first, *others = texts
        for other in others:
            first = f"{head}({first}, {other})"
        return str(first)

    def TableLookup(self, atom: Any) -> str:  # noqa: N802
        """A table's cells, chosen where the keys are theirs; NaN where none is."""
        keys = list(map(self.written, atom.keys))
        chosen = [
            " & ".join(f"({key} == {self.written(place)})" for key, place in zip(keys, places, strict=True))
            for *places, _ in atom.args[2]
        ]
        cells = ", ".join(self.written(cell) for *_, cell in atom.args[2])
        select, nan = (self.printer._module_format(f"{self.module}.{name}") for name in ("select", "nan"))
        return f"{select}([{', '.join(chosen)}], [{cells}], default={nan})"


class JavaScriptCode(AtomCode):
    """JavaScript's doubles."""

    function = "({name}) => {body}"
    largest, smallest = "Math.max", "Math.min"

    def rounded(self, rule: str, above: str, below: str) -> str:
        """A function of Math."""
        return f"Math.{rule}({above}/{below})" if below != "1" else f"Math.{rule}({above})"

    def truth(self, comparison: str) -> str:
        """A number, as + makes of it."""
        return f"({comparison} ? 1 : 0)"

    def TableLookup(self, atom: Any) -> str:  # noqa: N802
        """A table's cell, by its keys as text."""
        cells = ", ".join(f'"{",".join(map(str, places))}": {self.written(cell)}' for *places, cell in atom.args[2])
        return f"({{{cells}}})[[{', '.join(map(self.written, atom.keys))}].join()]"

    def Log2(self, atom: Expr) -> str:  # noqa: N802
        """log₂ x."""
        return f"Math.log2({self.written(atom.args[0])})"


def closed(printer: Any, form: Any, name: str, left: str, right: str) -> prettyForm:
    """A pretty form between brackets that grow with it; in ASCII, which has none, a call."""
    if printer._use_unicode:
        return prettyForm(*form.parens(left=left, right=right))
    return prettyForm(*prettyForm(*form.parens()).left(name))
