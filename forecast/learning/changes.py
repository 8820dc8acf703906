"""The changes from one activity to the next, whatever unknown lies between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harstream.forecast.learning.episodes import Interval, by_camera
from harstream.forecast.model.semi_markov import Floats


@dataclass(frozen=True, eq=False)
class Change:
    """An activity with the next other one."""

    activity: int
    since: float
    """The time at which it began. Seconds since the epoch."""
    previous: int | None
    """The activity before it; None if it is not known."""
    ended: Floats
    """(K,) the time at which each activity ended last; minus infinity for one that was not seen."""
    next: int
    at: float
    """The time at which the next one began."""
    room: int | None = None
    """The number of the room of the activity, in `Past.rooms`; None if it is not known."""


def changes(course: Sequence[Interval], activities: int) -> Iterator[Change]:
    """Yield the changes of a course. An activity that goes on after an interruption is one activity.

    `activities`: K, their number. Each camera of the course begins without a past.

    course:   Eat  after Eat  Eat  Sleep  after Sleep (end not seen)  Eat  Wash
    changes:  Eat -> Sleep                                            Eat -> Wash
    """
    for camera in by_camera(course):
        yield from _of_camera(camera, activities)


def _of_camera(course: Sequence[Interval], activities: int) -> Iterator[Change]:
    current: Interval | None = None
    ended = np.full(activities, -np.inf)
    at_begin = ended.copy()
    for interval in course:
        if interval.state < activities:
            if current is not None and interval.state != current.state:
                yield Change(
                    current.state, current.start, current.previous, at_begin, interval.state, interval.start,
                    current.room,
                )  # fmt: skip
            if current is None or interval.state != current.state:
                current, at_begin = interval, ended.copy()
            ended[interval.state] = interval.end
        if interval.next is None:
            current = None
