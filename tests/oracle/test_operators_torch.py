"""Torch as the oracle: every operator's shape, weights and products are those of the module that computes it.

On `torch.device("meta")`, which works out shapes without numbers; what a formula must give is checked on numbers.
"""

import copy
import inspect
import pickle
from collections import Counter
from dataclasses import replace
from itertools import product
from math import prod
from random import Random

import pytest
from samples import SAMPLES as EVERY

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402  # behind the skip
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

import archspec  # noqa: E402
from archspec import symbols  # noqa: E402
from archspec.cost import dialect  # noqa: E402
from archspec.cost.counting import Counting, counted  # noqa: E402
from archspec.errors import ArchspecError, ShapeError  # noqa: E402
from archspec.language.initialisation import FILLINGS, Filling  # noqa: E402
from archspec.ops import Function, Module, Tensor, operator  # noqa: E402
from archspec.runtime import runnable  # noqa: E402
from archspec.runtime.binary import BinaryConv2d, BinaryLinear, sign  # noqa: E402
from archspec.runtime.calls import resolve  # noqa: E402

SAMPLES = [each for each in EVERY if each.operator.known]
"""What torch computes, too."""

CASES = 320
"""Random settings of each windowed operator on which both must agree on a shape."""


# ------------------------------------------------------------------ one operator against torch


def modules(call):
    return runnable(call).eval() if isinstance(call, Module) else runnable(call)


def run(chosen, *shapes, device="meta"):
    """The live module or function, its output's shape, and the FLOPs that torch counts."""
    with torch.device(device), torch.no_grad(), FlopCounterMode(display=False) as counter:
        module = modules(chosen.torch_call(*map(Tensor, shapes)))
        y = module(*map(torch.zeros, shapes))
    return module, tuple(y.shape), counter.get_total_flops()


def agree(chosen, *shapes):
    tensors = tuple(map(Tensor, shapes))
    module, shape, flops = run(chosen, *shapes)
    assert chosen.output(*tensors).shape == shape, (chosen, shapes)
    assert 2 * products(chosen, *tensors) == flops, (chosen, shapes)
    weights = chosen.weights(*tensors)
    if not isinstance(module, torch.nn.Module):
        assert weights == (), chosen
        return
    state = {name: tuple(value.shape) for name, value in module.state_dict().items() if "num_batches" not in name}
    assert [(weight.name, weight.shape) for weight in weights] == list(state.items()), (chosen, shapes)
    learned = [name for name, _ in module.named_parameters()]
    assert [weight.name for weight in weights if weight.trainable] == learned, (chosen, shapes)


def products(chosen, *tensors):
    """The multiply-accumulates as torch carries them out: also those that one-bit layers do without."""
    done = chosen.operations(*tensors)
    if not chosen.name.startswith("binary"):
        return done.macs
    kernel = chosen.weights(*tensors)[0].shape
    return prod(kernel[1:]) * chosen.output(*tensors).elements + done.macs


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("sample", [each for each in SAMPLES if not each.name.startswith("binary")], ids=str)
def test_the_dialect_of_torch_says_what_its_counter_counts(sample):
    work = counted(sample.operator, sample.tensors, Tensor(sample.output), Counting())
    assert dialect("torch").flops_at(work) == 2 * sample.operations.macs


# ------------------------------------------------------------------ random windows


def one_or_each(random, low, high, axes=2):
    each = tuple(random.randint(low, high) for _ in range(axes))
    return each[0] if axes == 1 else random.choice([random.randint(low, high), each])


def convolution(random, channels, name="conv2d", axes=2):
    sizes = [random.randint(0, 3) for _ in range(2 * axes)]
    several = [sizes[:axes]] if axes > 1 else []
    return operator(name)(
        out_channels=random.choice([1, 2, 4, 6]),
        kernel_size=one_or_each(random, 1, 4, axes),
        stride=one_or_each(random, 1, 3, axes),
        padding=random.choice(["same", "tf_same", sizes[0], *several, sizes]),
        dilation=one_or_each(random, 1, 3, axes),
        groups=random.choice([1, 1, 2, 3, channels]),
        bias=random.choice([True, False]),
    )


def binary_convolution(random, channels):
    chosen = convolution(random, channels, "binary_conv2d")
    switches = {"binary_input": random.choice([True, False]), "input_scale": random.choice([True, False])}
    return type(chosen)(**chosen.settings() | switches)


def transposed(random, channels, axes=2):
    return operator(f"conv_transpose{axes}d")(
        out_channels=random.choice([1, 2, 4, 6]),
        kernel_size=one_or_each(random, 1, 4, axes),
        stride=one_or_each(random, 1, 3, axes),
        padding=one_or_each(random, 0, 3, axes),
        output_padding=one_or_each(random, 0, 2, axes),
        dilation=one_or_each(random, 1, 3, axes),
        groups=random.choice([1, 1, 2, 3, channels]),
        bias=random.choice([True, False]),
    )


