"""`archspec import`: the specification of a model that there is."""

from collections.abc import Container, Mapping
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec import dims
from archspec.cli.echo import echo_message
from archspec.cli.options import verb
from archspec.errors import ArchspecError, BindingError
from archspec.extras import need
from archspec.files import replacing

if TYPE_CHECKING:
    from archspec.importing import Imported, Program
    from archspec.importing.flat import FlatGraph


PROGRAMS = {".onnx": "onnx_file:read_onnx", ".pt2": "archive:read_archive"}
TABLES = {".cfg": "darknet:read_cfg", ".prototxt": "caffe:read_prototxt"}
"""Who reads files, by their endings: those that hold a program, and those that are a table of layers."""

SIDE = "side"
"""The input's height and width."""

MOST_VALUES = 32
"""At each value a model is made and exported."""


@verb("import")
@click.argument("source", metavar="FILE|MODULE:FACTORY")
@click.option(
    "-o", "--output", metavar="NET.yaml", help="Where to write the specification.  [default: standard output]"
)
@click.option("--flat", is_flag=True, help="The plain list of layers, without blocks and tables.")
@click.option("--opaque", is_flag=True, help="Keep what no operator computes, as nodes with a shape and no formula.")
@click.option("--weights", metavar="OUT.safetensors", help="Write the weights, too, under the specification's names.")
@click.option(
    "--input", "sizes", metavar="CxHxW", default="3x224x224", show_default=True, help="Of what a factory makes."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Arguments of the factory.")
@click.option(
    "--vary",
    "varying",
    multiple=True,
    metavar="NAME=VALUE,VALUE…",
    help="Arguments of the factory that become symbols, the default first; side is the input's.",
)
def command(  # one argument an option
    source: str,
    output: str | None,
    flat: bool,
    opaque: bool,
    weights: str | None,
    sizes: str,
    settings: tuple[str, ...],
    varying: tuple[str, ...],
) -> None:
    """Write the specification of a model: its table, its blocks, and with them its costs and closed forms.

    FILE is an ONNX file (.onnx), a program of torch.export (.pt2), Darknet's table of layers (.cfg) or Caffe's
    (.prototxt); all are read as data. MODULE:FACTORY names what makes a
    torch module, such as torchvision.models:resnet18; that code is run. With --weights the outputs of both models on
    random inputs must be equal. All that no operator of the language computes is named at once; with --opaque it is
    kept by the shapes of its results, and every total says that it is not in it.

    --vary width=1,0.37,0.61 --vary side=224,192 makes the model at each of these values, and says by symbols what
    differs: which multiple or rounding makes the numbers, what else would fit, and which value would tell them apart.
    """
    from archspec.importing.layout import laid_out

    program: Program | None
    if opaque and weights is not None:
        raise ArchspecError("--weights proves that outputs are equal, and opaque nodes have none; leave out one")
    if varying:
        if flat or opaque or Path(source).suffix in {**PROGRAMS, **TABLES}:
            raise ArchspecError(
                "--vary is of what a factory makes, and of its structure: of no file, and not with --flat or --opaque"
            )
        program, found = _varied(source, sizes, settings, varying)
    else:
        program, found = _read(source, sizes, settings, flat, opaque)
    text = laid_out(found.document, found.notes)
    if output is None:
        click.echo(text, nl=False)
    else:
        with replacing(Path(output)) as file:
            file.write_text(text, encoding="utf-8")
        echo_message(_written_message(output, found, text))
    if weights is not None:
        _write_weights(found, program, source, weights)


def _read(
    source: str, sizes: str, settings: tuple[str, ...], flat: bool, opaque: bool
) -> "tuple[Program | None, Imported]":
    """What a source is read as; a table of layers has no program that could be run."""
    from archspec.importing import document_of
    from archspec.importing.document import imported

    ending = Path(source).suffix
    if ending not in TABLES:
        program = _program(source, sizes, settings)
        return program, document_of(program, flat=flat, opaque=opaque)
    if opaque:
        raise ArchspecError(f"{source}: a table of layers has no shapes of what is not known; --opaque needs them")
    return None, imported(_read_by(TABLES[ending], source), flat=flat)


def _read_by(reader: str, source: str) -> Any:
    home, _, name = reader.partition(":")
    return getattr(import_module(f"archspec.importing.{home}"), name)(source)


def _program(source: str, sizes: str, settings: tuple[str, ...]) -> "Program":
    ending = Path(source).suffix
    if ending == ".onnx":
        need("onnx", "onnx", "onnx_ir", "onnxscript")
    if ending in PROGRAMS:
        program: Program = _read_by(PROGRAMS[ending], source)
        return program
    if ":" not in source:
        *others, last = (*PROGRAMS, *TABLES)
        known = f"{', '.join(others)} or {last}"
        raise ArchspecError(f"{source}: no {known}, nor MODULE:FACTORY, such as torchvision.models:resnet18")
    return _made(source, _sizes(sizes), keywords(settings))


def _made(source: str, sizes: tuple[int, ...], keywords: dict[str, Any]) -> "Program":
    from archspec.importing.exported import exported
    from archspec.importing.factory import made

    return exported(made(source, keywords), (2, *sizes), source.partition(":")[2].rpartition(".")[2])


def _varied(source: str, sizes: str, settings: tuple[str, ...], varying: tuple[str, ...]) -> "tuple[Program, Imported]":
    from archspec.importing.factory import takes
    from archspec.importing.instances import of_instances
    from archspec.importing.reading import read, refuse_foreign
    from archspec.importing.varied_numbers import said_bound

    programs: list[Program] = []
    shape, fixed = _sizes(sizes), keywords(settings)
    values = varied_values(varying, fixed, shape)

    def graph_at(bound: Mapping[str, Any]) -> "FlatGraph":
        side = bound.get(SIDE)
        given = {name: value for name, value in bound.items() if name != SIDE or takes(source, SIDE)}
        try:
            sized = shape if side is None else (shape[0], int(side), int(side))
            plain = {n: int(value) if value.denominator == 1 else float(value) for n, value in given.items()}
            programs.append(_made(source, sized, {**fixed, **plain}))
            graph = read(programs[-1])
            refuse_foreign(graph)
        except ArchspecError as error:
            raise ArchspecError(f"at {said_bound(bound)}: {error}") from error
        return graph

    found = of_instances(values, graph_at)
    return programs[0], found


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and 0 < int(part) <= 10**6 for part in parts):
        raise BindingError(f"--input takes sizes such as 3x224x224 (got '{text}')")
    return tuple(map(int, parts))


