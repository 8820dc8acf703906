"""The defects of a cheap camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harstream.scene.patch import Picture
from harstream.scene.sensor import Sensor, sensor

HEIGHT, WIDTH = 24, 32
SQUARE = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
SQUARE[8:16, 12:20] = 200
CLEAN = Sensor(
    shade=np.full((HEIGHT, WIDTH, 3), 255, np.uint8),
    grain=np.random.default_rng(1).integers(0, 256, (HEIGHT + 64, WIDTH + 64, 3), dtype=np.uint8),
    noise=0.0, shake=0.0, flicker=0.0, blur=0.0, gain=1.0, start=2.0,
)  # fmt: skip


def taken(camera: Sensor, time: float = 1.0, number: int = 0) -> Picture:
    return camera.take(SQUARE.copy(), time, number)


def test_a_sensor_without_defects_records_the_picture() -> None:
    assert (taken(CLEAN) == SQUARE).all()


def test_gain_brightens_and_stays_below_256() -> None:
    picture = taken(replace(CLEAN, gain=1.5))
    assert (picture[0, 0, 0], picture[10, 15, 0]) == (60, 255)


def test_shade_darkens_each_pixel_by_its_own_share() -> None:
    shade = CLEAN.shade.copy()
    shade[0, 0] = (51, 255, 0)
    assert taken(replace(CLEAN, shade=shade))[0, 0].tolist() == [8, 40, 0]  # 40 / 5, 40 and 0


def test_blur_softens_edges() -> None:
    picture = taken(replace(CLEAN, blur=0.9))
    assert 40 < picture[7, 15, 0] < picture[8, 15, 0] < 200


def test_noise_is_new_in_each_frame_and_the_same_for_the_same_frame() -> None:
    noisy = replace(CLEAN, noise=0.2)
    assert (taken(noisy, number=4) == taken(noisy, number=4)).all()
    assert (taken(noisy, number=4) != taken(noisy, number=5)).any()
    assert float(taken(noisy).mean()) == pytest.approx(float(SQUARE.mean()), abs=2)


def test_flicker_changes_the_brightness_over_time() -> None:
    means = [float(taken(replace(CLEAN, flicker=0.05), time=time / 10).mean()) for time in range(20)]
    assert max(means) > min(means) + 1
    assert len({float(taken(CLEAN, time=time / 10).mean()) for time in range(20)}) == 1


def test_shake_moves_the_picture_and_keeps_its_size() -> None:
    places = [
        np.argwhere(taken(replace(CLEAN, shake=2.0), time=time)[..., 0] > 120).mean(axis=0)
        for time in (0.0, 0.6, 1.2, 1.8)
    ]
    assert np.ptp(np.stack(places), axis=0).min() > 0.5
    assert taken(replace(CLEAN, shake=2.0)).shape == SQUARE.shape


def test_the_given_picture_is_not_changed() -> None:
    picture = SQUARE.copy()
    sensor(np.random.default_rng(3), WIDTH, HEIGHT).take(picture, 1.0, 1)
    assert (picture == SQUARE).all()


def test_a_seed_gives_one_sensor_with_settings_in_their_ranges() -> None:
    first, second = (sensor(np.random.default_rng(5), WIDTH, HEIGHT) for _ in range(2))
    assert (first.shade == second.shade).all()
    assert (first.noise, first.start) == (second.noise, second.start)
    for seed in range(20):
        made = sensor(np.random.default_rng(seed), WIDTH, HEIGHT)
        assert made.shade.shape == (HEIGHT, WIDTH, 3)
        assert made.grain.shape == (HEIGHT + 64, WIDTH + 64, 3)
        assert 0.04 <= made.noise <= 0.3
        assert 0.85 <= made.gain <= 1.2
        assert made.shade[0, 0].sum() <= made.shade[HEIGHT // 2, WIDTH // 2].sum()  # corners are darker
