"""Damaged and hostile files: a clear error, before anything beyond a bound is allocated; never another network."""

import json
import tracemalloc
import zlib
from random import Random

import numpy as np
import plans_at_random
import pytest

import archspec
from archspec.compress import container
from archspec.compress.blobs import header, read_header
from archspec.compress.codecs.base import ByteReader, DamagedError
from archspec.compress.codecs.bitmask import Bitmask
from archspec.compress.codecs.gaps import Gaps
from archspec.compress.codecs.huffman import Huffman
from archspec.compress.codecs.rows import CompressedRows
from archspec.compress.codecs.shared import Codebook
from archspec.compress.codecs.streams import Fixed, Floats
from archspec.compress.coding import Coding
from archspec.compress.plan import LayerPlan, Plan
from archspec.errors import ArchspecError
from archspec.language.origin import Origin

PLAN = Plan(
    name="mixed",
    batch_norm="fold",
    other_bits=8,
    layers=[
        LayerPlan(
            layer="first", density="1/2", weight_bits=4, weight_huffman="coded", index_bits=3, index_huffman="coded"
        ),
        LayerPlan(layer="second", density="1/3", linear_bits=5, index="bitmask", scale_bits=16),
        LayerPlan(layer="third", density="1/3", weight_bits=3, index="rows"),
        LayerPlan(layer="fourth", density="1/9", weight_bits=2, index_bits=2),
    ],
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("damaged") / "whole.safetensors"
    network = plans_at_random.SMALL.expand()
    archspec.compress.pack(plans_at_random.SMALL, plans_at_random.weights(network, 0), PLAN, path)
    return path


def decoded(path):
    """All arrays of a file, or the error that it is refused with."""
    try:
        found = archspec.compress.unpack(path, limit=2**22)
        return {key: found[key].tobytes() for key in found}
    except ArchspecError as error:
        return error


def sealed(data):
    """A file with its checksums made right."""
    length = 8 + int.from_bytes(data[:8], "little")
    front, body = data[:length], bytearray(data[length:])
    try:
        blobs = [
            tuple(entry["data_offsets"]) for name, entry in json.loads(front[8:]).items() if name != "__metadata__"
        ]
        for begin, end in blobs:
            body[end - 4 : end] = zlib.crc32(body[begin : end - 4], zlib.crc32(front)).to_bytes(4, "little")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        """What is no header has no checksums to make right."""
    return bytes(front + body)


def mutated(data, random):
    """A file with some of it changed, as storage, a cable or an adversary would."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        kind, at = random.randrange(7), random.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            data[at] = random.choice([0, 255, random.randrange(256)])
        elif kind == 2:
            del data[at : at + random.choice([1, 4, 100, len(data)])]
        elif kind == 3:
            data[at:at] = bytes(random.randrange(256) for _ in range(random.choice([1, 4, 50])))
        elif kind == 4:
            other = random.randrange(len(data))
            data[at : at + 8] = data[other : other + 8]
        elif kind == 5:
            data[at : at + 4] = random.choice([2**32 - 1, 2**31, 0, 4096]).to_bytes(4, "little")
        else:
            digits = [i for i in range(8, min(len(data), 4000)) if 48 <= data[i] <= 57]
            if digits:
                data[random.choice(digits)] = random.randrange(48, 58)
        if not data:
            return b"\x00"
    return bytes(data)


def test_no_mutant_decodes_to_another_network(file, tmp_path, request):
    whole, arrays = file.read_bytes(), decoded(file)
    random, path = Random(2016), tmp_path / "mutant.safetensors"  # noqa: S311  # the same every time
    for _ in range(25_000 if request.config.option.long else 250):
        mutant = mutated(whole, random)
        path.write_bytes(mutant)
        found = decoded(path)
        assert isinstance(found, ArchspecError) or found == arrays
        assert mutant == whole or isinstance(found, ArchspecError)


def test_a_mutant_with_right_checksums_is_refused_or_decodes_to_arrays_of_its_shapes(file, tmp_path, request):
    whole = file.read_bytes()
    random, path = Random(2017), tmp_path / "mutant.safetensors"  # noqa: S311  # likewise
    for _ in range(25_000 if request.config.option.long else 250):
        path.write_bytes(sealed(mutated(whole, random)))
        found = decoded(path)
        if isinstance(found, ArchspecError):
            assert len(str(found)) < 1000
            assert str(found).isprintable()
        else:
            opened = container.unpack(path)
            assert {key: len(data) for key, data in found.items()} == {
                each.key: 4 * each.elements for each in opened.codings
            }


@pytest.mark.parametrize("mode", ["structure", "sampled", "full"])
def test_a_flipped_bit_is_found_in_every_mode(file, tmp_path, mode):
    data = bytearray(file.read_bytes())
    data[-20] ^= 4
    path = tmp_path / "flipped.safetensors"
    path.write_bytes(data)
    found = archspec.compress.verify(path, mode)
    assert not found
    assert "checksum" in found.sentence


@pytest.mark.parametrize("cut", [0, 7, 8, 100, -1, -5])
def test_a_file_that_is_cut_off_is_refused_when_it_is_opened(file, tmp_path, cut):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DamagedError, match=r"cut off|header says|cannot be read"):
        archspec.compress.unpack(path)


# ------------------------------------------------------------------ what a file says of itself


def rewritten(file, path, change):
    """A file whose description is changed, and whose checksums are right."""
    head = read_header(file)
    said = json.loads(head.metadata["archspec.compressed"])
    change(said)
    front = header(
        {"archspec.compressed": json.dumps(said, separators=(",", ":"))},
        {name: (blob.dtype, blob.shape, blob.end - blob.begin) for name, blob in head.blobs.items()},
    )
    path.write_bytes(sealed(front + file.read_bytes()[head.length :]))
    return path


def put(key, value):
    return lambda said: said.update({key: value})


def array(change, blob=0, at=0):
    return lambda said: change(said["blobs"][blob][at])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("format", 2), "version 2 of the format; this library reads 1"),
        (put("blobs", []), "its description has 0 blobs"),
        (put("blobs", 3), "cannot be read"),
        (put("spec", {"name": "x"}), "cannot be read"),
        (put("spec", {"name": "x", "digest": 1, "bindings": {}}), "does not say what it was made from"),
        (array(lambda said: said[1].__setitem__(0, 10**12)), "decodes to .* bytes; the limit is"),
        (array(lambda said: said[1].__setitem__(0, 2**40)), "decodes to .* bytes; the limit is"),
        (array(lambda said: said[1].__setitem__(0, 6.0)), "not one that this library writes"),
        (array(lambda said: said[1].__setitem__(0, 0)), "not one that this library writes"),
        (array(lambda said: said.__setitem__(0, "\x1b[31mred")), "not one that this library writes"),
        (array(lambda said: said.__setitem__(0, "native.weight")), "two arrays have one name"),
        (array(lambda said: said[2].update(shared=16)), "is not from 1 to 15"),
        (array(lambda said: said[2].update(shared=True)), "is not from 1 to 15"),
        (array(lambda said: said[2].update(coded=1)), "not one of"),
        (array(lambda said: said[2].update(other=1)), "not one that this library writes"),
        (array(lambda said: said[3].update(gaps=9)), "is not from 1 to 8"),
        (array(lambda said: said[3].update(scan="diagonal")), "not one of"),
        (array(lambda said: said.__delitem__(slice(1, None))), "cannot be read"),
        (array(lambda said: said.__setitem__(2, {"rank": 1})), "are of all weights"),
        (array(lambda said: said[2].update(rule="zero_point"), 1), "are of all weights"),
        (array(lambda said: said[2].update(rule="none"), 1), "not one of"),
    ],
)
def test_a_description_that_is_not_written_is_refused(file, tmp_path, change, message):
    with pytest.raises(ArchspecError, match=message):
        archspec.compress.unpack(rewritten(file, tmp_path / "said.safetensors", change))


def test_shapes_that_lie_are_found_when_the_blob_is_read(file, tmp_path):
    path = rewritten(file, tmp_path / "shape.safetensors", array(lambda said: said[1].__setitem__(0, 1)))
    with pytest.raises(DamagedError, match="entries for 27 weights"):
        archspec.compress.unpack(path)["first.weight"]


def test_a_bomb_is_refused_before_it_is_decoded(file, tmp_path):
    """Four thousand million weights, of which 13 are stored: within the numbers of the format, beyond the limit."""
    path = rewritten(file, tmp_path / "bomb.safetensors", array(lambda said: said[1].__setitem__(0, 2**27)))
    tracemalloc.start()
    try:
        with pytest.raises(ArchspecError, match="the limit is 4294967296"):
            archspec.compress.unpack(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


ENTRY = b'{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a":' + ENTRY + b',"a":' + ENTRY + b"}", "'a' stands twice"),
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', "'a' begins at 1"),
        (b'{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}', "does not have 1 bytes"),
        (b'{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', "whole numbers from 0"),
        (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', "a type, a shape and two offsets"),
        (b'{"a":{"dtype":"U8","shape":[1e3],"data_offsets":[0,1]}}', "whole numbers from 0"),
        (b'{"__metadata__":{"archspec":1}}', "metadata is text"),
        (b'{"__metadata__":{"archspec":NaN}}', "NaN is not a number"),
        (b"[" * 100_000, "cannot be read"),
        (b"[]", "cannot be read"),
        (b"{", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)  # fmt: skip
def test_a_header_that_two_readers_could_read_differently_is_refused(tmp_path, text, message):
    path = tmp_path / "header.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\x00")
    with pytest.raises(DamagedError, match=message):
        read_header(path)


def test_what_is_no_compressed_file_is_refused(tmp_path):
    path = tmp_path / "plain.safetensors"
    path.write_bytes(header({}, {"a": ("U8", (1,), 1)}) + b"\x00")
    assert not container.is_compressed(path)
    assert not container.is_compressed(tmp_path / "nobody.safetensors")
    with pytest.raises(ArchspecError, match="is not a compressed file"):
        archspec.compress.verify(path)
    with pytest.raises(ArchspecError, match="cannot be read: No such file"):
        archspec.compress.unpack(tmp_path / "nobody.safetensors")


# ------------------------------------------------------------------ streams


def lengths(*values):
    """A table of codes, by their lengths."""
    return Fixed(4).encode(np.array(values, np.uint16))


HUFFMAN = Huffman(2).encode(np.array([0, 1, 2, 3, 0, 0], np.uint16))
TABLE, BLOCKS, CODES = HUFFMAN[:2], HUFFMAN[2:4], HUFFMAN[4:]


@pytest.mark.parametrize(
    ("data", "count", "message"),
    [
        (lengths(1, 2, 2, 2) + BLOCKS + CODES, 6, "fills 40960/32768 of the tree"),
        (lengths(1, 2, 0, 0) + BLOCKS + CODES, 6, "fills 24576/32768 of the tree"),
        (lengths(0, 0, 0, 0) + BLOCKS + CODES, 6, "fills 0/32768 of the tree for 6 symbols"),
        (lengths(0, 2, 0, 0) + BLOCKS + CODES, 6, "fills 8192/32768 of the tree"),
        (lengths(1, 2, 3, 3), 0, "of the tree for 0 symbols"),
        (TABLE, 6, "the lengths of blocks needs 2 bytes, 0 are left"),
        (TABLE + b"\xff\xff" + CODES, 6, "a stream of codes needs 8192 bytes"),
        (TABLE + (9).to_bytes(2, "little") + CODES, 6, "the bits behind a stream are not zero|as long as it says"),
        (TABLE + BLOCKS + CODES, 7, "a block of codes is not as long as it says"),
        (TABLE + BLOCKS + CODES[:-1], 6, "needs 2 bytes, 1 are left"),
        (TABLE + BLOCKS + CODES[:-1] + bytes([CODES[-1] | 1]), 6, "the bits behind a stream are not zero"),
        (lengths(1, 0, 0, 0) + (3).to_bytes(2, "little") + b"\x40", 3, "a block of codes is not as long as it says"),
    ],
)
def test_a_stream_of_codes_that_is_not_written_is_refused(data, count, message):
    with pytest.raises(DamagedError, match=message):
        Huffman(2).decode(ByteReader(data, "x"), count, "codes")


def test_blocks_that_lie_are_found_among_many():
    """More blocks than are decoded one after the other; two of them exchange their lengths."""
    symbols = np.random.RandomState(0).choice(4, 100 * 4096, p=[0.7, 0.1, 0.1, 0.1]).astype(np.uint16)
    data = bytearray(Huffman(2).encode(symbols))
    assert np.array_equal(Huffman(2).decode(ByteReader(data, "x"), len(symbols), "codes"), symbols)
    data[2:4], data[4:6] = data[4:6], data[2:4]
    with pytest.raises(DamagedError, match=r"x: .*as long as it says"):
        Huffman(2).decode(ByteReader(data, "x"), len(symbols), "codes")


@pytest.mark.parametrize(
    ("read", "data", "message"),
    [
        (lambda r: Fixed(3).decode(r, 3, "t"), b"\x2b\x81", "bits behind a stream"),
        (lambda r: Fixed(3).decode(r, 3, "t"), b"\x2b", "a stream needs 2 bytes, 1 are left"),
        (lambda r: Floats(32).decode(r, 1, "t"), np.array([np.inf], "<f4").tobytes(), "a number that is not finite"),
        (lambda r: Gaps(3).decode(r, 2, 5), (11).to_bytes(4, "little"), "11 entries for 10 weights"),
        (lambda r: Gaps(8).decode(r, 2, 5), (2).to_bytes(4, "little") + b"\x04\x05", "an entry at 10 of 10"),
        (lambda r: CompressedRows().decode(r, 1, 5), np.array([1, 1], "<u4").tobytes(), "rows do not begin"),
        (lambda r: CompressedRows().decode(r, 2, 5), np.array([0, 3, 2], "<u4").tobytes(), "rows do not begin"),
        (lambda r: CompressedRows().decode(r, 1, 5), np.array([0, 6], "<u4").tobytes(), "rows do not begin"),
        (lambda r: CompressedRows().decode(r, 1, 5), np.array([0, 2, 3, 3], "<u4").tobytes(), "columns do not rise"),
        (lambda r: CompressedRows().decode(r, 1, 5), np.array([0, 1, 5], "<u4").tobytes(), "columns do not rise"),
        (lambda r: Bitmask().decode(r, 1, 5), b"\x04", "bits behind a bitmask"),
        (
            lambda r: Codebook(1, zero=True).decode(r, 1, 1, 1),
            np.array([1, 2], "<f4").tobytes() + b"\x00",
            "that of fillers, and not 0",
        ),
    ],
)
def test_what_is_not_written_is_refused(read, data, message):
    with pytest.raises(DamagedError, match=message):
        read(ByteReader(data, "x"))


def test_of_many_blobs_of_several_arrays_one_is_held_at_a_time(tmp_path):
    size, blobs = 2**18, 8
    codings = [[Coding(f"{side}{blob}", (size,)) for side in "ab"] for blob in range(blobs)]
    text = container.description(Origin("net", "0" * 64, {}), PLAN, codings)
    container.write(tmp_path / "large.safetensors", text, [bytes(8 * size)] * blobs)
    opened = archspec.compress.unpack(tmp_path / "large.safetensors")
    tracemalloc.start()
    for key in opened:
        assert opened[key].shape == (size,)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * size * 5
