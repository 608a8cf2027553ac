"""Files of weights, whole and hostile: what is read, and one clear sentence for what is not."""

import io
import json
import pickle
import re
import struct
import zipfile

import numpy as np
import pytest

import archspec
from archspec.compress.plan import LayerPlan, Plan
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file, save_file  # noqa: E402

from archspec.weights import WeightFile  # noqa: E402

SPEC = (
    "archspec: 1\nname: two\ninput: [3]\nnetwork: [{linear: {out_features: 4}, as: one}, {linear: {out_features: 2}}]"
)
SHAPES = {"z.weight": (4, 3), "z.bias": (4,), "a.weight": (2, 4), "a.bias": (2,)}


@pytest.fixture
def arch():
    return archspec.loads(SPEC)


@pytest.fixture
def state():
    return {key: torch.randn(shape) for key, shape in SHAPES.items()}


def raw(header, data=b""):
    """A safetensors file by hand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape=(2, 4), begin=0, end=32, dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_npy", ".npy").replace("_pkl", ".pkl"), data)
    return file.getvalue()


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def test_safetensors_and_npz_give_the_same_numbers(arch, state, tmp_path):
    save_file(state, tmp_path / "w.safetensors")
    np.savez(tmp_path / "w.npz", **{key: array.numpy() for key, array in state.items()})
    np.savez_compressed(tmp_path / "big.npz", **{key: array.numpy().astype(">f4") for key, array in state.items()})
    for name in ("w.safetensors", "w.npz", "big.npz"):
        model = arch.to_torch(weights=tmp_path / name)
        assert torch.equal(model.one.weight, state["z.weight"]), name
        assert torch.equal(model.linear.bias, state["a.bias"]), name


def test_a_file_is_a_mapping_of_arrays(state, tmp_path):
    np.savez(tmp_path / "w.npz", **{key: array.numpy() for key, array in state.items()})
    file = WeightFile(tmp_path / "w.npz")
    assert list(file) == list(SHAPES)
    assert len(file) == 4
    assert torch.equal(file["a.bias"], state["a.bias"])


def test_what_is_taken_of_a_compressed_file_is_taken_anew_each_time(arch, state, tmp_path):
    own = {key.replace("z.", "one.").replace("a.", "linear."): array for key, array in state.items()}
    archspec.compress.pack(arch, own, Plan(name="plain", layers=[LayerPlan(layer="one")]), tmp_path / "w.safetensors")
    file = WeightFile(tmp_path / "w.safetensors")
    for key, array in own.items():
        file[key].zero_()
        assert torch.equal(file[key], array), key


@pytest.mark.parametrize("length", [0x80, 0x180, 0x4B50, 0x4889, 0x4E93])
def test_any_length_of_the_header_is_read(tmp_path, length):
    """A safetensors file begins with its header's length: \x80 as a pickle does, PK as a zip file, \x89H as HDF5."""
    header = json.dumps({"a": entry()}).encode().ljust(length)
    (tmp_path / "w.safetensors").write_bytes(raw(header, np.arange(8, dtype="<f4").tobytes()))
    assert torch.equal(WeightFile(tmp_path / "w.safetensors")["a"], torch.arange(8.0).reshape(2, 4))


def test_what_is_saved_is_read_by_torch_under_our_keys(arch, state, tmp_path):
    matching = arch.match_weights({key: array.bfloat16() for key, array in state.items()})
    matching.save(tmp_path / "out.safetensors")
    model = arch.to_torch()
    model.load_state_dict(load_file(tmp_path / "out.safetensors"))
    assert torch.equal(model.one.weight, state["z.weight"].bfloat16().float())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.safetensors"]


def test_what_cannot_be_saved_leaves_nothing(arch, state, tmp_path):
    whole = arch.match_weights(state)
    with pytest.raises(ArchspecError, match=r"'out\.pth': what is written is \.safetensors"):
        whole.save("out.pth")
    with pytest.raises(ArchspecError, match=r"cannot write .*nowhere"):
        whole.save(tmp_path / "nowhere" / "out.safetensors")
    for broken in ({**state, "a.bias": torch.full((2,), torch.nan)}, {"z.weight": state["z.weight"]}):
        with pytest.raises(ArchspecError):
            arch.match_weights(broken).save(tmp_path / "out.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_only_what_fits_is_loaded(arch, state, tmp_path):
    """A header that promises 2^40 numbers costs nothing: their shape fits nowhere."""
    save_file(state, tmp_path / "w.safetensors")
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**20)})
    members = {f"{key}_npy": npy(array.numpy()) for key, array in state.items()}
    (tmp_path / "w.npz").write_bytes(zipped(**members, huge_npy=huge.getvalue()))
    matching = arch.match_weights(tmp_path / "w.npz")
    assert [left.key for left in matching.left] == ["huge"]
    assert matching.apply(arch.to_torch(), strict=False).one.weight.shape == (4, 3)


