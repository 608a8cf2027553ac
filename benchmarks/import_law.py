"""The law of imports over the zoo: a network → module → import gives the same network, and so does the way over ONNX.

    python -m benchmarks.import_law [--way torch|kept|optimised]… [-o FILE] [NETWORK…]

For each network and way: the same operators with the same outputs, parameters and multiply-accumulates, the same
totals, the same closed form in the side, agreement with torch (`verify`), and the same outputs on random inputs with
the weights carried over. Without networks it runs all of the zoo; without a way the first two, for usual networks all.
"""

import argparse
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import archspec
from archspec import ops
from archspec.errors import ArchspecError
from archspec.language import loads, zoo

if TYPE_CHECKING:
    from archspec.importing import Imported, Program

WAYS = ("torch", "kept", "optimised")
"""Over `torch.export`; over ONNX with all names and values kept; over ONNX as torch's exporter optimises it."""

SMALL: dict[str, dict[str, Any]] = {
    "acoustic_model": {"hidden": 64, "states": 100, "layers": 3},
    "bert": {"layers": 2, "width": 48, "heads": 4, "tokens": 16, "vocabulary": 50},
    "fpn_resnet50": {"side": 128},
    "gpt2": {"layers": 2, "width": 48, "heads": 4, "tokens": 12, "vocabulary": 50},
    "llama": {
        "layers": 2,
        "width": 64,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 16,
        "hidden": 96,
        "tokens": 12,
        "vocabulary": 50,
    },
    "mobilevit": {"variant": "XXS", "side": 64},
    "siamese": {"side": 80, "features": 64},
    "tcn": {"frames": 96},
    "unet": {"side": 188, "width": 8},
    "vgg16": {"side": 64},
    "vgg19": {"side": 64},
}
"""Bindings at which a network is quick; others have an image of 64 pixels, or what they have by themselves."""

SAME = {"resize": "upsample"}
"""A new size that is a whole factor of the old one is read as the factor."""

FIXED = dict.fromkeys(
    ("lraspp_mobilenet_v3", "mobilenet_wake_words", "resnet8"),
    # a mean over the whole image at one side is global, and a new size a factor, for all that one can see
    "another closed form in the side",
)
"""In what a network is not the same, and why; the words are in its reason."""

ABOUT = """
Each network of the zoo is made with random weights, biases, scales and shifts, and with the statistics of a batch of
random inputs; it goes the way, and is imported. `torch` is over `torch.export`, `kept` over ONNX as `archspec compile
--keep` writes it, `optimised` over ONNX as `compile` does. *The same* is: the same operators with the same outputs,
parameters and multiply-accumulates (views left out), the same parameters, buffers, MACs, FLOPs and activations in all,
the same closed form in the side where that is still free, `verify` true, and with the weights carried the same outputs
on random inputs; beside it by which share of the largest number these differ: by none over torch, whose functions
compute both, else by at most 1e-4, or four times what the model itself differs by between 32 and 64 bits. That the
outputs depend on the input (by more than 0.1 %) is seen to, too. Of `optimised` MACs and outputs are compared. Networks
are bound to small sides and widths, as `SMALL` of the benchmark says. – was not run.

*Another closed form in the side*: at one side, a mean over a window that is the whole image is read as global, and a
new size as a factor of the old one; at that side all else is the same.
"""

OPTIMISED = {
    "alexnet",
    "bert",
    "densenet",
    "ds_cnn",
    "lenet_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "resnet50",
    "squeezenet",
    "unet",
    "vgg16",
}
"""Networks that go over `optimised`, too, where no way is asked for: its export takes longest."""

SIDES = (224, 231, 320)
TOLERANCE = 1e-4
ROUNDINGS = 4
"""How many times as far apart as a model's outputs in 32 and in 64 bits others may be, of which each is rounded."""
CALIBRATION = 8
"""Of how many inputs statistics of normalisations are."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a network on a way.

    Attributes:
        network: Its name.
        way: One of `WAYS`.
        reason: Why it is not the same; nothing, if it is.
        layers: How many nodes were read.
        apart: By what share of the largest number its outputs differ.
        moved: By what share of it the model's outputs differ between inputs; where it is nothing, `apart` says nothing.
        seconds: How long the import took, without the export.
    """

    network: str
    way: str
    reason: str
    layers: int = 0
    apart: float = 0.0
    moved: float = 0.0
    seconds: float = 0.0


def bindings(arch: "archspec.Architecture") -> dict[str, Any]:
    """What a network is bound to for the law."""
    if arch.name in SMALL:
        return dict(SMALL[arch.name])
    side = arch.symbols.get("side")
    if side is None or side.default < 100:
        return {}
    least = int(side.range[0]) if side.range else 64
    return {"side": max(64, least)}


