from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from harstream.resilience.whole_file import atomic_path, write_whole


def test_text_and_bytes_are_written_unchanged(tmp_path: Path) -> None:
    write_whole(tmp_path / "text", "Ä\r\n1\n")
    write_whole(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == b"\xc3\x84\r\n1\n"
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bytes", "text"]


def test_reader_that_opened_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_whole(path, "old")
    with path.open() as reader:
        write_whole(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


def test_error_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    write_whole(path, "old")

    def write_half() -> None:
        with atomic_path(path) as unfinished:
            unfinished.write_text("ha")
            assert path.read_text() == "old"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unfinished_file_keeps_the_name_at_its_end(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "best.weights.h5") as unfinished:
        assert unfinished.name.endswith("best.weights.h5")
        assert unfinished.name.startswith(".")
        unfinished.write_text("")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_mode_is_that_of_a_new_file_or_the_one_given(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        write_whole(tmp_path / "open", "")
        write_whole(tmp_path / "secret", "password", mode=0o600)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "file", "")


def test_content_is_on_the_disk_before_the_file_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (steps.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(os, "replace", lambda old, new: (steps.append("replace"), replace(old, new)))
    write_whole(tmp_path / "file", "text")
    assert steps == ["fsync", "replace", "fsync"]
