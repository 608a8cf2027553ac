"""Symbols from several instances: the multiplier, its rounding, what else fits, and the value that tells them apart."""

from fractions import Fraction
from functools import partial
from math import ceil
from pathlib import Path

import pytest

import archspec
from archspec.dims import make_divisible
from archspec.errors import ArchspecError
from archspec.graph import expand
from archspec.importing.exported import exported
from archspec.importing.instances import of_instances
from archspec.importing.reading import read
from archspec.importing.rounding import ROUNDINGS, fitting, telling_apart

from .chains import chain

torch = pytest.importorskip("torch")
nn = torch.nn


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
    found = instances("mobilenet", alpha=(1, 0.37, 0.61, 1.24), side=(224, 192), classes=(1000, 10))
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
    assert float(proposed) > 1
    assert len(instances("mobilenet", alpha=(1, 0.5, 0.75, proposed)).notes) == 0


def test_where_nothing_was_seen_a_value_is_asked_for():
    """MobileNetV2's last layer never has fewer channels than at 1, which no value below tells."""
    (note,) = instances("mobilenet_v2", alpha=(1, 0.37, 0.61)).notes
    assert "alpha: what is done above 1 was not seen; --vary alpha=1,0.37,0.61,1." in note
    (note,) = instances("mobilenet_v2", alpha=(1, 1.3, 1.4)).notes
    assert "; what is done below 1 was not seen; --vary alpha=1,1.3,1.4,0." in note


def test_a_multiple_of_a_rounding_and_a_rounding_are_told_apart():
    """4·scaled(320) and scaled(1280) are the same at 1.1 and at 1.4."""
    forms = fitting([(1280, [Fraction(11, 10), Fraction(7, 5)], [1408, 1792])], {1280: {320}})
    makes = next(each for each in forms if each.name == "make_divisible to 8")
    (several,) = forms[makes]
    assert [form.text("scaled") for form in several if not form.at_least] == ["scaled(1280)", "4 * scaled(320)"]
    proposed = next(telling_apart({makes: [several]}, [Fraction(11, 10), Fraction(7, 5)]))
    assert proposed < 1
    assert len({form.of(proposed) for form in several}) == len(several) - 1  # 1280 at least, either way


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
    fits = {ROUNDINGS[0]: [ROUNDINGS[0].forms(32, [Fraction(1, 2), Fraction(3, 2)], [16, 48])[:1]]}
    assert list(telling_apart(fits, [Fraction(1, 2), Fraction(3, 2)])) == []


def test_proposed_values_are_those_that_computers_multiply_exactly():
    """int(200 * 0.57) is 113."""
    fits = fitting([(200, [Fraction(1, 2)], [100])])
    proposed = list(telling_apart(fits, [Fraction(1, 2), Fraction(3, 2)]))
    assert proposed
    assert Fraction(57, 100) not in proposed
    assert all(int(200 * float(each)) == 200 * each // 1 for each in proposed)


def by_8(x):
    return int(make_divisible(Fraction(x), 8))


class Stage(nn.Module):
    """Some units of a width, of which the first may widen."""

    def __init__(self, c, d, n):
        super().__init__()
        self.units = nn.Sequential(*(Unit(c if k == 0 else d, d) for k in range(n)))

    def forward(self, x):
        return self.units(x)


class Unit(nn.Module):
    """A convolution, with a shortcut where it widens nothing."""

    def __init__(self, c, d):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(c, d, 3, padding=1), nn.ReLU())
        self.adds = c == d

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def net(w=1, d=1, head=64, rounding=int):
    """Two stages: at a depth of 1 the first is one unit, which nothing repeats."""
    a, b = rounding(16 * w), rounding(24 * w)
    layers = [nn.Conv2d(3, rounding(8 * w), 3), Stage(rounding(8 * w), a, ceil(d)), Stage(a, b, ceil(2 * d))]
    return nn.Sequential(*layers, nn.Conv2d(b, max(head, int(head * w)), 1), nn.AdaptiveAvgPool2d(1))


