"""`dbn`: a dynamic Bayesian network whose tables are log-linear.

Its parents of the next activity: the current activity, the one before it, the time of day, and the weekend. Its parents
of what goes on later: what goes on now and for how long, the time of day then, and the weekend.
Source: log-linear tables of a Bayesian network, D. Koller, N. Friedman, "Probabilistic graphical models" (2009), 5.4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.changes import changes
from harstream.forecast.learning.episodes import Interval, by_camera
from harstream.forecast.learning.local_time import hour_of, is_weekend
from harstream.forecast.learning.semi_markov_fit import PHASES, WIDTHS
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.softmax_regression import SoftmaxRegression
from harstream.forecast.predictors.features import FIRST_HARMONIC, TIME_FEATURES, crossed, one_of, time_of_day
from harstream.forecast.predictors.protocol import Past, Situation

PENALTY, CROSSED_PENALTY = 2.0, 4.0
"""Penalties of a squared weight: of a parent, and of crossed or recent ones. Cross-validation chose the second."""
RECENCIES = (0.5 * 3600.0, 2 * 3600.0, 8 * 3600.0)
"""Time constants of the features that say how long ago each activity ended, in seconds."""
SMALLEST = 1e-4
"""The smallest probability of an activity."""
MOST_SAMPLES = 2000
"""Moments from which a table of what goes on later is learned."""


class Dbn:
    """Predicts from log-linear tables: one for the next activity, and one for each horizon."""

    def __init__(self, past: Past, horizons: Sequence[float] = ()) -> None:
        """`horizons`: seconds for which `going_on` may be asked."""
        self._past = past
        self._K = len(past.states.activities)
        self._next = self._fit_next()
        samples = _samples(past)
        self._later = {horizon: self._fit_later(samples, horizon) for horizon in horizons}

    def next(self, situation: Situation) -> Floats:
        now = -1 if situation.activity is None else situation.activity
        previous = -1 if situation.previous is None else situation.previous
        features = self._next_features(
            np.array([now]), np.array([previous]), np.array([situation.since]), situation.ended[None]
        )
        probabilities = np.maximum(self._next.probabilities(features)[0], SMALLEST)
        if now >= 0 and self._K > 1:
            probabilities[now] = 0.0
        return np.asarray(probabilities / probabilities.sum())

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        rows = []
        for horizon in horizons:
            features = self._later_features(
                situation.belief.sum(axis=1)[None], _phases(situation.belief)[None], np.array([situation.time]), horizon
            )
            probabilities = np.maximum(self._later[horizon].probabilities(features)[0], SMALLEST)
            rows.append(probabilities / probabilities.sum())
        return np.stack(rows)

    def _fit_next(self) -> SoftmaxRegression:
        rows = list(changes(self._past.course, self._K))
        features = self._next_features(
            np.array([row.activity for row in rows], dtype=np.intp),
            np.array([-1 if row.previous is None else row.previous for row in rows], dtype=np.intp),
            np.array([row.since for row in rows]),
            np.array([row.ended for row in rows]).reshape(-1, self._K),
        )
        crossings = np.full(features.shape[1], CROSSED_PENALTY)
        crossings[: 2 * self._K + TIME_FEATURES] = PENALTY
        return SoftmaxRegression.fit(
            features,
            np.array([row.next for row in rows], dtype=np.intp),
            self._K,
            penalty=crossings,
            importance=np.array([self._past.weight(row.since) for row in rows]),
        )

    def _next_features(self, now: NDArray[np.intp], previous: NDArray[np.intp], times: Floats, ended: Floats) -> Floats:
        """`now`, `previous` (n,): -1 for not known. `times` (n,): when the activity began. `ended` (n, K)."""
        current, clock = one_of(now, self._K), self._clock(times)
        recent = [np.exp((ended - times[:, None]) / constant) for constant in RECENCIES]
        return np.hstack(
            [current, one_of(previous, self._K), clock, crossed(current, clock[:, FIRST_HARMONIC]), *recent]
        )

    def _fit_later(self, samples: Sequence[Samples], horizon: float) -> SoftmaxRegression:
        """`samples`: of each camera."""
        rows = [self._later_rows(each, horizon) for each in samples]
        features, outcomes, weights = (np.concatenate(column) for column in zip(*rows, strict=True))
        return SoftmaxRegression.fit(features, outcomes, self._K + 1, penalty=PENALTY, importance=weights)

    def _later_rows(self, samples: Samples, horizon: float) -> tuple[Floats, NDArray[np.intp], Floats]:
        """Return features, outcomes and weights of the samples of which it is known what went on later."""
        has_outcome, outcomes = samples.shown_at(samples.times + horizon)
        states = one_of(samples.states[has_outcome], self._past.states.count)
        phases = one_of(samples.phases[has_outcome], PHASES)
        features = self._later_features(states, phases, samples.times[has_outcome], horizon)
        return features, outcomes[has_outcome], samples.weights[has_outcome]

    def _later_features(self, states: Floats, phases: Floats, times: Floats, horizon: float) -> Floats:
        """`states` (n, S), `phases` (n, B): the probability of each."""
        K = self._K
        shown = np.hstack([states[:, :K], states[:, K:].sum(axis=1, keepdims=True)])
        return np.hstack([states, crossed(shown, phases), self._clock(times + horizon)])

    def _clock(self, times: Floats) -> Floats:
        """Return (n, TIME_FEATURES): the time of day, and whether it is a weekend."""
        zone = self._past.zone
        hours = np.array([hour_of(time, zone) for time in times])
        weekend = np.array([float(is_weekend(time, zone)) for time in times])
        return np.hstack([time_of_day(hours), weekend[:, None]])


class Samples:
    """Moments of the past at equal distances, with what went on."""

    def __init__(self, times: Floats, intervals: Sequence[Interval], past: Past) -> None:
        self.times = times
        self._starts = np.array([interval.start for interval in intervals])
        self._ends = np.array([interval.end for interval in intervals])
        self._states = np.array([interval.state for interval in intervals], dtype=np.intp)
        self._shows = past.states.shows
        _, index = self._found(times)
        self.states = self._states[index]
        edges = np.cumsum(WIDTHS)[:-1]
        self.phases = np.searchsorted(edges, times - self._starts[index], side="right").astype(np.intp)
        self.weights = np.array([past.weight(intervals[number].start) for number in index])

    def shown_at(self, times: Floats) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Return whether it is known what went on at each time, and what it was."""
        known, index = self._found(times)
        return known, self._shows[self._states[index]]

    def _found(self, times: Floats) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        index = np.maximum(np.searchsorted(self._starts, times, side="right") - 1, 0)
        return (times >= self._starts[index]) & (times < self._ends[index]), index


def _samples(past: Past) -> list[Samples]:
    """Return the samples of each camera."""
    courses = by_camera(past.course) or [[]]
    return [_samples_of(course, past, MOST_SAMPLES / len(courses)) for course in courses]


def _samples_of(course: Sequence[Interval], past: Past, most: float) -> Samples:
    if not course:
        return Samples(np.zeros(0), [], past)
    first, last = course[0].start, course[-1].end
    spacing = max((last - first) / most, 300.0)
    times = np.arange(first, last, spacing)
    starts = np.array([interval.start for interval in course])
    ends = np.array([interval.end for interval in course])
    index = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
    inside = times < ends[index]
    return Samples(times[inside], course, past)


def _phases(belief: Floats) -> Floats:
    return np.asarray(belief.sum(axis=0))
