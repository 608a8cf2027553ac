"""Symbols from several instances: the multiplier, its rounding, what else fits, and the value that tells them apart."""

from fractions import Fraction

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.importing.flat import FlatGraph, FlatNode
from archspec.importing.instances import of_instances
from archspec.importing.rounding import ROUNDINGS, telling_apart


def chain(network):
    """An expanded chain of layers as a flat graph: what its module would be read as."""
    nodes = []
    for node in network.nodes:
        fields = type(node.operator).model_fields
        args = {
            name: value
            for name, value in node.operator.settings().items()
            if fields[name].is_required() or fields[name].default != value
        }
        nodes.append(FlatNode(node.name, node.operator.name, args, node.inputs, tuple(node.output.shape)))
    return FlatGraph(network.name, tuple(network.input.shape), tuple(nodes), network.output)


def instances(name, **values):
    document = archspec.load(name).document
    return of_instances(
        {key: [Fraction(str(value)) for value in several] for key, several in values.items()},
        lambda bound: chain(expand(document, bound, batch=2)),
    )


def test_the_multiplier_of_mobilenet_and_its_rounding():
    found = instances("mobilenet", alpha=(1, 0.37, 0.61), side=(224, 192), classes=(1000, 10))
    document, arch = found.document, archspec.load("mobilenet")
    assert found.notes == ()
    assert {name: str(body) for name, body in document.functions.items()} == {"scaled(c)": "floor(alpha * c)"}
    again = archspec.Architecture(document)
    for alpha in [Fraction(n, 40) for n in range(10, 50, 2)]:
        assert again.count(alpha=alpha, side=160, classes=7).macs == arch.count(alpha=alpha, side=160, classes=7).macs
    ours, theirs = arch.formula("macs", free=("alpha", "side")), again.formula("macs", free=("alpha", "side"))
    assert ours(alpha="3/4", side=191) == theirs(alpha="3/4", side=191)


def test_few_values_leave_several_roundings_and_one_is_proposed():
    found = instances("mobilenet", alpha=(1, 0.5, 0.75))
    (note,) = found.notes
    assert note.startswith(
        "alpha: floor is taken; round, round, halves to even, ceil, make_divisible to 8, make_divisible to 4,"
    )
    proposed = note.partition("--vary alpha=1,0.5,0.75,")[2].split()[0]
    assert len(instances("mobilenet", alpha=(1, 0.5, 0.75, proposed)).notes) == 0


def test_what_follows_no_rule_is_refused():
    with pytest.raises(ArchspecError, match=r"at alpha=.* it is another network"):
        instances("mobilenet_v2", alpha=(1, 0.25))
    with pytest.raises(ArchspecError, match="a multiplier is 1 first"):
        instances("mobilenet", alpha=(0.5, 1))


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda rounding: rounding.name)
def test_a_rounding_says_what_it_computes(rounding):
    text = rounding.text.format(x="x * 3")
    arch = archspec.loads(
        f"archspec: 1\nname: n\nsymbols: {{x: {{default: 5, type: rational}}}}\ninput: [3]\n"
        f'network: [{{linear: {{out_features: "{text}"}}}}]'
    )
    for x in (Fraction(5), Fraction(37, 10), Fraction(61, 10), Fraction(23, 2)):
        assert arch.expand(x=x).nodes[0].operator.out_features == rounding.of(x * 3)


def test_no_value_tells_what_is_the_same():
    assert telling_apart(ROUNDINGS[:1], [32, 64]) is None
