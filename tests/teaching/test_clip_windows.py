"""What is taught equals what is streamed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import harstream
from harstream.clips.video import VideoError
from harstream.models.box import Box
from harstream.models.picture import Picture
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
from harstream.stream.recognition.protocols import DetectedPerson
from harstream.teaching import clip_windows
from harstream.teaching.clip_windows import WindowReader
from harstream.teaching.lesson import new_reader
from tests.support.films import WriteFilm


@pytest.fixture
def reader(row_model: Path) -> WindowReader:
    return new_reader(load_engine(str(row_model), "cpu"), Config())


def test_the_windows_are_those_of_a_stream(reader: WindowReader, row_model: Path, film: WriteFilm) -> None:
    path = film("film.mp4", (1, 30), (1, 250))
    windows = reader.read(path)
    streamed = [*harstream.recognize(path, model=row_model, scores=True)]
    assert [(scores.time, scores.span) for scores in windows.scores] == [(each.time, each.span) for each in streamed]
    assert np.array_equal([each.values for each in windows.scores], [each.values for each in streamed])
    assert len(streamed) == 16  # 20 frames at 10 Hz, the first four without a window
    assert windows.moves.all()


def test_features_are_of_the_window_that_was_scored(reader: WindowReader, film: WriteFilm) -> None:
    first, *_, last = reader.read(film("film.mp4", (1, 30), (2, 250))).features
    assert first[0] == pytest.approx(33 / 255, abs=0.02)
    assert last[0] == pytest.approx(252 / 255, abs=0.02)


def test_a_picture_that_nothing_moves_in_has_no_moving_window(film: WriteFilm) -> None:
    still = new_reader(load_engine("flow_tcn", "cpu"), Config(view="motion"))
    windows = still.read(film("still.mp4", (5, 90)))
    assert len(windows.scores)
    assert not windows.moves[-1]
    assert np.array_equal(windows.features[-1], still.still())


def test_a_file_that_is_no_video_raises(reader: WindowReader, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_text("text")
    with pytest.raises(VideoError):
        reader.read(tmp_path / "x.mp4")


class TwoPeople:
    """A Detector that finds somebody in the left and in the right half of each picture."""

    def detect(self, picture: Picture, region: Box) -> list[DetectedPerson]:
        points = np.zeros((17, 3), np.float32)
        return [
            DetectedPerson(Box(0.1, 0.15, 0.25, 0.85), 0.9, points),
            DetectedPerson(Box(0.75, 0.1, 0.9, 0.9), 0.9, points),
        ]


def test_of_two_people_the_one_is_taken_whose_activity_the_camera_shows(
    row_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the left it is light, on the right it is dark, and Light is an activity."""
    monkeypatch.setattr(clip_windows, "new_detector", lambda _: TwoPeople)
    path = tmp_path / "two.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (640, 120))
    generator = np.random.default_rng(1)
    for number in range(125):
        picture = np.full((120, 640, 3), 30, np.uint8)
        picture[:, :320] = 235
        picture[number % 100 : number % 100 + 20, ::8] = 120  # a bar that moves: detection rests while nothing moves
        writer.write(picture + generator.integers(0, 16, picture.shape, np.uint8))
    writer.release()
    recognizer = load_engine(str(row_model), "cpu")
    windows = new_reader(recognizer, Config(view="person")).read(path)
    assert windows.scores[-1].by_label()["Light"] > 0.9
    assert windows.features[-1][0] == pytest.approx(240 / 255, abs=0.05)
    assert windows.rows is not None
    assert np.array_equal(recognizer.score(windows.rows[np.newaxis])[0], windows.scores[-1].values)
