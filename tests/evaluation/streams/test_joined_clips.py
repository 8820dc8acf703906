"""Clips are joined to streams. The recognizer derives its scores from the grey level of the pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from harstream.clips.listing import Clip
from harstream.evaluation.streams.joined_clips import ClipStream, in_turns, join
from harstream.evaluation.streams.stream_metrics import StreamMetrics, measure_streams
from harstream.evaluation.streams.stream_runner import Watched, outcome, rerun, watch
from harstream.models.contract import ModelContract
from harstream.stream.config.activities import ActivitiesConfig
from harstream.stream.config.effective_tracker_settings import effective_tracker_settings
from harstream.stream.config.model import Config

LEVELS = {"Jump": 200, "Walk": 100, "nobody": 0}
"""Grey levels that mean these activities."""
CONTRACT = ModelContract("grey", "1", tuple(LEVELS), ("nobody",), frames=3, height=4, width=4, rate=10.0)
BACKGROUND = CONTRACT.background
ACTIVITIES = ActivitiesConfig.model_validate(
    {"start_above": 0.8, "end_below": 0.5, "smoothing": 0.0, "hold": 0.25, "gone": 0.2, "merge": 0.3}
)
CONFIG = Config(activities=ACTIVITIES)
Film = Callable[..., Clip]


class GreyRecognizer:
    """A Recognizer whose scores follow from the grey level of the newest row. A blind one always scores background."""

    contract = CONTRACT
    lookback = 0
    row_shape: tuple[int, ...] = (1,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()

    def __init__(self, *, is_blind: bool = False) -> None:
        self._is_blind = is_blind

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        return frames[:, 0, 0, :1].astype(np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        levels = np.zeros(len(windows)) if self._is_blind else windows[:, -1, 0].astype(float)
        nearest = np.abs(levels[:, np.newaxis] - list(LEVELS.values())).argmin(axis=1)
        return np.eye(3, dtype=np.float32)[nearest]


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """`film("Jump", 2.0)` writes a clip of 2 s of Jump at 20 pictures a second."""
    count = 0

    def write(label: str, seconds: float, rate: float = 20.0) -> Clip:
        nonlocal count
        count += 1
        path = tmp_path / f"{count:02}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (64, 48))
        assert writer.isOpened()
        for _ in range(round(seconds * rate)):
            writer.write(np.full((48, 64, 3), LEVELS[label], np.uint8))
        writer.release()
        return Clip(path, label, group=path.stem)

    return write


def named(*labels: str) -> list[Clip]:
    """Returns clips that no test opens."""
    return [Clip(Path(f"{label}/{number:03}.avi"), label, "") for number, label in enumerate(labels)]


def quiet() -> Console:
    return Console(file=io.StringIO())


def watched(streams: list[ClipStream], *, is_blind: bool = False) -> list[Watched]:
    return watch(streams, GreyRecognizer(is_blind=is_blind), CONFIG, quiet())


def measured(streams: list[Watched]) -> StreamMetrics:
    return measure_streams([outcome(each.truth, each.events) for each in streams])


def test_clips_follow_each_other_without_a_gap(film: Film) -> None:
    clips = [film("Jump", 0.25, rate=8), film("Walk", 0.25, rate=12), film("nobody", 0.25, rate=8)]
    stream = ClipStream("stream1", clips, BACKGROUND)
    times = [frame.time for frame in stream.frames()]
    assert times == pytest.approx([0, 0.125, 0.25, 0.333, 0.417, 0.5, 0.625], abs=0.001)
    assert [segment.activity for segment in stream.truth] == ["Jump", "Walk", None]
    assert [(each.start, each.end) for each in stream.truth] == [
        (0, pytest.approx(0.25)), (pytest.approx(0.25), pytest.approx(0.5)), (pytest.approx(0.5), pytest.approx(0.75)),
    ]  # fmt: skip


def test_clips_of_one_activity_in_a_row_are_one_segment(film: Film) -> None:
    stream = ClipStream("stream1", [film("Jump", 0.5), film("Jump", 0.5), film("nobody", 0.5)], BACKGROUND)
    assert [frame.camera for frame in stream.frames()] == ["stream1"] * 30
    jump, nobody = stream.truth
    assert (jump.activity, jump.start, jump.end) == ("Jump", 0, pytest.approx(1))
    assert (nobody.activity, nobody.start, nobody.end) == (None, pytest.approx(1), pytest.approx(1.5))


def test_a_single_picture_may_be_a_clip(film: Film) -> None:
    stream = ClipStream("stream1", [film("Jump", 0.05), film("Walk", 0.1)], BACKGROUND)
    assert [frame.time for frame in stream.frames()] == pytest.approx([0, 0.04, 0.09])


def test_file_that_is_no_video_is_skipped_with_its_reason(film: Film, tmp_path: Path) -> None:
    (tmp_path / "broken.avi").write_text("no video")
    broken = Clip(tmp_path / "broken.avi", "Walk", "")
    stream = ClipStream("stream1", [film("Jump", 0.5), broken, film("nobody", 0.5)], BACKGROUND)
    assert len(list(stream.frames())) == 20
    assert [each.clip for each in stream.skipped] == [broken]
    assert "broken.avi" in stream.skipped[0].reason
    assert [segment.activity for segment in stream.truth] == ["Jump", None]
    assert stream.done == 3


def test_background_clips_are_spread_over_the_activities() -> None:
    turns = in_turns(named(*["Jump"] * 2, *["Walk"] * 2, *["nobody"] * 10), BACKGROUND, seed=1)
    assert [len(turn) for turn in turns] == [2 + 1, 3 + 1, 2 + 1, 3 + 1]
    assert all(clip.label == "nobody" for turn in turns for clip in turn[:-1])


def test_few_background_clips_are_spread_evenly() -> None:
    turns = in_turns(named("Jump", "Walk", "Jump", "nobody", "nobody"), BACKGROUND, seed=1)
    assert [len(turn) for turn in turns] == [1, 2, 2]


def test_background_clips_alone_make_a_stream() -> None:
    assert [len(turn) for turn in in_turns(named("nobody", "nobody"), BACKGROUND, seed=1)] == [1, 1]


@pytest.mark.parametrize("seed", range(5))
def test_activity_does_not_follow_itself_if_another_is_left(seed: int) -> None:
    clips = named(*["Jump"] * 10, *["Walk"] * 10, *["Swim"] * 10)
    labels = [turn[-1].label for turn in in_turns(clips, BACKGROUND, seed=seed)]
    repeated = [one == other for one, other in pairwise(labels)]
    first = repeated.index(True) if True in repeated else len(labels)
    assert first > 20
    assert len(set(labels[first:])) <= 1  # the remaining clips have one label


def test_order_follows_from_the_seed_and_not_from_the_order_of_the_list() -> None:
    clips = named(*["Jump", "Walk", "nobody"] * 10)
    turns = in_turns(clips, BACKGROUND, seed=1)
    assert in_turns(clips[::-1], BACKGROUND, seed=1) == turns
    assert in_turns(clips, BACKGROUND, seed=2) != turns


def test_every_clip_is_in_exactly_one_stream(film: Film) -> None:
    clips = [film(label, 1) for label in ("Jump", "Walk", "nobody", "Jump", "Walk", "nobody")]
    streams = join(clips, BACKGROUND, seed=1, length=2)
    assert [stream.camera for stream in streams] == ["stream1", "stream2", "stream3"]
    dealt = [clip.path for stream in streams for clip in stream.clips]
    assert sorted(dealt) == [clip.path for clip in clips]


def test_clips_without_a_stated_length_make_one_stream() -> None:
    (stream,) = join(named("Jump", "Walk"), BACKGROUND, seed=1)
    assert len(stream.clips) == 2


def test_recognizer_that_is_always_right_finds_all_activities_without_a_false_event(film: Film) -> None:
    clips = [film("nobody", 2), film("Jump", 3), film("nobody", 2), film("Walk", 3), film("nobody", 1)]
    (one,) = watched([ClipStream("stream1", clips, BACKGROUND)])
    metrics = measured([one])
    assert [metrics.f1_10, metrics.f1_50, metrics.edit, metrics.found, metrics.pieces] == [1] * 5
    assert (metrics.false_events, metrics.seconds, metrics.background_seconds) == (0, pytest.approx(11), 5)
    # The first window with Jump ends at 2.0 and has its middle at 1.9. Hold adds 0.25 s: 2.15.
    assert metrics.latency_p95 == pytest.approx(0.2)
    # Events are dated to the middles of windows: from 0.1 s before the start to 0.1 s before the last frame on the
    # grid, which is 0.1 s before the end; twice.
    assert metrics.time_right == pytest.approx(1 - 2 * (0.1 + 0.2) / 11)


def test_blind_recognizer_reports_no_event(film: Film) -> None:
    clips = [film("nobody", 1), film("Jump", 3)]
    metrics = measured(watched([ClipStream("stream1", clips, BACKGROUND)], is_blind=True))
    assert (metrics.events, metrics.found, metrics.edit) == (0, 0, 0)
    assert metrics.time_right == pytest.approx(1 / 4)


def test_streams_watched_together_give_the_events_of_each_alone(film: Film) -> None:
    long = [film("nobody", 1), film("Jump", 3), film("Walk", 2)]
    short = [film("Walk", 2)]
    together = watched([ClipStream("one", long, BACKGROUND), ClipStream("two", short, BACKGROUND)])
    alone = watched([ClipStream("one", long, BACKGROUND)]) + watched([ClipStream("two", short, BACKGROUND)])
    assert [(each.camera, each.truth, each.events) for each in together] == [
        (each.camera, each.truth, each.events) for each in alone
    ]


def test_stream_without_a_picture_is_left_out(film: Film) -> None:
    streams = [ClipStream("one", [film("Jump", 1)], BACKGROUND), ClipStream("two", named("Walk"), BACKGROUND)]
    assert [each.camera for each in watched(streams)] == ["one"]
    assert len(streams[1].skipped) == 1


def test_rerun_with_the_same_settings_gives_the_same_events(film: Film) -> None:
    # A clip of 5 Hz is a gap for a window of 10 Hz. The gap empties the window and restarts the support.
    clips = [film("nobody", 1), film("Jump", 2), film("Jump", 1, rate=5), film("Walk", 2)]
    (one,) = watched([ClipStream("stream1", clips, BACKGROUND)])
    assert any(isinstance(scores, float) for scores in one.scores[10:])
    assert len(one.events) >= 4
    again = rerun(one, CONTRACT, effective_tracker_settings(CONFIG, CONTRACT), smoothing=ACTIVITIES.smoothing)
    assert tuple(again) == one.events


def test_rerun_with_other_settings_gives_other_events(film: Film) -> None:
    (one,) = watched([ClipStream("stream1", [film("Jump", 3), film("nobody", 2)], BACKGROUND)])
    slower = Config(activities=ACTIVITIES.model_copy(update={"hold": 0.95}))
    start, end = rerun(one, CONTRACT, effective_tracker_settings(slower, CONTRACT), smoothing=0.0)
    # The first window ends at 0.2 and has its middle at 0.1. The last window with Jump ends at 2.9.
    assert one.events[0].detected_at == pytest.approx(0.4)
    assert (start.detected_at, end.ended_at) == (pytest.approx(1.1), pytest.approx(2.8))
