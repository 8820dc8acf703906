"""What is taught equals what is streamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import harstream
from harstream.clips.video import VideoError
from harstream.stream.config.model import Config
from harstream.stream.recognition.onnx_runtime import load_engine
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
