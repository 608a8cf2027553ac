"""ONNX of both of torch's exporters: each pattern is its operator; what is folded is read as folded."""

import io
import logging

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand

onnx = pytest.importorskip("onnx")
torch = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
from archspec.importing import document_of  # noqa: E402
from archspec.importing.onnx_file import read_onnx  # noqa: E402
from archspec.importing.outputs import carried, difference_of, onnx_runner  # noqa: E402

from .modules import MODULES  # noqa: E402


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize(
    "name",
    [
        "conv",
        "batch_norm",
        "linear_no_bias",
        "relu6",
        "shuffle",
        "halves",
        "gate",
        "pixels",
        "gelu_tanh",
        "layer_norm",
        "global",
    ],
)
def test_the_older_exporter(name, opset, tmp_path, randomised):
    make, sizes, operators = MODULES[name]
    file = tmp_path / "net.onnx"
    stream = io.BytesIO()
    torch.onnx.export(randomised(make()), torch.zeros(2, *sizes), stream, opset_version=opset, dynamo=False)
    file.write_bytes(stream.getvalue())
    program = read_onnx(file)
    found = document_of(program)
    names = [node.operator.name for node in expand(found.document).nodes if node.operator.name != "identity"]
    assert sorted(names) == sorted(operators)
    assert difference_of(found, carried(found), program, onnx_runner(str(file))) < 1e-5


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["multihead_attention", "multihead_attention_causal", "transformer_layer"])
def test_the_newer_exporter(name, tmp_path, randomised):
    make, sizes, operators = MODULES[name]
    file = str(tmp_path / "net.onnx")
    torch.onnx.export(randomised(make()), (torch.zeros(2, *sizes),), file, dynamo=True, verbose=False)
    program = read_onnx(file)
    found = document_of(program)
    names = [node.operator.name for node in expand(found.document).nodes if node.operator.name != "identity"]
    assert sorted(names) == sorted(operator for operator in operators if operator != "dropout")
    assert difference_of(found, carried(found), program, onnx_runner(file)) < 1e-5


