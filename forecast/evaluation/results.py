"""The results of an evaluation, for each home and as their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from harstream.forecast.evaluation.answers import HORIZONS, PREDICTORS, Answers, HomeAnswers
from harstream.forecast.evaluation.scores import (
    CalibrationBin,
    Difference,
    NextScores,
    bootstrap,
    calibration,
    difference,
    next_scores,
)
from harstream.forecast.model.semi_markov import Floats

BASELINE = "baseline"


@dataclass(frozen=True)
class PredictorResult:
    """How good a predictor is in a home."""

    next: NextScores
    better: Difference
    """How much lower its loss of the next activity is than the baseline's."""
    later: tuple[float, ...]
    """The log-loss of what goes on after each horizon, in nats."""
    begins: tuple[float, ...]
    """The log-loss of what begins within each horizon, in nats: the sum over activities."""
    time: TimeResult


@dataclass(frozen=True)
class TimeResult:
    """How good the expected time of the next activity is. Seconds."""

    covered: float
    """The share of times between p10 and p90. 0.8 is right."""
    mean_error: float
    """Mean distance of the median from the time."""
    median_error: float


@dataclass(frozen=True)
class HomeResult:
    """The result of one home."""

    name: str
    activities: tuple[str, ...]
    days: int
    """Days that were predicted."""
    changes: int
    predictors: dict[str, PredictorResult]
    alarms_a_week: float
    """Activities that were called unusually long. In a record of ordinary days, all are false."""


@dataclass(frozen=True)
class Evaluation:
    """The results of all homes."""

    folding: str
    homes: tuple[HomeResult, ...]
    means: dict[str, PredictorResult]
    """By predictor: the mean over homes. Each home counts the same."""
    calibration: dict[str, tuple[CalibrationBin, ...]]
    """By predictor, over the changes of all homes."""


def home_result(name: str, asked: HomeAnswers) -> HomeResult:
    """Return the result of a home with at least one change."""
    return HomeResult(
        name,
        asked.activities,
        asked.days,
        len(asked.next.truth),
        {each: _predictor_result(asked, each) for each in PREDICTORS},
        asked.alarms * 7 / asked.days,
    )


def mean_result(homes: Sequence[HomeResult], asked: Sequence[HomeAnswers], predictor: str) -> PredictorResult:
    """Return the mean over homes. The interval draws days within each home."""
    results = [home.predictors[predictor] for home in homes]
    draws = np.mean([_draws(each, predictor) for each in asked], axis=0)
    return PredictorResult(
        _mean_scores([each.next for each in results]),
        difference(float(np.mean([each.better.mean for each in results])), draws),
        _means([each.later for each in results]),
        _means([each.begins for each in results]),
        TimeResult(*_means([astuple(each.time) for each in results])),
    )


def calibration_of(asked: Sequence[HomeAnswers], predictor: str) -> tuple[CalibrationBin, ...]:
    """Return the calibration of the next activity over the changes of all homes."""
    width = max(len(each.activities) for each in asked)
    rows = [np.pad(each.next.of(predictor), ((0, 0), (0, width - len(each.activities)))) for each in asked]
    return calibration(np.concatenate(rows), np.concatenate([_truth(each.next) for each in asked]))


def _predictor_result(asked: HomeAnswers, predictor: str) -> PredictorResult:
    scores = next_scores(asked.next.of(predictor), _truth(asked.next))
    lower = float(np.mean(asked.next.losses(BASELINE) - asked.next.losses(predictor)))
    later = tuple(float(asked.later[horizon].losses(predictor).mean()) for horizon in HORIZONS)
    begins = tuple(float(np.mean(by_name[predictor])) for by_name in asked.begins.values())
    better = difference(lower, _draws(asked, predictor))
    return PredictorResult(scores, better, later, begins, _time_result(asked, predictor))


def _draws(asked: HomeAnswers, predictor: str) -> Floats:
    lower = asked.next.losses(BASELINE) - asked.next.losses(predictor)
    return bootstrap(lower, np.array(asked.next.days, dtype=np.intp))


def _time_result(asked: HomeAnswers, predictor: str) -> TimeResult:
    low, middle, high = np.array(asked.until[predictor]).T
    waited = np.array(asked.waited)
    apart = np.abs(np.minimum(middle, 1e9) - waited)
    inside = (low <= waited) & (waited <= high)
    return TimeResult(float(inside.mean()), float(apart.mean()), float(np.median(apart)))


def _means(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(float(value) for value in np.nanmean(rows, axis=0))


def _mean_scores(scores: Sequence[NextScores]) -> NextScores:
    """Precision is that of all homes that say something, each with the weight of its cover."""
    choices = []
    for same in zip(*(each.choices for each in scores), strict=True):
        cover = float(np.mean([each.cover for each in same]))
        right = float(np.mean([(each.precision or 0.0) * each.cover for each in same]))
        choices.append(type(same[0])(same[0].threshold, cover, right / cover if cover else None))
    figures = ("log_loss", "brier", "top_1", "top_3", "calibration_error")
    means = {name: float(np.mean([getattr(each, name) for each in scores])) for name in figures}
    return NextScores(**means, choices=tuple(choices))


def _truth(answers: Answers) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array(answers.truth, dtype=np.intp)