class Evil:
    """Would leave a file behind, were it unpickled."""

    def __reduce__(self):
        return (open, ("evil.txt", "w"))


HOSTILE = {
    "empty.safetensors": (b"", "is empty"),
    "short.safetensors": (b"abc", "is cut off or not a safetensors file: it has 3 bytes"),
    "cut.safetensors": (raw({"a": entry()})[:30], "is cut off or not a safetensors file"),
    "header.safetensors": (struct.pack("<Q", 2**63) + b"{}", "is cut off or not a safetensors file: it has 10 bytes"),
    "long.safetensors": (struct.pack("<Q", 2**25) + bytes(2**25), f"has a header of {2**25} bytes; at most {2**24}"),
    "json.safetensors": (raw(b"{'a': 1}"), "cannot be read: "),
    "deep.safetensors": (raw(b"[" * 100_000), "cannot be read: "),
    "list.safetensors": (raw([1, 2]), "its header cannot be read: it is no mapping"),
    "text.safetensors": (raw(b"\xff\xfe"), "cannot be read: "),
    "none.safetensors": (raw({}), "holds no arrays"),
    "data.safetensors": (raw({"a": entry()}, bytes(31)), "has 31 bytes of arrays, its header says 32"),
    "overlap.safetensors": (
        raw({"a": entry(), "b": entry(begin=8, end=40)}, bytes(40)),
        "'b' begins at 8, and what is before it ends at 32",
    ),
    "size.safetensors": (raw({"a": entry(shape=(2**40, 2**40))}, bytes(32)), "cannot be read: "),
    "type.safetensors": (raw({"a": entry(dtype="Q9")}, bytes(32)), "cannot be read: "),
    "twice.safetensors": (
        raw(b'{"a": %s, "a": %s}' % ((json.dumps(entry()).encode(),) * 2), bytes(32)),
        "its header cannot be read: 'a' stands twice",
    ),
    "escape.safetensors": (raw({"a\x1b[2J": entry()}, bytes(32)), r"holds what cannot be printed: 'a\x1b[2J'"),
    "turned.npz": (zipped(**{"a\u202eb_npy": npy(np.zeros(3))}), r"holds what cannot be printed: 'a\u202eb'"),
    "name.safetensors": (raw({"a" * 2000: entry()}, bytes(32)), "the name of an array has 2000 characters"),
    "tokens.npz": (zipped(a_npy=b'\x93NUMPY\x01\x00\x10\x00{\'descr\': """\n   '), "cannot be read: "),
    "keys.npz": (zipped(a_npy=b"\x93NUMPY\x01\x00\x10\x00{1: 2, 'a': 3}   "), "cannot be read: "),
    "many.safetensors": (
        raw({str(i): entry((0,), 0, 0) for i in range(65537)}),
        "does not hold 65536 arrays at most",
    ),
    "model.pth": (pickle.dumps({"a": Evil()}), "is a pickle, which can run code when it is read, and is not opened"),
    "model.bin": (zipped(archive__data_pkl=pickle.dumps(Evil())), "is a pickle"),
    "renamed.npz": (zipped(archive__data_pkl=pickle.dumps(Evil())), "is a pickle"),
    "renamed.safetensors": (pickle.dumps({"a": Evil()}), "is a pickle"),
    "keras.h5": (b"\x89HDF\r\n\x1a\n", "is HDF5 (Keras)"),
    "keras.safetensors": (b"\x89HDF\r\n\x1a\n", "is HDF5 (Keras)"),
    "one.npy": (npy(np.zeros(3)), "is one NumPy array"),
    "odd.txt": (b"hello", "ends in neither .safetensors nor .npz"),
    "no.npz": (b"no zip file", "cannot be read: File is not a zip file"),
    "cut.npz": (zipped(a_npy=npy(np.zeros(100)))[:200], "cannot be read: "),
    "objects.npz": (zipped(a_npy=npy(np.array([{}]), allow_pickle=True)), "'a.npy' holds Python objects"),
    "member.npz": (zipped(a_npy=b"hello"), "cannot be read: "),
    "none.npz": (zipped(), "holds no arrays"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_read_is_refused_in_a_sentence(arch, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, said = HOSTILE[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ArchspecError) as refused:
        arch.match_weights(name)
    assert str(refused.value).startswith(f"{name}: ")
    assert said in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]  # nothing was run


def test_a_pickle_is_refused_with_the_lines_that_convert_it(arch, state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(state, "model.pth")
    with pytest.raises(ArchspecError) as refused:
        arch.to_torch(weights="model.pth")
    lines = str(refused.value).splitlines()[1:]
    exec("\n".join(line.strip() for line in lines))  # noqa: S102  # what the user is told to run
    assert torch.equal(arch.to_torch(weights="model.safetensors").one.weight, state["z.weight"])


def test_a_zip_file_that_names_an_array_twice_is_refused(arch, tmp_path):
    with zipfile.ZipFile(tmp_path / "w.npz", "w") as archive:
        archive.writestr("a.npy", npy(np.zeros(3)))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.npy", npy(np.ones(3)))
    with pytest.raises(ArchspecError, match="names 'a' twice"):
        arch.match_weights(tmp_path / "w.npz")


def test_too_many_arrays_of_a_zip_file_are_refused(arch, tmp_path, monkeypatch):
    monkeypatch.setattr("archspec.weights.file.MAX_ARRAYS", 3)
    (tmp_path / "w.npz").write_bytes(zipped(**{f"x{i}_npy": npy(np.zeros(1)) for i in range(4)}))
    with pytest.raises(ArchspecError, match="holds more than 3 arrays"):
        arch.match_weights(tmp_path / "w.npz")


def test_a_file_that_is_not_there_is_named(arch, tmp_path):
    with pytest.raises(ArchspecError, match=r"none\.safetensors: cannot be read: No such file or directory"):
        arch.match_weights(tmp_path / "none.safetensors")
    with pytest.raises(ArchspecError, match="cannot be read: Is a directory"):
        arch.match_weights(tmp_path)


def test_an_array_that_breaks_after_it_was_described_is_named(state, tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, **{key: array.numpy() for key, array in state.items()})
    file, data = WeightFile(path), bytearray(path.read_bytes())
    data[data.index(b"z.weight.npy") + 160] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ArchspecError, match=r"w\.npz: 'z\.weight' cannot be read: Bad CRC-32"):
        file["z.weight"]
    with pytest.raises(KeyError):
        file["none"]


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.bool, torch.complex64])
def test_other_than_floating_point_numbers_are_no_weights(arch, state, tmp_path, dtype):
    state = {**state, "a.weight": state["a.weight"].to(dtype)}
    save_file(state, tmp_path / "w.safetensors")
    for source in (tmp_path / "w.safetensors", state):
        with pytest.raises(ArchspecError, match=r"'a\.weight' is of type \w+; weights are floating-point numbers"):
            arch.match_weights(source)


