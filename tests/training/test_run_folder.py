"""A run folder keeps its split and its model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from harstream.clips.listing import Clip
from harstream.clips.split_files import split_by_file

pytestmark = pytest.mark.training


@pytest.mark.parametrize("parts", [("train", "train", "test"), ("train", "test", "val")])
def test_the_split_of_a_run_is_read_back_unchanged_even_if_it_cuts_groups(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    from harstream.training.recipes import Recipe
    from harstream.training.run_folder import RunFolder

    groups = ("g01", "g01", "g02")
    clips = [
        Clip(Path(f"Run/v_Run_{group}_c{number:02d}.mp4"), "Run", group, part)
        for number, (group, part) in enumerate(zip(groups, parts, strict=True))
    ]
    RunFolder(tmp_path).begin(Recipe(), clips, [])
    assert [clip.part for clip in split_by_file(clips, tmp_path / "split.tsv")] == list(parts)


def test_a_run_that_failed_on_a_full_disk_can_be_started_again(
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], tmp_path: Path
) -> None:
    from harstream.training.recipes import Recipe
    from harstream.training.run_folder import RunFolder

    with files_no_longer_than(20), pytest.raises(OSError, match="too large"):
        RunFolder(tmp_path).begin(Recipe(), [], [])
    RunFolder(tmp_path).begin(Recipe(), [], [])


def test_an_incomplete_model_does_not_finish_a_run(
    files_no_longer_than: Callable[[int], AbstractContextManager[None]], tmp_path: Path
) -> None:
    import numpy as np

    from harstream.models.contract import ModelContract
    from harstream.training.initial_weights import build_initial_model
    from harstream.training.recipes import Recipe
    from harstream.training.run_folder import RunFolder, Validated

    contract = ModelContract("m", "1", ("Jump", "Walk"), frames=2, height=64, width=64)
    model = build_initial_model(Recipe(arch="lrcn"), contract, 2)
    frames = np.zeros((1, 2, 64, 64, 3), dtype=np.uint8)
    validated = Validated(np.full((1, 2), 0.5, dtype=np.float32), np.zeros(1, dtype=np.intp))
    run = RunFolder(tmp_path)
    with files_no_longer_than(100_000), pytest.raises(OSError, match="too large"):
        run.finish(model, contract, validated=validated, validation=frames, training=frames)
    assert run.contract.is_file()
    assert not run.model.exists()
