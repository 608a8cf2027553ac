"""A trained network in 8-bit integers: how many images it has right, what the file holds, what is refused."""

import os

import pytest

from archspec.errors import ArchspecError
from archspec.train import Recipe, data, evaluate, fit, quantise

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


@pytest.fixture
def trained(tiny, tmp_path):
    return fit(tiny, "digits", Recipe(epochs=4, lr=0.1, batch=64), out=tmp_path / "run").out / "best.safetensors"


def test_a_file_of_integers_says_as_much_as_the_network(tiny, trained, tmp_path):
    found = quantise(tiny, trained, tmp_path / "tiny.onnx", "digits", images=100)
    digits = data.load("digits", (1, 8, 8), 10)
    assert found.images == len(digits.test)
    assert found.calibration == 100
    assert found.before == evaluate(tiny, trained, "digits").right
    assert found.before > 0.8 * found.images
    assert abs(found.after - found.before) < 0.03 * found.images
    assert found.file.bytes == os.path.getsize(tmp_path / "tiny.onnx") < found.float_bytes
    assert repr(found).startswith("<QuantisedModel tiny.onnx")
    right = f"{100 * found.after / 360:.2f} % of 360 test images right"
    assert str(found).endswith(f"{right}, 100 calibration images")

    model = onnx.load(tmp_path / "tiny.onnx")
    assert {each.key: each.value for each in model.metadata_props}["archspec.quantised"].startswith("int8")
    whole = {each.name: each.data_type for each in model.graph.initializer if len(each.dims) > 1}
    assert set(whole.values()) == {onnx.TensorProto.INT8}, whole


def test_what_cannot_hold_integers_is_refused_before_anything_is_read(tiny, tmp_path):
    with pytest.raises(ArchspecError, match=r"'tiny.pt2' cannot hold 8-bit integers; a file that ends in .onnx can"):
        quantise(tiny, "no.safetensors", tmp_path / "tiny.pt2", "digits")
