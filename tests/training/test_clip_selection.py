"""The selection decides which clips are used and to which part each belongs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harstream.clips.listing import Clip, ListingError
from harstream.training.clip_selection import ClipSelection, absent_clips, select_clips
from harstream.training.recipes import Recipe


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Writes ten groups of two clips in each of two class folders."""
    return folder(tmp_path / "data", "Walk", "Jump")


def folder(path: Path, *labels: str) -> Path:
    for label in labels:
        (path / label).mkdir(parents=True)
        for group in range(1, 11):
            for take in (1, 2):
                (path / label / f"v_{label}_g{group:02d}_c0{take}.avi").touch()
    return path


def parts(clips: list[Clip]) -> Counter[str]:
    return Counter(clip.part for clip in clips)


def test_a_group_belongs_to_one_part_if_no_split_is_given(data: Path) -> None:
    clips = select_clips(ClipSelection((data,)), Recipe())
    part_of_group = {(clip.label, clip.group, clip.part) for clip in clips}
    assert len(part_of_group) == 20
    assert set(parts(clips)) == {"train", "val", "test"}


def test_the_split_rule_is_group_or_random_and_none_for_files() -> None:
    assert [ClipSelection((), split).rule for split in [("group",), ("random",), ("a.tsv", "b.tsv"), ()]] == [
        "group", "random", None, None,
    ]  # fmt: skip


def test_a_split_file_decides_if_one_is_given(data: Path, tmp_path: Path) -> None:
    rows = [
        f"{file.relative_to(data)}\t{file.parent.name}\t{file.stem.split('_')[2]}\t{file.stem.split('_')[2]}\t"
        f"{'val' if '_g01_' in file.name else 'train'}"
        for file in sorted(data.rglob("*.avi"))
    ]
    split = tmp_path / "SPLIT.tsv"
    split.write_text("\n".join(["file\tclass\tgroup\tcluster\tsplit", *rows]) + "\n")
    assert parts(select_clips(ClipSelection((data,), (str(split),)), Recipe())) == {"train": 36, "val": 4}


def test_the_named_group_is_tested_on(data: Path) -> None:
    clips = select_clips(ClipSelection((data,), ("g03",)), Recipe())
    assert {(clip.label, clip.group) for clip in clips if clip.part == "test"} == {("Walk", "g03"), ("Jump", "g03")}
    assert parts(clips) == {"train": 28, "val": 8, "test": 4}


def test_an_official_split_decides_and_what_it_leaves_out_is_said(data: Path, tmp_path: Path) -> None:
    split = tmp_path / "trainlist01.txt"
    split.write_text(
        "".join(f"Walk/v_Walk_g{group:02}_c01.avi 1\n" for group in range(1, 6)) + "YoYo/v_YoYo_g01_c01.avi 2\n"
    )
    selection = ClipSelection((data,), (str(split),))
    assert parts(select_clips(selection, Recipe())) == {"train": 4, "val": 1}
    assert absent_clips(selection) == [
        f"1 of 2 class(es) of {split} have no folder, the first is YoYo",
        f"1 of 2 class folder(s) are not in {split} and are left out, the first is Jump",
    ]


def test_only_the_given_classes_are_used(data: Path) -> None:
    clips = select_clips(ClipSelection((data,), classes="Jump"), Recipe())
    assert {clip.label for clip in clips} == {"Jump"}
    with pytest.raises(ListingError, match="no class folder for Run in"):
        select_clips(ClipSelection((data,), classes="Jump,Run"), Recipe())


def test_background_folders_share_one_label_and_keep_their_own_as_the_learned_class(data: Path, tmp_path: Path) -> None:
    background = folder(tmp_path / "none", "Cooking")
    selection = ClipSelection((data,), background=(background,))
    for fine, expected in [(True, "Cooking"), (False, "")]:
        clips = select_clips(selection, Recipe(fine_background=fine))
        assert {clip.fine_label for clip in clips if clip.label == "background"} == {expected}


def test_a_missing_background_class_is_refused(data: Path) -> None:
    with pytest.raises(ListingError, match="--background-class noFight"):
        select_clips(ClipSelection((data,), background_class=("noFight",)), Recipe())
    assert ClipSelection((data,), background_class=("Walk",)).background_labels == {"background", "Walk"}


def test_fold_2_of_5_validates_on_the_second_fold(data: Path) -> None:
    first, second = (select_clips(ClipSelection((data,), fold=fold), Recipe()) for fold in ("1/5", "2/5"))
    of = [{clip.path for clip in clips if clip.part == "val"} for clips in (first, second)]
    assert of[0]
    assert of[1]
    assert not of[0] & of[1]


@pytest.mark.parametrize("fold", ["2", "0/5", "6/5", "1/1", "a/b"])
def test_an_invalid_fold_is_refused(fold: str, data: Path) -> None:
    with pytest.raises(ListingError, match=r"--fold must be .* such as 2/5; got"):
        select_clips(ClipSelection((data,), fold=fold), Recipe())
