"""Specifications that say only in what they differ from another: what can be wrong with that."""

import pytest

from archspec import language
from archspec.errors import SpecErrors
from archspec.language.extend import MAX_CHAIN

BASE = """archspec: 1
name: base
symbols: {alpha: {default: 1}, side: {default: 8}}
input: [3, side, side]
blocks:
  unit: {args: {c: 4 * alpha}, body: [{conv2d: {out_channels: c, kernel_size: 1}}]}
network: [unit, relu]
"""


def write(folder, name, text):
    (folder / f"{name}.yaml").write_text(text)
    return folder / f"{name}.yaml"


def refused(path):
    with pytest.raises(SpecErrors) as caught:
        language.load(path)
    return [str(error).split("\n")[0].replace(f"{path.parent}/", "") for error in caught.value.errors]


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "base", BASE)
    return tmp_path


def test_what_is_named_again_is_replaced_and_the_rest_is_kept(folder):
    text = "archspec: 1\nname: thin\nextends: base.yaml\nsymbols: {alpha: {default: 2}}\nnetwork: [unit, relu6]\n"
    thin = language.load(write(folder, "thin", text))
    assert thin == language.loads(
        BASE.replace("base", "thin").replace("default: 1", "default: 2").replace("relu", "relu6")
    )


def test_what_was_extended_is_dumped_whole(folder):
    thin = language.load(write(folder, "thin", "archspec: 1\nname: thin\nextends: base.yaml\n"))
    assert "extends" not in language.dumps(thin)
    assert language.loads(language.dumps(thin)) == thin


@pytest.mark.parametrize(
    ("extends", "fault"),
    [
        ("thin.yaml", "thin.yaml:3:10: extends: 'thin.yaml' leads back here, or through more than 5 specifications"),
        ("bse.yaml", "thin.yaml:3:10: extends: no file and no network of the zoo is called 'bse.yaml'"),
        (".", "thin.yaml:3:10: extends: no file and no network of the zoo is called '.'"),
        ("/dev/zero", "thin.yaml:3:10: extends: no file and no network of the zoo is called '/dev/zero'"),
        ('"a\\0b"', "thin.yaml:3:10: extends: no file and no network of the zoo is called 'a\ufffdb'"),
        ("x" * 300, f"thin.yaml:3:10: extends: no file and no network of the zoo is called '{'x' * 199}…'"),
        ("[base.yaml]", "thin.yaml:3:1: extends: expected a name of the zoo or a path"),
        ("", "thin.yaml:3:1: extends: expected a name of the zoo or a path"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_extended_is_refused_at_the_name(folder, extends, fault):
    assert refused(write(folder, "thin", f"archspec: 1\nname: thin\nextends: {extends}\n")) == [fault]


def test_a_circle_of_specifications_is_refused(folder):
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        write(folder, name, f"archspec: 1\nname: {name}\nextends: {other}.yaml\n")
    assert len(refused(folder / "a.yaml")) == 1


def test_a_long_chain_of_specifications_is_refused(folder):
    for number in range(MAX_CHAIN + 1):
        other = f"n{number - 1}.yaml" if number else "base.yaml"
        write(folder, f"n{number}", f"archspec: 1\nname: n{number}\nextends: {other}\n")
    assert language.load(folder / f"n{MAX_CHAIN - 1}.yaml").name == f"n{MAX_CHAIN - 1}"
    assert len(refused(folder / f"n{MAX_CHAIN}.yaml")) == 1


def test_faults_of_the_other_file_are_told_with_its_places_and_those_of_this_one(folder):
    write(folder, "base", "archspec: 1\nname: base\nname: again\n")
    assert sorted(refused(write(folder, "thin", "archspec: 1\nname: thin\nname: fat\nextends: base.yaml\n"))) == [
        "base.yaml:3:1: the key 'name' stands here a second time; the first is in line 2",
        "thin.yaml:3:1: the key 'name' stands here a second time; the first is in line 2",
        "thin.yaml:4:10: extends: 'base.yaml' has faults of its own",
    ]


def test_what_the_whole_gets_wrong_is_told_where_it_stands(folder):
    text = (
        "archspec: 1\nname: thin\nextends: base.yaml\nblocks: {unit: {body: [relo]}}\nnetwork: [unit, {unit: {d: 1}}]\n"
    )
    assert refused(write(folder, "thin", text)) == [
        "thin.yaml:4:24: unknown operator or block 'relo'; did you mean 'relu'?",
        "thin.yaml:5:25: 'unit' has no argument 'd'; it takes none",
    ]
