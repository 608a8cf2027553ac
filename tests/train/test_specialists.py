"""Specialists: which classes are confused, what a specialist learns, and what all say together."""

import math

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.errors import ArchspecError
from archspec.formula import distillation
from archspec.train import Recipe, data, evaluate, fit
from archspec.train.data import Data, DataSplit
from archspec.train.methods import Specialise
from archspec.train.run import learned
from archspec.train.score import trained
from archspec.train.specialists import Opinion, clusters, combined, covariance, log_odds, specialise

NET = """archspec: 1
name: net
symbols: {classes: {default: 9}}
input: [1, 6, 6]
network:
  - flatten
  - {linear: {out_features: 16}, as: fc1}
  - relu
  - {linear: {out_features: classes}, as: fc2}
"""

GROUPS = ((0, 4, 8), (1, 3, 5), (2, 6, 7))
"""The confusions that are planted."""


def planted(images=100, seed=0):
    """Nine classes in three groups: a group's pattern is plain, a class's own is faint beside the noise."""
    random = np.random.default_rng(seed)
    group, own = np.repeat(np.eye(3) * 120, 12, axis=1), random.integers(0, 2, (9, 36)) * 14.0
    pixels, labels = [], []
    for number, classes in enumerate(GROUPS):
        for label in classes:
            pixels.append(group[number] + own[label] + random.normal(40, 25, (images, 36)))
            labels += [label] * images
    order = random.permutation(len(labels))
    together = torch.from_numpy(np.concatenate(pixels).round().clip(0, 255).astype("uint8")[order]).view(-1, 1, 6, 6)
    split, half = DataSplit(together, torch.tensor(labels)[order]), len(order) // 2
    parts = (DataSplit(split.images[part], split.labels[part]) for part in (slice(half), slice(half, None)))
    return Data("planted", *parts, 9)


@pytest.fixture(scope="module")
def net():
    return archspec.loads(NET)


@pytest.fixture(scope="module")
def generalist(net, tmp_path_factory):
    chosen = Recipe(epochs=4, batch=32, lr=0.02, validation=150, seed=4)
    return fit(net, planted(), chosen, out=tmp_path_factory.mktemp("runs") / "generalist").out


# ------------------------------------------------------------------ clusters


