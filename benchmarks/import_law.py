"""The law of imports over the zoo: a network → module → import gives the same network, and so does the way over ONNX.

    python -m benchmarks.import_law [--way torch|kept|optimised]… [-o FILE] [--record FILE] [NETWORK…]

For each network and way: the same operators with the same outputs, parameters and multiply-accumulates, the same
totals, the same closed form in the side, agreement with torch (`verify`), and the same outputs on random inputs with
the weights carried over. Without networks it runs all of the zoo, without a way all three.
"""

import argparse
import gc
import hashlib
import json
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import archspec
from archspec import ops
from archspec.errors import ArchspecError
from archspec.language import loads, zoo

if TYPE_CHECKING:
    from archspec.importing import Imported, Program
    from archspec.importing.flat import FlatGraph

WAYS = ("torch", "kept", "optimised")
"""Over `torch.export`; over ONNX with all names and values kept; over ONNX as torch's exporter optimises it."""

SMALL: dict[str, dict[str, Any]] = {
    "acoustic_model": {"hidden": 64, "states": 100, "layers": 3},
    "bert": {"layers": 2, "width": 48, "heads": 4, "tokens": 16, "vocabulary": 50},
    "fpn_resnet50": {"side": 128},
    "gpt2": {"layers": 2, "width": 48, "heads": 4, "tokens": 12, "vocabulary": 50},
    "lraspp_mobilenet_v3": {"side": 65},  # where no new size is a whole factor of the old one
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

SECOND = {"mobilenet_wake_words": 97, "resnet8": 33}
"""Networks that are imported from two sides, as `--vary side=32,33` does, and the second.

At one side TensorFlow's padding is a padding like any other, in a program and in a file.
"""

ABOUT = """
Each network of the zoo is made with random weights, biases, scales and shifts, and with the statistics of a batch of
random inputs; it goes the way, and is imported. `torch` is over `torch.export`, `kept` over ONNX as `archspec compile
--keep` writes it, `optimised` over ONNX as `compile` does. *The same* is: the same operators with the same outputs,
parameters and multiply-accumulates (views left out), the same parameters, buffers, MACs, FLOPs and activations in all,
the same closed form in the side where that is still free, `verify` true, and with the weights carried the same outputs
on random inputs; beside it by which share of the largest number these differ: by at most 1e-4. Where rounding of 32
bits makes more of it, which grows from layer to layer, file and model are computed in 64 bits, by ONNX's own reference
and by torch: there they differ by at most 1e-9. That the outputs depend on the input (by more than 0.1 %) is seen to,
too. Of `optimised` MACs and outputs are compared: it has folded normalisations, and no biases that were zero. Networks
are bound to small sides and widths, as `SMALL` of the benchmark says.

MobileNet and ResNet-8 of MLPerf Tiny are padded as TensorFlow does, by as much as the side asks for; at one side that
is a padding like any other. `torch` and `kept` import them from two sides, as `--vary side=32,33` does. A new size that
is a whole factor of the old one is read as the factor: LR-ASPP, whose sizes are the image's, has a side with none.
"""

SIDES = (224, 231, 320)
TOLERANCE = 1e-4
EXACT = 1e-9
"""By what share of the largest number outputs may differ where both are computed in 64 bits."""

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
        exact: By what share they differ in 64 bits; less than nothing, where 32 were enough.
        moved: By what share of it the model's outputs differ between inputs; where it is nothing, `apart` says nothing.
        seconds: How long the import took, without the export.
    """

    network: str
    way: str
    reason: str
    layers: int = 0
    apart: float = 0.0
    exact: float = -1.0
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
    from archspec.importing.outputs import carried, difference_of

    arch, bound, model = _prepared(name)
    with tempfile.TemporaryDirectory() as folder:
        try:
            one = _imported(arch, bound, model, way, Path(folder))
        except ArchspecError as error:
            return Outcome(name, way, _short(str(error)))
        reason = "; ".join(_differences(arch, one.again, bound, way))
        apart, moved = difference_of(one.found, carried(one.found), one.program, one.run), _moved(arch, bound, model)
        exact = -1.0 if apart <= TOLERANCE or one.file is None else _exactly_apart(one)
    if not (apart <= TOLERANCE or 0 <= exact <= EXACT):
        reason = "; ".join(filter(None, [reason, f"outputs differ by {apart:.1e}, in 64 bits by {exact:.1e}"]))
    if not moved > 10 * TOLERANCE:
        reason = "; ".join(filter(None, [reason, f"outputs differ only by {moved:.1e} between inputs"]))
    return Outcome(name, way, reason, len(one.found.names) - 1, apart, exact, moved, one.seconds)


@lru_cache(maxsize=1)
def _prepared(name: str) -> "tuple[archspec.Architecture, dict[str, Any], Any]":
    """A network, what it is bound to, and its calibrated model."""
    arch = archspec.load(name)
    bound = bindings(arch)
    return arch, bound, calibrated(arch.to_torch(bound, seed=0, inplace=False), arch.expand(bound, batch=CALIBRATION))


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
        usual = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # an average of all batches seen: of this one
        model.eval()
        for norm in norms:
            norm.train()
        model(*_random(network))
        for norm, momentum in zip(norms, usual, strict=True):
            norm.momentum = momentum
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


def _moved(arch: "archspec.Architecture", bound: dict[str, Any], model: Any) -> float:
    """By what share of the largest number a model's outputs differ between two inputs; the least of its outputs."""
    import torch

    with torch.no_grad():
        found = model(*_random(arch.expand(bound, batch=2)))
    outputs = found if isinstance(found, (tuple, list)) else [found]
    return min(float((each[0] - each[1]).abs().max() / each.abs().max()) for each in outputs)


@dataclass(frozen=True, slots=True)
class Way:
    """A network that went a way.

    Attributes:
        program: What it was written as.
        found: What was read.
        again: The network of that.
        run: What computes the program.
        file: The file, if there is one.
        seconds: How long the import took.
    """

    program: "Program"
    found: "Imported"
    again: archspec.Architecture
    run: Any
    file: Path | None
    seconds: float


def _imported(arch: "archspec.Architecture", bound: dict[str, Any], model: Any, way: str, folder: Path) -> Way:
    from archspec.importing.document import imported
    from archspec.importing.instances import of_instances
    from archspec.importing.layout import laid_out
    from archspec.importing.outputs import onnx_runner
    from archspec.importing.reading import read, refuse_foreign

    programs: list[Program] = []
    seconds = 0.0

    def graph_at(values: "Mapping[str, Any]") -> "FlatGraph":
        nonlocal seconds
        at = model if not programs else _at_another_side(arch, {**bound, **values}, model)
        program, started = _program(arch, {**bound, **values}, at, way, folder / f"net{len(programs)}.onnx")
        programs.append(program)
        graph = read(program)
        refuse_foreign(graph)
        seconds += time.perf_counter() - started
        return graph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if arch.name in SECOND and way != "optimised":
            sides = (bound.get("side", arch.symbols["side"].default), SECOND[arch.name])
            found = of_instances({"side": sides}, graph_at)
        else:
            graph, started = graph_at({}), time.perf_counter()
            found = imported(graph)
            seconds += time.perf_counter() - started
        again = archspec.Architecture(loads(laid_out(found.document, found.notes)))
    file = folder / "net0.onnx" if way != "torch" else None
    return Way(programs[0], found, again, onnx_runner(str(file)) if file else model, file, seconds)


def _program(
    arch: "archspec.Architecture", bound: dict[str, Any], model: Any, way: str, file: Path
) -> "tuple[Program, float]":
    """The program, and when what is the import's began: reading a file is, and torch's export is not."""
    from archspec.importing.exported import exported
    from archspec.importing.onnx_file import read_onnx

    if way == "torch":
        return exported(model, _example(arch, bound), arch.name), time.perf_counter()
    weights = {key: value.detach() for key, value in model.state_dict().items()}
    arch.write(file, bound, weights=weights, keep=way == "kept")
    started = time.perf_counter()
    return read_onnx(file), started


def _at_another_side(arch: "archspec.Architecture", bound: dict[str, Any], model: Any) -> Any:
    """The network of other bindings with a model's weights."""
    other = arch.to_torch(bound, seed=0, inplace=False)
    other.load_state_dict(model.state_dict())
    return other.eval()


def _exactly_apart(one: Way) -> float:
    """By what share of the largest number outputs of a file and of what was read differ, both computed in 64 bits.

    The file is run by ONNX's own reference. It has the small number under a normalisation's root in 32 bits, of which
    the specification has the decimal; here the model has what the file has.
    """
    import numpy as np
    import torch

    from archspec.importing.outputs import apart, carried, random_inputs, rebuilt

    ours = rebuilt(one.found, carried(one.found)).double()
    for module in ours.modules():
        if "eps" in vars(module):
            vars(module)["eps"] = float(np.float32(vars(module)["eps"]))
    given = [each.double() if each.dtype == torch.float32 else each for each in random_inputs(one.found, one.program)]
    with torch.no_grad():
        return apart(ours(*given), _in_64_bits(str(one.file), [each.numpy() for each in given]))


def _in_64_bits(file: str, given: "Sequence[Any]") -> list[Any]:
    """What an ONNX file gives with all its decimals, and what it computes, in 64 bits."""
    import numpy as np
    import onnx
    import torch
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(file)
    held = [attribute.t for node in model.graph.node for attribute in node.attribute if attribute.HasField("t")]
    for tensor in [*model.graph.initializer, *held]:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            wide = onnx.numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(onnx.numpy_helper.from_array(wide, tensor.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == onnx.TensorProto.FLOAT:
                attribute.i = onnx.TensorProto.DOUBLE
    names = [value.name for value in model.graph.input]
    found = ReferenceEvaluator(model).run(None, dict(zip(names, given, strict=True)))
    return [torch.from_numpy(np.asarray(each)) for each in found]


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
    exact = f"; {outcome.exact:.0e} in 64 bits" if outcome.exact >= 0 else ""
    return reason[:150] if reason else f"the same ({outcome.apart:.0e}{exact})"


def main() -> None:
    """Print a line for each network and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--way", action="append", choices=WAYS)
    parser.add_argument("-o", "--output", help="write the table there")
    parser.add_argument("--record", help="keep outcomes there, a line each, and go on behind those that it has")
    asked = parser.parse_args()
    record = Path(asked.record) if asked.record else None
    known = {(one.network, one.way): one for one in _recorded(record)}
    outcomes = []
    gc.disable()  # an exporter makes millions of small things, and an eighth of the time goes into looking them through
    for name in asked.networks or zoo.names():
        for way in asked.way or WAYS:
            outcome = known.get((name, way)) or _tried(name, way)
            gc.collect()
            outcomes.append(outcome)
            if record is not None and (name, way) not in known:
                with record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"code": _code(), **asdict(outcome)}) + "\n")
            exact = f"{outcome.exact:8.1e}" if outcome.exact >= 0 else " " * 8
            print(
                f"{name:26} {way:10} {outcome.layers:5} {outcome.apart:8.1e} {exact} {outcome.moved:8.1e} "
                f"{outcome.seconds:6.2f} s  {outcome.reason or 'the same'}",
                flush=True,
            )
            if asked.output:  # what is done is there if it is interrupted
                Path(asked.output).write_text(written(outcomes), encoding="utf-8")


def _tried(name: str, way: str) -> Outcome:
    try:
        return law(name, way)
    except Exception as error:  # the table says it, and goes on
        return Outcome(name, way, f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " "))


@cache
def _code() -> str:
    """What the sources of the package and of this file are, in a few letters: another code is another run."""
    found = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(Path(archspec.__file__).parent.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _recorded(record: Path | None) -> list[Outcome]:
    """What was recorded of the code as it is now."""
    if record is None or not record.exists():
        return []
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return [
        Outcome(**{key: value for key, value in row.items() if key != "code"}) for row in rows if row["code"] == _code()
    ]


if __name__ == "__main__":
    main()
