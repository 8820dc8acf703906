"""Augmentation changes some properties of a window and keeps others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.training.augmentation.frames import Augmentation, augment, overlay_place

STILL = Augmentation(zoom=(1, 1), aspect=(1, 1), tilt=0, shift=0, light=(1, 1), grey=0)
"""This augmentation mirrors half of all windows and changes their tint a little."""


@pytest.fixture
def window() -> NDArray[np.uint8]:
    """Returns three equal frames whose left half is darker than the right half."""
    frames = np.full((3, 16, 16, 3), 60, dtype=np.uint8)
    frames[:, :, 8:] = 180
    return frames


def drawn(window: NDArray[np.uint8], how: Augmentation, count: int = 20) -> list[NDArray[np.uint8]]:
    return [augment(window, how, np.random.default_rng(seed)) for seed in range(count)]


def test_one_draw_applies_to_all_frames_of_a_window(window: NDArray[np.uint8]) -> None:
    wild = replace(STILL, zoom=(0.8, 1.6), tilt=6, shift=0.1, light=(0.7, 1.3), grey=0.5, recoloured=0.5, hidden=1)
    for made in drawn(window, wild):
        assert made.shape == window.shape
        assert made.dtype == np.uint8
        assert np.array_equal(made[0], made[1])
        assert np.array_equal(made[0], made[2])


def test_some_windows_are_mirrored_and_others_are_not(window: NDArray[np.uint8]) -> None:
    left_is_darker = {bool(made[..., :8, :].mean() < made[..., 8:, :].mean()) for made in drawn(window, STILL)}
    assert left_is_darker == {True, False}


def test_noise_alone_differs_from_frame_to_frame(window: NDArray[np.uint8]) -> None:
    made = augment(window, replace(STILL, noisy=1), np.random.default_rng(1))
    assert not np.array_equal(made[0], made[1])
    assert np.abs(made[0].astype(int) - made[1]).max() <= 26  # two draws in +-13 grey levels


def test_the_given_window_is_not_changed(window: NDArray[np.uint8]) -> None:
    before = window.copy()
    drawn(window, replace(STILL, hidden=1, noisy=1, grey=1))
    assert np.array_equal(window, before)


def test_the_box_hides_the_same_place_in_all_frames(window: NDArray[np.uint8]) -> None:
    flat = np.full_like(window, 100)
    made = augment(flat, replace(STILL, hidden=1), np.random.default_rng(3))
    changed = made[0] != made[0, 0, 0]
    assert 0 < changed.any(axis=-1).sum() <= 8 * 8


def test_another_place_is_blended_in_with_the_drawn_share() -> None:
    class Half(np.random.Generator):
        def uniform(self, *_: object) -> float:  # type: ignore[override]
            return 0.5

    frames = np.full((2, 4, 4, 3), 100, dtype=np.uint8)
    place = np.full((4, 4, 3), 200, dtype=np.uint8)
    laid = overlay_place(frames, place, Half(np.random.PCG64(1)))
    assert np.array_equal(laid, np.full_like(frames, 150))
