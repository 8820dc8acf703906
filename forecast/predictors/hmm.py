"""`hmm`: a hidden semi-Markov model with counted followers, durations in phases, and the rhythm of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harstream.forecast.learning.counts import SLOT_SECONDS, Counts
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.learning.semi_markov_fit import DailyModel, fit
from harstream.forecast.model.horizons import Stretch, beginning, going_on, look_ahead, next_activity
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.protocol import Past, Situation

LARGEST_CACHE = 64_000_000
"""Bytes of tables that are kept."""


class Hmm:
    """Predicts by propagating the belief through the model."""

    def __init__(self, past: Past, counts: Counts, tick: float = 1.0) -> None:
        """`tick`: seconds of a tick."""
        self._zone, self.tick = past.zone, tick
        self.daily: DailyModel = fit(counts, past.states, tick)
        self.ends: Floats = counts.ends.sum(axis=(0, 2))
        """(S,) the ends of each state that were learned from."""
        self._tables: dict[tuple[str, int, float], Floats] = {}

    def next(self, situation: Situation) -> Floats:
        model = self.daily.at(hour_of(situation.time, self._zone))
        probabilities = situation.belief.sum(axis=1) @ next_activity(model.follow)
        if situation.activity is not None and len(probabilities) > 1:
            probabilities[situation.activity] = 0.0
        return np.asarray(probabilities / probabilities.sum())

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return self._look_ahead("going on", going_on, situation, horizons)

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        """Return (H, K): the probability that each activity begins within each horizon in seconds."""
        return self._look_ahead("beginning", beginning, situation, horizons)

    def stretches(self, hour: float, seconds: float) -> Iterator[Stretch]:
        """Yield the future from a local time of day, in hours: one stretch for each part of the day."""
        left, first = seconds, hour * 3600 % SLOT_SECONDS
        while left > 0:
            length = min(SLOT_SECONDS - first, left)
            ticks = round(length / self.tick)
            if ticks:
                yield Stretch(ticks, self.daily.at(hour))
            left, first, hour = left - length, 0.0, (hour + length / 3600 + 1e-9) % 24

    def _look_ahead(
        self,
        name: str,
        table_of: Callable[[Sequence[Stretch]], Floats],
        situation: Situation,
        horizons: Sequence[float],
    ) -> Floats:
        """Return the rows of the tables for the belief. The table of five minutes of the day is computed once."""
        part = round(hour_of(situation.time, self._zone) * 12) % 288
        rows = []
        for horizon in horizons:
            key = name, part, horizon
            if key not in self._tables:
                self._store(key, table_of(list(self.stretches(part / 12, horizon))))
            rows.append(look_ahead(situation.belief, self._tables[key]))
        return np.stack(rows)

    def _store(self, key: tuple[str, int, float], table: Floats) -> None:
        self._tables[key] = table
        while sum(each.nbytes for each in self._tables.values()) > LARGEST_CACHE and len(self._tables) > 1:
            del self._tables[next(iter(self._tables))]
