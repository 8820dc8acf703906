"""Few-shot figures are of clips that were not drawn."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harstream.clips.listing import Clip
from harstream.evaluation.few_shot.__main__ import app
from harstream.evaluation.few_shot.draw import drawn
from tests.support.films import WriteFilm

LEVELS = {"Dim": 110, "Grey": 175, "Light": 245, "walk": 30}


def clips(*groups: str) -> list[Clip]:
    return [Clip(Path(f"{number}.mp4"), "Grey", group) for number, group in enumerate(groups)]


def test_examples_are_of_as_many_groups_as_possible() -> None:
    pool = clips("a", "a", "a", "b", "b", "c")
    for seed in range(20):
        assert sorted(clip.group for clip in drawn(pool, 3, random.Random(seed))) == ["a", "b", "c"]
    assert sorted(clip.group for clip in drawn(pool, 5, random.Random(1))) == ["a", "a", "b", "b", "c"]
    assert len({clip.path for clip in drawn(pool, 6, random.Random(1))}) == 6


def test_draws_differ() -> None:
    pool = clips(*"abcdefgh")
    assert len({tuple(clip.path for clip in drawn(pool, 2, random.Random(seed))) for seed in range(9)}) > 4


@pytest.fixture
def arguments(film: WriteFilm, tmp_path: Path, row_model: Path) -> list[str]:
    """Seven clips of each class, five of them in `train`."""
    rows = ["file\tsplit"]
    for label, level in LEVELS.items():
        folder = {"Light": "known", "walk": "everyday"}.get(label, "new")
        (tmp_path / folder / label).mkdir(parents=True)
        for number in range(7):
            film(f"{folder}/{label}/{number}.mp4", (2, level + number))
            rows.append(f"{label}/{number}\t{'train' if number < 5 else 'val'}")
    (tmp_path / "split.tsv").write_text("\n".join(rows) + "\n")
    new = [part for label in ("Dim", "Grey") for part in ("--new", str(tmp_path / "new" / label))]
    others = ["--known", str(tmp_path / "known"), "--everyday", str(tmp_path / "everyday")]
    return [*new, *others, "--split", str(tmp_path / "split.tsv"), "--model", str(row_model), "--draws", "2"]


def test_figures_of_activities_that_are_easy_to_tell_apart(arguments: list[str]) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--each", "5"])
    assert result.exit_code == 0, result.output
    output = " ".join(result.output.split())
    assert "before 5 100.0 ± 0.0 100.0 ± 0.0 100.0 ± 0.0 0.0 (0 in" in output
    assert "mean of 2 draws ± their deviation; 4 clips of the new activities" in output


def test_a_class_without_clips_in_a_part_is_one_line(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, [*arguments, "--part", "test"])
    assert result.exit_code == 2
    assert "expected clips of Dim in each part, found none with a window" in " ".join(result.output.split())
