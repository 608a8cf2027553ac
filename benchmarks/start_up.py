"""How long the command takes from a cold process, beside `python -c "import torch"` in the same run.

    python -m benchmarks.start_up [RUNS]

Processes run in turn, so that a machine whose speed drifts does so for all; the ratio is that of the medians.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "import torch": ("-c", "import torch"),
    "archspec --help": ("-m", "archspec", "--help"),
    "archspec count specs/mobilenet.yaml": ("-m", "archspec", "count", "specs/mobilenet.yaml"),
}
BASELINE = "import torch"


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):  # the first fills the caches, and is dropped
        for name, arguments in COMMANDS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, check=True)
            seconds[name].append(time.perf_counter() - begin)
    whole = median(seconds[BASELINE][1:])
    print(f"{'command':38} {'median [ms]':>11} {'min':>6} {'of ' + BASELINE:>15}")
    for name, times in seconds.items():
        middle = median(times[1:])
        print(f"{name:38} {middle * 1e3:11.0f} {min(times[1:]) * 1e3:6.0f} {middle / whole:15.3f}")


if __name__ == "__main__":
    main()
