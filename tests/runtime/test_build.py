"""A network becomes an ordinary module: its tree, its names, its numbers, and all that is done with modules."""

import copy
import pickle
import sys
import threading
from functools import reduce

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402  # behind the skip

import archspec  # noqa: E402
from archspec.errors import ArchspecError  # noqa: E402
from archspec.graph import Container, Network, Node  # noqa: E402
from archspec.graph.names import RESERVED, attribute, state_key  # noqa: E402
from archspec.language.document import INPUT  # noqa: E402
from archspec.ops import Function, Module, Tensor, operator  # noqa: E402
from archspec.runtime import build, runnable  # noqa: E402
from archspec.runtime.container import ChildCall, ForwardPlan, applied, checked, container  # noqa: E402


def batch(arch, n=2, **bindings):
    return torch.randn(n, *arch.expand(**bindings).input.shape[1:])


def by_hand(network, model, x):
    """The network's result, node by node from the list of nodes; the model gives the weights alone."""
    values = {INPUT: x}
    for node in network.nodes:
        module = model.get_submodule(".".join(map(attribute, node.name.split("/"))))
        values[node.name] = module(*(values[name].clone() for name in node.inputs))
    return values[network.output]


# ------------------------------------------------------------------ the tree


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_every_array_of_every_node_stands_under_its_name():
    for name in ("mobilenet_v2", "googlenet", "shufflenet", "binary_convolution"):
        network = archspec.load(name).expand()
        model = build(network, device="meta")
        expected = {
            state_key(node.name, weight.name): weight.shape
            for node in network.nodes
            for weight in node.operator.weights(*network.inputs_of(node))
        }
        state = model.state_dict()
        assert {key: tuple(state[key].shape) for key in state if "num_batches" not in key} == expected


def test_containers_are_called_after_their_blocks_and_show_their_arguments(odd):
    model = archspec.load("mobilenet_v2").to_torch(device="meta")
    assert type(model).__name__ == "MobilenetV2"
    unit = model.bottleneck2.unit1
    assert type(unit).__name__ == "InvertedResidual"
    assert "t=6, c=24, s=2" in repr(unit)
    kinds = [type(module).__name__ for module in odd.to_torch().children()]
    assert kinds[:3] == ["Unit", "Group", "Repeat"]


def test_functions_stand_in_the_tree_as_modules(odd):
    written = repr(odd.to_torch())
    for line in ("(concat): Concat(dim=1)", "(split): Split(dim=1, start=2, length=2)", "(add): Add()"):
        assert line in written


def test_a_hook_on_a_block_sees_what_flows_through_it():
    arch = archspec.load("resnet18")
    model, seen = arch.to_torch(side=32).eval(), {}
    model.conv3_x.unit2.register_forward_hook(lambda _, inputs, output: seen.update(x=inputs[0], y=output))
    model(batch(arch, side=32))
    assert seen["x"].shape == seen["y"].shape == (2, 128, 4, 4)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_names_that_modules_have_already_are_given_an_underscore(name):
    assert attribute(name) == f"{name}_"
    assert attribute(f"{name}_") not in (name, attribute(name))


def test_the_reserved_names_are_those_of_torchs_modules():
    assert {name for name in dir(nn.Module()) if not name.startswith("_")} | {"spec"} <= RESERVED


def test_parts_that_would_share_an_attribute_are_refused():
    relu = operator("relu")()
    nodes = [Node(f"{name}/relu", relu, (INPUT,), Tensor((1, 3)), name, "relu", None) for name in ("a", "b", "a")]
    with pytest.raises(ArchspecError, match="two parts of 'n' would be called 'a'; rename one"):
        build(Network("n", {}, 1, {"input": Tensor((1, 3))}, tuple(nodes), {"output": "a/relu"}))


@pytest.mark.parametrize("name", ["a b", "1a", "", "é", "x); import os; ("])
def test_code_is_written_of_identifiers_alone(name):
    with pytest.raises(ArchspecError, match="cannot be the name of a module"):
        checked(name)
    with pytest.raises(ArchspecError, match="cannot be the name of a module"):
        container(ForwardPlan(name, ("x",), (), ("x",)))
    node = Node(f"{name}/relu", operator("relu")(), (INPUT,), Tensor((1, 3)), "a", "relu", None)
    with pytest.raises(ArchspecError, match="cannot be the name of a module"):
        build(
            Network(
                "n",
                {},
                1,
                {"input": Tensor((1, 3))},
                (node,),
                {"output": node.name},
                containers={name: Container("branch")},
            )
        )


def test_no_name_of_a_specification_meets_an_attribute_of_ours():
    names = ["code", "made_from", "settings", "lambda", "None", "self", "x", "x1", "function", "container", "Made"]
    text = "archspec: 1\nname: names\ninput: [2]\nnetwork:\n" + "".join(
        f"  - {{sigmoid, as: {name}}}\n" for name in names
    )
    model = archspec.loads(text).to_torch()
    assert [name.rstrip("_") for name, _ in model.named_children()] == names
    assert model(torch.zeros(1, 2)).shape == (1, 2)


