"""Motion is what changes beside noise, light and the shaking of the camera."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.stream.recognition.views.motion import Motion

SIZE = 64


def room(seed: int = 1) -> NDArray[np.uint8]:
    """Returns a picture with soft edges everywhere."""
    levels = np.random.default_rng(seed).integers(40, 216, (SIZE, SIZE), np.uint8)
    return np.repeat(cv2.GaussianBlur(levels, (0, 0), 2)[..., None], 3, axis=-1)


def with_square(left: int, top: int, side: int = 8, level: int = 250) -> NDArray[np.uint8]:
    picture = room()
    picture[top : top + side, left : left + side] = level
    return picture


def noisy(picture: NDArray[np.uint8], deviation: float, random: np.random.Generator) -> NDArray[np.uint8]:
    return np.clip(picture + random.normal(0, deviation, picture.shape), 0, 255).astype(np.uint8)


def shifted(picture: NDArray[np.uint8], right: float, down: float) -> NDArray[np.uint8]:
    by = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return np.asarray(cv2.warpAffine(picture, by, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT), np.uint8)


def test_a_still_room_is_quiet() -> None:
    motion = Motion(20)
    for _ in range(5):
        motion.update(room())
    assert (motion.is_quiet, motion.box, motion.shift) == (True, None, (0.0, 0.0))


def test_the_box_contains_what_moved_and_little_else() -> None:
    motion = Motion(20)
    for step in range(10):  # a square of 8 pixels walks from column 20 to column 38, in the rows 16 to 24
        motion.update(with_square(20 + 2 * step, 16))
    box = motion.box
    assert box is not None
    # 3 % of the movement is left out at each side, and a blur of 3 pixels adds one.
    assert (box.left, box.top) == (pytest.approx(20 / 64, abs=4 / 64), pytest.approx(16 / 64, abs=2 / 64))
    assert (box.right, box.bottom) == (pytest.approx(46 / 64, abs=4 / 64), pytest.approx(24 / 64, abs=2 / 64))


def test_movement_is_forgotten_after_the_given_number_of_frames() -> None:
    motion = Motion(4)
    for picture in (with_square(10, 10), with_square(30, 10), *[with_square(30, 10)] * 3):
        motion.update(picture)
    assert not motion.is_quiet  # the change of the second frame is the oldest of four
    motion.update(with_square(30, 10))
    assert motion.is_quiet


@pytest.mark.parametrize("deviation", [3, 10])
def test_noise_of_a_sensor_is_no_movement(deviation: float) -> None:
    random, motion = np.random.default_rng(5), Motion(20)
    quiet = []
    for _ in range(400):
        motion.update(noisy(room(), deviation, random))
        quiet.append(motion.is_quiet)
    assert all(quiet[40:])


def test_movement_in_noise_is_found() -> None:
    random, motion = np.random.default_rng(5), Motion(20)
    for _ in range(40):
        motion.update(noisy(room(), 5, random))
    for step in range(10):
        motion.update(noisy(with_square(20 + 2 * step, 16), 5, random))
    box = motion.box
    assert box is not None
    assert 0.2 < box.left < box.right < 0.8
    assert 0.15 < box.top < box.bottom < 0.5


def test_movement_in_the_dark_is_found() -> None:
    motion = Motion(20)
    for step in range(10):  # a square that is 5 grey levels brighter than what is around it
        motion.update(with_square(20 + 2 * step, 16) // 25)
    assert motion.box is not None
    assert motion.box.left == pytest.approx(20 / 64, abs=4 / 64)


def test_faint_movement_counts_beside_clear_movement_only() -> None:
    def moves(*, also_clear: bool) -> Motion:
        random, motion = np.random.default_rng(5), Motion(20)
        for step in range(60):
            picture = room().astype(int)
            if step >= 40:
                picture[40:56, 40:56] += 8 * (step % 2)  # 3.1 times the noise of a blurred difference
                picture[8:16, 8:16] += 60 * (step % 2) * also_clear
            motion.update(noisy(picture, 8, random))
        return motion

    assert moves(also_clear=False).is_quiet
    box = moves(also_clear=True).box
    assert box is not None
    assert box.right == pytest.approx(56 / 64, abs=3 / 64)


def test_a_lamp_that_is_switched_on_is_no_movement() -> None:
    motion = Motion(20)
    for step in range(10):
        motion.update(np.clip(room().astype(int) + 30 * (step > 4), 0, 255).astype(np.uint8))
    assert motion.is_quiet


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, -2), (2.5, 1.5)])
def test_a_shaken_camera_is_measured_and_its_room_is_quiet(right: float, down: float) -> None:
    motion = Motion(20)
    motion.update(room())
    motion.update(shifted(room(), right, down))
    assert np.multiply(motion.shift, SIZE) == pytest.approx((right, down), abs=0.5)
    assert motion.is_quiet


def test_a_person_who_walks_does_not_shake_the_camera() -> None:
    motion, steps = Motion(20), []
    for step in range(10):
        motion.update(with_square(4 + 4 * step, 8, side=24))
        steps.append(motion.shift)
    assert steps == [(0.0, 0.0)] * 10


def test_another_scene_is_no_shake() -> None:
    motion = Motion(20)
    motion.update(room(1))
    motion.update(room(2))
    assert motion.shift == (0.0, 0.0)


def test_after_a_gap_nothing_has_moved() -> None:
    motion = Motion(20)
    motion.update(with_square(10, 10))
    motion.update(with_square(30, 10))
    motion.clear()
    motion.update(with_square(50, 10))
    assert motion.is_quiet
