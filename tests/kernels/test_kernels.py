"""Models whose one-bit layers compute with bits: made, copied, kept, refused."""

import copy
import io
import pickle
import subprocess
import sys

import pytest
import torch

import archspec
from archspec import kernels
from archspec.errors import ArchspecError, MissingExtraError
from archspec.kernels import by_int8, ways
from archspec.kernels.evaluated import EvaluatedConv2d
from archspec.kernels.layers import EXACT, PackedConv2d, PackedLayer, packed, refuse
from archspec.runtime.binary import BinaryConv2d, BinaryLinear

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def lenet():
    return archspec.load("lenet_5").with_one_bit("xnor_lenet_5").to_torch(seed=0).eval()


@pytest.fixture
def x():
    return torch.randn(2, 1, 28, 28)


@pytest.mark.parametrize("way", kernels.names())
def test_a_packed_model_is_small_and_says_the_same(lenet, x, way):
    small = kernels.pack(lenet, way)
    with torch.no_grad():
        assert torch.equal(small(x), lenet(x))
    assert isinstance(small.conv2, PackedConv2d)
    assert isinstance(lenet.conv2, BinaryConv2d)
    signs = sum(each.weight.numel() for each in (lenet.conv2, lenet.fc1))
    stored = signs if way == "int8" else signs / 8
    left = kernels.bytes_of(lenet) - 4 * signs
    assert left + stored <= kernels.bytes_of(small) < left + 1.4 * stored  # 20 channels have words of 64
    assert f"way={way}" in repr(small.conv2)


@pytest.mark.parametrize("way", kernels.names())
def test_a_packed_model_is_copied_pickled_saved_and_loaded(lenet, x, way):
    small = kernels.pack(lenet, way)
    with torch.no_grad():
        expected = small(x)
        for again in (copy.deepcopy(small), pickle.loads(pickle.dumps(small))):  # noqa: S301  # our own bytes
            assert torch.equal(again(x), expected)
        state = small.state_dict()
        assert list(state) == list(lenet.state_dict())
        assert {*state["conv2.weight"].unique().tolist()} == {-1, 1}
        other = archspec.load("lenet_5").with_one_bit("xnor_lenet_5").to_torch(seed=1).eval()
        for empty in (other, kernels.pack(other, way)):
            empty(x)  # whatever is kept for the next call
            empty.load_state_dict(state)
            assert torch.equal(empty(x), expected)


def test_a_state_that_does_not_fit_is_refused_by_name(lenet):
    small = kernels.pack(lenet, "numpy")
    state = small.state_dict()
    without = {key: value for key, value in state.items() if key != "fc1.weight"}
    with pytest.raises(RuntimeError, match=r"Missing key.*fc1\.weight"):
        small.load_state_dict(without)
    with pytest.raises(RuntimeError, match=r"fc1\.weight: \(1, 800\), where the layer has \(500, 800\)"):
        small.load_state_dict({**state, "fc1.weight": torch.ones(1, 800)})
    with pytest.raises(RuntimeError, match=r"fc1\.weight: NaN"):
        small.load_state_dict({**state, "fc1.weight": torch.full((500, 800), torch.nan)})


def test_a_packed_model_does_not_learn_and_its_unpacked_one_does(lenet, x):
    small = kernels.pack(lenet, "numpy")
    with pytest.raises(ArchspecError, match=r"do not learn: archspec\.kernels\.unpack"):
        small.train()
    again = kernels.unpack(small.eval())
    with torch.no_grad():
        assert torch.equal(again.eval()(x), small(x))
    again.train()(x).sum().backward()
    assert again.conv2.weight.grad.abs().sum() > 0


def test_gradients_go_through_packed_layers(lenet, x):
    found = []
    for model in (lenet, kernels.pack(lenet, "numpy")):
        given = x.clone().requires_grad_()
        model(given).square().sum().backward()
        found.append(given.grad)
    assert torch.equal(*found)
    assert found[0].abs().sum() > 0


def test_parts_and_single_layers_are_packed_too():
    layer = BinaryLinear(70, 3).eval()
    rows = torch.randn(4, 2, 70)
    with torch.no_grad():
        for made in (kernels.pack(layer, "numpy"), kernels.pack(torch.nn.Sequential(layer), "numpy")[0]):
            assert torch.equal(made(rows), layer(rows))


# ------------------------------------------------------------------ what is not computed with bits


def other_inputs():
    yield "float64", lambda x: x.double(), lambda layer: layer.double()
    yield "an empty batch", lambda x: x[:0], lambda layer: layer
    yield "NaN, with means", lambda x: x.where(x > -1, torch.nan), lambda layer: layer


@pytest.mark.parametrize(("change", "fit"), [case[1:] for case in other_inputs()], ids=[c[0] for c in other_inputs()])
def test_inputs_that_bits_do_not_take_are_computed_by_the_layer_of_signs(change, fit):
    layer = fit(BinaryConv2d(5, 4, 3).eval())
    x = change(torch.randn(2, 5, 6, 6))
    made = fit(packed(layer.float(), "numpy"))
    layer = fit(layer)
    with torch.no_grad():
        assert torch.equal(made(x).nan_to_num(7.5), layer(x).nan_to_num(7.5))


