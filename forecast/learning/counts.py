"""Counts of a course of states: how long each state was at risk of ending in each phase and hour, and what followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np

from harstream.forecast.learning.episodes import Interval
from harstream.forecast.learning.local_time import hour_of
from harstream.forecast.model.semi_markov import Floats

SLOTS = 48
"""Parts of a day, of half an hour each."""
SLOT_SECONDS = 86400 // SLOTS
SLOT_HOURS = (np.arange(SLOTS) + 0.5) * 24 / SLOTS
"""(SLOTS,) the middle of each slot, in hours."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Weighted counts. B phases with these edges, SLOTS parts of the day."""

    risk: Floats
    """(SLOTS, S, B) seconds in a state and phase."""
    ends: Floats
    """(SLOTS, S, B) ends that were seen."""
    moves: Floats
    """(SLOTS, S, S) how often each state followed each state, by the time of the change."""


def count(
    course: Sequence[Interval], states: int, widths: Floats, zone: tzinfo | None, weight: Callable[[float], float]
) -> Counts:
    """Count a course.

    `states`: S, their number. `widths` (B,): the mean length of each phase, in seconds. `weight`: how much an
    interval that began at a time counts.
    """
    edges = np.concatenate([[0.0], np.cumsum(widths)[:-1]])
    longest = np.append(widths[:-1], np.inf)  # the last phase has no end
    risk = np.zeros((SLOTS, states, len(widths)))
    ends, moves = np.zeros_like(risk), np.zeros((SLOTS, states, states))
    for interval in course:
        importance, first = weight(interval.start), hour_of(interval.start, zone) * 3600
        ages = _slot_edges(interval, first)
        spent = np.diff(np.clip(ages[:, None] - edges, 0.0, longest), axis=0)
        slots = ((first + (ages[:-1] + ages[1:]) / 2) // SLOT_SECONDS).astype(int) % SLOTS
        np.add.at(risk[:, interval.state], slots, importance * spent)
        if interval.next is not None:
            last = int((first + ages[-1]) // SLOT_SECONDS) % SLOTS
            phase = max(int(np.searchsorted(edges, ages[-1], side="left")) - 1, 0)
            ends[last, interval.state, phase] += importance
            moves[last, interval.state, interval.next] += importance
    return Counts(risk, ends, moves)


def _slot_edges(interval: Interval, first: float) -> Floats:
    """Return the ages of an interval at which a new slot of the day begins, with 0 and its length."""
    length = interval.end - interval.start
    inner = np.arange(SLOT_SECONDS - first % SLOT_SECONDS, length, SLOT_SECONDS)
    return np.concatenate([[0.0], inner, [length]])
