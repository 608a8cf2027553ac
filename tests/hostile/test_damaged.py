"""Archives, images and headers damaged at random are read, or refused by an error of ours.

CI tries 300 of each kind; `pytest tests/hostile --long` 5,000. A case is known by its kind and its number.
"""

import io
import random
import zipfile

import numpy as np
import pytest
from PIL import Image

from archspec.errors import ArchspecError
from archspec.train.data import load
from archspec.weights.file import WeightFile

pytestmark = [
    pytest.mark.no_cover,  # other tests cover what these laws run; tracing doubles their time
    pytest.mark.filterwarnings("ignore::UserWarning"),  # of NumPy, about headers of Python 2
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),  # we refuse at fewer pixels
]

Rng = random.Random
SHORT, LONG = 300, 5_000
WORDS = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x63\0\0\0",
    b"\x0e\0\x0c\0",
    b"PK\1\2",
    b"((((",
    b"'\\x",
    b"{{{{",
    b"\r\r",
)
PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)


def damaged(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) or 1)
        end = at + rng.choice((0, 1, 4, 20))
        data[at:end] = rng.choice((b"", bytes([rng.randrange(256)]), rng.randbytes(end - at), rng.choice(WORDS)))
    return bytes(data)


def packed(members, rng, inside):
    """A zip file; damaged members have right checksums, so that their readers see the damage."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice(PACKING)) as archive:
        for name, data in members.items():
            archive.writestr(name, damaged(data[:200], rng) + data[200:] if inside else data)
    return stream.getvalue() if inside else damaged(stream.getvalue(), rng)


def picture(rng):
    stream = io.BytesIO()
    Image.effect_noise((4, 4), 50).save(stream, rng.choice(("PNG", "JPEG", "BMP", "WEBP", "PPM")))
    return stream.getvalue()


def array(values, rng):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, version=rng.choice(((1, 0), (2, 0), (3, 0))))
    return stream.getvalue()


def pictures(path, rng):
    members = {f"{part}/{label}/0.png": picture(rng) for part in ("train", "test") for label in "ab"}
    path.write_bytes(packed(members, rng, rng.random() < 0.5))
    load(f"image-folder:{path}", (rng.choice((1, 3)), 4, 4), 2, resize=rng.random() < 0.5)


def arrays(path, rng):
    members = {"w.npy": array(np.ones((3, 2), "float32"), rng), "b.npy": array(np.zeros(3, ">f8"), rng)}
    path.write_bytes(packed(members, rng, rng.random() < 0.7))
    file = WeightFile(path)
    for key in file:
        file[key]


@pytest.mark.parametrize(("kind", "name"), [(pictures, "x.zip"), (arrays, "x.npz")])
def test_what_is_damaged_is_read_or_refused(kind, name, tmp_path, request):
    refused = 0
    for number in range(LONG if request.config.option.long else SHORT):
        try:
            kind(tmp_path / name, Rng(f"{name}:{number}"))
        except ArchspecError as error:
            assert str(error).strip()  # noqa: PT017  # either answer will do
            refused += 1
        except BaseException as error:
            error.add_note(f"case {number} of {name}")
            raise
    assert refused > SHORT // 2
