"""The rolling window is full for any steady camera and empty after a gap. It holds no invented row."""

from __future__ import annotations

import random
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harstream.models.sampling import Taken, TimeGrid
from harstream.stream.recognition.window import Window

MINUTE = 60.0


class GridWindow(Window):
    """A window whose rows are the times of the frames on the grid."""

    def __init__(self, length: int, rate: float) -> None:
        super().__init__(length, (), np.dtype(np.float32))
        self.grid = TimeGrid(rate)


def window(length: int = 3, rate: float = 10.0) -> GridWindow:
    return GridWindow(length, rate)


def fill(window: GridWindow, times: Iterable[float]) -> list[bool]:
    """Pushes the times on the grid, as the pipeline does. Returns after each whether the window is complete."""
    complete = []
    for time in times:
        if taken := window.grid.take(time):
            if taken is Taken.FIRST:
                window.clear()
            window.push(np.array(time, np.float32), time)
        complete.append(window.is_complete())
    return complete


def camera_times(fps: float, jitter: float, seed: int) -> list[float]:
    """Returns the times of a minute of frames, each up to `jitter` seconds late."""
    chance = random.Random(seed)
    return sorted(number / fps + chance.uniform(0, jitter) for number in range(int(MINUTE * fps)))


def test_window_matches_its_trace() -> None:
    complete = fill(window(), [0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.2])
    assert complete == [False, False, True, True, False, False, True]


@settings(max_examples=40, deadline=None)
@given(fps=st.floats(10, 60), jitter=st.floats(0, 0.02), seed=st.integers(0, 1000))
def test_any_steady_camera_keeps_the_window_full(fps: float, jitter: float, seed: int) -> None:
    full = window(20)
    complete = fill(full, camera_times(fps, jitter, seed))
    assert all(complete[complete.index(True) :])


def test_a_skipped_frame_of_a_slightly_faster_camera_is_no_gap() -> None:
    # The camera sends 12 Hz, the grid is 10 Hz. The third frame is 33 ms early; the fourth is 167 ms after the second.
    faster = window()
    complete = fill(faster, [0.0, 1 / 12, 2 / 12, 3 / 12, 4 / 12])
    assert complete == [False, False, False, True, True]


def test_a_model_of_8_hertz_can_watch_a_camera_of_10_hertz() -> None:
    slow = window(length=20, rate=8.0)
    complete = fill(slow, [number / 10 for number in range(100)])
    assert complete.count(True) > 70
    assert all(complete[complete.index(True) :])


@pytest.mark.parametrize(("pause", "left"), [(0.175, 3), (0.185, 1)])
def test_more_than_one_and_three_quarter_periods_is_a_gap(pause: float, left: int) -> None:
    watched = window()
    fill(watched, [0.0, 0.1, 0.1 + pause])
    assert len(watched) == left


def test_gap_empties_the_window_of_a_fast_camera() -> None:
    watched = window()
    fill(watched, [number / 50 for number in range(20)])
    assert watched.is_complete()
    fill(watched, [0.38 + 0.185])
    assert len(watched) == 1


@given(length=st.integers(1, 8), pushes=st.integers(0, 40))
def test_rows_are_the_last_in_order_after_any_number_of_pushes(length: int, pushes: int) -> None:
    rolling = window(length)
    for number in range(length + pushes):
        rolling.push(np.array(number, np.float32), number / 10)
    assert rolling.rows().tolist() == list(range(pushes, pushes + length))
    assert rolling.span() == pytest.approx((length - 1) / 10)


def test_window_holds_no_row_from_before_a_gap() -> None:
    watched = window()
    fill(watched, [0.0, 0.1, 0.2, 0.3, 0.4, 1.0, 1.1, 1.2])
    assert watched.rows().tolist() == pytest.approx([1.0, 1.1, 1.2])


def test_window_holds_no_row_from_before_it_was_cleared() -> None:
    watched = window()
    fill(watched, [0.0, 0.1, 0.2, 0.3])
    watched.clear()
    assert not watched.is_complete()
    fill(watched, [0.4, 0.5, 0.6])
    assert watched.rows().tolist() == pytest.approx([0.4, 0.5, 0.6])


def test_rows_keep_their_shape_and_dtype() -> None:
    pictures = Window(2, (4, 5, 3), np.dtype(np.uint8))
    pictures.push(np.full((4, 5, 3), 7, np.uint8), 0.0)
    pictures.push(np.full((4, 5, 3), 8, np.uint8), 0.1)
    assert pictures.rows().shape == (2, 4, 5, 3)
    assert pictures.rows().dtype == np.uint8
    assert pictures.rows()[:, 0, 0, 0].tolist() == [7, 8]
