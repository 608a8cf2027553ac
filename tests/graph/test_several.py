"""Networks with several inputs and outputs, values of the inside of blocks, and weights that are shared."""

from fractions import Fraction

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.formula.proof import proved

EMIT = "tests/emit/specs"
TOWERS = """
archspec: 1
name: towers
symbols: {side: {default: 16}, c: {default: 8}, deep: {default: true}}
inputs: {left: [3, side, side], right: [3, side, side], more: [5]}
outputs: [score, left_tower/pooled, both]
blocks:
  tower:
    args: {c: required}
    body:
      - {conv2d: {out_channels: c, kernel_size: 3}, as: conv}
      - {global_avg_pool, as: pooled}
      - {linear: {out_features: 5 if deep else 7, bias: false}, as: fc}
network:
  - {tower: {c: c}, as: left_tower}
  - {tower: {c: c}, from: right, share: left_tower, as: right_tower}
  - {add, from: [left_tower, right_tower, more], as: both}
  - {linear: {out_features: c, bias: false}, as: score}
"""


@pytest.fixture(scope="module")
def towers():
    return archspec.loads(TOWERS)


def test_inputs_and_outputs_have_their_names_and_shapes(towers):
    network = towers.expand(batch=2)
    assert {name: x.shape for name, x in network.inputs.items()} == {
        "left": (2, 3, 16, 16),
        "right": (2, 3, 16, 16),
        "more": (2, 5),
    }
    assert network.outputs == {"score": "score", "left_tower/pooled": "left_tower/pooled", "both": "both"}
    assert [x.shape for x in network.results] == [(2, 8), (2, 8), (2, 5)]
    assert network.node("both").inputs == ("left_tower/fc", "right_tower/fc", "more")
    assert not network.one_to_one
    assert network.digraph().in_degree("both") == 3


def test_shared_weights_are_counted_once_and_their_work_each_time(towers):
    conv, fc = 3 * 3 * 3 * 8 + 8, 8 * 5
    cost = towers.count()
    assert cost.params == conv + fc + 5 * 8
    assert cost.weight_bytes == 4 * cost.params
    assert cost.macs == 2 * (14 * 14 * 8 * 27 + fc) + 5 * 8
    assert [row.params for row in cost.by("block")] == [conv + fc, 0, 0, 5 * 8]
    assert sum(term.count for term in cost.param_terms) == cost.params
    assert towers.memory(weights=True).weight_bytes == 4 * cost.params
    network = towers.expand()
    assert network.node("right_tower/fc").shared == {"weight": "left_tower/fc"}
    assert [array.name for array in network.weights_of(network.node("left_tower/conv"))] == ["weight", "bias"]
    assert network.weights_of(network.node("right_tower/conv")) == ()
    assert network.sharing == {f"{side}_tower/{layer}" for side in ("left", "right") for layer in ("conv", "fc")}


def test_a_formula_counts_shared_weights_once(towers):
    assert str(towers.formula("params", deep=True)) == "38c"  # 27c + c, 5c, 5c
    assert towers.formula("macs", c=2, side=6, deep=True)() == towers.count(c=2, side=6).macs


def test_the_inputs_and_the_results_stay_in_memory(towers):
    sizes = {"left": 3 * 16 * 16, "right": 3 * 16 * 16, "more": 5}
    found = towers.memory(policy="liveness")
    first = found.timeline[0].bytes
    assert first == 4 * (sum(sizes.values()) + 8 * 14 * 14)
    assert found.alive("score") == ("left_tower/pooled", "both", "score")
    assert towers.memory(policy="training").peak == 4 * (sum(sizes.values()) + towers.count().activations)
    best = towers.memory(policy="liveness", order="best")
    assert best.optimal
    assert best.peak <= found.peak


def test_what_a_result_sees_of_several_images(towers):
    fields = {row.name: row.figure("receptive_field") for row in towers.count().rows}
    assert (fields["left_tower/conv"], fields["right_tower/conv"]) == (3, 3)


def test_a_path_is_the_value_of_the_inside_of_a_block():
    network = archspec.load(f"{EMIT}/values_inside_blocks.yaml").expand()
    assert network.node("c4/reduce").inputs == ("body/s4/reduce",)
    assert network.outputs["c4/last"] == "c4/last"


def test_a_language_model_has_the_matrix_of_its_words_once():
    arch = archspec.load(f"{EMIT}/tied_embedding.yaml")
    network = arch.expand()
    assert network.node("head").shared == {"weight": "embed"}
    assert (network.below("source"), network.below("target")) == (11, 11)
    untied = arch.count().params + 11 * 8
    assert archspec.loads(arch.dumps().replace("share: embed\n  as: head", "as: head")).count().params == untied


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "name",
    [
        "decoder_table",
        "several_inputs",
        "shared_weights",
        "tied_embedding",
        "values_inside_blocks",
    ],
)
def test_formulas_are_the_counts(name):
    arch = archspec.load(f"{EMIT}/{name}.yaml")
    for quantity in ("params",) if name == "tied_embedding" else ("params", "macs"):
        proof = proved(arch.formula(quantity), arch.document, 20)
        assert proof, proof
        assert proof.tried >= 5


