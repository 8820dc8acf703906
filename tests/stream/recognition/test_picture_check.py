"""A covered lens and a picture that is stuck are seen, and a quiet room is neither."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.stream.recognition.picture_check import BLACK, PictureCheck


def room(seed: int = 0) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(60, 200, (64, 64, 3), dtype=np.uint8)


def test_the_same_picture_is_counted_from_its_first() -> None:
    sight = PictureCheck()
    told = []
    for time, seed in ((10.0, 1), (10.5, 2), (11.0, 2), (12.5, 2), (13.0, 3), (13.5, 3)):
        sight.see(room(seed), time)
        told.append(sight.unchanged)
    assert told == [0.0, 0.0, 0.5, 2.0, 0.0, 0.5]


def test_the_least_change_counts() -> None:
    sight = PictureCheck()
    moved = room()
    moved[63, 63, 2] += 1
    sight.see(room(), 0.0)
    sight.see(moved, 1.0)
    assert sight.unchanged == 0.0


def test_what_is_lit_is_what_is_brighter_than_black() -> None:
    sight = PictureCheck()
    dark = np.full((64, 64, 3), BLACK, dtype=np.uint8)
    sight.see(dark, 0.0)
    assert sight.lit == 0.0
    lamp = dark.copy()
    lamp[:16, :16] = BLACK + 1
    sight.see(lamp, 1.0)
    assert sight.lit == pytest.approx(1 / 16)
    sight.see(room(), 2.0)
    assert sight.lit == 1.0