@pytest.mark.parametrize("array", [np.array(["x"] * 2), np.zeros(2, "M8[s]"), np.zeros(2, "f4,i4"), np.zeros(2, "S3")])
def test_what_holds_no_numbers_is_no_weight(arch, state, tmp_path, array):
    np.savez(tmp_path / "w.npz", **{**{key: each.numpy() for key, each in state.items()}, "a.bias": array})
    with pytest.raises(ArchspecError, match=r"'a\.bias' is of type \w+.*; weights are floating-point numbers"):
        arch.match_weights(tmp_path / "w.npz")


def test_another_array_of_another_type_is_left_over_and_named(arch, state, tmp_path):
    save_file({**state, "a.index": torch.zeros(3, dtype=torch.int64)}, tmp_path / "w.safetensors")
    with pytest.raises(ArchspecError, match=r"only in the source: 'a\.index', of type int64"):
        arch.to_torch(weights=tmp_path / "w.safetensors")
    assert arch.match_weights(tmp_path / "w.safetensors").apply(arch.to_torch(), strict=False)


@pytest.mark.parametrize(
    ("given", "wanted", "number"),
    [(torch.float64, torch.float32, 1e39), (torch.float64, torch.float16, 7e4), (torch.float32, torch.float16, -7e4)],
)
def test_numbers_too_large_for_the_model_are_refused(arch, state, tmp_path, given, wanted, number):
    state = {key: array.to(given) for key, array in state.items()}
    state["a.weight"][1, 2] = number
    save_file(state, tmp_path / "w.safetensors")
    name, most = str(wanted).removeprefix("torch."), re.escape(f"{abs(number):.3g}")
    with pytest.raises(ArchspecError, match=rf"'a\.weight' holds 1 numbers too large for {name}: up to {most}"):
        arch.to_torch(weights=tmp_path / "w.safetensors", dtype=wanted)
    assert arch.to_torch(weights=tmp_path / "w.safetensors", dtype=given)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_every_floating_point_type_is_taken(arch, state, tmp_path, dtype):
    save_file({key: array.to(dtype) for key, array in state.items()}, tmp_path / "w.safetensors")
    model = arch.to_torch(weights=tmp_path / "w.safetensors")
    assert torch.equal(model.one.weight, state["z.weight"].to(dtype).float())
