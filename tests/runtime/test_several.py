"""Models of several inputs and outputs, and modules that share arrays: compared, copied, saved, exported."""

import copy
import pickle
import warnings

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec.errors import ArchspecError  # noqa: E402
from archspec.runtime.calls import drawn, results  # noqa: E402

EMIT = "tests/emit/specs"
SHARED = f"{EMIT}/shared_weights.yaml"


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    "name", ["decoder_table", "several_inputs", "shared_weights", "tied_embedding", "values_inside_blocks"]
)
def test_the_counts_are_what_the_model_and_its_source_do(name):
    found = archspec.load(f"{EMIT}/{name}.yaml").verify()
    assert found, found.sentence
    assert found.source is not None


def test_a_model_takes_its_inputs_in_order_and_gives_a_tuple():
    model = archspec.load(f"{EMIT}/several_inputs.yaml").to_torch(seed=0)
    both, score = model(torch.zeros(2, 3, 16, 16), torch.zeros(2, 3, 16, 16))
    assert (both.shape, score.shape) == ((2, 8), (2, 1))
    with pytest.raises(TypeError):
        model(torch.zeros(2, 3, 16, 16))


def test_one_output_is_a_tensor():
    model = archspec.load(f"{EMIT}/tied_embedding.yaml").to_torch(seed=0)
    assert model(*torch.zeros(2, 3, 5, dtype=torch.int64)).shape == (3, 5, 11)


def test_modules_that_share_stay_one_when_they_are_copied_pickled_moved_and_loaded():
    arch = archspec.load(SHARED)
    model = arch.to_torch(seed=0).eval()
    state = model.state_dict()
    assert not any(key.startswith(("row2.", "row3.", "tied.", "again.")) for key in state)
    taken = drawn(arch.expand(), 0)
    expected = model(*taken)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), arch.to_torch(seed=1).eval()):  # noqa: S301
        other.load_state_dict(dict(state))
        moved = other.double().float()
        assert moved.row3.conv.weight is moved.row1.conv.weight
        assert moved.row3.batch_norm.running_mean is moved.row1.batch_norm.running_mean
        assert moved.tied.weight is moved.wide.weight
        torch.testing.assert_close(moved.eval()(*taken), expected, rtol=0, atol=0)
    assert "_owners" not in repr(model)


def test_what_is_learned_twice_is_learned_once():
    model = archspec.load(SHARED).to_torch(seed=0)
    assert sum(weights.numel() for weights in model.parameters()) == archspec.load(SHARED).count().params
    scores = model(*(torch.ones(2, 3, 9, 9) for _ in range(2)))
    sum(score.sum() for score in scores).backward()
    assert all(weights.grad is not None for weights in (*model.row1.parameters(), model.wide.weight, model.fc.weight))
    assert model.row1.batch_norm.num_batches_tracked == 3  # row1, row2 and row3


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "ending"), [("shared_weights", "pt2"), ("tied_embedding", "onnx")])
def test_a_file_has_the_names_of_inputs_and_outputs(name, ending, tmp_path):
    arch = archspec.load(f"{EMIT}/{name}.yaml")
    network, path = arch.expand(batch=3), tmp_path / f"model.{ending}"
    model = arch.to_torch(seed=0).eval()
    if ending == "onnx":
        runtime = pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
    arch.write(path, seed=0)
    taken = drawn(network, 0)
    expected = results(model(*taken))
    if ending == "onnx":
        session = runtime.InferenceSession(str(path))
        assert [each.name for each in session.get_inputs()] == [*network.inputs]
        assert [each.name for each in session.get_outputs()] == [*network.outputs]
        given = session.run(None, {key: x.numpy() for key, x in zip(network.inputs, taken, strict=True)})
        found = tuple(map(torch.from_numpy, given))
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's own loader about itself
            found = results(torch.export.load(str(path)).module()(*taken))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_arrays_that_are_shared_stand_in_a_compressed_file_once(tmp_path):
    arch = archspec.load(SHARED)
    state = arch.to_torch(seed=0).state_dict()
    file = tmp_path / "packed.safetensors"
    archspec.compress.pack(arch, state, "int8", file)
    assert archspec.compress.predict(arch, "int8").dense_bits == 8 * arch.count().weight_bytes
    unpacked = archspec.compress.unpack(file)
    assert {*unpacked} == {key for key in state if not key.endswith("num_batches_tracked")}


def test_weights_from_elsewhere_fill_shared_arrays_once():
    arch = archspec.load(f"{EMIT}/tied_embedding.yaml")
    state = arch.to_torch(seed=0).state_dict()
    assert arch.match_weights(state)
    model = arch.to_torch(weights=state)
    assert torch.equal(model.head.weight, state["embed.weight"])


def test_training_refuses_more_than_one_input():
    from archspec.train.score import input_and_classes

    with pytest.raises(ArchspecError, match="has inputs left, right and outputs both, score; training takes one"):
        input_and_classes(archspec.load(f"{EMIT}/several_inputs.yaml").expand())
