"""The pipeline makes steps of frames. Its recognizer derives the scores from the grey level of the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.models.contract import ModelContract
from harstream.models.transform import BgrPicture
from harstream.stream.recognition.pipeline import Arrival, Pipeline
from harstream.stream.recognition.smoothing import ExponentialMean
from harstream.stream.recognition.tracker import Tracker
from harstream.stream.recognition.tracker_settings import TrackerSettings
from harstream.wire.errors import ModelError, SourceError
from harstream.wire.values import CameraChange, CameraState, EndReason, Event, EventType, Frame, Step

JUMP, WALK = 200, 100
"""Grey levels that mean these activities. Any other level means background."""


class GreyRecognizer:
    """A Recognizer whose scores follow from the grey level of the newest row of a window."""

    row_shape: tuple[int, ...] = (1,)
    row_dtype: np.dtype[np.generic] = np.dtype(np.float32)
    parts = ()

    def __init__(self, lookback: int = 0) -> None:
        """With lookback, a row holds the level of the newer frame, and `pairs` keeps each pair of levels."""
        self.lookback = lookback
        self.pairs: list[list[int]] = []
        self.contract = ModelContract(
            "grey", "1", ("Jump", "Walk", "Idle"), ("Idle",), frames=3, height=4, width=4, rate=10.0
        )
        self.encoded: list[list[int]] = []
        """The grey levels of each call."""
        self.scored: list[list[list[int]]] = []
        """The grey levels of each window of each call."""

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.generic]:
        if self.lookback:
            assert frames.shape[1:] == (2, 4, 4, 3)
            self.pairs += frames[:, :, 0, 0, 0].tolist()
            frames = frames[:, 1]
        assert frames.shape[1:] == (4, 4, 3)
        self.encoded.append(frames[:, 0, 0, 0].tolist())
        return frames[:, 0, 0, :1].astype(np.float32)

    def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
        levels = windows[..., 0].astype(int)
        self.scored.append(levels.tolist())
        return np.array([self._scores(int(window[-1])) for window in levels], np.float32)

    def _scores(self, level: int) -> list[float]:
        return {JUMP: [1.0, 0.0, 0.0], WALK: [0.0, 1.0, 0.0]}.get(level, [0.0, 0.0, 1.0])


@pytest.fixture
def recognizer() -> GreyRecognizer:
    return GreyRecognizer()


def new_pipeline(recognizer: GreyRecognizer, stride: int = 1) -> Pipeline:
    settings = TrackerSettings(start_above=0.8, end_below=0.5, hold=0.3, gone=0.2, merge=0.3)
    return Pipeline(
        recognizer,
        tracker=lambda camera: Tracker(camera, recognizer.contract, settings),
        smoothing=lambda: ExponentialMean(0.0),
        stride=stride,
    )


def frame(time: float, level: int = 0, camera: str = "hall", size: tuple[int, int] = (12, 16)) -> Frame:
    return Frame(camera, time, BgrPicture(np.full((*size, 3), level, np.uint8)))


def frames(begin: float, count: int, level: int = 0, camera: str = "hall") -> list[Frame]:
    """Returns frames at the model's rate of 10 Hz."""
    return [frame(begin + number / 10, level, camera) for number in range(count)]


def single(arrivals: Iterable[Arrival]) -> Iterable[Sequence[Arrival]]:
    return ([arrival] for arrival in arrivals)


def events(steps: Iterable[Step]) -> list[Event]:
    return [event for step in steps for event in step.notice.events]


def times_scored(steps: Iterable[Step]) -> list[float]:
    return [round(step.notice.time, 3) for step in steps if step.notice.scores]


def test_each_arrival_gives_one_step_in_order(recognizer: GreyRecognizer) -> None:
    arrivals: list[Arrival] = [CameraChange("hall", 0.0, CameraState.LIVE), *frames(0.0, 2), frame(0.13)]
    steps = list(new_pipeline(recognizer).steps(single(arrivals)))
    assert [step.frame or step.notice.change for step in steps] == arrivals


