"""Every operator that a rule or a pattern can give is one of the register; what it cannot give is refused with why."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import archspec
from archspec import ops
from archspec.errors import ArchspecError
from archspec.importing import rules
from archspec.importing.constants import constant
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.functions import activation
from archspec.importing.patterns import joined
from archspec.importing.program import HeldArray, Program, ProgramCall, UnsupportedError, Value

GIVES = {"ReadNode": 0, "_joined": 0, "_weighted": 0, "made_of": 1, ".made": 0, "enter_plain": 0}
"""What is told an operator, and at which place."""

TARGET = "call.function"
FILLED = {
    "kind": ("avg", "max"),
    "axes": "123",
    "len(weight.shape) - 2": "123",
    "rank - 2": "123",
}
"""What stands inside names, in the rules' own words."""

UNSAID = {
    ("_joined", "operator"),
    ("_weighted", "word"),
    ("", "_operator"),  # those of `_PLAIN`, of which there is a test below
    ("_with_number", "{'subtract': '~sub', 'divide': '~div'}.get(operator, f'~{operator}')"),
    ("Seen", "operator"),  # what patterns say, each of which is looked at by itself
    ("_last", "operator"),  # what the rule of recurrent layers gave
    ("sequences", "found.args['operator']"),
    ("arithmetic", "operator"),  # those of `_STEPS`, each of which a test of modules.py reads
    ("of_one_row", "kind.replace('2d', '1d')"),  # of a pooling of images
}
RECURRENT = {"rnn_tanh", "rnn_relu"}
"""Of torch, which are cut to `rnn`."""

MODULES = [
    import_module(
        ".".join(("archspec", "importing", *path.relative_to(Path(rules.__file__).parent).with_suffix("").parts))
    )
    for folder in ("functions", "patterns")
    for path in sorted((Path(rules.__file__).parent / folder).glob("[!_]*.py"))
]


def words(expression, function, module):
    """What an expression for an operator can be; nothing, if the text does not say it."""
    found = []
    match expression:
        case ast.Constant(value):
            found = [value]
        case ast.IfExp(_, body, orelse):
            found = [*words(body, function, module), *words(orelse, function, module)]
        case ast.JoinedStr([ast.Constant(first), *_]) if first.startswith("~"):
            found = [first]
        case ast.JoinedStr(parts):
            found = [""]
            for part in parts:
                more = FILLED[ast.unparse(part.value)] if isinstance(part, ast.FormattedValue) else [part.value]
                found = [before + after for before in found for after in more]
        case ast.Subscript(ast.Dict(_, values)):
            found = [value.value for value in values]
        case ast.Subscript(ast.Name(table)):
            found = [*vars(module)[table].values()]
        case ast.Name(name):
            found = [word for each in bound(name, function) for word in words(each, function, module)]
        case _ if ast.unparse(expression) == TARGET:
            read = vars(module)[function.name]
            found = [target.split(".")[1] for target, rule in rules.RULES.items() if rule is read]
    return found


def bound(name, function):
    """What a name is bound to in a function: by an assignment, or as one of the words of a pattern."""
    for each in ast.walk(function):
        match each:
            case ast.Assign(targets, value) if any(name in ast.unparse(target) for target in targets):
                yield value
            case ast.MatchAs(ast.MatchOr(patterns), bound_to) if bound_to == name:
                yield from (pattern.value for pattern in patterns)


def called(function):
    """What is called: a function by its name, a method behind a point."""
    match function:
        case ast.Name(name):
            return name
        case ast.Attribute(_, name):
            return f".{name}"
    return None


def given(module):
    """The operators that a module's rules say, with where; and the places that do not say which."""
    for function in ast.parse(inspect.getsource(module)).body:
        for call in ast.walk(function):
            place = GIVES.get(called(call.func)) if isinstance(call, ast.Call) else None
            if place is not None:
                yield (
                    getattr(function, "name", ""),
                    ast.unparse(call.args[place]),
                    words(call.args[place], function, module),
                )


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.removeprefix("archspec.importing."))
def test_every_operator_that_a_rule_gives_is_registered(module):
    for function, said, operators in given(module):
        for operator in {*operators} - RECURRENT:
            assert operator.startswith("~") or operator in ops.names(), f"{function}: {said}"


def test_few_rules_do_not_say_which_operator_they_give():
    found = {(function, said) for module in MODULES for function, said, operators in given(module) if not operators}
    assert found == UNSAID


def test_operators_without_settings_are_registered():
    assert {name for name in activation._PLAIN if not name.startswith("~")} <= {*ops.names()}


LARGEST = {
    "max": (lambda x: x.max(1)[0], ((1,), False)),
    "max_kept": (lambda x: x.max(-1, keepdim=True)[0], ((3,), True)),
    "amax": (lambda x: x.amax((2, 1)), ((1, 2), False)),
    "rank_3": (lambda x: x.flatten(2).amax(1), ((1,), False)),
}


