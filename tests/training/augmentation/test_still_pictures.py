"""In a still window nobody moves."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.training.augmentation import still_pictures
from harstream.training.augmentation.still_pictures import MOTIONS, still_window


def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (48, 48, 3), dtype=np.uint8)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_one_window_in_five_does_not_move_at_all() -> None:
    windows = [still_window(picture(), 6, generator(seed)) for seed in range(100)]
    assert {window.shape for window in windows} == {(6, 48, 48, 3)}
    unmoved = [all(np.array_equal(frame, picture()) for frame in window) for window in windows]
    assert 8 < sum(unmoved) < 35


@pytest.mark.parametrize("move", MOTIONS[1:])
def test_what_moves_is_no_person_and_follows_from_the_seed(move) -> None:  # type: ignore[no-untyped-def]
    moves = 0
    for seed in range(10):
        once, again = (move(np.repeat(picture()[None], 6, axis=0), generator(seed)) for _ in range(2))
        assert np.array_equal(once, again)
        moves += not np.array_equal(once[0], once[-1])
    assert moves >= 9


@pytest.mark.parametrize(("move", "largest"), [(still_pictures._curtain, 0.5), (still_pictures._fan, 0.21)])
def test_a_curtain_and_a_fan_move_a_part_of_the_picture_only(move, largest: float) -> None:  # type: ignore[no-untyped-def]
    for seed in range(10):
        made = move(np.repeat(picture()[None], 6, axis=0), generator(seed))
        changed = (made != picture()).any(axis=(0, 3)).mean()
        assert changed <= largest  # half of the width; a square of 0.44, of which a disc takes less


def test_flicker_changes_the_light_of_the_whole_picture() -> None:
    flat = np.full((6, 8, 8, 3), 100, np.uint8)
    for seed in range(10):
        made = still_pictures._flicker(flat.copy(), generator(seed))
        assert all(len(np.unique(frame)) == 1 for frame in made)
        assert 64 <= made.min() <= made.max() <= 135


def test_the_picture_itself_is_not_changed() -> None:
    given = picture()
    for seed in range(20):
        still_window(given, 4, generator(seed))
    assert np.array_equal(given, picture())
