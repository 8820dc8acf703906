"""The baseline: how often each activity happens at that time of the day. A forecast must beat it to be published."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harstream.forecast.learning.counts import SLOT_HOURS, SLOT_SECONDS, SLOTS, Counts
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.learning.semi_markov_fit import WIDTHS
from harstream.forecast.model.rhythm import nearness
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.waiting_time import TIMES
from harstream.forecast.predictors.protocol import Past, Situation

STRENGTH = 0.5
"""Counts that pull the frequencies of an hour to those of the whole day."""


class Baseline:
    """Predicts from the hour of the day alone."""

    def __init__(self, past: Past, counts: Counts) -> None:
        self._zone = past.zone
        K = len(past.states.activities)
        kernel = nearness(SLOT_HOURS[:, None], SLOT_HOURS[None, :])
        self._begins = _frequencies(kernel, counts.moves.sum(axis=1)[:, :K])
        shown = np.zeros((SLOTS, K + 1))
        np.add.at(shown.T, past.states.shows, counts.risk.sum(axis=2).T / 600)
        self._shown = _frequencies(kernel, shown)
        self._begin_rates = _rates(kernel, counts.moves.sum(axis=1)[:, :K], counts.risk.sum(axis=(1, 2)))
        ends, risk = (each[:, :K].sum(axis=(1, 2)) for each in (counts.ends, counts.risk))
        self._end_rates = _rates(kernel, ends[:, None], risk)
        spent = counts.risk.sum(axis=0) + STRENGTH * WIDTHS
        self._phases = spent / spent.sum(axis=1, keepdims=True)
        self._states = past.states

    def next(self, situation: Situation) -> Floats:
        """Return the share of each activity among those that begin at this hour, without the one that goes on."""
        share = self._begins[_slot(hour_of(situation.time, self._zone))].copy()
        if situation.activity is not None and len(share) > 1:
            share[situation.activity] = 0.0
        return np.asarray(share / share.sum())

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return np.stack([self._shown[_slot(hour_of(situation.time + horizon, self._zone))] for horizon in horizons])

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        return np.asarray(1 - np.exp(-self._expected(self._begin_rates, situation.time, np.array(horizons))))

    def ending(self, situation: Situation, activity: int) -> Floats:
        return np.asarray(1 - np.exp(-self._expected(self._end_rates, situation.time, TIMES)[:, 0]))

    def changing(self, situation: Situation) -> Floats:
        rates = self._begin_rates.copy()
        if situation.activity is not None and rates.shape[1] > 1:
            rates[:, situation.activity] = 0.0
        return np.asarray(1 - np.exp(-self._expected(rates, situation.time, TIMES).sum(axis=1)))

    def _expected(self, rates: Floats, time: float, seconds: Floats) -> Floats:
        """Return (n, A): how often each thing happens within seconds (n,), from its rates (SLOTS, A) a second."""
        days = 2 + int(seconds.max(initial=0.0) // 86400)
        total = np.vstack([np.zeros(rates.shape[1]), np.cumsum(np.tile(rates, (days, 1)) * SLOT_SECONDS, axis=0)])
        edges = np.arange(len(total)) * SLOT_SECONDS
        begin = hour_of(time, self._zone) * 3600
        until = [np.interp(begin + seconds, edges, each) - np.interp(begin, edges, each) for each in total.T]
        return np.stack(until, axis=1)

    def belief(self, time: float) -> Floats:
        """Return the belief (S, B) at a time of which nothing else is known."""
        shown = self._shown[_slot(hour_of(time, self._zone))]
        states = np.zeros(self._states.count)
        states[: self._states.unknown], states[self._states.at_start] = shown[:-1], shown[-1]
        return np.asarray(states[:, None] * self._phases)


def _frequencies(kernel: Floats, seen: Floats) -> Floats:
    """Return the shares (SLOTS, n) near each part of the day, from what was seen (SLOTS, n)."""
    overall = seen.sum(axis=0) + STRENGTH
    near = kernel @ seen + STRENGTH * overall / overall.sum()
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def _rates(kernel: Floats, seen: Floats, seconds: Floats) -> Floats:
    """Return (SLOTS, A): how often each thing happens in a second near each part of the day.

    `seen` (SLOTS, A): how often it happened. `seconds` (SLOTS,): how long it was watched for.
    """
    overall = (seen.sum(axis=0) + STRENGTH) / (seconds.sum() + STRENGTH * 86400)  # once a day without a past
    return np.asarray((kernel @ seen + STRENGTH) / ((kernel @ seconds)[:, None] + STRENGTH / overall))


def _slot(hour: float) -> int:
    return int(hour / 24 * SLOTS) % SLOTS
