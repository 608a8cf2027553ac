"""Specifications that say only in what they differ from another: what can be wrong with that."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


OUTSIDE = "is not below the folder of the specification, where files are read"


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
        ("/dev/zero", f"thin.yaml:3:10: extends: '/dev/zero' {OUTSIDE}"),
        ("/etc/hostname", f"thin.yaml:3:10: extends: '/etc/hostname' {OUTSIDE}"),
        ("../base.yaml", f"thin.yaml:3:10: extends: '../base.yaml' {OUTSIDE}"),
        ("link.yaml", f"thin.yaml:3:10: extends: 'link.yaml' {OUTSIDE}"),
        ('"a\\0b"', f"thin.yaml:3:10: extends: 'a\ufffdb' {OUTSIDE}"),
        ("x" * 300, f"thin.yaml:3:10: extends: no file and no network of the zoo is called '{'x' * 199}…'"),
        ("[base.yaml]", "thin.yaml:3:1: extends: expected a name of the zoo or a path"),
        ("", "thin.yaml:3:1: extends: expected a name of the zoo or a path"),
    ],
    ids=lambda value: value[:20],
)
def test_what_cannot_be_extended_is_refused_at_the_name(folder, extends, fault):
    folder = folder / "specs"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(folder.parent / "base.yaml")
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


def test_a_base_may_lie_below_the_folder_and_extend_what_lies_beside_it(folder):
    (folder / "bases").mkdir()
    write(folder / "bases", "one", "archspec: 1\nname: one\nextends: ../base.yaml\n")
    (folder / "link.yaml").symlink_to(folder / "bases" / "one.yaml")
    for base in ("bases/one.yaml", "link.yaml"):
        text = f"archspec: 1\nname: base\nextends: {base}\n"
        assert language.load(write(folder, "thin", text)) == language.loads(BASE)


def test_a_text_extends_the_zoo_alone(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("<text>", "specs/thin.yaml"):
        with pytest.raises(
            SpecErrors, match=r"no network of the zoo is called 'base\.yaml'; only a specification in a"
        ):
            language.loads("archspec: 1\nname: thin\nextends: base.yaml\n", name)
    assert language.loads("archspec: 1\nname: thin\nextends: lenet_5\n").network == language.load("lenet_5").network


PARTS = st.sampled_from(["..", ".", "a", "up", "secret.yaml", "a.yaml", "in", "b.yaml", "", "/", "~"])


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
@settings(derandomize=True, max_examples=300, deadline=None)
@given(parts=st.lists(PARTS, min_size=1, max_size=6))
def test_no_path_leads_out_of_the_folder(tmp_path_factory, parts):
    """Whatever a path is made of, links out and links in among it, no line of a file outside is shown."""
    top = tmp_path_factory.getbasetemp() / "extends"
    if not top.exists():
        (top / "specs" / "a").mkdir(parents=True)
        (top / "secret.yaml").write_text("SECRET\n")
        (top / "specs" / "up").symlink_to("..")
        (top / "specs" / "in").symlink_to("a")
        (top / "specs" / "a.yaml").symlink_to("../secret.yaml")
        (top / "specs" / "a" / "b.yaml").write_text(BASE)
    path = write(top / "specs", "thin", f"archspec: 1\nname: base\nextends: '{'/'.join(parts)}'\n")
    try:
        assert language.load(path) == language.loads(BASE)
    except SpecErrors as error:
        assert "SECRET" not in str(error)  # noqa: PT017  # either answer will do
