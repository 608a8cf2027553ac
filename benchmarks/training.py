"""What the training loop costs: its images a second against a bare loop of torch, in the same run.

    python -m benchmarks.training [EPOCHS]

Both learn scikit-learn's digits, fitted to 28 × 28, with the same model, optimiser, batches in memory and thread count;
the bare loop does what the simplest script does and nothing else: no log, no augmentation, no checkpoints. The loops
take turns, an epoch each, and the ratio is of the medians.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import torch
from torch.nn import functional

import archspec
from archspec.train import Epoch, Recipe, Watcher, fit
from archspec.train.data import Data, load

BATCH = 64
RATE = 0.01


class Turns(Watcher):
    """Lets the bare loop run an epoch after each epoch of ours."""

    def __init__(self, other: Iterator[float]) -> None:
        self.other = other
        self.ours: list[float] = []
        self.bare: list[float] = []

    def tested(self, epoch: Epoch) -> None:
        """Note both speeds."""
        self.ours.append(epoch.images_per_second)
        self.bare.append(next(self.other))


def bare(name: str, data: Data) -> Iterator[float]:
    """The images a second of each epoch of the simplest loop."""
    model = archspec.load(name).to_torch(seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, nesterov=True, fused=True)
    (mean,), (deviation,) = data.statistics
    images, labels = data.train.images, data.train.labels
    steps = len(labels) // BATCH
    while True:
        begin = time.perf_counter()
        order = torch.randperm(len(labels))
        for step in range(steps):
            which = order[step * BATCH : (step + 1) * BATCH]
            inputs = (images[which].float() / 255 - mean) / deviation
            loss = functional.cross_entropy(model(inputs), labels[which])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        yield steps * BATCH / (time.perf_counter() - begin)


def main() -> None:
    """Print the table."""
    epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    data = load("digits", (1, 28, 28), 10)
    recipe = Recipe(epochs=epochs, batch=BATCH, lr=RATE, nesterov=True, warmup=1)
    print(f"threads {torch.get_num_threads()}, batch {BATCH}, {epochs} epochs of {len(data.train)} images")
    print(f"{'network':16} {'ours [images/s]':>16} {'bare [images/s]':>16} {'ratio of time':>14}")
    for name in ("lenet_300_100", "lenet_5"):
        turns = Turns(bare(name, data))
        with tempfile.TemporaryDirectory() as folder:
            fit(archspec.load(name), data, recipe, out=Path(folder) / "run", watcher=turns)
        ours, other = median(turns.ours[1:]), median(turns.bare[1:])
        print(f"{name:16} {ours:16,.0f} {other:16,.0f} {other / ours:14.3f}")


if __name__ == "__main__":
    main()
