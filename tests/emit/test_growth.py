"""A source grows by the same text with every further call of a block; an operator may be several calls of torch."""

import pytest

import archspec
from archspec.ops import Function, Module, operator

BLOCKS = {
    "channels that grow": "[{concat: [[identity], [{conv2d: {out_channels: 4, kernel_size: 3, padding: same}}]]}]",
    "channels that stand twice": "[{conv2d: {out_channels: in_channels + in_channels // 4, kernel_size: 1}}]",
    "sizes that do not merge": "[{conv2d: {out_channels: 4, kernel_size: 2}}, {zero_pad: {padding: in_height // 4}}]",
    "a condition": "[{when: in_channels > 4, then: [{split: {sections: 1, index: 0}}], else: [relu]}]",
    "a condition on an argument": "[{conv2d: {out_channels: c, kernel_size: 1}}, {when: c > 3, then: [relu]}]",
    "a value gone back to": "[{relu, as: early}, sigmoid, {add: [[{from: early}], identity]}]",
}


@pytest.mark.parametrize("form", ["block: {c: c}", "block: {c: 4}"])
@pytest.mark.parametrize("body", BLOCKS.values(), ids=BLOCKS)
def test_a_source_grows_linearly_with_the_calls_of_a_block(body, form):
    def length(calls):
        steps = ", ".join([f"{{{form}}}"] * calls)
        text = (
            f"archspec: 1\nname: many\nsymbols: {{c: {{default: 4}}}}\ninput: [c, 40, 40]\n"
            f"blocks: {{block: {{args: {{c: required}}, body: {body}}}}}\nnetwork: [{steps}]\n"
        )
        return len(archspec.loads(text).source())

    short, middle, long = length(6), length(12), length(24)
    assert long - middle <= 2.3 * (middle - short)


@pytest.mark.parametrize("operator", ["concat", "add"])
def test_a_source_grows_linearly_with_the_branches_that_are_there_on_conditions(operator):
    def length(branches):
        symbols = ", ".join(f"s{n}: {{default: true}}" for n in range(branches))
        each = "{conv2d: {out_channels: 4, kernel_size: 1}}"
        optional = ", ".join(f"[{{when: s{n}, then: [{each}]}}]" for n in range(branches))
        text = (
            f"archspec: 1\nname: many\nsymbols: {{{symbols}}}\ninput: [4, 8, 8]\n"
            f"network: [{{{operator}: [identity, {optional}]}}, {each}]\n"
        )
        return len(archspec.loads(text).source())

    short, middle, long = length(3), length(6), length(12)
    assert long - middle <= 2.3 * (middle - short)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_an_operator_may_be_a_module_and_a_function_behind_it(monkeypatch, written, agree):
    pooled = Module(
        "torch.nn.AdaptiveAvgPool2d",
        {"output_size": 1},
        after=(Function("torch.flatten", {"start_dim": 1}),),
        leading=1,
    )
    monkeypatch.setattr(operator("global_avg_pool"), "torch_call", lambda *_: pooled)
    head = "archspec: 1\nname: two\ninput: [3, 8, 8]\n"
    chain = archspec.loads(head + "network: [global_avg_pool, {linear: {out_features: 2}}]").source()
    assert "self.global_avg_pool = nn.AdaptiveAvgPool2d(1)" in chain
    assert "self.global_avg_pool_flatten = nn.Flatten()" in chain
    branches = archspec.loads(head + "network: [{add: [[relu], identity]}, global_avg_pool, relu]").source()
    forward = branches.partition("def forward")[2]
    assert "x = self.global_avg_pool(x)\n        x = torch.flatten(x, start_dim=1)\n" in forward
    for text in (
        "[{conv2d: {out_channels: 4, kernel_size: 1}}, global_avg_pool]",
        "[{add: [[relu], identity]}, global_avg_pool]",
    ):
        arch = archspec.loads(head + f"network: {text}")
        agree(arch, written(arch.source()))
