"""Specifications that show what a module tree must bear."""

import pytest

import archspec

ODD = """
archspec: 1
name: odd_one
symbols:
  c: {default: 4}
input: [3, 9, 9]
blocks:
  unit:
    args: {c: required}
    body:
      - {conv2d: {out_channels: c, kernel_size: 2, padding: same}, as: float}
      - {conv2d: {out_channels: c, kernel_size: 2, padding: same}, as: float_}
      - relu
      - concat:
          one: [relu6]
          two: [{split: {sections: 2, index: 1}}]
          three: [identity]
      - channel_shuffle: {groups: 2}
network:
  - {unit: {c: c}, as: in}
  - body:
      - {batch_norm, as: norm}
      - {conv2d: {out_channels: 5, kernel_size: 3}, as: inner}
    as: part
  - repeat: 2
    as: again
    body: [{conv2d: {out_channels: 6, kernel_size: 1}}, batch_norm, relu]
  - {concat: [[identity], [{from: inner}, sigmoid], [{from: norm}, {max_pool2d: {kernel_size: 3, stride: 1}}]]}
  - add: [[relu], [identity], [dropout]]
  - {binary_conv2d: {out_channels: 5, kernel_size: 2, padding: same}}
  - {global_avg_pool, as: forward}
  - {linear: {out_features: 3}, as: class}
"""


@pytest.fixture(scope="session")
def odd():
    """Names that torch and Python have already, values used far away, padding of one side, several outputs."""
    return archspec.loads(ODD)


@pytest.fixture(autouse=True)
def _seed():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
