"""A view shows a clip as another camera would, in the model's size, and never changes the given frames."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.training.augmentation.action_box import action_box
from harstream.training.augmentation.presets import AUGMENTATIONS
from harstream.training.augmentation.views import Other, Views, joined, seen

VIEWS: Views = AUGMENTATIONS["views"]  # type: ignore[assignment]
UNCHANGED: dict[str, Any] = {
    each.name: (1.0, 1.0) if each.type == "Range" else 0.0 for each in fields(Views) if each.name != "stored"
}
PLAIN = replace(VIEWS, **UNCHANGED)
"""Nothing but a box of the action itself, half of the time mirrored, and a small change of the tint."""
SIZE = 32, 32


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def window(seed: int = 1) -> NDArray[np.uint8]:
    return generator(seed).integers(0, 256, (6, 48, 48, 3), dtype=np.uint8)


def blinking() -> NDArray[np.uint8]:
    """Returns a window in which the middle quarter, 24 pixels wide and high, blinks on black."""
    frames = np.zeros((6, 48, 48, 3), np.uint8)
    frames[::2, 12:36, 12:36] = 200
    return frames


def view_of(
    given: NDArray[np.uint8], other: Other | None, size: tuple[int, int], how: Views, random: np.random.Generator
) -> NDArray[np.uint8]:
    return seen(given, action_box(given), other, size, how, random)


def test_a_view_has_the_models_size_and_follows_from_the_seed() -> None:
    given, other = window(), Other(window(2), is_background=True)
    for seed in range(60):
        once, again = (view_of(given, other, SIZE, VIEWS, generator(seed)) for _ in range(2))
        assert (once.shape, once.dtype) == ((6, 32, 32, 3), np.uint8)
        assert np.array_equal(once, again)
        assert not np.array_equal(once, view_of(given, other, SIZE, VIEWS, generator(seed + 1000)))
    assert np.array_equal(given, window())
    assert np.array_equal(other.frames, window(2))


def test_the_box_around_the_action_fills_the_view() -> None:
    made = view_of(blinking(), None, SIZE, PLAIN, generator())
    assert (made[0, 2:-2, 2:-2] > 150).all()


def test_twice_the_margin_halves_the_action() -> None:
    made = view_of(blinking(), None, SIZE, replace(PLAIN, margin=(2, 2)), generator())
    bright = made[0, ..., 1] > 100
    assert bright.any(axis=0).sum() == pytest.approx(16, abs=1)
    assert bright.any(axis=1).sum() == pytest.approx(16, abs=1)


def test_a_view_larger_than_the_clip_is_surrounded_by_one_colour_or_another_clip() -> None:
    far, other = replace(PLAIN, margin=(4, 4)), Other(np.full((6, 48, 48, 3), 77, np.uint8), is_background=True)
    alone = view_of(blinking(), None, SIZE, far, generator(3))  # the view is limited to 2.4 times the clip
    assert len(np.unique(alone[:, :4].reshape(-1, 3), axis=0)) == 1
    within = view_of(blinking(), other, SIZE, replace(far, surrounded=1), generator(3))
    assert 60 < within[:, :4].mean() < 95  # 77 with another tint


def test_only_background_moves_around_the_clip() -> None:
    far = replace(PLAIN, margin=(4, 4), surrounded=1)
    activity = Other(window(2), is_background=False)
    for seed in range(20):
        edge = view_of(blinking(), activity, SIZE, far, generator(seed))[:, 0]
        assert all(np.array_equal(row, edge[0]) for row in edge)


def test_a_second_clip_beside_covers_one_side() -> None:
    other = Other(np.full((6, 48, 48, 3), 77, np.uint8), is_background=True)
    shares = []
    for seed in range(40):
        made = view_of(blinking(), other, SIZE, replace(PLAIN, beside=1), generator(seed))
        columns: NDArray[np.bool_] = np.all((made[0, ..., 1] > 60) & (made[0, ..., 1] < 95), axis=0)
        assert columns[0] != columns[-1]
        shares.append(columns.mean())
    assert 0.1 <= min(shares) < 0.25
    assert 0.4 < max(shares) <= 0.5


def test_a_television_is_in_a_corner() -> None:
    other = Other(np.full((6, 48, 48, 3), 77, np.uint8), is_background=True)
    made = view_of(blinking(), other, SIZE, replace(PLAIN, television=1), generator())
    is_television = (made[0, ..., 1] > 60) & (made[0, ..., 1] < 95)
    assert 0.02 < is_television.mean() < 0.11  # 15 to 33 % of each side
    assert sum(bool(is_television[corner]) for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1))) == 1


def test_a_shaken_camera_moves_still_pictures_and_a_steady_one_does_not() -> None:
    still = np.repeat(window()[:1], 6, axis=0)
    for seed in range(10):
        steady = view_of(still, None, SIZE, PLAIN, generator(seed))
        assert all(np.array_equal(frame, steady[0]) for frame in steady)
        shaken = view_of(still, None, SIZE, replace(PLAIN, shaken=1), generator(seed))
        assert not np.array_equal(shaken[0], shaken[3])


def test_half_of_the_views_are_mirrored() -> None:
    halves = np.zeros((6, 48, 48, 3), np.uint8)
    halves[:, :, 24:] = 200
    is_right = [bool(view_of(halves, None, SIZE, PLAIN, generator(seed))[0, :, 20:].mean() > 100) for seed in range(40)]
    assert 8 < sum(is_right) < 32


def test_a_far_view_averages_the_pixels_that_it_cannot_show() -> None:
    stripes = np.zeros((6, 96, 96, 3), np.uint8)
    stripes[:, :, ::2] = 200
    made = view_of(stripes, None, (16, 16), PLAIN, generator())  # six pixels of the clip for one of the view
    assert np.ptp(made[0, 2:-2, 2:-2, 1].astype(int)) < 12
    assert 80 < made[0, 2:-2, 2:-2, 1].mean() < 120


def test_the_last_half_of_a_joined_window_is_its_own() -> None:
    given, before, counts = window(), window(2), set()
    for seed in range(40):
        made = joined(given, before, generator(seed))
        count = sum(not np.array_equal(*pair) for pair in zip(made, given, strict=True))
        assert np.array_equal(made[:count], before[-count:])
        assert np.array_equal(made[count:], given[count:])
        counts.add(count)
    assert counts == {1, 2, 3}  # of six frames
    assert np.array_equal(given, window())
    assert np.array_equal(before, window(2))


def test_without_another_window_nothing_moves_until_the_rest_begins() -> None:
    for seed in range(20):
        made = joined(window(), None, generator(seed))
        moves = [not np.array_equal(*pair) for pair in pairwise(made)]
        assert moves == sorted(moves)
        assert any(moves)
        first = moves.index(True)
        assert np.array_equal(made[: first + 1], np.repeat(window()[first : first + 1], first + 1, axis=0))
