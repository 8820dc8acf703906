"""Clips are listed and split into parts. One scene never belongs to two parts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harstream.clips.listing import (
    PARTS,
    Clip,
    ListingError,
    as_background,
    find_clips,
    overlooked,
    split_at_random,
    split_by_group,
    split_in_folds,
)


def clip(label: str, group: str, number: int = 1) -> Clip:
    return Clip(Path(f"data/{label}/v_{label}_{group}_c{number:02}.avi"), label, group)


def clips_of(label: str, groups: int, each: int) -> list[Clip]:
    return [clip(label, f"g{group:02}", number) for group in range(1, groups + 1) for number in range(1, each + 1)]


def parts_of_groups(clips: Sequence[Clip]) -> dict[tuple[str, str], set[str]]:
    parts = defaultdict(set)
    for one in clips:
        parts[one.label, one.group].add(one.part)
    return parts


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def folder(*names: str) -> Path:
        for name in names:
            file = tmp_path / "data" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / "data"

    return folder


def test_clips_are_the_videos_of_the_class_folders_in_order(folder: Callable[..., Path]) -> None:
    data = folder("Walk/b.mp4", "Walk/a.AVI", "Jump/c.mkv", "Jump/notes.txt", "top.avi", "Jump/deep/er.avi")
    found = [(one.label, one.path.name, one.part) for one in find_clips(data)]
    assert found == [("Jump", "c.mkv", ""), ("Walk", "a.AVI", ""), ("Walk", "b.mp4", "")]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("v_JumpingJack_g07_c03.avi", "g07"),
        ("v_Tai_Chi_g25_c01.avi", "g25"),
        ("v_JumpingJack_g07.avi", "v_JumpingJack_g07"),
        ("kitchen.mp4", "kitchen"),
    ],
)
def test_group_is_read_from_a_ucf_name_and_every_other_clip_is_its_own_group(
    folder: Callable[..., Path], name: str, group: str
) -> None:
    assert [one.group for one in find_clips(folder(f"JumpingJack/{name}"))] == [group]


@pytest.mark.parametrize("names", [(), ("Walk/notes.txt",)])
def test_folder_without_clips_is_refused(folder: Callable[..., Path], names: tuple[str, ...]) -> None:
    with pytest.raises(ListingError, match="expected"):
        find_clips(folder(*names))


def test_background_keeps_the_groups_of_its_classes_apart() -> None:
    found = as_background([clip("Walk", "g01"), clip("Swim", "g01")], "background")
    assert [(one.label, one.group) for one in found] == [("background", "Walk:g01"), ("background", "Swim:g01")]
    assert [(one.fine_label, one.class_name) for one in found] == [("Walk", "Walk"), ("Swim", "Swim")]


def test_every_class_of_the_background_is_in_every_fold() -> None:
    clips = as_background([*clips_of("Walk", groups=3, each=1), *clips_of("Swim", groups=3, each=1)], "background")
    folds = [split_in_folds([replace(one, part="train") for one in clips], held, 3, seed=1) for held in (1, 2, 3)]
    assert all({one.fine_label for one in fold if one.part == "val"} == {"Walk", "Swim"} for fold in folds)


@given(st.lists(st.integers(1, 9), min_size=3, max_size=30), st.integers(0, 100))
def test_split_by_group_never_cuts_a_group_and_leaves_no_part_empty(sizes: list[int], seed: int) -> None:
    clips = [clip("Walk", f"g{group}", number) for group, size in enumerate(sizes) for number in range(size)]
    parted = split_by_group(clips, seed)
    assert sorted(one.path for one in parted) == sorted(one.path for one in clips)
    assert all(len(parts) == 1 for parts in parts_of_groups(parted).values())
    assert {one.part for one in parted} == set(PARTS)


def test_split_by_group_gives_each_part_its_share() -> None:
    counts = Counter(one.part for one in split_by_group(clips_of("Walk", groups=25, each=4), seed=1))
    assert counts == {"train": 64, "val": 16, "test": 20}


def test_split_by_group_splits_every_class_separately() -> None:
    parted = split_by_group([*clips_of("Walk", 5, 1), *clips_of("Jump", 5, 1)], seed=1)
    assert {(one.label, one.part) for one in parted} == {(label, part) for label in ("Walk", "Jump") for part in PARTS}


def test_split_follows_from_the_seed() -> None:
    clips = clips_of("Walk", 25, 4)
    for split in (split_by_group, split_at_random):
        assert split(clips, 1) == split(clips, 1)
        assert split(clips, 1) != split(clips, 2)


def test_class_with_fewer_groups_than_parts_is_refused() -> None:
    with pytest.raises(ListingError, match=r"class Walk has 2 group\(s\)"):
        split_by_group([*clips_of("Jump", 3, 1), *clips_of("Walk", 2, 9)], seed=1)


def test_folds_hold_each_group_once_and_exclude_test() -> None:
    clips = split_by_group(clips_of("Walk", 15, 2) + clips_of("Jump", 12, 3), seed=1)
    tested = {one.path for one in clips if one.part == "test"}
    validated: list[Path] = []
    for held in range(1, 6):
        parted = split_in_folds(clips, held, 5, seed=1)
        assert {one.path for one in parted} == {one.path for one in clips}
        assert {one.path for one in parted if one.part == "test"} == tested
        assert all(len(parts) == 1 for parts in parts_of_groups(parted).values())
        validated += [one.path for one in parted if one.part == "val"]
    assert sorted(validated) == sorted({one.path for one in clips} - tested)


def test_class_with_fewer_groups_than_folds_is_named() -> None:
    clips = split_by_group(clips_of("Walk", 9, 1) + clips_of("Jump", 4, 1), seed=1)
    with pytest.raises(
        ListingError, match=r"class Jump has \d group\(s\) of clips outside `test`; .* fewer folds than 5"
    ):
        split_in_folds(clips, 1, 5, seed=1)


@pytest.mark.parametrize("split", [split_by_group, split_at_random])
def test_all_classes_that_are_too_small_to_split_are_named_at_once(split: Callable[..., list[Clip]]) -> None:
    clips = [*clips_of("Jump", 3, 1), *clips_of("Run", 1, 1), *clips_of("Walk", 2, 1)]
    with pytest.raises(ListingError, match=r"^class Run has 1 .*, class Walk has 2 .* needs at least 3"):
        split(clips, seed=1)


def test_random_split_assigns_single_clips_in_the_same_shares() -> None:
    parted = split_at_random(clips_of("Walk", 25, 4), seed=1)
    assert Counter(one.part for one in parted) == {"train": 64, "val": 16, "test": 20}
    assert any(len(parts) > 1 for parts in parts_of_groups(parted).values())


def test_folders_without_clips_and_endings_that_are_not_read_are_named(tmp_path: Path) -> None:
    for name in ("Jump/a.mp4", "Jump/b.gif", "Walk/a.gif", "Walk/b.rar", "Jump/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "Idle").mkdir()
    sentences = overlooked(tmp_path)
    assert [sum(part in one for one in sentences) for part in ("Idle has no clip", "Walk has no clip", "Jump")] == [
        1,
        1,
        0,
    ]
    assert sum("2 file(s)" in one and ".gif" in one for one in sentences) == 1
    assert sum("1 file(s)" in one and ".rar" in one for one in sentences) == 1
    assert not any(".txt" in one for one in sentences)
