"""Thousands of broken weight files: each is read, or refused in one sentence, in bounded time and memory."""

import io
import json
import random
import struct
import time
import tracemalloc
import zipfile
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

import archspec
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import save  # noqa: E402

from archspec.weights import match  # noqa: E402

SPEC = """
archspec: 1
name: small
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3, bias: false}, as: conv}
  - {batch_norm, as: norm}
  - {conv2d: {out_channels: 4, kernel_size: 1}, as: second}
  - {conv2d: {out_channels: 4, kernel_size: 1}, as: third}
  - global_avg_pool
  - {linear: {out_features: 5}, as: fc}
"""
FEW, MANY = 300, 6000
SECONDS = 5


@pytest.fixture(scope="module")
def network():
    return archspec.loads(SPEC).expand()


@pytest.fixture(scope="module")
def seeds():
    state = archspec.loads(SPEC).to_torch(seed=1).state_dict()
    state = {f"net.{key}": array for key, array in state.items()}
    zipped, packed = io.BytesIO(), io.BytesIO()
    np.savez(zipped, **{key: array.numpy() for key, array in state.items()})
    np.savez_compressed(packed, **{key: array.numpy() for key, array in state.items()})
    return {"safetensors": (save(state),), "npz": (zipped.getvalue(), packed.getvalue())}


