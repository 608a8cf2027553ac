"""How long expanding and counting a loaded specification takes, for every network of the zoo.

    python -m benchmarks.counting [RUNS]

The baseline of the ratio is a fixed piece of pure Python, timed between the others in the same run, so that figures
from machines of different speed can be compared.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import archspec


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """The seconds of each run, after one that is dropped."""
    seconds = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def baseline() -> int:
    """A hundred thousand additions in pure Python."""
    total = 0
    for number in range(100_000):
        total += number
    return total


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    architectures = {name: archspec.load(name) for name in archspec.zoo.names()}
    reference = median(timed(baseline, runs))
    print(f"{'network':26} {'layers':>6} {'median [ms]':>11} {'min':>7} {'of baseline':>12}")
    for name, architecture in architectures.items():
        seconds = timed(architecture.count, runs)
        layers = len(architecture.count().rows)
        middle = median(seconds)
        print(f"{name:26} {layers:6} {middle * 1e3:11.2f} {min(seconds) * 1e3:7.2f} {middle / reference:12.2f}")


if __name__ == "__main__":
    main()
