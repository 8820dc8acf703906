"""Whatever a camera's stamps are worth, its frames get times that are true and even enough for a complete window."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.sources.clock import Clock
from harstream.stream.sources.network.camera_times import Anchor, after_backlog

RATE, NEEDED = 8.0, 20
"""Hertz of the grid, and frames of a window."""
SETTLED = 10.0
"""Seconds after which a camera's times are measured."""


class Seen(NamedTuple):
    """A frame: seconds since the start at capture, the camera's stamp, and the arrival."""

    captured: float
    stamp: float | None
    arrived: float


Stamp = Callable[[float], float | None]


def arriving(
    stamp: Stamp, *, fps: float = 25.0, jitter: float = 0.0, burst: float = 0.0, seconds: float = 60.0
) -> Iterator[Seen]:
    """Yields the frames of a camera. `jitter`: the largest additional delay. `burst`: seconds between two bursts."""
    noise, arrived = random.Random(1), 0.0
    for number in range(int(seconds * fps)):
        captured = number / fps
        sent = (captured // burst + 1) * burst if burst else captured
        arrived = max(arrived, 1000.0 + sent + 0.05 + noise.random() * jitter)
        yield Seen(1000.0 + captured, stamp(captured), arrived)


def share_of_complete_windows(frames: Iterator[Seen]) -> tuple[float, float]:
    """Returns the share of the time with a complete window, and the largest error of the times in seconds."""
    anchor, grid = Anchor(), TimeGrid(RATE)
    last, held, complete, total, error, before = float("-inf"), 0, 0.0, 0.0, 0.0, 1000.0
    for captured, stamp, arrived in frames:
        time = anchor.time(stamp, arrived)
        assert last <= time <= arrived
        match grid.take(time):
            case Taken.FIRST:
                held = 1
            case Taken.NEXT:
                held = min(held + 1, NEEDED)
        if arrived > 1000.0 + SETTLED:
            complete, total = complete + (arrived - before) * (held == NEEDED), total + arrived - before
            error = max(error, abs(time - captured))
        last, before = time, arrived
    return complete / total, error


CAMERAS: dict[str, tuple[float, Iterator[Seen]]] = {
    "exact": (0.1, arriving(lambda t: t)),
    "1 % slow": (0.1, arriving(lambda t: 0.99 * t)),
    "stamps 25, ships 21": (0.4, arriving(lambda t: 0.84 * t, fps=21)),
    "stamps 25, ships 21, jitter": (0.4, arriving(lambda t: 0.84 * t, fps=21, jitter=0.1)),
    "stamps 20, ships 15": (0.6, arriving(lambda t: 0.75 * t, fps=15)),
    "stamps 15, ships 10": (0.8, arriving(lambda t: t / 1.5, fps=10)),
    "night: stamps 25, ships 12.5": (1.1, arriving(lambda t: 0.5 * t, fps=12.5)),
    "day and night": (1.1, arriving(lambda t: t if t < 30 else 15 + t / 2, fps=12.5)),
    "a quarter of the speed": (1.7, arriving(lambda t: 0.25 * t)),
    "a quarter of the speed, 10 fps": (1.7, arriving(lambda t: 0.25 * t, fps=10)),
    "a tenth fast": (0.1, arriving(lambda t: 1.1 * t)),
    "double speed": (0.1, arriving(lambda t: 2 * t)),
    "four times the speed": (0.1, arriving(lambda t: 4 * t)),
    "fast, jitter": (0.3, arriving(lambda t: 1.2 * t, jitter=0.1)),
    "jitter": (0.2, arriving(lambda t: t, jitter=0.1)),
    "much jitter": (0.4, arriving(lambda t: t, jitter=0.3)),
    "bursts": (0.2, arriving(lambda t: t, burst=1.0)),
    "bursts, two seconds apart": (0.2, arriving(lambda t: t, burst=1.9)),
    "bursts, slow": (0.4, arriving(lambda t: 0.84 * t, burst=1.0)),
    "sets its clock forward": (0.1, arriving(lambda t: t + 3600 * (t // 20))),
    "sets its clock back": (0.1, arriving(lambda t: t - 3 * (t // 10))),
    "small steps forward": (0.1, arriving(lambda t: t + 0.1 * (t // 1))),
    "starts again at 0": (0.1, arriving(lambda t: t % 10)),
    "stands still": (0.1, arriving(lambda t: 0.0)),
    "the same stamp twice": (0.1, arriving(lambda t: (t * 25 + 0.5) // 2 * 2 / 25)),
    "no stamps": (0.1, arriving(lambda t: None)),
    "no stamps, jitter": (0.2, arriving(lambda t: None, jitter=0.05)),
    "a stamp now and then": (0.2, arriving(lambda t: t if t % 1 < 0.5 else None)),
}
"""By camera: the largest error that is expected, in seconds, and the frames."""


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_window_is_complete_nearly_always(camera: str) -> None:
    largest_error, frames = CAMERAS[camera]
    share, error = share_of_complete_windows(frames)
    assert share >= 0.97
    assert error <= largest_error


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.floats(-1e9, 1e9)), st.floats(0, 100)), min_size=1, max_size=50),
)
def test_times_never_go_back_or_into_the_future(steps: list[tuple[float | None, float]]) -> None:
    anchor, now, times = Anchor(), 1000.0, list[float]()
    for stamp, seconds in steps:
        now += seconds
        times.append(anchor.time(stamp, now))
        assert times[-1] <= now
    assert all(before <= after for before, after in pairwise(times))


def test_anchor_matches_its_trace() -> None:
    anchor = Anchor()
    stamps = (0.0, 0.04, 0.08, 9.0, 9.04, 0.0)
    clock = (100.0, 100.05, 100.08, 100.12, 100.16, 100.20)
    times = [anchor.time(stamp, now) for stamp, now in zip(stamps, clock, strict=True)]
    assert times == pytest.approx([100.0, 100.04, 100.08, 100.12, 100.16, 100.20])


def test_a_picture_without_a_time_gets_that_of_the_clock() -> None:
    anchor = Anchor()
    assert [anchor.time(None, 100.0), anchor.time(0.5, 100.02), anchor.time(None, 100.1)] == pytest.approx(
        [100.0, 100.02, 100.1]
    )


def test_the_smallest_delay_is_the_anchor() -> None:
    anchor = Anchor()
    anchor.time(0.0, 100.5)  # this picture is half a second late
    assert anchor.time(1.0, 101.0) == 101.0
    assert anchor.time(2.0, 102.4) == 102.0


class ScriptedClock(Clock):
    """Returns the given times one after the other."""

    def __init__(self, times: list[float]) -> None:
        self._times = iter(times)

    def now(self) -> float:
        return next(self._times)


def stamped(seconds: float | None) -> VideoFrame:
    frame = VideoFrame(16, 16, "rgb24")
    frame.time_base = Fraction(1, 100)
    frame.pts = None if seconds is None else round(seconds * 100)
    return frame


def test_frames_that_arrived_during_the_opening_keep_their_own_times() -> None:
    """Three frames of the backlog arrive at once, taken 0.04 s apart. The next one arrives in its own time."""
    clock = ScriptedClock([100.00, 100.00, 100.00, 100.00, 100.00, 100.04])
    frames = [stamped(None), stamped(0.0), stamped(0.04), stamped(0.08), stamped(0.12)]
    arrived = [(frame.time, round(now, 2)) for frame, now in after_backlog(frames, clock)]
    assert arrived == [(0.0, 99.92), (0.04, 99.96), (0.08, 100.0), (0.12, 100.04)]


def test_stamps_that_go_back_in_a_backlog_give_no_times_in_the_future() -> None:
    clock = ScriptedClock([100.00, 100.00, 100.00, 100.00, 100.01])
    frames = [stamped(5.0), stamped(5.04), stamped(5.08), stamped(0.0)]
    arrivals = [round(now, 2) for _, now in after_backlog(frames, clock)]
    assert arrivals == [99.93, 99.97, 100.01, 100.01]


def test_a_camera_with_fast_stamps_does_not_look_like_a_backlog_for_ever() -> None:
    times = [100 + 0.04 * number for number in range(100)]
    frames = [stamped(0.16 * number) for number in range(99)]
    arrivals = [now for _, now in after_backlog(frames, ScriptedClock(times))]
    assert arrivals[-50:] == times[-50:]
    assert len(arrivals) == 99
