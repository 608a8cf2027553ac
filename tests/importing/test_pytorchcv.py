"""Networks of pytorchcv: parameters and multiply-accumulates equal torch's to the unit, or the reason why not read.

One in every run; with --long all of docs/results/import.md.
"""

import re
import sys
import types
from fractions import Fraction
from importlib import import_module
from importlib.machinery import ModuleSpec

import pytest

import archspec
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
pytest.importorskip("pytorchcv")
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from archspec.importing.exported import exported  # noqa: E402
from archspec.importing.instances import of_instances  # noqa: E402
from archspec.importing.reading import read  # noqa: E402

REFUSED = {
    "diaresnet18": "~constant",
    "pyramidnet101_a360": "pads the channels",
    "irevnet301": "~stack",
}
READ = (
    "alexnet", "zfnet", "vgg11", "bn_vgg11", "vgg16", "bninception", "resnet10", "resnet18", "resnet50",
    "resnetbc26b", "preresnet18", "preresnet50", "resnext26_32x4d", "seresnet18", "seresnet50", "sepreresnet18",
    "seresnext50_32x4d", "senet16", "ibn_resnet50", "airnet50_1x64d_r2", "diracnet18v2", "densenet121",
    "sparsenet121", "peleenet", "wrn50_2", "drnc26", "darknet_ref", "darknet_tiny", "darknet19", "darknet53",
    "bagnet9", "dla34", "hrnet_w18_small_v1", "vovnet39", "selecsls42b", "hardnet39ds", "squeezenet_v1_0",
    "squeezeresnet_v1_1", "sqnxt23_w1", "shufflenet_g1_w1", "shufflenet_g8_w1", "shufflenetv2_w1",
    "shufflenetv2b_w1", "menet108_8x1_g3", "mobilenet_w1", "mobilenetb_w1", "fdmobilenet_w1", "mobilenetv2_w1",
    "mobilenetv2b_w1", "mobilenetv3_large_w1", "mobilenetv3_small_w1", "igcv3_w1", "mnasnet_b1", "mnasnet_a1",
    "proxylessnas_cpu", "fbnet_cb", "nasnet_4a1056", "sharesnet18",
    "bam_resnet18", "cbam_resnet18", "resattnet56", "dpn68", "ghostnet", "inceptionresnetv2", "polynet",
)  # fmt: skip

SIDES = {"inceptionresnetv2": 299, "polynet": 331}
"""The sides of images that others than of 224 are made for."""


@pytest.fixture
def made(monkeypatch):
    """A network by its name, on the meta device; pytorchcv asks for torchvision, and uses it in others."""
    for name in ("torchvision", "torchvision.ops"):
        module = types.ModuleType(name)
        module.__spec__, module.__path__, module.DeformConv2d = ModuleSpec(name, None), [], None
        monkeypatch.setitem(sys.modules, name, module)
    from pytorchcv.model_provider import get_model

    def make(name):
        with torch.device("meta"):
            return get_model(name, pretrained=False).eval()

    return make


def pytest_generate_tests(metafunc):
    long = metafunc.config.getoption("--long", False)
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", READ if long else ["squeezenet_v1_0"])
    if "scaled" in metafunc.fixturenames:
        metafunc.parametrize("scaled", SCALED if long else ["mobilenet"])
    if "refused" in metafunc.fixturenames:
        metafunc.parametrize("refused", REFUSED if long else ["diaresnet18"])


@pytest.mark.no_cover
def test_counts_equal_torchs(name, made):
    model, side = made(name), SIDES.get(name, 224)
    arch = archspec.Architecture(archspec.from_torch(model, (2, 3, side, side)))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side, device="meta"))
    assert arch.count().params == sum(value.numel() for value in model.parameters())
    assert 2 * arch.count().macs == counter.get_total_flops()


@pytest.mark.no_cover
def test_what_is_not_read_says_why(refused, made):
    with pytest.raises(ArchspecError, match=REFUSED[refused]):
        archspec.from_torch(made(refused), (2, 3, 224, 224))


SCALED = {
    "mobilenetv2": ("get_mobilenetv2", {}),
    "mobilenetv3": ("get_mobilenetv3", {"version": "large"}),
    "mobilenet": ("get_mobilenet", {}),
}


@pytest.mark.no_cover
@pytest.mark.usefixtures("made")
def test_multipliers_of_widths_after_one_value_that_is_asked_for(scaled):
    """The last layers of MobileNetV2 and V3 grow above 1 alone, which no value below tells."""
    factory, settings = SCALED[scaled]
    make = getattr(import_module(f"pytorchcv.models.{scaled}"), factory)

    def model_at(width):
        with torch.device("meta"):
            return make(width_scale=float(width), **settings)

    def found_at(*widths):
        return of_instances(
            {"width": [Fraction(width) for width in widths]},
            lambda bound: read(exported(model_at(bound["width"]), (2, 3, 224, 224), scaled)),
        )

    (note,) = found_at("1", "0.37", "0.61").notes
    proposed = re.search(r"--vary width=1,0.37,0.61,([0-9.]+) tells more", note)[1]
    assert float(proposed) > 1
    found = found_at("1", "0.37", "0.61", proposed)
    assert found.notes == ()
    arch = archspec.Architecture(found.document)
    for width in [f"{hundredths / 100:g}" for hundredths in (*range(31, 100, 7), *range(105, 200, 10))]:
        wanted = sum(value.numel() for value in model_at(width).parameters())
        assert (width, arch.count(width=width).params) == (width, wanted)
