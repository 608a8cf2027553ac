"""The options of the pictures of `archspec plot`, and the types of their values."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import click

from archspec.cli import complete
from archspec.cli.options import Option, names


class Names(click.ParamType):  # type: ignore[type-arg]  # generic in the newest click alone
    """Several names, apart by commas."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names."""
        if isinstance(value, tuple):
            return value
        option = param.opts[0] if param else "--of"
        return names(value, option) or ()


class Rate(click.ParamType):  # type: ignore[type-arg]
    """A number above 0, with k, M, G, T or P behind it where it is large."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """The number.

        >>> Rate().convert("1.5G", None, None)
        Fraction(1500000000, 1)
        """
        text = str(value).strip()
        factor = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}.get(text[-1:], 1)
        try:
            number = Fraction(text if factor == 1 else text[:-1].strip())
        except (ValueError, ZeroDivisionError):
            number = Fraction(0)
        if number <= 0:
            self.fail(f"expected a number above 0, such as 4.6T or 25e9, found '{text[:40]}'", param, ctx)
        return number * factor


class NumberList(click.ParamType):  # type: ignore[type-arg]
    """Numbers, apart by commas; whole ones where all are."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The numbers.

        >>> NumberList().convert("1,4,15", None, None), NumberList().convert("-0.5,2", None, None)
        ((1, 4, 15), (-0.5, 2.0))
        """
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(Fraction(part.strip()) for part in str(value).split(","))
        except (ValueError, ZeroDivisionError):
            self.fail(f"expected numbers such as 1,4,15, found '{str(value)[:60]}'", param, ctx)
        whole = all(number.denominator == 1 for number in found)
        return tuple(int(number) if whole else float(number) for number in found)


class MatrixRows(NumberList):
    """The rows of a matrix, apart by semicolons."""

    name = "rows"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The rows."""
        if isinstance(value, tuple):
            return value
        return tuple(super(MatrixRows, self).convert(row, param, ctx) for row in str(value).split(";"))


class Wanted(click.ParamType):  # type: ignore[type-arg]
    """A column, and the values of it that are wanted: COLUMN=VALUE or COLUMN=VALUE|VALUE."""

    name = "wanted"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str, ...]]:
        """The column and the values."""
        if isinstance(value, tuple):
            return value
        column, sign, values = str(value).partition("=")
        if not (column and sign):
            self.fail(f"expected COLUMN=VALUE, such as network=lenet_5 (got '{str(value)[:60]}')", param, ctx)
        return column, tuple(values.split("|"))


def _wanted(context: click.Context, parameter: click.Parameter, value: Any) -> dict[str, tuple[str, ...]] | None:
    return dict(value) or None


OPTIONS: Mapping[str, Option] = {
    "of": click.option(
        "--of", type=Names(), metavar="QUANTITY,…", shell_complete=complete.quantities, help="[default: macs,params]"
    ),
    "by": click.option("--by", help="What a row or a point stands for, as in archspec count.  [default: block]"),
    "peak": click.option(
        "--peak", type=Rate(), required=True, metavar="MACS", help="Of the device, in a second: 4.6T."
    ),
    "bandwidth": click.option(
        "--bandwidth", type=Rate(), required=True, metavar="BYTES", help="Of the device's memory, in a second: 25G."
    ),
    "x": click.option("-x", "x", required=True, metavar="COLUMN", help="The column along."),
    "y": click.option(
        "-y", "y", required=True, type=Names(), metavar="COLUMN,…", help="The columns up, one panel each."
    ),
    "series": click.option("--series", type=Names(), metavar="COLUMN,…", help="One line for each value of these."),
    "where": click.option(
        "--where", type=Wanted(), multiple=True, callback=_wanted, metavar="COLUMN=VALUE", help="These rows alone."
    ),
    "log": click.option("--log", type=Names(), metavar="x,y", help="The axes that are logarithmic."),
    "along": click.option("--along", metavar="NAME", help="The symbol along.  [default: the first]"),
    "groups": click.option("--groups", type=click.IntRange(1), help="[default: 3]"),
    "channels": click.option("--channels", type=click.IntRange(1), help="[default: 12]"),
    "positions": click.option(
        "--positions", type=NumberList(), metavar="N,N,…", help="Of the weights that are not zero.  [default: 1,4,15]"
    ),
    "values": click.option(
        "--values", type=NumberList(), metavar="X,X,…", help="Their values.  [default: the paper's]"
    ),
    "bits": click.option("--bits", type=click.IntRange(0, 8), help="Of a code.  [default: the paper's]"),
    "weights": click.option(
        "--weights", type=MatrixRows(), metavar="X,X;X,X", help="A matrix, row by row.  [default: the paper's]"
    ),
    "gradient": click.option("--gradient", type=MatrixRows(), metavar="X,X;X,X", help="Of the same shape."),
    "rate": click.option("--rate", type=float, help="The learning rate.  [default: 1]"),
    "title": click.option("--title", help="What stands above.  [default: the file's name]"),
}
"""The options of pictures, by the names under which the register has them."""
