"""What is written: whole or not at all, through links, into pipes, beside what a killed process left."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archspec import files
from archspec.errors import ArchspecError


def write(path, data=b"new"):
    with files.replacing(path) as file:
        file.write_bytes(data)


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_whole_or_as_it_was(tmp_path):
    target = tmp_path / "m.bin"
    write(target)
    assert target.read_bytes() == b"new"
    with pytest.raises(ZeroDivisionError), files.replacing(target) as file:  # noqa: PT012  # what is left is looked at
        file.write_bytes(b"half")
        raise ZeroDivisionError
    assert (target.read_bytes(), left(tmp_path)) == (b"new", ["m.bin"])


def test_a_new_file_has_the_rights_of_any_and_an_old_one_keeps_its_own(tmp_path):
    (tmp_path / "any").touch()
    write(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode
    (tmp_path / "any").chmod(0o640)
    write(tmp_path / "any")
    assert stat.S_IMODE((tmp_path / "any").stat().st_mode) == 0o640


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path, exists):
    (tmp_path / "store").mkdir()
    real, link, second = tmp_path / "store" / "real", tmp_path / "link", tmp_path / "second"
    if exists:
        real.write_bytes(b"old")
    link.symlink_to("store/real")
    second.symlink_to(link)
    write(second)
    assert second.is_symlink()
    assert link.is_symlink()
    assert (real.read_bytes(), left(real.parent)) == (b"new", ["real"])


def test_a_pipe_is_written_to_and_stays(tmp_path):
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write(pipe, b"x" * 100_000)
    reader.join()
    assert found == [b"x" * 100_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(("sign", "expected"), [(">", "new after"), (">>", "before new after"), ("|", "new after")])
def test_standard_output_by_its_name_is_written_where_it_stands(tmp_path, sign, expected):
    """What the shell has opened is not opened again: nothing before is cut off, nothing after is lost."""
    code = "import pathlib; from archspec.files import replacing\nwith replacing(pathlib.Path('/dev/stdout')) as f:\n"
    program = f"{sys.executable} -c \"{code} f.write_text('new ')\"; printf after"
    end = "cat > out" if sign == "|" else "out"
    (tmp_path / "out").write_text("before ")
    subprocess.run(["bash", "-c", f"({program}) {sign} {end}"], cwd=tmp_path, check=True)
    assert (tmp_path / "out").read_text() == expected
    assert left(tmp_path) == ["out"]


def test_devices_stay_what_they_are(tmp_path):
    write(Path("/dev/null"))
    assert Path("/dev/null").is_char_device()
    with pytest.raises(ArchspecError, match="cannot write /dev/full: No space left on device"):
        write(Path("/dev/full"))
    (tmp_path / "link").symlink_to("/dev/full")
    with pytest.raises(ArchspecError, match="link: No space left on device"):
        write(tmp_path / "link")


def test_what_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for name, why in ((".", "Is a directory"), ("no/file", "No such file"), ("loop", "symbolic links")):
        with pytest.raises(ArchspecError, match=f"cannot write .*: .*{why}"):
            write(tmp_path / name)
    for error in (OSError(28, "No space left on device"), MemoryError()):
        with (
            pytest.raises(ArchspecError, match=r"No space left on device|not enough memory"),
            files.replacing(tmp_path / "x"),
        ):
            raise error
    assert left(tmp_path) == ["loop"]


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    code = """
import os, pathlib, signal, sys
from archspec.files import replacing
with replacing(pathlib.Path(sys.argv[1]) / "a") as file:
    file.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert len(left(tmp_path)) == 1
    (tmp_path / ".archspec-notes.txt").write_text("mine")
    with files.replacing(tmp_path / "b") as living:
        living.write_bytes(b"b")
        write(tmp_path / "c")
        assert living.exists()
        assert len(left(tmp_path)) == 3
    assert left(tmp_path) == [".archspec-notes.txt", "b", "c"]


def test_many_threads_write_one_file_and_one_of_them_is_whole(tmp_path):
    target = tmp_path / "m"
    threads = [threading.Thread(target=write, args=(target, bytes([i]) * 50_000)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = target.read_bytes()
    assert data == data[:1] * 50_000
    assert left(tmp_path) == ["m"]


def test_a_lock_is_held_by_one(tmp_path):
    one, other = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert files.locked(one)
    assert not files.locked(other)
    os.close(one)
    assert files.locked(other)
    os.close(other)
    assert not files.locked(other, sure=True)  # closed: nothing can be said


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "up/x", "a\0b"])
def test_nothing_leads_out_of_a_folder(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "up").symlink_to("..")
    assert files.resolve_below(root, root / path) is None
    assert files.resolve_below(root, root / "a" / ".." / "b") == root / "b"


def test_no_more_of_a_file_is_read_than_it_may_have(tmp_path):
    endless = tmp_path / "endless.cfg"
    endless.symlink_to("/dev/zero")
    with pytest.raises(ArchspecError, match=r"endless\.cfg: is longer than 1,000 bytes"):
        files.read_text(str(endless), 1_000)