def test_nan_without_means_is_in_every_window_that_sees_it():
    layer = BinaryConv2d(2, 3, 3, input_scale=False, groups=1).eval()
    x = torch.randn(1, 2, 7, 7)
    x[0, 1, 0, 0] = torch.nan
    with torch.no_grad():
        found, expected = packed(layer, "numpy")(x), layer(x)
    assert torch.equal(found.isnan(), expected.isnan())
    assert found.isnan().sum() == 3
    assert torch.equal(found.nan_to_num(7.5), expected.nan_to_num(7.5))


def test_an_input_that_does_not_fit_is_refused_by_torch():
    made = packed(BinaryConv2d(5, 4, 3).eval(), "numpy")
    with torch.no_grad(), pytest.raises(RuntimeError, match="expected input"):
        made(torch.randn(1, 6, 8, 8))
    with torch.no_grad(), pytest.raises(RuntimeError, match="Kernel size can't be greater"):
        made(torch.randn(1, 5, 2, 2))


def test_autocast_is_torchs_and_what_is_traced_is_unpacked_first():
    layer = BinaryLinear(8, 3).eval()
    made, x = packed(layer, "numpy"), torch.randn(2, 8)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(made(x), layer(x))
    with pytest.raises(ArchspecError, match=r"not traced: archspec\.kernels\.unpack"):
        torch.export.export(torch.nn.Sequential(made), (x,))
    with torch.no_grad():
        program = torch.export.export(torch.nn.Sequential(made.unpacked()), (x,))
        assert torch.equal(program.module()(x), layer(x))


def test_zeros_are_ones():
    layer = BinaryLinear(4, 2, bias=False, input_scale=False).eval()
    with torch.no_grad():
        layer.weight.zero_()
        layer.alpha.fill_(0.5)
        for way in kernels.names():
            assert packed(layer, way)(torch.tensor([[0.0, -0.0, 1.0, -1.0]])).tolist() == [[1.0, 1.0]]  # (4 − 2)·0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda layer: layer.weight.data.__setitem__((0, 0), torch.nan), "NaN, which has no sign"),
        (lambda layer: layer.double(), "from float32 .found cpu, torch.float64"),
        (lambda layer: layer.to("meta"), "packed on the CPU .* .found meta"),
    ],
    ids=["NaN", "float64", "meta"],
)
def test_layers_that_cannot_be_packed_are_named(change, said):
    layer = BinaryLinear(4, 2)
    change(layer)
    with pytest.raises(ArchspecError, match=f"layer '0': .*{said}"):
        kernels.pack(torch.nn.Sequential(layer), "numpy")


def test_a_filter_too_long_for_float32_is_refused():
    with pytest.raises(ArchspecError, match="16,777,216 products; float32 adds fewer"):
        refuse(BinaryLinear(EXACT, 1))


def test_layers_that_share_weights_are_not_packed_and_can_be_evaluated_with_bits():
    layer = "binary_conv2d: {out_channels: 8, kernel_size: 3, padding: 1, binary_input: true}"
    text = f"network: [{{{layer}, as: one}}, {{{layer}, as: two, share: one}}]"
    model = archspec.loads(f"archspec: 1\nname: made\ninput: [8, 6, 6]\n{text}").to_torch(seed=0).eval()
    x = torch.randn(2, 8, 6, 6)
    with torch.no_grad():
        expected = model(x)
    with pytest.raises(ArchspecError, match="layer 'two' has the weights of another one-bit layer"):
        kernels.pack(model)
    with torch.no_grad():
        assert kernels.evaluate_with_bits(model, "numpy")(x).allclose(expected, atol=1e-6)  # torch's sums of means


def test_models_without_one_bit_layers_are_refused():
    with pytest.raises(ArchspecError, match="Linear has no one-bit layers to pack; a plan makes them"):
        kernels.pack(torch.nn.Linear(2, 2))
    with pytest.raises(ArchspecError, match="no packed layers"):
        kernels.unpack(torch.nn.Linear(2, 2))


# ------------------------------------------------------------------ the ways


def test_an_unknown_way_is_refused_with_a_suggestion(lenet):
    with pytest.raises(ArchspecError, match=r"no way 'nump' .*; did you mean 'numpy'"):
        kernels.pack(lenet, "nump")
    with pytest.raises(ArchspecError, match=r"no way 'cuda' .*; there are numba, int8, numpy"):
        kernels.evaluate_with_bits(lenet, "cuda")


