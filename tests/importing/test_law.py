"""Every network of the zoo → module → import: the same counts layer by layer, the same closed form in the side.

A sample runs in every test run, none over ONNX, whose exporter is slow; --long runs the whole law of
`benchmarks.import_law` over all ways.
"""

import pytest

import archspec
from archspec.language import dumps, loads, zoo
from benchmarks.import_law import SECOND, WAYS, law

torch = pytest.importorskip("torch")
from archspec.importing import document_of  # noqa: E402
from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.layout import laid_out  # noqa: E402

SAMPLE = ("ds_cnn", "lenet_5")
LISTED = {"bert", "fpn_resnet50", "gpt2", "llama", "siamese", "ssdlite_mobilenet_v3"}
"""Of several inputs or outputs, or with weights used twice: one step a node, so that their texts are longer."""

FACTORS = {"lraspp_mobilenet_v3"}
"""At their own sides new sizes are whole factors of the old ones, and read as such."""

WORDY = {"acoustic_model", "swin"}
"""Layers that no module holds, and that a person writes as one repeat; blocks of which every second is another."""


def names(config):
    return sorted(zoo.names()) if config.getoption("--long", False) else SAMPLE


def ways(config):
    """Networks and the ways on which they go."""
    if config.getoption("--long", False):
        return [(name, way) for name in names(config) for way in WAYS]
    return [("siamese", "torch")]


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names(metafunc.config))
    if "way" in metafunc.fixturenames:
        metafunc.parametrize("network, way", ways(metafunc.config))


@pytest.mark.filterwarnings("ignore")
def test_the_law_of_the_zoo(network, way):
    for package in ("onnx", "onnxscript", "onnxruntime") if way != "torch" else ():
        pytest.importorskip(package)
    reason = law(network, way).reason
    assert not reason


def costs(arch, **more):
    """What each layer costs, those left out that cost nothing."""
    rows = arch.count(**more).rows
    return [(r.operator, tuple(r.output), r.params, r.macs) for r in rows if r.operator not in {"identity", "dropout"}]


def in_any_order(rows):
    return sorted(rows, key=str)


def test_a_network_of_the_zoo_comes_back(name):
    if name in {*LISTED, *SECOND, *FACTORS} or len(archspec.load(name).expand().inputs) > 1:
        pytest.skip("the law above is of it")
    arch = archspec.load(name)
    sizes = arch.expand().input.shape[1:]
    model = arch.to_torch(device="meta")
    found = document_of(exported(model, (2, *sizes), name))
    again = archspec.Architecture(loads(laid_out(found.document, found.notes)))
    assert in_any_order(costs(again)) == in_any_order(costs(arch))
    assert name in WORDY or scalars(again.document) <= 1.5 * scalars(arch.document)


def scalars(document):
    """How many words and numbers the text has, without what only a person knows: sources, letters, symbols."""
    from ruamel.yaml import YAML

    tree = YAML(typ="safe").load(dumps(document))
    return sum(_scalars(tree.get(key, [])) for key in ("blocks", "network", "let", "lookups", "input"))


def _scalars(value):
    if isinstance(value, dict):
        return sum(1 + _scalars(inner) for key, inner in value.items() if key not in {"letters", "source", "doc"})
    return sum(map(_scalars, value)) if isinstance(value, list) else value is not None
