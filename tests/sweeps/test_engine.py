"""Who sweeps makes no difference: one process, several, a cluster; at once, or interrupted and gone on with."""

import json
import os
import resource
import signal
from threading import Timer

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

import archspec
from archspec.cli import app
from archspec.errors import ArchspecError, BindingError
from archspec.sweeps import grid, sweeping
from archspec.sweeps.engine import engine
from archspec.sweeps.grid import Subject, tiles

VALUES = {"alpha": "1/2,1,3/2", "side": "96..224:32", "classes": "1..300"}
ASKED = {"of": ["macs", "params", "intensity"], "where": "macs<=300M"}


def bytes_of(found, path):
    found.write(path)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """So few points are several tiles."""
    monkeypatch.setattr(grid, "MIN_TILE", 2**9)


@pytest.fixture
def alone():
    return archspec.sweep("mobilenet", VALUES, engine="local=1", **ASKED)


# ------------------------------------------------------------------ processes and clusters


def test_tiles_are_all_points_once_in_their_order():
    shape = {"a": tuple(range(7)), "b": tuple(range(11)), "c": tuple(range(1000))}
    subject = Subject(archspec.load("lenet_5").document, None, {}, shape)
    seen = []
    for tile in tiles([subject, subject], [True, False]):
        ranges = [np.arange(a, b) for a, b in zip(tile.start, tile.stop, strict=True)]
        places = np.ravel_multi_index(np.meshgrid(*ranges, indexing="ij"), subject.shape).ravel()
        seen += [tile.subject * subject.points + place for place in places.tolist()]
    assert seen == list(range(2 * subject.points))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_two_processes_write_the_file_of_one_byte_for_byte(alone, tmp_path):
    several = archspec.sweep("mobilenet", VALUES, engine="local=2", **ASKED)
    assert several == alone
    for ending in ("csv", "json", "parquet"):
        assert bytes_of(several, tmp_path / f"two.{ending}") == bytes_of(alone, tmp_path / f"one.{ending}")


@pytest.mark.long
@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_loses_nothing_with_a_worker_that_is_killed(request, alone, tmp_path):
    if not request.config.option.long:
        pytest.skip("starts a cluster; --long runs it")
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with distributed.LocalCluster(processes=True, **options) as cluster:
        found = archspec.sweep("mobilenet", VALUES, engine=f"dask={cluster.scheduler_address}", **ASKED)
        assert bytes_of(found, tmp_path / "dask.parquet") == bytes_of(alone, tmp_path / "one.parquet")
        values = {"alpha": "0.1..1.099:0.01", "side": "32..329:9", "classes": "1..1000"}
        asked = {"of": "macs,params", "front": "min:macs,min:memory_liveness,max:params"}
        victim = next(iter(cluster.workers.values())).pid
        Timer(1.0, os.kill, (victim, signal.SIGKILL)).start()
        found = archspec.sweep("mobilenet_v2", values, engine=f"dask={cluster.scheduler_address}", **asked)
    assert found == archspec.sweep("mobilenet_v2", values, engine="local=1", **asked)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loacl", "no engine 'loacl'; did you mean 'local'"),
        ("spark", "there are local, dask, ray"),
        ("local=two", "a number of processes from 1"),
        ("dask=", "followed by an address"),
    ],
)
def test_an_engine_that_is_none_is_refused(text, said):
    with pytest.raises(BindingError, match=said):
        engine(text)


# ------------------------------------------------------------------ interruption


def stopping_after(count, monkeypatch):
    """Sweeps so many tiles, then is interrupted; the list says which it was asked for."""
    asked, original = [], sweeping.swept

    def swept(question, subject, tile):
        if len(asked) == count:
            raise KeyboardInterrupt
        asked.append(tile)
        return original(question, subject, tile)

    monkeypatch.setattr(sweeping, "swept", swept)
    return asked


@pytest.mark.no_cover  # other tests cover what it runs; tracing multiplies its time
def test_an_interrupted_sweep_goes_on_where_it_was(alone, tmp_path, monkeypatch):
    folder = tmp_path / "kept"
    with monkeypatch.context() as patch:
        first = stopping_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            archspec.sweep("mobilenet", VALUES, engine="local=1", folder=folder, **ASKED)
    with monkeypatch.context() as patch:
        second = stopping_after(99, patch)
        found = archspec.sweep("mobilenet", VALUES, engine="local=1", folder=folder, **ASKED)
        assert found == alone
        assert len(first) == 2
        assert not {*first} & {*second}
    next(iter(folder.glob("tile-*"))).write_bytes(b"damaged")
    assert archspec.sweep("mobilenet", VALUES, engine="local=1", folder=folder, **ASKED) == alone
    other = archspec.sweep("mobilenet", VALUES, engine="local=1", folder=folder, **{**ASKED, "where": "macs<=200M"})
    assert len(other) < len(alone), "another question begins anew"