def law(name: str, way: str) -> Outcome:
    """A network on a way, and in what it differs."""
    arch = archspec.load(name)
    bound = bindings(arch)
    model = calibrated(arch.to_torch(bound, seed=0, inplace=False), arch.expand(bound, batch=CALIBRATION))
    try:
        program, again, found, seconds, run = _imported(arch, bound, model, way)
    except ArchspecError as error:
        return Outcome(name, way, _short(str(error)))
    reason = "; ".join(_differences(arch, again, bound, way))
    network, many = (arch.expand(bound, batch=size) for size in (2, CALIBRATION))
    apart, moved = _apart(program, found, run), _moved(model, network)
    if not (apart <= TOLERANCE or apart <= ROUNDINGS * _rounding(model, many) <= 10 * TOLERANCE):
        reason = "; ".join(filter(None, [reason, f"outputs differ by {apart:.1e}"]))
    if not moved > 10 * TOLERANCE:
        reason = "; ".join(filter(None, [reason, f"outputs differ only by {moved:.1e} between inputs"]))
    return Outcome(name, way, reason, len(found.names) - 1, apart, moved, seconds)


def _short(refusal: str) -> str:
    """What is refused, without the places."""
    head, *calls = refusal.split("\n")
    names = ", ".join(sorted({call.split()[0].strip("~") for call in calls}))
    return f"no operator of the language computes {names}" if names else head[:300]


def calibrated(model: Any, network: "archspec.Network") -> Any:
    """A model in evaluation, none of whose numbers is what it began as.

    Weights, biases, scales and shifts are random, and statistics are those of a batch of random inputs: with those of
    the beginning a deep network gives nearly the same for all inputs, and whatever was lost on the way is not seen.
    """
    import torch

    torch.manual_seed(2017)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim < 2:
                value.normal_(0, 0.1).add_(1.0 if name.endswith("weight") else 0.0)
            else:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
        norms = [module for module in model.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        model.eval()
        for norm in norms:
            norm.train()
        model(*_random(network))
        for norm in norms:  # channels that are nearly constant would be blown up on other inputs
            if (variance := norm.running_var) is not None:
                variance.clamp_(min=float(variance.mean()) / 10)
    return model.eval()


def _random(network: "archspec.Network") -> list[Any]:
    """Numbers around zero; where rows of a table are looked up, whole numbers of these."""
    import torch

    given = []
    for name, tensor in network.inputs.items():
        rows, sizes = network.below(name), tuple(map(int, tensor.shape))
        given.append(torch.randn(sizes) if rows is None else torch.randint(int(rows), sizes))
    return given


def _moved(model: Any, network: "archspec.Network") -> float:
    """By what share of the largest number a model's outputs differ between two inputs; the least of its outputs."""
    outputs = _outputs(model, _random(network))
    return min(float((each[0] - each[1]).abs().max() / each.abs().max()) for each in outputs)


def _rounding(model: Any, network: "archspec.Network") -> float:
    """By what share of the largest number a model's outputs differ from those in 64 bits; the most of its outputs."""
    import torch

    given = _random(network)
    found = _outputs(model, given)
    wide = [each.double() if each.dtype == torch.float32 else each for each in given]
    exact = _outputs(model.double(), wide)
    model.float()
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in zip(found, exact, strict=True))


def _outputs(model: Any, given: list[Any]) -> list[Any]:
    import torch

    with torch.no_grad():
        found = model(*given)
    return list(found) if isinstance(found, (tuple, list)) else [found]


def _imported(
    arch: "archspec.Architecture", bound: dict[str, Any], model: Any, way: str
) -> "tuple[Program, archspec.Architecture, Imported, float, Any]":
    from archspec.importing import document_of
    from archspec.importing.exported import exported
    from archspec.importing.layout import laid_out
    from archspec.importing.onnx_file import read_onnx
    from archspec.importing.outputs import onnx_runner

    run: Any = None
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = Path(folder) / "net.onnx"
        if way != "torch":
            weights = {key: value.detach() for key, value in model.state_dict().items()}
            arch.write(file, bound, weights=weights, keep=way == "kept")
        started = time.perf_counter()
        program = exported(model, _example(arch, bound), arch.name) if way == "torch" else read_onnx(file)
        middle = time.perf_counter()
        found = document_of(program)
        seconds = time.perf_counter() - (middle if way == "torch" else started)
        again = archspec.Architecture(loads(laid_out(found.document, found.notes)))
        run = model if way == "torch" else onnx_runner(str(file))
    return program, again, found, seconds, run


