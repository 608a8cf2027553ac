"""The specifications that come with the library, found by name."""

import pytest

from archspec.errors import UnknownNameError
from archspec.language import load, zoo


def test_names_are_those_of_the_files_in_alphabetical_order():
    assert zoo.names() == sorted(path.stem for path in zoo.directory().glob("*.yaml"))
    assert {"lenet_5", "squeezenet", "mobilenet", "mobilenet_v2"} <= set(zoo.names())


def test_names_are_chosen_by_a_pattern_of_the_shell():
    assert zoo.names("mobilenet*") == [name for name in zoo.names() if name.startswith("mobilenet")]
    assert zoo.names("lenet_?") == ["lenet_5"]
    assert zoo.names("nothing*") == []


@pytest.mark.parametrize("name", zoo.names())
def test_a_specification_is_called_as_its_file(name):
    assert load(name).name == name


@pytest.mark.parametrize("name", ["lenet5", "../specs/lenet_5", "", "*", "\0"])
def test_only_names_of_the_zoo_have_a_path(name):
    with pytest.raises(UnknownNameError):
        zoo.path(name)


def test_the_folder_inside_an_installed_package_comes_first(tmp_path, monkeypatch):
    (tmp_path / "archspec").mkdir()
    monkeypatch.setattr(zoo, "_PACKAGE", tmp_path / "archspec")
    assert zoo.directory() == tmp_path / "specs"
    (tmp_path / "archspec" / "specs").mkdir()
    assert zoo.directory() == tmp_path / "archspec" / "specs"
