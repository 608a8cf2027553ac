"""How long a question takes that is answered by counting every network along a symbol.

    python -m benchmarks.solving [RUNS]

The baseline of each ratio is one count of the same specification in the same run: how many counts the answer to the
question is worth, beside how many networks it has looked at.
"""

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import archspec
from archspec.architecture import Architecture

QUESTIONS: tuple[tuple[str, str, Callable[[Architecture], Any]], ...] = (
    ("mobilenet", "alpha, macs ≤ 300M", lambda arch: arch.solve("alpha", {"macs": "<=300M"})),
    (
        "mobilenet",
        "alpha, macs ≤ 300M, params ≤ 2M",
        lambda arch: arch.solve("alpha", {"macs": "<=300M", "params": "<=2M"}),
    ),
    ("mobilenet_v2", "alpha, macs ≤ 300M", lambda arch: arch.solve("alpha", {"macs": "<=300M"})),
    ("mobilenet_v2", "alpha, memory ≤ 8MB", lambda arch: arch.solve("alpha", {"memory": "<=8MB"})),
    ("mobilenet_v2", "side, macs ≤ 300M", lambda arch: arch.solve("side", {"macs": "<=300M"})),
    ("mobilenet_v2", "alpha and side, macs ≤ 300M", lambda arch: arch.solve(("alpha", "side"), {"macs": "<=300M"})),
    ("squeezenet_meta", "SR, weights ≤ 4MB", lambda arch: arch.solve("SR", {"weight_bytes": "<=4MB"})),
    ("shufflenet", "g, macs ≤ 140M", lambda arch: arch.solve("g", {"macs": "<=140M"})),
    ("mobilenet", "sensitivity of macs", lambda arch: arch.sensitivity("macs")),
    ("alexnet", "crossover along side", lambda arch: arch.crossover("side")),
    ("mobilenet", "explain a layer", lambda arch: arch.explain("separable2/pointwise/conv2d")),
)


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """The seconds of each run, after one that is dropped."""
    seconds = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{'network':16} {'question':34} {'median [s]':>10} {'min':>7} {'in counts':>10}")
    for name, question, ask in QUESTIONS:
        arch = archspec.load(name)
        once = median(timed(arch.count, 4 * runs))
        seconds = timed(lambda ask=ask, arch=arch: ask(arch), runs)  # type: ignore[misc]
        middle = median(seconds)
        print(f"{name:16} {question:34} {middle:10.3f} {min(seconds):7.3f} {middle / once:10.1f}")


if __name__ == "__main__":
    main()
