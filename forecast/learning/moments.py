"""Moments of the past at equal distances, from which it is learned what goes on later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harstream.forecast.learning.changes import contexts
from harstream.forecast.learning.episodes import Interval
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States

SHORTEST_SPACING = 300.0
"""Seconds between two moments at least."""


@dataclass(frozen=True, eq=False)
class Moments:
    """n moments of one camera."""

    times: Floats
    """(n,) seconds since the epoch."""
    states: NDArray[np.intp]
    """(n,)"""
    ages: Floats
    """(n,) seconds since the state began."""
    previous: NDArray[np.intp]
    """(n,) the activity before the last one that began; -1 for not known."""
    rooms: NDArray[np.intp]
    """(n,) the number of the room; -1 for not known."""
    ended: Floats
    """(n, K) the time at which each activity ended last, before the last one began; minus infinity for never."""
    _course: _Course

    def shown_at(self, times: Floats) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Return whether it is known what went on at each time, and what it was."""
        is_known, index = self._course.found(times)
        return is_known, self._course.shows[index]

    @classmethod
    def of(cls, course: Sequence[Interval], states: States, most: int) -> Moments:
        """Return about so many moments at most, of the course of one camera."""
        found = _Course(course, states)
        first, last = (course[0].start, course[-1].end) if course else (0.0, 0.0)
        times = np.arange(first, last, max((last - first) / most, SHORTEST_SPACING))
        is_known, index = found.found(times)
        times, index, K = times[is_known], index[is_known], states.unknown
        last_begun = list(contexts(course, K))
        rows = [last_begun[number] for number in index]
        return cls(
            times,
            np.array([course[number].state for number in index], dtype=np.intp),
            times - found.starts[index],
            np.array([-1 if row is None or row.previous is None else row.previous for row in rows], dtype=np.intp),
            np.array([-1 if row is None or row.room is None else row.room for row in rows], dtype=np.intp),
            np.array([np.full(K, -np.inf) if row is None else row.ended for row in rows]).reshape(-1, K),
            found,
        )


class _Course:
    """A course as arrays."""

    def __init__(self, course: Sequence[Interval], states: States) -> None:
        self.starts = np.array([interval.start for interval in course])
        self._ends = np.array([interval.end for interval in course])
        self.shows = states.shows[np.array([interval.state for interval in course], dtype=np.intp)]

    def found(self, times: Floats) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Return whether each time is in an interval, and the number of the last interval that began."""
        index = np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)
        return (times >= self.starts[index]) & (times < self._ends[index]), index
