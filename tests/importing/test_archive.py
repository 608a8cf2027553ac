"""`.pt2` files: the graph and the raw weights are read, and no pickle."""

import json
import zipfile

import pytest

import archspec
from archspec.errors import ArchspecError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from archspec.importing import document_of  # noqa: E402
from archspec.importing.archive import read_archive  # noqa: E402
from archspec.importing.outputs import carried, difference_of  # noqa: E402


@pytest.fixture
def archive(tmp_path, randomised):
    model = randomised(
        nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 5))
    )
    program = torch.export.export(model, (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, tmp_path / "net.pt2")
    return tmp_path / "net.pt2", model


def rewritten(file, change):
    """The archive with some members changed; those that become None are left out."""
    target = file.with_name("other.pt2")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def test_an_archive_is_the_module(archive):
    file, model = archive
    program = read_archive(file)
    found = document_of(program)
    assert archspec.Architecture(found.document).count().params == sum(p.numel() for p in model.parameters())
    assert difference_of(found, carried(found), program, model) < 1e-6


def test_sample_inputs_are_not_read(archive):
    file, _ = archive
    without = rewritten(file, lambda name, data: None if "sample_inputs" in name else data)
    assert len(document_of(read_archive(without)).names) == len(document_of(read_archive(file)).names)


def test_weights_that_are_pickles_are_refused(archive):
    def change(name, data):
        if not name.endswith("model_weights_config.json"):
            return data
        table = json.loads(data)
        next(iter(table["config"].values()))["use_pickle"] = True
        return json.dumps(table)

    with pytest.raises(ArchspecError, match=r"holds 0.weight as a pickle, which is not opened"):
        read_archive(rewritten(archive[0], change))


def test_weights_that_are_cut_off_are_refused(archive):
    short = rewritten(archive[0], lambda name, data: data[:8] if name.endswith("weight_0") else data)
    with pytest.raises(ArchspecError, match=r"has fewer bytes of 0.weight than it says"):
        read_archive(short)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, data: None if name.endswith("model.json") else data, "holds no models/model.json"),
        (lambda name, data: data[:99] if name.endswith("model.json") else data, "damaged one"),
        (lambda name, data: b"[]" if name.endswith("model.json") else data, "damaged one"),
    ],
)
def test_damaged_archives_are_refused(archive, change, message):
    with pytest.raises(ArchspecError, match=message):
        read_archive(rewritten(archive[0], change))


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "net.pt2").write_bytes(b"not a zip")
    with pytest.raises(ArchspecError, match="is no exported program"):
        read_archive(tmp_path / "net.pt2")
    with pytest.raises(ArchspecError, match="cannot be read"):
        read_archive(tmp_path / "none.pt2")
