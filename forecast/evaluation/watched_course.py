"""The course of one camera, to look up what was known at a time, and what happened after it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.changes import Change, contexts
from harstream.forecast.learning.episodes import Interval
from harstream.forecast.learning.semi_markov_fit import PHASES
from harstream.forecast.model.states import States
from harstream.forecast.predictors.hmm import Hmm
from harstream.forecast.predictors.protocol import Situation


class WatchedCourse:
    """What happened."""

    def __init__(self, course: Sequence[Interval], states: States) -> None:
        self.intervals, self._states = course, states
        self._starts = [interval.start for interval in course]
        self._contexts = list(contexts(course, states.unknown))

    def shown_at(self, time: float) -> int | None:
        """Return what went on, K for unknown; None if it is not known what went on."""
        index = self._index(time)
        return None if index is None else int(self._states.shows[self.intervals[index].state])

    def begins_within(self, time: float, seconds: float) -> NDArray[np.bool_] | None:
        """Return (K,) whether each activity began within seconds; None if that is not known throughout."""
        index, end = self._index(time), time + seconds
        if index is None:
            return None
        began = np.zeros(self._states.unknown, dtype=np.bool_)
        for before, interval in zip(self.intervals[index:], self.intervals[index + 1 :], strict=False):
            if before.end >= end:
                break
            if interval.start > before.end:
                return None
            if interval.start <= end and interval.state < len(began):
                began[interval.state] = True
        return began if self.intervals[-1].end >= end else None

    def situation(self, time: float, hmm: Hmm) -> Situation | None:
        """Return the situation at a time, as seen by who knows when the interval began; None if nothing is known."""
        index = self._index(time)
        if index is None:
            return None
        now, context = self.intervals[index], self._contexts[index]
        belief = np.zeros((self._states.count, PHASES))
        belief[now.state] = hmm.phases_after(now.state, time - now.start)
        if context is None:
            never = np.full(self._states.unknown, -np.inf)
            return Situation(time, belief, now.previous, now.start, None, never, now.room)
        return Situation(time, belief, context.activity, context.since, context.previous, context.ended, context.room)

    def _index(self, time: float) -> int | None:
        index = bisect_right(self._starts, time) - 1
        return index if index >= 0 and time < self.intervals[index].end else None


def at_begin(change: Change, states: States) -> Situation:
    """Return the situation in which an activity has just begun."""
    belief = np.zeros((states.count, PHASES))
    belief[change.activity, 0] = 1.0
    return Situation(change.since, belief, change.activity, change.since, change.previous, change.ended, change.room)
