"""What every operator gives of its samples, and what each refuses."""

import pickle
from contextlib import suppress
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from typing import Literal, get_origin

import numpy as np
import pytest
from pydantic import ValidationError
from samples import SAMPLES, X

from archspec import ops, symbols
from archspec.errors import ArchspecError, DivisibilityError, ShapeError, UnknownNameError
from archspec.ops import FREE, Function, Operations, Tensor, operator
from archspec.ops.base import Domain, Operator, domain


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_output_has_the_derived_shape(sample):
    assert sample.operator.output(*sample.tensors).shape == sample.output


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_learned_numbers_are_as_derived(sample):
    assert (
        sum(weight.elements for weight in sample.operator.weights(*sample.tensors) if weight.trainable) == sample.params
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_the_arithmetic_is_as_derived(sample):
    assert sample.operator.operations(*sample.tensors) == sample.operations


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_larger_batch_changes_neither_weights_nor_the_arithmetic_of_one_input(sample):
    batch = tuple((x[0] * 3, *x[1:]) for x in sample.inputs)
    larger = replace(sample, inputs=batch)
    assert larger.operator.output(*larger.tensors).shape == (sample.output[0] * 3, *sample.output[1:])
    assert larger.operator.weights(*larger.tensors) == sample.operator.weights(*sample.tensors)
    assert larger.operator.operations(*larger.tensors) == sample.operations.times(3)


def test_every_operator_has_a_row():
    assert set(ops.names()) - {sample.name for sample in SAMPLES} == set()


def test_every_row_is_another_case():
    assert len({str(sample) for sample in SAMPLES}) == len(SAMPLES)


# ------------------------------------------------------------------ the register and the base


def test_the_register_refuses_a_second_operator_of_the_same_name():
    with pytest.raises(ArchspecError, match=r"'relu' is already archspec\.ops\.activation\.Relu"):

        class Another(operator("sigmoid"), name="relu"):
            pass

    assert operator("relu").__module__ == "archspec.ops.activation"


def test_an_operator_is_found_by_its_name_and_a_near_miss_is_suggested():
    assert operator("conv2d").name == "conv2d"
    with pytest.raises(UnknownNameError, match="unknown operator 'con2d'; did you mean 'conv2d'"):
        operator("con2d")


@pytest.mark.parametrize("fact", ["output", "weights", "operations", "torch_call"])
def test_a_class_that_leaves_out_a_fact_cannot_be_made(fact):
    facts = {"output", "weights", "operations", "torch_call"} - {fact}
    cls = type("Partial", (Operator,), dict.fromkeys(facts, _said) | {"__module__": __name__})
    with pytest.raises(TypeError, match=f"abstract method '?{fact}"):
        cls()
    whole = type("Whole", (cls,), {fact: _said, "__module__": __name__})
    assert whole().output(None) is None


def _said(_, x):
    return x


def test_an_operator_cannot_be_changed_and_knows_its_fields():
    conv = operator("conv2d")(out_channels=8, kernel_size=3)
    with pytest.raises(FrozenInstanceError, match="frozen"):
        conv.out_channels = 9
    with pytest.raises(FrozenInstanceError, match="frozen"):
        del conv.out_channels
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        operator("conv2d")(out_channels=8, kernel_size=3, kernel=3)
    assert conv.settings()["out_channels"] == 8
    assert conv == operator("conv2d")(out_channels=8, kernel_size=3)
    assert conv != operator("binary_conv2d")(out_channels=8, kernel_size=3)
    assert hash(conv) == hash(operator("conv2d")(out_channels=8, kernel_size=3))
    assert pickle.loads(pickle.dumps(conv)) == conv  # noqa: S301  # our own
    shown = "Conv2d(out_channels=8, kernel_size=3, stride=1, padding=0, dilation=1, groups=1, bias=True)"
    assert repr(conv) == shown


def test_the_words_of_fields_are_reserved():
    paddings = {"same", "tf_same", "constant", "reflect", "replicate", "circular"}
    assert ops.words() == {"none", "tanh", "relu", "nearest", "bilinear", "bicubic", *paddings}


def test_operations_add_up_and_print_only_what_there_is():
    total = Operations(macs=1, binary=2) + Operations(macs=3).times(2)
    assert total == Operations(macs=7, binary=2)
    assert repr(total) == "Operations(macs=7, binary=2)"
    assert repr(FREE) == "Operations()"


def test_a_tensor_prints_without_its_batch():
    assert [str(Tensor((1, *sizes))) for sizes in ((3, 224, 224), (10,), ())] == ["3×224×224", "10", "scalar"]


# ------------------------------------------------------------------ weights and torch calls


def weights(name, x, **settings):
    return [(w.name, w.shape, w.role, w.bits) for w in operator(name)(**settings).weights(Tensor(x))]


def test_a_batch_norm_keeps_its_statistics_as_buffers():
    assert weights("batch_norm", X) == [
        ("weight", (8,), "scale", None),
        ("bias", (8,), "shift", None),
        ("running_mean", (8,), "statistic", None),
        ("running_var", (8,), "statistic", None),
    ]
    assert [row[0] for row in weights("batch_norm", X, affine=False)] == ["running_mean", "running_var"]
    assert [row[0] for row in weights("batch_norm", X, track_running_stats=False)] == ["weight", "bias"]


def test_a_binary_layer_stores_one_bit_a_weight_and_one_factor_a_channel():
    assert weights("binary_conv2d", X, out_channels=16, kernel_size=(3, 1), groups=2, bias=True) == [
        ("weight", (16, 4, 3, 1), "weight", 1),
        ("bias", (16,), "bias", None),
        ("alpha", (16,), "statistic", None),
    ]
    assert weights("binary_linear", (1, 32), out_features=10) == [
        ("weight", (10, 32), "weight", 1),
        ("alpha", (10,), "statistic", None),
    ]


def test_an_uneven_padding_is_a_call_before_the_convolution():
    x = Tensor((1, 3, 8, 8))
    uneven = operator("conv2d")(out_channels=4, kernel_size=2, padding="same").torch_call(x)
    assert uneven.before == (Function("torch.nn.functional.pad", {"pad": (0, 1, 0, 1)}),)
    assert uneven.kwargs["padding"] == 0
    even = operator("conv2d")(out_channels=4, kernel_size=(5, 3), padding="same").torch_call(x)
    assert (even.before, even.kwargs["padding"]) == ((), (2, 1))
    square = operator("conv2d")(out_channels=4, kernel_size=3, padding=(2, 2, 2, 2)).torch_call(x)
    assert (square.before, square.kwargs["padding"]) == ((), 2)


def test_causal_attention_keeps_its_keys_and_values_and_those_in_a_window_alone():
    q, kv = Tensor((2, 8, 100, 16)), Tensor((2, 2, 100, 16))
    attention = operator("scaled_dot_product_attention")
    grouped = attention(is_causal=True, enable_gqa=True)
    assert grouped.cached(q, kv, kv) == 2 * (2 * 2 * 100 * 16)
    assert attention(is_causal=True, enable_gqa=True, window=64).cached(q, kv, kv) == 2 * (2 * 2 * 64 * 16)
    assert attention(is_causal=True, enable_gqa=True, window=640).cached(q, kv, kv) == grouped.cached(q, kv, kv)
    assert attention(enable_gqa=True).cached(q, kv, kv) == 0
    assert operator("relu")().cached(q) == 0


def test_a_binary_convolution_pads_its_signs_itself():
    call = operator("binary_conv2d")(out_channels=4, kernel_size=2, padding="same").torch_call(Tensor((1, 3, 8, 8)))
    assert (call.before, call.kwargs["padding"]) == ((), (0, 1, 0, 1))


# ------------------------------------------------------------------ what operators refuse of their inputs


def refusal(name, *inputs, **settings):
    chosen, tensors = operator(name)(**settings), tuple(map(Tensor, inputs))
    with pytest.raises(ShapeError) as caught:
        _ = chosen.output(*tensors), chosen.weights(*tensors)
    return str(caught.value)


CONV = {"out_channels": 8, "kernel_size": 3}

REFUSALS = [
    ("conv2d", [(1, 9, 6, 6)], {**CONV, "groups": 4}, "9 input channels do not divide into 4 groups"),
    ("conv2d", [(1, 9, 6, 6)], {**CONV, "groups": 3}, "8 output channels do not divide into 3 groups"),
    ("conv_transpose2d", [(1, 9, 6, 6)], {**CONV, "groups": 4}, "9 input channels do not divide into 4 groups"),
    ("binary_conv2d", [(1, 9, 6, 6)], {**CONV, "groups": 3}, "8 output channels do not divide into 3 groups"),
    ("conv2d", [(1, 9, 2, 6)], CONV, "the kernel spans 3, more than its input's height 2"),
    ("conv2d", [(1, 9, 6, 2)], {**CONV, "dilation": 2, "padding": 1}, "width 2 (with its padding 4)"),
    ("conv2d", [(1, 9, 6, 2)], {**CONV, "dilation": 2, "padding": 1}, "the kernel spans 5, more than"),
    (
        "max_pool2d",
        [(1, 9, 1, 7)],
        {"kernel_size": 2, "stride": 1, "padding": 1, "dilation": 2},
        "a window finds nothing: at a dilation of 2 it steps over the input's height, 1",
    ),
    ("max_pool2d", [(1, 9, 2, 6)], {"kernel_size": 3}, "the kernel spans 3, more than its input's height 2"),
    (
        "max_pool2d",
        [(1, 9, 1, 6)],
        {"kernel_size": 3, "stride": 2, "ceil_mode": True},
        "spans 3, more than its input's height 1",
    ),
    ("avg_pool2d", [(1, 9, 6, 6)], {"kernel_size": 3, "padding": 2}, "the padding 2 must be at most half the kernel"),
    (
        "conv_transpose2d",
        [(1, 9, 1, 6)],
        {**CONV, "padding": 2},
        "the padding 2 leaves nothing of the output's height (-1)",
    ),
    (
        "conv_transpose2d",
        [(1, 9, 6, 6)],
        {**CONV, "output_padding": 2, "stride": 2},
        "output_padding 2 must be smaller than the stride 2 or the dilation 1",
    ),
    ("conv2d", [(1, 9)], CONV, "conv2d takes an image (channels × height × width), found 9"),
    ("max_pool2d", [(1, 4, 9)], {"kernel_size": 3}, "max_pool2d takes an image (channels × height × width), found 4×9"),
    ("global_avg_pool", [(1, 9)], {}, "global_avg_pool takes an image (channels × height × width), a sequence or a"),
    ("conv1d", [X], CONV, "conv1d takes a sequence (channels × length), found 8×6×5"),
    ("conv3d", [X], CONV, "conv3d takes a volume (channels × depth × height × width), found 8×6×5"),
    ("conv3d", [(1, 2, 3, 2, 3)], CONV, "the kernel spans 3, more than its input's height 2"),
    ("max_pool2d", [X], {"kernel_size": 3, "padding": "tf_same", "ceil_mode": True}, "⌈h/s⌉ of results; leave out"),
    ("group_norm", [X], {"num_groups": 3}, "8 channels do not divide into 3 groups"),
    ("instance_norm", [(1, 9)], {}, "instance_norm takes an image"),
    ("instance_norm", [(1, 9, 1)], {}, "instance_norm of 9×1 would normalise each element by itself, to 0"),
    ("group_norm", [(1, 8, 1, 1)], {"num_groups": 8}, "group_norm of 8×1×1 would normalise each element by itself"),
    ("flatten", [X], {"start_dim": 3, "end_dim": 2}, "flatten from axis 3 to 2: there is none between"),
    ("flatten", [(1, 9)], {"start_dim": 2}, "flatten along axis 2 needs inputs of more axes than 9"),
    ("unflatten", [X], {"dim": 1, "unflattened_size": (3, -1)}, "the 8 of axis 1 of 8×6×5 do not divide into 3×-1"),
    ("unflatten", [X], {"dim": 1, "unflattened_size": (3, 2)}, "the 8 of axis 1 of 8×6×5 do not fill 3×2, which is 6"),
    ("reshape", [X], {"shape": (7, -1)}, "the 240 elements of 8×6×5 do not divide into 7×-1"),
    ("permute", [X], {"dims": (1, 2)}, "permute of 8×6×5 names each axis from 1 to 3 once, found [1, 2]"),
    ("narrow", [X], {"start": 6, "length": 3}, "narrow takes up to 9 of axis 1 of 8×6×5, which has 8"),
    ("select", [X], {"index": -9}, "select: axis 1 of 8×6×5 has no place -9"),
    ("roll", [X], {"shifts": (1,), "dims": (1, 2)}, "roll needs a shift for each axis: 1 for 2"),
    ("pad", [X], {"padding": (1, 2, 3)}, "pad of 8×6×5 takes one number, 2 or 4 (got 3)"),
    ("pad", [X], {"padding": 5, "mode": "reflect"}, "the padding 'reflect' of width 5 can be at most 4, found 5 and 5"),
    ("crop", [X], {"cropping": (0, 3)}, "crop of 3 and 3 leaves nothing of width 5"),
    ("pixel_shuffle", [X], {"upscale_factor": 3}, "pixel_shuffle: 8 channels does not divide by 9"),
    ("pixel_unshuffle", [X], {"downscale_factor": 2}, "pixel_unshuffle: a side of 5 does not divide by 2"),
    ("patches", [X], {"patch_size": 2}, "patches: the width 5 does not divide by 2"),
    ("from_patches", [X], {"patch_size": 2, "grid": 2}, "from_patches takes tokens × features, found 8×6×5"),
    ("from_patches", [(1, 3, 8)], {"patch_size": 2, "grid": 2}, "2 × 2 patches are not the 3 tokens of 3×8"),
    (
        "lstm",
        [X],
        {"hidden_size": 3},
        "lstm takes a sequence (tokens × features), found 8×6×5; flatten: {start_dim: 2}",
    ),
    ("gru", [(1, 9)], {"hidden_size": 3}, "gru takes a sequence (tokens × features), found 9"),
    ("rnn", [(1, 9, 2)], {"hidden_size": 3, "num_layers": 101}, "num_layers must be a number up to 100, whose layers"),
    ("matmul", [(1, 3, 4)], {}, "matmul takes two tensors, found 1"),
    (
        "matmul",
        [(1, 3, 4), (1, 5, 6)],
        {},
        "matmul of 3×4 and 5×6: the 4 columns of one are not the 5 rows of the other",
    ),
    ("matmul", [(1, 3, 4), (1, 4)], {}, "matmul needs matrices of as many axes: 3×4 in branch 1, 4 in branch 2"),
    ("matmul", [(1, 2, 3, 4), (1, 3, 4, 3)], {}, "matmul: 2×3×4 and 3×4×3 cannot be broadcast, 2 is not 3"),
    ("scaled_dot_product_attention", [(1, 5, 4)] * 2, {}, "takes the branches q, k, v and perhaps a mask, found 2"),
    ("scaled_dot_product_attention", [(1, 5, 4), (1, 5, 4), (1, 1, 5, 4)], {}, "found 5×4, 5×4, 1×5×4"),
    (
        "scaled_dot_product_attention",
        [(1, 2, 5, 4), (1, 2, 5, 3), (1, 2, 5, 3)],
        {},
        "a query of 4 and a key of 3 have no product (2×5×4, 2×5×3)",
    ),
    ("scaled_dot_product_attention", [(1, 5, 4), (1, 5, 4), (1, 6, 4)], {}, "as many keys as values, found 5 and 6"),
    (
        "scaled_dot_product_attention",
        [(1, 4, 5, 8), (1, 2, 5, 8), (1, 2, 5, 8)],
        {},
        "as many heads of q as of k and v, found 4×5×8 and 2×5×8; with enable_gqa: true the heads",
    ),
    (
        "scaled_dot_product_attention",
        [(1, 4, 5, 8), (1, 3, 5, 8), (1, 3, 5, 8)],
        {"enable_gqa": True},
        "4 query heads do not divide into groups for 3 key heads (4×5×8, 3×5×8)",
    ),
    (
        "scaled_dot_product_attention",
        [(1, 4, 5, 8), (1, 2, 5, 8), (1, 4, 5, 8)],
        {"enable_gqa": True},
        "needs as many key heads as value heads, found 2×5×8 and 4×5×8",
    ),
    (
        "scaled_dot_product_attention",
        [(1, 5, 8)] * 3 + [(1, 5, 4)],
        {},
        "a mask of 5×4 cannot be broadcast to the scores, 5×5",
    ),
    (
        "scaled_dot_product_attention",
        [(1, 5, 8)] * 3 + [(1, 5, 5)],
        {"is_causal": True},
        "is causal or takes a mask; leave out one of them",
    ),
    ("scaled_dot_product_attention", [(1, 5, 8)] * 3, {"window": 2}, "a window is of the keys before a query; give is"),
    ("rotary", [(1, 8)], {}, "rotary takes … × length × features, found 8"),
    ("rotary", [(1, 5, 7)], {}, "rotary turns pairs, and 5×7 has 7 features"),
    ("mean", [(1, 8)], {"dim": 2}, "mean along axis 2 needs inputs of more axes than 8"),
    (
        "divide",
        [X, (1, 8, 2, 5)],
        {},
        "divide needs equal height: 6 in branch 1, 2 in branch 2; 8×6×5 and 8×2×5 cannot",
    ),
    ("maximum", [X, (1, 8, 1, 1)], {}, "maximum needs equal height: 6 in branch 1, 1 in branch 2"),
    ("global_max_pool", [(1, 9)], {}, "global_max_pool takes an image"),
    ("adaptive_avg_pool2d", [(1, 9)], {"output_size": 1}, "adaptive_avg_pool2d takes an image"),
    ("local_response_norm", [(1, 9)], {"size": 5}, "local_response_norm takes an image"),
    ("upsample", [(1, 9)], {"scale_factor": 2}, "upsample takes an image"),
    ("zero_pad", [(1, 9)], {"padding": 2}, "zero_pad takes an image"),
    (
        "linear",
        [X],
        {"out_features": 2},
        "linear takes vectors, found an image of 8×6×5; put flatten or global_avg_pool",
    ),
    ("binary_linear", [X], {"out_features": 2}, "binary_linear takes vectors, found an image of 8×6×5"),
    ("layer_norm", [X], {}, "over the width of an image; give over_channels: true, or normalized_shape"),
    ("layer_norm", [(1, 5)], {"over_channels": True}, "layer_norm takes an image"),
    (
        "layer_norm",
        [X],
        {"over_channels": True, "normalized_shape": (5,)},
        "over the channels or over normalized_shape",
    ),
    ("batch_norm", [(1, 2, 3, 4, 5, 6)], {}, "batch_norm takes an image (channels × height × width), a sequence or a"),
    (
        "layer_norm",
        [X],
        {"normalized_shape": (6, 6)},
        "layer_norm over 6×6 does not fit the last axes of its input 8×6×5",
    ),
    ("layer_norm", [(1, 5)], {"normalized_shape": (3, 1, 5)}, "layer_norm over 3×1×5 does not fit"),
    ("layer_norm", [(1, 5)], {"normalized_shape": ()}, "layer_norm over no axes does not fit"),
    ("prelu", [X], {"num_parameters": 4}, "prelu needs 1 slope or one per channel, 8, found 4"),
    ("channel_shuffle", [X], {"groups": 3}, "8 channels do not divide into 3 groups"),
    ("split", [X], {"sections": 3, "index": 0}, "8 channels do not split into 3 equal parts"),
    ("split", [X], {"sections": 2, "index": 2}, "there is no part 2 of 2; parts count from 0"),
    ("split", [X], {"sections": (4, 4), "index": 2}, "there is no part 2 of 2; parts count from 0"),
    ("split", [X], {"sections": (4, 3), "index": 0}, "the sections add up to 7, not to the 8 channels"),
    ("split", [X], {"sections": 2, "index": 0, "dim": 4}, "split along axis 4 needs inputs of more axes than 8×6×5"),
    ("softmax", [(1, 9)], {"dim": 2}, "softmax along axis 2 needs inputs of more axes than 9, which has 2"),
    ("log_softmax", [(1, 9)], {"dim": -2}, "log_softmax along axis -2"),
    ("add", [X, (1, 8, 6, 4)], {}, "add needs equal width: 5 in branch 1, 4 in branch 2"),
    ("add", [X, X, (1, 1, 6, 5)], {}, "add needs equal channels: 8 in branch 1, 1 in branch 3"),
    ("add", [X, (1, 8)], {}, "add needs inputs of as many axes: 8×6×5 in branch 1, 8 in branch 2"),
    ("mul", [X, (1, 8, 2, 5)], {}, "mul needs equal height: 6 in branch 1, 2 in branch 2"),
    ("mul", [(1, 2, 3), (1, 2, 4)], {}, "mul needs equal axis 2: 3 in branch 1, 4 in branch 2"),
    ("concat", [X, (1, 3, 6, 4)], {}, "concat joins channels; width differs: 5 in branch 1, 4 in 2"),
    ("concat", [X, (2, 8, 6, 5)], {}, "concat joins channels; batch differs: 1 in branch 1, 2 in 2"),
    ("concat", [X, (1, 8)], {}, "concat needs inputs of as many axes: 8×6×5 in branch 1, 8 in branch 2"),
    ("concat", [(1, 8), (1, 8)], {"dim": 2}, "concat along axis 2 needs inputs of more axes than 8, which has 2"),
]


@pytest.mark.parametrize(("name", "inputs", "settings", "message"), REFUSALS)
def test_inputs_that_do_not_fit_are_refused_with_what_was_found(name, inputs, settings, message):
    assert message in refusal(name, *inputs, **settings)


def test_what_does_not_divide_says_so_by_its_type():
    with pytest.raises(DivisibilityError):
        operator("split")(sections=3, index=0).output(Tensor(X))
    with pytest.raises(DivisibilityError):
        operator("conv2d")(out_channels=8, kernel_size=1, groups=3).weights(Tensor(X))


def test_a_convolution_of_both_axes_names_the_axis_that_is_too_small():
    assert "width 2" in refusal("conv2d", (1, 3, 3, 2), **CONV)
    assert "height 2" in refusal("conv2d", (1, 3, 2, 3), **CONV)


# ------------------------------------------------------------------ what fields refuse


BAD_FIELDS = [
    ("conv2d", {**CONV, "out_channels": 0}, "must be at least 1 (got 0)"),
    ("conv2d", {**CONV, "out_channels": -3}, "must be at least 1 (got -3)"),
    ("conv2d", {**CONV, "out_channels": 2.5}, "must be an integer (got 5/2)"),
    ("conv2d", {**CONV, "out_channels": Fraction(7, 2)}, "must be an integer (got 7/2)"),
    ("conv2d", {**CONV, "out_channels": True}, "must be a number (got True)"),
    ("conv2d", {**CONV, "out_channels": "many"}, "must be a number (got 'many')"),
    ("conv2d", {**CONV, "out_channels": None}, "must be a number (got None)"),
    ("conv2d", {**CONV, "out_channels": "9" * 99}, f"must be a number (got '{'9' * 39})"),
    ("conv2d", {**CONV, "out_channels": np.array([True])}, "must be a number (got array([ True]))"),
    ("conv2d", {**CONV, "out_channels": np.array([8, 0])}, "must be at least 1 (got [8 0])"),
    ("conv2d", {**CONV, "groups": [1, 2]}, "must be a number (got [1, 2])"),
    ("conv2d", {**CONV, "kernel_size": [3, 3, 3]}, "must be one size or two, height and width (got 3)"),
    ("conv2d", {**CONV, "stride": [1, 0]}, "must be at least 1 (got 0)"),
    ("conv2d", {**CONV, "bias": 1}, "must be true or false (got 1)"),
    ("conv2d", {**CONV, "padding": -1}, "must not be negative (got -1)"),
    ("conv2d", {**CONV, "padding": [0, 1, 0, -1]}, "must not be negative (got -1)"),
    ("conv2d", {**CONV, "padding": "valid"}, "[top, bottom, left, right] (got 'valid')"),
    (
        "conv2d",
        {**CONV, "padding": [1, 1, 1]},
        "must be 'same', 'tf_same', one size, [height, width] or [top, ",
    ),
    ("conv2d", {**CONV, "padding": [1, 1, 1]}, "(got 3 sizes)"),
    ("conv_transpose2d", {**CONV, "padding": "same"}, "must be a number (got 'same')"),
    ("max_pool2d", {"kernel_size": 3, "stride": 0}, "must be at least 1 (got 0)"),
    (
        "zero_pad",
        {"padding": [1, 2, 3]},
        "must be one size, [height, width] or [top, bottom, left, right] (got 3 sizes)",
    ),
    ("zero_pad", {"padding": -1}, "must not be negative (got -1)"),
    ("split", {"sections": 0, "index": 0}, "must be at least 1 (got 0)"),
    ("split", {"sections": [3, 0], "index": 0}, "must be at least 1 (got 0)"),
    ("split", {"sections": 2, "index": -1}, "must not be negative (got -1)"),
    ("dropout", {"p": 1}, "must be at least 0 and less than 1 (got 1)"),
    ("dropout", {"p": -0.5}, "must be at least 0 and less than 1 (got -1/2)"),
    ("dropout", {"p": "half"}, "must be a number (got 'half')"),
    ("leaky_relu", {"negative_slope": "1/0"}, "must be a number (got '1/0')"),
    ("gelu", {"approximate": "erf"}, "'none' or 'tanh'"),
    ("upsample", {"scale_factor": 2, "mode": "cubic"}, "'nearest' or 'bilinear'"),
    ("leaky_relu", {"negative_slope": 10**31}, "must be at most 10^30, above or below zero"),
    ("leaky_relu", {"negative_slope": float("nan")}, "must be a number (got nan)"),
    ("elu", {"alpha": -1}, "must be at least 0 (got -1)"),
    ("batch_norm", {"eps": -1.0}, "must be at least 0 (got -1)"),
    ("batch_norm", {"momentum": 2}, "must be from 0 to 1 (got 2)"),
    ("layer_norm", {"eps": -1e-9}, "must be at least 0 (got -1/1000000000)"),
    ("layer_norm", {"normalized_shape": 3}, "must be a list of sizes (got 3)"),
    ("layer_norm", {"normalized_shape": [3, 0]}, "must be at least 1 (got 0)"),
    ("local_response_norm", {"size": 0}, "must be at least 1 (got 0)"),
    ("local_response_norm", {"size": 5, "alpha": -1}, "must be at least 0 (got -1)"),
    ("local_response_norm", {"size": 5, "beta": "-1/2"}, "must be at least 0 (got -1/2)"),
    ("local_response_norm", {"size": 5, "k": 0}, "must be greater than 0 (got 0)"),
    ("softmax", {"dim": 0}, "must be an axis other than 0, which is the batch"),
    ("softmax", {"dim": True}, "must be the number of an axis, such as 1 (got True)"),
    ("conv1d", {**CONV, "kernel_size": [3]}, "must be a number (got [3])"),
    ("conv1d", {**CONV, "padding": [1, 2, 3]}, "must be 'same', 'tf_same', one size or [before, after] (got 3 sizes)"),
    ("conv3d", {**CONV, "stride": [1, 2]}, "must be one size or three, depth, height and width (got 2)"),
    ("max_pool2d", {"kernel_size": 3, "padding": "same"}, "must be a number (got 'same')"),
    ("mean", {"dim": []}, "must be axes, each once (got [])"),
    ("mean", {"dim": [2, 2]}, "must be axes, each once (got [2, 2])"),
    ("permute", {"dims": [0, 1]}, "must be an axis other than 0"),
    ("reshape", {"shape": 7}, "must be a list of sizes (got 7)"),
    ("reshape", {"shape": [-1, -1]}, "must be sizes, -1 for at most one of them (got [-1, -1])"),
    ("unflatten", {"dim": 1, "unflattened_size": [2, 0]}, "must be at least 1 (got 0)"),
    ("select", {"index": 0.5}, "must be a whole number (got 0.5)"),
    ("roll", {"shifts": [0.5], "dims": 1}, "must be whole numbers (got [0.5])"),
    ("quantise", {"scale": 0}, "must be greater than 0 (got 0)"),
    ("quantise", {"scale": 1, "bits": 33}, "must be a whole number from 1 to 32 (got 33)"),
    ("quantise", {"scale": 1, "zero_point": 0.5}, "must be a whole number (got 0.5)"),
    ("parameter", {"shape": [3, 0]}, "must be at least 1 (got 0)"),
    ("parameter", {"shape": [3], "std": -1}, "must be at least 0 (got -1)"),
    ("concat", {"dim": 1.5}, "must be the number of an axis, such as 1 (got 1.5)"),
]


@pytest.mark.parametrize(("name", "settings", "message"), BAD_FIELDS)
def test_a_field_refuses_what_it_cannot_be_and_says_what_it_got(name, settings, message):
    with pytest.raises(ValidationError) as caught:
        operator(name)(**settings)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, cls in ops.registered().items() for field in cls.model_fields]
)
def test_every_field_says_what_it_may_be(name, field):
    info = operator(name).model_fields[field]
    assert isinstance(domain(info), Domain) or get_origin(info.annotation) is Literal, (
        f"{name}.{field} has no domain: type it as Positive, Probability, Switch, … of archspec.ops.base"
    )


