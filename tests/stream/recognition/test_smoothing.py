"""The exponential mean forgets with a time constant in seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harstream.stream.recognition.smoothing import ExponentialMean

HALF_LIFE = math.log(2)
"""The half-life of a mean with tau 1, in seconds."""


def scores(first: float) -> NDArray[np.float32]:
    return np.array([first, 1 - first], np.float32)


def test_the_mean_moves_half_of_the_way_in_each_half_life() -> None:
    mean = ExponentialMean(tau=1.0)
    found = [mean.update(scores(first), number * HALF_LIFE)[0] for number, first in enumerate([1, 0, 0, 1])]
    assert found == pytest.approx([1, 0.5, 0.25, 0.625])


def test_first_scores_weigh_1() -> None:
    assert ExponentialMean(tau=1.0).update(scores(0.3), 1e9).tolist() == scores(0.3).tolist()


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=30))
def test_mean_does_not_depend_on_the_frame_rate(steps: list[float]) -> None:
    often, once = ExponentialMean(tau=1.0), ExponentialMean(tau=1.0)
    often.update(scores(1), 0.0)
    once.update(scores(1), 0.0)
    time = 0.0
    for step in steps:
        time += step
        last = often.update(scores(0), time)
    assert last == pytest.approx(once.update(scores(0), time), abs=1e-5)


def test_mean_of_scores_sums_to_1() -> None:
    mean = ExponentialMean(tau=0.7)
    for number in range(1000):
        total = mean.update(scores(number % 7 / 7), number / 10).sum()
    assert total == pytest.approx(1, abs=1e-5)


def test_pause_much_longer_than_tau_resets_the_mean() -> None:
    mean = ExponentialMean(tau=1.0)
    mean.update(scores(1), 0.0)
    assert mean.update(scores(0.2), 60.0)[0] == pytest.approx(0.2)


def test_tau_0_turns_smoothing_off() -> None:
    mean = ExponentialMean(tau=0)
    mean.update(scores(1), 0.0)
    assert mean.update(scores(0.2), 0.1).tolist() == scores(0.2).tolist()


def test_reset_mean_starts_with_the_next_scores() -> None:
    mean = ExponentialMean(tau=1.0)
    mean.update(scores(1), 0.0)
    mean.forget()
    assert mean.update(scores(0.2), 0.1).tolist() == scores(0.2).tolist()


@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_scores_and_means_handed_out_are_not_changed_later(tau: float) -> None:
    mean, given_first = ExponentialMean(tau), scores(1)
    first = mean.update(given_first, 0.0)
    second = mean.update(scores(0), 1.0)
    kept = second.copy()
    mean.update(scores(1), 2.0)
    assert given_first.tolist() == first.tolist() == [1, 0]
    assert second.tolist() == kept.tolist()
    assert second.dtype == np.float32
