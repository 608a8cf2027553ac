"""How quick a compiled model is beside pytorchcv's hand-written one: forward, training step, build.

    python -m benchmarks.compiled [--runs N] [--batch N] [--threads N] [--device cpu|cuda] [--cpu-time]
        [NETWORK…]

Both run in the same process on the same batch, one after the other in turn, so that what else the machine does meets
both alike; a ratio below 1 says that ours is quicker. The build is from the YAML text to the module, against calling
the hand-written constructor.
"""

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from statistics import median
from typing import Any

import torch
from torch import nn

import archspec
from archspec.language import zoo

PEERS = {
    # spec: pytorchcv's file and constructor
    "mobilenet": ("mobilenet", "mobilenet_w1"),
    "mobilenet_v2": ("mobilenetv2", "mobilenetv2_w1"),
    "squeezenet": ("squeezenet", "squeezenet_v1_0"),
    "resnet18": ("resnet", "resnet18"),
    "resnet50": ("resnet", "resnet50"),
}

SIDE = 224  # the peers pool over 7×7


def peer(spec: str) -> nn.Module:
    """The hand-written module."""
    file, constructor = PEERS[spec]
    module: nn.Module = getattr(import_module(f"pytorchcv.models.{file}"), constructor)()
    return module


def ours(spec: str) -> nn.Module:
    """The compiled module, from the specification's text, without the softmax, which the peers leave to the loss."""
    model = archspec.loads(zoo.path(spec).read_text()).to_torch(side=SIDE)
    if isinstance(getattr(model, "softmax", None), nn.Softmax):
        model.softmax = nn.Identity()
    return model


def seconds(work: Callable[[], object], options: argparse.Namespace) -> float:
    """How long a piece of work takes: on the wall, or of the processors' time."""
    clock = time.process_time if options.cpu_time else time.perf_counter
    begin = clock()
    work()
    if options.device == "cuda":
        torch.cuda.synchronize()
    return clock() - begin


def in_turn(works: tuple[Callable[[], object], ...], runs: int, options: argparse.Namespace) -> list[list[float]]:
    """The seconds of each, run in turn, the order changing from round to round, after two rounds that are dropped."""
    taken: list[list[float]] = [[] for _ in works]
    for number in range(runs + 2):
        order = range(len(works)) if number % 2 else reversed(range(len(works)))
        for index in order:
            spent = seconds(works[index], options)
            if number >= 2:
                taken[index].append(spent)
    return taken


def forward(model: nn.Module, x: torch.Tensor) -> Callable[[], object]:
    """An evaluation of one batch."""
    model.eval()

    def run() -> object:
        with torch.no_grad():
            return model(x)

    return run


def step(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    """One step of training: forward, loss, backward, update."""
    model.train()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    loss = nn.CrossEntropyLoss()

    def run() -> object:
        optimiser.zero_grad()
        value = loss(model(x), labels)
        value.backward()
        return optimiser.step()

    return run


def measured(spec: str, options: argparse.Namespace) -> list[tuple[str, list[float], list[float]]]:
    """Forward, step and build of one network: ours and the peer's seconds."""
    device = options.device
    mine, theirs = ours(spec).to(device), peer(spec).to(device)
    x = torch.randn(options.batch, 3, SIDE, SIDE, device=device)
    labels = torch.randint(0, 1000, (options.batch,), device=device)
    rows: list[tuple[str, Any]] = [
        ("forward", in_turn((forward(mine, x), forward(theirs, x)), options.runs, options)),
        ("step", in_turn((step(mine, x, labels), step(theirs, x, labels)), options.runs, options)),
        ("build", in_turn((lambda: ours(spec), lambda: peer(spec)), max(5, options.runs // 3), options)),
    ]
    return [(what, *taken) for what, taken in rows]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(PEERS)}; all unless some are named"
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cpu-time", action="store_true", help="measure the processors' time: where others work too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.device}, {options.threads} threads, batch {options.batch}\n")
    print(f"{'network':14} {'':8} {'ours [ms]':>17} {'min':>9} {'peer [ms]':>17} {'min':>9} {'ratio':>7} {'of min':>7}")
    for spec in options.networks or PEERS:
        for what, mine, theirs in measured(spec, options):
            ours_ms, peers_ms = (f"{median(t) * 1e3:17.2f} {min(t) * 1e3:9.2f}" for t in (mine, theirs))
            ratios = f"{median(mine) / median(theirs):7.3f} {min(mine) / min(theirs):7.3f}"
            print(f"{spec:14} {what:8} {ours_ms} {peers_ms} {ratios}")


if __name__ == "__main__":
    main()
