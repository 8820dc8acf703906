"""The changes from one activity to the next, whatever unknown lies between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.episodes import Interval, by_camera
from harstream.forecast.model.semi_markov import Floats


@dataclass(frozen=True, eq=False)
class Context:
    """The last activity that began."""

    activity: int
    since: float
    """The time at which it began. Seconds since the epoch."""
    previous: int | None
    """The activity before it; None if it is not known."""
    ended: Floats
    """(K,) the time at which each activity ended last before `since`; minus infinity for one that was not seen."""
    room: int | None
    """The number of the room in which it was seen, in `Past.rooms`; None if it is not known."""


@dataclass(frozen=True, eq=False)
class Change(Context):
    """An activity with the next other one."""

    next: int
    at: float
    """The time at which the next one began."""


def changes(course: Sequence[Interval], activities: int) -> Iterator[Change]:
    """Yield the changes of a course. An activity that goes on after an interruption is one activity.

    `activities`: K, their number. Each camera of the course begins without a past.

    course:   Eat  after Eat  Eat  Sleep  after Sleep (end not seen)  Eat  Wash
    changes:  Eat -> Sleep                                            Eat -> Wash
    """
    for camera in by_camera(course):
        before: Context | None = None
        for interval, now in zip(camera, contexts(camera, activities), strict=True):
            if before is not None and now is not None and now is not before:
                yield Change(
                    before.activity, before.since, before.previous, before.ended, before.room, now.activity, now.since
                )
            before = None if interval.next is None else now


def contexts(course: Sequence[Interval], activities: int) -> Iterator[Context | None]:
    """Yield the context of each interval in the course of one camera. None: it is not known which activity began last.

    An activity that goes on after an interruption keeps its context.
    """
    current: Context | None = None
    ended = np.full(activities, -np.inf)
    for interval in course:
        if interval.state < activities:
            if current is None or interval.state != current.activity:
                current = Context(interval.state, interval.start, interval.previous, ended.copy(), interval.room)
            ended[interval.state] = interval.end
        yield current
        if interval.next is None:
            current = None
