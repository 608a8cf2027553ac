"""The networks of the zoo against those of other packages: parameters and multiply-accumulates, to the unit.

The record is written by `others.py` from the packages alone, whose versions it names.
"""

import json
from pathlib import Path

import pytest

import archspec

RECORD = json.loads(Path(__file__).with_name("others.json").read_text(encoding="utf-8"))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("found", RECORD, ids=lambda found: found["model"])
def test_a_network_has_the_parameters_and_the_products_of_its_like(found):
    table = archspec.load(found["spec"]).count(found["set"])
    assert (table.params, table.macs) == (found["params"], found["macs"])


EXACT = [
    (
        "gpt2",
        {},
        "params",
        124_439_808,
        "the tied model of Hugging Face's transformers, huggingface/transformers#14960",
    ),
    (
        "gpt2",
        {},
        "macs",
        12 * (12 * 1024 * 768**2 + 2 * 1024**2 * 768) + 1024 * 768 * 50257,
        "12d² and 2Ld a token and layer",
    ),
    ("llama", {}, "params", 6_738_415_616, "Touvron et al. 2023, arXiv:2307.09288: Llama 2 7B"),
    (
        "llama",
        {"layers": 80, "width": 8192, "heads": 64, "kv_heads": 8, "hidden": 28672},
        "params",
        68_976_648_192,
        "the same: Llama 2 70B",
    ),
    # two bytes for each of 2·80·8·128 numbers of a token; 64 query heads would need eight times as much
    (
        "llama",
        {"layers": 80, "width": 8192, "heads": 64, "kv_heads": 8, "hidden": 28672, "tokens": 1},
        "kv_cache",
        4 * 2 * 80 * 8 * 128,
        "2·bytes·kv_heads·head_dim a layer and token",
    ),
    ("vit", {"variant": "tiny"}, "params", 5_717_416, "Touvron et al. 2020, arXiv:2012.12877, Table 1: DeiT-Ti, 5M"),
    ("vit", {"variant": "small"}, "params", 22_050_664, "the same: DeiT-S, 22M"),
    (
        "ds_cnn",
        {},
        "params",
        24_908 - 2 * 9 * 64,
        "MLPerf Tiny's reference: 24,908 with the statistics of 9 norms of 64",
    ),
    (
        "resnet8",
        {},
        "params",
        78_666 - 2 * 240,
        "the same: 78,666 with the statistics of 7 norms, of 240 channels",
    ),
    (
        "mobilenet_wake_words",
        {},
        "params",
        221_794 - 2 * 10_944 // 4,
        "the same: 221,794 with the statistics of 27 norms, of a quarter of MobileNet's 10,944 channels",
    ),
    ("autoencoder", {}, "params", 269_992 - 2 * (8 * 128 + 8), "the same: 269,992 with the statistics of 9 norms"),
    (
        "gru_keywords",
        {},
        "params",
        3 * 154 * (10 + 154 + 2) + 154 * 12 + 12,
        "Zhang et al. 2017: 78.8 KB of 8-bit weights",
    ),
    ("mnasnet", {}, "params", 3_887_038, "timm's semnasnet_100, which is MnasNet-A1; Tan et al. 2018, Table 1: 3.9M"),
    ("tcn", {}, "params", 15 * (25 * 25 * 7 + 25) + (7 * 25 + 25) + (25 + 25) + 260, "Bai et al. 2018, Table 2: 70K"),
]


@pytest.mark.parametrize(("name", "bindings", "quantity", "expected", "of"), EXACT)
def test_a_figure_is_that_of_the_paper_or_of_its_sizes(name, bindings, quantity, expected, of):
    assert archspec.load(name).count(bindings).figure(quantity) == expected, of


def test_windows_cost_what_the_equation_of_their_paper_says_and_all_of_swin_grows_as_the_image():
    swin = archspec.load("swin")
    window = swin.block("attention").formula("macs", free=["window", "C", "h", "w"], letters="paper")
    assert str(window.exact) == "4*C**2*h*w + 2*C*h*w*window**2"  # Liu et al. 2021, equation 2
    whole = swin.formula("macs", free=["window", "side", "classes"])
    assert whole(window=12, side=384, classes=10) == 384**2 * (57 * 12**2 + 86_688) + 768 * 10
    assert whole(window=12, side=384, classes=10) == swin.count(window=12, side=384, classes=10).macs