def test_without_numba_int8_is_the_best_and_numba_is_asked_for(monkeypatch, lenet):
    monkeypatch.setattr(ways, "find_spec", lambda _: None)
    monkeypatch.setattr("archspec.extras.find_spec", lambda _: None)
    ways.best.cache_clear()
    try:
        assert kernels.best() == "int8"
        with pytest.raises(MissingExtraError, match=r"needs numba: pip install 'archspec-nn\[kernels\]'"):
            kernels.pack(lenet, "numba")
    finally:
        ways.best.cache_clear()


@pytest.mark.parametrize("fault", [AttributeError, RuntimeError, None])
def test_the_product_of_int8_does_without_torchs_private_one(monkeypatch, fault):
    def refused(*_):
        raise fault

    if fault:
        monkeypatch.setattr(torch, "_int_mm", refused, raising=False)
    a, b = torch.randint(0, 2, (7, 1), dtype=torch.int8) * 2 - 1, torch.randint(0, 2, (1, 9), dtype=torch.int8) * 2 - 1
    a = a.t().contiguous().t()  # a stride that torch's one does not take: pytorch/pytorch#195066
    assert torch.equal(by_int8.product(a, b), (a.int() * b.int()))


def test_bits_are_counted_without_numpy_2(monkeypatch):
    from archspec.kernels import by_numpy

    words = by_numpy.words(torch.rand(3, 130).numpy() < 0.5)
    expected = by_numpy.ones(words)
    monkeypatch.delattr("numpy.bitwise_count", raising=False)
    assert (by_numpy.ones(words) == expected).all()


def test_where_nothing_can_be_written_what_is_compiled_is_not_kept(monkeypatch):
    compiled = pytest.importorskip("archspec.kernels.compiled")
    asked = []

    def njit(signature, *, cache=False, nogil):
        asked.append((signature, cache, nogil))
        if cache:  # as numba does where neither the folder of the file nor one of the user's can be written
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiled.numba, "njit", njit)
    assert compiled.compiled(len) is len
    assert asked == [(None, True, True), (None, False, True)]


def test_numba_is_loaded_when_a_packed_layer_is_asked_for():
    code = "import sys, archspec; archspec.kernels.names(); archspec.load('lenet_5').count()\n"
    code += "assert not {'numba', 'torch'} & {*sys.modules}"
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------------------------ models of compressed files


@pytest.fixture(scope="module")
def compressed(tmp_path_factory, lenet):
    folder = tmp_path_factory.mktemp("compressed")
    arch = archspec.load("lenet_5").with_one_bit("xnor_lenet_5")
    weights = {key: value.numpy() for key, value in lenet.state_dict().items() if "num_batches" not in key}
    archspec.compress.pack(arch, weights, "xnor_lenet_5", folder / "c.safetensors")
    return arch, folder / "c.safetensors"


def test_a_model_of_a_compressed_file_is_evaluated_with_bits_and_learns_without(compressed, x, monkeypatch):
    arch, file = compressed
    model = arch.to_torch(weights=file)
    assert isinstance(model.conv2, EvaluatedConv2d)
    assert isinstance(model.conv2, BinaryConv2d)
    used = []
    monkeypatch.setattr(PackedLayer, "forward", lambda self, x: used.append(self) or self.unpacked()(x))
    model.train()(x).sum().backward()
    assert not used
    assert model.conv2.weight.grad.abs().sum() > 0
    model.eval()(x)
    assert len(used) == 2


def test_what_is_evaluated_follows_the_weights(lenet, x):
    model = kernels.evaluate_with_bits(copy.deepcopy(lenet), "numpy")
    with torch.no_grad():
        assert torch.equal(model(x), lenet(x))
        for change in (
            model.conv2.weight.neg_,
            lambda: model.load_state_dict({**lenet.state_dict(), "conv2.weight": -lenet.conv2.weight}),
            lambda: (model.fc1.weight.data.neg_(), model.eval()),  # torch does not count what is done to .data
        ):
            change()
            other = copy.deepcopy(lenet)
            other.load_state_dict(model.state_dict())
            assert torch.equal(model(x), other(x))
        model.fc1.weight[0, 0] = torch.nan
        assert model(x).isnan().any()
    assert isinstance(pickle.loads(pickle.dumps(model)).conv2, EvaluatedConv2d)  # noqa: S301  # our own bytes


def test_gradients_of_what_is_evaluated_with_bits_are_those_of_the_layer(lenet, x):
    found = []
    for model in (copy.deepcopy(lenet), kernels.evaluate_with_bits(copy.deepcopy(lenet), "numpy")):
        given = x.clone().requires_grad_()
        model(given).square().sum().backward()
        found.append([given.grad, *(each.grad for each in model.parameters())])
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)  # gradients of biases are sums in another order


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_model_of_a_compressed_file_is_exported(compressed, x, tmp_path):
    arch, file = compressed
    arch.write(tmp_path / "net.pt2", weights=file)
    program = torch.export.load(io.BytesIO((tmp_path / "net.pt2").read_bytes())).module()
    with torch.no_grad():
        assert torch.allclose(program(x), arch.to_torch(weights=file).eval()(x), atol=1e-5)
