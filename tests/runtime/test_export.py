"""Files that run without this library give what the model gives, for any batch."""

import json
import sys
import warnings

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec import extras, files  # noqa: E402
from archspec.errors import ArchspecError, MissingExtraError  # noqa: E402
from archspec.runtime import export  # noqa: E402
from archspec.runtime.calls import drawn  # noqa: E402

SMALL = """
archspec: 1
name: small
symbols: {c: {default: 4}}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: c, kernel_size: 3}, as: conv}
  - batch_norm
  - relu
  - global_avg_pool
  - {linear: {out_features: 5}, as: fc}
"""


@pytest.fixture
def small():
    return archspec.loads(SMALL)


def of_onnx(path, x):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    return torch.from_numpy(session.run(None, {"input": x.numpy()})[0])


def of_pt2(path, x):
    return torch.export.load(path).module()(x)


RUNNERS = {"onnx": of_onnx, "pt2": of_pt2}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("ending", ["pt2", "onnx"])
@pytest.mark.parametrize(("name", "bindings"), [("odd", {}), ("mobilenet_shallow", {"side": 64, "alpha": "1/4"})])
def test_a_file_gives_what_the_model_gives_for_any_batch(ending, name, bindings, odd, tmp_path, calibrated, apart):
    if ending == "onnx":
        pytest.importorskip("onnxscript")
    arch = odd if name == "odd" else archspec.load(name)
    network, path = arch.expand(**bindings), tmp_path / f"model.{ending}"
    shape = network.input.shape
    model = calibrated(arch.to_torch(seed=1, **bindings), torch.randn(16, *shape[1:]))
    export(model, network, path)
    for batch in (1, 3):
        x = torch.randn(batch, *shape[1:])
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own loader about itself
            expected, found = model(x), RUNNERS[ending](str(path), x)
        assert found.shape == expected.shape
        assert apart(found, expected) < 1e-4
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_file_says_what_it_was_made_from(small, tmp_path):
    small.write(tmp_path / "m.pt2", seed=0, c=6)
    extra = {"archspec.json": ""}
    program = torch.export.load(tmp_path / "m.pt2", extra_files=extra)
    said = json.loads(extra["archspec.json"])
    assert (said["name"], said["bindings"]) == ("small", {"c": "6"})
    assert said["digest"] == archspec.language.digest(small.document)
    expected = small.to_torch(seed=0, c=6)
    assert torch.equal(program.state_dict["conv.weight"], expected.conv.weight)
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    small.write(tmp_path / "m.onnx", seed=0, c=6)
    properties = {entry.key: entry.value for entry in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert properties["archspec.digest"] == said["digest"]


def test_the_same_network_gives_the_same_bytes(small, tmp_path):
    for name in ("a.pt2", "another_name.pt2"):
        small.write(tmp_path / name, seed=0)
    assert (tmp_path / "a.pt2").read_bytes() == (tmp_path / "another_name.pt2").read_bytes()


def test_source_has_the_symbols_at_their_values(small, tmp_path):
    small.write(tmp_path / "m.py", c=6)
    text = (tmp_path / "m.py").read_text(encoding="utf-8")
    assert text == small.source(c=6)
    assert "c: int = 6" in text


@pytest.mark.parametrize("name", ["model", "model.txt", "model.pt"])
def test_an_ending_that_is_not_known_is_refused(small, tmp_path, name):
    with pytest.raises(
        ArchspecError, match=f"'{name}' ends in no format that can be written; there are .py, .pt2, .onnx"
    ):
        small.write(tmp_path / name)


def test_a_folder_that_is_not_there_is_refused(small, tmp_path):
    with pytest.raises(ArchspecError, match=r"cannot write .*model\.pt2: No such file or directory"):
        small.write(tmp_path / "nowhere" / "model.pt2")


def test_a_model_too_large_for_onnx_is_refused_and_leaves_nothing(small, tmp_path, monkeypatch):
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(sys.modules["archspec.runtime.export"], "ONNX_LIMIT", 100)
    with pytest.raises(ArchspecError, match=r"one ONNX file holds 100; write a \.pt2"):
        small.write(tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def written_until(error, target):
    with files.replacing(target) as file:
        file.write_text("ne")
        raise error


def test_a_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    target = tmp_path / "old.txt"
    target.write_text("old")
    with pytest.raises(ArchspecError, match=r"cannot write .*old\.txt: No space left on device"):
        written_until(OSError(28, "No space left on device"), target)
    with pytest.raises(KeyboardInterrupt):
        written_until(KeyboardInterrupt(), target)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [("old.txt", "old")]


def test_what_is_not_installed_is_named_with_its_extra(small, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    for ask in (small.to_torch, small.verify, lambda: small.write(tmp_path / "m.pt2")):
        with pytest.raises(MissingExtraError, match=r"this needs torch: pip install 'archspec-nn\[torch\]'"):
            ask()
    with pytest.raises(MissingExtraError, match=r"this needs onnx and onnxscript: pip install 'archspec-nn\[onnx\]'"):
        export(torch.nn.Linear(2, 2), small.expand(), tmp_path / "m.onnx")


@pytest.mark.parametrize("ending", ["pt2", "onnx"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(small, tmp_path, ending):
    """torch's own writer of .pt2 ends the process there."""
    (tmp_path / f"m.{ending}").symlink_to("/dev/full")
    with pytest.raises(ArchspecError, match=rf"cannot write .*m\.{ending}: No space left on device"):
        small.write(tmp_path / f"m.{ending}", seed=0)
    assert [path.name for path in tmp_path.iterdir()] == [f"m.{ending}"]


FAMILIES = {
    "tokens": (
        [12],
        """
  - embedding: {num_embeddings: 20, embedding_dim: 16}
  - add: [identity, {parameter: {shape: [12, 16], std: 0.5}}]
  - scaled_dot_product_attention:
      q: [{linear: {out_features: 16}}, {unflatten: {dim: -1, unflattened_size: [4, 4]}}, transpose, rotary]
      k: [{linear: {out_features: 8}}, {unflatten: {dim: -1, unflattened_size: [2, 4]}}, transpose, rotary]
      v: [{linear: {out_features: 8}}, {unflatten: {dim: -1, unflattened_size: [2, 4]}}, transpose]
    is_causal: true
    enable_gqa: true
    window: 5
  - transpose
  - flatten: {start_dim: 2}
  - rms_norm
  - mean: {dim: 1}
""",
    ),
    "a sequence": (
        [6, 20],
        """
  - conv1d: {out_channels: 8, kernel_size: 3, dilation: 2, padding: [4, 0]}
  - max_pool1d: {kernel_size: 3, stride: 2, padding: tf_same}
  - conv_transpose1d: {out_channels: 8, kernel_size: 2, stride: 2}
  - adaptive_avg_pool1d: {output_size: 10}
  - permute: {dims: [2, 1]}
  - gru: {hidden_size: 5, bidirectional: true}
  - lstm: {hidden_size: 4, num_layers: 2}
  - rnn: {hidden_size: 3, return_sequences: false}
  - softplus
""",
    ),
    "a volume": (
        [2, 4, 6, 6],
        """
  - conv3d: {out_channels: 4, kernel_size: 3, stride: [1, 2, 2], padding: tf_same}
  - group_norm: {num_groups: 2}
  - mish
  - avg_pool3d: {kernel_size: [2, 1, 1]}
  - global_max_pool
""",
    ),
    "windows of an image": (
        [6, 8, 8],
        """
  - roll: {shifts: [-2, -2], dims: [2, 3]}
  - patches: {patch_size: 4}
  - unflatten: {dim: 2, unflattened_size: [2, 3, 16]}
  - transpose: {dim0: -1, dim1: -2}
  - scaled_dot_product_attention:
      - identity
      - sigmoid
      - identity
      - {relative_position_bias: {window_size: 4, num_heads: 2, shift_size: 2}, from: input}
  - flatten: {start_dim: 1, end_dim: 3}
  - scaled_dot_product_attention: [identity, sigmoid, tanh]
""",
    ),
    "an image": (
        [4, 8, 6],
        """
  - pad: {padding: [1, 2], mode: reflect}
  - instance_norm: {affine: true}
  - crop: {cropping: [1, 1, 2, 2]}
  - roll: {shifts: [2, -1], dims: [2, 3]}
  - conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: tf_same}
  - pixel_shuffle: {upscale_factor: 2}
  - maximum: [identity, {pixel_unshuffle: {downscale_factor: 1}}]
  - resize: {size: [6, 9], mode: bilinear}
  - mul: [identity, {parameter: {shape: [2, 1, 1], fill: 0.5}}]
  - stochastic_depth: {p: 0.1}
  - quantise: {scale: 1/8}
  - dequantise: {scale: 1/8}
  - patches: {patch_size: 3}
  - matmul: [identity, {transpose: {}}]
  - power: {exponent: 2}
  - select: {dim: 1, index: -1}
  - narrow: {length: 2}
  - exp
""",
    ),
}


SLOW = {"a sequence", "a volume", "windows of an image"}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("family", FAMILIES)
def test_onnx_has_the_operators_of_every_family(family, tmp_path, request):
    pytest.importorskip("onnxscript")
    if family in SLOW and not request.config.option.long:
        pytest.skip("torch's exporter takes its time: --long")
    shape, steps = FAMILIES[family]
    arch = archspec.loads(f"archspec: 1\nname: tried\ninput: {shape}\nnetwork:{steps}")
    network, path = arch.expand(), tmp_path / "model.onnx"
    model = arch.to_torch(seed=1).eval()
    export(model, network, path)
    for batch in (1, 3):
        (x,) = drawn(arch.expand(batch=batch), 2)
        with torch.no_grad():
            torch.testing.assert_close(of_onnx(path, x), model(x), rtol=1e-4, atol=1e-5)
