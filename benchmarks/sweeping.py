"""How many points a second a sweep looks at, beside what else one could write.

    python -m benchmarks.sweeping [POINTS]

The network is MobileNetV2. One by one: a count of each point; a function that SymPy's lambdify makes of our own closed
form, on arrays of float64, which is exact up to 2⁵³ alone and knows nothing of the points at which the form does not
hold; torchinfo, which builds the model and runs it. The last column is how many points the first sweep looks at in the
time of one of these.
"""

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import numpy as np
import sympy

import archspec

OF = ("macs", "params", "memory_liveness")
FRONT = "min:macs,min:memory_liveness,max:params"


def rate(work: Callable[[], int]) -> tuple[float, int]:
    """The seconds of the processor that some points take, and how many they are: others' work does not count."""
    begin = time.process_time()
    points = work()
    return time.process_time() - begin, points


def grid(points: int) -> dict[str, Any]:
    """Multipliers × sides × classes, so many together as near as that goes; up to 1000 × 100 × 1000."""
    classes = min(max(points // 100_000, 10), 1000)
    alphas = [Fraction(n, 1000) for n in range(100, 100 + min(max(points // (100 * classes), 1), 1000))]
    return {"alpha": alphas, "side": "32..329:3", "classes": f"1..{classes}"}


def swept(values: dict[str, Any], **asked: Any) -> int:
    """A sweep in this process alone."""
    return archspec.sweep("mobilenet_v2", values, OF, engine="local=1", **asked).points


def looped() -> int:
    """A count of each of some points."""
    arch, points = archspec.load("mobilenet_v2"), 0
    for alpha in range(4, 8):
        for side in (96, 160, 224):
            table = arch.count(alpha=Fraction(alpha, 8), side=side)
            assert all(table.figure(name) for name in OF)
            points += 1
    return points


def lambdified() -> Callable[[], int]:
    """MACs and parameters by lambdify over sides and classes: no module of arrays has the rounding of the widths."""
    arch = archspec.load("mobilenet_v2")
    forms = [arch.formula(name, free=["side", "classes"], alpha="3/4") for name in ("macs", "params")]
    ceiling = {"ceil_div": lambda a, b: np.ceil(a / b), "CeilDiv": lambda a, b: np.ceil(a / b)}
    symbols = forms[0].symbols
    functions = [sympy.lambdify(symbols, form.exact, modules=[ceiling, "numpy"]) for form in forms]

    def evaluated() -> int:
        side, classes = np.meshgrid(np.arange(32.0, 330, 3), np.arange(1.0, 10_001), indexing="ij")
        found = [function(side, classes) for function in functions]
        assert found[0].shape == side.shape
        return int(side.size)

    return evaluated


def informed() -> int:
    """What torchinfo says of one network."""
    import torchinfo

    model = archspec.load("mobilenet_v2").to_torch(alpha="3/4")
    assert torchinfo.summary(model, (1, 3, 224, 224), verbose=0).total_mult_adds
    return 1


def main() -> None:
    """Print the table."""
    points = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**7
    values = grid(points)
    rows: list[tuple[str, Callable[[], int]]] = [
        ("sweep, front of three within macs ≤ 300M", lambda: swept(values, where="macs<=300M", front=FRONT)),
        (
            "sweep, the ten largest within macs ≤ 300M",
            lambda: swept(values, where="macs<=300M", sort="max:macs", top=10),
        ),
        ("sweep, every point kept", lambda: swept({**values, "classes": [10, 1000]})),
        ("lambdify, side and classes alone, macs and params", lambdified()),
        ("a loop over count", looped),
    ]
    if find_spec("torchinfo") and find_spec("torch"):
        rows.append(("torchinfo", informed))
    first: float | None = None
    print(f"{'who':50} {'points':>12} {'seconds':>8} {'points/s':>12} {'times':>9}")
    for name, work in rows:
        seconds, count = rate(work)
        first = first or count / seconds
        print(
            f"{name:50} {count:12,} {seconds:8.2f} {count / seconds:12,.0f} {first * seconds / count:9,.1f}", flush=True
        )


if __name__ == "__main__":
    main()
