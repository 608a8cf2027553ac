"""What a result sees of the input, and what its gradients cost."""

import numpy as np
import pytest

import archspec
from archspec.errors import ArchspecError

PUBLISHED = {  # Araujo, Norris and Sim, Distill 2019, the table of their section on architectures: field, stride
    "alexnet": (195, 32),
    "vgg16": (212, 32),
    "mobilenet": (315, 32),
    "resnet50": (483, 32),
    "resnet101": (1027, 32),
    "resnet152": (1507, 32),
    "inception_v3": (1311, 32),
}


def spec(*steps, input_="[4, 32, 32]"):
    return archspec.loads(f"archspec: 1\nname: x\ninput: {input_}\nnetwork: [{', '.join(steps)}]")


def seen(*steps):
    row = spec(*steps).count().rows[-1]
    return row.figure("receptive_field"), row.figure("effective_stride")


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_last_image_sees_what_the_literature_says(name):
    row = [row for row in archspec.load(name).count().rows if len(row.output) == 4][-1]
    assert (row.figure("receptive_field"), row.figure("effective_stride")) == PUBLISHED[name]


HALVED = "{conv2d: {out_channels: 4, kernel_size: 1, stride: 2}}"
CONV = "{conv2d: {out_channels: 4, kernel_size: 3, padding: same%s}}"


@pytest.mark.parametrize(
    ("steps", "field", "stride"),
    [
        (["relu"], 1, 1),
        ([CONV % ""], 3, 1),
        ([CONV % ", stride: 2", CONV % ""], 3 + 2 * 2, 2),
        ([CONV % ", dilation: 4"], 9, 1),
        (["{conv2d: {out_channels: 4, kernel_size: [1, 7]}}"], 7, 1),
        (["{max_pool2d: {kernel_size: 2}}", "{avg_pool2d: {kernel_size: 2}}"], 4, 4),
        (["{max_pool2d: {kernel_size: 2}}", "{upsample: {scale_factor: 2}}", CONV % ""], 2 + 2, 1),
        ([HALVED, "{conv_transpose2d: {out_channels: 4, kernel_size: 4, stride: 2}}"], 3, 1),
        (["{adaptive_avg_pool2d: {output_size: 4}}"], 8, 8),
        (["{adaptive_avg_pool2d: {output_size: 5}}"], 8, None),
        (["{add: {a: [%s], b: [identity]}}" % (CONV % "")], 3, 1),
        (["{global_avg_pool: {keepdim: true}}"], 32, 32),
        (["flatten", "{linear: {out_features: 3}}"], 32, None),
    ],
)  # fmt: skip
def test_a_window_sees_so_much(steps, field, stride):
    assert seen(*steps)[0] == field
    assert stride is None or seen(*steps)[1] == stride


def test_vectors_see_no_pixels_and_repeats_that_are_symbols_are_refused():
    table = spec("{linear: {out_features: 3}}", input_="[7]").count()
    assert table.figure("receptive_field") is None
    assert table.figure("effective_stride") is None
    deep = archspec.loads(
        "archspec: 1\nname: x\nsymbols: {n: {default: 2}}\ninput: [3, 8, 8]\n"
        "network: [{repeat: n, body: [{conv2d: {out_channels: 3, kernel_size: 3, padding: same}}]}]"
    )
    assert deep.count(n=3).figure("receptive_field") == 7
    with pytest.raises(ArchspecError, match="how often it is repeated"):
        deep.count(free=["n"]).figure("receptive_field")


def test_the_field_is_a_formula_and_counts_for_arrays():
    arch = archspec.load("mobilenet")
    form = arch.formula("receptive_field", free=["side"])
    assert str(form) == "32·⌈side/32⌉ + 283"
    sides = [97, 160, 224]
    assert arch.count(side=np.array(sides)).figure("receptive_field").tolist() == [form(side=side) for side in sides]
    with pytest.raises(ArchspecError, match="does not add up from its parts"):
        arch.formula("receptive_field", part="conv")


def test_nothing_is_carried_back_before_the_first_layer_that_learns():
    table = archspec.load("lenet_5").count()
    inputs = {row.name: row.figure("macs_input_gradient") for row in table.rows if row.macs}
    assert inputs == {row.name: 0 if row.name == "conv1" else row.macs for row in table.rows if row.macs}
    assert table.figure("macs_weight_gradient") == table.macs


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "squeezenet"])
def test_gradients_cost_what_torch_says_of_networks_without_groups(name):
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    arch = archspec.load(name)
    table = arch.count(side=96)
    model = arch.to_torch(side=96, device="meta")
    x = torch.zeros(1, 3, 96, 96, device="meta")
    with FlopCounterMode(display=False) as forward:
        result = model(x)
    with FlopCounterMode(display=False) as backward:
        result.sum().backward()
    assert forward.get_total_flops() == 2 * table.macs
    both = table.figure("macs_input_gradient") + table.figure("macs_weight_gradient")
    assert backward.get_total_flops() == 2 * both


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_a_grouped_convolution_costs_what_its_groups_cost_one_by_one():
    """torch 2.13 counts the gradients of grouped convolutions too high; of each group alone it is right."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    grouped = spec(CONV % "", "{conv2d: {out_channels: 8, kernel_size: 3, padding: same, groups: 4}}").count()
    first = torch.nn.Conv2d(4, 4, 3, padding=1)
    groups = torch.nn.ModuleList(torch.nn.Conv2d(1, 2, 3, padding=1) for _ in range(4))
    parts = first(torch.zeros(1, 4, 32, 32)).split(1, 1)
    result = torch.cat([group(part) for group, part in zip(groups, parts, strict=True)], 1)
    with FlopCounterMode(display=False) as backward:
        result.sum().backward()
    both = grouped.figure("macs_input_gradient") + grouped.figure("macs_weight_gradient")
    assert backward.get_total_flops() == 2 * both