def test_the_covariance_is_numpys():
    told = torch.rand(50, 6, generator=torch.Generator().manual_seed(0)).softmax(1)
    assert np.allclose(covariance(told), np.cov(told.double().numpy(), rowvar=False))


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("clustering", ["k-means", "online"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_confusions_come_out_exactly(generalist, clustering, seed):
    parted = learned(planted(), Recipe(validation=150, seed=4))
    told = trained(str(generalist), torch.device("cpu")).guesses(parted.validation).softmax(1)
    assert clusters(told, 3, clustering=clustering, seed=seed) == GROUPS


@pytest.mark.parametrize("clustering", ["k-means", "online"])
def test_a_class_that_is_confused_with_none_has_no_cluster(clustering):
    told = torch.tensor([[0.5, 0.5, 0, 0, 0], [0.6, 0.4, 0, 0, 0], [0, 0, 0.5, 0.5, 0], [0, 0, 0.3, 0.7, 0]])
    told = torch.cat([told, torch.tensor([[0.0, 0, 0, 0, 1]]).repeat(8, 1)])
    assert clusters(told, 2, clustering=clustering) == ((0, 1), (2, 3))


@pytest.mark.parametrize(
    ("told", "count", "fault"),
    [
        (torch.rand(9, 6), 4, "4 clusters of 6 classes; try 2 to 3"),
        (torch.rand(9, 6), 1, "1 clusters of 6 classes; try 2 to 3"),
        (torch.tensor([[math.nan] * 4]), 2, "a prediction of the generalist is not a number"),
        (torch.eye(4)[[0, 0, 0, 0]], 2, "the 4 classes do not fall into 2 clusters of two or more"),
    ],
)
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_what_cannot_be_clustered(told, count, fault):
    with pytest.raises(ArchspecError, match=fault):
        clusters(told, count)


# ------------------------------------------------------------------ what a specialist learns


def test_half_of_each_batch_is_special_and_the_others_are_one_class():
    digits = data.load("digits", (1, 8, 8), 10)
    method = Specialise(classes=(8, "3"))
    parted = method.data(digits)
    assert (parted.classes, parted.names) == (3, ("8", "3", "others"))
    for label, before in ((0, 8), (1, 3)):
        assert torch.equal(parted.train.labels == label, digits.train.labels == before)
    order = torch.randperm(len(parted.train), generator=torch.Generator().manual_seed(0))
    shown = method.images(order, parted)
    special = int((parted.train.labels < 2).sum())
    assert len(shown) == len(shown.unique()) == 2 * special
    assert all(int((parted.train.labels[batch] < 2).sum()) == 16 for batch in shown.split(32)[:-1])


def test_the_head_begins_with_what_the_generalist_knows(net, generalist, tmp_path):
    chosen = Recipe(
        epochs=1, batch=32, lr=1e-9, optimizer="adam", start=str(generalist), validation=150, seed=4
    ).changed({"specialise": ["8", "4"]})
    out = fit(net, planted(), chosen, out=tmp_path / "run", bindings={"classes": 3}).out
    cpu = torch.device("cpu")
    one, all_ = (trained(str(place), cpu).guesses(planted().test) for place in (out, generalist))
    assert torch.allclose(one[:, :2], all_[:, [8, 4]], atol=1e-4)
    rest = [label for label in range(9) if label not in {8, 4}]
    assert torch.allclose(one[:, 2], all_[:, rest].mean(1) + math.log(7), atol=1e-4)


def test_the_odds_of_training_and_of_truth():
    """Half and half with 3 of 10 classes: log(7/3)."""
    assert log_odds(torch.arange(10), [2, 3, 5]) == pytest.approx(math.log(7 / 3))


def test_the_correction_is_exact_for_a_network_that_knows_the_odds():
    """A network that has learned half and half says P(others) = 1/2 of a blank image; in truth it is 7/10."""
    logits = torch.tensor([math.log(1 / 6)] * 3 + [math.log(1 / 2)], dtype=torch.float64)
    logits[-1] += log_odds(torch.arange(10), [2, 3, 5])
    assert logits.softmax(0).tolist() == pytest.approx([0.1, 0.1, 0.1, 0.7])


# ------------------------------------------------------------------ what they say together


def distributions(*sizes, seed):
    random = torch.Generator().manual_seed(seed)
    return [(3 * torch.randn(4, size, generator=random, dtype=torch.float64)).softmax(1) for size in sizes]


@pytest.mark.parametrize("seed", range(5))
def test_one_specialist_is_combined_as_the_closed_form_says(seed):
    known = (3, 0)
    told, own = distributions(5, 3, seed=seed)
    q = combined(told, [Opinion(known, own, torch.tensor([True, True, False, True]))])
    form = distillation.specialists(5, known)
    for row in range(4):
        if row == 2:
            assert torch.allclose(q[row], told[row])
            continue
        at = dict(zip([*form.generalist, *form.specialists[0]], [*told[row].tolist(), *own[row].tolist()], strict=True))
        assert q[row].tolist() == pytest.approx([float(each.subs(at)) for each in form.one_specialist()], abs=1e-8)


KNOWN = ((0, 1, 2), (2, 3))


def objective(q, told, opinions):
    """KL(p_g, q) + Σ KL(p_m, q), where the specialists are active."""
    total = (told * (told / q).log()).sum(1)
    for each in opinions:
        rest = [label for label in range(q.shape[1]) if label not in each.classes]
        seen = torch.cat([q[:, list(each.classes)], q[:, rest].sum(1, keepdim=True)], 1)
        total = total + each.active * (each.probabilities * (each.probabilities / seen).log()).sum(1)
    return total


@pytest.mark.parametrize("seed", range(5))
def test_overlapping_specialists_are_combined_as_gradient_descent_does(seed):
    told, one, two = distributions(5, 4, 3, seed=seed)
    yes = torch.ones(4, dtype=torch.bool)
    opinions = [Opinion(KNOWN[0], one, yes), Opinion(KNOWN[1], two, torch.tensor([True, True, False, True]))]
    q = combined(told, opinions)
    logits = told.log().clone().requires_grad_()
    descent = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        descent.zero_grad()
        loss = objective(logits.softmax(1), told, opinions).sum()
        loss.backward()
        return loss

    descent.step(closure)
    assert torch.allclose(q, logits.detach().softmax(1), atol=1e-5)
    assert bool((objective(q, told, opinions) <= objective(logits.detach().softmax(1), told, opinions) + 1e-9).all())


def test_the_derivative_is_the_closed_forms_and_autograds():
    """∂/∂z = (1 + A)·q − p_g − Σ r_m, the gradient of `formula.distillation`: it is 0 where they are combined."""
    told, one, two = (each[:1] for each in distributions(5, 4, 3, seed=7))
    opinions = [Opinion(known, told_, torch.tensor([True])) for known, told_ in zip(KNOWN, (one, two), strict=True)]
    form = distillation.specialists(5, *KNOWN)
    letters = sympy.symbols("z1:6", real=True)
    symbols = [*form.generalist, *form.specialists[0], *form.specialists[1]]
    values = [*told[0].tolist(), *one[0].tolist(), *two[0].tolist()]
    derivative = sympy.lambdify([*letters, *symbols], form.gradient(letters), "math")
    for logits in (torch.tensor([[0.3, -1.0, 2.0, 0.0, 1.0]], dtype=torch.float64), combined(told, opinions).log()):
        leaf = logits.clone().requires_grad_()
        objective(leaf.softmax(1), told, opinions).sum().backward()
        closed = derivative(*logits[0].tolist(), *values)
        assert leaf.grad[0].tolist() == pytest.approx(closed, abs=1e-9)
    assert closed == pytest.approx([0] * 5, abs=1e-6)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), extreme=st.booleans())
