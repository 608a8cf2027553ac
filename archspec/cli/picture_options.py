"""The options of the pictures of `archspec plot`, and how their values are read."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import click

from archspec.cli import complete
from archspec.cli.options import Option, names


def several(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Several names, apart by commas."""
    return names(value, parameter.opts[0])


def rate(context: click.Context | None, parameter: click.Parameter | None, value: str) -> Fraction:
    """A number above 0, with k, M, G, T or P behind it where it is large.

    >>> rate(None, None, "1.5G")
    Fraction(1500000000, 1)
    """
    text = value.strip()
    factor = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}.get(text[-1:], 1)
    try:
        number = Fraction(text if factor == 1 else text[:-1].strip())
    except (ValueError, ZeroDivisionError):
        number = Fraction(0)
    if number <= 0:
        said = f"expected a number above 0, such as 4.6T or 25e9, found '{text[:40]}'"
        raise click.BadParameter(said, context, parameter)
    return number * factor


def numbers(context: click.Context | None, parameter: click.Parameter | None, value: str | None) -> Any:
    """Numbers, apart by commas; whole ones where all are.

    >>> numbers(None, None, "1,4,15"), numbers(None, None, "-0.5,2")
    ((1, 4, 15), (-0.5, 2.0))
    """
    if value is None:
        return None
    try:
        found = tuple(Fraction(part.strip()) for part in value.split(","))
    except (ValueError, ZeroDivisionError):
        said = f"expected numbers such as 1,4,15, found '{value[:60]}'"
        raise click.BadParameter(said, context, parameter) from None
    whole = all(number.denominator == 1 for number in found)
    return tuple(int(number) if whole else float(number) for number in found)


def matrix(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """The rows of a matrix, apart by semicolons."""
    return None if value is None else tuple(numbers(context, parameter, row) for row in value.split(";"))


def wanted(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> Any:
    """The values wanted of columns, each written COLUMN=VALUE or COLUMN=VALUE|VALUE; None without any."""
    found = {}
    for text in texts:
        column, sign, values = text.partition("=")
        if not (column and sign):
            said = f"expected COLUMN=VALUE, such as network=lenet_5 (got '{text[:60]}')"
            raise click.BadParameter(said, context, parameter)
        found[column] = tuple(values.split("|"))
    return found or None


OPTIONS: Mapping[str, Option] = {
    "of": click.option(
        "--of",
        callback=several,
        metavar="QUANTITY,…",
        shell_complete=complete.quantities,
        help="[default: macs,params]",
    ),
    "by": click.option("--by", help="What a row or a point stands for, as in archspec count.  [default: block]"),
    "peak": click.option(
        "--peak", callback=rate, required=True, metavar="MACS", help="Of the device, in a second: 4.6T."
    ),
    "bandwidth": click.option(
        "--bandwidth", callback=rate, required=True, metavar="BYTES", help="Of the device's memory, in a second: 25G."
    ),
    "x": click.option("-x", "x", required=True, metavar="COLUMN", help="The column along."),
    "y": click.option(
        "-y", "y", required=True, callback=several, metavar="COLUMN,…", help="The columns up, one panel each."
    ),
    "series": click.option("--series", callback=several, metavar="COLUMN,…", help="One line for each value of these."),
    "where": click.option("--where", multiple=True, callback=wanted, metavar="COLUMN=VALUE", help="These rows alone."),
    "log": click.option("--log", callback=several, metavar="x,y", help="The axes that are logarithmic."),
    "along": click.option("--along", metavar="NAME", help="The symbol along.  [default: the first]"),
    "groups": click.option("--groups", type=click.IntRange(1), help="[default: 3]"),
    "channels": click.option("--channels", type=click.IntRange(1), help="[default: 12]"),
    "positions": click.option(
        "--positions", callback=numbers, metavar="N,N,…", help="Of the weights that are not zero.  [default: 1,4,15]"
    ),
    "values": click.option("--values", callback=numbers, metavar="X,X,…", help="Their values.  [default: the paper's]"),
    "bits": click.option("--bits", type=click.IntRange(0, 8), help="Of a code.  [default: the paper's]"),
    "weights": click.option(
        "--weights", callback=matrix, metavar="X,X;X,X", help="A matrix, row by row.  [default: the paper's]"
    ),
    "gradient": click.option("--gradient", callback=matrix, metavar="X,X;X,X", help="Of the same shape."),
    "rate": click.option("--rate", type=float, help="The learning rate.  [default: 1]"),
    "title": click.option("--title", help="What stands above.  [default: the file's name]"),
}
"""The options of pictures, by the names under which the register has them."""
