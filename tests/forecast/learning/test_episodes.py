"""Episodes become a course of states, with what was not seen left open."""

from __future__ import annotations

import time

from harstream.forecast.learning.episodes import Away, Episode, Interval, intervals
from harstream.forecast.model.states import States

HOME = States(("Eat", "Sleep"))
EAT, SLEEP, AFTER_EAT, AFTER_SLEEP = range(4)


def test_between_two_activities_it_is_unknown() -> None:
    course = intervals([Episode("Eat", 0, 60), Episode("Sleep", 90, 500)], [], HOME)

    assert course == [
        Interval(EAT, 0, 60, AFTER_EAT, None),
        Interval(AFTER_EAT, 60, 90, SLEEP, EAT),
        Interval(SLEEP, 90, 500, AFTER_SLEEP, EAT),
    ]


def test_an_activity_that_starts_at_once_follows_directly() -> None:
    course = intervals([Episode("Eat", 0, 60), Episode("Sleep", 60, 500)], [], HOME)

    assert course[0] == Interval(EAT, 0, 60, SLEEP, None)
    assert len(course) == 2


def test_the_later_of_two_overlapping_episodes_ends_the_earlier_one() -> None:
    course = intervals([Episode("Eat", 0, 80), Episode("Sleep", 60, 500)], [], HOME)

    assert course[0] == Interval(EAT, 0, 60, SLEEP, None)


def test_an_end_that_was_not_seen_has_no_follower() -> None:
    course = intervals([Episode("Eat", 0, 60, is_end_seen=False), Episode("Sleep", 90, 500)], [], HOME)

    assert course[0] == Interval(EAT, 0, 60, None, None)


def test_what_happens_while_the_camera_is_away_is_not_learned() -> None:
    course = intervals([Episode("Eat", 0, 60), Episode("Sleep", 900, 950)], [Away(100, 800)], HOME)

    assert course == [
        Interval(EAT, 0, 60, AFTER_EAT, None),
        Interval(AFTER_EAT, 60, 100, None, EAT),
        Interval(AFTER_EAT, 800, 900, None, EAT),
        Interval(SLEEP, 900, 950, AFTER_SLEEP, None),
    ]


def test_activities_of_another_model_are_left_out() -> None:
    course = intervals([Episode("Dance", 0, 60), Episode("Eat", 70, 80)], [], HOME)

    assert course == [Interval(EAT, 70, 80, AFTER_EAT, None)]


def test_no_episodes_give_an_empty_course() -> None:
    assert intervals([], [Away(0, 10)], HOME) == []


def test_an_outage_counts_also_if_a_longer_one_began_before_it() -> None:
    """A clock that was set back lets outages overlap."""
    course = intervals([Episode("Eat", 0, 60), Episode("Sleep", 90, 500)], [Away(10, 75), Away(20, 30)], HOME)

    assert [(each.start, each.end) for each in course if each.state == AFTER_EAT] == [(75, 90)]
    assert course[-1].previous is None


def test_a_year_of_a_camera_that_goes_away_all_the_time_is_read_in_seconds() -> None:
    """With each outage compared to each pause, it took minutes."""
    episodes = [Episode("Eat" if number % 2 else "Sleep", 100 * number, 100 * number + 50) for number in range(30_000)]
    away = [Away(100 * number + 60, 100 * number + 70) for number in range(30_000)]
    began = time.process_time()

    course = intervals(episodes, away, HOME)

    assert time.process_time() - began < 10
    assert len(course) == 3 * 30_000 - 2
