"""The course of activities in front of one camera, as its events and health report it."""

from __future__ import annotations

import numpy as np

from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EndReason, EventType

NOT_SEEN = frozenset({EndReason.CAMERA_OFFLINE, EndReason.SHUTDOWN, EndReason.MAX_DURATION})
"""Ends of an event that are no end of the activity."""


class CameraCourse:
    """Follows the events of one camera. Not thread-safe."""

    def __init__(self, states: States) -> None:
        self._numbers = {name: number for number, name in enumerate(states.activities)}
        self._seen: dict[str, int] = {}
        """The last seq of the latest events, by id."""
        self.current: int | None = None
        """The activity that goes on; None while it is unknown."""
        self.activity: int | None = None
        """The last activity that began."""
        self.since = 0.0
        """The time at which it began, in seconds since the epoch."""
        self.previous: int | None = None
        """The activity before it."""
        self.ended: Floats = np.full(len(states.activities), -np.inf)
        """(K,) the time at which each activity ended last."""
        self.began: Floats = np.full(len(states.activities), -np.inf)
        """(K,) the time at which each activity began last."""
        self.away_since: float | None = None
        """When the camera stopped to send pictures; None while it sends them."""

    def begin(self, event: EventMessage) -> bool:
        """Follow a start or an update. Return whether another activity than the last one began."""
        number = self._numbers.get(event.activity)
        if number is None or not self._is_news(event) or event.historical:
            return False
        self.current = number
        self.began[number] = max(self.began[number], event.started_at)
        if number == self.activity:
            return False
        self.previous, self.activity, self.since = self.activity, number, event.started_at
        return True

    def end(self, event: EventMessage) -> Episode | None:
        """Follow an end. Return the episode to learn from, or None for a repeat and for another model's activity."""
        number = self._numbers.get(event.activity)
        if number is None or event.event_type is not EventType.END or not self._is_news(event):
            return None
        end = event.started_at + event.duration_s if event.ended_at is None else event.ended_at
        if not event.historical:
            self.current = None
        self.ended[number] = max(self.ended[number], end)
        return Episode(event.activity, event.started_at, end, event.end_reason not in NOT_SEEN)

    def go_away(self, time: float) -> None:
        """The camera sends no pictures from now on: what happens is not known."""
        if self.away_since is None:
            self.away_since = time
            self.current = None

    def come_back(self, time: float) -> Away | None:
        """The camera sends pictures again. Return the time without them."""
        if self.away_since is None:
            return None
        away, self.away_since = Away(self.away_since, max(time, self.away_since)), None
        self.activity, self.previous = None, None
        return away

    def resume(self, episodes: list[Episode]) -> None:
        """Take the last episodes of an earlier run as the past, in the order of their starts."""
        for episode in episodes:
            number = self._numbers.get(episode.activity)
            if number is not None:
                if number != self.activity:
                    self.previous, self.activity, self.since = self.activity, number, episode.start
                self.began[number] = max(self.began[number], episode.start)
                self.ended[number] = max(self.ended[number], episode.end)

    def _is_news(self, event: EventMessage) -> bool:
        """Return whether (id, seq) is new. Events may arrive twice."""
        if event.seq <= self._seen.get(event.id, 0):
            return False
        self._seen[event.id] = event.seq
        if len(self._seen) > MOST_IDS:
            del self._seen[next(iter(self._seen))]
        return True


MOST_IDS = 1000
"""Ids of events that are remembered, to recognize repeats."""
