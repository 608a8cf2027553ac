"""The layout of Deep Compression's authors: 675,763 bytes term by term, and files that this test writes."""

from random import Random

import numpy as np
import pytest

import archspec
from archspec.compress import authors
from archspec.compress.codecs.base import DamagedError
from archspec.errors import ArchspecError

SQUEEZENET = archspec.load("squeezenet").expand()


def published_counts():
    """As many stored weights as the published file has, 422,083, of which 13 layers have an odd number.

    The published counts of single layers are not needed: an odd one wastes half a byte of gaps.
    """
    layers = authors.layers(SQUEEZENET)
    counts = [int(np.prod(layer.shape)) // 3 & ~1 for layer in layers]
    for at in range(13):
        counts[at] += 1
    counts[-1] += 422_083 - sum(counts)
    assert (counts[-1] % 2, sum(count % 2 for count in counts)) == (0, 13)
    return layers, counts


def test_the_published_file_has_its_bytes_term_by_term():
    size = authors.size(*published_counts())
    assert size == {
        "counts": 26 * 4,
        "codebooks": 26 * 256 * 4,
        "biases": 3_976 * 4,
        "codes": 422_083,
        "gaps": (422_083 + 13) // 2,
    }
    assert sum(size.values()) == 104 + 26_624 + 15_904 + 422_083 + 211_048 == 675_763


def test_the_plan_predicts_the_published_file_within_a_share_of_a_percent():
    """From the printed densities alone: a codebook a layer, codes of 8 bits and gaps of 4, and fillers as expected."""
    found = archspec.load("squeezenet").predict("squeezenet_8bit")
    assert float(found.bits / 8 + 104) == pytest.approx(673_411, abs=1)
    assert float(found.bits / 8 + 104) == pytest.approx(675_763, rel=0.004)


def halves(values):
    """Numbers of 4 bits, the lower half of a byte first; an odd last one with 0."""
    values = [*values, 0] if len(values) % 2 else list(values)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def write(path, layers, weights, biases, codebooks):
    """A file as the authors write it: gaps above 15 are filled by code 0."""
    streams, counts = [], []
    for layer in layers:
        codes, gaps, before = [], [], -1
        flat = weights[layer.weight].ravel()
        for position in np.flatnonzero(flat):
            while position - before > 16:
                codes.append(0)
                gaps.append(15)
                before += 16
            codes.append(int(flat[position]))
            gaps.append(int(position - before - 1))
            before = position
        counts.append(len(codes))
        streams += [codebooks[layer.weight].astype("<f4").tobytes(), biases[layer.weight].astype("<f4").tobytes()]
        streams += [halves(codes) if layer.bits == 4 else bytes(codes), halves(gaps)]
    data = np.array(counts, "<u4").tobytes() + b"".join(streams)
    path.write_bytes(data)
    return data, counts


@pytest.fixture
def small():
    text = """
archspec: 1
name: small
input: [3, 6, 6]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3}, as: conv}
  - flatten
  - {linear: {out_features: 5, bias: false}, as: fc}
"""
    return archspec.loads(text).expand()


@pytest.mark.parametrize("linear_bits", [8, 4])
@pytest.mark.parametrize("density", [0, 0.02, 0.3, 1])
def test_a_file_in_their_layout_is_read(small, tmp_path, linear_bits, density):
    layers = authors.layers(small, linear_bits=linear_bits)
    drawn = np.random.RandomState(0)
    codes = {
        layer.weight: drawn.randint(1, 2**layer.bits, layer.shape) * (drawn.random_sample(layer.shape) < density)
        for layer in layers
    }
    codebooks = {layer.weight: np.append(0, drawn.standard_normal(2**layer.bits - 1)) for layer in layers}
    biases = {layer.weight: drawn.standard_normal(layer.biases) for layer in layers}
    data, counts = write(tmp_path / "file.net", layers, codes, biases, codebooks)
    assert len(data) == sum(authors.size(layers, counts).values())
    found = authors.read(tmp_path / "file.net", small, linear_bits=linear_bits)
    assert list(found) == ["conv.weight", "conv.bias", "fc.weight"]
    for layer in layers:
        assert np.array_equal(found[layer.weight], codebooks[layer.weight].astype(np.float32)[codes[layer.weight]])
    assert np.array_equal(found["conv.bias"], biases["conv.weight"].astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "needs 1 bytes|needs [0-9]+ bytes"),
        (lambda data: data + b"\x00", "bytes or more are left over"),
        (lambda data: (2**32 - 1).to_bytes(4, "little") + data[4:], "4294967295 weights are stored of 108"),
        (lambda data: data[:8] + np.array([np.nan], "<f4").tobytes() + data[12:], "a number is not finite"),
        (lambda data: data[:-10] + b"\xff" * 10, "a weight at [0-9]+ of 320"),
        (lambda data: data[:3], "how many weights each layer stores needs 8 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused(small, tmp_path, change, message):
    layers = authors.layers(small)
    codes = {layer.weight: np.zeros(layer.shape, int) for layer in layers}
    codes["fc.weight"].flat[::40] = 1
    data, _ = write(
        tmp_path / "file.net",
        layers,
        codes,
        {layer.weight: np.zeros(layer.biases) for layer in layers},
        {layer.weight: np.arange(256) for layer in layers},
    )
    (tmp_path / "bad.net").write_bytes(change(data))
    with pytest.raises(DamagedError, match=message):
        authors.read(tmp_path / "bad.net", small)


def test_mutants_are_refused_or_read_in_their_shapes(small, tmp_path):
    layers, random = authors.layers(small), Random(1)  # noqa: S311  # the same every time
    codes = {layer.weight: np.ones(layer.shape, int) for layer in layers}
    zeros = {layer.weight: np.zeros(max(256, layer.biases)) for layer in layers}
    data, _ = write(
        tmp_path / "file.net",
        layers,
        codes,
        {layer.weight: np.zeros(layer.biases) for layer in layers},
        zeros,
    )
    for _ in range(300):
        mutant = bytearray(data)
        mutant[random.randrange(len(mutant))] ^= 1 << random.randrange(8)
        (tmp_path / "bad.net").write_bytes(mutant[: random.choice([len(mutant), random.randrange(len(mutant))])])
        try:
            found = authors.read(tmp_path / "bad.net", small)
        except ArchspecError:
            continue
        assert {key: array.shape for key, array in found.items()} == {
            "conv.weight": (4, 3, 3, 3),
            "conv.bias": (4,),
            "fc.weight": (5, 64),
        }


def test_a_file_that_is_not_there_is_refused(small, tmp_path):
    with pytest.raises(ArchspecError, match="No such file"):
        authors.read(tmp_path / "nobody.net", small)