def pooling(random, axes, **settings):
    padding = random.choice([one_or_each(random, 0, 2, axes)] * 3 + ["tf_same"])
    return {
        "kernel_size": one_or_each(random, 1, 5, axes),
        "stride": random.choice([None, one_or_each(random, 1, 4, axes)]),
        "padding": padding,
        "ceil_mode": random.choice([True, False]) and padding != "tf_same",
        **settings,
    }


def max_pooling(random, _, axes=2):
    return operator(f"max_pool{axes}d")(**pooling(random, axes, dilation=one_or_each(random, 1, 3, axes)))


def avg_pooling(random, _, axes=2):
    return operator(f"avg_pool{axes}d")(**pooling(random, axes, count_include_pad=random.choice([True, False])))


def convolution_of(random, channels, axes=2):
    return convolution(random, channels, f"conv{axes}d", axes)


WINDOWS = [
    *((draw, axes) for axes in (2, 1, 3) for draw in (convolution_of, transposed, max_pooling, avg_pooling)),
    (binary_convolution, 2),
]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("draw", "axes"), WINDOWS)
def test_any_window_agrees_with_torch_or_both_refuse_it(draw, axes):
    random, seen = Random(f"{draw.__name__}{axes}"), Counter()  # noqa: S311  # the same cases every time
    while seen["agreed"] < CASES:
        channels = random.choice([1, 2, 3, 4, 6, 8])
        longest = 14 if axes < 3 else 9
        x = (random.randint(1, 2), channels, *(random.randint(1, longest) for _ in range(axes)))
        chosen = draw(random, channels) if axes == 2 else draw(random, channels, axes)
        if refuses(chosen, x):
            assert torch_refuses(chosen, x), (chosen, x)
            seen["refused"] += 1
        else:
            agree(chosen, x)
            seen["agreed"] += 1
    assert seen["refused"] > CASES // 20


def refuses(chosen, x):
    try:
        _ = chosen.output(Tensor(x)), chosen.weights(Tensor(x))
    except ShapeError:
        return True
    return False


def torch_refuses(chosen, x):
    """On real numbers, as torch does not check all of it without.

    It lets a transposed convolution come out empty, and takes the largest of nothing for −∞.
    """
    try:
        module, shape, _ = run(chosen, x, device="cpu")
    except (RuntimeError, ValueError):
        return True
    if chosen.name.startswith("max_pool"):
        return bool(module(torch.zeros(x)).isinf().any())
    return chosen.name.startswith("conv_transpose") and 0 in shape


# ------------------------------------------------------------------ every operator

SHAPES = [(1, 8, 6, 5), (2, 4, 7, 7), (3, 12, 1, 9), (2, 8), (3, 4), (2, 4, 8), (1, 4, 3, 5, 6)]
"""Images, vectors, a sequence and a volume: what an operator takes of them, torch takes."""


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_every_operator_agrees_with_torch(sample):
    agree(sample.operator, *sample.inputs)
    if sample.operator.arity == "one":
        taken = [x for x in SHAPES if not refuses(sample.operator, x)]
        for x in taken:
            agree(sample.operator, x)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_what_a_call_says_of_torch_is_so(sample):
    """Its defaults are those of torch's signature, and what is written without a name comes first there."""
    call = sample.operator.torch_call(*sample.tensors)
    for one in (call, *getattr(call, "before", ())):
        known = parameters(one.target)
        if known is None:  # of a function that has no signature in Python, to which all is given by name
            assert one.leading == 0
            continue
        takes = [key for key in known if key not in {"input", "self", "mode"}]  # nn.RNN tells its base the mode
        assert takes[: one.leading] == [*one.kwargs][: one.leading]
        for key in one.kwargs.keys() & one.defaults.keys() - {"nonlinearity"}:  # nn.RNN takes it from its **kwargs
            assert (type(known[key].default) is bool) == (type(one.defaults[key]) is bool), key
            assert known[key].default == one.defaults[key], key


def parameters(target):
    """The parameters of a class or function, those that it hands on to a class above it among them."""
    found = resolve(target)
    try:
        own = inspect.signature(found).parameters
    except ValueError:
        return None
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in own.values()):
        return own
    above = (inspect.signature(each).parameters for each in found.__mro__[2:])
    return {**next(each for each in above if "args" not in each), **own}


def test_what_functions_without_a_signature_take():
    x = torch.arange(24.0).view(1, 2, 3, 4)
    assert torch.mean(x, dim=(2, 3)).shape == torch.amax(x, dim=(2, 3)).shape == (1, 2)
    assert torch.cat([x, x]).shape == (2, 2, 3, 4)