def keywords(settings: tuple[str, ...]) -> dict[str, Any]:
    """Arguments of a factory: numbers, true and false, none, else words.

    Raises:
        BindingError: A text is not NAME=VALUE, or a name stands twice.

    >>> keywords(("width=0.5", "groups=3", "bias=false", "act=relu"))
    {'width': 0.5, 'groups': 3, 'bias': False, 'act': 'relu'}
    """
    found: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not (sign and name.isidentifier()):
            raise BindingError(f"--set takes NAME=VALUE (got '{setting}')")
        if name in found:
            raise BindingError(f"--set {name} is given twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def varied_values(varying: tuple[str, ...], fixed: Container[str], sizes: tuple[int, ...]) -> dict[str, list[Fraction]]:
    """The values of `--vary`, each an exact number, by the arguments that become symbols.

    Args:
        varying: What was given.
        fixed: The arguments that `--set` gives.
        sizes: The input's.

    Raises:
        BindingError: A text is not NAME=VALUE,VALUE…, a value is no number or stands twice, a name stands twice or is
            set, too, or `side` is no size of an image.

    >>> varied_values(("width=1,0.5",), {}, (3, 224, 224))
    {'width': [Fraction(1, 1), Fraction(1, 2)]}
    """
    found: dict[str, list[Fraction]] = {}
    for text in varying:
        name, sign, listed = (part.strip() for part in text.partition("="))
        if not (sign and name.isidentifier() and listed):
            raise BindingError(f"--vary takes NAME=VALUE,VALUE,… such as width=1,0.37,0.61 (got '{text}')")
        if name in found:
            before = ",".join(f"{float(value):g}" for value in found[name])
            raise BindingError(f"--vary {name} is given twice; write its values in one: {name}={before},{listed}")
        if name in fixed:
            raise BindingError(f"--set {name} and --vary {name} are both given; the first of --vary is the default")
        found[name] = _values(name, listed)
    if any(value.denominator != 1 or not 0 < value <= 10**6 for value in found.get(SIDE, ())):
        raise BindingError("--vary side takes whole sizes such as side=224,192, the input's height and width")
    if SIDE in found and len(sizes) != 3:
        raise BindingError("--vary side is the height and width of an image; --input is none")
    return found


def _values(name: str, listed: str) -> list[Fraction]:
    texts = [text.strip() for text in listed.split(",")]
    values = [_exact(name, text) for text in texts]
    twice = next((text for text, value in zip(texts, values, strict=True) if values.count(value) > 1), None)
    if twice is not None:
        raise BindingError(f"--vary {name} has {twice} twice")
    if len(values) < 2:
        raise BindingError(f"--vary {name} takes two values or more, the default first (got '{listed}')")
    if len(values) > MOST_VALUES:
        raise BindingError(f"--vary {name} takes {MOST_VALUES} values at most: at each a model is made and exported")
    return values


def _exact(name: str, text: str) -> Fraction:
    try:
        return Fraction(dims.exact(text))
    except ArchspecError:
        raise BindingError(
            f"--vary {name} takes numbers, of which symbols are made (got '{text}'); words are for --set"
        ) from None


def _written_message(output: str, found: "Imported", text: str) -> str:
    blocks = len(found.document.blocks)
    counted = f"{blocks} block{'s' if blocks != 1 else ''}"
    lines = [f"{output}: {len(text.splitlines())} lines, {len(found.names) - 1} layers, {counted}"]
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def _write_weights(found: "Imported", program: "Program | None", source: str, weights: str) -> None:
    if program is None:
        raise ArchspecError(f"{source} is a table of layers, and holds no weights")
    need("torch", "torch")
    need("train", "safetensors")
    from archspec.importing.outputs import onnx_runner, write_weights

    run = onnx_runner(source) if source.endswith(".onnx") else None
    echo_message(write_weights(found, program, weights, run))
