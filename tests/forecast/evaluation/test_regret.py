"""Learned forecasts come near to the best possible ones."""

from __future__ import annotations

import pytest

from harstream.forecast.evaluation.regret import Regret, mean_regrets, simulate


def test_the_mean_of_households_has_an_interval_of_student() -> None:
    one, other = (Regret(0.8, 0.97, 0.1, 0.6, regret, 2 * regret) for regret in (0.01, 0.03))

    [found] = mean_regrets([[one], [other]])

    assert (found.mean.now, found.mean.later) == (pytest.approx(0.02), pytest.approx(0.04))
    assert found.now_error == pytest.approx(12.706 * 0.01, rel=1e-3)  # t of one degree of freedom, times s / sqrt(2)
    assert mean_regrets([[one]])[0].now_error == float("inf")


@pytest.mark.timeout(280)
def test_two_weeks_of_learning_come_near_to_the_optimum() -> None:
    [regret] = simulate(16, 1, lastings=(0.95,), assumed=None)
    assert 0.05 < regret.best_now < 0.4  # the errors of the recognizer hide what goes on
    assert -0.02 < regret.now < 0.05
    assert -0.02 < regret.later < 0.1