def test_two_containers_of_one_plan_are_of_one_class_and_the_code_is_plain():
    plan = ForwardPlan(
        "Two", ("x", "x1"), (ChildCall("a", ("x", "x1"), ()), ChildCall("b", ("x1",), ("x2",))), ("x2", "x")
    )
    assert container(plan) is container(copy.deepcopy(plan))
    assert container(plan)._code.splitlines() == [
        "def forward(self, x, x1):",
        "    self.a(x, x1)",
        "    x2 = self.b(x1)",
        "    return x2, x",
    ]


def test_a_variable_is_free_again_after_the_last_use_of_its_value():
    chain = archspec.load("vgg16").to_torch(device="meta")
    assert "x1" not in chain._code
    assert "x1 = self.residual(x)\n    x = self.shortcut(x)\n    x = self.add(x1, x)" in (
        archspec.load("resnet18").to_torch(device="meta").conv3_x.unit1._code
    )


# ------------------------------------------------------------------ numbers


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize(
    ("name", "bindings"),
    [
        ("googlenet", {"side": 64}),
        ("shufflenet", {"side": 64, "g": 2}),
        ("inception_v3", {"side": 75}),
        ("squeezenet_bypass", {"side": 64, "bypass": "complex"}),
        ("binary_convolution", {}),
    ],
)
def test_the_result_is_that_of_the_nodes_one_by_one(name, bindings):
    arch = archspec.load(name)
    model = arch.to_torch(**bindings).eval()
    x = batch(arch, **bindings)
    with torch.no_grad():
        assert torch.equal(model(x), by_hand(arch.expand(**bindings), model, x))


def test_far_values_and_several_outputs_arrive_where_they_are_used(odd):
    model = odd.to_torch().eval()
    assert model.part._code.endswith("return x, x1")
    x = batch(odd)
    with torch.no_grad():
        assert torch.equal(model(x), by_hand(odd.expand(), model, x))


def test_writing_over_inputs_changes_neither_results_nor_gradients(odd):
    for arch, bindings in ((odd, {}), (archspec.load("resnet18"), {"side": 32})):
        over, apart = (arch.to_torch(seed=1, inplace=inplace, **bindings) for inplace in (True, False))
        kinds = (nn.ReLU, nn.ReLU6)
        assert any(module.inplace for module in over.modules() if isinstance(module, kinds))
        assert not any(module.inplace for module in apart.modules() if isinstance(module, kinds))
        x = batch(arch, **bindings)
        for model in (over, apart):
            torch.manual_seed(3)  # for dropout
            model(x).square().sum().backward()
        gradients = zip(over.parameters(), apart.parameters(), strict=True)
        assert all(torch.equal(a.grad, b.grad) for a, b in gradients)


def test_a_relu_does_not_write_over_what_something_else_takes():
    text = """
archspec: 1
name: shared
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 3, kernel_size: 1}, as: conv}
  - add: {a: [{relu, as: first}], b: [{from: input}, {relu, as: over_input}], c: [identity, {relu, as: over_view}]}
  - {relu, as: last}
"""
    model = archspec.loads(text).to_torch()
    inplace = {name for name, module in model.named_modules() if getattr(module, "inplace", False)}
    assert inplace == {"last"}


def test_a_network_whose_output_is_its_input_or_has_a_dead_end_still_computes_all_nodes():
    text = "archspec: 1\nname: dead\ninput: [3, 8, 8]\nnetwork: [{relu, as: a}, {sigmoid, as: b}, {from: a}]\n"
    arch, called = archspec.loads(text), []
    model = arch.to_torch()
    model.b.register_forward_hook(lambda *_: called.append("b"))
    x = batch(arch)
    assert torch.equal(model(x), x.relu())
    assert called == ["b"]
    same = archspec.loads(text.replace("from: a", "from: input")).to_torch()
    assert torch.equal(same(x), x)


# ------------------------------------------------------------------ settings


