"""What a predictor is asked, and what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Protocol

from harstream.forecast.learning.episodes import Interval
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States

HALF_LIFE = 60 * 86400.0
"""Seconds after which what was seen counts half."""


@dataclass(frozen=True, eq=False)
class Past:
    """What a predictor learns from."""

    states: States
    course: Sequence[Interval]
    """In the order of time. Several cameras may follow one after the other."""
    zone: tzinfo | None
    """The home's time zone, for the hour of the day. None: that of this machine."""
    now: float
    """Seconds since the epoch, as all times here."""
    rooms: tuple[str, ...] = ()
    """The names of the rooms, which intervals and situations number."""

    def weight(self, time: float) -> float:
        """Return how much what began at a time counts, 0 to 1.

        Ages count from the last thing that was seen. So habits outlast months without a camera, and records of an old
        home can be learned.
        """
        return float(0.5 ** (max(self._last_seen - time, 0.0) / HALF_LIFE))

    @cached_property
    def _last_seen(self) -> float:
        return min(max((interval.end for interval in self.course), default=self.now), self.now)


@dataclass(frozen=True, eq=False)
class Situation:
    """What is known at a moment in front of one camera."""

    time: float
    belief: Floats
    """(S, B) the probability of each state and phase. It sums to 1."""
    activity: int | None
    """The last activity that began; None before the first one."""
    since: float
    """The time at which it began."""
    previous: int | None
    """The activity before it; None if it is not known."""
    ended: Floats
    """(K,) the time at which each activity ended last before `since`; minus infinity for one that was not seen."""
    room: int | None = None
    """The number of the room in which it was seen, in `Past.rooms`; None if it is not known."""


class Predictor(Protocol):
    """A fitted predictor."""

    def next(self, situation: Situation) -> Floats:
        """Return (K,): the probability of each activity to be the next other one. They sum to 1."""
        ...

    def going_on(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        """Return (H, K + 1): the probability of each activity, and of unknown, after each horizon in seconds."""
        ...

    def beginning(self, situation: Situation, horizons: Sequence[float]) -> Floats:
        """Return (H, K): the probability that each activity begins within each horizon in seconds.

        A longer horizon never has a lower probability. What goes on now counts when it begins again.
        """
        ...

    def ending(self, situation: Situation, activity: int) -> Floats:
        """Return (T,): the probability that an activity that goes on now ends within each of `waiting_time.TIMES`."""
        ...

    def changing(self, situation: Situation) -> Floats:
        """Return (T,): the probability that another activity than the last one begins within each of TIMES."""
        ...
