"""The selection decides which clips are evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

from harstream.clips.listing import ListingError
from harstream.evaluation.clip_selection import ClipSelection, select_clips
from harstream.models.contract import ModelContract

CONTRACT = ModelContract("m", "1", ("Jump", "Walk", "background"), background=("background",))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return folder(tmp_path / "data", "Walk", "Jump")


def folder(path: Path, *labels: str) -> Path:
    for label in labels:
        (path / label).mkdir(parents=True)
        for group in (1, 2, 3):
            (path / label / f"v_{label}_g0{group}_c01.avi").touch()
    return path


def test_every_clip_is_evaluated_without_a_split(data: Path) -> None:
    assert sorted(clip.label for clip in select_clips(ClipSelection((data,)), CONTRACT)) == ["Jump"] * 3 + ["Walk"] * 3


def test_a_split_file_gives_the_clips_of_one_part(data: Path, tmp_path: Path) -> None:
    parts = {"g01": "train", "g02": "val", "g03": "test"}
    rows = [
        f"{label}/v_{label}_{group}_c01.avi\t{label}\t{group}\t{group}\t{part}"
        for label in ("Walk", "Jump")
        for group, part in parts.items()
    ]
    split = tmp_path / "SPLIT.tsv"
    split.write_text("\n".join(["file\tclass\tgroup\tcluster\tsplit", *rows]) + "\n")
    selection = ClipSelection((data,), split=(split,), part="val")
    assert [clip.group for clip in select_clips(selection, CONTRACT)] == ["g02", "g02"]


def test_background_folders_have_the_background_label_of_the_model(tmp_path: Path) -> None:
    background = folder(tmp_path / "none", "Cooking")
    clips = select_clips(ClipSelection(background=(background,)), CONTRACT)
    assert {clip.label for clip in clips} == {"background"}


@pytest.mark.parametrize(
    ("labels", "background", "message"),
    [
        (("Walk",), (), "the data has Jump, but model m knows only Walk, nobody"),
        (("Walk", "Jump"), (), "no background label: leave out --background"),
    ],
)
def test_clips_that_the_model_cannot_know_are_refused(
    labels: tuple[str, ...], background: tuple[str, ...], message: str, data: Path
) -> None:
    if len(labels) == 1:
        contract, selection = ModelContract("m", "1", ("Walk", "nobody"), ("nobody",)), ClipSelection((data,))
    else:
        contract, selection = ModelContract("m", "1", labels, background), ClipSelection((data,), background=(data,))
    with pytest.raises(ListingError, match=message):
        select_clips(selection, contract)


def test_an_unknown_part_is_refused_with_the_known_parts(data: Path) -> None:
    with pytest.raises(ListingError, match="--part must be one of train, val, test, got 'dev'"):
        select_clips(ClipSelection((data,), split=(Path("SPLIT.tsv"),), part="dev"), CONTRACT)
