"""The rows of clips are those that `run` computes, with the joints of the person behind the encoder's numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harstream.clips.listing import find_clips
from harstream.evaluation.clip_runner import predictions
from harstream.evaluation.rows.__main__ import app
from harstream.models.recorded_rows import RecordedRows
from harstream.scene.cli import app as draw
from harstream.stream.recognition.onnx_runtime import load_engine

JOINTS = 51


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of drawn clips, one of each activity, and two without one. One clip in five is of part val."""
    folder = tmp_path_factory.mktemp("drawn") / "clips"
    made = CliRunner().invoke(draw, ["--out", str(folder), "--clips", "1", "--seconds", "3", "--seed", "1000"])
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture(scope="module")
def recorded(drawn: Path) -> RecordedRows:
    """Returns the rows of all clips, those of part test left out, which are the jumping jacks here."""
    split, out = drawn / "SPLIT.tsv", drawn / "rows.npz"
    lines = split.read_text().splitlines()
    split.write_text("\n".join(line.rsplit("\t", 1)[0] + "\ttest" if "JumpingJack" in line else line for line in lines))
    command = [
        "--out",
        str(out),
        "--model",
        "flow_tcn",
        "--data",
        str(drawn),
        "--split",
        str(split),
        "--view",
        "picture",
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return RecordedRows.load(out)


def test_clips_of_test_are_left_out(recorded: RecordedRows, drawn: Path) -> None:
    seen = {clip.label for clip in find_clips(drawn)}
    assert seen - set(recorded.labels) == {"JumpingJack"}
    assert "test" not in recorded.parts


def test_a_row_has_the_encoders_numbers_and_the_joints(recorded: RecordedRows) -> None:
    (rows,) = load_engine("flow_tcn").row_shape
    assert recorded.rows.shape == (recorded.lengths.sum(), rows + JOINTS)
    confidence = recorded.rows[:, rows + 2 :: 3]
    assert confidence.shape[1] == 17
    assert confidence.min() >= 0
    assert 0.2 < confidence.mean() <= 1, "drawn people are found"


def test_joints_are_held_for_two_rows(recorded: RecordedRows) -> None:
    for rows in recorded.sequences():
        changes = (np.diff(rows[:, -JOINTS:], axis=0) != 0).any(axis=1)
        assert not (changes[1:] & changes[:-1]).any()
        assert changes.sum() >= len(changes) // 2 - 2


def test_windows_have_the_scores_that_a_stream_of_the_clip_has(recorded: RecordedRows, drawn: Path) -> None:
    engine = load_engine("flow_tcn")
    length = engine.contract.frames - engine.lookback
    assert recorded.length == length
    windows, sequence = recorded.windows()
    assert len(windows) == len(recorded.scores)
    rows = np.ascontiguousarray(windows[..., : engine.row_shape[0]])
    assert engine.score(rows) == pytest.approx(recorded.scores, abs=1e-5)
    clip = next(clip for clip in find_clips(drawn) if clip.label == "Lunges")
    found, _ = predictions([clip], engine, view="picture")
    of_clip = recorded.scores[[recorded.labels[number] == "Lunges" for number in sequence]]
    assert len(of_clip) >= 3
    assert all((np.abs(found.scores - scores).max(axis=1) < 1e-5).any() for scores in of_clip)


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "rows.npz").write_bytes(b"no rows")
    with pytest.raises(ValueError, match="wrote, got another one"):
        RecordedRows.load(tmp_path / "rows.npz")


def test_clips_without_any_window_are_refused_in_one_line(drawn: Path, tmp_path: Path) -> None:
    short = tmp_path / "clips" / "Lunges" / "v_Lunges_g01_c01.mp4"
    short.parent.mkdir(parents=True)
    short.write_bytes(b"no video")
    split = tmp_path / "split.tsv"
    split.write_text("file\tclass\tgroup\tcluster\tsplit\nLunges/v_Lunges_g01_c01.mp4\tLunges\tg01\tg01\ttrain\n")
    options = {"out": tmp_path / "rows.npz", "model": "flow_tcn", "data": tmp_path / "clips", "split": split}
    result = CliRunner().invoke(app, [f"--{name}={value}" for name, value in options.items()])
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "no clip has a window" in result.stderr
    assert not (tmp_path / "rows.npz").exists()
