"""Ensembles: several trainings, their mean, and the network distilled from them."""

import json
import signal

import pytest
import torch

from archspec.errors import ArchspecError
from archspec.train import Recipe, Watcher, data, record
from archspec.train.ensemble import Ensemble, ensemble, probabilities
from archspec.train.result import Score
from archspec.train.score import trained

CHOSEN = Recipe(epochs=2, lr=0.05, validation=100, seed=5)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    import archspec
    from tests.train.conftest import PLAIN

    out = tmp_path_factory.mktemp("runs") / "ensemble"
    return ensemble(archspec.loads(PLAIN), "digits", CHOSEN, 3, out=out, distil={"temperature": 2})


def test_members_differ_in_their_seeds_and_share_their_validation_images(found):
    records = [record.read(found.out / name) for name in ("0", "1", "2", "distilled")]
    assert [each.recipe.seed for each in records] == [5, 6, 7, 8]
    assert {each.recipe.validation_seed for each in records} == {5}
    assert len({each.data["sha256"] for each in records}) == 1
    assert len({member.loss for member in found.members}) == 3


def test_the_mean_is_that_of_probabilities(found):
    test = data.load("digits", (1, 8, 8), 10).test
    told = [trained(str(found.out / str(n)), torch.device("cpu")).guesses(test).softmax(1) for n in range(3)]
    mean = (told[0] + told[1] + told[2]) / 3
    assert found.mean.right == int((mean.argmax(1) == test.labels).sum())
    assert found.mean.loss == pytest.approx(float(-mean[torch.arange(len(test)), test.labels].log().mean()), rel=1e-4)
    assert found.mean.loss <= sum(member.loss for member in found.members) / 3  # Jensen


def test_one_is_distilled_from_all(found):
    begun = json.loads((found.out / "distilled" / "run.json").read_text())["from"]
    assert [*begun["distil"]["teachers"]] == [str(found.out / str(number)) for number in range(3)]
    assert found.distilled.images == 360


def test_what_is_there_is_gone_on_with(plain, found):
    class Never(Watcher):
        def stepped(self, step, loss):  # noqa: ARG002
            raise AssertionError

    again = ensemble(plain, "digits", CHOSEN, 3, out=found.out, distil={"temperature": 2}, watcher=Never())
    assert again == found


def test_an_interrupted_one_says_so_and_is_gone_on_with(plain, found, tmp_path):
    class Interrupt(Watcher):
        members = 0

        def began(self, result, steps, done):  # noqa: ARG002
            self.members += 1

        def stepped(self, step, loss):  # noqa: ARG002
            if self.members == 2:
                self.members = 3
                signal.raise_signal(signal.SIGINT)

    keys = {"out": tmp_path / "e", "distil": {"temperature": 2}}
    cut = ensemble(plain, "digits", CHOSEN, 3, watcher=Interrupt(), **keys)
    assert (cut.signal, cut.members, cut.mean) == (signal.SIGINT, (), None)
    whole = ensemble(plain, "digits", CHOSEN, 3, **keys)
    assert (whole.members, whole.mean, whole.distilled) == (found.members, found.mean, found.distilled)


def test_the_share_of_the_gain_that_is_kept():
    def score(errors):
        return Score(1000, 0.1, 1000 - errors, 1000)

    made = Ensemble("net", "d", None, (score(40), score(60)), score(30), score(34))
    assert (made.baseline, round(made.kept, 9)) == (5.0, 0.8)
    assert Ensemble("net", "d", None, (score(30), score(30)), score(30), score(34)).kept is None


def test_a_mean_of_probabilities_is_not_one_of_logits():
    logits = [torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])]
    assert probabilities(logits)[0].tolist() == pytest.approx([0.5, 0.5])
    logits = [torch.tensor([[0.0, 0.0]]), torch.tensor([[9.0, 0.0]])]
    assert probabilities(logits)[0, 0] < torch.stack(logits).mean(0).softmax(1)[0, 0]


def test_several_processes_are_refused(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ArchspecError, match="several trainings one after another run in one process"):
        ensemble(plain, "digits", CHOSEN, 2, out=tmp_path / "e")


def test_one_is_no_ensemble(plain, tmp_path):
    with pytest.raises(ArchspecError, match=r"an ensemble has two members or more \(got 1\)"):
        ensemble(plain, "digits", CHOSEN, 1, out=tmp_path / "e")