@pytest.mark.parametrize("kind", sorted(FILLINGS))
def test_what_a_filling_says_of_torch_is_so(kind):
    call = Filling(kind, 1).call()
    known = parameters(call.target)
    assert [*known][1 : 1 + call.leading] == [*call.kwargs][: call.leading]
    assert all(known[key].default == call.defaults[key] for key in call.kwargs.keys() & call.defaults)


def gradients(layer, sample, after):
    """The gradients of a layer's inputs, which it takes as copies that nothing else needs, with `after` behind it."""
    inputs = [torch.rand(x, generator=torch.Generator().manual_seed(1), requires_grad=True) for x in sample.inputs]
    after(layer(*(x * 2 - 1 for x in inputs))).sum().backward()
    return [x.grad for x in inputs]


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.operator.overwrites], ids=str)
def test_what_overwrites_its_input_has_the_same_gradient_in_place(sample):
    call = sample.operator.torch_call(*sample.tensors)
    in_place = runnable(replace(call, kwargs={**call.kwargs, "inplace": True}))
    assert all(map(torch.equal, *(gradients(layer, sample, lambda y: y * 3) for layer in (runnable(call), in_place))))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.operator.overwritable], ids=str)
def test_a_result_that_is_written_over_is_not_needed_for_its_gradient(sample):
    layer = runnable(sample.operator.torch_call(*sample.tensors))
    ways = torch.relu, torch.relu_
    assert all(map(torch.equal, *(gradients(layer, sample, way) for way in ways)))


# ------------------------------------------------------------------ numbers


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def compute(name, *inputs, **settings):
    return modules(operator(name)(**settings).torch_call(*(Tensor(tuple(x.shape)) for x in inputs)))(*inputs)


@pytest.mark.parametrize("kernel", [1, 3, (5, 1), (3, 7)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("side", [7, 8, 9])
def test_padding_same_puts_the_middle_of_an_odd_kernel_on_every_stride_th_pixel(kernel, stride, side):
    x = torch.randn(1, 1, side, side)
    conv = operator("conv2d")(out_channels=1, kernel_size=kernel, stride=stride, padding="same", bias=False)
    module = runnable(conv.torch_call(Tensor((1, 1, side, side))))
    with torch.no_grad():
        middle = torch.zeros_like(module.weight)
        middle[0, 0, middle.shape[2] // 2, middle.shape[3] // 2] = 1
        module.weight.copy_(middle)
        assert torch.equal(module(x), x[:, :, ::stride, ::stride])


def test_padding_same_of_an_even_kernel_has_the_odd_row_below_and_the_odd_column_on_the_right():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    module = runnable(
        operator("conv2d")(out_channels=1, kernel_size=2, padding="same").torch_call(Tensor((1, 1, 3, 3)))
    )
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[[[1.0, 0], [0, 0]]]]))
        module.bias.zero_()
        assert torch.equal(module(x), x)


