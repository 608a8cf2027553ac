"""What counters cost on MobileNetV2, from a cold process to the printed answer: seconds of the processor, and memory.

`python -m benchmarks.side_by_side` prints a line a tool; one that is not installed is left out. `docs/side-by-side.md`
holds what was measured. Seconds of the processor, not of the clock: whoever else works on the machine does not count.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

HEAD = "import sys, torch; sys.path.insert(0, {folder!r}); from model import MobileNetV2; net = MobileNetV2().eval()\n"
TOOLS: Mapping[str, str] = {
    "torch": HEAD,
    "torchinfo": HEAD + "import torchinfo; print(torchinfo.summary(net, (1, 3, 224, 224), depth=9))",
    "fvcore": HEAD
    + "import fvcore.nn as f; x = f.FlopCountAnalysis(net, torch.zeros(1, 3, 224, 224)); print(f.flop_count_table(x))",
    "thop": HEAD + "import thop; print(thop.profile(net, (torch.zeros(1, 3, 224, 224),), verbose=False))",
    "torchlens": HEAD + "import torchlens as tl; print(tl.trace(net, torch.zeros(1, 3, 224, 224)).summary())",
}
"""What each tool is asked: its own table of the network."""


def main() -> None:
    """Measure every tool that is there, and ourselves."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.py"
        _run([sys.executable, "-m", "archspec", "compile", "mobilenet_v2", "-o", str(model)])
        print(f"{'tool':12}{'seconds':>9}{'MB':>7}")
        _print("archspec", [sys.executable, "-m", "archspec", "count", "mobilenet_v2", "--by", "layer"])
        for name, code in TOOLS.items():
            if find_spec(name) is not None:
                _print(name, [sys.executable, "-W", "ignore", "-c", code.format(folder=folder)])


def _print(name: str, command: list[str]) -> None:
    found = [_run(command) for _ in range(3)]
    seconds, size = min(each[0] for each in found), max(each[1] for each in found)
    print(f"{name:12}{seconds:9.2f}{size / 1e3:7.0f}", flush=True)


def _run(command: list[str]) -> tuple[float, int]:
    """The seconds of the processor that a command takes, and its memory in kB."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)[:200]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    main()
