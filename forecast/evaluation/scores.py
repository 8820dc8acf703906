"""Scores of predicted probabilities against what happened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.mix import SMALLEST

Numbers = NDArray[np.intp]
THRESHOLDS = (0.5, 0.7, 0.9)
"""Probabilities from which on a home may act."""
BINS = 10
"""Of the calibration error."""
DRAWS = 2000
"""Of the bootstrap."""
INTERVAL = (2.5, 97.5)
"""Percentiles."""


@dataclass(frozen=True)
class Choice:
    """What is said when the likeliest activity must have a probability."""

    threshold: float
    cover: float
    """The share of changes at which something is said."""
    precision: float | None
    """The share of right ones among them; None without any."""


@dataclass(frozen=True)
class NextScores:
    """Scores of a forecast of the next activity."""

    log_loss: float
    """Mean -ln of the probability of what happened, in nats."""
    brier: float
    """Mean sum of squared errors of all probabilities, 0 to 2."""
    top_1: float
    """The share of changes to the likeliest activity."""
    top_3: float
    calibration_error: float
    """Mean distance between the highest probability and how often it is right."""
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class CalibrationBin:
    """The changes whose highest probability is in one tenth."""

    probability: float
    """The mean of the highest probability."""
    right: float
    """How often it was right."""
    changes: int


@dataclass(frozen=True)
class Difference:
    """How much lower a loss is than another one, in nats, with its 95 % interval over days."""

    mean: float
    low: float
    high: float


def losses(probabilities: Floats, truth: Numbers) -> Floats:
    """Return (n,) -ln of the probability of what happened, in nats. `probabilities` (n, A), `truth` (n,)."""
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], SMALLEST)))


def begin_losses(within: Floats, began: NDArray[np.bool_]) -> Floats:
    """Return (K,) -ln of the probability of what happened: that each activity began, or did not, in nats."""
    return np.asarray(-np.log(np.maximum(np.where(began, within, 1 - within), SMALLEST)))


def next_scores(probabilities: Floats, truth: Numbers) -> NextScores:
    """Return the scores. `probabilities` (n, K), `truth` (n,), n > 0."""
    rank = _ranks(probabilities, truth)
    one = np.eye(probabilities.shape[1])[truth]
    return NextScores(
        log_loss=float(losses(probabilities, truth).mean()),
        brier=float(((probabilities - one) ** 2).sum(axis=1).mean()),
        top_1=float(_share_within(rank, 1).mean()),
        top_3=float(_share_within(rank, 3).mean()),
        calibration_error=_calibration_error(calibration(probabilities, truth)),
        choices=tuple(_choice(probabilities, truth, threshold) for threshold in THRESHOLDS),
    )


def bootstrap(differences: Floats, days: Numbers) -> Floats:
    """Return (DRAWS,) the mean difference (n,) in draws of whole days (n,) with replacement.

    Source: B. Efron, R. Tibshirani, "An introduction to the bootstrap" (1993), chapter 8, with days as units.
    """
    _, numbers = np.unique(days, return_inverse=True)
    sums, sizes = np.bincount(numbers, differences), np.bincount(numbers)
    drawn = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    return np.asarray(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))


def difference(mean: float, draws: Floats) -> Difference:
    low, high = np.percentile(draws, INTERVAL)
    return Difference(mean, float(low), float(high))


def calibration(probabilities: Floats, truth: Numbers) -> tuple[CalibrationBin, ...]:
    """Return the bins with changes."""
    highest, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    bins = np.minimum((highest * BINS).astype(int), BINS - 1)
    inside = [bins == number for number in range(BINS)]
    return tuple(
        CalibrationBin(float(highest[each].mean()), float(is_right[each].mean()), int(each.sum()))
        for each in inside
        if each.any()
    )


def _ranks(probabilities: Floats, truth: Numbers) -> tuple[Numbers, Numbers]:
    """Return how many are strictly likelier (n,), and how many are as likely, the right one included (n,)."""
    own = probabilities[np.arange(len(truth)), truth][:, None]
    return (probabilities > own).sum(axis=1), (probabilities == own).sum(axis=1)


def _share_within(rank: tuple[Numbers, Numbers], places: int) -> Floats:
    """Return (n,) the chance that the right one is among the first places when ties are broken at random."""
    better, tied = rank
    return np.asarray(np.clip((places - better) / tied, 0.0, 1.0))


def _calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    apart = sum(each.changes * abs(each.right - each.probability) for each in bins)
    return apart / sum(each.changes for each in bins)


def _choice(probabilities: Floats, truth: Numbers, threshold: float) -> Choice:
    says = probabilities.max(axis=1) >= threshold
    is_right = probabilities.argmax(axis=1) == truth
    return Choice(threshold, float(says.mean()), float(is_right[says].mean()) if says.any() else None)