def test_padding_on_four_sides_is_top_bottom_left_right():
    x = torch.ones(1, 1, 2, 2)
    padded = compute("zero_pad", x, padding=(1, 0, 0, 2))
    assert padded.tolist() == [[[[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]]]
    module = runnable(
        operator("conv2d")(out_channels=1, kernel_size=1, padding=(1, 0, 0, 2), bias=False).torch_call(
            Tensor((1, 1, 2, 2))
        )
    )
    with torch.no_grad():
        module.weight.fill_(1)
        assert torch.equal(module(x), padded)


def test_rounding_up_keeps_the_last_row_and_column():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert compute("max_pool2d", x, kernel_size=3, stride=2, ceil_mode=True).tolist() == [[[[10, 11], [14, 15]]]]
    assert compute("max_pool2d", x, kernel_size=3, stride=2).tolist() == [[[[10]]]]
    # the window beyond the edge is a mean of what there is
    assert compute("avg_pool2d", x, kernel_size=3, stride=2, ceil_mode=True)[0, 0, 1, 1] == (10 + 11 + 14 + 15) / 4


def test_channel_shuffle_transposes_groups_and_channels():
    x = torch.arange(6.0).reshape(1, 6, 1, 1)
    assert compute("channel_shuffle", x, groups=2).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    assert compute("channel_shuffle", x, groups=3).flatten().tolist() == [0, 2, 4, 1, 3, 5]


def test_the_parts_of_a_split_are_the_channels_in_order():
    x = torch.arange(12.0).reshape(1, 6, 2)
    equal = [compute("split", x, sections=3, index=index) for index in range(3)]
    assert torch.equal(torch.cat(equal, 1), x)
    assert all(map(torch.equal, equal, x.chunk(3, 1)))
    parts = [compute("split", x, sections=(1, 3, 2), index=index) for index in range(3)]
    assert all(map(torch.equal, parts, x.split((1, 3, 2), 1)))
    assert torch.equal(compute("split", x, sections=2, index=1, dim=-1), x[..., 1:])


def test_joins_take_any_number_of_inputs():
    x, y, z = torch.randn(3, 2, 4)
    assert torch.equal(compute("add", x, y, z), x + y + z)
    assert torch.equal(compute("mul", x, y, z), x * y * z)
    assert torch.equal(compute("concat", x, y, z), torch.cat([x, y, z], 1))
    gate = torch.rand(2, 3, 1, 1)
    image = torch.randn(2, 3, 4, 4)
    assert torch.equal(compute("mul", image, gate), image * gate)


def test_poolings_of_whole_images_reduce_height_and_width():
    x = torch.randn(2, 3, 4, 5)
    assert torch.equal(compute("global_avg_pool", x), x.mean((2, 3)))
    assert torch.equal(compute("global_max_pool", x, keepdim=True), x.amax((2, 3), keepdim=True))


def test_the_settings_of_a_function_reach_it():
    x = torch.tensor([[-1.0, 0.0, 2.0]])
    assert compute("leaky_relu", x, negative_slope="1/4").tolist() == [[-0.25, 0, 2]]
    assert torch.allclose(compute("elu", x, alpha=2), functional.elu(x, 2))
    assert compute("prelu", x, init=0.5).tolist() == [[-0.5, 0, 2]]
    assert runnable(operator("batch_norm")(eps=0.25).torch_call(Tensor((1, 3)))).eps == 0.25


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(("h", "o"), [(h, o) for h in range(1, 13) for o in range(1, 9)])
def test_the_windows_of_an_adaptive_pooling_cover_what_its_additions_say(h, o):
    pool = operator("adaptive_avg_pool2d")(output_size=(o, 1))
    x = torch.zeros(1, 1, h, 1, requires_grad=True)
    runnable(pool.torch_call(Tensor((1, 1, h, 1))))(x).sum().backward()
    # a row that is in windows of k₁, k₂, … rows has the gradient 1/k₁ + 1/k₂ + …; windows i are ⌊ih/o⌋ … ⌈(i+1)h/o⌉
    windows = [range(i * h // o, -(-(i + 1) * h // o)) for i in range(o)]
    expected = [sum(1 / len(rows) for rows in windows if row in rows) for row in range(h)]
    assert x.grad.flatten().tolist() == pytest.approx(expected)
    done = pool.operations(Tensor((1, 1, h, 1)))
    assert (done.additions, done.divisions) == (sum(len(rows) - 1 for rows in windows), o)


def test_a_layer_norm_over_channels_is_that_of_each_pixel():
    x = torch.randn(2, 8, 3, 5)
    scale, shift = torch.randn(8), torch.randn(8)
    layer = runnable(operator("layer_norm")(over_channels=True, eps="1/1000").torch_call(Tensor((2, 8, 3, 5))))
    layer.load_state_dict({"weight": scale, "bias": shift})
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    wanted = (x - mean) / (variance + 0.001).sqrt() * scale.view(8, 1, 1) + shift.view(8, 1, 1)
    assert torch.allclose(layer(x), wanted, atol=1e-6)


def test_a_source_brings_what_torch_has_no_module_for():
    arch = archspec.loads(
        "archspec: 1\nname: pixels\ninput: [8, 3, 5]\nnetwork: [{layer_norm: {over_channels: true}}, relu]\n"
    )
    space = {}
    exec(arch.source(), space)  # noqa: S102  # our own text
    x = torch.randn(2, 8, 3, 5)
    assert torch.equal(space["Pixels"]()(x), arch.to_torch()(x))
    assert arch.verify()


# ------------------------------------------------------------------ attention, tokens, learned tensors, few bits


def test_attention_in_a_window_sees_the_keys_up_to_its_place_and_no_more():
    q, k, v = torch.randn(3, 2, 4, 9, 8)
    found = compute("scaled_dot_product_attention", q, k, v, is_causal=True, window=3)
    for place in range(9):
        keys = slice(max(0, place - 2), place + 1)
        scores = (q[..., place : place + 1, :] @ k[..., keys, :].mT / 8**0.5).softmax(-1)
        assert torch.allclose(found[..., place : place + 1, :], scores @ v[..., keys, :], atol=1e-6)
    wide = compute("scaled_dot_product_attention", q, k, v, is_causal=True, window=9)
    assert torch.allclose(wide, compute("scaled_dot_product_attention", q, k, v, is_causal=True), atol=1e-6)


@pytest.mark.parametrize(
    ("before", "masked"), [((3,), ()), ((3,), (1,)), ((2, 3, 4), (1, 3, 1)), ((2, 3, 5, 4), (2, 1, 5, 4))]
)
def test_attention_of_other_than_four_axes_is_that_of_torch(before, masked):
    q, k, v = torch.randn(*before, 5, 8), torch.randn(*before, 7, 8), torch.randn(*before, 7, 6)
    mask = [torch.randn(*masked, 5, 7)] if masked else []
    found = compute("scaled_dot_product_attention", q, k, v, *mask)
    assert torch.allclose(found, functional.scaled_dot_product_attention(q, k, v, *mask), atol=1e-6)


def test_attention_drops_nothing_at_rest_and_something_while_training():
    q = torch.randn(2, 4, 9, 8)
    chosen = operator("scaled_dot_product_attention")(dropout_p=0.5)
    module = runnable(chosen.torch_call(*[Tensor((2, 4, 9, 8))] * 3))
    still = functional.scaled_dot_product_attention(q, q, q)
    assert torch.allclose(module.eval()(q, q, q), still, atol=1e-6)
    assert not torch.allclose(module.train()(q, q, q), still, atol=1e-3)


def test_grouped_queries_share_a_key_head_and_a_mask_is_added():
    q, k, v = torch.randn(2, 6, 5, 4), torch.randn(2, 2, 7, 4), torch.randn(2, 2, 7, 3)
    mask = torch.randn(1, 1, 5, 7)
    found = compute("scaled_dot_product_attention", q, k, v, mask, enable_gqa=True, scale="1/4")
    k, v = (x.repeat_interleave(3, 1) for x in (k, v))
    assert torch.allclose(found, (q @ k.mT / 4 + mask).softmax(-1) @ v, atol=1e-6)


@pytest.mark.parametrize("shift", [(0, 0), (1, 2)])
def test_the_bias_of_a_window_is_of_the_offset_and_its_pixels_see_only_old_neighbours(shift):
    window, sizes = (2, 3), (4, 6)
    chosen = operator("relative_position_bias")(window_size=window, num_heads=5, shift_size=shift)
    layer = runnable(chosen.torch_call(Tensor((2, 7, *sizes))))
    found = layer(torch.zeros(2, 7, *sizes)).expand(2, 4, 5, 6, 6)
    pixels = [divmod(place, window[1]) for place in range(6)]
    for number, (top, left) in enumerate((top, left) for top in (0, 2) for left in (0, 3)):
        before = [((top + y + shift[0]) % 4, (left + x + shift[1]) % 6) for y, x in pixels]  # where they came from
        for query, key in product(range(6), range(6)):
            (y1, x1), (y2, x2) = pixels[query], pixels[key]
            offset = (y1 - y2, x1 - x2)
            if offset == (before[query][0] - before[key][0], before[query][1] - before[key][1]):
                wanted = layer.weight[(offset[0] + 1) * 5 + offset[1] + 2]
            else:
                wanted = torch.full((5,), float("-inf"))
            assert torch.equal(found[1, number, :, query, key], wanted)


@pytest.mark.parametrize("interleaved", [True, False])
def test_rotary_products_depend_on_the_distance_alone(interleaved):
    q, k = torch.randn(2, 1, 1, 8).expand(2, 1, 12, 8)
    turned = [compute("rotary", x, interleaved=interleaved, base=100) for x in (q, k)]
    products = (turned[0] @ turned[1].mT)[0]
    for distance in range(-5, 6):
        diagonal = products.diagonal(distance)
        assert torch.allclose(diagonal, diagonal[0].expand_as(diagonal), atol=1e-4)
    assert torch.allclose(turned[0][:, 0], q[:, 0])
    assert torch.allclose(turned[0].norm(dim=-1), q.norm(dim=-1), atol=1e-5)


def test_an_interleaved_rotation_is_that_of_the_paper():
    x = torch.randn(1, 3, 4)
    y = compute("rotary", x, interleaved=True)
    for place in range(3):
        for pair in range(2):
            angle = torch.tensor(place * 10000 ** (-2 * pair / 4))
            a, b = x[0, place, 2 * pair], x[0, place, 2 * pair + 1]
            wanted = torch.stack((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()))
            assert torch.allclose(y[0, place, 2 * pair : 2 * pair + 2], wanted, atol=1e-6)


def test_patches_are_what_a_convolution_of_their_stride_reads_and_come_back_as_the_image():
    x = torch.randn(2, 3, 6, 10)
    tokens = compute("patches", x, patch_size=(3, 5))
    kernel = torch.randn(7, 3, 3, 5)
    convolved = functional.conv2d(x, kernel, stride=(3, 5)).flatten(2).mT
    assert torch.allclose(tokens @ kernel.flatten(1).T, convolved, atol=1e-5)
    assert torch.equal(compute("from_patches", tokens, grid=(2, 2), patch_size=(3, 5)), x)


def test_a_learned_tensor_is_there_for_each_input_and_learns_from_all():
    layer = runnable(operator("parameter")(shape=(4, 3), fill=0.5).torch_call(Tensor((2, 9))))
    y = layer(torch.zeros(5, 9))
    assert torch.equal(y, torch.full((5, 4, 3), 0.5))
    y.sum().backward()
    assert torch.equal(layer.weight.grad, torch.full((4, 3), 5.0))
    spread = runnable(operator("parameter")(shape=(400, 30), std=0.02).torch_call(Tensor((2, 9)))).weight
    assert spread.std().item() == pytest.approx(0.02, rel=0.05)


def test_an_embedding_takes_whole_numbers_of_any_type():
    layer = runnable(operator("embedding")(num_embeddings=5, embedding_dim=3).torch_call(Tensor((1, 4))))
    tokens = torch.tensor([[0, 4, 2, 2]])
    assert torch.equal(layer(tokens), layer.weight[tokens])
    assert torch.equal(layer(tokens.float()), layer(tokens))


def test_stochastic_depth_keeps_an_input_whole_or_not_at_all():
    layer = runnable(operator("stochastic_depth")(p="1/4").torch_call(Tensor((1, 8))))
    x = torch.ones(4000, 8)
    kept = layer.train()(x)
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert torch.equal(kept.amin(1), kept.amax(1))
    assert (kept[:, 0] > 0).float().mean().item() == pytest.approx(0.75, abs=0.03)
    assert layer.eval()(x) is x


def test_few_bits_are_whole_numbers_and_their_gradient_is_handed_on():
    x = torch.tensor([-9.0, -0.3, 0.0, 0.26, 9.0], requires_grad=True)
    q = compute("quantise", x, scale="1/4", bits=4)
    assert q.tolist() == [-8, -1, 0, 1, 7]
    q.sum().backward()
    assert x.grad.tolist() == [0, 4, 4, 4, 0]
    assert compute("dequantise", q, scale="1/4").tolist() == [-2, -0.25, 0, 0.25, 1.75]
    assert compute("quantise", x, scale="1/4", bits=4, signed=False, zero_point=3).tolist() == [0, 2, 3, 4, 15]


@pytest.mark.parametrize(("name", "reads"), [("lstm", 0), ("gru", 0), ("rnn", 0)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_state_is_that_of_each_direction(name, reads, bidirectional):
    x = torch.randn(2, 5, 3)
    layers = [
        runnable(
            operator(name)(hidden_size=4, num_layers=2, bidirectional=bidirectional, return_sequences=each).torch_call(
                Tensor((2, 5, 3))
            )
        )
        for each in (True, False)
    ]
    layers[1].load_state_dict(layers[0].state_dict())
    sequence, last = (layer(x) for layer in layers)
    assert torch.allclose(last[:, :4], sequence[:, -1, :4], atol=1e-6)
    if bidirectional:
        assert torch.allclose(last[:, 4:], sequence[:, reads, 4:], atol=1e-6)


# ------------------------------------------------------------------ TensorFlow's padding


def tf_same(size, kernel, stride, dilation):
    """As TensorFlow's documents have it: by what is left over where the stride does not divide."""
    reach = dilation * (kernel - 1) + 1
    both = max(reach - stride, 0) if size % stride == 0 else max(reach - size % stride, 0)
    return both // 2, both - both // 2


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(3, 2, 1), (2, 1, 1), (5, 3, 1), (3, 1, 2), (1, 2, 1), (4, 2, 1)]
)
@pytest.mark.parametrize("size", [7, 8, 9])
def test_the_padding_of_tensorflow_is_that_of_its_documents(kernel, stride, dilation, size):
    x = torch.randn(1, 2, size, size + 1)
    pads = [tf_same(side, kernel, stride, dilation) for side in x.shape[2:]]
    around = (*pads[1], *pads[0])
    conv = operator("conv2d")(out_channels=3, kernel_size=kernel, stride=stride, dilation=dilation, padding="tf_same")
    module = runnable(conv.torch_call(Tensor(tuple(x.shape))))
    padded = functional.pad(x, around)
    wanted = functional.conv2d(padded, module.weight, module.bias, stride, 0, dilation)
    assert torch.allclose(module(x), wanted, atol=1e-6)
    if dilation == 1:
        found = compute("avg_pool2d", x, kernel_size=kernel, stride=stride, padding="tf_same")
        there = functional.pad(torch.ones_like(x), around)
        means = functional.avg_pool2d(padded, kernel, stride) / functional.avg_pool2d(there, kernel, stride)
        assert torch.allclose(found, means, atol=1e-6)
    found = compute("max_pool2d", x, kernel_size=kernel, stride=stride, dilation=dilation, padding="tf_same")
    largest = functional.max_pool2d(functional.pad(x, around, value=-1e9), kernel, stride, 0, dilation)
    assert torch.equal(found, largest)


# ------------------------------------------------------------------ one-bit layers


def signs(x):
    return torch.where(x >= 0, 1.0, -1.0)


BINARY = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": (1, 3), "stride": 2, "groups": 2},
    {"kernel_size": 2, "padding": "same", "dilation": 3},
    {"kernel_size": 2, "padding": (0, 1, 2, 0), "bias": True},
    {"kernel_size": 3, "input_scale": False, "bias": True},
    {"kernel_size": 3, "binary_input": False, "padding": (1, 0)},
    {"kernel_size": 2, "binary_input": False, "padding": "same"},
]


@pytest.mark.parametrize("settings", BINARY)
def test_a_binary_convolution_is_the_formula_of_the_paper(settings):
    """Each output by itself: its window of signs against the signs of the kernel, times K, times α."""
    conv = operator("binary_conv2d")(out_channels=4, **settings)
    x = torch.randn(2, 6, 7, 8)
    x[0, 0, 0, :3] = 0
    module = runnable(conv.torch_call(Tensor(tuple(x.shape))))
    y = module(x).detach()
    (kh, kw), (sh, sw), (dh, dw) = (
        pair if isinstance(pair, tuple) else (pair, pair) for pair in (conv.kernel_size, conv.stride, conv.dilation)
    )
    top, bottom, left, right = sides(conv, kh, kw, dh, dw)
    pad = (left, right, top, bottom)
    inputs = functional.pad(signs(x) if conv.binary_input else x, pad)
    means = functional.pad(x.abs().mean(1), pad)
    weight = module.weight.detach()
    per_group = 4 // conv.groups
    for n in range(2):
        for c in range(4):
            first = c // per_group * weight.shape[1]
            for i in range(y.shape[2]):
                for j in range(y.shape[3]):
                    rows = slice(i * sh, i * sh + dh * (kh - 1) + 1, dh)
                    columns = slice(j * sw, j * sw + dw * (kw - 1) + 1, dw)
                    window = inputs[n, first : first + weight.shape[1], rows, columns]
                    wanted = (window * signs(weight[c])).sum() * weight[c].abs().mean()
                    if conv.binary_input and conv.input_scale:
                        wanted = wanted * means[n, rows, columns].mean()
                    if conv.bias:
                        wanted = wanted + module.bias[c].detach()
                    assert y[n, c, i, j].item() == pytest.approx(wanted.item(), rel=1e-4, abs=1e-5)


def sides(conv, kh, kw, dh, dw):
    if conv.padding == "same":
        height, width = dh * (kh - 1), dw * (kw - 1)
        return height // 2, height - height // 2, width // 2, width - width // 2
    if isinstance(conv.padding, int):
        return (conv.padding,) * 4
    return conv.padding if len(conv.padding) == 4 else (conv.padding[0],) * 2 + (conv.padding[1],) * 2


@pytest.mark.parametrize("settings", [{}, {"bias": True}, {"input_scale": False}, {"binary_input": False}])
def test_a_binary_linear_layer_is_the_formula_of_the_paper(settings):
    layer = operator("binary_linear")(out_features=3, **settings)
    x = torch.randn(5, 8)
    module = runnable(layer.torch_call(Tensor((5, 8))))
    weight = module.weight.detach()
    wanted = (signs(x) if layer.binary_input else x) @ (signs(weight) * weight.abs().mean(1, keepdim=True)).T
    if layer.binary_input and layer.input_scale:
        wanted = wanted * x.abs().mean(1, keepdim=True)
    if layer.bias:
        wanted = wanted + module.bias.detach()
    assert torch.allclose(module(x), wanted, rtol=1e-5, atol=1e-6)


def test_the_sign_of_zero_is_one_and_its_gradient_passes_from_minus_one_to_one():
    x = torch.tensor([-2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5], requires_grad=True)
    y = sign(x)
    assert y.tolist() == [-1, -1, -1, 1, 1, 1, 1, 1]
    (y * torch.arange(1.0, 9.0)).sum().backward()
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 7, 0]


def test_the_signs_keep_their_type_and_are_exact():
    x = torch.tensor([1e30, -3e-8, float("inf"), 0.3], dtype=torch.float64)
    assert sign(x).dtype == torch.float64
    assert sign(x).tolist() == [1, -1, 1, 1]


@pytest.mark.parametrize("name", ["binary_conv2d", "binary_linear"])
def test_gradients_reach_the_weights_the_bias_and_the_input_of_a_binary_layer(name):
    settings = {"kernel_size": 3, "out_channels": 4} if name == "binary_conv2d" else {"out_features": 4}
    x = torch.randn(2, 6, 5, 5) if name == "binary_conv2d" else torch.randn(2, 6)
    x.requires_grad_()
    module = runnable(operator(name)(**settings, bias=True).torch_call(Tensor(tuple(x.shape))))
    module(x).square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().sum() > 0 for p in (*module.parameters(), x))