def test_a_number_may_be_written_as_text_a_whole_float_or_a_fraction():
    conv = operator("conv2d")(out_channels="32", kernel_size=3.0, stride=Fraction(4, 2))
    assert (conv.out_channels, conv.kernel_size, conv.stride) == (32, 3, 2)
    assert all(type(value) is int for value in (conv.out_channels, conv.kernel_size, conv.stride))
    assert operator("dropout")(p=0.2).p == Fraction(1, 5)


def test_a_default_is_the_same_exact_number_as_when_it_is_written_out():
    assert operator("batch_norm")() == operator("batch_norm")(eps=1e-5, momentum="1/10")
    assert operator("batch_norm")().eps == Fraction(1, 100_000)


def test_a_symbol_passes_every_check_of_size():
    c = symbols.symbol("c")
    conv = operator("conv2d")(out_channels=c, kernel_size=c, padding=[c, c], groups=c)
    assert conv.weights(Tensor((1, c, 9, 9)))[0].shape == (c, 1, c, c)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_has_another_number_of_axes_is_taken_or_refused(sample):
    for sizes in ((), (4,), (4, 6), (4, 6, 8), (4, 6, 8, 3)):
        inputs = [Tensor((2, *sizes))] * len(sample.inputs)
        with suppress(ArchspecError):
            sample.operator.output(*inputs)
            sample.operator.weights(*inputs)
            sample.operator.operations(*inputs)
            sample.operator.torch_call(*inputs)


@pytest.mark.parametrize(
    ("queries", "keys", "window"), [(7, 7, 3), (7, 7, None), (2, 2, 5), (3, 7, None), (7, 3, None)]
)
def test_what_a_causal_mask_leaves_is_the_sum_over_its_rows(queries, keys, window):
    attention = operator("scaled_dot_product_attention")(is_causal=True, window=window)
    q, k = Tensor((2, 3, queries, 4)), Tensor((2, 3, keys, 4))
    seen = sum(min(row + 1, keys, window or keys) for row in range(queries))
    assert attention.unmasked(q, k, k).macs == 2 * 3 * seen * (4 + 4)
    assert attention.operations(q, k, k).macs == 2 * 3 * queries * keys * (4 + 4)


def test_a_window_over_more_keys_than_queries_is_counted_whole_alone():
    attention = operator("scaled_dot_product_attention")(is_causal=True, window=2)
    with pytest.raises(ShapeError, match="as many keys as queries"):
        attention.unmasked(*map(Tensor, ((1, 3, 4), (1, 7, 4), (1, 7, 4))))
