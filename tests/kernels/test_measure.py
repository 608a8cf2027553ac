"""What is measured, what stands beside it, and how it is printed; never how quick something is."""

import csv
import io
import json

import pytest
import torch
from click.testing import CliRunner

import archspec
from archspec import kernels
from archspec.cli import app
from archspec.errors import ArchspecError
from archspec.kernels import measuring, roof
from archspec.report import formats, report_on
from archspec.report.measure import measurement

pytestmark = pytest.mark.usefixtures("one_thread")

MIXED = """
archspec: 1
name: mixed
input: [6, 9, 8]
network:
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
  - binary_conv2d: {out_channels: 12, kernel_size: 3, stride: 2, padding: [0, 1, 2, 1], groups: 2}
  - binary_conv2d: {out_channels: 4, kernel_size: 1, binary_input: false}
  - flatten
  - binary_linear: {out_features: 10, bias: true}
  - linear: {out_features: 3}
"""


@pytest.fixture(scope="module")
def found():
    before = torch.get_num_threads()
    found = archspec.loads(MIXED).measure(runs=2, threads=2, batch=3)
    assert torch.get_num_threads() == before
    return found


def test_every_layer_is_described_and_one_bit_ones_have_three_ratios(found):
    assert found.threads == 2
    real, uneven, alone, matrix, last = found.layers
    assert (real.bits, real.measured, real.roof, real.operations) == (None, None, None, None)
    assert last.bits is None
    assert [layer.macs for layer in found.layers] == [
        3 * 8 * 9 * 8 * 6 * 9,
        3 * 12 * 5 * 4 * 4 * 9,  # ⌊(9 + 0 + 2 − 3)/2⌋ + 1 = 5, ⌊(8 + 1 + 1 − 3)/2⌋ + 1 = 4
        3 * 4 * 5 * 4 * 12,
        3 * 10 * 80,
        3 * 3 * 10,
    ]
    assert uneven.operations == pytest.approx(64 * 4 * 9 / (4 * 9 + 64))
    assert alone.operations == 2
    assert matrix.operations == pytest.approx(64 * 80 / (80 + 64))
    for layer in (uneven, alone, matrix):
        assert layer.measured == layer.real.seconds / layer.bits.seconds
        assert layer.roof == layer.real.roof / layer.bits.roof
    assert matrix.real.bytes == 4 * (80 * 10 + 10)
    assert matrix.bits.bytes == 8 * 2 * 16 + 4 * 20  # two words of 16 features, and their factors and biases
    assert found.whole[0].bytes > found.whole[1].bytes


def test_a_roof_is_arithmetic_or_reading_whichever_takes_longer(monkeypatch):
    monkeypatch.setattr(roof, "reading", lambda _: 100.0)
    machine = roof.Machine("any", 128, "cnt", 1000.0, 50.0)
    assert machine.seconds(200, machine.macs, 100, 1) == 200 / 50
    assert machine.seconds(200, machine.products, 100, 1) == 100 / 100
    assert machine.seconds(200, machine.macs, 100, 4) == 1


def test_the_machine_is_measured():
    machine = roof.machine()
    assert machine.products > 0
    assert machine.macs > 0
    assert machine.vector_bits in {128, 256, 512}
    assert roof.reading(1) == roof.reading(2**16) > 0


def test_works_take_turns():
    done = []
    works = {name: lambda name=name: done.append(name) for name in "ab"}
    ticks = iter(range(1000))
    assert measuring.in_turn(works, 3, lambda: next(ticks)) == {"a": 1, "b": 1}
    assert "".join(done) == "baabbaabba"


@pytest.mark.parametrize("form", formats.names())
def test_the_report_parses_in_every_format(found, form):
    assert formats.written(report_on(found), form).endswith("\n")


def test_what_is_printed(found):
    text = str(found)
    assert text == formats.written(measurement(found)).rstrip("\n")
    for said in (
        "batch 3; 2 threads",
        "roof of a thread",
        f"one-bit layers by {kernels.best()}",
        "operations",
        "2.00×",
    ):
        assert said in text
    assert repr(found).startswith("<Measurement mixed, 5 layers, ")


def test_without_numba_there_is_no_roof_and_it_is_said(monkeypatch):
    monkeypatch.setattr(kernels, "best", lambda: "int8")
    found = archspec.loads(MIXED).measure(runs=1)
    assert found.machine is None
    assert found.layers[1].roof is None
    assert found.layers[1].measured > 0
    text = str(found)
    assert "the machine's roof is not measured: pip install 'archspec-nn[kernels]'" in text
    assert "of roof" not in text


def test_a_network_of_real_numbers_has_times_alone():
    text = str(archspec.load("lenet_300_100").measure(runs=1))
    assert "float32 ms" in text
    assert "one-bit" not in text


def test_a_network_without_layers_is_refused():
    with pytest.raises(ArchspecError, match="no convolution or linear layer to measure"):
        archspec.loads("archspec: 1\nname: plain\ninput: [1, 2, 2]\nnetwork: [relu]").measure()


def run(*arguments):
    return CliRunner().invoke(app, ["measure", *arguments])


def test_csv_has_the_layers_descriptions_in_columns():
    result = run("lenet_5", "--plan", "xnor_lenet_5", "--runs", "1", "--way", "numpy", "--format", "csv")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["layer"] for row in rows] == ["conv1", "conv2", "fc1", "fc2"]
    conv2 = rows[1]
    facts = {name: conv2[name] for name in ("operator", "input", "output", "kernel_size", "stride", "groups", "macs")}
    assert facts == {
        "operator": "binary_conv2d",
        "input": "1x20x12x12",
        "output": "1x50x8x8",
        "kernel_size": "5x5",
        "stride": "1x1",
        "groups": "1",
        "macs": str(50 * 64 * 20 * 25),
    }
    assert float(conv2["one_bit_ms"]) > 0
    assert rows[0]["one_bit_ms"] == rows[0]["measured"] == ""


def test_json_has_the_machine_and_the_network():
    result = run("lenet_5", "--plan", "xnor_lenet_5", "--runs", "1", "--threads", "1", "--format", "json")
    data = json.loads(result.stdout)
    assert data["spec"] == "xnor_lenet_5"
    assert data["threads"] == 1
    assert data["machine"]["vector_bits"] == roof.machine().vector_bits
    assert data["network"]["float32"]["bytes"] > data["network"]["one_bit"]["bytes"]


def test_wrong_input_is_a_sentence():
    for arguments, said in (
        (("lenet_5", "--way", "fast"), "no way 'fast'"),
        (("lenet_5", "--plan", "lenet_5"), "lenet_5"),
        (("lenet_5", "--threads", "0"), "--threads"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
