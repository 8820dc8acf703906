"""Training, evaluation and the stream take the same frames of a clip."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow")

from harstream.clips.listing import Clip
from harstream.evaluation.clip_runner import predictions
from harstream.models.contract import ModelContract
from harstream.models.sampling import stretches, window_from
from harstream.models.transform import BgrPicture
from harstream.stream.app.pipeline_from_config import new_pipeline
from harstream.stream.config.model import Config
from harstream.stream.sources.file import FileSource
from harstream.stream.sources.playback_clock import PlaybackClock
from harstream.training.cache import DecodedClip, decode_all
from harstream.training.windows import fixed_windows, random_window
from harstream.wire.values import Frame

pytestmark = pytest.mark.training

CONTRACT = ModelContract("m", "1", ("Jump", "Walk"), frames=6, height=16, width=16, rate=8.0)
TICKS = 90_000
"""The films' times are written in this fraction of a second."""


class FrameReader:
    """A Recognizer that records the frame numbers of each window."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (16, 16, 3)
    row_dtype: np.dtype[np.generic] = np.dtype(np.uint8)
    parts = ()

    def __init__(self) -> None:
        self.windows: list[list[int]] = []

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        self.windows += [numbers(window) for window in windows]
        return np.full((len(windows), 2), 0.5, np.float32)


def numbers(window: NDArray[np.generic]) -> list[int]:
    """Returns the frame numbers of a window: frame n of a film has the grey level 2 n."""
    return [round(float(frame.mean()) / 2) for frame in window]


def film(file: Path, times: Sequence[float]) -> Path:
    """Writes a lossless film with each frame at its own time."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264rgb", rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 32, 32, "rgb24", Fraction(1, TICKS)
        stream.options = {"qp": "0", "bf": "0"}
        stream.codec_context.time_base = Fraction(1, TICKS)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 2 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def steady(fps: float, seconds: float = 4.0) -> list[float]:
    return [number / fps for number in range(int(seconds * fps))]


def variable() -> list[float]:
    """Returns times that are 10 to 90 ms apart."""
    chance, times = random.Random(1), [0.0]
    while len(times) < 100:
        times.append(times[-1] + chance.uniform(0.01, 0.09))
    return times


def with_gaps(times: Sequence[float]) -> list[float]:
    """Adds a gap of a second after 0.3 s, before which no window fits, and another gap after 2 s."""
    return [time + (time > 0.3) + (time > 2.0) for time in times]


TIMES = {
    "25": steady(25),
    "29.97": steady(29.97),
    "30": steady(30),
    "12.5": steady(12.5),
    "variable": variable(),
    "25 with holes": with_gaps(steady(25)),
    "29.97 with holes": with_gaps(steady(29.97)),
}


@pytest.fixture(params=TIMES)
def clip(request: pytest.FixtureRequest, tmp_path: Path) -> DecodedClip:
    """Returns the clip as training decodes it."""
    found = Clip(film(tmp_path / "film.mp4", TIMES[request.param]), "Walk", "g01", "train")
    (decoded,), _ = decode_all([found], CONTRACT, tmp_path / "cache")
    assert numbers(decoded.frames) == list(range(len(TIMES[request.param])))
    assert decoded.times == pytest.approx(TIMES[request.param], abs=1e-4)
    return decoded


def streamed(frames: Sequence[Frame]) -> list[list[int]]:
    """Returns the windows that `harstream run` scores."""
    recognizer = FrameReader()
    list(new_pipeline(Config(), recognizer).steps([frame] for frame in frames))
    return recognizer.windows


def frames_of(clip: DecodedClip) -> list[Frame]:
    source = FileSource("film", clip.clip.path, PlaybackClock(), threading.Event())
    return [item for item in source.frames() if isinstance(item, Frame)]


def test_evaluation_scores_the_windows_of_the_stream(clip: DecodedClip) -> None:
    recognizer = FrameReader()
    predictions([clip.clip], recognizer)
    assert recognizer.windows == streamed(frames_of(clip))
    assert len(recognizer.windows) > 5


def test_training_cuts_the_windows_of_a_stream_that_connects_at_any_frame(clip: DecodedClip) -> None:
    frames = frames_of(clip)
    for start in range(0, len(frames), 3):
        window = window_from(clip.times, start, CONTRACT.live_rate, CONTRACT.frames)
        first = next(iter(streamed(frames[start:])), None)
        assert window is None or window.tolist() == first


def test_training_draws_nothing_but_windows_of_a_stream(clip: DecodedClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harstream.training.windows.PERIOD_FACTORS", (1.0, 1.0))
    frames, chance = frames_of(clip), np.random.default_rng(1)
    cut = [random_window(clip, CONTRACT, chance) for _ in range(20)] + fixed_windows(clip, CONTRACT, 5)
    for window in map(numbers, cut):
        assert streamed(frames[window[0] :])[0] == window


def test_training_can_begin_on_both_sides_of_a_gap(tmp_path: Path) -> None:
    times = np.array(with_gaps(steady(25)))
    found = {start for start in range(len(times)) if window_from(times, start, 8.0, 6) is not None}
    assert {start for start in found if times[start] > 3.0}
    assert {start for start in found if times[start] < 3.0}


def test_a_stream_with_two_equal_times_takes_the_first_of_them() -> None:
    times = [0.0, 0.0, 0.04, 0.125, 0.125, 0.25, 0.375, 0.5, 0.5, 0.625]
    frames = [Frame("hall", time, BgrPicture(np.full((32, 32, 3), 2 * n, np.uint8))) for n, time in enumerate(times)]
    expected = [0, 3, 5, 6, 7, 9]
    assert streamed(frames) == [expected]
    assert stretches(times, 8.0) == [expected]
    window = window_from(np.array(times), 0, 8.0, 6)
    assert window is not None
    assert window.tolist() == expected
