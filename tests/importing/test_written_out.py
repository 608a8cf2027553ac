"""What is an operator here and written out in a program: windows, angles, one-bit layers, TensorFlow's padding."""

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand

torch = pytest.importorskip("torch")
from archspec.importing import document_of  # noqa: E402
from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.outputs import carried, difference_of, onnx_runner  # noqa: E402

WINDOWS = """
archspec: 1
name: windows
symbols:
  height: {default: 4, range: [1, 8]}
  width: {default: 2, range: [1, 8]}
  down: {default: 0, range: [0, 8]}
  right: {default: 0, range: [0, 8]}
input: [3, 8, 6]
network:
  - {conv2d: {out_channels: 12, kernel_size: 1}, as: qkv}
  - patches: {patch_size: [height, width]}
  - {unflatten: {dim: 2, unflattened_size: [3, 2, 2, height * width]}, as: heads}
  - scaled_dot_product_attention:
      q: [{select: {index: 0, dim: 2}}, {transpose: {dim0: -1, dim1: -2}}]
      k: [{select: {index: 1, dim: 2}}, {transpose: {dim0: -1, dim1: -2}}]
      v: [{select: {index: 2, dim: 2}}, {transpose: {dim0: -1, dim1: -2}}]
      bias:
        - relative_position_bias: {window_size: [height, width], num_heads: 2, shift_size: [down, right]}
          from: qkv
    as: scores
"""


def facts(arch, **bound):
    return [(row.operator, row.output, row.params, row.macs) for row in arch.count(bound, batch=2).rows]


def positions(document):
    """What torch's module of the bias is made with."""
    network = expand(document)
    (node,) = (node for node in network.nodes if node.operator.name == "relative_position_bias")
    return node.operator.torch_call(*network.inputs_of(node)).kwargs


@pytest.mark.parametrize(
    "bound",
    [
        {},
        {"down": 1, "right": 1},
        {"down": 3},
        {"right": 1},
        {"height": 8, "width": 6},
        {"height": 2, "width": 3, "down": 1, "right": 2},
    ],
    ids=str,
)
def test_windows_and_how_far_they_were_moved(bound, randomised):
    arch = archspec.loads(WINDOWS)
    model = randomised(arch.to_torch(bound))
    program = exported(model, (2, 3, 8, 6), "windows")
    found = document_of(program)
    assert sorted(facts(archspec.Architecture(found.document))) == sorted(facts(arch, **bound))
    given = {"height": 4, "width": 2, "down": 0, "right": 0, **bound}
    read = positions(found.document)
    assert read["window_size"] == (given["height"], given["width"])
    assert read["shift_size"] == (given["down"], given["right"])
    assert difference_of(found, carried(found), program, model) == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "optimised"])
def test_windows_over_onnx(keep, tmp_path, randomised):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    from archspec.importing.onnx_file import read_onnx

    arch, bound, file = archspec.loads(WINDOWS), {"down": 1, "right": 1}, tmp_path / "net.onnx"
    weights = {key: value.detach() for key, value in randomised(arch.to_torch(bound)).state_dict().items()}
    arch.write(file, bound, weights=weights, keep=keep)
    program = read_onnx(file)
    found = document_of(program)
    assert sorted(facts(archspec.Architecture(found.document))) == sorted(facts(arch, **bound))
    assert difference_of(found, carried(found), program, onnx_runner(str(file))) < 1e-5


class Masked(torch.nn.Module):
    """The windows with another mask: all pixels of the first window are parted from each other."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.scores = inner, next(m for m in inner.modules() if type(m).__name__ == "WindowBias")
        part = torch.zeros(1, 6, 1, 8, 8, dtype=torch.bool)
        part[0, 0, 0] = ~torch.eye(8, dtype=torch.bool)
        self.register_buffer("part", part)
        forward = self.scores.forward
        self.scores.forward = lambda x: forward(x).masked_fill(self.part, float("-inf"))

    def forward(self, x):
        return self.inner(x)


def test_a_mask_that_parts_other_pixels_is_refused():
    model = Masked(archspec.loads(WINDOWS).to_torch())
    with pytest.raises(ArchspecError, match="no operator of the language computes"):
        document_of(exported(model, (2, 3, 8, 6), "windows"))


ANGLES = """
archspec: 1
name: angles
input: [4, 6, 8]
network:
  - {rotary: {base: 500, interleaved: true}}
  - rotary
