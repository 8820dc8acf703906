"""Divides the past into what is learned from and what is predicted, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum

from harstream.forecast.learning.episodes import Interval
from harstream.forecast.learning.local_time import day_of

FIRST_DAYS = 3
"""Days that are only learned from, where each day is predicted from the days before it."""

Courses = Sequence[Sequence[Interval]]
"""The course of states in front of each camera."""


class Folding(StrEnum):
    DAY = "day"
    """Each day is predicted from all other days."""
    PREQUENTIAL = "prequential"
    """Each day is predicted from the days before it, from the fourth one on."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A day that is predicted."""

    day: int
    """The number of the local day."""
    learned: list[Interval]
    """What is learned from, one camera after another."""
    now: float
    """The time at which it is learned. What happened long before counts less."""


def folds(courses: Courses, folding: Folding, zone: tzinfo | None) -> Iterator[Fold]:
    """Yield the days in their order. `courses`: not all empty."""
    start = min(course[0].start for course in courses if course)
    days = sorted({day for course in courses for interval in course for day in _days(interval, zone)})
    if folding is Folding.DAY:
        for day in days:
            # At the start of the past, all of it counts fully.
            yield Fold(day, [each for course in courses for each in _without(course, day, zone)], start)
        return
    for day in days:
        if day >= days[0] + FIRST_DAYS:
            begin = begin_of(day, zone)
            yield Fold(day, [each for course in courses for each in _before(course, begin)], begin)


def begin_of(day: int, zone: tzinfo | None) -> float:
    """Return the midnight at which a local day begins, in seconds since the epoch."""
    return datetime.fromordinal(day).replace(tzinfo=zone).timestamp()


def _days(interval: Interval, zone: tzinfo | None) -> range:
    return range(day_of(interval.start, zone), day_of(interval.end, zone) + 1)


def _without(course: Sequence[Interval], day: int, zone: tzinfo | None) -> Iterator[Interval]:
    """Yield the intervals that do not touch a day. The last one in front of the hole was not seen to end."""
    kept = [day not in _days(interval, zone) for interval in course]
    for index, interval in enumerate(course):
        if kept[index]:
            is_before_hole = index + 1 < len(course) and not kept[index + 1]
            yield replace(interval, next=None) if is_before_hole else interval


def _before(course: Sequence[Interval], time: float) -> Iterator[Interval]:
    """Yield the intervals that began before a time. One that still goes on then was not seen to end."""
    for interval in course:
        if interval.start < time:
            yield interval if interval.end < time else replace(interval, end=time, next=None)
