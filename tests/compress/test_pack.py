"""Files: predicted bytes are the bytes on disk, term by term; they decode to what was meant, and run."""

import json
import subprocess
import sys
from fractions import Fraction
from random import Random

import numpy as np
import plans_at_random
import pytest
import torch
from click.testing import CliRunner
from plans_at_random import SMALL, weights
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import archspec
from archspec.cli import app
from archspec.compress import container
from archspec.compress import plan as plans
from archspec.compress.codecs import bitmask, gaps, huffman, index, rows, streams
from archspec.compress.codecs.values import Values
from archspec.compress.coding import Coding
from archspec.compress.plan import LayerPlan, Plan
from archspec.errors import ArchspecError, SpecErrors

pack, predict, unpack, verify = (getattr(archspec.compress, name) for name in ("pack", "predict", "unpack", "verify"))

LENET = archspec.load("lenet_300_100")


def holds(arch, source, plan, path, **bindings):
    """The law: predicted, written and found in the file are one, term by term; encoded again, the same bytes."""
    predicted = predict(arch, plan, source, **bindings).file
    written = pack(arch, source, plan, path, **bindings)
    assert predicted.bytes == written.bytes == path.stat().st_size
    assert predicted.terms == written.size.terms
    assert sum(predicted.terms.values()) == 8 * written.bytes
    found = verify(path)
    assert found, found.findings
    assert found.actual == found.predicted == predicted.terms
    return written


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_predicted_bytes_are_the_bytes_on_disk_for_plans_at_random(tmp_path, request):
    for seed in range(10_000 if request.config.option.long else 50):
        random = Random(seed)  # noqa: S311  # the same every time
        bindings = {"c": random.randint(1, 12), "k": random.choice([1, 3])}
        plan, kind = plans_at_random.plan(random), random.choice(plans_at_random.KINDS)
        source = weights(SMALL.expand(**bindings), seed, kind=kind)
        path = tmp_path / f"{seed % 2}.safetensors"
        try:
            holds(SMALL, source, plan, path, **bindings)
        except BaseException:
            print(seed, bindings, kind, plan)
            raise
        assert verify(path, "sampled")
        assert verify(path, "structure")


SMALLER = {
    "alexnet": {"side": 63, "classes": 10},
    "vgg16": {"side": 64},
    "resnet18": {"side": 32},
    "squeezenet": {},
    "lenet_300_100": {},
    "lenet_5": {},
    None: {"alpha": "1/4", "side": 32},
}
LARGE = {"alexnet", "vgg16", "resnet18"}


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", plans.plans())
def test_predicted_bytes_are_the_bytes_on_disk_for_every_preset(name, tmp_path, request):
    """The large ones where all is run; there the networks' sides are smaller, not their layers' names or channels."""
    plan = plans.load(name)
    if plan.network in LARGE and not request.config.option.long:
        pytest.skip("packs tens of millions of weights: --long")
    arch = archspec.load(plan.network or "mobilenet_v2")
    bindings = SMALLER[plan.network]
    source = weights(arch.expand(**bindings), 0)
    written = holds(arch, source, plan, tmp_path / "packed.safetensors", **bindings)
    assert written.bytes < written.size.dense_bytes


@pytest.mark.parametrize("name", plans.plans())
def test_the_size_that_is_expected_of_a_preset_fits_its_closed_forms(name):
    """The file has what the closed forms count, and beside it a frame: header, checksums, tables, blocks, counts."""
    plan = plans.load(name)
    found = archspec.load(plan.network or "mobilenet_v2").predict(name)
    file = found.file
    frame = sum(file.terms.get(term, 0) for term in ("header", "checksums", "tables", "blocks", "counts", "padding"))
    if "coded" not in {entry.index_huffman for entry in plan.layers}:
        assert float(file.bytes - frame / 8) == pytest.approx(float(found.coded_bits / 8), rel=0.002)
    header = 8 * 1_900  # 1.3 to 1.7 kB, however little it is of
    assert frame < max(sum(file.terms.values()) * 0.06, header)