def test_the_gradient_of_a_weight_is_that_of_its_sign_and_its_part_of_alpha():
    layer = BinaryLinear(2, 1, bias=False, input_scale=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -3.0]]))
    layer(torch.tensor([[1.0, -2.0]])).backward()
    # y = α·(s₁x₁ + s₂x₂) with x signed (1, −1): dy/dw₁ = α·1·1 + sign(w₁)/2·2; |w₂| > 1, so only α's part is left
    alpha, dot = (0.5 + 3.0) / 2, 1 + 1
    assert layer.weight.grad.tolist() == [[alpha * 1 + dot / 2, -dot / 2]]


def test_training_finds_the_signs_and_the_factor():
    x = torch.randn(256, 6)
    target = signs(x) @ torch.tensor([[1.0], [-1], [1], [1], [-1], [-1]]) * 0.7
    layer = BinaryLinear(6, 1, input_scale=False)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.05)
    losses = []
    for _ in range(100):
        optimiser.zero_grad()
        loss = (layer(x) - target).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 100


def test_alpha_follows_the_weights_while_training_and_is_read_as_stored_when_evaluating():
    layer = BinaryLinear(4, 2)
    x = torch.randn(3, 4)
    with torch.no_grad():
        layer.weight.mul_(3)
        layer(x)
        assert torch.equal(layer.alpha, layer.weight.abs().mean(1))
        layer.weight.mul_(2)
        layer.eval()
        assert torch.equal(layer.alpha, layer.weight.abs().mean(1)), "the optimiser's last step"
        stored = {"weight": signs(layer.weight), "bias": layer.bias, "alpha": layer.alpha}
        fresh = BinaryLinear(4, 2)
        fresh.load_state_dict(stored)
        assert torch.allclose(fresh.eval()(x), layer(x))
        assert torch.equal(fresh.train().eval().alpha, layer.alpha), "no step was taken"


