"""Predictors learn a household's habits, and know nothing without a past."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from harstream.forecast.learning.counts import count
from harstream.forecast.learning.episodes import Episode, intervals
from harstream.forecast.learning.semi_markov_fit import PHASES, WIDTHS
from harstream.forecast.model.states import States
from harstream.forecast.predictors.baseline import Baseline
from harstream.forecast.predictors.dbn import Dbn
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.mix import Predictors
from harstream.forecast.predictors.protocol import HALF_LIFE, Past, Predictor, Situation

HOME = States(("Sleep", "Shower", "Breakfast", "Work"))
SLEEP, SHOWER, BREAKFAST, WORK = range(4)
MONDAY = 4 * 86400.0
HORIZONS = (60.0, 1800.0)
KINDS = ("baseline", "hmm", "dbn")


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
    past = Past(HOME, course, UTC, MONDAY + days * 86400)
    counts = count(course, HOME.count, WIDTHS, UTC, past.weight)
    match kind:
        case "baseline":
            return Baseline(past, counts)
        case "hmm":
            return Hmm(past, counts, tick=10.0)
        case _:
            return Dbn(past, HORIZONS)


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
    one, two = (Dbn(Past(HOME, seen, UTC, MONDAY + 14 * 86400), HORIZONS) for seen in (course, course * 2))

    np.testing.assert_allclose(one.next(now), two.next(now), atol=0.1)
    np.testing.assert_allclose(one.going_on(later, HORIZONS), two.going_on(later, HORIZONS), atol=0.1)