# ------------------------------------------------------------------ expected from densities


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    "keys",
    [
        {"index_bits": 4},
        {"index_bits": 5, "index_huffman": "coded"},
        {"index_bits": 8, "index_huffman": "coded", "scan": "columns"},
        {"index": "rows"},
        {"index": "bitmask"},
        {"index": "auto"},
    ],
)
@pytest.mark.parametrize("percent", [4, 20, 60])
def test_what_is_expected_is_within_a_percent_of_random_masks(tmp_path, keys, percent):
    plan = Plan(name="p", layers=[LayerPlan(layer="*", density=f"{percent} %", weight_bits=5, **keys)])
    expected = predict(LENET, plan).file
    written = pack(LENET, weights(LENET.expand(), 1), plan, tmp_path / "p.safetensors")
    assert expected.bytes == pytest.approx(written.bytes, rel=0.01)
    assert not expected.exact
    assert written.size.exact


def test_the_smallest_index_is_taken_as_the_formulas_have_it():
    def form(density):
        plan = Plan(name="p", layers=[LayerPlan(layer="fc1", density=density, weight_bits=4, index="auto")])
        return next(predict(LENET, plan).file.parts).coding.index

    assert form(1) == index.Dense()
    assert form("30 %") == bitmask.Bitmask()
    assert form("8 %") == gaps.Gaps(5)
    assert form("1 %") == gaps.Gaps(8)


def test_the_smallest_index_is_taken_for_given_weights():
    """Half of the weights, in the first rows alone: a gap of a bit says it, where independent places need a mask."""
    source = weights(LENET.expand(), 0)
    source["fc1.weight"][150:] = 0
    plan = Plan(name="p", layers=[LayerPlan(layer="fc1", density="1/2", weight_bits=4, index="auto")])
    found, other = (next(predict(LENET, plan, given).file.parts) for given in (source, None))
    assert found.coding.index == gaps.Gaps(1)
    assert found.bits < other.bits
    assert isinstance(other.coding.index, bitmask.Bitmask)


