"""Every network of the zoo → module → import: the same counts layer by layer, the same closed form in the side.

A sample runs in every test run; --long runs the whole zoo, and the way over ONNX with all names and values kept.
"""

import io

import pytest

import archspec
from archspec.language import dumps, loads, zoo

torch = pytest.importorskip("torch")
from archspec.importing import document_of  # noqa: E402
from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.layout import laid_out  # noqa: E402
from archspec.importing.outputs import carried, difference_of  # noqa: E402

SAMPLE = ("mobilenet_v2", "lenet_5")
NO_IMPORT = {
    "binary_convolution",  # its layers are written as arithmetic on signs
    "siamese",  # two inputs, shared weights
    "unet",  # crops by a negative padding
    "vit",  # learned tensors in the sum and in front
    "gpt2",  # words are no images
}

FREE_OF_COST = {"identity", "dropout"}


def names(config):
    return sorted(set(zoo.names()) - NO_IMPORT) if config.getoption("--long", False) else SAMPLE


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", names(metafunc.config))


def costs(arch, **more):
    """What each layer costs, those left out that cost nothing."""
    rows = arch.count(**more).rows
    return [(r.operator, tuple(r.output), r.params, r.macs) for r in rows if r.operator not in FREE_OF_COST]


def in_any_order(rows):
    return sorted(rows, key=str)


@pytest.mark.no_cover
def test_a_network_of_the_zoo_comes_back(name):
    arch = archspec.load(name)
    sizes = arch.expand().input.shape[1:]
    model = arch.to_torch(device="meta")
    found = document_of(exported(model, (2, *sizes), name))
    again = archspec.Architecture(loads(laid_out(found.document, found.notes)))
    assert in_any_order(costs(again)) == in_any_order(costs(arch))
    for quantity in ("params", "buffers", "macs", "flops", "activations"):
        assert getattr(again.count(), quantity) == getattr(arch.count(), quantity)
    if "side" in again.symbols and "side" in arch.symbols:
        ours, theirs = arch.formula("macs", free=("side",)), again.formula("macs", free=("side",))
        assert all(ours(side=side) == theirs(side=side) for side in (224, 231, 320))
    assert scalars(again.document) <= 1.5 * scalars(arch.document)


def scalars(document):
    """How many words and numbers the text has, without what only a person knows: sources, letters, symbols."""
    from ruamel.yaml import YAML

    tree = YAML(typ="safe").load(dumps(document))
    return sum(_scalars(tree.get(key, [])) for key in ("blocks", "network", "let", "lookups", "input"))


def _scalars(value):
    if isinstance(value, dict):
        return sum(1 + _scalars(inner) for key, inner in value.items() if key not in {"letters", "source", "doc"})
    return sum(map(_scalars, value)) if isinstance(value, list) else value is not None


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore")
def test_over_onnx_with_all_names_and_values_kept(name, tmp_path, pytestconfig):
    pytest.importorskip("onnxscript")
    if name != "lenet_5" and not pytestconfig.getoption("--long", False):
        pytest.skip("in --long")
    from archspec.importing.onnx_file import read_onnx

    arch = archspec.load(name)
    sizes = arch.expand().input.shape[1:]
    model = arch.to_torch(seed=0).eval()
    program = torch.onnx.export(
        model,
        (torch.zeros(2, *sizes),),
        dynamo=True,
        optimize=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    stream = io.BytesIO()
    program.model_proto and stream.write(program.model_proto.SerializeToString())
    (tmp_path / "net.onnx").write_bytes(stream.getvalue())
    program = read_onnx(tmp_path / "net.onnx")
    found = document_of(program)
    again = archspec.Architecture(found.document)
    assert again.count().macs == arch.count().macs
    assert difference_of(found, carried(found), program, model) < 1e-4
    kept = [row for row in costs(again) if row[2]]
    wanted = [row for row in costs(arch) if row[2]]
    assert [row[:2] for row in in_any_order(kept)] == [row[:2] for row in in_any_order(wanted)]
