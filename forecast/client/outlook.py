"""What is expected in front of one camera, as values, computed from a situation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.model.horizons import surviving, time_left
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Past, Predictor, Situation

LONGEST = 48 * 3600.0
"""Seconds ahead that are searched for the end of an activity."""
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
    """Compute the outlook. `predictor` says what follows and goes on; `hmm` says when."""
    states, K = past.states, past.states.unknown
    now = shown(situation.belief, states)
    following = predictor.next(situation)
    best = [int(number) for number in np.argsort(-following, kind="stable")[:3] if following[number] > 0]
    current = int(now.argmax())
    return Outlook(
        time=situation.time,
        now=now,
        horizons=tuple(horizons),
        going_on=predictor.going_on(situation, horizons),
        begins=hmm.beginning(situation, horizons),
        candidates=tuple(Candidate(number, float(following[number])) for number in best),
        begins_at=situation.time + until_next(situation, states, hmm, past, (0.5,))[0],
        remaining=_remaining(situation, current, hmm, past) if current < K else None,
        lasts_long=lasting(situation, current, hmm, past) if current < K else 1.0,
    )


def shown(belief: Floats, states: States) -> Floats:
    """Return (K + 1,) what a belief (S, B) shows: the probability of each activity, and of unknown."""
    return np.asarray(np.bincount(states.shows, belief.sum(axis=1), states.unknown + 1), dtype=np.float64)


def _remaining(situation: Situation, activity: int, hmm: Hmm, past: Past) -> Remaining:
    stretches = hmm.stretches(hour_of(situation.time, past.zone), LONGEST)
    return Remaining(
        *(hmm.tick * left for left in time_left(situation.belief[[activity]], [activity], stretches, QUANTILES))
    )


def until_next(situation: Situation, states: States, hmm: Hmm, past: Past, quantiles: Sequence[float]) -> list[float]:
    """Return the seconds until another activity begins than the last one, which pass with each probability."""
    last = situation.activity
    inside = [states.at_start] if last is None else [last, states.after(last)]
    phases = situation.belief[inside]
    if phases.sum() < 1e-6:  # the observations contradict the events
        return [0.0] * len(quantiles)
    stretches = hmm.stretches(hour_of(situation.time, past.zone), LONGEST)
    return [hmm.tick * left for left in time_left(phases, inside, stretches, quantiles)]


def lasting(situation: Situation, activity: int, hmm: Hmm, past: Past) -> float:
    """Return the probability that an activity lasts as long as it already did. 1 if too few ends were seen."""
    if hmm.ends[activity] < ENDS_NEEDED or activity != situation.activity:
        return 1.0
    return surviving(activity, hmm.stretches(hour_of(situation.since, past.zone), situation.time - situation.since))
