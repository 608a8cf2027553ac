"""scikit-learn's handwritten digits: 1,797 images of 8 × 8 in 17 shades, part of that package, no download."""

import torch

from archspec.extras import need
from archspec.train.data.split import Data, DataSplit, parted


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
    return Data("digits", *parted(DataSplit(images, labels)), 10)
