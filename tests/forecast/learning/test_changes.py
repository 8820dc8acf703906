"""Changes look through unknown, and end where something was not seen."""

from __future__ import annotations

import numpy as np

from harstream.forecast.learning.changes import changes
from harstream.forecast.learning.episodes import Away, Episode, intervals
from harstream.forecast.model.states import States

HOME = States(("Eat", "Sleep", "Wash"))


def found(episodes: list[Episode], *away: Away) -> list[tuple[int, float, int | None, int, float]]:
    course = intervals(episodes, list(away), HOME)
    return [(row.activity, row.since, row.previous, row.next, row.at) for row in changes(course, 3)]


def test_a_change_leads_to_the_next_other_activity() -> None:
    episodes = [Episode("Eat", 0, 60), Episode("Sleep", 90, 500), Episode("Wash", 600, 700)]

    assert found(episodes) == [(0, 0, None, 1, 90), (1, 90, 0, 2, 600)]


def test_an_interrupted_activity_is_one() -> None:
    episodes = [Episode("Eat", 0, 60), Episode("Eat", 90, 120), Episode("Wash", 130, 150)]

    assert found(episodes) == [(0, 0, None, 2, 130)]


def test_nothing_leads_over_an_outage() -> None:
    episodes = [Episode("Eat", 0, 60), Episode("Sleep", 900, 950), Episode("Wash", 960, 970)]

    assert found(episodes, Away(100, 800)) == [(1, 900, None, 2, 960)]


def test_a_change_knows_when_each_activity_ended_last() -> None:
    episodes = [Episode("Eat", 0, 60), Episode("Sleep", 90, 500), Episode("Wash", 600, 700), Episode("Eat", 710, 720)]

    last = list(changes(intervals(episodes, [], HOME), 3))[-1]

    np.testing.assert_allclose(last.ended, [60, 500, -np.inf])


def test_each_camera_begins_without_a_past() -> None:
    course = [
        *intervals([Episode("Eat", 0, 60), Episode("Sleep", 90, 500)], [], HOME),
        *intervals([Episode("Wash", 0, 60), Episode("Eat", 80, 90)], [], HOME),
    ]

    rows = list(changes(course, 3))

    assert [(row.activity, row.next) for row in rows] == [(0, 1), (2, 0)]
    np.testing.assert_array_equal(rows[1].ended, -np.inf)
