"""Files that others write networks into: what they are, where one is taken for a specification."""

from collections.abc import Mapping
from pathlib import PurePath

GUIDE = "docs/language.md"

ENDINGS: Mapping[str, str] = {
    ".onnx": "an ONNX model",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TensorFlow Lite model",
    ".h5": "a Keras model",
    ".keras": "a Keras model",
    ".cfg": "a Darknet configuration",
    ".prototxt": "a Caffe network",
    ".caffemodel": "a file of Caffe weights",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".pt2": "an exported PyTorch program",
    ".safetensors": "a file of weights (--weights takes it)",
    ".npz": "a file of weights (--weights takes it)",
    ".py": "Python source",
    ".ipynb": "a notebook",
    ".mlmodel": "a Core ML model",
}
"""What a file with such an ending is."""

MAGIC: Mapping[bytes, str] = {
    b"PK\x03\x04": "a zip archive",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
}
"""What a file that begins so is."""


def foreign(name: str, data: bytes) -> str | None:
    """What a file is that is no specification; None if that is not known.

    >>> foreign("net.onnx", b""), foreign("net.yaml", b"archspec: 1")
    ('an ONNX model', None)
    """
    known = ENDINGS.get(PurePath(name).suffix.lower())
    begins = (what for begin, what in MAGIC.items() if data.startswith(begin))
    return known or next(begins, "a TensorFlow Lite model" if data[4:8] == b"TFL3" else None)
