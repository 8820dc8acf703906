"""The weights of the mix follow the losses of its predictors."""

from __future__ import annotations

import math
from datetime import UTC

import numpy as np
import pytest

from harstream.forecast.evaluation.household import START, draw_household, live, past_of
from harstream.forecast.evaluation.watched_course import at_begin
from harstream.forecast.learning.changes import changes
from harstream.forecast.learning.episodes import intervals
from harstream.forecast.predictors.mix import LEARNING_RATE, NAMES, NEXT, Predictors, loss_of, prior, weights_after
from harstream.forecast.predictors.protocol import Past

DAY = 86400.0


@pytest.mark.parametrize("asked", [NEXT, "begins", "60", "300", "900", "3600"])
def test_weights_sum_to_one_before_anything_has_happened(asked: str) -> None:
    assert sum(prior(asked).values()) == pytest.approx(1)
    assert set(prior(asked)) == set(NAMES)


def test_dbn_counts_more_the_longer_the_horizon() -> None:
    shares = [prior(asked)["dbn"] for asked in ("60", "300", "600", "3600", "86400")]

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.05, 0.5)


def test_equal_losses_leave_the_weights_as_they_are() -> None:
    losses = [(NEXT, name, DAY, 1.0) for name in NAMES]

    assert weights_after(losses, NAMES, 2 * DAY)[NEXT] == pytest.approx(prior(NEXT))


def test_a_loss_of_a_week_ago_counts_half() -> None:
    """With so much loss a week ago that today the odds would become four times worse, they become twice as bad."""
    losses = [(NEXT, "hmm", 0.0, 0.0), (NEXT, "baseline", 0.0, 0.0), (NEXT, "dbn", 0.0, math.log(4) / LEARNING_RATE)]

    weights = weights_after(losses, NAMES, 7 * DAY)[NEXT]

    assert weights["dbn"] / weights["hmm"] == pytest.approx(0.5 * prior(NEXT)["dbn"] / prior(NEXT)["hmm"])


def test_a_useless_predictor_loses_its_weight_within_a_week() -> None:
    """In a simulated household, dbn says from the second week on that all other activities are equally likely."""
    random = np.random.default_rng(2)
    household = draw_household(random, 6)
    states = household.states
    course = intervals(*past_of(live(household, 14, random), states), states)
    now = START + 7 * DAY
    learned = Predictors.fit(Past(states, [each for each in course if each.end < now], UTC, now), (), tick=10.0)
    losses = []
    for change in changes(course, states.unknown):
        if change.since >= now:
            situation = at_begin(change, states)
            for name, predictor in learned.by_name().items():
                p = 1 / 5 if name == "dbn" else float(predictor.next(situation)[change.next])
                losses.append((NEXT, name, change.at, loss_of(p)))

    weights = weights_after(losses, NAMES, START + 14 * DAY)[NEXT]

    assert weights["dbn"] < 0.03  # of 0.85
    assert weights["hmm"] > 0.8
