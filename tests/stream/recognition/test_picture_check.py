"""The check recognizes a covered lens and a frozen picture. A quiet room is neither."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.stream.recognition.picture_check import BLACK, PictureCheck


def room(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(60, 200, (64, 64, 3), dtype=np.uint8)


def test_the_duration_of_an_unchanged_picture_counts_from_its_first_frame() -> None:
    check = PictureCheck()
    durations = []
    for time, seed in ((10.0, 1), (10.5, 2), (11.0, 2), (12.5, 2), (13.0, 3), (13.5, 3)):
        check.update(room(seed), time)
        durations.append(check.unchanged)
    assert durations == [0.0, 0.0, 0.5, 2.0, 0.0, 0.5]


def test_the_smallest_change_counts() -> None:
    check = PictureCheck()
    moved = room()
    moved[63, 63, 2] += 1
    check.update(room(), 0.0)
    check.update(moved, 1.0)
    assert check.unchanged == 0.0


def test_the_lit_share_is_that_of_pixels_brighter_than_black() -> None:
    check = PictureCheck()
    dark = np.full((64, 64, 3), BLACK, dtype=np.uint8)
    check.update(dark, 0.0)
    assert check.lit == 0.0
    lamp = dark.copy()
    lamp[:16, :16] = BLACK + 1
    check.update(lamp, 1.0)
    assert check.lit == pytest.approx(1 / 16)
    check.update(room(), 2.0)
    assert check.lit == 1.0