def test_first_recognition_needs_a_full_window(recognizer: GreyRecognizer) -> None:
    steps = list(new_pipeline(recognizer).steps(single(frames(0.0, 4))))
    assert [step.notice.warming for step in steps] == [(1, 3), (2, 3), (3, 3), (3, 3)]
    assert times_scored(steps) == [0.2, 0.3]
    scores = steps[2].notice.scores
    assert scores is not None
    assert (scores.time, scores.span) == (0.2, pytest.approx(0.2))


def test_frame_is_encoded_once_and_only_on_the_grid(recognizer: GreyRecognizer) -> None:
    # The camera sends 20 Hz and the grid is 10 Hz: every second frame is encoded, for all its windows.
    list(new_pipeline(recognizer).steps(single(frame(number / 20, number) for number in range(9))))
    assert recognizer.encoded == [[0], [2], [4], [6], [8]]
    assert recognizer.scored == [[[0, 2, 4]], [[2, 4, 6]], [[4, 6, 8]]]


def test_frames_of_two_cameras_are_encoded_and_scored_together(recognizer: GreyRecognizer) -> None:
    batches = zip(frames(0.0, 3, 1), frames(0.05, 3, 2, "garden"), strict=True)
    steps = list(new_pipeline(recognizer).steps(batches))
    assert recognizer.encoded == [[1, 2]] * 3
    assert recognizer.scored == [[[1, 1, 1], [2, 2, 2]]]
    assert [step.notice.camera for step in steps] == ["hall", "garden"] * 3


def test_cameras_do_not_share_windows_or_activities(recognizer: GreyRecognizer) -> None:
    hall, garden = frames(0.0, 10, JUMP), frames(0.0, 8, WALK, "garden")
    batches = [[arrival for arrival in pair if arrival] for pair in zip_longest(hall, garden)]
    found = events(new_pipeline(recognizer).steps(batches))
    assert {(event.camera, event.activity) for event in found} == {("hall", "Jump"), ("garden", "Walk")}
    assert all(len(set(window)) == 1 for call in recognizer.scored for window in call)


def test_camera_that_has_no_frame_in_a_batch_is_not_scored(recognizer: GreyRecognizer) -> None:
    both = zip(frames(0.0, 3), frames(0.0, 3, 1, "garden"), strict=True)
    list(new_pipeline(recognizer).steps([*both, [frame(0.3)]]))
    assert [len(call) for call in recognizer.scored] == [2, 1]


@pytest.mark.parametrize(
    ("stride", "expected"), [(1, [0.2, 0.3, 0.4, 0.5, 0.6]), (2, [0.2, 0.4, 0.6]), (4, [0.2, 0.6])]
)
def test_stride_scores_every_nth_frame_on_the_grid(
    recognizer: GreyRecognizer, stride: int, expected: list[float]
) -> None:
    steps = list(new_pipeline(recognizer, stride).steps(single(frames(0.0, 7))))
    assert times_scored(steps) == expected


def test_window_fills_again_after_a_gap_and_is_then_scored(recognizer: GreyRecognizer) -> None:
    arrivals: list[Arrival] = [*frames(0.0, 4), *frames(5.0, 4)]
    steps = list(new_pipeline(recognizer, stride=2).steps(single(arrivals)))
    assert times_scored(steps) == [0.2, 5.2]
    assert steps[4].notice.warming == (1, 3)


def test_support_from_before_a_gap_does_not_count_after_it(recognizer: GreyRecognizer) -> None:
    # Hold is 0.3 s. Jump is supported for 0.2 s before the gap; the first window after it has its middle at 60.1.
    found = events(new_pipeline(recognizer).steps(single([*frames(0.0, 4, JUMP), *frames(60.0, 6, JUMP)])))
    assert found[0].type is EventType.START
    assert found[0].started_at == pytest.approx(60.1)


def test_activity_is_reported_from_start_to_end(recognizer: GreyRecognizer) -> None:
    arrivals: list[Arrival] = [*frames(0.0, 10, JUMP), *frames(1.0, 10)]
    start, end = events(new_pipeline(recognizer).steps(single(arrivals)))
    # The first window has its middle at 0.1, and hold is 0.3, so Jump starts at 0.4. Its last window ends at 0.9.
    assert (start.type, start.started_at, start.detected_at) == (EventType.START, pytest.approx(0.1), 0.4)
    assert (end.end_reason, end.ended_at) == (EndReason.LOW_CONFIDENCE, pytest.approx(0.8))


