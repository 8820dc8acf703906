"""Past activities, and the course of states that they mean."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from harstream.forecast.model.states import States


@dataclass(frozen=True)
class Episode:
    """An activity that went on in front of a camera."""

    activity: str
    start: float
    """Seconds since the epoch, as all times here."""
    end: float
    is_end_seen: bool = True
    """False if the camera went away or the service stopped meanwhile. Then it lasted at least until `end`."""
    room: int | None = None
    """The number of the room in which it was seen; None if it is not known."""


@dataclass(frozen=True)
class Away:
    """A time without observations: what happened then is not known, and is not "no activity"."""

    start: float
    end: float


@dataclass(frozen=True)
class Interval:
    """A state that went on."""

    state: int
    start: float
    end: float
    next: int | None
    """The state that followed; None if it was not seen."""
    previous: int | None
    """The activity before it, unknown states left out; None if it was not seen."""
    room: int | None = None
    """The number of the room in which it was seen, in `Past.rooms`; None if it is not known."""


def intervals(episodes: Iterable[Episode], away: Sequence[Away], states: States) -> list[Interval]:
    """Return the course of states. Between two activities it is unknown. Episodes of other activities are left out.

    `episodes`: in the order of their starts. Of two that overlap, the first one ends when the second one starts.
    `away`: in the order of time.

    episodes:  Eat 0-60            Sleep 90-500
    states:    Eat        after Eat       Sleep
    """
    outages = _Outages(away)
    numbers = {name: number for number, name in enumerate(states.activities)}
    known = [episode for episode in episodes if episode.activity in numbers]
    course: list[Interval] = []
    before: int | None = None
    for index, episode in enumerate(known):
        state = numbers[episode.activity]
        following = known[index + 1] if index + 1 < len(known) else None
        end = episode.end if following is None else min(episode.end, following.start)
        if end <= episode.start:
            continue
        after = None if following is None else numbers[following.activity]
        is_direct = following is not None and following.start <= end
        is_seen = episode.is_end_seen and not (is_direct and after == state)
        successor = (after if is_direct else states.after(state)) if is_seen else None
        course.append(Interval(state, episode.start, end, successor, before, episode.room))
        before = state
        if following is not None and not is_direct:
            gaps = outages.between(end, following.start)
            course.extend(_unknown(states.after(state), end, following.start, after, before, gaps))
            if gaps:
                before = None
    return course


def by_camera(course: Sequence[Interval]) -> list[list[Interval]]:
    """Return the course of each camera. Each begins where the time goes back."""
    courses: list[list[Interval]] = []
    for interval in course:
        if not courses or interval.start < courses[-1][-1].start:
            courses.append([])
        courses[-1].append(interval)
    return courses


def _unknown(
    state: int, start: float, end: float, after: int | None, before: int | None, gaps: Sequence[Away]
) -> Iterable[Interval]:
    """Yield the unknown intervals between two activities. Only the last one was seen to end."""
    starts, ends = [start, *[gap.end for gap in gaps]], [*[gap.start for gap in gaps], end]
    for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
        if last > first:
            is_last = index == len(gaps)
            # After a gap, the activity before the unknown state is no longer certain.
            yield Interval(state, first, last, after if is_last and not gaps else None, before)


class _Outages:
    """Finds the times without observations between two activities. A camera may go away a hundred times a day."""

    def __init__(self, away: Sequence[Away]) -> None:
        """`away`: in the order of time."""
        self._away = away
        self._starts = [gap.start for gap in away]
        self._reached = list(accumulate((gap.end for gap in away), max))
        """The latest end so far."""

    def between(self, start: float, end: float) -> list[Away]:
        first, last = bisect_right(self._reached, start), bisect_left(self._starts, end)
        return [gap for gap in self._away[first:last] if gap.end > start]
