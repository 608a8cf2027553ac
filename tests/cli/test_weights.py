"""`archspec weights` at the command line."""

import json

import pytest
from click.testing import CliRunner

import archspec

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import load_file, save_file  # noqa: E402

from archspec.cli import app  # noqa: E402

TINY = """archspec: 1
name: tiny
symbols: {classes: {default: 3}}
input: [3, 8, 8]
network:
  - {conv2d: {out_channels: 4, kernel_size: 3, bias: false}, as: conv}
  - {batch_norm, as: norm}
  - concat: {left: [{conv2d: {out_channels: 4, kernel_size: 1}}], right: [{conv2d: {out_channels: 4, kernel_size: 1}}]}
  - global_avg_pool
  - {linear: {out_features: classes}, as: fc}
"""
RENAMED = {"conv": "a.0", "norm": "a.1", "left.conv2d": "b.one", "right.conv2d": "b.two", "fc": "c"}


def run(*arguments):
    return CliRunner().invoke(app, ["weights", "map", *map(str, arguments)], env={"COLUMNS": "100"})


@pytest.fixture
def folder(tmp_path):
    """A specification, its weights from elsewhere, and those of a network of other classes."""
    (tmp_path / "tiny.yaml").write_text(TINY)
    for name, classes in (("weights", 3), ("other", 7)):
        state = archspec.loads(TINY).to_torch(seed=5, classes=classes).state_dict()
        parts = {key: key.rpartition(".") for key in state}
        renamed = {f"{RENAMED[layer]}.{last}": state[key] for key, (layer, _, last) in parts.items()}
        save_file(renamed, tmp_path / f"{name}.safetensors")
    return tmp_path


def test_the_map_says_what_fills_each_layer_and_why(folder):
    done = run(folder / "tiny.yaml", folder / "weights.safetensors", "--assume")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == MAP


def test_what_is_ambiguous_is_refused(folder):
    done = run(folder / "tiny.yaml", folder / "weights.safetensors", "-o", folder / "out.safetensors")
    assert (done.exit_code, done.stderr) == (1, "")
    words = " ".join(done.stdout.split())
    assert "left.conv2d weight, bias 4×4×1×1 ambiguous: 'b.one' or 'b.two'" in words
    assert "nothing says which of the source is which of 2 layers here: 'left.conv2d' may be" in words
    assert words.endswith("tiny: 7 of 11 arrays filled, 4 of the source left over; 2 layers ambiguous")
    assert not (folder / "out.safetensors").exists()


def test_what_is_written_is_the_model(folder):
    done = run(
        folder / "tiny.yaml",
        folder / "weights.safetensors",
        "--assume",
        "-o",
        folder / "out.safetensors",
        "--set",
        "classes=3",
    )
    assert done.exit_code == 0
    model = archspec.loads(TINY).to_torch(seed=5)
    found = load_file(folder / "out.safetensors")
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(found[key], array) for key, array in model.state_dict().items())


def test_what_does_not_fit_exits_1_and_writes_nothing(folder):
    out = folder / "out.safetensors"
    done = run(folder / "tiny.yaml", folder / "other.safetensors", "--assume", "-o", out)
    assert (done.exit_code, done.stderr) == (1, "")
    words = " ".join(done.stdout.split())
    assert "'fc' is 3×8 here, 'c' is 7×8 in the source: other classes? with classes=7 they agree" in words
    assert "fc weight, bias 3×8 no layer of the source is left that fits" in words
    assert "c.weight 7×8 no layer here is left that fits" in words
    assert "tiny: 9 of 11 arrays filled, 2 of the source left over; 2 layers assumed" in words
    assert not out.exists()
    assert run(folder / "tiny.yaml", folder / "other.safetensors", "-o", out, "--partial").exit_code == 1
    written = load_file(out)
    assert "conv.weight" in written
    assert not {"fc.weight", "left.conv2d.weight"} & written.keys()
    assert run(folder / "tiny.yaml", folder / "other.safetensors", "--assume", "--set", "classes=7").exit_code == 0


