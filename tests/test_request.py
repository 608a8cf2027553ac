"""What a method is asked: bindings as a mapping, keywords as sugar, and symbols that have the name of an option."""

import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.cost import Counting
from archspec.errors import ArchspecError, BindingError, UnknownNameError

SPEC = """
archspec: 1
name: awkward
symbols: {{{name}: {{default: 4, range: [1, 64]}}}}
input: [3, 8, 8]
network: [{{conv2d: {{out_channels: {name}, kernel_size: 1, bias: false}}, as: conv}}]
"""
NAMES = (  # noqa: SIM905  # a list of quoted words reads worse
    "batch weights seed path self free by part letters reported convention policy dtype order in_place quantity "
    "symbols bindings counting weight_bits device inplace between maximise symbol budgets plan source node spec "
    "settings form"
).split()
"""Names of options and of leading arguments, of methods or of verbs; each is the one symbol of `SPEC` in turn."""

PARAMS = 3 * 8  # 1×1 from 3 channels to the symbol's 8
MACS = PARAMS * 8 * 8


@pytest.mark.parametrize("name", NAMES)
def test_a_symbol_may_have_the_name_of_any_option_in_every_method(name):
    arch, bound = archspec.loads(SPEC.format(name=name)), {name: 8}
    assert list(arch.symbols) == [name]
    assert arch.expand(bound, batch=2).node("conv").output.shape == (2, 8, 8, 8)
    assert arch.count(bound).params == PARAMS
    assert arch.count(bound, batch=2).macs == arch.count(bindings=bound, batch=2).macs == 2 * MACS
    assert arch.expand({}, free=[name]).bindings[name].name == name
    form = arch.formula("params")
    assert form(bound) == PARAMS
    assert form.holds(bound)
    assert arch.formula("params", bound, free=[])() == PARAMS
    assert arch.memory(bindings=bound).peak == 4 * (3 + 8) * 64
    assert arch.solve(name, {"params": f"<={PARAMS}"}, {}).best.values == bound
    assert arch.sensitivity("params", bound).responses[0].step.cost == 3 * 9
    assert arch.crossover(name, "params", {}).reigns
    assert arch.explain("conv", bound).figures["params"] == PARAMS
    assert "def __init__" in arch.source(bound)


@pytest.mark.parametrize("name", ["batch", "self", "seed", "weights", "dtype", "path"])
def test_and_when_it_is_built_and_run(name, tmp_path):
    pytest.importorskip("torch")
    arch, bound = archspec.loads(SPEC.format(name=name)), {name: 8}
    assert sum(weight.numel() for weight in arch.to_torch(bound, seed=0).parameters()) == PARAMS
    assert arch.verify(bound, batch=3)
    arch.write(tmp_path / "model.py", bound)
    space = {"__name__": "model"}
    exec((tmp_path / "model.py").read_text(encoding="utf-8"), space)  # noqa: S102  # our own source
    assert sum(weight.numel() for weight in space["Awkward"]().parameters()) == PARAMS


VERBS = [
    ["check", "SPEC"],
    ["count", "SPEC", "--batch", "2"],
    ["show", "SPEC"],
    ["explain", "SPEC", "conv"],
    ["formula", "SPEC"],
    ["formula", "SPEC", "--of", "params", "--check", "5"],
    ["memory", "SPEC"],
    ["sensitivity", "SPEC"],
    ["compare", "SPEC", "lenet_5"],
    ["compare", "SPEC:NAME=8", "SPEC"],
    ["explain-difference", "SPEC", "--between", "thop", "fvcore"],
    ["reconcile", "SPEC", "--reported", str(MACS)],
    ["verify", "SPEC"],
    ["compile", "SPEC", "-o", "OUT"],
    ["solve", "SPEC", "--for", "NAME", "--params", "<=24"],
    ["crossover", "SPEC", "--for", "NAME"],
]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("name", ["batch", "self", "free", "convention"])
def test_every_verb_binds_such_a_symbol_by_set(verb, name, tmp_path):
    path, out = tmp_path / "awkward.yaml", tmp_path / "out.py"
    path.write_text(SPEC.format(name=name), encoding="utf-8")
    put = {"SPEC": str(path), "NAME": name, "OUT": str(out), "SPEC:NAME=8": f"{path}:{name}=8"}
    arguments = [put.get(each, each) for each in verb]
    bound = [] if "NAME" in verb or "lenet_5" in verb or "SPEC:NAME=8" in verb else ["--set", f"{name}=8"]
    done = CliRunner().invoke(app, [*arguments, *bound])
    assert done.exit_code == 0, done.output


