"""Lenses, mounts and sensors change windows in their own ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.training.augmentation import sensors

Frames = NDArray[np.uint8]


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def still(level: int = 100) -> Frames:
    return np.full((8, 32, 32, 3), level, np.uint8)


@pytest.mark.parametrize("change", [sensors.noisy, sensors.darkened, sensors.softened, sensors.fisheye])
def test_a_change_keeps_shape_and_type_and_follows_from_the_seed(
    change: Callable[[Frames, np.random.Generator], Frames],
) -> None:
    window = generator().integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    for seed in range(10):
        once, again = (change(window.copy(), generator(seed)) for _ in range(2))
        assert (once.shape, once.dtype) == (window.shape, np.uint8)
        assert np.array_equal(once, again)


def test_noise_is_new_in_each_frame_and_within_its_strengths() -> None:
    strengths = []
    for seed in range(30):
        made = sensors.noisy(still(), generator(seed))
        assert not np.array_equal(made[0], made[1])
        strengths.append(made.astype(float).std())
    assert min(strengths) < 3
    assert 8 < max(strengths) < sensors.NOISE[1] + 0.5


def test_some_noise_has_no_colour() -> None:
    without = [bool((np.ptp(sensors.noisy(still(), generator(seed)), axis=-1) == 0).all()) for seed in range(30)]
    assert 5 < sum(without) < 25


def test_a_dark_window_has_at_most_half_of_its_light() -> None:
    for seed in range(20):
        assert sensors.darkened(still(200), generator(seed)).max() <= 112  # half of 200, and a sensor's black of 12


def test_a_soft_window_keeps_its_light_and_loses_its_edges() -> None:
    window = still()
    window[:, :, 16:] = 200
    made = sensors.softened(window, generator())
    assert made.mean() == pytest.approx(window.mean(), abs=1)
    assert len(np.unique(made)) > 2


def test_a_fisheye_shows_less_than_black_corners_or_all_of_the_middle() -> None:
    corners = [int(sensors.fisheye(still(), generator(seed))[0, 0, 0, 0]) for seed in range(30)]
    assert min(corners) < 20  # some lenses show their edge
    assert all(sensors.fisheye(still(), generator(seed))[0, 16, 16, 0] == 100 for seed in range(30))


def test_steps_stay_within_the_strongest_shake_or_drift() -> None:
    drawn = [sensors.shaken_steps(20, generator(seed)) for seed in range(200)]
    assert all(steps.shape == (20, 2) for steps in drawn)
    between = [float(np.abs(np.diff(steps, axis=0)).max()) for steps in drawn]
    assert max(between) <= 2 * sensors.SHAKING[1]
    assert sum(each < 2.4 for each in between) > 60  # about half are what a correction leaves