def _example(arch: "archspec.Architecture", bound: dict[str, Any]) -> tuple[Any, ...]:
    import torch

    network = arch.expand(bound)
    kinds = {name: torch.float32 if network.below(name) is None else torch.int64 for name in network.inputs}
    return tuple(torch.zeros((2, *x.shape[1:]), dtype=kinds[name]) for name, x in network.inputs.items())


def _differences(
    arch: "archspec.Architecture", again: "archspec.Architecture", bound: dict[str, Any], way: str
) -> "list[str]":
    """In what two networks differ."""
    ours, theirs = arch.count(bound), again.count()
    found = []
    if way == "optimised":
        return [] if ours.macs == theirs.macs else [f"{theirs.macs:,} MACs for {ours.macs:,}"]
    before, after = (Counter(_facts(cost)) for cost in (ours, theirs))
    if missing := before - after:
        found.append(f"{missing.total()} layers are not there, such as {_said(next(iter(missing)))}")
    if more := after - before:
        found.append(f"{more.total()} layers are new, such as {_said(next(iter(more)))}")
    for quantity in ("params", "buffers", "macs", "flops", "activations"):
        one, other = getattr(ours, quantity), getattr(theirs, quantity)
        if one != other:
            found.append(f"{other:,} {quantity} for {one:,}")
    if "side" in again.symbols and "side" in arch.symbols and not found:
        fixed = {key: value for key, value in bound.items() if key != "side"}
        forms = arch.formula("macs", fixed, free=("side",)), again.formula("macs", free=("side",))
        if any(_at(forms[0], side) != _at(forms[1], side) for side in SIDES):
            found.append("another closed form in the side")
    try:
        agrees = bool(again.verify())
    except ArchspecError as error:
        return [*found, f"cannot be verified: {str(error).splitlines()[0]}"]
    return found if agrees else [*found, "verify finds differences"]


def _at(form: Any, side: int) -> Any:
    """The value at a side; None where the network has none."""
    try:
        return form(side=side)
    except ArchspecError:
        return None


def _facts(cost: Any) -> "list[tuple[Any, ...]]":
    """The layers that are not another view of what they take: of views a model may say more or fewer."""
    rows = (row for row in cost.rows if not ops.operator(row.operator).view)
    return [(SAME.get(row.operator, row.operator), tuple(row.output), row.params, row.macs) for row in rows]


def _said(facts: "tuple[Any, ...]") -> str:
    operator, output, params, macs = facts
    return f"{operator} that gives {'×'.join(map(str, output[1:]))} ({params:,} params, {macs:,} MACs)"


def _apart(program: "Program", found: "Imported", run: Any) -> float:
    from archspec.importing.outputs import carried, difference_of

    return difference_of(found, carried(found), program, run)


def written(outcomes: Sequence[Outcome]) -> str:
    """The table of outcomes: a row a network, a column a way; dated, with the versions."""
    import onnx
    import torch

    found = {(each.network, each.way): each for each in outcomes}
    versions = f"torch {torch.__version__.partition('+')[0]}, onnx {onnx.__version__}"
    ways = [way for way in WAYS if any(each.way == way for each in outcomes)]
    lines = [
        "# The law of imports",
        "",
        f"Run on {date.today():%Y-%m-%d} with {versions}, by",
        "`python -m benchmarks.import_law -o docs/results/import-law.md`.",
        "",
        *ABOUT.strip().splitlines(),
        "",
        f"| network | layers | {' | '.join(ways)} |",
        f"|---|--:|{'---|' * len(ways)}",
    ]
    for name in dict.fromkeys(each.network for each in outcomes):
        cells = [_cell(found.get((name, way))) for way in ways]
        layers = max(each.layers for each in outcomes if each.network == name) or "–"
        lines.append(f"| {name} | {layers} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "–"
    reason = outcome.reason.replace("|", "/").replace("~", "")
    return reason[:150] if reason else f"the same ({outcome.apart:.0e})"


def main() -> None:
    """Print a line for each network and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("-o", "--output", help="write the table there")
    asked, outcomes = parser.parse_args(), []
    for name in asked.networks or zoo.names():
        for way in asked.way or (WAYS if name in OPTIMISED else WAYS[:2]):
            try:
                outcome = law(name, way)
            except Exception as error:  # the table says it, and goes on
                outcome = Outcome(name, way, f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " "))
            outcomes.append(outcome)
            said = outcome.reason or "the same"
            print(
                f"{name:26} {way:10} {outcome.layers:5} {outcome.apart:8.1e} {outcome.moved:8.1e} "
                f"{outcome.seconds:6.2f} s  {said}",
                flush=True,
            )
            if asked.output:  # what is done is there if it is interrupted
                Path(asked.output).write_text(written(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