def test_activity_and_window_end_when_the_camera_goes_offline(recognizer: GreyRecognizer) -> None:
    offline = CameraChange("hall", 5.0, CameraState.OFFLINE, "unplugged")
    arrivals: list[Arrival] = [*frames(0.0, 10, JUMP), offline, frame(5.1)]
    steps = list(new_pipeline(recognizer).steps(single(arrivals)))
    (end,) = steps[10].notice.events
    assert (end.type, end.end_reason) == (EventType.END, EndReason.CAMERA_OFFLINE)
    assert (end.ended_at, end.updated_at) == (pytest.approx(0.9), 5.0)
    assert steps[10].notice.change is offline
    assert steps[10].notice.activity.name == "unknown"
    assert steps[10].notice.smoothed is None
    assert steps[11].notice.warming == (1, 3)


def test_camera_without_any_frame_may_go_offline(recognizer: GreyRecognizer) -> None:
    (step,) = new_pipeline(recognizer).steps([[CameraChange("hall", 5.0, CameraState.OFFLINE, "no such host")]])
    assert (step.notice.time, step.notice.events, step.frame) == (5.0, (), None)


def test_running_activity_ends_with_reason_shutdown_when_the_batches_end(recognizer: GreyRecognizer) -> None:
    batches = zip(frames(0.0, 10, JUMP), frames(0.0, 10, 0, "garden"), strict=True)
    steps = list(new_pipeline(recognizer).steps(batches))
    assert len(steps) == 21  # the garden has no running activity and gets no step
    (end,) = steps[-1].notice.events
    assert (end.camera, end.end_reason, end.ended_at) == ("hall", EndReason.SHUTDOWN, pytest.approx(0.9))


def test_picture_size_may_change_during_the_stream(recognizer: GreyRecognizer) -> None:
    sizes = [(12, 16), (480, 640), (1080, 1920), (3, 5)]
    arrivals: list[Arrival] = [frame(number / 10, 7, size=size) for number, size in enumerate(sizes)]
    steps = list(new_pipeline(recognizer).steps(single(arrivals)))
    assert recognizer.scored == [[[7, 7, 7]], [[7, 7, 7]]]
    assert times_scored(steps) == [0.2, 0.3]


def test_frame_from_the_past_is_shown_and_not_recognized(recognizer: GreyRecognizer) -> None:
    arrivals: list[Arrival] = [*frames(10.0, 10, JUMP), frame(3.0, JUMP)]
    steps = list(new_pipeline(recognizer).steps(single(arrivals)))
    assert steps[10].frame is arrivals[10]
    assert steps[10].notice.scores is None
    times = [step.notice.time for step in steps]
    assert times == sorted(times)


def test_frame_from_before_its_camera_went_offline_is_not_recognized(recognizer: GreyRecognizer) -> None:
    offline = CameraChange("hall", 60.0, CameraState.OFFLINE)
    arrivals: list[Arrival] = [*frames(0.0, 10, JUMP), offline, *frames(1.0, 10, JUMP), *frames(60.0, 10, JUMP)]
    steps = list(new_pipeline(recognizer).steps(single(arrivals)))
    assert [step.notice.scores for step in steps[11:21]] == [None] * 10
    times = [event.updated_at for event in events(steps)]
    assert times == sorted(times)
    assert [event.type for event in events(steps)] == [EventType.START, EventType.END] * 2


def test_encoder_that_looks_back_sees_each_frame_with_the_one_before() -> None:
    recognizer = GreyRecognizer(lookback=1)
    pipeline = new_pipeline(recognizer)
    recognizer.pairs.clear()  # a pipeline tries what the model makes of still pictures
    steps = list(pipeline.steps(single(frame(number / 10, number) for number in range(4))))
    assert recognizer.pairs == [[0, 1], [1, 2], [2, 3]]
    assert recognizer.scored == [[[1, 2]], [[2, 3]]]
    assert [step.notice.warming for step in steps] == [(1, 3), (2, 3), (3, 3), (3, 3)]
    scores = steps[2].notice.scores
    assert scores is not None
    assert scores.span == pytest.approx(0.2)


