"""What a run folder says of its split."""

from __future__ import annotations

from pathlib import Path

import pytest

from clips.listing import Clip, split_by_file

pytestmark = pytest.mark.training


@pytest.mark.parametrize("parts", [("train", "train", "test"), ("train", "test", "val")])
def test_the_split_of_a_run_is_read_back_as_it_was_even_where_it_cuts_groups(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    from training.recipes import Recipe
    from training.run_folder import RunFolder

    groups = ("g01", "g01", "g02")
    clips = [
        Clip(Path(f"Run/v_Run_{group}_c{number:02d}.mp4"), "Run", group, part)
        for number, (group, part) in enumerate(zip(groups, parts, strict=True))
    ]
    RunFolder(tmp_path).begin(Recipe(), clips, [])
    assert [clip.part for clip in split_by_file(clips, tmp_path / "split.tsv")] == list(parts)