class Unit(torch.nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv = torch.nn.Sequential(torch.nn.Conv2d(into, out, 3, stride, 1), torch.nn.BatchNorm2d(out))
        self.shortcut = torch.nn.Conv2d(into, out, 1, stride) if stride > 1 or into != out else torch.nn.Identity()

    def forward(self, x):
        return torch.relu(self.conv(x) + self.shortcut(x))


def units(*settings):
    return torch.nn.Sequential(torch.nn.Sequential(*(Unit(*each) for each in settings)))


@pytest.mark.filterwarnings("ignore")
def test_modules_whose_classes_are_unknown_are_compared_by_their_members(tmp_path):
    file = tmp_path / "net.onnx"
    model = units((3, 8, 1), (8, 8, 1), (8, 8, 1), (8, 16, 2), (16, 16, 1)).eval()
    torch.onnx.export(model, torch.zeros(1, 3, 16, 16), str(file), dynamo=False)
    found = document_of(read_onnx(file))
    assert len(found.document.blocks) == 1
    (table,) = found.document.network
    assert [str(row[-1]) for row in table.table.rows] == ["3", "2"]
    assert archspec.Architecture(found.document).count().macs == 16 * 16 * (3 * 8 * 10 + 2 * 8 * 8 * 9) + 64 * (
        8 * 16 * 10 + 16 * 16 * 9
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("newer", [True, False])
def test_equal_arrays_of_a_model_that_is_not_trained_are_each_layers_own(tmp_path, newer):
    file = tmp_path / "net.onnx"
    net = torch.nn.Sequential(*(part for _ in range(3) for part in (torch.nn.Linear(5, 5), torch.nn.LayerNorm(5))))
    torch.onnx.export(net.eval(), torch.zeros(1, 5), str(file), dynamo=newer, verbose=False)
    found = document_of(read_onnx(file))
    assert archspec.Architecture(found.document).count().params == sum(p.numel() for p in net.parameters())
    assert any(note.startswith("4 arrays of one number over and over") for note in found.notes)


class Named(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.other = torch.nn.Conv2d(3, 3, 1), torch.nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        return torch.relu(x + self.conv(x))


@pytest.mark.filterwarnings("ignore")
def test_branches_and_steps_never_have_one_name(tmp_path):
    net = torch.nn.Sequential(Named(), Named())
    net.conv, net.conv_2 = torch.nn.Conv2d(3, 5, 3), torch.nn.Conv2d(5, 5, 3)
    torch.onnx.export(net.eval(), torch.zeros(1, 3, 9, 9), str(tmp_path / "net.onnx"), dynamo=False)
    found = document_of(read_onnx(tmp_path / "net.onnx"))
    assert not any("no structure" in note for note in found.notes)


class States(torch.nn.Module):
    """The sequence of a recurrent layer, or what a projection makes of it."""

    def __init__(self, kind, **more):
        super().__init__()
        self.layer = kind(8, 6, batch_first=True, **more)

    def forward(self, x):
        return self.layer(x)[0]


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_states_that_the_newer_exporter_makes_arrays_of_are_zeros(kind, tmp_path, randomised):
    file, model = tmp_path / "net.onnx", randomised(States(kind))
    torch.onnx.export(model, (torch.zeros(2, 5, 8),), file, dynamo=True, verbose=False)
    program = read_onnx(file)
    found = document_of(program)
    assert archspec.Architecture(found.document).count().params == sum(p.numel() for p in model.parameters())
    assert difference_of(found, carried(found), program, onnx_runner(str(file))) < 1e-5


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore")
def test_a_projection_of_the_newer_exporter_is_refused_as_one(tmp_path):
    model = States(torch.nn.LSTM, proj_size=4)
    torch.onnx.export(model, (torch.zeros(2, 5, 8),), tmp_path / "net.onnx", dynamo=True, verbose=False)
    with pytest.raises(
        ArchspecError, match=r"states of 1×2×6, not with 4 numbers each: torch's exporter writes a proj"
    ):
        archspec.from_onnx(tmp_path / "net.onnx")


def heard(caplog):
    """What of the logs a person would see."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_libraries_say_nothing_of_their_own(tmp_path, caplog, capfd):
    """A constant that cannot be folded: onnxscript logs it, and the file is refused by us alone."""
    shape = onnx.helper.make_tensor("s", 7, [2], [3, 5])
    held = onnx.helper.make_tensor("h", 7, [4], [1, 2, 3, 4])
    nodes = [node("Reshape", ["h", "s"], ["r"]), node("Add", ["x", "r"], ["y"])]
    with pytest.raises(ArchspecError):
        archspec.from_onnx(saved(tmp_path, nodes, [shape, held]))
    assert (heard(caplog), *capfd.readouterr()) == ([], "", "")


class Wrong(torch.nn.Module):
    """What no tensor can do: torch's exporter logs a page about it."""

    def forward(self, x):
        return torch.nn.functional.avg_pool2d(x, 9)


def test_an_exporter_says_nothing_of_its_own(caplog, capfd):
    with pytest.raises(ArchspecError, match=r"Wrong cannot be exported: .*Output size is too small"):
        archspec.from_torch(Wrong(), (2, 3, 4, 4))
    assert (heard(caplog), *capfd.readouterr()) == ([], "", "")


NET = """
archspec: 1
name: net
input: [3, 9, 9]
network:
  - {conv2d: {out_channels: 8, kernel_size: 3, stride: 2, bias: false}, as: stem}
  - batch_norm
  - relu6
  - add: [{conv2d: {out_channels: 8, kernel_size: 3, padding: same}}, identity]
  - global_avg_pool
  - {linear: {out_features: 5}, as: fc}
"""


def test_our_own_file_is_read_as_folded(tmp_path):
    arch = archspec.loads(NET)
    arch.write(tmp_path / "net.onnx")
    program = read_onnx(tmp_path / "net.onnx")
    found = document_of(program)
    assert archspec.Architecture(found.document).count().macs == arch.count().macs
    assert found.notes[0].startswith("1 batch normalisations were folded into their convolutions")
    assert difference_of(found, carried(found), program, onnx_runner(str(tmp_path / "net.onnx"))) < 1e-5


def node(kind, inputs, outputs, **attributes):
    return onnx.helper.make_node(kind, inputs, outputs, **attributes)


def saved(tmp_path, nodes, arrays=(), sizes=(None, 3, 8, 8), opset=17):
    """A file of some nodes from x to y."""
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(nodes, "g", [info("x", 1, list(sizes))], [info("y", 1, None)], [*arrays])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "net.onnx"


def array(name, *shape, raw=None):
    tensor = onnx.TensorProto(name=name, dims=shape, data_type=1)
    count = 1
    for size in shape:
        count *= size
    tensor.raw_data = raw if raw is not None else b"\0\0\0\0" * count
    return tensor


@pytest.mark.parametrize(
    ("word", "side", "pads"), [("SAME_UPPER", 8, (0, 1)), ("SAME_LOWER", 8, (1, 0)), ("SAME_UPPER", 7, (1, 1))]
)
def test_padding_that_depends_on_the_side(tmp_path, word, side, pads):
    conv = node("Conv", ["x", "w"], ["y"], strides=[2, 2], auto_pad=word, kernel_shape=[3, 3])
    file = saved(tmp_path, [conv], [array("w", 4, 3, 3, 3)], (None, 3, side, side))
    (found,) = expand(archspec.from_onnx(file)).nodes
    assert found.output.shape == (1, 4, 4, 4)
    before, behind = pads
    expected = "same" if before == behind else (before, behind, before, behind)
    assert found.operator.padding == expected


def test_torch_is_not_needed(tmp_path):
    import subprocess
    import sys

    file = saved(tmp_path, [node("Relu", ["x"], ["y"])])
    code = f"""
import sys
sys.modules["torch"] = None
import archspec
from archspec.language import dumps
print(dumps(archspec.from_onnx({str(file)!r})))
"""
    assert "relu" in subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def outside(tmp_path):
    tensor = onnx.TensorProto(name="w", dims=(4, 3, 3, 3), data_type=1, data_location=1)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return saved(tmp_path, [node("Conv", ["x", "w"], ["y"])], [tensor])


def missing(tmp_path):
    tensor = onnx.TensorProto(name="w", dims=(4, 3, 3, 3), data_type=1, data_location=1)
    tensor.external_data.add(key="location", value="weights.bin")
    return saved(tmp_path, [node("Conv", ["x", "w"], ["y"])], [tensor])


def cyclic(tmp_path):
    return saved(tmp_path, [node("Relu", ["b"], ["a"]), node("Add", ["a", "x"], ["b"]), node("Relu", ["b"], ["y"])])


def truncated(tmp_path):
    file = saved(tmp_path, [node("Conv", ["x", "w"], ["y"])], [array("w", 4, 3, 3, 3)])
    file.write_bytes(file.read_bytes()[:200])
    return file


HOSTILE = {
    "parts that are not there": (
        lambda p: saved(p, [node("Split", ["x"], ["y", "z"], axis=1, num_outputs=1)], opset=18),
        "a Split gives 2 results, and says another number of parts",
    ),
    "a billion elements": (
        lambda p: saved(p, [node("Conv", ["x", "w"], ["y"])], [array("w", 10**6, 10**3, raw=b"\0" * 64)]),
        "the array w says 1,000,000,000 elements, and has fewer",
    ),
    "a size below zero": (
        lambda p: saved(p, [node("Conv", ["x", "w"], ["y"])], [array("w", -4, 3, 3, 3, raw=b"")]),
        "a size below zero",
    ),
    "outside": (outside, "lies outside the file's folder"),
    "missing": (missing, "lies in weights.bin, which is not there"),
    "a cycle": (cyclic, "Relu reads b before anything makes it: a cycle"),
    "an unknown opset": (lambda p: saved(p, [node("Relu", ["x"], ["y"])], opset=99), "is of opset 99"),
    "truncated": (truncated, "net.onnx: "),
    "a free height": (
        lambda p: saved(p, [node("Relu", ["x"], ["y"])], sizes=(None, 3, None, 8)),
        "axis 2 of the input x is free",
    ),
    "unknown operators": (
        lambda p: saved(p, [node("Sin", ["x"], ["a"]), node("Cos", ["a"], ["b"]), node("Sin", ["b"], ["y"])]),
        r"(?s)onnx.Sin \(2×.*onnx.Cos \(1×",
    ),
    "a huge constant": (
        lambda p: saved(
            p,
            [node("ConstantOfShape", ["s"], ["c"]), node("Mul", ["x", "c"], ["y"])],
            [onnx.helper.make_tensor("s", 7, (2,), [10**6, 10**6])],
        ),
        "onnx",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_bad_files_are_refused_in_a_sentence(what, tmp_path):
    make, message = HOSTILE[what]
    with pytest.raises(ArchspecError, match=message):
        archspec.from_onnx(make(tmp_path))


def test_a_quantised_file_has_its_layers_and_the_activations_that_its_ranges_are(tmp_path):
    numpy_helper, np = onnx.numpy_helper, pytest.importorskip("numpy")
    narrow = np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    arrays = [
        numpy_helper.from_array(narrow, "w_quantized"),
        numpy_helper.from_array(np.full(4, 0.01, np.float32), "w_scale"),
        numpy_helper.from_array(np.zeros(4, np.int8), "w_zero"),
        numpy_helper.from_array(np.float32(0.05), "scale"),
        numpy_helper.from_array(np.uint8(128), "middle"),
        numpy_helper.from_array(np.uint8(0), "least"),
    ]
    nodes = [
        node("QuantizeLinear", ["x", "scale", "middle"], ["xq"]),
        node("DequantizeLinear", ["xq", "scale", "middle"], ["xd"]),
        node("DequantizeLinear", ["w_quantized", "w_scale", "w_zero"], ["w"], axis=0),
        node("Conv", ["xd", "w"], ["c"], kernel_shape=[3, 3]),
        node("QuantizeLinear", ["c", "scale", "least"], ["cq"]),
        node("DequantizeLinear", ["cq", "scale", "least"], ["cd"]),
        node("MaxPool", ["cd"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("QuantizeLinear", ["p", "scale", "least"], ["pq"]),
        node("DequantizeLinear", ["pq", "scale", "least"], ["y"]),
    ]
    found = document_of(read_onnx(saved(tmp_path, nodes, arrays)))
    assert [each.operator.name for each in expand(found.document).nodes] == ["conv2d", "relu", "max_pool2d"]
    (weight,) = carried(found).values()
    assert np.allclose(weight.numpy(), narrow * np.float32(0.01))
    assert "quantised" in found.notes[0]
