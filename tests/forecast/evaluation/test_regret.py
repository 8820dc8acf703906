"""Learned forecasts come near to the best possible ones."""

from __future__ import annotations

import pytest

from harstream.forecast.evaluation.regret import simulate


@pytest.mark.timeout(280)
def test_two_weeks_of_learning_come_near_to_the_optimum() -> None:
    [regret] = simulate(16, 1, lastings=(0.95,), assumed=None)
    assert 0.05 < regret.best_now < 0.4  # the errors of the recognizer hide what goes on
    assert -0.02 < regret.now < 0.05
    assert -0.02 < regret.later < 0.1