def test_wide_numbers_and_fractions_and_faults_are_kept_as_they_are(tmp_path):
    values = {"g": [1, 2, 3], "batch": [1, 2**36]}
    asked = {"of": ["flops", "intensity", "receptive_field"], "folder": tmp_path / "kept", "engine": "local=1"}
    first = archspec.sweep("shufflenet", values, **asked)
    assert first.columns["flops"].dtype == object
    assert archspec.sweep("shufflenet", values, **asked) == first


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("important")
    with pytest.raises(ArchspecError, match="no folder of a sweep"):
        archspec.sweep("lenet_5", {"classes": [1, 2]}, folder=tmp_path)
    assert (tmp_path / "mine").read_text() == "important"


# ------------------------------------------------------------------ files and the command


def command(*arguments):
    return CliRunner().invoke(app, ["sweep", *arguments])


def test_files_hold_the_same_numbers_in_every_format(tmp_path):
    found = archspec.sweep(["mobilenet", "squeezenet"], {"alpha": "1/3,1/2", "batch": [1, 2**33]}, "flops,intensity")
    rows = {}
    for ending in ("csv", "parquet"):
        path = tmp_path / f"it's {ending}.{ending}"
        assert f"{len(found)} points" in str(found.write(path))
        with duckdb.connect() as connection:
            read = connection.read_csv if ending == "csv" else connection.read_parquet
            columns = "spec, alpha, CAST(batch AS VARCHAR), CAST(flops AS HUGEINT)"
            rows[ending] = read(str(path)).project(columns).fetchall()
    found.write(tmp_path / "found.json")
    read = json.loads((tmp_path / "found.json").read_text())
    rows["json"] = [(each["spec"], each["alpha"], str(each["batch"]), each["flops"]) for each in read]
    expected = [
        (row["spec"], None if row["alpha"] is None else str(row["alpha"]), str(row["batch"]), row["flops"])
        for row in found.records()
    ]
    assert rows["parquet"] == rows["json"] == expected
    assert rows["csv"] == expected


def test_the_command_writes_a_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "found.csv"
    ran = command("mobilenet", "--for", "alpha=1/4..1:1/4", "--for", "side=96,128", "--top", "3", "-o", str(path))
    assert ran.exit_code == 0
    assert "3 points; 5 columns" in ran.output.replace("\n", "")
    macs = archspec.load("mobilenet").count(alpha="1/4", side=96).macs
    assert path.read_text().splitlines()[1].startswith(f"mobilenet,0.25,96,{macs},")
    assert [each.name for each in tmp_path.iterdir()] == ["found.csv"]


def test_a_full_disk_leaves_what_there_was(tmp_path):
    path = tmp_path / "found.csv"
    path.write_text("before")
    found = archspec.sweep("lenet_5", {"classes": "1..2000"}, engine="local=1")
    before, signalled = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(ArchspecError, match=r"cannot write .*found\.csv"):
            found.write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, signalled)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a SPEC, several, or --all"),
        (("mobilenet", "--for", "alpha"), "--for takes NAME=VALUES"),
        (("mobilenet", "--for", "alpha=1", "--for", "alpha=2"), "write its values in one: alpha=1,2"),
        (("mobilenet", "--for", "alpha=1", "-o", "x.xlsx"), "a sweep is written to .csv, .json, .parquet"),
        (("mobilenet", "--for", "alpha=1", "--front", "macs"), "a front is of two objectives"),
        (("mobilenet", "--for", "classes=1..1000000000000000"), "1,000,000,000,000,000 values"),
        (("mobilenet", "--for", "alpha=wide"), "found 'wide'"),
        (("mobilenet", "--for", "alpha=2..1:1/4"), "the smaller number comes first"),
        (("mobilenet", "--for", "alpha=1", "--of", "mcas"), "did you mean 'macs'"),
        (("mobilenet:alpha=1/2", "squeezenet", "--for", "side=224"), "values are set by --set"),
    ],
)
def test_wrong_input_exits_2_and_says_what_would_do(arguments, said):
    ran = command(*arguments)
    assert ran.exit_code == 2
    assert said in " ".join(ran.output.split())


def test_no_point_within_the_bounds_is_a_finding():
    ran = command("mobilenet", "--for", "alpha=1/4..1:1/4", "--where", "macs<=1M")
    assert ran.exit_code == 1
    assert "0 points are within macs ≤ 1,000,000" in ran.output


def test_what_was_swept_is_kept_where_the_file_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "found.csv"
    asked = ("lenet_5", "--for", "classes=1..3", "-o", str(path))

    def refuse(_, path):
        raise ArchspecError(f"cannot write {path}: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("archspec.sweeps.table.Sweep.write", refuse)
        ran = command(*asked)
        assert ran.exit_code == 2
        assert "No space left on device" in " ".join(ran.output.split())
    assert [each.name for each in tmp_path.iterdir()] == ["found.csv.unfinished"]
    with monkeypatch.context() as patch:
        stopping_after(0, patch)  # nothing is left to sweep
        assert command(*asked).exit_code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["found.csv"]


def test_a_file_in_a_folder_that_is_not_there_is_refused_before_anything_is_swept(tmp_path, monkeypatch):
    stopping_after(0, monkeypatch)
    ran = command("lenet_5", "--for", "classes=1..3", "-o", str(tmp_path / "no" / "x.csv"))
    assert ran.exit_code == 2
    assert "No such file or directory" in " ".join(ran.output.split())
    assert not any(tmp_path.iterdir())
