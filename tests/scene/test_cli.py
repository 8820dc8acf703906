from __future__ import annotations

import csv
from pathlib import Path

import cv2
from typer.testing import CliRunner, Result

from harstream.scene.cli import app


def draw(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_draw_writes_clips_in_class_folders(tmp_path: Path) -> None:
    result = draw("--out", tmp_path / "drawn", "--clips", 1, "--seconds", 0.4, "--seed", 7)
    assert result.exit_code == 0
    written = sorted(str(path.relative_to(tmp_path / "drawn")) for path in tmp_path.rglob("*.mp4"))
    assert written == [
        "JumpRope/v_JumpRope_g07_c01.mp4",
        "JumpingJack/v_JumpingJack_g07_c01.mp4",
        "Lunges/v_Lunges_g07_c01.mp4",
        "PullUps/v_PullUps_g07_c01.mp4",
        "Punch/v_Punch_g07_c01.mp4",
        "PushUps/v_PushUps_g07_c01.mp4",
        "background/v_background_g07_c01.mp4",
        "background/v_background_g07_c02.mp4",
    ]
    video = cv2.VideoCapture(str(tmp_path / "drawn" / written[0]))
    assert video.get(cv2.CAP_PROP_FPS) == 25.0
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 10
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (160, 120)


def test_draw_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    result = draw("--out", tmp_path, "--clips", 1)
    assert result.exit_code == 2
    assert f"--out must be a new or empty folder, but {tmp_path} is not" in result.output
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.txt"]


def test_draw_assigns_each_clip_a_part_so_that_a_look_is_in_one_part(tmp_path: Path) -> None:
    draw("--out", tmp_path / "drawn", "--clips", 3, "--seconds", 0.2, "--seed", 9)
    with (tmp_path / "drawn" / "SPLIT.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    parts: dict[str, set[str]] = {row["group"]: set() for row in rows}
    for row in rows:
        parts[row["group"]].add(row["split"])
    assert parts == {"g09": {"train"}, "g10": {"val"}, "g11": {"train"}}
    assert {row["file"] for row in rows} == {
        str(path.relative_to(tmp_path / "drawn")) for path in tmp_path.rglob("*.mp4")
    }
