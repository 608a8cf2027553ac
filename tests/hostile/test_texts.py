"""Texts of every kind that are read: with more faults than anybody reads, and with names of files elsewhere."""

import pytest

from archspec import language
from archspec.compress import plan
from archspec.errors import ArchspecError, SpecErrors
from archspec.published import figures
from archspec.published.reproduce import quantity_of
from archspec.train import recipe

KINDS = {
    "plan": (plan.load, "name: many\nlayers:\n" + "".join(f"  - {{layer: a{i}, density: 7}}\n" for i in range(80))),
    "figures": (
        figures.load,
        "paper: many\ntitle: Many\nfigures:\n" + "".join(f"  - {{id: f{i}, of: 3}}\n" for i in range(80)),
    ),
    "recipe": (recipe.load, "".join(f"key{i}: 1\n" for i in range(80))),
    "specification": (
        language.load,
        "archspec: 1\nname: many\ninput: [1, 8, 8]\nnetwork:\n" + "".join(f"  - relo{i}\n" for i in range(80)),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_more_faults_than_anybody_reads_are_one_error(tmp_path, kind):
    load, text = KINDS[kind]
    (tmp_path / "many.yaml").write_text(text)
    with pytest.raises(SpecErrors) as caught:
        load(tmp_path / "many.yaml")
    assert SpecErrors.shown <= len(caught.value.errors) <= 80
    assert "and" in str(caught.value).splitlines()[-1]


@pytest.mark.parametrize("spec", ["/etc/hostname", "../secret.yaml", "up/secret.yaml", "-"])
def test_figures_are_of_specifications_below_their_folder(tmp_path, spec):
    (tmp_path / "secret.yaml").write_text("SECRET")
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "up").symlink_to("..")
    with pytest.raises(ArchspecError, match="no file below the folder of the figures and no network of the zoo") as no:
        quantity_of(figures.SpecQuantity(spec=spec, quantity="params"), folder)
    assert "SECRET" not in str(no.value)
