"""`hmm`: a hidden semi-Markov model with counted followers, durations in phases, and the rhythm of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from harstream.forecast.learning.counts import SLOT_SECONDS, Counts
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.learning.semi_markov_fit import DailyModel, fit
from harstream.forecast.model.horizons import (
    Chains,
    Stretch,
    beginning,
    chain_of,
    going_on,
    leaving,
    look_ahead,
    next_activity,
)
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.waiting_time import LONGEST, TIMES
from harstream.forecast.predictors.protocol import Past, Situation

LARGEST_CACHE = 64_000_000
"""Bytes of tables that are kept."""
PART = 300.0
"""Seconds of the day that share a table."""
_KINDS: Mapping[str, Callable[[Sequence[Stretch]], Floats]] = {"going on": going_on, "beginning": beginning}
Tables = Mapping[tuple[str, int, float], Floats]
"""Tables (S, B, A) by kind, part of the day, and horizon in seconds."""
CONTRADICTED = 1e-6
"""Where the belief is lower, the observations contradict the events: what they reported has ended."""


class Hmm:
    """Predicts by propagating the belief through the model."""

    def __init__(self, past: Past, counts: Counts, tick: float = 1.0) -> None:
        """`tick`: seconds of a tick."""
        self._zone, self._states, self.tick = past.zone, past.states, tick
        self.daily: DailyModel = fit(counts, past.states, tick)
        self.ends: Floats = counts.ends.sum(axis=(0, 2))
        """(S,) the ends of each state that were learned from."""
        self._tables: dict[tuple[str, int, float], Floats] = {}
        self._chains = Chains()

    def next(self, situation: Situation) -> Floats:
        model = self.daily.at(hour_of(situation.time, self._zone))
        probabilities = situation.belief.sum(axis=1) @ next_activity(model.follow)
        if situation.activity is not None and len(probabilities) > 1:
            probabilities[situation.activity] = 0.0
        return np.asarray(probabilities / probabilities.sum())

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return self._look_ahead("going on", situation, horizons)

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return self._look_ahead("beginning", situation, horizons)

    def tables_at(self, time: float, horizons: Sequence[float]) -> Tables:
        """Return all tables for a time in seconds since the epoch. It takes a second with 50 activities.

        It is callable from any thread, because it changes nothing. `keep` stores them.
        """
        return {key: self._table(*key) for key in self._keys(time, horizons)}

    def keep(self, tables: Tables) -> None:
        """Keep tables, and drop the oldest ones beyond the limit."""
        self._tables |= tables
        while sum(each.nbytes for each in self._tables.values()) > LARGEST_CACHE and len(self._tables) > len(tables):
            del self._tables[next(iter(self._tables))]

    def has_tables(self, time: float, horizons: Sequence[float]) -> bool:
        """Return whether all tables for a time are kept."""
        return all(key in self._tables for key in self._keys(time, horizons))

    def ending(self, situation: Situation, activity: int) -> Floats:
        return self._leaving(situation, [activity])

    def changing(self, situation: Situation) -> Floats:
        last, states = situation.activity, self._states
        return self._leaving(situation, [states.at_start] if last is None else [last, states.after(last)])

    def phases_after(self, state: int, seconds: float) -> Floats:
        """Return (B,): the probability of each phase of a state that began so long ago, at any time of the day."""
        alive = np.linalg.matrix_power(chain_of(self.daily.plain, [state]), int(seconds / self.tick))[0]
        return np.asarray(alive / max(alive.sum(), 1e-300))

    def _leaving(self, situation: Situation, inside: Sequence[int]) -> Floats:
        phases = situation.belief[inside]
        if phases.sum() < CONTRADICTED:
            return np.ones(len(TIMES))
        stretches = self.stretches(hour_of(situation.time, self._zone), LONGEST + SLOT_SECONDS)
        return leaving(phases, inside, stretches, [round(time / self.tick) for time in TIMES], self._chains)

    def stretches(self, hour: float, seconds: float) -> Iterator[Stretch]:
        """Yield the future from a local time of day, in hours: one stretch for each part of the day."""
        left, first = seconds, hour * 3600 % SLOT_SECONDS
        while left > 0:
            length = min(SLOT_SECONDS - first, left)
            ticks = round(length / self.tick)
            if ticks:
                yield Stretch(ticks, self.daily.at(hour))
            left, first, hour = left - length, 0.0, (hour + length / 3600 + 1e-9) % 24

    def _look_ahead(self, kind: str, situation: Situation, horizons: Sequence[float]) -> Floats:
        """Return the rows of the tables for the belief. A table that is not kept yet is computed."""
        part, rows = self._part(situation.time), []
        for horizon in horizons:
            key = kind, part, horizon
            if key not in self._tables:
                self.keep({key: self._table(*key)})
            rows.append(look_ahead(situation.belief, self._tables[key]))
        return np.stack(rows)

    def _keys(self, time: float, horizons: Sequence[float]) -> list[tuple[str, int, float]]:
        part = self._part(time)
        return [(kind, part, horizon) for kind in _KINDS for horizon in horizons]

    def _part(self, time: float) -> int:
        """Return the part of the day, 0 to 287, that begins nearest to a time."""
        return round(hour_of(time, self._zone) * 3600 / PART) % round(86400 / PART)

    def _table(self, kind: str, part: int, horizon: float) -> Floats:
        return _KINDS[kind](list(self.stretches(part * PART / 3600, horizon)))
