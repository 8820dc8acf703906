"""The simulated household gives the diary what a camera would see."""

from __future__ import annotations

import numpy as np

from harstream.forecast.evaluation.household import START, TICK, Life, draw_household, live, past_of, symbols_of
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.model.states import States


def test_activities_are_cut_by_outages() -> None:
    states = States(("Eat", "Sleep"))
    after_eat = states.after(0)
    lived = np.array([0, 0, after_eat, 1, 1, 1, 0])
    episodes, away = past_of(Life(lived, np.array([1, 1, 1, 1, 0, 1, 1], dtype=np.bool_)), states)

    def at(tick: int) -> float:
        return START + TICK * tick

    assert episodes == [
        Episode("Eat", at(0), at(2)), Episode("Sleep", at(3), at(4), is_end_seen=False), Episode("Sleep", at(5), at(6)),
        Episode("Eat", at(6), at(7), is_end_seen=False),
    ]  # fmt: skip
    assert away == [Away(at(4), at(5))]


def test_a_household_follows_its_own_model() -> None:
    random = np.random.default_rng(3)
    household = draw_household(random, 4)
    life = live(household, 3, random)
    changed = np.flatnonzero(np.diff(life.states))
    assert len(changed) > 20
    assert household.states.can_follow[life.states[changed], life.states[changed + 1]].all()
    assert 0.5 < life.is_seen.mean() <= 1


def test_errors_that_last_come_in_runs() -> None:
    """One state only, so that a look changes by renewal alone. Every tick repeats the look."""
    life = Life(np.zeros(2000, dtype=np.intp), np.ones(2000, dtype=np.bool_))
    emission = np.array([[0.5, 0.5]])
    runs = {}
    for lasting in (0.0, 1.0):
        said = symbols_of(life, emission, lasting, 0.01, np.random.default_rng(4))
        runs[lasting] = 2000 / (np.count_nonzero(np.diff(said)) + 1)
    assert 1.5 < runs[0.0] < 2.5  # 2 ticks with independent errors
    assert 100 < runs[1.0] < 400  # a renewal after 100 ticks, of which every second one changes the look
