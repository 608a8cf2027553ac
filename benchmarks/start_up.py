"""What the command takes from a cold process, beside `python -c "import torch"` in the same run.

    python -m benchmarks.start_up [RUNS]

It is processor time, of the process and of the system for it, which others on the machine disturb less than the clock.
Processes run in turn, so that a machine whose speed drifts does so for all; the ratio is that of neighbours, at its
median. Bytecode is compiled by the first run, which is dropped.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
COMMANDS = {
    "import torch": ("-c", "import torch"),
    "python -c pass": ("-c", "pass"),
    "import pydantic, click, ruamel.yaml": ("-c", "import click, ruamel.yaml; from pydantic import BaseModel"),
    "archspec --help": ("-m", "archspec", "--help"),
    "archspec count specs/mobilenet.yaml": ("-m", "archspec", "count", "specs/mobilenet.yaml"),
}
BASELINE = "import torch"


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs + 1):
        for name, arguments in COMMANDS.items():
            before = _spent()
            subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, check=True)
            seconds[name].append(_spent() - before)
    print(f"{'command':38} {'median [ms]':>11} {'min':>6} {'of ' + BASELINE:>15}")
    for name, times in seconds.items():
        ratio = median(time / whole for time, whole in zip(times[1:], seconds[BASELINE][1:], strict=True))
        print(f"{name:38} {median(times[1:]) * 1e3:11.0f} {min(times[1:]) * 1e3:6.0f} {ratio:15.3f}")


def _spent() -> float:
    """The processor time of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