def test_encoder_that_looks_back_never_pairs_frames_across_a_gap() -> None:
    recognizer = GreyRecognizer(lookback=1)
    arrivals: list[Arrival] = [frame(0.0, 1), frame(0.1, 2), frame(5.0, 3), frame(5.1, 4)]
    arrivals += [CameraChange("hall", 5.15, CameraState.OFFLINE), frame(5.2, 5), frame(5.3, 6)]
    pipeline = new_pipeline(recognizer)
    recognizer.pairs.clear()
    list(pipeline.steps(single(arrivals)))
    assert recognizer.pairs == [[1, 2], [3, 4], [5, 6]]


def test_no_batches_give_no_steps(recognizer: GreyRecognizer) -> None:
    assert list(new_pipeline(recognizer).steps([])) == []


def test_activity_ends_when_its_camera_becomes_too_slow_for_the_model(recognizer: GreyRecognizer) -> None:
    """Frames arrive at 2 Hz from 2 s on, so no window fills. The activity ends after `merge` and a window, 0.5 s."""
    arrivals: list[Arrival] = [*frames(0.0, 20, JUMP), *(frame(2.0 + number / 2, JUMP) for number in range(10))]
    found = events(new_pipeline(recognizer).steps(single(arrivals)))
    assert [event.type for event in found] == [EventType.START, EventType.END]
    assert (found[1].end_reason, round(found[1].updated_at, 1)) == (EndReason.CAMERA_OFFLINE, 3.0)
    assert found[1].ended_at == pytest.approx(2.0)


def test_error_of_a_source_is_raised_after_the_running_activity_has_ended(recognizer: GreyRecognizer) -> None:
    def arrivals() -> Iterable[Arrival]:
        yield from frames(0.0, 20, JUMP)
        raise SourceError("pulled")

    seen: list[Step] = []
    with pytest.raises(SourceError, match="pulled"):
        seen.extend(new_pipeline(recognizer).steps(single(arrivals())))
    assert [event.type for event in events(seen)] == [EventType.START, EventType.END]


def test_a_long_stride_does_not_end_a_running_activity(recognizer: GreyRecognizer) -> None:
    """A stride of 1 s is longer than `merge` and a window, 0.5 s. The window stays complete in between."""
    found = events(new_pipeline(recognizer, stride=10).steps(single(frames(0.0, 60, JUMP))))
    assert [(event.type, event.end_reason) for event in found if event.type is not EventType.UPDATE] == [
        (EventType.START, None),
        (EventType.END, EndReason.SHUTDOWN),
    ]


def test_a_notice_carries_the_picture_check(recognizer: GreyRecognizer) -> None:
    lit, still, dark = frames(0.0, 1, level=200), frames(0.1, 3, level=90), frames(0.4, 1, level=3)
    gone = CameraChange("hall", 0.5, CameraState.OFFLINE)
    steps = list(new_pipeline(recognizer).steps(single([*lit, *still, *dark, gone])))
    assert [step.notice.lit for step in steps[:6]] == [1, 1, 1, 1, 0, 1]
    assert [step.notice.unchanged for step in steps[:6]] == pytest.approx([0, 0, 0.1, 0.2, 0, 0])


def test_a_notice_carries_the_best_three_labels_until_the_camera_goes_offline(recognizer: GreyRecognizer) -> None:
    gone = CameraChange("hall", 0.4, CameraState.OFFLINE)
    steps = list(new_pipeline(recognizer).steps(single([*frames(0.0, 3, WALK), gone])))
    assert [step.notice.best for step in steps[:2]] == [(), ()]
    assert steps[2].notice.best == (("Walk", 1.0), ("Jump", 0.0), ("Idle", 0.0))
    assert steps[3].notice.best == ()


def test_a_model_that_fails_while_it_runs_is_an_error_of_the_model(recognizer: GreyRecognizer) -> None:
    class Failing(GreyRecognizer):
        def score(self, windows: NDArray[np.generic]) -> NDArray[np.float32]:
            raise RuntimeError("out of memory\nwith a long explanation")

    with pytest.raises(ModelError, match=r"the model grey failed while it ran: out of memory$"):
        list(new_pipeline(Failing()).steps(single(frames(0.0, 3))))
