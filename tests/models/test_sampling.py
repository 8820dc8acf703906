"""The sampler makes an even rate of uneven cameras, stretches without a gap, and windows from any frame."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harstream.models.sampling import (
    Taken,
    TimeGrid,
    even_indices,
    possible_starts,
    slowest_rate,
    stretches,
    window_from,
)

MINUTE = 60.0


def taken(times: Iterable[float], rate: float = 10.0) -> list[float]:
    grid = TimeGrid(rate)
    return [time for time in times if grid.take(time)]


def camera_times(fps: float, jitter: float, seed: int) -> list[float]:
    """Returns the times of a minute of frames, each up to `jitter` seconds late."""
    chance = random.Random(seed)
    return sorted(number / fps + chance.uniform(0, jitter) for number in range(int(MINUTE * fps)))


def rate_of(times: list[float]) -> float:
    return (len(times) - 1) / (times[-1] - times[0])


def test_grid_matches_its_trace() -> None:
    grid = TimeGrid(10.0)
    found = [grid.take(time) for time in (0.00, 0.04, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28, 0.60)]
    first, following = Taken.FIRST, Taken.NEXT
    assert found == [first, None, following, None, None, following, None, following, first]


@pytest.mark.parametrize("jitter", [0.0, 0.005, 0.02])
@pytest.mark.parametrize("fps", [10, 10.1, 11, 12, 12.5, 13, 14, 15, 20, 24, 25, 29.97, 30, 50, 60])
def test_grid_holds_its_rate_at_any_rate_of_the_camera(fps: float, jitter: float) -> None:
    times = taken(camera_times(fps, jitter, seed=1))
    assert rate_of(times) == pytest.approx(10, rel=0.02)
    assert len(set(times)) == len(times)


@pytest.mark.parametrize("jitter", [0.0, 0.02])
@pytest.mark.parametrize("fps", [8, 9, 9.9])
def test_grid_takes_every_frame_of_a_slower_camera(fps: float, jitter: float) -> None:
    assert rate_of(taken(camera_times(fps, jitter, seed=1))) == pytest.approx(fps, rel=0.02)


@settings(max_examples=40, deadline=None)
@given(fps=st.floats(10, 60), jitter=st.floats(0, 0.02), seed=st.integers(0, 1000))
def test_grid_holds_its_rate_for_any_steady_camera(fps: float, jitter: float, seed: int) -> None:
    assert rate_of(taken(camera_times(fps, jitter, seed))) == pytest.approx(10, rel=0.02)


@given(st.lists(st.floats(0, 100), max_size=100))
def test_taken_times_increase_for_any_input(times: list[float]) -> None:
    found = taken(times)
    assert found == sorted(set(found))


def test_grid_does_not_take_a_repeated_time() -> None:
    assert taken([0.0, 0.0, 0.1, 0.1]) == [0.0, 0.1]


def test_grid_does_not_take_a_time_that_runs_backwards() -> None:
    assert taken([5.0, 5.1, 3.0, 3.1, 5.05, 5.2]) == [5.0, 5.1, 5.2]


def test_grid_holds_its_rate_at_the_large_times_of_the_epoch() -> None:
    start = 1_700_000_000.0
    assert rate_of(taken([start + number / 30 for number in range(1800)])) == pytest.approx(10, rel=0.02)


def test_a_gap_starts_a_new_stretch() -> None:
    # The rate is 10 Hz and the gap limit 0.175 s, so 0.2 to 0.5 is a gap and 0.6 to 0.77 is not.
    assert stretches([0.0, 0.1, 0.2, 0.5, 0.6, 0.77], 10.0) == [[0, 1, 2], [3, 4, 5]]


def test_stretches_exclude_frames_off_the_grid() -> None:
    # The camera sends 20 Hz, the grid is 10 Hz, and a gap of a second follows the fourth frame.
    assert stretches([0.0, 0.05, 0.1, 0.15, 1.15, 1.2, 1.25], 10.0) == [[0, 2], [4, 6]]


def test_window_may_begin_with_any_frame() -> None:
    times = np.arange(9) / 20
    assert [window_from(times, start, 10.0, 3).tolist() for start in range(3)] == [[0, 2, 4], [1, 3, 5], [2, 4, 6]]  # type: ignore[union-attr]


def test_there_is_no_window_across_a_gap_or_past_the_end() -> None:
    times = np.array([0.0, 0.1, 1.1, 1.2, 1.3])
    found = [window_from(times, start, 10.0, 3) for start in range(5)]
    assert [window is None for window in found] == [True, True, False, True, True]


@settings(max_examples=60, deadline=None)
@given(fps=st.floats(10, 60), frames=st.integers(1, 8), count=st.integers(1, 60))
def test_every_possible_start_of_a_steady_camera_gives_a_window(fps: float, frames: int, count: int) -> None:
    times = np.arange(count) / fps
    if times[-1] >= (frames - 1) / 10:
        starts = possible_starts(times, 10.0, frames)
        assert all(window_from(times, int(start), 10.0, frames) is not None for start in starts)


def test_possible_starts_leave_time_for_a_window() -> None:
    # The window has three frames at 10 Hz: 0.2 s must follow without a gap.
    times = np.array([0.0, 0.1, 0.2, 0.3, 1.3, 1.4, 1.5])
    assert possible_starts(times, 10.0, 3).tolist() == [0, 1, 4]


@pytest.mark.parametrize("count", range(5, 60))
@pytest.mark.parametrize("fps", [24.0, 29.97, 150.0])
def test_slowest_rate_of_a_short_clip_covers_it_completely(count: int, fps: float) -> None:
    times = np.arange(count) / fps
    rate = slowest_rate(times, 2.0, 5)
    assert rate == pytest.approx(max(2.0, 4 / times[-1]))
    assert rate is not None
    assert window_from(times, 0, rate, 5) is not None


def test_slowest_rate_is_the_rate_itself_if_a_window_fits() -> None:
    assert slowest_rate(np.arange(50) / 25, 10.0, 5) == 10.0


@pytest.mark.parametrize("times", [[], [0.0], [0.0, 0.1], [0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.1, 5.0, 5.1]])
def test_times_without_a_window_have_no_slowest_rate(times: list[float]) -> None:
    assert slowest_rate(np.array(times), 10.0, 3) is None


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        # The papers take skip = max(int(length / 20), 1). Here a window has 5 frames.
        (25, [0, 5, 10, 15, 20]),
        (29, [0, 5, 10, 15, 20]),
        (9, [0, 1, 2, 3, 4]),
        (5, [0, 1, 2, 3, 4]),
    ],
)
def test_even_indices_are_those_of_the_papers(length: int, expected: list[int]) -> None:
    assert even_indices(length, 5).tolist() == expected
