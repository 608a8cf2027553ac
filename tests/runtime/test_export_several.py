"""ONNX of several inputs, several outputs and shared weights gives what the model gives, by name, for any batch."""

import pytest

torch = pytest.importorskip("torch")

import archspec  # noqa: E402  # behind the skip
from archspec.runtime import export  # noqa: E402
from archspec.runtime.calls import drawn, results  # noqa: E402

TWO_TOWERS = """
archspec: 1
name: two_towers
inputs: {words: [6], image: [3, 8, 8]}
outputs: [match, both]
network:
  - {embedding: {num_embeddings: 20, embedding_dim: 4}, as: table, from: words}
  - {mean: {dim: 1}, as: text}
  - {conv2d: {out_channels: 4, kernel_size: 3}, as: seen, from: image}
  - {global_avg_pool, as: sight}
  - {mul: [{from: text}, {from: sight}], as: both}
  - {linear: {out_features: 20, bias: false}, as: match, share: table}
"""

TEXT = {"layers": 2, "width": 16, "heads": 2, "tokens": 8, "vocabulary": 30}
CASES = [
    ("siamese", {}),
    ("bert", TEXT),
    ("gpt2", TEXT),
    ("fpn_resnet50", {"side": 64}),
    ("ssdlite_mobilenet_v3", {}),
]


def files_agree(arch, bindings, path, apart):
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    network, model = arch.expand(bindings), arch.to_torch(bindings, seed=1).eval()
    export(model, network, path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = runtime.InferenceSession(path)
    assert [each.name for each in session.get_inputs()] == list(network.inputs)
    assert [each.name for each in session.get_outputs()] == list(network.outputs)
    ours, files = [], []
    for batch in (1, 3):
        inputs = drawn(arch.expand(bindings, batch=batch), 2)
        with torch.no_grad():
            ours.append(results(model(*inputs)))
        files.append(session.run(None, dict(zip(network.inputs, (x.numpy() for x in inputs), strict=True))))
    for name, mine, theirs in zip(network.outputs, zip(*ours, strict=True), zip(*files, strict=True), strict=True):
        assert [x.shape for x in mine] == [x.shape for x in theirs], name
        share = apart(torch.cat([torch.from_numpy(x) for x in theirs]), torch.cat(mine))
        assert share < 1e-3, name  # untrained, a sigmoid gives from 0.4961 to 0.4965


@pytest.mark.parametrize(("name", "bindings"), CASES, ids=[name for name, _ in CASES])
def test_networks_of_the_zoo_with_several_ends_and_shared_weights(name, bindings, tmp_path, request, apart):
    if not request.config.option.long:
        pytest.skip("torch's exporter takes its time: --long")
    files_agree(archspec.load(name), bindings, tmp_path / "model.onnx", apart)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_two_inputs_of_which_one_is_words_and_two_outputs(tmp_path, apart):
    files_agree(archspec.loads(TWO_TOWERS), {}, tmp_path / "model.onnx", apart)
