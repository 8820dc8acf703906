"""The official split files of UCF50, UCF101, HMDB51 and Kinetics decide, on names that these data sets really have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from harstream.clips.listing import Clip, ListingError, find_clips, split_off_group
from harstream.clips.split_files import absences, split_by_file, split_by_files

Write = Callable[..., Path]

HMDB_TRAIN = (
    "April_09_brush_hair_u_nm_np1_ba_goo_0.avi",
    "April_09_brush_hair_u_nm_np1_ba_goo_1.avi",
    "Brushing_Hair_with_Beth_brush_hair_h_nm_np1_le_goo_0.avi",
)
HMDB_TEST = "Brushing_Her_Hair__[_NEW_AUDIO_]_UPDATED!!!!_brush_hair_h_cm_np1_fr_goo_0.avi"
HMDB_UNUSED = "#437_How_To_Ride_A_Bike_ride_bike_f_cm_np1_ba_med_1.avi"


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """Writes empty files."""

    def write(name: str, *files: str) -> Path:
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / name

    return write


@pytest.fixture
def lists(tmp_path: Path) -> Write:
    """Writes a file of a split, with the line ends of the originals, and returns it."""

    def write(name: str, *lines: str, end: str = "\r\n") -> Path:
        path = tmp_path / "lists" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(line + end for line in lines), newline="")
        return path

    return write


@pytest.fixture
def ucf(folder: Write) -> Path:
    files = [f"v_ApplyEyeMakeup_g{group:02}_c{take:02}.avi" for group in (1, 8, 9, 10) for take in (1, 2)]
    return folder(
        "UCF-101", *(f"ApplyEyeMakeup/{file}" for file in files), "HandstandPushups/v_HandStandPushups_g08_c01.avi"
    )


@pytest.fixture
def ucf_list(lists: Write) -> Path:
    lists(
        "testlist01.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c02.avi"
    )
    lists("classInd.txt", "1 ApplyEyeMakeup", "37 HandstandPushups")
    train = [f"ApplyEyeMakeup/v_ApplyEyeMakeup_g{group:02}_c0{take}.avi 1" for group in (8, 9, 10) for take in (1, 2)]
    return lists("trainlist01.txt", *train)


def parts(clips: list[Clip]) -> dict[str, str]:
    return {clip.path.stem: clip.part for clip in clips}


def test_a_list_of_ucf101_stands_for_train_and_test(ucf: Path, ucf_list: Path) -> None:
    found = split_by_file(find_clips(ucf), ucf_list)
    assert Counter((clip.group, clip.part) for clip in found) == {
        ("g01", "test"): 2, ("g08", "train"): 2, ("g09", "train"): 2, ("g10", "train"): 2
    }  # fmt: skip


@pytest.mark.parametrize("given", [("trainlist01.txt",), ("trainlist01.txt", "testlist01.txt"), ("",)])
def test_validation_takes_a_whole_group_of_train_and_nothing_of_test(
    given: tuple[str, ...], ucf: Path, ucf_list: Path
) -> None:
    found = split_by_files(find_clips(ucf), [ucf_list.parent / name for name in given], seed=27)
    groups = {(clip.group, clip.part) for clip in found}
    assert len(groups) == 4
    assert Counter(part for _, part in groups) == {"train": 2, "val": 1, "test": 1}
    assert ("g01", "test") in groups


@pytest.mark.parametrize("name", ["HandstandPushups/v_HandStandPushups", "HandStandPushups/v_HandstandPushups"])
def test_the_class_that_ucf101_writes_in_two_ways_is_found(name: str, ucf: Path, lists: Write) -> None:
    found = split_by_file(find_clips(ucf), lists("trainlist01.txt", f"{name}_g08_c01.avi 37"))
    assert parts(found) == {"v_HandStandPushups_g08_c01": "train"}


def test_a_folder_of_several_splits_asks_for_one(ucf: Path, ucf_list: Path, lists: Write) -> None:
    lists("trainlist02.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi 1")
    with pytest.raises(ListingError, match=r"lists holds 2 splits: name a file of one of them, such as .*testlist01"):
        split_by_file(find_clips(ucf), ucf_list.parent)


def test_ucf50_is_tested_on_the_group_that_is_left_out(folder: Write) -> None:
    files = [f"{name}/v_{name}_g{group:02}_c01.avi" for name in ("Biking", "TaiChi") for group in range(1, 26)]
    clips = find_clips(folder("UCF50", *files))
    found = split_off_group(clips, "g08", seed=27)
    assert {clip.group for clip in found if clip.part == "test"} == {"g08"}
    assert Counter(clip.part for clip in found) == {"train": 38, "val": 10, "test": 2}
    with pytest.raises(ListingError, match="no clip is of the group g26"):
        split_off_group(clips, "g26", seed=27)


@pytest.fixture
def hmdb(folder: Write) -> Path:
    brush_hair = [f"brush_hair/{file}" for file in (*HMDB_TRAIN, HMDB_TEST)]
    return folder("hmdb51_org", *brush_hair, f"ride_bike/{HMDB_UNUSED}")


@pytest.fixture
def hmdb_list(lists: Write) -> Path:
    lists("ride_bike_test_split1.txt", f"{HMDB_UNUSED} 0 ", end="\n")
    lines = [f"{file} 1 " for file in HMDB_TRAIN]
    return lists("brush_hair_test_split1.txt", *lines, f"{HMDB_TEST} 2 ", end="\n")


def test_a_file_of_hmdb51_stands_for_the_split_of_all_classes(hmdb: Path, hmdb_list: Path) -> None:
    found = split_by_file(find_clips(hmdb), hmdb_list.with_name("ride_bike_test_split1.txt"))
    assert parts(found) == {Path(file).stem: "train" for file in HMDB_TRAIN} | {Path(HMDB_TEST).stem: "test"}


def test_clips_of_one_film_of_hmdb51_stay_together(hmdb: Path, hmdb_list: Path) -> None:
    found = split_by_files(find_clips(hmdb), [hmdb_list], seed=27)
    film = {clip.part for clip in found if clip.path.name.startswith("April_09_")}
    other = {clip.part for clip in found if clip.path.name.startswith("Brushing_Hair_with_Beth_")}
    assert film | other == {"train", "val"}
    assert len(film) == len(other) == 1


KINETICS = "label,youtube_id,time_start,time_end,split,is_cc"


@pytest.fixture
def kinetics(folder: Write) -> Path:
    return folder(
        "kinetics400",
        "abseiling/-3B32lodo2M_000059_000069.mp4",
        "air drumming/_dbcJuKJQNs_000040_000050.mp4",
        "testifying/---QUuC4vJs_000084_000094.mp4",
    )


def test_kinetics_names_clips_by_video_and_seconds(kinetics: Path, lists: Write) -> None:
    train = lists(
        "train.csv", KINETICS, "abseiling,-3B32lodo2M,59,69,train,0", '"air drumming",_dbcJuKJQNs,40,50,train,0'
    )
    val = lists("val.csv", KINETICS, "testifying,---QUuC4vJs,84,94,validate,0")
    found = split_by_files(find_clips(kinetics), [train, val], seed=27)
    assert {(clip.label, clip.group, clip.part) for clip in found} == {
        ("abseiling", "-3B32lodo2M", "train"),
        ("air drumming", "_dbcJuKJQNs", "train"),
        ("testifying", "---QUuC4vJs", "val"),
    }
    of_folder = split_by_files(find_clips(kinetics), [train.parent], seed=27)
    assert parts(of_folder) == parts(found)


def test_classes_of_kinetics_may_have_underscores(folder: Write, lists: Write) -> None:
    clips = find_clips(folder("k400", "air_drumming/_dbcJuKJQNs_000040_000050.mp4"))
    table = lists("val.csv", KINETICS, "air drumming,_dbcJuKJQNs,40,50,val,0")
    assert parts(split_by_file(clips, table)) == {"_dbcJuKJQNs_000040_000050": "val"}


def test_what_is_absent_is_one_sentence_each(kinetics: Path, lists: Write) -> None:
    table = lists(
        "train.csv", KINETICS, "air drumming,_dbcJuKJQNs,40,50,train,0", "air drumming,--nQbRBEz2s,104,114,train,0",
        "washing feet,--GkrdYZ9Tc,0,10,train,0",
    )  # fmt: skip
    strange, missing, left_out = absences(find_clips(kinetics), [table])
    assert strange == f"1 of 2 class(es) of {table} have no folder, the first is washing feet"
    assert missing == f"1 of 2 clips of {table} are not there, the first is air drumming/--nQbRBEz2s_000104_000114.mp4"
    assert left_out == f"2 of 3 class folder(s) are not in {table} and are left out, the first is abseiling"


def test_nothing_is_absent_where_folders_and_split_agree(hmdb: Path, hmdb_list: Path) -> None:
    assert absences(find_clips(hmdb), [hmdb_list]) == []


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("trainlist01.txt", ["v_ApplyEyeMakeup_g08_c01.avi 1"], "line 1: expected <class>/<video>, got 'v_Apply"),
        ("run_test_split1.txt", [f"{HMDB_TEST} 1", f"{HMDB_TEST} 3"], "line 2: expected <video> and 0, 1 or 2, got"),
        (
            "run_test_split1.txt",
            [f"{HMDB_TEST} 1", f"{HMDB_TEST} 2"],
            r"1 clip\(s\) in two parts, the first is run/Brush",
        ),
        (
            "test.csv",
            ["youtube_id,time_start,time_end,split", "a,1,2,test"],
            "has no column label: expected label,youtube",
        ),
        (
            "val.csv",
            [KINETICS, "washing feet,--GkrdYZ9Tc,zero,10,val,0"],
            "line 2: expected times in seconds and a part",
        ),
        (
            "val.csv",
            [KINETICS, "washing feet,--GkrdYZ9Tc,0,10,holdout,0"],
            "one of train, val, validate, test, got .*holdout",
        ),
        ("val.csv", [KINETICS, "washing feet"], "line 2: expected times in seconds and a part"),
        (
            "trainlist02.txt",
            ["YoYo/v_YoYo_g25_c05.avi 101"],
            r"names none of the clips: .* such as YoYo/v_YoYo_g25_c05",
        ),
        ("trainlist03.txt", [], "names none of the clips"),
    ],
)
def test_a_wrong_line_is_named(name: str, lines: list[str], expected: str, ucf: Path, lists: Write) -> None:
    with pytest.raises(ListingError, match=expected):
        split_by_file(find_clips(ucf), lists(name, *lines))


def test_a_group_in_two_parts_is_refused(ucf: Path, lists: Write) -> None:
    lists("testlist01.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c02.avi")
    train = lists("trainlist01.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1")
    with pytest.raises(ListingError, match=r"1 cluster\(s\) in several parts: ApplyEyeMakeup g08"):
        split_by_file(find_clips(ucf), train)


def test_a_single_group_in_train_leaves_nothing_for_validation(ucf: Path, lists: Write) -> None:
    train = lists("trainlist01.txt", "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1")
    with pytest.raises(ListingError, match=r"class ApplyEyeMakeup has 1 group\(s\) of clips in `train`"):
        split_by_files(find_clips(ucf), [train], seed=27)


@pytest.mark.parametrize("name", ["trainlist01.txt", "brush_hair_test_split1.txt", "train.csv"])
def test_a_file_that_is_not_there_is_refused(name: str, ucf: Path, tmp_path: Path) -> None:
    with pytest.raises(ListingError, match=f"cannot read the split file .*{name}"):
        split_by_file(find_clips(ucf), tmp_path / name)


def test_a_folder_without_a_split_says_what_was_expected(ucf: Path) -> None:
    with pytest.raises(ListingError, match=r"expected trainlist01\.txt and .* found none of them"):
        split_by_file(find_clips(ucf), ucf)
