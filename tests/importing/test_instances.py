"""Symbols from several instances: the multiplier, its rounding, what else fits, and the value that tells them apart."""

from fractions import Fraction
from pathlib import Path

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.importing.instances import of_instances
from archspec.importing.rounding import ROUNDINGS, telling_apart

from .chains import chain


def known(name):
    """A network; ShuffleNet with any scale, and with Conv1 scaled as pytorchcv scales it, not looked up."""
    text = (Path(__file__).parents[2] / f"specs/{name}.yaml").read_text()
    changes = {"choices: [1/4, 1/2, 1, 3/2, 2]": "range: [1/20, 4]", "conv1_channels(scale, g)": "floor(scale * 24)"}
    for old, new in changes.items() if name == "shufflenet" else ():
        assert old in text
        text = text.replace(old, new)
    return archspec.loads(text)


def instances(name, **values):
    document = known(name).document
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


FORTIETHS = [Fraction(n, 40) for n in range(14, 54, 2)]
EFFICIENT = [{"w": Fraction(n, 10), "d": Fraction(24 - n, 5)} for n in range(3, 23)]
SCALES = [Fraction(n, 20) for n in range(51) if n > 2 and n % 5 in {0, 3}]  # where 3 divides floor(24·scale)
VARIED = {
    # network: (what it is varied by, 20 other values, its functions)
    "mobilenet": ({"alpha": (1, 0.37, 0.61)}, FORTIETHS, ["floor(alpha * c)"]),
    "mobilenet_v2": ({"alpha": (1, 0.25, 0.5, 1.4)}, FORTIETHS, ["make_divisible(alpha * c, 8)"]),
    "mobilenet_v3_small": ({"alpha": (1, 0.5, 0.75, 1.25)}, FORTIETHS, ["make_divisible(alpha * c, 8)"]),
    "mobilenet_v3_large": ({"alpha": (1, 0.75, 1.25)}, FORTIETHS, ["make_divisible(alpha * c, 8)"]),
    "shufflenet": ({"scale": (1, 0.4, 2)}, SCALES, ["floor(scale * c)"]),
    "efficientnet": (
        {"w": (1, 1.1, 1.4), "d": (1, 1.1, 2)},
        EFFICIENT,
        ["make_divisible(w * c, 8)", "ceil(d * n)"],
    ),
}


def pytest_generate_tests(metafunc):
    if "varied" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long", False)
        metafunc.parametrize("varied", VARIED if long else ["mobilenet_v2"])


@pytest.mark.no_cover
def test_multipliers_and_their_roundings_hold_at_twenty_other_values(varied):
    values, others, functions = VARIED[varied]
    found = instances(varied, **values)
    for note in found.notes:  # at most one value more, which it asks for
        name, _, proposed = note.partition("--vary ")[2].partition(" ")[0].partition("=")
        if proposed:
            values = {**values, name: [Fraction(each) for each in proposed.split(",")]}
    found = instances(varied, **values)
    assert sorted(map(str, found.document.functions.values())) == sorted(functions)
    arch, again = known(varied), archspec.Architecture(found.document)
    assert len(others) == 20
    for other in others:
        bound = other if isinstance(other, dict) else {next(iter(values)): other}
        wanted, given = arch.count(bound), again.count(bound)
        assert (given.params, given.macs, given.activations) == (wanted.params, wanted.macs, wanted.activations), bound


def test_what_follows_no_rule_is_refused():
    with pytest.raises(ArchspecError, match=r"at layers=9 it is another network"):
        instances("acoustic_model", layers=(8, 9))
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