def test_a_symbol_is_true_or_false(towers):
    assert towers.count(deep="true").params == towers.count(deep=True).params
    with pytest.raises(archspec.errors.BindingError, match="deep must be true or false"):
        towers.count(deep=Fraction(1))


ALBERT = """
archspec: 1
name: albert
symbols: {layers: {default: 3, range: [1, 99]}, width: {default: 8}}
input: [5, width]
blocks:
  layer:
    body:
      - {add: [[layer_norm, {linear: {out_features: in_channels}}], identity], as: sum}
network:
  - {repeat: layers, shared: true, as: layers, body: [layer]}
  - relu
"""


def test_units_that_share_have_one_set_of_weights_and_do_the_work_of_all():
    arch = archspec.loads(ALBERT)
    for layers in (1, 3, 12):
        cost = arch.count(layers=layers)
        assert (cost.params, cost.macs) == (8 * 8 + 8 + 2 * 8, layers * 5 * 8 * 8)
    assert (str(arch.formula("params")), str(arch.formula("macs"))) == ("width² + 3·width", "5·layers·width²")
    network = arch.expand()
    assert network.node("layers/unit3/layer/branch1/linear").shared["weight"] == "layers/unit1/layer/branch1/linear"
    assert archspec.loads(arch.dumps()) == arch


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_units_that_share_are_one_module_that_is_used_again():
    pytest.importorskip("torch")
    arch = archspec.loads(ALBERT)
    assert arch.verify()
    assert arch.verify(layers=1)
    assert "for round_ in range(self.times):" in arch.source()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALBERT.replace("as: layers,", "as: layers, index: i,"), "leave out index, or shared"),
        (ALBERT.replace("body: [layer]", "body: [relu]"), "share: layers/unit2 has no weights"),
        (
            ALBERT.replace("body: [layer]", "body: [{linear: {out_features: 2 * in_channels}}]"),
            "shared: a unit must give the shape that it takes, 5×8; it gives 5×16",
        ),
    ],
)
def test_units_that_cannot_share_are_refused(text, said):
    with pytest.raises(ArchspecError) as caught:
        archspec.loads(text).expand()
    assert said in str(caught.value)


BAD = {
    "shapes that cannot be broadcast": (
        "inputs: {x: [4, 6, 6], y: [4, 5, 6]}\nnetwork:\n  - {add: {broadcast: true}, from: [x, y], as: both}\n",
        "5:5: both: add needs equal height: 6 in branch 1, 5 in branch 2; 4×6×6 and 4×5×6 cannot be broadcast",
    ),
    "heads that do not divide": (
        "input: [7, 10]\nnetwork:\n  - {unflatten: {dim: -1, unflattened_size: [3, -1]}, as: heads}\n",
        "5:5: heads: unflatten: the 10 of axis -1 of 7×10 do not divide into 3×-1",
    ),
    "groups of heads that do not divide": (
        "inputs: {q: [6, 7, 4], k: [4, 7, 4]}\nnetwork:\n"
        "  - {scaled_dot_product_attention: {enable_gqa: true}, from: [q, k, k], as: seen}\n",
        "5:37: seen: scaled_dot_product_attention: 6 query heads do not divide into groups for 4 key heads "
        "(6×7×4, 4×7×4)\n",
    ),
    "a recurrent layer on an image": (
        "input: [3, 8, 8]\nnetwork:\n  - {lstm: {hidden_size: 4}, as: memory}\n",
        "5:5: memory: lstm takes a sequence (tokens × features), found 3×8×8; flatten: {start_dim: 2} and transpose",
    ),
    "an output that does not exist": (
        "input: [3, 8, 8]\noutputs: [feature]\nnetwork:\n  - {relu, as: features}\n",
        "4:11: outputs: nothing in this body is called 'feature'; did you mean 'features'?",
    ),
    "a shared weight of another shape": (
        "input: [5]\nnetwork:\n  - {embedding: {num_embeddings: 11, embedding_dim: 8}, as: words}\n"
        "  - {linear: {out_features: 12, bias: false}, share: words, as: head}\n",
        "6:54: share: the weight of head is 12×8, that of words (line 5) is 11×8",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_with_its_place_and_both_shapes(text, said):
    with pytest.raises(ArchspecError) as caught:
        archspec.loads(f"archspec: 1\nname: bad\n{text}").expand()
    assert f"<text>:{said}" in str(caught.value)
