"""Distillation: its loss against closed forms, what is left out, and the bias that makes up for it."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from sympy import Symbol

import archspec
from archspec.errors import ArchspecError
from archspec.formula import distillation
from archspec.train import Options, Recipe, checkpoint, data, evaluate, fit
from archspec.train.batches import Standardisation
from archspec.train.data import Data
from archspec.train.methods import LearnedBatch
from archspec.train.methods.distil import Distil, best_shift, divergence, matched, mean_logits, soft_targets
from archspec.train.score import Trained

Z, V = [[1.0, -2.0, 3.0], [0.0, 0.5, 1.0]], [[2.0, 2.0, -1.0], [5.0, 0.0, 0.0]]


def soft_loss(logits, teachers, temperature):
    return divergence(logits, soft_targets(teachers, temperature), temperature)


def logit_loss(logits, teachers):
    return matched(logits, mean_logits(teachers))


def gradient(loss, *more):
    """The derivative of a loss by the students' logits, for each image (the loss is a mean over two)."""
    logits = torch.tensor(Z, dtype=torch.float64, requires_grad=True)
    loss(logits, [torch.tensor(each, dtype=torch.float64) for each in (V, *more)]).backward()
    return logits.grad * len(Z)


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_matching_logits_has_the_first_term_of_the_series_at_high_temperature():
    """∂/∂zᵢ = ((z − S_z/N) − (v − S_v/N))/N, what T²·∂C/∂zᵢ tends to."""
    term = distillation.high_temperature().first
    found = gradient(logit_loss)
    for row, (z, v) in enumerate(zip(Z, V, strict=True)):
        for k in range(3):
            at = {"z": z[k], "v": v[k], "S_z": sum(z), "S_v": sum(v), "N": 3}
            wanted = term.subs({symbol: at[symbol.name] for symbol in term.free_symbols})
            assert float(found[row, k]) == pytest.approx(float(wanted))


@pytest.mark.parametrize("more", [(), ([[0.0, 1.0, 4.0], [1.0, 1.0, 0.0]],)])
def test_soft_targets_tend_to_logits(more):
    limit = gradient(logit_loss, *more)
    off = [(gradient(lambda z, v, t=t: soft_loss(z, v, t), *more) - limit).abs().max() for t in (100, 1000, 10_000)]
    assert off[0] < 0.02
    assert off[1] / off[0] == pytest.approx(0.1, rel=0.05)  # the next term is of the order 1/T
    assert off[2] / off[1] == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("temperature", [1, 3, 20])
def test_several_teachers_are_the_mean_of_their_probabilities(temperature):
    other = [[0.0, 1.0, 4.0], [1.0, 1.0, 0.0]]
    found = gradient(lambda z, v: soft_loss(z, v, temperature), other)
    for row in range(2):
        q, p, r = ([float(each) for each in distillation.softmax(x[row], temperature)] for x in (Z, V, other))
        wanted = [temperature * (q[k] - (p[k] + r[k]) / 2) for k in range(3)]
        assert found[row].tolist() == pytest.approx(wanted)


def test_the_closed_form_of_the_gradient_is_what_is_minimised():
    """T²·KL has the gradient T²·(q − p)/T: `formula.distillation.gradient`, at one class of three."""
    closed = distillation.gradient()
    p, q = (distillation.softmax(x[0], 5)[0] for x in (V, Z))
    rate = closed.closed.subs({closed.q: Symbol("q")}).subs({"q": q, "p": p, "T": 5})
    rate = rate.subs({symbol: {"q": q, "p": p, "T": 5}[symbol.name] for symbol in rate.free_symbols})
    assert float(gradient(lambda z, v: soft_loss(z, v, 5))[0, 0]) == pytest.approx(25 * float(rate))


# ------------------------------------------------------------------ the bias of what was left out


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.lists(st.integers(-6, 6), min_size=4, max_size=4), st.integers(0, 3)), min_size=1, max_size=12
    ),
    classes=st.sets(st.integers(0, 3), min_size=1, max_size=3),
)
def test_no_shift_makes_fewer_errors(rows, classes):
    logits = torch.tensor([row for row, _ in rows], dtype=torch.float64)
    # no two logits of an image are alike
    logits += torch.tensor([0.0, 0.11, 0.23, 0.37], dtype=torch.float64)
    labels = torch.tensor([label for _, label in rows])
    classes = sorted(classes)

    def right(shift):
        moved = logits.clone()
        moved[:, classes] += shift
        return int((moved.argmax(1) == labels).sum())

    best = max(right(shift / 100) for shift in range(-1500, 1500, 3))
    assert right(best_shift(logits, labels, classes)) >= best


def test_a_shift_that_changes_nothing_is_none():
    assert best_shift(torch.tensor([[5.0, 0.0], [0.0, 5.0]]), torch.tensor([0, 1]), [1]) == 0


@pytest.fixture
def teacher(plain, tmp_path):
    return str(fit(plain, "digits", Recipe(epochs=4, lr=0.1, seed=9, validation=200), out=tmp_path / "teacher").out)


