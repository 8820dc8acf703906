"""Fits the semi-Markov model and the rhythm of the day to counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harstream.forecast.learning.counts import SLOT_HOURS, SLOTS, Counts
from harstream.forecast.model.rhythm import nearness, ratio
from harstream.forecast.model.semi_markov import Floats, SemiMarkov
from harstream.forecast.model.states import States

PHASES = 8
WIDTHS: Floats = 2.0 * 4.0 ** np.arange(PHASES, dtype=np.float64)
"""(PHASES,) the mean length of each phase in seconds: 2 s to nine hours. The last one has no end."""
HAZARD_STRENGTH = 1.0
"""Ends that pull a hazard to what is common to all states of its kind."""
FOLLOW_STRENGTH = 2.0
"""Changes that pull the followers of a state to how often each activity begins."""
UNKNOWN_SHARE = 0.7
"""How often unknown follows an activity before anything was learned."""

ACTIVITY_LASTS, UNKNOWN_LASTS = 300.0, 3000.0
"""Mean seconds of an activity, and of unknown, before anything was learned."""


@dataclass(frozen=True, eq=False)
class DailyModel:
    """The model of each part of the day."""

    plain: SemiMarkov
    """Without rhythm."""
    ending: Floats
    """(SLOTS, S) how much more often than on average a state ends."""
    beginning: Floats
    """(SLOTS, S)"""

    def at(self, hour: float) -> SemiMarkov:
        """Return the model for a local time of day, in hours."""
        return self._of_slots[int(hour / 24 * SLOTS) % SLOTS]

    @cached_property
    def _of_slots(self) -> list[SemiMarkov]:
        return [self.plain.scaled(self.ending[slot], self.beginning[slot]) for slot in range(SLOTS)]


def fit(counts: Counts, states: States, tick: float) -> DailyModel:
    """Fit to counts. `tick`: seconds of a tick. Without counts, the model knows nothing and has no rhythm."""
    hazard = _hazards(counts, states)  # per second
    follow = _followers(counts, states)
    in_a_tick = np.clip(1 - np.exp(-hazard * tick), 1e-9, 0.95)
    pace = np.append(1 - np.exp(-tick / WIDTHS[:-1]), 0.0)
    kernel = nearness(SLOT_HOURS[:, None], SLOT_HOURS[None, :])
    ending = ratio(kernel @ counts.ends.sum(axis=2), kernel @ (counts.risk * hazard).sum(axis=2))
    ended = counts.moves.sum(axis=2)
    beginning = ratio(kernel @ counts.moves.sum(axis=1), kernel @ (ended @ follow))
    return DailyModel(SemiMarkov(in_a_tick, pace, follow, states.shows), ending, beginning)


def _hazards(counts: Counts, states: States) -> Floats:
    """Return (S, B) per second: the ends of each phase, shrunk to what is known of the state and of its kind.

    The prior is the geometric mean of the state's own constant hazard, and of the shape that all states of its kind
    share, times the scale of the state.
    """
    ends, risk = counts.ends.sum(axis=0), counts.risk.sum(axis=0)
    hazard = np.empty_like(ends)
    unknown = states.shows == states.unknown
    for kind, lasting in ((unknown, UNKNOWN_LASTS), (~unknown, ACTIVITY_LASTS)):
        seen, spent = ends[kind], risk[kind]
        shape = (seen.sum(axis=0) + 0.5) / (spent.sum(axis=0) + 0.5 * WIDTHS * lasting / ACTIVITY_LASTS)
        scale = (seen.sum(axis=1) + 1) / ((spent * shape).sum(axis=1) + 1)
        overall = (seen.sum() + 0.5) / (spent.sum() + 0.5 * lasting)
        constant = (seen.sum(axis=1) + 1) / (spent.sum(axis=1) + 1 / overall)
        prior = np.sqrt(constant[:, None] * np.clip(scale[:, None] * shape, 1e-7, 1.0))
        hazard[kind] = (seen + HAZARD_STRENGTH) / (spent + HAZARD_STRENGTH / prior)
    return np.asarray(hazard)


def _followers(counts: Counts, states: States) -> Floats:
    """Return (S, S): the changes from each state, shrunk to how often each activity begins."""
    K, moves = len(states.activities), counts.moves.sum(axis=0)
    begins = moves[:, :K].sum(axis=0) + 0.2
    to_unknown = moves[np.arange(K), K + np.arange(K)].sum()
    share = (to_unknown + UNKNOWN_SHARE) / (moves[:K].sum() + 1)
    base = np.zeros_like(moves)
    base[:, :K] = begins
    base *= states.can_follow
    base[:, :K] /= np.maximum(base[:, :K].sum(axis=1, keepdims=True), 1e-12)  # a single activity has no other one
    base[:K, :K] *= 1 - share
    base[np.arange(K), K + np.arange(K)] = share
    follow = moves + FOLLOW_STRENGTH * base
    return np.asarray(follow / follow.sum(axis=1, keepdims=True))
