"""A network that learns the digits in a second, with all that makes resuming hard."""

import pytest

import archspec
from archspec.train import Recipe

TINY = """archspec: 1
name: tiny
symbols: {side: {default: 8}, classes: {default: 10}}
input: [1, side, side]
network:
  - {conv2d: {out_channels: 8, kernel_size: 3}, as: conv}
  - {batch_norm, as: norm}
  - relu
  - max_pool2d: {kernel_size: 2}
  - flatten
  - dropout: {p: 1/4}
  - {linear: {out_features: classes}, as: fc}
"""

PLAIN = """archspec: 1
name: plain
input: [1, 8, 8]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3}, as: conv}
  - relu
  - flatten
  - {linear: {out_features: 10}, as: fc}
"""


@pytest.fixture(autouse=True)
def always_one_thread(one_thread):
    """Every test here trains."""


@pytest.fixture
def tiny():
    return archspec.loads(TINY)


@pytest.fixture
def plain():
    return archspec.loads(PLAIN)


@pytest.fixture
def recipe():
    """Momentum, an average, shifts, clipping, dropout, warm-up: each has something to remember."""
    return Recipe(
        epochs=3, batch=128, lr=0.1, weight_decay=1e-4, decay="matrices", ema=0.9, clip=1.0, crop=1, flip=True,
        translate=0.5, warmup=1, label_smoothing=0.1, nesterov=True, seed=5,
    )  # fmt: skip
