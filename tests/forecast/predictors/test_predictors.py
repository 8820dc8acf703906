"""Predictors learn a household's habits, and know nothing without a past."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from harstream.forecast.learning.episodes import Episode, intervals
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.states import States
from harstream.forecast.model.waiting_time import TIMES, quantiles
from harstream.forecast.predictors.mix import Mix, Predictors
from harstream.forecast.predictors.protocol import HALF_LIFE, Past, Predictor, Situation

HOME = States(("Sleep", "Shower", "Breakfast", "Work"))
SLEEP, SHOWER, BREAKFAST, WORK = range(4)
MONDAY = 4 * 86400.0
HORIZONS = (60.0, 1800.0)
KINDS = ("baseline", "hmm", "dbn", "mix")


def regular_days(days: int) -> list[Episode]:
    """Sleep from 23:00, shower at 7:05 for ten minutes, breakfast at 7:20 for half an hour, work from 9 to 18."""
    random = np.random.default_rng(12)
    episodes = []
    for day in range(days):
        begins = MONDAY + day * 86400 + random.normal(0, 120)
        episodes += [
            Episode("Sleep", begins - 3600, begins + 7 * 3600),
            Episode("Shower", begins + 7 * 3600 + 300, begins + 7 * 3600 + 900),
            Episode("Breakfast", begins + 7 * 3600 + 1200, begins + 7 * 3600 + 3000),
            Episode("Work", begins + 9 * 3600, begins + 18 * 3600),
        ]
    return episodes


def fitted(kind: str, days: int) -> Predictor:
    course = intervals(regular_days(days), [], HOME)
    predictors = Predictors.fit(Past(HOME, course, UTC, MONDAY + days * 86400), HORIZONS, tick=10.0).by_name()
    return Mix(predictors, {}) if kind == "mix" else predictors[kind]


def situation(state: int, hour: float, activity: int | None, previous: int | None = None) -> Situation:
    belief = np.zeros((HOME.count, PHASES))
    belief[state, 0] = 1.0
    time = MONDAY + 40 * 86400 + hour * 3600
    return Situation(time, belief, activity, time, previous, np.full(4, -np.inf))


@pytest.mark.parametrize("kind", KINDS)
def test_breakfast_follows_the_shower(kind: str) -> None:
    following = fitted(kind, 30).next(situation(SHOWER, 7.1, SHOWER, SLEEP))

    assert following.argmax() == BREAKFAST
    assert following[SHOWER] == 0
    assert following.sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_at_night_sleep_goes_on(kind: str) -> None:
    ahead = fitted(kind, 30).going_on(situation(SLEEP, 2.0, SLEEP), HORIZONS)

    assert ahead.shape == (2, 5)
    np.testing.assert_allclose(ahead.sum(axis=1), 1.0)
    assert ahead.argmax(axis=1).tolist() == [SLEEP, SLEEP]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_past_all_activities_are_equally_likely(kind: str) -> None:
    predictor = fitted(kind, 0)

    np.testing.assert_allclose(predictor.next(situation(HOME.at_start, 7.0, None)), 0.25, atol=0.01)
    ahead = predictor.going_on(situation(HOME.at_start, 7.0, None), HORIZONS)
    np.testing.assert_allclose(ahead.sum(axis=1), 1.0)
    np.testing.assert_allclose(ahead[:, :4], ahead[:, :1].repeat(4, axis=1), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_begins_is_likelier_within_a_longer_time(kind: str) -> None:
    within = fitted(kind, 30).beginning(situation(SHOWER, 7.1, SHOWER, SLEEP), (60.0, 900.0, 1800.0, 7200.0))

    assert within.shape == (4, 4)
    assert (np.diff(within, axis=0) >= 0).all()
    assert ((within >= 0) & (within <= 1)).all()
    assert within[2].argmax() == BREAKFAST


@pytest.mark.parametrize("kind", KINDS)
def test_the_times_of_an_end_and_of_a_change_only_grow(kind: str) -> None:
    predictor, shower = fitted(kind, 30), situation(SHOWER, 7.1, SHOWER, SLEEP)

    for within in (predictor.ending(shower, SHOWER), predictor.changing(shower)):
        assert within.shape == TIMES.shape
        assert within[0] == 0
        assert (np.diff(within) >= 0).all()
        assert 0.9 < within[-1] <= 1


@pytest.mark.parametrize("kind", ["hmm", "dbn", "mix"])
def test_a_shower_ends_after_ten_minutes_and_breakfast_begins_after_fifteen(kind: str) -> None:
    predictor, shower = fitted(kind, 30), situation(SHOWER, 7.1, SHOWER, SLEEP)

    [end] = quantiles(predictor.ending(shower, SHOWER), (0.5,))
    [change] = quantiles(predictor.changing(shower), (0.5,))

    assert 6 * 60 < end < 15 * 60
    assert 10 * 60 < change < 25 * 60


@pytest.mark.parametrize("kind", ["dbn", "mix"])
def test_what_follows_here_begins_sooner_than_counts_alone_say(kind: str) -> None:
    """Tea follows Eat after Sleep, and Wash follows Eat after Walk. Only the activity before tells them apart."""
    names = ("Sleep", "Walk", "Eat", "Tea", "Wash")
    rounds = [("Sleep", "Eat", "Tea"), ("Walk", "Eat", "Wash")] * 30
    order = [name for each in rounds for name in each]
    episodes = [Episode(name, MONDAY + 600 * number, MONDAY + 600 * number + 590) for number, name in enumerate(order)]
    states = States(names)
    past = Past(states, intervals(episodes, [], states), UTC, MONDAY + 600 * len(order))
    predictors = Predictors.fit(past, HORIZONS, tick=10.0).by_name()
    belief = np.zeros((states.count, PHASES))
    belief[2, 0] = 1.0
    eat = Situation(MONDAY + 86400, belief, 2, MONDAY + 86400, 0, np.full(5, -np.inf))

    within, counted = (each.beginning(eat, (900.0,))[0] for each in (predictors["dbn"], predictors["hmm"]))
    if kind == "mix":
        within = Mix(predictors, {}).beginning(eat, (900.0,))[0]

    assert within[3] > counted[3] + 0.02
    assert within[4] < counted[4] - 0.02


def test_a_room_tells_who_else_is_next() -> None:
    """Eat in the kitchen is followed by Wash, and Eat in the garden by Sleep."""
    states = States(("Eat", "Sleep", "Wash"))
    random, episodes = np.random.default_rng(5), []
    for number, room in enumerate(random.integers(0, 2, 60).tolist()):
        begin = MONDAY + 3600 * number
        episodes += [
            Episode("Eat", begin, begin + 600, room=room),
            Episode("Sleep" if room else "Wash", begin + 700, begin + 1200, room=room),
        ]
    course = intervals(episodes, [], states)
    found = {}
    for rooms in (("kitchen", "garden"), ()):
        past = Past(states, course, UTC, MONDAY + 60 * 3600, rooms)
        dbn = Predictors.fit(past, (), tick=10.0).dbn
        found[rooms] = [dbn.next(in_room(room, states))[1] for room in (0, 1)]

    assert found["kitchen", "garden"][0] < 0.3
    assert found["kitchen", "garden"][1] > 0.7
    assert found[()][0] == found[()][1]


def in_room(room: int, states: States) -> Situation:
    belief = np.zeros((states.count, PHASES))
    belief[0, 0] = 1.0
    return Situation(MONDAY + 86400, belief, 0, MONDAY + 86400, None, np.full(3, -np.inf), room)


def test_the_rhythm_of_the_day_tells_a_nap_from_the_night() -> None:
    """Near 7:00 this household gets up; at 2:00 it sleeps on."""
    hmm = fitted("hmm", 30)
    late, early = (hmm.going_on(situation(SLEEP, hour, SLEEP), (1800.0,))[0, SLEEP] for hour in (6.9, 2.0))

    assert 1 - late > 10 * (1 - early)


def test_what_was_seen_long_ago_counts_less() -> None:
    past = Past(HOME, [], UTC, MONDAY)

    assert past.weight(MONDAY) == 1.0
    assert past.weight(MONDAY - HALF_LIFE) == 0.5
    assert past.weight(MONDAY + 5) == 1.0  # a clock that was set back


def test_habits_outlast_years_without_a_camera() -> None:
    course = intervals(regular_days(30), [], HOME)
    recent, long_ago = (Past(HOME, course, UTC, MONDAY + years * 365 * 86400 + 30 * 86400) for years in (0, 10))

    assert [long_ago.weight(each.start) for each in course] == [recent.weight(each.start) for each in course]


def test_a_single_activity_is_predicted_too() -> None:
    states = States(("Light",))
    course = intervals([Episode("Light", MONDAY, MONDAY + 60), Episode("Light", MONDAY + 90, MONDAY + 150)], [], states)
    past = Past(states, course, UTC, MONDAY + 200)
    belief = np.zeros((3, PHASES))
    belief[0, 0] = 1.0
    light = Situation(MONDAY + 200, belief, 0, MONDAY + 200, None, np.full(1, -np.inf))

    for predictor in Predictors.fit(past, HORIZONS).by_name().values():
        assert predictor.next(light).tolist() == [1.0]
        np.testing.assert_allclose(predictor.going_on(light, HORIZONS).sum(axis=1), 1.0)


@pytest.mark.filterwarnings("error")
def test_two_cameras_at_the_same_time_are_two_courses() -> None:
    """A second camera that saw the same days does not change what the first one taught."""
    course = intervals(regular_days(14), [], HOME)
    now, later = situation(SHOWER, 7.2, SHOWER, SLEEP), situation(WORK, 12.0, WORK)
    pasts = [Past(HOME, seen, UTC, MONDAY + 14 * 86400) for seen in (course, course * 2)]
    one, two = (Predictors.fit(past, HORIZONS, tick=10.0).dbn for past in pasts)

    np.testing.assert_allclose(one.next(now), two.next(now), atol=0.1)
    np.testing.assert_allclose(one.going_on(later, HORIZONS), two.going_on(later, HORIZONS), atol=0.1)