def test_the_number_of_inputs_and_a_symbol_called_batch_are_two_things(tmp_path):
    path = tmp_path / "awkward.yaml"
    path.write_text(SPEC.format(name="batch"), encoding="utf-8")
    done = CliRunner().invoke(app, ["count", str(path), "--set", "batch=8", "--batch", "2"])
    assert "input 3×8×8, batch 2; batch = 8" in done.stdout
    with pytest.raises(BindingError) as refused:
        archspec.load(path).count(batch=8)
    assert str(refused.value) == (
        "'batch' is a symbol here, too: bind it as {\"batch\": 8}; the number of inputs is count(bindings={}, batch=8)"
    )
    assert archspec.load(path).count({}, batch=8).macs == 8 * 3 * 4 * 64


@pytest.mark.parametrize(
    ("verb", "message"),
    [
        (["count", "mobilenet", "--set", "free=alpha"], "'mobilenet' has no symbol 'free'; its symbols are alpha"),
        (["formula", "mobilenet", "--set", "by=stage"], "'mobilenet' has no symbol 'by'"),
        (["memory", "mobilenet", "--set", "policy=liveness"], "'mobilenet' has no symbol 'policy'"),
        (["solve", "mobilenet", "--for", "alpha", "--macs", "1M", "--set", "batch=2"], "has no symbol 'batch'"),
        (["compile", "mobilenet", "-o", "x.py", "--set", "seed=1"], "'mobilenet' has no symbol 'seed'"),
        (["verify", "mobilenet", "--set", "batch=2"], "'mobilenet' has no symbol 'batch'"),
    ],
)
def test_what_a_user_sets_is_never_an_option(verb, message):
    done = CliRunner().invoke(app, verb)
    assert done.exit_code == 2
    assert message in done.stderr


def test_keywords_and_the_mapping_bind_together():
    arch = archspec.load("mobilenet")
    assert arch.count({"alpha": "1/2"}, side=160).macs == arch.count(alpha="1/2", side=160).macs
    assert arch.count(bindings={"alpha": "1/2"}).macs == arch.count({"alpha": "1/2"}).macs


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda arch: arch.count({"alpha": 1}, alpha=1), BindingError, "'alpha' is bound twice"),
        (lambda arch: arch.count("1/2"), BindingError, "bindings are a mapping, such as"),
        (lambda arch: arch.count({"free": 1}), BindingError, "'mobilenet' has no symbol 'free'"),
        (lambda arch: arch.count(convention="defualt"), UnknownNameError, "did you mean 'default'"),
        (lambda arch: arch.count(dtype="int7"), UnknownNameError, "no type 'int7'; did you mean 'int8'"),
        (lambda arch: arch.count(policy="lazy"), UnknownNameError, "no policy 'lazy'"),
        (lambda arch: arch.count(weight_bits=0), BindingError, "from 1 to 64 .got 0."),
        (lambda arch: arch.expand(convention="default"), BindingError, "has no symbol 'convention'"),
        (lambda arch: arch.count({}, Counting(), ()), TypeError, "takes 2 values by position, bindings, counting"),
        (lambda arch: arch.formula("macs", quantity="macs"), TypeError, "two values for 'quantity'"),
    ],
)
def test_what_cannot_be_meant_is_refused(ask, error, message):
    with pytest.raises(error, match=message):
        ask(archspec.load("mobilenet"))


def test_a_request_is_a_value_and_its_fields_are_keywords():
    arch = archspec.load("lenet_5")
    asked = Counting("mobilenet", batch=8, dtype="int8", weight_bits=4)
    table = arch.count({}, asked)
    assert table == arch.count(convention="mobilenet", batch=8, dtype="int8", weight_bits=4)
    assert table == arch.count(counting=Counting("mobilenet", dtype="int8", weight_bits=4), batch=8)
    assert table == arch.expand(batch=8).count(asked)
    assert table.counting == asked
    assert table.convention.name == "mobilenet"
    assert arch.count({}, "mobilenet").convention.name == arch.expand().count("mobilenet").convention.name
    with pytest.raises(ArchspecError):
        Counting("nobody")


def test_bits_of_weights_are_bits_of_storage_where_the_operator_needs_no_fewer():
    arch = archspec.load("lenet_5")
    assert arch.count(weight_bits=8).weight_bytes == 431_080
    assert arch.count(weight_bits=4).weight_bytes == sum(
        -(-weight.elements * 4 // 8) for node in arch.expand().nodes for weight in weights_of(arch.expand(), node)
    )
    one_bit = archspec.load("binary_convolution")
    wide, narrow = (one_bit.count(weight_bits=bits) for bits in (32, 8))
    rows = [(a, b) for a, b in zip(wide.rows, narrow.rows, strict=True) if a.operator == "binary_conv2d"]
    assert rows
    assert all(a.weight_bytes < a.params for a, _ in rows)  # less than a byte a weight, whatever is asked


def weights_of(network, node):
    return node.operator.weights(*network.inputs_of(node))


def test_symbols_are_a_mapping_that_says_what_each_may_be():
    symbols = archspec.load("mobilenet").symbols
    assert (symbols["alpha"].default, symbols["alpha"].latex) == (1, r"\alpha")
    with pytest.raises(TypeError):
        symbols["alpha"] = None
