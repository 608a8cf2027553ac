"""What packages offer by entry points: found by name, loaded only then."""

import logging
import sys
from threading import Thread

import pytest

from archspec import extras
from archspec.errors import ArchspecError


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """A package that offers something under a group: a module on the path and its metadata beside it."""

    def install(package, text, entry_points):
        (tmp_path / f"{package}.py").write_text(text, encoding="utf-8")
        metadata = tmp_path / f"{package}-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


def test_what_a_package_offers_is_loaded_when_it_is_asked_for(offer):
    offer("offers_one", "value = 7\n", "[archspec.tests]\nseven = offers_one:value\nother = offers_one:nothing\n")
    assert extras.entry_point("archspec.tests", "eight") is None
    assert extras.entry_point("archspec.others", "seven") is None
    assert "offers_one" not in sys.modules
    assert extras.entry_point("archspec.tests", "seven") == 7


def test_what_cannot_be_loaded_is_named_with_its_package(offer):
    offer("offers_none", "raise OSError('no disk')\n", "[archspec.tests]\nbroken = offers_none:value\n")
    with pytest.raises(ArchspecError, match="'broken' of offers_none cannot be loaded: no disk"):
        extras.entry_point("archspec.tests", "broken")


def test_what_two_packages_offer_is_refused(offer):
    for package in ("offers_left", "offers_right"):
        offer(package, "value = 1\n", f"[archspec.tests]\ntwice = {package}:value\n")
    with pytest.raises(ArchspecError, match="'twice' is offered by offers_left and offers_right; uninstall one"):
        extras.entry_point("archspec.tests", "twice")


def test_quiet_silences_this_thread_and_no_other(caplog):
    log = logging.getLogger("some.library")
    with extras.quiet():
        log.error("of this thread")
        other = Thread(target=log.error, args=("of another",))
        other.start()
        other.join()
    log.error("afterwards")
    assert [record.message for record in caplog.records] == ["of another", "afterwards"]