def of_modules(make, **values):
    """What is found of a factory, at these values of its arguments."""

    def graph_at(bound):
        with torch.device("meta"):
            model = make(**{name: float(value) if value % 1 else int(value) for name, value in bound.items()})
        return read(exported(model, (2, 3, 16, 16), "net"))

    return of_instances({name: [Fraction(str(each)) for each in several] for name, several in values.items()}, graph_at)


def test_a_stage_of_one_unit_is_repeated_where_another_instance_repeats_it():
    found = of_modules(net, w=(1, 0.5, 1.5), d=(1, 2, 2.5, 0.5))
    arch = archspec.Architecture(found.document)
    for w, d in [("0.75", "1.5"), ("1.25", 3), (2, "0.5"), ("0.625", 4)]:
        model = net(float(w), float(d))
        assert arch.count(w=w, d=d).params == sum(each.numel() for each in model.parameters())
        assert len(arch.expand(w=w, d=d).nodes) > 0


def test_where_widths_come_to_be_equal_a_shortcut_is_no_other_network():
    """At 0.3, 16 and 24 are both rounded to 8: an instance with more shortcuts tells of its numbers, too."""
    found = of_modules(partial(net, rounding=by_8), w=(1, 0.3, 1.75))
    arch = archspec.Architecture(found.document)
    for w in ("0.4", "0.6", "1.5", 2):
        model = net(float(w), rounding=by_8)
        assert arch.count(w=w).params == sum(each.numel() for each in model.parameters())


def test_numbers_that_follow_no_rounding_are_named():
    with pytest.raises(ArchspecError, match=r"--vary w: no rounding that is known makes 11 at 0\.5, 31 at 1\.5 of 16"):
        of_modules(lambda w=1: nn.Conv2d(3, {0.5: 11, 1: 16, 1.5: 31}[w], 3), w=(1, 0.5, 1.5))
    with pytest.raises(
        ArchspecError, match=r"113 at 0\.57, 300 at 1\.5 of 200; with the error of .* give other values"
    ):
        of_modules(lambda w=1: nn.Conv2d(3, int(200 * w), 3), w=(1, 0.57, 1.5))
    two = lambda w=1: nn.Sequential(nn.Conv2d(3, int(20 * w), 1), nn.Conv2d(int(20 * w), ceil(36 * w), 1))  # noqa: E731
    with pytest.raises(ArchspecError, match=r"no one rounding makes 7 at 0\.37, 26 at 1\.3 of 20, and 14 at"):
        of_modules(two, w=(1, 0.37, 1.3))


class Tokens(nn.Module):
    """Positions that are learned: as many as patches."""

    def __init__(self, side):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.positions = nn.Parameter(torch.zeros(1, 8, (side // 4) ** 2))

    def forward(self, x):
        return (self.patches(x).flatten(2) + self.positions).mean(2)


def of_sides(make, *sides):
    def graph_at(bound):
        side = int(bound["side"])
        return read(exported(make(side), (2, 3, side, side), "net"))

    return of_instances({"side": [Fraction(side) for side in sides]}, graph_at)


def test_numbers_of_places_follow_the_side():
    found = of_sides(Tokens, 16, 32)
    assert found.notes == (
        "side: (side // 4) ** 2 is taken; ceil(side / 4) ** 2 fits as well; --vary side=16,32,17 tells more",
    )
    found = of_sides(Tokens, 16, 32, 17)
    assert found.notes == ()
    assert archspec.Architecture(found.document).count(side=22).params == 8 * 3 * 16 + 8 + 8 * 25
    odd = {16: 5, 32: 3}
    with pytest.raises(ArchspecError, match="--vary side: no rule that is known makes 5 at 16, 3 at 32"):
        of_sides(lambda side: nn.Conv2d(3, odd[side], 1), 16, 32)


def test_a_number_may_be_its_symbol_and_some_more():
    found = of_modules(lambda classes=10: nn.Conv2d(3, classes + 1, 1), classes=(10, 20))
    assert archspec.Architecture(found.document).count(classes=5).params == 6 * 4
