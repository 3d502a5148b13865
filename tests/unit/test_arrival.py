"""Whether a file has arrived whole."""

import os
from pathlib import Path

import pytest

from engine.arrival import Arrival, require_unchanged, stamp_of
from engine.discover import discover
from warehouse.errors import SourceError

NOW = 1_700_000_000.0


def changed(path: Path, seconds_ago: float) -> Path:
    path.write_bytes(b"x")
    os.utime(path, (NOW - seconds_ago, NOW - seconds_ago))
    return path


@pytest.mark.parametrize(
    ("seconds_ago", "whole"),
    [(0, False), (59, False), (60, True), (86_400, True), (-59, False), (-86_400, True)],
    ids=["now", "a minute less one", "a minute", "a day", "a clock ahead of ours", "far in the future"],
)
def test_a_file_has_to_rest(tmp_path: Path, seconds_ago: float, whole: bool) -> None:
    lack = Arrival(60).lacks(changed(tmp_path / "clients.csv", seconds_ago), NOW)
    assert lack == (None if whole else "was changed less than 60 s ago")


@pytest.mark.parametrize("arrival", [Arrival(60), Arrival(60, markers=True)])
def test_a_marker_says_that_a_file_is_whole(tmp_path: Path, arrival: Arrival) -> None:
    path = changed(tmp_path / "clients.csv.gz", 0)
    (tmp_path / "clients.csv.gz.done").touch()
    assert arrival.lacks(path, NOW) is None


def test_where_markers_are_wanted_age_is_not_enough(tmp_path: Path) -> None:
    path = changed(tmp_path / "clients.csv", 86_400)
    assert Arrival(0, markers=True).lacks(path, NOW) == "has no clients.csv.done beside it"


def test_without_a_rule_every_file_is_whole(tmp_path: Path) -> None:
    assert Arrival().lacks(changed(tmp_path / "clients.csv", 0), NOW) is None


def test_files_that_are_being_written_are_named_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "services.csv").write_bytes(b"x")
    os.utime(tmp_path / "services.csv", (NOW, NOW))
    (tmp_path / "clients.csv").write_bytes(b"y")
    found = discover(tmp_path, arrival=Arrival(60))
    assert [file.name for file in found.files] == ["services.csv"]
    assert found.unfinished == ("clients.csv was changed less than 60 s ago",)


def test_a_folder_without_feeds_is_an_error_unless_it_may_be_empty(tmp_path: Path) -> None:
    assert discover(tmp_path, may_be_empty=True).files == ()
    with pytest.raises(SourceError, match="holds no file of any feed"):
        discover(tmp_path)


def test_a_file_that_changed_or_went_while_it_was_read_is_refused(tmp_path: Path) -> None:
    names = ("grew", "same size", "gone", "untouched")
    paths = {name: changed(tmp_path / f"{name}.csv", 100) for name in names}
    stamps = {path: stamp_of(path) for path in paths.values()}
    require_unchanged(stamps)
    paths["grew"].write_bytes(b"xx")
    os.utime(paths["grew"], ns=(0, stamps[paths["grew"]].changed_at_ns))
    os.utime(paths["same size"], (NOW, NOW))
    paths["gone"].unlink()
    with pytest.raises(
        SourceError, match=r"^3 file\(s\) changed .*: gone\.csv, grew\.csv, same size\.csv; nothing was"
    ):
        require_unchanged(stamps)