def bytes_changed(data, draw):
    """Some bytes set, cut out, doubled or moved, most of them near the beginning."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 6))):
        end = draw.choice((16, 600, len(data), len(data)))
        at = draw.randrange(min(end, len(data)) or 1)
        size = draw.choice((1, 1, 2, 8, 100))
        match draw.randrange(9):
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = data[at : at + size]
            case 3:
                data[at : at + 8] = struct.pack("<Q", draw.choice((0, 1, 2**16, 2**31, 2**63, 2**64 - 1)))
            case 4:
                del data[draw.randrange(len(data) + 1) :]
            case _ if data:
                at = draw.randrange(len(data))
                data[at : at + 1] = bytes([draw.randrange(256)])
    return bytes(data)


ODD = (
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    2**70,
    1.5,
    "",
    "F32",
    "I64",
    "C64",
    "F4",
    "Q",
    [],
    [2],
    [2**40, 2**40],
    {},
    "é\x1b",
    "a" * 2000,
)


def header_changed(data, draw):
    """Values of a safetensors header replaced, keys renamed, doubled or taken out, the text cut."""
    length = int.from_bytes(data[:8], "little")
    header, rest = json.loads(data[8 : 8 + length]), data[8 + length :]
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        key = draw.choice(list(header))
        match draw.randrange(7):
            case 5 if key != "__metadata__":  # renamed
                header[draw.choice(("weight", "net.x.weight", "net.é.bias", "." * 9, "net.2.weight"))] = header.pop(key)
            case 6 if isinstance(header[key], dict):
                header[key]["dtype"] = draw.choice(("I32", "U32", "F32", "F32"))
            case 0 if isinstance(header[key], dict):
                header[key][draw.choice(("dtype", "shape", "data_offsets", "more"))] = draw.choice(ODD)
            case 1 if isinstance(header[key], dict) and isinstance(header[key].get("data_offsets"), list):
                header[key]["data_offsets"] = [draw.choice((0, 4, 16, 2**40, -4)) for _ in range(draw.randint(0, 3))]
            case 2:
                header[draw.choice((*header, *header, "net.é.weight", "weight", ".", "net." * 300, "x\x07"))] = header[
                    key
                ]
            case 3 if len(header) > 1:
                del header[key]
            case _:
                header[key] = draw.choice((header[draw.choice(list(header))], draw.choice(ODD)))
    text = json.dumps(header).encode()
    if draw.random() < 0.1:
        text = text.replace(b'"net.fc.bias"', b'"net.fc.weight"')
    return struct.pack("<Q", len(text) + draw.choice((0, 0, 0, 0, 1, -1, 8))) + text + rest


def members_changed(data, draw):
    """Arrays of a zip file broken, replaced, renamed and doubled, in a whole zip file."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(changed, "w") as new:
        for name in archive.namelist():
            content = archive.read(name)
            if draw.random() < 0.05:
                content = draw.choice((bytes_changed, array_changed, array_changed))(content, draw)
            if draw.random() < 0.03:
                name = draw.choice(("../../x.npy", "/etc/x.npy", "x", "net.fc.weight.npy", "é.npy", "a\x1b.npy"))  # noqa: PLW2901
            if draw.random() < 0.95 and name not in new.namelist():
                new.writestr(name, content, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return changed.getvalue()


def array_changed(content, draw):
    """The header of a NumPy array of other types and sizes, or text that is none."""
    kinds = (
        "<f4",
        "<f8",
        ">f4",
        "<f2",
        "<i4",
        "|b1",
        "<c8",
        "<U3",
        "|S2",
        "|O",
        "<M8[s]",
        "<f16",
        "[('a','<f4')]",
        "x",
    )
    shape = draw.choice(
        ("(4,)", "(5, 4)", "()", "(-1,)", "(1099511627776, 1099511627776)", "(True,)", "(4", "x", "(((" * 30)
    )
    text = f"{{'descr': '{draw.choice(kinds)}', 'fortran_order': {draw.choice((True, False, 3))}, 'shape': {shape}, }}"
    text = draw.choice((text, text, text, text[: draw.randrange(len(text))], "{1: 2, 'a': 3}", "{" * 300, "'''\n  "))
    version, length = draw.choice(((1, "<H"), (2, "<I"), (3, "<I"), (9, "<I")))
    size = draw.choice((len(text), len(text), len(text), len(text) + 5, 60000))
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(length, size) + text.encode() + content[-80:]


def fuzz(network, seeds, folder, count, seed=0):
    """What came of `count` files, and the slowest one's seconds."""
    draw, outcomes, slowest = random.Random(seed), Counter(), 0.0  # noqa: S311  # nothing secret
    model = archspec.loads(SPEC).to_torch()
    for _ in range(count):
        suffix = draw.choice(("safetensors", "npz"))
        data = draw.choice(seeds[suffix])
        change = draw.choice((bytes_changed, header_changed if suffix == "safetensors" else members_changed))
        path = folder / f"w.{suffix}"
        path.write_bytes(change(data, draw))
        began = time.process_time()
        try:
            matching = match(network, path)
            outcomes["described"] += 1
            matching.apply(model, strict=draw.random() < 0.5)
            outcomes["applied"] += 1
        except ArchspecError as error:
            message = str(error)
            assert len(message) < 5000
            assert all(line.isprintable() for line in message.splitlines())
            outcomes["refused"] += 1
        slowest = max(slowest, time.process_time() - began)
    return outcomes, slowest


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.filterwarnings("ignore")
def test_a_broken_file_is_read_or_refused(network, seeds, tmp_path, request):
    outcomes, slowest = fuzz(network, seeds, tmp_path, MANY if request.config.option.long else FEW)
    print(dict(outcomes), f"slowest {slowest:.2f} s")
    assert outcomes["refused"] > 0
    assert outcomes["described"] > 0
    assert outcomes["applied"] > 0
    assert slowest < SECONDS


def bomb(kind):
    """A small file that asks for much."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "header":  # four gigabytes of header, packed
            with archive.open("a.npy", "w", force_zip64=True) as member:
                member.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1))
                for _ in range(256):
                    member.write(bytes(2**20))
        else:
            header = io.BytesIO()
            shape = {"descr": "<f4", "fortran_order": False, "shape": (5, 4)}
            np.lib.format.write_array_header_1_0(header, shape)
            with archive.open("fc.weight.npy", "w", force_zip64=True) as member:
                member.write(header.getvalue())
                for _ in range(256):
                    member.write(bytes(2**20))
    return file.getvalue()


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("kind", ["header", "data"])
def test_a_packed_file_takes_no_more_memory_than_its_arrays_say(network, tmp_path, kind):
    path = tmp_path / "w.npz"
    path.write_bytes(bomb(kind))
    tracemalloc.start()
    with suppress(ArchspecError):
        match(network, path).apply(archspec.loads(SPEC).to_torch(), strict=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20


def test_names_made_to_be_slow_are_refused_or_matched_in_bounded_steps(network):
    """Thousands of layers of one shape in modules that no index orders, and one name inside the next."""
    wide = {
        f"x{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}{chr(97 + i // 100)}.weight": torch.zeros(4, 4, 1, 1)
        for i in range(2000)
    }
    deep = {f"{'a.' * i}weight": torch.zeros(4, 4, 1, 1) for i in range(1, 400)}
    for state in (wide, deep):
        began = time.process_time()
        matching = match(network, state)
        assert not matching
        assert time.process_time() - began < 4 * SECONDS
