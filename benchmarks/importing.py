"""How long a model's import takes beyond its export, and what comes of it: of our zoo and of other packages' networks.

    python -m benchmarks.importing [NAME…]
    python -m benchmarks.importing --peers [torchvision:NAME|pytorchcv:NAME|torchvision|pytorchcv …] [-o FILE]
    python -m benchmarks.importing --table FILE…

Each network is made on the meta device and exported once; then it is read, its structure is recovered and proved, and
it is laid out as text. The last column is that time as a share of the export's, in the same run. With --peers its
parameters and multiply-accumulates are held against the module's and against torch's `FlopCounterMode`; the rows are
those of docs/results/import.md, the refused ones with the reason. With -o a row is a line of JSON, and networks that
the file has are left out; --table prints the rows of such files as Markdown.
"""

import argparse
import json
import sys
import time
import types
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import archspec
from archspec.errors import ArchspecError
from archspec.importing import document_of
from archspec.importing.exported import exported
from archspec.importing.layout import laid_out

NAMES = ("resnet18", "mobilenet_v2", "shufflenet", "inception_v3", "resnet152")

NETWORKS = Path(__file__).with_suffix(".txt")
"""Other packages' networks, a package and some of its networks a line."""

SIDES = {"inception_v3": 299, "inceptionv3": 299, "inceptionv4": 299, "inceptionresnetv2": 299, "polynet": 331}
SIDES |= {"xception": 299, "swin_v2_t": 256, "nasnet_4a1056": 224}


def main() -> None:
    """Print the table, or write the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("-o", dest="file", type=Path)
    asked = parser.parse_args()
    if asked.table:
        print("\n".join(_table([row for name in asked.names for row in _lines(Path(name))])))
    elif asked.peers:
        _peers(asked.names or ["torchvision", "pytorchcv"], asked.file)
    else:
        _ours(asked.names or NAMES)


def _ours(names: Any) -> None:
    print(f"{'network':26} {'layers':>6} {'export [s]':>10} {'import [s]':>10} {'of export':>9} {'lines':>6}")
    for name in names:
        arch = archspec.load(name)
        model = arch.to_torch(device="meta")
        found = measured(model, tuple(arch.expand().input.shape[1:]), name)
        export, seconds = found["export"], found["import"]
        share = f"{seconds / export:9.2f}"
        print(f"{name:26} {found['layers']:6} {export:10.2f} {seconds:10.2f} {share} {found['lines']:6}", flush=True)


def measured(model: Any, sizes: tuple[int, ...], name: str) -> dict[str, Any]:
    """An import by its numbers: layers, lines, blocks, scalars, seconds of the export and beyond it."""
    begin = time.perf_counter()
    program = exported(model, (2, *sizes), name)
    middle = time.perf_counter()
    found = document_of(program)
    text = laid_out(found.document, found.notes)
    end = time.perf_counter()
    cost = archspec.Architecture(found.document).count()
    return {
        "layers": len(found.names) - 1,
        "lines": len(text.splitlines()),
        "blocks": len(found.document.blocks),
        "params": cost.params,
        "macs": cost.macs,
        "export": round(middle - begin, 2),
        "import": round(end - middle, 2),
    }


# ------------------------------------------------------------------ other packages


def _peers(names: list[str], file: Path | None) -> None:
    known = {(row["package"], row["name"]) for row in _lines(file)} if file else set()
    for package, name in _asked(names):
        if (package, name) in known:
            continue
        row = json.dumps({"package": package, "name": name, **_peer(package, name)})
        print(row, flush=True)
        if file:
            with file.open("a", encoding="utf-8") as rows:
                rows.write(f"{row}\n")


def _lines(file: Path) -> list[dict[str, Any]]:
    return list(map(json.loads, file.read_text(encoding="utf-8").splitlines())) if file.exists() else []


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as two tables: what is read, and what is refused."""
    yield "| network | layers | lines | blocks | params | MACs | export [s] | import [s] |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for row in (row for row in rows if "refused" not in row):
        counts = " | ".join(f"{row[each]:,}" for each in ("layers", "lines", "blocks", "params", "macs"))
        yield f"| {row['name'].rpartition('.')[2]} | {counts} | {row['export']} | {row['import']} |"
    yield from ("", "| network | reason |", "|---|---|")
    for row in (row for row in rows if "refused" in row):
        yield f"| {row['name']} | {'; '.join(part.strip() for part in row['refused'].splitlines())} |"


def _asked(names: list[str]) -> Iterator[tuple[str, str]]:
    known: dict[str, list[str]] = {}
    for line in NETWORKS.read_text(encoding="utf-8").splitlines():
        package, *several = line.split()
        known.setdefault(package, []).extend(several)
    for name in names:
        package, _, one = name.partition(":")
        yield from ((package, each) for each in ([one] if one else known[package]))


def _peer(package: str, name: str) -> dict[str, Any]:
    """A row: what came of it, or the reason why nothing did."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    side = SIDES.get(name, 224)
    make = FACTORIES[package](name)
    try:
        model = made_on_meta(make).eval()
        try:
            found = measured(model, (3, side, side), name.rpartition(".")[2])
        except ArchspecError as error:
            if "meta" not in str(error):
                raise
            found = measured(make().eval(), (3, side, side), name.rpartition(".")[2])
    except ArchspecError as error:
        return {"refused": str(error)}
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side))
    wanted = {"params": sum(value.numel() for value in model.parameters()), "macs": counter.get_total_flops() // 2}
    differ = {each: count for each, count in wanted.items() if found[each] != count}
    return {**found, "side": side, **({"differs": differ} if differ else {})}


def torchvision(name: str) -> Callable[[], Any]:
    """A factory of torchvision's; its own kernels are not asked for."""
    without_kernels()
    module, _, factory = f"torchvision.models.{name}".rpartition(".")
    make = getattr(import_module(module), factory)
    settings = {"weights_backbone": None, "aux_loss": False} if module.endswith("segmentation") else {}
    settings |= {"init_weights": False, "aux_logits": False} if factory in {"inception_v3", "googlenet"} else {}
    return partial(
        make, weights=None, **{k: v for k, v in settings.items() if not (k == "aux_loss" and "lraspp" in name)}
    )


def pytorchcv(name: str) -> Callable[[], Any]:
    """A factory of pytorchcv's, which asks for torchvision, and uses it in other networks."""
    if "torchvision" not in sys.modules:
        for package in ("torchvision", "torchvision.ops"):
            module: Any = types.ModuleType(package)
            module.__spec__, module.__path__, module.DeformConv2d = ModuleSpec(package, None), [], None
            sys.modules[package] = module
    return partial(import_module("pytorchcv.model_provider").get_model, name, pretrained=False)


FACTORIES = {"torchvision": torchvision, "pytorchcv": pytorchcv}


def made_on_meta(make: Callable[[], Any]) -> Any:
    """A model without numbers; one that reads numbers while it is made is made with them first."""
    import torch

    try:
        with torch.device("meta"):
            return make()
    except (NotImplementedError, RuntimeError):
        return make().to("meta")


def without_kernels() -> None:
    """Let torchvision be imported beside a torch of another build."""
    import torch

    register = torch.library.register_fake

    def fake(op: Any, *args: Any, **kwargs: Any) -> Any:
        ours = isinstance(op, str) and op.startswith("torchvision::")
        return (lambda function: function) if ours else register(op, *args, **kwargs)

    torch.library.register_fake = fake


if __name__ == "__main__":
    main()
