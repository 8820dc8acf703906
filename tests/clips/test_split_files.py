"""A split file decides to which part each clip belongs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harstream.clips.listing import Clip, ListingError, as_background
from harstream.clips.split_files import split_by_file, split_by_files


def clip(label: str, group: str, number: int = 1) -> Clip:
    return Clip(Path(f"data/{label}/v_{label}_{group}_c{number:02}.avi"), label, group)


def clips_of(label: str, groups: int, each: int) -> list[Clip]:
    return [clip(label, f"g{group:02}", number) for group in range(1, groups + 1) for number in range(1, each + 1)]


@pytest.fixture
def split_file(tmp_path: Path) -> Callable[..., Path]:
    def split_file(*rows: str) -> Path:
        file = tmp_path / "split.tsv"
        file.write_text("".join(row.replace(" ", "\t") + "\n" for row in rows))
        return file

    return split_file


def test_split_file_gives_parts_and_clusters_and_excludes_unlisted_clips(
    split_file: Callable[..., Path],
) -> None:
    file = split_file(
        "file split cluster",
        "UCF/Walk/v_Walk_g01_c01.avi train k1",
        "Walk/v_Walk_g02_c01.mp4 test k2",
        "Walk/v_Walk_g03_c01.avi  k3",
        "Jump/v_Walk_g04_c01.avi train k4",
    )
    parted = split_by_file(clips_of("Walk", 5, 1), file)
    assert [(one.path.stem, one.part, one.group) for one in parted] == [
        ("v_Walk_g01_c01", "train", "k1"),
        ("v_Walk_g02_c01", "test", "k2"),
    ]


def test_split_file_without_clusters_keeps_the_groups_of_the_names(split_file: Callable[..., Path]) -> None:
    file = split_file("file split", "Walk/v_Walk_g01_c01.avi val")
    assert [one.group for one in split_by_file(clips_of("Walk", 1, 1), file)] == ["g01"]


def test_clips_without_a_cluster_in_the_split_file_are_each_their_own_group(split_file: Callable[..., Path]) -> None:
    file = split_file(
        "file group cluster split", "Walk/v_Walk_g01_c01.avi - - train", "Walk/v_Walk_g02_c01.avi - - test"
    )  # fmt: skip
    assert [one.group for one in split_by_file(clips_of("Walk", 2, 1), file)] == ["g01", "g02"]


def test_cluster_in_two_parts_is_refused(split_file: Callable[..., Path]) -> None:
    file = split_file(
        "file split cluster", "Walk/v_Walk_g01_c01.avi train k1", "Walk/v_Walk_g02_c01.avi test k1"
    )  # fmt: skip
    with pytest.raises(ListingError, match=r"1 cluster.*Walk k1"):
        split_by_file(clips_of("Walk", 2, 1), file)


def test_clip_that_two_split_files_name_is_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.tsv", tmp_path / "two.tsv"
    one.write_text("file\tsplit\nWalk/v_Walk_g01_c01.avi\ttrain\nWalk/v_Walk_g02_c01.avi\ttrain\n")
    two.write_text("file\tsplit\nWalk/v_Walk_g02_c01.avi\tval\nWalk/v_Walk_g03_c01.avi\tval\n")
    with pytest.raises(ListingError, match=r"one\.tsv and .*two\.tsv both name 1 clip.*v_Walk_g02_c01\.avi"):
        split_by_files(clips_of("Walk", 3, 1), [one, two], seed=1)


def test_background_classes_may_have_clusters_of_the_same_name_in_two_parts(split_file: Callable[..., Path]) -> None:
    file = split_file(
        "file split cluster", "Walk/v_Walk_g01_c01.avi train k1", "Swim/v_Swim_g01_c01.avi test k1"
    )  # fmt: skip
    background = as_background([clip("Walk", "g01"), clip("Swim", "g01")], "background")
    assert [one.group for one in split_by_file(background, file)] == ["Walk:k1", "Swim:k1"]


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("file split",),
        ("name part", "Walk/v_Walk_g01_c01.avi train"),
        ("name part", "Walk/v_Walk_g01_c01.avi train and more"),
        ("file split", "Swim/v_Walk_g01_c01.avi train"),
        ("split file", "train"),
        ("file split", "Walk/v_Walk_g01_c01.avi"),
    ],
)
def test_invalid_split_file_is_refused(split_file: Callable[..., Path], rows: tuple[str, ...]) -> None:
    with pytest.raises(ListingError):
        split_by_file(clips_of("Walk", 1, 1), split_file(*rows))


def test_missing_split_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ListingError, match="cannot read the split file"):
        split_by_file(clips_of("Walk", 1, 1), tmp_path / "none.tsv")


def test_a_misspelt_part_is_refused_and_named(tmp_path: Path) -> None:
    split = tmp_path / "split.tsv"
    split.write_text("file\tsplit\nRun/v_Run_g01_c01.mp4\tvalidation\n")
    with pytest.raises(ListingError, match="the parts are train, val, test, or empty; got validation"):
        split_by_file([], split)
