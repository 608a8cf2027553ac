"""How long the peak of memory takes: in the given order, in the best order, and over a free side, for the whole zoo.

    python -m benchmarks.memory [RUNS]

The baseline of the ratios is one count of the same network on numbers, timed in the same run.
"""

import sys
from statistics import median

import archspec
from archspec.memory.peak import memory
from benchmarks.counting import timed


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    archspec.load("mobilenet").memory(free="side")  # loads SymPy
    print(f"{'network':26} {'layers':>6} {'count [ms]':>10} {'given':>7} {'best':>7} {'proved':>6} {'over side':>9}")
    for name in archspec.zoo.names():
        network = archspec.load(name).expand()
        count = median(timed(network.count, runs))
        given, best = (
            median(timed(lambda n=network, o=order: memory(n, "liveness", order=o).peak, runs))  # type: ignore[misc]
            for order in ("given", "best")
        )
        proved = memory(network, "liveness", order="best").optimal
        over = ""
        if "side" in network.bindings:
            free = archspec.load(name).expand(free="side")
            over = f"{median(timed(lambda n=free: memory(n, 'liveness').peak, runs)) / count:8.1f}×"  # type: ignore[misc]
        ratios = f"{given / count:6.1f}× {best / count:6.1f}× {'yes' if proved else 'no':>6}"
        print(f"{name:26} {len(network.nodes):6} {count * 1e3:10.2f} {ratios} {over:>9}")


if __name__ == "__main__":
    main()
