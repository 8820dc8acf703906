"""A folder is replaced as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from harstream.resilience.whole_folder import whole_folder


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_new_folder_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with whole_folder(tmp_path / "model") as folder:
            (folder / text).write_text(text)
    assert content(tmp_path / "model") == {"two": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_the_old_folder(tmp_path: Path, error: type[BaseException]) -> None:
    with whole_folder(tmp_path / "model") as folder:
        (folder / "one").write_text("one")
    with pytest.raises(error), whole_folder(tmp_path / "model"):
        raise error
    assert content(tmp_path / "model") == {"one": "one"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_error_between_the_renames_brings_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with whole_folder(tmp_path / "model") as folder:
        (folder / "one").write_text("one")
    rename = Path.rename

    def fail_for_the_new_one(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new_one)
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "model"):
        pass
    assert content(tmp_path / "model") == {"one": "one"}


def test_after_a_kill_between_the_renames_the_next_call_brings_the_old_folder_back(tmp_path: Path) -> None:
    old = tmp_path / ".model.old"
    old.mkdir()
    (old / "one").write_text("one")
    with pytest.raises(ValueError, match="bad"), whole_folder(tmp_path / "model"):
        raise ValueError("bad")
    assert content(tmp_path / "model") == {"one": "one"}
