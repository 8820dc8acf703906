"""The box of the action is where a window moves."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.models.box import WHOLE, Box
from harstream.training.augmentation.action_box import action_box, squared


def test_the_box_surrounds_what_moves() -> None:
    window = np.full((6, 64, 96, 3), 100, np.uint8)
    window[::2, 16:32, 48:72] = 200  # it blinks: rows 16 to 32 of 64, columns 48 to 72 of 96
    assert action_box(window) == Box(left=48 / 96, top=16 / 64, right=72 / 96, bottom=32 / 64)


@pytest.mark.parametrize("noise", [0, 8])
def test_a_still_window_has_the_whole_picture_as_its_box(noise: int) -> None:
    window = np.full((6, 64, 64, 3), 100, np.uint8)
    window += np.random.default_rng(1).integers(0, noise + 1, window.shape, dtype=np.uint8)
    assert action_box(window) == WHOLE


def test_a_box_gets_the_shape_of_the_picture_around_its_centre() -> None:
    high = Box(0.2, 0.1, 0.4, 0.6)
    for made in (squared(high, 1, sides=(0, 9)), squared(high, 0.1, sides=(0.5, 9)), squared(high, 9, sides=(0, 0.5))):
        assert made.centre == pytest.approx((0.3, 0.35))
        assert (made.width, made.height) == pytest.approx((0.5, 0.5))


def test_an_aspect_makes_a_box_wider_and_keeps_its_area() -> None:
    made = squared(WHOLE, 2, aspect=4, sides=(0, 9))
    assert (made.width, made.height) == (4.0, 1.0)