"""


@pytest.mark.filterwarnings("ignore")
def test_angles_of_a_file_that_was_optimised(tmp_path):
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package)
    from archspec.importing.onnx_file import read_onnx

    arch = archspec.loads(ANGLES)
    arch.write(tmp_path / "net.onnx")
    found = archspec.Architecture(document_of(read_onnx(tmp_path / "net.onnx")).document)
    assert [node.operator for node in found.expand().nodes] == [node.operator for node in arch.expand().nodes]


class Learned(torch.nn.Module):
    """Angles that are parameters, and begin as those of rotary embedding."""

    def __init__(self):
        super().__init__()
        angles = torch.outer(torch.arange(6.0), 10000 ** -(torch.arange(0, 8, 2) / 8))
        self.cos, self.sin = (torch.nn.Parameter(torch.cat((f, f), -1)) for f in (angles.cos(), angles.sin()))

    def forward(self, x):
        return x * self.cos + torch.cat((-x[..., 4:], x[..., :4]), -1) * self.sin


def test_angles_that_are_learned_are_parameters():
    arch = archspec.Architecture(document_of(exported(Learned(), (2, 4, 6, 8))).document)
    assert arch.count().params == 2 * 6 * 8
    assert "rotary" not in {node.operator.name for node in arch.expand().nodes}


class NearlyOneBit(torch.nn.Module):
    """A convolution by what is nearly the sign of its weights."""

    def __init__(self, function):
        super().__init__()
        self.weight, self.function = torch.nn.Parameter(torch.randn(4, 3, 3, 3)), function

    def forward(self, x):
        return torch.nn.functional.conv2d(x, self.function(self.weight)) * 0.5


@pytest.mark.parametrize(
    "function",
    [
        lambda w: (w >= 0.5).float() * 2 - 1,
        lambda w: (w >= 0).float() * 2,
        lambda w: w.clamp(-1, 1),
        lambda w: (w >= 0).float() * 2 - 1 + w.clamp(-1, 1),
    ],
)
def test_weights_that_are_computed_otherwise_are_refused(function):
    with pytest.raises(ArchspecError, match="its weight is computed, not an array of the model"):
        document_of(exported(NearlyOneBit(function), (2, 3, 8, 8)))


def test_signs_without_the_factor_of_a_channel_are_refused():
    model = NearlyOneBit(lambda w: (w >= 0).float() * 2 - 1)
    with pytest.raises(ArchspecError, match="binary_conv2d"):
        document_of(exported(model, (2, 3, 8, 8)))


PADDED = """
archspec: 1
name: padded
symbols:
  side: {default: 16, range: [8, 64]}
input: [3, side, side]
blocks:
  conv:
    args: {c: required}
    body:
      - {conv2d: {out_channels: c, kernel_size: 3, stride: 2, padding: tf_same}}
      - relu
network:
  - {conv: {c: 8}, as: first}
  - {conv: {c: 8}, as: second}
  - max_pool2d: {kernel_size: 3, stride: 2, padding: tf_same}
  - global_avg_pool
"""


def padded_at(side, text=PADDED):
    from archspec.importing.reading import read

    return read(exported(archspec.loads(text).to_torch(side=side), (2, 3, side, side), "padded"))


@pytest.mark.parametrize("sides", [(16, 17), (17, 16), (16, 17, 22)], ids=str)
def test_two_sides_tell_the_padding_of_tensorflow(sides):
    from archspec.importing.instances import of_instances

    found = of_instances({"side": sides}, lambda bound: padded_at(bound["side"]))
    again, arch = archspec.Architecture(found.document), archspec.loads(PADDED)
    assert found.notes == ()
    assert [node.operator for node in again.expand().nodes] == [node.operator for node in arch.expand().nodes]
    for side in range(8, 40):
        assert facts(again, side=side) == facts(arch, side=side)


def test_a_padding_that_is_the_same_at_both_sides_stays_what_it_is():
    from archspec.importing.instances import of_instances

    text = PADDED.replace("tf_same}}", "[0, 1, 0, 1]}}")
    found = of_instances({"side": (16, 20)}, lambda bound: padded_at(bound["side"], text))
    paddings = [
        node.operator.settings().get("padding") for node in archspec.Architecture(found.document).expand().nodes
    ]
    assert paddings[0] == (0, 1, 0, 1)


def test_of_one_side_it_is_said_that_the_padding_may_be_tensorflows():
    from archspec.importing.document import imported

    (note,) = imported(padded_at(16)).notes
    assert note.startswith("the padding of first/conv2d and 1 more, [0, 1, 0, 1], is what TensorFlow's (tf_same) is")
    assert "--vary side=16,17" in note
    assert imported(padded_at(17)).notes == ()
