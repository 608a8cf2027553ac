"""The peak of memory as a formula: in every view and language it is what `memory` finds on numbers."""

import math
from fractions import Fraction

import pytest

import archspec
from archspec.errors import ArchspecError
from archspec.formula.proof import proved

POLICIES = {"memory": "layerwise", "memory_liveness": "liveness", "memory_training": "training"}
SPECS = ["alexnet", "googlenet", "mobilenet", "mobilenet_v2", "resnet18", "shufflenet", "xception"]


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("quantity", POLICIES)
def test_the_formula_is_the_peak_at_random_bindings(name, quantity):
    arch = archspec.load(name)
    proof = proved(arch.formula(quantity), arch.document, 12)
    assert proof, proof.against
    assert proof.tried == 12


@pytest.mark.parametrize(("quantity", "policy"), POLICIES.items())
def test_the_formula_called_is_the_memory_of_the_network(quantity, policy):
    arch = archspec.load("mobilenet")
    assert arch.formula(quantity)(alpha="1/2", side=160) == arch.memory(policy, alpha="1/2", side=160).peak


def test_the_peak_prints_as_one_maximum_and_without_roundings_as_less():
    formula = archspec.load("resnet50").formula("memory", free=["side"])
    assert formula.text().startswith("max(")
    assert formula.text().count("⌈") == 6
    assert formula.text("divisible") == "192·side²"
    assert formula(side=224) == 192 * 224**2


def test_the_source_of_the_formula_gives_the_peak():
    arch = archspec.load("mobilenet")
    scope = {}
    exec(arch.formula("memory").python(), scope)  # noqa: S102  # our own source
    for alpha, side in ((Fraction(1, 4), 97), (1, 224)):
        assert scope["memory"](alpha, side, 1000) == arch.memory(alpha=alpha, side=side).peak
    assert math.prod((2, 4, 64, 112, 112)) == scope["memory"](1, 224, 1000)


def test_a_peak_does_not_add_up_from_parts():
    with pytest.raises(ArchspecError, match="does not add up from its parts"):
        archspec.load("mobilenet").formula("memory", part="conv")