def test_predicting_encodes_nothing(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a prediction encodes nothing")

    classes = (
        *(huffman.Huffman, streams.Fixed, streams.Floats, Values, Coding),
        *(gaps.Gaps, rows.CompressedRows, bitmask.Bitmask, index.Dense),
    )
    for each in classes:
        monkeypatch.setattr(each, "encode", refuse)
    monkeypatch.setattr(huffman, "_bits", refuse)
    monkeypatch.setattr(np, "packbits", refuse)
    source = weights(LENET.expand(), 0)
    assert predict(LENET, "lenet_300_100", source).file.exact
    assert predict(LENET, "lenet_300_100").file.bytes
    random = Random(1)  # noqa: S311  # the same every time
    for seed in range(20):
        assert predict(SMALL, plans_at_random.plan(random), weights(SMALL.expand(), seed)).file.exact
    with pytest.raises(AssertionError, match="encodes nothing"):
        pack(LENET, source, "lenet_300_100", "never.safetensors")


# ------------------------------------------------------------------ what is in the file


RECURRENT = archspec.loads("""
archspec: 1
name: recurrent
input: [7, 10]
network:
  - {lstm: {hidden_size: 12, bidirectional: true}, as: memory}
  - {gru: {hidden_size: 9, return_sequences: false}, as: state}
  - {linear: {out_features: 5}, as: head}
""")


@pytest.mark.parametrize("entry", [{"weight_bits": 4, "density": "1/2"}, {"linear_bits": 8}])
def test_all_matrices_of_a_recurrent_layer_are_under_its_entry(entry, tmp_path):
    source = {name: array.numpy() for name, array in RECURRENT.to_torch(seed=1).state_dict().items()}
    plan = Plan(name="recurrent", layers=[LayerPlan(layer="*", **entry)])
    holds(RECURRENT, source, plan, tmp_path / "recurrent.safetensors")
    memory, state, head = predict(RECURRENT, plan).rows
    assert memory.weights == 2 * 4 * 12 * (10 + 12)
    assert state.weights == 3 * 9 * (24 + 9)
    assert head.weights == 5 * 9
    assert memory.fixed.kept == memory.weights * Fraction(entry.get("density", 1))
    assert memory.fixed.biases == 2 * 4 * 12 * 2


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "lenet.safetensors"
    source = weights(LENET.expand(), 0)
    pack(LENET, source, "lenet_300_100", path)
    return path, source


def test_the_same_weights_give_the_same_bytes_in_any_process(packed, tmp_path):
    path, source = packed
    save_file(source, tmp_path / "w.safetensors")
    code = (
        "import archspec, sys; "
        "archspec.compress.pack(archspec.load('lenet_300_100'), sys.argv[1], 'lenet_300_100', sys.argv[2]); "
        "print([name for name in ('torch', 'sympy', 'bitarray', 'scipy', 'safetensors') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "w.safetensors"), str(tmp_path / "again.safetensors")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert done.stdout.strip() == "[]"  # NumPy is enough


def test_the_safetensors_library_reads_the_same_blobs(packed):
    path, _ = packed
    opened = container.unpack(path)
    with safe_open(path, framework="np") as file:
        assert list(file.metadata()) == ["archspec.compressed"]
        assert sorted(file.keys()) == ["0", "1", "2", "3"]
        for number in range(4):
            assert file.get_tensor(str(number)).tobytes() == bytes(opened.raw(number))


def test_what_is_kept_is_the_largest_as_shared_numbers(packed):
    path, source = packed
    found = unpack(path)
    assert list(found) == ["fc1.weight", "fc2.weight", "fc3.weight", "fc1.bias", "fc2.bias", "fc3.bias"]
    assert len(found) == 6
    for entry, key in zip(plans.load("lenet_300_100").layers, ("fc1.weight", "fc2.weight", "fc3.weight"), strict=True):
        kept = found[key] != 0
        assert kept.sum() == found[key].size * entry.density
        assert np.abs(source[key][kept]).min() >= np.abs(source[key][~kept]).max()
        assert len(np.unique(found[key][kept])) <= 2**6 - 1
        assert np.abs(found[key] - source[key])[kept].max() < 0.2
    assert np.array_equal(found["fc1.bias"], source["fc1.bias"])


def test_the_model_that_runs_has_exactly_the_decoded_weights(packed, tmp_path):
    path, _ = packed
    model = LENET.to_torch(weights=path)
    found = unpack(path)
    assert {key: value.numpy().tobytes() for key, value in model.state_dict().items()} == {
        key: found[key].tobytes() for key in found
    }
    found.save(tmp_path / "plain.safetensors")
    theirs = load_file(tmp_path / "plain.safetensors")
    assert {key: array.tobytes() for key, array in theirs.items()} == {key: found[key].tobytes() for key in found}
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(model(x), LENET.to_torch(weights=tmp_path / "plain.safetensors")(x))


@pytest.mark.parametrize(
    ("arch", "bindings"), [(archspec.load("lenet_5"), {}), (LENET, {"classes": 12}), (LENET, {"side": 27})]
)
def test_a_file_of_another_network_is_refused(packed, arch, bindings):
    with pytest.raises(ArchspecError, match="lenet"):
        arch.to_torch(weights=packed[0], **bindings)


def test_a_specification_with_the_same_arrays_is_another(packed):
    text = LENET.dumps().replace("{relu: null", "{tanh: null", 1)
    assert text != LENET.dumps()
    with pytest.raises(ArchspecError, match=r"holds weights of lenet_300_100 .*, not of lenet_300_100 .*unpack"):
        archspec.loads(text).to_torch(weights=packed[0])


@pytest.fixture
def normalised():
    return archspec.loads(
        """
archspec: 1
name: normalised
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 6, kernel_size: 3}, as: one}
  - {batch_norm: {eps: 0.001}, as: norm_one}
  - {conv2d: {out_channels: 6, kernel_size: 3, groups: 2, bias: false}, as: two}
  - {batch_norm, as: norm_two}
  - relu
  - {batch_norm, as: alone}
  - flatten
  - {linear: {out_features: 4}, as: last}
  - {batch_norm, as: norm_last}
"""
    )


def test_folded_normalisations_leave_a_shift_and_the_same_function(normalised, tmp_path):
    source = weights(normalised.expand(), 3)
    plan = Plan(name="fold", batch_norm="fold", layers=[LayerPlan(layer="*")])
    pack(normalised, source, plan, tmp_path / "f.safetensors")
    before = normalised.to_torch(weights={key: torch.from_numpy(array) for key, array in source.items()})
    after = normalised.to_torch(weights=tmp_path / "f.safetensors")
    x = torch.rand(5, 3, 8, 8)
    assert torch.allclose(before.eval()(x), after.eval()(x), rtol=1e-4, atol=1e-4)
    terms = predict(normalised, plan, source).file.terms
    kept = 6 * 27 + 6 * 27 + 4 * 6 * 16  # weights
    shifts, others = 6 + 6 + 4, 4 * 6  # of three folded ones; all of the one behind the activation
    assert terms["numbers"] == 32 * kept
    assert terms["biases"] + terms["others"] == 32 * (shifts + others)
    found = normalised.predict(plan)
    assert found.dense_bits == 32 * (kept + 6 + 4 + 4 * (6 + 6 + 6 + 4))
    assert found.bits == 32 * (kept + shifts + others)
    state = after.state_dict()
    assert state["one.bias"].tolist() == [0] * 6
    assert float(state["norm_one.running_var"][0] + 0.001) == 1


def test_biases_and_statistics_can_have_levels_too(normalised, tmp_path):
    source = weights(normalised.expand(), 3)
    plan = Plan(name="levels", other_bits=8, layers=[LayerPlan(layer="*", linear_bits=8)])
    written = pack(normalised, source, plan, tmp_path / "l.safetensors")
    arrays, elements = 2 + 4 * 4, 6 + 4 + 4 * (6 + 6 + 6 + 4)
    assert written.size.terms["biases"] + written.size.terms["others"] == 8 * elements
    assert written.size.terms["scales"] == 32 * (arrays + 6 + 6 + 4)
    assert normalised.predict(plan).bits == sum(
        written.size.terms[term] for term in ("biases", "others", "scales", "codes")
    )


def test_one_bit_weights_run_as_their_signs_times_their_factor(tmp_path):
    source = weights(LENET.expand(), 0)
    plan = Plan(name="bwn", layers=[LayerPlan(layer="fc1", binary="weights")])
    pack(LENET, source, plan, tmp_path / "b.safetensors")
    found = unpack(tmp_path / "b.safetensors")["fc1.weight"]
    alpha = np.abs(source["fc1.weight"]).mean(1, dtype=np.float64)
    assert np.allclose(found, np.where(source["fc1.weight"] >= 0, 1, -1) * alpha[:, None], rtol=1e-6)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_network_of_one_bit_layers_keeps_its_own_factors(tmp_path):
    arch = archspec.loads(
        "{archspec: 1, name: bits, input: [3, 6, 6], network: [{binary_conv2d: {out_channels: 4, kernel_size: 3}}]}"
    )
    source = weights(arch.expand(), 0)
    pack(arch, source, Plan(name="as_it_is", layers=[]), tmp_path / "b.safetensors")
    found = unpack(tmp_path / "b.safetensors")
    key = "binary_conv2d.weight"
    assert np.array_equal(found[key], np.where(source[key] >= 0, 1, -1))
    assert np.array_equal(found["binary_conv2d.alpha"], source["binary_conv2d.alpha"])
    assert verify(tmp_path / "b.safetensors").actual["signs"] == 4 * 27
    given = {key: torch.from_numpy(array) for key, array in source.items()}
    x = torch.rand(2, 3, 6, 6)
    before, after = (arch.to_torch(weights=each).eval()(x) for each in (given, tmp_path / "b.safetensors"))
    assert torch.equal(before, after)


def test_what_is_not_the_networks_is_said_before_any_work(tmp_path):
    source = weights(LENET.expand(), 0)
    with pytest.raises(ArchspecError, match=r"no array 'fc1\.weight' .of 1 missing.; did you mean 'fc3\.weight'"):
        pack(LENET, {k: v for k, v in source.items() if k != "fc1.weight"}, "lenet_300_100", tmp_path / "x.safetensors")
    with pytest.raises(ArchspecError, match="'archspec weights map' renames"):
        predict(LENET, "lenet_300_100", {"x": source["fc1.weight"]})
    with pytest.raises(ArchspecError, match=r"ends in \.safetensors"):
        pack(LENET, source, "lenet_300_100", tmp_path / "x.bin")
    with pytest.raises(ArchspecError, match="holds numbers of 16 or 32 bits; the plan 'p' has 8"):
        pack(LENET, source, Plan(name="p", number_bits=8, layers=[LayerPlan(layer="*")]), tmp_path / "x.safetensors")
    with pytest.raises(ArchspecError, match="cannot write"):
        pack(LENET, source, "lenet_300_100", tmp_path / "nowhere" / "x.safetensors")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ArchspecError, match="in the mode structure, sampled, full"):
        verify(tmp_path / "x.safetensors", "quick")


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"before")
    calls = iter(range(2))
    monkeypatch.setattr(container.zlib, "crc32", lambda *_: 1 // (1 - next(calls)))
    with pytest.raises(ZeroDivisionError):
        pack(LENET, weights(LENET.expand(), 0), "lenet_300_100", path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", ["npz", "bf16", "f16", "f64", "torch"])
def test_weights_are_read_from_other_types_and_files(tmp_path, form):
    source = {key: np.round(array * 8) / 8 for key, array in weights(LENET.expand(), 0).items()}
    given = tmp_path / "w.safetensors"
    if form == "npz":
        given = tmp_path / "w.npz"
        np.savez(given, **source)
    elif form == "torch":
        given = {key: torch.from_numpy(array).double().requires_grad_() for key, array in source.items()}
    else:
        from safetensors.torch import save_file as save

        types = {"bf16": torch.bfloat16, "f16": torch.float16, "f64": torch.float64}
        save({key: torch.from_numpy(array).to(types[form]) for key, array in source.items()}, given)
    plan = Plan(name="p", layers=[LayerPlan(layer="*", density="1/3", weight_bits=3, index_bits=4)])
    one, two = tmp_path / "1.safetensors", tmp_path / "2.safetensors"
    pack(LENET, source, plan, one)
    pack(LENET, given, plan, two)
    assert one.read_bytes() == two.read_bytes()


def test_progress_is_told_up_to_the_end(tmp_path):
    told = []
    path = tmp_path / "p.safetensors"
    pack(LENET, weights(LENET.expand(), 0), "lenet_300_100", path, progress=lambda *said: told.append(said))
    verify(path, progress=lambda *said: told.append(said))
    unpack(path).save(tmp_path / "u.safetensors", lambda *said: told.append(said))
    assert told[0] == ("fc1.weight", 0, 266_610)
    assert [said[1:] for said in told].count((266_610, 266_610)) == 3


def test_k_means_that_was_stopped_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("archspec.compress.clusters.PASSES", 1)
    found = pack(LENET, weights(LENET.expand(), 0), "lenet_300_100", tmp_path / "p.safetensors")
    assert found.notes[0] == "fc1.weight: k-means was stopped after 1 passes"


# ------------------------------------------------------------------ plans


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("weight_bits: 4, linear_bits: 4", "a layer has one of them"),
        ("linear_bits: 1", "from 2 to 16"),
        ("linear_bits: 8, rank: 3", "rank stands by itself"),
        ("linear_bits: 8, linear_rule: best", "expected one of symmetric, signed, zero_point, found 'best'"),
        ("linear_bits: 8, linear_per: row", "expected a number"),
        ("linear_bits: 8, linear_per: 0", "per tensor, channel, or a number of weights"),
        ("linear_bits: 8, scale_bits: 8", "expected one of 16, 32, found '8'"),
        ("linear_bits: 8, linear_rule: zero_point, density: 1/2, index_bits: 4", "levels with zero points are of all"),
        ("index: gaps", "gaps need index_bits"),
        ("index: bitmask, index_bits: 3", "the index is bitmask"),
        ("index: dense, density: 1/2", "a dense index is of all weights"),
        ("index: best", "expected one of dense, gaps, rows, bitmask, auto, found 'best'"),
        ("weight_bits: 16, weight_huffman: coded", "of symbols of 15 bits at most"),
        ("binary: xnor, input_scale: 1", "expected true or false"),
        ("scan: both", "expected one of rows, columns, auto, found 'both'"),
        ("codebook: best", "expected one of linear, density, random, optimal, found 'best'"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(entry, message):
    with pytest.raises(SpecErrors, match=message):
        plans.loads(f"plan: 1\nname: p\nlayers: [{{layer: a, {entry}}}]\n")


@pytest.mark.parametrize(
    ("key", "message"),
    [("batch_norm: merge", "expected one of keep, fold, found 'merge'"), ("other_bits: 1", "from 2 to 16")],
)
def test_a_plan_whose_own_keys_mean_nothing_is_refused(key, message):
    with pytest.raises(SpecErrors, match=message):
        plans.loads(f"plan: 1\nname: p\n{key}\nlayers: [{{layer: a}}]\n")


def test_linear_levels_by_hand():
    """Per channel: a scale of 32 bits a row; in groups: ⌈columns/n⌉ a row; with zero points, as many codes more."""
    plan = Plan(
        name="p",
        layers=[
            LayerPlan(layer="fc1", linear_bits=8),
            LayerPlan(layer="fc2", linear_bits=4, linear_per=128, scale_bits=16),
            LayerPlan(layer="fc3", linear_bits=8, linear_per="tensor", linear_rule="zero_point"),
        ],
    )
    one, two, three = LENET.predict(plan).rows
    assert one.fixed.bits == 8 * 784 * 300 + 32 * 300 + 32 * 300
    assert two.fixed.bits == 4 * 300 * 100 + 16 * 100 * 3 + 32 * 100
    assert three.fixed.bits == 8 * 100 * 10 + (32 + 8) + 32 * 10


def test_forms_of_index_by_hand():
    def stored(**keys):
        return LENET.predict(Plan(name="p", layers=[LayerPlan(layer="fc2", weight_bits=4, **keys)])).rows[1].fixed

    kept = Fraction(300 * 100, 4)
    assert stored(density="1/4", index="bitmask").bits == 4 * kept + 300 * 100 + 32 * 16 + 32 * 100
    assert stored(density="1/4", index="auto") == stored(density="1/4", index="bitmask")
    assert stored(density="1/100", index="auto", index_bits=6) == stored(density="1/100", index_bits=6)
    assert stored(index="gaps", index_bits=3).bits == (4 + 3) * 30_000 + 32 * 16 + 32 * 100
    free = Plan(name="p", layers=[LayerPlan(layer="fc3", density="1/4", index="auto")])
    with pytest.raises(ArchspecError, match="depends on free symbols"):
        LENET.predict(free, free="classes")


def test_without_input_scale_fewer_operations_are_left():
    with_, without = (
        LENET.predict(Plan(name="p", layers=[LayerPlan(layer="fc2", binary="xnor", input_scale=scale)]))
        for scale in (True, False)
    )
    assert without.with_one_bit.node("fc2").operator.input_scale is False
    assert without.speedup >= with_.speedup
    assert without.bits == with_.bits


def test_over_free_symbols_there_is_no_file():
    assert LENET.predict("lenet_300_100", free="side").file is None
    assert LENET.predict(Plan(name="p", number_bits=8, layers=[LayerPlan(layer="*")])).file is None


# ------------------------------------------------------------------ the command


def run(*arguments):
    return CliRunner().invoke(app, ["compress", *map(str, arguments)])


def unwrapped(output):
    """What was printed on one line: sentences are broken where the terminal ends."""
    return " ".join(output.split())


def test_the_commands_write_read_and_verify(tmp_path):
    given, file, back = tmp_path / "w.safetensors", tmp_path / "f.safetensors", tmp_path / "b.safetensors"
    save_file(weights(LENET.expand(), 0), given)
    said = run("predict", "lenet_300_100", "--plan", "lenet_300_100", "--weights", given).output
    done = run("pack", "lenet_300_100", "--plan", "lenet_300_100", "--weights", given, "-o", file)
    assert done.exit_code == 0
    size = file.stat().st_size
    assert f"{size:,} bytes on disk (exact, for these weights)" in said
    assert f"{file}: {size:,} bytes, " in unwrapped(done.output)
    found = run("verify", file)
    assert found.exit_code == 0
    assert "predicted [bits]  in the file" in found.output
    assert f"{size:,} bytes, 6 arrays: decoded, and encoded the same" in unwrapped(found.output)
    assert run("unpack", file, "-o", back).exit_code == 0
    assert load_file(back)["fc1.weight"].tobytes() == unpack(file)["fc1.weight"].tobytes()


def test_the_commands_speak_json(tmp_path):
    given, file = tmp_path / "w.safetensors", tmp_path / "f.safetensors"
    save_file(weights(LENET.expand(), 0), given)
    options = ["lenet_300_100", "--plan", "lenet_300_100", "--weights", given, "--format", "json"]
    predicted = json.loads(run("predict", *options).output)["file"]
    written = json.loads(run("pack", *options, "-o", file).output)
    assert predicted == written["size"]
    assert predicted["exact"]
    assert predicted["bytes"] == file.stat().st_size
    found = json.loads(run("verify", file, "--format", "json").output)
    assert found["actual"] == found["predicted"] == predicted["terms"]
    assert json.loads(run("verify", file, "--mode", "sampled", "--format", "json").output)["findings"] == []


def test_verify_exits_with_1_on_damage_and_with_2_on_something_else(tmp_path):
    file = tmp_path / "f.safetensors"
    pack(LENET, weights(LENET.expand(), 0), "lenet_300_100", file)
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.write_bytes(data)
    damaged = run("verify", file)
    assert damaged.exit_code == 1
    assert "blob 3 is damaged: its checksum is another" in unwrapped(damaged.output)
    assert run("unpack", file, "-o", tmp_path / "u.safetensors").exit_code == 2
    assert not (tmp_path / "u.safetensors").exists()
    assert run("verify", tmp_path / "nobody.safetensors").exit_code == 2
    assert run("verify", file, "--limit", 1000).exit_code == 2


def test_a_file_that_is_written_otherwise_is_found(tmp_path):
    """One weight at place 7, reached by a zero that is stored at place 2: it decodes the same, and is not ours."""
    file = tmp_path / "f.safetensors"
    arch = archspec.loads("{archspec: 1, name: one, input: [10], network: [{linear: {out_features: 1, bias: false}}]}")
    source = {"linear.weight": np.eye(1, 10, 7, dtype=np.float32)}
    plan = Plan(name="p", layers=[LayerPlan(layer="*", density="1/2", weight_bits=2, index_bits=3)])
    pack(arch, source, plan, file)
    assert verify(file)
    codebook = np.array([0, 1, 0, 0], "<f4").tobytes()
    assert bytes(container.unpack(file).reader(0).data).hex() == "01000000" + "e0" + codebook.hex() + "40"
    text = container.unpack(file).header.metadata[container.KEY]
    container.write(file, text, [bytes([2, 0, 0, 0, 0b010_100_00]) + codebook + bytes([0b00_01_0000])])
    assert np.array_equal(unpack(file)["linear.weight"], source["linear.weight"])
    found = verify(file)
    assert "encoded again, it has other bytes" in found.sentence
    assert found.findings[0].startswith(f"{file}: blob 0: linear.weight")


def test_the_authors_files_are_read_by_the_command(tmp_path):
    from archspec.compress import authors

    layers = authors.layers(archspec.load("lenet_300_100").expand())
    parts = [np.zeros(len(layers), "<u4").tobytes()]
    for layer in layers:
        parts += [np.zeros(256, "<f4").tobytes(), np.arange(layer.biases, dtype="<f4").tobytes()]
    (tmp_path / "net").write_bytes(b"".join(parts))
    done = run("unpack", tmp_path / "net", "--authors", "lenet_300_100", "-o", tmp_path / "u.safetensors")
    assert done.exit_code == 0, done.output
    assert load_file(tmp_path / "u.safetensors")["fc3.bias"].tolist() == list(range(10))


def test_the_names_of_the_library_are_there_and_no_others():
    assert archspec.compress.__all__ == ["pack", "predict", "unpack", "verify"]
    with pytest.raises(AttributeError, match=r"archspec\.compress' has no attribute 'pac'"):
        archspec.compress.pac  # noqa: B018


def test_weights_of_a_run_are_no_compressed_file(tmp_path):
    """They have a note in their metadata too; they are read as weights, and packed."""
    file = tmp_path / "run.safetensors"
    source = weights(LENET.expand(), 0)
    save_file(source, file, metadata={"archspec": json.dumps({"spec": {}})})
    assert not container.is_compressed(file)
    assert LENET.match_weights(file)
    pack(LENET, file, "lenet_300_100", tmp_path / "packed.safetensors")
    assert container.is_compressed(tmp_path / "packed.safetensors")


def test_a_header_whose_length_begins_as_a_pickle_does_is_a_header(tmp_path):
    """One safetensors file in 32 begins with 0x80: its header's length, of which the lowest byte comes first."""
    file = tmp_path / "w.safetensors"
    source = weights(LENET.expand(), 0)
    for padding in range(0, 256, 8):
        save_file(source, file, metadata={"padding": "x" * padding})
        if file.read_bytes()[0] == 0x80:
            break
    assert file.read_bytes()[0] == 0x80
    assert LENET.match_weights(file)
