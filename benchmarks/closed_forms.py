"""How long a closed form takes, from a loaded specification to the collected expression, for every network of the zoo.

    python -m benchmarks.closed_forms [RUNS]

SymPy is imported before, and its caches are emptied before each run. Times are the processor's, of one thread, so that
other work on the machine does not count. The baseline of the ratio is the count of the same
network on numbers, in the same run. The last lines are the targets: MobileNetV2 in alpha and side within 150 ms,
ResNet-152 within 1 s, every network within 2 s.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

from sympy.core.cache import clear_cache

import archspec

TARGETS = {"mobilenet_v2": 0.150, "resnet152": 1.0}


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """The seconds of the processor for each run, SymPy's caches empty, after one that is dropped."""
    seconds = []
    for _ in range(runs + 1):
        clear_cache()
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return seconds[1:]


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    late = []
    print(f"{'network':26} {'symbols':>8} {'terms':>6} {'median [ms]':>12} {'min':>8} {'of count':>9}")
    for name in archspec.zoo.names():
        arch = archspec.load(name)
        free = ("alpha", "side") if name == "mobilenet_v2" else None
        form = arch.formula("macs", free=free)
        seconds = timed(lambda arch=arch, free=free: arch.formula("macs", free=free).exact, runs)  # type: ignore[misc]
        counted = median(timed(lambda arch=arch: arch.count().macs, runs))  # type: ignore[misc]
        middle = median(seconds)
        print(
            f"{name:26} {len(form.symbols):8} {len(form.terms):6} {middle * 1e3:12.1f} {min(seconds) * 1e3:8.1f} "
            f"{middle / counted:9.1f}"
        )
        if min(seconds) > TARGETS.get(name, 2.0):
            late.append(name)
    print(f"within the targets: {'all' if not late else 'not ' + ', '.join(late)}")


if __name__ == "__main__":
    main()
