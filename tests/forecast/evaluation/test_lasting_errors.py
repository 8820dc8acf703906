"""The filters of the comparison are checked on a household of two activities."""

from __future__ import annotations

import numpy as np
import pytest

from harstream.forecast.evaluation.lasting_errors import (
    AHEAD,
    WORLDS,
    Recognizer,
    household,
    independent,
    log_losses,
    shipped_recognizer,
    simulate,
    taken_as_state,
    with_looks,
)
from harstream.forecast.model.semi_markov import SemiMarkov
from harstream.forecast.model.states import States


def two_activities() -> Recognizer:
    """Returns activities that each last 100 ticks on average. 0.9 of the windows are right, all of them sure."""
    follow = np.array([[0.0, 1.0], [1.0, 0.0]])
    model = SemiMarkov(np.full((2, 1), 0.01), np.zeros(1), follow, np.arange(2))
    return Recognizer(model, np.array([[0.9, 0.1, 0.0, 0.0], [0.1, 0.9, 0.0, 0.0]]), None)


def test_independent_windows_are_multiplied() -> None:
    # 0.9 after one 0. A tick later 0.9 * 0.99 + 0.1 * 0.01 = 0.892, times 0.9 for another 0; the rest 0.108 times 0.1.
    beliefs = independent(two_activities(), np.array([[0], [0]]))
    np.testing.assert_allclose(beliefs[:, 0, 0], [0.9, 0.8028 / (0.8028 + 0.0108)])


def test_looks_that_never_repeat_are_independent_windows() -> None:
    days = simulate(two_activities(), WORLDS[0], ticks=200, households=2, seed=3)
    np.testing.assert_allclose(
        with_looks(0.0)(two_activities(), days.symbols), independent(two_activities(), days.symbols)
    )


def test_a_label_taken_as_the_state_is_right_with_the_accuracy() -> None:
    recognizer = two_activities()
    unsure = Recognizer(recognizer.model, recognizer.emission[:, [2, 3, 0, 1]], None)
    # Two states and the mean accuracy of 0.9: the same as the matrix, however sure the windows are.
    beliefs = taken_as_state(unsure, np.array([[2], [1]]))
    assert beliefs[0, 0, 0] == pytest.approx(0.9)
    assert beliefs[1, 0, 1] == pytest.approx(0.108 * 0.9 / (0.108 * 0.9 + 0.892 * 0.1))


def test_a_sure_and_right_belief_has_no_loss_now_and_that_of_the_household_later() -> None:
    model = two_activities().model
    states = np.zeros((AHEAD + 1, 1), dtype=np.intp)
    now, later = log_losses(model, np.eye(2)[states], states)
    assert now == 0
    assert later == pytest.approx(-np.log(0.5 + 0.5 * 0.98**AHEAD))  # a symmetric chain that changes with 0.01


def test_looks_win_where_errors_last_and_lose_little_where_they_do_not() -> None:
    recognizer = shipped_recognizer("flow_tcn")
    found = {}
    for world in (WORLDS[0], WORLDS[2]):
        days = simulate(recognizer, world, ticks=1500, households=3, seed=1)
        found[world.name] = [
            log_losses(recognizer.model, filtered(recognizer, days.symbols), days.states)[0]
            for filtered in (independent, with_looks(0.97))
        ]
    independent_errors, lasting_errors = found.values()
    assert independent_errors[1] < independent_errors[0] + 0.05
    assert lasting_errors[1] < lasting_errors[0] / 2


def test_every_row_of_a_household_is_a_distribution() -> None:
    model = household(States(("Sleep", "Work", "Eat")))
    np.testing.assert_allclose(model.follow.sum(axis=1), 1)
    np.testing.assert_allclose(model.follow[[0, 1, 2], [3, 4, 5]], 0.3)
    assert (model.follow[~States(("Sleep", "Work", "Eat")).can_follow] == 0).all()
