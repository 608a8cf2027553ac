"""Recipes: what they allow, how their faults are named, how the rate goes."""

import math
import re
from pathlib import Path

import pytest

from archspec.errors import ArchspecError, SpecErrors, UnknownNameError
from archspec.language import zoo
from archspec.train import recipe
from archspec.train.recipe import Recipe


@pytest.mark.parametrize("name", recipe.names())
def test_every_shipped_recipe_says_what_it_is_for_and_how_its_values_were_found(name):
    found = recipe.load(name)
    assert found.doc
    assert found.tuning


def test_recipes_are_no_networks():
    assert {"digits", "mnist", "cifar10", "image-folder", "lenet_5", "lenet_300_100"} <= set(recipe.names())
    assert "digits" not in zoo.names()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("epochs: 3\nlr: fast\n", "f.yaml:2:5: expected a number above 0 and at most 1000, found 'fast'"),
        ("lr: 0", "f.yaml:1:5: expected a number above 0"),
        ("lr: nan", "f.yaml:1:5: expected a number above 0"),
        ("momentum: 1", "f.yaml:1:11: expected a number from 0 to 0.9999, found '1'"),
        ("epochs: 2.5", "f.yaml:1:9: expected a whole number from 1 to 100,000, found '2.5'"),
        ("epochs: 0", "f.yaml:1:9: expected a whole number from 1"),
        ("flip: perhaps", "f.yaml:1:7: expected true or false, found 'perhaps'"),
        ("flip: [true]", "f.yaml:1:7: expected true or false, found a list"),
        ("optimizer: sdg", "f.yaml:1:12: expected one of sgd, adam, adamw, rmsprop, found 'sdg'"),
        ("schedul: cosine", "f.yaml:1:1: unknown key 'schedul'; did you mean 'schedule'?"),
        ("lr: 1\nlr: 2", "f.yaml:2:1: the key 'lr' stands here a second time"),
        ("- lr", "f.yaml:1:1: a recipe is a mapping, such as 'epochs: 10'"),
        ("# nothing", "f.yaml:1:1: the file is empty; a recipe is a mapping"),
        ("lr: [", "f.yaml:1:6: not YAML"),
    ],
)
def test_a_fault_is_named_with_its_place(text, fault):
    with pytest.raises(SpecErrors) as caught:
        recipe.loads(text, "f.yaml")
    assert str(caught.value).startswith(fault)


def test_all_faults_come_at_once_up_to_a_bound():
    with pytest.raises(SpecErrors) as caught:
        recipe.loads("lr: 0\nepochs: 0\nbatches: 3\n")
    assert len(caught.value.errors) == 3
    with pytest.raises(SpecErrors) as caught:
        recipe.loads("".join(f"key{i}: 1\n" for i in range(400)))
    assert len(caught.value.errors) < 100


def test_a_recipe_is_read_from_a_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("epochs: 7\nprecision: no\nflip: true\n")
    read = recipe.load(tmp_path / "mine.yaml")
    assert (read.epochs, read.precision, read.flip, read.lr) == (7, "no", True, 0.05)
    with pytest.raises(SpecErrors, match=r"other\.yaml: cannot be read: no such file"):
        recipe.load(tmp_path / "other.yaml")


def test_a_name_that_is_no_recipe_is_told_the_near_one():
    with pytest.raises(UnknownNameError, match="did you mean 'lenet_5'"):
        recipe.load("lenet5")
    with pytest.raises(UnknownNameError, match="there are bwn_lenet_5, cifar10, compress"):
        recipe.load("zzzzz")


def test_settings_change_a_recipe_and_are_checked_like_it():
    assert Recipe().changed({"lr": "0.2", "flip": "true", "epochs": 4}) == Recipe(lr=0.2, flip=True, epochs=4)
    with pytest.raises(SpecErrors, match="lr: expected a number above 0 and at most 1000, found 'x'"):
        Recipe().changed({"lr": "x"})
    with pytest.raises(SpecErrors, match="no key 'learning_rate'; there are doc"):
        Recipe().changed({"learning_rate": "1"})
    with pytest.raises(SpecErrors, match="no key 'epoch'; did you mean 'epochs'"):
        Recipe().changed({"epoch": "1"})


def test_the_default_is_the_networks_own_for_its_data_else_that_of_the_data():
    assert recipe.default_for("lenet_5", "mnist") == recipe.load("lenet_5")
    assert recipe.default_for("lenet_5", "digits") == recipe.load("digits")
    assert recipe.default_for("mine", "cifar10") == recipe.load("cifar10")
    with pytest.raises(ArchspecError, match="no recipe for mine or other; name one with --recipe"):
        recipe.default_for("mine", "other")


@pytest.mark.parametrize(
    ("keys", "factors"),
    [
        ({"schedule": "constant"}, [1, 1, 1, 1]),
        ({"schedule": "linear"}, [1, 3 / 4, 2 / 4, 1 / 4]),
        ({"schedule": "linear", "warmup": 0.5}, [1, 1, 2 / 3, 1 / 3]),
        ({"schedule": "constant", "warmup": 1}, [1 / 2, 1, 1, 1]),
        ({"schedule": "step", "step_epochs": 1, "step_factor": 0.1}, [1, 1, 0.1, 0.1]),
        ({"schedule": "cosine"}, [(1 + math.cos(math.pi * i / 4)) / 2 for i in range(4)]),
        ({"schedule": "cosine", "warmup": 9}, [i / 18 for i in range(1, 5)]),
    ],
)
def test_the_rate_of_two_epochs_of_two_steps(keys, factors):
    planned = Recipe(epochs=2, **keys)
    assert [planned.factor(step, 2) for step in range(4)] == pytest.approx(factors)


def test_the_page_names_every_key_its_default_and_every_shipped_recipe():
    page = (Path(__file__).parents[2] / "docs" / "train.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ?(\S*) \|", page.split("<!-- recipe -->")[1].split("\n\n")[0], re.MULTILINE)
    assert dict(rows) == {key: shown(default) for key, default in Recipe().model_dump().items()}
    assert all(f"`{name}`" in page for name in recipe.names())


def shown(default):
    if default is None or default in ((), {}):
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default).lower()
