"""A place with one belief: what is in front of one camera, or a home with one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harstream.forecast.client.course import Course
from harstream.forecast.client.diary import Loss
from harstream.forecast.client.skill import PlaceScores
from harstream.forecast.model.semi_markov import Floats
from harstream.forecast.predictors.protocol import Situation

PUBLISH_PERIOD = 60.0
"""Seconds between two forecasts that say the same."""


@dataclass
class Place:
    """What is kept about a place."""

    name: str
    course: Course
    scores: PlaceScores
    area: str | None = None
    """The room that its camera watches. None for a home."""
    losses: list[Loss] = field(default_factory=list)
    """Those that are not stored yet."""
    _said: tuple[int, int | None] | None = None
    """What the last forecast was about: what goes on, and what has begun last."""
    _said_at: float = float("-inf")
    _shows_since: float = float("-inf")
    """Since when the same has been the likeliest."""

    def situation(self, time: float, belief: Floats, rooms: tuple[str, ...]) -> Situation:
        """Return what is known at a time. `belief`: (S, B). `rooms`: the cameras, which it numbers."""
        course = self.course
        room = rooms.index(course.camera) if course.camera in rooms else None
        since = time if course.activity is None else course.since
        return Situation(time, belief, course.activity, since, course.previous, course.ended_before(time), room)

    def is_due(self, likeliest: int, now: float) -> bool:
        """Return whether a forecast is due, because what goes on has changed, or a minute is over."""
        is_news = (likeliest, self.course.activity) != self._said
        return is_news or not 0 <= now - self._said_at < PUBLISH_PERIOD

    def note_published(self, likeliest: int, now: float) -> None:
        if self._said is None or likeliest != self._said[0]:
            self._shows_since = now
        self._said, self._said_at = (likeliest, self.course.activity), now

    def since(self, likeliest: int, unknown: int) -> float:
        """Return when what was published as the likeliest began: by its event, if there is one."""
        course = self.course
        if likeliest == course.activity:
            return course.since
        return course.unknown_since if likeliest == unknown and course.current is None else self._shows_since

    def take_losses(self, now: float, unknown: int) -> Iterable[Loss]:
        """Return the losses of all forecasts whose time has come, once. `unknown`: the number K."""
        if self.course.is_known:
            current = self.course.current
            self.losses += self.scores.reached(now, unknown if current is None else current)
        losses, self.losses = self.losses, []
        return losses


@dataclass
class FollowedCamera:
    """What is kept about one camera."""

    place: Place
    observed_at: float = float("-inf")
    follows_events: bool = False
    noted: int | None = None
    """The activity that the diary says goes on."""
