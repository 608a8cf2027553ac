"""docs/format.md says all: a reader written from it in plain Python, without this library, reads the same numbers."""

import json
import struct
import zlib
from random import Random

import numpy as np
import plans_at_random
import pytest
from plans_at_random import SMALL, weights

import archspec


class Bits:
    """Bytes from the front, and bits of streams that begin on a byte."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]

    def numbers(self, code, count):
        return list(struct.unpack(f"<{count}{code}", self.take(count * struct.calcsize(f"<{code}"))))

    def fixed(self, bits, count):
        text = "".join(f"{byte:08b}" for byte in self.take(-(-count * bits // 8)))
        return [int(text[at : at + bits], 2) for at in range(0, count * bits, bits)]

    def stream(self, bits, count, coded):
        if not coded:
            return self.fixed(bits, count)
        table = self.fixed(4, 2**bits)
        blocks = self.numbers("H", -(-count // 4096))
        words, code, before = {}, 0, 0
        for length, symbol in sorted((length, symbol) for symbol, length in enumerate(table) if length):
            code <<= length - before
            before = length
            words[f"{code:0{length}b}"] = symbol
            code += 1
        text = "".join(f"{byte:08b}" for byte in self.take(-(-sum(blocks) // 8)))
        found, word = [], ""
        for bit in text[: sum(blocks)]:
            word += bit
            if word in words:
                found.append(words[word])
                word = ""
        assert len(found) == count
        assert not word
        return found


def floats(bits, count, reader):
    return [np.float32(number) for number in reader.numbers({16: "e", 32: "f"}[bits], count)]


def positions(reader, index, rows, columns):
    if "gaps" in index:
        (count,) = reader.numbers("I", 1)
        at, found = -1, []
        for gap in reader.stream(index["gaps"], count, index.get("coded")):
            at += gap + 1
            found.append(at)
        return found
    if "rows" in index:
        begins = reader.numbers("I", rows + 1)
        count, bits = begins[-1], index["rows"]
        column = reader.numbers("I", count) if bits == 32 else reader.fixed(bits, count)
        return [row * columns + column[at] for row in range(rows) for at in range(begins[row], begins[row + 1])]
    if "bitmask" in index:
        return [at for at, bit in enumerate(reader.fixed(1, rows * columns)) if bit]
    return list(range(rows * columns))


def array(reader, key, shape, values=None, index=None):
    values, index = values or {}, index or {}
    rows, columns = shape[0], int(np.prod(shape[1:], dtype=int))
    down = index.get("scan") == "columns"
    places = positions(reader, index, *((columns, rows) if down else (rows, columns)))
    places = [at % rows * columns + at // rows if down else at for at in places]
    coded, bits, found = values.get("coded"), values.get("numbers", 32), np.zeros(rows * columns, np.float32)
    if "constant" in values:
        found[:] = values["constant"]
    elif "rank" in values:
        left, right = (floats(bits, side * values["rank"], reader) for side in (rows, columns))
        found[:] = (np.reshape(left, (rows, -1)) @ np.reshape(right, (-1, columns))).ravel()
    elif "shared" in values:
        codebook = floats(bits, 2 ** values["shared"], reader)
        found[places] = [codebook[code] for code in reader.stream(values["shared"], len(places), coded)]
    elif "signs" in values:
        factors = floats(values["signs"], rows, reader) if values["signs"] else [np.float32(1)] * rows
        found[:] = [factors[at // columns] * (1 if bit else -1) for at, bit in enumerate(reader.fixed(1, len(places)))]
    elif "linear" in values:
        b, per = values["linear"], values["per"]
        width = {"tensor": None, "channel": columns}.get(per, per)
        count = 1 if width is None else rows * -(-columns // width)
        scales = floats(values.get("scale_bits", 32), count, reader)
        zeros = reader.fixed(b, count) if values["rule"] == "zero_point" else [2 ** (b - 1)] * count
        for at, code in zip(places, reader.stream(b, len(places), coded), strict=True):
            group = 0 if width is None else at // columns * -(-columns // width) + at % columns // width
            found[at] = scales[group] * np.float32(code - zeros[group])
    else:
        found[places] = floats(bits, len(places), reader)
    return key, found.reshape(shape)


def read(path):
    data = path.read_bytes()
    length = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:length])
    found = {}
    for number, blob in enumerate(json.loads(header["__metadata__"]["archspec.compressed"])["blobs"]):
        begin, end = (length + offset for offset in header[str(number)]["data_offsets"])
        body, check = data[begin : end - 4], data[end - 4 : end]
        assert zlib.crc32(data[:length] + body).to_bytes(4, "little") == check
        reader = Bits(body)
        found.update(array(reader, *each) for each in blob)
        assert reader.at == len(body)
    return found


@pytest.mark.parametrize("seed", range(25))
def test_a_reader_written_from_the_page_reads_the_same_numbers(tmp_path, seed):
    random, path = Random(1000 + seed), tmp_path / "file.safetensors"  # noqa: S311  # the same every time
    bindings = {"c": random.randint(1, 8)}
    source = weights(SMALL.expand(**bindings), seed, kind=random.choice(plans_at_random.KINDS))
    archspec.compress.pack(SMALL, source, plans_at_random.plan(random), path, **bindings)
    ours, theirs = archspec.compress.unpack(path), read(path)
    assert list(ours) == list(theirs)
    for key in ours:
        assert ours[key].shape == theirs[key].shape
        assert np.allclose(ours[key], theirs[key], rtol=1e-6, atol=1e-6), key