def test_a_binary_layer_prints_what_is_binary_and_takes_only_padding_of_zeros():
    assert "binary_input=True, input_scale=False" in repr(BinaryLinear(4, 2, input_scale=False))
    assert BinaryConv2d(4, 2, 3, 1, 1)(torch.zeros(1, 4, 5, 5)).shape == (1, 2, 5, 5)
    assert BinaryConv2d(4, 2, 3, padding="same")(torch.zeros(4, 5, 5)).shape == (2, 5, 5)
    with pytest.raises(ValueError, match="found 'reflect'"):
        BinaryConv2d(4, 2, 3, padding=1, padding_mode="reflect")


# ------------------------------------------------------------------ calls


def test_a_module_behind_a_padding_keeps_the_names_of_its_weights_and_can_be_copied_and_pickled():
    conv = operator("conv2d")(out_channels=2, kernel_size=2, padding="same")
    module = runnable(conv.torch_call(Tensor((1, 3, 4, 4))))
    assert list(module.state_dict()) == ["weight", "bias"]
    x = torch.randn(1, 3, 4, 4)
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):  # noqa: S301  # our own bytes
        assert torch.equal(twin(x), module(x))


@pytest.mark.parametrize(
    "target", ["os.system", "torch", "torchvision.ops.nms", "archspec.runtimes.x", "builtins.eval", "torch_evil.x", ""]
)
def test_a_target_outside_torch_and_the_runtime_is_refused(target):
    with pytest.raises(ArchspecError, match=r"is not in torch or archspec\.runtime"):
        runnable(Function(target))


@pytest.mark.parametrize(
    "target", ["torch.nn.Conv17d", "torch.os.system", "torch.nope.deeper", "archspec.runtime.no.x"]
)
def test_a_target_that_does_not_exist_is_refused(target):
    with pytest.raises(ArchspecError, match=f"there is no {target!r}"):
        runnable(Module(target))


def test_a_setting_that_is_still_a_symbol_is_refused():
    c = symbols.symbol("c")
    with pytest.raises(ArchspecError, match="out_channels is c; torch needs one number: bind its symbols"):
        runnable(operator("conv2d")(out_channels=c, kernel_size=1).torch_call(Tensor((1, 3, 4, 4))))
    with pytest.raises(ArchspecError, match="kernel_size is c"):
        runnable(operator("max_pool2d")(kernel_size=[2, c]).torch_call(Tensor((1, 3, 4, 4))))