def test_the_same_seed_gives_the_same_weights_in_every_thread(odd):
    expected = odd.to_torch(seed=7).state_dict()
    found = []
    threads = [threading.Thread(target=lambda: found.append(odd.to_torch(seed=7).state_dict())) for _ in range(20)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            torch.rand(3)
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len(found) == 20
    assert all(torch.equal(state[name], expected[name]) for state in found for name in expected)


def test_the_same_seed_gives_the_same_weights_and_leaves_torchs_state_alone(odd):
    before = torch.get_rng_state()
    one, two, other = odd.to_torch(seed=7), odd.to_torch(seed=7), odd.to_torch(seed=8)
    assert torch.equal(before, torch.get_rng_state())
    assert all(map(torch.equal, one.state_dict().values(), two.state_dict().values()))
    assert not torch.equal(one.part.inner.weight, other.part.inner.weight)


@pytest.mark.parametrize("name", ["vgg16", "resnet152"])
def test_the_meta_device_has_shapes_and_no_numbers(name):
    model = archspec.load(name).to_torch(device="meta")
    assert {value.device.type for value in model.state_dict().values()} == {"meta"}
    with torch.device("meta"):
        assert next(archspec.load(name).to_torch().parameters()).is_meta


def test_weights_are_of_the_type_that_is_asked_for(odd):
    model = odd.to_torch(dtype=torch.bfloat16, seed=2)
    assert model.part.inner.weight.dtype == torch.bfloat16
    assert torch.equal(model.part.inner.weight, odd.to_torch(seed=2).part.inner.weight.bfloat16())


def test_a_free_symbol_or_several_values_are_refused():
    import numpy

    arch = archspec.load("mobilenet")
    with pytest.raises(ArchspecError, match="side is side; a model needs one number: bind it"):
        build(arch.expand(free=["side"]))
    with pytest.raises(ArchspecError, match="a model needs one number"):
        build(arch.expand(side=numpy.array([128, 224])))


def test_a_model_says_what_it_was_made_from():
    arch = archspec.load("mobilenet_v2")
    made = arch.to_torch(alpha="1/2", device="meta").spec
    assert (made.name, made.bindings["alpha"], made.bindings["side"]) == ("mobilenet_v2", "1/2", "224")
    assert made.digest == archspec.loads("# a comment\n" + arch.dumps()).to_torch(device="meta").spec.digest
    assert made.digest != archspec.load("mobilenet").to_torch(device="meta").spec.digest
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301  # our own
    assert str(made).startswith(f"mobilenet_v2 {made.digest[:12]} (alpha = 1/2, side = 224")


# ------------------------------------------------------------------ what is done with modules


def test_a_copy_and_a_pickle_compute_the_same(odd):
    model = odd.to_torch().eval()
    x = batch(odd)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301  # our own
        assert torch.equal(other(x), model(x))
        assert repr(other) == repr(model)
    other.get_parameter("class_.bias").data.add_(1)
    assert not torch.equal(other(x), model(x))


def test_a_state_dict_goes_through_a_file(odd, tmp_path):
    one, two = odd.to_torch(seed=1).eval(), odd.to_torch(seed=2).eval()
    torch.save(one.state_dict(), tmp_path / "state.pt")
    two.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    x = batch(odd)
    assert torch.equal(one(x), two(x))


def test_channels_last_and_bf16_and_autocast_compute_nearly_the_same(calibrated, apart):
    arch = archspec.load("mobilenet_v2")
    model = calibrated(arch.to_torch(side=64, seed=0), batch(arch, 16, side=64))
    x = batch(arch, 4, side=64)
    with torch.no_grad():
        expected = model(x)
        last = copy.deepcopy(model).to(memory_format=torch.channels_last)
        assert apart(last(x.to(memory_format=torch.channels_last)), expected) < 1e-4  # float32 rounds at 6e-8
        half = copy.deepcopy(model).bfloat16()(x.bfloat16())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            cast = model(x)
    for rounded in (half, cast):  # to 8 bits, 53 times over: 2⁻⁹·√53 = 0.014, and what layers make of it
        assert rounded.dtype == torch.bfloat16
        assert 0 < apart(rounded, expected) < 0.5  # seen: 0.17 to 0.25


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_compiler_takes_it_whole(odd, calibrated, apart):
    x = batch(odd)
    model = calibrated(odd.to_torch(seed=0), x)
    expected = model(x).detach()
    assert apart(torch.compile(model, fullgraph=True, backend="eager")(x).detach(), expected) < 1e-5
    compiled = torch.compile(model.train(), fullgraph=True, backend="aot_eager")
    compiled(x).sum().backward()
    assert all(weights.grad is not None for weights in model.parameters())


def test_it_learns_under_distributed_data_parallel(odd, tmp_path):
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    try:
        model = nn.parallel.DistributedDataParallel(odd.to_torch(seed=0))
        before = copy.deepcopy(model.module.state_dict())
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        model(batch(odd)).sum().backward()
        optimiser.step()
        assert not torch.equal(before["class_.weight"], model.module.state_dict()["class_.weight"])
    finally:
        torch.distributed.destroy_process_group()


# ------------------------------------------------------------------ calls


def test_functions_before_a_module_are_part_of_it_and_pickle():
    call = Module(
        "torch.nn.MaxPool2d", {"kernel_size": 2}, (Function("torch.nn.functional.pad", {"pad": (0, 1, 0, 1)}),)
    )
    module = runnable(call)
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert module(x).tolist() == pickle.loads(pickle.dumps(module))(x).tolist() == [[[[4, 5], [7, 8]]]]  # noqa: S301


def test_a_module_of_a_function_takes_inputs_as_the_function_does():
    from archspec.runtime.container import FunctionCall

    xs = [torch.randn(2, 3) for _ in range(3)]
    fold = applied(FunctionCall("Mul", "torch.mul", (), "fold", 3))()
    assert torch.equal(fold(*xs), reduce(torch.mul, xs))
    joined = applied(FunctionCall("Concat", "torch.cat", (("dim", 0),), "list", 3))()
    assert torch.equal(joined(*xs), torch.cat(xs, 0))
