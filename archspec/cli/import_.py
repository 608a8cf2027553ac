"""`archspec import`: the specification of a model that there is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from archspec.cli.echo import echo_message
from archspec.errors import ArchspecError, BindingError
from archspec.files import replacing

if TYPE_CHECKING:
    from archspec.importing import Imported, Program


@click.command("import")
@click.argument("source", metavar="FILE|MODULE:FACTORY")
@click.option(
    "-o", "--output", metavar="NET.yaml", help="Where to write the specification.  [default: standard output]"
)
@click.option("--flat", is_flag=True, help="The plain list of layers, without blocks and tables.")
@click.option("--weights", metavar="OUT.safetensors", help="Write the weights, too, under the specification's names.")
@click.option(
    "--input", "sizes", metavar="CxHxW", default="3x224x224", show_default=True, help="Of what a factory makes."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Arguments of the factory.")
def command(
    source: str, output: str | None, flat: bool, weights: str | None, sizes: str, settings: tuple[str, ...]
) -> None:
    """Write the specification of a model: its table, its blocks, and with them its costs and closed forms.

    FILE is an ONNX file (.onnx) or a program of torch.export (.pt2), read as data. MODULE:FACTORY names what makes a
    torch module, such as torchvision.models:resnet18; that code is run. With --weights the outputs of both models on
    random inputs must be equal.
    """
    from archspec.importing import document_of
    from archspec.importing.layout import laid_out

    program = _program(source, sizes, settings)
    found = document_of(program, flat=flat)
    text = laid_out(found.document, found.notes)
    if output is None:
        click.echo(text, nl=False)
    else:
        with replacing(Path(output)) as file:
            file.write_text(text, encoding="utf-8")
        echo_message(_said(output, found, text))
    if weights is not None:
        _write_weights(found, program, source, weights)


def _program(source: str, sizes: str, settings: tuple[str, ...]) -> "Program":
    ending = Path(source).suffix
    if ending == ".onnx":
        from archspec.importing.onnx_file import read_onnx

        return read_onnx(source)
    if ending == ".pt2":
        from archspec.importing.archive import read_archive

        return read_archive(source)
    if ":" not in source:
        raise ArchspecError(
            f"{source}: neither .onnx nor .pt2, nor MODULE:FACTORY, such as torchvision.models:resnet18"
        )
    from archspec.importing.exported import exported
    from archspec.importing.factory import made

    model = made(source, _keywords(settings))
    return exported(model, (2, *_sizes(sizes)), source.partition(":")[2].rpartition(".")[2])


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and 0 < int(part) <= 10**6 for part in parts):
        raise BindingError(f"--input takes sizes such as 3x224x224 (got '{text}')")
    return tuple(map(int, parts))


def _keywords(settings: tuple[str, ...]) -> dict[str, Any]:
    """Arguments of a factory: numbers, true and false, else words."""
    found = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not (sign and name.isidentifier()):
            raise BindingError(f"--set takes NAME=VALUE (got '{setting}')")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _said(output: str, found: "Imported", text: str) -> str:
    blocks = len(found.document.blocks)
    counted = f"{blocks} block{'s' if blocks != 1 else ''}"
    lines = [f"{output}: {len(text.splitlines())} lines, {len(found.names) - 1} layers, {counted}"]
    return "\n".join([*lines, *(f"  {note}" for note in found.notes)])


def _write_weights(found: "Imported", program: "Program", source: str, weights: str) -> None:
    from archspec.extras import need

    need("torch", "torch")
    need("train", "safetensors")
    from archspec.importing.outputs import onnx_runner, write_weights

    run = onnx_runner(source) if source.endswith(".onnx") else None
    echo_message(write_weights(found, program, weights, run))
