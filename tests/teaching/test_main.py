"""`python -m harstream.teaching` writes the known windows beside a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from harstream.models.catalogue import find_model
from harstream.teaching.__main__ import app
from harstream.teaching.known_windows import read_known_windows
from tests.support.films import WriteFilm
from tests.support.row_model import write_row_model


@pytest.fixture
def arguments(film: WriteFilm, tmp_path: Path) -> list[str]:
    """Two classes with three clips each; one clip of each is in `test`, and has another brightness."""
    rows = ["file\tsplit"]
    for label, level in (("Dark", 40), ("Light", 250)):
        (tmp_path / "clips" / label).mkdir(parents=True)
        for name, part, grey in (("a", "train", level), ("b", "train", level), ("c", "test", 128)):
            film(f"clips/{label}/{name}.mp4", (2, grey))
            rows.append(f"{label}/{name}\t{part}")
    (tmp_path / "split.tsv").write_text("\n".join(rows) + "\n")
    model = write_row_model(tmp_path)
    return ["--model", str(model), "--data", str(tmp_path / "clips"), "--split", str(tmp_path / "split.tsv")]


def test_one_window_of_each_training_clip_is_written(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "4 windows of 4 clips" in " ".join(result.output.split())
    known = read_known_windows(find_model(str(tmp_path)))
    assert known is not None
    assert known.classes == ("Dark", "Dark", "Light", "Light")
    assert known.features[:, 0] == pytest.approx([43 / 255] * 2 + [252 / 255] * 2, abs=0.02)


def test_at_most_so_many_clips_of_a_class_are_read(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--each", "1"])
    assert "2 windows of 2 clips" in " ".join(result.output.split())


def test_a_folder_without_clips_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*arguments, "--data", str(tmp_path / "nowhere")])
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
