"""`dbn`: a dynamic Bayesian network whose tables are log-linear. `structure.yaml` names their parents.

It says which activity is next, what goes on later, and so what begins. For the time at which something ends or begins,
it asks `hmm`: a correction of those times by the same parents was better in two homes, and worse in a third.
Source: log-linear tables of a Bayesian network, D. Koller, N. Friedman, "Probabilistic graphical models" (2009), 5.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.changes import Context, changes
from harstream.forecast.learning.episodes import by_camera
from harstream.forecast.learning.moments import Moments
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.softmax_regression import SoftmaxRegression
from harstream.forecast.predictors.features import Known, Numbers, numbers, one_of, recency, time_of_day, weekend
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Past, Situation
from harstream.forecast.predictors.structure import Structure

UNFORESEEN = 0.01
"""The probability that is shared equally by all other activities, because habits of weeks do not show all."""
SMALLEST = 1e-4
"""The smallest probability of what goes on later."""
TRUST = 0.5
"""The power of the ratio between the next activity of `dbn` and that of `hmm`, in what begins."""
MOST_MOMENTS = 2000
"""Moments from which a table of what goes on later is learned."""
OWN_OUTCOME = 150.0
"""Seconds ahead up to which a moment has an outcome of its own. For longer ones, neighbours share it."""


class Dbn:
    """Predicts from log-linear tables: one for the next activity, and one for each horizon."""

    def __init__(self, past: Past, hmm: Hmm, structure: Structure, horizons: Sequence[float] = ()) -> None:
        """`hmm`: fitted to the same past. `horizons`: seconds for which `going_on` may be asked."""
        self._past, self._hmm, self._structure = past, hmm, structure
        self._K = len(past.states.activities)
        self._next = self._fit_next()
        courses = by_camera(past.course) or [[]]
        moments = [Moments.of(course, past.states, MOST_MOMENTS // len(courses)) for course in courses]
        known = [(each, _Now.of_moments(each, past.states.count, hmm)) for each in moments]
        self._later = {horizon: self._fit_later(known, horizon) for horizon in horizons}

    def next(self, situation: Situation) -> Floats:
        features = self._known_of_next([situation]).features(self._structure.next)
        found = self._next.probabilities(features)[0]
        others = np.ones(self._K)
        if situation.activity is not None and self._K > 1:
            others[situation.activity] = 0.0
        likely, any_other = found * others, others / others.sum()
        return np.asarray((1 - UNFORESEEN) * likely / likely.sum() + UNFORESEEN * any_other)

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        now, rows = _Now.of_situation(situation), []
        for horizon in horizons:
            known = self._known_of_later(now, horizon)
            found = self._later[horizon].probabilities(known.features(self._structure.later))[0]
            rows.append(np.maximum(found, SMALLEST))
        return np.asarray(np.stack(rows) / np.sum(rows, axis=1, keepdims=True))

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        """Return the probabilities of `hmm`, with the rate of each activity scaled by how likely it is next here."""
        within = np.clip(self._hmm.beginning(situation, horizons), 0.0, 1.0)
        ratio = (self.next(situation) / np.maximum(self._hmm.next(situation), SMALLEST)) ** TRUST
        if situation.activity is not None:
            ratio[situation.activity] = 1.0
        return np.asarray(1 - (1 - within) ** ratio)

    def ending(self, situation: Situation, activity: int) -> Floats:
        return self._hmm.ending(situation, activity)

    def changing(self, situation: Situation) -> Floats:
        return self._hmm.changing(situation)

    def _fit_next(self) -> SoftmaxRegression:
        rows = list(changes(self._past.course, self._K))
        known = self._known_of_next(rows)
        return SoftmaxRegression.fit(
            known.features(self._structure.next),
            np.array([row.next for row in rows], dtype=np.intp),
            self._K,
            penalty=known.penalties(self._structure.next),
            importance=np.array([self._past.weight(row.since) for row in rows]),
        )

    def _known_of_next(self, rows: Sequence[Context | Situation]) -> Known:
        now, since = numbers([row.activity for row in rows]), np.array([row.since for row in rows])
        previous, rooms = numbers([row.previous for row in rows]), numbers([row.room for row in rows])
        ended = np.array([row.ended for row in rows]).reshape(-1, self._K)
        full = {"now": one_of(now, self._K)}
        full |= self._shared(previous, rooms, since[:, None] - ended, since)
        return Known(full, {"hour": time_of_day(since, self._past.zone, (1,))})

    def _fit_later(self, moments: Sequence[tuple[Moments, _Now]], horizon: float) -> SoftmaxRegression:
        """`moments`: of each camera."""
        parents = self._structure.later
        features, outcomes, weights = [], [], []
        for each, now in moments:
            is_known, shown = each.shown_at(each.times + horizon)
            known = self._known_of_later(now, horizon)
            features.append(known.features(parents)[is_known])
            outcomes.append(shown[is_known])
            weights.append(np.array([self._past.weight(time) for time in each.times])[is_known])
        shared = min(1.0, OWN_OUTCOME / horizon) ** 0.5
        return SoftmaxRegression.fit(
            np.concatenate(features),
            np.concatenate(outcomes),
            self._K + 1,
            penalty=known.penalties(parents),
            importance=shared * np.concatenate(weights),
        )

    def _known_of_later(self, now: _Now, horizon: float) -> Known:
        K, then = self._K, now.times + horizon
        shown = np.hstack([now.states[:, :K], now.states[:, K:].sum(axis=1, keepdims=True)])
        full = {"now": now.states, "age": now.phases}
        full |= self._shared(now.previous, now.rooms, now.times[:, None] - now.ended, then)
        return Known(full, {"now": shown, "hour": time_of_day(then, self._past.zone, (1,))})

    def _shared(self, previous: Numbers, rooms: Numbers, ago: Floats, times: Floats) -> dict[str, Floats]:
        """Return the features of the parents that all tables may have.

        `previous`, `rooms` (n,): -1 for not known. `ago` (n, K): how long ago each activity ended, in seconds.
        """
        zone, count = self._past.zone, len(self._past.rooms)
        return {
            "previous": one_of(previous, self._K),
            "hour": time_of_day(times, zone),
            "weekend": weekend(times, zone),
            "room": one_of(rooms, count) if count > 1 else np.zeros((len(times), 0)),
            "recency": recency(ago),
        }


@dataclass(frozen=True, eq=False)
class _Now:
    """What is known of n moments."""

    times: Floats
    """(n,)"""
    states: Floats
    """(n, S) the probability of each."""
    phases: Floats
    """(n, B) the probability of each."""
    previous: Numbers
    """(n,) the activity before the last one that began; -1 for not known."""
    rooms: Numbers
    """(n,) -1 for not known."""
    ended: Floats
    """(n, K) as in `Situation`."""

    @classmethod
    def of_moments(cls, moments: Moments, states: int, hmm: Hmm) -> _Now:
        """Take the phases as `hmm` believes in them, because a situation has them so, too."""
        pairs = zip(moments.states, moments.ages, strict=True)
        phases = np.array([hmm.phases_after(int(state), age) for state, age in pairs]).reshape(-1, PHASES)
        belief = one_of(moments.states, states), phases
        return cls(moments.times, *belief, moments.previous, moments.rooms, moments.ended)

    @classmethod
    def of_situation(cls, situation: Situation) -> _Now:
        states, phases = situation.belief.sum(axis=1)[None], situation.belief.sum(axis=0)[None]
        known = numbers([situation.previous]), numbers([situation.room])
        return cls(np.array([situation.time]), states, phases, *known, situation.ended[None])