def computes(function):
    pytest.importorskip("torch")
    from .modules import Computes

    return Computes(function)


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_over_axes_is_read_with_its_axes(name):
    function, args = LARGEST[name]
    document = archspec.from_torch(computes(function), (1, 3, 8, 8))
    *_, found = archspec.Architecture(document).expand().nodes
    assert (found.operator.name, found.operator.dim, found.operator.keepdim) == ("amax", *args)
    assert archspec.Architecture(document).verify()


PLACES = {
    "max": (
        lambda x: x.max(2)[1].float(),
        r"aten\.max\.dim \(1×, first at getitem_1\): gives several results, and one is",
    ),
    "batch": (lambda x: x.amax(0), r"aten\.amax\.default \(1×, first at amax\): is over the batch, too"),
}


@pytest.mark.parametrize("name", PLACES)
def test_where_the_largest_is_and_the_largest_of_the_batch_are_refused_with_place_and_count(name):
    function, reason = PLACES[name]
    with pytest.raises(ArchspecError, match=reason):
        archspec.from_torch(computes(function), (1, 3, 8, 8))


def test_the_largest_over_axes_is_read_from_a_file(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, real = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [helper.make_node("ReduceMax", [source], [result], axes=[2]) for source, result in ("xy", "yz")]
    ends = [
        helper.make_tensor_value_info(name, real, shape) for name, shape in (("x", [1, 3, 8, 8]), ("z", [1, 1, 1, 8]))
    ]
    nodes[1].attribute[0].ints[:] = [1]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "net.onnx")
    arch = archspec.Architecture(archspec.from_onnx(tmp_path / "net.onnx"))
    assert [node.operator.dim for node in arch.expand().nodes] == [(2,), (1,)]
    assert arch.count().flops == 3 * 8 * 7 + 8 * 2


def test_a_sum_of_three_keeps_what_stands_beside_a_norm_and_its_shift():
    held = HeldArray("w", (8,), lambda: np.ones(8, np.float32))
    norm = FlatNode("norm", "layer_norm", {"bias": False}, ("input",), (2, 4, 8), arrays={"weight": held})
    shift = FlatNode("shift", "parameter", {}, ("input",), (2, 1, 8), arrays={"weight": held.reshaped((1, 8))})
    total = FlatNode("sum", "add", {"broadcast": True}, ("norm", "shift", "input"), (2, 4, 8))
    read = joined(FlatGraph("net", (2, 4, 8), (norm, shift, total), "sum"))
    assert [(node.operator, node.inputs) for node in read.live().nodes] == [
        ("layer_norm", ("input",)),
        ("parameter", ("input",)),
        ("add", ("norm", "shift", "input")),
    ]


def test_axes_exchanged_behind_an_activation_of_a_learned_tensor_stay_as_they_are():
    held = HeldArray("p", (1, 4), lambda: np.ones((1, 4), np.float32))
    learned = FlatNode("p", "parameter", {"shape": (1, 4)}, ("input",), (2, 1, 4), arrays={"weight": held})
    relu = FlatNode("relu", "relu", {}, ("p",), (2, 1, 4))
    turned = FlatNode("turned", "~permute", {"order": (0, 2, 1)}, ("relu",), (2, 4, 1))
    read = joined(FlatGraph("net", (2, 4, 1), (learned, relu, turned), "turned"))
    assert [node.operator for node in read.nodes] == ["parameter", "relu", "transpose"]


OF_CONSTANTS = {
    "onnx.Max": ({"self": 1, "other": -1, "input2": 7}, 7),
    "onnx.Min": ({"self": 1}, 1),
    "aten.sub.Tensor": ({"self": 1, "other": 7, "alpha": 2}, -13),
    "aten.add.Tensor": ({"self": 1, "other": 7, "alpha": 2}, 15),
}


def of_constants(target, given):
    arrays = {
        name: HeldArray(name, (2,), lambda number=number: np.full(2, number, np.float32), learned=False)
        for name, number in given.items()
        if name != "alpha"
    }
    arguments = {name: Value(name) if name in arrays else number for name, number in given.items()}
    program = Program("net", ("x",), ("y",), (), {"y": (2,)}, arrays)
    return constant(ProgramCall(target, arguments, ("y",)), program)


@pytest.mark.parametrize("target", OF_CONSTANTS)
def test_all_that_a_function_takes_of_constants_is_in_what_it_gives(target):
    given, wanted = OF_CONSTANTS[target]
    assert of_constants(target, given).load().tolist() == [wanted, wanted]


def test_a_function_that_lacks_a_constant_is_named():
    with pytest.raises(UnsupportedError, match=r"aten\.mul\.Tensor gives no"):
        of_constants("aten.mul.Tensor", {"self": 1}).load()
