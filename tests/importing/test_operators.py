"""Every operator of the language → module → import is that operator again, with its settings and counts, or is listed.

One sample of each over torch.export in every run, and one over ONNX; with --long every sample over both.
"""

import logging
import warnings

import pytest

import archspec
from archspec import ops
from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.language.document import Call, Document

torch = pytest.importorskip("torch")

from samples import SAMPLES  # noqa: E402  # tests/ops

from archspec.importing import document_of  # noqa: E402
from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.outputs import carried, difference_of, onnx_runner  # noqa: E402

NOTHING = {"identity": "", "stochastic_depth": "", "dropout": "over ONNX"}
"""What is not there when a model is evaluated."""

REFUSED = {
    "quantise": "rounds, which no other operator does",
    "relative_position_bias": "is known beside the attention that it is of alone",
}
ONLY_TORCH = {
    "scaled_dot_product_attention-0.1-(1, 1, 5, 4)": "an attention's dropout is not in a file",
    "scaled_dot_product_attention-True-3-(2, 5, 4)": "the exporter writes attention of three axes as arithmetic",
    "adaptive_avg_pool2d-4-(1, 8, 6, 5)": "the exporter writes windows that overlap as a table of places",
    "adaptive_avg_pool3d-(1, 2, 3)-(1, 4, 2, 4, 6)": "the exporter refuses it",
    "batch_norm-False-(1, 8, 6, 5)": "the exporter writes statistics of the batch as arithmetic",
    "rnn-6-relu-False-(3, 5, 8)": "the exporter writes a step of the sequence after the other",
    "lstm-6-4-2-(3, 5, 8)": "the exporter writes a projection as a layer that nothing runs",
    "rnn-6-2-0.5-(3, 5, 8)": "the exporter writes a step of the sequence after the other",
}
"""What ONNX cannot carry, or torch's exporter does not; each was tried, and fails."""

WINDOWS = {
    **{f"adaptive_{kind}_pool{axes}d": f"{kind}_pool{axes}d" for kind in ("avg", "max") for axes in (1, 2)},
}
"""What the exporter writes windows that do not overlap as."""

SAME_AS = {
    "dequantise": {"add_scalar", "mul_scalar"},
    "adaptive_max_pool3d": {"global_max_pool"},
    "mean": {"global_avg_pool"},
    "narrow": {"split"},
    "pad": {"zero_pad"},
    "reshape": {"flatten", "unflatten"},
}
"""What other operators say as well, one alone or one after the other."""

OPAQUE = {"opaque", "opaque_join"}
"""What stands for all that is unknown."""

BEGINNINGS = frozenset({"init", "fill", "std", "dropout", "dropout_p"})
"""Settings of training, which no program of an evaluation has."""


def of_one(sample):
    """A network of one step."""
    inputs = {f"x{number}": shape[1:] for number, shape in enumerate(sample.inputs)}
    Document.model_rebuild()
    step = Call(name=sample.name, args=sample.settings, from_=tuple(inputs), as_="it")
    return Document(archspec=1, name="one", inputs=inputs, network=(step,))


def examples(network):
    return tuple(
        torch.zeros((2, *x.shape[1:]), dtype=torch.float32 if network.below(name) is None else torch.int64)
        for name, x in network.inputs.items()
    )


def settings(node, network):
    """What torch is called with, but for what a training begins with."""
    evaluated = {"dropout_p": 0} if "dropout_p" in node.operator.settings() else {}
    operator = type(node.operator)(**{**node.operator.settings(), **evaluated})
    call = operator.torch_call(*network.inputs_of(node))
    kwargs = {name: value for name, value in call.kwargs.items() if name not in BEGINNINGS}
    if kwargs.get("padding") == 0:
        kwargs.pop("count_include_pad", None)  # there is none to count
    rank = len(network.inputs_of(node)[0].shape)
    for name in ("dim", "dim0", "dim1"):
        if name in kwargs:
            kwargs[name] = from_the_front(kwargs[name], rank)
    return call.target, kwargs


