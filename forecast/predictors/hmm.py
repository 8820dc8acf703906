"""`hmm`: a hidden semi-Markov model with counted followers, durations in phases, and the rhythm of the day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harstream.forecast.learning.counts import SLOT_SECONDS, Counts
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.learning.semi_markov_fit import DailyModel, fit
from harstream.forecast.model.horizons import Stretch, going_on, look_ahead, next_activity
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.protocol import Past, Situation


class Hmm:
    """Predicts by propagating the belief through the model."""

    def __init__(self, past: Past, counts: Counts, tick: float = 1.0) -> None:
        """`tick`: seconds of a tick."""
        self._zone, self.tick = past.zone, tick
        self.daily: DailyModel = fit(counts, past.states, tick)
        self._tables: dict[tuple[int, float], Floats] = {}

    def next(self, situation: Situation) -> Floats:
        model = self.daily.at(hour_of(situation.time, self._zone))
        probabilities = situation.belief.sum(axis=1) @ next_activity(model.follow)
        if situation.activity is not None and len(probabilities) > 1:
            probabilities[situation.activity] = 0.0
        return np.asarray(probabilities / probabilities.sum())

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        hour = hour_of(situation.time, self._zone)
        return np.stack([look_ahead(situation.belief, self._table(hour, horizon)) for horizon in horizons])

    def stretches(self, hour: float, seconds: float) -> Iterator[Stretch]:
        """Yield the future from a local time of day, in hours: one stretch for each part of the day."""
        left, first = seconds, hour * 3600 % SLOT_SECONDS
        while left > 0:
            length = min(SLOT_SECONDS - first, left)
            ticks = round(length / self.tick)
            if ticks:
                yield Stretch(ticks, self.daily.at(hour))
            left, first, hour = left - length, 0.0, (hour + length / 3600 + 1e-9) % 24

    def _table(self, hour: float, horizon: float) -> Floats:
        """Return the table of a horizon for the minutes around an hour. It is computed once."""
        key = (round(hour * 12), horizon)
        if key not in self._tables:
            self._tables[key] = going_on(list(self.stretches(key[0] / 12 % 24, horizon)))
        return self._tables[key]
