"""What a forecaster has learned from its diary. It stays as it is until the forecaster learns again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from harstream.forecast.client.diary import Diary
from harstream.forecast.client.skill import SKILL_PERIOD
from harstream.forecast.learning.episodes import intervals
from harstream.forecast.learning.first_begins import FirstBegins, first_begins
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import PART
from harstream.forecast.predictors.mix import NAMES, Mix, Predictors, weights_after
from harstream.forecast.predictors.protocol import Past, Predictor

HORIZONS = (60.0, 300.0, 900.0, 3600.0)
"""Seconds."""


@dataclass(frozen=True, eq=False)
class Learned:
    """All predictors, fitted to the diary at one time."""

    past: Past
    predictors: Predictors
    predictor: Predictor
    """The one whose forecasts are published."""
    begins: Mapping[str, FirstBegins]
    """By camera."""
    trained_until: float | None
    """The last moment that was learned from, in seconds since the epoch; None without any."""


def learn(diary: Diary, states: States, zone: tzinfo | None, predictor: str, now: float) -> Learned:
    """Learn from the diary, and look ahead from `now`, in seconds since the epoch. It takes seconds after a year.

    `predictor`: mix or one of NAMES.
    """
    diary.trim()
    episodes = {camera: diary.episodes(camera) for camera in diary.cameras()}
    course = [interval for camera, seen in episodes.items() for interval in intervals(seen, diary.away(camera), states)]
    past = Past(states, course, zone, now)
    predictors = Predictors.fit(past, HORIZONS)
    for time in (now, now + PART):
        predictors.hmm.keep(predictors.hmm.tables_at(time, HORIZONS))
    losses = diary.losses(now - 2 * SKILL_PERIOD)
    weights = weights_after([(each.question, each.predictor, each.time, each.loss) for each in losses], NAMES, now)
    named: dict[str, Predictor] = predictors.by_name()
    return Learned(
        past,
        predictors,
        Mix(named, weights) if predictor == "mix" else named[predictor],
        {camera: first_begins(seen, states, zone) for camera, seen in episodes.items()},
        max((interval.end for interval in course), default=None),
    )
