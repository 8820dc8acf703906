from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from harstream.scene.film import frames
from harstream.scene.script import ACTIVITIES, Segment, script, single


def pictures(activity: str, seed: int, seconds: float = 1.0, take: int = 0) -> list[NDArray[np.uint8]]:
    return [picture for _, picture in frames(single(activity, take, seconds), seed)]


def test_frames_are_colour_pictures_one_period_of_the_rate_apart() -> None:
    shown = list(frames(single("JumpRope", 0, 0.5), 1, rate=20.0))
    assert [time for time, _ in shown] == pytest.approx([number / 20 for number in range(10)])
    assert all(picture.shape == (240, 320, 3) and picture.dtype == np.uint8 for _, picture in shown)


def test_two_people_move_beside_each_other_and_not_in_the_middle() -> None:
    scripts = [single(activity, 0, 2.0) for activity in ("Punch", "JumpRope")]
    film = np.stack([picture.mean(axis=2) for _, picture in frames(scripts[0], 8, 10.0, (426, 240), scripts[1:])])
    moving = (film.std(axis=0) > 15).mean(axis=0)
    left, middle, right = moving[:192], moving[192:234], moving[234:]
    assert min(left.mean(), right.mean()) > 0.01 > middle.mean()


def test_somebody_beside_another_person_stays_in_place_in_every_pause() -> None:
    """Alone, a person may walk about or leave the picture."""
    pauses = [Segment(None, 6.0 * number, 6.0 * number + 6, number) for number in range(8)]
    film = frames(pauses, 8, 2.0, (426, 240), [single(None, 0, 48.0)])
    pictures = np.stack([picture.mean(axis=2) for _, picture in film])
    assert (pictures.std(axis=0) > 15)[:, 192:234].mean() < 0.05


def test_size_is_width_by_height() -> None:
    _, picture = next(frames(single(None, 0, 1.0), 1, size=(200, 160)))
    assert picture.shape == (160, 200, 3)


def test_one_seed_draws_the_same_film_again() -> None:
    assert np.array_equal(pictures("Lunges", 5), pictures("Lunges", 5))


def test_another_seed_draws_another_film() -> None:
    assert np.abs(pictures("Lunges", 5)[0].astype(int) - pictures("Lunges", 6)[0]).mean() > 5


def test_another_take_moves_differently_in_the_same_place() -> None:
    first, second = pictures("Lunges", 5, 0.2)[0], pictures("Lunges", 5, 0.2, take=1)[0]
    changed = np.abs(first.astype(int) - second).max(axis=2) > 25
    assert 0.005 < changed.mean() < 0.3


def test_each_picture_is_a_new_array() -> None:
    film = frames(single("Punch", 0, 1.0), 2)
    _, first = next(film)
    kept = first.copy()
    first[:] = 0
    _, second = next(film)
    assert second.mean() > kept.mean() * 0.9


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("activity", ACTIVITIES)
def test_the_person_moves_in_every_activity(activity: str, seed: int) -> None:
    film = np.stack([picture[::2, ::2].mean(axis=2) for picture in pictures(activity, seed, 2.5)])
    still = film.std(axis=0)
    assert (still > 15).mean() > 0.01


def test_a_film_of_a_script_continues_across_its_segments() -> None:
    segments = [Segment(None, 0.0, 0.4), Segment("PushUps", 0.4, 1.2, 1), Segment(None, 1.2, 2.0, 2)]
    assert len(list(frames(segments, 3))) == 50


def test_an_endless_script_gives_frames_at_once() -> None:
    assert len(list(islice(frames(script(1, None), 1), 5))) == 5