def test_json_is_all_there_is_on_standard_output(folder):
    found = json.loads(run(folder / "tiny.yaml", folder / "other.safetensors", "--format", "json").stdout)
    assert (found["spec"], found["bindings"], found["complete"]) == ("tiny", {"classes": "3"}, False)
    assert found["arrays"][0] == {
        "key": "conv.weight",
        "shape": [4, 3, 3, 3],
        "source": "a.0.weight",
        "reshaped_from": None,
        "why": "only",
    }
    assert {"key": "c.weight", "shape": [7, 8], "why": "no layer here is left that fits"} in found["left_over"]
    assert found["assumptions"] == [{"layers": [["left.conv2d", "right.conv2d"]], "parallel": True, "settled_by": None}]
    assert found["ambiguous"] == {"left.conv2d": ["b.one", "b.two"], "right.conv2d": ["b.one", "b.two"]}
    assert found["mixed_blocks"] == []
    assert len(found["differences"]) == 2


def test_markdown_has_tables_and_a_list(folder):
    done = run(folder / "tiny.yaml", folder / "other.safetensors", "--format", "markdown", "--assume")
    assert "| conv         | weight          | 4×3×3×3 | only" in done.stdout
    assert "| left over in the source" in done.stdout
    assert "\n- tiny: 9 of 11 arrays filled, 2 of the source left over; 2 layers assumed\n" in done.stdout


def test_long_names_stand_below(folder):
    state = load_file(folder / "weights.safetensors")
    save_file({f"{'long.' * 20}{key}": array for key, array in state.items()}, folder / "long.safetensors")
    lines = run(folder / "tiny.yaml", folder / "long.safetensors", "--assume").stdout.splitlines()
    assert lines[2] == "layer         arrays             shape  why, filled by ←"
    assert lines[4] == "conv          weight           4×3×3×3  only"
    assert lines[5] == f"    ← {'long.' * 20}a.0"


@pytest.mark.parametrize(("flag", "word"), [((), "ambiguous"), (("--assume",), "assumed")])
def test_choices_are_counted_where_there_are_many(tmp_path, flag, word):
    branches = ", ".join(f"b{i}: [{{conv2d: {{out_channels: 4, kernel_size: 1}}}}]" for i in range(4))
    spec = f"archspec: 1\nname: many\ninput: [3, 8, 8]\nnetwork:\n  - concat: {{{branches}}}\n"
    (tmp_path / "many.yaml").write_text(spec)
    shapes = (("weight", (4, 3, 1, 1)), ("bias", (4,)))
    save_file({f"x.{i}.{last}": torch.zeros(s) for i in "abcd" for last, s in shapes}, tmp_path / "w.safetensors")
    words = " ".join(run(tmp_path / "many.yaml", tmp_path / "w.safetensors", *flag).stdout.split())
    assert words.count(f"{word}: 'x.a' and 'x.") == 3
    assert f"2 more are {word}; the library's Matching.settled runs both models to decide" in words
    assert words.endswith(f"4 layers {word}")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.safetensors", "none.safetensors: cannot be read: No such file or directory"),
        ("model.pth", "model.pth: is a pickle, which can run code when it is read, and is not opened."),
    ],
)
def test_what_cannot_be_read_exits_2(folder, file, said):
    (folder / "model.pth").write_bytes(b"\x80\x04K\x01.")
    done = run(folder / "tiny.yaml", folder / file)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


MAP = """\
tiny, its weights from elsewhere: classes = 3

layer         arrays             shape  why      filled by
────────────  ───────────────  ───────  ───────  ─────────
conv          weight           4×3×3×3  only     a.0
norm          γ, β, mean, var        4  norm     a.1
left.conv2d   weight, bias     4×4×1×1  assumed  b.one
right.conv2d  weight, bias     4×4×1×1  assumed  b.two
fc            weight, bias         3×8  only     c

only: no other layer of either side has this shape
norm: it normalises the layer that fills the one before
assumed: nothing says which of several it is; those in the order of the names are taken
assumed: 'b.one' and 'b.two' have the same shapes, in parallel branches: that they fill
  'left.conv2d' and 'right.conv2d' in this order
tiny: 11 of 11 arrays filled, none left over; 2 layers assumed
"""
