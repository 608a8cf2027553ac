"""scikit-learn's handwritten digits: 1,797 images of 8 × 8 in 17 shades, part of that package, no download."""

import torch

from archspec.extras import need
from archspec.train.data.split import Data, DataSplit

TEST_SHARE = 5
"""One image in this many is tested on."""


def read(_: str = "") -> Data:
    """The digits, split once and for all: of a permutation with seed 0, every fifth is tested on.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    need("train", "sklearn")
    from sklearn.datasets import load_digits

    found = load_digits()
    images = torch.from_numpy((found.images * 255 / 16).round().astype("uint8"))[:, None]
    labels = torch.from_numpy(found.target.astype("int64"))
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    tested = torch.arange(len(order)) % TEST_SHARE == 0
    train, test = (DataSplit(images[part], labels[part]) for part in (order[~tested], order[tested]))
    return Data("digits", train, test, 10)
