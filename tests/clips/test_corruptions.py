"""Pictures change as other cameras, rooms and nights change them, always in the same way for the same clip."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from harstream.clips.corruptions import (
    AROUND,
    KINDS,
    at_night,
    beside,
    corrupted,
    darkened,
    letterboxed,
    shaken,
    smaller,
    through_fisheye,
    with_television,
)
from harstream.models.picture import Picture, Pixels
from harstream.models.transform import BgrPicture


def flat(level: int, height: int = 40, width: int = 60) -> Pixels:
    return np.full((height, width, 3), level, np.uint8)


def noise(seed: int, height: int = 40, width: int = 60) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def clip(*levels: int, interval: float = 1.0) -> Iterable[tuple[float, Picture]]:
    """Returns a clip with one picture for each level, `interval` seconds apart."""
    return [(number * interval, BgrPicture(flat(level))) for number, level in enumerate(levels)]


def test_a_smaller_person_has_half_the_height_and_width_of_the_view() -> None:
    made = smaller(flat(200))
    assert made.shape == (80, 120, 3)
    assert (made[20:60, 30:90] == 200).all()
    assert (made == 200).sum() == 40 * 60 * 3
    assert (made[:20] == AROUND).all()


def test_a_letterbox_adds_black_bars_above_and_below() -> None:
    made = letterboxed(flat(200))
    bar = (made.shape[0] - 40) // 2
    assert made.shape[1] == 60
    assert bar > 0
    assert (made[:bar] == 0).all()
    assert (made[-bar:] == 0).all()
    assert (made[bar:-bar] == 200).all()


def test_a_shaken_view_is_a_part_of_the_picture_that_moves() -> None:
    picture = noise(1)
    made = [shaken(picture, np.random.default_rng(seed)) for seed in range(20)]
    assert {each.shape for each in made} == {made[0].shape}
    assert all(small < large for small, large in zip(made[0].shape[:2], picture.shape[:2], strict=True))
    places = {each.tobytes() for each in made}
    assert len(places) > 10


def test_night_is_darker_and_has_the_noise_of_a_sensor() -> None:
    made = at_night(flat(200, 200, 200), np.random.default_rng(1)).astype(float)
    assert 60 < made.mean() < 140
    assert made.std() == pytest.approx(21, abs=0.5)


def test_darkness_keeps_the_order_of_levels_but_fewer_than_half_of_them() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    made = darkened(ramp)[0, :, 0].astype(int)
    assert (np.diff(made) >= 0).all()
    assert made.max() < 128  # less than half of the light
    assert len(np.unique(made)) < 128


def test_a_fisheye_keeps_the_middle_and_bends_straight_lines() -> None:
    picture = flat(0, 201, 301)
    picture[40:43] = 255  # a line above the middle
    made = through_fisheye(picture)[..., 0]
    row_at = [int(made[:, column].argmax()) for column in (150, 50)]
    assert row_at[0] < row_at[1]  # the line sinks towards the sides, as a barrel's staves do
    centred = flat(0, 41, 61)
    centred[20, 30] = 255
    assert through_fisheye(centred)[20, 30].tolist() == [255, 255, 255]


def test_a_second_clip_stands_on_the_right_at_the_same_height() -> None:
    made = beside(flat(10, 90, 80), flat(20, 45, 40))
    assert made.shape == (90, 160, 3)  # 16:9
    assert (made[:, :80] == 10).all()
    assert (made[:, 80:] == 20).all()


def test_a_wide_pair_gets_grey_above_and_below() -> None:
    made = beside(flat(10, 90, 160), flat(20, 90, 160))
    assert made.shape == (180, 320, 3)
    assert (made[:45] == AROUND).all()
    assert (made[135:] == AROUND).all()
    assert (made[45:135, :160] == 10).all()
    assert (made[45:135, 160:] == 20).all()


def test_a_television_is_in_the_corner_of_a_view_of_twice_the_size() -> None:
    made = with_television(flat(10), flat(20))
    assert made.shape == (80, 120, 3)
    assert (made[:20, :30] == 20).all()
    assert (made[30:60, 40:90] == 10).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_changes_in_the_same_way_every_time(kind: str) -> None:
    def changed() -> list[tuple[float, Pixels]]:
        pictures = [(number / 10, BgrPicture(noise(number))) for number in range(4)]
        made = corrupted(lambda: pictures, kind, seed=5, other=lambda: clip(1, 2, 3))
        return [(time, picture.bgr()) for time, picture in made]

    once, again = changed(), changed()
    assert [time for time, _ in once] == [0.0, 0.1, 0.2, 0.3]
    assert all(np.array_equal(one, other) for (_, one), (_, other) in zip(once, again, strict=True))
    assert not any(np.array_equal(picture, noise(number)) for number, (_, picture) in enumerate(once))


@pytest.mark.parametrize("kind", ["shake", "night"])
def test_each_picture_is_shaken_or_noisy_in_its_own_way(kind: str) -> None:
    pictures = [(float(number), BgrPicture(noise(1))) for number in range(3)]
    first, second, third = (picture.bgr() for _, picture in corrupted(lambda: pictures, kind, seed=1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_a_picture_changes_the_same_if_others_are_not_looked_at() -> None:
    pictures = [(float(number), BgrPicture(noise(1))) for number in range(3)]
    _, last = list(corrupted(lambda: pictures, "night", seed=1))[-1]
    _, again = list(corrupted(lambda: pictures, "night", seed=1))[-1]
    last.bgr()
    assert np.array_equal(last.bgr(), again.bgr())


def test_the_second_clip_goes_on_in_time_and_starts_again() -> None:
    """The other clip has two pictures, one second apart: time 0 1 2 3 gives A B A B."""
    made = corrupted(lambda: clip(1, 2, 3, 4), "two", seed=1, other=lambda: clip(50, 60))
    assert [picture.bgr()[20, -1, 0] for _, picture in made] == [50, 60, 50, 60]


def test_a_slower_second_clip_shows_its_newest_picture() -> None:
    made = corrupted(lambda: clip(1, 2, 3, 4, 5), "two", seed=1, other=lambda: clip(50, 60, 70, interval=2.0))
    assert [picture.bgr()[20, -1, 0] for _, picture in made] == [50, 50, 60, 60, 70]


def test_a_second_clip_of_one_picture_stays() -> None:
    made = corrupted(lambda: clip(1, 2, 3), "two", seed=1, other=lambda: clip(50))
    assert [picture.bgr()[20, -1, 0] for _, picture in made] == [50, 50, 50]


def test_a_changed_picture_becomes_a_model_frame_as_any_other() -> None:
    _, made = next(iter(corrupted(lambda: clip(200), "dark", seed=1)))
    frame = made.model_frame(16, 8)
    assert frame.shape == (16, 8, 3)
    assert (frame == made.bgr()[0, 0]).all()
