"""The course of activities in one place, as the events and the health of its cameras report it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from harstream.forecast.client.soundness import end_of
from harstream.forecast.learning.episodes import Away, Episode
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.model.states import States
from harstream.wire.messages.event import EventMessage
from harstream.wire.values import EndReason, EventType

NOT_SEEN = frozenset({EndReason.CAMERA_OFFLINE, EndReason.SHUTDOWN, EndReason.MAX_DURATION})
"""Ends of an event that are no end of the activity."""
MOST_IDS = 1000
"""Ids of events that are remembered, to recognize repeats, and activities that go on."""


class _GoingOn(NamedTuple):
    began: float
    activity: int
    camera: str
    person: int | None
    """None if the model sees the whole picture, or the person was not found yet."""


class Course:
    """Follows the cameras of a place: one camera, or all cameras of a home with one person. Not thread-safe.

    Of activities that overlap, the one that began last goes on, and the outer one resumes after it. This also holds
    for several people in front of one camera: they are taken for one.
    """

    def __init__(self, states: States, now: float) -> None:
        """`now`: seconds since the epoch, as all times here."""
        self._numbers = {name: number for number, name in enumerate(states.activities)}
        self._seen: dict[str, int] = {}
        """The last seq of the latest events, by id."""
        self._going_on: dict[str, _GoingOn] = {}
        """By the id of the events."""
        self._away: dict[str, float] = {}
        """When a camera stopped to send pictures, by camera."""
        self._reporting: set[str] = set()
        """Cameras whose events have said what goes on since they send pictures."""
        self._is_broken = False
        """Whether it was not known for a time what goes on."""
        self.activity: int | None = None
        """The last activity that began; None if it is not known."""
        self.since = 0.0
        """The time at which it began."""
        self.camera: str | None = None
        """The camera that saw it begin."""
        self.previous: int | None = None
        """The activity before it."""
        self.unknown_since = now
        """When the last activity ended."""
        self.watched_since = now
        """Since when nothing was missed. A restart of the forecaster misses nothing that events report later."""
        self.ended: Floats = np.full(len(states.activities), -np.inf)
        """(K,) the time at which each activity ended last."""
        self._ended_before = -np.inf
        """The time at which the last activity ended before it began again."""
        self.began: Floats = np.full(len(states.activities), -np.inf)
        """(K,) the time at which each activity began last."""

    @property
    def current(self) -> int | None:
        """The activity that goes on; None if no camera sees one."""
        return None if (last := _last(self._going_on.values())) is None else last.activity

    @property
    def is_known(self) -> bool:
        """Whether it is known what goes on. A camera that is away may miss an activity that no other one sees."""
        return bool(self._going_on) or not self._away

    def ended_before(self, time: float) -> Floats:
        """Return (K,): the time at which each activity ended last before the last one began. `time`: now."""
        if self.activity is None:
            return np.minimum(self.ended, time)
        ended = np.minimum(self.ended, self.since)
        ended[self.activity] = self._ended_before
        return ended

    def is_reporting(self, camera: str) -> bool:
        """Return whether the events of a camera say what goes on in front of it."""
        return camera in self._reporting and camera not in self._away

    def seen_by(self, camera: str) -> tuple[int, float] | None:
        """Return the activity in front of one camera, and when it began."""
        last = _last(each for each in self._going_on.values() if each.camera == camera)
        return None if last is None else (last.activity, last.began)

    def begin(self, event: EventMessage) -> None:
        """Follow a start or an update."""
        number = self._numbers.get(event.activity)
        if number is None or not self._is_news(event) or event.historical or event.camera in self._away:
            return
        self._replace(event)
        self._reporting.add(event.camera)
        self.began[number] = max(self.began[number], event.started_at)
        self._settle(event.started_at)

    def end(self, event: EventMessage) -> Episode | None:
        """Follow an end. Return the episode to learn from, or None for a repeat and for another model's activity."""
        number = self._numbers.get(event.activity)
        if number is None or not self._is_news(event):
            return None
        episode = episode_of(event)
        self.ended[number] = max(self.ended[number], episode.end)
        if not event.historical:
            self._going_on.pop(event.id, None)
            self._reporting.add(event.camera)
            self.unknown_since = episode.end
            self._settle(episode.end)
        return episode

    def go_away(self, camera: str, time: float) -> None:
        """A camera sends no pictures from now on."""
        if camera not in self._away:
            self._away[camera] = time
            self._forget(camera)
            self._settle(time)

    def come_back(self, camera: str, time: float) -> Away | None:
        """A camera sends pictures again, or has left for good. Return the time without them."""
        if camera not in self._away:
            return None
        away = Away(self._away[camera], max(time, self._away.pop(camera)))
        self._reporting.discard(camera)
        self._settle(away.end)
        return away

    def leave(self, camera: str, time: float) -> Away | None:
        """A camera has left the config. Return the time for which it was away before."""
        away = self.come_back(camera, time)
        self._forget(camera)
        self._reporting.discard(camera)
        self._settle(time)
        return away

    def resume(self, episodes: Iterable[tuple[str, Episode]]) -> None:
        """Take the last episodes of earlier runs as the past, one at a time, each with its camera."""
        for camera, episode in episodes:
            number = self._numbers.get(episode.activity)
            if number is not None:
                self._take(number, episode.start, camera)
                self._reporting.add(camera)
                self.began[number] = max(self.began[number], episode.start)
                self.ended[number] = max(self.ended[number], episode.end)

    def _settle(self, time: float) -> None:
        """Take what goes on now as the last activity that began, if it is another one than before."""
        if not self.is_known:
            self._is_broken = True
            return
        if self._is_broken:
            self.activity, self.previous, self.camera = None, None, None
            self._is_broken, self.watched_since = False, time
        if (last := _last(self._going_on.values())) is not None:
            self._take(last.activity, time, last.camera)

    def _forget(self, camera: str) -> None:
        self._going_on = {key: each for key, each in self._going_on.items() if each.camera != camera}

    def _replace(self, event: EventMessage) -> None:
        """Take what an event reports as what its person does now, and in place of events whose ends were lost.

        Nobody does two things at once. An event without a person is about all that its camera sees.
        """
        self._going_on = {
            key: each
            for key, each in self._going_on.items()
            if each.camera != event.camera or (event.person is not None and each.person not in (event.person, None))
        }
        number = self._numbers[event.activity]
        self._going_on[event.id] = _GoingOn(event.started_at, number, event.camera, event.person)
        if len(self._going_on) > MOST_IDS:
            del self._going_on[next(iter(self._going_on))]

    def _take(self, activity: int, since: float, camera: str) -> None:
        if activity != self.activity:
            self.previous, self.activity, self.since, self.camera = self.activity, activity, since, camera
            self._ended_before = float(self.ended[activity])

    def _is_news(self, event: EventMessage) -> bool:
        """Return whether (id, seq) is new. Events may arrive twice."""
        if event.seq <= self._seen.get(event.id, 0):
            return False
        self._seen[event.id] = event.seq
        if len(self._seen) > MOST_IDS:
            del self._seen[next(iter(self._seen))]
        return True


def _last(going_on: Iterable[_GoingOn]) -> _GoingOn | None:
    """Return the one that began last."""
    return max(going_on, key=lambda each: (each.began, each.activity), default=None)


def episode_of(event: EventMessage) -> Episode:
    """Return the episode that ends with an event."""
    assert event.event_type is EventType.END
    return Episode(event.activity, event.started_at, end_of(event), event.end_reason not in NOT_SEEN)