def without_threes(teacher, **more):
    return Recipe(epochs=4, lr=0.02, validation=200, validation_seed=9).changed(
        {"distil": {"teachers": [teacher], "temperature": 4, "hard": 0, "leave_out": ["3"], **more}}
    )


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_the_student_sees_no_image_of_a_class_and_knows_it_all_the_same(plain, teacher, tmp_path):
    result = fit(plain, "digits", without_threes(teacher), out=tmp_path / "student")
    parted = data.held_out(data.load("digits", (1, 8, 8), 10), 200, 9)
    assert result.epochs[0].step == int((parted.train.labels != 3).sum()) // 64
    added = result.corrected.added
    assert added[3] > 0
    assert [value for k, value in enumerate(added) if k != 3] == [0] * 9
    assert result.tested.right > result.corrected.before.right
    assert result.tested == evaluate(plain, result.out / "best.safetensors", "digits")
    threes = evaluate(plain, result.out / "best.safetensors", "digits").confusion[3]
    assert threes[3] > sum(threes) / 2
    log = [json.loads(line) for line in (result.out / "log.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in log if line["kind"] != "step"][-2:] == ["correction", "test"]
    again = fit(plain, out=result.out, options=Options(resume=True))
    assert (again.tested, again.corrected) == (result.tested, result.corrected)


def test_a_correction_is_made_once_whenever_the_training_is_ended(plain, teacher, tmp_path, monkeypatch):
    whole = fit(plain, "digits", without_threes(teacher), out=tmp_path / "whole")

    def ended(*_):
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "add", ended)
        with pytest.raises(ConnectionAbortedError):
            fit(plain, "digits", without_threes(teacher), out=tmp_path / "cut")
    resumed = fit(plain, out=tmp_path / "cut", options=Options(resume=True))
    assert (resumed.tested, resumed.corrected) == (whole.tested, whole.corrected)
    one, other = (load_file(tmp_path / name / "best.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_without_validation_images_nothing_is_corrected(plain, teacher, tmp_path):
    chosen = without_threes(teacher).changed({"validation": 0, "epochs": 1})
    assert fit(plain, "digits", chosen, out=tmp_path / "student").corrected is None


def test_logits_are_matched(plain, teacher, tmp_path):
    chosen = Recipe(epochs=3, lr=0.02, distil={"teachers": [teacher], "match": "logits", "hard": 0})
    assert fit(plain, "digits", chosen, out=tmp_path / "student").last.test.error < 15


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@pytest.mark.parametrize("crop", [0, 1])
def test_what_teachers_say_is_known_beforehand_where_images_stay_as_they_are(
    plain, teacher, monkeypatch, tmp_path, crop
):
    looked = []
    logits = Trained.logits
    monkeypatch.setattr(Trained, "logits", lambda *given: looked.append(1) or logits(*given))
    chosen = Recipe(epochs=2, batch=128, lr=0.02, crop=crop, distil={"teachers": [teacher], "temperature": 3})
    result = fit(plain, "digits", chosen, out=tmp_path / "student")
    assert len(looked) == (result.last.step if crop else 0)


def test_what_is_known_beforehand_is_what_a_batch_would_get(plain, teacher):
    digits = data.load("digits", (1, 8, 8), 10)
    inputs = Standardisation(digits.statistics, torch.device("cpu"), False)
    which = torch.tensor([3, 700, 1, 1436])
    images, model = inputs(digits.train.images[which]), plain.to_torch(seed=0)
    method = Distil(teachers=(teacher,), temperature=3, hard=0)
    losses = []
    for fixed in (True, False):
        course = method.begin(model, plain.expand())
        course.learns(digits, fixed)
        seen = LearnedBatch(images, digits.train.labels[which], which, model(images), lambda: 0, digits.statistics)
        losses.append(course.loss(seen)["soft"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


# ------------------------------------------------------------------ what is refused before the first step


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"leave_out": ["10"]}, "distil: leave_out: digits has no class '10'; there are 0 to 9"),
        ({"leave_out": list(range(10))}, "distil: leave_out leaves no class of digits"),
    ],
)
def test_classes_that_cannot_be_left_out(plain, teacher, tmp_path, keys, fault):
    with pytest.raises(ArchspecError, match=fault):
        fit(plain, "digits", without_threes(teacher, **keys), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "ending", ["{linear: {out_features: 10, bias: false}, as: fc}", "{linear: {out_features: 10}, as: fc}\n  - relu"]
)
def test_a_head_without_a_bias_that_moves_the_logits_is_refused(teacher, tmp_path, ending):
    text = f"archspec: 1\nname: odd\ninput: [1, 8, 8]\nnetwork:\n  - flatten\n  - {ending}\n"
    with pytest.raises(ArchspecError, match="leave_out needs a last layer whose bias moves the logits: odd has none"):
        fit(archspec.loads(text), "digits", without_threes(teacher), out=tmp_path / "run")


def test_a_teacher_of_classes_of_other_names_is_refused(plain, tmp_path):
    digits = data.load("digits", (1, 8, 8), 10)
    named = [Data("d", digits.train, digits.test, 10, names=tuple(names)) for names in ("abcdefghij", "abcdefghik")]
    out = fit(plain, named[0], Recipe(epochs=1), out=tmp_path / "teacher").out
    with pytest.raises(ArchspecError, match="teacher has other classes: one that was 'j' there is 'k' here"):
        fit(plain, named[1], Recipe(distil={"teachers": [str(out)]}), out=tmp_path / "run")


@pytest.mark.parametrize("temperature", [0, -1, math.nan, "hot"])
def test_a_temperature_is_above_0(temperature):
    with pytest.raises(ArchspecError, match="distil: expected a number above 0 and at most 1e"):
        Recipe().changed({"distil": {"teachers": ["a"], "temperature": temperature}})


def test_classes_are_named_by_number_too():
    assert Distil(teachers=("a",), leave_out=[3, "7"]).leave_out == ("3", "7")
