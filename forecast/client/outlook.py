"""What is expected in front of one camera, as values, computed from a situation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.model.horizons import surviving
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.forecast.model.waiting_time import quantiles
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Past, Predictor, Situation

QUANTILES = (0.1, 0.5, 0.9)
ENDS_NEEDED = 10.0
"""Ends of an activity that must have been seen before its duration can be unusual."""


@dataclass(frozen=True)
class Candidate:
    """An activity that may be the next one."""

    activity: int
    probability: float


@dataclass(frozen=True)
class Remaining:
    """How long something still lasts: seconds that pass with a probability of 0.1, 0.5 and 0.9."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is expected."""

    time: float
    now: Floats
    """(K + 1,) the probability of each activity, and of unknown, now."""
    horizons: tuple[float, ...]
    """Seconds."""
    going_on: Floats
    """(H, K + 1) the same after each horizon."""
    begins: Floats
    """(H, K) the probability that each activity begins within the horizon."""
    candidates: tuple[Candidate, ...]
    """The likeliest next activities, best first."""
    begins_at: float
    """The median time at which another activity begins. Infinite if it is later than two days."""
    remaining: Remaining | None
    """None while it is unknown what goes on."""
    lasts_long: float
    """The probability that the current activity lasts as long as it already did. 1 while it is unknown."""

    @property
    def likeliest(self) -> int:
        """What most likely goes on now: a number below K, or K for unknown."""
        return int(self.now.argmax())


def outlook(situation: Situation, predictor: Predictor, hmm: Hmm, past: Past, horizons: Sequence[float]) -> Outlook:
    """Compute the outlook of a predictor. `hmm` says only how unusual it is that an activity lasts so long."""
    K = past.states.unknown
    now = shown(situation.belief, past.states)
    current = int(now.argmax())
    situation = _after_begin(situation, current) if current < K else situation
    following = predictor.next(situation)
    best = [int(number) for number in np.argsort(-following, kind="stable")[:3] if following[number] > 0]
    return Outlook(
        time=situation.time,
        now=now,
        horizons=tuple(horizons),
        going_on=predictor.going_on(situation, horizons),
        begins=predictor.beginning(situation, horizons),
        candidates=tuple(Candidate(number, float(following[number])) for number in best),
        begins_at=situation.time + quantiles(predictor.changing(situation), (0.5,))[0],
        remaining=Remaining(*quantiles(predictor.ending(situation, current), QUANTILES)) if current < K else None,
        lasts_long=lasting(situation, current, hmm, past) if current < K else 1.0,
    )


def _after_begin(situation: Situation, activity: int) -> Situation:
    """Return the situation after an activity has begun, which recognition shows some seconds before an event does."""
    if activity == situation.activity:
        return situation
    return replace(situation, activity=activity, since=situation.time, previous=situation.activity)


def shown(belief: Floats, states: States) -> Floats:
    """Return (K + 1,) what a belief (S, B) shows: the probability of each activity, and of unknown."""
    return np.asarray(np.bincount(states.shows, belief.sum(axis=1), states.unknown + 1), dtype=np.float64)


def lasting(situation: Situation, activity: int, hmm: Hmm, past: Past) -> float:
    """Return the probability that an activity lasts as long as it already did. 1 if too few ends were seen."""
    if hmm.ends[activity] < ENDS_NEEDED or activity != situation.activity:
        return 1.0
    return surviving(activity, hmm.stretches(hour_of(situation.since, past.zone), situation.time - situation.since))