def test_what_is_combined_is_a_distribution(seed, extreme):
    told, one, two = distributions(5, 4, 3, seed=seed)
    if extreme:  # one-hot: nothing is left to share out
        told = torch.eye(5, dtype=torch.float64)[:4]
    active = torch.rand(2, 4, generator=torch.Generator().manual_seed(seed)) < 0.5
    q = combined(told, [Opinion(KNOWN[0], one, active[0]), Opinion(KNOWN[1], two, active[1])])
    assert torch.allclose(q.sum(1), torch.ones(4, dtype=torch.float64))
    assert bool((q >= 0).all())


def test_a_prediction_that_is_no_number_is_refused():
    told = torch.tensor([[0.5, math.nan]])
    with pytest.raises(ArchspecError, match="a prediction is not a number"):
        combined(told, [])


# ------------------------------------------------------------------ all of it


@pytest.fixture(scope="module")
def together(generalist, tmp_path_factory):
    chosen = Recipe(epochs=8, batch=32, lr=0.02, seed=1)
    out = tmp_path_factory.mktemp("runs") / "specialists"
    return specialise(generalist, 3, chosen, out=out, source=planted()), chosen


def test_specialists_help_where_confusions_are_planted(together):
    found, _ = together
    assert tuple(tuple(map(int, each.classes)) for each in found.specialists) == GROUPS
    assert sum(each.images for each in found.specialists) == found.images == 450
    assert sum(each.alone for each in found.specialists) == found.alone < found.together
    assert found.conditional(together=False) < found.conditional(together=True)
    assert all(each.alone <= each.conditional_alone <= each.images for each in found.specialists)


def test_what_is_there_is_gone_on_with(generalist, together):
    found, chosen = together
    again = specialise(generalist, 3, chosen, out=found.specialists[0].out.parent, source=planted())
    assert again == found
    with pytest.raises(ArchspecError, match="has another recipe: epochs was 8 and is 9"):
        specialise(generalist, 3, chosen.changed({"epochs": 9}), out=found.specialists[0].out.parent, source=planted())


def test_a_specialist_is_a_run_that_can_be_evaluated(plain, tmp_path):
    text = plain.dumps().replace("out_features: 10", "out_features: classes")
    arch = archspec.loads(text.replace("input:", "symbols: {classes: {default: 10}}\ninput:"))
    chosen = Recipe(epochs=1, lr=0.1).changed({"specialise": [3, 8]})
    result = fit(arch, "digits", chosen, out=tmp_path, bindings={"classes": 3})
    bound = {"classes": 3}
    score = evaluate(arch, tmp_path / "best.safetensors", "digits", bindings=bound, recipe=chosen)
    assert score == result.best.test
    with pytest.raises(ArchspecError, match="digits has 10 classes, the network 3 outputs"):
        evaluate(arch, tmp_path / "best.safetensors", "digits", bindings=bound)


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        (["12"], "specialise: digits has no class '12'; there are 0 to 9"),
        (["3", 3], "specialise: class '3' stands twice"),
        (list(range(10)), "specialise: these are all classes of digits, and leave no others"),
        (["3"], "digits has 2 classes, the network 10 outputs"),
    ],
)
def test_classes_that_do_not_fit_are_refused(plain, tmp_path, classes, fault):
    with pytest.raises(ArchspecError, match=fault):
        fit(plain, "digits", Recipe().changed({"specialise": classes}), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_special_classes_without_images_are_refused(net, tmp_path):
    whole = planted()
    some = DataSplit(whole.train.images[whole.train.labels > 2], whole.train.labels[whole.train.labels > 2])
    lacking = Data("lacking", some, whole.test, 9)
    with pytest.raises(ArchspecError, match="specialise: there are no training images of special classes"):
        fit(net, lacking, Recipe().changed({"specialise": [0, 1]}), out=tmp_path / "run", bindings={"classes": 3})


def test_a_run_that_does_not_do_for_a_generalist_is_refused(net, plain, generalist, tmp_path):
    chosen = Recipe(epochs=1)
    with pytest.raises(ArchspecError, match="nowhere: is not the folder of a run"):
        specialise("nowhere", 2, chosen, out=tmp_path / "out")
    bare = fit(net, planted(), chosen, out=tmp_path / "bare").out
    with pytest.raises(ArchspecError, match="this run kept no validation images"):
        specialise(bare, 3, chosen, out=tmp_path / "out", source=planted())
    fixed = fit(plain, "digits", Recipe(epochs=1, validation=100), out=tmp_path / "fixed").out
    with pytest.raises(ArchspecError, match="plain has no symbol classes for its 10 classes"):
        specialise(fixed, 3, chosen, out=tmp_path / "out")
    with pytest.raises(ArchspecError, match="were handed over in Python; name them with --data"):
        specialise(generalist, 3, chosen, out=tmp_path / "out")
    with pytest.raises(ArchspecError, match="a temperature is above 0"):
        specialise(generalist, 3, chosen, out=tmp_path / "out", source=planted(), soften=0)
    assert not (tmp_path / "out").exists()


def test_stages_cannot_be_specialised():
    with pytest.raises(ArchspecError, match="specialise is of the whole training, and of no stage"):
        Recipe().changed({"stages": [{"specialise": ["1"]}]})
