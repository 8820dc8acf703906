"""The course of a home joins its cameras, and says which camera sees what."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.forecast.learning.episodes import Away, Episode, Interval, intervals
from harstream.forecast.learning.home import SEEN, STRENGTH, emission_of, home_away, home_episodes, seen_shares
from harstream.forecast.model.states import States

STATES = States(("Cook", "Sleep", "Wash"))
KITCHEN, BEDROOM = 0, 1


def test_the_one_that_began_last_goes_on_and_the_outer_one_resumes() -> None:
    kitchen, bath = [Episode("Sleep", 0, 100, room=0)], [Episode("Wash", 40, 50, room=1)]

    for seen in ([kitchen, bath], [bath, kitchen]):
        assert home_episodes(seen) == [
            Episode("Sleep", 0, 40, room=0), Episode("Wash", 40, 50, room=1), Episode("Sleep", 50, 100, room=0),
        ]  # fmt: skip


def test_cameras_that_see_the_same_activity_give_one_episode() -> None:
    kitchen, door = [Episode("Cook", 0, 60, room=0)], [Episode("Cook", 50, 70, is_end_seen=False, room=1)]

    assert home_episodes([kitchen, door]) == [Episode("Cook", 0, 70, is_end_seen=False, room=0)]


def test_while_a_camera_is_away_no_activity_is_not_known() -> None:
    away = home_away([[Away(100, 200)], [Away(150, 300)]])
    seen = [[Episode("Cook", 0, 50, room=KITCHEN)], [Episode("Sleep", 400, 500, room=BEDROOM)]]

    course = intervals(home_episodes(seen), away, STATES)

    assert away == [Away(100, 300)]
    assert course == [
        Interval(0, 0, 50, STATES.after(0), None, KITCHEN),
        Interval(STATES.after(0), 50, 100, None, 0),
        Interval(STATES.after(0), 300, 400, None, 0),
        Interval(1, 400, 500, STATES.after(1), None, BEDROOM),
    ]


def test_an_activity_that_another_camera_sees_is_known_while_one_is_away() -> None:
    seen = [[Episode("Cook", 0, 50)], [Episode("Sleep", 60, 90)]]

    course = intervals(home_episodes(seen), home_away([[Away(55, 200)], []]), STATES)

    assert [(each.state, each.start, each.end) for each in course] == [
        (0, 0, 50),
        (STATES.after(0), 50, 55),
        (1, 60, 90),
    ]


def shares(episodes: list[Episode], away: list[Away], home: list[Episode]) -> list[float]:
    course = intervals(home, [], STATES)
    return seen_shares(course, episodes, away, STATES, lambda _: 1.0).tolist()


def learned(seen: float, times: float) -> float:
    return (STRENGTH * SEEN + seen) / (STRENGTH + times)


def test_a_camera_sees_what_it_has_seen() -> None:
    cooked = [Episode("Cook", day * 1000, day * 1000 + 100) for day in range(8)]
    slept = [Episode("Sleep", day * 1000 + 500, day * 1000 + 600) for day in range(8)]

    cook, sleep, wash = shares(cooked, [], sorted([*cooked, *slept], key=lambda each: each.start))

    assert cook == pytest.approx(learned(8, 8))
    assert sleep == pytest.approx(learned(0, 8))
    assert wash == SEEN


def test_a_camera_that_came_later_or_was_away_did_not_miss_anything() -> None:
    home = [Episode("Cook", day * 1000, day * 1000 + 100) for day in range(8)]

    cook, *_ = shares(home[4:], [Away(5990, 6100)], home)

    assert cook == pytest.approx(learned(3, 3))


def test_a_camera_that_saw_half_of_it() -> None:
    home = [Episode("Cook", 0, 100), Episode("Cook", 1000, 1100)]

    cook, *_ = shares([Episode("Cook", 0, 100), Episode("Cook", 1000, 1000 + 50)], [], home)

    assert cook == pytest.approx(learned(1.5, 2))


def test_a_camera_without_a_past_may_see_everything() -> None:
    assert shares([], [], [Episode("Cook", 0, 100)]) == [SEEN] * 3


def test_a_camera_that_does_not_see_an_activity_shows_nothing_then() -> None:
    camera = np.full((STATES.count, 4), 0.1)
    camera[np.arange(STATES.count), STATES.shows] = 0.7

    emission = emission_of(camera, np.array([1.0, 0.0, 0.5]), STATES)

    np.testing.assert_allclose(emission[0], camera[0])
    np.testing.assert_allclose(emission[1], camera[STATES.at_start])
    np.testing.assert_allclose(emission[2], [0.1, 0.1, 0.4, 0.4])
    np.testing.assert_allclose(emission[3:], camera[3:])
    np.testing.assert_allclose(emission.sum(axis=1), 1)
