"""Scores of forecasts, with figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harstream.forecast.evaluation.scores import bootstrap, difference, losses, next_scores


def test_scores_are_those_worked_out_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]])
    scores = next_scores(probabilities, np.array([0, 1]))
    assert scores.log_loss == pytest.approx(-(math.log(0.7) + math.log(0.4)) / 2)
    assert scores.brier == pytest.approx((0.09 + 0.04 + 0.01 + 0.25 + 0.36 + 0.01) / 2)
    assert (scores.top_1, scores.top_3) == (0.5, 1.0)
    assert scores.calibration_error == pytest.approx((0.3 + 0.5) / 2)
    assert [(each.threshold, each.cover, each.precision) for each in scores.choices] == [
        (0.5, 1.0, 0.5), (0.7, 0.5, 1.0), (0.9, 0.0, None),
    ]  # fmt: skip


def test_a_uniform_forecast_is_right_as_often_as_chance() -> None:
    scores = next_scores(np.full((5, 5), 0.2), np.arange(5))
    assert (scores.top_1, scores.top_3) == (pytest.approx(0.2), pytest.approx(0.6))


def test_a_probability_of_zero_costs_as_much_as_the_floor() -> None:
    assert losses(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx([-math.log(1e-4)])


def test_the_bootstrap_draws_whole_days() -> None:
    """The two rows of a day are drawn together, so the mean is one of -1, 0 and 1."""
    draws = bootstrap(np.array([1.0, 1.0, -1.0, -1.0]), np.array([7, 7, 9, 9]))
    assert set(np.unique(draws)) == {-1.0, 0.0, 1.0}
    interval = difference(0.0, draws)
    assert (interval.low, interval.high) == (-1.0, 1.0)