def from_the_front(dim, rank):
    return tuple(sorted(each % rank for each in dim)) if isinstance(dim, tuple) else dim % rank


def agree(sample, document, found, program, run, tolerance=1e-5, same=frozenset()):
    """The operator that was read is the sample's, and gives what it gives."""
    before, after = (expand(each, batch=2) for each in (document, found.document))
    nodes = [each for each in after.nodes if each.operator.name != "identity"]
    assert {node.operator.name for node in nodes} <= {sample.name, *SAME_AS.get(sample.name, ()), *same}
    if nodes[0].operator.name == sample.name:
        (node,) = nodes
        assert settings(node, after) == settings(before.nodes[0], before)
    ours, theirs = (archspec.Architecture(each).count(batch=2) for each in (document, found.document))
    for quantity in ("params", "buffers", "macs", "flops"):
        assert getattr(theirs, quantity) == getattr(ours, quantity)
    assert difference_of(found, carried(found), program, run) < tolerance


def is_left(sample, way):
    return sample.name in NOTHING and NOTHING[sample.name] in {"", way}


def refusal(sample, way):
    if is_left(sample, way) or (sample.name == "split" and sample.settings["sections"] == 1):
        return "gives its input back|is no ONNX file, or one without nodes"
    if sample.name in REFUSED:
        return "no operator of the language computes"
    return ""


def is_lone(sample):
    """A join of one result, which no step but a branch can be."""
    return sample.name == "concat" and len(sample.inputs) == 1


EACH = [sample for sample in SAMPLES if sample.name not in OPAQUE and not is_lone(sample)]
FIRST = list({sample.name: sample for sample in reversed(EACH)}.values())
OFTEN = {
    "binary_conv2d",
    "rotary",
    "gru",
    "group_norm",
    "pixel_shuffle",
    "resize",
    "scaled_dot_product_attention",
    "patches",
    "roll",
}
ONNX = [sample for sample in FIRST if sample.name in OFTEN]
"""One of each family of rules; all of them by --long."""


def test_every_operator_has_a_sample():
    assert {sample.name for sample in EACH} | OPAQUE == set(ops.names())
    assert set(ONLY_TORCH) <= set(map(str, EACH))


def pytest_generate_tests(metafunc):
    long = metafunc.config.getoption("--long", False)
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", EACH if long else FIRST, ids=str)
    if "carried_by_onnx" in metafunc.fixturenames:
        metafunc.parametrize("carried_by_onnx", EACH if long else ONNX, ids=str)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_an_operator_comes_back_from_torch_export(sample, randomised):
    document = of_one(sample)
    model = randomised(archspec.Architecture(document).to_torch())
    program = exported(model, examples(expand(document)), "one")
    if message := refusal(sample, "torch"):
        with pytest.raises(ArchspecError, match=message):
            document_of(program)
        return
    agree(sample, document, document_of(program), program, model)


@pytest.mark.filterwarnings("ignore")
def test_an_operator_comes_back_from_onnx(carried_by_onnx, tmp_path, randomised):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    from archspec.importing.onnx_file import read_onnx

    sample, file = carried_by_onnx, tmp_path / "one.onnx"
    if str(sample) in ONLY_TORCH:
        pytest.skip(ONLY_TORCH[str(sample)])
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    document = of_one(sample)
    arch = archspec.Architecture(document)
    weights = {name: value.detach() for name, value in randomised(arch.to_torch()).state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arch.write(file, weights=weights, keep=True)
    if message := refusal(sample, "over ONNX"):
        with pytest.raises(ArchspecError, match=message):
            document_of(read_onnx(file))
        return
    program = read_onnx(file)
    agree(sample, document, document_of(program), program, onnx_runner(str(file)), 1e-4, {WINDOWS.get(sample.name)})
